"""Phones that speak from another place in a talk: a translator began anew, a connection was made again."""

from __future__ import annotations

import random
from typing import Any

import pytest

from bridge.calls.model import ExchangeSettings
from bridge.directory.model import Line
from bridge.media.model import CALLER, Path
from bridge.sip.digest import Authenticator, Credentials
from bridge.sip.flow import Flow
from bridge.sip.leg import RETURNS_WITHIN
from bridge.sip.message import Request, Response
from bridge.sip.outgoing import OutgoingLeg
from tests.support.lab import ANSWER, BRIDGE, Lab, Phone
from tests.support.ways import ToldMedia
from tests.unit.calls.test_media import body

FAR = ("192.0.2.9", 40001)
LATER = ("192.0.2.9", 40777)
ELSEWHERE = ("198.51.100.3", 1024)
BEHIND = body("172.16.5.2", 4000)


class Roamer:
    """A phone of line 209 behind a translator, which registers from wherever it is seen."""

    def __init__(self, transport: str = "udp", media: ToldMedia | None = None) -> None:
        self.lab = Lab(
            members=1,
            settings=ExchangeSettings(passwords={"far": "secret"}),
            more_lines=(Line("far", "209", registers=True),),
            media=media,
        )
        self.lab["m1"].on_invite = _picks_up
        self.phone = self.lab.add("209", FAR)
        self.phone.transport = transport
        self.contact = f"sip:209@172.16.5.2:5060{';transport=tcp' if transport == 'tcp' else ''}"
        self._prove = Authenticator(Credentials("209", "secret"), random.Random(6))
        self._sent = 0
        self.answers: list[int] = []

    def register(self, call_id: str = "registers") -> None:
        """Register from where it is."""
        for _ in range(2):
            self._sent += 1
            headers = {
                "Max-Forwards": ["70"],
                "From": ["<sip:209@10.0.0.100>;tag=r"],
                "To": ["<sip:209@10.0.0.100>"],
                "Call-ID": [call_id],
                "CSeq": [f"{self._sent} REGISTER"],
                "Contact": [f"<{self.contact}>"],
            }
            request = Request("REGISTER", "sip:10.0.0.100", headers)
            self._prove.authorize(request)
            self.phone.ua.layer.request(request, BRIDGE, self, self.lab.now)
            self.lab.run(0)
            if self.answers[-1] == 200:
                return

    def on_response(self, transaction: Any, response: Response, now: float) -> None:
        """Take the registrar's answer."""
        self.answers.append(response.code)
        if response.code == 401:
            self._prove.answer(response, "REGISTER", "sip:10.0.0.100")

    def on_failure(self, transaction: Any, status: int, now: float) -> None:
        """Nothing is lost here."""
        raise AssertionError(status)

    def talks(self) -> OutgoingLeg:
        """Register, call the group, be answered."""
        self.register()
        leg = self.phone.ua.call(Flow(self.phone.transport, *BRIDGE[1:3]), "209", pinned=False)
        leg.authenticator = self._prove
        at = f"{self.phone.address[0]}:{self.phone.address[1]}"
        leg.invite("sip:600@10.0.0.100", f"<sip:209@{at}>", "<sip:600@10.0.0.100>", BEHIND, {}, self.lab.now)
        self.lab.run(0.1)
        assert self.phone.accepted(leg)
        return leg

    def told(self) -> list[str]:
        """What the story of the last call says."""
        story = self.lab.exchange.story(None)
        assert story is not None
        return [step.what for step in story.steps]


def _picks_up(phone: Phone, leg: Any) -> None:
    leg.accept(ANSWER, phone.lab.now)


@pytest.mark.parametrize("registers", [True, False])
@pytest.mark.parametrize("place", [LATER, ELSEWHERE])
def test_a_talk_follows_a_phone_whose_translator_has_begun_anew(place: tuple[str, int], registers: bool) -> None:
    """It registers from elsewhere, or says something inside the talk: from then on what the bridge says goes there."""
    roamer = Roamer()
    leg = roamer.talks()
    roamer.phone.address = place
    if registers:
        roamer.register()
    else:
        assert leg.request("INFO", None, None, roamer.lab.now)
        roamer.lab.run(0.1)
    roamer.lab["m1"].leg.hang_up(None, roamer.lab.now)
    roamer.lab.run(1)
    (bye,) = [passed for passed in roamer.lab.wire if passed.name == "BYE" and passed.source[0] == BRIDGE.host]
    assert bye.target == place
    assert roamer.lab.ended("209") and "caller speaks from elsewhere" in roamer.told()


def test_who_does_not_know_the_talk_does_not_draw_it_to_himself() -> None:
    """The right Call-ID and our tag, but not the phone's: 481, and the talk stays where it was."""
    roamer = Roamer()
    leg = roamer.talks()
    stranger = Flow("udp", "203.0.113.66", 5060)
    assert leg.dialog is not None
    _, request = leg.dialog.request("INFO")
    request.set("From", "<sip:209@10.0.0.100>;tag=guessed")
    request.headers["Via"] = ["SIP/2.0/UDP 203.0.113.66;branch=z9hG4bKattack;rport"]
    roamer.lab.exchange.receive(bytes(request), stranger, roamer.lab.now)
    roamer.lab.run(0.1)
    roamer.lab["m1"].leg.hang_up(None, roamer.lab.now)
    roamer.lab.run(1)
    assert roamer.lab.ended("209")


def test_the_relay_listens_to_where_the_phone_is_now() -> None:
    """Another address outside is another one for its packets too, and the choice of its port is open again."""
    media = ToldMedia()
    roamer = Roamer(media=media)
    roamer.talks()
    (relay,) = media.opened
    assert relay.paths[0, CALLER] == Path(FAR[0], 4000, 4001, follows=True)
    relay.paths.clear()
    roamer.phone.address = ELSEWHERE
    roamer.register()
    assert relay.paths[0, CALLER] == Path(ELSEWHERE[0], 4000, 4001, follows=True)


@pytest.mark.parametrize("contact", ["sip:209@172.16.5.2:5060;transport=tcp", "sip:209@172.16.5.2:49152;transport=tcp"])
def test_a_connection_made_again(contact: str) -> None:
    """A phone's connection breaks in a talk; what the bridge says goes by the new one, whatever its Contact is then."""
    roamer = Roamer("tcp")
    roamer.talks()
    roamer.lab.exchange.flow_failed(Flow("tcp", *FAR), "connection lost", roamer.lab.now)
    roamer.lab.run(2)
    assert not roamer.lab.ended("209") and not roamer.lab.exchange.registrar.bindings("far")
    roamer.phone.address, roamer.contact = LATER, contact
    roamer.register()
    roamer.lab["m1"].leg.hang_up(None, roamer.lab.now)
    roamer.lab.run(1)
    assert roamer.lab.ended("209") and not roamer.lab.exchange.ua.legs


@pytest.mark.parametrize("returns", [True, False])
def test_a_phone_that_is_hung_up_while_its_connection_is_gone(returns: bool) -> None:
    """It is hung up as soon as it is back; one that does not come back is given up."""
    roamer = Roamer("tcp")
    roamer.talks()
    lost = Flow("tcp", *FAR)
    roamer.lab.exchange.flow_failed(lost, "connection lost", roamer.lab.now)
    roamer.phone.address = ("0.0.0.0", 1)
    roamer.lab["m1"].leg.hang_up(None, roamer.lab.now)
    roamer.lab.run(0.1)
    roamer.lab.exchange.flow_failed(lost, "no connection", roamer.lab.now)
    roamer.lab.run(RETURNS_WITHIN - 1)
    assert len(roamer.lab.exchange.ua.legs) == 1
    if returns:
        roamer.phone.address = LATER
        roamer.register()
    roamer.lab.run(2)
    assert roamer.lab.ended("209") is returns
    roamer.lab.run(64)
    assert not roamer.lab.exchange.ua.legs and not roamer.lab.exchange.ua.layer.asking


def test_a_static_phone_is_always_where_it_stands() -> None:
    """Its requests may come from another port than its contact's; the bridge's go to the contact."""
    lab = Lab(members=1)
    lab["m1"].on_invite = _picks_up
    leg = lab["c1"].call("600")
    lab.run(0.1)
    assert lab["c1"].accepted(leg)
    lab["c1"].address = ("10.0.1.1", 6000)
    assert leg.request("INFO", None, None, lab.now)
    lab.run(0.1)
    lab["m1"].leg.hang_up(None, lab.now)
    lab.run(0.1)
    (bye,) = [passed for passed in lab.wire if passed.name == "BYE" and passed.source[0] == BRIDGE.host]
    assert bye.target == ("10.0.1.1", 5060)


@pytest.mark.parametrize("registers_first", [True, False])
def test_a_connection_that_breaks_while_the_hang_up_is_on_its_way(registers_first: bool) -> None:
    """BYE goes into a connection that nobody has seen end yet; it goes again by the phone's next one."""
    roamer = Roamer("tcp")
    roamer.talks()
    lost = Flow("tcp", *FAR)
    roamer.phone.address = LATER
    if registers_first:
        roamer.lab.drop = lambda passed: passed.name == "BYE" and passed.target == FAR
        roamer.lab["m1"].leg.hang_up(None, roamer.lab.now)
        roamer.lab.run(0.1)
        roamer.register()
        roamer.lab.exchange.flow_failed(lost, "no route", roamer.lab.now)
    else:
        roamer.lab["m1"].leg.hang_up(None, roamer.lab.now)
        roamer.lab.run(0.1)
        roamer.lab.exchange.flow_failed(lost, "no route", roamer.lab.now)
        roamer.register()
    roamer.lab.run(1)
    assert roamer.lab.ended("209") and not roamer.lab.exchange.ua.legs


def test_a_second_connection_serves_where_the_first_is_gone() -> None:
    """A phone that does not register again, but has said something by a new connection: BYE finds it there."""
    roamer = Roamer("tcp")
    leg = roamer.talks()
    roamer.phone.address = LATER
    assert leg.request("INFO", None, None, roamer.lab.now)
    roamer.lab.run(0.1)
    roamer.lab["m1"].leg.hang_up(None, roamer.lab.now)
    roamer.lab.run(0.1)
    (bye,) = [passed for passed in roamer.lab.wire if passed.name == "BYE" and passed.source[0] == BRIDGE.host]
    assert bye.target == FAR  # where it registered, as long as that lives
    roamer.lab.exchange.flow_failed(Flow("tcp", *FAR), "no connection", roamer.lab.now)
    roamer.lab.run(1)
    assert roamer.lab.ended("209") and not roamer.lab.exchange.ua.legs


def test_a_change_that_a_phone_cannot_be_told_just_now_ends_no_talk() -> None:
    """The other side holds while a phone's connection is being made again: refused, and both talk on."""
    roamer = Roamer("tcp")
    roamer.talks()
    roamer.phone.address = ("0.0.0.0", 1)
    assert roamer.lab["m1"].leg.request("INVITE", ANSWER, None, roamer.lab.now)
    roamer.lab.run(0.1)
    roamer.lab.exchange.flow_failed(Flow("tcp", *FAR), "connection lost", roamer.lab.now)
    roamer.lab.run(0.1)
    assert [event.status for event in roamer.lab.replies("m1")] == [500] and len(roamer.lab.exchange.calls()) == 1
    roamer.phone.address = LATER
    roamer.register()
    assert roamer.lab["m1"].leg.request("INVITE", ANSWER, None, roamer.lab.now)
    roamer.lab.run(0.1)
    assert roamer.lab.replies("m1")[-1].status == 200
