"""Messages inside dialogs: what phones that are in calls send, which nobody else could, for they know the tags.

An input is a message in which `@C`, `@F`, `@T` and `@N` stand for Call-ID, tags and a number that grows. Its first byte
says whose dialog it is of, whether it is a request or the answer to the last request that was sent there, and how much
time passes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from bridge.sip.flow import Flow
from bridge.sip.message import Request
from tests.support import corpus
from tests.support.lab import ANSWER, OFFER, Lab, Phone, answers
from tests.support.torture import PBX, House
from tests.support.ways import ToldMedia

PAIRS = 100
TIMES = (0.0, 0.01, 1.0, 40.0)
WHO = ("c1", "m1", "c2", "m2")

HEAD = (
    b"%b sip:600@10.0.0.100 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK@N;rport\r\nMax-Forwards: 70\r\n"
    b"From: <sip:x@10.0.0.1>;tag=@F\r\nTo: <sip:600@10.0.0.100>;tag=@T\r\nCall-ID: @C\r\nCSeq: @N %b\r\n"
    b"Contact: <sip:x@10.0.0.1:5060>\r\n"
)
EXTRAS = {
    b"INVITE": (b"", b"Session-Expires: 90\r\nSupported: timer\r\n", b"Require: 100rel\r\n"),
    b"UPDATE": (b"", b"Session-Expires: 90;refresher=uas\r\n"),
    b"INFO": (b"Content-Type: application/dtmf-relay\r\n",),
    b"REFER": (
        b"Refer-To: <sip:202@10.0.0.100>\r\n",
        b"Refer-To: <sip:601@10.0.0.100>\r\nReferred-By: <sip:x@10.0.0.1>\r\n",
        b"Refer-To: <sip:202@10.0.0.100?Replaces=@C%3Bto-tag%3D@T%3Bfrom-tag%3D@F>\r\n",
    ),
    b"NOTIFY": (b"Event: refer\r\nSubscription-State: terminated\r\nContent-Type: message/sipfrag\r\n",),
    b"PRACK": (b"RAck: 1 1 INVITE\r\n",),
    b"MESSAGE": (b"Content-Type: text/plain\r\n",),
    **dict.fromkeys((b"BYE", b"ACK", b"CANCEL", b"OPTIONS", b"SUBSCRIBE", b"FOO"), (b"",)),
}
STATUSES = (
    b"180 Ringing",
    b"200 OK",
    b"202 Accepted",
    b"302 Moved",
    b"401 Prove",
    b"422 Small",
    b"481 None",
    b"491 Now",
)


def beginnings() -> Iterator[bytes]:
    """Yield a message of each kind, from each side."""
    sdp = b"Content-Type: application/sdp\r\n"
    for method, extras in EXTRAS.items():
        for number, extra in enumerate(extras):
            for body in (b"", OFFER.data, corpus.SDP.encode(), b"Signal=5\r\nDuration=160\r\n"):
                kind = sdp if body and method in (b"INVITE", b"UPDATE", b"ACK") else b""
                length = b"Content-Length: %d\r\n\r\n" % len(body)
                yield bytes([number]) + HEAD % (method, method) + extra + kind + length + body
    for number, status in enumerate(STATUSES):
        for body in (b"", ANSWER.data):
            rest = b"Contact: <sip:x@10.0.0.1>\r\n" + sdp + b"Content-Length: %d\r\n\r\n" % len(body) + body
            yield bytes([4 + number % 4]) + b"SIP/2.0 " + status + b"\r\n" + rest


class Dialogs:
    """A house with a talk, and a call that rings; after `again` inputs it is looked through, and is a new one.

    Where something is found, all that this house was sent is written to `sequence`, a line of hex for each input.
    """

    def __init__(self, sequence: Path, again: int = 60) -> None:
        self._sequence = sequence
        self.again = again
        self._begin()

    def _begin(self) -> None:
        self._inputs: list[bytes] = []
        house = House()
        self._lab = lab = Lab(members=2, settings=house.lab.settings, media=ToldMedia(PAIRS))
        assert PBX in lab.settings.trunks
        lab.exchange.start(lab.now)
        lab["m1"].on_invite = answers
        lab["c1"].accepted(lab["c1"].call("201"))
        lab["c2"].call("202")
        lab.run(0.1)

    def __call__(self, data: bytes) -> None:
        """Send one message, and let the house live."""
        if not data:
            return
        self._inputs.append(data)
        try:
            self._send(data[0], data[1:])
        except BaseException:
            self._sequence.write_text("".join(f"{each.hex()}\n" for each in self._inputs))
            raise

    def _send(self, how: int, text: bytes) -> None:
        lab = self._lab
        phone = lab[WHO[how % 4]]
        flow = Flow("udp", *phone.address)
        message = self._answer(phone, text) if how & 4 else self._request(phone, text)
        lab.exchange.receive(message, flow, lab.now)
        lab.run(TIMES[(how >> 3) % 4])
        if (how >> 5) & 1:
            lab["c1"].accepted(lab["c1"].call("201"))
        for event in lab.events:
            json.dumps(event.to_json(), ensure_ascii=False).encode()
        lab.events.clear()
        del lab.wire[:-50]
        if len(self._inputs) == self.again:
            self._end()

    def _request(self, phone: Phone, text: bytes) -> bytes:
        legs = [leg for leg in self._lab.exchange.ua.legs.values() if leg.dialog and leg.flow.host == phone.address[0]]
        if legs and (dialog := legs[0].dialog):
            pieces = {b"@C": dialog.call_id, b"@F": dialog.remote_tag, b"@T": dialog.local_tag}
            for mark, piece in pieces.items():
                text = text.replace(mark, piece.encode())
        return text.replace(b"@N", b"%d" % (5000 + len(self._inputs)))

    def _answer(self, phone: Phone, text: bytes) -> bytes:
        asked = [p.message for p in self._lab.wire if p.target == phone.address and isinstance(p.message, Request)]
        if not asked:
            return text
        names = ("Via", "From", "To", "Call-ID", "CSeq")
        echo = "".join(f"{name}: {value}\r\n" for name in names for value in asked[-1].headers[name]).encode()
        start, _, rest = text.partition(b"\r\n")
        return start + b"\r\n" + echo + rest

    def _end(self) -> None:
        """Check that nothing is left once all phones have forgotten their calls."""
        lab = self._lab
        for phone in list(lab.phones.values()):
            lab.phones[phone.name] = Phone(lab, phone.name, phone.address)
        lab.run(8000)
        exchange = lab.exchange
        assert not exchange.calls() and not exchange.ua.legs and len(exchange.ua.layer) == 0
        assert all(
            exchange.lines.use(name).calls == exchange.lines.use(name).offers == 0 for name in lab.directory.lines
        )
        assert isinstance(lab.media, ToldMedia) and lab.media.pairs == PAIRS
        self._begin()
