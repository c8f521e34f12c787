"""UDP: a bare non-blocking socket, read in bounded batches (a fifth of the CPU of asyncio's datagram transport).

The kernel is asked to report what could not be delivered (ICMP): a phone whose port is closed, or whose address nobody
answers for, is then known to be unreachable at once instead of after a time-out.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import sys
from collections import deque
from functools import lru_cache

from bridge.sip.endpoint.listening import Listening
from bridge.sip.endpoint.pump import Pump
from bridge.sip.flow import Flow

_READS = 64  # datagrams taken in one turn of the loop, so that a flood leaves turns to others
_SHORTEST = 9  # whatever is shorter is a keep-alive: empty, line ends, zero bytes, "jaK"
_PROBE = b"alive"  # to ourselves; from anybody else it is a keep-alive like others
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}
_WAITING = 512  # datagrams kept while the socket's send buffer is full; more are lost, as datagrams may be
_MAPPED = "::ffff:"
_ERROR_QUEUE = getattr(socket, "MSG_ERRQUEUE", 0)
_UNREACHABLE = {
    errno.ECONNREFUSED: "port unreachable",
    errno.EHOSTUNREACH: "host unreachable",
    errno.ENETUNREACH: "network unreachable",
}


class Datagrams:
    """One UDP listener, the one with this `index`."""

    def __init__(
        self,
        listening: Listening,
        index: int,
        pump: Pump,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._socket = listening.socket
        self._dual = listening.dual
        self._index = index
        self._pump = pump
        self._loop = loop
        self._waiting: deque[tuple[bytes, tuple[str, int]]] = deque()
        self._probe: asyncio.Future[None] | None = None
        loop.add_reader(self._socket, self._read)

    def close(self) -> None:
        """Stop and close the socket; what waits to be sent is tried once more."""
        self._write_waiting()
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._socket.close()

    def send(self, data: bytes, host: str, port: int) -> str | None:
        """Send a datagram to an IP address; return why it cannot be sent, else None."""
        if self._dual and ":" not in host:
            host = _MAPPED + host
        if self._waiting:
            self._wait(data, (host, port))
            return None
        return self._send(data, (host, port))

    async def alive(self) -> None:
        """Return once a datagram of ours to this very socket was read. Raises OSError where it cannot be sent."""
        if self._probe is None or self._probe.done():
            self._probe = self._loop.create_future()
        address = self._socket.getsockname()
        if address[0] in _ANY:
            address = (_ANY[address[0]], *address[1:])
        self._socket.sendto(_PROBE, address)
        await asyncio.shield(self._probe)

    def _probed(self) -> None:
        if self._probe is not None and not self._probe.done():
            self._probe.set_result(None)

    def _send(self, data: bytes, address: tuple[str, int], retry: bool = True) -> str | None:
        try:
            self._socket.sendto(data, address)
        except BlockingIOError:
            self._wait(data, address)
        except OSError as error:
            if retry:  # perhaps the report of an earlier datagram to somebody else
                self._read_errors()
                return self._send(data, address, retry=False)
            return error.strerror or str(error)
        except (UnicodeError, OverflowError, ValueError) as error:
            return f"not an address: {error}"
        return None

    def _wait(self, data: bytes, address: tuple[str, int]) -> None:
        if not self._waiting:
            self._loop.add_writer(self._socket, self._write_waiting)
        if len(self._waiting) < _WAITING:
            self._waiting.append((data, address))

    def _write_waiting(self) -> None:
        while self._waiting:
            data, address = self._waiting[0]
            try:
                self._socket.sendto(data, address)
            except BlockingIOError:
                return
            except OSError:
                self._read_errors()  # the datagram is lost, which its transaction will notice
            self._waiting.popleft()
        self._loop.remove_writer(self._socket)

    def _read(self) -> None:
        pump, index, receive_from = self._pump, self._index, self._socket.recvfrom
        for number in range(_READS):
            try:
                data, address = receive_from(65536)
            except BlockingIOError:
                if not number:  # nothing but a report has woken us; one beside a datagram wakes us once more
                    self._read_errors()
                break
            except OSError:
                self._read_errors()
                continue
            if len(data) >= _SHORTEST:
                pump.receive(data, _flow(address[0], address[1], index))
                if pump.over:
                    return
            elif data == _PROBE:
                self._probed()
        pump.settle()

    def _read_errors(self) -> None:
        """Read the kernel's reports of what was not delivered."""
        for _ in range(_READS if _ERROR_QUEUE else 0):
            try:
                _, ancillary, _, address = self._socket.recvmsg(1, 512, _ERROR_QUEUE)
            except OSError:
                return
            for _, _, report in ancillary:
                reason = _UNREACHABLE.get(int.from_bytes(report[:4], sys.byteorder))
                if reason is not None and address:
                    flow = Flow("udp", address[0].removeprefix(_MAPPED), address[1], self._index)
                    self._pump.undelivered(flow, reason)


@lru_cache(maxsize=1024)
def _flow(host: str, port: int, index: int) -> Flow:
    """Return the flow that a datagram came by; the same object each time, for much that is kept holds one."""
    return Flow("udp", host.removeprefix(_MAPPED), port, index)
