"""After a restart: talks go on and their hold and hang-up are carried through; phones ring at once."""

from __future__ import annotations

from bridge.calls.exchange import Exchange
from tests.support.lab import OFFER, Lab, answers
from tests.unit.calls.test_dialogs import HOLD, connected


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
    """The line is gone from the configuration: its talk cannot be accounted for any more and is left to the phones."""
    lab, _ = connected()
    (talk,) = lab.exchange.dump("talks", lab.now)
    fresh = lab.new_exchange("r")
    fresh.load({"bindings": [], "talks": [{**talk, "line": "gone"}]}, lab.now)
    assert fresh.calls() == []
