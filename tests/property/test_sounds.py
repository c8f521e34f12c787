"""Whatever is in a file, an INFO or a description, it is played, pressed, answered or refused; nothing else comes."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from bridge.calls.spoken import key_in
from bridge.media.carriage import Carriage, Told
from bridge.media.choice import Party
from bridge.media.dtmf import KEYS
from bridge.media.model import CALLER, MEMBER
from bridge.media.prompts import LANGUAGES
from bridge.media.spelling import pieces
from bridge.media.voice import speakable
from bridge.media.wav import WavError, samples_in
from bridge.sip.grammar import SipError
from bridge.sip.message import Body, Request
from bridge.sip.sdpread import parse_session
from tests.property.test_sip_fuzz import mutated
from tests.support import corpus
from tests.support.wav import wav
from tests.support.ways import ToldMedia

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


@given(mutated([corpus.SDP.encode()]), mutated([corpus.SDP.encode()]), st.booleans())
@example(corpus.SDP.encode(), corpus.SDP.encode(), False)
def test_wounded_descriptions_are_answered_or_refused(first: bytes, second: bytes, phone: bool) -> None:
    """By our own voice, as offers and as answers; what comes of one can be read, and offered onward."""
    media = ToldMedia()
    relay = media.open()
    assert relay is not None
    side = Party("10.0.1.3", "10.0.0.100", phone=phone)
    carriage = Carriage(relay, (side, side), (Told("1"), Told("2")))
    voice = carriage.voice(CALLER)
    said = [Body("application/sdp", data) for data in (first, second)]
    for step in (lambda: voice.answer(said[0]), lambda: voice.offer(), lambda: voice.settle(said[1])):
        try:
            step()
        except SipError as error:
            assert error.status in (400, 413, 415, 488)
    for body in (voice.said, voice.agreed):
        assert body is None or parse_session(body.data).media
    if voice.agreed is None:
        return
    voice.play(["music"], loop=True)
    voice.press("1")
    onward = carriage.offer(CALLER, speakable(voice.agreed))
    try:
        carriage.answer(MEMBER, Body("application/sdp", second))
    except SipError:
        assert not voice.closed
    else:
        assert voice.closed and parse_session(onward.data)
