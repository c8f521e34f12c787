"""Days to rehearse: one that was, from the journal, and one that might be, from a few numbers."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Mapping, Sequence
from random import Random
from typing import Any

from bridge.calls.over import CallResult
from bridge.rehearsal.model import Arrival

HOUR = 3600.0
OFFICE = (0, 0, 0, 0, 0, 0, 0, 0.2, 0.7, 1.2, 1.3, 1.1, 0.7, 0.8, 1.1, 1.1, 0.9, 0.5, 0.2, 0.1, 0, 0, 0, 0)
"""How many calls an hour of the day has, beside the mean of a working hour."""
_SPREAD = 0.8  # of talk times: the sigma of their lognormal


def might_be(
    groups: Sequence[str], midnight: float, calls_per_hour: float, talk: float, patience: float, rng: Random
) -> list[Arrival]:
    """Return a day's calls: Poisson arrivals by the hour, lognormal talks, exponential patience.

    `midnight` is UTC seconds of the day's begin, local; `talk` and `patience` mean seconds. Groups get equal shares.
    """
    arrivals = []
    mu = math.log(talk) - _SPREAD**2 / 2
    for hour, share in enumerate(OFFICE):
        rate = calls_per_hour * share / HOUR
        at = midnight + hour * HOUR
        while rate > 0:
            at += rng.expovariate(rate)
            if at >= midnight + (hour + 1) * HOUR:
                break
            length = rng.lognormvariate(mu, _SPREAD)
            arrivals.append(Arrival(at, rng.choice(groups), length, rng.expovariate(1 / patience)))
    return arrivals


def that_was(
    entries: Iterable[Mapping[str, Any]], groups: Iterable[str], patience: float, rng: Random
) -> list[Arrival]:
    """Return the journal's calls (its entries as JSON) to these groups, where they came first.

    A caller who gave up waits as long as then; of the others nobody knows how long they would have waited: `patience`
    seconds in the mean beyond what they did. Whoever was not served would have talked as long as others did.
    """
    known = set(groups)
    every = [call for call in entries if call.get("groups") and call["groups"][0] in known]
    talks = [call["talk"] for call in every if call["talk"]]
    mean = sum(talks) / len(talks) if talks else 120.0
    found = []
    for call in every:
        gave_up = call["result"] == CallResult.ABANDONED
        waits = call["wait"] if gave_up else call["wait"] + rng.expovariate(1 / patience)
        talk = call["talk"] or rng.expovariate(1 / mean)
        at = datetime.datetime.fromisoformat(call["began"]).timestamp()
        found.append(Arrival(at, call["groups"][0], talk, waits, call["caller"] or ""))
    return found
