"""What goes wrong around a dialog: crossings, losses, repeats, glare; and what is carried across."""

from __future__ import annotations

import random

from bridge.directory.model import Strategy
from bridge.sip.flow import Flow
from bridge.sip.incoming import IncomingLeg
from bridge.sip.legevents import Ended, Replied
from bridge.sip.message import Body, Request
from bridge.sip.outgoing import OutgoingLeg
from tests.support.lab import ANSWER, OFFER, Lab, Passed, Phone, answers, silent

HOLD = Body("application/sdp", OFFER.data + b"a=sendonly\r\n")


def connected(**keywords: object) -> tuple[Lab, OutgoingLeg]:
    """Return a lab with c1 talking to m1."""
    lab = Lab(members=1, **keywords)  # type: ignore[arg-type]
    lab["m1"].on_invite = answers
    call = lab["c1"].call("600")
    assert lab["c1"].accepted(call)
    lab.run(1)
    return lab, call


def test_a_cancel_waits_for_the_first_provisional_response() -> None:
    """RFC 3261 §9.1: nothing was heard of the phone yet, so its CANCEL is held back, then sent."""
    lab = Lab(members=1)
    lab.drop = lambda passed: passed.source == lab["m1"].address and lab.now < 1003
    call = lab["c1"].call("600")
    lab.run(1)
    call.cancel(None, lab.now)
    lab.run(1)
    assert not lab.sent("m1", "CANCEL")
    assert lab.sent("c1", "487 INVITE")
    lab.run(3)
    assert lab.sent("m1", "CANCEL") and lab.of("m1", "487 INVITE") and lab.sent("m1", "ACK")


def test_a_200_that_crosses_the_cancel_is_acknowledged_and_hung_up() -> None:
    """The loser's answer was under way when its CANCEL was sent: ACK, then BYE; the winner talks on."""
    lab = Lab(members=2)
    lab.delay = 0.05
    call = lab["c1"].call("600")
    lab.run(1)
    lab["m1"].leg.accept(ANSWER, lab.now)
    lab["m2"].leg.accept(ANSWER, lab.now)
    lab.run(2)
    assert lab["c1"].accepted(call)
    lab.run(1)
    loser = "m2" if "CANCEL" in lab.to("m2") else "m1"
    assert [n for n in lab.to(loser) if n in ("ACK", "BYE")] == ["ACK", "BYE"]
    winner = "m1" if loser == "m2" else "m2"
    assert "BYE" not in lab.to(winner)


def test_a_repeated_200_gets_a_second_ack() -> None:
    """The ACK was lost: the phone says 200 again and gets the same ACK again."""
    lab = Lab(members=1)
    lost: list[Passed] = []

    def drop(passed: Passed) -> bool:
        if passed.name == "ACK" and passed.target == lab["m1"].address and not lost:
            lost.append(passed)
            return True
        return False

    lab.drop = drop
    lab["m1"].on_invite = answers
    lab["c1"].accepted(lab["c1"].call("600"))
    lab.run(3)
    acks = lab.sent("m1", "ACK")
    assert len(acks) == 2
    assert bytes(acks[0].message) == bytes(acks[1].message)
    assert lab["m1"].leg.state.value == "up"


def test_the_200_goes_again_until_the_caller_acknowledges() -> None:
    """RFC 3261 §13.3.1.4; the ACK stops it."""
    lab = Lab(members=1)
    lab["m1"].on_invite = answers
    call = lab["c1"].call("600")
    lab.run(3.6)
    assert len(lab.sent("c1", "200 INVITE")) == 4  # 0, 0.5, 1.5, 3.5 s
    lab["c1"].accepted(call)
    lab.run(10)
    assert len(lab.sent("c1", "200 INVITE")) == 4


def test_a_caller_who_never_acknowledges_is_hung_up_and_so_is_the_member() -> None:
    """After 64*T1 without an ACK both dialogs end."""
    lab = Lab(members=1)
    lab["m1"].on_invite = answers
    lab["c1"].call("600")
    lab.run(33)
    assert lab.sent("c1", "BYE") and lab.sent("m1", "BYE")
    assert not lab.exchange.calls()


def test_a_caller_who_gives_up_stops_every_phone() -> None:
    """487 to the caller; the members' CANCEL does not say that it was taken elsewhere."""
    lab = Lab()
    call = lab["c1"].call("600")
    lab.run(1)
    call.cancel(None, lab.now)
    lab.run(1)
    assert lab.sent("c1", "200 CANCEL") and lab.sent("c1", "487 INVITE")
    for member in ("m1", "m2", "m3"):
        (cancel,) = lab.sent(member, "CANCEL")
        assert cancel.message.get("Reason") is None


def test_hold_and_resume_go_across_both_ways() -> None:
    """A re-INVITE of one side becomes one to the other, its answer comes back."""
    lab, call = connected()
    assert call.request("INVITE", HOLD, "hold", lab.now)
    lab.run(1)
    invite = lab.sent("m1", "INVITE")[-1].message
    assert b"a=sendonly" in invite.body
    (reply,) = lab.replies("c1")
    assert reply.status == 200 and reply.body is not None
    call.acknowledge(None, lab.now)
    lab.run(1)
    assert lab["m1"].leg.request("INVITE", HOLD, "hold", lab.now)
    lab.run(1)
    assert b"a=sendonly" in lab.sent("c1", "INVITE")[-1].message.body
    lab["m1"].leg.acknowledge(None, lab.now)
    lab.run(1)
    assert [r.status for r in lab.replies("m1")] == [200]


def test_update_and_info_go_across() -> None:
    """UPDATE with an offer and INFO with DTMF reach the other side."""
    lab, call = connected()
    call.request("UPDATE", HOLD, "u", lab.now)
    lab.run(1)
    call.request("INFO", Body("application/dtmf-relay", b"Signal=5\r\n"), "i", lab.now)
    lab.run(1)
    assert lab.sent("m1", "UPDATE")[0].message.body == HOLD.data
    info = lab.sent("m1", "INFO")[0].message
    assert (info.get("Content-Type"), info.body) == ("application/dtmf-relay", b"Signal=5\r\n")
    assert [(r.context, r.status) for r in lab.replies("c1")] == [("u", 200), ("i", 200)]


def test_a_refused_reinvite_is_refused_and_the_talk_goes_on() -> None:
    """488 of one side to an offer from another place is the other's answer; nothing else changes."""
    lab, call = connected()
    moved = Body("application/sdp", OFFER.data.replace(b"audio 4000", b"audio 4002"))
    lab["m1"].on_request = lambda phone, event: event.leg.respond(
        event.transaction, event.request, 488, None, phone.lab.now
    )
    call.request("INVITE", moved, "moves", lab.now)
    lab.run(1)
    assert [r.status for r in lab.replies("c1")] == [488]
    assert lab.exchange.calls()[0].state == "connected"


def test_glare_is_answered_with_491_on_both_sides() -> None:
    """Both sides re-INVITE at the same moment: both are told to try again (RFC 3261 §14.2)."""
    lab, call = connected()
    lab.delay = 0.02
    call.request("INVITE", HOLD, "a", lab.now)
    lab["m1"].leg.request("INVITE", HOLD, "b", lab.now)
    lab.run(3)
    statuses = [r.status for r in (*lab.replies("c1"), *lab.replies("m1"))]
    assert 491 in statuses
    assert lab.exchange.calls()[0].state == "connected"


def test_either_side_hangs_up_both() -> None:
    """BYE goes across, its Reason too."""
    lab, _ = connected()
    lab["m1"].leg.hang_up('Q.850;cause=16;text="Terminated"', lab.now)
    lab.run(1)
    (bye,) = lab.sent("c1", "BYE")
    assert bye.message.get("Reason") == 'Q.850;cause=16;text="Terminated"'
    assert any(isinstance(event, Ended) for event in lab["c1"].said)
    assert not lab.exchange.calls()


def test_a_side_that_is_gone_ends_the_talk() -> None:
    """A re-INVITE that gets 481 means that the phone knows nothing of the talk: both sides are ended."""
    lab, call = connected()
    lab["m1"].ua.legs.clear()
    call.request("INVITE", HOLD, "hold", lab.now)
    lab.run(1)
    assert lab.sent("c1", "BYE") and not lab.exchange.calls()


def test_a_second_fork_of_a_phone_is_hung_up() -> None:
    """Two 2xx with different tags to one INVITE (a forking proxy behind): the second gets ACK and BYE."""
    lab = Lab(members=1)
    lab["m1"].on_invite = answers
    call = lab["c1"].call("600")
    lab["c1"].accepted(call)
    ok = lab.of("m1", "200 INVITE")[0].message
    forked = bytes(ok).replace(b"tag=m1", b"tag=fork")
    lab.exchange.receive(forked, Flow("udp", *lab["m1"].address), lab.now)
    lab.run(1)
    to_fork = [p for p in lab.wire if p.target == lab["m1"].address and "tag=fork" in p.message.need("To")]
    assert [p.name for p in to_fork] == ["ACK", "BYE"]
    assert lab.exchange.calls()[0].state == "connected"


def test_calls_survive_a_lossy_network() -> None:
    """With a fifth of all datagrams lost, 40 calls are each answered and ended, and nothing is left over."""
    rng = random.Random(42)
    lab = Lab(members=2)
    lab.delay = 0.01
    lab.drop = lambda passed: rng.random() < 0.2

    def answer_later(phone: Phone, leg: IncomingLeg) -> None:
        leg.ring(phone.lab.now)
        leg.accept(ANSWER, phone.lab.now)

    lab["m1"].on_invite = answer_later
    lab["m2"].on_invite = silent
    for _ in range(40):
        call = lab["c1"].call("600")
        for _ in range(40):
            lab.run(1)
            if lab["c1"].accepted(call):
                break
        lab.run(5)
        call.hang_up(None, lab.now)
        lab.run(40)
    lab.drop = lambda passed: False
    lab.run(200)
    answered = [e for e in lab.events if e.type == "group_call" and e.event_type == "answered"]  # type: ignore[attr-defined]
    assert len(answered) >= 35
    assert not lab.exchange.ua.legs and len(lab.exchange.ua.layer) == 0


def test_ringing_in_sequence_ends_with_the_callers_hangup_at_any_moment() -> None:
    """Whenever the caller gives up, every phone that rang is told, and nothing is left."""
    for moment in (0.0, 0.3, 4.5, 14.99, 15.0, 15.01, 31.0, 47.0):
        lab = Lab(Strategy.SEQUENTIAL)
        lab.delay = 0.01
        call = lab["c1"].call("600")
        lab.run(moment)
        call.cancel(None, lab.now)
        lab.run(100)
        rang = [m for m in ("m1", "m2", "m3") if lab.to(m)]
        assert all("CANCEL" in lab.to(m) for m in rang)
        assert not lab.exchange.ua.legs and not lab.exchange.calls()


def test_replied_is_said_once_for_a_repeated_answer() -> None:
    """A 2xx to a re-INVITE that comes again before the ACK is no second answer."""
    lab, call = connected()
    call.request("INVITE", HOLD, "hold", lab.now)
    lab.run(5)
    assert len([event for event in lab["c1"].said if isinstance(event, Replied)]) == 1
    assert isinstance(lab.sent("m1", "ACK")[-1].message, Request)


def test_a_reinvite_that_waits_when_the_talk_ends_is_answered() -> None:
    """The other side hangs up before it answers: 487 to the re-INVITE, and no transaction is left behind."""
    lab, call = connected()
    lab["m1"].on_request = lambda phone, event: None
    call.request("INVITE", HOLD, "hold", lab.now)
    call2 = lab["c1"].call("201")
    lab.run(1)
    lab["m1"].leg.hang_up(None, lab.now)
    lab.run(40)
    assert [p.message.code for p in lab.wire if p.name == "487 INVITE" and p.target == lab["c1"].address]  # type: ignore[union-attr]
    assert call2.over and not lab.exchange.ua.legs
    lab["m1"].ua.layer._servers.clear()
    lab.run(100)
    assert len(lab.exchange.ua.layer) == 0


def test_a_cancelled_reinvite_leaves_the_talk() -> None:
    """CANCEL of a re-INVITE: 487, the dialog stays as it was (RFC 3261 §9.2)."""
    lab, call = connected()
    lab["m1"].on_request = lambda phone, event: None
    call.request("INVITE", HOLD, "hold", lab.now)
    lab.run(0.1)
    (pending,) = [
        t for t in lab["c1"].ua.layer._clients.values() if t.method == "INVITE" and t.state.value != "accepted"
    ]
    lab["c1"].ua.layer.cancel(pending, None, lab.now)
    lab.run(1)
    assert [r.status for r in lab.replies("c1")] == [487]
    assert lab.exchange.calls()[0].state == "connected"


def test_an_answer_that_cannot_be_read_is_a_refusal() -> None:
    """A 200 whose Contact is garbage: the member counts as unreachable, the others ring on, nothing raises."""
    lab = Lab(members=2)

    def garbage(phone: Phone, leg: IncomingLeg) -> None:
        leg.contact = "<sip:@@@>"
        leg.accept(ANSWER, phone.lab.now)

    lab["m1"].on_invite = garbage
    call = lab["c1"].call("600")
    lab.run(1)
    lab["m2"].leg.accept(ANSWER, lab.now)
    lab.run(1)
    assert lab["c1"].accepted(call)


def test_a_phone_that_is_gone_without_a_word_does_not_stay_busy() -> None:
    """A silent talk is looked after every ten minutes; a phone that answers nothing any more ends it."""
    lab, _ = connected()
    lab.run(3600)
    assert lab.exchange.calls()[0].state == "connected"
    lab.drop = lambda passed: lab["m1"].address in (passed.source, passed.target)
    lab.run(700)
    assert not lab.exchange.calls()
    assert lab.sent("c1", "BYE") and lab.exchange.line("m1").state.value == "idle"


def invite_with_timer(lab: Lab, expires: str, supported: str = "timer") -> OutgoingLeg:
    """Call with a session timer."""
    phone = lab["c1"]
    leg = phone.ua.call(Flow("udp", "10.0.0.100", 5060), "c1", pinned=False)
    extra = {"Session-Expires": expires, "Supported": supported}
    leg.invite("sip:600@10.0.0.100", "<sip:c1@10.0.1.1>", "<sip:600@10.0.0.100>", OFFER, extra, lab.now)
    lab.run(1)
    return leg


def test_a_session_timer_is_agreed_refreshed_and_runs_out() -> None:
    """RFC 4028: the 2xx names the refresher; UPDATEs refresh; without one both sides are hung up."""
    lab = Lab(members=1)
    lab["m1"].on_invite = answers
    call = invite_with_timer(lab, "300")
    (ok,) = lab.sent("c1", "200 INVITE")[:1]
    assert ok.message.get("Session-Expires") == "300;refresher=uac" and ok.message.get("Require") == "timer"
    assert lab["c1"].accepted(call)
    for _ in range(3):
        lab.run(100)
        assert call.dialog is not None
        call.dialog, update = call.dialog.request("UPDATE")
        update.set("Session-Expires", "300;refresher=uac")
        update.set("Supported", "timer")
        lab["c1"].ua.layer.request(update, call.dialog.flow, call, lab.now, ("refresh", None))
        lab.run(1)
    assert [r.status for r in lab.replies("c1")] == [200, 200, 200]
    assert not lab.sent("m1", "UPDATE"), "a refresh concerns only the side that sends it"
    call.lookout.stop()
    lab.run(299)
    assert not lab.exchange.calls() and lab.sent("c1", "BYE") and lab.sent("m1", "BYE")


def test_a_session_timer_that_is_too_brief_is_refused() -> None:
    """422 with the least that is taken."""
    lab = Lab(members=1)
    invite_with_timer(lab, "30")
    (refusal,) = [p.message for p in lab.wire if p.name == "422 INVITE"]
    assert refusal.get("Min-SE") == "90"


def test_a_story_holds_nothing_that_a_terminal_obeys() -> None:
    """What a phone writes into its status line is told without its control characters."""
    lab = Lab(members=1)
    lab["m1"].on_invite = lambda phone, leg: leg.reject(486, phone.lab.now, "Busy \x1b[2J\x07here")
    lab["c1"].call("600")
    lab.run(1)
    story = lab.exchange.story(None)
    assert story is not None
    assert "said 486 Busy [2Jhere" in [step.what for step in story.steps]
