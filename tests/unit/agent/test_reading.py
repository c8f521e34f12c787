"""The configuration is read by a process of its own, and comes back as plain values or as all mistakes."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from bridge.config.find import text_of
from bridge.config.load import load, parse
from bridge.config.problems import ConfigError
from bridge.making import values_of
from bridge.reading import Fixed, Request, _answer, read_again
from bridge.values import Values
from tests.support.toml import OFFICE, changed
from tests.support.wav import wav

EVERYTHING = f"""{OFFICE}
[lines.carla]
number = "204"
password = "another"
[users.carla]
line = "carla"
pin = "4711"
[metrics]
port = 9470
[phonebook]
vcard = "names.vcf"
[menu]
number = "699"
[groups.queue]
number = "602"
members = ["anna"]
strategy = "queue"
[groups.queue.queue]
music = "music.wav"
"""
VCARD = "BEGIN:VCARD\nVERSION:3.0\nFN:Oma\nTEL:030 5550100\nEND:VCARD\n"
HERE = Fixed(parse(OFFICE, Path(), {}).sip.listen, None)  # type: ignore[union-attr]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Return the path of a configuration in which every part is configured, with the files that it names."""
    (tmp_path / "music.wav").write_bytes(wav([0] * 800, 8000))
    (tmp_path / "names.vcf").write_text(VCARD)
    path = tmp_path / "cti-bridge.toml"
    path.write_text(EVERYTHING)
    return path


def test_what_comes_back_is_what_was_read(config: Path) -> None:
    """Secrets, phonebook, sounds and desks included."""
    values = read_again(config, HERE).values
    assert values == values_of(load(config, {}))
    assert values.exchange.phonebook.name_of("0305550100") == "Oma"
    assert values.exchange.passwords == {"anna": "line secret", "carla": "another"}
    assert values.sounds == (str(config.with_name("music.wav")),)


def test_an_agent_needs_nothing_of_what_has_checked_it(config: Path) -> None:
    """The answer can be understood without pydantic, whatever is configured."""
    script = "import pickle, sys; pickle.load(sys.stdin.buffer); print({'pydantic', 'tomllib'} & {*sys.modules} or '')"
    answer = _answer(Request(text_of(config), config.parent))
    assert isinstance(pickle.loads(answer).values, Values)
    done = subprocess.run([sys.executable, "-c", script], input=answer, capture_output=True, check=True)
    assert done.stdout.split() == []


def test_all_mistakes_come_back(tmp_path: Path) -> None:
    """As `load` tells them, with their lines."""
    path = tmp_path / "cti-bridge.toml"
    path.write_text(changed('number = "203"', 'number = "20 3"') + '[lines.ben]\nnumber = "1"\n')
    with pytest.raises(ConfigError) as expected:
        load(path, {})
    with pytest.raises(ConfigError) as told:
        read_again(path, HERE)
    assert told.value.problems == expected.value.problems


def test_what_cannot_change_stays(tmp_path: Path) -> None:
    """Where the bridge listens stays as it is; the key is named."""
    path = tmp_path / "cti-bridge.toml"
    path.write_text(changed("udp:127.0.0.1:5060", "udp:127.0.0.1:5062"))
    read = read_again(path, HERE)
    assert read.fixed == ("sip.listen",)
    assert read.values.sip is not None and read.values.sip.listen == HERE.listen


def test_a_bridge_does_not_become_a_satellite(tmp_path: Path) -> None:
    """That takes a restart, and is said."""
    path = tmp_path / "cti-bridge.toml"
    path.write_text(OFFICE)
    with pytest.raises(ConfigError, match="bridge or a satellite changes with a restart"):
        read_again(path, Fixed(None, None))


def test_a_reader_that_fails(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that was killed, for want of memory perhaps, changes nothing and is told as what is wrong."""
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(ConfigError, match=r"could not be read: the process that reads it ended with 1"):
        read_again(config, HERE)
