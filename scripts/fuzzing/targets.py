"""What is fuzzed. Each target takes bytes and raises for a bug only; plain messages are what it begins with."""

from __future__ import annotations

import contextlib
import json
import random
import sys
from collections.abc import Callable
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

with atheris.instrument_imports(include=["bridge", "sipmessage"]):
    from bridge.sip.digest import Authenticator, Credentials, DigestError, parse_digests
    from bridge.sip.flow import Flow
    from bridge.sip.framing import StreamFramer
    from bridge.sip.grammar import SipError
    from bridge.sip.message import Response
    from bridge.sip.reading import parse_message
    from bridge.sip.sdpread import parse_session
    from tests.support import corpus
    from tests.support.dialogs import Dialogs, beginnings
    from tests.support.lab import answers
    from tests.support.torture import STRANGER, TRUNK, House

AGAIN = 200  # inputs after which the house is a new one
SOURCES = (STRANGER, TRUNK, Flow("udp", "10.0.0.1", 5060), Flow("udp", "10.0.1.1", 5060))


def message(data: bytes) -> None:
    """Read a message; what was read is written and read again."""
    try:
        first = parse_message(data)
    except SipError:
        return
    again = parse_message(bytes(first))
    assert type(again) is type(first) and again.body == first.body


def description(data: bytes) -> None:
    """Read a session description; what was read is written and read again."""
    try:
        first = parse_session(data)
    except SipError:
        return
    parse_session(bytes(first))


def digest(data: bytes) -> None:
    """Read credentials or a challenge, and answer it."""
    value = data.decode("utf-8", "surrogateescape")
    with contextlib.suppress(DigestError):
        parse_digests(value)
    asked = {"Call-ID": ["c"], "CSeq": ["1 REGISTER"], "WWW-Authenticate": [value]}
    ours = Authenticator(Credentials("620", "secret"), random.Random(1))
    ours.answer(Response(401, headers=asked), "REGISTER", "sip:pbx")


def stream(data: bytes) -> None:
    """Cut a stream into messages, the same whatever pieces it comes in; its first byte says which."""
    size = data[0] + 1 if data else 1
    whole, framer = StreamFramer(), StreamFramer()
    expected = whole.feed(data[1:])
    found = [item for at in range(1, len(data), size) for item in framer.feed(data[at : at + size])]
    assert found == expected


class _Exchange:
    """A house that is sent everything, from somebody whom the first byte chooses, until it is a new one.

    Where something is found, all that this house was sent is written to `sequence`, a line of hex for each input.
    """

    def __init__(self, sequence: Path) -> None:
        self._sequence = sequence
        self._begin()

    def _begin(self) -> None:
        self._inputs: list[bytes] = []
        self._lab = House(registers="203").lab
        self._lab["m1"].on_invite = answers

    def __call__(self, data: bytes) -> None:
        if not data:
            return
        self._inputs.append(data)
        try:
            self._send(data)
        except BaseException:
            self._sequence.write_text("".join(f"{each.hex()}\n" for each in self._inputs))
            raise

    def _send(self, data: bytes) -> None:
        lab = self._lab
        lab.now += 0.1
        lab.exchange.receive(data[1:], SOURCES[data[0] % len(SOURCES)], lab.now)
        lab.run(0.01)
        del lab.wire[:]
        for event in lab.events:
            json.dumps(event.to_json(), ensure_ascii=False).encode()
        lab.events.clear()
        if len(self._inputs) == AGAIN:
            lab.run(1500)
            assert not lab.exchange.calls() and not lab.exchange.ua.legs and len(lab.exchange.ua.layer) == 0
            self._begin()


def _beginnings(target: str) -> list[bytes]:
    """Return what a target begins with."""
    plain = corpus.plain(TRUNK.host)
    match target:
        case "dialogs":
            return list(beginnings())
        case "description":
            return [corpus.SDP.encode()]
        case "digest":
            return [line.partition(": ")[2].encode() for line in (corpus.DIGEST, corpus.CHALLENGE)]
        case "stream":
            return [b"\x20" + b"".join(plain[at : at + 3]) for at in range(len(plain))]
        case "exchange":
            return [bytes([who]) + each for who, source in enumerate(SOURCES) for each in corpus.plain(source.host)]
        case _:
            return plain


def main() -> None:
    """Fuzz the target that is named first; the other arguments are libFuzzer's, the corpus last."""
    target = sys.argv.pop(1)
    places = Path(sys.argv[-1])
    targets: dict[str, Callable[[bytes], None]] = {
        "message": message,
        "description": description,
        "digest": digest,
        "stream": stream,
        "exchange": _Exchange(places.parent / "sequence"),
        "dialogs": Dialogs(places.parent / "sequence"),
    }
    for number, data in enumerate(_beginnings(target)):
        (places / f"plain-{number}").write_bytes(data)
    (places.parent / "pieces").write_text("".join(_word(piece) for piece in corpus.PIECES if piece))
    atheris.Setup([*sys.argv, f"-dict={places.parent / 'pieces'}"], targets[target])
    atheris.Fuzz()


def _word(piece: bytes) -> str:
    """Return a line of libFuzzer's dictionary."""
    return '"' + "".join(f"\\x{byte:02x}" for byte in piece[:60]) + '"\n'


main()
