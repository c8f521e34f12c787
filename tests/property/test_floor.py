"""Callers of several queues at the same agents, who do anything in any order: served in turn, and nobody rung twice.

The machine plays the exchange: it keeps its own books of who is offered what, tells every hunt of a change in the order
of the floor, and holds each offer against them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bridge.directory.model import Order, Queue, Strategy
from bridge.hunting.floor import AgentState, Floor
from bridge.hunting.hunt import Hunt
from bridge.hunting.model import (
    Answered,
    Availability,
    CallerGone,
    CallerHolds,
    Connect,
    End,
    HuntEvent,
    MemberChanged,
    Offer,
    Phase,
    Refused,
    Release,
    Responded,
    Start,
    Tick,
    Withdraw,
)
from bridge.hunting.rules import Rules

AGENTS = ("anna", "ben", "carl")
GROUPS = {"sales": ("anna", "ben"), "support": ("ben", "carl", "anna"), "office": ("carl",)}
RETRY = 5.0
RELEASE = 32.0
KEEP = 60.0
agents = st.sampled_from(AGENTS)
picks = st.integers(0, 30)


@dataclass(eq=False)
class Waiting:
    """A caller, in the books of this test."""

    group: str
    hunt: Hunt
    came: float
    number: int
    who: str = ""
    held: bool = False
    live: set[str] = field(default_factory=set)
    ended: dict[str, float] = field(default_factory=dict)
    unconfirmed: dict[str, float] = field(default_factory=dict)  # cancelled, and no final response yet
    talks_to: str | None = None

    @property
    def waits(self) -> bool:
        """Whether they still wait."""
        return self.hunt.phase is Phase.HUNTING


class FloorMachine(RuleBasedStateMachine):
    """Three queues, three agents, of whom some are in several."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.floor = Floor()
        self.callers: list[Waiting] = []
        self.out: set[tuple[str, str]] = set()
        self.talking: dict[str, Waiting] = {}
        self.places: dict[tuple[str, str], tuple[Waiting, float]] = {}

    @initialize(
        orders=st.fixed_dictionaries(dict.fromkeys(GROUPS, st.sampled_from(Order))),
        ring_all=st.fixed_dictionaries(dict.fromkeys(GROUPS, st.booleans())),
        tiers=st.fixed_dictionaries(dict.fromkeys(GROUPS, st.dictionaries(agents, st.integers(0, 1)))),
        delay=st.sampled_from([0.0, RETRY, 10.0]),
    )
    def begin(
        self, orders: dict[str, Order], ring_all: dict[str, bool], tiers: dict[str, dict[str, int]], delay: float
    ) -> None:
        """Set the queues up."""
        self.tiers = tiers
        self.rules_of = {
            group: Rules(
                Strategy.QUEUE,
                give_up_after=600.0,
                retry_after=RETRY,
                order=orders[group],
                queue=Queue(
                    ring_all=ring_all[group],
                    leave_empty=False,
                    keep_place=KEEP,
                    wrap_up=10.0,
                    no_answer_delay=delay,
                    busy_delay=delay,
                    decline_delay=delay,
                ),
            )
            for group in GROUPS
        }

    # -- the exchange around the hunts -------------------------------------------------------------------------------

    def look(self, caller: Waiting, member: str) -> Availability:
        """Say whether a member can be rung by a caller's hunt."""
        if (caller.group, member) in self.out:
            return Availability.LOGGED_OUT
        if self.floor.wraps_up(member) is not None:
            return Availability.WRAP_UP
        if member in self.talking:
            return Availability.ON_A_CALL
        if any(member in each.live for each in self.callers if each is not caller):
            return Availability.OFFERED_ANOTHER
        return Availability.AVAILABLE

    def tell(self, caller: Waiting, event: HuntEvent) -> None:
        """Tell one hunt something, and carry out what it says."""
        for command in caller.hunt.receive(event, self.now, lambda member: self.look(caller, member)):
            match command:
                case Offer(member):
                    self.may_offer(caller, member)
                    caller.live.add(member)
                    caller.unconfirmed.pop(member, None)
                case Withdraw(member):
                    caller.live.discard(member)
                    caller.ended[member] = caller.unconfirmed[member] = self.now
                case Connect(member):
                    caller.live.discard(member)
                    caller.talks_to = member
                    assert member not in self.talking
                    self.talking[member] = caller
                case Release():
                    pass
                case End():
                    assert self.now >= caller.came + 600.0 or caller.held, "nobody is sent away before the time"

    def show(self, *members: str) -> None:
        """Tell all who wait of members, in turn; and again of those whom somebody left to an earlier one."""
        for member in members:
            for caller in sorted(self.callers, key=self.turn_of):
                if caller.waits and member in GROUPS[caller.group]:
                    self.tell(caller, MemberChanged(member))
        if owed := self.floor.take_owed():
            self.show(*dict.fromkeys(owed))

    def turn_of(self, caller: Waiting) -> tuple[float, int]:
        """Who comes first, by this test's own books."""
        return caller.came, caller.number

    def settle(self, *freed: str) -> None:
        """Do what the exchange does after each event."""
        self.show(*freed)

    def could_take(self, caller: Waiting, member: str) -> bool:
        """Whether a caller could be offered to a member now, by this test's own books."""
        if not caller.waits or caller.held or member not in GROUPS[caller.group] or member in caller.live:
            return False
        tier = self.tiers[caller.group]
        ring_all = self.rules_of[caller.group].queue.ring_all
        if caller.live and not (ring_all and tier.get(member, 0) <= max(tier.get(m, 0) for m in caller.live)):
            return False
        if self.floor.away(member) is not None or self.look(caller, member) is not Availability.AVAILABLE:
            return False
        if member in caller.unconfirmed:
            return self.now >= caller.unconfirmed[member] + RELEASE
        return self.now >= caller.ended.get(member, -1e9) + RETRY

    def may_offer(self, caller: Waiting, member: str) -> None:
        """Hold an offer against the books."""
        assert member not in self.talking, "nobody is rung while they talk"
        assert not any(member in each.live for each in self.callers), "nobody is rung twice at once"
        assert self.could_take(caller, member)
        earlier = [c for c in self.callers if self.turn_of(c) < self.turn_of(caller) and self.could_take(c, member)]
        assert not earlier, "first come, first served"

    # -- what can happen ---------------------------------------------------------------------------------------------

    @rule(group=st.sampled_from(list(GROUPS)), who=st.sampled_from(["555-1", "555-2", "555-3", ""]))
    def somebody_calls(self, group: str, who: str) -> None:
        """A caller comes to the end of the line, unless the place was kept."""
        if sum(c.waits for c in self.callers) > 7:
            return
        hunt = Hunt(
            self.rules_of[group],
            GROUPS[group],
            Random(len(self.callers)),
            tiers=self.tiers[group],
            floor=self.floor,
            group=group,
            caller=who,
        )
        left, until = self.places.pop((group, who), (None, -1.0))
        place = self.turn_of(left) if left is not None and until > self.now else (self.now, len(self.callers))
        caller = Waiting(group, hunt, *place, who)
        self.callers.append(caller)
        self.tell(caller, Start())
        self.settle()

    @rule(pick=picks)
    def somebody_hangs_up(self, pick: int) -> None:
        """Whoever rang for them is free."""
        if waiting := [c for c in self.callers if c.waits]:
            caller = waiting[pick % len(waiting)]
            freed = list(caller.live)
            self.tell(caller, CallerGone())
            if caller.who:
                self.places[caller.group, caller.who] = caller, self.now + KEEP
            self.settle(*freed)

    @rule(pick=picks, held=st.booleans())
    def somebody_holds(self, pick: int, held: bool) -> None:
        """Their phones stop."""
        if waiting := [c for c in self.callers if c.waits]:
            caller = waiting[pick % len(waiting)]
            freed = list(caller.live) if held else []
            caller.held = held
            self.tell(caller, CallerHolds(held))
            self.settle(*freed)

    @rule(pick=picks)
    def a_phone_answers(self, pick: int) -> None:
        """The caller is served; other phones of theirs are free."""
        if offers := [(c, m) for c in self.callers for m in sorted(c.live)]:
            caller, member = offers[pick % len(offers)]
            freed = [m for m in caller.live if m != member]
            self.tell(caller, Responded(member, ringing=True))
            self.tell(caller, Answered(member))
            self.settle(*freed)

    @rule(pick=picks, status=st.sampled_from([480, 486, 603]))
    def a_phone_refuses(self, pick: int, status: int) -> None:
        """The member rests."""
        if offers := [(c, m) for c in self.callers for m in sorted(c.live)]:
            caller, member = offers[pick % len(offers)]
            caller.live.discard(member)
            caller.ended[member] = self.now
            self.tell(caller, Refused(member, status))
            rests = self.rules_of[caller.group].queue.busy_delay > 0
            assert self.floor.away(member) is (AgentState.RESTING if rests else None)
            self.settle(member)

    @rule(pick=picks)
    def a_phone_confirms_its_end(self, pick: int) -> None:
        """A final response to a CANCEL."""
        if found := [(c, m) for c in self.callers for m in sorted(c.unconfirmed)]:
            caller, member = found[pick % len(found)]
            del caller.unconfirmed[member]
            caller.ended[member] = self.now
            self.tell(caller, Refused(member, 487))
            self.settle()

    @rule(pick=picks, wrap_up=st.booleans())
    def a_talk_ends(self, pick: int, wrap_up: bool) -> None:
        """The agent is free, at once or after the wrap-up."""
        if self.talking:
            member = sorted(self.talking)[pick % len(self.talking)]
            caller = self.talking.pop(member)
            self.floor.orders.ended(member)
            if wrap_up:
                self.floor.wrap_up(member, self.rules_of[caller.group].queue.wrap_up, self.now)
            self.settle(member)

    @rule(group=st.sampled_from(list(GROUPS)), member=agents, out=st.booleans())
    def an_agent_logs_in_or_out(self, group: str, member: str, out: bool) -> None:
        """A phone that rings for the group stops."""
        (self.out.add if out else self.out.discard)((group, member))
        rang = [m for c in self.callers for m in c.live]
        self.settle(member)
        self.settle(*(m for m in rang if not any(m in c.live for c in self.callers)))

    @rule(seconds=st.sampled_from([0.1, 1.0, 5.0, 10.0, 15.0, 32.0]), floor_first=st.booleans())
    def time_passes(self, seconds: float, floor_first: bool) -> None:
        """Whoever is due is ticked, the hunts in no order that would help."""
        until = self.now + seconds
        for _ in range(1000):
            hunts = [c for c in reversed(self.callers) if c.hunt.deadline() is not None]
            due = [self.floor.deadline(), *(c.hunt.deadline() for c in hunts)]
            first = min((each for each in due if each is not None), default=None)
            if first is None or first > until:
                break
            self.now = max(self.now, first)
            if floor_first:
                self.settle(*self.floor.tick(self.now))
            for caller in hunts:
                at = caller.hunt.deadline()
                if at is not None and at <= self.now:
                    before = set(caller.live)
                    self.tell(caller, Tick())
                    self.settle(*(before - caller.live))
            self.settle(*self.floor.tick(self.now))
        else:
            raise AssertionError("it never comes to rest")
        self.now = until

    # -- what always holds -------------------------------------------------------------------------------------------

    @invariant()
    def nobody_waits_for_an_agent_who_is_free(self) -> None:
        """Where somebody could be served, somebody is being served."""
        for caller in self.callers:
            for member in GROUPS[caller.group]:
                assert not self.could_take(caller, member), f"{caller.group}: {member} is idle"

    @invariant()
    def the_floor_has_exactly_those_who_wait(self) -> None:
        """And their positions are 1, 2, 3..."""
        for group in GROUPS:
            waiting = sorted((c for c in self.callers if c.waits and c.group == group), key=self.turn_of)
            assert self.floor.waiting(group) == len(waiting)
            assert [self.floor.position(w) for w in self.floor._waiting if w.group == group] == [
                n + 1 for n in range(len(waiting))
            ]


TestFloor = FloorMachine.TestCase
TestFloor.settings = settings(
    max_examples=100,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],  # a loaded machine is no fault
)


def test_two_callers_whose_waits_for_a_member_end_at_once() -> None:
    """The later one leaves the member to the earlier one, who takes another: then the member is the later one's."""
    floor = FloorMachine()
    one_by_one = {group: False for group in GROUPS}
    listed = {group: Order.LISTED for group in GROUPS}
    floor.begin(orders=listed, ring_all=one_by_one, tiers={group: {} for group in GROUPS}, delay=0.0)
    for who in ("555-1", "555-2"):
        floor.somebody_calls(group="sales", who=who)
    for _ in range(3):
        floor.a_phone_refuses(pick=0, status=480)
    floor.time_passes(floor_first=False, seconds=5.0)
    assert [sorted(caller.live) for caller in floor.callers] == [["anna"], ["ben"]]
