"""Commands about lines and their calls: who may, and what is to be done.

| verb | on | who may | what happens in the exchange |
|---|---|---|---|
| dial | a line | who controls it | its phone rings (answers by itself where it can); answered, the number is called |
| pickup | a line | who controls it, and may pick up there | the ringing call goes to the line's phone |
| hangup | a line's call | who controls it | the call ends; one that only rings there is declined |
| hold | a line's talk | who controls it | both phones are re-INVITEd; the other side hears music |
| resume | a held talk | who controls it | the line's phone makes an offer, which goes to the other side |
| transfer | a line's talk | who controls it | the other side is connected to the number, or to the line's other talk |
| divert | a line | who controls it, the level personal | kept; direct calls go there: always, when busy, unanswered |
| dnd | a line | who controls it, the level personal | kept; hunts leave the line out, direct calls are told 486 |

*Controlling* a line is for the user whose `line` or `second_line` it is or who has it among the `additional_lines`,
and for a device whose line it is; no level gives it. *Picking up* asks for the level over the member at whom the call
rings: team for the member's own line, personal for the second; a call that rings at oneself is one's own. A device has
no level and gives none; but who belongs to a group as a device, and is logged in, takes calls of that group, which
could ring there as well. The owner may do all of it, and names the line.

Nothing of this needs the right to dial outside; that is asked where the number is called (`calls.onward.outside`), of
the line in whose name it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from bridge.calls.ordered.orders import Order
from bridge.calls.status import CallStatus
from bridge.commands.decide import Decision
from bridge.commands.model import Actor, CommandError, Kind, LineCommand, LineVerb
from bridge.commands.places import find_group
from bridge.commands.rights import Right, may, may_at, require_at
from bridge.directory.handling import Handling, HandlingChange, Handlings, When
from bridge.directory.instant import Instant
from bridge.directory.logins import Logins, Origin
from bridge.directory.model import Directory, Group, Line
from bridge.events import iso

_WHOSE = "whose line is not said; name it by line or member (at the command line: --line or --member)"
_SETTINGS = (LineVerb.DIVERT, LineVerb.DND)


# -- whose line, and may the actor? ----------------------------------------------------------------------------------


def line_of(command: LineCommand, actor: Actor, directory: Directory) -> Line:
    """Return the line that a command is about: as named, else the member's, else the actor's own.

    Raises CommandError unknown_line, unknown_member, bad_request.
    """
    if command.line is not None:
        return find_line(directory, command.line)
    name = command.member or actor.name
    if name in directory.users:
        return directory.lines[directory.users[name].line]
    if name in directory.lines and (command.member is not None or actor.kind is Kind.DEVICE):
        return directory.lines[name]
    if command.member is not None:
        raise CommandError("unknown_member", f"there is no user or device {name!r}; right is one of the configuration")
    raise CommandError("bad_request", _WHOSE)


def _to_anybody(command: LineCommand, actor: Actor) -> bool:
    """Whether the owner picks up a group's call and does not say to whose phone, as a dashboard's button does."""
    unsaid = command.line is None and command.member is None
    return command.verb is LineVerb.PICKUP and actor.is_owner and unsaid


def _first_in(command: LineCommand, directory: Directory, seen: Seen) -> Line:
    """Return the line of a group's first member who is logged in and not paused."""
    group, _ = _rings_at(command, directory)
    if group is None:
        raise CommandError("bad_request", _WHOSE)
    for member in group.members:
        login = seen.logins.get(group.name, member.name)
        if (member.always or login.logged_in) and not login.paused:
            return directory.lines[member.line]
    raise CommandError("unavailable", f"nobody is logged in to group {group.name}; say line or member")


def find_line(directory: Directory, key: str) -> Line:
    """Return the line with this name or number; raises CommandError `unknown_line`."""
    line = directory.lines.get(key) or directory.line_by_number.get(key)
    if line is None:
        names = ", ".join(f"{x.name} ({x.number})" for x in list(directory.lines.values())[:20])
        raise CommandError("unknown_line", f"there is no line {key!r}; lines are: {names or 'none'}")
    return line


def authorise_line(command: LineCommand, actor: Actor, directory: Directory) -> None:
    """Return where the actor may, as far as that does not turn on the calls that are up.

    Raises CommandError not_allowed, unknown_line, unknown_member, unknown_group, bad_request.
    """
    if _to_anybody(command, actor):
        return
    line = line_of(command, actor, directory).name
    if may_at(actor, Right.CONTROL, line, directory):
        return
    if command.verb in _SETTINGS and any(
        may(actor, Right.DIVERT, who, directory) for who in _users_of(line, directory)
    ):
        return
    require_at(actor, Right.CONTROL, line, directory)


def _users_of(line: str, directory: Directory) -> list[Actor]:
    """Return the users whose own line it is."""
    return [Actor(Kind.USER, user.name) for user in directory.users.values() if user.line == line]


# -- what is to be done ----------------------------------------------------------------------------------------------


def decide_line(
    command: LineCommand,
    actor: Actor,
    origin: Origin,
    directory: Directory,
    handlings: Handlings,
    now: Instant,
    seen: Seen,
) -> Decision:
    """Return what a command that is authorised changes, or orders. Raises CommandError."""
    line = _first_in(command, directory, seen) if _to_anybody(command, actor) else line_of(command, actor, directory)
    if command.verb in _SETTINGS:
        return _settings(command, actor, origin, line, directory, handlings, now)
    order = Order(
        command.verb, line.name, member_at(line.name, directory, command.member or actor.name), actor.name, origin
    )
    if command.verb is LineVerb.PICKUP:
        return Decision(order=replace(order, call=pick(command, actor, line, directory, seen).call))
    return Decision(order=replace(order, number=command.number, call=command.call))


def member_at(line: str, directory: Directory, wanted: str | None = None) -> str:
    """Return who is at a line: the user whose line it is, `wanted` before others, else the line itself."""
    users = [user.name for user in directory.users.values() if line in (user.line, user.second_line)]
    return wanted if wanted in users else users[0] if users else line


def _settings(
    command: LineCommand,
    actor: Actor,
    origin: Origin,
    line: Line,
    directory: Directory,
    handlings: Handlings,
    now: Instant,
) -> Decision:
    before = handlings.get(line.name)
    if command.verb is LineVerb.DND:
        after = replace(before, dnd=not before.dnd if command.on is None else command.on)
    else:
        after = _diverted(command, line, before, directory)
    if after != before:
        after = replace(after, since=now.stamp, by=actor.name, origin=origin)
    changes = (HandlingChange(line.name, before, after),) if after != before else ()
    return Decision(changes, {"line": line.name, **handling_json(after), "changed": bool(changes)})


def _diverted(command: LineCommand, line: Line, before: Handling, directory: Directory) -> Handling:
    when = command.when or When.ALWAYS
    number = command.number or None
    if number is not None:
        _ensure_leads_somewhere(number, line, directory)
    after = before.after if command.after is None else command.after
    if when is When.ALWAYS:
        return replace(before, always=number)
    if when is When.BUSY:
        return replace(before, busy=number)
    return replace(before, no_answer=number, after=after)


def _ensure_leads_somewhere(number: str, line: Line, directory: Directory) -> None:
    """Raise CommandError where no call of the line could ever be diverted to a number."""
    if number == line.number:
        raise CommandError("bad_request", f"{number} is the line's own number; right is another one, or none")
    if number in directory.group_by_number or number in directory.line_by_number:
        return
    if not line.dial_out:
        nobody = f"{number} is nobody's number here, and line {line.name} has no dial_out to call it outside"
        raise CommandError("unknown_line", nobody)
    why = directory.outside.why_not(number, line.dial_out_allow)
    if why:
        raise CommandError("not_allowed", f"line {line.name} may not call {number}: {why}")


def handling_json(handling: Handling) -> dict[str, Any]:
    """Return what doors show of a line's settings."""
    return {
        "dnd": handling.dnd,
        "divert": {
            "always": handling.always,
            "busy": handling.busy,
            "no-answer": handling.no_answer,
            "after": handling.after,
        },
        "handling_since": iso(handling.since) if handling.since else None,
        "handling_by": handling.by,
    }


# -- picking up ------------------------------------------------------------------------------------------------------


class Seen:
    """What a decision looks at: the calls that are up, and the confirmed logins."""

    def __init__(self, calls: Callable[[], Sequence[CallStatus]], logins: Logins) -> None:
        self.calls = calls
        self.logins = logins


def pick(command: LineCommand, actor: Actor, line: Line, directory: Directory, seen: Seen) -> CallStatus:
    """Return the call that is to be picked up for a line: of those that ring there, the first that the actor may take.

    Raises CommandError no_call, not_allowed, unknown_group, unknown_line.
    """
    group, target = _rings_at(command, directory)
    where = f"group {group.name}" if group else f"line {target.name}" if target else "there"
    ringing = [
        call
        for call in seen.calls()
        if call.state in ("hunting", "waiting")
        and command.call in (None, call.call)
        and (call.group == group.name if group else target is not None and target.name in call.rung)
    ]
    if not ringing:
        raise CommandError("no_call", f"no call rings at {where}")
    for call in ringing:
        if _may_take(call, actor, line, directory, seen.logins):
            return call
    _refuse(ringing[0], actor, directory)
    raise CommandError("not_allowed", f"{actor.name} may not pick up at {where}")


def _rings_at(command: LineCommand, directory: Directory) -> tuple[Group | None, Line | None]:
    key = command.group or command.number or ""
    if command.group is not None:
        return find_group(directory, key), None
    group = directory.group_by_number.get(key) or (None if key in directory.lines else directory.groups.get(key))
    return (group, None) if group is not None else (None, find_line(directory, key))


def _may_take(call: CallStatus, actor: Actor, line: Line, directory: Directory, logins: Logins) -> bool:
    group = directory.groups.get(call.group or "")
    if actor.is_owner or line.name in call.rung:
        return True
    own = group.member(actor.name) if group else None
    if group and own and actor.kind is Kind.DEVICE and own.device:
        return own.always or logins.get(group.name, own.name).logged_in
    return any(may_at(actor, Right.PICKUP, name, directory) for name in _wherever(call, directory))


def _refuse(call: CallStatus, actor: Actor, directory: Directory) -> None:
    """Raise CommandError `not_allowed` for the first line at which a call rings."""
    for name in _wherever(call, directory):
        require_at(actor, Right.PICKUP, name, directory)


def _wherever(call: CallStatus, directory: Directory) -> list[str]:
    """Return the lines at which a call rings; of one that waits, those at which it may ring."""
    group = directory.groups.get(call.group or "")
    return list(call.rung) or [m.line for m in (group.members if group else ())]
