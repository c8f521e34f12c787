"""Legs that nobody takes up again after a restart, so that they end for the other side: 480, CANCEL or BYE.

A leg is kept as plain values as soon as it is there, and while it is of no talk that goes on. At the next start what is
due is sent for each: to a caller who was still waiting a final response, to a phone that rang a CANCEL, and a BYE if it
answers all the same; to whoever was connected a BYE.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bridge.calls.restart.kept import dialog_of, plain_dialog
from bridge.sip.dialog import Dialog
from bridge.sip.flow import Flow
from bridge.sip.incoming import IncomingLeg
from bridge.sip.leg import Leg, LegState
from bridge.sip.legevents import Accepted, LegEvent
from bridge.sip.message import Request, response_to
from bridge.sip.outgoing import OutgoingLeg
from bridge.sip.useragent import UserAgent

_ENOUGH = ("Via", "From", "To", "Call-ID", "CSeq", "Route", "Max-Forwards")
"""The headers of an INVITE that its CANCEL, its ACK and its responses are made from."""


class Leftover:
    """The owner of legs that are only to end."""

    def handle(self, event: LegEvent, now: float) -> None:
        """Hang up on whoever answers."""
        if isinstance(event, Accepted):
            event.leg.hang_up(None, now)


class Legs:
    """The legs as plain values (JSON); those of one that stands where it stood are the same object as before."""

    def __init__(self) -> None:
        self._made: dict[Leg, tuple[object, dict[str, Any]]] = {}  # what they were made of, and they

    def plain(self, legs: Iterable[Leg]) -> list[dict[str, Any]]:
        """Return what is to be kept; nothing of legs that are over, or of which nothing has been sent or heard."""
        before, self._made = self._made, {}
        for leg in legs:
            stands = _stands(leg)
            if stands is not None:
                made = before.get(leg)
                self._made[leg] = made if made is not None and made[0] == stands else (stands, _plain(leg, stands))
        return [plain for _, plain in self._made.values()]


def _stands(leg: Leg) -> Dialog | tuple[Request, Flow] | None:
    """Return where a leg stands: its dialog, or the INVITE that is still to be answered finally, and its flow."""
    if leg.state in (LegState.TRYING, LegState.RINGING):
        return leg.early if isinstance(leg, IncomingLeg | OutgoingLeg) else None
    return leg.dialog if leg.state in (LegState.ANSWERED, LegState.UP) else None


def _plain(leg: Leg, stands: Dialog | tuple[Request, Flow]) -> dict[str, Any]:
    if isinstance(stands, Dialog):
        return {"is": "up", "dialog": plain_dialog(stands)}
    request, flow = stands
    headers = {name: list(request.headers[name]) for name in _ENOUGH if name in request.headers}
    kind = "waits" if isinstance(leg, IncomingLeg) else "rings"
    return {"is": kind, "tag": leg.local_tag, "uri": request.uri, "headers": headers, "flow": list(flow)}


def name_of(plain: Mapping[str, Any]) -> tuple[str, str]:
    """Return a kept leg's Call-ID and our tag. Raises KeyError."""
    if plain["is"] == "up":
        return str(plain["dialog"]["call_id"]), str(plain["dialog"]["local_tag"])
    return str(plain["headers"]["Call-ID"][0]), str(plain["tag"])


def end_leftover(plain: Mapping[str, Any], ua: UserAgent, now: float) -> None:
    """End a leg that was kept. Raises KeyError, TypeError or ValueError where it is none."""
    if plain["is"] == "up":
        leg: Leg = ua.resume(dialog_of(plain["dialog"]), now)
        leg.owner = Leftover()
        leg.hang_up(None, now)
        return
    transport, host, port, listener = plain["flow"]
    flow = Flow(str(transport), str(host), int(port), int(listener))
    headers = {str(name): [str(value) for value in values] for name, values in plain["headers"].items()}
    request = Request("INVITE", str(plain["uri"]), headers)
    if plain["is"] == "waits":
        transaction = ua.layer.taken_up(request, flow)
        transaction.respond(response_to(request, 480, to_tag=str(plain["tag"])), now)
    else:
        ringing = OutgoingLeg(ua, flow, "", pinned=True)
        ringing.owner = Leftover()
        ringing.take_up(request, str(plain["tag"]), now)
        ringing.cancel(None, now)
