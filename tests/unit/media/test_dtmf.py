import pytest

from bridge.media.dtmf import KEYS, KeyReader, presses
from bridge.media.rtp import Packet


def of(payload: bytes, timestamp: int = 0) -> Packet:
    """Return an event packet."""
    return Packet(101, 0, timestamp, 1, payload)


def test_a_press_grows_and_ends_three_times() -> None:
    """RFC 4733 §2.5.1: durations in samples, the same volume, the end bit on the last three."""
    payloads = list(presses("5", 80))
    assert [p[0] for p in payloads] == [5] * 6
    assert [int.from_bytes(p[2:], "big") for p in payloads] == [160, 320, 480, 640, 640, 640]
    assert [bool(p[1] & 0x80) for p in payloads] == [False, False, False, True, True, True]


def test_every_key_is_read_once_whatever_is_lost() -> None:
    """All sixteen keys, of whose packets only one, two or the last come, with the same key twice running."""
    reader = KeyReader()
    read = []
    for number, key in enumerate(KEYS + "DD"):
        for payload in list(presses(key))[number % 5 :: 3]:
            read.append(reader.take(of(payload, number * 800)))
    assert "".join(filter(None, read)) == KEYS + "DD"


@pytest.mark.parametrize("payload", [b"", b"\x05\x0a\x00", b"\x10\x0a\x00\xa0", b"\xff" * 4])
def test_what_is_no_key_is_none(payload: bytes) -> None:
    """Too short, or an event that is no key, such as a flash (16)."""
    assert KeyReader().take(of(payload)) is None


@pytest.mark.parametrize("key", ["", "12", "x", "é"])
def test_a_key_that_does_not_exist_is_refused(key: str) -> None:
    """The message names the keys there are."""
    with pytest.raises(ValueError, match="must be one of 0123456789"):
        list(presses(key))
