"""What ships to be played: every prompt in every language, and nothing that a small computer has no room for."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.media.g711 import FRAME, ULAW, decode
from bridge.media.prompts import LANGUAGES, MUSIC, TONES, Prompt, minutes, number
from bridge.media.sounds import Sounds
from bridge.media.spelling import HUNDRED, MINUTES, ONE_MINUTE, all_number_pieces
from bridge.media.tone import level

SHIPPED = Path(__file__).parents[3] / "bridge" / "media" / "sounds"


def shipped(language: str) -> set[str]:
    """Return what ships in one language."""
    return {path.stem for path in (SHIPPED / language).glob("*.ulaw")}


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_is_said_in_every_language(language: str) -> None:
    """Each prompt and each piece of numbers, and nothing that nobody asks for."""
    assert shipped(language) == {*Prompt, HUNDRED, MINUTES, ONE_MINUTE, *all_number_pieces(language)}
    assert {path.stem for path in SHIPPED.glob("*.ulaw")} == {MUSIC, *TONES}


@pytest.mark.parametrize("language", LANGUAGES)
def test_prompts_are_about_equally_loud_and_short(language: str) -> None:
    """Nobody has to turn up the volume, or to wait long."""
    for path in (SHIPPED / language).glob("*.ulaw"):
        samples = decode(ULAW, path.read_bytes())
        assert -30 < level(samples) < -12, path
        assert 0.15 < len(samples) / 8000 < 4.5, path


def test_music_goes_round_without_a_click() -> None:
    """What still sounds at its end is heard at its begin; it is quieter than speech."""
    samples = decode(ULAW, (SHIPPED / f"{MUSIC}.ulaw").read_bytes())
    steps = [abs(after - before) for before, after in zip(samples, samples[1:], strict=False)]
    assert abs(samples[0] - samples[-1]) <= max(steps)
    assert 20 <= len(samples) / 8000 <= 30 and -32 < level(samples) < -23


def test_all_of_it_is_small() -> None:
    """It is in every copy of the bridge."""
    assert sum(path.stat().st_size for path in SHIPPED.rglob("*.ulaw")) < 1_500_000


def test_tracks_are_whole_frames_in_both_laws() -> None:
    """Numbers in pieces; another language once it is asked for."""
    sounds = Sounds("en")
    english = sounds.tracks([Prompt.YOU_ARE_NUMBER, number(21), minutes(2), MUSIC])
    assert len(english) == 1 + 2 + 2 + 1
    assert all(len(ulaw) == len(alaw) and not len(ulaw) % FRAME for ulaw, alaw in english)
    sounds.configure("de")
    german = sounds.tracks([Prompt.YOU_ARE_NUMBER, number(21), minutes(2), MUSIC])
    assert german[0] != english[0] and german[-1] == english[-1]


def test_a_sound_that_is_not_there_is_silent() -> None:
    """For a moment, instead of failing in the midst of a call."""
    (track,) = Sounds().tracks(["nonsense"])
    assert set(track.ulaw) == {ULAW.silence}
