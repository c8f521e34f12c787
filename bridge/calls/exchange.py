"""The exchange: every call, line and trunk of the bridge, as one sans-IO engine.

Bytes come in from the endpoint (`Engine`), logins from the port (`login_changed`), time from both. Out go bytes
(`outbox`) and events (`take_events`). Everything in between happens in one step: the user agent turns bytes into
events of legs, calls turn those into commands to legs, and lines whose use has changed are shown to the hunts that
want to know, until nothing is left to do.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any

from bridge.calls.admission import Admission, static_contacts
from bridge.calls.call import Call
from bridge.calls.callmonitor import CallMonitor
from bridge.calls.guard import Guard
from bridge.calls.kept import Kept, dialog_of, parties_of
from bridge.calls.lines import LineTable
from bridge.calls.model import ExchangeSettings, TrunkSettings
from bridge.calls.parties import Called, Caller, destination, trunk_destination, user_of
from bridge.calls.passage import NO_PORTS, Passage, Passages
from bridge.calls.reach import Reach
from bridge.calls.referring import refer_to
from bridge.calls.status import CallStatus, LineStatus, Story, TrunkStatus
from bridge.calls.talk import Talk
from bridge.calls.transfer import Transfer
from bridge.calls.trunks import Place, Trunk, numeric, status_of
from bridge.calls.watching import watches
from bridge.directory.logins import Logins
from bridge.directory.model import Directory, Group, Member
from bridge.events import Event, GroupCall, LineChanged, Notice, OfferEnded, TrunkChanged
from bridge.hunting.availability import availability
from bridge.hunting.hunt import Hunt
from bridge.hunting.model import Availability, Outcome
from bridge.hunting.rules import Rules
from bridge.media.model import Media
from bridge.sip.agenda import Agenda
from bridge.sip.binding import RegisterRefused
from bridge.sip.challenger import Challenger
from bridge.sip.flow import Flow, Locate, Send
from bridge.sip.leg import Leg, LegState
from bridge.sip.message import Body, Request
from bridge.sip.outgoing import OutgoingLeg
from bridge.sip.registrar import Registrar, RegistrarLine
from bridge.sip.useragent import AgentEvent, Invited, Registering, Strange, UserAgent

STORIES = 200
LINE_RINGS = 180.0  # how long a single line rings, seconds


class Exchange:
    """All calls. `wall` gives UTC seconds; `token` random text for tags, branches and Call-IDs.

    `is_open` tells whether a group takes calls now; `media` has the ports of the relay, None: all media flow directly.
    """

    def __init__(
        self,
        directory: Directory,
        logins: Logins,
        settings: ExchangeSettings,
        *,
        locate: Locate,
        token: Callable[[], str],
        wall: Callable[[], float],
        rng: random.Random,
        media: Media | None = None,
        is_open: Callable[[Group], bool] = lambda group: True,
    ) -> None:
        self.is_open = is_open
        self.directory = directory
        self.logins = logins
        self.settings = settings
        self.agenda = Agenda()
        self.ua = UserAgent(settings.agent, self.agenda, locate, token)
        self.wall = wall
        self._token = token
        self._rng = rng
        self.kept = Kept()
        self._events: list[Event] = []
        self._calls: dict[str, Call] = {}
        self._latest = ""  # the id of the call that began last
        self._hunting: dict[str, dict[Call, None]] = {}  # line to the calls that want to know of its changes
        self._stories: deque[Story] = deque(maxlen=STORIES)
        # phones on libre 1 (baresip 1.0) give up where a challenge names an algorithm that they do not have
        self.challenger = Challenger(settings.realm, rng, algorithms=("MD5",))
        self.registrar = Registrar(
            {
                line.number: RegistrarLine(name, line.number, settings.passwords[name])
                for name, line in directory.lines.items()
                if line.registers
            }
            if settings.registrar
            else {},
            self.challenger,
            token,
            rng,
            max_expires=settings.max_expires,
        )
        self._trunks = {
            trunk.name: Trunk(trunk, self.ua, self.agenda, rng, self._trunk_changed) for trunk in settings.trunks
        }
        self._moved: list[str] = []  # trunks that may be up, down or elsewhere, still to be told to who watches there
        self._trunk_since = dict.fromkeys(self._trunks, wall())
        hosts = (host for host, _ in static_contacts(directory))
        self._guard = Guard(hosts, self._trunks, self.registrar.knows, self._notice_sip)
        self._admission = Admission(directory, settings.passwords, self._trunks, self.challenger, self.ua, self._guard)
        ways = {trunk.name: trunk.media for trunk in settings.trunks}
        self._passages = Passages(media, directory, ways, locate, lambda: str(rng.getrandbits(62)))
        self.reach = Reach(directory, self._trunks, self.registrar, self.ua, self._passages)
        self.lines = LineTable(directory.lines, self.reach.contacts, wall)
        self.lines.restated.clear()
        self.lines.changed.clear()
        watched = {name: directory.lines[name] for name in sorted(settings.watched)}
        self._monitors = {
            trunk: CallMonitor(
                [line for name, line in directory.lines.items() if line.trunk == trunk and name not in watched],
                self.lines,
            )
            for trunk in self._trunks
        }
        self._monitors_lost: set[str] = set()
        self._watches = watches(watched, self._trunks, self.ua, self.agenda, rng, self.lines, self._notice_sip)

    # -- the engine, for the endpoint ---------------------------------------------------------------------------

    @property
    def outbox(self) -> list[Send]:
        """What is to be sent."""
        return self.ua.layer.outbox

    def start(self, now: float) -> None:
        """Begin to register at trunks whose server is an IP address; the others wait for `trunk_resolved`."""
        for trunk in self._trunks.values():
            if numeric(trunk.settings.host):
                trunk.resolved([(trunk.settings.host, None)], now)
        self._moved.extend(self._trunks)
        self._settle(now)

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        """Take one message from the network."""
        if self._guard.admit(flow, now):
            self.ua.receive(data, flow, now)
            self._settle(now)

    def flow_failed(self, flow: Flow, reason: str, now: float) -> None:
        """Note that what was sent on a flow cannot be delivered."""
        self.ua.flow_failed(flow, now)
        if flow.reliable:
            self.registrar.flow_gone(flow)
        self._settle(now)

    def tick(self, now: float) -> None:
        """Let happen what is due."""
        self.ua.tick(now)
        due = self.registrar.deadline()
        if due is not None and due <= now:
            self.registrar.tick(now)
        self._settle(now)

    def deadline(self) -> float | None:
        """Return when `tick` is due next."""
        first, second = self.agenda.deadline(), self.registrar.deadline()
        return first if second is None else second if first is None else min(first, second)

    def take_events(self) -> list[Event]:
        """Return what has happened since this was last asked."""
        events, self._events = self._events, []
        return events

    def stop(self, now: float) -> None:
        """Before the end: take back registrations, end calls that cannot go on without us; direct talks go on."""
        for call in list(self._calls.values()):
            if call.talk is None or call.passage.relayed:
                call.hang_up(now)
        for watch in chain.from_iterable(self._watches.values()):
            watch.stop(now)
        for trunk in self._trunks.values():
            trunk.stop(now)
        self._settle(now)

    @property
    def quiet(self) -> bool:
        """Whether no request of ours waits for its answer any more."""
        return not self.ua.layer.asking

    # -- for the port and the agent ------------------------------------------------------------------------------

    def login_changed(self, group: str, member: str, now: float) -> None:
        """Take note that a login was changed and applied."""
        found = self.directory.groups.get(group)
        place = found.member(member) if found else None
        if place is not None:
            self._show_hunts(place.line, now)
            self._settle(now)

    def trunk_resolved(self, trunk: str, places: Sequence[Place], now: float) -> None:
        """Take the addresses that a trunk's server has now, the preferred first."""
        self._trunks[trunk].resolved(places, now)
        self._moved.append(trunk)
        self._settle(now)

    def trunk_unresolved(self, trunk: str, reason: str, now: float) -> None:
        """Note that a trunk's server cannot be found."""
        self._trunks[trunk].unresolved(reason)
        self._settle(now)

    def unresolved_names(self) -> dict[str, TrunkSettings]:
        """Return the trunks whose server is a name, with what is known of it."""
        return {n: t.settings for n, t in self._trunks.items() if not numeric(t.settings.host)}

    def monitor_heard(self, trunk: str, text: str, now: float) -> None:
        """Take a line of a trunk's call monitor; "" once it is connected."""
        if text:
            self._monitors[trunk].heard(text)
        else:
            self._monitors[trunk].connected()
            self._monitors_lost.discard(trunk)
        self._settle(now)

    def monitor_lost(self, trunk: str, reason: str, now: float) -> None:
        """Note that a trunk's call monitor cannot be heard; said once, until it could be again."""
        self._monitors[trunk].lost()
        if trunk not in self._monitors_lost:
            self._monitors_lost.add(trunk)
            self._notice_sip(
                f"trunk {trunk}: its call monitor cannot be heard ({reason}); #96*5* dialled at a phone of the box "
                "switches it on; the state of lines is known from our own calls alone"
            )
        self._settle(now)

    # -- what a restart takes up again ------------------------------------------------------------------------------

    def dump(self, kind: str, now: float) -> list[dict[str, Any]]:
        """Return what is to be kept of a kind, "bindings" or "talks", as plain values."""
        if kind == "bindings":
            return list(self.registrar.dump(now, self.wall()))
        return [kept for call in self._calls.values() if (kept := call.kept()) is not None]

    def load(self, kept: Mapping[str, Iterable[Mapping[str, Any]]], now: float) -> None:
        """Take up what was kept, by kind. What cannot be read any more is left out, and said so."""
        for binding in kept["bindings"]:
            with self._said_if_unreadable("a registration"):
                self.registrar.load([binding], now, self.wall())
        for talk in kept["talks"]:
            with self._said_if_unreadable("a call"):
                self._resume(talk, now)
        self._settle(now)

    @contextmanager
    def _said_if_unreadable(self, what: str) -> Iterator[None]:
        try:
            yield
        except (KeyError, TypeError, ValueError) as error:
            self._events.append(Notice(self.wall(), "store", f"{what} from before the restart is lost: {error!r}"))

    def _resume(self, kept: Mapping[str, Any], now: float) -> None:
        line = self.directory.lines[kept["line"]]
        caller, called = parties_of(kept["parties"], self.directory)
        first, second = (dialog_of(plain) for plain in kept["legs"])
        if called.group is None and called.line is None:
            called = Called(called.number, line=line)
        talk = Talk(self.ua.resume(first, now), self.ua.resume(second, now))
        trunk = self._trunks.get(caller.trunk or "")
        if trunk is not None:
            talk.caller.authenticator = trunk.authenticator
            self._carry(trunk.settings.name, 1)
        if line.trunk is not None:
            talk.member.authenticator = self._trunks[line.trunk].authenticator
        call = Call.resumed(self, kept, caller, called, talk, now)
        self._calls[call.id] = call

    # -- the read side (Telephony) -----------------------------------------------------------------------------

    def line(self, name: str) -> LineStatus:
        """Return the state of a configured line."""
        return self.lines.status(name)

    def trunks(self) -> list[TrunkStatus]:
        """Return every configured trunk's state."""
        return [status_of(name, trunk, self._trunk_since[name]) for name, trunk in self._trunks.items()]

    def calls(self) -> list[CallStatus]:
        """Return the calls that are up."""
        return [call.status() for call in self._calls.values()]

    def ringing(self, group: str) -> bool:
        """Whether a call to this group is ringing at a member now."""
        return any(
            call.group is not None and call.group.name == group and call.talk is None and call.ringing_members()
            for call in self._calls.values()
        )

    def story(self, call: str | None) -> Story | None:
        """Return a call's story by its id, or that of the call which began last."""
        wanted = call or self._latest
        live = self._calls.get(wanted)
        if live is not None:
            return live.story()
        return next((story for story in reversed(self._stories) if story.status.call == wanted), None)

    # -- what happens in a step --------------------------------------------------------------------------------

    def _settle(self, now: float) -> None:
        """Carry everything on until nothing is left to do."""
        events, lines = self.ua.events, self.lines
        while True:
            self._take_registrar(now)
            self._tell_watches(now)
            if events:
                self._handle(events.popleft(), now)
            elif lines.changed:
                changed, lines.changed = lines.changed, []
                for line in dict.fromkeys(changed):
                    self._show_hunts(line, now)
            else:
                break
        if lines.restated:
            wall = self.wall()
            self._events.extend(LineChanged(wall, line, state.value) for line, state in lines.restated)
            lines.restated.clear()

    def _tell_watches(self, now: float) -> None:
        moved, self._moved = self._moved, []
        for trunk in dict.fromkeys(moved):
            for watch in self._watches.get(trunk, ()):
                watch.trunk_changed(now)

    def _show_hunts(self, line: str, now: float) -> None:
        for call in tuple(self._hunting.get(line, ())):
            if call.talk is None and call.result is None:
                call.member_changed(line, now)

    def _handle(self, event: AgentEvent, now: float) -> None:
        match event:
            case Invited():
                self._on_invite(event, now)
            case Registering(request, transaction, flow):
                response = self.registrar.receive(request, flow, now, self.wall())
                self.ua.answer_register(transaction, response, now)
            case Strange(flow, text):
                self._guard.tell(flow, text, now)
            case _:
                if event.leg.owner is not None:
                    event.leg.owner.handle(event, now)
                if event.leg.state is LegState.ENDED:  # what its last transaction still holds is not to hold the call
                    event.leg.owner = None

    def _take_registrar(self, now: float) -> None:
        events = self.registrar.events
        while events:
            event = events.pop(0)
            if isinstance(event, RegisterRefused):
                who = event.line or "nobody's number"
                refused = f"a registration as {who} with a wrong name or password was refused"
                self._guard.tell(event.flow, refused, now)
            else:
                self.kept.touch("bindings")
            if event.line in self.directory.lines:
                self.lines.refresh(event.line)

    # -- calls that come in ---------------------------------------------------------------------------------------

    def _on_invite(self, invited: Invited, now: float) -> None:
        caller = self._admission.identify(invited, now)
        if caller is None:
            return
        called = self._called(invited.request, caller)
        registered = caller.line is not None and self.directory.lines[caller.line].registers
        up = (call.caller.trunk for call in self._calls.values())
        full = self.ua.layer.full
        refusal = self._guard.refusal(caller, invited.flow, up, full, now) or self._refusal(called, caller)
        if refusal is not None:
            extra = {"Retry-After": ["10"]} if refusal == 503 else None
            self.ua.answer(invited.transaction, invited.request, refusal, now, extra)
            return
        leg = self.ua.take(invited, called.number or "bridge", registered, now)
        if caller.trunk is not None:
            leg.authenticator = self._trunks[caller.trunk].authenticator
            self._carry(caller.trunk, 1)
        call = Call(self._token()[:8], self, leg, leg, caller, called, now)
        if call.passage.reserve():
            self._begin(call, now)
        else:
            self._latest = call.id
            self._notice_no_ports("a call is refused")
            call.refuse(NO_PORTS, "no ports are left for media", now)

    def _begin(self, call: Call, now: float) -> None:
        self._calls[call.id] = call
        self._latest = call.id
        call.start(now)

    def _called(self, request: Request, caller: Caller) -> Called:
        if caller.trunk is not None:
            return trunk_destination(request, self._trunks[caller.trunk].settings.number, self.directory)
        return destination(user_of(request.uri), self.directory)

    def _refusal(self, called: Called, caller: Caller) -> int | None:
        group = called.group
        if caller.trunk is not None and group is not None and self._comes_back(caller.trunk, caller.number, group):
            return 482
        if group is None and called.line is None:
            return 404
        if group is None:
            return 482 if called.line is not None and called.line.name == caller.line else None
        up = sum(1 for c in self._calls.values() if c.group is group) if group.max_calls is not None else 0
        return 486 if group.max_calls is not None and up >= group.max_calls else None

    def _comes_back(self, trunk: str, number: str, group: Group) -> bool:
        """Tell whether a call is our own ringing of a line behind the trunk, sent back to its group by the PBX.

        A PBX changes Call-IDs; what is left to tell it by is that it comes from our own number while our leg rings.
        """
        settings = self._trunks[trunk].settings
        if number not in (settings.username, settings.number):
            return False
        behind = {line.name for line in self.directory.lines.values() if line.trunk == trunk}
        return any(group in call.visited and behind & call.offered_lines() for call in self._calls.values())

    # -- what calls ask (Switch) ---------------------------------------------------------------------------------

    def look(self, call: Call, member: Member, granted: Sequence[Member]) -> Availability:
        """Tell whether a member can be rung by this call now, `granted` being about to be rung as well."""
        line = self.directory.lines[member.line]
        use = self.lines.use(member.line)
        group = call.group
        return availability(
            always=member.always or group is None,
            login=self.logins.get(group.name if group else "", member.name),
            reachable=self.lines.reachable(member.line),
            calls=self.lines.calls(member.line),
            offers_elsewhere=use.offers - call.offers_to(member.name) + sum(g.line == line.name for g in granted),
            max_calls=line.max_calls,
            trunk_full=line.trunk is not None and self._full(line.trunk, granted),
            is_caller=call.caller.line == member.line,
        )

    def _full(self, trunk: str, granted: Sequence[Member]) -> bool:
        more = sum(self.directory.lines[member.line].trunk == trunk for member in granted)
        return self._trunks[trunk].full(more)

    def hunt_for(self, called: Called) -> tuple[Hunt, tuple[Member, ...]]:
        """Make the hunt for a group, or for a line alone."""
        if called.group is not None:
            members = called.group.members
            return Hunt(Rules.of(called.group), [m.name for m in members], self._rng), members
        assert called.line is not None
        alone = Member(called.line.name, called.line.name, device=True, always=True)
        return Hunt(Rules(give_up_after=LINE_RINGS), [alone.name], self._rng), (alone,)

    def overflow(self, call: Call, number: str) -> Called | None:
        """Find where an overflow leads; a group is not tried twice."""
        group = self.directory.group(number)
        called = Called(number, group=group) if group else destination(number, self.directory)
        if called.group is not None:
            return None if called.group in call.visited or not called.group.active else called
        return called if called.line is not None else None

    def ring(self, call: Call, line: str, now: float) -> list[OutgoingLeg]:
        """Send the INVITEs to a line's contacts."""
        legs = self.reach.ring(call.caller, call.group, line, call.passage, now)
        if not legs and call.passage.refusal == NO_PORTS:
            self._notice_no_ports("a phone is not rung")
        return legs

    def passage(self, leg: Leg, caller: Caller, offer: Body | None) -> Passage:
        """Return how the media of a call pass that a leg makes."""
        return self._passages.begin(leg, caller.line, caller.trunk, offer)

    def _notice_no_ports(self, what: str) -> None:
        self._notice_sip(f"no ports are left for media: {what}; give sip.rtp_ports a wider range")

    def count(self, line: str | None, *, offers: int = 0, rings: int = 0, calls: int = 0) -> None:
        """Add to a line's use, and to its trunk's."""
        if line is not None:
            trunk = self.directory.lines[line].trunk
            if trunk is not None:
                self._carry(trunk, offers + calls)
            self.lines.count(line, offers=offers, rings=rings, calls=calls)

    def _carry(self, trunk: str, more: int) -> None:
        """Count a trunk's calls; when one of the last channels becomes free, its lines can be rung again."""
        was_full = self._trunks[trunk].full()
        self._trunks[trunk].calls += more
        if was_full and not self._trunks[trunk].full():
            self.lines.changed.extend(line.name for line in self.directory.lines.values() if line.trunk == trunk)

    def arm(self, call: Call, due: float | None) -> None:
        """Set when a call's `tick` is due."""
        self.agenda.arm(call, due)

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
        group = call.group or (call.visited[-1] if call.visited else None)
        if group is not None:
            caller = call.caller
            self._events.append(
                GroupCall(self.wall(), event_type, group.name, call.id, caller.number, caller.name, member, reason)
            )

    def tell_ended(self, call: Call, member: str, outcome: Outcome, rang: float) -> None:
        """Tell the doors how an offer of a group's call to a member ended."""
        if call.group is not None:
            group = call.group.name
            self._events.append(OfferEnded(self.wall(), group, call.id, member, outcome.value, round(rang, 3)))

    def refer(self, call: Call, transfer: Transfer, request: Request, now: float) -> int:
        """Look where a REFER leads and prepare it; return 202, or the status that refuses it."""
        to = refer_to(request)
        if to.replaces is not None:
            leaving = self.ua.legs.get(to.replaces)
            onward = leaving.owner if leaving is not None else None
            if leaving is None or not isinstance(onward, Call) or onward.talk is None or onward is call:
                return 481
            transfer.leaving, transfer.target, transfer.onward = leaving, onward.talk.other(leaving), onward
            transfer.passage = self._passage_of(transfer, onward.party_of(transfer.target))
            return 202
        called = destination(user_of(to.uri), self.directory)
        if called.group is None and called.line is None:
            return 404
        caller = call.party_of(transfer.transferee)
        transfer.onward = Call(self._token()[:8], self, transfer.transferee, transfer, caller, called, now)
        return 202

    def _passage_of(self, transfer: Transfer, target: Caller) -> Passage:
        """Return how the media of an attended transfer pass. Raises `SipError` where there are no ports for them."""
        assert transfer.target is not None
        passage = self.passage(transfer.transferee, transfer.call.party_of(transfer.transferee), None)
        passage.rings(
            transfer.target,
            passage.way_to(self._passages.party(transfer.target.flow, target.line, target.trunk, None)),
        )
        passage.settle_on(transfer.target)
        return passage

    def seek(self, transfer: Transfer, now: float) -> None:
        """Begin to ring a transfer's target, or ask it for an offer."""
        assert transfer.onward is not None
        if transfer.target is None:
            self._begin(transfer.onward, now)
        elif not transfer.target.request("INVITE", None, transfer, now):
            transfer.reject(491, now)

    def party(self, line: str | None, name: str) -> Caller:
        """Return a line of ours as a caller."""
        found = self.directory.lines.get(line or "")
        return Caller(line, None, found.number if found else "", self.directory.shown(name))

    def keep(self, call: Call) -> None:
        """Note that a talk is to be written, so that a restart can take it up."""
        self.kept.touch("talks")

    def closed(self, call: Call) -> None:
        """Keep a call's story; its legs end by themselves."""
        self._calls.pop(call.id, None)
        call.passage.close()
        if call.talk is not None:
            self.kept.touch("talks")
        if call.caller.trunk in self._trunks:
            assert call.caller.trunk is not None
            self._carry(call.caller.trunk, -1)
        self._stories.append(call.story())

    def _notice_sip(self, text: str) -> None:
        self._events.append(Notice(self.wall(), "sip", text))

    def _trunk_changed(self, trunk: Trunk) -> None:
        name = trunk.settings.name
        self._trunk_since[name] = self.wall()
        self._moved.append(name)
        self._events.append(TrunkChanged(self.wall(), name, trunk.state, trunk.reason))
        for line in self.directory.lines.values():
            if line.trunk == name:
                self.lines.refresh(line.name)
