"""A talk over a restart: what is kept of it, and the call that goes on with it.

A talk is kept as soon as both of its sides are connected, with how it is relayed where it is; nothing is kept of one
whose relay's ports cannot be taken again, nor of one to which somebody is just being transferred.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bridge.calls.call import Call
from bridge.calls.onward.transfer import Transfer
from bridge.calls.parties import Called, Caller
from bridge.calls.passage import Passage
from bridge.calls.restart.kept import plain_dialog, plain_parties
from bridge.calls.switch import Switch
from bridge.calls.talk import Talk


def resumable(call: Call) -> Talk | None:
    """Return the call's talk that a restart takes up again, None where it has none."""
    talk = call.talk
    if talk is None or call.result is not None or talk.caller.dialog is None or talk.member.dialog is None:
        return None
    return None if isinstance(call.asked_by, Transfer) and call.asked_by.pending else talk


class Talks:
    """The talks as plain values; those of one in which nothing has changed are the same object as before.

    So what is kept of a talk need not be made, nor written, again for each call that comes and goes beside it.
    """

    def __init__(self) -> None:
        self._made: dict[str, tuple[object, dict[str, Any]]] = {}  # by call: what they were made of, and they

    def plain(self, calls: Iterable[Call]) -> list[dict[str, Any]]:
        """Return what is to be kept of all calls; nothing of those whose relay cannot be."""
        before, self._made = self._made, {}
        for call in calls:
            talk = resumable(call)
            relay = call.passage.plain() if call.passage.relayed else None
            if talk is None or (call.passage.relayed and relay is None):
                continue
            made = before.get(call.id)
            made_of = _made_of(call, talk, relay)
            if made is None or made[0] != made_of:
                made = made_of, _plain_talk(call, talk, relay)
            self._made[call.id] = made
        return [plain for _, plain in self._made.values()]


def _made_of(call: Call, talk: Talk, relay: Mapping[str, Any] | None) -> object:
    """Return what differs where the plain values would; dialogs and parties are values themselves."""
    dialogs = talk.caller.dialog, talk.member.dialog
    chronicle = call.chronicle
    noted = chronicle.answered_by, chronicle.answered_at, chronicle.record.size
    return dialogs, call.caller, call.called, noted, call.seats.line_of(talk.member), relay


def _plain_talk(call: Call, talk: Talk, relay: Mapping[str, Any] | None) -> dict[str, Any]:
    assert talk.caller.dialog is not None and talk.member.dialog is not None
    return {
        "call": call.id,
        "parties": plain_parties(call.caller, call.called),
        **call.chronicle.plain(),
        "line": call.seats.line_of(talk.member),
        "legs": [plain_dialog(talk.caller.dialog), plain_dialog(talk.member.dialog)],
        "relay": relay,
    }


def call_of(
    kept: Mapping[str, Any],
    parties: tuple[Caller, Called],
    talk: Talk,
    passage: Passage | None,
    switch: Switch,
    now: float,
) -> Call:
    """Return the call that goes on with a talk; `passage`: how it is relayed, None where it is not.

    Raises KeyError, TypeError, ValueError where what was kept of it cannot be read.
    """
    caller, called = parties
    call = Call(str(kept["call"]), switch, talk.caller, None, caller, called, now, passage)
    call.talk = talk
    talk.caller.owner = talk.member.owner = call
    call.chronicle.take_up(kept, switch.wall())
    call.seats.agent = call.answered_by
    call.seats.take(talk.caller, caller.line)
    call.seats.take(talk.member, str(kept["line"]))
    call.note(now, None, "taken up again after a restart")
    return call
