"""The soak, shortened: calls by chance at the agent as it is run, over a good network and a bad one; nothing is left.

`scripts/soak` does the same with ten thousand calls, also with phones that say nothing for half a minute, and waits
until the last transaction is forgotten; here those are left out that RFC 3261's timers alone would bring to an end.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import pytest

from scripts.soaking.soak import Effort, Outcome, Soak, table

SHORT = Effort(
    calls=200,
    warm=0,
    pace=0.2,
    silence=False,
    away=4.0,
    orders=0.1,
    rest=60.0,
    forgotten=False,
    constants={"bridge.calls.ordered.dialling.RINGS": 3.0},
)
BAD = replace(SHORT, seed=2, loss=0.05)


@pytest.fixture(scope="module")
def soaks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Outcome]]]:
    """Both soaks, side by side: most of their time people think."""
    with ThreadPoolExecutor(2) as pool:
        yield {
            name: pool.submit(Soak(effort, tmp_path_factory.mktemp(name), lambda text: None).run)
            for name, effort in (("good", SHORT), ("bad", BAD))
        }


def report(outcome: Outcome) -> str:
    """Return what is said of a failure."""
    return "\n".join(["", *outcome.wrong[:20], table(outcome), f"{outcome.counts}", f"{outcome.commands}"])


def test_nothing_is_left_of_calls_by_chance(soaks: dict[str, Future[Outcome]]) -> None:
    """Two hundred calls of every kind, while members log in and out: no leg, port, timer, task or file is left."""
    outcome = soaks["good"].result()
    assert not outcome.wrong, report(outcome)
    assert outcome.counts["calls"] == SHORT.calls
    assert outcome.most["legs"] > 20 and outcome.most["rtp_pairs"] > 4, report(outcome)
    happened = {"talks", "cancels", "hung up", "was hung up", "is cancelled", "hold", "202 to REFER", "487 to INVITE"}
    assert happened <= set(outcome.counts), report(outcome)


def test_no_call_is_stuck_where_one_datagram_of_twenty_is_lost(soaks: dict[str, Future[Outcome]]) -> None:
    """Datagrams lost, doubled and overtaken, both ways: every call comes to its end, and nothing is left of any."""
    outcome = soaks["bad"].result()
    assert not outcome.wrong, report(outcome)
    assert outcome.counts["calls"] == BAD.calls
    assert outcome.counts["datagrams lost"] > 50 < outcome.counts["datagrams overtaken"], report(outcome)
    assert outcome.counts["talks"] > 20, report(outcome)
