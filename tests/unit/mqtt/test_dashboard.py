"""A view that works as it is pasted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.cli.main import main
from bridge.mqtt.dashboard import to_yaml, view
from bridge.mqtt.discovery import DiscoveryTopics
from bridge.mqtt.entities import Site, devices
from bridge.mqtt.topics import Topics
from tests.support.office import office
from tests.support.toml import changed

DEVICES = devices(Site("home", "1", ("fritz",)), office(), Topics("cti/home"), DiscoveryTopics("ha", "cti/home"))
ANNOUNCED = {each.config["default_entity_id"] for device in DEVICES for each in device.entities}


def named(value: Any) -> Iterator[str]:
    """Yield every entity that a tree names."""
    if isinstance(value, dict):
        for key, below in value.items():
            if key in ("entity", "entities", "entity_id"):
                yield from [below] if isinstance(below, str) else below
            else:
                yield from named(below)
    elif isinstance(value, list):
        for below in value:
            yield from named(below)


def test_it_names_no_entity_that_is_not_announced() -> None:
    """Every member, what waits, what is plotted, the calls, the trunks."""
    seen = set(named(view(DEVICES)))
    assert seen <= ANNOUNCED
    assert {
        *("switch.home_support_login_anna", "switch.home_sales_login_cara", "sensor.home_support_waiting"),
        *("sensor.home_support_waiting_since", "event.home_support_call", "binary_sensor.home_trunk_fritz"),
    } <= seen


def test_members_are_shown_with_their_state_and_since_when() -> None:
    """A tile each."""
    grid = view(DEVICES)["cards"][0]
    assert grid["cards"][0] == {
        "type": "tile",
        "entity": "switch.home_support_login_anna",
        "state_content": ["state", "since"],
    }


def test_it_is_yaml() -> None:
    """What is read back is what was meant."""
    assert yaml.safe_load(to_yaml(view(DEVICES))) == view(DEVICES)


TEXTS = st.text(max_size=20).filter(str.isprintable) | st.sampled_from(
    ["on", "No", "null", "a: b", "- x", "1", "1.5", "~", "a #b", "x\n", "0x1"]
)
TREES = st.recursive(
    TEXTS | st.booleans() | st.integers() | st.none(),
    lambda inner: (
        st.lists(TEXTS | st.dictionaries(st.from_regex(r"[a-z_]{2,8}x", fullmatch=True), inner, max_size=3))
        | st.dictionaries(st.from_regex(r"[a-z_]{2,8}x", fullmatch=True), inner, max_size=3)
    ),
    max_leaves=8,
)


@example({"name": "Support:"})
@given(st.dictionaries(st.from_regex(r"[a-z_]{2,8}x", fullmatch=True), TREES, min_size=1, max_size=4))
def test_any_text_survives(tree: dict[str, Any]) -> None:
    """Names are people's, in one printable line: with colons, quotes, and words that YAML takes for something else."""
    assert yaml.safe_load(to_yaml(tree)) == tree


def test_the_command_needs_no_agent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The configuration is enough; without discovery there is nothing to show, and it says so."""
    config = tmp_path / "cti-bridge.toml"
    config.write_text(changed("", ""))
    assert main(["dashboard", "--config", str(config)]) == 0
    printed = yaml.safe_load(capsys.readouterr().out)
    assert printed["title"] == "Phones"
    config.write_text(changed('mqtt://localhost"', 'mqtt://localhost"\ndiscovery = "off"'))
    assert main(["dashboard", "--config", str(config)]) == 1
    assert "only a bridge with a section [mqtt] and with discovery" in capsys.readouterr().err


def test_the_blueprint_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """Wherever the program is installed."""
    assert main(["dashboard", "--blueprint"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("blueprint:\n")
    assert "cti/home" in text
