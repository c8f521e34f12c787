"""Keeping the trunks' server names resolved (RFC 3263 §4.2): at the start, then each minute, sooner after a failure.

A name without a port may have SRV records: other names, with ports, in an order of their own; else its addresses count.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from bridge.calls.model import TrunkSettings
from bridge.calls.pbx.trunks import Place, numeric

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver

AGAIN = 60.0
RETRY = (2.0, 20.0)  # first and longest; after a power cut the router may come up long after us
PATIENCE = 3.0  # seconds that a question for SRV records may take

_SERVICE = {"udp": "_sip._udp", "tcp": "_sip._tcp", "tls": "_sips._tcp"}

Resolved = Callable[[str, Sequence[Place]], None]
Unresolved = Callable[[str, str], None]
Addresses = Callable[[str], Awaitable[Sequence[str]]]
"""Returns the IP addresses of a name; raises OSError."""
Services = Callable[[str, str], Awaitable[Sequence[tuple[str, int]]]]
"""Returns the names and ports that serve SIP for a name and transport, the preferred first; none where it has none."""


async def keep_resolved(
    trunk: str,
    server: TrunkSettings,
    resolved: Resolved,
    unresolved: Unresolved,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    addresses_of: Addresses | None = None,
) -> None:
    """Resolve the server of a trunk for ever."""
    pause, longest = RETRY
    while True:
        try:
            resolved(trunk, await places(server, addresses_of=addresses_of))
        except OSError as error:
            unresolved(trunk, f"{server.host} cannot be resolved: {error.strerror or error}")
            await sleep(pause)
            pause = min(2 * pause, longest)
            continue
        pause = RETRY[0]
        await sleep(AGAIN)


async def places(
    server: TrunkSettings, services_of: Services | None = None, addresses_of: Addresses | None = None
) -> list[Place]:
    """Return where a server is now, the preferred place first. Raises OSError where nothing is found."""
    services_of = services_of or services
    addresses_of = addresses_of or addresses
    found: list[Place] = []
    failure: OSError | None = None
    for name, port in await services_of(server.host, server.transport) if server.port is None else ():
        try:
            found += [(address, port) for address in await addresses_of(name)]
        except OSError as error:  # the others may be found
            failure = error
    if not found and failure is not None:
        raise failure
    if not found:
        found = [(address, None) for address in await addresses_of(server.host)]
    return list(dict.fromkeys(found))


async def addresses(name: str) -> list[str]:
    """Look up a name's addresses as the system does."""
    if numeric(name):
        return [name]
    entries = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_DGRAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in entries))


async def services(name: str, transport: str, resolver: Resolver | None = None) -> list[tuple[str, int]]:
    """Look up a name's SRV records, in the order in which they are to be tried; without any, or an answer, none."""
    import dns.asyncresolver  # only where a trunk's server is a name
    import dns.exception
    import dns.name
    from dns.rdtypes.IN.SRV import SRV

    question = f"{_SERVICE[transport]}.{name}"
    try:
        answer = await (resolver or dns.asyncresolver.Resolver()).resolve(question, "SRV", lifetime=PATIENCE)
    except (dns.exception.DNSException, OSError):  # most PBXs at home have none, and some name servers say nothing
        return []
    found = answer.rrset.processing_order() if answer.rrset is not None else []
    records = [record for record in found if isinstance(record, SRV)]
    # the target "." says that there is no such service
    return [(r.target.to_text(omit_final_dot=True), r.port) for r in records if r.target != dns.name.root]
