"""The panel's end of the line: keys go in, what the lamps have to show comes out. No input or output.

It runs unchanged under CPython and MicroPython. Bytes and the time go in, bytes to send are taken out. Times are whole
milliseconds of a clock that never goes back.
"""

from hardware.panel_protocol import (
    BEAT,
    HELD_BEAT,
    RESEND,
    RESENDS,
    SILENCE,
    STALE,
    VERSION,
    Frame,
    Lines,
    write,
)
from hardware.patterns import BRIDGE_GONE, PATTERNS


class _Press:
    """A key that has moved and is not acknowledged yet."""

    def __init__(self, seq: int, verb: str, key: int, at: int) -> None:
        self.seq = seq
        self.verb = verb
        self.key = key
        self.at = at
        self.sent = 0
        self.due = at


class PanelEnd:
    """The panel's end. `signals` is what each lamp has to show; `connected`: whether a bridge is there.

    `boot` is a word of up to 8 letters and digits, another one at each boot; `identity` and `firmware` have no spaces.
    """

    def __init__(self, identity: str, firmware: str, keys: int, lamps: int, boot: str) -> None:
        self.connected = False
        self.signals = [BRIDGE_GONE] * lamps
        self._words = (("fw", firmware), ("id", identity), ("keys", keys), ("lamps", lamps), ("boot", boot))
        self._boot = boot
        self._lines = Lines()
        self._out: list[bytes] = []
        self._queue: list[_Press] = []
        self._seq = 0
        self._down = 0  # mask of the keys that are pressed
        self._heard = 0
        self._beat_due = 0  # the hello's, while no bridge is there

    def key(self, key: int, pressed: bool, at: int, now: int) -> None:
        """Take note that a key has moved at `at`. Nothing is kept for a bridge that is not there."""
        bit = 1 << (key - 1)
        self._down = self._down | bit if pressed else self._down & ~bit
        if not self.connected:
            return
        self._seq += 1
        self._queue.append(_Press(self._seq, "down" if pressed else "up", key, at))
        self._beat_due = min(self._beat_due, now + HELD_BEAT)
        self._press(now)

    def receive(self, data: bytes, now: int) -> None:
        """Take in what the bridge has sent."""
        for frame in self._lines.feed(data):
            if frame.verb == "who":
                self._hello(now)
            elif frame.verb == "welcome":
                if frame.text("boot") == self._boot and frame.number("proto") == VERSION:
                    self.connected, self._heard, self._beat_due = True, now, now + BEAT
            elif self.connected:
                self._heard = now
                self._obey(frame, now)

    def tick(self, now: int) -> None:
        """Do what is due."""
        if self.connected and now - self._heard >= SILENCE:
            self._lose()
        if now >= self._beat_due:
            if self.connected:
                self._beat(now)
            else:
                self._hello(now)
        self._press(now)

    def deadline(self) -> int:
        """Return when to `tick` next."""
        due = [self._beat_due]
        if self.connected:
            due.append(self._heard + SILENCE)
        if self._queue:
            due.append(self._queue[0].due)
        return min(due)

    def take(self) -> bytes:
        """Return what is to be sent."""
        out, self._out = b"".join(self._out), []
        return out

    def _obey(self, frame: Frame, now: int) -> None:
        if frame.verb == "ack":
            if frame.text("boot") == self._boot and self._queue and frame.seq == self._queue[0].seq:
                self._queue.pop(0)
                self._press(now)
        elif frame.verb == "lamp":
            number = frame.number("n")
            taken = 1 <= number <= len(self.signals) and frame.text("show") in PATTERNS
            if taken:
                self.signals[number - 1] = frame.text("show")
            self._out.append(write(frame.seq, "ack" if taken else "nak"))
        elif frame.verb in ("refuse", "bye"):
            self._lose()

    def _lose(self) -> None:
        self.connected = False
        self.signals = [BRIDGE_GONE] * len(self.signals)
        self._queue = []

    def _hello(self, now: int) -> None:
        fields = (("proto", VERSION),) + self._words + (("seq", self._seq), ("down", f"{self._down:x}"))
        self._out.append(write(0, "hello", fields))
        self._beat_due = now + BEAT

    def _beat(self, now: int) -> None:
        self._out.append(write(0, "beat", (("down", f"{self._down:x}"),)))
        self._beat_due = now + (HELD_BEAT if self._down else BEAT)

    def _press(self, now: int) -> None:
        """Send the first of what is not acknowledged, if it is due; forget what nobody would act on."""
        while self._queue:
            first = self._queue[0]
            if now < first.due:
                return
            if first.sent <= RESENDS and now - first.at <= STALE:
                age = now - first.at
                self._out.append(write(first.seq, first.verb, (("key", first.key), ("age", age))))
                first.sent, first.due = first.sent + 1, now + RESEND
                return
            self._queue.pop(0)
