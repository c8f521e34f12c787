"""The spoken menu: its table, what is heard, who may, and how far guessing a PIN gets."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from bridge.calls.phones.menu import TABLE, Do, Leave, Menu, Place, Prove, Say, Signal, State, Want
from bridge.calls.phones.menucall import PATIENCE
from bridge.events import PinRefused, PinTaken
from bridge.media.dtmf import KEYS
from bridge.media.model import Sound
from bridge.media.prompts import CONFIRMED, DENIED, SILENCE, Prompt, digits, number
from bridge.sip.message import Body
from bridge.sip.outgoing import OutgoingLeg
from tests.support.phonelab import MENU, PhoneLab

GROUP_600 = (Prompt.GROUP, *digits("600"))


class Someone:
    """Somebody with groups that a test changes."""

    def __init__(self, *places: Place) -> None:
        self.mine = list(places)

    def places(self) -> Sequence[Place]:
        """Return the groups."""
        return self.mine


G = Place("g", "600", False, False, ())
H = Place("h", "601", True, False, (("anna",), ("ben",)))


def said(wants: list[Want]) -> tuple[Sound, ...]:
    """Return what is to be said."""
    (sounds,) = (want.sounds for want in wants if isinstance(want, Say))
    return sounds


# -- the table -------------------------------------------------------------------------------------------------------


def test_every_state_can_be_left() -> None:
    """From each state some way leads to LEAVING, and each that waits for somebody knows silence or an end."""
    reached = {State.LEAVING}
    while True:
        more = {state for (state, _), turn in TABLE.items() if turn.state in reached} - reached
        if not more:
            break
        reached |= more
    assert reached == set(State)


@pytest.mark.parametrize("seed", range(30))
def test_whatever_is_pressed(seed: int) -> None:
    """No sequence of keys and signals raises, gets past a PIN, or leaves the menu without something to come."""
    rng = random.Random(seed)
    menu = Menu(None)
    menu.start()
    for _ in range(300):
        if rng.random() < 0.8:
            wants = menu.key(rng.choice(KEYS))
        else:
            wants = menu.receive(rng.choice([Signal.WRONG, Signal.SAID, Signal.SILENCE, Signal.DONE, Signal.REFUSED]))
        assert not any(isinstance(want, Do) for want in wants)
        assert menu.state in (State.NUMBER, State.PIN, State.PROVING, State.LEAVING)


def test_groups_one_after_the_other() -> None:
    """4 goes round the groups; 1 and 2 are about the one that was said."""
    someone = Someone(G, H)
    menu = Menu(someone)
    assert said(menu.start())[:5] == (Prompt.WELCOME, *GROUP_600)
    assert Prompt.MENU_PAUSE not in said(menu.key("0")) and Prompt.MENU_NEXT_GROUP in said(menu.key("0"))
    assert said(menu.key("4"))[:5] == (Prompt.GROUP, *digits("601"), Prompt.LOGGED_IN)
    assert menu.key("2")[-1] == Do("pause", "h")
    someone.mine[1] = H._replace(paused=True)
    assert said(menu.receive(Signal.DONE))[:7] == (
        *(CONFIRMED, Prompt.GROUP, *digits("601")),
        *(Prompt.LOGGED_IN, Prompt.PAUSED),
    )
    assert menu.key("2")[-1] == Do("unpause", "h")
    menu.receive(Signal.DONE)
    assert menu.key("1")[-1] == Do("logout", "h")
    assert said(menu.receive(Signal.REFUSED))[:2] == (DENIED, Prompt.REFUSED)
    assert said(menu.key("4"))[:4] == GROUP_600
    assert menu.key("1")[-1] == Do("login", "g")


def test_keys_that_mean_nothing() -> None:
    """9, and a pause of who is out, are told to be none; while a command is on its way every key is."""
    menu = Menu(Someone(G))
    menu.start()
    assert said(menu.key("9"))[:2] == (DENIED, Prompt.INVALID)
    assert said(menu.key("2"))[:2] == (DENIED, Prompt.INVALID)
    menu.key("1")
    assert menu.key("1") == [] and menu.key("*") == []


def test_who_is_in() -> None:
    """Their number, then each by name; any key, or the end, leads back."""
    menu = Menu(Someone(H))
    menu.start()
    assert said(menu.key("3")) == (number(2), Prompt.MEMBERS_IN, "anna", "ben")
    assert said(menu.receive(Signal.SAID))[:4] == (Prompt.GROUP, *digits("601"))
    menu.key("3")
    assert said(menu.key("1"))[:4] == (Prompt.GROUP, *digits("601"))
    empty = Menu(Someone(G))
    empty.start()
    assert said(empty.key("3")) == (Prompt.NOBODY_IN,)


def test_without_any_group() -> None:
    """Who is in no group, or is taken out of the last, hears that, and is hung up."""
    menu = Menu(Someone())
    assert said(menu.start()) == (Prompt.WELCOME, DENIED, Prompt.REFUSED, Prompt.GOODBYE)
    assert menu.receive(Signal.SAID) == [Leave()]
    someone = Someone(G)
    menu = Menu(someone)
    menu.start()
    someone.mine.clear()
    assert Prompt.GOODBYE in said(menu.key("1"))
    assert menu.receive(Signal.SAID) == [Leave()]


def test_nobody_is_there() -> None:
    """After the third silence in a row it ends; a key begins the count anew."""
    menu = Menu(Someone(G))
    menu.start()
    menu.receive(Signal.SILENCE)
    menu.receive(Signal.SILENCE)
    menu.key("0")
    menu.receive(Signal.SILENCE)
    menu.receive(Signal.SILENCE)
    assert said(menu.receive(Signal.SILENCE)) == (Prompt.GOODBYE,)
    assert menu.receive(Signal.SAID) == [Leave()]


def test_number_and_pin() -> None:
    """Both end with #; * begins anew; what is typed is not repeated aloud."""
    menu = Menu(None)
    assert said(menu.start()) == (Prompt.WELCOME, Prompt.ENTER_NUMBER)
    for key in "99*201":
        menu.key(key)
    assert said(menu.key("#")) == (Prompt.ENTER_PIN,)
    for key in "2907":
        menu.key(key)
    assert menu.key("#")[-1] == Prove("201", "2907")
    assert said(menu.receive(Signal.WRONG)) == (DENIED, Prompt.WRONG_PIN, Prompt.ENTER_NUMBER)


# -- from a phone of ours --------------------------------------------------------------------------------------------


def test_an_attached_phone_needs_no_pin() -> None:
    """*40: its line has proven who it is. 1 logs in, which is said when it is written; * says goodbye."""
    lab = PhoneLab()
    lab.dial("m1", "*40")
    assert lab.hears()[:6] == [Prompt.WELCOME, *GROUP_600, Prompt.LOGGED_OUT]
    lab.press("1")
    lab.run(0.1)
    assert lab.is_in("anna") and lab.hears()[:6] == [CONFIRMED, *GROUP_600, Prompt.LOGGED_IN]
    lab.press("2")
    lab.run(0.1)
    assert lab.logins.get("g", "anna").paused and lab.hears()[6] == Prompt.PAUSED
    assert Prompt.MENU_GO_ON in lab.hears() and Prompt.MENU_PAUSE not in lab.hears()
    lab.press("2")
    lab.run(0.1)
    assert not lab.logins.get("g", "anna").paused
    lab.press("*")
    assert lab.hears() == [Prompt.GOODBYE]
    lab.said()
    assert lab.sent("m1", "BYE") and not lab.exchange.services.busy and lab.told.opened[0].closed


def test_the_menus_number_from_a_phone_of_ours() -> None:
    """The number works there too, and asks for no PIN either."""
    lab = PhoneLab()
    lab.dial("m2", MENU)
    assert Prompt.ENTER_PIN not in lab.hears() and Prompt.MENU_NEXT_GROUP in lab.hears()


def test_a_device_has_a_menu() -> None:
    """A phone without a user logs its line in, by its own phone."""
    lab = PhoneLab()
    lab.dial("m3", "*40")
    lab.press("1")
    lab.run(0.1)
    assert lab.logins.get("g", "m3").origin == "phone" and lab.is_in("m3")


def test_who_is_in_is_for_whom_it_may_be() -> None:
    """Members who are in are said by number; a device hears those of its own kind alone, as everywhere."""
    lab = PhoneLab()
    for member in ("anna", "ben", "m3"):
        lab.login(member)
    lab.dial("m1", "*40")
    lab.press("3")
    assert lab.hears() == [
        *(number(3), Prompt.MEMBERS_IN),
        *(SILENCE, *digits("201"), SILENCE, *digits("202"), SILENCE, *digits("203")),
    ]
    lab.configure(users={**lab.directory.users, "ben": replace(lab.directory.users["ben"], spoken_name="/ben.wav")})
    lab.press("3")
    lab.press("3")
    assert "/ben.wav" in lab.hears() and lab.hears()[-4:] == [SILENCE, *digits("203")]
    lab.dial("m3", "*40")
    lab.press("3")
    assert lab.hears() == [number(1), Prompt.MEMBERS_IN, SILENCE, *digits("203")]


def test_keys_by_info() -> None:
    """A phone that tells keys by INFO is understood as well."""
    lab = PhoneLab()
    leg = lab.dial("m1", "*40")
    leg.request("INFO", Body("application/dtmf-relay", b"Signal=1\r\nDuration=160\r\n"), None, lab.now)
    lab.run(0.1)
    assert lab.is_in("anna")


def test_silence_ends_it() -> None:
    """Asked again twice, then goodbye."""
    lab = PhoneLab()
    lab.dial("m1", "*40")
    for _ in range(2):
        lab.said()
        lab.run(PATIENCE + 0.1)
        assert lab.hears()[:4] == list(GROUP_600)
    lab.said()
    lab.run(PATIENCE + 0.1)
    assert lab.hears() == [Prompt.GOODBYE]
    lab.said()
    assert lab.sent("m1", "BYE")


@pytest.mark.parametrize("keys", ["", "1", "3", "4", "9", "12", "*"])
def test_it_may_be_hung_up_at_any_moment(keys: str) -> None:
    """Nothing is left: no leg, no ports, no timer."""
    lab = PhoneLab(commit=1.0)
    leg = lab["m2"].call("*40", OFFER_OF_LAB)
    lab.run(0.1)
    assert lab["m2"].accepted(leg)
    lab.press(keys)
    leg.hang_up(None, lab.now)
    lab.run(60)
    assert not lab.exchange.services.busy and not lab.exchange.ua.legs and lab.told.pairs == 100
    assert lab.exchange.line("m2").state.value == "idle"


# -- through a trunk -------------------------------------------------------------------------------------------------


def calls(lab: PhoneLab, number: str = "0301234", menu: str = MENU) -> OutgoingLeg:
    """Call the menu from somewhere behind the trunk."""
    leg = lab["pbx"].call(menu, OFFER_OF_LAB, from_=f"<sip:{number}@10.0.9.9>")
    lab.run(0.1)
    lab["pbx"].accepted(leg)
    lab.run(0)
    return leg


def guess(lab: PhoneLab, number: str, pin: str) -> None:
    """Type a number and a PIN, and wait for the verdict."""
    lab.press(f"{number}#{pin}#")
    lab.run(9)


def test_a_user_proves_to_be_one() -> None:
    """Number and PIN; from then on the menu is as at the phone, in the user's name."""
    lab = PhoneLab()
    calls(lab)
    assert lab.hears() == [Prompt.WELCOME, Prompt.ENTER_NUMBER]
    guess(lab, "201", "2907")
    assert lab.hears()[:6] == [CONFIRMED, *GROUP_600, Prompt.LOGGED_OUT]
    lab.press("1")
    lab.run(0.1)
    assert lab.is_in("anna") and lab.logins.get("g", "anna").by == "anna"
    (event,) = (event for event in lab.events if isinstance(event, PinTaken))
    assert (event.user, event.caller, event.trunk) == ("anna", "0301234", "pbx")


def test_a_callers_number_is_no_proof() -> None:
    """Whoever shows Anna's number is asked for number and PIN like everybody."""
    lab = PhoneLab()
    calls(lab, "201")
    assert lab.hears() == [Prompt.WELCOME, Prompt.ENTER_NUMBER]
    lab.press("1")
    lab.run(1)
    assert not lab.is_in("anna")


def heard_of(number: str, pins: Sequence[str], lab: PhoneLab | None = None) -> list[object]:
    """Return everything that is told about tries for a number: sounds, and after how long each came."""
    made = lab or PhoneLab()
    leg = calls(made)
    told: list[object] = []
    for pin in pins:
        if leg.state.value != "up":
            break
        began = made.now
        made.speaker.heard.clear()
        made.press(f"{number}#{pin}#")
        while not made.speaker.heard[-1:] and made.now < began + 20:
            made.run(0.25)
        told += [made.now - began, *made.speaker.heard]
    return told


def test_nothing_tells_whether_a_user_exists() -> None:
    """A wrong PIN for Anna, for somebody without a PIN and for nobody: the same words after the same time."""
    pins = ["1111", "2222", "3333"]
    told = heard_of("201", pins)
    assert told == heard_of("203", pins) == heard_of("999", pins) and Prompt.WRONG_PIN in told


def test_guessing_gets_nowhere() -> None:
    """100 tries from ever other numbers, the right one last: verdicts come later, then the number is locked."""
    lab = PhoneLab()
    tries = 0
    for caller in range(100):
        leg = calls(lab, f"0301{caller:04d}")
        pin = "2907" if caller == 99 else f"{caller:04d}"
        guess(lab, "201", pin)
        tries += 1
        leg.hang_up(None, lab.now)
        lab.run(1)
    refused = [event for event in lab.events if isinstance(event, PinRefused)]
    assert tries == 100 == len(refused) and refused[-1].locked_for > 0 and refused[-1].user == "anna"
    assert max(event.wrong for event in refused) < 12, "most tries were not even looked at"
    lab.press("1")
    lab.run(1)
    assert not lab.is_in("anna") and not lab.exchange.services.busy


def test_a_caller_is_locked_whatever_number_is_tried() -> None:
    """Three wrong ones from one caller, each for another number; then the right one is not looked at."""
    lab = PhoneLab()
    leg = calls(lab)
    for tried in ("202", "203", "204"):
        guess(lab, tried, "0000")
    assert lab.hears()[-1] in (Prompt.LOCKED, Prompt.GOODBYE)
    leg.hang_up(None, lab.now)
    calls(lab)
    guess(lab, "201", "2907")
    assert Prompt.LOCKED in lab.hears()
    lab.run(400)
    calls(lab)
    guess(lab, "201", "2907")
    assert lab.hears()[1:5] == list(GROUP_600)


def test_the_right_one_in_time() -> None:
    """Two wrong ones, then the right one: it is taken, and the count begins anew."""
    lab = PhoneLab()
    calls(lab)
    guess(lab, "201", "0000")
    guess(lab, "201", "0001")
    guess(lab, "201", "2907")
    assert Prompt.LOGGED_OUT in lab.hears()
    (first, second) = (event for event in lab.events if isinstance(event, PinRefused))
    assert (first.user, first.caller, first.trunk, first.wrong, first.locked_for) == ("anna", "0301234", "pbx", 1, 0)
    assert second.wrong == 2


def test_a_number_that_is_typed_is_not_in_events() -> None:
    """Who types the PIN where the number is asked for has not told it to everybody who reads events."""
    lab = PhoneLab()
    calls(lab)
    guess(lab, "2907", "201")
    (event,) = (event for event in lab.events if isinstance(event, PinRefused))
    assert "2907" not in str(event.to_json()) and event.user is None


def test_pins_are_in_no_repr() -> None:
    """Settings are shown in logs; PINs are not."""
    assert "2907" not in repr(PhoneLab().settings)


def test_a_full_trunk() -> None:
    """Calls to the menu count among the trunk's calls, and each caller has three at most."""
    lab = PhoneLab()
    legs = [calls(lab, "0301") for _ in range(4)]
    assert len(lab.sent("pbx", "486 INVITE")) == 1
    for leg in legs:
        leg.hang_up(None, lab.now)
    lab.run(1)
    assert not lab.exchange.services.busy


OFFER_OF_LAB = Body(
    "application/sdp",
    b"v=0\r\no=- 1 1 IN IP4 10.0.9.9\r\ns=-\r\nc=IN IP4 10.0.9.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 101\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\n",
)
