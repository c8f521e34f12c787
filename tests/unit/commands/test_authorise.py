"""Who may do what."""

from __future__ import annotations

import pytest

from bridge.commands.authorise import authorise
from bridge.commands.model import BRIDGE, OWNER, Actor, CommandError, Kind, LoginCommand, LoginVerb
from bridge.commands.rights import level_over
from bridge.directory.model import Directory, Level
from tests.support.office import ANNA, BEN, CARA, LOBBY, office


def allowed(actor: Actor, verb: LoginVerb, group: str, member: str, directory: Directory | None = None) -> bool:
    """Return whether it is allowed; no other refusal is let through."""
    try:
        authorise(LoginCommand(verb, group, member), actor, directory or office())
    except CommandError as refused:
        assert refused.code == "not_allowed"
        return False
    return True


@pytest.mark.parametrize("actor", [OWNER, BRIDGE])
def test_owner_may_all(actor: Actor) -> None:
    """Nothing is refused to the owner, nor to the bridge itself, for want of rights."""
    assert allowed(actor, LoginVerb.LOGOUT, "all", "all")


def test_everybody_has_their_own_login() -> None:
    """A user and a device change their own login in every group, and nobody else's."""
    assert allowed(BEN, LoginVerb.LOGIN, "all", "ben")
    assert allowed(LOBBY, LoginVerb.TOGGLE, "support", "lobby")
    assert not allowed(BEN, LoginVerb.LOGIN, "support", "anna")
    assert not allowed(LOBBY, LoginVerb.LOGIN, "support", "anna")
    assert not allowed(BEN, LoginVerb.LOGOUT, "support", "all")


def test_device_is_not_the_user_of_the_same_name() -> None:
    """A device called as a user is does not act in the user's name."""
    assert not allowed(Actor(Kind.DEVICE, "anna"), LoginVerb.LOGIN, "support", "anna")


def test_leader_supervises_logins_of_the_group() -> None:
    """A leader with the service `supervise` logs others in and out, devices too, in that group alone."""
    for verb in LoginVerb:
        assert allowed(CARA, verb, "support", "all")
    assert not allowed(CARA, LoginVerb.LOGIN, "sales", "ben")
    assert not allowed(CARA, LoginVerb.LOGIN, "all", "ben")
    assert not allowed(CARA, LoginVerb.LOGIN, "support", "anna", office(services=frozenset()))
    assert not allowed(CARA, LoginVerb.LOGIN, "support", "anna", office(active=False))


def test_level_team_pauses_and_personal_logs_in() -> None:
    """Among members `team` is enough for a pause, and `personal` is needed for a login; none of it for
    devices.
    """
    team = office(member_level=Level.TEAM)
    assert allowed(BEN, LoginVerb.PAUSE, "support", "anna", team)
    assert not allowed(BEN, LoginVerb.LOGIN, "support", "anna", team)
    personal = office(member_level=Level.PERSONAL)
    assert allowed(BEN, LoginVerb.LOGIN, "support", "anna", personal)
    assert not allowed(BEN, LoginVerb.LOGIN, "support", "lobby", personal)
    assert not allowed(LOBBY, LoginVerb.PAUSE, "support", "anna", personal)


def test_levels_only_add() -> None:
    """The level over somebody is the highest of the site's and of all active groups that both are in."""
    directory = office(member_level=Level.PERSONAL, leader_level=Level.BUSINESS)
    assert level_over(CARA, BEN, directory) is Level.BUSINESS  # leads it without being in it
    assert level_over(BEN, CARA, directory) is Level.PUBLIC  # support has no cara, sales is public
    assert level_over(ANNA, BEN, directory) is Level.PERSONAL
    assert level_over(ANNA, BEN, office(member_level=Level.NONE)) is Level.PUBLIC
    assert level_over(ANNA, BEN, office(member_level=Level.PERSONAL, active=False)) is Level.PUBLIC


def test_refusal_names_the_missing_right() -> None:
    """The message says who may not do what to whom, and what it would need."""
    with pytest.raises(CommandError) as caught:
        authorise(LoginCommand(LoginVerb.LOGIN, "support", "anna"), BEN, office())
    assert "ben may not log in or out anna in group support" in caught.value.message
    assert "personal" in caught.value.message
    assert "leader of support" in caught.value.message


def test_unknown_group_is_told_as_such() -> None:
    """A command about nobody is refused for that and not for want of rights."""
    with pytest.raises(CommandError) as caught:
        authorise(LoginCommand(LoginVerb.LOGIN, "nowhere", "anna"), BEN, office())
    assert caught.value.code == "unknown_group"
