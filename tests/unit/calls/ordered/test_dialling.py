"""Dialling by command: the line's own phone first, then the number."""

from __future__ import annotations

from bridge.calls.model import ExchangeSettings, TrunkSettings
from bridge.commands.model import LineVerb
from bridge.directory.model import Line
from bridge.events import CommandRefused, LineOrdered
from bridge.media.prompts import RINGBACK
from bridge.sip.incoming import IncomingLeg
from bridge.sip.message import Body
from tests.support.lab import Lab, Phone, refuses
from tests.support.ordering import order
from tests.support.ways import ToldMedia

OWN = Body(
    "application/sdp",
    b"v=0\r\no=- 1 1 IN IP4 10.0.1.1\r\ns=-\r\nc=IN IP4 10.0.1.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n",
)


def answers_itself(phone: Phone, leg: IncomingLeg) -> None:
    """Answer at once, as a phone that is asked to."""
    leg.accept(OWN, phone.lab.now)


def lab() -> tuple[Lab, ToldMedia]:
    """Return a laboratory whose media can be asked what they play; c1's phone answers by itself."""
    media = ToldMedia()
    made = Lab(media=media)
    made["c1"].on_invite = answers_itself
    return made, media


def test_the_own_phone_first_then_the_number() -> None:
    """It is asked to answer by itself and shows the number; it hears ringback, then the one who answers."""
    made, media = lab()
    reply = order(made, LineVerb.DIAL, "c1", "201")
    assert reply.ok and reply.data["number"] == "201"
    invite = made["c1"].invites[-1]
    assert invite.from_.uri.user == "201" and invite.need("Call-Info").endswith("answer-after=0")
    assert made["m1"].invites[-1].from_.uri.user == "301"
    assert media.speaker.playing == (RINGBACK,)
    states = {name: made.exchange.line(name).state.value for name in ("c1", "m1")}
    assert states == {"c1": "busy", "m1": "ringing"}
    made["m1"].leg.accept(OWN, made.now)
    made.run(0.5)
    (call,) = made.exchange.calls()
    assert (call.state, call.caller, call.answered_by) == ("connected", "301", "m1")
    assert media.speaker.closed and not made.sent("c1", "BYE")
    assert len(made.sent("c1", "INVITE")) == 1, "the phone need not be told anything"
    assert [(e.verb, e.line, e.number) for e in made.events if isinstance(e, LineOrdered)] == [("dial", "c1", "201")]
    made["m1"].leg.hang_up(None, made.now)
    made.run(40)
    assert made.sent("c1", "BYE") and not made.exchange.ua.legs and not made.exchange.calls()


def test_a_group_is_dialled() -> None:
    """The number is a group's: it hunts."""
    made, _ = lab()
    assert order(made, LineVerb.DIAL, "c1", "600").ok
    assert made["m1"].invites and made["m2"].invites and made.exchange.ringing("g")


def test_nobody_takes_the_call() -> None:
    """The phone is hung up."""
    made, media = lab()
    made["m1"].on_invite = refuses(486)
    order(made, LineVerb.DIAL, "c1", "201")
    made.run(40)
    assert made.sent("c1", "BYE") and not made.exchange.calls() and not made.exchange.ua.legs
    assert made.exchange.line("c1").state.value == "idle" and media.pairs == 100


def test_the_phone_hangs_up_while_it_rings() -> None:
    """The number is cancelled."""
    made, media = lab()
    order(made, LineVerb.DIAL, "c1", "201")
    made["c1"].leg.hang_up(None, made.now)
    made.run(40)
    assert made.sent("m1", "CANCEL") and not made.exchange.calls() and not made.exchange.ua.legs
    assert made.exchange.line("c1").state.value == "idle" and media.pairs == 100


def test_the_own_phone_refuses() -> None:
    """Nobody is called; an event says what the phone said."""
    made, media = lab()
    made["c1"].on_invite = refuses(603)
    order(made, LineVerb.DIAL, "c1", "201")
    made.run(40)
    (told,) = (event for event in made.events if isinstance(event, CommandRefused))
    assert "603" in told.message and not made["m1"].invites
    assert made.exchange.line("c1").state.value == "idle" and media.pairs == 100


def test_nobody_answers_the_own_phone() -> None:
    """It is cancelled after half a minute."""
    made, media = lab()
    made["c1"].on_invite = lambda phone, leg: leg.ring(phone.lab.now)
    order(made, LineVerb.DIAL, "c1", "201")
    assert made.exchange.line("c1").state.value == "ringing"
    made.run(70)
    assert made.sent("c1", "CANCEL") and not made["m1"].invites and not made.exchange.ua.legs
    assert made.exchange.line("c1").state.value == "idle" and media.pairs == 100


def test_hang_up_by_command_while_it_rings() -> None:
    """The line's call that is being made is ended like any other."""
    made, _ = lab()
    order(made, LineVerb.DIAL, "c1", "201")
    assert order(made, LineVerb.HANGUP, "c1").ok
    made.run(40)
    assert made.sent("m1", "CANCEL") and made.sent("c1", "BYE") and not made.exchange.ua.legs


def test_what_cannot_be_dialled() -> None:
    """The own number, a number that nobody has, a line that is busy, one whose phone is not registered."""
    made, media = lab()
    assert order(made, LineVerb.DIAL, "c1", "301").code == "bad_request"
    reply = order(made, LineVerb.DIAL, "c1", "0301234")
    assert reply.code == "unknown_line" and "dial_out" in reply.message
    assert order(made, LineVerb.DIAL, "c1", "201").ok
    assert order(made, LineVerb.DIAL, "c1", "202").code == "busy"
    media.pairs = 0
    assert order(made, LineVerb.DIAL, "c2", "202").code == "unreachable"


def test_a_line_behind_a_trunk_dials() -> None:
    """Its phone is rung through the trunk, then the number through it as well: as far as calls pass the bridge."""
    media = ToldMedia()
    desk = Line("desk", "205", trunk="pbx", dial="**611", dial_out=("pbx",))
    trunk = TrunkSettings("pbx", "10.0.9.9", register=False, username="620")
    made = Lab(media=media, more_lines=(desk,), settings=ExchangeSettings(trunks=(trunk,)))
    pbx = made.add("pbx", ("10.0.9.9", 5060))
    pbx.on_invite = answers_itself
    made.exchange.start(made.now)
    made.run(0)
    assert order(made, LineVerb.DIAL, "desk", "0301234").ok
    made.run(1)
    assert [invite.uri.split("@")[0] for invite in pbx.invites] == ["sip:**611", "sip:0301234"]
    assert made.exchange.calls()[0].state == "connected"


def test_another_configuration_while_the_own_phone_rings() -> None:
    """What rings is counted on its line as before, and not at all once it is over, however it ends."""
    for takes in (False, True):
        made, _ = lab()
        made["c1"].on_invite = lambda phone, leg: leg.ring(phone.lab.now)
        assert order(made, LineVerb.DIAL, "c1", "201").ok
        made.exchange.configure(made.directory, made.settings, made.now)
        use = made.exchange.lines.use("c1")
        assert (use.offers, use.rings, use.calls) == (1, 1, 0)
        if takes:
            made["c1"].leg.accept(OWN, made.now)
        else:
            made["c1"].leg.reject(486, made.now)
        made.run(1)
        for phone in made.phones.values():
            for leg in list(phone.ua.legs.values()):
                leg.hang_up(None, made.now)
        made.run(200)
        assert (use.offers, use.rings, use.calls) == (0, 0, 0)


def test_a_bridge_that_ends_lets_the_own_phone_ring_no_more() -> None:
    """It is cancelled: nobody would be called once it were answered."""
    made, _ = lab()
    made["c1"].on_invite = lambda phone, leg: leg.ring(phone.lab.now)
    assert order(made, LineVerb.DIAL, "c1", "201").ok
    made.exchange.stop(made.now)
    made.run(1)
    assert made.sent("c1", "CANCEL")
