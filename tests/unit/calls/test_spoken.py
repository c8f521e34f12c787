"""Legs that the bridge speaks to itself: answering, hold, keys, and the relay's taking over."""

from __future__ import annotations

import pytest

from bridge.calls.parties import Called, Caller
from bridge.calls.passage import Passage
from bridge.calls.spoken import Spoken, key_in
from bridge.directory.model import Line
from bridge.media.choice import Party
from bridge.media.model import CALLER, MEMBER, Path
from bridge.media.prompts import MUSIC, Prompt, number
from bridge.sip.flow import Flow
from bridge.sip.grammar import SipError
from bridge.sip.incoming import IncomingLeg
from bridge.sip.legevents import Accepted, Ended, LegEvent, Requested
from bridge.sip.message import Body, Request
from bridge.sip.outgoing import OutgoingLeg
from tests.support.lab import Lab
from tests.support.ways import ToldMedia
from tests.unit.calls.test_media import ANSWER, OFFER, body, picks_up, says, sdp

DTMF = "application/dtmf-relay"
CARA = Caller("c3", None, "303", "")


class Listener:
    """Who speaks to a leg; also the owner of a leg that is still to be spoken to."""

    def __init__(self, made: Lab, passage: Passage) -> None:
        self.lab = made
        self.passage = passage
        self.spoken: Spoken | None = None
        self.keys = ""
        self.told: list[str] = []

    def on_key(self, spoken: Spoken, key: str, now: float) -> None:
        """Take a key."""
        self.keys += key

    def on_played(self, spoken: Spoken, now: float) -> None:
        """Take the end of what is played."""
        self.told.append("played")

    def on_held(self, spoken: Spoken, held: bool, now: float) -> None:
        """Take hold and resume."""
        self.told.append("held" if held else "resumed")

    def on_ended(self, spoken: Spoken, event: Ended, now: float) -> None:
        """Take the end."""
        self.told.append(event.why)

    def on_asked(self, spoken: Spoken, event: Requested, now: float) -> None:
        """Refuse what else is asked."""
        event.leg.respond(event.transaction, event.request, 403, None, now)

    def handle(self, event: LegEvent, now: float) -> None:
        """Take the answer of a phone that was rung."""
        if isinstance(event, Accepted):
            self.spoken = Spoken.answered(event.leg, self.passage, self, event.body, now)


def waiting(offer: Body | None = OFFER, pairs: int = 100) -> tuple[Lab, ToldMedia, OutgoingLeg, Listener]:
    """Return a caller who called 600 and is spoken to instead of being searched for."""
    media = ToldMedia(pairs)
    made = Lab(members=1, media=media, more_lines=(Line("c3", "303", contact="sip:c3@10.0.1.3:5060", max_calls=5),))
    made["m1"].on_invite = picks_up
    made["m1"].on_request = says(ANSWER)
    made.exchange._reception.receive = lambda invited, now: answer(invited, now)  # type: ignore[method-assign]
    listeners: list[Listener] = []

    def answer(invited: object, now: float) -> None:
        leg = made.exchange.ua.take(invited, "600", False, now)  # type: ignore[arg-type]
        caller = Caller("c3", None, "303", "")
        passage = made.exchange.board.passage(leg, caller, leg.offer)
        listeners.append(Listener(made, passage))
        try:
            listeners[-1].spoken = Spoken.answer(leg, passage, listeners[-1], now)
        except SipError as error:
            leg.reject(error.status, now)
            passage.close()

    call = made["c3"].call("600", offer)
    return made, media, call, listeners[-1]


def test_a_caller_is_answered_at_once() -> None:
    """With the codec that it likes best and its telephone events, from the relay's port; what is played is heard."""
    made, media, call, listener = waiting(body("10.0.1.3", 4000, "3 0 8 101"))
    assert made["c3"].accepted(call)
    (ok,) = made.sent("c3", "200 INVITE")
    told = sdp(ok.message)
    assert (told.host, told.media[0].port, told.media[0].formats) == ("10.0.0.100", 20000, ("0", "101"))
    assert listener.spoken is not None
    listener.spoken.voice.play([Prompt.YOU_ARE_NUMBER, number(3)])
    assert media.speaker.playing == ("you-are-number", "number:3")
    assert media.opened[0].paths == {(0, CALLER): Path("10.0.1.3", 4000, 4001)}
    media.speaker.played(made)
    media.speaker.key(made, "5#")
    assert (listener.told, listener.keys) == (["played"], "5#")


def test_what_was_agreed_upon_is_offered_onward() -> None:
    """The caller's description with nothing else in it: whoever takes over needs not tell the caller anything."""
    _, _, _, listener = waiting(body("10.0.1.3", 4000, "9 8 0 101", more="m=video 4002 RTP/AVP 96"))
    assert listener.spoken is not None and listener.spoken.voice.agreed is not None
    agreed = sdp(Request("INVITE", "sip:x", {}, listener.spoken.voice.agreed.data))
    assert [(each.port, each.formats) for each in agreed.media] == [(4000, ("8", "101")), (0, ("96",))]


def test_what_was_not_agreed_upon_is_not_offered_onward() -> None:
    """RTCP has a port of its own, since the answer said nothing else, and nothing is encrypted."""
    more = (
        "a=rtcp-mux\r\na=rtcp:4711\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\r\na=fmtp:18 annexb=no\r\na=ptime:30"
    )
    _, media, _, listener = waiting(body("10.0.1.3", 4000, "8 18", more=more))
    assert listener.spoken is not None and listener.spoken.voice.agreed is not None
    text = listener.spoken.voice.agreed.data.decode()
    assert "a=rtcp:4711" in text and "a=ptime:30" in text
    assert not any(word in text for word in ("rtcp-mux", "crypto", "fmtp:18"))
    assert media.opened[0].paths[0, CALLER] == Path("10.0.1.3", 4000, 4711)


def test_a_caller_without_a_codec_of_ours_is_refused_before_anything_is_answered() -> None:
    """488, and the ports are free again."""
    made, media, _, _ = waiting(body("10.0.1.3", 4000, "3 18"))
    assert made.sent("c3", "488 INVITE") and not made.sent("c3", "200 INVITE") and media.pairs == 100


def test_without_ports_a_caller_is_refused_before_anything_is_answered() -> None:
    """503."""
    made, _, _, _ = waiting(pairs=1)
    assert made.sent("c3", "503 INVITE") and not made.sent("c3", "200 INVITE")


def test_a_caller_without_an_offer_hears_us_with_its_acknowledgement() -> None:
    """We offer; what is to be played waits for the answer in the ACK."""
    made, media, call, listener = waiting(None)
    assert listener.spoken is not None
    listener.spoken.voice.play([MUSIC], loop=True)
    assert not media.opened[0].speakers
    call.acknowledge(body("10.0.1.3", 4000, "0 101"), made.now)
    made.run(0)
    assert media.speaker.playing == (MUSIC,) and media.speaker.loop
    assert media.speaker.terms is not None and media.speaker.terms.payload == 0


def test_hold_and_resume_are_answered_by_us() -> None:
    """Nothing is sent while the caller holds us; resumed, it goes on."""
    made, media, call, listener = waiting()
    made["c3"].accepted(call)
    for way, sends, told in (("sendonly", False, "held"), ("inactive", False, "held"), ("sendrecv", True, "resumed")):
        assert call.request("INVITE", body("10.0.1.3", 4000, version=2, more=f"a={way}"), "hold", made.now)
        made.run(0)
        call.acknowledge(None, made.now)
        made.run(0)
        assert media.speaker.terms is not None and media.speaker.terms.sends is sends
        assert listener.told[-1] == told
    assert listener.told == ["held", "resumed"]
    versions = [sdp(ok.message).origin.version for ok in made.sent("c3", "200 INVITE")]
    assert versions == [1, 2, 3, 4]
    assert call.request("UPDATE", None, "refresh", made.now)
    made.run(0)
    assert made.replies("c3")[-1].status == 200


def test_an_offer_that_cannot_be_taken_leaves_all_as_it_was() -> None:
    """488 to the re-INVITE."""
    made, media, call, _ = waiting()
    made["c3"].accepted(call)
    before = media.speaker.terms
    call.request("INVITE", body("10.0.1.3", 4000, "18", version=2), "odd", made.now)
    made.run(0)
    assert made.replies("c3")[-1].status == 488 and media.speaker.terms is before


@pytest.mark.parametrize(
    ("kind", "text", "key"),
    [
        (DTMF, b"Signal=5\r\nDuration=160", "5"),
        (DTMF, b"Duration= 160\r\nSignal= 11\r\n", "#"),
        (DTMF, b"signal=*", "*"),
        ("application/dtmf", b"d\r\n", "D"),
        ("application/dtmf", b"10", "*"),
        ("application/dtmf", b"", None),
        (DTMF, b"\xff\xfe\x00Signal", None),
        (DTMF, b"Signal=99", None),
        ("text/plain", b"5", None),
    ],
)
def test_keys_by_info(kind: str, text: bytes, key: str | None) -> None:
    """Both kinds that phones use; what is none is no key."""
    request = Request("INFO", "sip:x")
    request.put(Body(kind, text))
    assert key_in(request) == key


def test_keys_by_info_are_heard_once() -> None:
    """A phone that presses by RFC 4733 and by INFO has pressed once."""
    made, media, call, listener = waiting()
    made["c3"].accepted(call)
    for key in "12":
        media.speaker.key(made, key)
        call.request("INFO", Body(DTMF, f"Signal={key}\r\n".encode()), "key", made.now)
        made.run(0)
    assert listener.keys == "12" and made.replies("c3")[-1].status == 200


def test_keys_are_pressed_as_the_peer_understands_them() -> None:
    """Telephone events where it takes them, else one INFO after the other."""
    made, media, call, listener = waiting()
    made["c3"].accepted(call)
    assert listener.spoken is not None
    listener.spoken.press("12#", made.now)
    assert media.speaker.pressed == "12#"
    made, media, call, listener = waiting(body("10.0.1.3", 4000, "8"))
    made["c3"].accepted(call)
    assert listener.spoken is not None
    listener.spoken.press("12#", made.now)
    made.run(0)
    bodies = [passed.message.body for passed in made.sent("c3", "INFO")]
    assert bodies == [f"Signal={key}\r\nDuration=160\r\n".encode() for key in "12#"] and not media.speaker.pressed


def test_the_callers_end_is_told() -> None:
    """The voice is closed then."""
    made, media, call, listener = waiting()
    made["c3"].accepted(call)
    call.hang_up(None, made.now)
    made.run(0)
    assert listener.told == ["hung up"] and media.speaker.closed


def test_the_relay_takes_over() -> None:
    """A member is offered what was agreed upon with the caller; its answer ends the voice, and needs no re-INVITE."""
    made, media, call, listener = waiting()
    made["c3"].accepted(call)
    spoken = listener.spoken
    assert spoken is not None and isinstance(spoken.leg, IncomingLeg)
    spoken.voice.play([MUSIC], loop=True)
    exchange = made.exchange
    passage = spoken.passage
    (leg,) = exchange.reach.ring(Caller("c3", None, "303", ""), None, "m1", passage, made.now)
    leg.owner = taken = Taken(passage, spoken)
    made.run(0.1)
    (invite,) = made["m1"].invites
    assert (sdp(invite).media[0].port, sdp(invite).media[0].formats) == (20002, ("8", "0", "101"))
    assert media.speaker.closed and taken.told == spoken.voice.said
    assert media.opened[0].paths[0, CALLER] == Path("10.0.1.3", 4000, 4001)
    there = media.opened[0].paths[0, MEMBER]
    assert there is not None and there[:2] == ("10.0.0.1", 5000)
    assert len(made.sent("c3", "200 INVITE")) == 1


class Taken:
    """Connects a member's phone to a caller who waits."""

    def __init__(self, passage: Passage, spoken: Spoken) -> None:
        self.passage = passage
        self.spoken = spoken
        self.told: Body | None = None

    def handle(self, event: LegEvent, now: float) -> None:
        """Take the member's answer."""
        if isinstance(event, Accepted):
            self.passage.settle_on(event.leg)
            self.told = self.passage.answer(event.leg, event.body)
            event.leg.acknowledge(None, now)


def test_a_phone_of_ours_can_be_rung_first() -> None:
    """It is offered our voice; once it has answered, it is the caller of a call to somebody else."""
    made, media, _, _ = waiting(pairs=100)
    exchange = made.exchange
    passage = exchange.passages.toward()
    listener = Listener(made, passage)
    (leg,) = exchange.reach.ring(Caller(None, None, "555", "Call"), None, "c1", passage, made.now)
    leg.owner = listener
    made["c1"].on_invite = lambda phone, leg: leg.accept(body("10.0.1.1", 6000, "0 101"), phone.lab.now)
    made.run(0)
    spoken = listener.spoken
    assert spoken is not None and made.sent("c1", "ACK")
    spoken.voice.play([MUSIC], loop=True)
    assert media.speaker.playing == (MUSIC,)
    called = Called("201", line=made.directory.lines["m1"])
    call = exchange.board.new(leg, Answered(spoken), Caller("c1", None, "301", ""), called, made.now, passage)
    exchange.board.begin(call, made.now)
    made.run(0.1)
    assert call.talk is not None and media.speaker.closed and leg.owner is call
    there = media.opened[-1].paths[0, MEMBER]
    assert there is not None and there[:2] == ("10.0.0.1", 5000)


class Answered:
    """A phone of ours that waits for whom it called (`Asking`)."""

    ringing = False

    def __init__(self, spoken: Spoken) -> None:
        self.offer = spoken.voice.agreed

    def ring(self, now: float) -> None:
        """Go on as it is."""

    def accept(self, body: Body | None, now: float) -> None:
        """Be told nothing: the relay has taken over."""

    def reject(self, status: int, now: float) -> None:
        """Be told nothing."""


def asked(made: Lab, passage: Passage, count: int = 1) -> list[Listener]:
    """Ring m1 so often, as one that is to confirm; return who speaks to each."""
    found = []
    for _ in range(count):
        way = passage.way_apart(Party("10.0.0.1", "10.0.0.100"))
        leg = made.exchange.ua.call(Flow("udp", "10.0.0.1", 5060), "600", False)
        leg.invite("sip:m1@10.0.0.1", "<sip:600@10.0.0.100>", "<sip:m1@10.0.0.1>", way.body, {}, made.now)
        passage.rings(leg, way)
        apart = passage.apart(leg)
        assert apart is not None
        found.append(Listener(made, apart))
        leg.owner = found[-1]
    made.run(0.1)
    return found


def test_a_phone_that_confirms_takes_the_caller_who_waits() -> None:
    """Each is spoken to at ports of its own; the one that presses gets the caller's ports joined to its own."""
    made, media, call, listener = waiting()
    made["c3"].accepted(call)
    assert listener.spoken is not None
    listener.spoken.voice.play([MUSIC], loop=True)
    waits, passage = media.speaker, listener.passage
    first, second = asked(made, passage, 2)
    assert first.spoken is not None and second.spoken is not None
    offers = [sdp(invite) for invite in made["m1"].invites]
    assert [offer.media[0].port for offer in offers] == [20006, 20010]
    second.spoken.voice.play([Prompt.PRESS_1])
    assert media.speaker.playing == (Prompt.PRESS_1,) and media.speaker.voice is second.spoken.voice
    assert media.pairs == 100 - 6
    passage.settle_on(second.spoken.leg)
    assert media.pairs == 100 - 2, "the other phone's ports and the member's of the waiting caller are given back"
    told = passage.answer(second.spoken.leg, ANSWER)
    assert told == listener.spoken.voice.said
    assert waits.closed and media.speaker.closed
    relay = media.opened[-1]
    assert relay.ports(0) == (20000, 20010) and not relay.closed
    there, here = relay.paths[0, MEMBER], relay.paths[0, CALLER]
    assert there is not None and here is not None and (here.port, there.port) == (4000, 5000)
    passage.close()
    assert media.pairs == 100


def test_a_phone_that_confirms_takes_a_caller_whose_phone_rings_on() -> None:
    """The caller was told nothing yet, and gets what the phone has answered, at ports of ours."""
    made, media, _, listener = waiting()
    passage = made.exchange.passages.begin(listener.spoken.leg, CARA, OFFER)  # type: ignore[union-attr]
    (member,) = asked(made, passage)
    assert member.spoken is not None
    assert passage.settle_on(member.spoken.leg) == "media through the bridge: it was asked to confirm"
    told = passage.answer(member.spoken.leg, ANSWER)
    assert told is not None
    assert sdp(Request("INVITE", "sip:x", {}, told.data)).media[0].port == 20004
    assert media.opened[-1].speakers[0].closed


def test_a_phone_that_does_not_confirm_gives_its_ports_back() -> None:
    """When it rings no more, and when it is hung up."""
    made, media, _, listener = waiting()
    before = media.pairs
    first, second = asked(made, listener.passage, 2)
    assert media.pairs == before - 4 and first.spoken is not None and second.spoken is not None
    listener.passage.leaves(first.spoken.leg)
    assert media.pairs == before - 2
    second.spoken.hang_up(made.now)
    listener.passage.close()
    assert media.pairs == before + 2


def test_a_caller_who_has_nothing_that_we_speak_cannot_be_confirmed() -> None:
    """488, before any phone rings; 503 where there are no ports."""
    made, media, _, listener = waiting()
    passage = made.exchange.passages.begin(listener.spoken.leg, CARA, body("10.0.1.3", 4000, "18"))  # type: ignore[union-attr]
    with pytest.raises(SipError) as caught:
        passage.way_apart(Party("10.0.0.1", "10.0.0.100"))
    assert caught.value.status == passage.refusal == 488 and media.pairs == 98
    media.pairs = 1
    with pytest.raises(SipError):
        listener.passage.way_apart(Party("10.0.0.1", "10.0.0.100"))
    assert listener.passage.refusal == 503
