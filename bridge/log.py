"""The log: one line per event on stderr, with journald's priority in front where journald listens.

Nothing is left out here: whoever tells of what the network sends (`calls/guard`) bounds what is told.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, TextIO

from bridge.events import (
    CallerWaits,
    CallOver,
    CommandRefused,
    ConfigurationRefused,
    ConfigurationTaken,
    DeskPressed,
    Event,
    GroupCall,
    HandlingChanged,
    LineChanged,
    LineOrdered,
    LineRings,
    LoginChanged,
    MemberDropped,
    Notice,
    OpeningChanged,
    OutsideCalled,
    OutsideRefused,
    PanelChanged,
    PinRefused,
    PinTaken,
    TrunkChanged,
    WrapUp,
)

WARNING, NOTICE, INFO, DEBUG = 4, 5, 6, 7


class Log:
    """Writes events as lines; to be followed to the port. `level`: syslog's number of the least that is written."""

    def __init__(self, stream: TextIO = sys.stderr, environ: Mapping[str, str] = os.environ, level: int = INFO) -> None:
        self.stream = stream
        self._journal = "JOURNAL_STREAM" in environ
        self.level = level
        self.level_for: Callable[[Event], int] = lambda event: self.level
        """Which level counts for an event."""

    def __call__(self, event: Event) -> None:
        """Write an event's line."""
        told = describe(event)
        if told is not None and told[0] <= self.level_for(event):
            self.write(*told)

    def write(self, priority: int, text: str) -> None:
        """Write one line, whatever characters the network put into it."""
        clean = text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)
        line = f"<{priority}>{clean}" if self._journal else clean
        print(line.encode("utf-8", "replace").decode("utf-8"), file=self.stream, flush=True)


Line = tuple[int, str]
"""A priority, and what is said with it."""


def describe(event: Event) -> Line | None:
    """Return an event's priority and line; None for what needs no line."""
    line = _LINES.get(type(event))
    return line(event) if line is not None else None


def _login_changed(event: LoginChanged) -> Line:
    login = event.login
    state = "logged in" if login.logged_in else "logged out"
    paused = f", paused{_because(login.pause_reason)}" if login.paused else ""
    how = f" by {login.told_by} ({login.told_from})" if login.told_from else ""
    return INFO, f"{event.group}: {event.member} {state}{paused}{how}{_because(event.cause)}"


def _opening_changed(event: OpeningChanged) -> Line:
    how = f" by {event.by} ({event.origin})" if event.night != "hours" and event.by else " by its hours"
    return INFO, f"{event.group}: {'open' if event.open else 'closed'}{how}"


def _handling_changed(event: HandlingChanged) -> Line:
    return INFO, f"line {event.line}: {handling_text(event.handling)} by {event.by} ({event.origin})"


def _line_ordered(event: LineOrdered) -> Line:
    about = " ".join(part for part in (event.number, f"(call {event.call})" if event.call else None) if part)
    return INFO, f"line {event.line}: {event.verb} {about} by {event.by} ({event.origin})"


def _pin_taken(event: PinTaken) -> Line:
    return INFO, f"menu: {event.user} is known by PIN, from {event.caller or 'anonymous'} (trunk {event.trunk})"


def _pin_refused(event: PinRefused) -> Line:
    whose = event.user or "a number that is nobody's"
    locked = f"; locked for {event.locked_for} s" if event.locked_for else ""
    who = f"{event.caller or 'anonymous'} (trunk {event.trunk})"
    return WARNING, f"menu: a PIN for {whose} from {who} is refused, {event.wrong} wrong in a row{locked}"


def _outside_called(event: OutsideCalled) -> Line:
    through = f"through trunk {event.trunk} for {event.caller} (call {event.call})"
    return INFO, f"line {event.line}: {event.number} is called {through}"


def _outside_refused(event: OutsideRefused) -> Line:
    return NOTICE, f"line {event.line}: {event.number} ({event.how}) is not called: {event.why}"


def _command_refused(event: CommandRefused) -> Line:
    about = " ".join(part for part in (event.verb, event.group, event.member) if part)
    return NOTICE, f"refused: {about} by {event.by} ({event.origin}): {event.message}"


def _member_dropped(event: MemberDropped) -> Line:
    return NOTICE, f"{event.group}: {event.member} is no longer a member; the login is forgotten"


def _trunk_changed(event: TrunkChanged) -> Line:
    priority = INFO if event.state in ("registered", "static") else WARNING
    return priority, f"trunk {event.trunk}: {event.state}{_because(event.reason)}"


def _line_changed(event: LineChanged) -> Line:
    return (NOTICE if event.state == "unreachable" else DEBUG), f"line {event.line}: {event.state}"


def _line_rings(event: LineRings) -> Line:
    return INFO, f"line {event.line}: rings, {event.caller_name or event.caller or 'an unknown caller'}"


def _group_call(event: GroupCall) -> Line:
    who = f" {event.member}" if event.member else ""
    call = f"call {event.call} of {event.caller_name or event.caller or 'anonymous'}"
    priority = DEBUG if event.event_type == "offered" else INFO
    return priority, f"{event.group}: {call} {event.event_type}{who}{_because(event.reason)}"


def _caller_waits(event: CallerWaits) -> Line:
    call = f"call {event.call} of {event.caller_name or event.caller or 'anonymous'}"
    return INFO, f"{event.group}: {call} waits, number {event.position} of {event.waiting}"


def _wrap_up(event: WrapUp) -> Line:
    state = "gets calls again" if event.until is None else "is in wrap-up"
    return DEBUG, f"{event.group}: {event.member} {state}"


def _call_over(event: CallOver) -> Line:
    who = f" by {event.taken_by}" if event.taken_by else ""
    times = f"waited {event.wait:.1f} s, talked {event.talk:.1f} s"
    return DEBUG, f"call {event.call} to {event.called} is over: {event.result}{who}, {times}"


def _desk_pressed(event: DeskPressed) -> Line:
    return DEBUG, f"desk {event.desk}: {event.where}: {event.gesture}: {event.action or 'nothing'}"


def _panel_changed(event: PanelChanged) -> Line:
    priority = INFO if event.state == "here" else WARNING
    return priority, f"panel of desk {event.desk}: {event.state}{_because(event.reason)}"


def _configuration_taken(event: ConfigurationTaken) -> Line:
    told = [f"restart the bridge for {', '.join(event.restart)}"] if event.restart else []
    lacks = "; ".join((*told, *event.problems))
    return (NOTICE if lacks else INFO), f"the new configuration is in force{_because(lacks)}"


def _configuration_refused(event: ConfigurationRefused) -> Line:
    return WARNING, f"the new configuration is not taken, the one before stays: {'; '.join(event.problems)}"


def _notice(event: Notice) -> Line:
    return NOTICE, event.text


_LINES: Mapping[type[Event], Callable[[Any], Line]] = {
    LoginChanged: _login_changed,
    OpeningChanged: _opening_changed,
    HandlingChanged: _handling_changed,
    LineOrdered: _line_ordered,
    PinTaken: _pin_taken,
    PinRefused: _pin_refused,
    OutsideCalled: _outside_called,
    OutsideRefused: _outside_refused,
    CommandRefused: _command_refused,
    MemberDropped: _member_dropped,
    TrunkChanged: _trunk_changed,
    LineChanged: _line_changed,
    LineRings: _line_rings,
    GroupCall: _group_call,
    CallerWaits: _caller_waits,
    WrapUp: _wrap_up,
    CallOver: _call_over,
    DeskPressed: _desk_pressed,
    PanelChanged: _panel_changed,
    ConfigurationTaken: _configuration_taken,
    ConfigurationRefused: _configuration_refused,
    Notice: _notice,
}
"""The events that get a line; what needs none (an offer's end, who waits seen from a satellite) is not here."""


def handling_text(handling: Mapping[str, Any]) -> str:
    """Return in words what a line does with its calls."""
    divert = handling["divert"]
    said = ["do not disturb"] if handling["dnd"] else []
    said += [f"{when} to {divert[when]}" for when in ("always", "busy", "no-answer") if divert[when]]
    return ", ".join(said) or "rings as usual"


def _because(reason: str | None) -> str:
    return f": {reason}" if reason else ""
