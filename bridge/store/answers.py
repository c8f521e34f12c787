"""Who answered calls, and who of them without having rung: told from the journal, for who looks for mailboxes."""

from __future__ import annotations

from pathlib import Path

from bridge.store.journal import opened_for_reading

_ANSWERS = """
    SELECT part.line, COUNT(*), SUM(part.rang = 0)
    FROM call JOIN part ON part.call = call.number
    WHERE call.ended >= ? AND part.outcome = 'answered' AND part.line IS NOT NULL
    GROUP BY part.line
"""


def answers(path: Path, since: float) -> dict[str, tuple[int, int]]:
    """Return for each line how many calls it answered, and how many without ringing; `since` is UTC seconds.

    Raises StoreError.
    """
    with opened_for_reading(path) as connection:
        return {line: (every, silent) for line, every, silent in connection.execute(_ANSWERS, (since,))}
