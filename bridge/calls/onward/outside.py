"""Calls to the outside: through which trunk, how many a day, and not a single one that the rules do not let through.

Asked whenever a number is called that is nobody's of ours: dialled by a phone or by command, transferred or diverted
to. It is always asked in the name of a line of ours; who has none (a trunk's caller, a stranger) never gets outside.
A caller from outside is sent outside again by nobody, unless `[outside] forward` says so. What is refused is told.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from bridge.calls.parties import Called, Outside
from bridge.calls.pbx.trunks import Trunk
from bridge.calls.present import Present
from bridge.calls.restart.kept import Kept
from bridge.directory.model import Line
from bridge.events import Event, OutsideRefused
from bridge.sip.limits import REFUSALS, Paces

NOT_AGAIN = "callers from outside are not sent outside again ([outside] forward)"
_MARK = ">"  # no name of a line begins so


class Asked(NamedTuple):
    """In whose name an outside number is called: a line, how (`dialled`, `transferred`, `diverted`), and for whom."""

    line: str | None
    how: str = "dialled"
    for_outsider: bool = False


class Outsides:
    """Decides on numbers that are nobody's of ours, and counts. `tell` takes events, `wall` gives UTC seconds."""

    def __init__(
        self,
        present: Present,
        trunks: Mapping[str, Trunk],
        kept: Kept,
        wall: Callable[[], float],
        tell: Callable[[Event], None],
    ) -> None:
        self._present = present
        self._trunks = trunks
        self._kept = kept
        self._wall = wall
        self._tell = tell
        self._refusals = Paces(REFUSALS)
        self._day: datetime.date | None = None
        self._made: Counter[str] = Counter()  # calls of each line today

    def called(self, number: str, asked: Asked) -> Called:
        """Return where a number leads outside; known to be nowhere where it may not be called, with the reason."""
        line = self._present.directory.lines.get(asked.line or "")
        if line is None or not number:
            return Called(number)
        rules = self._present.directory.outside
        if rules.is_emergency(number):
            trunk = self._usable((*line.dial_out, *self._trunks), emergency=True)
            return Called(number, outside=Outside(trunk, number, line.name)) if trunk else Called(number)
        if not line.dial_out:
            return Called(number)
        why = self._why_not(number, line, asked)
        trunk = self._usable(line.dial_out) if not why else None
        if trunk is None:
            return self._refused(number, line, asked, why or "no trunk of its dial_out can take a call now")
        return Called(number, outside=Outside(trunk, number, line.name))

    def _why_not(self, number: str, line: Line, asked: Asked) -> str:
        rules = self._present.directory.outside
        if asked.for_outsider and not rules.forward:
            return NOT_AGAIN
        why = rules.why_not(number, line.dial_out_allow)
        most = rules.daily if line.dial_out_daily is None else line.dial_out_daily
        if not why and self.made(line.name) >= most:
            return f"the line has made its {most} calls to the outside today"
        return why

    def _usable(self, names: tuple[str, ...], *, emergency: bool = False) -> str | None:
        """Return the first trunk whose server is there and which has a channel left."""
        up = [name for name in names if name in self._trunks and self._trunks[name].flow is not None]
        return next((name for name in up if emergency or not self._trunks[name].full()), None)

    def may_join(self, outside: Outside) -> bool:
        """Whether a caller from outside may be joined with who was called there; it is told where not."""
        rules = self._present.directory.outside
        if rules.forward or rules.is_emergency(outside.number):
            return True
        self._tell_refused(outside.line, outside.number, "transferred", NOT_AGAIN)
        return False

    def _tell_refused(self, line: str, number: str, how: str, why: str) -> None:
        """Tell of a refusal; a phone that tries numbers one after the other does not fill log and journal."""
        wall = self._wall()
        if self._refusals.take(line, wall):
            self._tell(OutsideRefused(wall, line, number, how, why))

    def _refused(self, number: str, line: Line, asked: Asked, why: str) -> Called:
        self._tell_refused(line.name, number, asked.how, why)
        return Called(number, refused=why)

    def count(self, outside: Outside) -> None:
        """Note that a call to the outside is made."""
        self._turn()
        if not self._present.directory.outside.is_emergency(outside.number):
            self._made[outside.line] += 1
            self._kept.touch("outside")

    def made(self, line: str) -> int:
        """Return how many calls a line has made today."""
        self._turn()
        return self._made[line]

    def _turn(self) -> None:
        day = datetime.datetime.fromtimestamp(self._wall()).date()
        if day != self._day:
            self._day = day
            self._made.clear()

    # -- over a restart -------------------------------------------------------------------------------------------

    def dump(self) -> list[dict[str, Any]]:
        """Return today's counts as plain values."""
        self._turn()
        return [{"day": str(self._day), "line": line, "calls": calls} for line, calls in self._made.items()]

    def load(self, kept: Mapping[str, Any]) -> None:
        """Take up a count, if it is of today. Raises KeyError, TypeError, ValueError where it is none."""
        self._turn()
        if str(kept["day"]) == str(self._day):
            self._made[str(kept["line"])] += int(kept["calls"])


def place_of(trunk: str) -> str:
    """Return what stands for a line where a call goes outside through a trunk."""
    return _MARK + trunk


def trunk_of(line: str) -> str | None:
    """Return the trunk that such a place stands for, None for a line of ours."""
    return line[1:] if line.startswith(_MARK) else None
