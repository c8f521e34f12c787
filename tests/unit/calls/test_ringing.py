"""A call to a group: who rings, who wins, what the others and the caller are told."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.calls.call import Call
from bridge.directory.model import Group, Line, Member, Strategy
from bridge.hunting.model import Availability
from bridge.sip.incoming import IncomingLeg
from bridge.sip.legevents import Rejected
from bridge.sip.message import Request, Response
from tests.support.lab import ANSWER, BRIDGE, OFFER, Lab, Phone, answers, refuses, silent


def test_every_member_rings_and_the_first_answer_wins() -> None:
    """Parallel: all ring at once; the others are cancelled and told that it was taken elsewhere."""
    lab = Lab()
    call = lab["c1"].call("600")
    lab.run(2)
    assert [lab.to(m)[:1] for m in ("m1", "m2", "m3")] == [["INVITE"]] * 3
    lab["m2"].leg.accept(ANSWER, lab.now)
    lab.run(1)
    assert lab["c1"].accepted(call)
    for loser in ("m1", "m3"):
        (cancel,) = lab.sent(loser, "CANCEL")
        assert cancel.message.get("Reason") == 'SIP;cause=200;text="Call completed elsewhere"'
        assert lab.of(loser, "487 INVITE") and lab.sent(loser, "ACK")
    assert not lab.sent("m2", "CANCEL")


def test_the_caller_hears_one_180_without_sdp() -> None:
    """180 as soon as one phone rings, without a body whatever early media members send, and again each minute."""
    lab = Lab(rules={"give_up_after": 150.0})

    def early_media(phone: Phone, leg: IncomingLeg) -> None:
        leg._respond(183, ANSWER, phone.lab.now)
        leg.ring(phone.lab.now)

    lab["m1"].on_invite = early_media
    lab["c1"].call("600")
    lab.run(30)
    ringing = lab.sent("c1", "180 INVITE")
    assert len(ringing) == 1
    assert not ringing[0].message.body
    assert not lab.sent("c1", "183 INVITE")
    lab.run(60)
    assert len(lab.sent("c1", "180 INVITE")) == 2


def test_a_member_who_logs_in_meanwhile_rings_and_one_who_logs_out_stops() -> None:
    """A login during the hunt has its effect at once."""
    lab = Lab(members=2)
    lab.login("m2", logged_in=False)
    lab["c1"].call("600")
    lab.run(1)
    assert not lab.to("m2")
    lab.login("m2")
    lab.run(1)
    assert lab.to("m2")[:1] == ["INVITE"]
    lab.login("m1", logged_in=False)
    lab.run(1)
    (cancel,) = lab.sent("m1", "CANCEL")
    assert cancel.message.get("Reason") is None


def test_everybody_busy_is_busy_and_everybody_gone_is_unavailable() -> None:
    """486 where every logged-in member was busy, else 480; at once."""
    for script, status in ((refuses(486), 486), (refuses(600), 486), (refuses(603), 480), (refuses(404), 480)):
        lab = Lab(members=2)
        for member in ("m1", "m2"):
            lab[member].on_invite = script
        lab["c1"].call("600")
        lab.run(1)
        (rejected,) = lab["c1"].heard(Rejected)
        assert isinstance(rejected, Rejected) and rejected.status == status


def test_nobody_logged_in_is_told_at_once() -> None:
    """Without anybody to ring the caller does not wait."""
    lab = Lab(logged_in=False)
    lab["c1"].call("600")
    lab.run(0.1)
    assert lab.to("c1") == ["100 INVITE", "480 INVITE"]


def test_a_6xx_of_one_member_does_not_end_the_hunt() -> None:
    """The others ring on."""
    lab = Lab(members=2)
    lab["m1"].on_invite = refuses(603)
    call = lab["c1"].call("600")
    lab.run(3)
    lab["m2"].leg.accept(ANSWER, lab.now)
    lab.run(1)
    assert lab["c1"].accepted(call)


def test_sequential_rings_one_after_the_other() -> None:
    """15 s each, in list order; busy goes on at once."""
    lab = Lab(Strategy.SEQUENTIAL)
    lab["m2"].on_invite = refuses(486)
    call = lab["c1"].call("600")
    lab.run(14.9)
    assert lab.to("m1") == ["INVITE"] and not lab.to("m2")
    lab.run(0.2)
    assert "CANCEL" in lab.to("m1") and lab.to("m2")[:1] == ["INVITE"] and lab.to("m3") == ["INVITE"]
    lab["m3"].leg.accept(ANSWER, lab.now)
    lab.run(1)
    assert lab["c1"].accepted(call)


def test_a_silent_phone_is_unreachable_after_four_seconds() -> None:
    """Nothing at all for 4 s: the next one; what comes of it later is cancelled and cleaned up."""
    lab = Lab(Strategy.SEQUENTIAL, members=2)
    lab.drop = lambda passed: passed.source == lab["m1"].address
    lab["c1"].call("600")
    lab.run(3.9)
    assert not lab.to("m2")
    lab.run(0.2)
    assert lab.to("m2")[:1] == ["INVITE"]
    assert not lab.sent("m1", "CANCEL"), "a CANCEL waits for the first provisional response"


def test_overflow_goes_on_in_another_group_but_not_in_a_circle() -> None:
    """Nobody takes it: the overflow group rings; a group that was tried is not tried again."""
    second = Group("h", "Second", "601", (Member("m2", "m2", device=True),), overflow="600")
    lab = Lab(
        members=1,
        rules={"overflow": "601"},
        more_lines=(Line("m2", "202", contact="sip:m2@10.0.0.2:5060"),),
        more_groups=(second,),
    )
    lab.login("m2", group="h")
    lab["m1"].on_invite = lab["m2"].on_invite = refuses(486)
    lab["c1"].call("600")
    lab.run(1)
    assert lab.to("m2")[:1] == ["INVITE"]
    (rejected,) = lab["c1"].heard(Rejected)
    assert isinstance(rejected, Rejected) and rejected.status == 486
    kinds = [event.event_type for event in lab.events if event.type == "group_call"]  # type: ignore[attr-defined]
    assert kinds == ["offered", "overflowed", "offered", "missed"]


def test_a_call_to_a_line_rings_it_alone_and_passes_its_answer() -> None:
    """Dialling a line's number rings that phone, logged in or not; its refusal is the caller's."""
    lab = Lab(logged_in=False)
    lab["m1"].on_invite = answers
    assert lab["c1"].accepted(lab["c1"].call("201"))
    lab["m2"].on_invite = refuses(603)
    lab["c2"].call("202")
    lab.run(1)
    (rejected,) = lab["c2"].heard(Rejected)
    assert isinstance(rejected, Rejected) and rejected.status == 603


def test_a_busy_line_is_not_offered_a_second_call() -> None:
    """max_calls is 1: a member on a call is skipped, and the trace says so."""
    lab = Lab(members=2)
    lab["m1"].on_invite = answers
    assert lab["c1"].accepted(lab["c1"].call("201"))
    lab["c2"].call("600")
    lab.run(1)
    assert lab.to("m1").count("INVITE") == 1 and lab.to("m2") == ["INVITE"]
    story = lab.exchange.story(None)
    assert story is not None
    assert ("m1", "on a call") in [(step.member, step.why) for step in story.steps]


def test_the_phone_sees_number_name_and_prefix() -> None:
    """To an attached phone: the caller's number and name, the group's prefix, a ring of the group's own."""
    lab = Lab(members=1, rules={"prefix": "Support"})
    lab["c1"].call("600", from_='"Zoë \\"Z\\"" <sip:301@10.0.1.1>')
    (invite,) = lab["m1"].invites
    assert invite.from_.name == 'Support: Zoë "Z"'
    assert invite.from_.uri.user == "301"
    assert "info=g" in invite.need("Alert-Info")


def test_an_anonymous_caller_stays_anonymous() -> None:
    """From anonymous.invalid or Privacy: neither number nor name is shown."""
    lab = Lab(members=1)
    lab["c1"].call("600", from_='"Anonymous" <sip:anonymous@anonymous.invalid>')
    (invite,) = lab["m1"].invites
    assert invite.need("From").startswith('"anonymous" <sip:anonymous@anonymous.invalid>')
    assert "301" not in invite.need("From") and lab.exchange.calls()[0].caller == ""


def test_lines_show_what_they_do() -> None:
    """idle, ringing, busy, idle: each once, without a flicker."""
    lab = Lab(members=1)
    call = lab["c1"].call("600")
    lab.run(1)
    lab["m1"].leg.accept(ANSWER, lab.now)
    lab.run(1)
    lab["c1"].accepted(call)
    call.hang_up(None, lab.now)
    lab.run(1)
    states = [e.state for e in lab.events if e.type == "line_changed" and e.line == "m1"]  # type: ignore[attr-defined]
    assert states == ["ringing", "busy", "idle"]


def test_nothing_is_left_when_all_is_over() -> None:
    """No leg, transaction or timer stays after calls that were answered, cancelled, refused and lost."""
    lab = Lab(members=2)
    call = lab["c1"].call("600")
    lab.run(1)
    call.cancel(None, lab.now)
    lab.run(1)
    lab["m1"].on_invite = answers
    call = lab["c1"].call("600")
    lab["c1"].accepted(call)
    call.hang_up(None, lab.now)
    lab["m1"].on_invite = refuses(486)
    lab["m2"].on_invite = silent
    lab["c2"].call("600")
    lab.run(400)
    assert not lab.exchange.calls()
    assert not lab.exchange.ua.legs
    assert len(lab.exchange.ua.layer) == 0
    assert lab.exchange.deadline() is None
    assert all(lab.exchange.lines.use(line).offers == 0 for line in lab.directory.lines)
    assert all(lab.exchange.lines.use(line).calls == 0 for line in lab.directory.lines)


def test_a_late_offer_is_answered_by_the_callers_ack() -> None:
    """INVITE without SDP: the member's 200 brings the offer, the caller's ACK the answer for the member's ACK."""
    lab = Lab(members=1)
    call = lab["c1"].call("600", body=None)
    lab["m1"].leg.accept(OFFER, lab.now)
    lab.run(0.1)
    assert not lab.sent("m1", "ACK")
    call.acknowledge(ANSWER, lab.now)
    lab.run(0.1)
    (ack,) = lab.sent("m1", "ACK")
    assert ack.message.body == ANSWER.data
    (ok,) = [p.message for p in lab.wire if p.name == "200 INVITE" and p.target == lab["c1"].address]
    assert isinstance(ok, Response) and ok.body == OFFER.data
    assert isinstance(ack.message, Request)


def demanding(lab: Lab, acknowledge: bool) -> list[Response]:
    """Call with Require: 100rel; return the reliable provisionals as they came, with PRACK for each if wanted."""
    phone = lab["c1"]
    leg = phone.ua.call(BRIDGE, "c1", pinned=False)
    to = "<sip:600@10.0.0.100>"
    leg.invite("sip:600@10.0.0.100", "<sip:c1@10.0.1.1>", to, OFFER, {"Require": "100rel"}, lab.now)
    lab.run(1.4)
    heard = [p.message for p in lab.sent("c1", "180 INVITE")]
    if acknowledge:
        first = heard[0]
        headers = {name: list(first.headers[name]) for name in ("From", "To", "Call-ID")}
        headers |= {"CSeq": ["2 PRACK"], "RAck": [f"{first.get('RSeq')} 1 INVITE"], "Max-Forwards": ["70"]}
        phone.ua.layer.request(Request("PRACK", "sip:600@10.0.0.100", headers), BRIDGE, None, lab.now)
        lab.run(30)
    return [p.message for p in lab.sent("c1", "180 INVITE") if isinstance(p.message, Response)]


def test_ringing_is_reliable_where_the_caller_demands_it() -> None:
    """RFC 3262: 180 with RSeq, again until the PRACK, which is answered; the call goes on as any other."""
    lab = Lab(members=1)
    heard = demanding(lab, acknowledge=True)
    assert [(m.get("Require"), m.get("RSeq")) for m in heard] == [("100rel", "1")] * 2, "at 0 and 0.5 s"
    assert lab.sent("c1", "200 PRACK")
    lab["m1"].leg.accept(ANSWER, lab.now)
    lab.run(1)
    assert lab.sent("c1", "200 INVITE")


def test_a_caller_that_demands_and_never_acknowledges_is_refused() -> None:
    """After 64*T1 without a PRACK: 504, and the phones stop ringing."""
    lab = Lab(members=1)
    demanding(lab, acknowledge=False)
    lab.run(40)
    assert lab.sent("c1", "504 INVITE") and lab.sent("m1", "CANCEL") and not lab.exchange.calls()


def test_a_line_with_room_tells_nobody_of_its_calls() -> None:
    """Many calls ring one line that takes many: what one does costs the others nothing."""
    lab = Lab(members=1, more_lines=(Line("many", "290", contact="sip:many@10.0.0.90:5060", max_calls=1000),))
    asked = 0
    look = lab.exchange.board.offering.look

    def counted(call: Call, member: Member, granted: Sequence[Member]) -> Availability:
        nonlocal asked
        asked += 1
        return look(call, member, granted)

    lab.exchange.board.offering.look = counted  # type: ignore[method-assign]
    for number in range(50):
        caller = lab.add(f"x{number}", ("10.0.1.1", 5060))
        caller.call("290")
    lab.run(1)
    assert len(lab.exchange.calls()) == 50 and asked <= 50


def test_a_caller_who_waits_for_a_busy_member_is_offered_as_soon_as_there_is_room() -> None:
    """Two calls, one member: the second rings it when the first is over."""
    lab = Lab(Strategy.PARALLEL, members=2)
    lab["m1"].on_invite = answers
    first = lab["c1"].call("201")
    assert lab["c1"].accepted(first)
    lab["c2"].call("600")
    lab.run(1)
    assert lab.to("m1").count("INVITE") == 1 and lab.to("m2").count("INVITE") == 1
    first.hang_up(None, lab.now)
    lab.run(1)
    assert lab.to("m1").count("INVITE") == 2
