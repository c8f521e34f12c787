"""Codes that phones dial: what they do, what the phone hears, and who may."""

from __future__ import annotations

from bridge.directory.logins import Login, LoginChange
from bridge.directory.model import LastOut
from bridge.media.prompts import CONFIRMED, DENIED, Prompt, digits
from bridge.sip.message import Body
from tests.support.lab import Lab
from tests.support.phonelab import MENU, OFFER, PBX, PhoneLab
from tests.support.watchers import Key


def test_login_and_logout_by_code() -> None:
    """*41600 logs the line's user in, *42600 out; the phone hears it and is hung up."""
    lab = PhoneLab()
    leg = lab.dial("m1", "*41600")
    assert lab.is_in("anna") and not lab.is_in("ben")
    assert lab.hears() == [CONFIRMED, Prompt.LOGGED_IN] and leg.state.value == "up"
    lab.said()
    assert lab.sent("m1", "BYE") and lab.told.opened[0].closed
    lab.dial("m1", "*42600")
    assert not lab.is_in("anna")
    assert lab.hears() == [CONFIRMED, Prompt.LOGGED_OUT, Prompt.LAST_ONE_OUT]


def test_toggle_by_name_and_by_number() -> None:
    """A group is meant by its number or its name."""
    lab = PhoneLab()
    lab.dial("m1", "*43600")
    assert lab.is_in("anna")
    lab.dial("m1", "*43g")
    assert not lab.is_in("anna")


def test_without_a_group_all_are_meant() -> None:
    """*41 alone logs in to every group of the line's user; each is said."""
    lab = PhoneLab()
    lab.dial("m2", "*41")
    assert lab.is_in("ben") and lab.is_in("ben", "h")
    group = Prompt.GROUP
    assert lab.hears() == [
        *(CONFIRMED, group, *digits("600"), Prompt.LOGGED_IN),
        *(group, *digits("601"), Prompt.LOGGED_IN),
    ]
    lab.dial("m1", "*41")
    assert lab.is_in("anna") and lab.hears() == [CONFIRMED, Prompt.LOGGED_IN]


def test_a_device_logs_itself_in() -> None:
    """A phone without a user is a member by its line; its own phone is told from other doors (a restart resets it)."""
    lab = PhoneLab()
    lab.dial("m3", "*41600")
    login = lab.logins.get("g", "m3")
    assert login.logged_in and login.origin == "phone" and not login.permanent and login.by == "m3"


def test_it_is_confirmed_when_it_is_written() -> None:
    """As long as the store writes, the phone hears nothing and is not answered."""
    lab = PhoneLab(commit=3.0)
    leg = lab["m1"].call("*41600", OFFER)
    lab.run(2.9)
    assert not lab.is_in("anna") and not lab.sent("m1", "200 INVITE")
    lab.run(0.2)
    assert lab["m1"].accepted(leg) and lab.is_in("anna")


def test_who_hangs_up_before_is_logged_in_nevertheless() -> None:
    """The command was given; it is done, and shown everywhere else. Nothing is left of the call."""
    lab = PhoneLab(commit=3.0)
    leg = lab["m1"].call("*41600")
    lab.run(1)
    leg.cancel(None, lab.now)
    lab.run(40)
    assert lab.is_in("anna") and not lab.exchange.ua.legs and not lab.exchange.services.busy


def test_what_is_refused_is_heard() -> None:
    """A group of others, one that is not there, the last who may not leave: low beeps, and nothing changes."""
    lab = PhoneLab(changes={"last_out": LastOut.REFUSE})
    for number in ("*41601", "*41999"):
        lab.dial("m1", number)
        assert lab.hears() == [DENIED, Prompt.FAILED], number
        lab.said()
    lab.dial("m1", "*41600")
    lab.dial("m1", "*42600")
    assert lab.hears() == [DENIED, Prompt.REFUSED] and lab.is_in("anna")


def test_the_night_code() -> None:
    """*44600 closes the group and opens it again; without a number where there is one group only."""
    lab = PhoneLab()
    lab.dial("m1", "*44600")
    assert lab.hears() == [CONFIRMED, Prompt.NIGHT_ON]
    lab.dial("m1", "*44")
    assert lab.hears() == [CONFIRMED, Prompt.NIGHT_OFF]
    lab.dial("m2", "*44")
    assert lab.sent("m2", "404 INVITE")


def test_a_key_that_dials_and_watches() -> None:
    """One key with *43600: pressed, it dials; its lamp is lit when the login is confirmed."""
    lab = PhoneLab(commit=1.0)
    key = Key(lab, "m1", "*43600")
    lab["m1"].call("*43600")
    lab.run(0.9)
    assert key.state == "idle"
    lab.run(0.2)
    assert key.state == "busy"


def test_a_phone_that_cannot_be_spoken_to() -> None:
    """Without G.711 it is refused with 488; what was asked for is done."""
    lab = PhoneLab()
    opus = b"v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 96\r\n"
    lab.dial("m1", "*41600", Body("application/sdp", opus + b"a=rtpmap:96 opus/48000/2\r\n"))
    assert lab.sent("m1", "488 INVITE") and lab.is_in("anna")
    assert not lab.exchange.services.busy and lab.told.pairs == 100


def test_without_ports() -> None:
    """503, and it is done."""
    lab = PhoneLab(told=type(PhoneLab().told)(0))
    lab.dial("m1", "*41600")
    assert lab.sent("m1", "503 INVITE") and lab.is_in("anna")


def test_a_trunk_has_no_codes() -> None:
    """What a PBX sends is never a code, not even from the number of one of ours."""
    lab = PhoneLab()
    leg = lab["pbx"].call("*41600", from_="<sip:201@10.0.9.9>")
    lab.run(1)
    assert not lab.is_in("anna") and leg is not None
    assert lab.exchange.directory.menu == MENU and lab["pbx"].address == PBX


def test_nothing_dials_a_code_for_a_caller() -> None:
    """An overflow or a transfer to a code leads nowhere."""
    lab = PhoneLab(changes={"overflow": "*41600"})
    lab["c1"].call("600")
    lab.run(1)
    assert lab.sent("c1", "480 INVITE") and not lab.is_in("m3")


def test_the_line_is_busy_meanwhile() -> None:
    """A phone that listens to a confirmation is on a call, and idle afterwards; a reload in between counts it too."""
    lab = PhoneLab()
    lab.dial("m1", "*41600")
    assert lab.exchange.line("m1").state.value == "busy"
    lab.configure()
    assert lab.exchange.line("m1").state.value == "busy"
    lab.said()
    lab.run(1)
    assert lab.exchange.line("m1").state.value == "idle"


def test_a_phone_that_never_hangs_up() -> None:
    """A confirmation ends after 30 s, even where the phone holds it."""
    lab = PhoneLab()
    lab.dial("m1", "*41600")
    lab.run(31)
    assert lab.sent("m1", "BYE") and not lab.exchange.services.busy


def test_there_is_a_most_for_each_phone() -> None:
    """A phone that dials codes without end gets 486 beyond three at once."""
    lab = PhoneLab(commit=100.0)
    for _ in range(4):
        lab["m1"].call("*41600")
    lab.run(1)
    assert len(lab.sent("m1", "486 INVITE")) == 1


def test_the_bridge_ends() -> None:
    """Before the end, calls that it takes itself are hung up."""
    lab = PhoneLab()
    lab.dial("m1", "*41600")
    lab.exchange.stop(lab.now)
    lab.run(1)
    assert lab.sent("m1", "BYE")


def test_without_codes_nothing_is_one() -> None:
    """Where no codes are configured, they are numbers that nobody has."""
    lab = Lab()
    lab["m1"].call("*41600")
    lab.run(1)
    assert lab.sent("m1", "404 INVITE")


def test_paused_is_said() -> None:
    """Who is paused and logs in is in; the pause is over."""
    lab = PhoneLab()
    lab.logins.apply([LoginChange("g", "anna", Login(), Login(True, paused=True))])
    lab.dial("m1", "*41600")
    assert lab.hears() == [CONFIRMED, Prompt.LOGGED_IN]


def test_a_phone_that_lets_us_offer() -> None:
    """Without an offer in its INVITE ours is in the 200, and what is said begins with its ACK."""
    lab = PhoneLab()
    leg = lab["m1"].call("*41600", None)
    lab.run(0.1)
    (answer,) = lab.sent("m1", "200 INVITE")
    assert b"m=audio" in answer.message.body and lab.is_in("anna")
    leg.acknowledge(OFFER, lab.now)
    lab.run(0.1)
    assert lab.hears() == [CONFIRMED, Prompt.LOGGED_IN]
    lab.said()
    assert lab.sent("m1", "BYE") and lab.told.pairs == 100


def test_a_phone_that_holds_the_confirmation() -> None:
    """It may, and goes on hearing when it resumes; a REFER is refused."""
    lab = PhoneLab()
    leg = lab.dial("m1", "*41600")
    leg.request("INVITE", Body("application/sdp", OFFER.data + b"a=sendonly\r\n"), "hold", lab.now)
    lab.run(0.1)
    leg.acknowledge(None, lab.now)
    lab.run(0.1)
    assert [reply.status for reply in lab.replies("m1")] == [200]
    assert leg.dialog is not None
    leg.dialog, request = leg.dialog.request("REFER")
    request.set("Refer-To", "<sip:202@10.0.0.100>")
    lab["m1"].ua.layer.request(request, leg.dialog.flow, leg, lab.now, ("refer", None))
    lab.run(0.1)
    assert lab.sent("m1", "403 REFER") and not lab["m2"].calls
