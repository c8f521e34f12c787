"""Where a trunk's server is: SRV records, then addresses (RFC 3263 §4.2)."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator, Sequence

import dns.asyncresolver
import dns.flags
import dns.message
import dns.rrset
import pytest

from bridge.calls.model import TrunkSettings
from bridge.calls.pbx.trunks import Place
from bridge.resolving import AGAIN, keep_resolved, places, services

KNOWN = {"a.test": ["10.0.0.1", "fd00::1"], "b.test": ["10.0.0.2"], "pbx.test": ["10.0.0.9"]}

KNOWN_LATER: dict[str, list[str]] = {}


async def addresses(name: str) -> Sequence[str]:
    """Look up a name that is known, else fail as the system does."""
    if name not in KNOWN:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    return KNOWN[name]


def found(server: TrunkSettings, *records: tuple[str, int]) -> list[Place]:
    """Return the places of a server whose name has these SRV records."""

    async def known(name: str, transport: str) -> Sequence[tuple[str, int]]:
        return records

    return asyncio.run(places(server, known, addresses))


def test_a_name_that_cannot_be_resolved_is_asked_for_again_soon_and_then_less_often() -> None:
    """After a power cut the router comes up after us; once it is found it is asked for each minute, as ever."""
    slept: list[float] = []
    told: list[str] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        KNOWN_LATER.update({"late.test": ["10.0.0.5"]} if len(slept) == 6 else {})
        KNOWN_LATER.pop("late.test" if len(slept) == 7 else "", None)
        if len(slept) == 9:
            raise asyncio.CancelledError

    async def later(name: str) -> Sequence[str]:
        if name not in KNOWN_LATER:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return KNOWN_LATER[name]

    server = TrunkSettings("pbx", "late.test", port=5060)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(
            keep_resolved(
                "pbx",
                server,
                lambda trunk, found: told.append(str(found)),
                lambda trunk, why: told.append(why),
                sleep,
                later,
            )
        )
    assert slept == [2.0, 4.0, 8.0, 16.0, 20.0, 20.0, AGAIN, 2.0, 4.0]
    assert told[6] == "[('10.0.0.5', None)]" and all("cannot be resolved" in why for why in told[:6] + told[7:])


def test_srv_records_give_names_and_ports() -> None:
    """Each record's name is resolved, in the records' order, both address families."""
    server = TrunkSettings("pbx", "pbx.test")
    assert found(server, ("b.test", 5070), ("a.test", 5080)) == [
        ("10.0.0.2", 5070),
        ("10.0.0.1", 5080),
        ("fd00::1", 5080),
    ]


def test_name_without_srv_records_has_its_addresses() -> None:
    """Without records the name's own addresses count, at the transport's port."""
    assert found(TrunkSettings("pbx", "pbx.test")) == [("10.0.0.9", None)]


def test_port_that_is_given_asks_for_no_srv_records() -> None:
    """Who writes a port means it."""
    assert found(TrunkSettings("pbx", "pbx.test", port=5062), ("b.test", 5070)) == [("10.0.0.9", None)]


def test_record_whose_name_is_gone_is_left_out() -> None:
    """One name that cannot be resolved does not hide the others; if none can, that is said."""
    assert found(TrunkSettings("pbx", "pbx.test"), ("gone.test", 1), ("b.test", 2)) == [("10.0.0.2", 2)]
    with pytest.raises(OSError, match="Name or service"):
        found(TrunkSettings("pbx", "pbx.test"), ("gone.test", 1))


@pytest.fixture
def name_server() -> Iterator[dns.asyncresolver.Resolver]:
    """Run a name server that knows two SRV records of one name; return a resolver that asks it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=_serve, args=(server,), daemon=True)
        thread.start()
        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.nameservers = ["127.0.0.1"]
        resolver.port = server.getsockname()[1]
        yield resolver
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", server.getsockname())
        thread.join()


def _serve(server: socket.socket) -> None:
    while True:
        data, source = server.recvfrom(4096)
        if not data:
            return
        question = dns.message.from_wire(data)
        response = dns.message.make_response(question, recursion_available=True)
        name = question.question[0].name
        if name.to_text() == "_sip._udp.provider.test.":
            records = ("20 0 5060 second.provider.test.", "10 0 5070 first.provider.test.")
            response.answer.append(dns.rrset.from_text(name, 60, "IN", "SRV", *records))
        server.sendto(response.to_wire(), source)


def test_records_are_asked_for_in_their_order(name_server: dns.asyncresolver.Resolver) -> None:
    """The lower priority number comes first; another transport, or a name without records, has none."""
    ask = services("provider.test", "udp", name_server)
    assert asyncio.run(ask) == [("first.provider.test", 5070), ("second.provider.test", 5060)]
    assert asyncio.run(services("provider.test", "tcp", name_server)) == []


def test_name_server_that_is_gone_means_no_records() -> None:
    """A question that nobody answers is given up, and addresses are asked for as ever."""
    nobody = dns.asyncresolver.Resolver(configure=False)
    assert asyncio.run(services("provider.test", "udp", nobody)) == []
