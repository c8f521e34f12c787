"""What the doors are told of calls: each step of a group's, what became of each offer, how a call ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.calls.over import never_began, over
from bridge.calls.parties import Called, Caller
from bridge.calls.status import Story
from bridge.calls.surroundings import Surroundings
from bridge.directory.model import MediaWay
from bridge.events import CallerWaits, GroupCall, Notice, OfferEnded
from bridge.hunting.floor import Floor
from bridge.hunting.model import Outcome

if TYPE_CHECKING:
    from bridge.calls.call import Call

NO_PORTS_AGAIN = 60.0  # seconds until it is said again that there are no ports
_WAITED = frozenset({"answered", "missed", "abandoned", "overflowed"})


class Telling:
    """Tells it. `floor` knows how many wait."""

    def __init__(self, around: Surroundings, floor: Floor) -> None:
        self._around = around
        self._floor = floor
        self._no_ports_told = -NO_PORTS_AGAIN  # UTC, seconds

    def step(self, call: Call, event_type: str, member: str | None = None, reason: str | None = None) -> None:
        """Tell the doors a step of a group's call."""
        group = call.group or (call.way.groups[-1] if call.way.groups else None)
        if group is not None:
            caller = call.caller
            wall, who = self._around.wall(), (caller.number, caller.name)
            wait = round(max(wall - call.chronicle.since, 0.0), 1) if event_type in _WAITED else None
            self._around.tell(GroupCall(wall, event_type, group.name, call.id, *who, member, reason, wait))

    def waits(self, call: Call, position: int, expected: float | None) -> None:
        """Tell the doors that a call's caller has come to a queue."""
        if call.group is not None:
            name, caller = call.group.name, call.caller
            waiting = self._floor.waiting(name)
            seconds = None if expected is None else round(expected, 1)
            self._around.tell(
                CallerWaits(self._around.wall(), name, call.id, caller.number, caller.name, waiting, position, seconds)
            )

    def offer_ended(self, call: Call, member: str, outcome: Outcome, rang: float) -> None:
        """Tell the doors how an offer of a group's call to a member ended."""
        if call.group is not None:
            group = call.group.name
            self._around.tell(OfferEnded(self._around.wall(), group, call.id, member, outcome.value, round(rang, 3)))

    def no_ports(self, what: str) -> None:
        """Say that media found no ports, once a minute."""
        wall = self._around.wall()
        if not 0 <= wall - self._no_ports_told < NO_PORTS_AGAIN:  # every caller finds none, once there are none
            self._no_ports_told = wall
            text = f"no ports are left for media: {what}; give sip.rtp_ports a wider range"
            self._around.tell(Notice(wall, "sip", text))

    def refuses_changes(self, party: Caller, status: int, phrase: str) -> None:
        """Have sound of a trunk that changes no call go through us from now on, so that it can be changed here."""
        present = self._around.present
        found = present.directory.lines.get(party.line or "")
        trunk = party.trunk or (found.trunk if found is not None else None)
        if trunk is None or trunk in present.rigid:
            return
        present.rigid.add(trunk)
        self._around.kept.touch("trunks")
        kept = present.ways.get(trunk) is MediaWay.DIRECT
        done = "" if kept else "; sound of its calls goes through the bridge from now on, where that can be done"
        text = f"trunk {trunk}: the PBX does not let calls be held or transferred ({status} {phrase}){done}"
        self._around.tell(Notice(self._around.wall(), "sip", text))

    def over(self, call: Call, story: Story) -> None:
        """Tell that a call is over."""
        self._around.tell(over(call.chronicle.record, story, call.caller, self._around.wall()))

    def refused(self, caller: Caller, called: Called, status: int) -> None:
        """Tell that a call which came in was refused before it began."""
        around = self._around
        around.tell(never_began(around.token()[:8], caller, called, status, around.wall()))
