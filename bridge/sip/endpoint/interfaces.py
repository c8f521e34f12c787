"""What the kernel tells of this machine's network: that addresses, routes or links are others than before (rtnetlink).

A Pi that was given another address, or whose cable is plugged in again, is to say so to its PBX at once and not when
the next REGISTER is due. What has changed is not read: whoever cares looks at the routes anew.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
from collections.abc import Callable

SETTLES = 0.5
"""Seconds from the first sign of a change to the telling: a link, its addresses and its routes come one by one."""
_LINKS, _ADDRESSES, _ROUTES = 0x1, 0x10 | 0x100, 0x40 | 0x400  # RTMGRP_*: links; of IPv4 and IPv6 each
_NEW_LINK = 16
_UP = 0x1 | 0x40  # IFF_UP, IFF_RUNNING
_MESSAGE = struct.Struct("=IHHII")
_LINK = struct.Struct("=BxHiII")
_ALIGNED = 4


class Interfaces:
    """Calls `changed` on the loop, at most each `SETTLES` seconds; whether a link has come up or gone down is told."""

    def __init__(self, changed: Callable[[bool], None]) -> None:
        self._changed = changed
        self._socket: socket.socket | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._links: dict[int, int] = {}  # whether up, by index
        self._link_changed = False

    def open(self) -> bool:
        """Begin; False where this kernel does not tell."""
        family = getattr(socket, "AF_NETLINK", None)
        if family is None:
            return False
        try:
            self._socket = socket.socket(family, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
            self._socket.bind((0, _LINKS | _ADDRESSES | _ROUTES))
        except OSError:  # a unit that forbids it; what has changed is then noticed with the next REGISTER
            self.close()
            return False
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket, self._read)
        return True

    def close(self) -> None:
        """Listen no more."""
        if self._timer is not None:
            self._timer.cancel()
        if self._socket is not None:
            if self._loop is not None:
                self._loop.remove_reader(self._socket)
            self._socket.close()
        self._socket = self._timer = None

    def _read(self) -> None:
        assert self._socket is not None and self._loop is not None
        try:
            self.heard(self._socket.recv(65536))
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno != errno.ENOBUFS:  # so much has changed that the kernel has not kept all of it
                raise
            self._link_changed = True
        if self._timer is None:
            self._timer = self._loop.call_later(SETTLES, self._tell)

    def heard(self, data: bytes) -> None:
        """Take note of the links in what the kernel says."""
        at = 0
        while at + _MESSAGE.size <= len(data):
            length, kind, *_ = _MESSAGE.unpack_from(data, at)
            if kind == _NEW_LINK and at + _MESSAGE.size + _LINK.size <= len(data):
                _, _, index, flags, _ = _LINK.unpack_from(data, at + _MESSAGE.size)
                up = flags & _UP
                self._link_changed = self._link_changed or self._links.get(index) != up
                self._links[index] = up
            at += max(_MESSAGE.size, (length + _ALIGNED - 1) & ~(_ALIGNED - 1))

    def _tell(self) -> None:
        self._timer = None
        links, self._link_changed = self._link_changed, False
        self._changed(links)
