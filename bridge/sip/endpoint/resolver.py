"""Names to IP addresses without stopping the loop: a daemon thread a look-up, because getaddrinfo only blocks.

Daemon threads, not an executor: a name server that does not answer must not hold up the end of the process.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

Lookup = Callable[[str], Sequence[str]]
"""Returns the IP addresses of a name, the preferred first; blocks; raises OSError."""
Done = Callable[[tuple[str, ...], str], None]
"""Told the addresses, or none and the reason."""

_LIFETIME = 60.0
_PATIENCE = 4.0
_AT_ONCE = 8
_KEPT = 256


@lru_cache(maxsize=4096)
def is_address(host: str) -> bool:
    """Whether a host is an IP address and not a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def system_lookup(name: str) -> list[str]:
    """Look a name up as the system does."""
    found = socket.getaddrinfo(name, None, type=socket.SOCK_DGRAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class _Known(NamedTuple):
    addresses: tuple[str, ...]
    until: float


class Resolver:
    """Look-ups with a bounded memory of a minute."""

    def __init__(self, loop: asyncio.AbstractEventLoop, lookup: Lookup = system_lookup) -> None:
        self._loop = loop
        self._lookup = lookup
        self._known: dict[str, _Known] = {}
        self._asked: dict[str, list[Done]] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._running = 0

    def fresh(self, name: str) -> tuple[str, ...]:
        """Return the addresses looked up within the last minute, else none."""
        known = self._known.get(name)
        return known.addresses if known is not None and known.until > self._loop.time() else ()

    def last(self, name: str) -> tuple[str, ...]:
        """Return the addresses that were last found, however long ago."""
        known = self._known.get(name)
        return known.addresses if known is not None else ()

    def ask(self, name: str, done: Done) -> None:
        """Look a name up; `done` is called later, once, at most 4 s from now."""
        waiting = self._asked.setdefault(name, [])
        waiting.append(done)
        if len(waiting) > 1:
            return
        if self._running >= _AT_ONCE:
            self._loop.call_soon(self._finish, name, (), "too many names are being looked up")
            return
        self._running += 1
        self._timers[name] = self._loop.call_later(
            _PATIENCE, self._finish, name, (), f"not resolved within {_PATIENCE:g} s"
        )
        threading.Thread(target=self._work, args=(name,), name=f"resolve {name}", daemon=True).start()

    def close(self) -> None:
        """Forget whoever waits."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._asked.clear()

    def _work(self, name: str) -> None:
        addresses: tuple[str, ...] = ()
        reason = "has no address"
        try:
            addresses = tuple(self._lookup(name))
        except (OSError, UnicodeError) as error:
            reason = f"cannot be resolved: {error}"
        try:
            self._loop.call_soon_threadsafe(self._looked_up, name, addresses, reason)
        except RuntimeError:
            return  # the loop has ended meanwhile, and with it everybody who asked

    def _looked_up(self, name: str, addresses: tuple[str, ...], reason: str) -> None:
        self._running -= 1
        if addresses:
            self._known.pop(name, None)
            self._known[name] = _Known(addresses, self._loop.time() + _LIFETIME)
            if len(self._known) > _KEPT:
                del self._known[next(iter(self._known))]
        self._finish(name, addresses, reason)

    def _finish(self, name: str, addresses: tuple[str, ...], reason: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()
        for done in self._asked.pop(name, ()):
            done(addresses, "" if addresses else f"{name} {reason}")
