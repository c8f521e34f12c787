"""The exchange: every call, line and trunk of the bridge, as one sans-IO engine.

Bytes come in from the endpoint (`Engine`), logins from the port (`login_changed`), time from both. Out go bytes
(`outbox`) and events (`take_events`). Everything in between happens in one step: the user agent turns bytes into
events of legs, calls turn those into commands to legs, and lines whose use has changed are shown to the hunts that
want to know, until nothing is left to do.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from bridge.calls.admission import Admission
from bridge.calls.census import Census, census
from bridge.calls.guard import Guard
from bridge.calls.lines import LineTable
from bridge.calls.model import ExchangeSettings, TrunkSettings
from bridge.calls.onward.outside import Outsides
from bridge.calls.ordered.control import Control
from bridge.calls.ordered.orders import Answer, Order
from bridge.calls.passages import Passages
from bridge.calls.pbx.analogue import Analogue, Heard
from bridge.calls.pbx.trunks import Place
from bridge.calls.pbx.upstream import Upstream
from bridge.calls.phones.attached import Attached, registering
from bridge.calls.phones.lamps import Lamps
from bridge.calls.phones.services import Services, Wish
from bridge.calls.present import Present
from bridge.calls.reach import Reach
from bridge.calls.reception import Reception
from bridge.calls.restart.kept import Kept
from bridge.calls.restart.kinds import kinds
from bridge.calls.restart.resumption import Resumption
from bridge.calls.status import CallStatus, LineStatus, Story, TrunkStatus
from bridge.calls.surroundings import Surroundings
from bridge.calls.switchboard import Switchboard
from bridge.commands.model import Reply
from bridge.directory.handling import Handlings
from bridge.directory.logins import Logins
from bridge.directory.model import Directory, Group
from bridge.events import CallerWaits, Event, GroupCall, LineChanged, Notice
from bridge.media.model import Media, VoiceEvent
from bridge.sip.agenda import Agenda
from bridge.sip.challenger import Challenger
from bridge.sip.flow import Flow, Locate, Send
from bridge.sip.leg import LegState
from bridge.sip.limits import IN_VAIN, Paces
from bridge.sip.registrar import Registrar
from bridge.sip.tape import Tape
from bridge.sip.useragent import AgentEvent, Invited, Registering, Strange, Subscribing, UserAgent


class Exchange:
    """All calls. `wall` gives UTC seconds; `token` random text for tags, branches and Call-IDs.

    `source`: the address of ours that messages leave from, where that is not what peers are told (`locate`).

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
        handlings: Handlings | None = None,
        source: Callable[[Flow], str] = lambda flow: "",
    ) -> None:
        self.present = Present(directory, settings)
        self.logins = logins
        self.agenda = Agenda()
        self.ua = UserAgent(settings.agent, self.agenda, locate, token)
        self.ua.uniform = rng.uniform
        self.wall = wall
        self.kept = Kept()
        self.tape = Tape()
        self._events: list[Event] = []
        # phones on libre 1 (baresip 1.0) give up where a challenge names an algorithm that they do not have
        self.challenger = Challenger(settings.realm, rng, algorithms=("MD5",))
        self.registrar = Registrar({}, self.challenger, token, rng, max_expires=settings.max_expires)
        self.registrar.configure(registering(self.present), settings.max_expires)
        self.upstream = Upstream(self.present, self.ua, self.agenda, rng, wall, self._tell, self.kept)
        self._trunks = self.upstream.trunks
        patience = Paces(IN_VAIN)
        self._guard = Guard(self.present, self._trunks, self.registrar.knows, self._notice_sip, patience)
        admission = Admission(self.present, self._trunks, self.challenger, self.ua, self._guard)
        self.passages = Passages(media, self.present, locate, lambda: str(rng.getrandbits(62)), source)
        self.reach = Reach(self.present, self._trunks, self.registrar, self.ua, self.passages)
        self.lines = LineTable(directory.lines, self.reach.contacts, wall)
        self.lines.restated.clear()
        self.lines.changed.clear()
        self.upstream.watch(self.lines)
        self.outsides = Outsides(self.present, self._trunks, self.kept, wall, self._tell)
        around = Surroundings(
            present=self.present,
            logins=logins,
            handlings=handlings or Handlings(),
            outsides=self.outsides,
            trunks=self._trunks,
            ua=self.ua,
            lines=self.lines,
            reach=self.reach,
            passages=self.passages,
            kept=self.kept,
            patience=patience,
            token=token,
            rng=rng,
            wall=wall,
            tell=self._tell,
        )
        self.board = Switchboard(around, is_open)
        self._resumption = Resumption(
            self.present, self._trunks, self.ua, self.board, self.passages, self._notice_store
        )
        self._control = Control(self.board, around)
        self.analogue = Analogue(self.present, self.lines, token, wall, self._tell)
        self.services = Services(
            self.present, logins, self._trunks, self.ua, self.board, self._control.pick_up, self._tell
        )
        self.lamps = Lamps(
            self.present, logins, self.lines, self.board, admission, self.ua, self.kept, self._guard.tell
        )
        self._attached = Attached(
            self.present, self.registrar, self.ua, self.lines, self.lamps, self._guard, self.kept, wall
        )
        self._reception = Reception(around, self.board, admission, self._guard, self._control, self.services)
        self._kinds = kinds(
            self.registrar, self._resumption, self.board.agents, self.lamps, self.outsides, self.upstream, wall
        )

    @property
    def directory(self) -> Directory:
        """Who there is."""
        return self.present.directory

    def configure(self, directory: Directory, settings: ExchangeSettings, now: float) -> None:
        """Go by another configuration from now on. Calls stay up; a search whose group or line is no more ends."""
        self.present.configure(directory, settings)
        self.challenger.configure(settings.realm)
        self.registrar.configure(registering(self.present), settings.max_expires)
        self.lines.configure(directory.lines)
        self.upstream.configure(now)
        self.board.recount()
        self.services.recount()
        self._control.recount()
        self.lines.settle()
        self.upstream.configure_lines(now)
        self.board.end_vanished(now)
        self.lamps.configure(now)
        self._settle(now)

    # -- the engine, for the endpoint ---------------------------------------------------------------------------

    @property
    def outbox(self) -> list[Send]:
        """What is to be sent."""
        return self.ua.layer.outbox

    def start(self, now: float) -> None:
        """Begin to register at trunks whose server is an IP address; the others wait for `trunk_resolved`."""
        self.upstream.start(now)
        self._resumption.end(now)
        self.lamps.start(now)
        self._settle(now)

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        """Take one message from the network."""
        if self._guard.admit(flow, now):
            self.tape.note(False, flow, data, now)
            self.ua.receive(data, flow, now)
            self._settle(now)

    def knows(self, host: str) -> bool:
        """Whether a static contact, a trunk's server or a registered phone is at this host."""
        return self._guard.knows(host)

    def flow_failed(self, flow: Flow, reason: str, now: float) -> None:
        """Note that what was sent on a flow cannot be delivered."""
        self.upstream.note_trouble(flow, reason)
        self.ua.flow_failed(flow, now)
        if flow.reliable:
            self.registrar.flow_gone(flow)
            self.lamps.flow_gone(flow, now)
        self.upstream.flow_failed(flow, now)
        self._settle(now)

    def network_changed(self, now: float, links: bool) -> None:
        """Tell peers where we are, since addresses of ours have changed; `links`: one is up or down that was not."""
        self.upstream.network_changed(links, now)
        stale = set(self.ua.renew_contacts())
        for call in list(self.board.up.values()) if stale else ():
            call.network_changed(stale, now)
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
        for call in list(self.board.up.values()):
            if call.talk is None or call.passage.relayed:
                call.hang_up(now)
        self.services.stop(now)
        self._control.stop(now)
        self.upstream.stop(now)
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
            login = self.logins.get(group, member)
            if login.logged_in and not login.paused:
                self.board.agents.ready(member, now)
            self.board.show(place.line, now)
            self.lamps.touch_group(group)
            self._settle(now)

    def voiced(self, event: VoiceEvent, now: float) -> None:
        """Take what happened at a voice of ours: a key, or that it has played what it had to."""
        owner = event.voice.owner
        if owner is not None and not event.voice.closed:
            owner.voiced(event, now)
            self._settle(now)

    def command(self, order: Order, answer: Answer, now: float) -> None:
        """Do something with a line's calls; `answer` is told how that ended, now or later."""
        self._control.carry_out(order, answer, now)
        self._settle(now)

    def line_handled(self, line: str, now: float) -> None:
        """Take note that a line's diversions or its do-not-disturb were changed and applied."""
        self.board.show(line, now)
        self._settle(now)

    def opening_changed(self, group: str, now: float) -> None:
        """Take note that a group has opened or closed."""
        self.lamps.touch_group(group)
        self._settle(now)

    def replied(self, wish: Wish, reply: Reply, now: float) -> None:
        """Take the reply to what somebody has asked for by phone."""
        wish.then(reply, now)
        self._settle(now)

    def trunk_resolved(self, trunk: str, places: Sequence[Place], now: float) -> None:
        """Take the addresses that a trunk's server has now, the preferred first."""
        self.upstream.resolved(trunk, places, now)
        self._settle(now)

    def trunk_unresolved(self, trunk: str, reason: str, now: float) -> None:
        """Note that a trunk's server cannot be found."""
        self.upstream.unresolved(trunk, reason)
        self._settle(now)

    def unresolved_names(self) -> dict[str, TrunkSettings]:
        """Return the trunks whose server is a name, with what is known of it."""
        return self.upstream.unresolved_names()

    def monitor_heard(self, trunk: str, text: str, now: float) -> None:
        """Take a line of a trunk's call monitor; "" once it is connected."""
        self.upstream.monitor_heard(trunk, text)
        self._settle(now)

    def monitor_lost(self, trunk: str, reason: str, now: float) -> None:
        """Note that a trunk's call monitor cannot be heard; said once, until it could be again."""
        self.upstream.monitor_lost(trunk, reason)
        self._settle(now)

    def monitor_closed(self, trunk: str, now: float) -> None:
        """Note that a trunk's call monitor is not listened to any more."""
        self.upstream.monitor_closed(trunk)
        self._settle(now)

    def line_heard(self, line: str, what: Heard, now: float) -> None:
        """Take what the modem of an analogue line says."""
        self.analogue.heard(line, what, now)
        self._settle(now)

    def census(self) -> Census:
        """Return how much there is of everything that a call needs."""
        return census(self.board, self._control, self.services, self.lines, self._trunks, self.ua)

    # -- what a restart takes up again ------------------------------------------------------------------------------

    def dump(self, kind: str, now: float) -> list[dict[str, Any]]:
        """Return what is to be kept of a kind (`keeping.KINDS`) as plain values."""
        return self._kinds[kind].dump(now)

    def load(self, kept: Mapping[str, Iterable[Mapping[str, Any]]], now: float) -> None:
        """Take up what was kept, by kind. What cannot be read any more is left out, and said so."""
        for name, kind in self._kinds.items():
            for plain in kept.get(name, ()):
                with self._resumption.said_if_unreadable(kind.what):
                    kind.load(plain, now)
        self.kept.touch("legs")
        self._settle(now)

    # -- the read side (Telephony) -----------------------------------------------------------------------------

    def line(self, name: str) -> LineStatus:
        """Return the state of a configured line."""
        return self.lines.status(name)

    def trunks(self) -> list[TrunkStatus]:
        """Return every configured trunk's state."""
        return self.upstream.status()

    def calls(self) -> list[CallStatus]:
        """Return the calls that are up."""
        return [call.status() for call in self.board.up.values()]

    def ringing(self, group: str) -> bool:
        """Whether a call to this group is ringing at a member now."""
        return any(
            call.group is not None and call.group.name == group and call.talk is None and call.offers.ringing
            for call in self.board.up.values()
        )

    def waiting(self, group: str) -> list[float]:
        """Return since when each caller of this group waits for somebody to answer, UTC seconds."""
        every = self.board.up.values()
        return [c.chronicle.since for c in every if c.group is not None and c.group.name == group and c.searching]

    def wraps_up(self, member: str) -> float | None:
        """Return until when a member is in wrap-up, UTC seconds; None where they are not."""
        return self.board.agents.wraps_up(member)

    def story(self, call: str | None) -> Story | None:
        """Return a call's story by its id, or that of the call which began last."""
        return self.board.story(call)

    # -- what happens in a step --------------------------------------------------------------------------------

    def _settle(self, now: float) -> None:
        """Carry everything on until nothing is left to do."""
        events, lines = self.ua.events, self.lines
        while True:
            self._attached.settle(now)
            self.upstream.settle(now)
            if events:
                self._handle(events.popleft(), now)
            elif lines.changed:
                changed, lines.changed = lines.changed, []
                for line in dict.fromkeys(changed):
                    self.board.show(line, now)
            else:
                break
        self.lamps.show(now)
        if self.ua.changed:
            self.ua.changed = False
            self.kept.touch("legs")
        if lines.restated:
            wall = self.wall()
            self._events.extend(LineChanged(wall, line, state.value) for line, state in lines.restated)
            lines.restated.clear()

    def _handle(self, event: AgentEvent, now: float) -> None:
        match event:
            case Invited():
                self._reception.receive(event, now)
            case Registering():
                self._attached.receive(event, now)
            case Subscribing():
                self.lamps.receive(event, now)
            case Strange(flow, text):
                self._guard.tell(flow, text, now)
            case _:
                if event.leg.owner is not None:
                    event.leg.owner.handle(event, now)
                if event.leg.state is LegState.ENDED:  # what its last transaction still holds is not to hold the call
                    event.leg.owner = None

    def _notice_store(self, text: str) -> None:
        self._events.append(Notice(self.wall(), "store", text))

    def _notice_sip(self, text: str) -> None:
        self._events.append(Notice(self.wall(), "sip", text))

    def _tell(self, event: Event) -> None:
        self._events.append(event)
        if isinstance(event, GroupCall | CallerWaits):
            self.lamps.touch_group(event.group)
