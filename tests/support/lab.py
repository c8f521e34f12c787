"""A laboratory: the exchange and phones made of our own user agent, on virtual time and a network in memory.

Nothing waits: `run(seconds)` lets virtual time pass, delivering what is sent and ticking whoever is due, in order.
Phones answer by scripts (`Phone.on_invite`); whatever passed the wire is kept in `wire`, so that a test can say what
must have been sent to whom, and `drop` decides which datagrams get lost.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bridge.calls.exchange import Exchange
from bridge.calls.model import ExchangeSettings
from bridge.directory.handling import Handlings
from bridge.directory.logins import Login, LoginChange, Logins
from bridge.directory.model import Directory, Group, Line, Member, Strategy
from bridge.events import Event
from bridge.keeping import KINDS
from bridge.media.model import Media
from bridge.sip.agenda import Agenda
from bridge.sip.flow import Flow, LocalAddress
from bridge.sip.incoming import IncomingLeg
from bridge.sip.legevents import Accepted, Ended, LegEvent, Replied, Requested
from bridge.sip.message import Body, Request, Response
from bridge.sip.openings import NOTHING
from bridge.sip.outgoing import OutgoingLeg
from bridge.sip.reading import parse_message
from bridge.sip.useragent import Invited, UserAgent

OFFER = Body("application/sdp", b"v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n")
ANSWER = Body("application/sdp", b"v=0\r\no=- 2 1 IN IP4 10.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 5000 RTP/AVP 8\r\n")
BRIDGE = Flow("udp", "10.0.0.100", 5060)
Address = tuple[str, int]


def tokens(prefix: str) -> Callable[[], str]:
    """Return a source of text that never repeats."""
    count = 0

    def token() -> str:
        nonlocal count
        count += 1
        return f"{prefix}{count:06d}"

    return token


@dataclass
class Passed:
    """One message on the wire."""

    at: float
    source: Address
    target: Address
    message: Request | Response

    @property
    def name(self) -> str:
        """Its method, or its code and method."""
        if isinstance(self.message, Request):
            return self.message.method
        return f"{self.message.code} {self.message.cseq.method}"


class Phone:
    """A phone: a user agent with an address. By default it says 180 and waits; `answers` etc. change that."""

    def __init__(self, lab: Lab, name: str, address: Address) -> None:
        self.lab = lab
        self.name = name
        self.address = address
        self.transport = "udp"
        self.ua = UserAgent(name, Agenda(), lambda flow: LocalAddress(*self.address), tokens(name))
        self.said: list[LegEvent] = []
        self.calls: list[IncomingLeg] = []
        self.invites: list[Request] = []
        self.on_invite: Callable[[Phone, IncomingLeg], None] = lambda phone, leg: leg.ring(phone.lab.now)
        self.on_request: Callable[[Phone, Requested], None] = _answer_request

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        """Take a datagram."""
        self.ua.receive(data, flow, now)
        self._settle()

    def tick(self, now: float) -> None:
        """Let what is due happen."""
        self.ua.tick(now)
        self._settle()

    def deadline(self) -> float | None:
        """Return when the next tick is due."""
        return self.ua.agenda.deadline()

    def _settle(self) -> None:
        while self.ua.events:
            event = self.ua.events.popleft()
            if isinstance(event, Invited):
                leg = self.ua.take(event, self.name, False, self.lab.now)
                self.calls.append(leg)
                self.invites.append(event.request)
                self.on_invite(self, leg)
            elif isinstance(event, Requested):
                self.on_request(self, event)
            elif not isinstance(event, tuple(_QUIET)):
                self.said.append(event)  # type: ignore[arg-type]

    def heard(self, kind: type[LegEvent]) -> list[LegEvent]:
        """Return the events of one kind that its legs have said."""
        return [event for event in self.said if isinstance(event, kind)]

    @property
    def leg(self) -> IncomingLeg:
        """The leg of the last call that came."""
        return self.calls[-1]

    def call(self, number: str, body: Body | None = OFFER, from_: str | None = None) -> OutgoingLeg:
        """Call a number at the bridge."""
        leg = self.ua.call(BRIDGE, self.name, pinned=False)
        from_ = from_ or f"<sip:{self.name}@{self.address[0]}>"
        leg.invite(f"sip:{number}@10.0.0.100", from_, f"<sip:{number}@10.0.0.100>", body, {}, self.lab.now)
        self.lab.run(0)
        return leg

    def accepted(self, leg: OutgoingLeg) -> bool:
        """Whether a call of this phone was answered; the ACK is sent then."""
        for event in self.heard(Accepted):
            if event.leg is leg and leg.state.value == "answered":
                leg.acknowledge(None, self.lab.now)
                self.lab.run(0)
        return any(event.leg is leg for event in self.heard(Accepted))


_QUIET: list[type] = []


def _answer_request(phone: Phone, event: Requested) -> None:
    event.leg.respond(event.transaction, event.request, 200, ANSWER if event.request.body else None, phone.lab.now)


def answers(phone: Phone, leg: IncomingLeg) -> None:
    """Answer a call at once."""
    leg.ring(phone.lab.now)
    leg.accept(ANSWER, phone.lab.now)


def refuses(status: int) -> Callable[[Phone, IncomingLeg], None]:
    """Return a script that refuses a call with a status."""
    return lambda phone, leg: leg.reject(status, phone.lab.now)


def silent(phone: Phone, leg: IncomingLeg) -> None:
    """Say nothing more than the 100 that is already on its way."""


@dataclass
class Lab:
    """Lines m1.. in group 600 (name "g"), callers c1, c2; group 601 ("h") may be given too."""

    strategy: Strategy = Strategy.PARALLEL
    members: int = 3
    rules: dict[str, Any] = field(default_factory=dict)
    settings: ExchangeSettings = field(default_factory=ExchangeSettings)
    more_lines: tuple[Line, ...] = ()
    more_groups: tuple[Group, ...] = ()
    logged_in: bool = True
    media: Media | None = None

    def __post_init__(self) -> None:
        self.now = 1000.0
        self.wire: list[Passed] = []
        self.events: list[Event] = []
        self.openings: list[tuple[float, Address]] = []  # when nothing was sent, and where to
        self.drop: Callable[[Passed], bool] = lambda passed: False
        self.delay = 0.0
        self.here = "10.0.0.100"  # what the bridge knows as its own address, and is reached at too
        self._restarts = 0
        self._flying: list[tuple[float, int, Address, Address, bytes]] = []
        self._count = 0
        names = [f"m{i + 1}" for i in range(self.members)]
        lines = {n: Line(n, str(201 + i), contact=f"sip:{n}@10.0.0.{i + 1}:5060") for i, n in enumerate(names)}
        lines |= {n: Line(n, str(301 + i), contact=f"sip:{n}@10.0.1.{i + 1}:5060") for i, n in enumerate(("c1", "c2"))}
        lines |= {line.name: line for line in self.more_lines}
        group = Group(
            "g", "Group", "600", tuple(Member(n, n, device=True) for n in names), strategy=self.strategy, **self.rules
        )
        groups = {g.name: g for g in (group, *self.more_groups)}
        self.directory = Directory(lines, {}, groups)
        self.logins = Logins()
        self.handlings = Handlings()
        self.exchange = self.new_exchange()
        self.phones = {
            n: Phone(self, n, (line.contact.split("@")[1].split(":")[0], 5060))
            for n, line in lines.items()
            if line.contact
        }
        for name in names if self.logged_in else ():
            self.login(name)

    def new_exchange(self, prefix: str = "b") -> Exchange:
        """Return an exchange as after a start; `prefix` tells its tokens from those of the one before."""
        return Exchange(
            self.directory,
            self.logins,
            self.settings,
            locate=lambda flow: LocalAddress(self.here, 5060),
            token=tokens(prefix),
            wall=lambda: 1_800_000_000.0 + self.now,
            rng=random.Random(7),
            media=self.media,
            handlings=self.handlings,
        )

    def restart(self) -> None:
        """Let the bridge be killed, and start again with what it has kept, through JSON as the store does."""
        kept = {kind: self.exchange.dump(kind, self.now) for kind in KINDS}
        self._restarts += 1
        self.exchange = self.new_exchange("r" if self._restarts == 1 else f"r{self._restarts}")
        self.exchange.load(json.loads(json.dumps(kept)), self.now)
        self.exchange.start(self.now)

    def __getitem__(self, name: str) -> Phone:
        return self.phones[name]

    def login(self, member: str, logged_in: bool = True, group: str = "g") -> None:
        """Log a member in or out, confirmed."""
        before = self.logins.get(group, member)
        self.logins.apply([LoginChange(group, member, before, Login(logged_in=logged_in))])
        self.exchange.login_changed(group, member, self.now)
        self.run(0)

    def add(self, name: str, address: Address) -> Phone:
        """Put a further phone on the network."""
        phone = self.phones[name] = Phone(self, name, address)
        return phone

    def run(self, seconds: float) -> None:
        """Let virtual time pass."""
        end = self.now + seconds
        while True:
            self._collect()
            times = [t for t in (self._next_arrival(), self._next_deadline()) if t is not None and t <= end]
            if not times:
                break
            self.now = max(self.now, min(times))
            self._deliver()
            for node in self._nodes():
                due = node.deadline()
                if due is not None and due <= self.now:
                    node.tick(self.now)
        self.now = end
        self._collect()

    def _nodes(self) -> list[Exchange | Phone]:
        return [self.exchange, *self.phones.values()]

    def _next_arrival(self) -> float | None:
        return min((f[0] for f in self._flying), default=None)

    def _next_deadline(self) -> float | None:
        deadlines = [node.deadline() for node in self._nodes()]
        return min((d for d in deadlines if d is not None), default=None)

    def _collect(self) -> None:
        self._take(self.exchange.outbox, (BRIDGE.host, BRIDGE.port))
        for phone in self.phones.values():
            self._take(phone.ua.outbox, phone.address)
        self.events += self.exchange.take_events()

    def _take(self, outbox: list, source: Address) -> None:  # type: ignore[type-arg]
        for flow, data in outbox:
            target = (flow.host, flow.port)
            if data == NOTHING:
                self.openings.append((self.now, target))
                continue
            passed = Passed(self.now, source, target, parse_message(data))
            self.wire.append(passed)
            if not self.drop(passed):
                self._count += 1
                self._flying.append((self.now + self.delay, self._count, source, target, data))
        outbox.clear()

    def _deliver(self) -> None:
        arrived = sorted(f for f in self._flying if f[0] <= self.now)
        self._flying = [f for f in self._flying if f[0] > self.now]
        for _, _, source, target, data in arrived:
            by_tcp = any(p.address == source and getattr(p, "transport", "") == "tcp" for p in self.phones.values())
            flow = Flow("tcp" if by_tcp else "udp", *source)
            if target in ((BRIDGE.host, BRIDGE.port), (self.here, BRIDGE.port)):
                self.exchange.receive(data, flow, self.now)
            else:
                phone = next((p for p in self.phones.values() if p.address == target), None)
                if phone is not None:
                    phone.receive(data, flow, self.now)

    def to(self, phone: str) -> list[str]:
        """Return what was sent to a phone, by name (`INVITE`, `180 INVITE`)."""
        return [p.name for p in self.wire if p.target == self.phones[phone].address]

    def of(self, phone: str, name: str) -> list[Passed]:
        """Return the messages of one name that a phone sent."""
        return [p for p in self.wire if p.source == self.phones[phone].address and p.name == name]

    def sent(self, phone: str, name: str) -> list[Passed]:
        """Return the messages of one name that were sent to a phone."""
        return [p for p in self.wire if p.target == self.phones[phone].address and p.name == name]

    def ended(self, phone: str) -> bool:
        """Whether the last call of a phone was ended by the bridge."""
        return any(isinstance(event, Ended) for event in self.phones[phone].said)

    def replies(self, phone: str) -> list[Replied]:
        """Return the replies to requests that a phone sent inside a dialog."""
        return [event for event in self.phones[phone].said if isinstance(event, Replied)]
