"""A phone that says 302 sends its calls elsewhere: whether that is followed, and where it leads.

A member's 302 is followed where its group says so (`follow_diversion`), that of a line that was called itself always.
It leads to another line of ours, or outside as the line that diverts may call (`outside`); never to a group, to the
caller, or to where the call rings already. One step is followed: who is diverted to and diverts again is not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from bridge.calls.lines import LineTable
from bridge.calls.onward.outside import Asked, Outsides, place_of
from bridge.calls.parties import Called, destination, user_of
from bridge.calls.present import Present
from bridge.directory.handling import Handlings
from bridge.sip.grammar import SipError, uri_of
from bridge.sip.outgoing import OutgoingLeg

if TYPE_CHECKING:
    from bridge.calls.call import Call

_Q = re.compile(r";\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*(?:;|\Z)", re.IGNORECASE)
_MOST = 5  # contacts that are looked at


class Followed(NamedTuple):
    """Where a call rings instead: `line` is what counts for it, `number` what people are told."""

    line: str
    number: str
    legs: list[OutgoingLeg]


class Following:
    """Decides where a diversion leads."""

    def __init__(self, present: Present, lines: LineTable, handlings: Handlings, outsides: Outsides) -> None:
        self._present = present
        self._lines = lines
        self._handlings = handlings
        self._outsides = outsides

    def target(self, call: Call, line: str, contacts: Sequence[str]) -> Called | None:
        """Return where a line's 302 leads, None where it is not followed."""
        group = call.group
        if (group is not None and not group.follow_diversion) or call.called.outside is not None:
            return None
        for contact in preferred(contacts)[:_MOST]:
            try:
                number = user_of(uri_of(contact))
            except SipError:
                continue
            called = self._called(call, line, number)
            if called is not None:
                return called
        return None

    def _called(self, call: Call, line: str, number: str) -> Called | None:
        called = destination(number, self._present.directory)
        if called.group is not None:
            return None
        if called.line is None:
            asked = Asked(line, "diverted", for_outsider=call.caller.trunk is not None)
            called = self._outsides.called(number, asked)
            return called if called.outside is not None else None
        name = called.line.name
        if name in (line, call.caller.line) or name in call.offers.lines:
            return None
        use = self._lines.use(name)
        free = self._lines.calls(name) + use.offers < called.line.max_calls
        return called if free and self._lines.reachable(name) and not self._handlings.get(name).dnd else None


def preferred(contacts: Sequence[str]) -> list[str]:
    """Return the Contacts of a 3xx in the order in which they are to be tried: by q, else as they stand (§20.10)."""
    return sorted(contacts, key=_rank)


def _rank(contact: str) -> float:
    found = _Q.search(contact.rpartition(">")[2])
    return -float(found[1]) if found is not None else -1.0


def counted_as(called: Called) -> str:
    """Return what stands for where a call is diverted to, in the counts of lines and trunks."""
    if called.outside is not None:
        return place_of(called.outside.trunk)
    assert called.line is not None
    return called.line.name
