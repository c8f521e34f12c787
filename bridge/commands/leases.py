"""What time alone changes in the logins: leases and pauses end, schedules turn, a clock becomes right.

The precedence, from the strongest: a running lease (the latest one made by hand; when it ends, one that it stands in
front of and that still runs); what was done by hand since the schedule turned last; the schedule. A schedule acts only
in the moment at which it turns, so who logs out at ten stays out until the afternoon begins. When a lease ends, the
schedule's state returns, for a member without schedule the one before.

A clock that is not right ends no lease that was told by the clock and turns no schedule. A length of time ("for 2 h")
that began while it was not right is measured on the steady scale of `Instant`, and becomes a time of day as soon as
the clock is right.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from bridge.directory.instant import Instant
from bridge.directory.logins import Login, LoginChange, Logins, Origin
from bridge.directory.model import Directory, Member

LEASE_OVER = "the lease is over"
PAUSE_OVER = "the pause is over"
SCHEDULE = "schedule"
CLOCK_RIGHT = "the clock is right now"


@dataclass(frozen=True, slots=True)
class Next:
    """What becomes of a login by itself: when (UTC seconds), in or out, and why."""

    at: float
    logged_in: bool
    why: str


def passed(directory: Directory, logins: Logins, now: Instant) -> tuple[LoginChange, ...]:
    """Return what time has changed until now."""
    return tuple(_passed(directory, logins, now))


def _passed(directory: Directory, logins: Logins, now: Instant) -> Iterator[LoginChange]:
    for group in directory.groups.values():
        for member in group.members:
            before = logins.get(group.name, member.name)
            after, cause = advanced(member, before, now)
            if after != before:
                yield LoginChange(group.name, member.name, before, after, cause)


def advanced(member: Member, login: Login, now: Instant) -> tuple[Login, str | None]:
    """Return what a login has become by now, and why; itself and None where time has changed nothing."""
    after = settled(login, now)
    cause = None if after == login else CLOCK_RIGHT
    if after.paused and is_over(after.pause_until, after.pause_lasts, now):
        after, cause = unpaused(after), PAUSE_OVER
    if is_over(after.until, after.lasts, now):
        return _returned(member, after, now), LEASE_OVER
    if after.until is None and _has_turned(member, after, now):
        return _scheduled(member, after, now), SCHEDULE
    return after, cause


def deadline(directory: Directory, logins: Logins, now: Instant) -> float | None:
    """Return when time changes a login next, seconds, monotonic; None for never."""
    return min(_due(directory, logins, now), default=None)


def _due(directory: Directory, logins: Logins, now: Instant) -> Iterator[float]:
    for group in directory.groups.values():
        for member in group.members:
            login = logins.get(group.name, member.name)
            for left in (left_of_lease(login, now), left_of_pause(login, now)):
                if left is not None:
                    yield now.monotonic + left
            turns = _turns(member, login, now)
            if turns is not None:
                yield now.monotonic + turns - now.wall


def following(member: Member, login: Login, now: Instant) -> Next | None:
    """Return what becomes of a login next by itself, for people to see."""
    left = left_of_lease(login, now)
    if left is not None:
        then = Instant(now.monotonic + left, now.wall + left, now.synchronised, now.epoch)
        return Next(then.wall, _returned(member, login, then).logged_in, LEASE_OVER)
    turns = _turns(member, login, now)
    if turns is None or member.schedule is None:
        return None
    return Next(turns, member.schedule.contain(turns), SCHEDULE)


def left_of_lease(login: Login, now: Instant) -> float | None:
    """Return the seconds that a lease still runs; None: there is none, or the clock cannot tell."""
    return _left(login.until, login.lasts, now)


def left_of_pause(login: Login, now: Instant) -> float | None:
    """Return the seconds that a pause still lasts; None: there is none, no end to it, or the clock cannot tell."""
    return _left(login.pause_until, login.pause_lasts, now) if login.paused else None


def _left(until: float | None, lasts: float | None, now: Instant) -> float | None:
    if until is None:
        return None
    if lasts is not None:
        return until - now.steady
    return until - now.wall if now.synchronised else None


def is_over(until: float | None, lasts: float | None, now: Instant) -> bool:
    """Whether a lease or pause has ended."""
    left = _left(until, lasts, now)
    return left is not None and left <= 0


def unpaused(login: Login) -> Login:
    """Return a login without its pause."""
    return replace(
        login,
        paused=False,
        pause_reason=None,
        pause_until=None,
        pause_lasts=None,
        pause_by=None,
        pause_origin=None,
    )


# -- the end of a lease ---------------------------------------------------------------------------------------------


def behind(login: Login) -> Login:
    """Return what a lease stands in front of."""
    return login.back or Login(not login.logged_in)


def _returned(member: Member, login: Login, now: Instant) -> Login:
    """Return what comes back when a lease ends: a lease that still runs, the schedule's state, the one before."""
    back = behind(login)
    while is_over(back.until, back.lasts, now):
        login = replace(login, permanent=login.permanent or back.permanent)
        back = behind(back)
    if back.until is None and member.schedule is not None and now.synchronised:
        return _scheduled(member, login, now)
    returned = _again(login, back, now)
    if back.until is None and member.schedule is not None:
        return replace(returned, acted=0.0)  # until the clock tells what the schedule's state is
    return returned


def _again(login: Login, back: Login, now: Instant) -> Login:
    """Return the login that was before, as it is from now on."""
    permanent = login.permanent or back.permanent
    if back.logged_in is login.logged_in:
        holder = back if back.since else login
        stays = replace(login, by=holder.by, origin=holder.origin, reason=holder.reason, permanent=permanent)
        return replace(stays, until=back.until, lasts=back.lasts, back=back.back)
    turned = replace(back, since=now.stamp, unsure=not now.synchronised, acted=None, permanent=permanent)
    if turned.until is not None:
        return turned
    return replace(turned, by="bridge", origin=Origin.BRIDGE, reason=LEASE_OVER)


def _scheduled(member: Member, login: Login, now: Instant) -> Login:
    """Return the login as the schedule has it now."""
    assert member.schedule is not None
    inward = member.schedule.contain(now.wall)
    made = Login(inward, now.stamp, "schedule", Origin.SCHEDULE, permanent=login.permanent)
    if inward is not login.logged_in:
        return made
    return _with_pause_of(login, replace(made, since=login.since, acted=now.stamp))


def _with_pause_of(login: Login, after: Login) -> Login:
    return replace(
        after,
        paused=login.paused,
        pause_reason=login.pause_reason,
        pause_until=login.pause_until,
        pause_lasts=login.pause_lasts,
        pause_by=login.pause_by,
        pause_origin=login.pause_origin,
    )


# -- schedules ------------------------------------------------------------------------------------------------------


def _has_turned(member: Member, login: Login, now: Instant) -> bool:
    """Whether the schedule wants otherwise, and has said so later than anybody else."""
    hours = member.schedule
    if hours is None or member.always or not now.synchronised or hours.contain(now.wall) is login.logged_in:
        return False
    turned = hours.last_change(now.wall)
    return login.latest == 0.0 or (turned is not None and login.latest < turned)


def _turns(member: Member, login: Login, now: Instant) -> float | None:
    """Return when the schedule turns next with effect; UTC seconds."""
    if member.schedule is None or member.always or not now.synchronised or login.until is not None:
        return None
    return member.schedule.next_change(now.wall)


# -- clocks ---------------------------------------------------------------------------------------------------------


def settled(login: Login, now: Instant) -> Login:
    """Return a login with its times in UTC, where the clock is right; times on the steady scale are moved there."""
    if not now.synchronised:
        return login
    shift = now.wall - now.steady
    after = login
    if login.unsure:
        after = replace(after, since=login.since + shift, unsure=False)
    if login.until is not None and login.lasts is not None:
        after = replace(after, until=login.until + shift, lasts=None)
    if login.pause_until is not None and login.pause_lasts is not None:
        after = replace(after, pause_until=login.pause_until + shift, pause_lasts=None)
    if login.back is not None:
        after = replace(after, back=settled(login.back, now))
    return after


def grounded(login: Login, now: Instant) -> Login:
    """Return a login from before a restart, none of whose lengths on the steady scale is longer than it was.

    The scale begins anew with each process: a machine without a clock of its own may have gone back in time.
    """
    after = login
    if login.unsure:
        after = replace(after, since=min(login.since, now.steady))
    if login.until is not None and login.lasts is not None:
        after = replace(after, until=min(login.until, now.steady + login.lasts))
    if login.pause_until is not None and login.pause_lasts is not None:
        after = replace(after, pause_until=min(login.pause_until, now.steady + login.pause_lasts))
    if login.back is not None:
        after = replace(after, back=grounded(login.back, now))
    return after
