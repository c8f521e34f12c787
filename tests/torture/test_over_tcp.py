"""RFC 4475 over a stream: each message comes out of it as it went in, however it is cut, or ends the connection."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bridge.sip.flow import Flow
from bridge.sip.framing import StreamFramer
from bridge.sip.message import Response
from tests.support.torture import STRANGER, House
from tests.torture import test_applications, test_invalid, test_valid

TESTS = {
    name.removeprefix("test_"): found
    for module in (test_valid, test_invalid, test_applications)
    for name, found in vars(module).items()
    if name.startswith("test_")
}
UNLIKE = {
    "dblreq": "cut",  # what stands behind the first message is the beginning of the next
    "clerr": "waits",  # for the rest of the body, until the connection has waited for too long
    "multi01": "waits",  # its body is shorter than it says
    "ncl": "ends",
    "mcl01": "ends",
    "inv2543": "cut",  # without a length there is no body in a stream (RFC 3261 §18.3)
}
"""What becomes of the messages whose length is what is wrong with them."""


def test_all_are_there() -> None:
    """RFC 4475 has 49 messages: 13 that are valid, 19 that are not, and 17 for the layers above."""
    assert len(TESTS) == 49
    assert [len([n for n in vars(m) if n.startswith("test_")]) for m in (test_valid, test_invalid)] == [13, 19]


def fate(data: bytes) -> str:
    """Return what becomes of a message that comes byte by byte: `whole`, `waits`, `cut` into more, or `ends` it all."""
    framer = StreamFramer()
    items = [item for byte in data for item in framer.feed(bytes([byte]))]
    if framer.broken is not None:
        return "ends"
    if items == [data]:
        return "whole"
    assert b"".join(items) == data[: len(b"".join(items))]
    return "waits" if not items else "cut"


@pytest.mark.parametrize("name", TESTS)
def test_comes_out_of_a_stream(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message of the RFC, as its own test sends it first, which passes with what comes out of the stream."""
    sent: list[bytes] = []
    plainly: Callable[..., list[Response]] = House.told

    def told(house: House, data: bytes, source: Flow = STRANGER) -> list[Response]:
        sent.append(data)
        return plainly(house, data, source)

    monkeypatch.setattr(House, "told", told)
    TESTS[name]()
    assert fate(sent[0]) == UNLIKE.get(name, "whole")
