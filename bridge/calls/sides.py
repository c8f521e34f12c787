"""A call as it looks from one of its lines: whether it rings or talks there, and who is at the other end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from bridge.calls.call import Call
from bridge.calls.parties import Caller
from bridge.sip.leg import Leg


class Side(NamedTuple):
    """One end of a call, in the words of the dialog event package (RFC 4235).

    `dialog`: how an INVITE with Replaces names it: Call-ID, the phone's tag, ours; None while there is none.
    """

    call: str
    state: str
    direction: str
    peer: Caller
    dialog: tuple[str, str, str] | None


def sides(call: Call, line: str) -> Iterator[Side]:
    """Yield the ends of a call that are on a line: none, one, or both where it calls itself by way of a group."""
    if call.result is not None:
        return
    talk = call.talk
    if call.caller.line == line:
        called = call.seats.party_of(talk.member) if talk is not None else Caller(None, None, call.called.number, "")
        yield Side(call.id, "confirmed", "initiator", called, _confirmed(call.leg))
    if talk is not None:
        if call.seats.line_of(talk.member) == line:
            yield Side(call.id, "confirmed", "recipient", call.caller, _confirmed(talk.member))
    elif ringing := call.offers.ringing_at(line):
        early = next(((leg.call_id, leg.early_tags[0], leg.local_tag) for leg in ringing if leg.early_tags), None)
        yield Side(call.id, "early", "recipient", call.caller, early)


def _confirmed(leg: Leg) -> tuple[str, str, str] | None:
    return (leg.call_id, leg.dialog.remote_tag, leg.local_tag) if leg.dialog is not None else None
