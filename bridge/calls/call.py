"""One call: the caller's leg, the members' forks and the hunt, tied together.

Leg events go in, become hunt events, and the hunt's commands become words to legs:

| leg event | to the hunt | hunt command | to the legs |
|---|---|---|---|
| Progress | Responded | Offer | INVITE to each contact of the member's line |
| Accepted | Answered | Connect | 200 to the caller, ACK to the member; from then on a `Talk` |
| Rejected | Refused, once the fork's last leg failed | Withdraw | CANCEL |
| Ended (caller) | CallerGone | Release | ACK and BYE |
|  |  | End | overflow, else 486 or 480 to the caller |

The caller hears 180 without SDP as soon as one phone rings, whatever the members send.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from bridge.calls.fork import ELSEWHERE, Fork
from bridge.calls.kept import plain_dialog, plain_parties
from bridge.calls.parties import Called, Caller
from bridge.calls.status import CallStatus, Step, Story
from bridge.calls.talk import Talk
from bridge.directory.model import Group, Member
from bridge.hunting.hunt import Hunt
from bridge.hunting.model import (
    Answered,
    Availability,
    CallerGone,
    Connect,
    End,
    HuntCommand,
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
    Withdrawal,
)
from bridge.sip.incoming import IncomingLeg
from bridge.sip.leg import Leg
from bridge.sip.legevents import Accepted, Acknowledged, Ended, LegEvent, Progress, Rejected, Replied, Requested
from bridge.sip.message import Body
from bridge.sip.outgoing import OutgoingLeg


class Switch(Protocol):
    """What a call asks of the exchange."""

    def look(self, call: Call, member: Member, granted: Sequence[Member]) -> Availability:
        """Tell whether a member can be rung by this call now, `granted` being about to be rung as well."""

    def ring(self, call: Call, line: str, now: float) -> list[OutgoingLeg]:
        """Send the INVITEs to a line's contacts; empty where it has none."""

    def hunt_for(self, called: Called) -> tuple[Hunt, tuple[Member, ...]]:
        """Make the hunt for a group or a single line."""

    def overflow(self, call: Call, number: str) -> Called | None:
        """Find where an overflow leads; None where it leads nowhere or round in a circle."""

    def count(self, line: str | None, *, offers: int = 0, rings: int = 0, calls: int = 0) -> None:
        """Add to a line's use."""

    def arm(self, call: Call, due: float | None) -> None:
        """Set when the call's `tick` is due."""

    def hunting(self, call: Call, members: tuple[Member, ...]) -> None:
        """Note whose changes the call wants to know."""

    def tell(self, call: Call, event_type: str, member: str | None = None, reason: str | None = None) -> None:
        """Tell the doors a step of a group's call."""

    def keep(self, call: Call) -> None:
        """Note that a talk is to be written, so that a restart can take it up."""

    def closed(self, call: Call) -> None:
        """Note that the call is over and its legs are on their way out."""

    def wall(self) -> float:
        """Return UTC, seconds since the epoch."""


class Call:
    """A caller's whole attempt."""

    def __init__(self, ident: str, switch: Switch, leg: Leg, caller: Caller, called: Called, now: float) -> None:
        self.id = ident
        self.leg = leg
        self.caller = caller
        self.called = called
        self.due: float | None = None
        self._incoming = leg if isinstance(leg, IncomingLeg) else None  # a talk that was taken up has no INVITE
        invite = self._incoming.invite if self._incoming else None
        self.offer: Body | None = invite.content if invite else None
        self.talk: Talk | None = None
        self.result: str | None = None
        self.visited: list[Group] = []
        self.watched: tuple[str, ...] = ()  # lines whose changes the hunt wants to know; the exchange's
        self._switch = switch
        self._began = now
        self._since = switch.wall()
        self._steps: list[Step] = []
        self._hunt: Hunt
        self._members: dict[str, Member] = {}
        self._forks: dict[str, Fork] = {}
        self._fork_of: dict[Leg, Fork] = {}
        self._queue: deque[HuntEvent] = deque()
        self._answered_by: str | None = None
        self._answered_at: float | None = None
        self._last_status: int | None = None
        self._stepping = False
        self._granted: list[Member] = []  # whom `look` found available in this step, each perhaps to be rung by it
        leg.owner = self

    @classmethod
    def resumed(
        cls, switch: Switch, kept: Mapping[str, Any], caller: Caller, called: Called, talk: Talk, now: float
    ) -> Call:
        """Take up a talk from before a restart."""
        call = cls(str(kept["call"]), switch, talk.caller, caller, called, now)
        call.talk = talk
        call._since = float(kept["since"])
        call._answered_by = str(kept["answered_by"])
        call._answered_at = float(kept["answered_at"])
        call._hunt, _ = switch.hunt_for(called)
        talk.member.owner = call
        fork = Fork(call._answered_by, str(kept["line"]))
        fork.offered = False
        fork.talking = True
        call._forks[fork.member] = fork
        switch.count(caller.line, calls=1)
        switch.count(fork.line, calls=1)
        call._note(now, None, "taken up again after a restart")
        return call

    def kept(self) -> dict[str, Any] | None:
        """Return a talk as plain values, None where the call is none (any more)."""
        talk = self.talk
        if talk is None or self.result is not None or talk.caller.dialog is None or talk.member.dialog is None:
            return None
        line = next(fork.line for fork in self._forks.values() if fork.talking)
        return {
            "call": self.id,
            "parties": plain_parties(self.caller, self.called),
            "since": self._since,
            "answered_by": self._answered_by,
            "answered_at": self._answered_at,
            "line": line,
            "legs": [plain_dialog(talk.caller.dialog), plain_dialog(talk.member.dialog)],
        }

    @property
    def group(self) -> Group | None:
        """The group that is hunted for, None for a call to a single line."""
        return self.called.group

    # -- hunting -----------------------------------------------------------------------------------------------

    def start(self, now: float) -> None:
        """Begin to hunt."""
        self._switch.count(self.caller.line, calls=1)
        self._turn_to(self.called)
        self._step(Start(), now)

    def _turn_to(self, called: Called) -> None:
        self.called = called
        if called.group:
            self.visited.append(called.group)
        self._hunt, members = self._switch.hunt_for(called)
        self._members = {member.name: member for member in members}
        self._switch.hunting(self, members)

    def member_changed(self, line: str, now: float) -> None:
        """Take note that a line's availability, or a login of who is reached there, may have changed."""
        for member in self._members.values():
            if member.line == line:
                self._step(MemberChanged(member.name), now)

    def tick(self, now: float) -> None:
        """Let the hunt's deadline come."""
        self._step(Tick(), now)

    def _step(self, event: HuntEvent, now: float) -> None:
        """Give the hunt an event and carry out what it commands, one after the other, never nested."""
        self._queue.append(event)
        if self._stepping:
            return
        self._stepping = True
        try:
            while self._queue:
                self._granted.clear()
                for command in self._hunt.receive(self._queue.popleft(), now, self._look):
                    self._carry_out(command, now)
        finally:
            self._stepping = False
        self._switch.arm(self, self._hunt.deadline() if self._hunt.phase is Phase.HUNTING else None)

    def _look(self, name: str) -> Availability:
        member = self._members[name]
        seen = self._switch.look(self, member, self._granted)
        if seen is Availability.AVAILABLE:
            self._granted.append(member)
        return seen

    def _carry_out(self, command: HuntCommand, now: float) -> None:
        match command:
            case Offer(member):
                self._offer(self._members[member], now)
            case Withdraw(member, why):
                self._withdraw(member, why, now)
            case Connect(member):
                self._connect(self._forks[member], now)
            case Release(member):
                self._release(member, now)
            case End(status, why):
                self._end(status, why, now)

    def _offer(self, member: Member, now: float) -> None:
        legs = self._switch.ring(self, member.line, now)
        if not legs:
            self._queue.append(Refused(member.name, 480))
            return
        fork = Fork(member.name, member.line)
        fork.legs = legs
        self._forks[member.name] = fork
        for leg in legs:
            leg.owner = self
            self._fork_of[leg] = fork
        self._switch.count(member.line, offers=1)
        self._switch.tell(self, "offered", member.name)

    def _withdraw(self, member: str, why: Withdrawal, now: float) -> None:
        fork = self._forks.get(member)
        if fork is not None:
            fork.withdraw(ELSEWHERE if why is Withdrawal.ELSEWHERE else None, now)
            self._quiet(fork)

    def _release(self, member: str, now: float) -> None:
        fork = self._forks.get(member)
        if fork is not None:
            for leg in fork.legs:
                leg.hang_up(None, now)

    def _quiet(self, fork: Fork) -> None:
        """Take a fork that rings no more out of its line's counts; once."""
        if fork.offered:
            fork.offered = False
            self._switch.count(fork.line, offers=-1, rings=-1 if fork.ringing else 0)
            fork.ringing = False

    def _connect(self, fork: Fork, now: float) -> None:
        member = fork.answered
        assert member is not None
        fork.talking = True
        self._switch.count(fork.line, calls=1)
        self._quiet(fork)
        self._answered_by = fork.member
        self._answered_at = self._switch.wall()
        assert self._incoming is not None
        self.talk = Talk(self._incoming, member)
        self.talk.connect(self._incoming, self.offer is not None, fork.body, now)
        fork.body = None
        self._switch.keep(self)
        self._switch.tell(self, "answered", fork.member)
        self._note(now, fork.member, "connected")

    def _end(self, status: int, why: str, now: float) -> None:
        group = self.called.group
        if group is not None and group.overflow:
            onward = self._switch.overflow(self, group.overflow)
            if onward is not None:
                self._switch.tell(self, "overflowed", reason=why)
                self._keep_trace()
                self._note(now, None, f"overflowed to {group.overflow}", why)
                self._turn_to(onward)
                self._queue.append(Start())
                return
            self._note(now, None, f"overflow {group.overflow} leads nowhere", "no such number, or round in a circle")
        if group is None and self._last_status is not None:
            status = self._last_status
        self._reject(status, now)
        self._switch.tell(self, "missed", reason=why)
        self._close(f"nobody took it: {why}", now)

    # -- what the legs say ------------------------------------------------------------------------------------

    def handle(self, event: LegEvent, now: float) -> None:
        """Take an event of one of the call's legs."""
        match event:
            case Progress(leg, code, _):
                self._on_progress(leg, code, now)
            case Accepted(leg, body):
                self._on_accepted(leg, body, now)
            case Rejected(leg, status, phrase):
                self._on_rejected(leg, status, phrase, now)
            case Ended():
                self._on_ended(event, now)
            case Requested():
                self._on_requested(event, now)
            case Replied() if self.talk:
                self.talk.on_replied(event, now)
            case Acknowledged() if self.talk:
                self.talk.on_acknowledged(event, now)

    def _on_progress(self, leg: Leg, code: int, now: float) -> None:
        fork = self._fork_of.get(leg)
        if fork is None or self._forks.get(fork.member) is not fork:
            return
        ringing = code > 100
        if ringing and fork.offered and not fork.ringing:
            fork.ringing = True
            self._switch.count(fork.line, rings=1)
            if self._incoming is not None and not self._incoming.ringing:
                self._incoming.ring(now)
        self._step(Responded(fork.member, ringing), now)

    def _on_accepted(self, leg: Leg, body: Body | None, now: float) -> None:
        assert isinstance(leg, OutgoingLeg)
        fork = self._fork_of[leg]
        if fork.answered is not None or self._forks.get(fork.member) is not fork:
            leg.hang_up(None, now)
            return
        fork.body = body
        fork.win(leg, now)
        self._step(Answered(fork.member), now)

    def _on_rejected(self, leg: Leg, status: int, phrase: str, now: float) -> None:
        assert isinstance(leg, OutgoingLeg)
        fork = self._fork_of.pop(leg)
        verdict = fork.rejected(leg, status)
        if verdict is None or fork.answered is not None:
            return
        self._quiet(fork)
        if verdict != 487:
            self._last_status = verdict
            self._note(now, fork.member, f"said {verdict} {phrase}")
        if self._forks.get(fork.member) is fork:  # else it is left over from the group before the overflow
            del self._forks[fork.member]
            self._step(Refused(fork.member, verdict), now)

    def _on_requested(self, event: Requested, now: float) -> None:
        if self.talk is not None and event.leg in (self.talk.caller, self.talk.member):
            self._switch.keep(self)
            self.talk.on_requested(event, now)
        else:
            event.leg.respond(event.transaction, event.request, 491, None, now)

    def _on_ended(self, event: Ended, now: float) -> None:
        talk = self.talk
        if talk is not None and event.leg in (talk.caller, talk.member):
            who = "caller" if event.leg is talk.caller else self._answered_by
            talk.other(event.leg).hang_up(event.reason, now)
            self._note(now, None, f"{who} {event.why}")
            self._finish_talk(now)
        elif event.leg is self.leg:
            self._note(now, None, f"caller {event.why}")
            self._step(CallerGone(), now)
            self._switch.tell(self, "abandoned")
            self._close("the caller gave up", now)

    # -- the end ----------------------------------------------------------------------------------------------

    def _finish_talk(self, now: float) -> None:
        for fork in self._forks.values():
            if fork.talking:
                fork.talking = False
                self._switch.count(fork.line, calls=-1)
        self._switch.tell(self, "ended", self._answered_by)
        self._close(f"answered by {self._answered_by}", now)

    def hang_up(self, now: float) -> None:
        """End the call from our side, whatever it is doing."""
        if self.result is not None:
            return
        if self.talk is not None:
            self.talk.member.hang_up(None, now)
            self.talk.caller.hang_up(None, now)
            self._finish_talk(now)
        else:
            self._step(CallerGone(), now)
            self._reject(480, now)
            self._close("ended by the bridge", now)

    def _reject(self, status: int, now: float) -> None:
        if self._incoming is not None:
            self._incoming.reject(status, now)

    def _close(self, result: str, now: float) -> None:
        if self.result is None:
            self.result = result
            self._keep_trace()
            self._note(now, None, "over", result)
            self._switch.arm(self, None)
            self._switch.count(self.caller.line, calls=-1)
            self._switch.hunting(self, ())
            self._switch.closed(self)

    # -- what others see ----------------------------------------------------------------------------------------

    def _note(self, now: float, member: str | None, what: str, why: str = "") -> None:
        self._steps.append(Step(round(now - self._began, 3), member, what, why))

    def _keep_trace(self) -> None:
        """Take over the hunt's decisions before another hunt begins or the call ends."""
        self._steps.extend(self._traced())
        self._hunt.trace.clear()

    def _traced(self) -> list[Step]:
        return [Step(round(d.at - self._began, 3), d.member, d.what, d.why) for d in self._hunt.trace]

    def offers_to(self, member: str) -> int:
        """Return 1 where this call itself is being offered to the member, else 0."""
        fork = self._forks.get(member)
        return 1 if fork is not None and fork.offered else 0

    def offered_lines(self) -> set[str]:
        """Return the lines that this call is being offered to."""
        return {fork.line for fork in self._forks.values() if fork.offered}

    def ringing_members(self) -> tuple[str, ...]:
        """Return the members whose phones ring for this call."""
        return tuple(fork.member for fork in self._forks.values() if fork.ringing)

    def status(self) -> CallStatus:
        """Return what others may see of the call."""
        state = "connected" if self.talk else "hunting"
        return CallStatus(
            call=self.id,
            state="ended" if self.result is not None else state,
            caller=self.caller.number,
            caller_name=self.caller.name,
            called=self.called.number,
            group=self.called.group.name if self.called.group else None,
            since=self._since,
            ringing=self.ringing_members(),
            answered_by=self._answered_by,
            answered_at=self._answered_at,
        )

    def story(self) -> Story:
        """Return every step so far, in order."""
        steps = sorted([*self._steps, *self._traced()], key=lambda step: step.at)
        return Story(self.status(), tuple(steps), self.result)
