"""A phone that was rung directly answers with a place that the caller cannot reach: the relay carries the talk."""

from __future__ import annotations

from bridge.calls.model import ExchangeSettings
from bridge.calls.parties import Caller
from bridge.directory.model import Line, MediaWay
from bridge.media.model import CALLER, MEMBER, Path
from bridge.sip.binding import Binding, plain
from bridge.sip.flow import Flow
from bridge.sip.incoming import IncomingLeg
from bridge.sip.legevents import Requested
from bridge.sip.message import Body
from tests.support.lab import Lab, Phone
from tests.support.ways import ToldMedia
from tests.unit.calls.test_media import body, says, sdp

HERE = ("10.0.3.1", 5060)
OFFER = body("10.0.1.1", 4000, formats="8 101", version=7)
HIDDEN = body("172.16.5.2", 5000, formats="8 101")
OPEN = body("10.0.3.1", 5000, formats="8 101")


class Office:
    """Line far, 209, whose phone has registered with the address that it is seen at, and answers at once."""

    def __init__(self, answer: Body, pairs: int = 100, way: MediaWay = MediaWay.AUTO) -> None:
        self.media = ToldMedia(pairs)
        line = Line("far", "209", registers=True, media=way)
        settings = ExchangeSettings(passwords={"far": "secret"})
        self.lab = lab = Lab(members=0, media=self.media, more_lines=(line,), settings=settings)
        self.phone = lab.add("209", HERE)
        self.answer = answer
        self.phone.on_invite = self._picks_up
        self.phone.on_request = says(answer)
        lab["c1"].on_request = says(OFFER)
        flow = Flow("udp", *HERE)
        binding = Binding("sip:209@10.0.3.1:5060", flow, lab.now + 600, "r", 1, "desk phone", None, 0.0)
        wall = lab.exchange.wall()
        lab.exchange.registrar.load([plain("far", binding, lab.now, wall)], lab.now, wall)

    def _picks_up(self, phone: Phone, leg: IncomingLeg) -> None:
        leg.ring(phone.lab.now)
        leg.accept(self.answer, phone.lab.now)

    def talk(self, offer: Body | None = OFFER) -> None:
        """Call it, and talk for a while."""
        leg = self.lab["c1"].call("209", offer)
        self.lab.run(0)
        for event in self.lab["c1"].said:
            if event.leg is leg and leg.state.value == "answered":
                leg.acknowledge(OFFER if offer is None else None, self.lab.now)
        self.lab.run(15)

    def whys(self) -> list[str]:
        """Return the reasons in the story of the call."""
        story = self.lab.exchange.story(None)
        assert story is not None
        return [step.why for step in story.steps]


def test_the_caller_is_told_the_relay_at_once_and_the_phone_by_reinvite() -> None:
    """Both get ports of ours, the relay hears the phone from where it signals; its `o=` goes on from the caller's."""
    office = Office(HIDDEN)
    office.talk()
    first, second = (sdp(passed.message) for passed in office.lab.sent("209", "INVITE"))
    (ok,) = office.lab.sent("c1", "200 INVITE")
    assert first.media[0].port == 4000 and (second.host, second.media[0].port) == ("10.0.0.100", 20002)
    assert second.origin[:3] == (first.origin.username, first.origin.session, first.origin.version + 1)
    assert (sdp(ok.message).host, sdp(ok.message).media[0].port) == ("10.0.0.100", 20000)
    (relay,) = office.media.opened
    assert relay.paths == {
        (0, CALLER): Path("10.0.1.1", 4000, 4001),
        (0, MEMBER): Path("10.0.3.1", 5000, 5001, follows=True),
    }
    assert "media through the bridge: the member is behind NAT: 172.16.5.2 at 10.0.3.1" in office.whys()
    assert len(office.lab.sent("209", "ACK")) == 2 and not office.lab.sent("c1", "INVITE")
    office.phone.leg.hang_up(None, office.lab.now)
    office.lab.run(1)
    assert relay.closed and office.media.pairs == 100 and not office.lab.exchange.calls()


def test_an_answer_that_can_be_reached_changes_nothing() -> None:
    """The phone's own address: direct, no port is opened, no re-INVITE."""
    office = Office(OPEN)
    office.talk()
    assert not office.media.opened and len(office.lab.sent("209", "INVITE")) == 1
    assert office.lab.sent("c1", "200 INVITE")[0].message.body == OPEN.data


def test_a_phone_that_is_told_to_be_direct_stays_so() -> None:
    """`media = "direct"` is obeyed."""
    office = Office(HIDDEN, way=MediaWay.DIRECT)
    office.talk()
    assert not office.media.opened and office.lab.sent("c1", "200 INVITE")[0].message.body == HIDDEN.data


def test_a_late_offer_needs_no_reinvite() -> None:
    """A caller without an offer: the phone's own is answered with ours, in the ACK."""
    office = Office(HIDDEN)
    office.talk(offer=None)
    assert len(office.lab.sent("209", "INVITE")) == 1
    (ack,) = office.lab.sent("209", "ACK")
    assert (sdp(ack.message).host, sdp(ack.message).media[0].port) == ("10.0.0.100", 20002)
    (relay,) = office.media.opened
    assert relay.paths[0, MEMBER] == Path("10.0.3.1", 5000, 5001, follows=True)


def test_without_ports_it_is_as_it_was() -> None:
    """A call that rings already is not ended for that: what it would have been without us is better than nothing."""
    office = Office(HIDDEN, pairs=1)
    office.talk()
    assert office.lab.sent("c1", "200 INVITE")[0].message.body == HIDDEN.data
    assert any(why.startswith("media directly, though the member is behind NAT") for why in office.whys())
    assert len(office.lab.exchange.calls()) == 1


def test_a_phone_that_refuses_is_left_alone() -> None:
    """488: the talk goes on, the story says why the caller may hear nothing; glare is tried again."""
    for status, reinvites in ((488, 1), (491, 5)):
        office = Office(HIDDEN)

        def refuse(phone: Phone, event: Requested, status: int = status) -> None:
            event.leg.respond(event.transaction, event.request, status, None, phone.lab.now)

        office.phone.on_request = refuse
        office.talk()
        assert len(office.lab.sent("209", "INVITE")) == 1 + reinvites
        assert len(office.lab.exchange.calls()) == 1
        if status == 488:
            assert any(why.startswith("488") for why in office.whys())


def test_it_goes_on_after_a_restart() -> None:
    """What was agreed upon by then is kept: the same ports, and the phone is followed."""
    office = Office(HIDDEN)
    office.talk()
    office.lab.restart()
    assert office.media.opened[-1].paths[0, MEMBER] == Path("10.0.3.1", 5000, 5001, follows=True)


def test_who_takes_a_place_in_a_talk_with_a_phone_behind_nat_is_relayed() -> None:
    """INVITE with Replaces, an attended transfer: the phone that stays has written its own address into its Contact."""
    office = Office(OPEN)
    office.talk()
    lab, exchange = office.lab, office.lab.exchange
    (call,) = exchange.board.up.values()
    assert call.talk is not None
    far, comer = call.talk.member, call.talk.caller
    assert far.dialog is not None
    for contact, relayed in (("sip:209@10.0.3.1:5060", False), ("sip:209@172.16.5.2:5060", True)):
        far.dialog = far.dialog._replace(remote_target=contact)
        caller, member = (Caller(line, None, "", "") for line in ("c1", "far"))
        passage, body = exchange.passages.between(comer, caller, OFFER, far, member)
        assert passage.relayed is relayed and body is not None
        passage.close()
    assert lab.exchange.calls()
