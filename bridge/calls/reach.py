"""Where a line can be rung, and the INVITE that goes there: to a contact as phones want it, to a trunk as PBXs do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bridge.calls.identity import by_itself, to_phone, to_trunk, told
from bridge.calls.model import Target
from bridge.calls.parties import Caller, user_of
from bridge.calls.passage import Passage, Way
from bridge.calls.passages import Passages
from bridge.calls.pbx.trunks import Trunk
from bridge.calls.present import Present
from bridge.directory.model import Group, Line
from bridge.sip.dialog import flow_of
from bridge.sip.flow import Flow
from bridge.sip.grammar import SipError, parse_uri
from bridge.sip.leg import Leg
from bridge.sip.message import Body
from bridge.sip.outgoing import OutgoingLeg
from bridge.sip.registrar import Registrar
from bridge.sip.useragent import UserAgent


class Reach:
    """The way to every line."""

    def __init__(
        self,
        present: Present,
        trunks: Mapping[str, Trunk],
        registrar: Registrar,
        ua: UserAgent,
        passages: Passages,
    ) -> None:
        self._present = present
        self._trunks = trunks
        self._registrar = registrar
        self._ua = ua
        self._passages = passages

    def contacts(self, line: str) -> tuple[str, ...]:
        """Return where a line can be rung, as URIs."""
        return tuple(target.uri for target in self.targets(self._present.directory.lines[line]))

    def targets(self, line: Line) -> tuple[Target, ...]:
        """Return a line's contacts; none where its phone is not registered or its trunk's server not resolved."""
        if line.trunk is not None:
            trunk = self._trunks[line.trunk]
            if trunk.flow is None:
                return ()
            return (Target(trunk.uri(line.dial or line.number), trunk.flow, False, line.trunk),)
        if line.contact is not None:
            return (Target(line.contact, flow_of(line.contact, Flow("udp", "", 0)), False),)
        return tuple(Target(b.contact_uri, b.flow, True) for b in self._registrar.bindings(line.name))

    def ring(
        self,
        caller: Caller,
        group: Group | None,
        line: str,
        passage: Passage,
        now: float,
        *,
        answer_by_itself: bool = False,
        diverters: Sequence[str] = (),
    ) -> list[OutgoingLeg]:
        """Send the INVITEs to a line's contacts; empty where it has none, or none that media could reach.

        `diverters`: the numbers that have sent the call on to here.
        """
        found = self._present.directory.lines[line]
        legs = []
        for target in self.targets(found):
            says = _host_of(target.uri) if target.pinned else None
            try:
                party = self._passages.party(target.flow, line, target.trunk, says)
                confirm = found.confirm and group is not None  # a line that is called itself may have its mailbox
                way = passage.way_apart(party) if confirm else passage.way_to(party)
            except SipError:  # which the passage remembers
                continue
            leg = self._invite(caller, group, found, target, way.body, now, answer_by_itself, diverters)
            passage.rings(leg, way)
            legs.append(leg)
        return legs

    def ring_outside(
        self,
        caller: Caller,
        trunk: str,
        number: str,
        passage: Passage,
        now: float,
        diverters: Sequence[str] = (),
    ) -> list[OutgoingLeg]:
        """Send the INVITE for a number outside through a trunk; empty where its server is not known."""
        through = self._trunks[trunk]
        if through.flow is None:
            return []
        target = Target(through.uri(number), through.flow, False, trunk)
        try:
            way = passage.way_to(self._passages.party(target.flow, None, trunk, None))
        except SipError:  # which the passage remembers
            return []
        leg = self._invite_at_trunk(caller, through, target, way.body, now, diverters)
        passage.rings(leg, way)
        return [leg]

    def way_in(self, leg: Leg, line: str, passage: Passage) -> Way:
        """Return how a phone of a line, which has called us, is offered another's call. Raises `SipError`."""
        registers = self._present.directory.lines[line].registers
        way = passage.way_to(self._passages.party(leg.flow, line, None, leg.flow.host if registers else None))
        passage.rings(leg, way)
        return way

    def _invite(
        self,
        caller: Caller,
        group: Group | None,
        line: Line,
        target: Target,
        offer: Body | None,
        now: float,
        answer_by_itself: bool,
        diverters: Sequence[str],
    ) -> OutgoingLeg:
        if target.trunk is not None:
            return self._invite_at_trunk(caller, self._trunks[target.trunk], target, offer, now, diverters)
        user = group.number if group is not None and group.number else caller.number
        leg = self._ua.call(target.flow, user or "bridge", target.pinned)
        host = self._ua.locate(target.flow).host
        identity = to_phone(caller, group, f"[{host}]" if ":" in host else host)
        if answer_by_itself:
            identity.extra.update(by_itself(host))
        leg.invite(
            target.uri, identity.from_, f"<sip:{line.number}@{_place_of(target.uri)}>", offer, identity.extra, now
        )
        return leg

    def _invite_at_trunk(
        self,
        caller: Caller,
        trunk: Trunk,
        target: Target,
        offer: Body | None,
        now: float,
        diverters: Sequence[str],
    ) -> OutgoingLeg:
        leg = self._ua.call(target.flow, trunk.settings.username or "bridge", target.pinned)
        leg.authenticator = trunk.authenticator
        leg.unanswered = trunk.suspect
        leg.elsewhere = tuple(address for address in trunk.addresses if address != target.flow)
        identity = to_trunk(caller, trunk.settings.username or caller.number or "anonymous", trunk.settings.host)
        if trunk.settings.tells:
            identity.extra.update(
                told(trunk.settings.tells, caller, diverters, user_of(target.uri), trunk.settings.host)
            )
        leg.invite(target.uri, identity.from_, f"<{target.uri}>", offer, identity.extra, now)
        return leg


def _place_of(uri: str) -> str:
    parsed = parse_uri(uri)
    return f"{parsed.host}:{parsed.port}" if parsed.port else parsed.host


def _host_of(uri: str) -> str:
    return parse_uri(uri).host.strip("[]")
