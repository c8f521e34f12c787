"""Callers who wait: answered at once, spoken to, served in turn, and let go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from bridge.commands.model import LineVerb
from bridge.directory.model import Group, Line, Member, Order, Queue, Strategy
from bridge.events import CallerWaits, CallOver, GroupCall, WrapUp
from bridge.media.model import CALLER, MEMBER, Path
from bridge.media.prompts import MUSIC, Prompt, minutes, number
from bridge.sip.incoming import IncomingLeg
from bridge.sip.legevents import Ended, Rejected
from bridge.sip.message import Body
from bridge.sip.outgoing import OutgoingLeg
from tests.support.lab import Lab, Phone, refuses
from tests.support.ordering import order
from tests.support.ways import ToldMedia, ToldSpeaker
from tests.unit.calls.onward.test_transfer import refer
from tests.unit.calls.test_media import body, says, sdp

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


# -- answered at once ----------------------------------------------------------------------------------------------


def test_a_caller_is_answered_at_once_and_hears_music_while_an_agent_rings() -> None:
    """200 before anything else, never a 180; the agent is offered what was agreed upon, at the relay's port."""
    made = hall()
    made.call("c3")
    assert made.lab.to("c3")[:2] == ["100 INVITE", "200 INVITE"]
    assert (plays(made.voice()), made.voice().loop) == ((MUSIC,), True)
    (invite,) = made.lab["m1"].invites
    assert (sdp(invite).host, sdp(invite).media[0].port) == ("10.0.0.100", 20002)
    made.lab.run(5)
    assert "180 INVITE" not in made.lab.to("c3")
    (status,) = made.lab.exchange.calls()
    assert (status.state, status.ringing) == ("waiting", ("m1",))


def test_the_agent_who_answers_is_connected_without_another_word_to_the_caller() -> None:
    """The relay carries both; the music stops; nothing is sent to the caller."""
    made = hall()
    made.call("c3")
    before = len(made.lab.to("c3"))
    made.answer("m1")
    assert made.voice().closed
    paths = made.media.opened[0].paths
    assert paths[0, CALLER] == Path("10.0.1.3", 4000, 4001)
    member = paths[0, MEMBER]
    assert member is not None and member[:3] == ("10.0.0.1", 4000, 4001)
    assert "ACK" in made.lab.to("m1")
    assert not [name for name in made.lab.to("c3")[before:] if name not in ("INVITE", "ACK")]
    assert [event.member for event in made.told("answered")] == ["m1"]
    (status,) = made.lab.exchange.calls()
    assert (status.state, status.answered_by) == ("connected", "m1")


@pytest.mark.parametrize("who", ["c3", "m1"])
def test_either_side_ends_the_talk(who: str) -> None:
    """BYE is carried through, and the ports are free."""
    made = hall()
    call = made.call("c3")
    made.answer("m1")
    made.lab.run(1)
    (call if who == "c3" else made.lab["m1"].leg).hang_up(None, made.lab.now)
    made.lab.run(1)
    assert not made.lab.exchange.calls()
    assert made.media.pairs == 100
    assert made.lab.ended("m1" if who == "c3" else "c3")
    assert made.results() == ["answered"]


def test_a_caller_who_makes_no_offer_gets_ours() -> None:
    """The 200 brings it, the ACK the answer; only then somebody is rung."""
    made = hall()
    phone = made.lab["c3"]
    call = phone.call("600", None)
    (ok,) = made.lab.sent("c3", "200 INVITE")
    assert sdp(ok.message).media[0].port == 20000
    assert made.rung() == []
    call.acknowledge(describes(phone), made.lab.now)
    made.lab.run(0)
    assert made.rung() == ["m1"]
    assert plays(made.voice()) == (MUSIC,)
    made.answer("m1")
    assert made.media.opened[0].paths[0, CALLER] == Path("10.0.1.3", 4000, 4001)


def test_a_caller_without_a_codec_of_ours_gets_488() -> None:
    """Nobody is rung, no port is kept."""
    made = hall()
    made.lab["c3"].call("600", body("10.0.1.3", 4000, "96", more="a=rtpmap:96 opus/48000/2"))
    made.lab.run(1)
    (rejected,) = made.lab["c3"].heard(Rejected)
    assert isinstance(rejected, Rejected) and rejected.status == 488
    assert (made.rung(), made.media.pairs, made.lab.exchange.calls()) == ([], 100, [])


def test_without_ports_a_caller_gets_503() -> None:
    """And people are told why."""
    made = hall()
    made.media.pairs = 1
    made.lab["c3"].call("600", describes(made.lab["c3"]))
    made.lab.run(1)
    (rejected,) = made.lab["c3"].heard(Rejected)
    assert isinstance(rejected, Rejected) and rejected.status == 503
    assert any("no ports are left" in str(event) for event in made.lab.events)


# -- who is served ---------------------------------------------------------------------------------------------------


def test_first_come_first_served() -> None:
    """Whoever hangs up first serves whoever came first."""
    made = hall()
    busy(made, "m1", "m2")
    for who in CALLERS:
        made.call(who)
        made.lab.run(1)
    assert made.rung() == []
    assert len(made.lab.exchange.waiting("g")) == 3
    free(made, "m2")
    made.answer("m2")
    free(made, "m1")
    made.answer("m1")
    talks = {call.caller: call.answered_by for call in made.lab.exchange.calls() if call.answered_by}
    assert talks == {"303": "m2", "304": "m1"}
    free(made, "m2")
    assert made.lab["m2"].leg.state.value == "ringing"
    assert len(made.lab.exchange.waiting("g")) == 1


def test_an_agent_who_does_not_answer_rests_and_the_next_is_rung() -> None:
    """The place in the queue stays; after the rest the first may be rung again."""
    made = hall(no_answer_delay=30.0)
    made.call("c3")
    made.lab.run(16)
    assert made.rung() == ["m1", "m2"]
    made.lab.run(20)
    assert made.rung() == ["m1", "m2"]
    made.lab.run(15)
    assert made.rung() == ["m1", "m2", "m1"]
    assert plays(made.voice()) == (MUSIC,)


def test_a_refusal_lets_the_agent_rest_for_all_callers() -> None:
    """Who declined is not asked at once by the next caller."""
    made = hall(members=1, decline_delay=30.0)
    made.lab["m1"].on_invite = refuses(603)
    made.call("c3")
    made.call("c4")
    made.lab.run(25)
    assert made.rung() == ["m1"]
    made.lab.run(10)
    assert made.rung() == ["m1", "m1"]


def test_wrap_up_keeps_calls_of_all_groups_away() -> None:
    """Told to the doors, seen by name, and over by itself."""
    other = Group("h", "Other", "601", (Member("m1", "m1", device=True, always=True),))
    made = hall(members=1, wrap_up=20.0, more_groups=(other,))
    made.call("c3")
    made.answer("m1")
    made.lab.run(5)
    free(made, "m1")
    assert made.lab.exchange.wraps_up("m1") is not None
    made.call("c4")
    made.lab["c2"].call("601")
    made.lab.run(5)
    assert made.rung() == ["m1"]
    assert any(isinstance(e, Rejected) for e in made.lab["c2"].said)
    made.lab.run(16)
    assert made.rung() == ["m1", "m1"]
    assert made.lab.exchange.wraps_up("m1") is None
    said = [(event.group, event.until is None) for event in made.lab.events if isinstance(event, WrapUp)]
    assert said == [("g", False), ("h", False), ("g", True), ("h", True)]


def test_who_logs_in_is_ready() -> None:
    """Wrap-up ends as soon as the member says so."""
    made = hall(members=1, wrap_up=60.0)
    made.call("c3")
    made.answer("m1")
    free(made, "m1")
    made.call("c4")
    assert made.rung() == ["m1"]
    made.lab.login("m1")
    assert made.rung() == ["m1", "m1"]
    assert made.lab.exchange.wraps_up("m1") is None


def test_the_order_outlives_a_restart() -> None:
    """Who was rung last is not rung first again."""
    made = hall(order=Order.ROUND_ROBIN)
    call = made.call("c3")
    assert made.rung() == ["m1"]
    call.hang_up(None, made.lab.now)
    made.lab.run(1)
    assert "orders" in made.lab.exchange.kept.take()
    made.lab.restart()
    made.lab.run(0)
    made.call("c4")
    assert made.rung() == ["m1", "m2"]


# -- what is heard ---------------------------------------------------------------------------------------------------


def test_greeting_and_announcements_then_music() -> None:
    """At the beginning, and every n seconds; the position is the caller's own."""
    made = hall(greeting="default", announce=30.0)
    busy(made, "m1", "m2")
    made.call("c4")
    made.call("c3")
    voice = made.voice()
    assert plays(voice) == (Prompt.GREETING, Prompt.YOU_ARE_NUMBER, number(2))
    voice.played(made.lab)
    assert (plays(voice), voice.loop) == ((MUSIC,), True)
    free(made, "m1")
    made.answer("m1")
    made.lab.run(30)
    assert plays(voice) == (Prompt.YOU_ARE_NEXT,)
    voice.played(made.lab)
    made.lab.run(30)
    assert voice.heard.count(Prompt.YOU_ARE_NEXT) == 2
    said = [(e.waiting, e.position, e.expected) for e in made.lab.events if isinstance(e, CallerWaits)]
    assert said == [(1, 1, None), (2, 2, None)]


def test_no_wait_is_promised_while_nothing_is_known_and_one_is_said_when_it_is() -> None:
    """After three talks of four minutes: so many minutes for so many callers and agents."""
    made = hall(members=1, announce=60.0, announce_position=False)
    for _ in range(3):
        made.call("c3")
        assert Prompt.ESTIMATED_WAIT not in made.voice().heard
        made.answer("m1")
        made.lab.run(240)
        free(made, "m1")
    busy(made, "m1")
    made.call("c4")
    made.call("c5")
    assert plays(made.voice()) == (Prompt.ESTIMATED_WAIT, minutes(8))


def test_while_a_phone_rings_nothing_is_announced() -> None:
    """The wait may be over at any moment."""
    made = hall(announce=10.0)
    made.call("c3")
    made.lab.run(14)
    assert made.voice().heard == [MUSIC], "nor does the music begin anew"


def test_the_exit_key_leads_elsewhere_and_music_goes_on_while_it_rings() -> None:
    """No other key does; the caller hears no ringing, and whoever answers there is connected."""
    other = Group("h", "Other", "601", (Member("m2", "m2", device=True, always=True),))
    made = hall(members=2, exit_key="0", exit_to="601", announce=60.0, more_groups=(other,))
    made.lab.login("m2", False)
    busy(made, "m1")
    made.call("c3")
    voice = made.voice()
    assert plays(voice) == (Prompt.YOU_ARE_NEXT, Prompt.EXIT_HINT, number(0))
    voice.played(made.lab)
    voice.key(made.lab, "5")
    assert made.told("overflowed") == []
    voice.key(made.lab, "0")
    (event,) = made.told("overflowed")
    assert (event.group, event.reason) == ("g", "the caller pressed 0")
    assert plays(voice) == (MUSIC,)
    assert made.lab["m2"].invites
    made.answer("m2")
    assert made.lab.exchange.calls()[-1].answered_by == "m2"
    assert voice.closed


# -- hold ------------------------------------------------------------------------------------------------------------


def test_a_caller_who_holds_us_is_not_offered_and_keeps_the_place() -> None:
    """The phone that rang stops; who came later is served meanwhile; afterwards the first goes first."""
    made = hall(members=1)
    call = made.call("c3")
    made.lab.run(1)
    made.call("c4")
    phone = made.lab["c3"]
    assert call.request("INVITE", describes(phone, HELD, 2), None, made.lab.now)
    made.lab.run(1)
    assert made.rung() == ["m1", "m1"]
    made.lab["m1"].leg.reject(486, made.lab.now)
    made.lab.run(1)
    call.acknowledge(None, made.lab.now)
    made.lab.run(1)
    assert call.request("INVITE", describes(phone, "a=sendrecv", 3), None, made.lab.now)
    made.lab.run(20)
    first = made.lab.exchange.calls()[0]
    assert (first.caller, first.ringing) == ("303", ("m1",))
    made.answer("m1")
    assert made.media.opened[0].paths[0, CALLER] == Path("10.0.1.3", 4000, 4001)


# -- going -----------------------------------------------------------------------------------------------------------


def test_a_caller_who_hangs_up_is_abandoned() -> None:
    """The agent's phone stops ringing, with the wait told."""
    made = hall()
    call = made.call("c3")
    made.lab.run(7)
    call.hang_up(None, made.lab.now)
    made.lab.run(1)
    (event,) = made.told("abandoned")
    assert event.wait == 7.0
    assert "CANCEL" in made.lab.to("m1")
    assert (made.results(), made.media.pairs, made.lab.exchange.calls()) == (["abandoned"], 100, [])


def test_max_wait_without_an_overflow_is_said_and_then_hung_up() -> None:
    """The call is over when the caller has heard it."""
    made = hall(max_wait=60.0)
    busy(made, "m1", "m2")
    made.call("c3")
    made.lab.run(61)
    voice = made.voice()
    assert plays(voice) == (Prompt.NOBODY_AVAILABLE, Prompt.GOODBYE)
    assert [call.state for call in made.lab.exchange.calls()][-1] == "ending"
    assert not made.lab.ended("c3")
    voice.played(made.lab)
    made.lab.run(1)
    assert made.lab.ended("c3")
    assert made.results() == ["no answer"]
    assert [event.wait for event in made.told("missed")] == [60.0]


@pytest.mark.parametrize("gone", ["hangs up", "hears nothing"])
def test_a_caller_who_goes_while_that_is_said_is_gone(gone: str) -> None:
    """Nothing is left, whatever becomes of the announcement."""
    made = hall(max_wait=60.0)
    busy(made, "m1", "m2")
    call = made.call("c3")
    made.lab.run(61)
    if gone == "hangs up":
        call.hang_up(None, made.lab.now)
    made.lab.run(20)
    assert made.results() == ["no answer"]
    assert [call.caller for call in made.lab.exchange.calls() if call.state != "connected"] == []


def test_when_the_last_agent_logs_out_callers_go_on_at_once() -> None:
    """To the overflow, where another queue lets them wait with its own music."""
    other = Group(
        "h",
        "Other",
        "601",
        (Member("c2", "c2", device=True, always=True),),
        strategy=Strategy.QUEUE,
        queue=Queue(music="/tmp/other.wav"),
    )
    made = hall(members=1, overflow="601", more_groups=(other,))
    made.call("c3")
    made.lab.login("m1", False)
    assert [event.reason for event in made.told("overflowed")] == ["nobody can be rung any more"]
    assert plays(made.voice()) == ("/tmp/other.wav",)
    assert made.rung() == ["m1", "c2"]
    assert made.lab.exchange.calls()[0].group == "h"


def test_nobody_waits_where_nobody_is_and_nothing_is_answered() -> None:
    """480 at once, as for any other group."""
    made = hall(logged_in=False)
    made.lab["c3"].call("600", describes(made.lab["c3"]))
    made.lab.run(1)
    assert made.lab.to("c3")[-1] == "480 INVITE"
    assert made.media.opened == []


def test_a_full_queue_is_busy() -> None:
    """486 for the next; a caller who hung up by mistake gets in, to the same place."""
    made = hall(members=1, max_waiting=2, keep_place=30.0)
    busy(made, "m1")
    first = made.call("c3")
    made.call("c4")
    made.lab["c5"].call("600", describes(made.lab["c5"]))
    made.lab.run(1)
    assert made.lab.to("c5")[-1] == "486 INVITE"
    first.hang_up(None, made.lab.now)
    made.lab.run(5)
    made.call("c5")
    made.call("c3")
    made.lab.run(1)
    free(made, "m1")
    ringing = [call.caller for call in made.lab.exchange.calls() if call.ringing]
    assert ringing == ["303"]


def test_a_call_that_rang_in_vain_waits_where_it_overflows_to_a_queue() -> None:
    """It is answered then, not before."""
    other = Group("h", "Other", "601", (Member("c2", "c2", device=True, always=True),), overflow="600")
    made = hall(more_groups=(other,))
    made.lab["c2"].on_invite = refuses(486)
    call = made.lab["c3"].call("601", describes(made.lab["c3"]))
    made.lab.run(1)
    assert made.lab["c3"].accepted(call)
    assert plays(made.voice()) == (MUSIC,)
    assert made.rung() == ["c2", "m1"]


def test_a_stop_ends_those_who_wait() -> None:
    """Nobody hears silence for ever."""
    made = hall()
    made.call("c3")
    made.lab.run(1)
    made.lab.exchange.stop(made.lab.now)
    made.lab.run(1)
    assert made.lab.ended("c3")
    assert (made.media.pairs, made.lab.exchange.calls()) == (100, [])


def test_after_a_crash_nobody_hears_silence() -> None:
    """The dialog was confirmed: at the next start it gets a BYE."""
    made = hall()
    made.call("c3")
    made.lab.run(1)
    made.lab.restart()
    made.lab.run(1)
    assert made.lab.ended("c3")


def test_a_waiting_caller_can_be_picked_up() -> None:
    """By who is no agent, while all of those talk; the music stops, the place is free, and nobody wraps up for it."""
    made = hall(members=1)
    busy(made, "m1")
    made.call("c3")
    (call,) = [each for each in made.lab.exchange.calls() if each.state == "waiting"]
    made.lab["c4"].on_invite = picks_up
    assert order(made.lab, LineVerb.PICKUP, "c4", call=call.call).ok
    assert made.voice().closed
    (call,) = [each for each in made.lab.exchange.calls() if each.caller == "303"]
    assert (call.state, call.answered_by) == ("connected", "c4")
    assert made.lab.exchange.waiting("g") == []
    made.lab["c4"].leg.hang_up(None, made.lab.now)
    made.lab.run(1)
    assert made.lab.ended("c3") and made.media.pairs == 100


# -- after that it is a call as any other ------------------------------------------------------------------------------


def test_hold_and_transfer_work_after_the_connection() -> None:
    """The agent holds, resumes, and transfers the caller to a colleague."""
    made = hall()
    made.call("c3")
    made.answer("m1")
    made.lab.run(1)
    agent = made.lab["m1"]
    for way in (HELD, "a=sendrecv"):
        assert agent.leg.request("INVITE", body("10.0.0.1", 4000, more=way), None, made.lab.now)
        made.lab.run(1)
        assert made.lab.replies("m1")[-1].status == 200
        agent.leg.acknowledge(None, made.lab.now)
        made.lab.run(1)
    made.lab["m2"].on_invite = picks_up
    refer(made.lab, "m1", agent.leg, "<sip:202@10.0.0.100>")
    made.lab.run(2)
    assert made.lab["m2"].invites
    assert any(call.answered_by == "m2" for call in made.lab.exchange.calls())
    assert any(isinstance(event, Ended) for event in made.lab["m1"].said)


def test_who_is_transferred_to_a_queue_waits_there() -> None:
    """The referrer is rid of the call at once; the transferee hears music, and is served in turn."""
    made = hall(members=1)
    busy(made, "m1")
    made.lab["c4"].on_invite = picks_up
    phone = made.lab["c3"]
    leg = phone.call("304", describes(phone))
    made.lab.run(1)
    assert phone.accepted(leg)
    referrer = made.lab["c4"].leg
    refer(made.lab, "c4", referrer, "<sip:600@10.0.0.100>")
    made.lab.run(1)
    assert made.lab.ended("c4")
    assert plays(made.voice()) == (MUSIC,)
    reinvite = made.lab.sent("c3", "INVITE")[-1].message
    assert sdp(reinvite).host == "10.0.0.100"
    assert len(made.lab.exchange.waiting("g")) == 1
    states = {call.caller: call.state for call in made.lab.exchange.calls()}
    assert states["303"] == "waiting"
    free(made, "m1")
    made.answer("m1")
    made.lab.run(0.5)
    assert [call.answered_by for call in made.lab.exchange.calls()] == ["m1"]
    leg.hang_up(None, made.lab.now)
    made.lab.run(1)
    assert (made.media.pairs, made.lab.exchange.calls()) == (100, [])


def test_a_transferee_who_refuses_the_queue_stays_where_they_are() -> None:
    """All is as it was, and nobody waits."""
    made = hall(members=1)
    made.lab["c4"].on_invite = picks_up
    phone = made.lab["c3"]
    phone.on_request = lambda each, event: event.leg.respond(event.transaction, event.request, 488, None, each.lab.now)
    leg = phone.call("304", describes(phone))
    made.lab.run(1)
    assert phone.accepted(leg)
    refer(made.lab, "c4", made.lab["c4"].leg, "<sip:600@10.0.0.100>")
    made.lab.run(2)
    assert made.lab.exchange.waiting("g") == []
    assert made.rung() == []
    assert [call.state for call in made.lab.exchange.calls()] == ["connected"]
    assert made.media.pairs == 100


# -- many ------------------------------------------------------------------------------------------------------------


def test_200_callers_at_once_at_3_agents() -> None:
    """Each is served or has gone, in the order in which they came; nothing is left behind."""
    made = hall(members=3, no_answer_delay=5.0, max_wait=400.0)
    made.media.pairs = 1000
    phone = made.lab["c3"]
    for number_of_agent in (1, 2, 3):
        made.lab[f"m{number_of_agent}"].on_invite = picks_up
    legs = []
    for _ in range(200):
        leg = phone.call("600", describes(phone))
        legs.append(leg)
        assert phone.accepted(leg)
    ids = [call.call for call in made.lab.exchange.calls()]
    assert len(ids) == 200
    impatient = legs[3::7]
    for second in range(400):
        made.lab.run(1)
        for agent in ("m1", "m2", "m3"):
            up = [leg for leg in made.lab[agent].calls if leg.state.value == "up"]
            assert len(up) <= 1, "one call at a time"
            if second % 5 == int(agent[1]) and up:
                up[0].hang_up(None, made.lab.now)
        if second % 3 == 0 and impatient:
            impatient.pop().hang_up(None, made.lab.now)
    made.lab.run(60)
    results = made.results()
    assert len(results) == 200 and set(results) <= {"answered", "abandoned"}
    assert 150 < results.count("answered") < 200
    served = [event.call for event in made.told("answered")]
    assert served == [call for call in ids if call in served], "first come, first served"
    assert (made.lab.exchange.calls(), made.media.pairs) == ([], 1000)
    assert not made.lab.exchange.ua.legs
    assert made.lab.exchange.board.agents.floor.waiting("g") == 0
    assert made.lab.exchange.waiting("g") == []
