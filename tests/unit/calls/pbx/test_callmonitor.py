"""What a FRITZ!Box's call monitor tells of lines behind a trunk."""

from __future__ import annotations

import pytest

from bridge.calls.model import ExchangeSettings, TrunkSettings
from bridge.calls.pbx.callmonitor import extension_of
from bridge.calls.status import LineState
from bridge.directory.model import Line
from bridge.events import LineChanged, Notice
from tests.support.lab import Lab


def at(text: str) -> str:
    """Return a line of the monitor with its time in front."""
    return f"23.11.26 10:00:00;{text}"


def house() -> Lab:
    """Return a lab with two cordless phones and one without an extension behind a box."""
    trunk = TrunkSettings("fritz", "10.1.0.1", username="620", password="x", register=False)
    lines = (("anna", "**610"), ("ben", "**611"), ("cara", "0171234"))
    behind = tuple(Line(name, f"21{n}", trunk="fritz", dial=dial) for n, (name, dial) in enumerate(lines))
    return Lab(settings=ExchangeSettings(trunks=(trunk,)), more_lines=behind)


def states(lab: Lab) -> tuple[str, ...]:
    """Return the three lines' states."""
    return tuple(lab.exchange.line(name).state.value for name in ("anna", "ben", "cara"))


@pytest.mark.parametrize(
    ("dial", "extension"),
    [("**1", 0), ("**3", 2), ("**610", 10), ("**619", 19), ("**620", 20), ("611", 11), ("**600", 40), ("**9", None)]
    + [("0171", None), ("anna", None), ("**701", None), ("", None)],
)
def test_internal_numbers_are_extensions(dial: str, extension: int | None) -> None:
    """A box counts its phones otherwise in its monitor than on their keys."""
    assert extension_of(Line("x", "x", trunk="fritz", dial=dial)) == extension


def test_calls_make_lines_busy() -> None:
    """Idle from the connection on; busy from CALL or CONNECT until DISCONNECT; without an extension, unknown."""
    lab = house()
    assert states(lab) == ("unknown", "unknown", "unknown")
    for text, expected in (
        ("", ("idle", "idle", "unknown")),
        (at("CALL;0;10;987654;0301234;SIP0;"), ("busy", "idle", "unknown")),
        (at("RING;1;0301234;987654;SIP0;"), ("busy", "idle", "unknown")),
        (at("CONNECT;0;10;0301234;"), ("busy", "idle", "unknown")),
        (at("CONNECT;1;11;0301234;"), ("busy", "busy", "unknown")),
        (at("DISCONNECT;0;4;"), ("idle", "busy", "unknown")),
        (at("DISCONNECT;1;0;"), ("idle", "idle", "unknown")),
    ):
        lab.exchange.monitor_heard("fritz", text, lab.now)
        assert states(lab) == expected, text
    lab.run(0)
    told = [(e.line, e.state) for e in lab.events if isinstance(e, LineChanged)]
    assert told[-2:] == [("anna", "idle"), ("ben", "idle")]


@pytest.mark.parametrize(
    "text", ["x", ";;;;", at("CONNECT;0;"), at("CONNECT;0;ten;1;"), at("CALL;0;²;;;"), at("CALL;0;1000;")]
)
def test_lines_that_are_not_understood_change_nothing(text: str) -> None:
    """Another box, another language, noise: ignored."""
    lab = house()
    lab.exchange.monitor_heard("fritz", "", lab.now)
    lab.exchange.monitor_heard("fritz", text, lab.now)
    assert states(lab) == ("idle", "idle", "unknown")


def test_monitor_that_is_lost_is_said_once() -> None:
    """Without the monitor nothing is known; that is told once, and again only after it was heard meanwhile."""
    lab = house()
    lab.exchange.monitor_heard("fritz", "", lab.now)
    lab.exchange.monitor_heard("fritz", at("CONNECT;0;10;0301234;"), lab.now)
    for _ in range(3):
        lab.exchange.monitor_lost("fritz", "Connection refused", lab.now)
    assert states(lab) == ("unknown", "unknown", "unknown")
    lab.exchange.monitor_heard("fritz", "", lab.now)
    lab.exchange.monitor_lost("fritz", "no answer", lab.now)
    lab.run(0)
    notices = [event.text for event in lab.events if isinstance(event, Notice)]
    assert len(notices) == 2
    assert "Connection refused" in notices[0] and "#96*5*" in notices[0]


def test_calls_whose_end_was_missed_are_forgotten() -> None:
    """A box that only ever begins calls does not fill the memory."""
    lab = house()
    lab.exchange.monitor_heard("fritz", "", lab.now)
    for number in range(1000):
        lab.exchange.monitor_heard("fritz", at(f"CALL;{number};{10 + number % 2};1;2;SIP0;"), lab.now)
    assert lab.exchange.line("anna").state is LineState.BUSY
    for number in range(900, 1000):
        lab.exchange.monitor_heard("fritz", at(f"DISCONNECT;{number};1;"), lab.now)
    assert states(lab)[:2] == ("idle", "idle")
