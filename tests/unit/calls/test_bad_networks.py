"""A network that loses one message of twenty and turns others round: no call gets stuck, nothing stays of any."""

from __future__ import annotations

import random

import pytest

from bridge.directory.model import Strategy
from bridge.events import GroupCall
from bridge.sip.incoming import IncomingLeg
from bridge.sip.outgoing import OutgoingLeg
from tests.support.lab import ANSWER, Lab, Passed, Phone

LOSS = 0.05
CALLS = 60


class Chance:
    """Members and callers who do what people do, by chance, and a network that is no better."""

    def __init__(self, seed: int, strategy: Strategy) -> None:
        self.rng = random.Random(seed)
        self.lab = Lab(strategy=strategy, members=3, rules={"give_up_after": 30.0, "retry_after": 5.0})
        self.lab.drop = self.loses
        self.wanted: list[tuple[float, Phone, IncomingLeg | OutgoingLeg, str]] = []
        for name in ("m1", "m2", "m3"):
            self.lab[name].on_invite = self.rings

    def loses(self, passed: Passed) -> bool:
        """Lose a message, or hold the next ones up for another while."""
        self.lab.delay = self.rng.choice((0.0, 0.005, 0.02, 0.08))
        return self.rng.random() < LOSS

    def rings(self, phone: Phone, leg: IncomingLeg) -> None:
        """Ring, and do something about it some time."""
        leg.ring(self.lab.now)
        what = self.rng.choice(("accept", "accept", "busy", "decline", "nothing", "at once"))
        if what == "at once":
            leg.accept(ANSWER, self.lab.now)
            what = "accept"
        self.wanted.append((self.lab.now + self.rng.uniform(0.0, 12.0), phone, leg, what))

    def lives(self, seconds: float) -> None:
        """Let time pass, in which whoever wants something does it."""
        end = self.lab.now + seconds
        while self.lab.now < end:
            self.lab.run(0.25)
            due = [each for each in self.wanted if each[0] <= self.lab.now]
            self.wanted = [each for each in self.wanted if each[0] > self.lab.now]
            for _, phone, leg, what in due:
                self.does(phone, leg, what)

    def does(self, phone: Phone, leg: IncomingLeg | OutgoingLeg, what: str) -> None:
        """Do one thing."""
        now = self.lab.now
        if isinstance(leg, OutgoingLeg):
            phone.accepted(leg)
            leg.hang_up(None, now)
        elif what == "accept":
            leg.accept(ANSWER, now)
            if self.rng.random() < 0.5:
                self.wanted.append((now + self.rng.uniform(0.0, 20.0), phone, leg, "hang up"))
        elif what in ("busy", "decline"):
            leg.reject(486 if what == "busy" else 603, now)
        elif what == "hang up":
            leg.hang_up(None, now)

    def calls(self) -> None:
        """Call, wait as long as one likes to, hang up."""
        caller = self.lab[self.rng.choice(("c1", "c2"))]
        leg = caller.call("600")
        self.wanted.append((self.lab.now + self.rng.uniform(0.1, 40.0), caller, leg, "hang up"))
        for each in caller.calls:
            caller.accepted(each)  # type: ignore[arg-type]


@pytest.mark.parametrize("strategy", [Strategy.PARALLEL, Strategy.SEQUENTIAL])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_call_is_stuck(seed: int, strategy: Strategy) -> None:
    """Sixty calls of callers and members by chance: a few minutes later no call, leg, transaction or count is left."""
    on = Chance(seed, strategy)
    for _ in range(CALLS):
        on.calls()
        on.lives(on.rng.uniform(0.0, 6.0))
    on.lives(120.0)
    steps = {event.event_type for event in on.lab.events if isinstance(event, GroupCall)}
    assert steps >= {"offered", "answered", "abandoned", "ended"}, "by chance all of it has happened"
    for phone in on.lab.phones.values():  # phones that have not heard the end of a talk do not answer for ever either
        on.lab.phones[phone.name] = Phone(on.lab, phone.name, phone.address)
    on.lab.run(1500.0)
    exchange = on.lab.exchange
    assert exchange.calls() == [] and exchange.ua.legs == {} and len(exchange.ua.layer) == 0
    for name in on.lab.directory.lines:
        use = exchange.lines.use(name)
        assert (use.calls, use.offers, use.rings) == (0, 0, 0)
    assert exchange.deadline() is None
