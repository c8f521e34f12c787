"""WAV files in the configuration: one that is gone or cannot be played is a mistake like any other."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.config.load import parse
from bridge.config.problems import ConfigError
from bridge.config.settings import Settings
from bridge.config.sound import LARGEST, files_in
from tests.support.wav import wav

TEXT = """
[sip]
[lines.a]
number = "201"
contact = "sip:201@192.0.2.1"
[groups.g]
number = "600"
members = ["a"]
strategy = "queue"
[groups.g.queue]
music = "{music}"
"""


def settings(base: Path, music: str) -> Settings:
    """Return settings with this music."""
    return parse(TEXT.format(music=music), base, {})


def test_a_file_is_found_beside_the_configuration(tmp_path: Path) -> None:
    """By a relative path, which becomes an absolute one; there may be others anywhere."""
    (tmp_path / "hold.wav").write_bytes(wav([0] * 80, 44100, channels=2))
    for given in ("hold.wav", str(tmp_path / "hold.wav")):
        made = settings(tmp_path, given)
        assert list(files_in(made)) == [str(tmp_path / "hold.wav")]
    assert not list(files_in(settings(tmp_path, "default")))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "hold.wav cannot be read (No such file or directory); give the path of a WAV file that is there"),
        (b"ID3\x04 music", "hold.wav cannot be played: it is no WAV file; give uncompressed PCM"),
        (wav([0], 8000, kind=85), "hold.wav cannot be played: it is MP3; give uncompressed PCM"),
    ],
)
def test_a_file_that_cannot_be_played_is_a_mistake(tmp_path: Path, content: bytes | None, why: str) -> None:
    """With its key, its line, what is wrong and what would be right."""
    if content is not None:
        (tmp_path / "hold.wav").write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, "hold.wav")
    (problem,) = caught.value.problems
    assert (problem.path, problem.line) == ("groups.g.queue.music", 11)
    assert problem.what.startswith(why)


def test_a_huge_file_is_not_even_read(tmp_path: Path) -> None:
    """Its size says enough."""
    with (tmp_path / "hold.wav").open("wb") as file:
        file.truncate(LARGEST + 1)
    with pytest.raises(ConfigError, match="has over 64 MB; cut it"):
        settings(tmp_path, "hold.wav")


@pytest.mark.parametrize("given", ["", "a\\u0000b", "a\\nb"])
def test_what_is_no_path(tmp_path: Path, given: str) -> None:
    """Says so."""
    with pytest.raises(ConfigError, match="is no path"):
        settings(tmp_path, given)


def test_the_language_is_one_that_ships(tmp_path: Path) -> None:
    """English or German."""
    assert parse('[site]\nlanguage = "de"\n' + TEXT.format(music="default"), tmp_path, {}).site.language == "de"
    with pytest.raises(ConfigError, match="site.language"):
        parse('[site]\nlanguage = "fr"\n' + TEXT.format(music="default"), tmp_path, {})
