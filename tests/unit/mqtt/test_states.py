"""Which states an event touches, and how they are read from the port."""

from __future__ import annotations

import pytest

from bridge.commands.monitor import Sight
from bridge.directory.logins import OUT
from bridge.events import (
    CallerWaits,
    CommandRefused,
    Event,
    GroupCall,
    LineChanged,
    LoginChanged,
    MemberDropped,
    Notice,
    OpeningChanged,
    TrunkChanged,
    WrapUp,
)
from bridge.mqtt.states import everything, monitors, payload, touched, watching
from bridge.mqtt.topics import GroupSubject, InfoSubject, LineSubject, MemberSubject, MonitorSubject, NightSubject
from tests.support.clock import run_virtual
from tests.support.office import NOW, office
from tests.support.paper import bureau

ANNA, SUPPORT = MemberSubject("support", "anna"), GroupSubject("support")


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (LoginChanged(NOW, "support", "anna", OUT), [ANNA, SUPPORT]),
        (MemberDropped(NOW, "support", "anna"), [ANNA, SUPPORT]),
        (LineChanged(NOW, "anna", "busy"), [LineSubject("anna"), ANNA, SUPPORT]),
        (
            LineChanged(NOW, "ben", "busy"),
            [
                LineSubject("ben"),
                *(MemberSubject("support", "ben"), SUPPORT),
                *(MemberSubject("sales", "ben"), GroupSubject("sales")),
            ],
        ),
        (GroupCall(NOW, "offered", "support", "c", "", ""), [SUPPORT]),
        (CallerWaits(NOW, "support", "c", "", "", 1, 1, None), [SUPPORT]),
        (WrapUp(NOW, "support", "anna", NOW + 10), [ANNA, SUPPORT]),
        (OpeningChanged(NOW, "support", False, "closed", None, None), [NightSubject("support"), SUPPORT]),
        (TrunkChanged(NOW, "fritz", "lost", ""), [InfoSubject()]),
        (Notice(NOW, "what", "text"), []),
        (CommandRefused(NOW, "login", "support", "anna", "mqtt", "owner", "static", ""), []),
    ],
)
def test_events_touch_what_they_may_have_changed(event: Event, expected: list[object]) -> None:
    """And nothing else, so that nothing else is looked at."""
    assert list(touched(event, office())) == expected


def test_everything_is_every_member_group_and_line_and_the_bridge() -> None:
    """Each once, and each group's night switch."""
    found = list(everything(office()))
    assert len(found) == len(set(found)) == 5 + 2 + 2 + 2 + 4 + 1


def test_groups_members_and_lines_are_watched_by_the_users_of_the_group_and_its_leaders() -> None:
    """Not by devices."""
    sight, everybody = Sight(office()), [MonitorSubject(name) for name in ("anna", "ben", "cara")]
    assert list(watching(ANNA, sight)) == everybody
    assert list(watching(SUPPORT, sight)) == everybody
    assert list(watching(LineSubject("anna"), sight)) == everybody
    assert list(watching(GroupSubject("sales"), sight)) == everybody[1:]
    assert list(watching(MemberSubject("gone", "anna"), sight)) == []
    assert list(monitors(office())) == [MonitorSubject(name) for name in ("anna", "ben", "cara")]


def test_who_has_left_the_directory_has_no_state() -> None:
    """The retained message is then taken away."""

    async def scene() -> None:
        async with bureau() as here:
            assert payload(MemberSubject("support", "gone"), here.port) is None
            assert payload(GroupSubject("gone"), here.port) is None
            assert payload(LineSubject("gone"), here.port) is None

    run_virtual(scene())


def test_what_is_said_is_what_the_port_answers() -> None:
    """One truth for every door."""

    async def scene() -> None:
        async with bureau() as here:
            for subject in everything(here.port.directory):
                assert payload(subject, here.port)
            info = payload(InfoSubject(), here.port)
            assert info is not None
            assert set(info) == {"version", "site", "started", "trunks", "counts"}

    run_virtual(scene())
