"""Phones that register at the bridge: whose do, and who has to know that one has come, moved or gone."""

from __future__ import annotations

from collections.abc import Callable

from bridge.calls.guard import Guard
from bridge.calls.lines import LineTable
from bridge.calls.phones.lamps import Lamps
from bridge.calls.present import Present
from bridge.calls.restart.kept import Kept
from bridge.sip.binding import BindingAdded, BindingRefreshed, RegisterRefused
from bridge.sip.openings import Openings
from bridge.sip.registrar import Registrar, RegistrarLine
from bridge.sip.useragent import Registering, UserAgent


def registering(present: Present) -> dict[str, RegistrarLine]:
    """Return the lines whose phones register, by number."""
    settings = present.settings
    lines = [line for line in present.directory.lines.values() if line.registers and settings.registrar]
    return {line.number: RegistrarLine(line.name, line.number, settings.passwords[line.name]) for line in lines}


class Attached:
    """What happens at the registrar, told to lines, lamps, flows and the guard."""

    def __init__(
        self,
        present: Present,
        registrar: Registrar,
        ua: UserAgent,
        lines: LineTable,
        lamps: Lamps,
        guard: Guard,
        kept: Kept,
        wall: Callable[[], float],
    ) -> None:
        self._present = present
        self._registrar = registrar
        self._ua = ua
        self._lines = lines
        self._lamps = lamps
        self._guard = guard
        self._kept = kept
        self._wall = wall
        self._openings = Openings(registrar, ua.agenda, ua.layer.outbox)

    def receive(self, event: Registering, now: float) -> None:
        """Take a REGISTER."""
        response = self._registrar.receive(event.request, event.flow, now, self._wall())
        self._ua.answer_register(event.transaction, response, now)

    def settle(self, now: float) -> None:
        """Tell what has come of it, or of time."""
        events = self._registrar.events
        while events:
            event = events.pop(0)
            if isinstance(event, RegisterRefused):
                who = event.line or "nobody's number"
                refused = f"a registration as {who} with a wrong name or password was refused"
                self._guard.tell(event.flow, refused, now)
            else:
                self._kept.touch("bindings")
            if isinstance(event, BindingAdded | BindingRefreshed):
                self._lamps.registered(event.line, event.binding, now)
                self._openings.registered(event.binding, now)
                if event.before is not None and event.before != event.binding.flow:
                    self._ua.moved(event.before, event.binding.flow, now)
            if event.line in self._present.directory.lines:
                self._lines.refresh(event.line)
