"""What a FRITZ!Box's call monitor tells of the lines behind a trunk.

It is a TCP connection on which the box writes a line for each step of each outside call, fields parted by semicolons:

    23.11.26 10:00:00;CALL;0;10;987654;0301234;SIP0;     extension 10 calls out
    23.11.26 10:00:00;RING;1;0301234;987654;SIP0;        a call comes in; which phones ring is not told
    23.11.26 10:00:05;CONNECT;1;10;0301234;              extension 10 talks
    23.11.26 10:00:09;DISCONNECT;1;4;                    over

So it tells who is busy, and never who rings. Internal calls are not in it, nor what began before it was connected.
"""

from __future__ import annotations

from collections.abc import Iterable

from bridge.calls.lines import LineTable
from bridge.calls.status import LineState
from bridge.directory.model import Line

_MOST_CALLS = 64


def extension_of(line: Line) -> int | None:
    """Return a line's extension in the call monitor, by its internal number (`**610`: 10); None where it has none.

    Analog phones are 1 to 3 inside and 0 to 2 in the monitor; 600 on are answering machines (40 on), 610 on cordless
    phones (10 on), 620 on telephones of the network (20 on).
    """
    number = (line.dial or line.number).removeprefix("**")
    if not (number.isascii() and number.isdigit()):
        return None
    if number in ("1", "2", "3"):
        return int(number) - 1
    if len(number) == 3 and number[:2] in ("60", "61", "62"):
        return {"60": 40, "61": 10, "62": 20}[number[:2]] + int(number[2])
    return None


class CallMonitor:
    """The calls that the box tells of, as states of lines. It has none until `configure`."""

    def __init__(self, table: LineTable) -> None:
        self._table = table
        self._connected = False
        self._by_extension: dict[int, list[str]] = {}
        self._calls: dict[str, int | None] = {}  # connection id to extension, None while it rings

    def configure(self, lines: Iterable[Line]) -> None:
        """Tell of these lines from now on."""
        before = set(self._names())
        self._by_extension.clear()
        for line in lines:
            extension = extension_of(line)
            if extension is not None:
                self._by_extension.setdefault(extension, []).append(line.name)
        for name in before.difference(self._names()):
            self._table.know(name, None)
        if self._connected:
            self._show()

    def connected(self) -> None:
        """Begin anew: as far as is told, nobody is on the phone."""
        self._connected = True
        self._calls.clear()
        self._show()

    def lost(self) -> None:
        """Know nothing any more."""
        self._connected = False
        self._calls.clear()
        for name in self._names():
            self._table.know(name, None)

    def heard(self, text: str) -> None:
        """Take one line; what is not understood changes nothing."""
        fields = text.strip().split(";")
        if len(fields) < 4:
            return
        _, kind, call, extension, *_ = fields
        if kind == "DISCONNECT":
            self._calls.pop(call, None)
        elif kind in ("CALL", "CONNECT") and extension.isascii() and extension.isdigit() and len(extension) < 4:
            self._calls[call] = int(extension)
            while len(self._calls) > _MOST_CALLS:  # their ends were missed
                del self._calls[next(iter(self._calls))]
        self._show()

    def _show(self) -> None:
        busy = set(self._calls.values())
        for extension, names in self._by_extension.items():
            for name in names:
                self._table.know(name, LineState.BUSY if extension in busy else LineState.IDLE)

    def _names(self) -> list[str]:
        return [name for names in self._by_extension.values() for name in names]
