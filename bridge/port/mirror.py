"""What a satellite knows of the bridge: the states that lie at the broker, read back into the domain's values.

It is the telephony of a satellite's desks too. While the bridge is not there nothing of it is true any more: every
line is unreachable and every trunk lost, which is what lamps show then. Pure: what is heard goes in, events come out.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bridge.calls.status import CallStatus, LineState, LineStatus, Story, TrunkStatus
from bridge.directory.logins import OUT, Login, Origin
from bridge.directory.model import Directory, Group, Line, Member, Strategy, User
from bridge.directory.nights import Night, NightState, Opening
from bridge.events import (
    Event,
    LineChanged,
    LoginChanged,
    MissedChanged,
    OpeningChanged,
    TrunkChanged,
    WaitingChanged,
    WrapUp,
)
from bridge.mqtt.topics import (
    GroupSubject,
    InfoSubject,
    LineSubject,
    MemberSubject,
    MissedSubject,
    NightSubject,
    Subject,
)

BRIDGE = "bridge"
_OPEN = Opening(True)
_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


class Mirror:
    """The bridge as it is seen from elsewhere. `directory` is what to go by until the bridge has told."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self.groups: dict[str, Mapping[str, Any]] = {}  # the groups' states, as they were said
        self.here = False
        self.since = 0.0  # UTC seconds
        self._logins: dict[tuple[str, str], Login] = {}
        self._openings: dict[str, Opening] = {}
        self._lines: dict[str, LineStatus] = {}
        self._trunks: tuple[TrunkStatus, ...] = ()
        self._missed: dict[str, Mapping[str, Any]] = {}
        self._wraps_up: dict[tuple[str, str], float | None] = {}

    # -- what is known ----------------------------------------------------------------------------------------

    def login(self, group: str, member: str) -> Login:
        """Return the login that was last confirmed."""
        return self._logins.get((group, member), OUT)

    def opening(self, group: str) -> Opening:
        """Return whether a group takes calls."""
        return self._openings.get(group, _OPEN)

    def missed(self, group: str, member: str) -> int:
        """Return how many callers a group has missed of whom a member has not taken note."""
        told = self._missed.get(group, {}).get(member) if self.here else None
        return told if isinstance(told, int) else 0

    def line(self, name: str) -> LineStatus:
        """Return a line's state."""
        if not self.here:
            return LineStatus(name, LineState.UNREACHABLE, self.since)
        return self._lines.get(name, LineStatus(name, LineState.UNKNOWN, 0.0))

    def trunks(self) -> Sequence[TrunkStatus]:
        """Return the bridge's trunks; while it is not there, these and the way to it, all of them lost."""
        if self.here:
            return self._trunks
        names = dict.fromkeys((BRIDGE, *(trunk.trunk for trunk in self._trunks), *self._used()))
        return tuple(TrunkStatus(name, "lost", self.since, "the bridge is not there") for name in names)

    def calls(self) -> Sequence[CallStatus]:
        """Return nothing: who calls is the bridge's to know."""
        return ()

    def ringing(self, group: str) -> bool:
        """Return whether a group rings."""
        return self.here and self.groups.get(group, {}).get("ringing") is True

    def waiting(self, group: str) -> tuple[float, ...]:
        """Return since when each caller of a group waits; of all but the first it is not known exactly."""
        told = self.groups.get(group, {})
        return (_time(told.get("waiting_since")) or 0.0,) * _count(told) if self.here else ()

    def wraps_up(self, member: str) -> float | None:
        """Return until when a member is in wrap-up, UTC seconds; None where they are not."""
        told = (until for (_, who), until in self._wraps_up.items() if who == member)
        return next((until for until in told if until is not None), None) if self.here else None

    def story(self, call: str | None) -> Story | None:
        """Return nothing: the bridge explains its calls."""
        return None

    # -- what is heard ----------------------------------------------------------------------------------------

    def hear(self, subject: Subject, payload: str, wall: float) -> Iterator[Event]:
        """Take a state in, and yield what has changed; one that cannot be read is passed over."""
        try:
            body = json.loads(payload) if payload else None
            yield from self._take(subject, body, wall)
        except _UNREADABLE:
            return

    def confirmed(self, data: Mapping[str, Any], wall: float) -> Iterator[Event]:
        """Take in what a reply confirms, which may come before the states that it changed."""
        for entry in data.get("changed", ()):
            try:
                if "member" in entry:
                    yield from self._take_login(entry["group"], entry["member"], entry, wall)
                else:
                    yield from self._take_opening(entry["group"], entry, wall)
            except _UNREADABLE:
                continue

    def learn(self, groups: Mapping[str, Any], lines: Mapping[str, Any]) -> bool:
        """Take in who there is, from the answers to `groups` and `lines`; return whether it could be read."""
        try:
            self.directory = _directory(groups["groups"], lines["lines"])
        except _UNREADABLE:
            return False
        return True

    def appear(self, here: bool, wall: float) -> Iterator[Event]:
        """Note whether the bridge is there; yield every trunk and line, for they are seen otherwise now."""
        if here is self.here:
            return
        before = [trunk.trunk for trunk in self.trunks()]
        self.here, self.since = here, wall
        now = {trunk.trunk: trunk for trunk in self.trunks()}
        for name in dict.fromkeys((*before, *now)):
            trunk = now.get(name)
            yield TrunkChanged(wall, name, trunk.state if trunk else "static", trunk.reason if trunk else "")
        yield from (LineChanged(wall, name, self.line(name).state.value) for name in self.directory.lines)

    def _take(self, subject: Subject, body: Any, wall: float) -> Iterator[Event]:
        match subject:
            case MemberSubject(group, member):
                yield from self._take_login(group, member, body, wall)
            case NightSubject(group):
                yield from self._take_opening(group, body, wall)
            case GroupSubject(group):
                before, self.groups[group] = self.groups.get(group, {}), dict(body or {})
                if _count(before) != _count(self.groups[group]):
                    yield WaitingChanged(wall, group, _count(self.groups[group]))
            case MissedSubject(group):
                callers = dict((body or {}).get("missed", {}))
                changed = callers != self._missed.get(group, {})
                self._missed[group] = callers
                if changed:
                    yield MissedChanged(wall, group)
            case LineSubject(line):
                yield from self._take_line(line, body, wall)
            case InfoSubject():
                yield from self._take_trunks(body or {}, wall)

    def _take_login(self, group: str, member: str, body: Any, wall: float) -> Iterator[Event]:
        login = OUT if body is None else _login(body)
        if login != self.login(group, member):
            self._logins[group, member] = login
            yield LoginChanged(wall, group, member, login)
        if body is not None and "reachable" in body:  # a state, and not only what a reply confirms
            until = _time(body.get("wrap_up"))
            before, self._wraps_up[group, member] = self._wraps_up.get((group, member)), until
            if until != before:
                yield WrapUp(wall, group, member, until)

    def _take_opening(self, group: str, body: Any, wall: float) -> Iterator[Event]:
        opening = _OPEN if body is None else _opening(body)
        if opening != self.opening(group):
            self._openings[group] = opening
            yield self._opening_event(group, wall)

    def _opening_event(self, group: str, wall: float) -> OpeningChanged:
        found = self.opening(group)
        return OpeningChanged(wall, group, found.open, found.switch.night, found.switch.by, found.switch.origin)

    def _take_line(self, line: str, body: Any, wall: float) -> Iterator[Event]:
        before = self._lines.pop(line, None)
        if body is not None:
            self._lines[line] = LineStatus(line, LineState(body["state"]), _time(body["since"]) or 0.0)
        if self._lines.get(line) != before:
            yield LineChanged(wall, line, self.line(line).state.value)

    def _take_trunks(self, body: Mapping[str, Any], wall: float) -> Iterator[Event]:
        told = body.get("trunks", {})
        trunks = (TrunkStatus(n, t["state"], _time(t["since"]) or 0.0, t["reason"]) for n, t in told.items())
        before, self._trunks = self._trunks, tuple(trunks)
        if self.here:
            yield from (TrunkChanged(wall, t.trunk, t.state, t.reason) for t in self._trunks if t not in before)

    def _used(self) -> Iterator[str]:
        yield from (line.trunk for line in self.directory.lines.values() if line.trunk is not None)


def _login(body: Mapping[str, Any]) -> Login:
    paused = bool(body["paused"])
    until, reason = _time(body["until"]), body["reason"]
    by, origin = body["by"], Origin(body["origin"]) if body["origin"] else None
    return Login(
        logged_in=body["login"] == "ON",
        since=_time(body["since"]) or 0.0,
        by=None if paused else by,
        origin=None if paused else origin,
        reason=None if paused else reason,
        until=None if paused else until,
        paused=paused,
        pause_reason=reason if paused else None,
        pause_until=until if paused else None,
        pause_by=by if paused else None,
        pause_origin=origin if paused else None,
    )


def _count(group: Mapping[str, Any]) -> int:
    """Return how many callers of a group wait, by its state."""
    waiting = group.get("waiting")
    return waiting if isinstance(waiting, int) else 0


def _opening(body: Mapping[str, Any]) -> Opening:
    origin = Origin(body["origin"]) if body["origin"] else None
    return Opening(
        bool(body["open"]), NightState(Night(body["night"]), _time(body["since"]) or 0.0, body["by"], origin)
    )


def _time(written: str | None) -> float | None:
    return None if written is None else datetime.datetime.fromisoformat(written).timestamp()


def _directory(groups: Mapping[str, Any], lines: Mapping[str, Any]) -> Directory:
    owned = {name for name, line in lines.items() if line["users"]}
    made = {name: _group(name, group, owned) for name, group in groups.items()}
    users = {
        member: User(member, told["name"], told["line"])
        for group in groups.values()
        for member, told in group["members"].items()
        if told["line"] in owned
    }
    return Directory({name: _line(name, line) for name, line in lines.items()}, users, made)


def _group(name: str, told: Mapping[str, Any], owned: set[str]) -> Group:
    members = tuple(
        Member(member, m["line"], device=m["line"] not in owned, always=bool(m["static"]))
        for member, m in told["members"].items()
    )
    strategy = Strategy(told["state"]["strategy"])
    return Group(name, told["name"], told["number"], members, tuple(told["leaders"]), strategy=strategy)


def _line(name: str, told: Mapping[str, Any]) -> Line:
    kind, _, trunk = str(told["via"]).partition(" ")
    return Line(name, told["number"], trunk=trunk or None, registers=kind == "registers")
