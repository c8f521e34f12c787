"""What a restart takes up again is written piece by piece: what is the same object as before stays where it is."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bridge.store.kept import KeptStore

Plain = dict[str, Any]


def rows(path: Path) -> dict[str, int]:
    """Return the rows of the file: what stands there to its number."""
    with closing(sqlite3.connect(f"file:{path}?immutable=1", uri=True)) as connection:
        return {value: number for number, value in connection.execute("SELECT number, value FROM kept")}


def written(path: Path, *steps: dict[str, list[Plain]]) -> list[Plain]:
    """Write one after the other; return the talks that the next start finds."""

    async def write() -> None:
        store = KeptStore(path, lambda: 0.0)
        await store.open()
        for step in steps:
            for kind, values in step.items():
                await store.replace(kind, values)
        await store.close()

    async def read() -> list[Plain]:
        store = KeptStore(path, lambda: 0.0)
        await store.open()
        found = await store.load("talks")
        await store.close()
        return found

    asyncio.run(write())
    return asyncio.run(read())


def test_all_values_are_there_after_a_restart(tmp_path: Path) -> None:
    """Those of the last write, in the order in which they came, and nothing of what went."""
    one, two, three = ({"call": name} for name in ("one", "two", "three"))
    found = written(tmp_path / "kept.db", {"talks": [one, two]}, {"talks": [two, three], "legs": [{"leg": 1}]})
    assert found == [two, three]


def test_only_what_is_another_is_written(tmp_path: Path) -> None:
    """A talk that goes on keeps its row; one that is made anew gets a row of its own, and its old one goes."""
    path = tmp_path / "kept.db"
    stays, changes = {"call": "stays"}, {"call": "changes", "seq": 1}
    written(path, {"talks": [changes, stays]}, {"talks": [{"call": "changes", "seq": 2}, stays]})
    assert rows(path) == {'{"call": "stays"}': 1, '{"call": "changes", "seq": 2}': 2}


def test_what_an_earlier_run_has_left_is_replaced(tmp_path: Path) -> None:
    """Nothing of it is still there once a kind was written; other kinds are left alone."""
    path = tmp_path / "kept.db"
    written(path, {"talks": [{"call": "old"}], "legs": [{"leg": "old"}]})
    assert written(path, {"talks": [{"call": "new"}]}) == [{"call": "new"}]
    assert set(rows(path)) == {'{"call": "new"}', '{"leg": "old"}'}


def test_after_a_write_that_failed_all_is_written(tmp_path: Path) -> None:
    """What the file has then is what it had before, so that the next write is a whole one."""

    async def run() -> list[Plain]:
        store = KeptStore(tmp_path / "kept.db", lambda: 0.0)
        await store.open()
        talk = {"call": "one"}
        await store.replace("talks", [talk])
        with pytest.raises(TypeError):
            await store.replace("talks", [{"call": object()}])
        await store.replace("talks", [talk])
        found = await store.load("talks")
        await store.close()
        return found

    assert asyncio.run(run()) == [{"call": "one"}]
