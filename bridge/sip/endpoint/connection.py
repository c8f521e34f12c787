"""One TCP or TLS connection: bytes in, whole messages and keep-alives out, and the other way round.

A peer whose machine or network has vanished says nothing of its end. The kernel asks after one that is silent, and
gives up one that leaves unanswered what was sent to it; so a phone that cannot be rung any more is known as such.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
from typing import TYPE_CHECKING

from bridge.sip.flow import Flow
from bridge.sip.framing import PING, PONG, StreamFramer

if TYPE_CHECKING:
    from bridge.sip.endpoint.streams import Streams

SILENT_FOR = 60
"""Seconds of silence after which the kernel asks whether the peer is still there, and from one question to the next."""
ANSWERS_WITHIN = 30
"""Seconds that it may leave something unanswered: as long as a transaction waits."""
_QUESTIONS = 3
_NOWHERE = ("", 0)


class Connection(asyncio.BufferedProtocol):
    """A connection that was accepted, or `dialled` by us; `flow` is its remote address."""

    def __init__(self, streams: Streams, transport: str, dialled: Flow | None = None) -> None:
        self._streams = streams
        self._loop = asyncio.get_running_loop()
        self._kind = transport
        self._dialled = dialled
        self._framer = StreamFramer()
        self._transport: asyncio.Transport | None = None
        self._reason: str | None = None
        self.flow = dialled or Flow(transport, *_NOWHERE)
        self.heard_at = self._loop.time()
        self.unfinished_since = self.heard_at if dialled is None else math.inf
        """Since when part of a message, or the first, is waited for; infinite where nothing is."""

    @property
    def accepted(self) -> bool:
        """Whether the peer made the connection."""
        return self._dialled is None

    @property
    def owes_a_message(self) -> bool:
        """Whether the first message, or the rest of one, is still to come."""
        return self.unfinished_since < math.inf

    @property
    def ending(self) -> bool:
        """Whether it is on its way out."""
        return self._reason is not None

    def write(self, data: bytes, most: int) -> None:
        """Send; a peer that has not taken `most` bytes is cut off."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return  # its end is already on its way to whoever sends
        transport.write(data)
        if transport.get_write_buffer_size() > most:
            self.abort("the peer takes nothing more")

    def close(self, reason: str) -> None:
        """End the connection once everything is sent."""
        self._reason = self._reason or reason
        if self._transport is not None:
            self._transport.close()

    def abort(self, reason: str) -> None:
        """End the connection now."""
        self._reason = self._reason or reason
        if self._transport is not None:
            self._transport.abort()

    # -- asyncio's side -----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection in, or end it where there are too many."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        _ask_after(transport.get_extra_info("socket"))
        if self._dialled is None:
            peer = transport.get_extra_info("peername") or _NOWHERE  # None: gone already
            self.flow = Flow(self._kind, peer[0].removeprefix("::ffff:"), peer[1])
        refusal = self._streams.opened(self)
        if refusal is not None:
            self.abort(refusal)

    def get_buffer(self, sizehint: int) -> bytearray:
        """Return where the next bytes go."""
        return self._streams.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Take the bytes that came."""
        if self._reason is not None:
            return
        self.heard_at = self._loop.time()
        items = self._framer.feed(bytes(memoryview(self._streams.buffer)[:nbytes]))
        messages = [item for item in items if item != PING]
        if len(messages) < len(items) and self._transport is not None:
            self._transport.write(PONG * (len(items) - len(messages)))
        if items:
            self.unfinished_since = math.inf
        if self._framer.pending:
            self.unfinished_since = min(self.unfinished_since, self.heard_at)
        if messages:
            self._streams.received(self, messages)
        if self._framer.broken is not None:
            self.close(self._framer.broken)

    def eof_received(self) -> None:
        """Close our side too, once everything is sent."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell that the connection has ended."""
        reason = self._reason or (f"connection lost: {exc}" if exc else "connection closed by the peer")
        self._transport = None
        self._streams.lost(self, reason)


def _ask_after(sock: socket.socket) -> None:
    """Have the kernel notice a peer that has vanished, as far as it can."""
    wanted = (
        (socket.SOL_SOCKET, "SO_KEEPALIVE", 1),
        (socket.IPPROTO_TCP, "TCP_KEEPIDLE", SILENT_FOR),
        (socket.IPPROTO_TCP, "TCP_KEEPINTVL", max(1, ANSWERS_WITHIN // _QUESTIONS)),
        (socket.IPPROTO_TCP, "TCP_KEEPCNT", _QUESTIONS),
        (socket.IPPROTO_TCP, "TCP_USER_TIMEOUT", ANSWERS_WITHIN * 1000),
    )
    for level, name, value in wanted:
        option = getattr(socket, name, None)
        if option is not None:
            with contextlib.suppress(OSError):  # gone already, or a kernel that does not know it
                sock.setsockopt(level, option, value)
