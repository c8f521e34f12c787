"""What a line does with its calls: do not disturb, and diversions: always, when busy, unanswered."""

from __future__ import annotations

from typing import Any

from bridge.directory.handling import Handling, HandlingChange
from tests.support.lab import ANSWER, Lab, answers, refuses


def handle(lab: Lab, line: str, **settings: Any) -> None:
    """Set what a line does with its calls, confirmed."""
    before = lab.handlings.get(line)
    lab.handlings.apply([HandlingChange(line, before, Handling(**settings))])
    lab.exchange.line_handled(line, lab.now)
    lab.run(0)


def rung(lab: Lab) -> set[str]:
    """Return the phones that were rung."""
    return {name for name, phone in lab.phones.items() if phone.invites}


# -- do not disturb ---------------------------------------------------------------------------------------------------


def test_a_hunt_leaves_out_who_is_not_to_be_disturbed() -> None:
    """Only the others ring, and the reason is in the call's story."""
    lab = Lab(members=2)
    handle(lab, "m1", dnd=True)
    lab["c1"].call("600")
    lab.run(1)
    assert rung(lab) == {"m2"}
    story = lab.exchange.story(None)
    assert story is not None and "do not disturb" in {step.why for step in story.steps if step.member == "m1"}


def test_a_direct_call_hears_busy() -> None:
    """486 at once; the phone never rings."""
    lab = Lab()
    handle(lab, "m1", dnd=True)
    lab["c1"].call("201")
    lab.run(1)
    assert lab.sent("c1", "486 INVITE") and not rung(lab)


def test_a_phone_that_rings_stops_and_rings_again_afterwards() -> None:
    """Set while it rings, it stops; taken back, the hunt offers the call again."""
    lab = Lab(members=2)
    lab["c1"].call("600")
    lab.run(1)
    handle(lab, "m1", dnd=True)
    assert lab.sent("m1", "CANCEL") and not lab.sent("m2", "CANCEL")
    handle(lab, "m1")
    lab.run(10)
    assert len(lab["m1"].invites) == 2


# -- diversions -------------------------------------------------------------------------------------------------------


def test_all_calls_of_a_line_go_elsewhere() -> None:
    """The line's own phone does not ring; the caller is connected to the other."""
    lab = Lab()
    handle(lab, "m1", always="202")
    lab["m2"].on_invite = answers
    call = lab["c1"].call("201")
    assert lab["c1"].accepted(call) and rung(lab) == {"m2"}
    story = lab.exchange.story(None)
    assert story is not None and any(step.what == "diverted to 202" for step in story.steps)


def test_calls_go_to_a_group() -> None:
    """A diversion may lead to a hunt."""
    lab = Lab(members=2)
    handle(lab, "c2", always="600")
    lab["c1"].call("302")
    lab.run(1)
    assert rung(lab) == {"m1", "m2"}


def test_calls_to_a_busy_line() -> None:
    """On a call, or its phone says so; not when it is free."""
    lab = Lab()
    handle(lab, "m1", busy="202")
    lab["m1"].on_invite = refuses(486)
    lab["c1"].call("201")
    lab.run(1)
    assert rung(lab) == {"m1", "m2"}
    lab["m1"].call("203")
    lab.run(1)
    lab["m2"].invites.clear()
    lab["c2"].call("201")
    lab.run(1)
    assert len(lab["m1"].invites) == 1 and lab["m2"].invites == [], "202 rings already, so that is busy too"
    assert lab.sent("c2", "486 INVITE")


def test_calls_that_nobody_answers() -> None:
    """After the time that was set, not before; whoever cannot be reached does not answer either."""
    lab = Lab()
    handle(lab, "m1", no_answer="202", after=10.0)
    lab["c1"].call("201")
    lab.run(9)
    assert rung(lab) == {"m1"}
    lab.run(2)
    assert rung(lab) == {"m1", "m2"} and lab.sent("m1", "CANCEL")
    lab["m2"].leg.accept(ANSWER, lab.now)
    lab.run(1)
    assert lab.exchange.calls()[0].answered_by == "m2"


def test_diversions_in_a_circle_end() -> None:
    """Each line is tried once, then the caller hears what the last one said."""
    lab = Lab()
    handle(lab, "m1", always="202")
    handle(lab, "m2", always="201")
    lab["c1"].call("201")
    lab.run(1)
    assert rung(lab) == {"m2"}, "its own diversion leads back, so it rings"


def test_whom_a_line_diverts_to_still_reaches_it() -> None:
    """A secretary rings the one who diverts to the secretary."""
    lab = Lab()
    handle(lab, "m1", always="301")
    lab["c1"].call("201")
    lab.run(1)
    assert rung(lab) == {"m1"}


def test_a_hunt_does_not_follow_a_members_diversion() -> None:
    """The member's own phone rings for the group, whatever its line does with direct calls."""
    lab = Lab(members=2)
    handle(lab, "m1", always="302")
    lab["c1"].call("600")
    lab.run(1)
    assert rung(lab) == {"m1", "m2"}


def test_a_hunt_follows_it_where_the_group_says_so() -> None:
    """`follow_diversion`: the other phone rings in the member's place; once, and never a group or the caller."""
    lab = Lab(members=2, rules={"follow_diversion": True})
    handle(lab, "m1", always="302")
    handle(lab, "m2", always="301")
    lab["c1"].call("600")
    lab.run(1)
    assert rung(lab) == {"c2", "m2"} and lab.exchange.line("c2").state.value == "ringing"
    lab["c2"].leg.accept(ANSWER, lab.now)
    lab.run(1)
    (call,) = lab.exchange.calls()
    assert call.answered_by == "m1" and lab.exchange.line("c2").state.value == "busy"
    assert lab.exchange.line("m1").state.value == "idle"


def test_a_diversion_that_leads_nowhere() -> None:
    """The line rings as if there were none."""
    lab = Lab()
    handle(lab, "m1", always="999")
    lab["c1"].call("201")
    lab.run(1)
    assert rung(lab) == {"m1"}
