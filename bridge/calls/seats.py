"""The seats of a call: the legs that talk, or want to, who is on each, and the lines of ours that they keep busy.

Somebody else may come to sit there: by a transfer, with an INVITE with Replaces, or in a queue's place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import ref

from bridge.calls.parties import Caller
from bridge.calls.passage import Passage
from bridge.calls.queue.waiting import Waiting
from bridge.calls.switch import Asking, Switch
from bridge.calls.talk import Talk
from bridge.sip.incoming import IncomingLeg
from bridge.sip.leg import Leg

if TYPE_CHECKING:
    from bridge.calls.call import Call


class Seats:
    """One call's. Every leg counts on its line from `take` to `leave`."""

    def __init__(self, call: Call, switch: Switch) -> None:
        self._whose = ref(call)  # which has this: so both go at once, without the garbage collector
        self._switch = switch
        self.agent: str | None = None
        """The member of a group who talks."""
        self._lines: dict[Leg, str | None] = {}

    @property
    def _call(self) -> Call:
        call = self._whose()
        assert call is not None
        return call

    @property
    def lines(self) -> set[str]:
        """The lines that are kept busy."""
        return {line for line in self._lines.values() if line is not None}

    def line_of(self, leg: Leg) -> str | None:
        """Return the line that a leg keeps busy."""
        return self._lines.get(leg)

    def take(self, leg: Leg, line: str | None) -> None:
        """Count a leg as one on its line."""
        self._lines[leg] = line
        self._switch.count(line, calls=1)

    def leave(self, leg: Leg) -> str | None:
        """Take a leg out of its line's count; return the line."""
        line = self._lines.pop(leg, None)
        self._switch.count(line, calls=-1)
        return line

    def leave_all(self) -> None:
        """Take every leg out."""
        for leg in tuple(self._lines):
            self.leave(leg)

    def recount(self) -> None:
        """Count all anew, where nothing is counted yet."""
        for line in self._lines.values():
            self._switch.count(line, calls=1)

    # -- who is who -----------------------------------------------------------------------------------------------

    def legs_of(self, line: str) -> list[Leg]:
        """Return the legs of this call's talk that are a line's."""
        talk = self._call.talk
        return [leg for leg in (talk.caller, talk.member) if self._lines.get(leg) == line] if talk is not None else []

    def calling(self, line: str) -> list[Leg]:
        """Return the leg of a line that has made this call, while somebody is still searched for, or it waits."""
        call = self._call
        rings = call.searching and isinstance(call.asked_by, IncomingLeg | Waiting)
        own = rings and call.caller.line == line == self.line_of(call.leg)
        return [call.leg] if own else []

    def is_member(self, leg: Leg) -> bool:
        """Whether a leg is the called side of this talk."""
        talk = self._call.talk
        return talk is not None and leg is talk.member

    def party_of(self, leg: Leg) -> Caller:
        """Return who is on a leg of this talk, as a caller."""
        call = self._call
        return call.caller if leg is call.leg else self._switch.party(self.line_of(leg), str(call.answered_by))

    def name_of(self, leg: Leg) -> str:
        """Return who is on a leg of this call's talk, for its story."""
        call = self._call
        return "caller" if call.talk is not None and leg is call.talk.caller else str(call.answered_by)

    # -- somebody else comes in -----------------------------------------------------------------------------------

    def seat(self, caller: Caller, asked_by: Asking | None = None) -> None:
        """Take note who calls from now on; `asked_by`: who waits for the answer, where that changes too."""
        call = self._call
        for trunk, more in ((call.caller.trunk, -1), (caller.trunk, 1)):
            if trunk is not None:
                self._switch.carry(trunk, more)
        call.caller, call.asked_by = caller, asked_by or call.asked_by

    def agent_leaves(self, now: float) -> None:
        """Let the member who has taken a group's call be through with it."""
        call = self._call
        agent, self.agent = self.agent, None
        if call.talk is not None and call.group is not None and agent is not None:
            self._switch.agents.talk_over(call.group, agent, call.chronicle.record.talked(now), now)

    def exchange_side(self, leaving: Leg, arriving: Leg, who: Caller, name: str, passage: Passage, now: float) -> None:
        """Put another leg in one's place, and hang the one up; media go the new way.

        `name`: of who talks there now, where nobody is known by a line.
        """
        call = self._call
        assert call.talk is not None
        call.errands.end_hold()
        if leaving is call.talk.member:
            self.agent_leaves(now)
            call.chronicle.answered_by = name
        else:
            self.seat(who)
        self.leave(leaving)
        call.chronicle.dialogs.append(arriving.call_id)
        call.passage.close()
        call.passage = passage
        if leaving is call.talk.caller:
            call.leg = arriving
            call.talk = Talk(arriving, call.talk.member, passage)
        else:
            call.talk = Talk(call.talk.caller, arriving, passage)
        leaving.hang_up(None, now)
        call.note(now, None, "one side was transferred")

    def replace_side(self, leaving: Leg, arriving: Leg, line: str, who: str, passage: Passage, now: float) -> None:
        """Put a phone of a line in a leg's place."""
        self.exchange_side(leaving, arriving, self._switch.party(line, who), who, passage, now)
        self.take(arriving, line)
        self._call.note(now, who, "took over", "INVITE with Replaces")

    def exchange_waiting(self, arriving: Leg, who: Caller, line: str | None) -> None:
        """Take note that somebody else waits in the caller's place; `line`: the one that this keeps busy."""
        call = self._call
        self.leave(call.leg)
        call.leg = arriving
        call.chronicle.dialogs.append(arriving.call_id)
        self.take(arriving, line)
        self.seat(who)
        call.offer = call.asked_by.offer if call.asked_by is not None else None
