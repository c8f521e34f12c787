"""Picking up a call that rings elsewhere: by command, by a phone's own call."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bridge.commands.model import LineVerb
from bridge.directory.codes import Codes
from bridge.directory.model import Directory, Group, Level, Member, Strategy, User
from bridge.events import CommandRefused, LineOrdered
from bridge.sip.legevents import Requested
from tests.support.lab import ANSWER, OFFER, Lab, answers, refuses, silent
from tests.support.ordering import order


def ringing(members: int = 2) -> Lab:
    """Return c1 whose call rings at m1 (and m2 where there are so many), with c2 free."""
    lab = Lab(members=members)
    lab["c1"].call("600")
    lab.run(1)
    return lab


def reasons(lab: Lab, phone: str) -> list[str]:
    """Return the Reason headers of the CANCELs to a phone."""
    return [p.message.headers.get("Reason", [""])[0] for p in lab.sent(phone, "CANCEL")]


def test_a_call_goes_to_the_pickers_phone() -> None:
    """The picker's phone is asked to answer by itself; it talks to the caller, the others see "answered elsewhere"."""
    lab = ringing()
    lab["c2"].on_invite = answers
    (call,) = lab.exchange.calls()
    reply = order(lab, LineVerb.PICKUP, "c2", call=call.call)
    assert reply.ok and reply.data["call"] == call.call
    invite = lab["c2"].invites[-1]
    assert invite.need("Call-Info").endswith("answer-after=0") and "alert-autoanswer" in invite.need("Alert-Info")
    assert invite.from_.uri.user == "301" and invite.body == OFFER.data
    for phone in ("m1", "m2"):
        assert reasons(lab, phone) == ['SIP;cause=200;text="Call completed elsewhere"']
    (status,) = lab.exchange.calls()
    assert (status.state, status.answered_by) == ("connected", "c2")
    assert lab.sent("c1", "200 INVITE")[-1].message.body == ANSWER.data
    assert [e.verb for e in lab.events if isinstance(e, LineOrdered)] == ["pickup"]
    lab.run(1)
    assert {name: lab.exchange.line(name).state.value for name in ("m1", "m2", "c1", "c2")} == {
        "m1": "idle",
        "m2": "idle",
        "c1": "busy",
        "c2": "busy",
    }


def test_a_picker_who_does_not_answer_has_spoilt_nothing() -> None:
    """The picker's phone declines: the others ring on, and one of them takes the call."""
    lab = ringing()
    lab["c2"].on_invite = refuses(486)
    (call,) = lab.exchange.calls()
    assert order(lab, LineVerb.PICKUP, "c2", call=call.call).ok
    lab.run(2)
    assert not lab.sent("m1", "CANCEL") and lab.exchange.line("c2").state.value == "idle"
    lab["m1"].leg.accept(ANSWER, lab.now)
    lab.run(1)
    assert lab.exchange.calls()[0].answered_by == "m1"


def test_somebody_else_answers_while_the_pickers_phone_rings() -> None:
    """The picker's phone is cancelled like the others', with the same reason."""
    lab = ringing()
    (call,) = lab.exchange.calls()
    order(lab, LineVerb.PICKUP, "c2", call=call.call)
    assert lab.exchange.line("c2").state.value == "ringing"
    lab["m2"].leg.accept(ANSWER, lab.now)
    lab.run(1)
    assert reasons(lab, "c2") == ['SIP;cause=200;text="Call completed elsewhere"']
    assert lab.exchange.line("c2").state.value == "idle"


def test_the_caller_gives_up_while_the_pickers_phone_rings() -> None:
    """It stops to ring, and nothing is left."""
    lab = ringing()
    (call,) = lab.exchange.calls()
    order(lab, LineVerb.PICKUP, "c2", call=call.call)
    leg = next(leg for leg in lab["c1"].ua.legs.values())
    leg.hang_up(None, lab.now)
    lab.run(40)
    assert lab.sent("c2", "CANCEL") and not lab.exchange.calls() and not lab.exchange.ua.legs


def test_what_cannot_be_picked_up_is_refused() -> None:
    """A call that is gone, one's own, and a phone that is busy."""
    lab = ringing()
    (call,) = lab.exchange.calls()
    assert order(lab, LineVerb.PICKUP, "c2", call="nothing").code == "no_call"
    assert order(lab, LineVerb.PICKUP, "c1", call=call.call).code == "no_call"
    lab["m1"].leg.accept(ANSWER, lab.now)
    lab.run(1)
    assert order(lab, LineVerb.PICKUP, "c2", call=call.call).code == "no_call"
    lab["c2"].call("600")
    lab.run(1)
    (other,) = (c for c in lab.exchange.calls() if c.state == "hunting")
    assert order(lab, LineVerb.PICKUP, "m1", call=other.call).code == "busy"


def test_a_silent_picker_does_not_stop_the_hunt_from_ending() -> None:
    """Nobody answers at all: the call ends as without a picker, whose phone is cancelled."""
    lab = Lab(members=1, rules={"give_up_after": 10.0})
    lab["c1"].call("600")
    lab.run(1)
    lab["c2"].on_invite = silent
    (call,) = lab.exchange.calls()
    order(lab, LineVerb.PICKUP, "c2", call=call.call)
    lab.run(45)
    assert not lab.exchange.calls() and not lab.exchange.ua.legs
    assert lab.sent("c1", "480 INVITE")


# -- a phone dials the code -------------------------------------------------------------------------------------------

CODES = Codes(pickup="*8")


def office(**level: Any) -> Lab:
    """Return a lab where m1 is anna's, m2 is ben's and c2 is cara's line; anna and ben are members of group 600."""
    lab = Lab(members=2, logged_in=False)
    lines = lab.directory.lines
    users = {user: User(user, user.title(), line) for user, line in (("anna", "m1"), ("ben", "m2"), ("cara", "c2"))}
    members = (Member("anna", "m1"), Member("ben", "m2"))
    group = Group("g", "Group", "600", members, leaders=("cara",), **level)
    lab.directory = Directory(lines, users, {"g": group}, codes=CODES)
    lab.exchange.configure(lab.directory, lab.settings, lab.now)
    return lab


def test_a_phone_picks_up_by_code() -> None:
    """Its call is answered, gets the caller's offer, and talks; the phone that rang sees "answered elsewhere"."""
    lab = office(member_level=Level.TEAM)
    lab.login("anna")
    lab["c1"].call("600")
    lab.run(1)
    leg = lab["m2"].call("*8600")
    assert lab["m2"].accepted(leg)
    lab.run(1)
    answer = lab.sent("m2", "200 INVITE")[0].message.body.decode()
    assert "a=inactive" in answer
    assert lab.sent("m2", "INVITE")[-1].message.body == OFFER.data
    assert reasons(lab, "m1") == ['SIP;cause=200;text="Call completed elsewhere"']
    (status,) = lab.exchange.calls()
    assert (status.state, status.answered_by) == ("connected", "ben")
    assert lab.sent("c1", "200 INVITE")[-1].message.body == ANSWER.data
    leg.hang_up(None, lab.now)
    lab.run(40)
    assert lab.sent("c1", "BYE") and not lab.exchange.calls() and not lab.exchange.ua.legs


def test_a_call_at_a_line_is_picked_up_by_its_number() -> None:
    """Whoever has the level over its user takes a call that rings at that line alone."""
    lab = office(member_level=Level.TEAM)
    lab["c1"].call("201")
    lab.run(1)
    leg = lab["m2"].call("*8201")
    assert lab["m2"].accepted(leg)
    lab.run(1)
    assert lab.exchange.calls()[0].answered_by == "ben" and lab.sent("m1", "CANCEL")


def test_without_the_level_nothing_is_picked_up() -> None:
    """403, the reason as an event, and the call rings on; business is not enough; a leader has the leaders' level."""
    lab = office(member_level=Level.BUSINESS, leader_level=Level.TEAM)
    lab.login("anna")
    lab["c1"].call("600")
    lab.run(1)
    lab["m2"].call("*8600")
    lab.run(1)
    (refused,) = (event for event in lab.events if isinstance(event, CommandRefused))
    assert lab.sent("m2", "403 INVITE") and refused.code == "not_allowed" and "level team over anna" in refused.message
    assert not lab.sent("m1", "CANCEL")
    leg = lab["c2"].call("*8600")
    assert lab["c2"].accepted(leg)
    lab.run(1)
    assert lab.exchange.calls()[0].answered_by == "cara"


def test_where_nothing_rings_there_is_nothing_to_pick_up() -> None:
    """404 for a group that is quiet and for a number that nobody has."""
    lab = office(member_level=Level.TEAM)
    for number in ("*8600", "*8999", "*8"):
        lab["m2"].call(number)
        lab.run(1)
    assert len(lab.sent("m2", "404 INVITE")) == 3 and not lab.exchange.ua.legs


def test_the_call_is_taken_by_somebody_faster() -> None:
    """While the picker's phone is being asked, a member answers: the picker is hung up."""
    lab = office(member_level=Level.TEAM)
    lab.login("anna")
    lab["c1"].call("600")
    lab.run(1)
    asked: list[Requested] = []
    lab["m2"].on_request = lambda phone, event: asked.append(event)
    leg = lab["m2"].call("*8600")
    assert lab["m2"].accepted(leg)
    lab.run(1)
    lab["m1"].leg.accept(ANSWER, lab.now)
    lab.run(1)
    leg.respond(asked[0].transaction, asked[0].request, 200, ANSWER, lab.now)
    lab.run(1)
    assert lab.exchange.calls()[0].answered_by == "anna" and lab.ended("m2")


def test_the_picker_hangs_up_at_once() -> None:
    """The call rings on as if nothing had happened."""
    lab = office(member_level=Level.TEAM)
    lab.login("anna")
    lab["c1"].call("600")
    lab.run(1)
    lab["m2"].on_request = lambda phone, event: None
    leg = lab["m2"].call("*8600")
    lab["m2"].accepted(leg)
    leg.hang_up(None, lab.now)
    lab.run(40)
    assert lab.exchange.ringing("g") and not lab.sent("m1", "CANCEL")
    assert len(lab.exchange.ua.legs) == 2


def test_the_pickers_phone_refuses_the_callers_offer() -> None:
    """488: it is hung up, the call rings on, and why is told."""
    lab = office(member_level=Level.TEAM)
    lab.login("anna")
    lab["c1"].call("600")
    lab.run(1)
    lab["m2"].on_request = lambda phone, event: event.leg.respond(
        event.transaction, event.request, 488, None, phone.lab.now
    )
    leg = lab["m2"].call("*8600")
    lab["m2"].accepted(leg)
    lab.run(1)
    assert lab.ended("m2") and lab.exchange.ringing("g")
    (refused,) = (event for event in lab.events if isinstance(event, CommandRefused))
    assert "488" in refused.message


def test_a_device_takes_the_calls_of_its_group_while_it_is_logged_in() -> None:
    """No level is given to a device; its own group's calls could ring at it as well."""
    lab = Lab(members=2, strategy=Strategy.SEQUENTIAL)
    lab.directory = replace(lab.directory, codes=CODES)
    lab.exchange.configure(lab.directory, lab.settings, lab.now)
    lab["c1"].call("600")
    lab.run(1)
    leg = lab["c2"].call("*8600")
    lab.run(1)
    assert lab.sent("c2", "403 INVITE")
    leg = lab["m2"].call("*8600")
    assert lab["m2"].accepted(leg)
    lab.run(1)
    assert lab.exchange.calls()[0].answered_by == "m2"
