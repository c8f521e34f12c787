"""After a restart: talks go on and their hold and hang-up are carried through; phones ring at once."""

from __future__ import annotations

from dataclasses import replace

from bridge.calls.exchange import Exchange
from bridge.events import Notice
from tests.support.lab import ANSWER, OFFER, Lab, Phone, answers
from tests.unit.calls.test_dialogs import HOLD, connected
from tests.unit.calls.test_media import connected as through_the_bridge
from tests.unit.calls.test_media import sdp


def test_a_talk_is_taken_up_and_either_side_can_hang_up() -> None:
    """The agent was killed and came back: BYE of one side reaches the other, and the call is over."""
    for side in ("c1", "m1"):
        lab, call = connected()
        lab.restart()
        assert lab.exchange.calls()[0].state == "connected"
        assert lab.exchange.line("m1").state.value == "busy"
        (call if side == "c1" else lab["m1"].leg).hang_up(None, lab.now)
        lab.run(1)
        other = "m1" if side == "c1" else "c1"
        assert lab.sent(other, "BYE") and lab.of(other, "200 BYE")
        assert not lab.exchange.calls() and lab.exchange.line("m1").state.value == "idle"


def test_hold_goes_across_after_a_restart() -> None:
    """A re-INVITE from either side, with sequence numbers that the phones take."""
    lab, call = connected()
    call.request("INVITE", HOLD, "before", lab.now)
    lab.run(1)
    call.acknowledge(None, lab.now)
    lab.run(1)
    lab.restart()
    call.request("INVITE", OFFER, "after", lab.now)
    lab.run(1)
    call.acknowledge(None, lab.now)
    lab.run(1)
    assert lab["m1"].leg.request("INVITE", HOLD, "member", lab.now)
    lab.run(1)
    lab["m1"].leg.acknowledge(None, lab.now)
    assert [(r.context, r.status) for r in lab.replies("c1")] == [("before", 200), ("after", 200)]
    assert [r.status for r in lab.replies("m1")] == [200]


def test_the_group_takes_new_calls_beside_a_talk_that_was_taken_up() -> None:
    """A restored talk makes its member busy, and nobody else."""
    lab = Lab(members=2)
    lab["m1"].on_invite = answers
    assert lab["c1"].accepted(lab["c1"].call("600"))
    lab.run(1)
    lab.restart()
    lab["c2"].call("600")
    lab.run(1)
    assert lab.to("m1").count("INVITE") == 1
    assert lab.to("m2").count("INVITE") == 2


def test_a_hunt_is_not_kept() -> None:
    """What was still ringing is nothing to take up."""
    lab = Lab()
    lab["c1"].call("600")
    lab.run(1)
    assert lab.exchange.dump("talks", lab.now) == []


def test_what_cannot_be_read_is_left_out_and_said() -> None:
    """A row from a broken file or another version is a notice, not a crash."""
    lab, _ = connected()
    (talk,) = lab.exchange.dump("talks", lab.now)
    fresh: Exchange = lab.new_exchange("r")
    fresh.load({"bindings": [{"line": 7}], "talks": [{**talk, "legs": [{}, {}]}, {}, talk]}, lab.now)
    assert len(fresh.calls()) == 1
    assert sum("is lost" in event.text for event in fresh.take_events() if event.type == "notice") == 3  # type: ignore[attr-defined]


def test_a_member_who_left_the_configuration_keeps_talking() -> None:
    """The line is gone from the configuration: its talk goes on, and its hang-up is carried through."""
    lab, call = connected()
    (talk,) = lab.exchange.dump("talks", lab.now)
    lab.exchange = lab.new_exchange("r")
    lab.exchange.load({"bindings": [], "talks": [{**talk, "line": "gone"}]}, lab.now)
    assert [each.answered_by for each in lab.exchange.calls()] == ["m1"]
    call.hang_up(None, lab.now)
    lab.run(1)
    assert lab.ended("m1")


def test_a_line_that_was_called_and_left_the_configuration_keeps_talking() -> None:
    """It was called by its own number, which is nobody's now: the start is not spoilt, and its hang-up is carried."""
    lab = Lab(members=1)
    lab["m1"].on_invite = answers
    call = lab["c1"].call("201")
    assert lab["c1"].accepted(call)
    lab.run(1)
    lines = {name: line for name, line in lab.directory.lines.items() if name != "m1"}
    lab.directory = replace(lab.directory, lines=lines, groups={})
    lab.restart()
    assert [(each.state, each.called, each.answered_by) for each in lab.exchange.calls()] == [
        ("connected", "201", "m1")
    ]
    call.hang_up(None, lab.now)
    lab.run(40)
    assert lab.ended("m1") and not lab.exchange.calls() and not lab.exchange.ua.legs


def test_a_relayed_talk_goes_on_at_the_same_ports() -> None:
    """The relay is settled as it was, each side's `o=` goes on from where it was, hold goes through."""
    lab, media, call = through_the_bridge()
    before = dict(media.opened[0].paths)
    told = sdp(lab.sent("c3", "200 INVITE")[-1].message).origin
    lab.restart()
    relay = media.opened[-1]
    assert relay is not media.opened[0]
    assert relay.paths == before and relay.held == media.opened[0].held
    assert lab["m1"].leg.request("INVITE", HOLD, "hold", lab.now)
    lab.run(1)
    lab["m1"].leg.acknowledge(None, lab.now)
    lab.run(1)
    again = sdp(lab.sent("c3", "INVITE")[-1].message)
    assert again.origin.session == told.session and again.origin.version == told.version + 1
    assert again.media[0].port == relay.held[0][0]
    call.hang_up(None, lab.now)
    lab.run(1)
    assert lab.ended("m1") and relay.closed


def test_a_relayed_talk_whose_ports_are_taken_is_ended_on_both_sides() -> None:
    """Nobody is left in silence: both sides get BYE, and people are told why."""
    lab, media, _ = through_the_bridge()
    media.taken = True
    lab.restart()
    lab.run(1)
    assert lab.sent("c3", "BYE") and lab.sent("m1", "BYE")
    assert any("somebody else has the ports" in event.text for event in lab.events if isinstance(event, Notice))
    assert lab.exchange.calls() == []


def test_a_hunt_ends_for_the_caller_and_the_phones() -> None:
    """Killed while it rang: at the start the caller gets 480, and each phone that rang a CANCEL."""
    lab = Lab(members=2)
    lab["c1"].call("600")
    lab.run(1)
    lab.restart()
    lab.run(1)
    assert lab.to("c1")[-1] == "480 INVITE" and lab.of("c1", "ACK")
    for member in ("m1", "m2"):
        assert lab.sent(member, "CANCEL") and lab.of(member, "487 INVITE") and lab.sent(member, "ACK")
    assert lab.exchange.ua.legs == {}
    lab.run(40)
    assert len(lab.exchange.ua.layer) == 0


def test_a_phone_that_answers_while_the_bridge_starts_is_hung_up() -> None:
    """Its 200 crosses our CANCEL: it gets an ACK, then a BYE."""
    lab = Lab(members=1)
    lab["c1"].call("600")
    lab.run(1)
    lab["m1"].leg.accept(ANSWER, lab.now)
    lab.restart()
    lab.run(1)
    assert lab.sent("m1", "ACK") and lab.sent("m1", "BYE")
    assert lab.exchange.ua.legs == {}


def test_a_caller_who_hung_up_meanwhile_is_no_trouble() -> None:
    """The caller gave up while the bridge was away: nobody answers our 480, and nothing stays of it."""
    lab = Lab(members=1)
    lab["c1"].call("600")
    lab.run(1)
    lab.drop = lambda passed: True
    lab.restart()
    lab.run(70)
    assert len(lab.exchange.ua.layer) == 0 and lab.exchange.ua.legs == {}


def test_phones_that_are_gone_after_a_power_cut_are_not_busy_for_long() -> None:
    """Nobody is there any more: it is asked soon, and the call is over."""
    lab, _ = connected()
    lab.restart()
    lab.drop = lambda passed: True
    lab.run(90)
    assert lab.exchange.calls() == [] and lab.exchange.line("m1").state.value == "idle"


def test_phones_that_have_lost_their_calls_too_are_not_busy() -> None:
    """A power cut of the house: phones that are back know nothing of the talk and say 481, so it is over."""
    lab, _ = connected()
    lab.restart()
    for name in ("c1", "m1"):
        lab.phones[name] = Phone(lab, name, lab[name].address)
    lab.run(30)
    assert lab.exchange.calls() == [] and lab.exchange.line("m1").state.value == "idle"


def test_a_talk_of_which_nothing_changes_is_kept_as_the_same_object() -> None:
    """So that it is not written again for each call that comes or goes beside it; a hold makes it another."""
    lab, call = connected()
    (talk,) = lab.exchange.dump("talks", lab.now)
    lab["c2"].call("600")
    lab.run(1)
    assert lab.exchange.dump("talks", lab.now)[0] is talk
    call.request("INVITE", HOLD, "hold", lab.now)
    lab.run(1)
    (held,) = lab.exchange.dump("talks", lab.now)
    assert held is not talk and held["legs"][1]["local_seq"] > talk["legs"][1]["local_seq"]


def test_a_leg_that_waits_is_kept_as_the_same_object_until_it_stands_elsewhere() -> None:
    """A caller who waits while others come and go is not written again; once answered the leg is kept as up."""
    lab = Lab(members=1)
    lab["c1"].call("600")
    lab.run(1)
    waits, rings = lab.exchange.dump("legs", lab.now)
    assert (waits["is"], rings["is"]) == ("waits", "rings")
    lab["c2"].call("600")
    lab.run(1)
    again = lab.exchange.dump("legs", lab.now)
    assert again[0] is waits and again[1] is rings and len(again) == 2
    lab["m1"].leg.accept(ANSWER, lab.now)
    lab.run(0)
    assert waits not in lab.exchange.dump("legs", lab.now)
