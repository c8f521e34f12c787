"""Whatever is ordered while whoever answers, holds, refuses or hangs up: nothing is left of it in the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.calls.ordered.orders import Order
from bridge.commands.model import LineVerb, Reply
from bridge.directory.codes import Codes
from bridge.directory.handling import Handling, HandlingChange
from bridge.directory.model import Directory, Group, Level, Line, MediaWay, Member, Strategy, User
from bridge.sip.legevents import Requested
from bridge.sip.outgoing import OutgoingLeg
from tests.support.lab import Lab, Phone
from tests.support.ways import ToldMedia
from tests.unit.calls.test_media import body

LINES = ("m1", "m2", "c1", "c2", "r1", "r2")
NUMBERS = ("600", "601", "201", "202", "301", "302", "401", "402", "*8600", "*8201", "999")
ORDERS = (LineVerb.DIAL, LineVerb.HANGUP, LineVerb.HOLD, LineVerb.RESUME, LineVerb.TRANSFER, LineVerb.PICKUP)

_RINGS = ("trying", "ringing")


class Floor:
    """Phones that do as they are told, two of them with media through the relay; every user may do everything."""

    def __init__(self) -> None:
        self.media = ToldMedia()
        relayed = tuple(
            Line(f"r{n}", f"40{n}", contact=f"sip:r{n}@10.0.2.{n}:5060", media=MediaWay.RELAY) for n in (1, 2)
        )
        self.lab = Lab(members=2, media=self.media, more_lines=relayed, rules={"give_up_after": 20.0}, logged_in=False)
        users = {f"u-{name}": User(f"u-{name}", name, name) for name in LINES}
        group = Group("g", "Group", "600", tuple(Member(f"u-{name}", name) for name in ("m1", "m2")))
        lines = dict(self.lab.directory.lines)
        queue = replace(group, name="q", number="601", strategy=Strategy.QUEUE)
        self.lab.directory = Directory(lines, users, {"g": group, "q": queue}, Level.PERSONAL, Codes(pickup="*8"))
        self.lab.exchange.configure(self.lab.directory, self.lab.settings, self.lab.now)
        for name in ("u-m1", "u-m2"):
            self.lab.login(name)
            self.lab.login(name, group="q")
        self.refuses = 0  # so many re-INVITEs are refused from now on
        self.called: list[tuple[str, OutgoingLeg]] = []
        self.waiting = 0
        for name in LINES:
            self.lab[name].on_invite = lambda phone, leg: leg.ring(phone.lab.now)
            self.lab[name].on_request = self.answer_request

    def answer_request(self, phone: Phone, event: Requested) -> None:
        """Take a re-INVITE, or refuse it."""
        if self.refuses:
            self.refuses -= 1
            event.leg.respond(event.transaction, event.request, 488, None, phone.lab.now)
        else:
            event.leg.respond(event.transaction, event.request, 200, body(phone.address[0], 6000, "8"), phone.lab.now)

    # -- what may happen -------------------------------------------------------------------------------------------

    def call(self, who: int, what: int) -> None:
        """Let a phone call a number."""
        phone = self.lab[LINES[who]]
        leg = phone.call(NUMBERS[what % len(NUMBERS)], body(phone.address[0], 6000, "8 0"))
        self.called.append((phone.name, leg))

    def answer(self, who: int, what: int) -> None:
        """Let one of the phones that ring answer, or refuse."""
        ringing = [(p, leg) for p in self.lab.phones.values() for leg in p.calls if leg.state.value in _RINGS]
        if not ringing:
            return
        phone, leg = ringing[who % len(ringing)]
        if what % 4 == 3:
            leg.reject(486, self.lab.now)
        else:
            leg.accept(body(phone.address[0], 6000, "8"), self.lab.now)

    def hang_up(self, who: int, what: int) -> None:
        """Let a phone hang up one of its calls."""
        legs = [leg for leg in self.lab[LINES[who]].ua.legs.values() if not leg.over]
        if legs:
            legs[what % len(legs)].hang_up(None, self.lab.now)

    def order(self, who: int, what: int) -> None:
        """Give an order to a line."""
        verb, line = ORDERS[what % len(ORDERS)], LINES[who]
        busy = [name for name in LINES if self.lab.exchange.line(name).state.value == "busy"]
        if busy and verb not in (LineVerb.DIAL, LineVerb.PICKUP):
            line = busy[who % len(busy)]
        number = NUMBERS[(what // len(ORDERS)) % 8] if verb in (LineVerb.DIAL, LineVerb.TRANSFER) else None
        if verb is LineVerb.TRANSFER and what % 5 == 0:
            number = None
        ringing = [call.call for call in self.lab.exchange.calls() if call.state != "connected"]
        call = ringing[what % len(ringing)] if verb is LineVerb.PICKUP and ringing else None
        self.waiting += 1
        given_order = Order(verb, line, f"u-{line}", "owner", "control", number, call)
        self.lab.exchange.command(given_order, self.told, self.lab.now)

    def told(self, reply: Reply) -> None:
        """Take an order's one answer."""
        self.waiting -= 1
        assert self.waiting >= 0

    def refer(self, who: int, what: int) -> None:
        """Let a phone transfer by itself one of the calls that it is in."""
        phone = self.lab[LINES[who]]
        legs = [leg for leg in phone.ua.legs.values() if leg.state.value == "up" and leg.dialog is not None]
        if legs:
            leg = legs[what % len(legs)]
            assert leg.dialog is not None
            leg.dialog, request = leg.dialog.request("REFER")
            request.set("Refer-To", f"<sip:{NUMBERS[what % 8]}@10.0.0.100>")
            phone.ua.layer.request(request, leg.dialog.flow, leg, self.lab.now, ("refer", None))

    def refuse(self, who: int, what: int) -> None:
        """Let the next re-INVITEs be refused."""
        self.refuses = 1 + what % 2

    def handle(self, who: int, what: int) -> None:
        """Set what a line does with its calls."""
        always, later = Handling(always=NUMBERS[what % 8]), Handling(no_answer="202", after=3.0)
        settings, line = (Handling(), Handling(dnd=True), always, later), LINES[who]
        self.lab.handlings.apply([HandlingChange(line, self.lab.handlings.get(line), settings[what % 4])])
        self.lab.exchange.line_handled(line, self.lab.now)

    def acknowledge(self) -> None:
        """Let callers acknowledge answers."""
        for name, leg in self.called:
            if leg.state.value == "answered":
                self.lab[name].accepted(leg)

    def end(self) -> None:
        """Let everybody hang up, and time pass."""
        for _ in range(3):
            for phone in self.lab.phones.values():
                for leg in list(phone.ua.legs.values()):
                    leg.hang_up(None, self.lab.now)
            self.lab.run(1)
            self.acknowledge()
        self.lab.run(200)


STEPS: tuple[Callable[[Floor, int, int], None], ...] = (
    Floor.call,
    Floor.call,
    Floor.answer,
    Floor.answer,
    Floor.answer,
    Floor.order,
    Floor.order,
    Floor.order,
    Floor.order,
    Floor.hang_up,
    Floor.refer,
    Floor.refuse,
    Floor.handle,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(STEPS) - 1),
            st.integers(0, 5),
            st.integers(0, 1000),
            st.sampled_from([0.0, 0.1, 1.0, 4.0]),
        ),
        min_size=4,
        max_size=25,
    )
)
def test_nothing_is_left(steps: list[tuple[int, int, int, float]]) -> None:
    """Every order is answered once; no leg, no call, no port and no count is left when all have hung up."""
    floor = Floor()
    for step, who, what, pause in steps:
        STEPS[step](floor, who, what)
        floor.lab.run(pause)
        floor.acknowledge()
    floor.end()
    lab = floor.lab
    assert not lab.exchange.calls() and not lab.exchange.ua.legs
    assert floor.media.pairs == 100 and floor.waiting == 0
    states = {name: lab.exchange.line(name).state.value for name in LINES}
    assert set(states.values()) == {"idle"}, states
    assert len(lab.exchange.ua.layer) == 0
