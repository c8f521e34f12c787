"""Reading takes time linear in what is read: no string of 64 KiB, however nasty, holds the bridge up."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from bridge.sip.digest import parse_digests
from bridge.sip.flow import Flow
from bridge.sip.framing import StreamFramer
from bridge.sip.grammar import parse_address, parse_parameters, parse_uri, split_list, tag_of, uri_of
from bridge.sip.message import Request
from bridge.sip.reading import parse_message
from bridge.sip.sdpread import parse_session
from bridge.sip.via import stamp_source, top_via, way_back

LENGTH = 64 * 1024
UNITS = [
    "a",
    "1",
    " ",
    ";",
    ",",
    "=",
    '"',
    "\\",
    '\\"',
    "<",
    ".",
    "a.",
    "a-",
    ":",
    "%41",
    "; ",
    ";a",
    ";a=a",
    ';a="',
    '"a"',
]
UNITS += [
    "a=a,",
    'a="b",',
    ";rport",
    "\r\n ",
    "\n",
    "\r\n",
    "a:b\r\n",
    "Via: x\r\n",
    "l:0\r\n",
    "a=rtpmap:0 a/1\r\n",
    "[",
    "1:",
]
ENDS = ["", "!", '"', ">", ";"]
BEGINS: dict[Callable[[str], object], list[str]] = {}


def reads(*begins: str) -> Callable[[Callable[[str], object]], Callable[[str], object]]:
    """Mark what reads text, with the beginnings after which a reader is somewhere else in its grammar."""

    def mark(reader: Callable[[str], object]) -> Callable[[str], object]:
        BEGINS[reader] = list(begins)
        return reader

    return mark


@reads("", "INVITE ", "INVITE sip:a SIP/2.0\r\n", "INVITE sip:a SIP/2.0\r\nVia: ", "SIP/2.0 200 ")
def message(text: str) -> object:
    """Read a message."""
    return parse_message(f"{text}\r\n\r\n".encode())


@reads("", "sip:", "tel:+", "tel:", "sip:a@", "sip:a@b;", "sip:[")
def uri(text: str) -> object:
    """Read a URI."""
    return parse_uri(text)


@reads("", '"', "<sip:", "<sip:a@b>", "a ", '<sip:a@b>;x="', "<tel:+")
def address(text: str) -> object:
    """Read an address."""
    return tag_of(text), uri_of(text), parse_address(text)


@reads(
    "",
    "SIP/2.0/UDP ",
    "SIP/2.0/UDP a",
    "SIP/2.0/UDP a;",
    'SIP / 2.0 / UDP a;b="',
    "SIP/2.0/UDP [",
    "SIP/2.0/UDP a;rport",
)
def via(text: str) -> object:
    """Read a Via, and write into it where it came from."""
    request = Request("OPTIONS", "sip:a", {"Via": [text]})
    way_back(request, Flow("udp", "192.0.2.1", 5060))
    return stamp_source(request, top_via(text), Flow("udp", "192.0.2.1", 5060))


@reads("", ';a="', ";a=")
def parameters(text: str) -> object:
    """Read parameters."""
    return parse_parameters(text)


@reads("", '"', "<")
def several(text: str) -> object:
    """Read a list."""
    return split_list(text)


@reads("", "Digest ", 'Digest a="', "Digest a=b", "Digest a")
def digests(text: str) -> object:
    """Read credentials."""
    return parse_digests(text)


SESSION = "v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\ns=-\r\n"


@reads(
    "",
    SESSION,
    SESSION + "m=audio 1 RTP/AVP 0\r\n",
    SESSION + "m=",
    SESSION + "m=audio 1 RTP/AVP 0\r\na=rtpmap:",
    "v=0\r\no=",
)
def session(text: str) -> object:
    """Read a session description."""
    return parse_session(text.encode())


@reads("", "INVITE ", "INVITE sip:a SIP/2.0\r\n", "INVITE sip:a SIP/2.0\r\nl")
def stream(text: str) -> object:
    """Read a stream that comes in small pieces."""
    framer = StreamFramer()
    data = text.encode()
    return [framer.feed(data[at : at + 500]) for at in range(0, len(data), 500)]


@pytest.mark.parametrize("reader", BEGINS, ids=lambda reader: reader.__name__)
def test_reading_takes_linear_time(reader: Callable[[str], object]) -> None:
    """Eight times as much takes about eight times as long; where it took 64 times, this would take minutes."""
    for begin in BEGINS[reader]:
        for unit in UNITS:
            text = begin + unit * (LENGTH // len(unit))
            start = time.process_time()
            for end in ENDS:
                try:
                    reader(text + end)
                except ValueError:
                    continue
            spent = time.process_time() - start
            assert spent < 2.0, f"{begin!r} + many {unit!r} took {spent:.1f} s"
