"""What a user may see of others."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from bridge.calls.status import LineState
from bridge.commands.model import LoginCommand, LoginVerb
from bridge.directory.logins import Origin
from bridge.directory.model import Directory
from bridge.events import iso
from bridge.mqtt.monitor import Round, Sight
from bridge.port.model import Port
from tests.support.clock import run_virtual
from tests.support.office import ANNA, NOW, office
from tests.support.paper import bureau


def monitor_of(port: Port, user: str) -> Any:
    """Return a user's monitor, None where there is none."""
    text = Round(port, Sight(port.directory)).text(user)
    return None if text is None else json.loads(text)


def groups(user: str, directory: Directory | None = None) -> dict[str, list[str]]:
    """Return the groups that a user sees, with their members."""
    seen: dict[str, list[str]] = {}

    async def scene() -> None:
        async with bureau(directory) as here:
            monitor = monitor_of(here.port, user)
            assert monitor is not None
            seen.update({name: list(group["members"]) for name, group in monitor["groups"].items()})

    run_virtual(scene())
    return seen


def test_a_user_sees_the_groups_that_the_user_is_in_or_leads() -> None:
    """With everybody in them, devices too."""
    assert groups("anna") == {"support": ["anna", "ben", "lobby"]}
    assert groups("ben") == {"support": ["anna", "ben", "lobby"], "sales": ["ben", "cara"]}
    assert groups("cara") == {"support": ["anna", "ben", "lobby"], "sales": ["ben", "cara"]}


def test_a_member_shows_the_login_and_the_lines_state_and_no_more() -> None:
    """No number, no name of a caller, no reason, no door."""

    async def scene() -> None:
        async with bureau() as here:
            here.telephony.states["anna"] = LineState.BUSY
            command = LoginCommand(LoginVerb.LOGIN, "support", "anna", reason="private")
            await here.port.submit(command, ANNA, Origin.BUTTON)
            monitor = monitor_of(here.port, "ben")
            assert monitor is not None
            assert monitor["groups"]["support"]["members"]["anna"] == {
                "name": "Anna",
                "login": "ON",
                "paused": False,
                "since": iso(NOW),
                "until": None,
                "line": "busy",
                "line_since": iso(NOW - 60),
            }

    run_virtual(scene())


def test_nobody_who_is_not_a_user_has_one() -> None:
    """Not a device, and not somebody who has left."""

    async def scene() -> None:
        async with bureau() as here:
            assert monitor_of(here.port, "lobby") is None
            assert monitor_of(here.port, "gone") is None

    run_virtual(scene())


def test_a_group_that_is_switched_off_is_still_shown_at_the_sites_level() -> None:
    """Its own level gives nothing any more; what everybody may see stays."""
    assert groups("anna", office(active=False)) == {"support": ["anna", "ben", "lobby"]}


def test_a_leader_who_has_left_the_users_is_no_reason_to_fail() -> None:
    """A directory is what it is."""
    directory = dataclasses.replace(office(), users={"anna": office().users["anna"]})
    assert groups("anna", directory) == {"support": ["anna", "ben", "lobby"]}
