"""Port numbers for servers under test, agreed with the kernel.

A server that is a process of its own has to be told its port, so the port must be free again before the server takes
it. Whoever asks the kernel for any port in between (every client does, thousands of times in a run of the tests) may be
given the very same. So these are taken from below what the kernel gives out (`ip_local_port_range`, ip(7)), each
worker's from a share of its own, in a random order, for two runs may go side by side; the kernel says which are free.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import random
import secrets
import socket
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path

WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
"""Which of the test runner's workers this is, counted from 0."""
_LOWEST = 24576
_SHARES = 4
_FEW = 8  # pairs; who wants more has a range for the bridge's relay, which passes over ports that are taken
_WIDE = 17408  # such ranges lie from here to the lowest
_lock = threading.Lock()
_given: deque[int] = deque(maxlen=400)  # the last ones, which may not be taken yet


def _offers() -> Iterator[int]:
    """Yield this worker's ports, in a random order, over and over."""
    kernel_begins = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text("ascii").split()[0])
    share = (max(kernel_begins, _LOWEST + 1000 * _SHARES) - _LOWEST) // _SHARES
    ports = range(_LOWEST + share * (WORKER % _SHARES), _LOWEST + share * (WORKER % _SHARES + 1))
    while True:
        yield from random.sample(ports, len(ports))


_next = _offers()


def quiet_address() -> str:
    """Return an address of the loopback network on which hardly anybody else asks for ports.

    For many ports that are taken long after they were asked for: on 127.0.0.1 somebody may be given one in between.
    """
    return str(ipaddress.IPv4Address("127.16.0.1") + secrets.randbelow(200 << 16))


def free_port(host: str = "127.0.0.1") -> int:
    """Return a port that is free for UDP and TCP alike on `host`."""
    return _free(1, host)


def free_port_and_next(host: str = "127.0.0.1") -> int:
    """Return a port like `free_port`'s whose neighbour above is free too: baresip speaks TLS there."""
    return _free(2, host)


def free_even_port(host: str = "127.0.0.1", pairs: int = 1) -> int:
    """Return an even free port whose odd neighbour is free too, and further pairs behind: what RTP and RTCP want."""
    if pairs <= _FEW:
        return _free(2 * pairs, host, even=True)
    for first in random.sample(range(_WIDE, _LOWEST - 2 * pairs, 2), 200):
        if all(_can_bind(port, host, socket.SOCK_DGRAM) for port in range(first, first + 2 * pairs)):
            return first
    raise OSError(f"of two hundred ports on {host} none has {2 * pairs - 1} free ones behind it")


def _free(count: int, host: str, *, even: bool = False) -> int:
    """Return the first, `even` where asked for, of neighbouring ports that are free for UDP and TCP alike on `host`."""
    with _lock:
        for _ in range(1000):
            first = next(_next)
            wanted = range(first, first + count)
            if (even and first % 2) or any(port in _given for port in wanted):
                continue
            if all(_can_bind(port, host, kind) for port in wanted for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)):
                _given.extend(wanted)
                return first
    raise OSError(f"of a thousand ports on {host} none is free for UDP and TCP, with {count - 1} neighbours")


def _can_bind(port: int, host: str, kind: socket.SocketKind) -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, kind) as trial:
        trial.bind((host, port))
        return True
    return False
