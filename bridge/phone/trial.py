"""A trial with the phone on pyVoIP: it registers, calls a number, and tells what came of it; or it answers calls.

What it tells are lines for people, each with its time, and at the end a `Finding` for machines.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from bridge.media.tone import SILENT
from bridge.phone.caller import Caller
from bridge.phone.model import Account

REGISTERS = 10.0  # seconds
_GOES = 3.0  # seconds for the last words of a call that was given up
_GLANCE = 0.4  # seconds between looks at what is heard
_EVERY_KEY = 0.2  # seconds that a key and the pause after it take
_FAINT = -60.0  # dBFS; what is below is silence that was sent

Line = Callable[[float | None, str], None]
"""Told each thing as it happens: seconds since the call began, None before it; and in words."""


class TrialError(Exception):
    """The trial cannot begin; says why, and what would be right."""


@dataclass
class Finding:
    """What came of a call. Times are seconds since it began; `level` is dBFS, None where no sound came."""

    number: str
    statuses: list[tuple[float, int, str]] = field(default_factory=list)
    answered: float | None = None
    packets: int = 0
    level: float | None = None
    hertz: int | None = None
    ended: str = ""

    @property
    def sound(self) -> bool:
        """Whether sound came, if only silence was sent."""
        return self.packets > 0

    def to_json(self) -> dict[str, Any]:
        """Return it for machines."""
        statuses = [{"at": at, "code": code, "phrase": phrase} for at, code, phrase in self.statuses]
        sound = {"packets": self.packets, "level": self.level, "hertz": self.hertz}
        return {
            "number": self.number,
            "statuses": statuses,
            "answered": self.answered,
            "sound": sound,
            "ended": self.ended,
        }


class Trial:
    """One phone. Use as an asynchronous context manager. Raises `TrialError` where it cannot register."""

    def __init__(self, account: Account, line: Line) -> None:
        self._account = account
        self._line = line
        self._caller = Caller()
        self._seen = 0  # entries of its diary whose statuses were told

    async def __aenter__(self) -> Trial:
        async with AsyncExitStack() as undo:
            await self._caller.start()
            undo.push_async_callback(self._caller.close)
            await self._register()
            undo.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._caller.close()

    async def _register(self) -> None:
        server = self._account.server
        begun = asyncio.get_running_loop().time()
        self._caller.register(self._account)
        where = f"{self._account.number} at {server.host}:{server.port}"
        told = await self._caller.diary.until(
            lambda told: told["event"] in ("registered", "unregistered", "wrong", "gone"), REGISTERS
        )
        if told is None or told.what["event"] != "registered":
            raise TrialError(f"cannot register as {where}: {self._said(told.what if told else {})}")
        self._line(None, f"registered as {where} in {(told.at - begun) * 1000:.0f} ms")

    def _said(self, told: dict[str, Any]) -> str:
        statuses = [e.what for e in self._caller.diary.entries if e.what["event"] == "status"]
        if statuses:
            return f"the server says {statuses[-1]['code']} {statuses[-1]['phrase']}; is the password right?"
        if told.get("event") == "gone":
            return self._caller.report or "its process has ended"
        return str(told.get("text") or "no answer; does a server listen there for UDP?")

    # -- calling ------------------------------------------------------------------------------------------------

    async def call(self, number: str, *, patience: float, talk: float, keys: str = "", tone: int = 440) -> Finding:
        """Call a number: at most `patience` seconds until it is answered, then talk, press keys, listen, hang up."""
        finding = Finding(number)
        since = self._caller.tell("call", number=number, tone=tone)
        calling = await self._caller.until(REGISTERS, since, event="calling")
        if calling is None:
            raise TrialError(f"cannot call {number}: {self._caller.report or 'the phone says nothing'}")
        self._line(0.0, f"calling {number}")
        telling = asyncio.create_task(self._tell_statuses(finding, calling.at, since))
        try:
            end = await self._follow(finding, calling.at, since, patience, talk, keys)
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
        self._note_statuses(finding, calling.at)
        self._line(end, finding.ended)
        return finding

    async def _follow(
        self, finding: Finding, began: float, since: int, patience: float, talk: float, keys: str
    ) -> float:
        """Go through the call; return when it was over."""
        end = await self._caller.diary.until(
            lambda told: told["event"] in ("answered", "over", "gone", "fault"), patience, since
        )
        if end is None:
            self._caller.tell("cancel")
            await self._caller.until(_GOES, since, event="over")
            finding.ended = f"nobody answered in {patience:g} s"
            return self._now() - began
        if end.what["event"] != "answered":
            finding.ended = str(end.what.get("why") or end.what.get("text") or "the phone is gone")
            return end.at - began
        finding.answered = round(end.at - began, 3)
        return await self._talk(finding, began, since, talk, keys)

    async def _talk(self, finding: Finding, began: float, since: int, talk: float, keys: str) -> float:
        if keys:
            self._caller.tell("press", keys=keys)
            self._line(self._now() - began, f"pressed {keys}")
        end = self._now() + talk + len(keys) * _EVERY_KEY
        over = None
        while over is None and self._now() < end:
            over = await self._caller.until(min(_GLANCE, end - self._now()), since, event="over")
            if over is None:
                await self._listen(finding)
        self._line(self._now() - began, sound_text(finding))
        if over is None:
            self._caller.tell("hang_up")
            over = await self._caller.until(_GOES, since, event="over")
        finding.ended = str(over.what["why"]) if over is not None else "the phone does not hang up"
        return (over.at if over is not None else self._now()) - began

    async def _listen(self, finding: Finding) -> None:
        """Take what is heard now; the loudest counts, for speech has pauses."""
        asked = self._caller.tell("listen")
        heard = await self._caller.diary.until(lambda told: told["event"] in ("heard", "wrong"), _GOES, asked)
        if heard is None or heard.what["event"] != "heard" or not heard.what["packets"]:
            return
        finding.packets = int(heard.what["packets"])
        level = float(heard.what["level"])
        if finding.level is None or level > finding.level:
            finding.level, finding.hertz = level, heard.what["hertz"] or None

    async def _tell_statuses(self, finding: Finding, began: float, since: int) -> None:
        self._seen = since
        while True:
            await self._caller.diary.until(lambda told: told["event"] == "status", 86_400.0, self._seen)
            self._note_statuses(finding, began)

    def _note_statuses(self, finding: Finding, began: float) -> None:
        """Tell the statuses that have come since the last look."""
        entries = self._caller.diary.entries[self._seen :]
        self._seen += len(entries)
        for entry in entries:
            if entry.what["event"] == "status" and entry.what.get("method") == "INVITE":
                at, code, phrase = round(entry.at - began, 3), int(entry.what["code"]), str(entry.what["phrase"])
                finding.statuses.append((at, code, phrase))
                self._line(at, f"{code} {phrase}")

    # -- answering ----------------------------------------------------------------------------------------------

    async def answer(
        self, *, after: float, refuse: int | None, talk: float | None, calls: int | None, tone: int = 660
    ) -> int:
        """Take calls: ring, answer after seconds, or refuse; hang up after `talk` seconds; return how many came."""
        since = self._caller.tell("take", after=after, refuse=refuse, tone=tone)
        took = 0
        while calls is None or took < calls:
            entry = await self._caller.diary.until(
                lambda told: told["event"] in ("rings", "gone") or told.get("why", "").startswith("refused with"),
                86_400.0,
                since,
            )
            if entry is None:
                continue
            if entry.what["event"] == "gone":
                raise TrialError(f"the phone is gone: {self._caller.report}")
            since = self._caller.diary.entries.index(entry, since) + 1
            took += 1
            if entry.what["event"] == "rings":
                who = " ".join(dict.fromkeys(filter(None, (entry.what["name"], entry.what["caller"])))) or "anonymous"
                self._line(0.0, f"{who} calls")
                since = await self._take(entry.at, since, entry.what["call"], talk)
            else:
                self._line(0.0, f"a call was {entry.what['why']}")
        return took

    async def _take(self, began: float, since: int, call: int, talk: float | None) -> int:
        diary = self._caller.diary
        ends: float | None = None
        while True:
            left = 86_400.0 if ends is None else max(0.0, ends - self._now())
            entry = await diary.until(
                lambda told: (
                    told["event"] == "gone"
                    or (told.get("call") == call and told["event"] in ("answered", "pressed", "over"))
                ),
                left,
                since,
            )
            if entry is None:
                finding = Finding("")
                await self._listen(finding)
                self._line(self._now() - began, sound_text(finding))
                self._caller.tell("hang_up")
                ends = None
                continue
            since = diary.entries.index(entry, since) + 1
            match entry.what["event"]:
                case "answered":
                    self._line(entry.at - began, "answered")
                    ends = None if talk is None else entry.at + talk
                case "pressed":
                    self._line(entry.at - began, f"they pressed {entry.what['key']}")
                case "over":
                    self._line(entry.at - began, str(entry.what["why"]))
                    return since
                case _:
                    raise TrialError(f"the phone is gone: {self._caller.report}")

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def sound_text(finding: Finding) -> str:
    """Return what was heard, in words."""
    if not finding.sound:
        return "no sound came; a firewall or NAT may be in its way"
    if finding.level is None or finding.level <= max(SILENT, _FAINT):
        return f"silence came: {finding.packets} packets"
    tone = f", a tone of {finding.hertz} Hz" if finding.hertz else ""
    return f"sound came: {finding.packets} packets, {finding.level:.0f} dBFS{tone}"
