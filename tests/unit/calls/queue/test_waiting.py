"""Callers who wait: answered at once, and what they hear until they are served."""

from __future__ import annotations

import pytest

from bridge.directory.model import Group, Member
from bridge.events import CallerWaits
from bridge.media.model import CALLER, MEMBER, Path
from bridge.media.prompts import MUSIC, Prompt, minutes, number
from bridge.sip.legevents import Rejected
from tests.support.hall import HELD, busy, describes, free, hall, plays
from tests.unit.calls.test_media import body, sdp

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
