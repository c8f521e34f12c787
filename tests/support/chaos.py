"""Chaos: an office in which everybody does anything at any moment, over a network that loses, with a trunk, queues,
orders, transfers, taken places, restarts, and configurations that come and go. Drawn from one seed, on virtual time.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from random import Random

from bridge.calls.model import TrunkSettings
from bridge.calls.ordered.orders import Order
from bridge.commands.model import LineVerb
from bridge.directory.handling import HandlingChange
from bridge.directory.model import Directory, Group, Level, MediaWay, Queue, Strategy
from bridge.directory.outside import OutsideRules
from bridge.media.model import Key, Played
from bridge.sip.grammar import SipError
from bridge.sip.incoming import IncomingLeg
from bridge.sip.leg import Leg
from bridge.sip.legevents import Accepted, Replied, Requested
from bridge.sip.message import Body
from bridge.sip.outgoing import OutgoingLeg
from tests.support.lab import BRIDGE, Passed, Phone
from tests.support.phonelab import MENU, PBX, PhoneLab
from tests.support.ways import ToldMedia, ToldSpeaker
from tests.unit.calls.test_media import body

NUMBERS = (
    *("600", "601", "602", "602", "602", "201", "202", "203", "301", "302", "0301234", "112", MENU, "999"),
    *("*40", "*41600", "*42", "*43601", "*8600", "*8602", "*8201", "*44600"),
)
OUTSIDE = "0301234"
VERBS = [verb for verb in LineVerb if verb not in (LineVerb.DIVERT, LineVerb.DND)]
PEOPLE = ("anna", "ben", "m3")


@dataclass
class Chaos(PhoneLab):
    """The office. `does` lets something happen; `ends` lets it all come to an end; `left` tells what has not."""

    rng: Random = field(default_factory=Random)

    def __post_init__(self) -> None:
        rng = self.rng
        self.commit = rng.choice((0.0, 0.2))
        self.told = ToldMedia(rng.choice((6, 20, 100)))
        super().__post_init__()
        ways = list(MediaWay)
        trunk = TrunkSettings("pbx", PBX[0], register=False, number=MENU, max_calls=rng.choice((None, 3, 8)))
        self.settings = replace(self.settings, trunks=(replace(trunk, media=rng.choice(ways)),))
        self.whole = self.directory = self._drawn()
        self.exchange.configure(self.directory, self.settings, self.now)
        self._log_all_in()
        self.delay = rng.choice((0.0, 0.0, 0.05))
        self._loss = rng.choice((0.0, 0.0, 0.1, 0.3))
        self._forgets_ack = rng.random() < 0.3
        self.drop = self._passes
        for phone in self.phones.values():
            phone.on_invite, phone.on_request = self._rung, self._asked

    def _drawn(self) -> Directory:
        """Return the office, its rules drawn by chance."""
        rng = self.rng
        lines = {
            name: replace(
                line,
                dial_out=("pbx",) if name in ("m1", "c1") else (),
                max_calls=rng.choice((1, 2, 3)),
                confirm=rng.random() < 0.25,
            )
            for name, line in self.directory.lines.items()
        }
        queue = Queue(
            announce=rng.choice((None, 5.0)),
            wrap_up=rng.choice((0.0, 5.0)),
            exit_key=rng.choice((None, "1")),
            max_wait=rng.choice((None, 30.0)),
            join_empty=rng.random() < 0.5,
            leave_empty=rng.random() < 0.5,
            keep_place=rng.choice((0.0, 60.0)),
            ring_all=rng.random() < 0.4,
        )
        first, second = self.directory.groups["g"], self.directory.groups["h"]
        follows = rng.random() < 0.5
        groups = {
            "g": replace(first, overflow=rng.choice((None, "601", "602", "203")), give_up_after=25.0),
            "h": replace(
                second,
                strategy=Strategy.SEQUENTIAL,
                ring_seconds=5.0,
                overflow=rng.choice((None, "600")),
                give_up_after=25.0,
                rounds=rng.choice((None, 2)),
            ),
            "q": Group(
                *("q", "Queue", "602", first.members),
                strategy=Strategy.QUEUE,
                queue=queue,
                overflow=rng.choice((None, "601", "203")),
                give_up_after=60.0,
                member_level=Level.PERSONAL,
            ),
        }
        groups = {name: replace(group, follow_diversion=follows) for name, group in groups.items()}
        rules = OutsideRules(forward=rng.random() < 0.5)
        return replace(self.directory, lines=lines, groups=groups, outside=rules, site_level=Level.PERSONAL)

    def _log_all_in(self) -> None:
        for group in self.directory.groups.values():
            for member in PEOPLE:
                if group.member(member) is not None:
                    self.login(member, True, group.name)

    # -- the network, and phones that are asked --------------------------------------------------------------------

    def _passes(self, passed: Passed) -> bool:
        """Lose what is to be lost; some who are cancelled answer in that very moment."""
        phone = next((p for p in self.phones.values() if p.address == passed.target), None)
        if phone is not None and passed.name == "CANCEL" and self.rng.random() < 0.3:
            for leg in phone.calls:
                if leg.call_id == passed.message.call_id:
                    leg.accept(self._describes(phone), self.now)
        return self.rng.random() < self._loss

    def _describes(self, phone: Phone) -> Body:
        rng = self.rng
        way = rng.choice(("", "", "", "a=sendonly", "a=inactive", "a=recvonly"))
        formats = rng.choice(("8 0 101", "8"))
        return body(phone.address[0], 4000 + 2 * rng.randrange(50), formats, rng.randrange(9), way)

    def _rung(self, phone: Phone, leg: IncomingLeg) -> None:
        chance = self.rng.random()
        if chance < 0.5:
            leg.ring(self.now)
        if 0.3 < chance < 0.65:
            leg.accept(self._describes(phone), self.now)
        elif 0.65 < chance < 0.8:
            leg.reject(self.rng.choice((486, 603, 480, 488, 500)), self.now)
        elif 0.8 < chance < 0.9:
            to = self.rng.choice((OUTSIDE, "203", "600", "201", "302"))
            leg.reject(302, self.now, extra={"Contact": f"<sip:{to}@{BRIDGE.host}>"})

    def _asked(self, phone: Phone, event: Requested) -> None:
        chance = self.rng.random()
        offers = event.request.method == "INVITE" or (event.request.method == "UPDATE" and event.request.body)
        if chance < 0.1:
            status = self.rng.choice((488, 491, 500, 481, 408))
            event.leg.respond(event.transaction, event.request, status, None, self.now)
        elif chance > 0.15:
            event.leg.respond(
                event.transaction, event.request, 200, self._describes(phone) if offers else None, self.now
            )

    def _acknowledge(self) -> None:
        """Let every phone acknowledge what it was answered, unless it forgets to."""
        for phone in self.phones.values():
            said, phone.said = phone.said, []
            for event in said:
                if self._forgets_ack and self.rng.random() < 0.3:
                    continue
                if (
                    isinstance(event, Accepted)
                    or isinstance(event, Replied)
                    and event.method == "INVITE"
                    and 200 <= event.status < 300
                ):
                    event.leg.acknowledge(None, self.now)

    # -- what happens ----------------------------------------------------------------------------------------------

    def does(self) -> None:
        """Let one thing happen, and some time pass."""
        deeds: list[tuple[int, Callable[[], None]]] = [
            (25, self._calls),
            (15, self._leaves),
            (8, self._accepts),
            (10, self._offers),
            (6, self._presses),
            (10, self._refers),
            (6, self._takes_a_place),
            (8, self._orders),
            (4, self._logs),
            (3, self._hears),
            (2, self._configures),
            (1, self._restarts_bridge),
            (1, self._minds),
        ]
        (deed,) = self.rng.choices([deed for _, deed in deeds], [weight for weight, _ in deeds])
        with contextlib.suppress(SipError):  # the phone itself refuses that just now
            deed()
        self.run(self.rng.choice((0.0, 0.0, 0.1, 0.6, 3.0, 10.0)))
        self._acknowledge()
        for event in self.events:
            json.dumps(event.to_json())
        self.events.clear()
        json.dumps([asdict(call) for call in self.exchange.calls()])

    def _phone(self) -> Phone:
        return self.rng.choice(list(self.phones.values()))

    def _leg(self) -> tuple[Phone, Leg] | None:
        """Return a leg of somebody's, None where there is none."""
        every = [(phone, leg) for phone in self.phones.values() for leg in phone.ua.legs.values()]
        return self.rng.choice(every) if every else None

    def _talking(self) -> tuple[Phone, Leg] | None:
        found = self._leg()
        return found if found is not None and found[1].dialog is not None else None

    def _calls(self) -> None:
        phone = self._phone()
        from_ = f"<sip:{self.rng.randrange(3)}555@x>" if phone.name == "pbx" else None
        offer = self._describes(phone) if self.rng.random() < 0.9 else None
        phone.call(self.rng.choice(NUMBERS), offer, from_=from_)

    def _leaves(self) -> None:
        found = self._leg()
        if found is not None:
            _leave(found[1], self.now)

    def _accepts(self) -> None:
        found = self._leg()
        if found is not None and isinstance(found[1], IncomingLeg):
            found[1].accept(self._describes(found[0]), self.now)

    def _offers(self) -> None:
        found = self._talking()
        if found is not None:
            offer = self._describes(found[0]) if self.rng.random() < 0.85 else None
            found[1].request(self.rng.choice(("INVITE", "INVITE", "UPDATE")), offer, "offers", self.now)

    def _presses(self) -> None:
        found = self._talking()
        if found is not None:
            signal = f"Signal={self.rng.choice('0123456789*#')}\r\n".encode()
            found[1].request("INFO", Body("application/dtmf-relay", signal), "presses", self.now)

    def _refers(self) -> None:
        found = self._talking()
        if found is None:
            return
        phone, leg = found
        target = f"<sip:{self.rng.choice(NUMBERS).replace('*', '%2a')}@{BRIDGE.host}>"
        others = [other for other in phone.ua.legs.values() if other is not leg and other.dialog is not None]
        if others and self.rng.random() < 0.5:
            target = f"<sip:x@{BRIDGE.host}?Replaces={_named(self.rng.choice(others), '%3B', '%3D')}>"
        assert leg.dialog is not None
        leg.dialog, request = leg.dialog.request("REFER")
        request.set("Refer-To", target)
        phone.ua.layer.request(request, leg.dialog.flow, leg, self.now, ("refers", None))

    def _takes_a_place(self) -> None:
        found = self._leg()
        if found is not None:
            phone, leg = found
            own = phone.ua.call(BRIDGE, phone.name, pinned=False)
            offer = self._describes(phone) if self.rng.random() < 0.8 else None
            who, where = f"<sip:{phone.name}@x>", f"<sip:x@{BRIDGE.host}>"
            own.invite(f"sip:x@{BRIDGE.host}", who, where, offer, {"Replaces": _named(leg, ";", "=")}, self.now)

    def _orders(self) -> None:
        rng = self.rng
        line = rng.choice(list(self.directory.lines))
        calls = [call.call for call in self.exchange.calls()]
        order = Order(
            rng.choice(VERBS), line, line, "owner", "control", rng.choice((None, *NUMBERS)), rng.choice((None, *calls))
        )
        self.exchange.command(order, lambda reply: None, self.now)

    def _logs(self) -> None:
        group, member = self.rng.choice(list(self.directory.groups.values())), self.rng.choice(PEOPLE)
        if group.member(member) is not None:
            self.login(member, self.rng.random() < 0.6, group.name)

    def _speakers(self) -> Iterator[ToldSpeaker]:
        return (speaker for relay in self.told.opened for speaker in relay.speakers if not speaker.closed)

    def _hears(self) -> None:
        """Let a key be heard where the bridge speaks, or let what it plays be over."""
        for speaker in self._speakers():
            if self.rng.random() < 0.5:
                self.exchange.voiced(Key(speaker.voice, self.rng.choice("0123456789*#")), self.now)
            elif speaker.playing and not speaker.loop:
                speaker.playing = ()
                self.exchange.voiced(Played(speaker.voice), self.now)
            return

    def _configures(self) -> None:
        """Go by a configuration without a group, a line or the trunk, or by the whole one."""
        whole, gone = self.whole, self.rng.choice(("g", "h", "q", "m1", "m3", "c1", "trunk", "nothing"))
        groups = {name: group for name, group in whole.groups.items() if name != gone}
        lines = {name: line for name, line in whole.lines.items() if name != gone}
        users = {name: user for name, user in whole.users.items() if user.line != gone}
        for name, group in groups.items():
            groups[name] = replace(group, members=tuple(m for m in group.members if m.line != gone))
        settings = self.settings
        if gone == "trunk":
            settings = replace(settings, trunks=())
            lines = {name: replace(line, dial_out=()) for name, line in lines.items()}
        self.directory = replace(whole, groups=groups, lines=lines, users=users)
        self.exchange.configure(self.directory, settings, self.now)

    def _restarts_bridge(self) -> None:
        for relay in self.told.opened:
            if not relay.closed:
                for speaker in relay.speakers:
                    if not speaker.closed:
                        speaker.close()
                relay.close()
        self.restart()

    def _minds(self) -> None:
        """Want to be left in peace, or not any more."""
        line = self.rng.choice(list(self.directory.lines))
        before = self.handlings.get(line)
        self.handlings.apply([HandlingChange(line, before, replace(before, dnd=not before.dnd))])
        self.exchange.line_handled(line, self.now)

    # -- and then --------------------------------------------------------------------------------------------------

    def ends(self) -> None:
        """Let everybody hang up, or not; then all phones vanish, and more than an hour passes."""
        self.drop = lambda passed: False
        if self.rng.random() < 0.5:
            for phone in self.phones.values():
                for leg in list(phone.ua.legs.values()):
                    _leave(leg, self.now)
            self.run(5)
            self._acknowledge()
        self.phones.clear()
        self.directory = self.whole
        self.exchange.configure(self.whole, self.settings, self.now)
        self.run(4000)

    def left(self) -> dict[str, object]:
        """Return what is left though nothing should be."""
        open_relays = [] if self._restarts else [relay for relay in self.told.opened if not relay.closed]
        census = self.exchange.census()._asdict()
        asking = self.exchange.upstream.trunks  # a trunk that is asked whether it is there has one of each
        allowed = {"transactions": len(asking), "timers": len(asking)}
        found: dict[str, object] = {name: n for name, n in census.items() if n > allowed.get(name, 0)}
        if open_relays:
            found["relays"] = len(open_relays)
        if self.exchange.ua.legs:
            found["legs"] = [(leg.call_id, leg.state, leg.due) for leg in self.exchange.ua.legs.values()]
        return found


def _leave(leg: Leg, now: float) -> None:
    """End a leg in whatever way it can be ended."""
    with contextlib.suppress(SipError):  # its peer has said something that it cannot answer
        if isinstance(leg, OutgoingLeg) or leg.dialog is not None:
            leg.hang_up(None, now)
        elif isinstance(leg, IncomingLeg):
            leg.reject(486, now)


def _named(leg: Leg, semicolon: str, equals: str) -> str:
    """Return what Replaces says of a phone's leg."""
    remote = leg.dialog.remote_tag if leg.dialog is not None else getattr(leg, "remote_tag", "")
    return f"{leg.call_id}{semicolon}to-tag{equals}{remote}{semicolon}from-tag{equals}{leg.local_tag}"
