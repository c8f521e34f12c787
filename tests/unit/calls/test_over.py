"""What is said of a call once it is over: one event, whatever happened."""

from __future__ import annotations

import json

from bridge.calls.parties import Caller
from bridge.directory.model import Group, Member, Strategy
from bridge.events import CallOver
from tests.support.lab import ANSWER, Lab, answers, refuses


def overs(lab: Lab) -> list[CallOver]:
    """Return what was said of calls that are over."""
    return [event for event in lab.events if isinstance(event, CallOver)]


def the_over(lab: Lab) -> CallOver:
    """Return the one that there is."""
    (found,) = overs(lab)
    return found


def outcomes(event: CallOver) -> list[tuple[str, str, str]]:
    """Return who did what, and why."""
    return [(part.member, part.outcome, part.why) for part in event.parts]


def test_an_answered_call_says_who_took_it_and_what_the_others_did() -> None:
    """Caller, group, wait, talk, who took it, and every member: who rang, who was logged out."""
    lab = Lab(members=4)
    lab.login("m4", logged_in=False)
    call = lab["c1"].call("600")
    lab.run(3)
    lab["m2"].leg.accept(ANSWER, lab.now)
    lab.run(1)
    assert lab["c1"].accepted(call)
    assert overs(lab) == []
    lab.run(60)
    call.hang_up(None, lab.now)
    lab.run(1)
    over = the_over(lab)
    assert (over.groups, over.caller, over.called, over.taken_by, over.line) == (("g",), "301", "600", "m2", "m2")
    assert (over.result, over.wait, over.talk) == ("answered", 3.0, 61.0)
    assert over.caller_line == "c1"
    assert over.answered is not None and over.answered - over.began == 3.0 and over.wall - over.began == 64.0
    assert sorted(outcomes(over)) == [
        ("m1", "withdrawn", "answered elsewhere"),
        ("m2", "answered", ""),
        ("m3", "withdrawn", "answered elsewhere"),
        ("m4", "logged out", ""),
    ]
    assert {part.member: part.rang for part in over.parts} == {"m1": 3.0, "m2": 3.0, "m3": 3.0, "m4": 0.0}
    assert over.steps[-1].what == "over"


def test_each_offer_of_a_sequential_hunt_is_told() -> None:
    """No answer after 15 s, declined, busy, unreachable; and again in the next round."""
    lab = Lab(Strategy.SEQUENTIAL, members=4, rules={"rounds": 2, "ring_seconds": 15.0})
    lab["m2"].on_invite = refuses(603)
    lab["m3"].on_invite = refuses(486)
    lab["m4"].on_invite = refuses(404)
    lab["c1"].call("600")
    lab.run(120)
    over = the_over(lab)
    once = [("m1", "no answer", ""), ("m2", "declined", "SIP 603")]
    once += [("m3", "busy", "SIP 486"), ("m4", "unreachable", "SIP 404")]
    assert outcomes(over) == [*once, *once]
    assert [part.rang for part in over.parts if part.member == "m1"] == [15.0, 15.0]
    assert (over.result, over.taken_by, over.talk, over.answered) == ("no answer", None, 0.0, None)
    assert over.wait > 30.0


def test_a_caller_who_gives_up_is_abandoned() -> None:
    """The wait is until the caller has gone; who rang was withdrawn for that."""
    lab = Lab(members=1)
    call = lab["c1"].call("600")
    lab.run(7)
    call.cancel(None, lab.now)
    lab.run(1)
    over = the_over(lab)
    assert (over.result, over.wait) == ("abandoned", 7.0)
    assert outcomes(over) == [("m1", "withdrawn", "caller gave up")]
    assert [(v.group, v.result, v.lasted) for v in over.visits] == [("g", "abandoned", 7.0)]


def test_what_nobody_took_says_why() -> None:
    """Nobody logged in, everybody busy, the group closed."""
    nobody = Lab(members=2, logged_in=False)
    nobody["c1"].call("600")
    nobody.run(1)
    assert the_over(nobody).result == "nobody logged in"
    assert outcomes(the_over(nobody)) == [("m1", "logged out", ""), ("m2", "logged out", "")]
    busy = Lab(members=1)
    busy["m1"].on_invite = refuses(486)
    busy["c1"].call("600")
    busy.run(1)
    assert the_over(busy).result == "busy"
    closed = Lab(members=1)
    closed.exchange.board.is_open = lambda group: False
    closed["c1"].call("600")
    closed.run(1)
    assert the_over(closed).result == "group closed"


def test_who_logs_out_while_ringing_is_told_so() -> None:
    """Not "withdrawn" for no reason: the phone stopped because its member left."""
    lab = Lab(members=2)
    lab["c1"].call("600")
    lab.run(2)
    lab.login("m1", logged_in=False)
    lab.run(200)
    parts = {part.member: part for part in the_over(lab).parts}
    assert (parts["m1"].outcome, parts["m1"].why, parts["m1"].rang) == ("withdrawn", "logged out", 2.0)


def test_an_overflow_is_one_call_with_two_visits() -> None:
    """The first group's visit says overflowed; the call is answered, once."""
    second = Group("h", "H", "601", (Member("m2", "m2", device=True, always=True),))
    lab = Lab(members=2, more_groups=(second,), rules={"overflow": "h", "give_up_after": 10.0})
    lab.login("m2", logged_in=False)
    call = lab["c1"].call("600")
    lab.run(10.5)
    lab["m2"].leg.accept(ANSWER, lab.now)
    lab.run(1)
    assert lab["c1"].accepted(call)
    lab["m2"].leg.hang_up(None, lab.now)
    lab.run(1)
    over = the_over(lab)
    assert over.groups == ("g", "h")
    assert [(v.group, v.result) for v in over.visits] == [("g", "overflowed"), ("h", "answered")]
    assert (over.result, over.called, over.taken_by) == ("answered", "600", "m2")
    assert [(p.group, p.member, p.outcome) for p in over.parts] == [
        ("g", "m1", "no answer"),
        ("g", "m2", "logged out"),
        ("h", "m2", "answered"),
    ]


def test_a_call_to_a_single_line_is_told_too() -> None:
    """With no group; declined, busy, no answer are told apart."""
    for script, result in ((answers, "answered"), (refuses(603), "declined"), (refuses(486), "busy")):
        lab = Lab(members=1)
        lab["m1"].on_invite = script
        call = lab["c1"].call("201")
        lab.run(1)
        if lab["c1"].accepted(call):
            call.hang_up(None, lab.now)
            lab.run(1)
        over = the_over(lab)
        assert (over.groups, over.result, over.called) == ((), result, "201")
        assert [part.member for part in over.parts] == ["m1"]


def test_what_is_refused_at_once_is_told_too() -> None:
    """A number that leads nowhere, and a group that takes no more calls."""
    lab = Lab(members=1, rules={"max_calls": 1})
    lab["c1"].call("699")
    lab.run(1)
    over = the_over(lab)
    assert (over.result, over.called, over.groups) == ("refused", "699", ())
    assert "no such number" in over.why
    lab["c1"].call("600")
    lab.run(1)
    lab["c2"].call("600")
    lab.run(1)
    _, refused = overs(lab)
    assert (refused.result, refused.groups, refused.caller) == ("refused", ("g",), "302")


def test_who_is_anonymous_stays_so() -> None:
    """Neither number nor name nor the line of ours that called without them."""
    lab = Lab(members=1)
    call = lab["c1"].call("600", from_='"Anonymous" <sip:anonymous@anonymous.invalid>')
    lab.run(1)
    call.cancel(None, lab.now)
    lab.run(1)
    over = the_over(lab)
    assert (over.caller, over.caller_name, over.caller_line) == ("", "", None)
    assert Caller("c1", None, "", "").display == "anonymous"


def test_a_talk_that_outlives_a_restart_keeps_its_beginning() -> None:
    """What each member did before the restart, the wait, and the whole talk."""
    lab = Lab(members=2)
    call = lab["c1"].call("600")
    lab.run(4)
    lab["m2"].leg.accept(ANSWER, lab.now)
    lab.run(1)
    assert lab["c1"].accepted(call)
    lab.run(9)
    lab.restart()
    lab.run(10)
    call.hang_up(None, lab.now)
    lab.run(1)
    over = the_over(lab)
    assert (over.result, over.taken_by, over.groups) == ("answered", "m2", ("g",))
    assert (over.wait, over.talk) == (4.0, 20.0)
    assert sorted(outcomes(over)) == [("m1", "withdrawn", "answered elsewhere"), ("m2", "answered", "")]


def test_it_can_be_said_to_every_door() -> None:
    """As JSON, without the steps, which `explain` tells."""
    lab = Lab(members=1, logged_in=False)
    lab["c1"].call("600")
    lab.run(1)
    said = json.loads(json.dumps(the_over(lab).to_json()))
    assert said["type"] == "call_over" and said["groups"] == ["g"] and said["result"] == "nobody logged in"
    one = {"group": "g", "member": "m1", "at": 0.0, "rang": 0.0, "outcome": "logged out", "why": ""}
    assert said["members"] == [one]
    assert "steps" not in said


def test_a_call_is_found_by_the_call_id_of_any_of_its_legs() -> None:
    """What other programs write down of a call, its Call-ID, finds its story while it lasts and after it."""
    lab = Lab(members=1)
    leg = lab["c1"].call("600")
    lab.run(1)
    (call,) = lab.exchange.calls()
    named = (leg.call_id, lab["m1"].leg.call_id, call.call)
    for over in (False, True):
        found = [lab.exchange.story(name) for name in named]
        assert [(story.status.call, story.result is not None) for story in found if story] == [(call.call, over)] * 3
        leg.hang_up(None, lab.now)
        lab.run(1)
    assert lab.exchange.story("nobody's") is None
