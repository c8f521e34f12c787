"""Nothing that arrives from the network ends the agent or a task of it: it goes on answering."""

from __future__ import annotations

import contextlib
import itertools
import random
import socket
import struct
from collections.abc import Callable, Iterator

import pytest

from tests.support.agent import Agent, group, static
from tests.support.datagrams import Datagrams
from tests.support.ports import free_port
from tests.support.process import PATIENCE

_numbers = itertools.count(1)

INVITE = (
    b"INVITE sip:600@127.0.0.1 SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK-%d\r\n"
    b"From: <sip:x@127.0.0.1>;tag=1\r\n"
    b"To: <sip:600@127.0.0.1>\r\n"
    b"Call-ID: garbage-%d\r\n"
    b"CSeq: 1 INVITE\r\n"
    b"Contact: <sip:x@127.0.0.1:9>\r\n"
    b"Max-Forwards: 70\r\n"
    b"Content-Length: 0\r\n\r\n"
)


def invite() -> bytes:
    """Return a whole INVITE of a stranger, another one each time."""
    number = next(_numbers)
    return INVITE % (number, number)


def without(header: bytes) -> bytes:
    """Return an INVITE that lacks a header."""
    return b"\r\n".join(line for line in invite().split(b"\r\n") if not line.startswith(header + b":"))


def with_value(header: bytes, value: bytes) -> bytes:
    """Return an INVITE in which a header has another value."""
    lines = invite().split(b"\r\n")
    return b"\r\n".join(header + b": " + value if line.startswith(header + b":") else line for line in lines)


MANDATORY = (b"Via", b"From", b"To", b"Call-ID", b"CSeq", b"Max-Forwards", b"Contact")
ODD_VALUES = {
    b"Via": (b"", b"x", b"SIP/2.0/UDP", b"SIP/2.0/UDP :::;branch=", b"SIP/2.0/UDP 300.1.1.1:99999;rport=x"),
    b"From": (b"", b"<", b"<sip:>", b'"x <sip:x@y>;tag=1', b"\xff\xfe\x00;tag=", b"tel:1;tag=1"),
    b"To": (b"", b">", b"<sip:600@[::1>", b"<sip:600@127.0.0.1>;tag=" + b"x" * 5000),
    b"CSeq": (b"", b"INVITE", b"-1 INVITE", b"1 BYE", b"99999999999999999999 INVITE", b"1"),
    b"Contact": (b"", b"*", b"<sip:x@nowhere.invalid:0>", b"sip:\x00", b"<mailto:x@y>"),
    b"Max-Forwards": (b"0", b"-1", b"x", b"9" * 400),
    b"Content-Length": (b"99999", b"-5", b"x", b"1e3", b"\xb2"),
    b"Call-ID": (b"", b"\x01", b"x" * 9000),
}


def udp_garbage() -> Iterator[bytes]:
    """Every datagram that should harm nobody."""
    yield from (b"", b"\x00", b"\r\n\r\n", b"\r\n", b"SIP/2.0", b"SIP/2.0 200 OK\r\n\r\n", b"INVITE", b"\xff" * 1500)
    yield from (b"SIP/2.0 999 x\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"A" * 65000, b":\r\n" * 20000)
    whole = invite()
    yield from (whole[:length] for length in range(0, len(whole), 7))
    yield from (without(header) for header in MANDATORY)
    yield from (with_value(header, value) for header, values in ODD_VALUES.items() for value in values)
    yield invite().replace(b"\r\n\r\n", b"\r\n" + b"X-Many: y\r\n" * 4000 + b"\r\n")
    yield invite().replace(b"\r\n\r\n", b"\r\nX-Long: " + b"y" * 60000 + b"\r\n\r\n")
    yield invite().replace(b"\r\n\r\n", b"\r\n" + b"Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKx\r\n" * 500 + b"\r\n")
    yield invite().replace(b"INVITE sip:600@127.0.0.1", b"INVITE sip:600@127.0.0.1;x=%ZZ?h=%00")
    yield invite().replace(b"\r\n", b"\n")
    yield invite().replace(b"SIP/2.0\r\n", b"SIP/3.0\r\n", 1)
    for method in (b"ACK", b"BYE", b"CANCEL", b"PRACK", b"REGISTER", b"SUBSCRIBE", b"NOTIFY", b"REFER", b"UPDATE"):
        yield invite().replace(b"INVITE", method)
    for status in (100, 180, 200, 302, 401, 407, 486, 503, 699):
        yield invite().replace(b"INVITE sip:600@127.0.0.1 SIP/2.0", b"SIP/2.0 %d Whatever" % status)


@pytest.fixture
def agent(bridge: Callable[..., Agent]) -> Agent:
    """Run a bridge with one phone and one group; this host is a peer of its, so that nothing is dropped as too much."""
    lines = {"anna": {"number": "201", "password": "secret"}, "ben": static("202", free_port())}
    return bridge(lines=lines, groups={"sales": group("600", "anna")})


@pytest.fixture
def sender() -> Iterator[Datagrams]:
    """Open a socket to send from."""
    with Datagrams() as socket_:
        yield socket_


def options(transport: bytes, port: int) -> bytes:
    """Return an OPTIONS, another one each time: with the same branch it would be a retransmission."""
    number = next(_numbers)
    return (
        b"OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/%b 127.0.0.1:%d;branch=z9hG4bK-o%d\r\n"
        b"From: <sip:x@127.0.0.1>;tag=1\r\nTo: <sip:127.0.0.1>\r\nCall-ID: o%d\r\nCSeq: 1 OPTIONS\r\n"
        b"Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    ) % (transport, port, number, number)


def answers(agent: Agent, sender: Datagrams) -> None:
    """Check that the agent still is the same process, and answers an OPTIONS over UDP and over TCP."""
    assert agent.process.running, agent.report()
    sender.send(options(b"UDP", sender.port), agent.port)
    sender.wait(b"SIP/2.0 200")
    with connected(agent) as stream:
        stream.sendall(options(b"TCP", sender.port))
        assert stream.recv(4096).startswith(b"SIP/2.0 200")
    assert "Traceback" not in agent.process.output, agent.report()


@contextlib.contextmanager
def connected(agent: Agent) -> Iterator[socket.socket]:
    """Connect to the agent over TCP."""
    with socket.create_connection(("127.0.0.1", agent.port), timeout=PATIENCE) as stream:
        yield stream


def test_malformed_datagrams(agent: Agent, sender: Datagrams) -> None:
    """Truncated, incomplete, oversized and senseless messages are answered or dropped, one by one."""
    for number, data in enumerate(udp_garbage()):
        sender.send(data, agent.port)
        if number % 25 == 0:
            answers(agent, sender)
    answers(agent, sender)


def test_random_datagrams(agent: Agent, sender: Datagrams) -> None:
    """Random bytes, and INVITEs with random bytes changed, are answered or dropped."""
    chance = random.Random(20261123)
    for _ in range(300):
        sender.send(chance.randbytes(chance.randrange(1, 1500)), agent.port)
    for _ in range(300):
        message = bytearray(invite())
        for _ in range(chance.randrange(1, 12)):
            message[chance.randrange(len(message))] = chance.randrange(256)
        sender.send(bytes(message), agent.port)
    answers(agent, sender)


def test_garbage_on_a_stream(agent: Agent, sender: Datagrams) -> None:
    """On TCP what cannot be framed closes that connection at the most, and no other."""
    pieces = [
        b"\x00" * 1000,
        b"GET / HTTP/1.1\r\n\r\n",
        b"\r\n" * 1000,
        b"X" * 300_000,
        with_value(b"Content-Length", b"99999999999"),
        with_value(b"Content-Length", b"-1"),
        without(b"Content-Length"),
        without(b"Via") * 20,
        invite()[:-20],
    ]
    for piece in pieces:
        with connected(agent) as stream, contextlib.suppress(ConnectionError):
            stream.sendall(piece)
        answers(agent, sender)


def test_connections_that_are_left_open(agent: Agent, sender: Datagrams) -> None:
    """Connections that say nothing, or half a message, or are reset, hinder nobody."""
    with contextlib.ExitStack() as stack:
        for number in range(60):
            stream = stack.enter_context(connected(agent))
            if number % 3 == 1:
                stream.sendall(invite()[: number * 4])
            if number % 3 == 2:  # close with a reset instead of a farewell
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                stream.close()
        answers(agent, sender)
    answers(agent, sender)


def test_message_in_small_pieces(agent: Agent, sender: Datagrams) -> None:
    """A message that comes byte by byte over TCP is answered as if it had come whole."""
    with connected(agent) as stream:
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in invite().replace(b"/UDP", b"/TCP"):
            stream.sendall(bytes([byte]))
        reply = stream.recv(4096)
    assert reply.startswith((b"SIP/2.0 401", b"SIP/2.0 407", b"SIP/2.0 100")), reply
    answers(agent, sender)
