"""Keeping the trunks' server names resolved: asked at the start, then every few minutes, sooner after a failure."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping, Sequence

AGAIN = 300.0
RETRY = 20.0

Resolved = Callable[[str, Sequence[str]], None]
Unresolved = Callable[[str, str], None]


async def keep_resolved(names: Mapping[str, str], resolved: Resolved, unresolved: Unresolved) -> None:
    """Resolve `names` (trunk to host name) for ever, all at the same time."""
    await asyncio.gather(*(_keep(trunk, host, resolved, unresolved) for trunk, host in names.items()))


async def _keep(trunk: str, host: str, resolved: Resolved, unresolved: Unresolved) -> None:
    loop = asyncio.get_running_loop()
    while True:
        try:
            found = await loop.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
        except OSError as error:
            unresolved(trunk, f"{host} cannot be resolved: {error.strerror or error}")
            await asyncio.sleep(RETRY)
            continue
        resolved(trunk, list(dict.fromkeys(str(address[0]) for *_, address in found)))
        await asyncio.sleep(AGAIN)
