"""The command line's end of the control socket: plain and blocking, with few imports."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from bridge.control.reach import reach

PATIENCE = 30.0  # seconds; a slow SD card may hold a commit up for some
_LOOK = 1.0  # seconds; a Ctrl-C that comes just before a wait is only seen when the wait ends


class AgentUnreachable(Exception):
    """No agent answers at the socket; the message says why and what would be right."""


class Agent:
    """The running agent behind the socket at `path`. Use as a context manager."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(PATIENCE)
        try:
            with reach(path) as name:
                self._socket.connect(name)
        except OSError as error:
            self._socket.close()
            raise AgentUnreachable(_why(path, error)) from error
        self._received = bytearray()  # what has come and is no whole line yet

    def __enter__(self) -> Agent:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connection, also for a thread that waits for its next line."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def request(
        self, verb: str, arguments: Mapping[str, Any], transaction: str | None = None, who: str | None = None
    ) -> dict[str, Any]:
        """Return the answer, the contract's response object; `who`: as whom it is asked. Raises AgentUnreachable."""
        body = {"verb": verb, "arguments": dict(arguments), "transaction": transaction, "as": who}
        # An agent that refuses the connection says so and closes it, perhaps before it was asked anything.
        with suppress(BrokenPipeError, ConnectionResetError):
            self._socket.sendall(json.dumps(body).encode() + b"\n")
        try:
            answer = self._next()
        except TimeoutError:
            raise AgentUnreachable(f"the agent at {self.path} did not answer for {PATIENCE:.0f} s") from None
        if answer is None:
            raise AgentUnreachable(f"the agent at {self.path} ended before it answered")
        return answer

    def events(self) -> Iterator[dict[str, Any]]:
        """Return the events that come after `follow` was answered, until the agent ends."""
        self._socket.settimeout(_LOOK)
        while True:
            try:
                event = self._next()
            except TimeoutError:
                continue
            if event is None:
                return
            yield event

    def _next(self) -> dict[str, Any] | None:
        """Return the next line's JSON, None at the end. Raises TimeoutError, and then nothing that came is lost."""
        while (end := self._received.find(b"\n")) < 0:
            try:
                more = self._socket.recv(1 << 16)
            except TimeoutError:
                raise
            except OSError:  # the agent has let us go, or `close` was called
                return None
            if not more:
                return None
            self._received += more
        line = bytes(self._received[:end])
        del self._received[: end + 1]
        try:
            body: dict[str, Any] = json.loads(line)
        except ValueError:
            raise AgentUnreachable(f"what answers at {self.path} is no cti-bridge") from None
        return body


def _why(path: Path, error: OSError) -> str:
    if isinstance(error, PermissionError):
        return f"this login may not use the agent at {path}; use sudo, or join the group of that file"
    return f"no agent answers at {path}; start it with cti-bridge run, or name its socket with --control"
