"""Session timers in every role (RFC 4028), and glare: who has asked at the same time asks again, each in its time."""

from __future__ import annotations

import random

import pytest

from bridge.commands.model import LineVerb
from bridge.sip.glare import pause
from bridge.sip.incoming import IncomingLeg
from bridge.sip.legevents import Requested
from bridge.sip.message import response_to
from tests.support.lab import ANSWER, OFFER, Lab, Phone, answers
from tests.support.ordering import order
from tests.unit.calls.onward.test_early import agrees
from tests.unit.calls.onward.test_transfer import progress, refer, three
from tests.unit.calls.test_dialogs import connected, invite_with_timer


def refreshed(lab: Lab, phone: str, method: str) -> list[float]:
    """Return when a phone was refreshed: requests that name the time and us as who refreshes."""
    sent = [p for p in lab.sent(phone, method) if p.message.get("Session-Expires") == "300;refresher=uac"]
    assert all("timer" in p.message.tokens("Supported") for p in sent)
    return [round(p.at - 1000) for p in sent]


def called_with_timer(refresher: str, update: bool) -> Lab:
    """Return c1 talking to m1, whose INVITE asked for a timer of 300 s."""
    lab = Lab(members=1)
    lab["m1"].on_invite = answers
    lab["c1"].ua.allow = lab["c1"].ua.allow if update else "INVITE, ACK, BYE, CANCEL, OPTIONS"
    call = invite_with_timer(lab, f"300;refresher={refresher}")
    assert lab["c1"].accepted(call)
    call.lookout.stop()
    return lab


def test_we_refresh_where_the_caller_wants_that() -> None:
    """`refresher=uas`: an UPDATE each half of the time, again and again; the other side is left alone."""
    lab = called_with_timer("uas", update=True)
    assert lab.sent("c1", "200 INVITE")[0].message.get("Session-Expires") == "300;refresher=uas"
    lab.run(590)
    assert refreshed(lab, "c1", "UPDATE") == [151, 301, 451]
    assert not lab.sent("m1", "UPDATE") and lab.exchange.calls()


def test_we_refresh_by_reinvite_who_has_no_update() -> None:
    """With what was said last, so that nothing changes; its 2xx is acknowledged."""
    lab = called_with_timer("uas", update=False)
    before = lab.sent("c1", "200 INVITE")[0].message.body
    lab["c1"].on_request = agrees
    lab.run(320)
    assert refreshed(lab, "c1", "INVITE") == [151, 301]
    assert [p.message.body for p in lab.sent("c1", "INVITE")] == [before] * 2
    assert len(lab.sent("c1", "ACK")) == 2 and not lab.of("c1", "BYE") and lab.exchange.calls()


def test_who_is_refreshed_is_gone() -> None:
    """481 to the refresh: the talk is over for both."""
    lab = called_with_timer("uas", update=False)
    lab["c1"].on_request = lambda phone, event: event.leg.respond(
        event.transaction, event.request, 481, None, phone.lab.now
    )
    lab.run(160)
    assert not lab.exchange.calls() and lab.sent("m1", "BYE")


def test_a_refresh_that_is_too_early_for_the_peer() -> None:
    """422 with Min-SE: asked again at once, by the time that it wants."""
    lab = called_with_timer("uas", update=True)

    def too_small(phone: Phone, event: Requested) -> None:
        phone.on_request = agrees
        response = response_to(event.request, 422)
        response.set("Min-SE", "900")
        event.leg._owed = ()
        event.leg._asking = None
        event.transaction.respond(response, phone.lab.now)

    lab["c1"].on_request = too_small
    lab.run(170)
    asked = [p.message.get("Session-Expires") for p in lab.sent("c1", "UPDATE")]
    assert asked == ["300;refresher=uac", "900;refresher=uac"] and lab.exchange.calls()


@pytest.mark.parametrize("refresher", ["uas", "uac"])
def test_a_member_that_names_a_timer_though_nobody_asked(refresher: str) -> None:
    """PBXs do: one that refreshes itself is gone when it does not; one that leaves it to us is refreshed."""
    lab = Lab(members=1)

    def names_it(phone: Phone, leg: IncomingLeg) -> None:
        assert leg.invite is not None
        leg.invite.set("Supported", "timer")
        leg.invite.set("Session-Expires", f"300;refresher={refresher}")
        leg.accept(ANSWER, phone.lab.now)
        leg.lookout._refreshes = None  # it says that it will, and does not

    lab["m1"].on_invite = names_it
    call = lab["c1"].call("600")
    assert lab["c1"].accepted(call)
    lab.run(299)
    assert bool(lab.exchange.calls()) is (refresher == "uac")
    assert refreshed(lab, "m1", "UPDATE") == ([150] if refresher == "uac" else [])
    assert bool(lab.sent("c1", "BYE")) is (refresher == "uas")


# -- glare ------------------------------------------------------------------------------------------------------------


def test_the_pause_goes_by_whose_the_call_id_is() -> None:
    """RFC 3261 §14.1: 2.1 to 4 s for its owner, at most 2 s for the other."""
    uniform = random.Random(1).uniform
    ours, theirs = ([pause(own, uniform) for _ in range(200)] for own in (True, False))
    assert 2.1 <= min(ours) < max(ours) <= 4.0 and 0.0 <= min(theirs) < max(theirs) <= 2.0


def asked(lab: Lab, phone: str) -> list[float]:
    """Return when a phone was sent re-INVITEs, seconds after the first."""
    times = [p.at for p in lab.sent(phone, "INVITE") if p.message.to_tag]
    return [round(at - times[0], 3) for at in times]


def refuses_twice(lab: Lab, phone: str) -> None:
    """Let a phone say 491 to the first two."""
    heard: list[Requested] = []

    def answer(of: Phone, event: Requested) -> None:
        heard.append(event)
        if len(heard) < 3:
            event.leg.respond(event.transaction, event.request, 491, None, lab.now)
        else:
            agrees(of, event)

    lab[phone].on_request = answer


def test_a_hold_that_crosses_the_other_sides() -> None:
    """By command: asked again, each time after a pause of the caller's Call-ID; then it is held."""
    lab, _ = connected()
    lab["m1"].on_request = agrees
    refuses_twice(lab, "c1")
    assert order(lab, LineVerb.HOLD, "m1").code == "waiting"
    lab.run(5)
    pauses = [b - a for a, b in zip(asked(lab, "c1"), asked(lab, "c1")[1:], strict=False)]
    assert len(pauses) == 2 and all(0 <= each <= 2 for each in pauses)
    assert lab.exchange.calls()[0].held


def test_a_transfer_that_crosses_a_change_of_the_members() -> None:
    """Our own Call-ID: 2.1 to 4 s between two tries."""
    lab, call = three()
    lab["m2"].on_invite = lambda phone, leg: leg.accept(OFFER, phone.lab.now)
    refuses_twice(lab, "m1")
    refer(lab, "c1", call, "<sip:202@10.0.0.100>")
    lab.run(10)
    pauses = [b - a for a, b in zip(asked(lab, "m1"), asked(lab, "m1")[1:], strict=False)]
    assert len(pauses) == 2 and all(2.1 <= each <= 4 for each in pauses)
    assert progress(lab, "c1")[-1] == "200 OK" and not lab.sent("m1", "BYE")


def test_what_the_peer_asks_meanwhile_comes_first() -> None:
    """While we wait after a 491 the phone's own re-INVITE is carried across; then ours goes out again."""
    lab, call = three()
    lab["m2"].on_invite = lambda phone, leg: leg.accept(OFFER, phone.lab.now)
    refuses_twice(lab, "c1")
    refer(lab, "m1", lab["m1"].leg, "<sip:202@10.0.0.100>")
    assert call.request("INVITE", OFFER, "hold", lab.now)
    lab.run(0.1)
    assert lab.replies("c1")[-1].status == 200
    call.acknowledge(None, lab.now)
    lab.run(8)
    assert progress(lab, "m1")[-1] == "200 OK"


def test_a_change_that_is_only_carried_across_is_not_repeated() -> None:
    """The phone whose re-INVITE it is hears the 491, and asks again by itself."""
    lab, call = connected()
    lab["m1"].on_request = lambda phone, event: event.leg.respond(
        event.transaction, event.request, 491, None, phone.lab.now
    )
    assert call.request("INVITE", OFFER, "hold", lab.now)
    lab.run(10)
    assert [r.status for r in lab.replies("c1")] == [491] and len(lab.sent("m1", "INVITE")) == 2


def test_who_hangs_up_is_not_asked_again() -> None:
    """BYE while we wait after a 491."""
    lab, _ = connected()
    lab["m1"].on_request = agrees
    refuses_twice(lab, "c1")
    order(lab, LineVerb.HOLD, "m1")
    next(iter(lab["c1"].ua.legs.values())).hang_up(None, lab.now)
    before = len(lab.sent("c1", "INVITE"))
    lab.run(40)
    assert len(lab.sent("c1", "INVITE")) == before and not lab.exchange.ua.legs and not lab.exchange.calls()
