"""Listening to FRITZ!Box call monitors: one TCP connection each, made again for ever, with longer pauses each time."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Callable

FIRST, LONGEST = 5.0, 300.0  # seconds between tries; half of it to all of it is waited
PATIENCE = 10.0  # seconds that a connection may take
_LONGEST_LINE = 1024  # bytes
_KEEPALIVE = ((socket.TCP_KEEPIDLE, 60), (socket.TCP_KEEPINTVL, 15), (socket.TCP_KEEPCNT, 4))

Heard = Callable[[str, str], None]
"""Told a trunk and a line of its monitor; "" once it is connected."""
Lost = Callable[[str, str], None]
"""Told a trunk and why its monitor cannot be heard."""


async def keep_monitored(trunk: str, place: tuple[str, int], heard: Heard, lost: Lost) -> None:
    """Listen to the monitor of a trunk, at this host and port, for ever."""
    host, port = place
    pause = FIRST
    while True:
        reason = "the box has closed the connection"
        try:
            reader, writer = await asyncio.wait_for(asyncio.open_connection(host, port, limit=_LONGEST_LINE), PATIENCE)
        except TimeoutError:
            reason = "no answer"
        except OSError as error:
            reason = error.strerror or str(error)
        else:
            pause = FIRST
            try:
                await _listen(trunk, reader, writer, heard)
            except OSError as error:
                reason = error.strerror or str(error)
            except ValueError:
                reason = f"a line is longer than {_LONGEST_LINE} bytes"
            finally:
                writer.close()
        lost(trunk, reason)
        await asyncio.sleep(pause * random.uniform(0.5, 1.0))
        pause = min(LONGEST, pause * 2)


async def _listen(trunk: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, heard: Heard) -> None:
    """Take lines until the connection ends. Raises OSError, or ValueError for a line without an end."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)  # the box is silent for hours
    for option, value in _KEEPALIVE:
        connection.setsockopt(socket.IPPROTO_TCP, option, value)
    heard(trunk, "")
    while line := await reader.readline():
        text = line.decode("utf-8", "replace").strip()
        if text:
            heard(trunk, text)
