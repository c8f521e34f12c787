"""What one viewer sees: the one redaction that every view, event, monitor and journal passes on its way to a user.

It hides by leaving out (a member, a line, a call, an event) or, where the thing itself may be seen and its numbers may
not, by null: an anonymous caller is "", one who is not shown is null.

The numbers and names of a call are shown to whom a line on it, or one that it rings at, is their own; to whom may see
the calls at such a line; and, of a group's call, to who sees that group's journal. Where a private line is on the call
they are its own user's alone. Events that are not named here are the owner's alone, so that what comes to be said later
is not shown to users by mistake.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from bridge.calls.status import CallStatus, Part
from bridge.commands.model import Actor, Kind
from bridge.commands.rights import Right, at_least, is_own, leads, may, may_at, people_at, sees_journal, whose
from bridge.directory.model import Directory, Group, Level, Line, Member
from bridge.events import (
    CallerWaits,
    CallOver,
    CommandRefused,
    Event,
    GroupCall,
    HandlingChanged,
    LineChanged,
    LineOrdered,
    LineRings,
    LoginChanged,
    MemberDropped,
    OfferEnded,
    OpeningChanged,
    OutsideCalled,
    OutsideRefused,
    WrapUp,
    iso,
    part_json,
)

_ON_THE_LINE = frozenset({"answered", "ended"})
"""The steps of a group's call that are about a member who talks; about others, the member's phone rings, or has."""


class Eyes:
    """The eyes of one viewer in one directory; what was found out about a line or somebody is remembered."""

    def __init__(self, viewer: Actor, directory: Directory) -> None:
        self.viewer = viewer
        self.directory = directory
        self.all = viewer.is_owner
        self._everybody = viewer.kind is Kind.USER and at_least(directory.site_level, Level.PUBLIC)
        self._lines: dict[tuple[Right, str], bool] = {}
        self._members: dict[Actor, bool] = {}

    # -- who and what is seen at all ------------------------------------------------------------------------------

    def sees_group(self, group: Group) -> bool:
        """Whether the group is seen: by its members and leaders, and by all users where everybody sees everybody."""
        if self.all or self._everybody:
            return True
        member = group.member(self.viewer.name)
        is_leader = self.viewer.kind is Kind.USER and self.viewer.name in group.leaders
        return is_leader or (member is not None and is_own(self.viewer, member))

    def sees_member(self, member: Member) -> bool:
        """Whether the login and the line's state of a member are seen."""
        return self.sees(whose(member))

    def sees(self, who: Actor) -> bool:
        """Whether the logins and the line's state of a user or device are seen."""
        if who not in self._members:
            self._members[who] = may(self.viewer, Right.SEE_STATE, who, self.directory)
        return self._members[who]

    def sees_line(self, line: str) -> bool:
        """Whether the state of a line is seen."""
        return self._may_at(Right.SEE_STATE, line)

    def is_own(self, line: str | None) -> bool:
        """Whether it is the viewer's own line, first or second, or the device that the viewer is."""
        return line is not None and self.viewer in people_at(line, self.directory)

    def sees_journal(self, group: str | None) -> bool:
        """Whether the group's journal is seen."""
        found = self.directory.groups.get(group) if group else None
        return self.all or (found is not None and sees_journal(self.viewer, found))

    def sees_numbers(
        self, on: Collection[str | None], rung: Iterable[str] = (), groups: Iterable[str | None] = ()
    ) -> bool:
        """Whether the numbers and names of a call are seen.

        `on`: the lines that are on it, the caller's and the one that took it; `rung`: those that it rings at, or has;
        `groups`: those that it came to.
        """
        if self.all:
            return True
        rung, at = tuple(rung), [line for line in on if line is not None]
        if any(map(self.is_own, (*at, *rung))):
            return True
        if any(map(self._is_private, at)):
            return False
        return any(self._may_at(Right.SEE_CALLS, line) for line in (*at, *rung)) or any(map(self.sees_journal, groups))

    def sees_numbers_at(self, line: str) -> bool:
        """Whether the numbers of calls at a line are seen, its diversion among them."""
        return self._may_at(Right.SEE_CALLS, line)

    def sees_number_of(self, line: Line) -> bool:
        """Whether a line's own number is seen; one that is private shows none."""
        return self.all or not line.private or self.is_own(line.name)

    # -- calls ----------------------------------------------------------------------------------------------------

    def call(self, call: CallStatus) -> dict[str, Any] | None:
        """Return a call as JSON, None where nothing of it is seen."""
        ringing = [name for name in call.ringing if self._sees_named(call.group, name)]
        taken = call.answered_by if self._sees_named(call.group, call.answered_by) else None
        group = self.directory.groups.get(call.group or "")
        numbers = self.sees_numbers(call.lines, call.rung, (call.group,))
        if not (numbers or ringing or taken or any(map(self.sees_line, call.lines)) or (group and self._is_of(group))):
            return None
        return {
            "call": call.call,
            "state": call.state,
            "caller": call.caller if numbers else None,
            "caller_name": call.caller_name if numbers else None,
            "called": call.called if numbers or call.group else None,
            "group": call.group,
            "since": iso(call.since),
            "ringing": ringing,
            "answered_by": taken,
            "answered_at": iso(call.answered_at),
            "held": call.held,
        }

    # -- events ---------------------------------------------------------------------------------------------------

    def event(self, event: Event) -> dict[str, Any] | None:
        """Return an event as JSON, None where it is not for this viewer."""
        if self.all:
            return event.to_json()
        match event:
            case LoginChanged(group=group, member=name) | WrapUp(group=group, member=name):
                return event.to_json() if self._sees_place(group, name) else None
            case OpeningChanged(group=name) | MemberDropped(group=name):
                group_ = self.directory.groups.get(name)
                return event.to_json() if group_ and self.sees_group(group_) else None
            case LineChanged(line=line):
                return event.to_json() if self.sees_line(line) else None
            case HandlingChanged(line=line) | LineOrdered(line=line):
                return event.to_json() if self.sees_numbers_at(line) else None
            case OutsideCalled(line=line) | OutsideRefused(line=line):
                return event.to_json() if self.sees_numbers_at(line) else None
            case LineRings(line=line):
                hidden = {} if self.sees_numbers((), (line,), ()) else {"caller": None, "caller_name": None}
                return {**event.to_json(), **hidden} if self.sees_line(line) else None
            case CommandRefused(by=by):
                return event.to_json() if by == self.viewer.name else None
            case OfferEnded(group=group, member=name):
                return event.to_json() if self._sees_part(group, name) else None
            case GroupCall():
                return self._group_call(event)
            case CallerWaits():
                return self._caller_waits(event)
            case CallOver():
                return self._call_over(event)
        return None

    def _group_call(self, event: GroupCall) -> dict[str, Any] | None:
        group = self.directory.groups.get(event.group)
        if group is None or not self.sees_group(group):
            return None
        line = self._line_of(event.group, event.member)
        on = event.event_type in _ON_THE_LINE
        numbers = self.sees_numbers((line,) if on else (), () if on or line is None else (line,), (event.group,))
        caller = {} if numbers else {"caller": None, "caller_name": None}
        member = {} if event.member and self._sees_place(event.group, event.member) else {"member": None}
        return {**event.to_json(), **caller, **member}

    def _caller_waits(self, event: CallerWaits) -> dict[str, Any] | None:
        group = self.directory.groups.get(event.group)
        if group is None or not self.sees_group(group):
            return None
        numbers = self.sees_numbers((), (), (event.group,))
        return {**event.to_json(), **({} if numbers else {"caller": None, "caller_name": None})}

    def _call_over(self, event: CallOver) -> dict[str, Any] | None:
        rung = [part.line for part in event.parts if part.line is not None]
        numbers = self.sees_numbers((event.caller_line, event.line), rung, event.groups)
        if not (numbers or any(map(self.sees_journal, event.groups))):
            return None
        parts = [part_json(part) for part in event.parts if self.sees_part(part)]
        hidden = {} if numbers else dict.fromkeys(("caller", "caller_name", "called", "why"))
        return {**event.to_json(), **hidden, "members": parts}

    def sees_part(self, part: Part) -> bool:
        """Whether it is seen what became of a call at one member."""
        return self._sees_part(part.group, part.member)

    def _sees_part(self, group: str | None, name: str) -> bool:
        line = self._line_of(group, name)
        return self.sees_journal(group) or (line is not None and self.sees_numbers_at(line))

    def _sees_named(self, group: str | None, name: str | None) -> bool:
        """Whether it is seen what somebody in a call is doing."""
        line = self._line_of(group, name)
        return self.all or (line is not None and self.sees_line(line))

    def _sees_place(self, group: str, name: str) -> bool:
        found = self.directory.groups.get(group)
        member = found.member(name) if found else None
        return member is not None and self.sees_member(member)

    # -- finding out ----------------------------------------------------------------------------------------------

    def _line_of(self, group: str | None, name: str | None) -> str | None:
        """Return the line of a member; a call to a line alone has that for a member."""
        found = self.directory.groups.get(group) if group else None
        member = found.member(name) if found and name else None
        if member is not None:
            return member.line
        return name if name in self.directory.lines else None

    def _is_of(self, group: Group) -> bool:
        member = group.member(self.viewer.name)
        return leads(self.viewer, group) or (member is not None and is_own(self.viewer, member))

    def _is_private(self, line: str) -> bool:
        found = self.directory.lines.get(line)
        return found is not None and found.private

    def _may_at(self, right: Right, line: str) -> bool:
        key = right, line
        if key not in self._lines:
            self._lines[key] = may_at(self.viewer, right, line, self.directory)
        return self._lines[key]
