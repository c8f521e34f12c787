"""The kinds of values that a restart takes up again: who gives each as plain values (JSON), and who takes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from bridge.calls.onward.outside import Outsides
from bridge.calls.pbx.upstream import Upstream
from bridge.calls.phones.lamps import Lamps
from bridge.calls.queue import agents
from bridge.calls.restart.resumption import Resumption
from bridge.sip.registrar import Registrar


class Kind(NamedTuple):
    """One of them. `what` one value is, for people; `load` raises what `Resumption.said_if_unreadable` tells."""

    what: str
    dump: Callable[[float], list[dict[str, Any]]]
    load: Callable[[Mapping[str, Any], float], None]


def kinds(
    registrar: Registrar,
    resumption: Resumption,
    floor: agents.Agents,
    lamps: Lamps,
    outsides: Outsides,
    upstream: Upstream,
    wall: Callable[[], float],
) -> dict[str, Kind]:
    """Return every kind, in the order in which they are taken up: where phones are is needed for their talks."""
    return {
        "bindings": Kind(
            "a registration",
            lambda now: list(registrar.dump(now, wall())),
            lambda plain, now: registrar.load([plain], now, wall()),
        ),
        "talks": Kind("a call", lambda now: resumption.talks(), resumption.take_up),
        "legs": Kind("a call", lambda now: resumption.legs(), lambda plain, now: resumption.leave(plain)),
        agents.KIND: Kind(
            "what the orders of groups go by", lambda now: floor.dump(), lambda plain, now: floor.load(plain)
        ),
        "lamps": Kind(
            "the subscription of a phone",
            lambda now: lamps.dump(now, wall()),
            lambda plain, now: lamps.load(plain, now, wall()),
        ),
        "outside": Kind(
            "how many calls a line has made to the outside",
            lambda now: outsides.dump(),
            lambda plain, now: outsides.load(plain),
        ),
        "trunks": Kind(
            "what was known of a trunk", lambda now: upstream.dump(), lambda plain, now: upstream.load(plain)
        ),
    }
