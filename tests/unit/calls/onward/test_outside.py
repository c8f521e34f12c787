"""Calls to the outside, and everything that a toll fraud tries: strangers, trunks, transfers, diversions, limits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bridge.calls.model import ExchangeSettings, TrunkSettings
from bridge.commands.model import LineVerb
from bridge.directory.handling import Handling, HandlingChange
from bridge.directory.model import Group
from bridge.directory.outside import OutsideRules
from bridge.directory.phonebook import Blocklist, Entry, Home, Phonebook
from bridge.events import CallOver, OutsideCalled, OutsideRefused
from bridge.sip.incoming import IncomingLeg
from tests.support.lab import ANSWER, BRIDGE, OFFER, Lab, Phone, answers
from tests.support.ordering import order
from tests.unit.calls.onward.test_transfer import refer

PBX, OTHER = ("10.0.9.9", 5060), ("10.0.9.8", 5060)
COSTLY = (
    "0900123456",
    "+49900123",
    "0049900123",
    "0137712",
    "11833",
    "+44201234",
    "0044201234",
    "010330900",
    "*31#030",
)


def lab(rules: OutsideRules = OutsideRules(), **settings: Any) -> Lab:  # noqa: B008 - frozen
    """Return a laboratory with two trunks: m1 and c1 may call outside through the first, then the second."""
    trunks = (
        TrunkSettings("pbx", PBX[0], register=False, username="620", number="600", max_calls=4),
        TrunkSettings("other", OTHER[0], register=False),
    )
    made = Lab(members=2, settings=ExchangeSettings(trunks=trunks, **settings), more_groups=(HOTLINE,))
    lines = {
        name: replace(line, dial_out=("pbx", "other") if name in ("m1", "c1") else (), max_calls=5)
        for name, line in made.directory.lines.items()
    }
    made.directory = replace(made.directory, lines=lines, outside=rules)
    made.exchange.configure(made.directory, made.settings, made.now)
    for name, address in (("pbx", PBX), ("other", OTHER)):
        made.add(name, address).on_invite = answers
    made.exchange.start(made.now)
    made.run(0)
    return made


HOTLINE = Group("hot", "Hotline", "666", (), overflow="0301234")


def dialled(made: Lab, trunk: str = "pbx") -> list[str]:
    """Return the numbers that were called through a trunk."""
    return [invite.uri.partition(":")[2].partition("@")[0] for invite in made[trunk].invites]


def nothing_went_out(made: Lab) -> bool:
    """Whether no trunk was sent an INVITE."""
    return not made["pbx"].invites and not made["other"].invites


# -- what may be called -----------------------------------------------------------------------------------------------


def test_a_phone_calls_outside() -> None:
    """Through the line's trunk, as the trunk wants it; an event tells which line has called whom."""
    made = lab()
    call = made["c1"].call("0301234")
    assert made["c1"].accepted(call)
    assert dialled(made) == ["0301234"] and made["pbx"].invites[0].from_.uri.user == "620"
    (told,) = (event for event in made.events if isinstance(event, OutsideCalled))
    assert (told.line, told.number, told.trunk) == ("c1", "0301234", "pbx")
    call.hang_up(None, made.now)
    made.run(40)
    assert not made.exchange.ua.legs
    (over,) = (event for event in made.events if isinstance(event, CallOver))
    assert over.called == "0301234" and over.result == "answered"


def test_the_caller_hears_what_the_pbx_says() -> None:
    """Busy is busy."""
    made = lab()
    made["pbx"].on_invite = lambda phone, leg: leg.reject(486, phone.lab.now)
    made["c1"].call("0301234")
    made.run(1)
    assert made.sent("c1", "486 INVITE") and dialled(made, "other") == []


def test_the_next_trunk_where_the_first_has_no_channel() -> None:
    """Its four are taken: the fifth call goes through the other."""
    made = lab()
    for _ in range(5):
        made["c1"].call("0301234")
        made.run(1)
    assert (len(dialled(made)), len(dialled(made, "other"))) == (4, 1)


def test_without_dial_out_there_is_no_such_number() -> None:
    """404, as for any number that nobody has."""
    made = lab()
    made["c2"].call("0301234")
    made.run(1)
    assert made.sent("c2", "404 INVITE") and nothing_went_out(made)


@pytest.mark.parametrize("number", COSTLY)
def test_what_costs_is_refused(number: str) -> None:
    """403, an event with the reason, an entry for the journal; nothing is sent to a trunk."""
    made = lab()
    made["c1"].call(number.replace("#", "%23"))
    made.run(1)
    assert made.sent("c1", "403 INVITE") and nothing_went_out(made)
    (told,) = (event for event in made.events if isinstance(event, OutsideRefused))
    assert (told.line, told.how) == ("c1", "dialled") and told.why
    assert [event.result for event in made.events if isinstance(event, CallOver)] == ["refused"]


@pytest.mark.parametrize("phone", ["c1", "c2"])
@pytest.mark.parametrize("number", ["110", "112"])
def test_help_is_called_from_every_phone_of_ours(phone: str, number: str) -> None:
    """Also without dial_out, beyond the limit of the day, and where every channel is taken."""
    made = lab(OutsideRules(daily=0))
    made.exchange.board.carry("pbx", 4)
    made[phone].call(number)
    made.run(1)
    assert dialled(made) + dialled(made, "other") == [number]


def test_so_many_a_day() -> None:
    """The limit holds over a restart, and begins anew with the next day."""
    made = lab(OutsideRules(daily=2))
    for _ in range(3):
        leg = made["c1"].call("0301234")
        made["c1"].accepted(leg)
        leg.hang_up(None, made.now)
        made.run(1)
    assert len(dialled(made)) == 2
    (told,) = (event for event in made.events if isinstance(event, OutsideRefused))
    assert "2 calls" in told.why
    kept = made.exchange.dump("outside", made.now)
    made.exchange = made.new_exchange("r")
    made.exchange.load({"bindings": [], "talks": [], "outside": kept}, made.now)
    made.exchange.start(made.now)
    made["c1"].call("0301234")
    made.run(1)
    assert len(dialled(made)) == 2
    made.now += 86_400
    made["c1"].call("0301234")
    made.run(1)
    assert len(dialled(made)) == 3


# -- who may not ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["0301234", "112", "900442012345", "00442012345", "+442012345", "0900123"])
def test_strangers_get_nowhere(number: str) -> None:
    """What scanners dial: challenged like a phone, whatever they dial and claim to be; nothing goes out."""
    made = lab()
    scanner = made.add("scanner", ("198.51.100.7", 5080))
    for claimed in ("301", "201", "100", "admin", "620"):
        scanner.call(number, from_=f"<sip:{claimed}@10.0.0.100>")
        made.run(1)
    assert nothing_went_out(made)
    assert not [name for name in made.to("scanner") if name[0] in "23" and name.endswith("INVITE")]


@pytest.mark.parametrize("number", ["0301234", "112", "00442012345", "*31#030"])
def test_callers_from_a_trunk_get_nowhere(number: str) -> None:
    """What a trunk's caller dials reaches our own numbers alone, even with a number of ours as the caller."""
    made = lab()
    made["m1"].on_invite = lambda phone, leg: leg.ring(phone.lab.now)
    for claimed in ("0305551", "301", "620"):
        made["pbx"].call(number.replace("#", "%23"), from_=f"<sip:{claimed}@{PBX[0]}>")
        made.run(1)
    assert nothing_went_out(made)


def test_an_overflow_never_leads_outside() -> None:
    """Not for a caller from the trunk, nor for one of our own."""
    made = lab()
    made["pbx"].call("666", from_="<sip:0305551@x>")
    made["c1"].call("666")
    made.run(1)
    assert nothing_went_out(made)


def talk(made: Lab, caller: str) -> IncomingLeg:
    """Let somebody talk to m1, by calling 201; return m1's leg."""
    made["m1"].on_invite = answers
    leg = made[caller].call("201", from_=f"<sip:0305551@{made[caller].address[0]}>")
    assert made[caller].accepted(leg)
    made.run(1)
    return made["m1"].leg


def test_a_refer_needs_the_referrers_right() -> None:
    """A trunk's caller refers us to a number outside: 404; a line with dial_out may send a caller of ours there."""
    made = lab()
    talk(made, "pbx")
    refer(made, "pbx", next(iter(made["pbx"].ua.legs.values())), "<sip:0301234@10.0.0.100>")
    assert made.sent("pbx", "404 REFER") and not made["pbx"].invites
    made = lab()
    refer(made, "m1", talk(made, "c2"), "<sip:0301234@10.0.0.100>")
    assert dialled(made) == ["0301234"]


@pytest.mark.parametrize("forward, sent", [(False, []), (True, ["0301234"])])
def test_callers_from_outside_are_not_sent_outside_again(forward: bool, sent: list[str]) -> None:
    """By a transfer, by a command, or by a diversion, unless the site says that it may be."""
    rules = OutsideRules(forward=forward)
    made = lab(rules)
    refer(made, "m1", talk(made, "pbx"), "<sip:0301234@10.0.0.100>")
    assert dialled(made) == sent
    made = lab(rules)
    talk(made, "pbx")
    assert order(made, LineVerb.TRANSFER, "m1", "0301234").ok is forward
    assert dialled(made) == sent
    made = lab(rules)
    made.handlings.apply([HandlingChange("m1", Handling(), Handling(always="0301234"))])
    made["pbx"].call("201", from_="<sip:0305551@x>")
    made.run(1)
    assert dialled(made) == sent and bool(made["m1"].invites) is not forward


@pytest.mark.parametrize("forward", [False, True])
@pytest.mark.parametrize("first", ["caller", "called"])
def test_callers_from_outside_are_not_joined_with_who_was_called_there(first: str, forward: bool) -> None:
    """Nor by an attended transfer, whichever of the two talks it is asked in: 403, an event, and both talks go on."""
    made = lab(OutsideRules(forward=forward))
    made["m1"].on_invite = answers
    came = made["pbx"].call("201", from_="<sip:0305551@x>")
    assert made["pbx"].accepted(came)
    made.run(1)
    called = made["m1"].call("0301234")
    assert made["m1"].accepted(called)
    made.run(1)
    legs = made["m1"].leg, called
    asking, named = legs if first == "caller" else legs[::-1]
    assert named.dialog is not None
    dialog = f"{named.call_id}%3Bto-tag%3D{named.dialog.remote_tag}%3Bfrom-tag%3D{named.local_tag}"
    made["pbx"].on_request = lambda phone, event: event.leg.respond(
        event.transaction, event.request, 200, ANSWER if event.request.body else OFFER, phone.lab.now
    )
    refer(made, "m1", asking, f"<sip:x@10.0.0.100?Replaces={dialog}>")
    assert bool(made.sent("m1", "202 REFER")) is forward and bool(made.sent("m1", "403 REFER")) is not forward
    assert len(made.exchange.calls()) == (1 if forward else 2)
    refused = [(e.line, e.number, e.how) for e in made.events if isinstance(e, OutsideRefused)]
    assert refused == ([] if forward else [("m1", "0301234", "transferred")])


def test_a_diversion_goes_by_the_rights_of_the_line_that_diverts() -> None:
    """m1 has dial_out, m2 has none: the outside is reached by the first alone, costly numbers by neither."""
    made = lab()
    made.handlings.apply([HandlingChange(name, Handling(), Handling(always="0301234")) for name in ("m1", "m2")])
    made["c2"].call("202")
    made.run(1)
    assert nothing_went_out(made) and made["m2"].invites
    made["c2"].call("201")
    made.run(1)
    assert dialled(made) == ["0301234"]
    made = lab()
    made.handlings.apply([HandlingChange("m1", Handling(), Handling(always="0900123"))])
    made["c2"].call("201")
    made.run(1)
    assert nothing_went_out(made) and made["m1"].invites


def test_who_takes_a_talk_over_cannot_be_a_trunk() -> None:
    """INVITE with Replaces from a trunk or a stranger names no call, whatever it knows of it."""
    made = lab()
    leg = talk(made, "c1")
    scanner = made.add("scanner", ("198.51.100.7", 5080))
    for phone in (made["pbx"], scanner):
        assert leg.dialog is not None
        value = f"{leg.call_id};to-tag={leg.dialog.remote_tag};from-tag={leg.local_tag}"
        own = phone.ua.call(BRIDGE, "x", pinned=False)
        own.invite("sip:201@10.0.0.100", "<sip:201@x>", "<sip:201@x>", OFFER, {"Replaces": value}, made.now)
        made.run(1)
    assert made.sent("pbx", "481 INVITE") and made.sent("scanner", "401 INVITE") and not made.sent("m1", "BYE")


# -- callers from outside ---------------------------------------------------------------------------------------------


def test_a_caller_is_named_by_the_phonebook() -> None:
    """Ours before the name that the trunk shows; who is anonymous stays so."""
    book = Phonebook.of(Home("49", "30"), [Entry("0305551", "Zoe")])
    made = lab(phonebook=book)
    made["pbx"].call("201", from_='"network" <sip:+49305551@x>')
    made["pbx"].call("202", from_='"Anonymous" <sip:anonymous@anonymous.invalid>')
    made.run(1)
    assert made["m1"].invites[0].from_.name == "Zoe" and "Zoe" not in str(made["m2"].invites[0].from_)


def ended(phone: Phone) -> list[str]:
    """Return the final responses to what a phone has called."""
    return [name for name in phone.lab.to(phone.name) if name.endswith(" INVITE") and name[0] != "1"]


def test_who_is_on_the_block_list_is_declined() -> None:
    """603, and an entry for the journal; our own phones are never blocked."""
    made = lab(blocklist=Blocklist(Home(), ("0305551", "+44*"), anonymous=True))
    for from_ in ("<sip:0305551@x>", "<sip:004420@x>", "<sip:anonymous@anonymous.invalid>"):
        made["pbx"].call("600", from_=from_)
        made.run(1)
    assert ended(made["pbx"]) == ["603 INVITE"] * 3 and not made["m1"].invites
    assert {e.why for e in made.events if isinstance(e, CallOver)} == {
        "refused: the caller is on the block list (SIP 603)"
    }
    made["pbx"].call("600", from_="<sip:0305552@x>")
    made["c1"].call("600", from_="<sip:anonymous@anonymous.invalid>")
    made.run(1)
    assert len(made["m1"].invites) >= 1


def test_who_is_on_the_block_list_comes_to_another_number() -> None:
    """Whatever was dialled."""
    made = lab(blocklist=Blocklist(Home(), ("0305551",), send_to="202"))
    made["pbx"].call("201", from_="<sip:0305551@x>")
    made.run(1)
    assert made["m2"].invites and not made["m1"].invites


def test_a_call_outside_over_a_restart() -> None:
    """The talk goes on, and its hang-up is carried through."""
    made = lab()
    call = made["c1"].call("0301234")
    assert made["c1"].accepted(call)
    made.run(1)
    made.restart()
    made.exchange.start(made.now)
    made["pbx"].leg.hang_up(None, made.now)
    made.run(2)
    assert made.sent("c1", "BYE")
