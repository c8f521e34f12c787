"""Who is paused for letting calls ring."""

from __future__ import annotations

import pytest

from bridge.commands.model import LoginCommand, LoginVerb
from bridge.commands.unanswered import Unanswered
from bridge.directory.logins import Login
from bridge.directory.model import Directory
from bridge.events import Event, LoginChanged, OfferEnded
from tests.support.office import NOW, office

AFTER_THREE = office(auto_pause=3, auto_pause_seconds=600.0)


def offer(outcome: str, member: str = "anna", group: str = "support") -> Event:
    """Return the end of an offer."""
    return OfferEnded(NOW, group, "c1", member, outcome, 15.0)


def paused(*events: Event, directory: Directory = AFTER_THREE) -> list[LoginCommand]:
    """Return the pauses that these events lead to."""
    counter = Unanswered()
    found = [counter.take(event, directory) for event in events]
    return [command for command in found if command is not None]


def test_three_in_a_row() -> None:
    """The third pauses, for as long as the group says, with the reason."""
    unanswered = offer("no answer")
    assert paused(unanswered, unanswered) == []
    right = LoginCommand(LoginVerb.PAUSE, "support", "anna", 600.0, None, "3 calls not answered")
    assert paused(unanswered, unanswered, unanswered) == [right]


@pytest.mark.parametrize("outcome", ["answered", "busy", "declined"])
def test_who_shows_to_be_there_begins_anew(outcome: str) -> None:
    """An answer, or a phone that was used to refuse, ends the row."""
    unanswered = offer("no answer")
    assert paused(unanswered, unanswered, offer(outcome), unanswered) == []


@pytest.mark.parametrize("outcome", ["withdrawn", "unreachable", "diverted"])
def test_what_says_nothing_of_the_member_counts_neither_way(outcome: str) -> None:
    """A colleague was faster, the caller gave up, the phone is off."""
    unanswered = offer("no answer")
    assert paused(offer(outcome), offer(outcome), offer(outcome)) == []
    assert len(paused(unanswered, unanswered, offer(outcome), unanswered)) == 1


def test_a_changed_login_begins_anew() -> None:
    """Also the pause itself, so that the next comes after three more."""
    unanswered, changed = offer("no answer"), LoginChanged(NOW, "support", "anna", Login(True))
    assert paused(unanswered, unanswered, changed, unanswered) == []
    assert len(paused(*[unanswered] * 3, changed, *[unanswered] * 3)) == 2


def test_members_and_groups_are_counted_apart() -> None:
    """Ben's calls are not Anna's, sales are not support."""
    events = [offer("no answer", member, group) for member, group in (("anna", "support"), ("ben", "support"))]
    assert paused(*events, offer("no answer", "ben", "sales"), offer("no answer", "ben", "sales")) == []


def test_off_by_default() -> None:
    """A group that does not ask for it pauses nobody."""
    assert paused(*[offer("no answer")] * 20, directory=office()) == []
