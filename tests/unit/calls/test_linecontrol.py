"""What commands do to a line's calls: hang up, hold, resume, transfer; and what cannot be done, with its reason."""

from __future__ import annotations

import pytest

from bridge.commands.model import LineVerb
from bridge.directory.model import Line, MediaWay
from bridge.events import CommandRefused, LineOrdered
from bridge.media.model import MEMBER
from bridge.media.prompts import MUSIC, RINGBACK
from bridge.sip.leg import Leg
from bridge.sip.legevents import Requested
from bridge.sip.message import Body
from tests.support.lab import ANSWER, OFFER, Lab, Phone, answers
from tests.support.ordering import order
from tests.support.ways import ToldMedia
from tests.unit.calls.ordered.test_replacing import replace, said
from tests.unit.calls.test_media import body


def offers_when_asked(phone: Phone, event: Requested) -> None:
    """Answer a re-INVITE: with an offer of one's own where it brings none."""
    body = (
        ANSWER if event.request.body else Body(OFFER.type, OFFER.data.replace(b"10.0.0.9", phone.address[0].encode()))
    )
    event.leg.respond(event.transaction, event.request, 200, body, phone.lab.now)


def talking(members: int = 2) -> tuple[Lab, Leg]:
    """Return c1 talking to m1, with m2 (logged out) and c2 at hand."""
    lab = Lab(members=members)
    for name in list(lab.phones):
        lab[name].on_request = offers_when_asked
    for name in [name for name in lab.phones if name.startswith("m")][1:]:
        lab.login(name, False)
    lab["m1"].on_invite = answers
    call = lab["c1"].call("600")
    assert lab["c1"].accepted(call)
    lab.run(1)
    return lab, call


def acks(lab: Lab, phone: str) -> list[str]:
    """Return the bodies of the ACKs to a phone."""
    return [p.message.body.decode() for p in lab.sent(phone, "ACK")]


# -- hang up ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", ["m1", "c1"])
def test_hang_up_ends_a_talk(line: str) -> None:
    """Both phones get a BYE; whoever's line it is."""
    lab, _ = talking()
    assert order(lab, LineVerb.HANGUP, line).ok
    lab.run(40)
    assert lab.sent("m1", "BYE") and lab.sent("c1", "BYE")
    assert not lab.exchange.calls() and not lab.exchange.ua.legs
    assert [(e.verb, e.line) for e in lab.events if isinstance(e, LineOrdered)] == [("hangup", line)]


def test_hang_up_ends_a_call_that_is_being_made() -> None:
    """The caller's line hangs up while others ring: they are cancelled, it is refused."""
    lab = Lab(members=2)
    lab["c1"].call("600")
    lab.run(1)
    assert order(lab, LineVerb.HANGUP, "c1").ok
    lab.run(40)
    assert lab.sent("m1", "CANCEL") and lab.sent("m2", "CANCEL") and lab.sent("c1", "480 INVITE")
    assert not lab.exchange.ua.legs


def test_hang_up_declines_what_only_rings() -> None:
    """The line's phone stops to ring as if it had declined; the others ring on."""
    lab = Lab(members=2)
    lab["c1"].call("600")
    lab.run(1)
    assert order(lab, LineVerb.HANGUP, "m1").ok
    lab.run(1)
    assert lab.sent("m1", "CANCEL") and not lab.sent("m2", "CANCEL")
    assert lab.exchange.line("m1").state.value == "idle"


def test_hang_up_declines_a_direct_call() -> None:
    """Nobody else rings: the caller hears 603."""
    lab = Lab(members=2)
    lab["c1"].call("201")
    lab.run(1)
    assert order(lab, LineVerb.HANGUP, "m1").ok
    lab.run(1)
    assert lab.sent("c1", "603 INVITE") and not lab.exchange.calls()


def test_a_line_without_a_call_cannot_hang_up() -> None:
    """The refusal says so."""
    lab = Lab()
    reply = order(lab, LineVerb.HANGUP, "m1")
    assert reply.code == "no_call" and "m1" in reply.message


# -- hold and resume --------------------------------------------------------------------------------------------------


def test_hold_and_resume() -> None:
    """Both sides are told that nothing flows; on resume the line's phone makes the offer and they talk again."""
    lab, _ = talking()
    assert order(lab, LineVerb.HOLD, "m1").ok
    assert not lab.sent("m1", "INVITE")[-1].message.body and not lab.sent("c1", "INVITE")[-1].message.body
    assert "a=inactive" in acks(lab, "m1")[-1] and "a=inactive" in acks(lab, "c1")[-1]
    assert lab.exchange.calls()[0].held
    assert order(lab, LineVerb.HOLD, "m1").code == "no_call"
    assert order(lab, LineVerb.RESUME, "m1").ok
    assert b"10.0.0.1" in lab.sent("c1", "INVITE")[-1].message.body
    assert acks(lab, "m1")[-1].encode() == ANSWER.data
    assert not lab.exchange.calls()[0].held
    lab.run(40)
    assert len(lab.exchange.calls()) == 1


def test_the_caller_holds_the_member() -> None:
    """A line of ours that has called holds as well; only who holds resumes."""
    lab, _ = talking()
    assert order(lab, LineVerb.HOLD, "c1").ok
    assert order(lab, LineVerb.RESUME, "m1").code == "no_call"
    assert order(lab, LineVerb.RESUME, "c1").ok


def test_the_other_side_refuses_to_be_held() -> None:
    """As PBXs that refuse re-INVITE: the line's phone is silent and it hears nothing, until they talk again."""
    lab, _ = talking()
    lab["m1"].on_request = lambda phone, event: event.leg.respond(
        event.transaction, event.request, 200, ANSWER, phone.lab.now
    )
    lab["c1"].on_request = lambda phone, event: event.leg.respond(
        event.transaction, event.request, 488, None, phone.lab.now
    )
    assert order(lab, LineVerb.HOLD, "m1").code is None
    assert len(lab.sent("m1", "INVITE")) == 2 and lab.exchange.calls()[0].held
    assert b"a=inactive" in lab.sent("m1", "ACK")[-1].message.body
    assert order(lab, LineVerb.RESUME, "m1").code is None
    assert b"a=inactive" not in lab.sent("m1", "ACK")[-1].message.body and not lab.exchange.calls()[0].held


def test_the_other_side_cannot_be_held_now() -> None:
    """Nothing is changed, and the reply says what it said."""
    lab, _ = talking()
    lab["c1"].on_request = lambda phone, event: event.leg.respond(
        event.transaction, event.request, 500, None, phone.lab.now
    )
    reply = order(lab, LineVerb.HOLD, "m1")
    assert reply.code == "refused" and "500" in reply.message
    assert len(lab.sent("m1", "INVITE")) == 1 and not lab.exchange.calls()[0].held


def test_a_phone_that_refuses_to_hold() -> None:
    """Both talk on as before, and the reply says why."""
    lab, _ = talking()
    refused: list[Requested] = []

    def once(phone: Phone, event: Requested) -> None:
        if not refused:
            refused.append(event)
            event.leg.respond(event.transaction, event.request, 488, None, phone.lab.now)
        else:
            offers_when_asked(phone, event)

    lab["m1"].on_request = once
    reply = order(lab, LineVerb.HOLD, "m1")
    assert reply.code == "refused" and "488" in reply.message and not lab.exchange.calls()[0].held
    assert acks(lab, "m1")[-1].encode() == ANSWER.data and b"10.0.0.1" in lab.sent("c1", "INVITE")[-1].message.body


def test_hanging_up_while_it_is_held() -> None:
    """Either side hangs up: the other does, nothing is left."""
    lab, call = talking()
    assert order(lab, LineVerb.HOLD, "m1").ok
    call.hang_up(None, lab.now)
    lab.run(40)
    assert lab.sent("m1", "BYE") and not lab.exchange.calls() and not lab.exchange.ua.legs


def test_a_restart_forgets_a_hold() -> None:
    """Resume lets them talk again all the same."""
    lab, _ = talking()
    assert order(lab, LineVerb.HOLD, "m1").ok
    lab.restart()
    lab.run(1)
    assert not lab.exchange.calls()[0].held and order(lab, LineVerb.RESUME, "m1").ok
    assert acks(lab, "m1")[-1].encode() == ANSWER.data


def test_a_phone_that_resumes_by_itself_ends_the_hold() -> None:
    """A re-INVITE by the phone's own key is carried across, and the call is on hold no more."""
    lab, _ = talking()
    assert order(lab, LineVerb.HOLD, "m1").ok
    lab["m1"].leg.request("INVITE", OFFER, "own", lab.now)
    lab.run(1)
    assert lab.sent("c1", "INVITE")[-1].message.body == OFFER.data and not lab.exchange.calls()[0].held


def test_a_relayed_talk_is_held_in_the_relay() -> None:
    """Neither phone is told anything: the other side hears music, the line's phone nothing, until it is resumed."""
    lab, media, call = relayed()
    (relay,) = media.opened
    paths = dict(relay.paths)
    assert all(paths.values())
    assert order(lab, LineVerb.HOLD, "r2").ok
    assert (media.speaker.playing, relay.paths[0, MEMBER]) == ((MUSIC,), None)
    assert lab.exchange.calls()[0].held and len(lab.sent("r1", "INVITE")) + len(lab.sent("r2", "INVITE")) == 1
    assert order(lab, LineVerb.RESUME, "r2").ok
    assert relay.paths == paths and media.speaker.closed and not lab.exchange.calls()[0].held
    assert order(lab, LineVerb.HOLD, "r1").ok
    lab["r2"].leg.request("INVITE", body("10.0.2.2", 6002, "8"), "own", lab.now)
    lab.run(1)
    assert lab.sent("r1", "INVITE"), "a re-INVITE of the phone's own is carried across, and ends the hold"
    assert not lab.exchange.calls()[0].held and media.speaker.closed
    call.hang_up(None, lab.now)
    lab.run(40)
    assert not lab.exchange.ua.legs and media.pairs == 100


# -- transfer ---------------------------------------------------------------------------------------------------------


def test_a_blind_transfer() -> None:
    """The other side is connected to the number; the line is free; no NOTIFY where there was no REFER."""
    lab, _ = talking()
    lab["m2"].on_invite = lambda phone, leg: leg.accept(OFFER, phone.lab.now)
    reply = order(lab, LineVerb.TRANSFER, "m1", "202")
    assert reply.ok and not lab.sent("m1", "NOTIFY")
    lab.run(1)
    assert lab.sent("m1", "BYE") and lab["m2"].leg.state.value == "up"
    states = {name: lab.exchange.line(name).state.value for name in ("m1", "m2", "c1")}
    assert states == {"m1": "idle", "m2": "busy", "c1": "busy"}


def test_a_blind_transfer_that_nobody_takes() -> None:
    """All stays as it was, and an event says so."""
    lab, _ = talking()
    lab["m2"].on_invite = lambda phone, leg: leg.reject(486, phone.lab.now)
    assert order(lab, LineVerb.TRANSFER, "m1", "202").ok
    lab.run(1)
    assert not lab.sent("m1", "BYE") and lab.exchange.calls()[0].state == "connected"
    (told,) = (event for event in lab.events if isinstance(event, CommandRefused))
    assert "486" in told.message


def test_a_held_call_is_transferred() -> None:
    """Holding first makes no difference."""
    lab, _ = talking()
    assert order(lab, LineVerb.HOLD, "m1").ok
    lab["m2"].on_invite = lambda phone, leg: leg.accept(OFFER, phone.lab.now)
    assert order(lab, LineVerb.TRANSFER, "m1", "202").ok
    lab.run(1)
    assert lab.sent("m1", "BYE") and lab["m2"].leg.state.value == "up"
    assert not lab.exchange.calls()[0].held


def test_an_attended_transfer() -> None:
    """The line's held call is connected to its other one; both its legs are hung up."""
    lab, _ = talking()
    assert order(lab, LineVerb.HOLD, "m1").ok
    lab["c2"].on_invite = answers
    second = lab["m1"].call("302")
    assert lab["m1"].accepted(second)
    lab.run(1)
    assert order(lab, LineVerb.TRANSFER, "m1").ok
    lab.run(1)
    assert len(lab.sent("m1", "BYE")) == 2
    (call,) = lab.exchange.calls()
    assert call.state == "connected" and not call.held
    assert lab.sent("c1", "INVITE")[-1].message.body
    lab["c2"].leg.hang_up(None, lab.now)
    lab.run(40)
    assert lab.sent("c1", "BYE") and not lab.exchange.ua.legs


def relayed() -> tuple[Lab, ToldMedia, Leg]:
    """Return r1 talking to r2 through the relay, with m1 at hand."""
    media = ToldMedia()
    here = tuple(Line(f"r{n}", f"40{n}", contact=f"sip:r{n}@10.0.2.{n}:5060", media=MediaWay.RELAY) for n in (1, 2))
    lab = Lab(members=1, media=media, more_lines=here)
    lab["r2"].on_invite = lambda phone, leg: leg.accept(body("10.0.2.2", 6000, "8"), phone.lab.now)
    call = lab["r1"].call("402", body("10.0.2.1", 6000, "8 0"))
    assert lab["r1"].accepted(call)
    return lab, media, call


@pytest.mark.parametrize("held", [False, True])
def test_a_caller_in_the_relay_is_transferred_without_being_asked(held: bool) -> None:
    """It hears ringback, then the number; only the referrer is told anything: a BYE."""
    lab, media, _ = relayed()
    if held:
        assert order(lab, LineVerb.HOLD, "r2").ok
    assert order(lab, LineVerb.TRANSFER, "r2", "201").ok
    assert media.speaker.playing == (RINGBACK,) and lab["m1"].invites[-1].from_.uri.user == "401"
    lab["m1"].leg.accept(body("10.0.0.1", 5000, "8"), lab.now)
    lab.run(1)
    assert lab.sent("r2", "BYE") and not lab.sent("r1", "INVITE")
    before, relay = media.opened
    there = relay.paths[0, MEMBER]
    assert there is not None and there[:2] == ("10.0.0.1", 5000) and before.closed and media.speaker.closed
    assert relay.ports(0)[0] == 20000, "the caller's port stays, the other one is new"  # type: ignore[index]
    states = {name: lab.exchange.line(name).state.value for name in ("r1", "r2", "m1")}
    assert states == {"r1": "busy", "r2": "idle", "m1": "busy"}
    lab["m1"].leg.hang_up(None, lab.now)
    lab.run(40)
    assert lab.sent("r1", "BYE") and not lab.exchange.ua.legs and media.pairs == 100


@pytest.mark.parametrize("held", [False, True])
def test_nobody_takes_a_caller_in_the_relay(held: bool) -> None:
    """The two talk on as before; who was on hold hears music again."""
    lab, media, call = relayed()
    paths = dict(media.opened[0].paths)
    if held:
        assert order(lab, LineVerb.HOLD, "r2").ok
    lab["m1"].on_invite = lambda phone, leg: leg.reject(486, phone.lab.now)
    assert order(lab, LineVerb.TRANSFER, "r2", "201").ok
    lab.run(1)
    if held:
        assert media.speaker.playing == (MUSIC,) and not media.speaker.closed
        assert order(lab, LineVerb.RESUME, "r2").ok
    assert media.opened[0].paths == paths and media.speaker.closed
    (talk,) = lab.exchange.calls()
    assert (talk.state, talk.held) == ("connected", False)
    call.hang_up(None, lab.now)
    lab.run(40)
    assert not lab.exchange.ua.legs and media.pairs == 100


def test_no_place_is_taken_while_a_caller_in_the_relay_is_transferred() -> None:
    """The relay is lent to the call to the number: another phone of the line gets 491, and the transfer goes on."""
    lab, media, call = relayed()
    assert order(lab, LineVerb.TRANSFER, "r2", "201").ok
    replace(lab, "r2", lab["r2"].leg, body=body("10.0.2.2", 6100, "8"))
    assert said(lab, "r2") == ["491"]
    lab["m1"].leg.accept(body("10.0.0.1", 5000, "8"), lab.now)
    lab.run(1)
    call.hang_up(None, lab.now)
    lab.run(40)
    assert lab.sent("m1", "BYE") and not lab.exchange.ua.legs and media.pairs == 100


def test_nobody_is_transferred_while_their_peer_is_just_being_replaced() -> None:
    """The command is told that the call is busy."""
    lab, _, _ = relayed()
    lab["r1"].on_request = lambda phone, event: None
    replace(lab, "r2", lab["r2"].leg, body=body("10.0.2.2", 6100, "8"))
    assert order(lab, LineVerb.TRANSFER, "r2", "201").code == "busy"


@pytest.mark.parametrize("who", ["r1", "r2"])
def test_a_side_hangs_up_while_a_caller_in_the_relay_is_transferred(who: str) -> None:
    """The caller: the number is cancelled. The referrer: the transfer goes on."""
    lab, media, call = relayed()
    assert order(lab, LineVerb.TRANSFER, "r2", "201").ok
    assert order(lab, LineVerb.HOLD, "r2").code == "busy"
    (call if who == "r1" else lab["r2"].leg).hang_up(None, lab.now)
    lab.run(1)
    if who == "r2":
        lab["m1"].leg.accept(body("10.0.0.1", 5000, "8"), lab.now)
        lab.run(1)
        assert not lab.sent("r1", "BYE")
        call.hang_up(None, lab.now)
    lab.run(40)
    assert lab.sent("m1", "CANCEL" if who == "r1" else "BYE")
    assert not lab.exchange.calls() and not lab.exchange.ua.legs and media.pairs == 100


@pytest.mark.parametrize("relayed_talk", [False, True])
def test_who_has_transferred_may_hang_up_at_once(relayed_talk: bool) -> None:
    """By command as with the phone: the transfer goes on; whose it is that is transferred ends it all."""
    for line, goes_on in (("m1", True), ("c1", False)):
        if relayed_talk:
            lab, _, _ = relayed()
            line = {"m1": "r2", "c1": "r1"}[line]
            referrer, target = "r2", "m1"
        else:
            lab, _ = talking()
            referrer, target = "m1", "m2"
        assert order(lab, LineVerb.TRANSFER, referrer, lab.directory.lines[target].number).ok
        assert order(lab, LineVerb.HANGUP, line).ok
        assert bool(lab.sent(target, "CANCEL")) is not goes_on
        if goes_on:
            lab[target].leg.accept(body(lab[target].address[0], 5000, "8"), lab.now)
            lab.run(1)
            (call,) = lab.exchange.calls()
            assert call.state == "connected" and lab.exchange.line(referrer).state.value == "idle"
            assert order(lab, LineVerb.HANGUP, target).ok
        lab.run(40)
        assert not lab.exchange.calls() and not lab.exchange.ua.legs


@pytest.mark.parametrize("number, code", [("999", "unknown_line"), (None, "no_call")])
def test_a_transfer_that_leads_nowhere(number: str | None, code: str) -> None:
    """A number that nobody has; no other call to connect with."""
    lab, _ = talking()
    assert order(lab, LineVerb.TRANSFER, "m1", number).code == code
    assert lab.exchange.calls()[0].state == "connected"


def test_which_of_several_calls() -> None:
    """A line with two calls is to say which, unless one is on hold; with the id it is that one."""
    lab, _ = talking()
    lab["c2"].on_invite = answers
    second = lab["m1"].call("302")
    assert lab["m1"].accepted(second)
    lab.run(1)
    first, other = lab.exchange.calls()
    reply = order(lab, LineVerb.HANGUP, "m1")
    assert reply.code == "several_calls" and first.call in reply.message and other.call in reply.message
    assert order(lab, LineVerb.HOLD, "m1", call=first.call).ok
    assert order(lab, LineVerb.HANGUP, "m1").data["call"] == other.call
    assert [call.call for call in lab.exchange.calls()] == [first.call]
