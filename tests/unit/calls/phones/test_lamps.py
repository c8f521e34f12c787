"""Lamps of phones: who may watch what, and what a lamp shows (RFC 4235)."""

from __future__ import annotations

from dataclasses import replace

from bridge.calls.status import LineState
from bridge.directory.logins import Login
from bridge.directory.model import Level, Line, Strategy
from bridge.events import Notice
from bridge.sip.message import Body
from tests.support.lab import BRIDGE, OFFER, refuses
from tests.support.lamps import SPACE, configure, dialogs, login, office, remotes
from tests.support.phonelab import OFFER as PHONES_OFFER
from tests.support.phonelab import PhoneLab
from tests.support.watchers import Key

# -- who may ---------------------------------------------------------------------------------------------------------


def test_what_there_is_not() -> None:
    """404 for numbers and codes that mean nothing here, 403 for a group of others."""
    lab = office()
    for number, status in (("999", 404), ("*43999", 404), ("*41600", 404), ("*40", 404), ("*44", 404)):
        assert Key(lab, "m1", number).statuses == [status], number
    assert Key(lab, "c1", "*43600").statuses == [403]
    said = [event.text for event in lab.events if isinstance(event, Notice)]
    assert said[0].startswith("udp:10.0.0.1:5060: line m1 cannot watch '999': that is no number of a line or group")
    assert len(said) == 2, "once for each address and minute"


def test_devices_see_no_users() -> None:
    """No level applies through a device: its phone may watch neither a user's line nor who is in; groups it may."""
    lab = office()
    assert Key(lab, "c1", "201").statuses == [403]
    assert Key(lab, "c1", "600").statuses == [200]
    assert Key(lab, "m3", "*43600").statuses == [200]


def test_a_site_that_shows_nothing() -> None:
    """With the site's level none, a group is for its own people."""
    lab = office(member_level=Level.NONE)
    configure(lab, replace(lab.directory, site_level=Level.NONE))
    assert Key(lab, "m1", "600").statuses == [200]
    assert Key(lab, "c1", "600").statuses == [403]
    assert Key(lab, "m1", "202").statuses == [403]


def test_strangers_are_challenged() -> None:
    """Who is no phone of ours has to prove a line, whatever the number."""
    lab = office()
    lab.add("x", ("192.0.2.66", 5060))
    for number in ("202", "999"):
        assert Key(lab, "x", number).statuses == [401]
    assert not len(lab.exchange.lamps)


# -- what is shown ---------------------------------------------------------------------------------------------------


def test_a_login_is_lit() -> None:
    """The toggle code's lamp is the subscriber's own login: lit when in, blinking when paused, dark when out."""
    lab = office()
    mine, bens = Key(lab, "m1", "*43600"), Key(lab, "m2", "*43")
    assert (mine.state, bens.state) == ("idle", "idle")
    login(lab, "anna", Login(True))
    assert dialogs(mine) == [("confirmed", "initiator")]
    login(lab, "anna", Login(True, paused=True))
    assert dialogs(mine) == [("early", "initiator")]
    assert bens.state == "idle" and len(bens.documents) == 1
    login(lab, "ben", Login(True))
    assert bens.state == "busy"


def test_a_line_rings_and_talks() -> None:
    """Early while its phone rings, confirmed while it talks, nothing afterwards; the caller is lit from the start."""
    lab = office(member_level=Level.TEAM)
    key, caller, callee = Key(lab, "m2", "201"), Key(lab, "c1", "301"), Key(lab, "m1", "201")
    leg = lab["c1"].call("201")
    lab.run(1)
    assert dialogs(key) == [("early", "recipient")] == dialogs(callee)
    assert dialogs(caller) == [("confirmed", "initiator")]
    assert remotes(key) == [("sip:301@10.0.0.100", None)]
    assert remotes(caller) == [("sip:201@10.0.0.100", None)]
    lab["m1"].leg.accept(Body("application/sdp", b"v=0\r\n"), lab.now)
    lab.run(1)
    assert lab["c1"].accepted(leg) and dialogs(key) == [("confirmed", "recipient")]
    leg.hang_up(None, lab.now)
    lab.run(1)
    assert dialogs(key) == [] == dialogs(caller)


def test_who_calls_is_for_whom_it_may_be() -> None:
    """At level public a line's state is shown and no number; business shows it; nobody is shown an anonymous one."""
    for level, shown in ((Level.PUBLIC, []), (Level.BUSINESS, [("sip:301@10.0.0.100", None)])):
        lab = office(member_level=level)
        key = Key(lab, "m2", "201")
        lab["c1"].call("201")
        lab.run(1)
        assert key.state == "ringing" and remotes(key) == shown
    lab = office(member_level=Level.PERSONAL)
    key = Key(lab, "m2", "201")
    lab["c1"].call("201", from_="<sip:anonymous@anonymous.invalid>")
    lab.run(1)
    assert key.state == "ringing" and remotes(key) == []


def test_a_private_line_shows_no_numbers() -> None:
    """Whatever the level; to its own phone it does."""
    lab = office(member_level=Level.PERSONAL)
    lines = {**lab.directory.lines, "m1": replace(lab.directory.lines["m1"], private=True)}
    configure(lab, replace(lab.directory, lines=lines))
    key, own = Key(lab, "m2", "201"), Key(lab, "m1", "201")
    lab["c1"].call("201")
    lab.run(1)
    assert key.state == "ringing" and remotes(key) == [] and remotes(own)


def test_a_private_caller() -> None:
    """What a private line calls shows its number to nobody else, whatever they may see of who is called."""
    lab = office(member_level=Level.PERSONAL)
    lines = {**lab.directory.lines, "c1": replace(lab.directory.lines["c1"], private=True)}
    configure(lab, replace(lab.directory, lines=lines))
    key = Key(lab, "m2", "201")
    lab["c1"].call("201")
    lab.run(1)
    assert key.state == "ringing" and remotes(key) == []


def named(key: Key) -> list[tuple[str | None, ...]]:
    """Return how the dialogs of the last document are named: Call-ID, the phone's tag, the peer's."""
    found = key.documents[-1].findall(f"{SPACE}dialog")
    return [tuple(dialog.get(name) for name in ("call-id", "local-tag", "remote-tag")) for dialog in found]


def test_a_lamp_says_how_to_pick_up() -> None:
    """With the level for it a document names the dialog, and an INVITE with Replaces made of that takes the call."""
    for level, names in ((Level.BUSINESS, False), (Level.TEAM, True)):
        lab = office(member_level=level)
        key = Key(lab, "m2", "201")
        lab["c1"].call("201", OFFER)
        lab.run(1)
        (call_id, phones, ours) = named(key)[0]
        assert (call_id is not None) is names
    picker = lab["m2"]
    leg = picker.ua.call(BRIDGE, picker.name, pinned=False)
    replaces = {"Replaces": f"{call_id};to-tag={ours};from-tag={phones};early-only"}
    leg.invite("sip:201@10.0.0.100", "<sip:202@10.0.0.2>", "<sip:201@10.0.0.100>", OFFER, replaces, lab.now)
    lab.run(1)
    assert picker.accepted(leg)
    lab.run(1)
    assert lab.exchange.calls()[0].answered_by == "ben" and lab.sent("m1", "CANCEL")


def test_callers_of_a_group() -> None:
    """The group's number, or the pickup code and it, blinks while a caller rings or waits."""
    lab = office()
    login(lab, "anna", Login(True))
    keys = [Key(lab, "m2", number) for number in ("600", "*8600")]
    call = lab["c1"].call("600")
    lab.run(1)
    assert [dialogs(key) for key in keys] == [[("early", "recipient")]] * 2
    assert [remotes(key) for key in keys] == [[], []]
    call.hang_up(None, lab.now)
    lab.run(1)
    assert [key.state for key in keys] == ["idle", "idle"]


def test_a_line_behind_a_trunk() -> None:
    """What its PBX tells of it is shown: busy and ringing, without a number."""
    lab = PhoneLab()
    lab.configure(lines={**lab.directory.lines, "far": Line("far", "611", trunk="pbx")})
    key = Key(lab, "m1", "611")
    shown = []
    for state in (LineState.RINGING, LineState.BUSY, LineState.IDLE, None):
        lab.exchange.lines.know("far", state)
        lab.exchange.tick(lab.now)
        lab.run(0)
        shown.append(dialogs(key))
    assert shown == [[("early", None)], [("confirmed", None)], [], []] and remotes(key) == []


def test_a_caller_waits() -> None:
    """In a queue it blinks as long as somebody waits, though no phone rings."""
    lab = PhoneLab(changes={"strategy": Strategy.QUEUE})
    lab.login("anna")
    lab["m1"].call("302")
    lab.run(1)
    key = Key(lab, "m2", "600")
    caller = lab["c1"].call("600", PHONES_OFFER)
    lab.run(1)
    assert lab["c1"].accepted(caller) and not lab.exchange.ringing("g") and key.state == "ringing"
    caller.hang_up(None, lab.now)
    lab.run(1)
    assert key.state == "idle"


def test_the_night_switch() -> None:
    """Lit while the group is closed."""
    lab = office()
    closed = False
    lab.exchange.board.is_open = lambda group: not closed
    key = Key(lab, "m1", "*44600")
    assert key.state == "idle"
    closed = True
    lab.exchange.opening_changed("g", lab.now)
    lab.run(0)
    assert dialogs(key) == [("confirmed", None)]


def test_a_busy_line_that_refuses() -> None:
    """A phone that declines has rung no longer."""
    lab = office()
    key = Key(lab, "m1", "201")
    lab["m1"].on_invite = refuses(486)
    lab["c1"].call("201")
    lab.run(1)
    assert key.state == "idle"
