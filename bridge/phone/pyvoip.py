"""A phone on pyVoIP, as a process of its own: told by JSON lines on stdin, telling by JSON lines on stdout.

    {"do": "register", "host": "127.0.0.1", "port": 5060, "number": "203", "password": "..."}
    {"do": "call", "number": "600", "tone": 440, "level": -16}
    {"do": "say", "tone": 0}   {"do": "press", "keys": "12#"}   {"do": "listen"}
    {"do": "take", "after": 2.0, "refuse": null, "tone": 440, "level": -16}
    {"do": "hang_up"}   {"do": "cancel"}   {"do": "quit"}

What it tells has an `event` and `at`, the monotonic clock of the machine, which all its processes share: registered,
unregistered, calling, status (each one, with `code`, `phrase` and `method`), answered, heard (`packets`, `level` in
dBFS, `hertz`), rings (`caller`, `name`), pressed (`key`), over (`why`), wrong (what was told it made no sense), fault
(pyVoIP failed on a message), bye (the last). At first it takes no calls: `take` has it ring and answer, or refuse.
The password comes by stdin, so that no process list shows it. The end of stdin is `quit`.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, TextIO

import pyVoIP
from pyVoIP.VoIP import CallState, PhoneStatus

from bridge.phone.mendedanswer import Ringing
from bridge.phone.mendedcall import Call, Manner, Phone

_GOODBYE = 1.0  # seconds that a server has to take note of a CANCEL


class Wrong(Exception):
    """What was told makes no sense now; the message says why."""


class Caller:
    """One phone, and its latest call."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._lock = threading.Lock()
        self._phone: Phone | None = None
        self._numbers: dict[str, int] = {}  # Call-IDs, in the order of their calls
        self._does: Mapping[str, Callable[..., None]] = {
            "register": self._register,
            "call": self._dial,
            "take": self._take_calls,
            "say": self._say,
            "press": self._press,
            "listen": self._listen,
            "hang_up": self._hang_up,
            "cancel": self._cancel,
        }

    def tell(self, event: str, call_id: str | None = None, **fields: Any) -> None:
        """Write a line; `call` in it is the number of the call, from 1."""
        line: dict[str, Any] = {"at": round(time.monotonic(), 4), "event": event}
        if call_id in self._numbers or event in ("calling", "rings"):
            line["call"] = self._numbers.setdefault(call_id or "", len(self._numbers) + 1)
        with self._lock:
            print(json.dumps(line | fields), file=self._out, flush=True)

    def serve(self, lines: TextIO) -> None:
        """Do what is told, to the end of it."""
        try:
            for line in lines:
                if line.strip() and not self._take(line):
                    break
        finally:
            self._leave()
            self.tell("bye")

    def _take(self, line: str) -> bool:
        try:
            told = json.loads(line)
            do = told.pop("do")
            if do == "quit":
                return False
            self._does[do](**told)
        except (ValueError, KeyError, TypeError, AttributeError, Wrong, OSError) as error:
            self.tell("wrong", text=f"{type(error).__name__}: {error}")
        return True

    def _register(self, host: str, port: int, number: str, password: str) -> None:
        if self._phone is not None:
            raise Wrong("it has registered before")
        phone = Phone(host, port, number, password, _own_address(host, port), self.tell)
        phone.start()
        if phone.get_status() == PhoneStatus.REGISTERED:
            self._phone = phone
            self.tell("registered")
        else:
            self.tell("unregistered")

    def _dial(self, number: str, tone: int = 0, level: float = -16.0) -> None:
        if self._phone is None:
            raise Wrong("it is not registered")
        if self._call is not None and self._call.state != CallState.ENDED:
            raise Wrong("it has a call")
        self._phone.call(number, tone, level)

    def _take_calls(
        self, after: float | None = 2.0, refuse: int | None = None, tone: int = 0, level: float = -16.0
    ) -> None:
        if self._phone is None:
            raise Wrong("it is not registered")
        self._phone.manner = Manner(after, refuse, tone, level)

    def _say(self, tone: int, level: float = -16.0) -> None:
        self._talk().say(tone, level)

    def _press(self, keys: str) -> None:
        self._talk().press(keys)

    def _listen(self) -> None:
        heard = self._talk().heard()
        assert self._call is not None
        self.tell("heard", self._call.call_id, packets=heard.packets, level=heard.level, hertz=heard.hertz)

    def _hang_up(self) -> None:
        self._talk()
        assert self._call is not None
        self._call.hangup()
        self.tell("over", self._call.call_id, why="hung up here")

    def _cancel(self) -> None:
        call = self._call
        if not isinstance(call, Call) or call.state != CallState.DIALING:
            raise Wrong("no call of its is still to be answered")
        call.cancel()

    @property
    def _call(self) -> Call | Ringing | None:
        return self._phone.latest if self._phone is not None else None

    def _leave(self) -> None:
        """Give up or hang up, and unregister."""
        call = self._call
        if isinstance(call, Call) and call.state == CallState.DIALING:
            call.cancel()
            end = time.monotonic() + _GOODBYE
            while call.state == CallState.DIALING and time.monotonic() < end:
                time.sleep(0.01)
        if self._phone is not None:
            self._phone.stop()

    def _talk(self) -> Any:
        if self._call is None or self._call.sound is None or self._call.state != CallState.ANSWERED:
            raise Wrong("no call of its is answered")
        return self._call.sound


def _own_address(host: str, port: int) -> str:
    """Return the address of ours that the route to a host begins at."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((host, port))
        return str(probe.getsockname()[0])


def main() -> int:
    """Serve stdin."""
    pyVoIP.REGISTER_FAILURE_THRESHOLD = 1
    out, sys.stdout = sys.stdout, sys.stderr  # pyVoIP prints
    Caller(out).serve(sys.stdin)
    return 0


if __name__ == "__main__":
    sys.exit(main())
