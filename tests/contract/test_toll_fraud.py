"""What scanners try that look for a way to call at somebody else's cost: nothing gets through to a trunk."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator

import pytest

from tests.support.agent import Agent, group, static
from tests.support.datagrams import SDP, Datagrams
from tests.support.process import wait_until

Bridges = Callable[..., Agent]

NUMBERS = (
    *("0301234", "112", "00442012345678", "900442012345678", "9900442012345678", "+442012345678", "011442012345678"),
    *(
        "0900123456",
        "8810442012345678",
        "0088213123",
        "9011972595144602",
        "*31#0301234",
        "0301234%23",
        "600;ext=0301234",
    ),
    *("301%40pbx", "sip:0301234", "0301234@127.0.0.1", "600/0301234", "%2b442012345678", "0%3301234"),
)
CLAIMS = ("201", "203", "620", "100", "1000", "admin", "anonymous", "0301234", "600")
_count = itertools.count(1)


def attempt(method: str, uri: str, claim: str, sender: Datagrams, *more: str, body: str = SDP) -> bytes:
    """Return a request as scanners write it."""
    number = next(_count)
    lines = [
        f"{method} {uri} SIP/2.0",
        f"Via: SIP/2.0/UDP 127.0.0.1:{sender.port};branch=z9hG4bK-{number};rport",
        "Max-Forwards: 70",
        f'From: "{claim}" <sip:{claim}@127.0.0.1>;tag={number}',
        f"To: <{uri}>",
        f"Call-ID: scan-{number}",
        f"CSeq: 1 {method}",
        f"Contact: <sip:{claim}@127.0.0.1:{sender.port}>",
        "User-Agent: friendly-scanner",
        *more,
        *(["Content-Type: application/sdp"] if body else []),
        f"Content-Length: {len(body)}",
    ]
    return ("\r\n".join([*lines, "", ""]) + body).encode()


def proof(claim: str, password: str, uri: str) -> str:
    """Return a digest with a nonce of the scanner's own."""
    first = hashlib.md5(f"{claim}:cti-bridge:{password}".encode()).hexdigest()
    second = hashlib.md5(f"INVITE:{uri}".encode()).hexdigest()
    answer = hashlib.md5(f"{first}:0:{second}".encode()).hexdigest()
    return f'Digest username="{claim}",realm="cti-bridge",nonce="0",uri="{uri}",response="{answer}",algorithm=MD5'


def attempts(sender: Datagrams, bridge: int, pbx: int) -> Iterator[bytes]:
    """Yield everything that is tried."""
    for number, claim in itertools.product(NUMBERS, CLAIMS[:3]):
        yield attempt("INVITE", f"sip:{number}@127.0.0.1:{bridge}", claim, sender)
    at = f"sip:0301234@127.0.0.1:{bridge}"
    for claim in CLAIMS:
        yield attempt("INVITE", at, claim, sender, f"Authorization: {proof(claim, claim, at)}")
        yield attempt("INVITE", at, claim, sender, f"Proxy-Authorization: {proof(claim, '1234', at)}")
        yield attempt("INVITE", at, claim, sender, f"P-Asserted-Identity: <sip:{claim}@127.0.0.1>", "Privacy: none")
    relay = f"sip:0301234@127.0.0.1:{pbx}"  # as if the bridge were a proxy
    yield attempt("INVITE", relay, "201", sender)
    yield attempt("INVITE", at, "201", sender, f"Route: <sip:127.0.0.1:{bridge};lr>, <sip:127.0.0.1:{pbx};lr>")
    yield attempt("INVITE", at, "201", sender, f"Record-Route: <sip:127.0.0.1:{pbx};lr>")
    yield attempt("INVITE", "tel:+442012345678", "201", sender)
    yield attempt("INVITE", at, "201", sender, "Replaces: 1;to-tag=2;from-tag=3", "Require: replaces")
    yield attempt("INVITE", at, "201", sender, "Diversion: <sip:201@127.0.0.1>;reason=unconditional")
    yield attempt("INVITE", at, "201", sender, f"Referred-By: <sip:201@127.0.0.1:{bridge}>")
    yield attempt("REFER", f"sip:600@127.0.0.1:{bridge}", "201", sender, f"Refer-To: <{at}>", body="")
    yield attempt("REFER", f"sip:600@127.0.0.1:{bridge}", "620", sender, f"Refer-To: <{at}?Replaces=1>", body="")
    yield attempt("SUBSCRIBE", at, "201", sender, "Event: dialog", "Expires: 60", body="")
    yield attempt("REGISTER", f"sip:127.0.0.1:{bridge}", "201", sender, "Expires: 60", body="")
    yield attempt("OPTIONS", at, "201", sender, body="")
    yield attempt("MESSAGE", at, "201", sender, body="")


@pytest.mark.parametrize("claims_to_be_known", [False, True])
def test_scanners_reach_no_trunk(bridge: Bridges, claims_to_be_known: bool) -> None:
    """Each is challenged or refused; none gets a 2xx or a 18x; the trunk is asked for nothing but whether it lives.

    The other time the scanner stands at the host of a static phone and of the trunk's server, as behind a spoofed
    address: not at their ports, and with a number of ours that it does not prove.
    """
    host = "127.0.0.1" if claims_to_be_known else "127.0.0.7"
    with Datagrams() as pbx, Datagrams() as far, Datagrams(host) as scanner:
        agent = bridge(
            trunks={"pbx": {"server": f"sip:127.0.0.1:{pbx.port}", "register": False, "number": "600"}},
            lines={
                "anna": {"number": "201", "password": "anna-secret", "dial_out": "pbx"},
                "lobby": static("203", far.port, dial_out="pbx"),
            },
            groups={"g": group("600", "anna", overflow="0301234")},
        )
        tried = list(attempts(scanner, agent.port, pbx.port))
        for data in tried:
            scanner.send(data, agent.port)
        wait_until(lambda: len(statuses(scanner)) >= 60, lambda: f"answers: {statuses(scanner)}\n{agent.report()}")
        assert not [status for status in statuses(scanner) if status in ("180", "183")], agent.report()
        agent.cli("calls")
        assert not [data for data in pbx.received() if data.startswith(b"INVITE")]
        assert "is called through trunk" not in agent.process.output
        far.request("INVITE", "0301234", agent.port, SDP)  # the lobby's own phone: whom it is for, it works
        assert pbx.wait(b"INVITE sip:0301234@")


def statuses(scanner: Datagrams) -> list[str]:
    """Return the statuses of all responses so far."""
    return [data.split()[1].decode() for data in scanner.received() if data.startswith(b"SIP/2.0 ")]
