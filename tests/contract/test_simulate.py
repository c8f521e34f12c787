"""`cti-bridge simulate`: two configurations, the same calls, side by side."""

from __future__ import annotations

import json
import xml.etree.ElementTree
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.cli.main import main
from tests.support.agent import Agent, group

OFFICE = """
[sip]
listen = ["udp:127.0.0.1:5060"]
[lines]
a = { number = "201", contact = "sip:201@127.0.0.1:5070" }
b = { number = "202", contact = "sip:202@127.0.0.1:5072" }
[groups.support]
number = "600"
members = ["a", "b"]
strategy = "STRATEGY"
"""


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """Two configurations: one that rings in turn, one that lets callers wait."""
    for name, strategy in (("turn", "sequential"), ("wait", "queue")):
        (tmp_path / f"{name}.toml").write_text(OFFICE.replace("STRATEGY", strategy))
    return str(tmp_path / "turn.toml"), str(tmp_path / "wait.toml")


def test_two_configurations_are_compared(
    files: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same calls in both; the queue loses none; a table for people, JSON for machines, a picture."""
    first, second = files
    words = ["simulate", "--config", first, "--against", second, "--svg", str(tmp_path / "day.svg")]
    assert main([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    turn, wait = (told["rehearsals"][name]["groups"]["support"] for name in ("turn.toml", "wait.toml"))
    assert turn["calls"] == wait["calls"] == told["calls"] > 100
    assert wait["lost"] == 0 < turn["lost"] and wait["mean_wait"] > turn["mean_wait"]
    assert main(words) == 0
    assert "turn.toml" in capsys.readouterr().out.splitlines()[2]
    assert xml.etree.ElementTree.parse(tmp_path / "day.svg").getroot().tag.endswith("svg")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--group", "sales"], 2, "groups are: support"),
        (["--day", "tomorrow"], 2, "2026-11-23"),
        (["--calls", "0"], 1, "no call to rehearse with"),
        (["--journal", "yesterday"], 3, "no journal to read"),
        (["--svg", "/nowhere/x.svg"], 1, "cannot be written"),
    ],
)
def test_what_is_wrong_is_named(
    files: tuple[str, str], tmp_path: Path, words: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A group, a day or a file that is not, a day without calls, a journal that there is not."""
    places = ["--config", files[0], "--state", str(tmp_path), "--control", str(tmp_path / "control.sock")]
    assert main(["simulate", *places, *words]) == code
    assert said in capsys.readouterr().err


def test_without_a_file_the_running_bridge_s_is_taken(
    bridge: Callable[..., Agent], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who has started the example has no file to name; with no agent either, it is said that there is none."""
    monkeypatch.setattr("bridge.config.find.PLACES", (Path("cti-bridge.toml"),))
    monkeypatch.delenv("CTI_BRIDGE_CONFIG", raising=False)
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    agent = bridge(lines={"a": {"number": "201", "password": "p"}}, groups={"support": group("600", "a")})
    assert main(["simulate", "--json", "--control", str(agent.control)]) == 0
    assert list(json.loads(capsys.readouterr().out)["rehearsals"]) == [agent.config.name]
    assert main(["simulate", "--control", str(empty / "none")]) == 2
    assert "there is no configuration" in capsys.readouterr().err
