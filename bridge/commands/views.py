"""The JSON that doors show of the confirmed state: status, groups, members, lines, calls, a call's story.

Everything a view looks at is one `Picture`, taken at one moment, so what is shown together belongs together.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bridge.calls.status import LineState, LineStatus, Story, Telephony, TrunkStatus
from bridge.commands.control import handling_json
from bridge.commands.eyes import Eyes
from bridge.commands.leases import following
from bridge.commands.model import OWNER
from bridge.commands.night import night_json
from bridge.commands.tally import Tally
from bridge.directory.handling import PLAIN, Handling
from bridge.directory.instant import Instant
from bridge.directory.logins import Login
from bridge.directory.model import Directory, Group, Line, Member
from bridge.directory.nights import Opening
from bridge.events import iso, login_json
from bridge.hunting.model import Availability

_LINE_WORDS = {
    LineState.UNREACHABLE: Availability.NOT_REGISTERED,
    LineState.RINGING: Availability.OFFERED_ANOTHER,
    LineState.BUSY: Availability.ON_A_CALL,
}
RUNG = "ringing"  # for the group's own call, which is not another one
CLOCK = "no schedule turns, and nothing begins or ends at a time of day, until it is synchronised"
_TRUNK_FINE = frozenset({"registered", "static"})


@dataclass(frozen=True, slots=True)
class Link:
    """A connection of the agent to something outside, such as its broker. `since` is UTC seconds."""

    name: str
    state: str  # in words for people
    since: float
    reason: str = ""
    fine: bool = True


@dataclass(frozen=True, slots=True)
class Info:
    """What the agent knows of itself. `started` is UTC seconds."""

    version: str
    site: str
    started: float
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that views look at, at one moment. `wall` is UTC seconds."""

    directory: Directory
    login: Callable[[str, str], Login]
    telephony: Telephony
    tally: Tally
    info: Info
    wall: float
    opening: Callable[[Group], Opening] = lambda group: Opening(group.active)
    now: Instant | None = None  # None: `wall`, and the clock is right
    handling: Callable[[str], Handling] = lambda line: PLAIN

    @property
    def moment(self) -> Instant:
        """The moment of the picture."""
        return self.now or Instant(0.0, self.wall)


def availability(
    login: Login, line: LineStatus, is_open: bool = True, wraps_up: bool = False, dnd: bool = False
) -> Availability:
    """Return whether a member can be rung now, or the first reason why not; `is_open`: whether the group is."""
    if not login.logged_in:
        return Availability.LOGGED_OUT
    if login.paused:
        return Availability.PAUSED
    if not is_open:
        return Availability.GROUP_CLOSED
    if dnd:
        return Availability.DND
    if wraps_up:
        return Availability.WRAP_UP
    return _LINE_WORDS.get(line.state, Availability.AVAILABLE)


def member_state(login: Login, line: LineStatus, wraps_up: float | None) -> dict[str, Any]:
    """Return the contract's `P/group/G/member/M/state` payload; `wraps_up`: until when, and only then told."""
    wrap_up = {} if wraps_up is None else {"wrap_up": iso(wraps_up)}
    return {**login_json(login), "reachable": line.reachable, **wrap_up}


def group_state(group: Group, picture: Picture) -> dict[str, Any]:
    """Return the contract's `P/group/G/state` payload. A caller whom nobody has answered yet is waiting."""
    seen = [_availability(group, m, picture) for m in group.members]
    waiting = picture.telephony.waiting(group.name)
    return {
        "members": len(group.members),
        "logged_in": sum(not a.out for a in seen),
        "available": seen.count(Availability.AVAILABLE),
        "ringing": picture.telephony.ringing(group.name),
        "waiting": len(waiting),
        "waiting_since": iso(min(waiting, default=None)),
        "strategy": group.strategy.value,
        "open": picture.opening(group).open,
        "answered_today": picture.tally.today(group.name, "answered", picture.wall),
        "abandoned_today": picture.tally.today(group.name, "abandoned", picture.wall),
    }


def night_state(group: Group, picture: Picture) -> dict[str, Any]:
    """Return the `P/group/G/night/state` payload: the switch, and whether the group is open."""
    found = picture.opening(group)
    return night_json(found.switch, found.open)


def line_state(line: LineStatus) -> dict[str, Any]:
    """Return the contract's `P/line/L/state` payload."""
    return {"state": line.state.value, "since": iso(line.since) if line.since else None}


def groups(picture: Picture, eyes: Eyes) -> dict[str, Any]:
    """Return all groups by name, with their state and their members, in the order of the configuration."""
    seen = ((name, group) for name, group in picture.directory.groups.items() if eyes.sees_group(group))
    return {"groups": {name: _group(group, picture, eyes) for name, group in seen}}


def lines(picture: Picture, eyes: Eyes) -> dict[str, Any]:
    """Return all lines by name: how they are reached, their state, and the groups that ring them."""
    seen = ((name, line) for name, line in picture.directory.lines.items() if eyes.sees_line(name))
    return {"lines": {name: _line(line, picture, eyes) for name, line in seen}}


def calls(picture: Picture, eyes: Eyes) -> dict[str, Any]:
    """Return the calls that are up."""
    return {"calls": [seen for call in picture.telephony.calls() if (seen := eyes.call(call)) is not None]}


def explain(story: Story) -> dict[str, Any]:
    """Return a call's story, step by step, for the owner; `at` is seconds since its start."""
    steps = [{"at": round(s.at, 3), "member": s.member, "what": s.what, "why": s.why} for s in story.steps]
    return {"call": Eyes(OWNER, Directory()).call(story.status), "result": story.result, "steps": steps}


def status(picture: Picture, eyes: Eyes) -> dict[str, Any]:
    """Return the whole picture, with what is wrong and since when; trunks and connections are the owner's to see."""
    trunks = picture.telephony.trunks() if eyes.all else ()
    info = picture.info if eyes.all else replace(picture.info, links=())
    return {
        "version": info.version,
        "site": info.site,
        "started": iso(info.started),
        "uptime": max(0, int(picture.wall - info.started)),
        "trunks": {t.trunk: _trunk(t) for t in trunks},
        "links": {link.name: _condition(link.state, link.since, link.reason) for link in info.links},
        **lines(picture, eyes),
        **groups(picture, eyes),
        **calls(picture, eyes),
        "wrong": _wrong(trunks, info.links, picture, eyes),
    }


def _availability(group: Group, member: Member, picture: Picture) -> Availability:
    login = picture.login(group.name, member.name)
    wraps_up = picture.telephony.wraps_up(member.name) is not None
    dnd = picture.handling(member.line).dnd
    return availability(login, picture.telephony.line(member.line), picture.opening(group).open, wraps_up, dnd)


def _group(group: Group, picture: Picture, eyes: Eyes) -> dict[str, Any]:
    rung = {line for call in picture.telephony.calls() if call.group == group.name for line in call.rung}
    return {
        "name": group.shown,
        "number": group.number,
        "leaders": list(group.leaders),
        "state": group_state(group, picture),
        "night": {**night_state(group, picture), "turns": iso(picture.opening(group).turns)},
        "members": {m.name: _member(group, m, picture, rung) for m in group.members if eyes.sees_member(m)},
    }


def _member(group: Group, member: Member, picture: Picture, rung: Container[str]) -> dict[str, Any]:
    """Return a member as the list of groups shows it; `rung`: the lines that a call to this very group rings."""
    login = picture.login(group.name, member.name)
    line = picture.telephony.line(member.line)
    found = _availability(group, member, picture)
    is_ours = found is Availability.OFFERED_ANOTHER and member.line in rung
    return {
        "name": picture.directory.shown(member.name),
        "line": member.line,
        "static": member.always,
        "availability": RUNG if is_ours else found.value,
        **member_state(login, line, picture.telephony.wraps_up(member.name)),
        "next": _next(member, login, picture),
    }


def _next(member: Member, login: Login, picture: Picture) -> dict[str, Any] | None:
    """Return what becomes of a login by itself, and when: its lease ends, its schedule turns."""
    then = following(member, login, picture.moment)
    if then is None:
        return None
    return {"at": iso(then.at), "login": "ON" if then.logged_in else "OFF", "why": then.why}


def _line(line: Line, picture: Picture, eyes: Eyes) -> dict[str, Any]:
    state = picture.telephony.line(line.name)
    directory = picture.directory
    groups = (group for group, _ in directory.groups_by_line.get(line.name, ()))
    return {
        "number": line.number if eyes.sees_number_of(line) else None,
        "users": [u.shown for u in directory.users.values() if line.name in (u.line, u.second_line)],
        "via": _via(line),
        **line_state(state),
        "reachable": state.reachable,
        "contacts": list(state.contacts) if eyes.all or eyes.is_own(line.name) else [],
        "groups": list(dict.fromkeys(g.name for g in groups if eyes.sees_group(g))),
        "handling": handling_json(picture.handling(line.name)) if eyes.sees_numbers_at(line.name) else None,
    }


def _via(line: Line) -> str:
    if line.trunk is not None:
        return f"trunk {line.trunk}"
    return "registers" if line.registers else "contact"


def _condition(state: str, since: float, reason: str) -> dict[str, Any]:
    return {"state": state, "since": iso(since) if since else None, "reason": reason}


def _trunk(trunk: TrunkStatus) -> dict[str, Any]:
    """Return a trunk's condition, with what is odd about its PBX where something is."""
    found = _condition(trunk.state, trunk.since, trunk.reason)
    return {**found, "odd": list(trunk.odd)} if trunk.odd else found


def _wrong(
    trunks: Sequence[TrunkStatus], links: Sequence[Link], picture: Picture, eyes: Eyes
) -> list[Mapping[str, Any]]:
    """Return what is not as it should be: `what` it is, and its condition."""
    found = [(f"trunk {t.trunk}", t.state, t.since, t.reason) for t in trunks if t.state not in _TRUNK_FINE]
    found += [(x.name, x.state, x.since, x.reason) for x in links if not x.fine]
    if not picture.moment.synchronised:
        found.append(("clock", "not right yet", picture.info.started, CLOCK))
    for name in picture.directory.lines:
        line = picture.telephony.line(name)
        if not line.reachable and eyes.sees_line(name):
            found.append((f"line {name}", line.state.value, line.since, ""))
    return [{"what": what, **_condition(state, since, why)} for what, state, since, why in found]
