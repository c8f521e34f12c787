"""What `monitor` shows, as lines of a terminal of any size."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.cli.screen import Picture, Place, Style, composed

STAMP = "2026-11-23T08:00:00Z"


def member(**more: Any) -> dict[str, Any]:
    """Return a member as `status` has it."""
    usual = {"name": "x", "line": "a", "availability": "available", "since": STAMP, "until": None, "reason": None}
    return {**usual, **more}


def status(members: int = 3, wrong: int = 0, calls: int = 0, waiting: int = 0) -> dict[str, Any]:
    """Return a status."""
    state = {
        "members": members,
        "logged_in": 1,
        "available": 1,
        "waiting": waiting,
        "waiting_since": STAMP if waiting else None,
    }
    call = {
        "caller": "0301555",
        "caller_name": "Zoe",
        "called": "600",
        "group": "support",
        "since": STAMP,
        "answered_by": None,
        "answered_at": None,
        "ringing": ["m0"],
        "state": "hunting",
    }
    return {
        "version": "1",
        "site": "home",
        "started": STAMP,
        "wrong": [{"what": f"line w{n}", "state": "unreachable", "since": STAMP, "reason": ""} for n in range(wrong)],
        "trunks": {"fritz": {"state": "registered", "since": STAMP, "reason": ""}},
        "links": {"broker": {"state": "connected", "since": STAMP, "reason": ""}},
        "groups": {
            "support": {
                "name": "support",
                "number": "600",
                "state": {**state, "strategy": "queue", "open": True},
                "members": {f"m{n}": member(name=f"m{n}") for n in range(members)},
            }
        },
        "lines": {"a": {"number": "201", "state": "ringing", "groups": ["support"]}},
        "calls": [call] * calls,
    }


def texts(picture: Picture, chosen: Place | None = None, width: int = 79, height: int = 24) -> list[str]:
    """Return the lines' texts."""
    lines = composed(picture, chosen, width, height)
    assert len(lines) == height and all(len(line.text) <= width for line in lines)
    return [line.text for line in lines]


@pytest.mark.parametrize("height", [4, 6, 10, 24, 60])
@pytest.mark.parametrize("width", [20, 39, 79, 200])
@pytest.mark.parametrize("members", [0, 3, 80])
def test_it_fits_whatever_there_is(width: int, height: int, members: int) -> None:
    """Exactly so many lines, none too wide; the keys are always the last."""
    picture = Picture(status(members, wrong=9, calls=20), events=[f"event {n}" for n in range(50)])
    assert "pick" in texts(picture, None, width, height)[-1] or width < 39


@pytest.mark.parametrize("at", [0, 1, 40, 79])
def test_who_is_chosen_is_in_sight(at: int) -> None:
    """However long the list is; marked, for terminals that have no reverse."""
    picture = Picture(status(80, wrong=2, calls=3), events=["e"] * 9)
    lines = composed(picture, Place("support", f"m{at}"), 79, 24)
    [chosen] = [line.text for line in lines if line.style is Style.CHOSEN]
    assert chosen.startswith(f"> m{at} ")


def test_what_is_wrong_comes_first_and_is_not_repeated() -> None:
    """The first ones with since when; how many more there are; conditions that are well in one line."""
    data = status(wrong=6)
    data["wrong"][0] = {"what": "trunk fritz", "state": "lost", "since": STAMP, "reason": "403 Forbidden"}
    lines = texts(Picture(data))
    assert "6 things are wrong" in lines[0]
    assert lines[1].startswith("  ! trunk fritz lost since") and lines[1].endswith(": 403 Forbidden")
    assert "and 2 more" in lines[5]
    assert lines[6] == "  broker connected"


def test_waiting_callers_calls_lamps_and_ringing_are_told() -> None:
    """A group's queue, each call with its hunt, the lamp of a member's desk, a phone that rings."""
    desks = {"d": {"member": "m0", "lamps": [{"signal": "blink fast"}, {"signal": "steady"}]}}
    lines = texts(Picture(status(waiting=2, calls=1), desks))
    assert any("2 waiting since" in line for line in lines)
    assert any("Zoe <0301555> to 600 (support) since" in line and line.endswith("rings m0") for line in lines)
    assert any(line.endswith("lamp blink fast, steady") and "ringing" in line for line in lines)


def test_the_last_events_stand_at_the_end() -> None:
    """As many as there is room for, the newest last; what a key was answered stands above the keys."""
    lines = texts(Picture(status(), events=[f"event {n}" for n in range(50)], said="refused: not yours"))
    assert lines[-3] == "  event 49" and lines[-2] == "refused: not yours"


def test_nothing_moves_the_cursor() -> None:
    """Whatever a caller calls itself."""
    data = status(calls=1)
    data["calls"][0]["caller_name"] = "\x1b[2Jgone"
    assert not any("\x1b" in line for line in texts(Picture(data)))
