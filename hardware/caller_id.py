"""A modem that tells who calls on an analogue line, sans-IO: commands out, lines in, what they mean.

The modem is asked for caller id once it is there (`AT+VCID=1`, or the older words of other makers), and from then on
says RING for each ring and, before, between or after the first two of them, who calls:

| what it says | is |
|---|---|
| `NMBR = 0305551234`, `NMBR=...`, `CALLER NUMBER:`, `DDN_NMBR=` | the number |
| `NAME = ZOE`, `CALLER NAME:` | the name |
| `NMBR = P`, `PRIVATE`, `WITHHELD`, `ANONYMOUS` | hidden by the caller |
| `NMBR = O`, `UNAVAILABLE`, `OUT OF AREA` | not known to the exchange |
| `DATE = 1124`, `TIME = 0031` | when, by the exchange's clock: not used, ours is better |
| `MESG = 8014...` | all of it in hexadecimal, as the exchange sends it (ETSI EN 300 659-3, Bellcore GR-30) |

The caller is told as soon as all that is likely to come has come: with the second ring, or half a second after the
last line. A call is over when no ring has come for eight seconds; whether somebody has answered, a modem cannot tell.
"""

from __future__ import annotations

import re
from typing import NamedTuple

RING_PAUSE = 8.0  # seconds without a ring after which nobody calls any more; rings are up to 6 s apart
_MORE_LINES = 0.5  # seconds in which further lines about the caller may come
_ANSWERS = 3.0  # seconds that a modem has to answer a command
_ASK_AGAIN = 60.0  # seconds after which one that did not answer is asked again
_LONGEST = 400  # bytes of a line; what is longer is no line of a modem
_SHOWN = 60

RESET = "ATZ"
ASKS = ("AT+VCID=1", "AT#CID=1", "AT%CCID=1", "AT*ID1")
"""How modems are asked to tell who calls, by maker; the first that is answered by OK counts."""

_FIELD = re.compile(r"\s*(NMBR|DDN_NMBR|CALLER NUMBER|NAME|CALLER NAME|MESG|DATE|TIME)\s*[=:]\s*(.*)", re.IGNORECASE)
_HIDDEN = ("P", "PRIVATE", "WITHHELD", "ANONYMOUS", "BLOCKED")
_UNKNOWN = ("O", "OUT OF AREA", "OUT-OF-AREA", "UNAVAILABLE", "UNKNOWN", "-", "")


class Ready(NamedTuple):
    """The modem is there; `tells`: whether it will tell who calls."""

    tells: bool


class Rang(NamedTuple):
    """A call has begun."""


class Calls(NamedTuple):
    """Who calls: `number` and `name` are "" where nobody tells; `hidden`: the caller wants it so."""

    number: str
    name: str
    hidden: bool


class Quiet(NamedTuple):
    """Nothing rings any more."""


class Deaf(NamedTuple):
    """What answers is no modem, or does not."""

    reason: str


News = Ready | Rang | Calls | Quiet | Deaf


class CallerIdModem:
    """One modem. Times are seconds, monotonic; `outgoing` has what is to be sent to it."""

    def __init__(self) -> None:
        self.outgoing = b""
        self._unread = b""
        self._skipping = False
        self._asking: list[str] = []
        self._answer_by: float | None = None
        self._resetting = False
        self._deaf = False
        self._number: str | None = None
        self._name: str | None = None
        self._hidden = False
        self._told = False
        self._tell_at: float | None = None
        self._ringing_until: float | None = None

    def open(self, now: float) -> None:
        """Begin to talk on a line that is new."""
        self._unread, self._skipping = b"", False
        self._forget()
        self._asking = list(ASKS)
        self._resetting, self._deaf = True, False
        self._say(RESET, now)

    def receive(self, data: bytes, now: float) -> list[News]:
        """Take bytes; return what they mean."""
        news: list[News] = []
        self._unread += data
        while (end := _line_end(self._unread)) >= 0:
            line, self._unread = self._unread[:end], self._unread[end + 1 :]
            if not self._skipping and line.strip():
                news += self._take(line.decode("ascii", "replace").strip(), now)
            self._skipping = False
        if len(self._unread) > _LONGEST:
            self._unread, self._skipping = b"", True
        return news

    def tick(self, now: float) -> list[News]:
        """Let time pass."""
        news: list[News] = []
        if self._answer_by is not None and self._answer_by <= now:
            news += self._unanswered(now)
        if self._tell_at is not None and self._tell_at <= now:
            news += self._tell()
        if self._ringing_until is not None and self._ringing_until <= now:
            news += [*self._tell(at_last=True), Quiet()]
            self._forget()
        return news

    def deadline(self) -> float | None:
        """Return when `tick` is due."""
        return min((at for at in (self._answer_by, self._tell_at, self._ringing_until) if at is not None), default=None)

    # -- asking ---------------------------------------------------------------------------------------------------

    def _say(self, command: str, now: float) -> None:
        self.outgoing += command.encode() + b"\r"
        self._answer_by = now + _ANSWERS

    def _unanswered(self, now: float) -> list[News]:
        if self._deaf:
            self.open(now)
            return []
        self._answer_by = None
        if self._resetting:
            self._resetting = False
            self._say(self._asking.pop(0), now)  # some do not answer a reset
            return []
        self._deaf, self._answer_by = True, now + _ASK_AGAIN
        return [Deaf("it does not answer AT commands; is it a modem?")]

    def _answered(self, done: bool, now: float) -> list[News]:
        if self._answer_by is None or self._deaf:
            return []
        self._answer_by = None
        if self._resetting:
            self._resetting, done = False, False
        if done or not self._asking:
            return [Ready(done)]
        self._say(self._asking.pop(0), now)
        return []

    # -- hearing --------------------------------------------------------------------------------------------------

    def _take(self, line: str, now: float) -> list[News]:
        word = line.upper()
        if word in ("OK", "ERROR"):
            return self._answered(word == "OK", now)
        if word == "RING":
            return self._on_ring(now)
        field = _FIELD.match(line)
        return self._on_field(field[1].upper(), field[2].strip(), now) if field else []

    def _on_ring(self, now: float) -> list[News]:
        begins = self._ringing_until is None
        self._ringing_until = now + RING_PAUSE
        if begins:
            return [Rang()]
        return self._tell(at_last=True)

    def _on_field(self, key: str, value: str, now: float) -> list[News]:
        if key in ("DATE", "TIME"):
            return []
        news: list[News] = []
        if self._ringing_until is None:  # many exchanges tell before the first ring
            self._ringing_until = now + RING_PAUSE
            news.append(Rang())
        if key == "MESG":
            self._on_message(value)
        elif "NAME" in key:
            self._note_name(value)
        else:
            self._note_number(value)
        self._tell_at = now + _MORE_LINES
        return news

    def _note_number(self, value: str) -> None:
        if value.upper() in _HIDDEN:
            self._hidden, self._number = True, ""
        elif value.upper() in _UNKNOWN:
            self._number = ""
        else:
            self._number = "".join(c for c in value if c.isdigit() or c in "+*#")[:_SHOWN]

    def _note_name(self, value: str) -> None:
        if value.upper() in _HIDDEN:
            self._hidden, self._name = True, ""
        else:
            self._name = "" if value.upper() in _UNKNOWN else value[:_SHOWN]

    def _on_message(self, text: str) -> None:
        """Take what the exchange has sent, as it came."""
        try:
            data = bytes.fromhex(text)
        except ValueError:
            return
        for kind, value in _parameters(data):
            written = value.decode("latin-1").strip()
            if kind in (2, 3):  # calling line, dialable number
                self._note_number(written)
            elif kind == 7:
                self._note_name(written)
            elif kind in (4, 8):  # why there is no number, no name
                self._hidden = self._hidden or written.upper() == "P"
                self._number = self._number or ""

    def _tell(self, *, at_last: bool = False) -> list[News]:
        """Tell who calls, once; `at_last` also where the modem has not said it."""
        self._tell_at = None
        if self._told or (self._number is None and self._name is None and not at_last):
            return []
        self._told = True
        if self._hidden:
            return [Calls("", "", True)]
        return [Calls(self._number or "", self._name or "", False)]

    def _forget(self) -> None:
        self._number = self._name = self._tell_at = self._ringing_until = None
        self._hidden = self._told = False


def _line_end(data: bytes) -> int:
    """Return where the first line ends, -1 where it has not yet: modems end lines with CR, LF or both."""
    ends = [at for at in (data.find(b"\r"), data.find(b"\n")) if at >= 0]
    return min(ends, default=-1)


def _parameters(data: bytes) -> list[tuple[int, bytes]]:
    """Return a message's parameters: type 0x80 has many, type 0x04 only date and number. What is cut is left out."""
    if len(data) < 2:
        return []
    body = data[2 : 2 + data[1]]
    if data[0] == 0x04:
        value = body[8:]
        return [(4 if value in (b"P", b"O") else 2, value)]
    found = []
    while data[0] == 0x80 and len(body) >= 2:
        kind, length = body[0], body[1]
        if len(body) < 2 + length:
            break
        found.append((kind, body[2 : 2 + length]))
        body = body[2 + length :]
    return found
