"""What the log writes: a level for each topic, changed for a while by who looks for something, then as before.

While `sip` is at debug, each message that passes is a line; nothing of it costs anything else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bridge.commands.model import CommandError
from bridge.commands.moments import seconds
from bridge.commands.words import check_fields, text
from bridge.events import Event, Notice
from bridge.log import DEBUG, INFO, NOTICE, WARNING, Log
from bridge.sip.tape import Tape, Taped
from bridge.upkeep.trace import call_id_of

LOG = "log"
LEVELS = {"debug": DEBUG, "info": INFO, "notice": NOTICE, "warning": WARNING}
ALL = "all"
SIP = "sip"
_TOPIC_OF = {
    "group_call": "calls",
    "call_over": "calls",
    "offer_ended": "calls",
    "login_changed": "logins",
    "opening_changed": "logins",
    "member_dropped": "logins",
    "command_refused": "logins",
    "line_changed": "lines",
    "trunk_changed": "trunks",
    "desk_pressed": "desks",
    "panel_changed": "desks",
}
TOPICS = (SIP, *dict.fromkeys(_TOPIC_OF.values()), "bridge")
DEFAULT_SECONDS = 600.0
_WORD = 32
_FIRST_LINE = 120


def topic_of(event: Event) -> str:
    """Return what an event is about: one of `TOPICS`."""
    if isinstance(event, Notice):
        return SIP if event.what == "sip" else "bridge"
    return _TOPIC_OF.get(event.type, "bridge")


class Verbosity:
    """The levels of a log, and what the owner may do to them. `monotonic` gives seconds."""

    def __init__(self, log: Log, tape: Tape, monotonic: Callable[[], float]) -> None:
        self._log = log
        self._tape = tape
        self._monotonic = monotonic
        self._usual = log.level
        self._set: dict[str, tuple[int, float]] = {}  # by topic: the level, and until when
        log.level_for = self._level_for

    @property
    def verbs(self) -> Mapping[str, Callable[[Mapping[str, Any]], Awaitable[dict[str, Any]]]]:
        """Return what can be asked for."""
        return {LOG: self.log}

    async def log(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Set the `level` of a `topic` (all) `for` a time (10 min); without a level, only tell. Raises CommandError."""
        check_fields(LOG, arguments, ("level", "topic", "for"))
        level, topic = text(arguments, "level", _WORD), text(arguments, "topic", _WORD) or ALL
        if level is not None:
            self._change(level, topic, self._length(arguments))
        elif arguments:
            raise CommandError("bad_request", f"level is missing; right are {', '.join(LEVELS)} and usual")
        return {"topics": {each: self._told(each) for each in TOPICS}}

    def _length(self, arguments: Mapping[str, Any]) -> float:
        given = arguments.get("for")
        try:
            return (
                DEFAULT_SECONDS if given is None else seconds(given if isinstance(given, int | float) else str(given))
            )
        except ValueError as wrong:
            raise CommandError("bad_request", f"for: {wrong}") from None

    def _change(self, level: str, topic: str, lasts: float) -> None:
        if level not in LEVELS and level != "usual":
            raise CommandError("bad_request", f"there is no level {level!r}; right are {', '.join(LEVELS)} and usual")
        if topic != ALL and topic not in TOPICS:
            raise CommandError("bad_request", f"there is no topic {topic!r}; right are {', '.join(TOPICS)} and {ALL}")
        for each in TOPICS if topic == ALL else (topic,):
            if level == "usual":
                self._set.pop(each, None)
            else:
                self._set[each] = LEVELS[level], self._monotonic() + lasts
        self._tape.listener = self._passed if self._level(SIP) >= DEBUG else None

    def _level(self, topic: str) -> int:
        found = self._set.get(topic)
        if found is None:
            return self._usual
        if self._monotonic() >= found[1]:
            del self._set[topic]
            return self._usual
        return found[0]

    def _level_for(self, event: Event) -> int:
        return self._level(topic_of(event)) if self._set else self._usual

    def _told(self, topic: str) -> dict[str, Any]:
        level = self._level(topic)
        word = next(word for word, number in LEVELS.items() if number == level)
        left = self._set[topic][1] - self._monotonic() if topic in self._set else None
        return {"level": word, "for": None if left is None else round(left)}

    def _passed(self, taped: Taped) -> None:
        """Write a message's line, until its time is over."""
        if self._level(SIP) < DEBUG:
            self._tape.listener = None
            return
        first = taped.data[: _FIRST_LINE * 2].split(b"\r\n", 1)[0].decode("utf-8", "replace")[:_FIRST_LINE]
        call = (call_id_of(taped.data) or b"").decode("utf-8", "replace")
        self._log.write(DEBUG, f"sip {'to' if taped.sent else 'from'} {taped.flow}: {first} ({call})")
