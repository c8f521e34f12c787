"""A hunt against phones, members and callers that do anything in any order.

The machine below knows nothing of the hunt's insides: it plays the call that carries out the commands, keeps its own
books of legs, and holds every command against the invariants.
"""

from __future__ import annotations

from enum import Enum
from random import Random

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bridge.directory.model import Order, Queue, Strategy
from bridge.hunting.floor import Floor
from bridge.hunting.hunt import Hunt
from bridge.hunting.model import (
    Answered,
    Availability,
    CallerGone,
    CallerHolds,
    Connect,
    End,
    HuntCommand,
    HuntEvent,
    MemberChanged,
    Offer,
    Phase,
    PickedUp,
    Refused,
    Release,
    Responded,
    Result,
    Start,
    Tick,
    Withdraw,
)
from bridge.hunting.rules import Rules

NAMES = ("anna", "ben", "carl", "dora")
members = st.sampled_from(NAMES)
picks = st.integers(0, len(NAMES) - 1)  # one of those it can happen to
availabilities = st.sampled_from([*[Availability.AVAILABLE] * len(Availability), *Availability])
RELEASE_AFTER = 32.0


class Leg(Enum):
    """What the call knows of a member's leg."""

    NONE = "none"
    LIVE = "live"  # INVITE sent, no final response, not cancelled
    CANCELLED = "cancelled"  # CANCEL sent, no final response
    TALKING = "talking"


class HuntMachine(RuleBasedStateMachine):
    """One hunt with four members; time passes in steps, usually with its ticks, sometimes with late ones."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.legs = dict.fromkeys(NAMES, Leg.NONE)
        self.rang: set[str] = set()
        self.ended_at: dict[str, float] = {}
        self.cancelled_at: dict[str, float] = {}
        self.seen = dict.fromkeys(NAMES, Availability.AVAILABLE)
        self.own_offers_show = False
        self.prompt: set[str] = set()
        self.connected: list[str] = []
        self.ends: list[End] = []
        self.told_until = 0
        self.held = False
        self.floor = Floor()

    # -- the call around the hunt ------------------------------------------------------------------

    @initialize(
        strategy=st.sampled_from(Strategy),
        order=st.sampled_from(Order),
        queue=st.builds(
            Queue, ring_all=st.booleans(), leave_empty=st.booleans(), keep_place=st.sampled_from([0.0, 60.0])
        ),
        tiers=st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, st.integers(0, 2))),
        ring_seconds=st.sampled_from([2.0, 15.0, 300.0]),
        give_up_after=st.sampled_from([10.0, 120.0]),
        retry_after=st.sampled_from([0.5, 5.0]),
        rounds=st.sampled_from([None, 1, 2]),
        seen=st.lists(availabilities, min_size=len(NAMES), max_size=len(NAMES)),
        own_offers_show=st.booleans(),
        prompt=st.sets(members, min_size=1),
    )
    def begin(
        self,
        strategy: Strategy,
        order: Order,
        queue: Queue,
        tiers: dict[str, int],
        ring_seconds: float,
        give_up_after: float,
        retry_after: float,
        rounds: int | None,
        seen: list[Availability],
        own_offers_show: bool,
        prompt: set[str],
    ) -> None:
        """Make a hunt.

        A line may or may not look busy with the hunt's own offer; `prompt` phones ring at once, and confirm at once
        that they were cancelled.
        """
        self.rules_of_hunt = Rules(strategy, ring_seconds, give_up_after, retry_after, rounds, order=order, queue=queue)
        self.tiers = tiers
        self.hunt = Hunt(self.rules_of_hunt, NAMES, Random(0), tiers=tiers, floor=self.floor, group="g", caller="555")
        self.seen = dict(zip(NAMES, seen, strict=True))
        self.own_offers_show = own_offers_show
        self.prompt = prompt
        self.tell(Start())

    def look(self, member: str) -> Availability:
        """Say who is available; our own leg may show as an offer."""
        seen = self.seen[member]
        shows = self.own_offers_show and self.legs[member] is not Leg.NONE
        return Availability.OFFERED_ANOTHER if shows and seen is Availability.AVAILABLE else seen

    def tell(self, event: HuntEvent) -> list[HuntCommand]:
        """Tell the hunt, carry out what it says, and hold each command against the invariants."""
        before = self.hunt.phase
        said = self.hunt.receive(event, self.now, self.look)
        for command in said:
            self.carry_out(command, event)
        if before in (Phase.CONNECTED, Phase.ENDED):
            assert all(isinstance(c, Release) for c in said), "only late answers matter after the end"
            assert self.hunt.phase is before, "a hunt that is over stays over"
        if isinstance(event, CallerGone):
            assert not any(isinstance(c, End) for c in said)
        for command in said:
            self.react(command)
        return said

    def react(self, command: HuntCommand) -> None:
        """Let a prompt phone do at once what it is asked to."""
        match command:
            case Offer(member) if member in self.prompt and self.legs[member] is Leg.LIVE:
                self.respond(member, ringing=True)
            case Withdraw(member) if member in self.prompt and self.legs[member] is Leg.CANCELLED:
                self.refuse(member, 487)

    def open_leg(self, pick: int) -> str | None:
        """Return one of the members with an open leg, None without any."""
        found = [m for m, leg in self.legs.items() if leg in (Leg.LIVE, Leg.CANCELLED)]
        return found[pick % len(found)] if found else None

    def respond(self, member: str, ringing: bool) -> None:
        """A provisional response comes."""
        if ringing:
            self.rang.add(member)
        assert self.tell(Responded(member, ringing)) == []

    def refuse(self, member: str, status: int) -> None:
        """A final response comes; a cancelled phone says 487."""
        leg, self.legs[member] = self.legs[member], Leg.NONE
        self.ended_at[member] = self.now
        self.tell(Refused(member, 487 if leg is Leg.CANCELLED else status))

    def carry_out(self, command: HuntCommand, event: HuntEvent) -> None:
        """Do what a call does with its legs."""
        match command:
            case Offer(member):
                self.may_offer(member)
                self.legs[member] = Leg.LIVE
                self.rang.discard(member)
            case Withdraw(member):
                assert self.legs[member] is Leg.LIVE, "only a live offer can be withdrawn"
                self.legs[member] = Leg.CANCELLED
                self.ended_at[member] = self.cancelled_at[member] = self.now
            case Connect(member):
                assert event == Answered(member), "nobody is connected but by their own answer"
                assert self.legs[member] is Leg.TALKING
                self.connected.append(member)
            case Release(member):
                assert event == Answered(member)
                assert self.legs[member] is Leg.TALKING
                self.legs[member] = Leg.NONE
            case End():
                self.ends.append(command)

    def may_offer(self, member: str) -> None:
        """Check every condition for a new INVITE to a member."""
        assert self.hunt.phase in (Phase.HUNTING, Phase.ENDED)
        assert self.now < self.rules_of_hunt.give_up_after, "nobody is rung after the give-up"
        assert self.look(member) is Availability.AVAILABLE, "who is not available is not rung"
        if self.legs[member] is Leg.CANCELLED:
            assert self.now >= self.cancelled_at[member] + RELEASE_AFTER, "the last offer is not over yet"
        else:
            assert self.legs[member] is Leg.NONE, "one leg per member"
        since = self.now - self.ended_at.get(member, -1e9)
        assert since >= self.rules_of_hunt.retry_after - 1e-9, "no storm"
        strategy, ring_all = self.rules_of_hunt.strategy, self.rules_of_hunt.queue.ring_all
        if strategy is Strategy.SEQUENTIAL or (strategy is Strategy.QUEUE and not ring_all):
            assert Leg.LIVE not in self.legs.values(), "one at a time"
        if strategy is Strategy.QUEUE:
            assert self.floor.away(member) is None, "who rests is not rung"
            live = [self.tiers.get(m, 0) for m, leg in self.legs.items() if leg is Leg.LIVE]
            assert self.tiers.get(member, 0) <= min(live, default=99) or self.tiers.get(member, 0) in live, (
                "tier by tier"
            )
        assert not self.held, "nobody rings for a caller who holds us"

    # -- what can happen ---------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([0.1, 0.5, 1.0, 2.0, 4.0, 5.0, 15.0]))
    def time_passes(self, seconds: float) -> None:
        """Ticks come at each deadline."""
        until = self.now + seconds
        while (due := self.next_due()) is not None and due <= until:
            self.now = max(self.now, due)
            self.tick()
        self.now = until

    def next_due(self) -> float | None:
        """Return when something is due, at the hunt or on the floor; a hunt that is over wants nothing any more."""
        due = [self.hunt.deadline(), self.floor.deadline() if self.hunt.phase is Phase.HUNTING else None]
        return min((each for each in due if each is not None), default=None)

    def tick(self) -> None:
        """Tick the hunt, then the floor, as late as may be; who is free again is told."""
        due = self.hunt.deadline()
        if due is not None and due <= self.now:
            self.tell(Tick())
            after = self.hunt.deadline()
            assert after is None or after > due, "a tick does what was due"
        for member in self.floor.tick(self.now):
            self.tell(MemberChanged(member))

    @rule(seconds=st.sampled_from([0.05, 0.3, 6.0]))
    def the_loop_is_late(self, seconds: float) -> None:
        """Time passes, and no tick has come yet."""
        self.now += seconds

    @rule()
    def a_tick_too_many(self) -> None:
        """A tick may come at any time."""
        self.tell(Tick())

    @rule(pick=picks, ringing=st.booleans())
    def a_phone_responds(self, pick: int, ringing: bool) -> None:
        """A provisional response, also one that crosses the CANCEL."""
        if (member := self.open_leg(pick)) is not None:
            self.respond(member, ringing)

    @rule(pick=picks, status=st.sampled_from([302, 404, 480, 486, 486, 486, 503, 600, 603, 606]))
    def a_phone_refuses(self, pick: int, status: int) -> None:
        """Busy, declined, diverted, unreachable."""
        if (member := self.open_leg(pick)) is not None:
            self.refuse(member, status)

    @rule(pick=picks, luck=st.integers(0, 3))
    def a_phone_answers(self, pick: int, luck: int) -> None:
        """The first live one is connected; one that crosses its CANCEL is released."""
        member = self.open_leg(pick)
        if member is not None and (luck == 0 or self.legs[member] is Leg.CANCELLED):
            leg = self.legs[member]
            self.legs[member] = Leg.TALKING
            self.ended_at[member] = self.now
            said = self.tell(Answered(member))
            assert said[0] == (Connect(member) if leg is Leg.LIVE else Release(member))

    @rule(pick=picks, takes=st.booleans())
    def a_phone_is_picked_up(self, pick: int, takes: bool) -> None:
        """Whoever is there has to press 1, and does so now, or hangs up."""
        member = self.open_leg(pick)
        if member is None or self.legs[member] is not Leg.LIVE:
            return
        assert self.tell(PickedUp(member)) == []
        assert self.hunt.phase is Phase.HUNTING, "nobody has the call yet"
        if takes:
            self.legs[member] = Leg.TALKING
            self.ended_at[member] = self.now
            assert self.tell(Answered(member))[0] == Connect(member)
        else:
            self.refuse(member, 480)

    @rule(held=st.booleans(), luck=st.integers(0, 3))
    def the_caller_holds(self, held: bool, luck: int) -> None:
        """Only a caller whom we have answered can; nobody rings meanwhile."""
        if luck == 0 and self.rules_of_hunt.strategy is Strategy.QUEUE:
            self.held = held
            self.tell(CallerHolds(held))
            assert not held or Leg.LIVE not in self.legs.values() or self.hunt.phase is not Phase.HUNTING

    @rule(member=members, seen=availabilities, told=st.sampled_from([True, True, True, False]))
    def a_member_changes(self, member: str, seen: Availability, told: bool) -> None:
        """Logs in or out, pauses, is called by others; once in a while nobody tells the hunt."""
        self.seen[member] = seen
        if told:
            live = self.legs[member] is Leg.LIVE
            self.tell(MemberChanged(member))
            if live and self.hunt.phase is Phase.HUNTING:
                assert (self.legs[member] is Leg.LIVE) is not seen.stops_ringing, "only who left stops ringing"

    @rule(
        event=st.sampled_from(
            [Responded("stranger", True), Refused("stranger", 486), Answered("stranger"), MemberChanged("")]
        )
    )
    def a_stranger_is_heard(self, event: HuntEvent) -> None:
        """Nothing comes of it, but for what was due anyway."""
        assert self.tell(event) == []

    @rule(luck=st.integers(0, 7))
    def the_caller_gives_up(self, luck: int) -> None:
        """All phones stop."""
        if luck == 0:
            self.tell(CallerGone())

    # -- what always holds -------------------------------------------------------------------------

    @invariant()
    def at_most_one_is_connected(self) -> None:
        """One Connect in a call, and only where the phase says so."""
        assert len(self.connected) == (self.hunt.phase is Phase.CONNECTED)
        assert self.hunt.winner == (self.connected[0] if self.connected else None)
        assert (self.hunt.result is None) is (self.hunt.phase is Phase.HUNTING)

    @invariant()
    def a_hunt_ends_once_and_properly(self) -> None:
        """One End with 486 or 480, unless somebody answered or the caller gave up."""
        lost = self.hunt.phase is Phase.ENDED and self.hunt.result is not Result.ABANDONED
        assert [end.status in (480, 486) for end in self.ends] == [True] * lost

    @invariant()
    def every_leg_that_rang_ends_answered_or_cancelled(self) -> None:
        """When the search is over no leg is left ringing."""
        if self.hunt.phase is not Phase.HUNTING:
            assert Leg.LIVE not in self.legs.values()
            assert self.hunt.ringing == ()
            assert self.hunt.deadline() is None

    @invariant()
    def a_hunt_that_has_not_ended_goes_somewhere(self) -> None:
        """It has a deadline, no later than the give-up; in parallel a live leg too."""
        if self.hunt.phase is Phase.HUNTING:
            due = self.hunt.deadline()
            assert due is not None
            assert due <= self.rules_of_hunt.give_up_after
            assert Leg.LIVE in self.legs.values() or self.rules_of_hunt.strategy is not Strategy.PARALLEL
            live = {m for m, leg in self.legs.items() if leg is Leg.LIVE}
            assert set(self.hunt.ringing) == live & self.rang

    @invariant()
    def who_waits_is_on_the_floor(self) -> None:
        """Exactly as long as the search lasts."""
        if hasattr(self, "hunt") and self.rules_of_hunt.strategy is Strategy.QUEUE:
            assert self.floor.waiting("g") == (self.hunt.phase is Phase.HUNTING)

    @invariant()
    def the_trace_is_in_order_and_does_not_repeat_itself(self) -> None:
        """Times never go back, and no member is passed over twice running for the same reason."""
        news = self.hunt.trace[max(0, self.told_until - 1) :]
        assert all(a.at <= b.at for a, b in zip(news, news[1:], strict=False))
        self.told_until = len(self.hunt.trace)
        for member in NAMES:
            about = [(d.what, d.why) for d in self.hunt.trace if d.member == member]
            assert all(a != b for a, b in zip(about, about[1:], strict=False) if a[0] != "released")

    def teardown(self) -> None:
        """Left alone, every hunt ends by its give-up time, in a bounded number of ticks."""
        if not hasattr(self, "hunt"):
            return
        for _ in range(1000):
            due = self.next_due()
            if due is None:
                break
            self.now = max(self.now, due)
            self.tick()
            self.every_leg_that_rang_ends_answered_or_cancelled()
        assert self.hunt.phase in (Phase.CONNECTED, Phase.ENDED)
        for member, leg in self.legs.items():
            if leg is Leg.CANCELLED:
                self.legs[member] = Leg.TALKING
                assert self.tell(Answered(member)) == [Release(member)], "a late second 2xx is released"


TestHunt = HuntMachine.TestCase
TestHunt.settings = settings(
    max_examples=150,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],  # a loaded machine is no fault
)
