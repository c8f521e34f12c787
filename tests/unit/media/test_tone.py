import random
from array import array

import pytest

from bridge.media.g711 import ALAW, FRAME, ULAW, Law, decode
from bridge.media.tone import SILENT, frames, level, silence, sine, strongest


@pytest.mark.parametrize("law", [ULAW, ALAW], ids=lambda law: law.name)
@pytest.mark.parametrize("hertz", [300, 425, 440, 1004, 3400])
def test_a_tone_goes_round_without_a_click(law: Law, hertz: int) -> None:
    """Its frames sent twice over are as good a sine as one that was never cut."""
    ready = frames(law, hertz, -10.0)
    assert {len(frame) for frame in ready} == {FRAME}
    round_and_round = decode(law, b"".join(ready * 2))
    whole = sine(hertz, -10.0, len(round_and_round))
    assert max(abs(a - b) for a, b in zip(round_and_round, whole, strict=True)) <= 512  # the law's largest half step


@pytest.mark.parametrize("law", [ULAW, ALAW], ids=lambda law: law.name)
@pytest.mark.parametrize("given", [-3.0, -16.0, -30.0])
def test_a_level_is_found_as_it_was_made(law: Law, given: float) -> None:
    """dBFS in, dBFS out, to the accuracy of G.711."""
    assert level(decode(law, b"".join(frames(law, 440, given)))) == pytest.approx(given, abs=0.2)


def test_silence_and_nothing_are_silent() -> None:
    """No samples and zeros are at the bottom; the silence of a law is near to it."""
    assert level([]) == level([0] * 800) == SILENT
    assert level(decode(ALAW, b"".join(silence(ALAW)))) < -60


def test_the_strongest_of_some_frequencies_is_found() -> None:
    """A tone under noise that is as loud has half of the power; a tone beside is not mistaken for it."""
    rng = random.Random(1)
    noise = [rng.gauss(0, 2000) for _ in range(800)]
    tone = sine(440, 20 * -0.6, 800)
    mixed = array("h", [round(a + b) for a, b in zip(tone, noise, strict=True)])
    found = strongest(mixed, range(300, 3401, 10))
    assert found is not None and found.hertz == 440 and 0.5 < found.share < 0.95
    alone = strongest(sine(1000, -6.0, 800), [430, 440, 1000])
    assert alone is not None and alone.hertz == 1000 and alone.share > 0.99


def test_silence_has_no_tone() -> None:
    """Where there is no power there is no share of it."""
    assert strongest([0] * 800, [440]) is None
    assert strongest([], [440]) is None
