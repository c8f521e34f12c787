"""What callers who wait in a queue cost, and what they hear: when music begins, how evenly its packets come, and
whether there is a gap when a member takes the call.
"""

from __future__ import annotations

import contextlib
import statistics
import struct
import time
from itertools import pairwise
from pathlib import Path

from benching.ears import Arrival, Ears
from benching.measure import Numbers
from benching.systems import Places, System, configured, settle
from tests.support.agent import Table, static
from tests.support.datagrams import Datagrams
from tests.support.ports import free_even_port, free_port

COUNTS = (1, 20, 100)
CONNECTIONS = 20
_FRAME = 0.02
_SSRC = 7  # of the phones' own streams


def waiting_callers(directory: Path, seconds: float) -> Numbers:
    """Measure with each count of callers, none of whom is ever answered by anybody."""
    numbers: Numbers = {}
    for count in COUNTS:
        numbers.update(_measured(directory / str(count), count, seconds))
    return numbers


def _measured(directory: Path, count: int, seconds: float) -> Numbers:
    with contextlib.ExitStack() as stack:
        signals = [stack.enter_context(Datagrams()) for _ in range(count)]
        ears = Ears(count)
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
        for came in ears.arrivals:
            came.clear()
        before, began = system.cpu(), time.monotonic()
        ears.hear(seconds)
        passed = time.monotonic() - began
        used = system.cpu() - before - idle * passed
    gaps = [later - earlier for came in ears.arrivals for earlier, later in pairwise(each.at for each in came)]
    offs = [1000 * abs(gap - _FRAME) for gap in gaps]
    at = f"{count} waiting" if count > 1 else "1 caller waiting"
    return {
        f"{at}: 200 to first packet of music, longest, ms": 1000 * max(firsts),
        f"{at}: CPU each, % of a core": 100 * used / passed / count,
        f"{at}: off the pace of 20 ms, mean, ms": statistics.mean(offs),
        f"{at}: off the pace of 20 ms, p99, ms": statistics.quantiles(offs, n=100)[98],
        f"{at}: jitter (RFC 3550), worst, ms": 1000 * max(map(_jitter, ears.arrivals)),
        f"{at}: longest gap, ms": 1000 * max(gaps),
    }


def _first(number: int, caller: Datagrams, ears: Ears, system: System) -> float:
    """Call, and return how long after the 200 the first packet came, seconds; the phone sends none."""
    _call(caller, ears.port(number), system.places.system)
    answered = time.time()
    while not ears.arrivals[number]:
        ears.hear(0.005)
    return max(0.0, ears.arrivals[number][0].at - answered)


def _call(caller: Datagrams, own: int, port: int) -> bytes:
    """Call the queue and acknowledge its answer; return that."""
    caller.request("INVITE", "600", port, _sdp(own))
    answer = caller.wait(b"SIP/2.0 200")
    to = next(line for line in answer.split(b"\r\n") if line.startswith(b"To:"))
    ack = [f"ACK sip:600@127.0.0.1:{port} SIP/2.0", f"Via: SIP/2.0/UDP 127.0.0.1:{caller.port};branch=z9hG4bK-ack"]
    ack += ["Max-Forwards: 70", f"From: <sip:odd@127.0.0.1>;tag=odd-{caller.port}", to.decode()]
    ack += [f"Call-ID: odd-{caller.port}@127.0.0.1", "CSeq: 1 ACK", "Content-Length: 0", "", ""]
    caller.send("\r\n".join(ack).encode(), port)
    return answer


def _sdp(port: int) -> str:
    return (
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP 8\r\na=sendrecv\r\n"
    )


def _told(message: bytes) -> int:
    return int(message.partition(b"m=audio ")[2].split()[0])


def _jitter(came: list[Arrival]) -> float:
    """Return the interarrival jitter of one stream, seconds (RFC 3550 A.8)."""
    jitter = 0.0
    for earlier, later in pairwise(each.at for each in came):
        jitter += (abs(later - earlier - _FRAME) - jitter) / 16
    return jitter


def connected_callers(directory: Path) -> Numbers:
    """Measure connections one after the other: each caller waits a moment, then the member takes the call."""
    to_caller, to_member, later = [], [], 0
    with contextlib.ExitStack() as stack:
        signals = [stack.enter_context(Datagrams()) for _ in range(CONNECTIONS)]
        member = stack.enter_context(Datagrams())
        system = _bridge(directory, signals, static("201", member.port, max_calls=99, media="relay"), always=True)
        system.serve()
        stack.callback(system.stop)
        for caller in signals:
            ears = Ears(2)
            stack.callback(ears.close)
            first, second, music = _connected(caller, member, ears, system.places.system)
            to_caller.append(first)
            to_member.append(second)
            later += music
    return {
        "connection: longest gap at the caller, worst, ms": 1000 * max(to_caller),
        "connection: longest gap at the caller, median, ms": 1000 * statistics.median(to_caller),
        "connection: longest gap at the member, worst, ms": 1000 * max(to_member),
        "connection: packets of music after the member's first": later,
    }


def _connected(caller: Datagrams, member: Datagrams, ears: Ears, port: int) -> tuple[float, float, int]:
    """Connect one caller; return the longest gap at the caller and at the member, seconds, and late packets of music.

    The member's time counts from its answer on.
    """
    to_caller = _told(_call(caller, ears.port(0), port))
    invite = member.wait(b"INVITE")
    member.answer(invite, "180 Ringing", port=port)
    phones = _Phones(ears, (to_caller, _told(invite)))
    phones.talk(0.4, speaking=(True, False))
    member.answer(invite, "200 OK", _sdp(ears.port(1)), port=port)
    answered = time.time()
    phones.talk(0.8, speaking=(True, True))
    heard = ears.arrivals[0]
    first = next(number for number, each in enumerate(heard) if each.ssrc == _SSRC)
    late = sum(each.ssrc != _SSRC for each in heard[first:])
    theirs = [answered, *(each.at for each in ears.arrivals[1])]
    return _longest([each.at for each in heard]), _longest(theirs), late


def _longest(times: list[float]) -> float:
    return max(later - earlier for earlier, later in pairwise(times))


class _Phones:
    """A caller's and a member's phone, both of which send 50 packets a second to the ports that they were told."""

    def __init__(self, ears: Ears, targets: tuple[int, int]) -> None:
        self._ears = ears
        self._targets = targets
        self._sent = 0

    def talk(self, seconds: float, speaking: tuple[bool, bool]) -> None:
        """Send, those who speak, and hear."""
        began, count = time.monotonic(), 0
        while (due := began + count * _FRAME) < began + seconds:
            self._ears.hear(due - time.monotonic())
            for number, target in enumerate(self._targets):
                if speaking[number]:
                    head = struct.pack(">BBHII", 0x80, 8, self._sent & 0xFFFF, self._sent * 160, _SSRC)
                    self._ears.sockets[number].sendto(head + bytes(160), ("127.0.0.1", target))
            self._sent += 1
            count += 1
        self._ears.hear(_FRAME)


def _bridge(directory: Path, signals: list[Datagrams], agent: Table | None = None, *, always: bool = False) -> System:
    places = Places(free_port(), 0, 0, 0, 0)
    rtp = free_even_port()
    lines: dict[str, object] = {f"p{number}": static(str(1000 + number), at.port) for number, at in enumerate(signals)}
    lines["agent"] = agent or static("201", free_port())
    tables: dict[str, object] = {
        "sip": {
            "listen": [f"udp:127.0.0.1:{places.system}"],
            "rtp_ports": [rtp, min(rtp + 4 * len(signals) + 40, 65535)],
        },
        "lines": lines,
        "groups": {
            "support": {
                "number": "600",
                "members": [{"line": "agent", "login": "always"} if always else "agent"],
                "strategy": "queue",
                "give_up_after": 3600,
                "queue": {"join_empty": True, "leave_empty": False},
            }
        },
    }
    return configured("bridge, queue", 1, tables, places, directory)
