"""What the owner may ask of the desks: what stands where and how it is, and to see the lamps show a signal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bridge.commands.model import CommandError
from bridge.commands.words import check_fields, text
from bridge.desk.desk import Desks
from bridge.desk.panel import PanelStatus
from bridge.desk.parts import Desk, Face, Key
from bridge.desk.signals import Signal
from bridge.events import iso

LIST, TRY = "desks", "desk_try"
LONGEST_TRY = 10.0  # seconds
_LINGER = 0.3  # seconds in which the next signal may be asked for, before the truth is shown again
_NAME = 64


class DeskAnswers:
    """Answers of these desks. `verbs`: by what they are asked for."""

    def __init__(self, desks: Desks) -> None:
        self._desks = desks
        self._giving_back: asyncio.TimerHandle | None = None

    @property
    def verbs(self) -> Mapping[str, Callable[[Mapping[str, Any]], Awaitable[dict[str, Any]]]]:
        """Return what can be asked for."""
        return {LIST: self.list, TRY: self.try_signal}

    async def list(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return all desks by name: whose they are, their panel, buttons and lamps. Raises CommandError."""
        check_fields(LIST, arguments, ())
        panels = self._desks.panels
        return {"desks": {desk.name: _desk(desk, panels.get(desk.name)) for desk in self._desks.desks}}

    async def try_signal(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Let the lamps of `desk` (else of all) show `signal` for `seconds`; then they show the truth again.

        Answers when the time is over. Raises CommandError.
        """
        check_fields(TRY, arguments, ("desk", "signal", "seconds"))
        desk, signal = text(arguments, "desk", _NAME), _signal(arguments)
        seconds = _seconds(arguments.get("seconds", 1.0))
        names = [each.name for each in self._desks.desks]
        if desk is not None and desk not in names:
            raise CommandError("unknown_desk", f"there is no desk {desk!r}; desks are: {', '.join(names) or 'none'}")
        if self._giving_back is not None:
            self._giving_back.cancel()
        lamps = self._desks.try_signal(desk, signal)
        self._giving_back = asyncio.get_running_loop().call_later(seconds + _LINGER, self._give_back)
        await asyncio.sleep(seconds)
        return {"signal": signal.value, "lamps": lamps}

    def _give_back(self) -> None:
        self._giving_back = None
        self._desks.try_signal(None, None)


def _signal(arguments: Mapping[str, Any]) -> Signal:
    word = text(arguments, "signal", _NAME) or ""
    try:
        return Signal(word)
    except ValueError:
        right = ", ".join(Signal)
        raise CommandError("bad_request", f"there is no signal {word!r}; signals are: {right}") from None


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= LONGEST_TRY:
        raise CommandError("bad_request", f"seconds: right is a number up to {LONGEST_TRY:g}")
    return float(value)


def _desk(desk: Desk, panel: PanelStatus | None) -> dict[str, Any]:
    return {
        "member": desk.member,
        "panel": _panel(panel) if panel else None,
        "buttons": [_button(key) for key in desk.keys],
        "lamps": [_lamp(face) for face in desk.faces],
    }


def _button(key: Key) -> dict[str, Any]:
    press, hold = key.does.press, key.does.hold
    return {
        "at": key.where,
        "press": str(press) if press else None,
        "hold": str(hold) if hold else None,
        "pressed": key.filter.pressed,
    }


def _lamp(face: Face) -> dict[str, Any]:
    return {"at": face.where, "shows": str(face.shows), "signal": face.shown.value}


def _panel(status: PanelStatus) -> dict[str, Any]:
    hello = status.hello
    return {
        "path": status.path,
        "state": status.state,
        "since": iso(status.since),
        "reason": status.reason,
        "firmware": hello.firmware if hello else None,
        "id": hello.identity if hello else None,
        "keys": hello.keys if hello else None,
        "lamps": hello.lamps if hello else None,
    }
