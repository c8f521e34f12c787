"""The broker's rules, as they are printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.cli.main import main
from bridge.mqtt.acl import acl
from bridge.mqtt.topics import Topics
from tests.support.toml import changed

ANNA = """\
user anna
topic write cti/home/user/anna/request/+
topic read cti/home/user/anna/#
topic read cti/home/group/#
topic read cti/home/line/#
"""


def test_users_ask_in_their_own_name_and_read_what_is_public() -> None:
    """The contract, literally; the bridge and the owner may do all."""
    assert acl(Topics("cti/home"), "cti", ["homeassistant"], ["anna"], "homeassistant") == (
        "# Mosquitto's acl_file for cti-bridge. Whoever is not named here may do nothing.\n"
        "\n"
        "# the bridge itself\n"
        "user cti\n"
        "topic readwrite cti/home/#\n"
        "topic readwrite homeassistant/#\n"
        "\n"
        "# the owner: every command, in the owner's name\n"
        "user homeassistant\n"
        "topic readwrite cti/home/#\n"
        "topic readwrite homeassistant/#\n"
        "\n" + ANNA
    )


def test_without_discovery_home_assistants_topics_are_none_of_ours() -> None:
    """They are not in the rules."""
    assert "homeassistant" not in acl(Topics("cti/home"), "cti", [], ["anna"], None)


def test_the_command_needs_no_agent_but_users(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A broker without users cannot tell anybody apart."""
    config = tmp_path / "cti-bridge.toml"
    config.write_text(changed("", ""))
    assert main(["acl", "--config", str(config)]) == 1
    assert "mqtt.username is missing" in capsys.readouterr().err
    config.write_text(changed('mqtt://localhost"', 'mqtt://localhost"\nusername = "cti"\npassword = "x"'))
    assert main(["acl", "--config", str(config), "--owner", "hass"]) == 0
    said = capsys.readouterr().out
    assert "user cti\n" in said
    assert "user hass\n" in said
    assert said.endswith(ANNA.replace("anna", "ben"))
