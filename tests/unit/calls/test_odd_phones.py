"""What phones do rarely, and may: call waiting, forks that ring in several ways, hold and transfer at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.directory.model import Line, Strategy
from bridge.sip.flow import Flow
from bridge.sip.incoming import IncomingLeg
from bridge.sip.legevents import Requested
from bridge.sip.message import Body, Request, Response, response_to
from tests.support.lab import ANSWER, OFFER, Lab, Phone, answers, silent
from tests.unit.calls.onward.test_transfer import progress, refer, three
from tests.unit.calls.test_dialogs import HOLD, connected

VIDEO = Body("application/sdp", OFFER.data + b"m=video 4002 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n")


def two_calls() -> tuple[Lab, list[IncomingLeg]]:
    """Return a lab in which m1, whose line takes two calls, talks to c1 while c2 rings at it; m1's legs."""
    lab = Lab(members=1)
    lines = {**lab.directory.lines, "m1": replace(lab.directory.lines["m1"], max_calls=2)}
    lab.directory = replace(lab.directory, lines=lines)
    lab.exchange.configure(lab.directory, lab.settings, lab.now)
    first = lab["c1"].call("201")
    lab["m1"].leg.accept(ANSWER, lab.now)
    lab.run(0)
    assert lab["c1"].accepted(first)
    lab["c2"].call("201")
    lab.run(1)
    return lab, lab["m1"].calls


def test_call_waiting() -> None:
    """A line with two calls rings while it talks; held and answered it has both, and each ends by itself."""
    lab, legs = two_calls()
    assert len(legs) == 2 and lab.sent("c2", "180 INVITE")
    assert lab.exchange.line("m1").state.value == "busy"
    assert legs[0].request("INVITE", HOLD, "hold", lab.now)
    lab.run(1)
    legs[0].acknowledge(None, lab.now)
    legs[1].accept(ANSWER, lab.now)
    lab.run(1)
    for event in lab["c2"].said:
        lab["c2"].accepted(event.leg)  # type: ignore[arg-type]
    assert sorted(call.state for call in lab.exchange.calls()) == ["connected", "connected"]
    assert lab.sent("c1", "INVITE")[-1].message.body == HOLD.data
    legs[1].hang_up(None, lab.now)
    lab.run(1)
    assert lab.sent("c2", "BYE") and not lab.sent("c1", "BYE")
    assert lab.exchange.line("m1").state.value == "busy"
    legs[0].hang_up(None, lab.now)
    lab.run(1)
    assert lab.sent("c1", "BYE") and lab.exchange.line("m1").state.value == "idle"


def test_call_waiting_is_refused() -> None:
    """The second call is declined: its caller hears so, the first talks on; a third is not even offered."""
    lab, legs = two_calls()
    lab.add("c3", ("10.0.1.2", 5060))
    third = lab["c2"].call("201")
    lab.run(1)
    assert third.state.value == "ended" and len(legs) == 2
    legs[1].reject(486, lab.now)
    lab.run(1)
    assert lab.sent("c2", "486 INVITE") and lab.exchange.calls()[0].state == "connected"


def test_a_line_of_one_call_is_busy() -> None:
    """Without call waiting the second caller gets 486 at once."""
    lab, _ = connected()
    lab["c2"].call("201")
    lab.run(1)
    assert len(lab["m1"].calls) == 1 and lab.sent("c2", "486 INVITE")


def says(lab: Lab, phone: str, status: int, tag: str, body: Body | None = None) -> Response:
    """Let a phone, or one of several behind its proxy, say something to the INVITE that came last."""
    invite = lab[phone].invites[-1]
    response = response_to(invite, status, to_tag=tag)
    response.set("Contact", f"<sip:{tag}@{lab[phone].address[0]}>")
    response.put(body)
    lab.exchange.receive(bytes(response), Flow("udp", *lab[phone].address), lab.now)
    lab.run(0.2)
    return response


@pytest.mark.parametrize("status", [181, 182, 183])
def test_provisionals_of_every_kind(status: int) -> None:
    """181, 182 and 183, with sound or without: the caller hears 180 without a description, once."""
    lab = Lab(members=1)
    lab["m1"].on_invite = silent
    lab["c1"].call("600")
    lab.run(0.1)
    for body in (None, ANSWER, None):
        says(lab, "m1", status, "a", body)
    (ringing,) = lab.sent("c1", "180 INVITE")
    provisional = [name for name in lab.to("c1") if name.startswith("18")]
    assert not ringing.message.body and provisional == ["180 INVITE"]
    assert lab.exchange.ringing("g")


def test_forked_early_dialogs() -> None:
    """Two phones behind one contact ring by tags of their own; the one that answers has the call, by its own dialog."""
    lab = Lab(members=1)
    lab["m1"].on_invite = silent
    call = lab["c1"].call("600")
    lab.run(0.1)
    says(lab, "m1", 180, "kitchen")
    says(lab, "m1", 183, "cellar", ANSWER)
    says(lab, "m1", 180, "kitchen")
    says(lab, "m1", 200, "cellar", ANSWER)
    assert lab["c1"].accepted(call)
    lab.run(0.5)
    acks = [passed.message for passed in lab.sent("m1", "ACK")]
    assert [ack.to_tag for ack in acks] == ["cellar"] and isinstance(acks[0], Request)
    assert acks[0].uri == "sip:cellar@10.0.0.1"
    says(lab, "m1", 200, "kitchen", ANSWER)
    late = [p for p in lab.wire if p.target == lab["m1"].address and p.message.to_tag == "kitchen"]
    assert [p.name for p in late] == ["ACK", "BYE"]
    call.hang_up(None, lab.now)
    lab.run(1)
    assert lab.sent("m1", "BYE")[-1].message.to_tag == "cellar"


def test_a_fork_that_is_cancelled() -> None:
    """The caller gives up: one CANCEL, whatever tags have rung."""
    lab = Lab(members=1)
    lab["m1"].on_invite = silent
    call = lab["c1"].call("600")
    lab.run(0.1)
    says(lab, "m1", 180, "kitchen")
    says(lab, "m1", 180, "cellar")
    call.cancel(None, lab.now)
    lab.run(1)
    assert len(lab.sent("m1", "CANCEL")) == 1 and lab.sent("c1", "487 INVITE")
    lab.run(40)
    assert not lab.exchange.ua.legs


# -- hold and transfer at once ---------------------------------------------------------------------------------------


def test_a_transfer_while_a_hold_is_under_way() -> None:
    """The referrer does not wait for the answer to its hold: both are done, the target talks to the transferee."""
    lab, _ = three()
    held: list[Requested] = []
    lab["c1"].on_request = lambda phone, event: held.append(event)  # slow to agree
    assert lab["m1"].leg.request("INVITE", HOLD, "hold", lab.now)
    lab.run(0.2)
    refer(lab, "m1", lab["m1"].leg, "<sip:202@10.0.0.100>")
    assert progress(lab, "m1") == ["100 Trying", "180 Ringing"]
    held[0].leg.respond(held[0].transaction, held[0].request, 200, ANSWER, lab.now)
    lab["c1"].on_request = plain_answer
    lab.run(0.5)
    lab["m1"].leg.acknowledge(None, lab.now)
    lab["m2"].leg.accept(OFFER, lab.now)
    lab.run(2)
    assert progress(lab, "m1")[-1] == "200 OK" and lab.sent("m1", "BYE")
    assert lab.exchange.calls()[0].answered_by == "m2"


def test_a_target_that_answers_while_a_hold_is_under_way() -> None:
    """The re-INVITE with the target's offer waits until the hold is agreed upon, and goes out then."""
    lab, _ = three()
    held: list[Requested] = []
    lab["c1"].on_request = lambda phone, event: held.append(event)
    assert lab["m1"].leg.request("INVITE", HOLD, "hold", lab.now)
    lab.run(0.2)
    lab["m2"].on_invite = lambda phone, leg: leg.accept(OFFER, phone.lab.now)
    refer(lab, "m1", lab["m1"].leg, "<sip:202@10.0.0.100>")
    lab.run(1)
    lab["c1"].on_request = plain_answer
    held[0].leg.respond(held[0].transaction, held[0].request, 200, ANSWER, lab.now)
    lab.run(0.1)
    lab["m1"].leg.acknowledge(None, lab.now)
    lab.run(2)
    assert progress(lab, "m1")[-1] == "200 OK" and lab.sent("m1", "BYE")
    assert [call.answered_by for call in lab.exchange.calls()] == ["m2"]


def test_a_transferee_who_never_agrees_to_the_hold() -> None:
    """After some seconds the transfer fails with 491; the target is hung up, and the talk stays as it was."""
    lab, _ = three()
    lab["c1"].on_request = lambda phone, event: None
    assert lab["m1"].leg.request("INVITE", HOLD, "hold", lab.now)
    lab.run(0.2)
    lab["m2"].on_invite = lambda phone, leg: leg.accept(OFFER, phone.lab.now)
    refer(lab, "m1", lab["m1"].leg, "<sip:202@10.0.0.100>")
    lab.run(6)
    assert progress(lab, "m1")[-1] == "491 Request Pending" and lab.sent("m2", "BYE")
    assert [call.state for call in lab.exchange.calls()] == ["connected"]


def test_a_transferee_who_says_491() -> None:
    """Its own re-INVITE has crossed ours: it is asked again."""
    lab, _ = three()
    refused: list[Requested] = []

    def once(phone: Phone, event: Requested) -> None:
        if not refused:
            refused.append(event)
            event.leg.respond(event.transaction, event.request, 491, None, phone.lab.now)
        else:
            plain_answer(phone, event)

    lab["c1"].on_request = once
    lab["m2"].on_invite = lambda phone, leg: leg.accept(OFFER, phone.lab.now)
    refer(lab, "m1", lab["m1"].leg, "<sip:202@10.0.0.100>")
    lab.run(2)
    assert refused and progress(lab, "m1")[-1] == "200 OK"
    assert [call.answered_by for call in lab.exchange.calls()] == ["m2"]


def test_a_transferee_who_hangs_up_meanwhile() -> None:
    """While it is waited for: the target is hung up, the referrer is told, nothing is left."""
    lab, call = three()
    lab["c1"].on_request = lambda phone, event: event.leg.respond(
        event.transaction, event.request, 491, None, phone.lab.now
    )
    lab["m2"].on_invite = lambda phone, leg: leg.accept(OFFER, phone.lab.now)
    refer(lab, "m1", lab["m1"].leg, "<sip:202@10.0.0.100>")
    call.hang_up(None, lab.now)
    lab.run(60)
    assert lab.sent("m2", "BYE") and not lab.exchange.calls() and not lab.exchange.ua.legs


@pytest.mark.parametrize("agrees", [True, False])
def test_an_attended_transfer_while_the_target_is_being_held(agrees: bool) -> None:
    """Phones hold the second talk and send their REFER in one breath: it waits for the hold, for some seconds."""
    lab, _ = three()
    lab["m2"].on_invite = answers
    second = lab["m1"].call("202")
    assert lab["m1"].accepted(second)
    lab.run(1)
    held: list[Requested] = []
    lab["m2"].on_request = lambda phone, event: held.append(event)
    second.request("INVITE", HOLD, "hold", lab.now)
    lab.run(0.1)
    assert second.dialog is not None
    replaces = f"{second.call_id}%3Bto-tag%3D{second.dialog.remote_tag}%3Bfrom-tag%3D{second.local_tag}"
    refer(lab, "m1", lab["m1"].leg, f"<sip:202@10.0.0.100?Replaces={replaces}>")
    assert progress(lab, "m1") == ["100 Trying"]
    lab["m2"].on_request = plain_answer
    if agrees:
        held[0].leg.respond(held[0].transaction, held[0].request, 200, ANSWER, lab.now)
        lab.run(0.2)
        second.acknowledge(None, lab.now)
    lab.run(6)
    assert progress(lab, "m1")[-1] == ("200 OK" if agrees else "491 Request Pending")
    assert len(lab.exchange.calls()) == (1 if agrees else 2)
    if agrees:
        assert len(lab.sent("m1", "BYE")) == 2 and not lab.sent("c1", "BYE") and not lab.sent("m2", "BYE")


def test_a_hold_while_a_transfer_is_under_way() -> None:
    """The transferee holds while its target rings: what it asks is answered, and the transfer goes on."""
    lab, call = three()
    refer(lab, "m1", lab["m1"].leg, "<sip:202@10.0.0.100>")
    assert call.request("INVITE", HOLD, "hold", lab.now)
    lab.run(1)
    call.acknowledge(None, lab.now)
    lab["m2"].leg.accept(OFFER, lab.now)
    lab.run(2)
    assert progress(lab, "m1")[-1] == "200 OK"
    assert [each.answered_by for each in lab.exchange.calls()] == ["m2"]


def test_a_second_refer_while_one_is_under_way() -> None:
    """491, and the first goes on."""
    lab, _ = three()
    refer(lab, "m1", lab["m1"].leg, "<sip:202@10.0.0.100>")
    refer(lab, "m1", lab["m1"].leg, "<sip:203@10.0.0.100>")
    assert lab.sent("m1", "491 REFER") and not lab["m3"].calls
    lab["m2"].leg.accept(OFFER, lab.now)
    lab.run(1)
    assert progress(lab, "m1")[-1] == "200 OK"


def plain_answer(phone: Phone, event: Requested) -> None:
    """Agree to whatever is asked."""
    event.leg.respond(event.transaction, event.request, 200, ANSWER if event.request.body else OFFER, phone.lab.now)


# -- pictures ---------------------------------------------------------------------------------------------------------


def test_a_door_station_with_a_picture() -> None:
    """An offer with video goes to every phone as it is; who has none refuses that stream alone."""
    door = Line("door", "205", contact="sip:door@10.0.2.5:5060")
    lab = Lab(members=2, strategy=Strategy.PARALLEL, more_lines=(door,))
    call = lab["door"].call("600", VIDEO)
    lab.run(0.5)
    assert [lab[name].invites[-1].body for name in ("m1", "m2")] == [VIDEO.data] * 2
    without = Body("application/sdp", ANSWER.data + b"m=video 0 RTP/AVP 97\r\n")
    lab["m1"].leg.accept(without, lab.now)
    lab.run(0.5)
    assert lab["door"].accepted(call)
    assert lab.sent("door", "200 INVITE")[0].message.body == without.data


def test_info_goes_both_ways_in_a_talk() -> None:
    """A door station's "open" is an INFO, or keys; each goes across, with its body, and its answer back."""
    lab, call = connected()
    key = Body("application/dtmf-relay", b"Signal=#\r\nDuration=160\r\n")
    call.request("INFO", key, "caller", lab.now)
    lab["m1"].leg.request("INFO", key, "member", lab.now)
    lab.run(1)
    assert lab.sent("m1", "INFO")[0].message.body == key.data == lab.sent("c1", "INFO")[0].message.body
    assert [r.status for r in (*lab.replies("c1"), *lab.replies("m1"))] == [200, 200]
