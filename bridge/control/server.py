"""The control socket: the door of the command line.

`start` opens it, `run` serves until `close`; a connection costs one task. What goes wrong with a peer ends that
peer's connection; a bug in a connection ends `run`, with the error.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

from bridge.commands.model import Actor, CommandError, Reply
from bridge.control.peers import Peers
from bridge.control.protocol import LONGEST_LINE, write_line
from bridge.control.session import Session, Verb
from bridge.control.socketfile import listen, remove
from bridge.port.model import Port

CONNECTIONS_AT_MOST = 32
LAST_ANSWERS = 1.0  # seconds that answers have at the end

_Ends = tuple[asyncio.Transport, asyncio.StreamReader]


class ControlServer:
    """Serves the control socket at `path`. Root's and the agent's own login act as the owner, others as the users whose
    unix login they are.

    `wall` gives UTC seconds.
    """

    def __init__(
        self,
        path: Path,
        port: Port,
        wall: Callable[[], float],
    ) -> None:
        self._path = path
        self._port = port
        self._wall = wall
        self._peers = Peers(lambda login: port.directory.user_of_login(login))
        self._more: dict[str, Verb] = {}
        self._server: asyncio.Server | None = None
        self._file: os.stat_result | None = None
        self._connections: dict[asyncio.Task[None], _Ends] = {}
        self._ended: asyncio.Future[None] | None = None

    def offer(self, verbs: Mapping[str, Verb]) -> None:
        """Answer more verbs, for the owner alone: those of parts that not every agent has."""
        self._more.update(verbs)

    async def start(self) -> None:
        """Open the socket. Raises ControlError, also when another agent answers there."""
        listening = listen(self._path)
        self._file = self._path.stat()
        self._ended = asyncio.get_running_loop().create_future()
        self._server = await asyncio.start_unix_server(self._accept, sock=listening, limit=LONGEST_LINE)

    async def run(self) -> None:
        """Serve until `close`. What it raises is a bug, and should end the agent."""
        assert self._ended is not None, "start comes before run"
        await asyncio.shield(self._ended)

    async def close(self) -> None:
        """Remove the socket's file, give the answers that are due, end all connections. Twice does nothing."""
        if self._server is None or self._file is None or self._ended is None:
            return
        self._server.close()
        self._server = None
        remove(self._path, self._file)
        await self._end_connections()
        if not self._ended.done():
            self._ended.set_result(None)

    async def _end_connections(self) -> None:
        """Let every connection read its end next, and cut off those that are not done soon."""
        tasks = set(self._connections)
        for transport, reader in self._connections.values():
            if not transport.is_closing():
                transport.pause_reading()  # nothing may come after the end
            reader.feed_eof()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=LAST_ANSWERS)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._connections[task] = cast(asyncio.Transport, writer.transport), reader
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        del self._connections[task]
        bug = None if task.cancelled() else task.exception()
        if bug is not None and self._ended is not None and not self._ended.done():
            self._ended.set_exception(bug)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            actor = self._admitted(writer)
            await Session(self._port, actor, writer, self._wall, self._more).serve(reader)
        except CommandError as refused:
            writer.write(write_line(Reply.refused(refused).to_json()))
        except OSError:
            pass  # the peer is gone, and nobody else minds
        finally:
            writer.close()

    def _admitted(self, writer: asyncio.StreamWriter) -> Actor:
        """Return in whose name a new connection acts. Raises CommandError."""
        if len(self._connections) > CONNECTIONS_AT_MOST:
            text = f"{CONNECTIONS_AT_MOST} connections are open; close one"
            raise CommandError("unavailable", text)
        return self._peers.actor(writer.get_extra_info("socket"))
