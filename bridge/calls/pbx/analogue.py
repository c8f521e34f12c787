"""Analogue lines: not ours to ring, only heard by a modem. Their calls are told, and have their line in the journal.

| the modem | the line is | what is told |
|---|---|---|
| is there | idle | |
| rings | ringing | |
| tells who calls, or cannot | | `LineRings`, once a call |
| rings no more | idle | `CallOver`; whether somebody has answered, nobody can tell |
| is gone | unknown | `CallOver`, where it rang |
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from bridge.calls.lines import LineTable
from bridge.calls.over import CallResult
from bridge.calls.parties import shown
from bridge.calls.present import Present
from bridge.calls.status import LineState, Step, Visit
from bridge.directory.model import Line
from bridge.events import CallOver, Event, LineRings


class Here(NamedTuple):
    """The modem listens."""


class Gone(NamedTuple):
    """It does not, any more."""


class Ringing(NamedTuple):
    """A call has begun."""


class From(NamedTuple):
    """Who calls: "" for both where nobody tells, or the caller hides it."""

    number: str
    name: str


class Silent(NamedTuple):
    """It rings no more."""


Heard = Here | Gone | Ringing | From | Silent


@dataclass
class _Call:
    """One that rings. Times are UTC seconds and monotonic ones."""

    ident: str
    began: float
    at: float
    number: str = ""
    name: str = ""
    told: bool = False


class Analogue:
    """What modems hear at the lines of `table`."""

    def __init__(
        self,
        present: Present,
        table: LineTable,
        token: Callable[[], str],
        wall: Callable[[], float],
        tell: Callable[[Event], None],
    ) -> None:
        self._present = present
        self._table = table
        self._token = token
        self._wall = wall
        self._tell = tell
        self._up: dict[str, _Call] = {}

    def heard(self, name: str, what: Heard, now: float) -> None:
        """Take what the modem of a line says; one that has left the configuration is not heard."""
        line = self._present.directory.lines.get(name)
        if line is None or line.modem is None:
            self._up.pop(name, None)
            return
        match what:
            case Here():
                self._table.know(name, LineState.IDLE)
            case Ringing():
                self._up[name] = _Call(self._token()[:8], self._wall(), now)
                self._table.know(name, LineState.RINGING)
            case From(number, caller):
                self._on_caller(name, number, caller)
            case Silent() | Gone():
                self._end(line, now)
                self._table.know(name, LineState.IDLE if isinstance(what, Silent) else None)

    def _on_caller(self, name: str, number: str, caller: str) -> None:
        call = self._up.get(name)
        if call is not None and not call.told:
            number = shown(number)
            call.number, call.name, call.told = (
                number,
                self._present.settings.phonebook.name_of(number) or shown(caller),
                True,
            )
            self._tell(LineRings(self._wall(), name, call.ident, call.number, call.name))

    def _end(self, line: Line, now: float) -> None:
        call = self._up.pop(line.name, None)
        if call is None:
            return
        if not call.told:
            self._tell(LineRings(call.began, line.name, call.ident, "", ""))
        rang = round(now - call.at, 3)
        why = "it rang at an analogue line, where nobody can tell who answers"
        self._tell(
            CallOver(
                self._wall(),
                call=call.ident,
                caller=call.number,
                caller_name=call.name,
                caller_line=None,
                called=line.number,
                line=line.name,
                taken_by=None,
                began=call.began,
                answered=None,
                wait=rang,
                talk=0.0,
                result=CallResult.RANG.value,
                why=why,
                visits=(Visit(None, 0.0, rang, CallResult.RANG.value, why),),
                parts=(),
                steps=(Step(0.0, None, "rang"), Step(rang, None, "over", why)),
            )
        )
