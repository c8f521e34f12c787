"""Accepting connections: a few in a turn of the loop, and with patience where the system has no more to give."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable

from bridge.sip.endpoint.listening import Listening

_AT_ONCE = 32  # accepted in one turn of the loop, so that a flood leaves turns to others
_PAUSE = 1.0  # seconds until it is tried again where no descriptors or memory were left
_MAPPED = "::ffff:"
log = logging.getLogger(__name__)


class Acceptor:
    """One listening socket. `taken` is given each connection's socket, transport, host and port."""

    def __init__(
        self,
        listening: Listening,
        loop: asyncio.AbstractEventLoop,
        taken: Callable[[socket.socket, str, str, int], None],
    ) -> None:
        self._socket = listening.socket
        self._transport = listening.transport
        self._loop = loop
        self._taken = taken
        self._again: asyncio.TimerHandle | None = None
        self._listen()

    def close(self) -> None:
        """Accept nothing more."""
        if self._again is not None:
            self._again.cancel()
        self._loop.remove_reader(self._socket)
        self._socket.close()

    def _listen(self) -> None:
        self._again = None
        self._loop.add_reader(self._socket, self._accept)

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                accepted, address = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:  # too many open files, or no memory: it is no error of who connects, nor ours
                log.warning("no connection can be accepted for now: %s", error.strerror)
                self._loop.remove_reader(self._socket)
                self._again = self._loop.call_later(_PAUSE, self._listen)
                return
            accepted.setblocking(False)
            self._taken(accepted, self._transport, address[0].removeprefix(_MAPPED), address[1])
