"""Whatever is in a file or an INFO, it is played, pressed or refused; nothing else comes of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bridge.calls.spoken import key_in
from bridge.media.dtmf import KEYS
from bridge.media.prompts import LANGUAGES
from bridge.media.spelling import pieces
from bridge.media.wav import WavError, samples_in
from bridge.sip.message import Body, Request
from tests.support.wav import wav

kinds = st.sampled_from([0, 1, 2, 3, 6, 7, 85, 0xFFFE])


@given(
    st.lists(st.integers(-32768, 32767), max_size=40),
    st.sampled_from([8000, 11025, 44100, 48000, 0, 1, 500_000]),
    st.sampled_from([8, 16, 24, 32, 40]),
    st.integers(0, 3),
    kinds,
    st.integers(0, 60),
    st.binary(max_size=8),
)
def test_wounded_files(
    samples: list[int], rate: int, bits: int, channels: int, kind: int, at: int, wound: bytes
) -> None:
    """Any format, with some of its bytes replaced."""
    data = wav(samples, rate, bits, channels, kind)
    data = data[:at] + wound + data[at + len(wound) :]
    try:
        made = samples_in(data)
    except WavError as error:
        assert str(error)
    else:
        assert all(-32768 <= sample <= 32767 for sample in made)


@given(st.binary(max_size=300))
def test_any_bytes_as_a_file(data: bytes) -> None:
    """Also behind a right begin."""
    for begin in (b"", b"RIFF....WAVE", b"RIFF....WAVEfmt "):
        try:
            samples_in(begin + data)
        except WavError as error:
            assert str(error)


@given(st.sampled_from(["application/dtmf-relay", "application/dtmf", "Application/DTMF;x", "text/plain"]), st.binary())
def test_any_bytes_as_an_info(kind: str, data: bytes) -> None:
    """A key or none."""
    request = Request("INFO", "sip:x")
    request.put(Body(kind, data))
    key = key_in(request)
    assert key is None or key in KEYS


@given(st.text(), st.sampled_from(LANGUAGES))
def test_any_name_of_a_sound(name: str, language: str) -> None:
    """Has a piece at least."""
    assert pieces(name, language)
