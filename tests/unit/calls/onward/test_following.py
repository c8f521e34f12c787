"""A phone that says 302: where its calls go, and where they do not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from bridge.calls.model import ExchangeSettings, TrunkSettings
from bridge.directory.model import Line
from bridge.sip.incoming import IncomingLeg
from bridge.sip.message import Request
from tests.support.lab import Lab, Phone, answers, refuses

TRUNK = TrunkSettings("pbx", "10.0.9.9", username="620", register=False)


def diverts(*contacts: str) -> Callable[[Phone, IncomingLeg], None]:
    """Return a script that sends a call elsewhere."""
    return lambda phone, leg: leg.reject(302, phone.lab.now, extra={"Contact": ", ".join(contacts)})


def following(members: int = 2, **rules: object) -> Lab:
    """Return a group that follows diversions, and a line x1 (501) beside it."""
    rules = {"follow_diversion": True, **rules}
    return Lab(members=members, rules=rules, more_lines=(Line("x1", "501", contact="sip:x1@10.0.0.50:5060"),))


def test_a_members_302_is_followed() -> None:
    """The line that it names rings in the member's place, and is busy with the talk; the member is who answered."""
    lab = following()
    lab["m1"].on_invite = diverts("<sip:501@10.0.0.100>")
    lab["c1"].call("600")
    lab.run(1)
    assert "INVITE" in lab.to("x1")
    assert lab.exchange.line("x1").state.value == "ringing" and lab.exchange.line("m1").state.value == "idle"
    lab["x1"].leg.accept(lab["x1"].lab["m2"].leg.offer, lab.now)
    lab.run(1)
    (call,) = lab.exchange.calls()
    assert call.answered_by == "m1" and "CANCEL" in lab.to("m2")
    assert lab.exchange.line("x1").state.value == "busy"
    steps = lab.exchange.story(None).steps  # type: ignore[union-attr]
    assert any(step.member == "m1" and step.what == "diverts to 501" for step in steps)


def test_no_302_is_followed_where_the_group_does_not_say_so() -> None:
    """It is one who does not take the call."""
    lab = following(members=1, follow_diversion=False)
    lab["m1"].on_invite = diverts("<sip:501@10.0.0.100>")
    lab["c1"].call("600")
    lab.run(1)
    assert "INVITE" not in lab.to("x1")


@pytest.mark.parametrize(
    "contact", ["sip:600@b", "sip:301@b", "sip:201@b", "sip:999@b", "sip:b", "nothing", "sip:202@b"]
)
def test_a_302_that_leads_nowhere(contact: str) -> None:
    """To a group, to the caller, to itself, to nobody, to what is no URI, to who rings already: not followed."""
    lab = following(rounds=1)
    lab["m1"].on_invite = diverts(f"<{contact}>")
    lab["c1"].call("600")
    lab.run(1)
    assert lab.to("m1").count("INVITE") == 1 and lab.to("m2").count("INVITE") == 1
    assert "INVITE" not in lab.to("c1") + lab.to("x1")


def test_phones_that_divert_to_each_other() -> None:
    """One step is followed, so nobody is rung for ever."""
    lab = following(members=1)
    lab["m1"].on_invite = diverts("<sip:501@10.0.0.100>")
    lab["x1"].on_invite = diverts("<sip:201@10.0.0.100>")
    lab["c1"].call("600")
    lab.run(3)
    assert lab.to("x1").count("INVITE") == 1 and lab.to("m1").count("INVITE") == 1


def test_who_is_busy_is_not_rung_by_a_302() -> None:
    """A line that talks is not offered another's call."""
    lab = following(members=1)
    lab["x1"].on_invite = answers
    assert lab["c2"].accepted(lab["c2"].call("501"))
    lab["m1"].on_invite = diverts("<sip:501@10.0.0.100>")
    lab["c1"].call("600")
    lab.run(1)
    assert lab.to("x1").count("INVITE") == 1


def test_a_line_that_was_called_itself_is_followed() -> None:
    """No group is asked where a line is called by its own number; where it cannot be, the caller gets 480."""
    lab = following(members=1)
    lab["m1"].on_invite = diverts("<sip:501@10.0.0.100>")
    lab["x1"].on_invite = answers
    assert lab["c1"].accepted(lab["c1"].call("201"))
    lab["m1"].on_invite = diverts("<sip:999@10.0.0.100>")
    lab["c2"].call("201")
    lab.run(1)
    assert lab.to("c2")[-1] == "480 INVITE"


def test_where_it_is_diverted_to_is_refused() -> None:
    """The diverted phone's refusal is the member's."""
    lab = following(members=1)
    lab["m1"].on_invite = diverts("<sip:501@10.0.0.100>")
    lab["x1"].on_invite = refuses(486)
    lab["c1"].call("600")
    lab.run(1)
    assert lab.to("c1")[-1] == "486 INVITE"
    assert lab.exchange.line("x1").state.value == "idle"


def told(tells: tuple[str, ...], **caller: str) -> Request:
    """Return the INVITE that a trunk gets for a member behind it, diverted by m1, of a call to group 600."""
    lab = following(members=1)
    lab.settings = ExchangeSettings(trunks=(replace(TRUNK, tells=frozenset(tells)),))
    behind = Line("out", "250", trunk="pbx", dial="**611")
    lab.directory = replace(lab.directory, lines={**lab.directory.lines, "out": behind})
    lab.exchange.configure(lab.directory, lab.settings, lab.now)
    pbx = lab.add("pbx", ("10.0.9.9", 5060))
    lab["m1"].on_invite = diverts("<sip:250@10.0.0.100>")
    lab["c1"].call("600", from_=caller.get("from_"))
    lab.run(1)
    return pbx.invites[0]


def test_a_trunk_is_told_what_it_wants_to_know() -> None:
    """Who calls, and by which numbers the call came: the group, then the member who diverts."""
    invite = told(("P-Asserted-Identity", "Diversion", "History-Info"))
    assert invite.get("P-Asserted-Identity") == "<sip:301@10.0.9.9>"
    assert invite.get("Diversion") == (
        "<sip:201@10.0.9.9>;reason=unconditional;counter=1, <sip:600@10.0.9.9>;reason=unconditional;counter=1"
    )
    assert invite.get("History-Info") == (
        "<sip:600@10.0.9.9>;index=1, <sip:201@10.0.9.9>;index=1.1;mp=1, <sip:**611@10.0.9.9>;index=1.1.1;mp=1.1"
    )
    assert invite.from_.uri.user == "620"


def test_a_trunk_that_wants_nothing_is_told_nothing() -> None:
    """No such header leaves unless the trunk is told to get it."""
    invite = told(())
    assert not {"P-Asserted-Identity", "Diversion", "History-Info", "Privacy"} & set(invite.headers)


def test_who_hides_stays_hidden() -> None:
    """An anonymous caller is asserted to nobody."""
    invite = told(("P-Asserted-Identity",), from_="<sip:anonymous@anonymous.invalid>")
    assert invite.get("P-Asserted-Identity") is None and invite.get("Privacy") == "id"


def behind(trunk: TrunkSettings) -> Lab:
    """Return a laboratory with a line (250) behind a trunk."""
    lab = Lab(members=0)
    lab.settings = ExchangeSettings(trunks=(trunk,))
    lab.directory = replace(lab.directory, lines={**lab.directory.lines, "out": Line("out", "250", trunk="pbx")})
    lab.exchange.configure(lab.directory, lab.settings, lab.now)
    return lab


def test_a_direct_call_was_sent_on_by_nobody() -> None:
    """A line that was called itself has no Diversion."""
    lab = behind(replace(TRUNK, tells=frozenset({"Diversion"})))
    pbx = lab.add("pbx", ("10.0.9.9", 5060))
    lab["c1"].call("250")
    lab.run(1)
    assert pbx.invites[0].get("Diversion") is None


def test_a_trunk_that_leaves_while_a_call_goes_through_it() -> None:
    """The call goes on, and its end counts nowhere."""
    lab = behind(TRUNK)
    lab.add("pbx", ("10.0.9.9", 5060)).on_invite = answers
    leg = lab["c1"].call("250")
    assert lab["c1"].accepted(leg)
    lines = {name: line for name, line in lab.directory.lines.items() if name != "out"}
    lab.exchange.configure(replace(lab.directory, lines=lines), ExchangeSettings(), lab.now)
    leg.hang_up(None, lab.now)
    lab.run(1)
    assert lab.ended("pbx") and lab.exchange.calls() == []
