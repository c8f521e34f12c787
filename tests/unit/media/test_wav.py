"""WAV files: every kind that people have, resampled without what cannot be heard at 8 kHz being heard elsewhere."""

from __future__ import annotations

import math
from array import array

import pytest

from bridge.media.ear import judge
from bridge.media.tone import level
from bridge.media.wav import WavError, parts_of, resampled, samples_in
from tests.support.wav import wav


def tone(hertz: float, rate: int, seconds: float = 0.25, peak: int = 16000) -> array[int]:
    """Return a tone at any rate."""
    return array("h", [round(peak * math.sin(2 * math.pi * hertz * n / rate)) for n in range(round(rate * seconds))])


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000])
@pytest.mark.parametrize("hertz", [300, 1000, 3000])
def test_a_tone_stays_the_tone_that_it_is(rate: int, hertz: int) -> None:
    """As long, as loud within half a decibel, as high."""
    made = samples_in(wav(tone(hertz, rate), rate))
    assert len(made) == pytest.approx(2000, abs=1)
    loud, heard = judge(made[:1500])
    assert heard is not None and abs(heard - hertz) <= 1
    assert loud == pytest.approx(level(tone(hertz, 8000)), abs=0.5)


@pytest.mark.parametrize("rate", [16000, 44100, 48000])
@pytest.mark.parametrize("hertz", [4400, 5000, 7000])
def test_what_is_too_high_is_gone(rate: int, hertz: int) -> None:
    """It would be heard as another tone: at least 60 dB quieter."""
    made = resampled(tone(hertz, rate), rate)
    assert level(made[200:-200]) < level(tone(hertz, rate)) - 60


@pytest.mark.parametrize("bits", [8, 16, 24, 32])
@pytest.mark.parametrize("channels", [1, 2])
def test_widths_and_channels(bits: int, channels: int) -> None:
    """All come out alike."""
    sound = tone(500, 8000)
    made = samples_in(wav(sound, 8000, bits, channels))
    assert max(abs(a - b) for a, b in zip(made, sound, strict=True)) < (256 if bits == 8 else 1)


def test_two_channels_are_mixed() -> None:
    """Opposite ones cancel out."""
    sound = tone(500, 8000)
    both = array("h", [each for one in sound for each in (one, -one)])
    data = wav(both, 8000)
    data = data.replace(b"\x01\x00\x01\x00", b"\x01\x00\x02\x00", 1)
    assert max(map(abs, samples_in(data))) <= 1


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no WAV file"),
        (b"ID3\x04", "no WAV file"),
        (b"RIFF\x04\x00\x00\x00WAVE", "no sound"),
        (b"RIFF\x04\x00\x00\x00WAVEfmt \x04\x00\x00\x00abcd", "cut off"),
        (b"RIFF\x04\x00\x00\x00WAVEdata\x04\x00\x00\x00abcd", "before its format"),
        (wav([], 8000), "no sound"),
        (wav([1], 8000, kind=3), "floating point"),
        (wav([1], 8000, kind=85), "MP3"),
        (wav([1], 8000, kind=99), "of kind 99"),
        (wav([1], 8000, channels=6), "6 channels"),
        (wav([1], 4000), "4000 samples a second"),
        (wav([1], 44101), "44101 samples a second"),
        (wav([1] * 10, 8000, bits=40), "40 bits"),
    ],
)
def test_what_cannot_be_played_says_why(data: bytes, why: str) -> None:
    """And what would be right."""
    with pytest.raises(WavError, match=why):
        parts_of(data)


def test_a_recording_that_was_interrupted_is_played_as_far_as_it_goes() -> None:
    """Its size says more than there is."""
    data = wav(tone(500, 8000), 8000)
    assert len(samples_in(data[:-101])) == 2000 - 51
