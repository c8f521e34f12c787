"""Keeping the way to phones behind NAT open: most translators forget a UDP flow that is silent for half a minute.

A phone whose Contact names another address than it signals from gets an empty datagram (two line ends, which every SIP
stack passes over: RFC 3261 §7.5) each 25 s, for as long as it is registered. Connections are kept by their own means.
"""

from __future__ import annotations

from bridge.sip.agenda import Agenda
from bridge.sip.binding import Binding
from bridge.sip.flow import Send
from bridge.sip.registrar import Registrar

EVERY = 25.0  # seconds
NOTHING = b"\r\n\r\n"


class Openings:
    """Sends to every phone that needs it, by `outbox`."""

    def __init__(self, registrar: Registrar, agenda: Agenda, outbox: list[Send]) -> None:
        self.due: float | None = None
        self._registrar = registrar
        self._agenda = agenda
        self._outbox = outbox

    def registered(self, binding: Binding, now: float) -> None:
        """Begin, where this phone is the first that needs it."""
        if self.due is None and binding.translated:
            self._agenda.arm(self, now + EVERY)

    def tick(self, now: float) -> None:
        """Send, and go on as long as anybody needs it."""
        flows = {binding.flow for binding in self._registrar.everywhere() if binding.translated}
        self._outbox.extend(Send(flow, NOTHING) for flow in sorted(flows))
        if flows:
            self._agenda.arm(self, now + EVERY)
