"""Picking up a call that rings elsewhere: by command, by a phone's own call."""

from __future__ import annotations

from bridge.calls.orders import Order
from bridge.commands.model import LineVerb, Reply
from bridge.events import LineOrdered
from tests.support.lab import ANSWER, OFFER, Lab, answers, refuses, silent


def order(lab: Lab, verb: LineVerb, line: str, **more: str) -> Reply:
    """Have the exchange do something, and return its answer."""
    replies: list[Reply] = []
    given = Order(verb, line, line, "owner", "control", **more)  # type: ignore[arg-type]
    lab.exchange.command(given, replies.append, lab.now)
    lab.run(0.5)
    return replies[0] if replies else Reply(code="waiting")


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
