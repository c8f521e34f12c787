"""The guard at the door: how much is taken from whom, and what people are told of the rest.

Known are the hosts of static contacts, of trunks' servers and of registered phones; they are served whatever strangers
do. A trunk brings as many calls as its `max_calls`, everybody together as many as `MOST_CALLS`. Nothing that is refused
here leaves anything behind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from bridge.calls.parties import Caller
from bridge.calls.pbx.trunks import Trunk
from bridge.calls.present import Present
from bridge.sip.flow import Flow
from bridge.sip.limits import Limits

if TYPE_CHECKING:
    from bridge.calls.call import Call

MOST_CALLS = 1000
LONGEST_LINE = 300


class Guard:
    """`registered` tells whether a phone is registered at a host; `said` takes a line."""

    def __init__(
        self,
        present: Present,
        trunks: Mapping[str, Trunk],
        registered: Callable[[str], bool],
        said: Callable[[str], None],
    ) -> None:
        self._present = present
        self._trunks = trunks
        self._registered = registered
        self._said = said
        self._limits = Limits(self.knows)

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
            clean = "".join(c if c.isprintable() else "?" for c in text[:LONGEST_LINE])
            self._said(f"{flow}: {clean}")

    def refusal(self, caller: Caller, flow: Flow, calls: Mapping[str, Call], full: bool, now: float) -> int | None:
        """Return the status that refuses one call more; None where it may come.

        `calls`: those that are up. `full`: no more transactions are to be kept.
        """
        if full or len(calls) >= MOST_CALLS:
            self.tell(flow, f"a call is refused, for {len(calls)} calls are up", now)
            return 503
        most = self._trunks[caller.trunk].settings.max_calls if caller.trunk is not None else None
        if most is not None and sum(call.caller.trunk == caller.trunk for call in calls.values()) >= most:
            self.tell(flow, f"a call is refused, for trunk {caller.trunk} has its {most} calls", now)
            return 486
        return None
