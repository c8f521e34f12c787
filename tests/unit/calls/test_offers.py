"""What becomes of offers when logins and opening hours change, and what is told of how each ended."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bridge.directory.logins import Login, LoginChange
from bridge.directory.model import Group, Line, Member, Strategy
from bridge.events import OfferEnded
from bridge.sip.incoming import IncomingLeg
from bridge.sip.legevents import Rejected
from tests.support.lab import ANSWER, Lab, Phone, answers, refuses, silent

NIGHT = Group("h", "Night", "601", (Member("n1", "n1", device=True, always=True),))
NIGHT_LINE = Line("n1", "401", contact="sip:n1@10.0.2.1:5060")


def lab_with_night(**rules: object) -> Lab:
    """Return a lab whose group 600 may lead to group 601, where n1 always is."""
    return Lab(members=2, rules=rules, more_lines=(NIGHT_LINE,), more_groups=(NIGHT,))


def close(lab: Lab, *groups: str) -> None:
    """Close groups from now on."""
    lab.exchange.board.is_open = lambda group: group.name not in groups


def pause(lab: Lab, member: str) -> None:
    """Pause a member, confirmed."""
    before = lab.logins.get("g", member)
    lab.logins.apply([LoginChange("g", member, before, Login(True, paused=True))])
    lab.exchange.login_changed("g", member, lab.now)
    lab.run(0)


def refusal(lab: Lab) -> int:
    """Return the status that the caller was refused with."""
    (rejected,) = lab["c1"].heard(Rejected)
    assert isinstance(rejected, Rejected)
    return rejected.status


def ended(lab: Lab) -> list[tuple[str, str]]:
    """Return who was told to have ended how."""
    return [(e.member, e.outcome) for e in lab.events if isinstance(e, OfferEnded)]


# -- logins during a call ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("leave", [lambda lab: lab.login("m1", logged_in=False), lambda lab: pause(lab, "m1")])
def test_who_leaves_during_a_talk_goes_on_talking(leave: Callable[[Lab], None]) -> None:
    """Neither side hears of it; when it is over, no further call is offered."""
    lab = Lab(members=1)
    lab["m1"].on_invite = answers
    call = lab["c1"].call("600")
    assert lab["c1"].accepted(call)
    leave(lab)
    lab.run(60)
    assert not lab.sent("m1", "BYE") and not lab.sent("c1", "BYE") and not lab.sent("m1", "CANCEL")
    call.hang_up(None, lab.now)
    lab.run(10)
    assert lab.to("m1").count("BYE") == 1
    lab["c2"].call("600")
    lab.run(10)
    assert lab.to("m1").count("INVITE") == 1


@pytest.mark.parametrize("strategy", [Strategy.PARALLEL, Strategy.SEQUENTIAL])
def test_who_leaves_while_ringing_stops_and_is_not_offered_it_again(strategy: Strategy) -> None:
    """The phone is silent at once, and stays so for as long as the caller waits."""
    lab = Lab(strategy, members=2, rules={"give_up_after": 60.0})
    lab["c1"].call("600")
    lab.run(1)
    lab.login("m1", logged_in=False)
    assert len(lab.sent("m1", "CANCEL")) == 1
    lab.run(50)
    assert lab.to("m1").count("INVITE") == 1
    assert lab.to("m2").count("INVITE") >= 1
    assert ended(lab)[0] == ("m1", "withdrawn")


# -- opening hours -----------------------------------------------------------------------------------------------------


def test_a_closed_group_refuses_at_once() -> None:
    """Nobody rings; the caller gets 480 without waiting, and `explain` says why."""
    lab = Lab()
    close(lab, "g")
    lab["c1"].call("600")
    lab.run(0.1)
    assert refusal(lab) == 480
    assert not lab.to("m1")
    story = lab.exchange.story(None)
    assert story is not None and story.result == "nobody took it: group closed"


@pytest.mark.parametrize(
    "rules", [{"overflow": "601"}, {"closed": "601"}, {"closed": "601", "overflow": "201"}, {"closed": "h"}]
)
def test_a_closed_groups_caller_goes_on(rules: dict[str, object]) -> None:
    """To `closed`, else to the overflow; at once."""
    lab = lab_with_night(**rules)
    close(lab, "g")
    lab["c1"].call("600")
    lab.run(0.1)
    assert lab.to("n1") == ["INVITE"]
    assert not lab.to("m1")


def test_an_open_groups_caller_does_not_go_where_the_closed_one_leads() -> None:
    """`closed` is for closed groups alone."""
    lab = lab_with_night(closed="601")
    for member in ("m1", "m2"):
        lab[member].on_invite = refuses(486)
    lab["c1"].call("600")
    lab.run(1)
    assert refusal(lab) == 486
    assert not lab.to("n1")


def test_where_the_next_group_is_closed_too() -> None:
    """The caller is refused, and not sent round."""
    lab = lab_with_night(overflow="601")
    close(lab, "g", "h")
    lab["c1"].call("600")
    lab.run(0.1)
    assert refusal(lab) == 480
    assert not lab.to("n1") and not lab.to("m1")


def test_a_group_that_closes_lets_its_callers_ring_on() -> None:
    """Who called in time is served as before, next members and next rounds included; the next caller is not."""
    lab = Lab(Strategy.SEQUENTIAL, members=2, rules={"give_up_after": 60.0})
    call = lab["c1"].call("600")
    lab.run(1)
    close(lab, "g")
    lab.login("m2", logged_in=False)
    lab.login("m2")
    assert not lab.sent("m1", "CANCEL")
    lab.run(15)
    assert lab.to("m2")[:1] == ["INVITE"]
    lab["m2"].leg.accept(ANSWER, lab.now)
    lab.run(1)
    assert lab["c1"].accepted(call)
    lab["c2"].call("600")
    lab.run(0.1)
    assert lab.to("c2") == ["100 INVITE", "480 INVITE"]


# -- how offers ended --------------------------------------------------------------------------------------------------


def rings_and_refuses(status: int) -> Callable[[Phone, IncomingLeg], None]:
    """Return the script of a phone that rings for a moment and then refuses."""

    def script(phone: Phone, leg: IncomingLeg) -> None:
        leg.ring(phone.lab.now)
        leg.reject(status, phone.lab.now)

    return script


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        (None, "no answer"),
        (answers, "answered"),
        (refuses(486), "busy"),
        (refuses(603), "declined"),
        (refuses(480), "unreachable"),
        (refuses(302), "diverted"),
        (rings_and_refuses(480), "no answer"),
        (rings_and_refuses(408), "no answer"),
        (rings_and_refuses(486), "busy"),
        (silent, "unreachable"),  # a phone that never rang cannot be answered
    ],
)
def test_each_offer_ends_once(script: Callable[[Phone, IncomingLeg], None] | None, outcome: str) -> None:
    """What a phone did is told in one word."""
    lab = Lab(Strategy.SEQUENTIAL, members=1, rules={"rounds": 1})
    if script is not None:
        lab["m1"].on_invite = script
    lab["c1"].call("600")
    lab.run(16)
    assert ended(lab) == [("m1", outcome)]


def test_how_long_it_rang_is_told() -> None:
    """In seconds, from the first sign of ringing on."""
    lab = Lab(Strategy.SEQUENTIAL, members=1, rules={"rounds": 1, "ring_seconds": 10.0})
    lab["c1"].call("600")
    lab.run(11)
    (offer,) = [e for e in lab.events if isinstance(e, OfferEnded)]
    assert offer.rang == pytest.approx(10.0, abs=0.2)


def test_what_the_others_did_is_nobodys_fault() -> None:
    """A colleague who answers and a caller who gives up leave no unanswered offer."""
    lab = Lab(members=2)
    call = lab["c1"].call("600")
    lab.run(1)
    lab["m2"].leg.accept(ANSWER, lab.now)
    lab.run(1)
    assert sorted(ended(lab)) == [("m1", "withdrawn"), ("m2", "answered")]
    call.hang_up(None, lab.now)
    lab = Lab(members=1)
    call = lab["c1"].call("600")
    lab.run(1)
    call.cancel(None, lab.now)
    lab.run(1)
    assert ended(lab) == [("m1", "withdrawn")]


def test_who_rang_until_the_caller_was_given_up_did_not_answer() -> None:
    """Parallel: all that time the phone rang."""
    lab = Lab(members=1, rules={"give_up_after": 30.0})
    lab["c1"].call("600")
    lab.run(31)
    assert ended(lab) == [("m1", "no answer")]


def test_a_call_to_a_line_offers_nothing_to_a_member() -> None:
    """What is told is about groups."""
    lab = Lab(members=1)
    lab["m1"].on_invite = refuses(486)
    lab["c1"].call("201")
    lab.run(1)
    assert ended(lab) == []
