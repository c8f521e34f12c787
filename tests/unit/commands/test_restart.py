"""What a start changes in the logins that were kept."""

from __future__ import annotations

from dataclasses import replace

from bridge.commands.restart import Start, at_start
from bridge.directory.instant import Instant
from bridge.directory.logins import Login, Logins, Origin
from bridge.directory.model import Member
from tests.support.office import IN, NOW, logins, office

PHONED = Login(True, NOW - 60, "lobby", Origin.PHONE)


def start(now: Logins, *members: Member) -> Start:
    """Return what a start of the office changes; `members` are those of support."""
    return at_start(office(members=members) if members else office(), now, Instant(0.0, NOW))


def kept(member: Member, login: Login) -> bool:
    """Return whether a login survives; if not, it is reset to out by the bridge."""
    changes = start(Logins([(("support", member.name), login)]), member).changes
    assert all(c.after.origin is Origin.BRIDGE and not c.after.logged_in for c in changes)
    return not changes


def test_users_stay_as_they_are() -> None:
    """A user's login survives a restart, whichever door made it."""
    assert start(logins(("support", "anna"), ("sales", "ben"))) == Start((), ())
    assert kept(Member("anna", "anna"), replace(IN, origin=Origin.PHONE))


def test_device_by_phone_is_reset() -> None:
    """A device that logged in by phone is out after a restart, unless another door made it permanent."""
    lobby = Member("lobby", "lobby", device=True)
    assert not kept(lobby, PHONED)
    assert kept(lobby, replace(PHONED, permanent=True))


def test_member_overrides() -> None:
    """`restart` of a member says otherwise, for users and devices."""
    assert not kept(Member("anna", "anna", restart="reset"), IN)
    assert kept(Member("lobby", "lobby", device=True, restart="keep"), PHONED)
    younger = Member("anna", "anna", restart="keep-if-younger-than 8h")
    assert kept(younger, replace(IN, since=NOW - 7.9 * 3600))
    assert not kept(younger, replace(IN, since=NOW - 8.1 * 3600))
    assert kept(younger, replace(IN, since=NOW + 3600))  # the clock is behind


def test_static_members_are_in() -> None:
    """A member with login = "always" is in from the start, and stays paused if they were."""
    always = Member("anna", "anna", always=True)
    (change,) = start(logins(), always).changes
    assert (change.after.logged_in, change.after.by) == (True, "bridge")
    assert start(Logins([(("support", "anna"), replace(IN, paused=True))]), always).changes == ()


def test_who_left_is_dropped() -> None:
    """Logins of members and groups that are no longer configured are to be forgotten."""
    now = logins(("support", "anna"), ("support", "zoe"), ("closed", "ben"))
    assert start(now) == Start((), (("support", "zoe"), ("closed", "ben")))
