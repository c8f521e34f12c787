"""The switchboard: the calls that are up, and what each asks of the lines, trunks and other calls around it."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from bridge.calls.call import Call
from bridge.calls.guard import source_of
from bridge.calls.lines import LineTable
from bridge.calls.onward.following import Followed, Following, counted_as
from bridge.calls.onward.outside import Asked, Outsides, place_of, trunk_of
from bridge.calls.onward.transfer import Transfer
from bridge.calls.onward.transfers import Transfers
from bridge.calls.over import never_began, over
from bridge.calls.parties import Called, Caller, Outside, destination
from bridge.calls.passage import Passage, Passages
from bridge.calls.pbx.trunks import Trunk
from bridge.calls.present import Present
from bridge.calls.queue.agents import Agents
from bridge.calls.reach import Reach
from bridge.calls.restart.kept import Kept
from bridge.calls.status import Story
from bridge.calls.switch import Asking
from bridge.commands.control import member_at
from bridge.directory.handling import Handlings, When
from bridge.directory.logins import Logins
from bridge.directory.model import Directory, Group, Member
from bridge.events import CallerWaits, Event, GroupCall, Notice, OfferEnded, OutsideCalled
from bridge.hunting.availability import availability
from bridge.hunting.hunt import Hunt
from bridge.hunting.model import Availability, Outcome
from bridge.hunting.rules import Rules
from bridge.media.voice import NO_PORTS
from bridge.sip.agenda import Timed
from bridge.sip.grammar import SipError
from bridge.sip.incoming import IncomingLeg
from bridge.sip.leg import Leg
from bridge.sip.limits import Paces
from bridge.sip.message import Body, Request
from bridge.sip.outgoing import OutgoingLeg
from bridge.sip.useragent import UserAgent

STORIES = 200
_WAITED = frozenset({"answered", "missed", "abandoned", "overflowed"})
LINE_RINGS = 180.0  # how long a single line rings, seconds
NO_PORTS_AGAIN = 60.0  # seconds until it is said again that there are no ports
AT_ONCE = 1.0  # seconds: who gives up, or is given up, sooner has hardly called
OUTSIDE_SILENT = 32.0  # seconds until a PBX has said anything about a call outside


@dataclass(frozen=True)
class Surroundings:
    """What a switchboard works with. `tell` takes events; `is_open` knows hours and night switches."""

    present: Present
    logins: Logins
    handlings: Handlings
    outsides: Outsides
    trunks: Mapping[str, Trunk]
    ua: UserAgent
    lines: LineTable
    reach: Reach
    passages: Passages
    kept: Kept
    patience: Paces
    token: Callable[[], str]
    rng: random.Random
    wall: Callable[[], float]
    tell: Callable[[Event], None]

    @property
    def directory(self) -> Directory:
        """Who there is now."""
        return self.present.directory


class Switchboard:
    """All calls that are up; the `Switch` that each of them asks."""

    def __init__(self, around: Surroundings, is_open: Callable[[Group], bool]) -> None:
        self.is_open = is_open
        self.up: dict[str, Call] = {}
        self.latest = ""  # the id of the call that began last
        self._around = around
        self.agents = Agents(around.present, around.lines, around.ua.agenda, around.kept, around.wall, around.tell)
        self._following = Following(around.present, around.lines, around.handlings, around.outsides)
        self.transfers = Transfers(self, around.present, around.ua.legs, around.outsides)
        self._hunting: dict[str, dict[Call, None]] = {}  # line to the calls that want to know of its changes
        self._no_ports_told = -NO_PORTS_AGAIN  # UTC, seconds
        self._stories: deque[Story] = deque(maxlen=STORIES)

    def wall(self) -> float:
        """Return UTC, seconds since the epoch."""
        return self._around.wall()

    def new(
        self, leg: Leg, asked_by: Asking, caller: Caller, called: Called, now: float, passage: Passage | None = None
    ) -> Call:
        """Return a call that is still to `begin`, or to be refused; it counts on its caller's trunk until it closes.

        `passage`: how its media pass, where that is known already.
        """
        if caller.trunk is not None:
            self.carry(caller.trunk, 1)
        return Call(self._around.token()[:8], self, leg, asked_by, caller, called, now, passage)

    def begin(self, call: Call, now: float) -> None:
        """Take a call up and let it search."""
        self.up[call.id] = call
        self.latest = call.id
        call.start(now)

    def story(self, call: str | None) -> Story | None:
        """Return a call's story by its id, or that of the call which began last."""
        wanted = call or self.latest
        live = self.up.get(wanted)
        if live is not None:
            return live.story()
        return next((story for story in reversed(self._stories) if story.status.call == wanted), None)

    def kindred(self, dialogs: set[str]) -> set[str]:
        """Return the Call-IDs of all legs of the calls that one of these dialogs belongs to."""
        every = [*(story.dialogs for story in self._stories), *(call.chronicle.dialogs for call in self.up.values())]
        return dialogs.union(*(each for each in every if not dialogs.isdisjoint(each)))

    @property
    def searched(self) -> int:
        """At how many lines calls search."""
        return len(self._hunting)

    def show(self, line: str, now: float) -> None:
        """Tell the calls that hunt at a line that it, or a login of who is reached there, may have changed."""
        for call in sorted(self._hunting.get(line, ()), key=lambda call: call.search.turn):
            if call.talk is None and call.result is None:
                call.follow(call.search.changed(line, now), now)

    def refusal(self, called: Called, caller: Caller) -> int | None:
        """Return the status that a call which came in is refused with, None where it may begin."""
        group = called.group
        if called.refused:
            return 403
        if caller.trunk is not None and group is not None and self._comes_back(caller.trunk, caller.number, group):
            return 482
        if not called.known:
            return 404
        if group is None:
            return 482 if called.line is not None and called.line.name == caller.line else None
        if group.max_calls is None:
            return None
        up = sum(1 for c in self.up.values() if c.group is not None and c.group.name == group.name)
        return 486 if up >= group.max_calls else None

    def _comes_back(self, trunk: str, number: str, group: Group) -> bool:
        """Tell whether a call is our own ringing of a line behind the trunk, sent back to its group by the PBX.

        A PBX changes Call-IDs; what is left to tell it by is that it comes from our own number while our leg rings.
        """
        settings = self._around.trunks[trunk].settings
        if number not in (settings.username, settings.number):
            return False
        behind = {line.name for line in self._around.directory.lines.values() if line.trunk == trunk}
        return any(call.way.has_visited(group.name) and behind & call.search.offered_lines for call in self.up.values())

    # -- another configuration ------------------------------------------------------------------------------------

    def recount(self) -> None:
        """Count anew what is on each line and trunk: lines may have come, gone, or be behind another trunk."""
        for trunk in self._around.trunks.values():
            trunk.calls = 0
        for call in self.up.values():
            if call.caller.trunk in self._around.trunks:
                self.carry(call.caller.trunk or "", 1)
            call.recount()

    def end_vanished(self, now: float) -> None:
        """End the searches for groups and lines that are no more; talks go on."""
        directory = self._around.directory
        for call in list(self.up.values()):
            group, line = call.called.group, call.called.line
            gone = (group is not None and group.name not in directory.groups) or (
                line is not None and line.name not in directory.lines
            )
            if gone and call.talk is None:
                call.give_up("it has left the configuration", now)

    # -- what calls ask (Switch) ---------------------------------------------------------------------------------

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
            offers_elsewhere=use.offers
            - call.search.offers_to(member.name)
            + sum(g.line == line.name for g in granted),
            max_calls=line.max_calls,
            trunk_full=line.trunk is not None and self._full(line.trunk, granted),
            is_caller=call.caller.line == member.line,
            wrap_up=group is not None and self.agents.floor.wraps_up(member.name) is not None,
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
        return now is not None and now.member(member.name) is not None

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
                floor=self.agents.floor,
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

    def diverted(self, call: Call, when: When) -> Called | None:
        """Find where the line that is called lets its calls go, None: nowhere else, or not this call.

        Whom calls are diverted to can still call the line.
        """
        line = call.called.line
        number = self._around.handlings.get(line.name).to(when) if line is not None else None
        if line is None or number is None:
            return None
        called = destination(number, self._around.directory)
        if not called.known:
            outsider = call.caller.trunk is not None
            called = self._around.outsides.called(number, Asked(line.name, "diverted", for_outsider=outsider))
        back = called.line is not None and called.line.name == call.caller.line
        return called if called.known and not back and not call.way.has_been_at(called) else None

    def overflow(self, call: Call, number: str) -> Called | None:
        """Find where an overflow leads; a group is not tried twice."""
        group = self._around.directory.group(number)
        called = Called(number, group=group) if group else destination(number, self._around.directory)
        if called.group is not None and not called.group.active:
            return None
        return called if called.known and not call.way.has_been_at(called) else None

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
        self._around.tell(OutsideCalled(self.wall(), outside.line, number, trunk, call.id, call.caller.display))
        return self._rung(call, legs)

    def _rung(self, call: Call, legs: list[OutgoingLeg]) -> list[OutgoingLeg]:
        if not legs and call.passage.refusal == NO_PORTS:
            self.notice_no_ports("a phone is not rung")
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

    def passage(self, leg: Leg, caller: Caller, offer: Body | None) -> Passage:
        """Return how the media of a call pass that a leg makes."""
        return self._around.passages.begin(leg, caller.line, caller.trunk, offer)

    def notice_no_ports(self, what: str) -> None:
        """Say that media found no ports, once a minute."""
        wall = self.wall()
        if not 0 <= wall - self._no_ports_told < NO_PORTS_AGAIN:  # every caller finds none, once there are none
            self._no_ports_told = wall
            text = f"no ports are left for media: {what}; give sip.rtp_ports a wider range"
            self._around.tell(Notice(wall, "sip", text))

    def count(self, line: str | None, *, offers: int = 0, rings: int = 0, calls: int = 0) -> None:
        """Add to a line's use, and to its trunk's."""
        if line is not None:
            found = self._around.directory.lines.get(line)
            trunk = trunk_of(line) or (found.trunk if found is not None else None)
            if trunk is not None:
                self.carry(trunk, offers + calls)
            self._around.lines.count(line, offers=offers, rings=rings, calls=calls)

    def carry(self, trunk: str, more: int) -> None:
        """Count a trunk's calls; when one of the last channels becomes free, its lines can be rung again."""
        if trunk not in self._around.trunks:  # it has left the configuration
            return
        was_full = self._around.trunks[trunk].full()
        self._around.trunks[trunk].calls += more
        if was_full and not self._around.trunks[trunk].full():
            self._around.lines.changed.extend(
                line.name for line in self._around.directory.lines.values() if line.trunk == trunk
            )

    def arm(self, who: Timed, due: float | None) -> None:
        """Set when the `tick` of a call, or of whoever waits for it, is due."""
        self._around.ua.agenda.arm(who, due)

    def hunting(self, call: Call, members: tuple[Member, ...]) -> None:
        """Note whose changes a call wants to know."""
        for line in call.watched:
            calls = self._hunting.get(line, {})
            calls.pop(call, None)
            if not calls:
                self._hunting.pop(line, None)
        call.watched = tuple(dict.fromkeys(member.line for member in members))
        for line in call.watched:
            self._hunting.setdefault(line, {})[call] = None

    def tell(self, call: Call, event_type: str, member: str | None = None, reason: str | None = None) -> None:
        """Tell the doors a step of a group's call."""
        group = call.group or (call.way.groups[-1] if call.way.groups else None)
        if group is not None:
            caller = call.caller
            wall, who = self.wall(), (caller.number, caller.name)
            wait = round(max(wall - call.chronicle.since, 0.0), 1) if event_type in _WAITED else None
            self._around.tell(GroupCall(wall, event_type, group.name, call.id, *who, member, reason, wait))

    def tell_waits(self, call: Call, position: int, expected: float | None) -> None:
        """Tell the doors that a call's caller has come to a queue."""
        if call.group is not None:
            name, caller = call.group.name, call.caller
            waiting = self.agents.floor.waiting(name)
            seconds = None if expected is None else round(expected, 1)
            self._around.tell(
                CallerWaits(self.wall(), name, call.id, caller.number, caller.name, waiting, position, seconds)
            )

    def tell_ended(self, call: Call, member: str, outcome: Outcome, rang: float) -> None:
        """Tell the doors how an offer of a group's call to a member ended."""
        if call.group is not None:
            group = call.group.name
            self._around.tell(OfferEnded(self.wall(), group, call.id, member, outcome.value, round(rang, 3)))

    def refer(self, call: Call, referrer: Leg, transferee: Leg, request: Request, now: float) -> Transfer:
        """Look where a REFER leads; return the transfer that is to begin. Raises `SipError` where it is refused."""
        return self.transfers.refer(call, referrer, transferee, request, now)

    def dialled(self, line: str, number: str) -> Called:
        """Find what a number is that is dialled in the name of a line."""
        called = destination(number, self._around.directory)
        return called if called.known else self._around.outsides.called(number, Asked(line))

    def passage_between(self, leg: IncomingLeg, who: Caller, far: Leg, other: Caller) -> tuple[Passage, Body | None]:
        """Return how media pass between a phone that calls and a leg that talks; and the phone's offer for it.

        Raises `SipError` where there are no ports for them.
        """
        passage = self.passage(leg, who, leg.offer)
        return passage, self.lead(passage, far, other)

    def lead(self, passage: Passage, far: Leg, other: Caller) -> Body | None:
        """Lead a passage to a leg that talks; return the offer for it. Raises `SipError`, and no port is kept then."""
        try:
            way = passage.way_to(self._around.passages.party(far.flow, other.line, other.trunk, None))
        except SipError:
            passage.close()
            raise
        passage.rings(far, way)
        passage.settle_on(far)
        return way.body

    def still_at(self, leg: Leg) -> tuple[str, str]:
        """Return host and session, digits, for a description with which nothing flows to a leg."""
        return self._around.ua.locate(leg.flow).host, str(self._around.rng.getrandbits(62))

    def name_of(self, party: Caller) -> str:
        """Return who is said to talk where somebody has come by a transfer."""
        return member_at(party.line, self._around.directory) if party.line else party.number or "outside"

    def party(self, line: str | None, name: str) -> Caller:
        """Return a line of ours as a caller."""
        trunk = trunk_of(line or "")
        if trunk is not None:
            return Caller(None, trunk, "", "")
        found = self._around.directory.lines.get(line or "")
        user = self._around.directory.users.get(name)
        shown = user.shown if user is not None else (found.shown or "") if found else ""
        return Caller(line, None, found.number if found else "", shown)

    def keep(self, call: Call) -> None:
        """Note that a talk is to be written, so that a restart can take it up."""
        self._around.kept.touch("talks")

    def closed(self, call: Call) -> None:
        """Keep a call's story; its legs end by themselves."""
        self.up.pop(call.id, None)
        call.passage.close()
        if call.talk is not None:
            self._around.kept.touch("talks")
        if call.caller.trunk in self._around.trunks:
            assert call.caller.trunk is not None
            self.carry(call.caller.trunk, -1)
        record = call.chronicle.record
        if call.chronicle.answered_by is None and record.wait < AT_ONCE:
            self._around.patience.take(source_of(call.caller), record.over_at)
        story = call.story()
        self._stories.append(story)
        self._around.tell(over(record, story, call.caller, self.wall()))

    def refused(self, caller: Caller, called: Called, status: int, now: float) -> None:
        """Tell that a call which came in was refused before it began."""
        self._around.patience.take(source_of(caller), now)
        self._around.tell(never_began(self._around.token()[:8], caller, called, status, self.wall()))
