"""REFER: blind and attended transfers, by either side, whatever goes wrong on the way."""

from __future__ import annotations

from bridge.sip.leg import Leg
from bridge.sip.legevents import Accepted
from bridge.sip.message import Body, Request
from tests.support.lab import ANSWER, OFFER, Lab, Passed, answers, refuses
from tests.unit.calls.test_dialogs import connected


def refer(lab: Lab, phone: str, leg: Leg, target: str, **headers: str) -> None:
    """Let a phone send a REFER inside its dialog."""
    assert leg.dialog is not None
    leg.dialog, request = leg.dialog.request("REFER")
    request.set("Refer-To", target)
    for name, value in headers.items():
        request.set(name, value)
    lab[phone].ua.layer.request(request, leg.dialog.flow, leg, lab.now, ("refer", None))
    lab.run(1)


def progress(lab: Lab, phone: str) -> list[str]:
    """Return what the NOTIFYs to a phone have told."""
    return [p.message.body.decode().split(" ", 1)[1].strip() for p in lab.sent(phone, "NOTIFY")]


def three() -> tuple[Lab, Leg]:
    """Return c1 talking to m1, with m2 and m3 at hand."""
    lab = Lab(members=3, rules={"give_up_after": 20.0})
    lab.login("m2", False)
    lab.login("m3", False)
    lab["m1"].on_invite = answers
    call = lab["c1"].call("600")
    assert lab["c1"].accepted(call)
    lab.run(1)
    return lab, call


def test_a_member_transfers_the_caller_to_another_line() -> None:
    """Blind: the target rings with the caller's number, answers, talks to the caller; the referrer is hung up."""
    lab, _ = three()
    refer(lab, "m1", lab["m1"].leg, "<sip:202@10.0.0.100>")
    assert lab.of("c1", "200 INVITE") == [] and progress(lab, "m1") == ["100 Trying", "180 Ringing"]
    assert lab["m2"].invites[-1].from_.uri.user == "301"
    assert not lab["m2"].invites[-1].body
    lab["m2"].leg.accept(OFFER, lab.now)
    lab.run(1)
    assert lab.sent("c1", "INVITE")[-1].message.body == OFFER.data
    (ack,) = lab.sent("m2", "ACK")
    assert ack.message.body == ANSWER.data
    assert progress(lab, "m1")[-1] == "200 OK" and lab.sent("m1", "BYE")
    states = {name: lab.exchange.line(name).state.value for name in ("m1", "m2", "c1")}
    assert states == {"m1": "idle", "m2": "busy", "c1": "busy"}
    lab["m2"].leg.hang_up(None, lab.now)
    lab.run(40)
    assert lab.sent("c1", "BYE") and not lab.exchange.calls()
    assert not lab.exchange.ua.legs and len(lab.exchange.ua.layer) == 0


def test_the_caller_transfers_the_member() -> None:
    """The other way round: the member goes on to the target."""
    lab, call = three()
    lab["m2"].on_invite = lambda phone, leg: leg.accept(OFFER, phone.lab.now)
    refer(lab, "c1", call, "<sip:202@10.0.0.100>")
    assert lab.sent("c1", "BYE") and lab["m2"].leg.state.value == "up"
    lab["m1"].leg.hang_up(None, lab.now)
    lab.run(1)
    assert lab.sent("m2", "BYE") and not lab.exchange.calls()


def test_a_transfer_to_a_group_hunts() -> None:
    """The target is a group: whoever is logged in rings, and has the caller."""
    lab, _ = three()
    lab.login("m3")
    lab["m3"].on_invite = lambda phone, leg: leg.accept(OFFER, phone.lab.now)
    refer(lab, "m1", lab["m1"].leg, "<sip:600@10.0.0.100>")
    lab.run(1)
    assert lab["m3"].leg.state.value == "up" and lab.sent("m1", "BYE")


def test_a_referrer_may_hang_up_at_once() -> None:
    """Many phones say BYE right after the 202: the transfer goes on without them."""
    lab, _ = three()
    refer(lab, "m1", lab["m1"].leg, "<sip:202@10.0.0.100>")
    lab["m1"].leg.hang_up(None, lab.now)
    lab.run(1)
    assert not lab.sent("c1", "BYE")
    lab["m2"].leg.accept(OFFER, lab.now)
    lab.run(1)
    assert lab["m2"].leg.state.value == "up"
    assert [c.answered_by for c in lab.exchange.calls()] == ["m2"]


def test_a_transfer_that_nobody_takes_leaves_the_talk() -> None:
    """Busy target: NOTIFY says so, the talk goes on as it was."""
    lab, _ = three()
    lab["m2"].on_invite = refuses(486)
    refer(lab, "m1", lab["m1"].leg, "<sip:202@10.0.0.100>")
    assert progress(lab, "m1") == ["100 Trying", "486 Busy Here"]
    assert [c.state for c in lab.exchange.calls()] == ["connected"]
    assert not lab.sent("c1", "BYE") and not lab.sent("m1", "BYE")


def test_a_failed_transfer_without_a_referrer_ends_the_talk() -> None:
    """The referrer has hung up and the target is busy: nobody is left to talk to."""
    lab, _ = three()
    refer(lab, "m1", lab["m1"].leg, "<sip:202@10.0.0.100>")
    lab["m1"].leg.hang_up(None, lab.now)
    lab.run(0.5)
    lab["m2"].leg.reject(486, lab.now)
    lab.run(40)
    assert lab.sent("c1", "BYE") and not lab.exchange.calls() and not lab.exchange.ua.legs


def test_a_transferee_who_hangs_up_stops_the_target() -> None:
    """The caller does not wait: the target's phone stops ringing, the referrer is hung up."""
    lab, call = three()
    refer(lab, "m1", lab["m1"].leg, "<sip:202@10.0.0.100>")
    call.hang_up(None, lab.now)
    lab.run(40)
    assert lab.sent("m2", "CANCEL") and lab.sent("m1", "BYE")
    assert not lab.exchange.calls() and not lab.exchange.ua.legs


def test_a_transferee_that_refuses_reinvites_stays_where_it_is() -> None:
    """A stubborn peer answers the re-INVITE with 488: the target is hung up, the talk goes on."""
    lab, _ = three()
    lab["c1"].on_request = lambda phone, event: event.leg.respond(
        event.transaction, event.request, 488, None, phone.lab.now
    )
    lab["m2"].on_invite = lambda phone, leg: leg.accept(OFFER, phone.lab.now)
    refer(lab, "m1", lab["m1"].leg, "<sip:202@10.0.0.100>")
    lab.run(1)
    assert progress(lab, "m1")[-1] == "488 Not Acceptable Here"
    assert lab.sent("m2", "BYE") and [c.state for c in lab.exchange.calls()] == ["connected"]


def test_a_target_that_hangs_up_in_the_middle_leaves_the_talk() -> None:
    """It answered and was gone before the transferee had agreed."""
    lab, _ = three()
    lab["c1"].on_request = lambda phone, event: None
    lab["m2"].on_invite = lambda phone, leg: leg.accept(OFFER, phone.lab.now)
    refer(lab, "m1", lab["m1"].leg, "<sip:202@10.0.0.100>")
    bye = lab["m2"].leg
    bye._bye(lab.now)
    lab.run(1)
    assert progress(lab, "m1")[-1].startswith("480")
    assert "connected" in [c.state for c in lab.exchange.calls()]
    assert lab.exchange.line("m2").state.value == "idle"


def test_an_attended_transfer_joins_the_two_others() -> None:
    """m1 talks to c1, calls m2, and joins them by Replaces; both its calls end."""
    lab, _ = three()
    lab.directory.lines["m1"]
    lab["m2"].on_invite = answers
    second = lab["m1"].call("202")
    assert lab["m1"].accepted(second)
    lab.run(1)
    assert second.dialog is not None
    lab["m2"].on_request = lambda phone, event: event.leg.respond(
        event.transaction, event.request, 200, OFFER, phone.lab.now
    )
    replaces = f"{second.call_id}%3Bto-tag%3D{second.dialog.remote_tag}%3Bfrom-tag%3D{second.local_tag}"
    refer(lab, "m1", lab["m1"].leg, f"<sip:202@10.0.0.100?Replaces={replaces}>")
    lab.run(1)
    assert progress(lab, "m1")[-1] == "200 OK"
    assert lab.sent("c1", "INVITE")[-1].message.body == OFFER.data
    assert lab.sent("m2", "ACK")[-1].message.body == ANSWER.data
    assert len(lab.sent("m1", "BYE")) == 2
    assert lab.exchange.line("m1").state.value == "idle"
    lab["m2"].leg.hang_up(None, lab.now)
    lab.run(40)
    assert lab.sent("c1", "BYE") and not lab.exchange.calls() and not lab.exchange.ua.legs


def test_what_a_refer_may_not_ask_is_refused() -> None:
    """Unknown number 404, unknown dialog 481, other methods 501, no Refer-To 400; the talk goes on."""
    for target, status in (
        ("<sip:777@10.0.0.100>", 404),
        ("<sip:202@10.0.0.100?Replaces=nothing%3Bto-tag%3Da%3Bfrom-tag%3Db>", 481),
        ("<sip:202@10.0.0.100?Replaces=nothing>", 400),
        ("<sip:202@10.0.0.100;method=BYE>", 501),
    ):
        lab, _ = connected()
        refer(lab, "m1", lab["m1"].leg, target)
        (answer,) = [p.message for p in lab.wire if p.name.endswith(" REFER")]
        assert f" {status} " in bytes(answer).decode().split("\r\n")[0] and lab.exchange.calls()[0].state == "connected"


def test_sipfrag_is_what_rfc_3515_asks_for() -> None:
    """NOTIFY: Event refer, Subscription-State, message/sipfrag."""
    lab, _ = three()
    refer(lab, "m1", lab["m1"].leg, "<sip:202@10.0.0.100>")
    first: Passed = lab.sent("m1", "NOTIFY")[0]
    assert isinstance(first.message, Request)
    assert first.message.get("Event") == "refer"
    assert first.message.get("Subscription-State") == "active;expires=180"
    assert first.message.content == Body("message/sipfrag;version=2.0", b"SIP/2.0 100 Trying\r\n")


def test_nobody_joins_the_talk_of_others() -> None:
    """An attended transfer names a dialog of somebody else's: 403, and both talks go on."""
    lab, _ = three()
    lab["m2"].on_invite = answers
    others = lab["c2"].call("202")
    assert lab["c2"].accepted(others) and others.dialog is not None
    lab.run(1)
    replaces = f"{others.call_id}%3Bto-tag%3D{others.dialog.remote_tag}%3Bfrom-tag%3D{others.local_tag}"
    refer(lab, "m1", lab["m1"].leg, f"<sip:202@10.0.0.100?Replaces={replaces}>")
    (answer,) = [p.message for p in lab.wire if p.name.endswith(" REFER")]
    assert " 403 " in bytes(answer).decode().split("\r\n")[0]
    assert [c.state for c in lab.exchange.calls()] == ["connected", "connected"]


def test_nobody_is_transferred_from_a_talk_that_is_over() -> None:
    """The member has hung up before the caller's ACK came; a REFER that comes then rings nobody."""
    lab, _ = three()
    lab.login("m1", False)
    lab["m2"].on_invite = answers
    late = lab["c2"].call("202")
    lab.run(1)
    lab["m2"].leg.hang_up(None, lab.now)
    lab.run(1)
    (answer,) = (event for event in lab["c2"].heard(Accepted) if event.leg is late)
    assert late.dialog is not None and answer
    rung = len(lab["m3"].invites)
    refer(lab, "c2", late, "<sip:203@10.0.0.100>")
    assert lab.sent("c2", "481 REFER") and len(lab["m3"].invites) == rung
    lab.run(60)
    assert len(lab.exchange.calls()) == 1


def test_a_referrer_whose_ack_never_comes_hangs_nobody_up_elsewhere() -> None:
    """The transfer is done, and its leg is given up 32 s after the 2xx: who was transferred talks on."""
    lab, _ = three()
    lab["m2"].on_invite = lab["m3"].on_invite = answers
    late = lab["c2"].call("202")
    lab.run(1)
    refer(lab, "c2", late, "<sip:203@10.0.0.100>")
    lab.run(1)
    assert lab.sent("c2", "202 REFER") and len(lab["m3"].invites) == 1
    lab.run(60)
    assert not lab.sent("m2", "BYE") and not lab.sent("m3", "BYE")
    assert len(lab.exchange.calls()) == 2
