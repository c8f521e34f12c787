"""The stage: hunts of the real machine, lines that count, phones that ring and are answered, on one heap of times.

| what happens | the stage |
|---|---|
| a call comes | a hunt for its group begins; a closed group's callers go on at once |
| the hunt offers it | the phone rings at once; its member answers later, or lets it ring |
| the hunt connects it | the member talks for as long as that caller does |
| the hunt ends | the call goes on to the overflow, a group once, or is lost |
| a caller's patience is over | the hunt is told that the caller has gone |
| a talk is over | the line is free, wrap-up begins, whoever waits is told in turn |

Availability, orders, tiers, retry delays, wrap-up and first-come-first-served are the bridge's own (`hunting`); what is
left out is the network: every phone is there, and nothing gets lost. Members with a schedule are there by it, all
others always; who is logged in at the moment does not matter.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random

from bridge.directory.logins import Login
from bridge.directory.model import Directory, Group, Member, Strategy
from bridge.hunting.availability import availability
from bridge.hunting.floor import Floor
from bridge.hunting.hunt import Hunt
from bridge.hunting.model import (
    Answered,
    Availability,
    CallerGone,
    Connect,
    End,
    HuntEvent,
    MemberChanged,
    Offer,
    Phase,
    Refused,
    Responded,
    Start,
    Tick,
    Withdraw,
)
from bridge.hunting.rules import Rules
from bridge.rehearsal.model import Arrival, Fate, Manner, Played

_DAY = 86_400.0
_IN, _OUT = Login(logged_in=True), Login(logged_in=False)


@dataclass(slots=True, eq=False)
class _Call:
    fate: Fate
    group: Group
    hunt: Hunt | None = None
    members: dict[str, Member] = field(default_factory=dict)
    offers: dict[str, int] = field(default_factory=dict)  # member to the number of the offer that is open
    due: float = math.inf
    visited: set[str] = field(default_factory=set)
    queue: deque[HuntEvent] = field(default_factory=deque)
    over: bool = False


class Stage:
    """One rehearsal of a configuration. `rng` decides all that people do by chance."""

    def __init__(self, directory: Directory, manner: Manner, rng: Random) -> None:
        self._directory = directory
        self._manner = manner
        self._rng = rng
        self._floor = Floor()
        self._now = 0.0
        self._calls: dict[str, int] = {}  # line: talks
        self._offers: dict[str, int] = {}  # line: phones that ring
        self._watching: dict[str, dict[_Call, None]] = {}  # line: the calls that hunt there, in their order
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count()
        self._numbers = itertools.count(1)
        self._floor_due = math.inf
        self._fates: list[Fate] = []

    def play(self, arrivals: Iterable[Arrival]) -> Played:
        """Let all calls come, and wait until the last is over."""
        coming = sorted(arrivals, key=lambda arrival: arrival.at)
        begin = coming[0].at if coming else 0.0
        self._now = begin
        for arrival in coming:
            self._at(arrival.at, lambda arrival=arrival: self._come(arrival))  # type: ignore[misc]
        self._open_doors(begin, coming[-1].at if coming else begin)
        while self._heap:
            self._now, _, do = heapq.heappop(self._heap)
            do()
        end = max((fate.arrival.at + fate.waited + fate.talked for fate in self._fates), default=begin)
        return Played(tuple(self._fates), self._presence(begin, end), begin, end)

    # -- time -----------------------------------------------------------------------------------------------------

    def _at(self, when: float, do: Callable[[], None]) -> None:
        heapq.heappush(self._heap, (when, next(self._count), do))

    def _open_doors(self, begin: float, end: float) -> None:
        """Let members come and go by their schedules, as far as anybody calls."""
        for group in self._directory.groups.values():
            for member in group.members:
                turn = member.schedule.next_change(begin) if member.schedule is not None else None
                while member.schedule is not None and turn is not None and turn <= end:
                    self._at(turn, lambda line=member.line: self._show(line))  # type: ignore[misc]
                    turn = member.schedule.next_change(turn + 1)

    def _presence(self, begin: float, end: float) -> dict[tuple[str, str], float]:
        places = ((group, member) for group in self._directory.groups.values() for member in group.members)
        return {(group.name, member.name): _there(member, begin, end) for group, member in places}

    # -- calls ----------------------------------------------------------------------------------------------------

    def _come(self, arrival: Arrival) -> None:
        group = self._directory.groups[arrival.group]
        call = _Call(Fate(arrival, group.name), group)
        self._fates.append(call.fate)
        self._at(arrival.at + arrival.patience, lambda: self._give_up(call))
        self._turn_to(call, group)

    def _turn_to(self, call: _Call, group: Group) -> None:
        """Begin to hunt in a group, or go on where it is closed."""
        call.group, call.fate.group = group, group.name
        call.visited.add(group.name)
        if group.hours is not None and not group.hours.contain(self._now):
            self._go_on(call, group.closed or group.overflow, "group closed")
            return
        call.members = {member.name: member for member in group.members}
        call.hunt = Hunt(
            Rules.of(group),
            list(call.members),
            self._rng,
            tiers={member.name: member.tier for member in group.members},
            floor=self._floor,
            group=group.name,
            caller=call.fate.arrival.caller,
        )
        barred = call.hunt.barred(self._now, self._look_of(call))
        if barred is not None:
            self._go_on(call, group.overflow, barred.why)
            return
        for member in group.members:
            self._watching.setdefault(member.line, {})[call] = None
        self._step(call, Start())

    def _go_on(self, call: _Call, target: str | None, why: str) -> None:
        self._leave(call)
        onward = self._directory.group(target) if target else None
        if onward is not None and onward.name not in call.visited and onward.active:
            self._turn_to(call, onward)
            return
        call.over = True
        call.fate.waited = self._now - call.fate.arrival.at
        call.fate.why = why

    def _leave(self, call: _Call) -> None:
        for member in call.members.values():
            self._watching.get(member.line, {}).pop(call, None)
        call.members, call.hunt, call.due = {}, None, math.inf

    def _give_up(self, call: _Call) -> None:
        if call.over or call.hunt is None or call.fate.taken_by is not None:
            return
        self._step(call, CallerGone())
        call.over = call.fate.gave_up = True
        call.fate.waited = self._now - call.fate.arrival.at
        call.fate.why = "the caller gave up"
        self._leave(call)

    # -- the hunt -------------------------------------------------------------------------------------------------

    def _step(self, call: _Call, event: HuntEvent) -> None:
        """Give a hunt an event, do what it commands, and let the floor say whom that concerns."""
        call.queue.append(event)
        if len(call.queue) > 1:
            return  # what is at work below comes to it
        while call.queue:
            if call.hunt is not None:
                for command in call.hunt.receive(call.queue[0], self._now, self._look_of(call)):
                    self._do(call, command)
            call.queue.popleft()
        if call.hunt is not None:
            self._arm(call, call.hunt)
        for member in self._floor.take_owed():
            self._show_member(member)
        self._arm_floor()

    def _do(self, call: _Call, command: object) -> None:
        match command:
            case Offer(member):
                self._ring(call, member)
            case Withdraw(member, _):
                self._stop(call, member)
                self._at(self._now, lambda: self._said(call, Refused(member, 487)))
            case Connect(member):
                self._stop(call, member)
                self._talk(call, member)
            case End(_, why):
                group = call.group
                self._at(self._now, lambda: self._ended(call, group, why))

    def _said(self, call: _Call, event: HuntEvent) -> None:
        if call.hunt is not None:
            self._step(call, event)

    def _ended(self, call: _Call, group: Group, why: str) -> None:
        if not call.over and call.group is group:
            self._go_on(call, group.overflow, why)

    def _arm(self, call: _Call, hunt: Hunt) -> None:
        due = hunt.deadline() if hunt.phase is Phase.HUNTING else None
        if due is None or due == math.inf:
            call.due = math.inf
        elif due != call.due:
            call.due = due
            self._at(due, lambda: self._tick(call, due))

    def _tick(self, call: _Call, due: float) -> None:
        if call.due == due and call.hunt is not None:
            call.due = math.inf
            self._step(call, Tick())

    def _look_of(self, call: _Call) -> Callable[[str], Availability]:
        hunt, group = call.hunt, call.group
        assert hunt is not None

        def look(name: str) -> Availability:
            member = call.members[name]
            line = self._directory.lines[member.line]
            granted = sum(call.members[each].line == member.line for each in hunt.granted)
            own = 1 if name in call.offers else 0
            return availability(
                always=member.always,
                login=_IN if _is_there(member, self._now) else _OUT,
                reachable=True,
                calls=self._calls.get(member.line, 0),
                offers_elsewhere=self._offers.get(member.line, 0) - own + granted,
                max_calls=line.max_calls,
                trunk_full=False,
                is_caller=False,
                wrap_up=group.strategy is not None and self._floor.wraps_up(name) is not None,
            )

        return look

    # -- phones ---------------------------------------------------------------------------------------------------

    def _ring(self, call: _Call, member: str) -> None:
        number = next(self._numbers)
        line = call.members[member].line
        call.offers[member] = number
        self._offers[line] = self._offers.get(line, 0) + 1
        self._at(self._now, lambda: self._heard(call, member, number, Responded(member, ringing=True)))
        if self._rng.random() >= self._manner.lets_ring:
            mean = self._manner.answers_after
            answers = self._now + (self._rng.expovariate(1 / mean) if mean > 0 else 0.0)
            self._at(answers, lambda: self._heard(call, member, number, Answered(member)))

    def _heard(self, call: _Call, member: str, number: int, event: HuntEvent) -> None:
        if call.offers.get(member) == number and call.hunt is not None:
            self._step(call, event)

    def _stop(self, call: _Call, member: str) -> None:
        if call.offers.pop(member, None) is not None:
            line = call.members[member].line
            self._offers[line] -= 1
            self._at(self._now, lambda: self._show(line))

    def _talk(self, call: _Call, member: str) -> None:
        fate, line = call.fate, call.members[member].line
        fate.taken_by, fate.waited, fate.talked = member, self._now - fate.arrival.at, fate.arrival.talk
        call.over = True
        self._calls[line] = self._calls.get(line, 0) + 1
        self._floor.orders.took(member, str(int(self._now // _DAY)))
        group = call.group
        self._at(self._now + fate.talked, lambda: self._hang_up(group, member, line, fate.talked))
        self._at(self._now, lambda: self._leave(call))

    def _hang_up(self, group: Group, member: str, line: str, talked: float) -> None:
        self._calls[line] -= 1
        self._floor.orders.ended(member)
        if group.strategy is Strategy.QUEUE:
            self._floor.pace.note(group.name, talked + group.queue.wrap_up)
            self._floor.wrap_up(member, group.queue.wrap_up, self._now)
        self._show(line)
        self._arm_floor()

    # -- who waits ------------------------------------------------------------------------------------------------

    def _show(self, line: str) -> None:
        """Tell all who hunt at a line to look there again, in their order."""
        for call in tuple(self._watching.get(line, ())):
            for name in [member.name for member in call.members.values() if member.line == line]:
                if call.hunt is not None and not call.over:
                    self._step(call, MemberChanged(name))

    def _show_member(self, member: str) -> None:
        user = self._directory.users.get(member)
        self._show(user.line if user else member)

    def _arm_floor(self) -> None:
        due = self._floor.deadline()
        if due is not None and due != self._floor_due:
            self._floor_due = due
            self._at(due, lambda: self._tick_floor(due))

    def _tick_floor(self, due: float) -> None:
        if self._floor_due == due:
            self._floor_due = math.inf
            for member in self._floor.tick(self._now):
                self._show_member(member)
            self._arm_floor()


def _is_there(member: Member, wall: float) -> bool:
    return member.schedule is None or member.schedule.contain(wall)


def _there(member: Member, begin: float, end: float) -> float:
    """Return for how many seconds a member was there."""
    if member.schedule is None:
        return end - begin
    seconds, at = 0.0, begin
    while at < end:
        turn = min(member.schedule.next_change(at) or end, end)
        seconds += (turn - at) if member.schedule.contain(at) else 0.0
        at = max(turn, at + 1.0)
    return seconds
