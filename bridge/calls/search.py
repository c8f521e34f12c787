"""The search for somebody who takes a call: hunt commands become words to legs, leg events become hunt events.

| leg event | to the hunt | hunt command | to the legs |
|---|---|---|---|
| Progress | Responded | Offer | INVITE to each contact of the member's line |
| Accepted | Answered | Connect | the fork is `Found`: the call connects it |
| Rejected | Refused, once the fork's last leg failed | Withdraw | CANCEL |
|  |  | Release | ACK and BYE |
|  |  | End | `Nobody`: the call overflows or refuses its caller |
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple
from weakref import ref

from bridge.calls.fork import ELSEWHERE, Fork
from bridge.calls.offers import Offers
from bridge.calls.parties import Called
from bridge.calls.queue.confirming import Confirming
from bridge.calls.status import Step
from bridge.calls.switch import Switch
from bridge.directory.model import Member, Queue, Strategy
from bridge.hunting.hunt import Hunt
from bridge.hunting.model import (
    Answered,
    Availability,
    Connect,
    End,
    Enough,
    HuntCommand,
    HuntEvent,
    MemberChanged,
    Offer,
    Phase,
    PickedUp,
    Refused,
    Release,
    Responded,
    Taken,
    Withdraw,
    Withdrawal,
)
from bridge.hunting.model import Outcome as Ending
from bridge.hunting.model import Result as HuntResult
from bridge.hunting.outcome import outcome_of
from bridge.sip.grammar import SipError
from bridge.sip.leg import Leg
from bridge.sip.message import Body
from bridge.sip.outgoing import OutgoingLeg

if TYPE_CHECKING:
    from bridge.calls.call import Call
    from bridge.calls.passage import Passage


class Found(NamedTuple):
    """A member's phone answered and is to be connected."""

    fork: Fork


class Nobody(NamedTuple):
    """Nobody takes the call."""

    status: int
    why: str


Outcome = Found | Nobody

_GAVE_UP_RINGING = frozenset({408, 480})
"""What phones say that have rung for as long as they like to."""


def _ending(why: Withdrawal, ringing: bool) -> Ending:
    """Return what a withdrawal comes to for the member."""
    if why is Withdrawal.TIMER or (why is Withdrawal.GIVE_UP and ringing):
        return Ending.NO_ANSWER if ringing else Ending.UNREACHABLE
    return Ending.UNREACHABLE if why is Withdrawal.SILENT else Ending.WITHDRAWN


class Search:
    """One call's search, from its first group to wherever it overflows.

    Whether a group is open is asked when the call comes to it: one that closes meanwhile lets its callers ring on.
    """

    def __init__(self, call: Call, switch: Switch, called: Called, offers: Offers) -> None:
        self._whose = ref(call)  # which has this: so both go at once, without the garbage collector
        self._switch = switch
        self._hunt: Hunt
        self._members: dict[str, Member] = {}
        self._offers = offers
        self._queue: deque[HuntEvent] = deque()
        self._takers: list[Fork] = []  # that ring beside the hunt, to pick the call up
        self._left = False  # the caller has pressed the exit key
        self.last_status: int | None = None  # what the last phone that refused has said
        self.turn_to(called)

    def turn_to(self, called: Called) -> None:
        """Search there from now on; what still rings elsewhere is left to end, and hung up if it answers too late."""
        self._offers.await_none()
        self._hunt, members = self._switch.offering.hunt_for(self._call, called)
        self._left = False
        self._members = {member.name: member for member in members}
        self._group = called.group
        self._closed = called.group is not None and not self._switch.is_open(called.group)

    @property
    def _call(self) -> Call:
        call = self._whose()
        assert call is not None
        return call

    @property
    def onward(self) -> str | None:
        """Where the call goes if nobody takes it."""
        if self._group is None:
            return None
        if self._left and self._group.queue.exit_to is not None:
            return self._group.queue.exit_to
        return (self._closed and self._group.closed) or self._group.overflow

    @property
    def queue(self) -> Queue | None:
        """How callers wait here, None where they only hear it ring."""
        group = self._group
        return group.queue if group is not None and group.strategy is Strategy.QUEUE else None

    @property
    def place(self) -> tuple[int, float | None] | None:
        """The caller's position in the queue, and how long the wait will probably be; None outside a queue."""
        waiter, floor = self._hunt.waiter, self._switch.agents.floor
        if waiter is None:
            return None
        position = floor.position(waiter)
        there = sum(not self._look(name).absent for name in self._members)
        return position, floor.pace.estimate(waiter.group, position, there)

    @property
    def turn(self) -> tuple[float, int]:
        """Who is told first of a member who is free: who came first."""
        waiter = self._hunt.waiter
        return waiter.turn if waiter is not None else (self._call.chronicle.record.began, 0)

    def barred(self, now: float) -> Nobody | None:
        """Return why the caller is not even let in, None where there is nothing against it."""
        if self._closed:
            return Nobody(480, Availability.GROUP_CLOSED.value)
        end = self._hunt.barred(now, self._look)
        return Nobody(end.status, end.why) if end is not None else None

    def leave(self, why: str, now: float) -> list[Outcome]:
        """End the search here because the caller wants it, and go on where the exit key leads."""
        self._left = True
        return self.step(Enough(why), now)

    @property
    def nobody_in(self) -> bool:
        """Whether the search has ended because nobody was logged in."""
        return self._hunt.result is HuntResult.NOBODY

    @property
    def members(self) -> tuple[Member, ...]:
        """Who may be rung."""
        return tuple(self._members.values())

    def step(self, event: HuntEvent, now: float) -> list[Outcome]:
        """Give the hunt an event and carry out what it commands, one after the other; return what came of it."""
        outcomes: list[Outcome] = []
        self._queue.append(event)
        while self._queue:
            for command in self._hunt.receive(self._queue.popleft(), now, self._look):
                outcome = self._carry_out(command, now)
                if outcome is not None:
                    outcomes.append(outcome)
        if not self.hunting:
            self._stop_takers(now)
        self._switch.arm(self._call, self._hunt.deadline() if self.hunting else None)
        self._switch.agents.settle()
        return outcomes

    @property
    def hunting(self) -> bool:
        """Whether somebody may still take the call."""
        return self._hunt.phase is Phase.HUNTING

    def changed(self, line: str, now: float) -> list[Outcome]:
        """Take note that a line's availability, or a login of who is reached there, may have changed."""
        named = [member.name for member in self._members.values() if member.line == line]
        return [outcome for name in named for outcome in self.step(MemberChanged(name), now)]

    def _look(self, name: str) -> Availability:
        granted = [self._members[each] for each in self._hunt.granted]
        return self._switch.offering.look(self._call, self._members[name], granted)

    # -- what the hunt commands --------------------------------------------------------------------------------

    def _carry_out(self, command: HuntCommand, now: float) -> Outcome | None:
        match command:
            case Offer(member):
                self._offer(self._members[member], now)
            case Withdraw(member, why):
                self._withdraw(member, why, now)
            case Connect(member):
                fork = self._offers.get(member)
                assert fork is not None
                self._offers.tell_ended(fork, Ending.ANSWERED, now)
                return Found(fork)
            case Release(member):
                self._release(member, now)
            case End(status, why):
                return Nobody(status, why)
        return None

    def _offer(self, member: Member, now: float) -> None:
        followed = self._switch.offering.follow_handled(self._call, member.line, now)
        legs = followed.legs if followed is not None else self._switch.offering.ring(self._call, member.line, now)
        if not legs:
            self._queue.append(Refused(member.name, 480))
            return
        fork = Fork(member.name, followed.line if followed is not None else member.line, now)
        fork.legs = legs
        self._offers.add(fork)
        if followed is not None:
            fork.followed = True
            self._call.note(now, member.name, f"diverts to {followed.number}", "its phone says so")
        self._switch.telling.step(self._call, "offered", member.name)

    def _withdraw(self, member: str, why: Withdrawal, now: float) -> None:
        fork = self._offers.get(member)
        if fork is not None:
            ending = _ending(why, fork.ringing or fork.confirming is not None)
            self._offers.tell_ended(fork, ending, now, self._reason(member, why) if ending is Ending.WITHDRAWN else "")
            fork.withdraw(ELSEWHERE if why is Withdrawal.ELSEWHERE else None, now)
            self._offers.quiet(fork)
            if fork.confirming is not None:  # its INVITE has had its final response
                self._offers.forget(fork)
                self._queue.append(Refused(member, 487))

    def _reason(self, member: str, why: Withdrawal) -> str:
        """Return why a member rings no more; the trace knows it better where the member could ring no longer."""
        if why is Withdrawal.UNAVAILABLE:
            return next((d.why for d in reversed(self._hunt.trace) if d.member == member and d.why), why.value)
        return why.value

    def _release(self, member: str, now: float) -> None:
        fork = self._offers.get(member)
        if fork is not None:
            for leg in fork.legs:
                leg.hang_up(None, now)

    # -- who picks up ------------------------------------------------------------------------------------------

    def let_take(self, fork: Fork) -> None:
        """Take phones that ring beside the hunt: whoever answers there has picked the call up."""
        fork.takes = True
        self._takers.append(fork)
        self._offers.add_beside(fork)

    def take(self, fork: Fork, now: float) -> list[Outcome]:
        """Give the call to somebody beside the hunt, whose `answered` leg is there; nothing comes of it too late."""
        if not self.hunting:
            return []
        if fork in self._takers:
            self._takers.remove(fork)
        self._offers.note_ended(fork, Ending.ANSWERED, now, "picked up")
        return [*self.step(Taken(fork.member), now), Found(fork)]

    def decline(self, line: str, now: float) -> list[Outcome]:
        """Take a line's offers as declined."""
        outcomes: list[Outcome] = []
        for fork in [fork for fork in self._offers.at(line) if fork.offered]:
            self._offers.tell_ended(fork, Ending.DECLINED, now, "by command")
            fork.withdraw(None, now)
            self._offers.quiet(fork)
            self._offers.ended(fork)
            self.last_status = 603
            outcomes += self.step(Refused(fork.member, 603), now)
        for fork in [fork for fork in self._takers if fork.line == line]:
            self._takers.remove(fork)
            fork.withdraw(None, now)
            self._offers.quiet(fork)
        return outcomes

    def _stop_takers(self, now: float) -> None:
        takers, self._takers = self._takers, []
        for fork in takers:
            fork.withdraw(ELSEWHERE, now)
            self._offers.quiet(fork)

    # -- what the legs say -------------------------------------------------------------------------------------

    def progress(self, leg: Leg, code: int, now: float) -> list[Outcome]:
        """Take a provisional response."""
        fork = self._offers.of(leg)
        if fork is None or not (fork.takes or self._offers.awaits(fork)):
            return []
        self._offers.rings(fork, code, now)
        if fork.takes:
            return []
        return self.step(Responded(fork.member, code > 100), now)

    def accepted(self, leg: OutgoingLeg, body: Body | None, now: float) -> list[Outcome]:
        """Take a 2xx; one that comes too late for its fork is hung up."""
        fork = self._offers.of(leg)
        assert fork is not None
        if fork.takes and fork.answered is None and fork.offered:
            fork.body = body
            fork.win(leg, now)
            return self.take(fork, now)
        if fork.answered is not None or not self._offers.awaits(fork):
            leg.hang_up(None, now)
            return []
        apart = self._call.passage.apart(leg)
        if apart is not None:
            return self._ask(fork, leg, apart, body, now)
        fork.body = body
        fork.win(leg, now)
        return self.step(Answered(fork.member), now)

    # -- who has to press 1 --------------------------------------------------------------------------------------

    def _ask(self, fork: Fork, leg: OutgoingLeg, apart: Passage, body: Body | None, now: float) -> list[Outcome]:
        """Ask whoever has picked up to press 1; a phone that cannot be spoken to has not answered."""
        if self._hunt.phase is not Phase.HUNTING or not fork.offered:
            leg.hang_up(None, now)
            self._offers.forget(fork)
            return self.step(Refused(fork.member, 487), now)
        fork.confirming = Confirming(self._call, fork, leg, body)
        try:
            fork.confirming.begin(apart, now)
        except SipError as error:
            fork.confirming.hang_up(None, now)
            return self._not_taken(fork, Ending.UNREACHABLE, str(error), now)
        return self.step(PickedUp(fork.member), now)

    def confirmed(self, fork: Fork, now: float) -> list[Outcome]:
        """Take the 1 of somebody who was asked for it."""
        asked = fork.confirming
        if asked is None or not self._offers.awaits(fork):
            return []
        asked.leg.owner = self._call
        fork.confirming = None
        fork.acknowledged = True
        fork.body = asked.body
        fork.win(asked.leg, now)
        return self.step(Answered(fork.member), now)

    def unconfirmed(self, fork: Fork, now: float) -> list[Outcome]:
        """Take note that somebody who was asked to press 1 has hung up."""
        return self._not_taken(fork, Ending.NO_ANSWER, "picked up, and hung up without pressing 1", now)

    def _not_taken(self, fork: Fork, ending: Ending, why: str, now: float) -> list[Outcome]:
        ours = self._offers.awaits(fork)
        if fork.offered:
            self._offers.tell_ended(fork, ending, now, why)
        self._offers.quiet(fork)
        self._offers.forget(fork)
        return self.step(Refused(fork.member, 480, ending), now) if ours else []

    def rejected(self, leg: OutgoingLeg, status: int, now: float) -> tuple[str, int, list[Outcome]] | None:
        """Take a leg's failure; return the member, the fork's status and what came of it once its last leg failed."""
        fork = self._offers.leg_ended(leg)
        fork.redirected = fork.redirected or leg.redirected
        if self._follow(fork, leg, now):
            return None
        verdict = fork.rejected(leg, status)
        if verdict is None or fork.answered is not None:
            return None
        if fork.takes:
            self._offers.quiet(fork)
            self._takers = [each for each in self._takers if each is not fork]
            return fork.member, verdict, []
        if fork.offered:
            gave_up = fork.ringing and verdict in _GAVE_UP_RINGING
            self._offers.tell_ended(fork, Ending.NO_ANSWER if gave_up else outcome_of(verdict), now, f"SIP {verdict}")
        self._offers.quiet(fork)
        if verdict != 487:
            self.last_status = verdict
        outcomes: list[Outcome] = []
        if self._offers.awaits(fork):  # else it is left over from the group before the overflow
            self._offers.ended(fork)
            outcomes = self.step(Refused(fork.member, verdict), now)
        return fork.member, verdict, outcomes

    def _follow(self, fork: Fork, leg: OutgoingLeg, now: float) -> bool:
        """Ring where the last phone of an offer, or one before, sends its calls; False where that is not followed."""
        if not fork.redirected or fork.followed or [each for each in fork.legs if each is not leg]:
            return False
        if not fork.offered or not self._offers.awaits(fork) or not self.hunting:
            return False
        fork.followed = True
        followed = self._switch.offering.follow(self._call, fork.line, fork.redirected, now)
        if followed is None:
            return False
        self._offers.lead_on(fork, followed.line, followed.legs)
        self._call.note(now, fork.member, f"diverts to {followed.number}", "its phone says so")
        return True

    # -- what others see ---------------------------------------------------------------------------------------

    def take_trace(self, began: float) -> list[Step]:
        """Return the hunt's decisions so far and forget them, before another hunt begins or the call ends."""
        steps = self.trace(began)
        self._hunt.trace.clear()
        return steps

    def trace(self, began: float) -> list[Step]:
        """Return the hunt's decisions so far; `began`: when the call did, monotonic."""
        return [Step(round(d.at - began, 3), d.member, d.what, d.why) for d in self._hunt.trace]
