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


def describe(event: Event) -> tuple[int, str] | None:
    """Return an event's priority and line; None for what needs no line."""
    match event:
        case LoginChanged(_, group, member, login, cause):
            state = "logged in" if login.logged_in else "logged out"
            paused = f", paused{_because(login.pause_reason)}" if login.paused else ""
            how = f" by {login.told_by} ({login.told_from})" if login.told_from else ""
            return INFO, f"{group}: {member} {state}{paused}{how}{_because(cause)}"
        case OpeningChanged(_, group, is_open, night, by, origin):
            how = f" by {by} ({origin})" if night != "hours" and by else " by its hours"
            return INFO, f"{group}: {'open' if is_open else 'closed'}{how}"
        case HandlingChanged(_, line, handling, by, origin):
            return INFO, f"line {line}: {handling_text(handling)} by {by} ({origin})"
        case LineOrdered(_, verb, line, by, origin, call, number):
            about = " ".join(part for part in (number, f"(call {call})" if call else None) if part)
            return INFO, f"line {line}: {verb} {about} by {by} ({origin})"
        case PinTaken(_, user, caller, trunk):
            return INFO, f"menu: {user} is known by PIN, from {caller or 'anonymous'} (trunk {trunk})"
        case PinRefused(_, user, caller, trunk, wrong, locked_for):
            whose = user or "a number that is nobody's"
            locked = f"; locked for {locked_for} s" if locked_for else ""
            who = f"{caller or 'anonymous'} (trunk {trunk})"
            return WARNING, f"menu: a PIN for {whose} from {who} is refused, {wrong} wrong in a row{locked}"
        case OutsideCalled(_, line, number, trunk, call, caller):
            return INFO, f"line {line}: {number} is called through trunk {trunk} for {caller} (call {call})"
        case OutsideRefused(_, line, number, how, why):
            return NOTICE, f"line {line}: {number} ({how}) is not called: {why}"
        case CommandRefused():
            about = " ".join(part for part in (event.verb, event.group, event.member) if part)
            return NOTICE, f"refused: {about} by {event.by} ({event.origin}): {event.message}"
        case MemberDropped(_, group, member):
            return NOTICE, f"{group}: {member} is no longer a member; the login is forgotten"
        case TrunkChanged(_, trunk, state, reason):
            return (INFO if state in ("registered", "static") else WARNING), f"trunk {trunk}: {state}{_because(reason)}"
        case LineChanged(_, line, state):
            return (NOTICE if state == "unreachable" else DEBUG), f"line {line}: {state}"
        case LineRings(_, line, _, caller, name):
            return INFO, f"line {line}: rings, {name or caller or 'an unknown caller'}"
        case GroupCall():
            who = f" {event.member}" if event.member else ""
            caller = event.caller_name or event.caller or "anonymous"
            return DEBUG if event.event_type == "offered" else INFO, (
                f"{event.group}: call {event.call} of {caller} {event.event_type}{who}{_because(event.reason)}"
            )
        case CallerWaits():
            caller = event.caller_name or event.caller or "anonymous"
            place = f"number {event.position} of {event.waiting}"
            return INFO, f"{event.group}: call {event.call} of {caller} waits, {place}"
        case WrapUp(_, group, member, until):
            return DEBUG, f"{group}: {member} {'gets calls again' if until is None else 'is in wrap-up'}"
        case CallOver():
            who = f" by {event.taken_by}" if event.taken_by else ""
            times = f"waited {event.wait:.1f} s, talked {event.talk:.1f} s"
            return DEBUG, f"call {event.call} to {event.called} is over: {event.result}{who}, {times}"
        case DeskPressed(_, desk, where, gesture, action):
            return DEBUG, f"desk {desk}: {where}: {gesture}: {action or 'nothing'}"
        case PanelChanged(_, desk, _, state, reason):
            return (INFO if state == "here" else WARNING), f"panel of desk {desk}: {state}{_because(reason)}"
        case ConfigurationTaken(_, restart, problems):
            told = [f"restart the bridge for {', '.join(restart)}"] if restart else []
            lacks = "; ".join((*told, *problems))
            return (NOTICE if lacks else INFO), f"the new configuration is in force{_because(lacks)}"
        case ConfigurationRefused(_, problems):
            return WARNING, f"the new configuration is not taken, the one before stays: {'; '.join(problems)}"
        case Notice(_, _, text):
            return NOTICE, text
        case _:
            return None


def handling_text(handling: Mapping[str, Any]) -> str:
    """Return in words what a line does with its calls."""
    divert = handling["divert"]
    said = ["do not disturb"] if handling["dnd"] else []
    said += [f"{when} to {divert[when]}" for when in ("always", "busy", "no-answer") if divert[when]]
    return ", ".join(said) or "rings as usual"


def _because(reason: str | None) -> str:
    return f": {reason}" if reason else ""
