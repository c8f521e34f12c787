"""What `monitor` shows: the agent's whole state as lines of a terminal, as wide and high as that is.

Nothing in it counts seconds, so that a screen changes only when something has happened.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

from bridge.cli.calls import caller_text
from bridge.cli.text import clean, clock, named

Data = Mapping[str, Any]


class Style(Enum):
    """How a line stands out, where the terminal can."""

    PLAIN = ""
    HEADING = "heading"
    WRONG = "wrong"
    CHOSEN = "chosen"
    FAINT = "faint"


class Line(NamedTuple):
    """One line of the screen."""

    text: str
    style: Style = Style.PLAIN


class Place(NamedTuple):
    """A member's place in a group: what the keys act on."""

    group: str
    member: str


@dataclass
class Picture:
    """What is known: the agent's status, its desks by name, the last events as lines, and what was answered last."""

    status: Data
    desks: Data = field(default_factory=dict)
    events: Sequence[str] = ()
    said: str = ""

    @property
    def places(self) -> list[Place]:
        """Return every member of every group, in the order of the screen."""
        return [Place(group, member) for group, each in self.status["groups"].items() for member in each["members"]]


KEYS = "up/down choose  i log in  o log out  p pause  u unpause  g pick up  q quit"
SHORT_KEYS = "i in  o out  p pause  u unpause  g pick up  q quit"
FEW_KEYS = "i in o out p pause u go g pick q quit"
_EVENTS_AT_LEAST = 3
_CALLS_AT_MOST = 6


def composed(picture: Picture, chosen: Place | None, width: int, height: int) -> list[Line]:
    """Return exactly `height` lines of at most `width` characters, the chosen member's among them."""
    top = [*_head(picture.status), *_conditions(picture.status)]
    groups, at = _groups(picture, chosen)
    calls = _calls(picture.status["calls"])
    bottom = [Line(picture.said, Style.WRONG) if picture.said else Line(""), Line(_keys(width), Style.FAINT)]
    room = height - len(bottom)
    top = top[: max(1, room - _EVENTS_AT_LEAST - 3)]
    room -= len(top)
    events_need = min(_EVENTS_AT_LEAST, len(picture.events)) + 1
    calls = calls[: max(2, min(_CALLS_AT_MOST, room - events_need - 2))]
    groups = _window(groups, at, max(1, room - len(calls) - events_need))
    room -= len(groups) + len(calls)
    events = [Line("LAST EVENTS", Style.HEADING), *(Line(f"  {each}") for each in picture.events)]
    lines = [*top, *groups, *calls, *([events[0], *events[1:][-(room - 1) :]] if room > 1 else [])]
    lines = [*lines[: height - len(bottom)], *[Line("")] * (height - len(bottom) - len(lines)), *bottom]
    return [Line(_fitted(line.text, width), line.style) for line in lines[:height]]


def _head(status: Data) -> Iterator[Line]:
    wrong = status["wrong"]
    well = "all is well" if not wrong else f"{len(wrong)} {'thing is' if len(wrong) == 1 else 'things are'} wrong"
    yield Line(
        f"cti-bridge {status['version']} at {status['site']}, up since {clock(status['started'])}: {well}",
        Style.WRONG if wrong else Style.HEADING,
    )
    for each in wrong[:4]:
        reason = f": {each['reason']}" if each["reason"] else ""
        yield Line(f"  ! {each['what']} {each['state']} since {clock(each['since'])}{reason}", Style.WRONG)
    if len(wrong) > 4:
        yield Line(f"  ! and {len(wrong) - 4} more: cti-bridge status", Style.WRONG)


def _conditions(status: Data) -> Iterator[Line]:
    named_wrong = {each["what"] for each in status["wrong"]}
    well = [
        f"{name} {each['state']}"
        for kind in ("trunks", "links")
        for name, each in status[kind].items()
        if name not in named_wrong and f"trunk {name}" not in named_wrong
    ]
    if well:
        yield Line("  " + ", ".join(well))


def _groups(picture: Picture, chosen: Place | None) -> tuple[list[Line], int]:
    """Return the groups' lines, and which of them is the chosen member's."""
    status = picture.status
    lamps = _lamps(picture.desks)
    lines: list[Line] = []
    at = 0
    every = [(member, each) for group in status["groups"].values() for member, each in group["members"].items()]
    widths = (
        min(28, max((len(named(member, each["name"])) for member, each in every), default=0)),
        max((len(each["availability"]) for _, each in every), default=0),
    )
    for name, group in status["groups"].items():
        lines.append(Line(_group(name, group), Style.HEADING))
        for member, each in group["members"].items():
            here = chosen == Place(name, member)
            at = len(lines) if here else at
            row = _member(member, each, status["lines"].get(each["line"], {}), lamps.get(member, ""), widths)
            lines.append(Line(f"{'>' if here else ' '} {row}", Style.CHOSEN if here else Style.PLAIN))
    others = {name: line for name, line in status["lines"].items() if not line["groups"]}
    if others:
        lines.append(Line("OTHER LINES", Style.HEADING))
        lines += [Line(f"  {line['number']} {name}: {line['state']}") for name, line in others.items()]
    return lines or [Line("no groups are configured")], at


def _group(name: str, group: Data) -> str:
    state = group["state"]
    number = f"{group['number']} " if group["number"] else ""
    counts = [f"{state['logged_in']} of {state['members']} in", f"{state['available']} available"]
    if state["waiting"]:
        counts.append(f"{state['waiting']} waiting since {clock(state['waiting_since'])}")
    if not state["open"]:
        counts.append("closed")
    return f"{number}{named(name, group['name'])}: {state['strategy']}, {', '.join(counts)}"


def _member(name: str, member: Data, line: Data, lamps: str, widths: tuple[int, int]) -> str:
    since = f"since {clock(member['since'])}" if member["since"] else ""
    until = f"until {clock(member['until'])}" if member["until"] else ""
    reason = f"({member['reason']})" if member["reason"] else ""
    who = named(name, member["name"])[: widths[0]].ljust(widths[0])
    busy = line.get("state", "") if line.get("state") in ("ringing", "busy") else ""
    parts = (who, member["availability"].ljust(widths[1]), busy, since, until, reason, lamps)
    return "  ".join(part for part in parts if part)


def _lamps(desks: Data) -> dict[str, str]:
    """Return what the lamps of each member's desks show: `lamp steady`."""
    shown: dict[str, list[str]] = {}
    for desk in desks.values():
        shown.setdefault(desk["member"], []).extend(lamp["signal"] for lamp in desk["lamps"])
    return {member: f"lamp {', '.join(signals)}" for member, signals in shown.items() if signals}


def _calls(calls: Sequence[Data]) -> list[Line]:
    if not calls:
        return [Line("no calls are up")]
    return [Line("CALLS", Style.HEADING), *(Line(f"  {_call(call)}") for call in calls)]


def _call(call: Data) -> str:
    called = f"{call['called']} ({call['group']})" if call["group"] else call["called"]
    begun = f"{caller_text(call)} to {called} since {clock(call['since'])}"
    if call["answered_by"]:
        return f"{begun}, talks to {call['answered_by']} since {clock(call['answered_at'])}"
    ringing = f"rings {', '.join(call['ringing'])}" if call["ringing"] else call["state"]
    return f"{begun}, {ringing}"


def _window(lines: list[Line], at: int, room: int) -> list[Line]:
    """Return as many of the lines as there is room for, the one at `at` among them."""
    if len(lines) <= room:
        return lines
    first = min(max(0, at - room + 2), len(lines) - room)
    return lines[first : first + room]


def _keys(width: int) -> str:
    return next((keys for keys in (KEYS, SHORT_KEYS) if len(keys) <= width), FEW_KEYS)


def _fitted(text: str, width: int) -> str:
    text = clean(text)
    return text if len(text) <= width else text[: max(0, width - 1)] + "~"
