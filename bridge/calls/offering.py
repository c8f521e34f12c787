"""Whom a call may be offered, how the hunt for them is made, and the INVITEs that offer it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

from bridge.calls.onward.following import Followed, Following, counted_as
from bridge.calls.onward.outside import place_of, trunk_of
from bridge.calls.parties import Called, Outside
from bridge.calls.surroundings import Surroundings
from bridge.calls.telling import Telling
from bridge.directory.model import Group, Member
from bridge.events import OutsideCalled
from bridge.hunting.availability import availability
from bridge.hunting.floor import Floor
from bridge.hunting.hunt import Hunt
from bridge.hunting.model import Availability
from bridge.hunting.rules import Rules
from bridge.media.voice import NO_PORTS
from bridge.sip.outgoing import OutgoingLeg

if TYPE_CHECKING:
    from bridge.calls.call import Call

LINE_RINGS = 180.0  # how long a single line rings, seconds
OUTSIDE_SILENT = 32.0  # seconds until a PBX has said anything about a call outside


class Offering:
    """Offers all calls. `floor`: what the hunts of all queues share."""

    def __init__(self, around: Surroundings, floor: Floor, telling: Telling) -> None:
        self._around = around
        self._floor = floor
        self._telling = telling
        self._following = Following(around.present, around.lines, around.handlings, around.outsides)

    def look(self, call: Call, member: Member, granted: Sequence[Member]) -> Availability:
        """Tell whether a member can be rung by this call now, `granted` being about to be rung as well."""
        outside = trunk_of(member.line)
        if outside is not None:
            return self._look_outside(call, outside)
        line = self._around.directory.lines.get(member.line)
        group = call.group
        if line is None or (member.always and group is not None and not self._still(member, group)):
            return Availability.LOGGED_OUT  # who has left the configuration since the call came
        use = self._around.lines.use(member.line)
        return availability(
            always=member.always or group is None,
            login=self._around.logins.get(group.name if group else "", member.name),
            reachable=self._around.lines.reachable(member.line),
            calls=self._around.lines.calls(member.line),
            offers_elsewhere=use.offers - call.offers.to(member.name) + sum(g.line == line.name for g in granted),
            max_calls=line.max_calls,
            trunk_full=line.trunk is not None and self._full(line.trunk, granted),
            is_caller=call.caller.line == member.line,
            wrap_up=group is not None and self._floor.wraps_up(member.name) is not None,
            dnd=self._around.handlings.get(line.name).dnd,
        )

    def _look_outside(self, call: Call, name: str) -> Availability:
        """Tell whether a call can go out through a trunk now; one for help is not kept back for want of channels."""
        trunk, outside = self._around.trunks.get(name), call.called.outside
        if trunk is None or outside is None or trunk.flow is None:
            return Availability.NOT_REGISTERED
        urgent = self._around.directory.outside.is_emergency(outside.number)
        return Availability.TRUNK_FULL if trunk.full() and not urgent else Availability.AVAILABLE

    def _still(self, member: Member, group: Group) -> bool:
        now = self._around.directory.groups.get(group.name)
        return now is group or (now is not None and now.member(member.name) is not None)

    def _full(self, trunk: str, granted: Sequence[Member]) -> bool:
        more = sum(self._around.directory.lines[member.line].trunk == trunk for member in granted)
        return self._around.trunks[trunk].full(more)

    def hunt_for(self, call: Call, called: Called) -> tuple[Hunt, tuple[Member, ...]]:
        """Make the hunt for a group, or for a line alone."""
        if called.group is not None:
            members = called.group.members
            hunt = Hunt(
                Rules.of(called.group),
                [m.name for m in members],
                self._around.rng,
                tiers={m.name: m.tier for m in members},
                floor=self._floor,
                group=called.group.name,
                caller=call.caller.number,
            )
            return hunt, members
        if called.outside is not None:
            alone = Member("outside", place_of(called.outside.trunk), device=True, always=True)
            return self._hunt(alone, Rules(give_up_after=LINE_RINGS, silent_after=OUTSIDE_SILENT)), (alone,)
        if called.line is None:  # it has left the configuration before a restart took its talk up again
            return Hunt(Rules(), [], self._around.rng), ()
        alone = Member(called.line.name, called.line.name, device=True, always=True)
        handling = self._around.handlings.get(called.line.name)
        rings = LINE_RINGS if handling.no_answer is None else handling.after
        return self._hunt(alone, Rules(give_up_after=rings)), (alone,)

    def _hunt(self, alone: Member, rules: Rules) -> Hunt:
        return Hunt(rules, [alone.name], self._around.rng)

    def ring(self, call: Call, line: str, now: float) -> list[OutgoingLeg]:
        """Send the INVITEs to a line's contacts."""
        outside = call.called.outside
        if trunk_of(line) is not None and outside is not None:
            return self._ring_outside(call, outside, call.diverters, now)
        return self._ring(call, line, call.diverters, now)

    def _ring(self, call: Call, line: str, diverters: tuple[str, ...], now: float) -> list[OutgoingLeg]:
        legs = self._around.reach.ring(call.caller, call.group, line, call.passage, now, diverters=diverters)
        return self._rung(call, legs)

    def _ring_outside(self, call: Call, outside: Outside, diverters: tuple[str, ...], now: float) -> list[OutgoingLeg]:
        trunk, number = outside.trunk, outside.number
        legs = self._around.reach.ring_outside(call.caller, trunk, number, call.passage, now, diverters)
        self._around.outsides.count(outside)
        self._around.tell(OutsideCalled(self._around.wall(), outside.line, number, trunk, call.id, call.caller.display))
        return self._rung(call, legs)

    def _rung(self, call: Call, legs: list[OutgoingLeg]) -> list[OutgoingLeg]:
        if not legs and call.passage.refusal == NO_PORTS:
            self._telling.no_ports("a phone is not rung")
        return legs

    def follow(self, call: Call, line: str, contacts: Sequence[str], now: float) -> Followed | None:
        """Ring where a line's phone sends its calls; None where that is not followed, or leads nowhere."""
        called = self._following.target(call, line, contacts)
        found = self._around.directory.lines.get(line)
        if called is None or found is None:
            return None
        diverters = (*call.diverters, found.number)
        if called.outside is not None:
            legs = self._ring_outside(call, called.outside, diverters, now)
        else:
            legs = self._ring(call, counted_as(called), diverters, now)
        return Followed(counted_as(called), called.number, legs) if legs else None

    def follow_handled(self, call: Call, line: str, now: float) -> Followed | None:
        """Ring where a member has let all calls of the line go, as if its phone had said 302; None: at the line."""
        number = self._around.handlings.get(line).always if call.group is not None else None
        return None if number is None else self.follow(call, line, (f"<sip:{quote(number)}@bridge>",), now)
