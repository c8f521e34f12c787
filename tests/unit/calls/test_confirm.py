"""Phones where 1 has to be pressed to take the call: no mailbox wins."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.directory.model import Group, Line, Member, Queue, Strategy
from bridge.events import OfferEnded
from bridge.media.model import CALLER, MEMBER
from bridge.media.prompts import Prompt
from bridge.sip.legevents import Accepted, Ended, Rejected
from bridge.sip.outgoing import OutgoingLeg
from tests.support.hall import describes, plays
from tests.support.lab import Lab
from tests.support.ways import ToldMedia, ToldSpeaker
from tests.unit.calls.test_media import body, says, sdp


class House:
    """Group 700: p1 and p2 have to press 1, m1 has not; c3 calls."""

    def __init__(self, strategy: Strategy = Strategy.PARALLEL, members: str = "p1 m1 p2", **more: Any) -> None:
        self.media = ToldMedia()
        lines = [
            Line(name, f"40{name[1]}", contact=f"sip:{name}@10.0.2.{name[1]}:5060", confirm=True)
            for name in ("p1", "p2")
        ]
        lines.append(Line("c3", "303", contact="sip:c3@10.0.1.3:5060", max_calls=5))
        group = Group(
            "h",
            "House",
            "700",
            tuple(Member(name, name, device=True, always=True) for name in members.split()),
            strategy=strategy,
            **more,
        )
        self.lab = Lab(members=1, media=self.media, more_lines=tuple(lines), more_groups=(group,))
        for name in ("p1", "p2", "m1", "c3"):
            self.lab[name].on_request = says(describes(self.lab[name]))

    def call(self, offer: bool = True) -> OutgoingLeg:
        """Let c3 call the group."""
        leg = self.lab["c3"].call("700", describes(self.lab["c3"]) if offer else None)
        self.lab.run(1)
        return leg

    def answer(self, who: str) -> ToldSpeaker | None:
        """Let a phone be picked up; return what is heard there."""
        before = len(self._speakers())
        phone = self.lab[who]
        phone.leg.accept(describes(phone), self.lab.now)
        self.lab.run(0)
        return self._speakers()[-1] if len(self._speakers()) > before else None

    def _speakers(self) -> list[ToldSpeaker]:
        return [speaker for relay in self.media.opened for speaker in relay.speakers]

    def ended(self) -> list[tuple[str, str]]:
        """Return how each offer ended."""
        return [(e.member, e.outcome) for e in self.lab.events if isinstance(e, OfferEnded)]


def heard(speaker: ToldSpeaker | None) -> ToldSpeaker:
    """Return the voice, which there is."""
    assert speaker is not None
    return speaker


def test_who_picks_up_is_asked_and_the_others_ring_on() -> None:
    """The caller hears no change; with 1 the caller is answered, and the others stop."""
    made = House()
    call = made.call()
    voice = heard(made.answer("p1"))
    assert plays(voice)[0] == Prompt.PRESS_1
    made.lab.run(3)
    assert "200 INVITE" not in made.lab.to("c3")
    assert "CANCEL" not in made.lab.to("m1")
    voice.key(made.lab, "7")
    assert "200 INVITE" not in made.lab.to("c3")
    voice.key(made.lab, "1")
    assert made.lab["c3"].accepted(call)
    assert "CANCEL" in made.lab.to("m1") and "CANCEL" in made.lab.to("p2")
    assert voice.closed
    relay = next(relay for relay in made.media.opened if not relay.closed)
    caller, member = relay.paths[0, CALLER], relay.paths[0, MEMBER]
    assert caller is not None and member is not None
    assert (caller.host, member.host) == ("10.0.1.3", "10.0.2.1")
    (ok,) = made.lab.sent("c3", "200 INVITE")
    assert sdp(ok.message).host == "10.0.0.100"
    assert made.lab.to("p1").count("ACK") == 1
    assert made.lab.exchange.calls()[0].answered_by == "p1"


def test_somebody_without_confirmation_may_be_faster() -> None:
    """Whoever is still thinking is hung up."""
    made = House()
    call = made.call()
    made.answer("p1")
    made.lab.run(1)
    made.answer("m1")
    assert made.lab["c3"].accepted(call)
    made.lab.run(1)
    assert any(isinstance(event, Ended) for event in made.lab["p1"].said)
    assert made.lab.exchange.calls()[0].answered_by == "m1"
    call.hang_up(None, made.lab.now)
    made.lab.run(1)
    assert made.media.pairs == 100


def test_two_think_and_the_first_who_presses_1_has_it() -> None:
    """Each hears the question at ports of its own."""
    made = House()
    call = made.call()
    first, second = heard(made.answer("p1")), heard(made.answer("p2"))
    assert first is not second and plays(first) == plays(second)
    second.key(made.lab, "1")
    assert made.lab["c3"].accepted(call)
    made.lab.run(1)
    assert made.lab.exchange.calls()[0].answered_by == "p2"
    assert any(isinstance(event, Ended) for event in made.lab["p1"].said)
    assert ("p1", "withdrawn") in made.ended()


def test_a_mailbox_never_wins() -> None:
    """Nothing is pressed for 12 s: no answer; the others ring on, and take the call later."""
    made = House(members="p1 m1")
    call = made.call()
    made.lab.run(19)
    made.answer("p1")
    made.lab.run(12)
    assert any(isinstance(event, Ended) for event in made.lab["p1"].said)
    assert made.ended() == [("p1", "no answer")]
    assert made.lab["m1"].leg.state.value == "ringing"
    made.answer("m1")
    assert made.lab["c3"].accepted(call)


def test_who_hangs_up_has_not_answered() -> None:
    """And where that was the last one, the search is over."""
    made = House(members="p1")
    made.call()
    made.answer("p1")
    made.lab["p1"].leg.hang_up(None, made.lab.now)
    made.lab.run(1)
    assert made.ended() == [("p1", "no answer")]
    (rejected,) = made.lab["c3"].heard(Rejected)
    assert isinstance(rejected, Rejected) and rejected.status == 480
    assert (made.media.pairs, made.lab.exchange.calls()) == (100, [])


def test_a_caller_who_gives_up_meanwhile() -> None:
    """Whoever was asked is hung up, and nothing is left."""
    made = House(members="p1")
    call = made.call()
    made.answer("p1")
    call.cancel(None, made.lab.now)
    made.lab.run(1)
    assert any(isinstance(event, Ended) for event in made.lab["p1"].said)
    assert (made.media.pairs, made.lab.exchange.calls()) == (100, [])


def test_one_after_the_other() -> None:
    """A sequential group goes on when nothing was pressed."""
    made = House(Strategy.SEQUENTIAL, "p1 p2")
    call = made.call()
    made.lab.run(10)
    made.answer("p1")
    made.lab.run(11)
    assert not made.lab["p2"].invites
    made.lab.run(2)
    assert made.lab["p2"].invites
    heard(made.answer("p2")).key(made.lab, "1")
    assert made.lab["c3"].accepted(call)


@pytest.mark.parametrize("ring_all", [False, True])
def test_a_waiting_caller_hears_music_until_1_is_pressed(ring_all: bool) -> None:
    """Then both are joined, at the ports that each of them knows."""
    made = House(Strategy.QUEUE, "p1 p2", queue=Queue(ring_all=ring_all))
    call = made.call()
    assert made.lab["c3"].accepted(call)
    music = made._speakers()[0]
    voice = heard(made.answer("p1"))
    assert plays(voice)[0] == Prompt.PRESS_1
    assert plays(music) == ("music",)
    voice.key(made.lab, "1")
    assert music.closed and voice.closed
    (relay,) = [relay for relay in made.media.opened if not relay.closed]
    caller, member = relay.paths[0, CALLER], relay.paths[0, MEMBER]
    assert caller is not None and member is not None
    assert (caller.host, member.host) == ("10.0.1.3", "10.0.2.1")
    call.hang_up(None, made.lab.now)
    made.lab.run(1)
    assert (made.media.pairs, made.lab.exchange.calls()) == (100, [])


def test_a_caller_without_an_offer_gets_one_when_1_is_pressed() -> None:
    """The phone that was asked is acknowledged once only."""
    made = House(members="p1")
    call = made.call(offer=False)
    heard(made.answer("p1")).key(made.lab, "1")
    (ok,) = made.lab.sent("c3", "200 INVITE")
    assert sdp(ok.message).host == "10.0.0.100"
    assert any(isinstance(event, Accepted) for event in made.lab["c3"].said)
    call.acknowledge(body("10.0.1.3", 4000), made.lab.now)
    made.lab.run(0.5)
    assert made.lab.to("p1").count("ACK") == 1
    relay = next(relay for relay in made.media.opened if not relay.closed)
    assert relay.paths[0, CALLER] is not None and relay.paths[0, MEMBER] is not None


def test_a_line_that_is_called_itself_may_have_its_mailbox() -> None:
    """Only calls of groups are asked for."""
    made = House()
    call = made.lab["c3"].call("401", describes(made.lab["c3"]))
    made.lab.run(1)
    assert made.answer("p1") is None
    assert made.lab["c3"].accepted(call)
