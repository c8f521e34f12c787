"""The bridge itself has another address, or its network is back: PBX and talks are told at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bridge.calls.model import ExchangeSettings, TrunkSettings
from bridge.directory.model import Line, MediaWay
from bridge.media.model import CALLER, Path
from bridge.media.prompts import MUSIC
from bridge.sip.legevents import Requested
from bridge.sip.message import Body, Request
from bridge.sip.reading import parse_message
from tests.support.hall import describes, hall, plays
from tests.support.lab import Lab, Phone
from tests.unit.calls.pbx.test_trunks import GIVE_UP, Server
from tests.unit.calls.test_media import ANSWER, OFFER, connected, lab, says, sdp

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


def stubborn(description: Body, *taken: str, status: int = 488) -> Callable[[Phone, Requested], None]:
    """Return what takes only these methods inside a dialog, and refuses all others."""

    def on_request(phone: Phone, event: Requested) -> None:
        takes = event.request.method in taken
        body = description if takes and event.request.body else None
        event.leg.respond(event.transaction, event.request, 200 if takes else status, body, phone.lab.now)

    return on_request


def told_of(lab: Lab) -> list[str]:
    """Return who is said not to know our address, or not to send there."""
    story = lab.exchange.story(None)
    assert story is not None
    return [step.what for step in story.steps if " does not " in step.what]


def test_a_side_of_a_relayed_talk_that_refuses_reinvite_is_told_by_update() -> None:
    """The same description, at our new address; nothing is left to be noted, nor told again."""
    made, media, _ = connected()
    made["c3"].on_request = stubborn(OFFER, "UPDATE")
    change(made)
    made.run(20)
    (invite,), (update,) = made.sent("c3", "INVITE"), made.sent("c3", "UPDATE")
    assert NEW in update.message.headers["Contact"][0] and update.message.body == invite.message.body
    assert sdp(update.message).host == NEW and not told_of(made)
    assert len(made.sent("m1", "INVITE")) == 2 and not made.sent("m1", "UPDATE") and not media.opened[0].closed


def test_a_side_of_a_direct_talk_that_refuses_reinvite_is_told_by_update() -> None:
    """Without a description, since its media do not pass us: its hang-up comes to the new address."""
    made, media, _ = connected(way=MediaWay.DIRECT)
    made["c3"].on_request = made["m1"].on_request = stubborn(ANSWER, "UPDATE")
    change(made)
    made.run(20)
    for phone in ("c3", "m1"):
        (update,) = made.sent(phone, "UPDATE")
        assert NEW in update.message.headers["Contact"][0] and not update.message.body
    assert not told_of(made) and not media.opened
    change(made, "10.0.0.223")
    made.run(20)
    assert len(made.sent("c3", "UPDATE")) == len(made.sent("m1", "UPDATE")) == 2


def test_one_side_of_a_direct_talk_that_refuses_reinvite_is_told_by_update() -> None:
    """The other one has learned it by re-INVITE, and is not told twice."""
    made, _, _ = connected(way=MediaWay.DIRECT)
    made["m1"].on_request = stubborn(ANSWER, "UPDATE")
    change(made)
    made.run(20)
    assert NEW in made.sent("m1", "UPDATE")[0].message.headers["Contact"][0]
    assert NEW in made.sent("c3", "INVITE")[0].message.headers["Contact"][0]
    assert not made.sent("c3", "UPDATE") and not told_of(made)


@pytest.mark.parametrize("way", [MediaWay.RELAY, MediaWay.DIRECT])
@pytest.mark.parametrize("names", [True, False])
def test_who_takes_no_update_either_is_noted(way: MediaWay, names: bool) -> None:
    """Asked by UPDATE where its Allow names that, and only there."""
    made, media = lab(way=way)
    if not names:
        made["c3"].ua.allow = "INVITE, ACK, CANCEL, BYE"
    call = made["c3"].call("600", OFFER)
    made.run(0.1)
    assert made["c3"].accepted(call)
    made["c3"].on_request = stubborn(OFFER, status=405)
    change(made)
    made.run(20)
    assert len(made.sent("c3", "UPDATE")) == names and len(told_of(made)) == 1
    assert len(made.exchange.calls()) == 1


def test_a_caller_who_waits_is_told_where_the_music_comes_from_now() -> None:
    """By re-INVITE: the same port and session at the new address, one version more; the music goes on."""
    made = hall()
    made.call("c3")
    lab = made.lab
    change(lab)
    lab.run(1)
    (answer,), (again,) = lab.sent("c3", "200 INVITE"), lab.sent("c3", "INVITE")
    before, after = sdp(answer.message), sdp(again.message)
    assert NEW in again.message.headers["Contact"][0] and (before.host, after.host) == ("10.0.0.100", NEW)
    assert after.media[0].port == before.media[0].port
    assert after.origin[:3] == (before.origin.username, before.origin.session, before.origin.version + 1)
    assert lab.to("c3").count("ACK") == 1 and plays(made.voice()) == (MUSIC,) and not told_of(lab)
    made.answer("m1")
    lab.run(1)
    assert lab.exchange.calls()[0].state == "connected" and len(lab.sent("c3", "INVITE")) == 1


def test_a_caller_who_waits_and_refuses_reinvite_is_told_by_update() -> None:
    """As sides of a talk are; one who refuses both goes on waiting, and that is noted."""
    for taken, noted in ((("UPDATE",), 0), ((), 1)):
        made = hall()
        made.call("c3")
        made.lab["c3"].on_request = stubborn(describes(made.lab["c3"]), *taken)
        change(made.lab)
        made.lab.run(20)
        (update,) = made.lab.sent("c3", "UPDATE")
        assert sdp(update.message).host == NEW and NEW in update.message.headers["Contact"][0]
        assert len(told_of(made.lab)) == noted and made.lab.exchange.calls()[0].state == "waiting"


def test_a_caller_who_is_served_while_being_told() -> None:
    """The answer comes when a member has taken the call: it is acknowledged, and both hear each other."""
    made = hall()
    made.call("c3")
    asked: list[Requested] = []
    made.lab["c3"].on_request = lambda phone, event: asked.append(event)
    change(made.lab)
    made.answer("m1")
    made.lab.run(0.5)
    (event,) = asked
    event.leg.respond(event.transaction, event.request, 200, describes(made.lab["c3"], version=2), made.lab.now)
    made.lab.run(3)
    assert made.lab.to("c3").count("ACK") == 1 and made.lab.exchange.calls()[0].state == "connected"
    assert made.media.opened[0].paths[0, CALLER] == Path("10.0.1.3", 4000, 4001) and not told_of(made.lab)


def test_a_caller_who_has_not_acknowledged_yet_is_told_soon_after() -> None:
    """Nothing can be asked before the ACK to our answer; it is asked a little later."""
    made = hall()
    leg = made.lab["c3"].call("600", describes(made.lab["c3"]))
    change(made.lab)
    assert not made.lab.sent("c3", "INVITE")
    leg.acknowledge(None, made.lab.now)
    made.lab.run(3)
    (again,) = made.lab.sent("c3", "INVITE")
    assert sdp(again.message).host == NEW and not told_of(made.lab)


def test_what_the_bridge_says_is_parsable_after_a_change_to_ipv6() -> None:
    """The address is written in brackets."""
    lab, _ = office()
    change(lab, "2001:db8::5")
    (last,) = [passed for passed in lab.wire if passed.name == "REGISTER"][-1:]
    assert "[2001:db8::5]" in last.message.headers["Contact"][0] and parse_message(bytes(last.message))
