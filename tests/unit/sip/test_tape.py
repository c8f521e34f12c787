"""The tape: what is kept of the SIP that passed, and what never leaves it."""

from __future__ import annotations

import pytest

from bridge.sip.flow import Flow
from bridge.sip.tape import Tape, Taped, blotted

PHONE = Flow("udp", "10.0.0.1", 5060)


def test_messages_come_back_in_their_order() -> None:
    """By number, from 1; those after a number alone where one is named."""
    tape = Tape()
    for number in range(5):
        tape.note(number % 2 == 0, PHONE, f"m{number}".encode(), float(number))
    assert [each.data for each in tape.after()] == [b"m0", b"m1", b"m2", b"m3", b"m4"]
    assert [each.number for each in tape.after(3)] == [4, 5]
    assert [each.sent for each in tape.after(3)] == [False, True]
    assert tape.last == 5 and list(tape.after(5)) == [] and list(tape.after(99)) == []


def test_it_is_bounded_in_bytes_and_in_time() -> None:
    """The oldest go first; numbers go on. One that alone is too large is not kept."""
    tape = Tape(most=10_000, seconds=60.0)
    for number in range(100):
        tape.note(True, PHONE, b"x" * 800, number / 100)
    kept = list(tape.after())
    assert len(kept) == 10 and kept[-1].number == 100
    tape.note(True, PHONE, b"late", 100.0)
    assert [each.data for each in tape.after()] == [b"late"]
    tape.note(True, PHONE, b"x" * 20_000, 101.0)
    assert list(tape.after()) == []
    tape.note(True, PHONE, b"next", 102.0)
    assert [each.number for each in tape.after()] == [103]


def test_a_listener_hears_what_passes() -> None:
    """At once, as long as it listens."""
    tape = Tape()
    heard: list[Taped] = []
    tape.listener = heard.append
    tape.note(True, PHONE, b"a", 1.0)
    tape.listener = None
    tape.note(True, PHONE, b"b", 2.0)
    assert [each.data for each in heard] == [b"a"]


@pytest.mark.parametrize(
    ("written", "secret"),
    [
        ('Authorization: Digest username="203", realm="r", response="c0ffee", cnonce="x"', "c0ffee"),
        ("Proxy-Authorization: Digest username=203,response=c0ffee,uri=x", "c0ffee"),
        ("authorization : Basic YW5uYTpwdw==", "YW5uYTpwdw=="),
        ("Authorization: Bearer ey.abc", "ey.abc"),
        ("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:S3cr3tKey+/=|2^20|1:4", "S3cr3tKey"),
        ("k=clear:hunter2", "hunter2"),
        ("a=ice-pwd:hunter2hunter2", "hunter2"),
        ("Signal=4", "=4"),
        ("Signal = 4", "= 4"),
    ],
)
def test_secrets_are_blotted_out(written: str, secret: str) -> None:
    """Answers to challenges, keys of media, keys pressed: all else stays readable."""
    text = blotted(f"INFO sip:203@x SIP/2.0\r\nTo: <sip:203@x>\r\n{written}\r\nCSeq: 1 INFO\r\n\r\n".encode())
    assert secret not in text and "***" in text
    assert "To: <sip:203@x>" in text and "CSeq: 1 INFO" in text


def test_a_key_that_is_the_whole_body_is_blotted_out() -> None:
    """INFO with application/dtmf has nothing but the key."""
    text = blotted(b"INFO sip:203@x SIP/2.0\r\nContent-Type: application/dtmf\r\nContent-Length: 1\r\n\r\n7")
    assert text.endswith("\r\n\r\n***")


def test_bytes_that_are_no_text_are_shown_as_such() -> None:
    """Whatever a peer has sent can be shown."""
    assert "\ufffd" in blotted(b"INVITE \xff\xfe")
