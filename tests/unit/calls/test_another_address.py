"""The bridge itself has another address, or its network is back: PBX and talks are told at once."""

from __future__ import annotations

import pytest

from bridge.calls.model import ExchangeSettings, TrunkSettings
from bridge.directory.model import Line
from bridge.sip.legevents import Requested
from bridge.sip.message import Request
from bridge.sip.reading import parse_message
from tests.support.lab import Lab, Phone
from tests.unit.calls.pbx.test_trunks import GIVE_UP, Server
from tests.unit.calls.test_media import ANSWER, OFFER, connected, says, sdp

NEW = "10.0.0.222"
PBX = "10.1.0.1"


def office(**more: object) -> tuple[Lab, Server]:
    """Return a lab whose trunk is registered at a PBX."""
    trunk = TrunkSettings("pbx", PBX, username="620", password="x", number="600", **more)  # type: ignore[arg-type]
    lab = Lab(
        members=1,
        settings=ExchangeSettings(trunks=(trunk,)),
        more_lines=(Line("anna", "211", trunk="pbx"),),
    )
    server = Server(lab, "pbx", PBX)
    lab.phones["pbx"] = server
    lab.exchange.start(lab.now)
    lab.run(1)
    return lab, server


def change(lab: Lab, here: str = NEW, links: bool = False) -> None:
    """Give the bridge this address."""
    lab.here = here
    lab.exchange.network_changed(lab.now, links)
    lab.run(0.5)


def contacts(requests: list[Request]) -> list[str]:
    """Return the hosts of the Contacts of REGISTERs."""
    return [request.headers["Contact"][0].partition("@")[2].partition(":")[0] for request in requests]


def test_another_address_is_registered_at_once() -> None:
    """Not only when the next REGISTER is due; what has not changed is said to nobody."""
    lab, server = office()
    change(lab, lab.here)
    change(lab, lab.here, links=True)
    assert contacts(server.registrations) == ["10.0.0.100"]
    change(lab)
    change(lab)
    assert contacts(server.registrations) == ["10.0.0.100", NEW]
    assert lab.exchange.trunks()[0].state == "registered"


def test_an_address_that_changes_while_a_register_is_under_way() -> None:
    """The answer is to one with the address of before: another one follows it, and no third."""
    lab, server = office()
    lab.run(290)
    before = len(server.registrations)
    lab.delay = 0.2
    lab.exchange.upstream.trunks["pbx"].suspect(lab.exchange.upstream.trunks["pbx"].flow, lab.now)  # type: ignore[arg-type]
    lab.run(0.1)
    change(lab)
    lab.run(5)
    assert contacts(server.registrations)[before:] == ["10.0.0.100", NEW]


def test_an_address_that_changed_unnoticed_is_told_with_the_next_register() -> None:
    """Where the kernel does not tell: the refresh has the address that there is by then."""
    lab, server = office()
    lab.here = NEW
    lab.run(300)
    assert contacts(server.registrations)[-1] == NEW


def test_a_network_that_is_back_is_tried_at_once() -> None:
    """The agent was there before the network: it does not wait for the end of a long pause, nor does it spin before."""
    lab = Lab(members=0, settings=ExchangeSettings(trunks=(TrunkSettings("pbx", PBX, username="620", password="x"),)))
    lab.here = "127.0.0.1"
    lab.exchange.start(lab.now)
    lab.run(3600)
    tries = [passed for passed in lab.wire if passed.name == "REGISTER"]
    branches = {passed.message.headers["Via"][0] for passed in tries}
    assert lab.exchange.trunks()[0].state == "lost" and 10 <= len(branches) <= 30
    server = Server(lab, "pbx", PBX)
    lab.phones["pbx"] = server
    lab.run(GIVE_UP)
    seen = len(server.registrations)
    if not seen:
        change(lab)
    assert len(server.registrations) == seen + (not seen) and lab.exchange.trunks()[0].state == "registered"


def test_a_link_that_is_back_is_tried_at_once_and_a_refusal_is_not() -> None:
    """The same address as before, the cable was out; who was refused for a wrong password does not knock again."""
    for status, tried in ((503, True), (403, False)):
        lab, server = office()
        server.status = status
        lab.run(600)
        assert lab.exchange.trunks()[0].state == "lost"
        before = len(server.registrations)
        change(lab, lab.here)
        assert len(server.registrations) == before
        change(lab, lab.here, links=True)
        assert len(server.registrations) == before + tried


def test_a_relayed_talk_is_told_where_its_media_come_to_now() -> None:
    """Both phones by re-INVITE: our new address in Contact and in the description, its version one more."""
    made, media, _ = connected()
    change(made)
    made.run(2)
    for phone, before in (("c3", "200 INVITE"), ("m1", "INVITE")):
        told = sdp(made.sent(phone, before)[0].message)
        again = made.sent(phone, "INVITE")[-1].message
        described = sdp(again)
        assert again.headers["Contact"][0].partition("@")[2].startswith(NEW)
        assert (described.host, described.media[0].port) == (NEW, told.media[0].port)
        assert described.origin.version == told.origin.version + 1 and described.origin.session == told.origin.session
    (relay,) = media.opened
    assert not relay.closed and len(made.exchange.calls()) == 1
    assert len(made.sent("c3", "INVITE")) == 1 and len(made.sent("m1", "INVITE")) == 2


def test_a_direct_talk_is_told_the_address_for_its_signalling() -> None:
    """Each phone gets the other's description again with our new Contact; a hang-up is carried through as before."""
    lab = Lab(members=1)
    lab["m1"].on_invite = lambda phone, leg: leg.accept(ANSWER, phone.lab.now)

    def offers(phone: Phone, event: Requested) -> None:
        body = OFFER if phone.name == "c1" else ANSWER
        event.leg.respond(event.transaction, event.request, 200, body, phone.lab.now)

    lab["c1"].on_request = lab["m1"].on_request = offers
    call = lab["c1"].call("600", OFFER)
    lab.run(0.1)
    assert lab["c1"].accepted(call)
    change(lab)
    lab.run(2)
    for phone in ("c1", "m1"):
        assert NEW in lab.sent(phone, "INVITE")[-1].message.headers["Contact"][0]
    assert lab.sent("m1", "INVITE")[-1].message.body == OFFER.data
    assert lab.sent("c1", "ACK")[-1].message.body == ANSWER.data
    lab["m1"].leg.hang_up(None, lab.now)
    lab.run(1)
    assert lab.ended("c1") and not lab.exchange.calls()


@pytest.mark.parametrize("status", [403, 488])
def test_who_refuses_to_be_told_talks_on(status: int) -> None:
    """A stubborn PBX takes no re-INVITE: nothing is changed for either side, the story says so."""
    made, media, _ = connected()
    made["c3"].on_request = lambda phone, event: event.leg.respond(
        event.transaction, event.request, status, None, phone.lab.now
    )
    made["m1"].on_request = says(ANSWER)
    change(made)
    made.run(20)
    assert len(made.exchange.calls()) == 1 and not media.opened[0].closed
    story = made.exchange.story(None)
    assert story is not None and any(step.why.startswith(str(status)) for step in story.steps)


def test_what_the_bridge_says_is_parsable_after_a_change_to_ipv6() -> None:
    """The address is written in brackets."""
    lab, _ = office()
    change(lab, "2001:db8::5")
    (last,) = [passed for passed in lab.wire if passed.name == "REGISTER"][-1:]
    assert "[2001:db8::5]" in last.message.headers["Contact"][0] and parse_message(bytes(last.message))
