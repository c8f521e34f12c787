"""Keeping the way to phones behind NAT open: most translators forget a UDP flow that is silent for half a minute.

A phone whose Contact names another address than it signals from gets an empty datagram (two line ends, which every SIP
stack passes over: RFC 3261 §7.5) each 25 s, for as long as it is registered. So does a PBX that sees us at another
address than ours, that its calls may find the way in. Connections are kept by their own means.
"""

from __future__ import annotations

from bridge.sip.agenda import Agenda
from bridge.sip.binding import Binding
from bridge.sip.flow import Flow, Send
from bridge.sip.registrar import Registrar

EVERY = 25.0  # seconds
NOTHING = b"\r\n\r\n"


class Opening:
    """Sends to one peer, for as long as it is told so."""

    def __init__(self, agenda: Agenda, outbox: list[Send]) -> None:
        self.due: float | None = None
        self._agenda = agenda
        self._outbox = outbox
        self._flow: Flow | None = None

    def keep(self, flow: Flow | None, now: float) -> None:
        """Keep this way open from now on; None: none."""
        self._flow = flow
        if flow is None or self.due is None:
            self._agenda.arm(self, None if flow is None else now + EVERY)

    def tick(self, now: float) -> None:
        """Send."""
        if self._flow is not None:
            self._outbox.append(Send(self._flow, NOTHING))
            self._agenda.arm(self, now + EVERY)


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
