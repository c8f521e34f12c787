"""The modems of analogue lines: opened where they are configured, what they say given to the exchange."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from bridge.calls.pbx.analogue import From, Gone, Heard, Here, Ringing, Silent
from bridge.commands.views import Link

if TYPE_CHECKING:
    from hardware.caller_id import News
    from hardware.modem import Modem

GONE, HERE, MUTE = "gone", "here", "here, but tells no callers"


class Modems:
    """Those that are open. `heard` takes what is heard at a line, `tell` a sentence for people."""

    def __init__(self, heard: Callable[[str, Heard], None], tell: Callable[[str], None]) -> None:
        self._heard = heard
        self._tell = tell
        self._open: dict[str, tuple[str, Modem]] = {}
        self._links: dict[str, Link] = {}

    @property
    def links(self) -> tuple[Link, ...]:
        """How each is."""
        return tuple(self._links.values())

    def configure(self, wanted: Mapping[str, str]) -> None:
        """Have these open, a device for each line; on the running loop. One that is open already goes on."""
        for line in [line for line, (path, _) in self._open.items() if wanted.get(line) != path]:
            self._open.pop(line)[1].close()
            del self._links[line]
            self._heard(line, Gone())
        for line, path in wanted.items():
            if line not in self._open:
                self._begin(line, path)

    def close(self) -> None:
        """Close all."""
        self.configure({})

    def _begin(self, line: str, path: str) -> None:
        from hardware.modem import Modem  # pyserial is imported only where there is one

        modem = Modem(path, lambda news: self._on_news(line, news), lambda reason: self._lost(line, reason))
        self._open[line] = path, modem
        self._state(line, GONE, "")
        modem.start()

    def _on_news(self, line: str, news: News) -> None:
        from hardware.caller_id import Calls, Deaf, Quiet, Rang, Ready

        match news:
            case Ready(tells):
                reason = "" if tells else "it knows none of the commands for caller id; another modem would"
                self._state(line, HERE if tells else MUTE, reason)
                self._heard(line, Here())
            case Rang():
                self._heard(line, Ringing())
            case Calls(number, name, hidden):
                self._heard(line, From("" if hidden else number, "" if hidden else name))
            case Quiet():
                self._heard(line, Silent())
            case Deaf(reason):
                self._lost(line, reason)

    def _lost(self, line: str, reason: str) -> None:
        self._state(line, GONE, reason)
        self._heard(line, Gone())

    def _state(self, line: str, state: str, reason: str) -> None:
        before = self._links.get(line)
        if before is not None and (before.state, before.reason) == (state, reason):
            return
        self._links[line] = Link(f"modem of line {line}", state, time.time(), reason, state == HERE)
        if reason or before is None or before.reason:
            self._tell(f"modem of line {line}: {state}{f': {reason}' if reason else ''}")
