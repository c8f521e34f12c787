"""What callers who wait in a queue cost, and what they hear: when music begins, and how evenly its packets come.

Times of packets are the kernel's, so that what a busy receiver adds is not the bridge's.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import statistics
import struct
import time
from itertools import pairwise
from pathlib import Path

from benching.measure import Numbers
from benching.systems import Places, System, configured, settle
from tests.support.agent import static
from tests.support.datagrams import Datagrams
from tests.support.ports import free_even_port, free_port

COUNTS = (1, 20, 100)
_FRAME = 0.02
_STAMPED = 35  # SO_TIMESTAMPNS, which Python has no name for
_TIMESPEC = struct.Struct("qq")


class _Ears:
    """The callers' RTP sockets, and when packets came to each, by the kernel's clock (UTC)."""

    def __init__(self, count: int) -> None:
        self.sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
        self.times: list[list[float]] = [[] for _ in range(count)]
        self._selector = selectors.DefaultSelector()
        for number, each in enumerate(self.sockets):
            each.setsockopt(socket.SOL_SOCKET, _STAMPED, 1)
            each.bind(("127.0.0.1", 0))
            each.setblocking(False)
            self._selector.register(each, selectors.EVENT_READ, number)

    def close(self) -> None:
        """Close all of them."""
        self._selector.close()
        for each in self.sockets:
            each.close()

    def hear(self, seconds: float) -> None:
        """Take what comes."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            for key, _ in self._selector.select(left):
                _, ancillary, _, _ = key.fileobj.recvmsg(2048, 64)  # type: ignore[union-attr]
                at, nanoseconds = _TIMESPEC.unpack(ancillary[0][2][: _TIMESPEC.size])
                self.times[key.data].append(at + nanoseconds / 1e9)


def waiting_callers(directory: Path, seconds: float) -> Numbers:
    """Measure with each count of callers, none of whom is ever answered by anybody."""
    numbers: Numbers = {}
    for count in COUNTS:
        numbers.update(_measured(directory / str(count), count, seconds))
    return numbers


def _measured(directory: Path, count: int, seconds: float) -> Numbers:
    with contextlib.ExitStack() as stack:
        signals = [stack.enter_context(Datagrams()) for _ in range(count)]
        ears = _Ears(count)
        stack.callback(ears.close)
        system = _bridge(directory, signals)
        system.serve()
        stack.callback(system.stop)
        settle(system)
        idle = system.cpu()
        time.sleep(1.0)
        idle = system.cpu() - idle
        firsts = [_first(number, caller, ears, system) for number, caller in enumerate(signals)]
        ears.hear(1.0)
        for times in ears.times:
            times.clear()
        before, began = system.cpu(), time.monotonic()
        ears.hear(seconds)
        passed = time.monotonic() - began
        used = system.cpu() - before - idle * passed
    gaps = [later - earlier for times in ears.times for earlier, later in pairwise(times)]
    offs = [1000 * abs(gap - _FRAME) for gap in gaps]
    at = f"{count} waiting" if count > 1 else "1 caller waiting"
    return {
        f"{at}: 200 to first packet of music, longest, ms": 1000 * max(firsts),
        f"{at}: CPU each, % of a core": 100 * used / passed / count,
        f"{at}: off the pace of 20 ms, mean, ms": statistics.mean(offs),
        f"{at}: off the pace of 20 ms, p99, ms": statistics.quantiles(offs, n=100)[98],
        f"{at}: jitter (RFC 3550), worst, ms": 1000 * max(map(_jitter, ears.times)),
        f"{at}: longest gap, ms": 1000 * max(gaps),
    }


def _first(number: int, caller: Datagrams, ears: _Ears, system: System) -> float:
    """Call, acknowledge, and return how long after the 200 the first packet came, seconds; the phone sends none."""
    port = system.places.system
    own = ears.sockets[number].getsockname()[1]
    caller.request(
        "INVITE",
        "600",
        port,
        f"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {own} RTP/AVP 8 0\r\n",
    )
    answer = caller.wait(b"SIP/2.0 200")
    answered = time.time()
    to = next(line for line in answer.split(b"\r\n") if line.startswith(b"To:"))
    ack = [f"ACK sip:600@127.0.0.1:{port} SIP/2.0", f"Via: SIP/2.0/UDP 127.0.0.1:{caller.port};branch=z9hG4bK-ack"]
    ack += ["Max-Forwards: 70", f"From: <sip:odd@127.0.0.1>;tag=odd-{caller.port}", to.decode()]
    ack += [f"Call-ID: odd-{caller.port}@127.0.0.1", "CSeq: 1 ACK", "Content-Length: 0", "", ""]
    caller.send("\r\n".join(ack).encode(), port)
    while not ears.times[number]:
        ears.hear(0.005)
    return max(0.0, ears.times[number][0] - answered)


def _jitter(times: list[float]) -> float:
    """Return the interarrival jitter of one stream, seconds (RFC 3550 A.8)."""
    jitter = 0.0
    for earlier, later in pairwise(times):
        jitter += (abs(later - earlier - _FRAME) - jitter) / 16
    return jitter


def _bridge(directory: Path, signals: list[Datagrams]) -> System:
    places = Places(free_port(), 0, 0, 0, 0)
    rtp = free_even_port()
    lines: dict[str, object] = {f"p{number}": static(str(1000 + number), at.port) for number, at in enumerate(signals)}
    lines["agent"] = static("201", free_port())
    tables: dict[str, object] = {
        "sip": {
            "listen": [f"udp:127.0.0.1:{places.system}"],
            "rtp_ports": [rtp, min(rtp + 4 * len(signals) + 40, 65535)],
        },
        "lines": lines,
        "groups": {
            "support": {
                "number": "600",
                "members": ["agent"],
                "strategy": "queue",
                "give_up_after": 3600,
                "queue": {"join_empty": True, "leave_empty": False},
            }
        },
    }
    return configured("bridge, queue", 1, tables, places, directory)
