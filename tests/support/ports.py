"""Port numbers for servers under test, asked of the kernel.

A server that is a process of its own has to be told its port, so the port must be free again before the
server takes it. The kernel hands out ephemeral ports at random, and one that was given out here is not given
out twice in the same run, so a collision needs another program to be given the very same number in between.
"""

from __future__ import annotations

import contextlib
import ipaddress
import secrets
import socket
import threading

_given: set[int] = set()
_lock = threading.Lock()


def quiet_address() -> str:
    """Return an address of the loopback network on which hardly anybody else asks for ports.

    For many ports that are taken long after they were asked for: on 127.0.0.1 somebody may be given one in between.
    """
    return str(ipaddress.IPv4Address("127.16.0.1") + secrets.randbelow(200 << 16))


def free_port(host: str = "127.0.0.1") -> int:
    """Return a port that is free for UDP and TCP alike on `host`."""
    with _lock:
        for _ in range(200):
            port = _free_for_both(host)
            if port is not None and port not in _given:
                _given.add(port)
                return port
    raise OSError(f"the kernel has no port on {host} that is free for UDP and TCP")


def free_port_and_next(host: str = "127.0.0.1") -> int:
    """Return a port like `free_port`'s whose neighbour above is free too: baresip speaks TLS there."""
    for _ in range(200):
        port = free_port(host)
        if _can_bind(port + 1, host, socket.SOCK_STREAM) and _can_bind(port + 1, host, socket.SOCK_DGRAM):
            _given.add(port + 1)
            return port
    raise OSError(f"the kernel has no pair of neighbouring ports on {host}")


def free_even_port(host: str = "127.0.0.1", pairs: int = 1) -> int:
    """Return an even free port whose odd neighbour is free too, and further pairs behind: what RTP and RTCP want."""
    for _ in range(200):
        port = free_port(host) & ~1  # the kernel's own preference is for odd ones
        if all(_can_bind(each, host, socket.SOCK_DGRAM) for each in range(port, port + 2 * pairs)):
            return port
    raise OSError(f"the kernel has no pair of neighbouring UDP ports on {host}")


def _free_for_both(host: str) -> int | None:
    """Return what the kernel offers for TCP, if UDP has the same number free."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as offered:
        offered.bind((host, 0))
        port: int = offered.getsockname()[1]
        return port if _can_bind(port, host, socket.SOCK_DGRAM) else None


def _can_bind(port: int, host: str, kind: socket.SocketKind) -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, kind) as trial:
        trial.bind((host, port))
        return True
    return False
