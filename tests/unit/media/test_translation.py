"""Two sides that number or choose differently, brought together in the relay."""

from __future__ import annotations

import pytest

from bridge.media.g711 import ALAW, ULAW, decode, encode
from bridge.media.model import Translation
from bridge.media.translation import matched, widened
from bridge.sip.grammar import SipError
from bridge.sip.sdp import Media
from bridge.sip.sdpread import parse_session


def media(formats: str, *maps: str, kind: str = "audio", protocol: str = "RTP/AVP") -> Media:
    """Return a stream of these formats and rtpmaps."""
    lines = [f"m={kind} 4000 {protocol} {formats}", *(f"a=rtpmap:{each}" for each in maps)]
    text = "\r\n".join(["v=0", "o=- 1 1 IN IP4 192.0.2.1", "s=-", "t=0 0", *lines])
    return parse_session(text.encode()).media[0]


def numbers(translation: Translation | None) -> dict[int, int]:
    """Return which payload types become others."""
    if translation is None:
        return {}
    changed = {come: go for come, go in enumerate(translation.types) if come != go}
    assert {(come | 128, go | 128) for come, go in changed.items() if come < 128} <= set(changed.items())
    return {come: go for come, go in changed.items() if come < 128}


@pytest.mark.parametrize(
    ("formats", "wider"),
    [("8", "8 0"), ("0", "0 8"), ("8 0", "8 0"), ("9 8 101", "9 8 0 101"), ("18", "18"), ("8 13", "8 0 13")],
)
def test_an_offer_gets_the_law_that_it_lacks(formats: str, wider: str) -> None:
    """Behind the one it has: what the phones both have is preferred, and nothing is translated then."""
    assert " ".join(widened(media(formats)).formats) == wider


@pytest.mark.parametrize("other", [{"protocol": "RTP/SAVP"}, {"kind": "video"}, {"protocol": "UDP/TLS/RTP/SAVPF"}])
def test_what_cannot_be_changed_on_the_way_is_left_alone(other: dict[str, str]) -> None:
    """SRTP signs its headers, video is not looked into: such an offer and its answer go on as they are."""
    offered, answered = media("8 101", "101 telephone-event/8000", **other), media("8 96", "96 X/8000", **other)
    assert widened(offered) is offered
    assert matched(offered, answered) == (answered, None, None)


@pytest.mark.parametrize(
    ("offered", "answered", "told", "forth", "back"),
    [
        # the same on both sides: nothing to do
        (("8 0",), ("8 0",), "8 0", {}, {}),
        (("8 101", "101 telephone-event/8000"), ("8 101", "101 telephone-event/8000"), "8 101", {}, {}),
        # the answerer chooses: held to what both have
        (("8 0 9",), ("0",), "0", {}, {}),
        # keys under another number: told under the offerer's, sent on under the answerer's; back as offered or answered
        (
            ("8 101", "101 telephone-event/8000"),
            ("8 96", "96 telephone-event/8000"),
            "8 101",
            {101: 96},
            {96: 101},
        ),
        # the answerer's own number means something else in the offer: only what was offered is understood
        (
            ("8 96 101", "96 opus/48000/2", "101 telephone-event/8000"),
            ("8 96", "96 telephone-event/8000"),
            "8 101",
            {101: 96},
            {},
        ),
        # one law each
        (("8",), ("0",), "8", {8: 0}, {0: 8}),
        (("0 101", "101 telephone-event/8000"), ("8 101", "101 telephone-event/8000"), "0 101", {0: 8}, {8: 0}),
        # the answerer takes both, the offerer has one: what it sends goes on as it is, what comes back is made its own
        (("8",), ("0 8",), "8", {}, {0: 8}),
        # G.711 under a dynamic number
        (("97", "97 PCMA/8000"), ("97", "97 PCMA/8000"), "97", {}, {}),
        (("97", "97 PCMA/8000"), ("0",), "97", {97: 0}, {0: 97}),
        # numbers that RTCP on the same port would have are never touched
        (("8 72", "72 telephone-event/8000"), ("8 96", "96 telephone-event/8000"), "8 72", {}, {96: 72}),
        # what nobody has named goes on where both list it
        (("8 99",), ("99",), "99", {}, {}),
    ],
)
def test_answers(
    offered: tuple[str, ...], answered: tuple[str, ...], told: str, forth: dict[int, int], back: dict[int, int]
) -> None:
    """The answer is told in the offerer's numbers; what either sends is changed into what the other expects."""
    match = matched(media(*offered), media(*answered))
    assert " ".join(match.media.formats) == told
    assert numbers(match.from_offerer) == forth
    assert numbers(match.from_answerer) == back


def test_sound_is_made_the_other_law() -> None:
    """A-law becomes µ-law and back, sounding the same to within both laws' steps; silence stays silence."""
    match = matched(media("8"), media("0"))
    assert match.from_offerer is not None and match.from_answerer is not None
    alaw = encode(ALAW, range(-32000, 32000, 100))
    ulaw = alaw.translate(match.from_offerer.recoded[8])
    assert match.from_offerer.recoded[8] == match.from_offerer.recoded[8 | 128]
    for before, after in zip(decode(ALAW, alaw), decode(ULAW, ulaw), strict=True):
        assert abs(before - after) <= max(16, abs(before) // 16)
    assert bytes([ULAW.silence]).translate(match.from_answerer.recoded[0]) == bytes([ALAW.silence])


@pytest.mark.parametrize("formats", ["9", "18", "101", "13"])
def test_nothing_in_common(formats: str) -> None:
    """An answer with nothing of the offer is none."""
    with pytest.raises(SipError) as failure:
        matched(media("8 101 13", "101 telephone-event/8000"), media(formats, "101 telephone-event/8000"))
    assert failure.value.status == 488
