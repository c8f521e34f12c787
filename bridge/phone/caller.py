"""The caller's other end: starts the process of `bridge.phone.pyvoip`, tells it what to do and reads what it tells."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import deque
from typing import Any

from bridge.phone.diary import Diary, Entry
from bridge.phone.model import Account

Told = dict[str, Any]
_GOODBYE = 5.0  # seconds that it has to hang up and unregister
_LAST_WORDS = 20  # lines of its error stream


class Caller:
    """A pyVoIP phone; `diary` has what it tells. Use as an asynchronous context manager."""

    def __init__(self) -> None:
        self.diary: Diary[Told] = Diary()
        self._errors: deque[str] = deque(maxlen=_LAST_WORDS)
        self._reading: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Caller:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(self) -> None:
        """Start the process."""
        # A session of its own: Ctrl-C ends whoever tells it what to do, and the end of stdin ends it.
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bridge.phone.pyvoip",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        self._reading = [asyncio.create_task(self._read()), asyncio.create_task(self._read_errors())]

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def tell(self, do: str, **arguments: Any) -> int:
        """Tell it to do something; return how long the diary is now, for what is to come of it."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **arguments}).encode() + b"\n")
        return len(self.diary)

    def register(self, account: Account) -> int:
        """Tell it whose phone it is."""
        server = account.server
        return self.tell(
            "register", host=server.host, port=server.port, number=account.number, password=account.password
        )

    async def until(self, seconds: float, since: int = 0, **fields: Any) -> Entry[Told] | None:
        """Return the first that it tells, from number `since` on, with these fields; None if that takes longer."""
        return await self.diary.until(lambda told: fields.items() <= told.items(), seconds, since)

    @property
    def report(self) -> str:
        """Its last lines on the error stream."""
        return "\n".join(self._errors)

    async def close(self) -> None:
        """End it: by its own goodbye, else by its process id."""
        try:
            if self._process.stdin is not None:
                self._process.stdin.close()
            await asyncio.wait_for(self._process.wait(), _GOODBYE)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        finally:
            if self._process.returncode is None:  # we were cancelled while it said goodbye
                self._process.kill()
            await asyncio.gather(*self._reading)

    async def kill(self) -> None:
        """End it at once: whom it would say goodbye to is gone."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await asyncio.gather(*self._reading)

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            told = json.loads(line)
            self.diary.note(told, told.pop("at"))
        self.diary.note({"event": "gone"}, asyncio.get_running_loop().time())

    async def _read_errors(self) -> None:
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            self._errors.append(line.decode("utf-8", "replace").rstrip())
