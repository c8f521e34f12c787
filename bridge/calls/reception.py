"""The reception: what becomes of an INVITE that comes in, from who sends it to the call that begins.

| it | then |
|---|---|
| comes from nobody who may call (`admission`) | it is challenged or refused there |
| comes from who calls too much (`guard`), or who is on the block list | it is refused, or goes where such calls go |
| names a leg to be replaced | `ordered.replacing` |
| is to a code or the menu | `phones.services` |
| is to a group or line, or outside | a call begins, unless no ports are left for its media |
"""

from __future__ import annotations

from bridge.calls.admission import Admission
from bridge.calls.guard import Guard
from bridge.calls.ordered.control import Control
from bridge.calls.parties import Called, Caller, destination, phone_destination, trunk_destination, user_of
from bridge.calls.phones.services import Services
from bridge.calls.surroundings import Surroundings
from bridge.calls.switchboard import Switchboard
from bridge.media.voice import NO_PORTS
from bridge.sip.message import Request
from bridge.sip.useragent import Invited

_LATER = {"Retry-After": ["10"]}  # seconds, with every 503


class Reception:
    """All INVITEs that begin a dialog."""

    def __init__(
        self,
        around: Surroundings,
        board: Switchboard,
        admission: Admission,
        guard: Guard,
        control: Control,
        services: Services,
    ) -> None:
        self._around = around
        self._board = board
        self._admission = admission
        self._guard = guard
        self._control = control
        self._services = services

    def receive(self, invited: Invited, now: float) -> None:
        """Take an INVITE."""
        ua = self._around.ua
        caller = self._admission.identify(invited, now)
        if caller is None:
            return
        away = self._guard.turns_away(caller, user_of(invited.request.uri), invited.flow, now)
        if away is not None:
            ua.answer(invited.transaction, invited.request, away, now, _LATER)
            return
        if "Replaces" in invited.request.headers:
            self._control.replace(invited, caller, now)
            return
        if caller.trunk is not None:
            self._around.trunks[caller.trunk].lives(now)
        called = self._called(invited.request, caller)
        refusal = self._refusal(invited, caller, called, now)
        if refusal is not None:
            ua.answer(invited.transaction, invited.request, refusal, now, _LATER if refusal == 503 else None)
            self._board.refused(caller, called, refusal, now)
        elif called.service is not None:
            self._services.serve(invited, caller, called, now)
        else:
            self._begin(invited, caller, called, now)

    def _called(self, request: Request, caller: Caller) -> Called:
        """Find whom a caller wants, or is to get who is on the block list."""
        directory, blocklist = self._around.directory, self._around.present.settings.blocklist
        if caller.trunk is None:
            called = phone_destination(user_of(request.uri), directory)
            strange = not called.known and caller.line is not None
            return self._board.targets.dialled(caller.line or "", called.number) if strange else called
        if blocklist.send_to is not None and blocklist.has(caller.number):
            return destination(blocklist.send_to, directory)
        return trunk_destination(request, self._around.trunks[caller.trunk].settings.number, directory)

    def _refusal(self, invited: Invited, caller: Caller, called: Called, now: float) -> int | None:
        """Return the status that the call is refused with, None where it may begin."""
        blocklist = self._around.present.settings.blocklist
        full = self._around.ua.layer.full_for(invited.flow)
        refusal = self._guard.refusal(caller, called, invited.flow, self._board.up, full, now)
        if refusal is not None:
            return refusal
        if caller.trunk is not None and blocklist.send_to is None and blocklist.has(caller.number):
            return 603
        return self._board.refusal(called, caller) if called.service is None else None

    def _begin(self, invited: Invited, caller: Caller, called: Called, now: float) -> None:
        registered = caller.line is not None and self._around.directory.lines[caller.line].registers
        leg = self._around.ua.take(invited, called.number or "bridge", registered, now)
        if caller.trunk is not None:
            leg.authenticator = self._around.trunks[caller.trunk].authenticator
        call = self._board.new(leg, leg, caller, called, now)
        if call.passage.reserve():
            self._board.begin(call, now)
        else:
            self._board.latest = call.id
            self._board.telling.no_ports("a call is refused")
            call.refuse(NO_PORTS, "no ports are left for media", now)
