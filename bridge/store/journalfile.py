"""The journal's tables: entries written in batches, read by what is asked, forgotten when they are old.

All of it waits for the disk: it belongs on a store thread, or into a command that runs without the agent.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from bridge.calls.status import Part, Step, Visit
from bridge.events import CallOver
from bridge.journal.model import Change, Entry, Filter, Kind
from bridge.store.database import Migration
from bridge.store.errors import DAMAGED

MIGRATIONS: tuple[Migration, ...] = (
    (
        """
        CREATE TABLE call (
            number INTEGER PRIMARY KEY,
            call TEXT NOT NULL,
            began REAL NOT NULL,
            answered REAL,
            ended REAL NOT NULL,
            caller TEXT NOT NULL,
            caller_name TEXT NOT NULL,
            caller_line TEXT,
            called TEXT NOT NULL,
            line TEXT,
            taken_by TEXT,
            wait REAL NOT NULL,
            talk REAL NOT NULL,
            result TEXT NOT NULL,
            why TEXT NOT NULL,
            steps TEXT NOT NULL
        ) STRICT
        """,
        "CREATE INDEX call_ended ON call (ended)",
        "CREATE INDEX call_call ON call (call)",
        """
        CREATE TABLE visit (
            call INTEGER NOT NULL,
            place INTEGER NOT NULL,
            in_group TEXT,
            at REAL NOT NULL,
            lasted REAL NOT NULL,
            result TEXT NOT NULL,
            why TEXT NOT NULL,
            PRIMARY KEY (call, place)
        ) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE part (
            call INTEGER NOT NULL,
            place INTEGER NOT NULL,
            in_group TEXT,
            member TEXT NOT NULL,
            line TEXT,
            at REAL NOT NULL,
            rang REAL NOT NULL,
            outcome TEXT NOT NULL,
            why TEXT NOT NULL,
            PRIMARY KEY (call, place)
        ) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE change (
            number INTEGER PRIMARY KEY,
            at REAL NOT NULL,
            kind TEXT NOT NULL,
            in_group TEXT,
            member TEXT,
            what TEXT NOT NULL,
            logged_in INTEGER NOT NULL,
            paused INTEGER NOT NULL,
            by TEXT,
            origin TEXT,
            reason TEXT,
            until REAL
        ) STRICT
        """,
        "CREATE INDEX change_at ON change (at)",
        "CREATE INDEX change_place ON change (kind, in_group, member)",
    ),
)

Connection = sqlite3.Connection

_CALL = (
    "call, began, answered, ended, caller, caller_name, caller_line, called, line, taken_by, wait, talk, result, why"
)
_CHANGE = "at, kind, in_group, member, what, logged_in, paused, by, origin, reason, until"
READS = (
    f"SELECT number, {_CALL}, steps FROM call",
    "SELECT call, place, in_group, at, lasted, result, why FROM visit",
    "SELECT call, place, in_group, member, line, at, rang, outcome, why FROM part",
    f"SELECT number, {_CHANGE} FROM change",
)
"""All that is read."""

_INSERT_CALL = f"INSERT INTO call ({_CALL}, steps) VALUES ({', '.join('?' * 15)})"
_INSERT_VISIT = f"INSERT INTO visit VALUES ({', '.join('?' * 7)})"
_INSERT_PART = f"INSERT INTO part VALUES ({', '.join('?' * 9)})"
_INSERT_CHANGE = f"INSERT INTO change ({_CHANGE}) VALUES ({', '.join('?' * 11)})"
_AT_ONCE = 500  # calls whose rows are looked for, or forgotten, by one statement


def write(connection: Connection, entries: Iterable[Entry]) -> None:
    """Write entries, in order."""
    for entry in entries:
        if isinstance(entry, CallOver):
            _write_call(connection, entry)
        else:
            _write_change(connection, entry)


def _write_call(connection: Connection, call: CallOver) -> None:
    row = (call.call, call.began, call.answered, call.wall, call.caller, call.caller_name, call.caller_line)
    row += (call.called, call.line, call.taken_by, call.wait, call.talk, call.result, call.why)  # type: ignore[assignment]
    steps = json.dumps([[s.at, s.member, s.what, s.why] for s in call.steps], ensure_ascii=False)
    number = connection.execute(_INSERT_CALL, tuple(map(_storable, (*row, steps)))).lastrowid
    connection.executemany(_INSERT_VISIT, ((number, place, *map(_storable, v)) for place, v in enumerate(call.visits)))
    connection.executemany(_INSERT_PART, ((number, place, *map(_storable, p)) for place, p in enumerate(call.parts)))


def _write_change(connection: Connection, c: Change) -> None:
    row = (c.wall, c.kind.value, c.group, c.member, c.what, c.logged_in, c.paused, c.by, c.origin, c.reason, c.until)
    connection.execute(_INSERT_CHANGE, tuple(map(_storable, row)))


def _storable(value: Any) -> Any:
    """Return a value as a column takes it: bytes that were no UTF-8 where they came from become question marks."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


# -- reading ------------------------------------------------------------------------------------------------------


def read(connection: Connection, wanted: Filter) -> list[Entry]:
    """Return the last entries that a filter lets through, in the order of time; calls without their steps."""
    found: list[Entry] = []
    if wanted.calls:
        found += calls(connection, wanted)
    if wanted.changes and wanted.caller is None and wanted.result is None and wanted.call is None:
        found += changes(connection, wanted)
    found.sort(key=lambda entry: entry.began if isinstance(entry, CallOver) else entry.wall)
    return found[-wanted.last :]


def calls(connection: Connection, wanted: Filter) -> list[CallOver]:
    """Return the last calls that a filter lets through, in the order in which they ended, without their steps."""
    where, values = _calls_where(wanted)
    rows = connection.execute(
        f"SELECT number, {_CALL} FROM call WHERE {where} ORDER BY number DESC LIMIT ?", (*values, wanted.last)
    ).fetchall()[::-1]
    numbers = [row[0] for row in rows]
    visits = _by_call(connection, "visit", "in_group, at, lasted, result, why", numbers)
    parts = _by_call(connection, "part", "in_group, member, line, at, rang, outcome, why", numbers)
    return [
        _call(row, [Visit(*v) for v in visits.get(row[0], ())], [Part(*p) for p in parts.get(row[0], ())], ())
        for row in rows
    ]


def story(connection: Connection, wanted: Filter) -> CallOver | None:
    """Return the last call that a filter lets through, with its steps; None where there is none."""
    found = calls(connection, replace(wanted, last=1))
    if not found:
        return None
    where, values = _calls_where(wanted)
    query = f"SELECT steps FROM call WHERE {where} ORDER BY number DESC LIMIT 1"
    return replace(found[0], steps=_steps(connection.execute(query, values).fetchone()[0]))


def _steps(text: str) -> tuple[Step, ...]:
    try:
        return tuple(Step(float(at), member, str(what), str(why)) for at, member, what, why in json.loads(text))
    except DAMAGED:
        return (Step(0.0, None, "damaged", "what happened in this call cannot be read any more"),)


def _calls_where(wanted: Filter) -> tuple[str, list[Any]]:
    terms: list[tuple[str, Sequence[Any]]] = []
    if wanted.call is not None:
        terms.append(("call = ?", (wanted.call,)))
    if wanted.since is not None:
        terms.append(("ended >= ? AND began >= ?", (wanted.since, wanted.since)))
    if wanted.until is not None:
        terms.append(("began < ?", (wanted.until,)))
    if wanted.ended is not None:
        terms.append(("ended >= ?", (wanted.ended,)))
    if wanted.caller is not None:
        terms.append(("(instr(caller, ?) OR instr(lower(caller_name), lower(?)))", (wanted.caller, wanted.caller)))
    if wanted.member is not None:
        terms.append(("number IN (SELECT call FROM part WHERE member = ?)", (wanted.member,)))
    if wanted.group is not None or wanted.result is not None:
        terms.append(_visits_where(wanted))
    if wanted.viewer is not None:
        terms.append(_viewer_where(wanted))
    text = " AND ".join(term for term, _ in terms) or "1"
    return text, [value for _, values in terms for value in values]


def _visits_where(wanted: Filter) -> tuple[str, Sequence[Any]]:
    """Return what a group, a result, or a result in a group asks for; "missed" is whatever was not answered."""
    terms, values = [], []
    if wanted.group is not None:
        terms.append("in_group = ?")
        values.append(wanted.group)
    if wanted.result == "missed":
        terms.append("result NOT IN ('answered', 'overflowed')")
    elif wanted.result is not None:
        terms.append("result = ?")
        values.append(wanted.result)
    return f"number IN (SELECT call FROM visit WHERE {' AND '.join(terms)})", values


def _viewer_where(wanted: Filter) -> tuple[str, Sequence[Any]]:
    groups, lines = (", ".join("?" * len(some)) for some in (wanted.groups, wanted.lines))
    text = f"""(number IN (SELECT call FROM visit WHERE in_group IN ({groups})) OR caller_line IN ({lines})
        OR line IN ({lines}) OR number IN (SELECT call FROM part WHERE line IN ({lines})))"""
    return text, (*wanted.groups, *wanted.lines * 3)


def _by_call(
    connection: Connection, table: str, columns: str, numbers: Sequence[int]
) -> dict[int, list[tuple[Any, ...]]]:
    found: dict[int, list[tuple[Any, ...]]] = {}
    for start in range(0, len(numbers), _AT_ONCE):
        some = numbers[start : start + _AT_ONCE]
        marks = ", ".join("?" * len(some))
        query = f"SELECT call, {columns} FROM {table} WHERE call IN ({marks}) ORDER BY call, place"
        for number, *row in connection.execute(query, some):
            found.setdefault(number, []).append(tuple(row))
    return found


def _call(row: Sequence[Any], visits: list[Visit], parts: list[Part], steps: tuple[Step, ...]) -> CallOver:
    _, call, began, answered, ended, caller, name, caller_line, called, line, taken_by, wait, talk, result, why = row
    return CallOver(
        ended,
        call=call,
        caller=caller,
        caller_name=name,
        caller_line=caller_line,
        called=called,
        line=line,
        taken_by=taken_by,
        began=began,
        answered=answered,
        wait=wait,
        talk=talk,
        result=result,
        why=why,
        visits=tuple(visits),
        parts=tuple(parts),
        steps=steps,
    )


def changes(connection: Connection, wanted: Filter) -> list[Change]:
    """Return the last changes that a filter lets through, in the order in which they were made."""
    asked = {"in_group = ?": wanted.group, "member = ?": wanted.member, "at >= ?": wanted.since, "at < ?": wanted.until}
    terms: list[tuple[str, Sequence[Any]]] = [(term, (value,)) for term, value in asked.items() if value is not None]
    if wanted.viewer is not None:
        marks = ", ".join("?" * len(wanted.groups))
        terms.append((f"(in_group IN ({marks}) OR member = ?)", (*wanted.groups, wanted.viewer)))
    where = " AND ".join(term for term, _ in terms) or "1"
    values = [value for _, some in terms for value in some]
    query = f"SELECT {_CHANGE} FROM change WHERE {where} ORDER BY number DESC LIMIT ?"
    rows = connection.execute(query, (*values, wanted.last)).fetchall()
    return [_change(row) for row in reversed(rows) if row[1] in set(Kind)]


def latest(connection: Connection, before: float) -> list[Change]:
    """Return, for every place, the last login, and what was last seen of missed calls, before a moment."""
    query = f"""
        SELECT {_CHANGE} FROM change WHERE number IN (
            SELECT max(number) FROM change
            WHERE at < ? AND kind IN ('login', 'dropped', 'seen') GROUP BY kind = 'seen', in_group, member
        ) ORDER BY number
    """
    return [_change(row) for row in connection.execute(query, (before,)) if row[1] in set(Kind)]


def _change(row: Sequence[Any]) -> Change:
    at, kind, group, member, what, logged_in, paused, by, origin, reason, until = row
    return Change(at, Kind(kind), group, member, what, bool(logged_in), bool(paused), by, origin, reason, until)


# -- forgetting ---------------------------------------------------------------------------------------------------


def forget(connection: Connection, before: float) -> int:
    """Forget some of the calls that ended, and changes that were made, before a moment; return how many.

    The last login of each place is kept however old it is: it still holds. Called again until it returns 0.
    """
    query = "SELECT number FROM call WHERE ended < ? LIMIT ?"
    numbers = [number for (number,) in connection.execute(query, (before, _AT_ONCE))]
    marks = ", ".join("?" * len(numbers))
    for table, column in (("visit", "call"), ("part", "call"), ("call", "number")):
        connection.execute(f"DELETE FROM {table} WHERE {column} IN ({marks})", numbers)
    gone: int = connection.execute(
        """
        DELETE FROM change WHERE at < ? AND number NOT IN (
            SELECT max(number) FROM change WHERE kind IN ('login', 'dropped', 'seen')
            GROUP BY kind = 'seen', in_group, member
        )
        """,
        (before,),
    ).rowcount
    return len(numbers) + gone
