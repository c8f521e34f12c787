"""The guard at the door: how much is taken from whom, and what people are told of the rest.

Known are the hosts of static contacts, of trunks' servers and of registered phones; they are served whatever strangers
do. A trunk brings as many calls as its `max_calls`, a phone that registers `MOST_OF_A_PHONE` (or its line's
`max_calls`, where that is more), everybody together `MOST_CALLS`; and of these one trunk or line has at most three for
each that is still free, so that it leaves room for others whatever it does. A call for help is not counted, as long as
its line does not make many of them.

A flood from whom we know is told by what comes of it: calls that are refused, or end within a second with nobody having
answered. They use up the `patience` with their trunk or line; then it is refused at once until some is there again.
Nothing that is refused here leaves anything behind, and refusals for want of patience are not written down: that would
fill a disk from the network.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from bridge.calls.parties import Called, Caller
from bridge.calls.pbx.trunks import Trunk
from bridge.calls.present import Present
from bridge.sip.flow import Flow
from bridge.sip.limits import PHONE, SERVICES, Limits, Paces

if TYPE_CHECKING:
    from bridge.calls.call import Call

MOST_CALLS = 1000
MOST_OF_A_PHONE = 20
HELP_AT_ONCE = 3  # calls for help of one line that no other limit holds back
LONGEST_LINE = 300
_SECRET = re.compile(r"""(response["' =:]*|inline:)[^"' ,;]+""", re.IGNORECASE)
"""An answer to a challenge, or a key of media, in what a message is quoted with."""


class Guard:
    """`registered` tells whether a phone is registered at a host; `said` takes a line."""

    def __init__(
        self,
        present: Present,
        trunks: Mapping[str, Trunk],
        registered: Callable[[str], bool],
        said: Callable[[str], None],
        patience: Paces,
    ) -> None:
        self._present = present
        self._trunks = trunks
        self._registered = registered
        self._said = said
        self._limits = Limits(self.knows)
        self._calling = Paces(PHONE)
        self._serving = Paces(SERVICES)
        self._patience = patience

    def knows(self, host: str) -> bool:
        """Whether a peer of ours is at this host."""
        if host in self._present.hosts or self._registered(host):
            return True
        return any(flow.host == host for trunk in self._trunks.values() for flow in trunk.addresses)

    def admit(self, flow: Flow, now: float) -> bool:
        """Tell whether a message that came on this flow is to be looked at."""
        if self._limits.admit(flow.host, now):
            return True
        self.tell(flow, "more messages than are taken from there; the rest is dropped", now)
        return False

    def tell(self, flow: Flow, text: str, now: float) -> None:
        """Tell people of something that came on a flow, once a minute for each address."""
        if self._limits.may_tell(flow.host, now):
            clean = "".join(c if c.isprintable() else "?" for c in _SECRET.sub(r"\1...", text[:LONGEST_LINE]))
            self._said(f"{flow}: {clean}")

    def refusal(
        self, caller: Caller, called: Called, flow: Flow, calls: Mapping[str, Call], full: bool, now: float
    ) -> int | None:
        """Return the status that refuses one call more; None where it may come.

        `calls`: those that are up. `full`: no more transactions are to be kept for who calls.
        """
        if self._asks_for_help(caller, called, calls):
            return None
        count = len(calls)
        if full or count >= MOST_CALLS:
            kept = "too many requests of the last half minute" if full else f"{count} calls"
            self.tell(flow, f"a call is refused, for {kept} are kept", now)
            return 503
        most, status = self._most(caller), 486 if caller.trunk is not None else 503
        if 3 * (MOST_CALLS - count) <= count and (most is None or most > 3 * (MOST_CALLS - count)):
            most, status = 3 * (MOST_CALLS - count), 503  # only then one alone can have so many
        if called.service is not None and not self._serving.take(source_of(caller), now):
            self.tell(flow, f"a call is refused, for {_name(caller)} dials codes too fast", now)
            return 503
        if self._is_phone(caller) and not self._calling.take(caller.line, now):
            self.tell(flow, f"a call is refused, for {_name(caller)} makes too many in too short a time", now)
            return 503
        if most is not None and sum(source_of(call.caller) == source_of(caller) for call in calls.values()) >= most:
            self.tell(flow, f"a call is refused, for {_name(caller)} has its {most} calls", now)
            return status
        return None

    def turns_away(self, caller: Caller, number: str, flow: Flow, now: float) -> int | None:
        """Return the status that a call is refused with before anything is asked about it; None where it may go on.

        Else it is to be told to the patience when it is refused, or comes to nothing at once.
        """
        if not self._patience.used_up(source_of(caller), now) or self._present.directory.outside.is_emergency(number):
            return None
        self.tell(flow, f"calls are refused, for those of {_name(caller)} come to nothing, one after the other", now)
        return 503 if caller.trunk is None else 486

    def _most(self, caller: Caller) -> int | None:
        """Return how many calls a trunk or line may bring, as far as others do not matter; None: any number."""
        if caller.trunk is not None:
            return self._trunks[caller.trunk].settings.max_calls
        if not self._is_phone(caller):
            return None
        return max(MOST_OF_A_PHONE, self._present.directory.lines[caller.line or ""].max_calls)

    def _is_phone(self, caller: Caller) -> bool:
        """Whether it is a phone that registers, and no gateway at a static contact, who calls."""
        line = self._present.directory.lines.get(caller.line or "")
        return line is not None and line.registers

    def _asks_for_help(self, caller: Caller, called: Called, calls: Mapping[str, Call]) -> bool:
        """Tell whether a line calls for help, and is not just making many such calls."""
        is_emergency = self._present.directory.outside.is_emergency
        if called.outside is None or not is_emergency(called.outside.number):
            return False
        for_help = (
            call
            for call in calls.values()
            if call.called.outside is not None and is_emergency(call.called.outside.number)
        )
        return sum(call.caller.line == caller.line for call in for_help) < HELP_AT_ONCE


def source_of(caller: Caller) -> tuple[str | None, str | None]:
    """Return what stands for the trunk or line of a caller."""
    return caller.trunk, caller.line


def _name(caller: Caller) -> str:
    return f"trunk {caller.trunk}" if caller.trunk is not None else f"line {caller.line}"
