"""What has happened: frozen events that go out to every door from one place.

`wall` is UTC, seconds since the epoch. `to_json` gives the one form in which an event leaves the process
(`P/bridge/event`, `events --follow`).
"""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from bridge.calls.status import Part, Step, Visit
from bridge.directory.logins import Login

_LAST = 253_402_300_799.0  # 9999-12-31T23:59:59Z


def iso(wall: float | None) -> str | None:
    """Return UTC, ISO 8601, whole seconds: `2026-11-23T08:00:00Z`; None stays None.

    What lies beyond all calendars, out of a damaged file, is the first or the last second there is.
    """
    if wall is None:
        return None
    within = int(min(max(wall, 0.0), _LAST))
    return datetime.datetime.fromtimestamp(within, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all events.

    `type` is what an event is called outside, a contract: its class's name in small letters, `login_changed`.
    `_TIMES`: the fields that are UTC seconds, told as times of day.
    """

    type: ClassVar[str] = "event"
    _TIMES: ClassVar[frozenset[str]] = frozenset()
    wall: float

    def __init_subclass__(cls) -> None:
        cls.type = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    def to_json(self) -> dict[str, Any]:
        """Return the event as a JSON object with `type` and `at` in front."""
        body: dict[str, Any] = {"type": self.type, "at": iso(self.wall)}
        for f in dataclasses.fields(self):
            if f.name != "wall":
                value = getattr(self, f.name)
                if f.name in self._TIMES:
                    value = iso(value)
                body[f.name] = login_json(value) if isinstance(value, Login) else value
        return body


def login_json(login: Login) -> dict[str, Any]:
    """Return the part of the member state contract that the login alone determines.

    While somebody is paused, reason, origin, by and until are the pause's; since when the login is, is not.
    """
    return {
        "login": "ON" if login.logged_in else "OFF",
        "paused": login.paused,
        "reason": login.pause_reason if login.paused else login.reason,
        "since": iso(login.since) if login.since else None,
        "origin": login.told_from.value if login.told_from else None,
        "by": login.told_by,
        "until": iso(login.pause_until if login.paused else login.until),
    }


@dataclass(frozen=True, slots=True)
class LoginChanged(Event):
    """A login was changed, written and applied. `cause`: what has changed it, where it was no command."""

    group: str
    member: str
    login: Login
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class OpeningChanged(Event):
    """A group's night switch was turned, or its hours began or ended; `by` and `origin` are the switch's."""

    group: str
    open: bool
    night: str
    by: str | None
    origin: str | None


@dataclass(frozen=True, slots=True)
class HandlingChanged(Event):
    """A line's diversions or its do-not-disturb were changed, written and applied; `handling` as views show it."""

    line: str
    handling: Mapping[str, Any]
    by: str | None
    origin: str | None


@dataclass(frozen=True, slots=True)
class LineOrdered(Event):
    """A line was made to dial, pick up, hang up, hold, resume or transfer, and that was done or has begun."""

    verb: str
    line: str
    by: str
    origin: str
    call: str | None
    number: str | None = None


@dataclass(frozen=True, slots=True)
class PinTaken(Event):
    """A user has proven by PIN, from behind a trunk, to be who calls the menu."""

    user: str
    caller: str
    trunk: str | None


@dataclass(frozen=True, slots=True)
class PinRefused(Event):
    """A PIN was wrong, or tried while locked out. `user`: whose it was to be, None where the number is nobody's.

    `caller` and `trunk`: who tried; `wrong`: tries in a row; `locked_for`: seconds, 0 where there may be more.
    """

    user: str | None
    caller: str
    trunk: str | None
    wrong: int
    locked_for: int


@dataclass(frozen=True, slots=True)
class OutsideCalled(Event):
    """A number outside is called in the name of a line, through a trunk; `caller`: who calls, in words."""

    line: str
    number: str
    trunk: str
    call: str
    caller: str


@dataclass(frozen=True, slots=True)
class OutsideRefused(Event):
    """A number outside is not called. `how`: dialled, transferred or diverted."""

    line: str
    number: str
    how: str
    why: str


@dataclass(frozen=True, slots=True)
class CommandRefused(Event):
    """A command was refused; `member` is in whose name it was asked, or whom it was about."""

    verb: str
    group: str | None
    member: str | None
    origin: str
    by: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class MemberDropped(Event):
    """A member has left the configuration; the login is forgotten."""

    group: str
    member: str


@dataclass(frozen=True, slots=True)
class LineChanged(Event):
    """A line is now idle, ringing, busy, unreachable or unknown."""

    line: str
    state: str


@dataclass(frozen=True, slots=True)
class LineRings(Event):
    """An analogue line rings, as its modem hears; `caller` and `caller_name` are "" where nobody tells them."""

    line: str
    call: str
    caller: str
    caller_name: str


@dataclass(frozen=True, slots=True)
class TrunkChanged(Event):
    """A trunk is now registered, static, trying or lost (`reason`: the PBX's own words)."""

    trunk: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class GroupCall(Event):
    """A step in a group's call: offered, ringing, answered, missed, abandoned, overflowed or ended.

    `event_type` is the contract's; `caller` is the caller's number ("" when anonymous); `member` is the one it
    is about, where it is about one. `wait`: for how many seconds the caller has waited, where the wait is over.
    """

    event_type: str
    group: str
    call: str
    caller: str
    caller_name: str
    member: str | None = None
    reason: str | None = None
    wait: float | None = None


@dataclass(frozen=True, slots=True)
class CallerWaits(Event):
    """A caller has come to a queue, was answered and hears music; `position` is 1 for who is next.

    `expected` is in how many seconds the caller will probably be served, None where nobody can tell.
    """

    group: str
    call: str
    caller: str
    caller_name: str
    waiting: int
    position: int
    expected: float | None


@dataclass(frozen=True, slots=True)
class WaitingChanged(Event):
    """So many callers of a group wait now; as it is seen from a satellite, who is told no more of them."""

    group: str
    waiting: int


@dataclass(frozen=True, slots=True)
class MemberReady(Event):
    """Somebody has said of a member who is logged in already that they take calls: wrap-up and rest are over."""

    group: str
    member: str


@dataclass(frozen=True, slots=True)
class WrapUp(Event):
    """A member of a group has ended a call of some queue and gets no other until then; None: gets calls again."""

    _TIMES: ClassVar[frozenset[str]] = frozenset({"until"})
    group: str
    member: str
    until: float | None  # UTC seconds


@dataclass(frozen=True, slots=True)
class OfferEnded(Event):
    """A group's call is offered to a member no more. `rang` is seconds, 0 where the phone never rang.

    `outcome`: a word of `hunting.model.Outcome`; "no answer" where the phone rang for as long as it was to ring, or
    gave up ringing by itself; "withdrawn" where a colleague was faster, the caller gave up or the member went.
    """

    group: str
    call: str
    member: str
    outcome: str
    rang: float


@dataclass(frozen=True, slots=True)
class CallOver(Event):
    """A call is over: said once, of every call, whatever happened. `wall` is when it ended.

    `caller` is "" when anonymous, and then `caller_line`, the line of ours that called, is None too. `taken_by` and
    `line` are None where nobody took it. `began` and `answered` are UTC seconds, `wait` and `talk` seconds. `result` is
    a word of `calls.over.CallResult`.
    """

    call: str
    caller: str
    caller_name: str
    caller_line: str | None
    called: str
    line: str | None
    taken_by: str | None
    began: float
    answered: float | None
    wait: float
    talk: float
    result: str
    why: str
    visits: tuple[Visit, ...]
    parts: tuple[Part, ...]
    steps: tuple[Step, ...]

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups that it came to, in order."""
        return tuple(visit.group for visit in self.visits if visit.group is not None)

    def to_json(self) -> dict[str, Any]:
        """Return the event without its steps, which `explain` tells."""
        return {
            "type": self.type,
            "at": iso(self.wall),
            "call": self.call,
            "groups": list(self.groups),
            "caller": self.caller,
            "caller_name": self.caller_name,
            "called": self.called,
            "began": iso(self.began),
            "answered": iso(self.answered),
            "taken_by": self.taken_by,
            "wait": self.wait,
            "talk": self.talk,
            "result": self.result,
            "why": self.why,
            "members": [part_json(part) for part in self.parts],
        }


def part_json(part: Part) -> dict[str, Any]:
    """Return what became of a call at one member."""
    told = {"group": part.group, "member": part.member, "at": part.at, "rang": part.rang}
    return {**told, "outcome": part.outcome, "why": part.why}


@dataclass(frozen=True, slots=True)
class MissedChanged(Event):
    """A group has missed another call, or one less: its caller was answered, or a member has taken note."""

    group: str


@dataclass(frozen=True, slots=True)
class MissedSeen(Event):
    """A member has taken note of the calls that a group has missed."""

    group: str
    member: str
    by: str
    origin: str


@dataclass(frozen=True, slots=True)
class DeskPressed(Event):
    """A desk's button or key was pressed; `gesture` is "press" or "hold", `action` what that does, if anything."""

    desk: str
    where: str
    gesture: str
    action: str | None


@dataclass(frozen=True, slots=True)
class PanelChanged(Event):
    """A desk's panel is now here or gone (`reason`: why)."""

    desk: str
    panel: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class ConfigurationTaken(Event):
    """Another configuration is in force. `restart`: keys that need a restart; `problems`: parts that cannot be had."""

    restart: tuple[str, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConfigurationRefused(Event):
    """Another configuration was not taken, for all these `problems`; the one before stays in force."""

    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Notice(Event):
    """Something that a person should know and no other event says: `what` names it, `text` tells it."""

    what: str
    text: str
