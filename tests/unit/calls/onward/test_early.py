"""REFER to a call that still rings: the search goes on for who is transferred, whatever goes wrong on the way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.calls.model import ExchangeSettings, TrunkSettings
from bridge.commands.model import LineVerb
from bridge.directory.model import Group, Line, MediaWay, Member, Strategy
from bridge.directory.outside import OutsideRules
from bridge.events import CallOver
from bridge.sip.incoming import IncomingLeg
from bridge.sip.leg import Leg
from bridge.sip.legevents import Requested
from bridge.sip.message import Body
from bridge.sip.outgoing import OutgoingLeg
from tests.support.lab import ANSWER, OFFER, Lab, Phone, answers, refuses
from tests.support.ordering import order
from tests.support.ways import ToldMedia
from tests.unit.calls.onward.test_transfer import progress, refer
from tests.unit.calls.test_media import body

NEW = Body("application/sdp", OFFER.data.replace(b"4000", b"6000"))


def agrees(phone: Phone, event: Requested) -> None:
    """Answer an offer, or make one."""
    event.leg.respond(event.transaction, event.request, 200, ANSWER if event.request.body else NEW, phone.lab.now)


def declines(phone: Phone, event: Requested) -> None:
    """Refuse to change anything."""
    event.leg.respond(event.transaction, event.request, 488, None, phone.lab.now)


def talk(lab: Lab) -> OutgoingLeg:
    """Let c1 talk to m1, with all others logged out."""
    for name in ("m2", "m3"):
        lab.login(name, False)
        lab[name].on_request = agrees
    lab["c1"].on_request = lab["m1"].on_request = agrees
    lab["m1"].on_invite = answers
    call = lab["c1"].call("201")
    assert lab["c1"].accepted(call)
    lab.run(1)
    return call


def three(number: str = "202", offer: Body | None = OFFER, **settings: object) -> tuple[Lab, OutgoingLeg, OutgoingLeg]:
    """Return c1 talking to m1, who is calling a number besides: the legs of c1, and of m1's second call."""
    lab = Lab(members=3, rules={"give_up_after": 20.0}, **settings)  # type: ignore[arg-type]
    call = talk(lab)
    second = lab["m1"].call(number, offer)
    lab.run(1)
    return lab, call, second


def named(leg: OutgoingLeg, more: str = "") -> str:
    """Return the Refer-To with which a phone names its own call, which rings."""
    (tag,) = leg.early_tags
    return f"<sip:202@10.0.0.100?Replaces={leg.call_id}%3Bto-tag%3D{tag}%3Bfrom-tag%3D{leg.local_tag}{more}>"


def first(lab: Lab) -> Leg:
    """Return m1's leg in the talk."""
    return lab["m1"].calls[0]


def clean(lab: Lab) -> bool:
    """Whether nothing is left of any call."""
    lab.run(40)
    idle = all(lab.exchange.line(name).state.value == "idle" for name in ("m1", "m2", "m3", "c1"))
    return idle and not lab.exchange.calls() and not lab.exchange.ua.legs and len(lab.exchange.ua.layer) == 0


def said(lab: Lab, phone: str) -> list[str]:
    """Return the final responses to a phone's INVITEs."""
    return [name.split()[0] for name in lab.to(phone) if name.endswith(" INVITE") and name[0] in "23456"]


@pytest.mark.parametrize("more", ["", "%3Bearly-only"])
def test_the_ringing_goes_on_for_who_is_transferred(more: str) -> None:
    """The phone that rings does not notice; the referrer hears each step; the two that are left talk to each other."""
    lab, _, second = three()
    refer(lab, "m1", first(lab), named(second, more))
    assert lab.sent("m1", "202 REFER") and progress(lab, "m1") == ["100 Trying", "180 Ringing"]
    assert len(lab["m2"].invites) == 1 and not lab.sent("m2", "CANCEL")
    assert not lab.sent("c1", "INVITE"), "who is transferred stays as it is until somebody answers"
    (ringing,) = (call for call in lab.exchange.calls() if call.called == "202")
    assert ringing.caller == "301"
    lab["m2"].leg.accept(ANSWER, lab.now)
    lab.run(1)
    assert lab.sent("c1", "INVITE")[-1].message.body == NEW.data
    assert lab.sent("m2", "ACK")[-1].message.body == ANSWER.data
    assert progress(lab, "m1")[-1] == "200 OK" and lab.sent("m1", "BYE")
    assert "Call completed elsewhere" in lab.sent("m1", "487 INVITE")[0].message.headers["Reason"][0]
    (status,) = lab.exchange.calls()
    assert (status.caller, status.answered_by, status.state) == ("301", "m2", "connected")
    states = {name: lab.exchange.line(name).state.value for name in ("m1", "m2", "c1")}
    assert states == {"m1": "idle", "m2": "busy", "c1": "busy"}
    lab["m2"].leg.hang_up(None, lab.now)
    lab.run(1)
    assert lab.sent("c1", "BYE")
    assert clean(lab)


def test_the_call_that_rings_may_be_cancelled_at_once() -> None:
    """As phones do that have sent their REFER: its phone hears 487, the other one rings on."""
    lab, _, second = three()
    refer(lab, "m1", first(lab), named(second))
    second.cancel(None, lab.now)
    lab.run(1)
    assert said(lab, "m1") == ["487"] and not lab.sent("m2", "CANCEL")
    lab["m2"].leg.accept(ANSWER, lab.now)
    lab.run(1)
    assert progress(lab, "m1")[-1] == "200 OK" and lab.exchange.calls()[0].caller == "301"
    lab["m2"].leg.hang_up(None, lab.now)
    assert clean(lab)


def test_the_referrer_may_be_gone_altogether() -> None:
    """CANCEL and BYE right after the REFER: the two others are connected all the same."""
    lab, _, second = three()
    refer(lab, "m1", first(lab), named(second))
    second.cancel(None, lab.now)
    first(lab).hang_up(None, lab.now)
    lab.run(1)
    assert lab.exchange.line("m1").state.value == "idle" and not lab.sent("c1", "BYE")
    lab["m2"].leg.accept(ANSWER, lab.now)
    lab.run(1)
    assert [(call.caller, call.answered_by) for call in lab.exchange.calls()] == [("301", "m2")]
    lab["m2"].leg.hang_up(None, lab.now)
    assert clean(lab)


def test_nobody_answers_and_the_referrer_has_the_other_back() -> None:
    """Its two legs hear so, and the talk goes on as it was."""
    lab, _, second = three()
    refer(lab, "m1", first(lab), named(second))
    lab["m2"].leg.reject(486, lab.now)
    lab.run(1)
    assert progress(lab, "m1") == ["100 Trying", "180 Ringing", "486 Busy Here"]
    assert said(lab, "m1") == ["486"] and [call.state for call in lab.exchange.calls()] == ["connected"]
    assert not lab.sent("c1", "INVITE") and not lab.sent("c1", "BYE")
    refer(lab, "m1", first(lab), "<sip:203@10.0.0.100>")
    assert lab["m3"].invites, "and may be transferred elsewhere"


def test_nobody_answers_and_nobody_is_left() -> None:
    """The referrer has hung up: who was to be transferred is hung up too."""
    lab, _, second = three()
    refer(lab, "m1", first(lab), named(second))
    second.cancel(None, lab.now)
    first(lab).hang_up(None, lab.now)
    lab.run(1)
    lab["m2"].leg.reject(486, lab.now)
    lab.run(1)
    assert lab.sent("c1", "BYE") and clean(lab)


def test_who_is_transferred_hangs_up_and_the_referrer_calls_on() -> None:
    """The call is the referrer's again, who still hears it ring, and is connected by the answer."""
    lab, call, second = three()
    refer(lab, "m1", first(lab), named(second))
    call.hang_up(None, lab.now)
    lab.run(1)
    assert not lab.sent("m2", "CANCEL") and lab.exchange.calls()[0].caller == "201"
    lab["m2"].leg.accept(ANSWER, lab.now)
    lab.run(1)
    assert lab["m1"].accepted(second)
    lab.run(1)
    assert lab.exchange.calls()[0].state == "connected"
    second.hang_up(None, lab.now)
    lab.run(1)
    assert lab.sent("m2", "BYE") and clean(lab)


def test_who_is_transferred_hangs_up_and_nobody_calls_any_more() -> None:
    """The phone stops ringing."""
    lab, call, second = three()
    refer(lab, "m1", first(lab), named(second))
    second.cancel(None, lab.now)
    lab.run(1)
    call.hang_up(None, lab.now)
    lab.run(1)
    assert lab.sent("m2", "CANCEL") and clean(lab)


@pytest.mark.parametrize("who", ["c1", "m2"])
def test_one_of_the_two_refuses_and_the_referrer_has_both(who: str) -> None:
    """A peer that takes no re-INVITE: the referrer talks to who answered, and still has the other one."""
    lab, _, second = three()
    lab[who].on_request = declines
    refer(lab, "m1", first(lab), named(second))
    lab["m2"].leg.accept(ANSWER, lab.now)
    lab.run(0.2)
    assert progress(lab, "m1")[-1] == "488 Not Acceptable Here"
    lab[who].on_request = agrees
    assert lab["m1"].accepted(second)
    lab.run(2)
    assert sorted(call.state for call in lab.exchange.calls()) == ["connected", "connected"]
    assert lab.exchange.line("m2").state.value == "busy" and not lab.sent("m2", "BYE")
    if who == "c1":
        assert lab.sent("m1", "INVITE"), "who answered was asked for an offer, which the referrer has now"
    second.hang_up(None, lab.now)
    first(lab).hang_up(None, lab.now)
    lab.run(1)
    assert lab.sent("m2", "BYE") and lab.sent("c1", "BYE") and clean(lab)


@pytest.mark.parametrize("who", ["c1", "m2"])
def test_one_of_the_two_refuses_and_the_referrer_calls_no_more(who: str) -> None:
    """Who answered is hung up; the referrer, if it is there, has the other one back."""
    lab, _, second = three()
    lab[who].on_request = declines
    refer(lab, "m1", first(lab), named(second))
    second.cancel(None, lab.now)
    lab["m2"].leg.accept(ANSWER, lab.now)
    lab.run(1)
    assert progress(lab, "m1")[-1] == "488 Not Acceptable Here"
    assert lab.sent("m2", "BYE") and not lab.sent("c1", "BYE")
    assert [call.called for call in lab.exchange.calls()] == ["201"]


def test_who_answered_hangs_up_before_the_two_are_joined() -> None:
    """The transfer has failed: the talk goes on, the referrer's other call is over."""
    lab, _, second = three()
    lab["c1"].on_request = lambda phone, event: None
    refer(lab, "m1", first(lab), named(second))
    lab["m2"].leg.accept(ANSWER, lab.now)
    lab.run(0.2)
    lab["m2"].leg._bye(lab.now)
    lab.run(1)
    assert progress(lab, "m1")[-1].startswith("480") and said(lab, "m1") == ["480"]
    assert [call.called for call in lab.exchange.calls()] == ["201"]


def test_an_answer_that_crosses_the_refer() -> None:
    """It was answered while the REFER was under way: an attended transfer, whose referrer has still to acknowledge."""
    lab, _, second = three()
    lab["m2"].leg.accept(ANSWER, lab.now)
    lab.run(0)
    refer(lab, "m1", first(lab), named(second))
    assert lab["m1"].accepted(second)
    lab.run(1)
    assert progress(lab, "m1") == ["100 Trying", "200 OK"] and len(lab.sent("m1", "BYE")) == 2
    assert [(call.caller, call.answered_by) for call in lab.exchange.calls()] == [("301", "m2")]


def test_an_answer_that_crosses_a_refer_for_early_calls_only() -> None:
    """486, and both talks go on (RFC 3891 §3)."""
    lab, _, second = three()
    lab["m2"].leg.accept(ANSWER, lab.now)
    lab.run(0)
    refer(lab, "m1", first(lab), named(second, "%3Bearly-only"))
    assert lab["m1"].accepted(second)
    lab.run(1)
    assert lab.sent("m1", "486 REFER") and [c.state for c in lab.exchange.calls()] == ["connected"] * 2


def test_without_replaces_the_number_that_rings_already_is_not_rung_twice() -> None:
    """A blind REFER to the number that the referrer is just calling: that call goes on, as if it had been named."""
    lab, _, second = three()
    refer(lab, "m1", first(lab), "<sip:202@10.0.0.100>")
    second.cancel(None, lab.now)
    lab.run(1)
    assert progress(lab, "m1") == ["100 Trying", "180 Ringing"] and len(lab["m2"].invites) == 1
    lab["m2"].leg.accept(ANSWER, lab.now)
    lab.run(1)
    assert [(call.caller, call.answered_by) for call in lab.exchange.calls()] == [("301", "m2")]


def test_the_tags_the_other_way_round() -> None:
    """Some phones write them so."""
    lab, _, second = three()
    (tag,) = second.early_tags
    dialog = f"{second.call_id}%3Bto-tag%3D{second.local_tag}%3Bfrom-tag%3D{tag}"
    refer(lab, "m1", first(lab), f"<sip:202@10.0.0.100?Replaces={dialog}>")
    assert lab.sent("m1", "202 REFER")


def test_a_call_that_made_no_offer() -> None:
    """Who answers makes it: it is answered with nothing that flows, then asked for another one."""
    lab, _, second = three(offer=None)
    lab["m2"].on_invite = lambda phone, leg: leg.accept(OFFER, phone.lab.now)
    lab["m2"].leg.ring(lab.now)
    refer(lab, "m1", first(lab), named(second))
    lab["m2"].leg.accept(OFFER, lab.now)
    lab.run(1)
    first_ack, last_ack = (passed.message.body for passed in lab.sent("m2", "ACK"))
    assert b"a=inactive" in first_ack and last_ack == ANSWER.data
    assert lab.sent("c1", "INVITE")[-1].message.body == NEW.data
    assert progress(lab, "m1")[-1] == "200 OK"


# -- a group ----------------------------------------------------------------------------------------------------------


def test_a_group_that_rings_several() -> None:
    """All ring on; whoever answers has the caller, the others hear that it was completed elsewhere."""
    lab = Lab(members=3, rules={"give_up_after": 20.0})
    talk(lab)
    for name in ("m2", "m3"):
        lab.login(name)
    second = lab["m1"].call("600")
    lab.run(1)
    refer(lab, "m1", first(lab), named(second))
    assert all(len(lab[name].invites) == 1 and not lab.sent(name, "CANCEL") for name in ("m2", "m3"))
    lab["m3"].leg.accept(ANSWER, lab.now)
    lab.run(1)
    assert lab.sent("m2", "CANCEL") and progress(lab, "m1")[-1] == "200 OK"
    assert [(call.caller, call.answered_by) for call in lab.exchange.calls()] == [("301", "m3")]
    lab["m3"].leg.hang_up(None, lab.now)
    assert clean(lab)
    (over,) = (e for e in lab.events if isinstance(e, CallOver) and e.called == "600")
    assert (over.caller, over.taken_by, over.result) == ("301", "m3", "answered")


def test_a_group_that_rings_one_after_the_other() -> None:
    """Who is rung after the REFER sees who is transferred; the hunt goes on where it was."""
    lab = Lab(members=3, strategy=Strategy.SEQUENTIAL, rules={"ring_seconds": 5.0, "give_up_after": 30.0})
    talk(lab)
    for name in ("m2", "m3"):
        lab.login(name)
    second = lab["m1"].call("600")
    lab.run(1)
    refer(lab, "m1", first(lab), named(second))
    lab.run(6)
    assert lab.sent("m2", "CANCEL") and len(lab["m3"].invites) == 1
    assert lab["m2"].invites[0].from_.uri.user == "201" and lab["m3"].invites[0].from_.uri.user == "301"
    lab["m3"].leg.accept(ANSWER, lab.now)
    lab.run(1)
    assert [(call.caller, call.answered_by) for call in lab.exchange.calls()] == [("301", "m3")]


def test_a_group_that_overflows_meanwhile() -> None:
    """It goes on where the call goes on to."""
    more = Group("h", "More", "601", (Member("m3", "m3", device=True, always=True),))
    lab = Lab(members=3, rules={"give_up_after": 5.0, "overflow": "601"}, more_groups=(more,))
    talk(lab)
    lab.login("m2")
    second = lab["m1"].call("600")
    lab.run(1)
    refer(lab, "m1", first(lab), named(second))
    lab.run(6)
    assert len(lab["m3"].invites) == 1
    lab["m3"].leg.accept(ANSWER, lab.now)
    lab.run(1)
    assert progress(lab, "m1")[-1] == "200 OK"
    assert [(call.caller, call.answered_by) for call in lab.exchange.calls()] == [("301", "m3")]


# -- outside ----------------------------------------------------------------------------------------------------------


def outside(rules: OutsideRules = OutsideRules()) -> Lab:  # noqa: B008 - frozen
    """Return a laboratory with a trunk through which m1 may call."""
    trunk = TrunkSettings("pbx", "10.1.0.1", register=False, username="620", number="600", max_calls=4)
    lab = Lab(members=3, settings=ExchangeSettings(trunks=(trunk,)))
    lines = {**lab.directory.lines, "m1": replace(lab.directory.lines["m1"], dial_out=("pbx",))}
    lab.directory = replace(lab.directory, lines=lines, outside=rules)
    lab.exchange.configure(lab.directory, lab.settings, lab.now)
    lab.add("pbx", ("10.1.0.1", 5060)).on_request = agrees
    lab.exchange.start(lab.now)
    lab.run(0)
    return lab


def channels(lab: Lab) -> int:
    """Return how many calls count on the trunk."""
    return lab.exchange._trunks["pbx"].calls


def test_a_call_that_rings_outside() -> None:
    """By a trunk: c1 is connected with the number there, and the trunk's channel is counted until they hang up."""
    lab = outside()
    talk(lab)
    second = lab["m1"].call("0301234")
    lab.run(1)
    refer(lab, "m1", first(lab), named(second))
    assert progress(lab, "m1")[-1] == "180 Ringing" and channels(lab) == 1
    leg = lab["pbx"].leg
    leg.accept(ANSWER, lab.now)
    lab.run(1)
    assert progress(lab, "m1")[-1] == "200 OK" and channels(lab) == 1
    leg.hang_up(None, lab.now)
    lab.run(1)
    assert lab.sent("c1", "BYE") and channels(lab) == 0 and clean(lab)


@pytest.mark.parametrize("forward", [False, True])
def test_callers_from_outside_are_not_joined_with_a_call_that_rings_there(forward: bool) -> None:
    """403, and both go on; with `forward` both channels are counted until the last one hangs up."""
    lab = outside(OutsideRules(forward=forward))
    lab["m1"].on_invite = answers
    came = lab["pbx"].call("201", from_="<sip:0305551@x>")
    assert lab["pbx"].accepted(came)
    second = lab["m1"].call("0301234")
    lab.run(1)
    refer(lab, "m1", first(lab), named(second))
    assert bool(lab.sent("m1", "403 REFER")) is not forward
    lab["pbx"].leg.accept(ANSWER, lab.now)
    lab.run(1)
    if forward:
        assert progress(lab, "m1")[-1] == "200 OK" and channels(lab) == 2
        (status,) = lab.exchange.calls()
        assert (status.caller, status.called) == ("0305551", "0301234")
        came.hang_up(None, lab.now)
        lab.run(1)
    else:
        assert lab["m1"].accepted(second) and len(lab.exchange.calls()) == 2
        lab.exchange.stop(lab.now)
        for call in list(lab.exchange.board.up.values()):
            call.hang_up(lab.now)
    lab.run(40)
    assert channels(lab) == 0


@pytest.mark.parametrize("side", ["caller", "called"])
def test_a_trunks_caller_is_counted_after_an_attended_transfer(side: str) -> None:
    """Whichever side of the other talk the caller takes, the channel is in use until they hang up, and is shown so."""
    lab = outside()
    talk_of: dict[str, IncomingLeg | OutgoingLeg] = {}
    lab["m1"].on_invite = lab["m2"].on_invite = answers
    lab["m1"].on_request = lab["m2"].on_request = agrees
    came = lab["pbx"].call("201", from_="<sip:0305551@x>")
    assert lab["pbx"].accepted(came)
    if side == "caller":
        talk_of["second"] = second = lab["m1"].call("202")
        assert lab["m1"].accepted(second)
    else:
        lab.directory = replace(
            lab.directory,
            lines={**lab.directory.lines, "m1": replace(lab.directory.lines["m1"], max_calls=2)},
        )
        lab.exchange.configure(lab.directory, lab.settings, lab.now)
        by = lab["m2"].call("201")
        assert lab["m2"].accepted(by)
        talk_of["second"] = lab["m1"].leg
    lab.run(1)
    leg = talk_of["second"]
    assert leg.dialog is not None and channels(lab) == 1
    dialog = f"{leg.call_id}%3Bto-tag%3D{leg.dialog.remote_tag}%3Bfrom-tag%3D{leg.local_tag}"
    refer(lab, "m1", lab["m1"].calls[0], f"<sip:202@10.0.0.100?Replaces={dialog}>")
    lab.run(1)
    assert progress(lab, "m1")[-1] == "200 OK" and channels(lab) == 1
    (status,) = lab.exchange.calls()
    parties = (status.caller, status.answered_by)
    assert parties == (("0305551", "m2") if side == "caller" else ("202", "0305551"))
    came.hang_up(None, lab.now)
    lab.run(1)
    assert channels(lab) == 0 and clean(lab)


# -- by command, and what may not be ---------------------------------------------------------------------------------


def test_by_command() -> None:
    """`transfer` without a number joins the line's two calls, also while the second one rings; no NOTIFY."""
    lab, _, second = three()
    assert order(lab, LineVerb.TRANSFER, "m1", None, call=lab.exchange.calls()[0].call).ok
    lab["m2"].leg.accept(ANSWER, lab.now)
    lab.run(1)
    assert [(call.caller, call.answered_by) for call in lab.exchange.calls()] == [("301", "m2")]
    assert not lab.sent("m1", "NOTIFY") and said(lab, "m1") == ["487"] and second.over


def test_nobody_takes_the_ringing_call_of_others() -> None:
    """Another phone's call is not joined, whatever is known of it: 403."""
    lab, _, _ = three()
    others = lab["c2"].call("203")
    lab.run(1)
    refer(lab, "m1", first(lab), named(others))
    assert lab.sent("m1", "403 REFER") and [len(lab[name].invites) for name in ("m2", "m3")] == [1, 1]


def test_what_is_being_transferred_is_left_alone() -> None:
    """A second REFER, in the talk or to the call that rings, hears 491; the first goes on."""
    lab, call, second = three()
    refer(lab, "m1", first(lab), named(second))
    refer(lab, "m1", first(lab), named(second))
    refer(lab, "c1", call, "<sip:203@10.0.0.100>")
    assert len(lab.sent("m1", "491 REFER")) == 1 and lab.sent("c1", "491 REFER")
    lab["m2"].leg.accept(ANSWER, lab.now)
    lab.run(1)
    assert progress(lab, "m1")[-1] == "200 OK"


def test_a_call_that_rings_at_a_phone_is_not_ones_own_to_join() -> None:
    """The named leg is one that rings the referrer, not one by which it calls: 481 (RFC 3891 §3)."""
    lab = Lab(members=3)
    lines = {**lab.directory.lines, "m1": replace(lab.directory.lines["m1"], max_calls=2)}
    lab.directory = replace(lab.directory, lines=lines)
    lab.exchange.configure(lab.directory, lab.settings, lab.now)
    talk(lab)
    lab["m1"].on_invite = lambda phone, leg: leg.ring(phone.lab.now)
    lab["c2"].call("201")
    lab.run(1)
    rings = lab["m1"].leg
    dialog = f"{rings.call_id}%3Bto-tag%3D{rings.remote_tag}%3Bfrom-tag%3D{rings.local_tag}"
    refer(lab, "m1", first(lab), f"<sip:302@10.0.0.100?Replaces={dialog}>")
    assert lab.sent("m1", "481 REFER") and not lab.sent("m1", "CANCEL")


def test_the_bridge_ends_meanwhile() -> None:
    """Nothing is left ringing, and every leg has its answer."""
    lab, _, second = three()
    refer(lab, "m1", first(lab), named(second))
    lab.exchange.stop(lab.now)
    lab.run(1)
    assert lab.sent("m2", "CANCEL") and said(lab, "m1") == ["480"]


def test_a_reload_counts_all_anew() -> None:
    """A configuration that comes meanwhile loses no count, and adds none."""
    lab, _, second = three(more_lines=(Line("x", "209", contact="sip:x@10.0.0.99:5060"),))
    refer(lab, "m1", first(lab), named(second))
    lab.exchange.configure(lab.directory, lab.settings, lab.now)
    assert lab.exchange.line("m2").state.value == "ringing"
    lab["m2"].on_invite = refuses(486)
    lab["m2"].leg.accept(ANSWER, lab.now)
    lab.run(1)
    lab.exchange.configure(lab.directory, lab.settings, lab.now)
    lab["m2"].leg.hang_up(None, lab.now)
    lab.run(1)
    assert clean(lab)


def test_who_is_transferred_hangs_up_while_a_call_without_an_offer_is_joined() -> None:
    """The answer cannot be given to the referrer any more: who answered is hung up, and its own call is refused."""
    lab, call, second = three(offer=None)
    lab["m2"].on_request = lambda phone, event: None
    refer(lab, "m1", first(lab), named(second))
    lab["m2"].leg.accept(OFFER, lab.now)
    lab.run(0.2)
    call.hang_up(None, lab.now)
    lab.run(1)
    assert lab.sent("m2", "BYE") and said(lab, "m1") == ["480"] and second.over
    assert clean(lab)


def behind(formats: str = "8 0") -> tuple[Lab, ToldMedia, OutgoingLeg, OutgoingLeg]:
    """Return r1, in a talk with somebody behind a PBX that refuses every change, calling another number there.

    All through the relay. The second call is r1's, and still rings.
    """
    media = ToldMedia()
    trunk = TrunkSettings("pbx", "10.1.0.1", username="620", password="x", register=False, number="201")
    lines = (
        Line("r1", "401", contact="sip:r1@10.0.2.1:5060", media=MediaWay.RELAY, max_calls=3),
        Line("far", "501", trunk="pbx", media=MediaWay.RELAY),
        Line("farther", "502", trunk="pbx", media=MediaWay.RELAY),
    )
    lab = Lab(members=1, media=media, more_lines=lines, settings=ExchangeSettings(trunks=(trunk,)))
    pbx = lab.phones["pbx"] = Phone(lab, "pbx", ("10.1.0.1", 5060))
    pbx.on_request = declines
    pbx.on_invite = lambda phone, leg: leg.accept(body("10.1.0.1", 6000, "8"), phone.lab.now)
    lab["r1"].on_request = declines
    lab.exchange.start(lab.now)
    lab.run(1)
    call = lab["r1"].call("501", body("10.0.2.1", 6000, "8 0"))
    lab.run(1)
    assert lab["r1"].accepted(call)
    pbx.on_invite = lambda phone, leg: leg.ring(phone.lab.now)
    second = lab["r1"].call("502", body("10.0.2.1", 7000, formats))
    lab.run(1)
    return lab, media, call, second


@pytest.mark.parametrize("cancelled", [False, True])
def test_two_behind_a_pbx_that_refuses_changes_are_joined_in_the_relay(cancelled: bool) -> None:
    """Neither is asked nor told anything: each hears the other at the ports that it knows."""
    lab, media, call, second = behind()
    asked = len(lab.sent("pbx", "INVITE"))
    refer(lab, "r1", call, named(second).replace("202", "502"))
    if cancelled:
        second.cancel(None, lab.now)
        lab.run(1)
    lab["pbx"].leg.accept(body("10.1.0.1", 8000, "8"), lab.now)
    lab.run(2)
    assert progress(lab, "r1")[-1] == "200 OK" and lab.sent("r1", "BYE")
    assert len(lab.sent("pbx", "INVITE")) == asked
    (status,) = lab.exchange.calls()
    assert (status.state, status.answered_by) == ("connected", "farther")
    (relay,) = (each for each in media.opened if not each.closed)
    assert {path.port for path in relay.paths.values() if path is not None} == {6000, 8000}
    lab["pbx"].leg.hang_up(None, lab.now)
    lab.run(40)
    assert lab.sent("pbx", "BYE") and not lab.exchange.calls() and not lab.exchange.ua.legs and media.pairs == 100


def test_two_who_have_no_codec_in_common_are_not_joined_in_the_relay() -> None:
    """Both are asked, and refuse: who transferred hears who answered, and has its talk still."""
    lab, media, call, second = behind("8 18")
    refer(lab, "r1", call, named(second).replace("202", "502"))
    lab["pbx"].leg.accept(body("10.1.0.1", 8000, "18"), lab.now)
    lab.run(2)
    assert progress(lab, "r1")[-1] == "488 Not Acceptable Here" and lab["r1"].accepted(second)
    assert sorted(status.state for status in lab.exchange.calls()) == ["connected", "connected"]
    for leg in (call, second):
        leg.hang_up(None, lab.now)
    lab.run(40)
    assert not lab.exchange.calls() and not lab.exchange.ua.legs and media.pairs == 100


def test_a_call_dialled_by_command_can_be_named_once_it_is_answered() -> None:
    """While it rings our voice is at its phone: 491, not now, and both calls go on."""
    lab, _, call, second = behind()
    second.cancel(None, lab.now)
    lab.run(1)
    lab["r1"].on_invite = lambda phone, leg: leg.accept(body("10.0.2.1", 9000, "8"), phone.lab.now)
    assert order(lab, LineVerb.DIAL, "r1", "502").ok
    lab.run(1)
    leg = lab["r1"].leg
    where = f"<sip:502@10.0.0.100?Replaces={leg.call_id}%3Bto-tag%3D{leg.remote_tag}%3Bfrom-tag%3D{leg.local_tag}>"
    refer(lab, "r1", call, where)
    assert lab.sent("r1", "491 REFER") and len(lab.exchange.calls()) == 2
