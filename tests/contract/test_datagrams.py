"""The endpoint's UDP sockets."""

from __future__ import annotations

import asyncio

from bridge.sip.endpoint import Endpoint
from bridge.sip.flow import Flow, Send
from tests.support.sockets import (
    HELLO,
    Engine,
    Phone,
    ipv6,
    linux,
    port_of,
    run,
    until,
)

# -- datagrams ------------------------------------------------------------------------------------------------------


def test_a_datagram_goes_in_with_its_flow_and_its_answer_out_of_the_same_socket() -> None:
    """The flow names peer and listener; the answer comes from where the question went."""

    async def body(endpoint: Endpoint, engine: Engine) -> None:
        with Phone() as phone:
            second = endpoint.addresses[1][2]
            phone.socket.sendto(HELLO, ("127.0.0.1", second))
            data, address = await asyncio.get_running_loop().sock_recvfrom(phone.socket, 65536)
            assert (data, address) == (HELLO, ("127.0.0.1", second))
            assert engine.received == [(HELLO, Flow("udp", "127.0.0.1", phone.port, 1))]
            assert engine.steps >= 1

    run(body, [("udp", "127.0.0.1", 0), ("udp", "127.0.0.1", 0)])


def test_keep_alives_are_not_messages() -> None:
    """Empty datagrams, line ends, zero bytes and the like keep a NAT open and say nothing."""

    async def body(endpoint: Endpoint, engine: Engine) -> None:
        with Phone() as phone:
            for data in (b"", b"\r\n\r\n", b"\0\0\0\0", b"jaK", HELLO):
                phone.socket.sendto(data, ("127.0.0.1", port_of(endpoint, "udp")))
            assert await phone.receive() == HELLO
            assert len(engine.received) == 1

    run(body)


def test_a_flood_leaves_turns_to_others() -> None:
    """However many datagrams wait, only so many are taken in one turn of the loop; none is lost."""

    async def body(endpoint: Endpoint, engine: Engine) -> None:
        with Phone() as phone:
            for _ in range(150):
                phone.socket.sendto(HELLO, ("127.0.0.1", port_of(endpoint, "udp")))
            at_each_turn = []
            while len(engine.received) < 150:
                await asyncio.sleep(0)
                at_each_turn.append(len(engine.received))
            assert max(b - a for a, b in zip([0, *at_each_turn], at_each_turn, strict=False)) <= 64

    run(body, echo=False)


@linux
def test_a_closed_port_is_told_at_once() -> None:
    """ICMP's port unreachable becomes a failed flow; the next datagram to somebody else goes out unharmed."""

    async def body(endpoint: Endpoint, engine: Engine) -> None:
        with Phone() as gone:
            pass
        flow = Flow("udp", "127.0.0.1", gone.port)
        engine.outbox.append(Send(flow, HELLO))
        endpoint.pump()
        with Phone() as phone:
            engine.outbox.append(Send(Flow("udp", "127.0.0.1", phone.port), HELLO))
            endpoint.pump()
            assert await phone.receive() == HELLO
        await until(lambda: engine.failures)
        assert engine.failures == [(flow._replace(listener=0), "port unreachable"), (flow, "port unreachable")]

    run(body)


def test_what_cannot_be_sent_is_told() -> None:
    """A datagram that is too large, a port that is none, a family without a listener: failed flows, no exceptions."""

    async def body(endpoint: Endpoint, engine: Engine) -> None:
        flows = [Flow("udp", "127.0.0.1", 9), Flow("udp", "127.0.0.1", 0), Flow("udp", "127.0.0.1", 70000)]
        flows += [Flow("udp", "::1", 5060), Flow("tls", "127.0.0.1", 5061)]
        engine.outbox.append(Send(flows[0], b"x" * 70000))
        engine.outbox.extend(Send(flow, HELLO) for flow in flows[1:])
        endpoint.pump()
        await until(lambda: {flow for flow, _ in engine.failures} == set(flows))

    run(body)


@ipv6
def test_ipv6_and_ipv4_on_one_socket() -> None:
    """A listener on :: takes both; IPv4 peers have their plain address, both ways."""

    async def body(endpoint: Endpoint, engine: Engine) -> None:
        for host in ("127.0.0.1", "::1"):
            with Phone(host) as phone:
                phone.socket.sendto(HELLO, (host, port_of(endpoint, "udp")))
                assert await phone.receive() == HELLO
                assert engine.received[-1][1] == Flow("udp", host, phone.port, 0)
                assert endpoint.locate(engine.received[-1][1]).host == host

    run(body, [("udp", "::", 0)])


@ipv6
def test_ipv4_and_ipv6_wildcards_share_a_port() -> None:
    """0.0.0.0 and :: with the same port are two listeners, each of its family."""

    async def body(endpoint: Endpoint, engine: Engine) -> None:
        port = port_of(endpoint, "udp")
        both = Endpoint(engine, [("udp", "0.0.0.0", port + 0), ("udp", "[::]", port)], None, engine.step)
        await endpoint.close()
        await both.start()
        for index, host in enumerate(("127.0.0.1", "::1")):
            with Phone(host) as phone:
                phone.socket.sendto(HELLO, (host, port))
                assert await phone.receive() == HELLO
                assert engine.received[-1][1].listener == index
        await both.close()

    run(body, [("udp", "127.0.0.1", 0)])
