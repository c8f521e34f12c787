"""The bridge's end of the line to a panel: lamps go in, keys come out, each press once. No input or output.

A lamp is said again until the panel confirms it, each with its latest signal, and all are said again to a panel that is
back. Times are whole milliseconds, monotonic.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from hardware.panel_protocol import BEAT, MOST_PARTS, RESEND, SILENCE, STALE, VERSION, Frame, Lines, write

BOOT_LENGTH = 8


@dataclass(frozen=True, slots=True)
class Hello:
    """What a panel says of itself. `seq`: the last SEQ it had used; `down`: mask of the keys that are pressed."""

    version: int
    firmware: str
    identity: str
    boot: str
    keys: int
    lamps: int
    seq: int
    down: int

    @property
    def whole(self) -> bool:
        """Whether all of it is there and can be."""
        counts = min(self.keys, self.lamps, self.seq, self.down) >= 0 and max(self.keys, self.lamps) <= MOST_PARTS
        return counts and self.boot.isalnum() and len(self.boot) <= BOOT_LENGTH


@dataclass(frozen=True, slots=True)
class Here:
    """A panel is there, or has started anew: its keys are as `hello.down` says."""

    hello: Hello


@dataclass(frozen=True, slots=True)
class Moved:
    """A key was pressed or released at `at`."""

    key: int
    pressed: bool
    at: int


@dataclass(frozen=True, slots=True)
class Held:
    """The keys that are pressed now, as a mask."""

    mask: int


@dataclass(frozen=True, slots=True)
class Refused:
    """What is there speaks another version."""

    hello: Hello


@dataclass(frozen=True, slots=True)
class Silent:
    """Nothing was understood for 7 s; `damaged` lines were no frames."""

    damaged: int


@dataclass(frozen=True, slots=True)
class Lacks:
    """The panel cannot show what this lamp has to."""

    lamp: int


News = Here | Moved | Held | Refused | Silent | Lacks


class State(Enum):
    """What is known of the other end."""

    ASKING = "asking"
    HERE = "here"
    REFUSED = "refused"


@dataclass(slots=True)
class _Said:
    seq: int
    again: int  # when it is said again


class BridgeEnd:
    """One panel's line."""

    def __init__(self) -> None:
        self.state = State.ASKING
        self._lines = Lines()
        self._out: list[bytes] = []
        self._boot = ""
        self._last = 0  # the SEQ of the last key that was acted on
        self._seq = 0
        self._shown: dict[int, str] = {}
        self._unconfirmed: dict[int, _Said] = {}
        self._ask_at = 0
        self._silent_at: int | None = None

    def open(self, now: int) -> None:
        """Begin on a line that was just opened: half a line of before does not count."""
        self.state = State.ASKING
        self._lines = Lines()
        self._out = []
        self._unconfirmed = {}
        self._silent_at = now + SILENCE
        self._ask(now)

    def close(self) -> None:
        """End: the panel is told that there is no bridge any more."""
        self._out.append(write(0, "bye"))

    def show(self, lamp: int, signal: str, now: int) -> None:
        """Let a lamp show a signal from now on."""
        if self._shown.get(lamp) != signal:
            self._shown[lamp] = signal
            if self.state is State.HERE:
                self._say(lamp, now)

    def receive(self, data: bytes, now: int) -> list[News]:
        """Take in what has come; return what has happened."""
        news: list[News] = []
        for frame in self._lines.feed(data):
            if frame.verb == "hello":
                news += self._meet(frame, now)
            elif self.state is State.HERE:
                self._silent_at = now + SILENCE
                news += self._hear(frame, now)
        return news

    def tick(self, now: int) -> list[News]:
        """Do what is due; return what has happened."""
        news: list[News] = []
        if self._silent_at is not None and now >= self._silent_at:
            news.append(Silent(self._lines.damaged))
            self.state, self._silent_at, self._unconfirmed = State.ASKING, None, {}
            self._ask_at = now
        if self.state is State.ASKING and now >= self._ask_at:
            self._ask(now)
        for lamp, said in self._unconfirmed.items():
            if now >= said.again:
                self._send(lamp, said, now)
        return news

    def deadline(self) -> int | None:
        """Return when to `tick` next; None: not before something comes."""
        due = [said.again for said in self._unconfirmed.values()]
        if self._silent_at is not None:
            due.append(self._silent_at)
        if self.state is State.ASKING:
            due.append(self._ask_at)
        return min(due, default=None)

    def take(self) -> bytes:
        """Return what is to be sent."""
        out, self._out = b"".join(self._out), []
        return out

    def _meet(self, frame: Frame, now: int) -> Iterator[News]:
        hello = _hello(frame)
        if hello.version != VERSION:
            yield from self._refuse(hello)
            return
        if not hello.whole:
            return
        again = self.state is State.HERE and hello.boot == self._boot
        if hello.boot != self._boot:
            self._boot, self._last = hello.boot, hello.seq
        self.state, self._silent_at = State.HERE, now + SILENCE
        self._out.append(write(0, "welcome", (("proto", VERSION), ("boot", hello.boot))))
        for lamp in self._shown:
            self._say(lamp, now)
        if not again:
            yield Here(hello)

    def _refuse(self, hello: Hello) -> Iterator[News]:
        self._out.append(write(0, "refuse", (("proto", VERSION),)))
        if self.state is not State.REFUSED:
            self.state, self._silent_at, self._unconfirmed = State.REFUSED, None, {}
            yield Refused(hello)

    def _hear(self, frame: Frame, now: int) -> Iterator[News]:
        if frame.verb == "beat":
            self._out.append(write(0, "beat"))
            mask = frame.number("down", 16)
            if mask >= 0:
                yield Held(mask)
        elif frame.verb in ("down", "up"):
            yield from self._key(frame, now)
        elif frame.verb in ("ack", "nak"):
            lamp = next((lamp for lamp, said in self._unconfirmed.items() if said.seq == frame.seq), None)
            if lamp is not None:
                del self._unconfirmed[lamp]
                if frame.verb == "nak":
                    yield Lacks(lamp)

    def _key(self, frame: Frame, now: int) -> Iterator[News]:
        self._out.append(write(frame.seq, "ack", (("boot", self._boot),)))
        if frame.seq <= self._last:
            return  # said again, because our acknowledgement was lost
        self._last = frame.seq
        key, age, pressed = frame.number("key"), frame.number("age"), frame.verb == "down"
        if 1 <= key <= MOST_PARTS and age >= 0 and not (pressed and age > STALE):
            yield Moved(key, pressed, now - age)

    def _ask(self, now: int) -> None:
        self._out.append(write(0, "who"))
        self._ask_at = now + BEAT

    def _say(self, lamp: int, now: int) -> None:
        self._seq += 1
        said = self._unconfirmed[lamp] = _Said(self._seq, now)
        self._send(lamp, said, now)

    def _send(self, lamp: int, said: _Said, now: int) -> None:
        self._out.append(write(said.seq, "lamp", (("n", lamp), ("show", self._shown[lamp]))))
        said.again = now + RESEND


def _hello(frame: Frame) -> Hello:
    return Hello(
        version=frame.number("proto"),
        firmware=frame.text("fw"),
        identity=frame.text("id"),
        boot=frame.text("boot"),
        keys=frame.number("keys"),
        lamps=frame.number("lamps"),
        seq=frame.number("seq"),
        down=frame.number("down", 16),
    )
