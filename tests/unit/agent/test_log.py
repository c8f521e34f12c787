"""The log: one line per event, priorities for journald, nothing that breaks a line."""

from __future__ import annotations

import io

from bridge.directory.logins import Login, Origin
from bridge.events import GroupCall, LineChanged, LoginChanged, Notice, TrunkChanged
from bridge.log import Log


def lines(*events: object, journal: bool = False) -> list[str]:
    """Return what is written for events."""
    stream = io.StringIO()
    log = Log(stream, {"JOURNAL_STREAM": "1:2"} if journal else {})
    for event in events:
        log(event)  # type: ignore[arg-type]
    return stream.getvalue().splitlines()


def test_a_login_names_member_group_actor_and_door() -> None:
    """Who did what to whom, through which door."""
    login = Login(True, 0.0, "anna", Origin.BUTTON)
    assert lines(LoginChanged(0.0, "support", "ben", login)) == ["support: ben logged in by anna (button)"]


def test_journald_gets_a_priority() -> None:
    """`<N>` in front where journald reads, nothing in a terminal."""
    lost = TrunkChanged(0.0, "fritz", "lost", "403 Forbidden")
    assert lines(lost, journal=True) == ["<4>trunk fritz: lost: 403 Forbidden"]
    assert lines(lost) == ["trunk fritz: lost: 403 Forbidden"]


def test_what_the_network_sends_cannot_break_a_line() -> None:
    """Control characters and line ends are replaced; halves of surrogates do no harm."""
    assert lines(Notice(0.0, "sip", "udp:1.2.3.4:5: a\nb\x1b[2J\udcff")) == ["udp:1.2.3.4:5: a?b?[2J?"]


def test_what_happens_often_is_left_out() -> None:
    """Offers and states of lines would fill a log; the answer of a call does not."""
    offered = GroupCall(0.0, "offered", "support", "c1", "0555", "", "ben")
    answered = GroupCall(0.0, "answered", "support", "c1", "0555", "Mrs. Smith", "ben")
    assert lines(offered, LineChanged(0.0, "ben", "busy"), answered) == ["support: call c1 of Mrs. Smith answered ben"]
