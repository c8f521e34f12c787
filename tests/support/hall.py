"""A hall where callers wait: a laboratory with a queue, agents, and our voice as it is told what to play."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bridge.directory.model import Group, Line, Queue, Strategy
from bridge.events import CallOver, GroupCall
from bridge.sip.incoming import IncomingLeg
from bridge.sip.message import Body
from bridge.sip.outgoing import OutgoingLeg
from tests.support.lab import Lab, Phone
from tests.support.ways import ToldMedia, ToldSpeaker
from tests.unit.calls.test_media import body, says

CALLERS = ("c3", "c4", "c5")

HELD = "a=sendonly"


def address(phone: Phone) -> str:
    """Return a phone's host."""
    return phone.address[0]


def describes(phone: Phone, more: str = "", version: int = 1) -> Body:
    """Return a phone's own description."""
    return body(address(phone), 4000, more=more, version=version)


def plays(voice: ToldSpeaker) -> tuple[str, ...]:
    """Return what is heard now."""
    return tuple(map(str, voice.playing))


def picks_up(phone: Phone, leg: IncomingLeg) -> None:
    """Answer at once."""
    leg.ring(phone.lab.now)
    leg.accept(describes(phone), phone.lab.now)


@dataclass
class Hall:
    """A queue 600 with two agents, m1 and m2, who ring until told otherwise, and callers c3, c4, c5."""

    lab: Lab
    media: ToldMedia

    def call(self, who: str, offer: str | None = "") -> OutgoingLeg:
        """Let somebody call, and acknowledge that we answer."""
        phone = self.lab[who]
        leg = phone.call("600", None if offer is None else describes(phone, offer))
        if offer is not None:
            assert phone.accepted(leg)
        return leg

    def voice(self, number: int = -1) -> ToldSpeaker:
        """Return what the caller of that number hears, the last one's without."""
        return [speaker for relay in self.media.opened for speaker in relay.speakers][number]

    def rung(self) -> list[str]:
        """Return who was rung, in order."""
        return [e.member or "" for e in self.lab.events if isinstance(e, GroupCall) and e.event_type == "offered"]

    def told(self, kind: str) -> list[GroupCall]:
        """Return a kind of step of the group's calls."""
        return [e for e in self.lab.events if isinstance(e, GroupCall) and e.event_type == kind]

    def answer(self, who: str) -> None:
        """Let an agent's phone answer what rings there."""
        phone = self.lab[who]
        phone.leg.accept(describes(phone), self.lab.now)
        self.lab.run(0)

    def results(self) -> list[str]:
        """Return what the calls that are over have come to."""
        return [e.result for e in self.lab.events if isinstance(e, CallOver)]


def hall(members: int = 2, logged_in: bool = True, more_groups: tuple[Group, ...] = (), **more: Any) -> Hall:
    """Return a queue; `more` are settings of the group, or of its queue."""
    rules: dict[str, Any] = {
        key: more.pop(key) for key in ("overflow", "order", "ring_seconds", "max_calls") if key in more
    }
    media = ToldMedia()
    lines = tuple(
        Line(name, str(300 + int(name[1])), contact=f"sip:{name}@10.0.1.{name[1]}:5060", max_calls=5)
        for name in CALLERS
    )
    made = Lab(
        Strategy.QUEUE,
        members,
        rules={"queue": Queue(**more), **rules},
        media=media,
        more_lines=lines,
        more_groups=more_groups,
        logged_in=logged_in,
    )
    for name in [*CALLERS, *(f"m{i + 1}" for i in range(members))]:
        made[name].on_request = says(describes(made[name]))
    return Hall(made, media)


def busy(made: Hall, *agents: str) -> None:
    """Let agents talk with somebody, so that callers have to wait."""
    for agent in agents:
        line = made.lab.directory.lines[agent].number
        made.lab[agent].on_invite = picks_up
        call = made.lab["c1"].call(line, body("10.0.1.1", 4000))
        assert made.lab["c1"].accepted(call)
        made.lab[agent].on_invite = lambda phone, leg: leg.ring(phone.lab.now)


def free(made: Hall, agent: str) -> None:
    """Let an agent hang up."""
    made.lab[agent].leg.hang_up(None, made.lab.now)
    made.lab.run(0)
