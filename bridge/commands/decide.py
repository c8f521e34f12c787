"""The second stage of the command path: what changes? Nothing is changed here; changes are to be committed.

Three things hold for every login that comes out of here:

- only who is logged in is paused: logging in or out ends a pause, and who is out cannot be paused;
- a static member ("always") is in and has no lease, but can be paused;
- a command is done or refused as a whole; only static members are left out of an "all", with a warning.

Who is already where a command wants them is left alone, and the reply says so. A new lease or reason is a
change: the latest action by hand wins, so `login` without a time ends a lease that was running.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bridge.commands.model import Actor, Command, CommandError, LoginVerb
from bridge.commands.places import ALL, Place, places
from bridge.directory.logins import Login, LoginChange, Logins, Origin
from bridge.directory.model import Directory, Group, LastOut, Member
from bridge.events import login_json

_BY_HAND_AND_NOT_PHONE = frozenset({Origin.BUTTON, Origin.PANEL, Origin.MQTT, Origin.CONTROL})


@dataclass(frozen=True, slots=True)
class Decision:
    """What a command changes, what its reply says, and what people should be warned of (also in `data`)."""

    changes: tuple[LoginChange, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Asked:
    """A command's part that is the same for every place."""

    by: str
    origin: Origin
    wall: float
    until: float | None
    reason: str | None


def decide(
    command: Command, actor: Actor, origin: Origin, directory: Directory, logins: Logins, wall: float
) -> Decision:
    """Return what the command changes in `logins`, which may be a draft. `wall` is UTC seconds.

    Raises CommandError: unknown_group, unknown_member, bad_request, static, not_logged_in, last_one.
    """
    asked = _Asked(actor.name, origin, wall, _lease(command, wall), command.reason)
    chosen: Sequence[Place] = places(directory, command.group, command.member)
    verb = _settled(command.verb, chosen, logins)
    chosen, warnings = _without_static(command, verb, asked, chosen)
    if verb is LoginVerb.PAUSE:
        chosen = _logged_in_of(command, chosen, logins)
    decided = [_change(verb, place, asked, logins) for place in chosen]
    changes = tuple(c for c in decided if c.after != c.before)
    warnings += _last_out(chosen, changes, logins)
    data = {
        "changed": [_entry(c) for c in changes],
        "unchanged": [_entry(c) for c in decided if c.after == c.before],
        "warnings": warnings,
    }
    return Decision(changes, data, tuple(warnings))


def _lease(command: Command, wall: float) -> float | None:
    """Return when the command's lease or pause ends, UTC seconds."""
    if command.for_seconds is not None and command.until is not None:
        raise CommandError("bad_request", "for and until are given; right is one of them")
    if command.for_seconds is not None:
        return wall + command.for_seconds
    if command.until is not None and command.until <= wall:
        raise CommandError("bad_request", "until has passed; right is a time ahead of now")
    return command.until


def _settled(verb: LoginVerb, chosen: Sequence[Place], logins: Logins) -> LoginVerb:
    """Return the verb that a toggle means: out if anybody whom it is about is in, static members aside."""
    if verb is not LoginVerb.TOGGLE:
        return verb
    movable = [(g, m) for g, m in chosen if not m.always] or chosen
    anybody = any(m.always or logins.get(g.name, m.name).logged_in for g, m in movable)
    return LoginVerb.LOGOUT if anybody else LoginVerb.LOGIN


def _without_static(
    command: Command, verb: LoginVerb, asked: _Asked, chosen: Sequence[Place]
) -> tuple[list[Place], list[str]]:
    """Leave static members out of what cannot be done to them; refuse when nobody else is meant."""
    impossible = verb is LoginVerb.LOGOUT or (verb is LoginVerb.LOGIN and asked.until is not None)
    if not impossible:
        return list(chosen), []
    static = [(g, m) for g, m in chosen if m.always]
    rest = [(g, m) for g, m in chosen if not m.always]
    said = [f"{m.name} is always logged in to group {g.name} and stays so" for g, m in static]
    if static and not rest:
        raise CommandError("static", f'{"; ".join(said)} (login = "always"); a pause is possible')
    return rest, said


def _logged_in_of(command: Command, chosen: Sequence[Place], logins: Logins) -> list[Place]:
    inside = [(g, m) for g, m in chosen if logins.get(g.name, m.name).logged_in]
    if chosen and not inside:
        where = "any group" if command.group == ALL else f"group {chosen[0][0].name}"
        who = "nobody is" if command.member == ALL else f"{command.member} is not"
        raise CommandError("not_logged_in", f"{who} logged in to {where}; log in first, then pause")
    return inside


def _change(verb: LoginVerb, place: Place, asked: _Asked, logins: Logins) -> LoginChange:
    group, member = place
    before = logins.get(group.name, member.name)
    if verb is LoginVerb.PAUSE:
        reason = asked.reason if asked.reason is not None else before.pause_reason
        after = replace(before, paused=True, pause_reason=reason, pause_until=asked.until)
    elif verb is LoginVerb.UNPAUSE:
        after = replace(before, paused=False, pause_reason=None, pause_until=None)
    elif member.always:
        after = before if before.logged_in else _moved(True, before, member, asked)
    else:
        after = _moved(verb is LoginVerb.LOGIN, before, member, asked)
    return LoginChange(group.name, member.name, before, after)


def _moved(inward: bool, before: Login, member: Member, asked: _Asked) -> Login:
    """Return a login that is in or out as asked; `before` itself where that changes nothing."""
    permanent = _permanent(inward, before, member, asked.origin)
    if before.logged_in is not inward:
        made = Login(inward, asked.wall, asked.by, asked.origin, asked.reason, asked.until)
        return replace(made, permanent=permanent)
    reason = asked.reason if asked.reason is not None else before.reason
    after = replace(before, reason=reason, until=asked.until, permanent=permanent)
    return before if after == before else replace(after, by=asked.by, origin=asked.origin)


def _permanent(inward: bool, before: Login, member: Member, origin: Origin) -> bool:
    """Return whether a device is treated as a user is.

    It is from a login through another door than its phone on, until it is logged out through such a door.
    """
    if not member.device:
        return False
    return inward if origin in _BY_HAND_AND_NOT_PHONE else before.permanent


def _last_out(chosen: Sequence[Place], changes: Sequence[LoginChange], logins: Logins) -> list[str]:
    """Return warnings for groups left empty; raises CommandError `last_one` where that is refused."""
    after = {(c.group, c.member): c.after for c in changes}
    warnings: list[str] = []
    for group in {g.name: g for g, _ in chosen}.values():
        if group.last_out is LastOut.ALLOW or not _emptied(group, after, logins):
            continue
        if group.last_out is LastOut.REFUSE:
            what = f"nobody would be left in group {group.name}"
            raise CommandError("last_one", f'{what} (last_out = "refuse"); log somebody else in first')
        warnings.append(f"nobody is left in group {group.name}; its callers are turned away or overflow")
    return warnings


def _emptied(group: Group, after: Mapping[tuple[str, str], Login], logins: Logins) -> bool:
    before = [logins.get(group.name, m.name) for m in group.members]
    now = [after.get((group.name, m.name), login) for m, login in zip(group.members, before, strict=True)]
    return any(login.logged_in for login in before) and not any(login.logged_in for login in now)


def _entry(change: LoginChange) -> dict[str, Any]:
    return {"group": change.group, "member": change.member, **login_json(change.after)}
