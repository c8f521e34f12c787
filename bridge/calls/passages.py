"""The passages of all calls: how each begins, from who is at a leg, and how one goes on after a restart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bridge.calls.parties import Caller
from bridge.calls.passage import Passage
from bridge.calls.present import Present
from bridge.calls.told import AllTold
from bridge.directory.model import MediaWay
from bridge.media.carriage import Carriage, described
from bridge.media.choice import Party
from bridge.media.model import CALLER, Media
from bridge.media.resumed import resumed_carriage
from bridge.sip.flow import Flow, Locate
from bridge.sip.grammar import SipError, parse_uri
from bridge.sip.leg import Leg
from bridge.sip.message import Body


class Passages:
    """Makes the passages of all calls."""

    def __init__(
        self,
        media: Media | None,
        present: Present,
        locate: Locate,
        session: Callable[[], str],
        source: Callable[[Flow], str] = lambda flow: "",
    ) -> None:
        self._media = media
        self._present = present
        self._locate = locate
        self._source = source
        self._told = AllTold(session)

    def begin(self, leg: Leg, who: Caller, offer: Body | None) -> Passage:
        """Return the passage of a call that a leg makes, `who` being at it."""
        says = described(offer) if self._media is not None else None
        return Passage(self._media, leg, self.party(leg.flow, who.line, who.trunk, says), offer, self._told)

    def between(
        self, leg: Leg, who: Caller, offer: Body | None, far: Leg, other: Caller
    ) -> tuple[Passage, Body | None]:
        """Return the passage between a leg that comes and one that talks already, and the offer for that one.

        `offer`: that of who comes, None where they have made none. Raises `SipError`, and no port is kept then.
        """
        passage = self.begin(leg, who, offer)
        try:
            says = _host_of(far.dialog.remote_target) if far.pinned and far.dialog is not None else None
            way = passage.way_to(self.party(far.flow, other.line, other.trunk, says))
        except SipError:
            passage.close()
            raise
        passage.rings(far, way)
        passage.settle_on(far)
        return passage, way.body

    def resume(self, plain: Mapping[str, Any]) -> Carriage | None:
        """Take up how a talk was relayed before a restart; None where its ports cannot be had.

        Raises KeyError, TypeError or ValueError for what `Passage.plain` did not write.
        """
        return resumed_carriage(self._media, plain) if self._media is not None else None

    def again(self, caller: Leg, member: Leg, carriage: Carriage) -> Passage:
        """Return the passage of a talk that goes on with a carriage from before a restart."""
        passage = Passage(self._media, caller, carriage.parties[CALLER], None, self._told)
        passage.take_up(member, carriage)
        return passage

    def toward(self) -> Passage:
        """Return the passage of a call whose caller is rung first: each of its phones is offered our voice."""
        return Passage(self._media, None, None, None, self._told)

    def party(self, flow: Flow, line: str | None, trunk: str | None, says: str | None) -> Party:
        """Return who is at a flow; `says` is the address that it names as its own, where it does."""
        found = self._present.directory.lines.get(line or "")
        through = trunk or (found.trunk if found else None)
        way = found.media if found else self._present.ways.get(through or "", MediaWay.AUTO)
        phone = found is not None and found.registers
        ours, rigid = self._locate(flow).host, through in self._present.rigid
        return Party(flow.host, ours, way, says, through, phone, rigid, self._source(flow))


def _host_of(uri: str) -> str:
    return parse_uri(uri).host.strip("[]")
