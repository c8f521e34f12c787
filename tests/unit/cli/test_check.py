from __future__ import annotations

import json
from pathlib import Path

import pytest

from bridge.cli.main import main
from bridge.config.find import EXAMPLE
from tests.support.toml import changed


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Return the path of a configuration that a test writes."""
    return tmp_path / "cti-bridge.toml"


def test_nothing_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    """What is right is said to be, with what it sets up; exit 0."""
    assert main(["check", "--config", str(EXAMPLE)]) == 0
    assert capsys.readouterr() == (f"{EXAMPLE} is right: 3 lines, 2 users, 3 groups, 1 desk\n", "")


def test_every_mistake(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every mistake has a line of its own; exit 2."""
    config.write_text(changed("leaders", "leader").replace("gpio = 27", "gpio = 99"))
    assert main(["check", "--config", str(config)]) == 2
    assert capsys.readouterr().out == (
        f"{config} has 2 mistakes:\n"
        "  groups.support.leader: unknown key; did you mean leaders? (line 32)\n"
        "  desks.anna.lamps[0].gpio: 99 is too large; right is 27 or less (line 46)\n"
    )


def test_mistakes_for_machines(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --json each mistake has its path, line and text."""
    config.write_text(changed("leaders", "leader"))
    assert main(["--json", "check", "--config", str(config)]) == 2
    said = json.loads(capsys.readouterr().out)
    problem = {"path": "groups.support.leader", "what": "unknown key; did you mean leaders?", "line": 32}
    assert said == {"status": "error", "file": str(config), "problems": [problem], "notices": []}


def test_no_file(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is not there is told as it is; exit 2."""
    assert main(["check", "--config", str(config)]) == 2
    assert capsys.readouterr().out == f"{config} cannot be read: No such file or directory\n"


def test_the_variable(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The configuration may be named in the environment."""
    config.write_text(changed())
    monkeypatch.setenv("CTI_BRIDGE_CONFIG", str(config))
    assert main(["check"]) == 0


def test_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    """--schema prints JSON Schema and looks at no configuration."""
    assert main(["check", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out)["$schema"] == "https://json-schema.org/draft/2020-12/schema"
