"""The stage of the demo: a whole bridge in this process, three phones, a caller in another, a button and a lamp.

Nothing of the bridge is left out: its registrar, calls, logins on disk, desk and control socket are what `run` serves.
Only its buttons and lamps are simulated, and its address is loopback.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bridge.agent import Agent
from bridge.config.addresses import Listen
from bridge.config.load import parse
from bridge.control.client import Agent as Control
from bridge.control.client import AgentUnreachable
from bridge.demo.script import BUTTON, CALLER, LAMP, PHONES, Script
from bridge.log import Log
from bridge.making import values_of
from bridge.options import Options
from bridge.phone.caller import Caller
from bridge.phone.diary import Diary
from bridge.phone.model import Account, Manner, PhoneEvent, Rings
from bridge.phone.run import SoftPhone
from bridge.sip.flow import Flow
from hardware.simulated import SimulatedBoard

_PRESS = 0.1  # seconds that a finger stays on the button
_STEADY = 1.2  # seconds without a change, longer than any pattern's: it does not blink
_LAST_LINES = 12
_PREFIX = "cti-bridge-demo-"


class Missing(Exception):
    """Something that should have happened and did not; the message says what."""


class Stage:
    """Everything there is. Use as an asynchronous context manager, which ends all of it, whatever has begun."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.phones: dict[str, SoftPhone] = {}
        self.caller = Caller()
        self.lamp: Diary[bool] = Diary()
        self.board = SimulatedBoard(self._look_at_lamp)
        self.server = Flow("udp", "127.0.0.1", 0)
        self.bridge: asyncio.Task[None] | None = None
        self.interrupted = asyncio.Event()
        self._begun: list[SoftPhone | Caller] = []

    async def __aenter__(self) -> Stage:
        self._mind_signals()
        self._directory = tempfile.TemporaryDirectory(prefix=_PREFIX)
        self._log = open(Path(self._directory.name, "log"), "w+", encoding="utf-8")  # noqa: SIM115  closed at the end
        return self

    async def __aexit__(self, *_: object) -> None:
        alive = self.bridge is not None and not self.bridge.done()
        closing = [each.close() if alive or isinstance(each, SoftPhone) else each.kill() for each in self._begun]
        ended = await asyncio.gather(*closing, return_exceptions=True)
        if self.bridge is not None:
            self.bridge.cancel()
            await asyncio.gather(self.bridge, return_exceptions=True)
        self._log.close()
        self._directory.cleanup()
        for bug in filter(None, ended):
            raise bug

    @property
    def control(self) -> Path:
        """The bridge's control socket."""
        return Path(self._directory.name, "control.sock")

    # -- beginning ----------------------------------------------------------------------------------------------

    async def start_bridge(self) -> None:
        """Start the bridge. Raises Missing where it does not serve."""
        ready: asyncio.Future[Listen] = asyncio.get_running_loop().create_future()
        base = Path(self._directory.name)
        settings = parse(self.script.configuration(), base, {})
        options = Options(base / "state", self.control, True, lambda listening: ready.set_result(listening[0]))
        agent = Agent(values_of(settings), options, self.board, Log(self._log, {}))
        self.bridge = asyncio.create_task(agent.serve())
        await asyncio.sleep(0)  # it has begun, and minds the signals itself
        self._mind_signals()
        either: set[asyncio.Future[Any]] = {self.bridge, ready}
        await asyncio.wait(either, timeout=self.script.patience, return_when=asyncio.FIRST_COMPLETED)
        if not ready.done():
            raise Missing("the bridge did not serve")
        self.server = Flow(*ready.result())

    async def start_phone(self, name: str) -> SoftPhone:
        """Take a phone out of its box and let it register."""
        password = self.script.phones_password or self.script.password
        account = Account(PHONES[name], password, self.server)
        phone = self.phones[name] = SoftPhone(account, Manner(tone=self.script.phone_tone))
        await phone.start()
        self._begun.append(phone)
        return phone

    async def start_caller(self) -> Caller:
        """Start the caller's process and let it register."""
        await self.caller.start()
        self._begun.append(self.caller)
        self.caller.register(Account(CALLER, self.script.password, self.server))
        return self.caller

    # -- what people do -------------------------------------------------------------------------------------------

    async def press(self) -> float:
        """Press the button beside Anna's phone and let it go; return when it went down."""
        at = asyncio.get_running_loop().time()
        self.board.press(BUTTON)
        await asyncio.sleep(_PRESS)
        self.board.release(BUTTON)
        return at

    async def command(self, *words: str) -> str:
        """Run `cti-bridge WORDS` as a process of its own; return what it says. Raises Missing where it fails."""
        argv = [sys.executable, "-m", "bridge.cli", *words, "--control", str(self.control)]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*argv, stdout=pipe, stderr=asyncio.subprocess.STDOUT)
        try:
            said, _ = await asyncio.wait_for(process.communicate(), 2 * self.script.patience)
        except TimeoutError:
            raise Missing(f"cti-bridge {' '.join(words)} did not end") from None
        finally:
            if process.returncode is None:
                process.kill()
        text = said.decode("utf-8", "replace").strip()
        if process.returncode != 0:
            raise Missing(f"cti-bridge {' '.join(words)} ended with {process.returncode}: {text}")
        return text

    # -- what can be seen -------------------------------------------------------------------------------------------

    async def ask(self, query: str, **arguments: Any) -> Mapping[str, Any]:
        """Ask the bridge at its control socket. Raises Missing where it does not answer."""
        answer = await asyncio.to_thread(_ask, self.control, query, arguments)
        if answer["status"] != "ok":
            raise Missing(f"the bridge did not answer {query}: {answer['error']['message']}")
        data: Mapping[str, Any] = answer["data"]
        return data

    async def until(self, condition: Callable[[], object], what: str, seconds: float | None = None) -> None:
        """Wait until something is true; raises Missing(`what`) if it is not in time."""
        end = asyncio.get_running_loop().time() + (self.script.patience if seconds is None else seconds)
        while not condition():
            if asyncio.get_running_loop().time() > end:
                raise Missing(what)
            await asyncio.sleep(0.02)

    async def phone_says(
        self, name: str, kind: type[PhoneEvent], what: str, since: int = 0, seconds: float | None = None
    ) -> tuple[float, Any]:
        """Return when a phone first said something of this kind, and it; raises Missing(`what`) if it does not."""
        patience = self.script.patience if seconds is None else seconds
        found = await self.phones[name].diary.until(lambda event: isinstance(event, kind), patience, since)
        if found is None:
            raise Missing(what)
        return found

    async def caller_says(self, what: str, since: int, **fields: Any) -> tuple[float, dict[str, Any]]:
        """Return when the caller told something with these fields, and it; raises Missing(`what`) if it does not."""
        found = await self.caller.until(self.script.patience, since, **fields)
        if found is None:
            raise Missing(what)
        return found

    async def lamp_stays(self, lit: bool, what: str) -> float:
        """Return since when the lamp is so, once it has been without blinking; raises Missing(`what`)."""
        end = asyncio.get_running_loop().time() + self.script.patience + _STEADY
        while asyncio.get_running_loop().time() < end:
            seen = len(self.lamp)
            if self.board.lit(LAMP) == lit and await self.lamp.until(lambda _: True, _STEADY, seen) is None:
                return self.lamp.entries[-1].at if self.lamp.entries else 0.0
            await asyncio.sleep(0.01)
        raise Missing(what)

    def marks(self) -> dict[str, int]:
        """Return how long each phone's diary is now."""
        return {name: len(phone.diary) for name, phone in self.phones.items()}

    def rang(self, since: Mapping[str, int]) -> list[str]:
        """Return the phones that have rung since these marks."""
        return [
            name
            for name, phone in self.phones.items()
            if phone.diary.find(lambda event: isinstance(event, Rings), since.get(name, 0))
        ]

    def why_the_bridge_ended(self) -> str | None:
        """Return what the bridge ended with before its time; None while it lives."""
        if self.bridge is None or not self.bridge.done() or self.bridge.cancelled():
            return None
        return f"the bridge did not live on: {self.bridge.exception() or 'it stopped'}"

    def last_lines(self) -> list[str]:
        """Return the end of the bridge's log, and what the caller said on its error stream."""
        self._log.flush()
        lines = Path(self._log.name).read_text("utf-8", "replace").splitlines()
        return [*lines[-_LAST_LINES:], *self.caller.report.splitlines()[-_LAST_LINES:]]

    def _mind_signals(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self.interrupted.set)

    def _look_at_lamp(self) -> None:
        self.lamp.note(self.board.lit(LAMP), asyncio.get_running_loop().time())


def _ask(path: Path, query: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    try:
        with Control(path) as agent:
            return agent.request(query, arguments)
    except AgentUnreachable as gone:
        raise Missing(str(gone)) from None
