"""A house that is sent the messages of RFC 4475: what it says to them, and whether a phone in it rings.

    house = House()
    (refusal,) = house.told(message('''
        OPTIONS sip:user@example.com SIP/2.0
        ...
    '''))

A PBX, trusted as a trunk, is at `TRUNK`: what it calls rings at the phone "m1". Everybody else is a stranger.
"""

from __future__ import annotations

import random
import re
import textwrap

from bridge.calls.model import ExchangeSettings, TrunkSettings
from bridge.directory.model import Line
from bridge.sip.digest import Authenticator, Credentials
from bridge.sip.flow import Flow
from bridge.sip.message import Request, Response
from tests.support.lab import BRIDGE, Lab

TRUNK = Flow("udp", "192.0.2.1", 5060)
STRANGER = Flow("udp", "192.0.2.99", 5060)
PBX = TrunkSettings("pbx", TRUNK.host, register=False, check=False, username="620", number="600")


def message(head: str, body: str | bytes = b"") -> bytes:
    """Return a message's bytes: lines as written, without their common indentation, ended by CR LF."""
    return lines(head) + b"\r\n" + (lines(body) if isinstance(body, str) else body)


def lines(text: str) -> bytes:
    """Return lines without their common indentation, each ended by CR LF."""
    return textwrap.dedent(text).strip("\n").replace("\n", "\r\n").encode() + b"\r\n"


def sdp(host: str, connection: str | None = None, time: str = "0 0") -> str:
    """Return the description of a session that most INVITEs of RFC 4475 carry."""
    return (
        f"v=0\no=mhandley 29739 7272939 IN IP4 {host}\ns=-\nc=IN IP4 {connection or host}\nt={time}\n"
        "m=audio 49217 RTP/AVP 0 12\nm=video 3227 RTP/AVP 31\na=rtpmap:31 LPC\n"
    )


class House:
    """The bridge with one member, one trunk, and a line that may register under the number `registers`."""

    def __init__(self, registers: str = "nobody") -> None:
        self.number = registers
        self.lab = Lab(
            members=1,
            more_lines=(Line("registering", registers, registers=True),),
            settings=ExchangeSettings(trunks=(PBX,), passwords={"registering": "secret"}),
        )
        self.lab.exchange.start(self.lab.now)

    def told(self, data: bytes, source: Flow = STRANGER) -> list[Response]:
        """Return what the bridge answers to a message at once, to whomever."""
        before = len(self.lab.wire)
        self.lab.exchange.receive(data, source, self.lab.now)
        self.lab.run(0)
        said = [passed.message for passed in self.lab.wire[before:] if passed.source == BRIDGE[1:3]]
        return [answer for answer in said if isinstance(answer, Response)]

    def codes(self, data: bytes, source: Flow = STRANGER) -> list[int]:
        """Return the codes of what the bridge answers to a message."""
        return [answer.code for answer in self.told(data, source)]

    def registered(self, data: bytes, source: Flow = STRANGER) -> Response:
        """Send a REGISTER, and again with the credentials that it is challenged for; return the last answer."""
        (challenge,) = self.told(data, source)
        assert challenge.code == 401
        uri = data.split(b" ", 2)[1].decode()
        proof = Authenticator(Credentials(self.number, "secret"), random.Random(1)).answer(challenge, "REGISTER", uri)
        assert proof is not None
        again = data.replace(b"\r\n", f"\r\n{proof[0]}: {proof[1]}\r\n".encode(), 1)
        (answer,) = self.told(re.sub(rb"branch=z9hG4bK", b"branch=z9hG4bKa", again), source)
        return answer

    @property
    def rung(self) -> Request:
        """The one INVITE that has reached the member's phone."""
        (invite,) = self.lab["m1"].invites
        return invite

    @property
    def silent(self) -> bool:
        """Whether no phone was rung."""
        return not self.lab["m1"].invites and not self.lab.exchange.calls()
