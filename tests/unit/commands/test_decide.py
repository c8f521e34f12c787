"""What a command changes."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.commands.decide import Decision, decide
from bridge.commands.model import OWNER, CommandError, LoginCommand, LoginVerb
from bridge.directory.instant import Instant
from bridge.directory.logins import OUT, Login, LoginChange, Logins, Origin
from bridge.directory.model import LastOut, Member
from tests.support.office import ANNA, IN, LOBBY, NOW, logins, office


def given(
    verb: LoginVerb, group: str, member: str, now: Logins, origin: Origin = Origin.CONTROL, **rest: Any
) -> Decision:
    """Return what the command changes; the owner gives it in the office where nothing else is said."""
    directory = rest.pop("directory", None) or office()
    actor = rest.pop("actor", OWNER)
    return decide(LoginCommand(verb, group, member, **rest), actor, origin, directory, now, Instant(0.0, NOW))


def after(decision: Decision) -> dict[tuple[str, str], Login]:
    """Return the logins that a decision changes, by their places."""
    return {(c.group, c.member): c.after for c in decision.changes if isinstance(c, LoginChange)}


def refusal(*args: Any, **rest: Any) -> CommandError:
    """Return how a command is refused."""
    with pytest.raises(CommandError) as caught:
        given(*args, **rest)
    return caught.value


STATIC = (Member("lobby", "lobby", device=True, always=True),)


def test_login_says_who_when_and_through_which_door() -> None:
    """A login carries its maker, its moment, its door and its reason."""
    decision = given(LoginVerb.LOGIN, "support", "anna", logins(), Origin.BUTTON, actor=ANNA, reason="early")
    assert after(decision) == {("support", "anna"): Login(True, NOW, "anna", Origin.BUTTON, "early")}
    assert decision.data["changed"][0]["login"] == "ON"
    assert decision.warnings == ()


def test_group_by_number() -> None:
    """A group is found by its number as well as by its name."""
    assert list(after(given(LoginVerb.LOGIN, "600", "anna", logins()))) == [("support", "anna")]


def test_already_in_is_fine_and_changes_nothing() -> None:
    """Who is already in stays as they are; the reply says so."""
    decision = given(LoginVerb.LOGIN, "support", "anna", logins(("support", "anna")))
    assert decision.changes == ()
    assert [e["member"] for e in decision.data["unchanged"]] == ["anna"]


def test_never_in_logs_out_without_change() -> None:
    """Logging out somebody who never logged in changes nothing."""
    assert given(LoginVerb.LOGOUT, "support", "ben", logins()).changes == ()


def test_unknown_names_list_the_right_ones() -> None:
    """A wrong group or member is answered with those that there are."""
    group = refusal(LoginVerb.LOGIN, "suport", "anna", logins())
    assert (group.code, "support (600)" in group.message) == ("unknown_group", True)
    member = refusal(LoginVerb.LOGIN, "support", "bob", logins())
    assert (member.code, "anna, ben, lobby" in member.message) == ("unknown_member", True)
    nowhere = refusal(LoginVerb.LOGIN, "all", "bob", logins())
    assert (nowhere.code, "cara" in nowhere.message) == ("unknown_member", True)


def test_all_expands() -> None:
    """ "all" means every group, and every member."""
    everything = after(given(LoginVerb.LOGIN, "all", "all", logins()))
    assert len(everything) == 5
    assert set(after(given(LoginVerb.LOGIN, "all", "ben", logins()))) == {("support", "ben"), ("sales", "ben")}
    assert {m for _, m in after(given(LoginVerb.LOGIN, "support", "all", logins()))} == {"anna", "ben", "lobby"}


def test_toggle_turns_one_login_round() -> None:
    """A toggle logs in who is out, and out who is in."""
    assert after(given(LoginVerb.TOGGLE, "support", "anna", logins()))["support", "anna"].logged_in
    inside = logins(("support", "anna"), ("support", "ben"))
    assert not after(given(LoginVerb.TOGGLE, "support", "anna", inside))["support", "anna"].logged_in


def test_toggle_of_several_goes_one_way() -> None:
    """A toggle of several logs all of them out if anybody is in, so that a second press logs all of them
    in.
    """
    first = given(LoginVerb.TOGGLE, "all", "ben", logins(("sales", "ben"), ("sales", "cara")))
    assert after(first) == {("sales", "ben"): Login(False, NOW, "owner", Origin.CONTROL)}
    second = given(LoginVerb.TOGGLE, "all", "ben", logins())
    assert all(login.logged_in for login in after(second).values())
    assert len(second.changes) == 2


def test_last_one_out_is_warned_of() -> None:
    """`last_out = "warn"`: it is done, and the reply carries a warning."""
    decision = given(LoginVerb.LOGOUT, "support", "anna", logins(("support", "anna")))
    assert len(decision.changes) == 1
    assert "support" in decision.data["warnings"][0]


def test_last_one_out_is_refused() -> None:
    """`last_out = "refuse"`: nobody can be the last one out, not among "all" either; others can leave."""
    directory = office(last_out=LastOut.REFUSE)
    alone = logins(("support", "anna"))
    assert refusal(LoginVerb.LOGOUT, "support", "anna", alone, directory=directory).code == "last_one"
    assert refusal(LoginVerb.LOGOUT, "all", "anna", alone, directory=directory).code == "last_one"
    both = logins(("support", "anna"), ("support", "ben"))
    assert refusal(LoginVerb.LOGOUT, "support", "all", both, directory=directory).code == "last_one"
    assert given(LoginVerb.LOGOUT, "support", "anna", both, directory=directory).warnings == ()
    assert given(LoginVerb.LOGOUT, "support", "ben", alone, directory=directory).changes == ()


def test_last_one_out_is_allowed() -> None:
    """`last_out = "allow"`: nothing is said."""
    directory = office(last_out=LastOut.ALLOW)
    decision = given(LoginVerb.LOGOUT, "support", "anna", logins(("support", "anna")), directory=directory)
    assert (len(decision.changes), decision.warnings) == (1, ())


def test_static_member_cannot_log_out() -> None:
    """A member with login = "always" is refused a logout, a toggle and a login that ends; "all" leaves them
    out.
    """
    directory = office(members=(Member("anna", "anna"), *STATIC))
    now = logins(("support", "anna"), ("support", "lobby"))
    for verb in (LoginVerb.LOGOUT, LoginVerb.TOGGLE):
        assert refusal(verb, "support", "lobby", now, directory=directory).code == "static"
    assert refusal(LoginVerb.LOGIN, "600", "lobby", now, directory=directory, for_seconds=60.0).code == "static"
    decision = given(LoginVerb.LOGOUT, "support", "all", now, directory=directory)
    assert list(after(decision)) == [("support", "anna")]
    assert "always" in decision.data["warnings"][0]


def test_static_member_is_paused() -> None:
    """A static member can pause, which is the way to some quiet."""
    directory = office(members=STATIC)
    decision = given(LoginVerb.PAUSE, "support", "lobby", logins(("support", "lobby")), directory=directory)
    assert after(decision)["support", "lobby"].paused


def test_lease() -> None:
    """`for` and `until` are kept as the moment at which the login ends."""
    place = ("support", "anna")
    assert after(given(LoginVerb.LOGIN, *place, logins(), for_seconds=60.0))[place].until == NOW + 60
    assert after(given(LoginVerb.LOGIN, *place, logins(), until=NOW + 5))[place].until == NOW + 5
    assert refusal(LoginVerb.LOGIN, "600", "anna", logins(), until=NOW - 5).code == "bad_request"
    assert refusal(LoginVerb.LOGIN, "600", "anna", logins(), until=NOW + 5, for_seconds=5.0).code == "bad_request"


def test_latest_action_by_hand_wins_over_a_lease() -> None:
    """Who is in for two hours and logs in again is in until they log out; since when they are in stays."""
    now = Logins([(("support", "anna"), Login(True, NOW - 60, "ben", Origin.MQTT, until=NOW + 7200))])
    login = after(given(LoginVerb.LOGIN, "support", "anna", now, actor=ANNA))["support", "anna"]
    assert (login.until, login.since, login.by) == (None, NOW - 60, "anna")


def test_pause_and_unpause() -> None:
    """A pause has its own reason and end and leaves the login as it was."""
    inside = logins(place := ("support", "anna"))
    paused = after(given(LoginVerb.PAUSE, *place, inside, reason="lunch", for_seconds=60.0))[place]
    assert (paused.paused, paused.pause_reason, paused.pause_until) == (True, "lunch", NOW + 60)
    assert (paused.logged_in, paused.since, paused.until) == (True, IN.since, None)
    assert (paused.told_by, paused.told_from) == ("owner", Origin.CONTROL)
    assert (paused.by, paused.origin) == (IN.by, IN.origin)
    again = Logins([(place, paused)])
    assert after(given(LoginVerb.UNPAUSE, *place, again)) == {place: IN}
    assert given(LoginVerb.UNPAUSE, *place, inside).changes == ()


def test_only_who_is_in_is_paused() -> None:
    """Pausing who is out is refused; "all" pauses those who are in; logging out ends a pause."""
    assert refusal(LoginVerb.PAUSE, "support", "anna", logins()).code == "not_logged_in"
    assert refusal(LoginVerb.PAUSE, "all", "all", logins()).code == "not_logged_in"
    now = logins(("support", "anna"))
    assert list(after(given(LoginVerb.PAUSE, "all", "all", now))) == [("support", "anna")]
    paused = Logins([(("support", "anna"), Login(True, 1.0, paused=True, pause_reason="lunch"))])
    login = after(given(LoginVerb.LOGOUT, "support", "anna", paused))["support", "anna"]
    assert (login.paused, login.pause_reason) == (False, None)


def test_device_becomes_permanent_through_another_door() -> None:
    """A device logged in by phone is not permanent; another door makes it so, until another door logs it
    out.
    """
    place = ("support", "lobby")
    phoned = after(given(LoginVerb.LOGIN, *place, logins(), Origin.PHONE, actor=LOBBY))[place]
    assert (phoned.logged_in, phoned.permanent) == (True, False)
    made = after(given(LoginVerb.LOGIN, *place, Logins([(place, phoned)]), Origin.MQTT))[place]
    assert (made.permanent, made.since) == (True, phoned.since)
    by_phone = after(given(LoginVerb.LOGOUT, *place, Logins([(place, made)]), Origin.PHONE))[place]
    assert (by_phone.logged_in, by_phone.permanent) == (False, True)
    by_button = after(given(LoginVerb.LOGOUT, *place, Logins([(place, made)]), Origin.BUTTON))[place]
    assert (by_button.logged_in, by_button.permanent) == (False, False)


def test_user_is_never_marked_permanent() -> None:
    """The mark is about devices; users survive restarts anyway."""
    assert not after(given(LoginVerb.LOGIN, "support", "anna", logins()))["support", "anna"].permanent
    assert logins().get("support", "anna") is OUT
