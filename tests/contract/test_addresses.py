"""Where the endpoint listens, what it says it is, and how names become addresses."""

from __future__ import annotations

import asyncio
import socket

import pytest

from bridge.sip.endpoint import Endpoint, EndpointError
from bridge.sip.flow import Flow, Send
from tests.support.sockets import (
    HELLO,
    Engine,
    Phone,
    _has_ipv6,
    port_of,
    run,
    until,
)

# -- names ----------------------------------------------------------------------------------------------------------


def test_a_name_is_resolved_beside_the_loop_and_the_order_kept() -> None:
    """Messages wait for the address, then go out in their order; the next ones go at once."""
    asked: list[str] = []

    def lookup(name: str) -> list[str]:
        asked.append(name)
        return ["::1", "127.0.0.1"]

    async def body(endpoint: Endpoint, engine: Engine) -> None:
        with Phone() as phone:
            flow = Flow("udp", "phone.lan", phone.port)
            for n in range(3):
                engine.outbox.append(Send(flow, b"message %d" % n))
                endpoint.pump()
            assert [await phone.receive() for _ in range(3)] == [b"message 0", b"message 1", b"message 2"]
            engine.outbox.append(Send(flow, b"message 3"))
            endpoint.pump()
            assert await phone.receive() == b"message 3"
            assert asked == ["phone.lan"]
            assert endpoint.locate(flow).host == "127.0.0.1"

    run(body, [("udp", "127.0.0.1", 0)], lookup=lookup)


def test_localhost_is_resolved_by_the_system() -> None:
    """The look-up that ships works."""

    async def body(endpoint: Endpoint, engine: Engine) -> None:
        with Phone() as phone:
            engine.outbox.append(Send(Flow("udp", "localhost", phone.port), HELLO))
            endpoint.pump()
            assert await phone.receive() == HELLO

    run(body)


def test_an_unknown_name_is_a_failed_flow() -> None:
    """Told under the name, with the reason; a name at an address of a family we do not speak likewise."""

    def lookup(name: str) -> list[str]:
        if name == "v6.lan":
            return ["2001:db8::1"]
        raise OSError("Name or service not known")

    async def body(endpoint: Endpoint, engine: Engine) -> None:
        for name, why in (("nowhere.lan", "not known"), ("v6.lan", "2001:db8::1")):
            engine.failures.clear()
            engine.outbox.append(Send(Flow("udp", name, 5060), HELLO))
            endpoint.pump()
            await until(lambda: engine.failures)
            ((flow, reason),) = engine.failures
            assert flow == Flow("udp", name, 5060) and why in reason and name in reason

    run(body, [("udp", "127.0.0.1", 0)], lookup=lookup)


def test_a_failure_is_told_under_the_name_too() -> None:
    """A connection that cannot be made to where a name led fails the flow that has the name."""

    async def body(endpoint: Endpoint, engine: Engine) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            flow = Flow("tcp", "pbx.lan", probe.getsockname()[1])
        engine.outbox.append(Send(flow, HELLO))
        endpoint.pump()
        await until(lambda: flow in [failed for failed, _ in engine.failures])

    run(body, lookup=lambda name: ["127.0.0.1"])


# -- addresses ------------------------------------------------------------------------------------------------------


def test_peers_are_told_the_address_that_leads_to_us() -> None:
    """The route's address where we listen on all, the bound one where on one; the port of the transport's listener."""

    async def body(endpoint: Endpoint, engine: Engine) -> None:
        (_, _, udp), (_, _, tcp), (_, _, other) = endpoint.addresses
        assert endpoint.locate(Flow("udp", "127.0.0.1", 5060)) == ("127.0.0.1", udp)
        assert endpoint.locate(Flow("tcp", "127.0.0.1", 5060)) == ("127.0.0.1", tcp)
        assert endpoint.locate(Flow("udp", "127.0.0.1", 5060, 2)) == ("127.0.0.2", other)
        assert endpoint.locate(Flow("udp", "127.0.0.1", 5060, 77)) == ("127.0.0.1", udp)

    run(body, [("udp", "0.0.0.0", 0), ("tcp", "127.0.0.1", 0), ("udp", "127.0.0.2", 0)])


def test_an_advertised_host_is_told_to_its_own_family_only() -> None:
    """An IPv4 address is no use to an IPv6 peer."""

    async def body(endpoint: Endpoint, engine: Engine) -> None:
        assert endpoint.locate(Flow("udp", "127.0.0.1", 5060)).host == "192.168.1.20"
        assert endpoint.locate(Flow("udp", "phone.lan", 5060)).host == "192.168.1.20"
        assert endpoint.source(Flow("udp", "127.0.0.1", 5060)) == "127.0.0.1"  # which tells interfaces apart
        assert ":" in endpoint.locate(Flow("udp", "::1", 5060)).host or not _has_ipv6()

    run(body, advertise="192.168.1.20")


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_listener_in_use_is_named(transport: str) -> None:
    """The error says which listener and what to do; what was opened before is closed again."""

    async def body(endpoint: Endpoint, engine: Engine) -> None:
        port = port_of(endpoint, transport)
        with Phone() as free:
            pass
        second = Endpoint(engine, [("udp", "127.0.0.1", free.port), (transport, "127.0.0.1", port)], None, engine.step)
        with pytest.raises(EndpointError, match=f"{transport}:127.0.0.1:{port} is in use"):
            await second.start()
        third = Endpoint(engine, [("udp", "127.0.0.1", free.port)], None, engine.step)
        await third.start()
        await third.close()

    run(body)


@pytest.mark.parametrize(
    ("listen", "words"),
    [
        (("udp", "203.0.113.9", 0), "not an address of this machine"),
        (("udp", "no such host", 0), "must be an IP address"),
        (("sctp", "127.0.0.1", 0), "must be udp, tcp or tls"),
        (("tls", "127.0.0.1", 0), "needs a certificate"),
    ],
)
def test_a_listener_that_cannot_be_is_refused_with_words(listen: tuple[str, str, int], words: str) -> None:
    """The error says what was wrong and what would be right."""

    async def main() -> None:
        engine = Engine()
        with pytest.raises(EndpointError, match=words):
            await Endpoint(engine, [listen], None, engine.step).start()

    asyncio.run(main())
