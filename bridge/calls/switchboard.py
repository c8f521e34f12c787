"""The switchboard: the calls that are up, and what each asks of the lines, trunks and other calls around it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import chain

from bridge.calls.call import Call
from bridge.calls.guard import source_of
from bridge.calls.offering import Offering
from bridge.calls.onward.outside import trunk_of
from bridge.calls.onward.targets import Targets
from bridge.calls.onward.transfers import Transfers
from bridge.calls.parties import Called, Caller
from bridge.calls.passage import Passage
from bridge.calls.queue.agents import Agents
from bridge.calls.status import Story
from bridge.calls.surroundings import Surroundings
from bridge.calls.switch import Asking
from bridge.calls.telling import Telling
from bridge.commands.control import member_at
from bridge.directory.model import Group, Member
from bridge.sip.agenda import Timed
from bridge.sip.leg import Leg
from bridge.sip.message import Body

STORIES = 200
AT_ONCE = 1.0  # seconds: who gives up, or is given up, sooner has hardly called


class Switchboard:
    """All calls that are up; the `Switch` that each of them asks."""

    def __init__(self, around: Surroundings, is_open: Callable[[Group], bool]) -> None:
        self.is_open = is_open
        self.up: dict[str, Call] = {}
        self.latest = ""  # the id of the call that began last
        self._around = around
        self.agents = Agents(around.present, around.lines, around.ua.agenda, around.kept, around.wall, around.tell)
        self.telling = Telling(around, self.agents.floor)
        self.offering = Offering(around, self.agents.floor, self.telling)
        self.targets = Targets(around)
        self.transfers = Transfers(self, around)
        self._hunting: dict[str, dict[Call, None]] = {}  # line to the calls that want to know of its changes
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
        """Return a call's story by its id or the Call-ID of one of its legs, or that of the call which began last."""
        wanted = call or self.latest
        live = self.up.get(wanted)
        if live is not None:
            return live.story()
        ongoing = (call.story() for call in self.up.values() if wanted in call.chronicle.dialogs)
        over = (story for story in reversed(self._stories) if wanted in (story.status.call, *story.dialogs))
        return next(chain(over, ongoing), None)

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
        return any(call.way.has_visited(group.name) and behind & call.offers.lines for call in self.up.values())

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

    def passage(self, leg: Leg, caller: Caller, offer: Body | None) -> Passage:
        """Return how the media of a call pass that a leg makes."""
        return self._around.passages.begin(leg, caller, offer)

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
        self.telling.over(call, story)

    def refused(self, caller: Caller, called: Called, status: int, now: float) -> None:
        """Note that a call which came in was refused before it began."""
        self._around.patience.take(source_of(caller), now)
        self.telling.refused(caller, called, status)
