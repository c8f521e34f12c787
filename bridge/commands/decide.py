"""The second stage of the command path: what changes? Nothing is changed here; changes are to be committed.

Four things hold for every login that comes out of here:

- only who is logged in is paused: logging in or out ends a pause, and who is out cannot be paused;
- a static member ("always") is in and has no lease, but can be paused;
- a lease keeps what it stands in front of, so that it can return (`leases`);
- a command is done or refused as a whole; only static members are left out of an "all", with a warning.

Who is already where a command wants them is left alone, and the reply says so. A new lease or reason is a
change: the latest action by hand wins, so `login` without a time ends a lease that was running.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bridge.calls.ordered.orders import Order
from bridge.commands import last_out
from bridge.commands.leases import behind, left_of_lease, unpaused
from bridge.commands.model import Actor, CommandError, LoginCommand, LoginVerb
from bridge.commands.places import ALL, Place, places
from bridge.directory.confirmed import Change
from bridge.directory.instant import Instant
from bridge.directory.logins import Login, LoginChange, Logins, Origin
from bridge.directory.model import Directory, Member
from bridge.events import login_json

_BY_HAND_AND_NOT_PHONE = frozenset({Origin.BUTTON, Origin.PANEL, Origin.MQTT, Origin.CONTROL})
_DEEPEST = 8  # leases in front of each other; who nests more of them loses the ones in between


@dataclass(frozen=True, slots=True)
class Decision:
    """What a command changes, what its reply says, and what everybody should be told beside the changes."""

    changes: tuple[Change, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    order: Order | None = None  # what the exchange is to do, whose answer is the reply


@dataclass(frozen=True, slots=True)
class _Asked:
    """A command's part that is the same for every place. `lasts`: seconds, where the clock is not right."""

    by: str
    origin: Origin
    now: Instant
    until: float | None
    lasts: float | None
    reason: str | None


def decide(
    command: LoginCommand, actor: Actor, origin: Origin, directory: Directory, logins: Logins, now: Instant
) -> Decision:
    """Return what the command changes in `logins`, which may be a draft.

    Raises CommandError: unknown_group, unknown_member, bad_request, clock_not_right, static, not_logged_in, last_one.
    """
    asked = _Asked(actor.name, origin, now, *_lease(command, now), command.reason)
    chosen: Sequence[Place] = places(directory, command.group, command.member)
    verb = _settled(command.verb, chosen, logins)
    chosen, left_out = _without_static(command, verb, asked, chosen)
    if verb is LoginVerb.PAUSE:
        chosen = _logged_in_of(command, chosen, logins)
    decided = [_change(verb, place, asked, logins) for place in chosen]
    changes = tuple(c for c in decided if c.after != c.before)
    emptied = last_out.emptied({g.name: g for g, _ in chosen}.values(), changes, logins)
    last_out.refuse_if_told(emptied)
    warnings = last_out.warnings(emptied)
    data = {
        "changed": [_entry(c) for c in changes],
        "unchanged": [_entry(c) for c in decided if c.after == c.before],
        "warnings": [*left_out, *warnings],
    }
    return Decision(changes, data, warnings)


def _lease(command: LoginCommand, now: Instant) -> tuple[float | None, float | None]:
    """Return when the command's lease or pause ends; and how long it is in all where the clock is not right."""
    if command.for_seconds is not None and command.until is not None:
        raise CommandError("bad_request", "for and until are given; right is one of them")
    if command.for_seconds is not None:
        return now.stamp + command.for_seconds, None if now.synchronised else command.for_seconds
    if command.until is None:
        return None, None
    if not now.synchronised:
        wrong = "the bridge's clock is not right yet, so it cannot tell when that is"
        raise CommandError("clock_not_right", f'{wrong}; right is a length of time, as in "2h"')
    if command.until <= now.wall:
        raise CommandError("bad_request", "until has passed; right is a time ahead of now")
    return command.until, None


def _settled(verb: LoginVerb, chosen: Sequence[Place], logins: Logins) -> LoginVerb:
    """Return the verb that a toggle means: out if anybody whom it is about is in, static members aside."""
    if verb is not LoginVerb.TOGGLE:
        return verb
    movable = [(g, m) for g, m in chosen if not m.always] or chosen
    anybody = any(m.always or logins.get(g.name, m.name).logged_in for g, m in movable)
    return LoginVerb.LOGOUT if anybody else LoginVerb.LOGIN


def _without_static(
    command: LoginCommand, verb: LoginVerb, asked: _Asked, chosen: Sequence[Place]
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


def _logged_in_of(command: LoginCommand, chosen: Sequence[Place], logins: Logins) -> list[Place]:
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
        after = _paused(before, asked)
    elif verb is LoginVerb.UNPAUSE:
        after = unpaused(before)
    else:
        after = _moved(member.always or verb is LoginVerb.LOGIN, before, member, asked)
    return LoginChange(group.name, member.name, before, after)


def _paused(before: Login, asked: _Asked) -> Login:
    reason = asked.reason if asked.reason is not None else before.pause_reason
    return replace(
        before,
        paused=True,
        pause_reason=reason,
        pause_until=asked.until,
        pause_lasts=asked.lasts,
        pause_by=asked.by,
        pause_origin=asked.origin,
    )


def _moved(inward: bool, before: Login, member: Member, asked: _Asked) -> Login:
    """Return a login that is in or out as asked; `before` itself where that changes nothing."""
    now = asked.now
    permanent = _permanent(inward, before, member, asked.origin)
    back = None if asked.until is None else _behind(before, inward, asked)
    if before.logged_in is not inward:
        made = Login(inward, now.stamp, asked.by, asked.origin, asked.reason, unsure=not now.synchronised)
        return replace(made, until=asked.until, lasts=asked.lasts, back=back, permanent=permanent)
    reason = asked.reason if asked.reason is not None else before.reason
    lease = replace(unpaused(before), until=asked.until, lasts=asked.lasts, back=back)
    after = replace(lease, reason=reason, permanent=permanent)
    told = member.schedule is not None and not now.synchronised  # it may have turned, and this was later
    if after == before and not told:
        return before
    after = replace(after, by=asked.by, origin=asked.origin)
    if now.synchronised:
        return replace(after, acted=now.wall)
    return replace(after, since=now.stamp, unsure=True, acted=None)


def _behind(before: Login, inward: bool, asked: _Asked) -> Login:
    """Return what a new lease stands in front of.

    A running lease in the same direction is replaced; one in the other direction returns if it runs longer.
    """
    assert asked.until is not None
    length = asked.until - asked.now.stamp
    back = before
    while back.until is not None and (back.logged_in is inward or _ends_within(back, length, asked.now)):
        back = behind(back)
    while _depth(back) >= _DEEPEST:
        back = behind(back)
    return unpaused(back)


def _ends_within(lease: Login, length: float, now: Instant) -> bool:
    left = left_of_lease(lease, now)
    return left is not None and left <= length


def _depth(login: Login) -> int:
    return 1 if login.back is None else 1 + _depth(login.back)


def _permanent(inward: bool, before: Login, member: Member, origin: Origin) -> bool:
    """Return whether a device is treated as a user is.

    It is from a login through another door than its phone on, until it is logged out through such a door.
    """
    if not member.device:
        return False
    return inward if origin in _BY_HAND_AND_NOT_PHONE else before.permanent


def _entry(change: LoginChange) -> dict[str, Any]:
    return {"group": change.group, "member": change.member, **login_json(change.after)}
