"""What talks through the relay cost: every phone sends 50 packets a second, evenly spread, and hears the other's.

Beside it the same talks through socat, a relay in C that looks at nothing: one process for each talk, all on the core
that the bridge has.
"""

from __future__ import annotations

import contextlib
import selectors
import shutil
import socket
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from benching.measure import Numbers
from benching.systems import Places, System, configured
from tests.support.agent import static
from tests.support.datagrams import Datagrams
from tests.support.ports import free_even_port, free_port
from tests.support.process import wait_until
from tests.support.sipp import is_bound

TALKS = 50
PACKET = b"\x80\x08" + bytes(170)  # 20 ms of G.711
_FRAME = 0.02
_STAMP = 12  # where the time of sending stands, 8 bytes


class _Phones:
    """The RTP sockets of all talks, caller and member in turn, and the ports of the relay that they send to."""

    def __init__(self) -> None:
        self.sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2 * TALKS)]
        self.targets: list[int] = []
        self.delays: list[float] = []
        self.sent = 0
        self._selector = selectors.DefaultSelector()
        for each in self.sockets:
            each.bind(("127.0.0.1", 0))
            each.setblocking(False)
            self._selector.register(each, selectors.EVENT_READ)

    def close(self) -> None:
        """Close all of them."""
        self._selector.close()
        for each in self.sockets:
            each.close()

    def talk(self, seconds: float) -> None:
        """Send and hear."""
        self.delays.clear()
        self.sent = 0
        packet = bytearray(PACKET)
        every = _FRAME / len(self.sockets)
        began = time.perf_counter()
        while (now := time.perf_counter()) < began + seconds:
            while began + self.sent * every <= now:
                number = self.sent % len(self.sockets)
                packet[_STAMP : _STAMP + 8] = time.perf_counter_ns().to_bytes(8, "big")
                self.sockets[number].sendto(packet, ("127.0.0.1", self.targets[number]))
                self.sent += 1
            self._hear(max(0.0, began + self.sent * every - time.perf_counter()))
        while self._hear(0.3):
            pass

    def _hear(self, seconds: float) -> bool:
        """Take what comes within seconds; False where nothing did."""
        ready = self._selector.select(seconds)
        for key, _ in ready:
            data = key.fileobj.recv(2048)  # type: ignore[union-attr]
            self.delays.append((time.perf_counter_ns() - int.from_bytes(data[_STAMP : _STAMP + 8], "big")) / 1e6)
        return bool(ready)


def relayed_talks(directory: Path, seconds: float) -> Numbers:
    """Measure a bridge of its own with all talks up, then socat."""
    ours = _through_the_bridge(directory, seconds)
    theirs = _through_socat(directory, seconds) if shutil.which("socat") is not None else {}
    beside = {
        f"{TALKS} talks: {what}, beside socat": ours[f"{TALKS} talks through the relay: {what}"] / number
        for key, number in theirs.items()
        if (what := key.partition(": ")[2]) not in ("packets/s", "lost, %")
    }
    return {**ours, **theirs, **beside}


def _through_socat(directory: Path, seconds: float) -> Numbers:
    with contextlib.closing(_Phones()) as phones:
        first = free_even_port(pairs=TALKS)
        phones.targets = list(range(first, first + 2 * TALKS))
        ends = [
            f"UDP4:127.0.0.1:{phone.getsockname()[1]},bind=127.0.0.1:{port}"
            for phone, port in zip(phones.sockets, phones.targets, strict=True)
        ]
        talks = [f'socat -T 60 {ends[2 * talk]} {ends[2 * talk + 1]} & all="$all $!"' for talk in range(TALKS)]
        script = "\n".join(["all=", *talks, 'trap "kill $all" TERM', "wait"])
        system = System("socat", 1, ["sh", "-c", script], Places(first, 0, 0, 0, 0), directory)
        system.start()
        try:
            wait_until(lambda: all(is_bound("127.0.0.1", port, "udp") for port in phones.targets), "socat relays")
            return _measured("socat", system, phones, seconds)
        finally:
            system.stop()


def _through_the_bridge(directory: Path, seconds: float) -> Numbers:
    with contextlib.ExitStack() as stack:
        signals = [stack.enter_context(Datagrams()) for _ in range(2 * TALKS)]
        phones = _Phones()
        stack.callback(phones.close)
        system = _bridge(directory, signals)
        system.serve()
        stack.callback(system.stop)
        for number in range(TALKS):
            phones.targets += _call(number, signals, phones, system.places.system)
        return _measured("the relay", system, phones, seconds)


def _measured(what: str, system: System, phones: _Phones, seconds: float) -> Numbers:
    phones.talk(1.0)  # the latches close, the caches are warm
    before = system.cpu()
    phones.talk(seconds)
    used = system.cpu() - before
    delays = phones.delays
    at = f"{TALKS} talks through {what}"
    return {
        f"{at}: packets/s": len(delays) / seconds,
        f"{at}: lost, %": 100 * (1 - len(delays) / phones.sent),
        f"{at}: CPU, % of a core": 100 * used / seconds,
        f"{at}: delay, median, ms": statistics.median(delays),
        f"{at}: delay, p99, ms": statistics.quantiles(delays, n=100)[98],
    }


def _bridge(directory: Path, signals: list[Datagrams]) -> System:
    places = Places(free_port(), 0, 0, 0, 0)
    rtp = free_even_port()
    lines = {f"p{number}": static(str(1000 + number), each.port) for number, each in enumerate(signals)}
    tables: dict[str, object] = {
        "sip": {"listen": [f"udp:127.0.0.1:{places.system}"], "rtp_ports": [rtp, min(rtp + 16 * TALKS, 65535)]},
        "lines": {name: {**line, "media": "relay"} for name, line in lines.items()},
    }
    return configured("bridge, relay", 1, tables, places, directory)


def _call(number: int, signals: list[Datagrams], phones: _Phones, port: int) -> Iterator[int]:
    """Connect one talk; yield the relay's ports, the caller's and the member's. The answer's ACK is left out."""
    caller, member = signals[2 * number : 2 * number + 2]
    own = [each.getsockname()[1] for each in phones.sockets[2 * number : 2 * number + 2]]
    caller.request("INVITE", str(1000 + 2 * number + 1), port, _sdp(own[0]))
    invite = member.wait(b"INVITE")
    member.answer(invite, "200 OK", _sdp(own[1]), port=port)
    yield _port(caller.wait(b"SIP/2.0 200"))
    yield _port(invite)


def _sdp(port: int) -> str:
    return (
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP 8\r\na=sendrecv\r\n"
    )


def _port(message: bytes) -> int:
    return int(message.partition(b"m=audio ")[2].split()[0])
