"""The file of logins."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from bridge.directory.logins import OUT, Login, LoginChange, Origin
from bridge.directory.nights import UNTOUCHED, Night, NightChange, NightState
from bridge.store.errors import StoreError
from bridge.store.logins import MIGRATIONS, LoginStore
from tests.support.office import NOW

T = TypeVar("T")

FULL = Login(True, NOW + 0.5, "anna", Origin.MQTT, "early", NOW + 60, True, "lunch", NOW + 30, True)
FULL = replace(FULL, pause_by="ben", pause_origin=Origin.BUTTON)
ANNA = ("support", "anna")


def change(member: str, after: Login) -> LoginChange:
    """Return a change in the group support."""
    return LoginChange("support", member, OUT, after)


def on(path: Path, work: Callable[[LoginStore], Awaitable[T]]) -> T:
    """Open a store on `path`, do the work, close it."""

    async def whole() -> T:
        store = LoginStore(path, lambda: NOW)
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(whole())


async def _opened(store: LoginStore) -> dict[tuple[str, str], Login]:
    await store.open()
    return dict(await store.load())


def loaded(path: Path) -> dict[tuple[str, str], Login]:
    """Return what a new start finds."""
    return on(path, _opened)


def committed(path: Path, *changes: LoginChange, dropped: tuple[tuple[str, str], ...] = ()) -> None:
    """Commit once, as one run of the agent."""

    async def work(store: LoginStore) -> None:
        await store.open()
        await store.commit(changes, dropped)

    on(path, work)


def refusal(path: Path) -> str:
    """Return why the store does not open."""
    with pytest.raises(StoreError) as caught:
        loaded(path)
    return str(caught.value)


def test_every_field_comes_back(tmp_path: Path) -> None:
    """What is committed is loaded again as it was, whatever is in it."""
    path = tmp_path / "new" / "logins.db"
    committed(path, change("anna", FULL), change("ben", OUT))
    assert loaded(path) == {ANNA: FULL, ("support", "ben"): OUT}


def test_leases_in_front_of_each_other_come_back(tmp_path: Path) -> None:
    """What a lease stands in front of is kept whole, however deep, and with the scale of its times."""
    plain = Login(False, 0.25, "lobby", Origin.PHONE, permanent=True)
    lease = Login(True, NOW, "cara", Origin.MQTT, "stand-in", NOW + 9.5, back=plain, unsure=True)
    deep = replace(FULL, back=lease, lasts=60.0, pause_lasts=30.0, acted=NOW + 3.25)
    path = tmp_path / "logins.db"
    committed(path, change("anna", deep))
    assert loaded(path) == {ANNA: deep}


def test_night_switches_come_back(tmp_path: Path) -> None:
    """They are written with the logins, in the same commit; the last position holds."""
    first = NightState(Night.CLOSED, NOW, "anna", Origin.BUTTON)
    last = NightState(Night.OPEN, NOW + 1, "owner", Origin.CONTROL)

    async def write(store: LoginStore) -> None:
        await store.open()
        closed = NightChange("support", UNTOUCHED, first)
        await store.commit([closed, change("anna", FULL), NightChange("support", first, last)])

    async def read(store: LoginStore) -> tuple[object, object]:
        await store.open()
        return await store.nights(), await store.load()

    path = tmp_path / "logins.db"
    on(path, write)
    assert on(path, read) == ([("support", last)], [(ANNA, FULL)])


def test_a_file_of_the_first_version_is_taken_over(tmp_path: Path) -> None:
    """Logins from before there were night switches are found as they were."""
    path = tmp_path / "logins.db"
    connection = sqlite3.connect(path)
    for statement in MIGRATIONS[0]:
        connection.execute(statement)
    row = ("support", "anna", 1, NOW, "anna", "button", None, NOW + 60, 0, None, None, 0)
    connection.execute(f"INSERT INTO login VALUES ({', '.join('?' * len(row))})", row)
    connection.execute("PRAGMA user_version=1")
    connection.commit()
    connection.close()
    assert loaded(path) == {ANNA: Login(True, NOW, "anna", Origin.BUTTON, until=NOW + 60)}


def test_the_last_change_holds(tmp_path: Path) -> None:
    """Changes of one place in one commit are written in their order."""
    path = tmp_path / "logins.db"
    committed(path, change("anna", FULL), change("anna", OUT))
    assert loaded(path) == {ANNA: OUT}


def test_dropped_places_are_gone(tmp_path: Path) -> None:
    """Who left the configuration is forgotten."""
    path = tmp_path / "logins.db"
    committed(path, change("anna", FULL), change("ben", FULL))
    committed(path, dropped=(ANNA, ("support", "nobody")))
    assert list(loaded(path)) == [("support", "ben")]


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    """The file and what SQLite puts beside it are private, also where an older file was not."""
    path = tmp_path / "logins.db"
    path.touch(mode=0o644)

    async def work(store: LoginStore) -> list[int]:
        await store.open()
        await store.commit([change("anna", FULL)])
        return [stat.S_IMODE(p.stat().st_mode) for p in tmp_path.glob("logins.db*")]

    modes = on(path, work)
    assert len(modes) >= 2
    assert set(modes) == {0o600}


@pytest.mark.parametrize("content", [b"not a database" * 1000, b"SQLite format 3\0" + b"\xff" * 9000])
def test_broken_file_is_put_aside(tmp_path: Path, content: bytes) -> None:
    """A damaged file is kept under a name with the date, a new one begun, and that is said."""
    path = tmp_path / "logins.db"
    path.write_bytes(content)
    (notice,) = on(path, lambda store: store.open())
    assert notice.what == "store_broken"
    assert "logins.db.broken-20261118T110640Z" in notice.text
    assert (tmp_path / "logins.db.broken-20261118T110640Z").read_bytes() == content
    committed(path, change("anna", FULL))
    assert loaded(path) == {ANNA: FULL}


def test_damaged_pages_are_found_at_the_start(tmp_path: Path) -> None:
    """Damage behind a sound header is found when the file is opened, and not while a call comes in."""
    path = tmp_path / "logins.db"
    committed(path, *(change(f"m{n}", FULL) for n in range(500)))
    content = bytearray(path.read_bytes())
    content[5000:9000] = b"\xa5" * 4000
    path.write_bytes(content)
    assert on(path, lambda store: store.open())[0].what == "store_broken"


def test_newer_schema_is_refused_and_kept(tmp_path: Path) -> None:
    """A file of a newer version is left alone; the message says what to do."""
    path = tmp_path / "logins.db"
    committed(path, change("anna", FULL))
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version=99")
    connection.close()
    assert "newer cti-bridge (schema 99" in refusal(path)
    assert list(tmp_path.glob("*broken*")) == []


OTHER_AGENT = """
import pathlib, sys
from tests.unit.store.test_logins import refusal
print(refusal(pathlib.Path(sys.argv[1])))
"""


def test_two_agents_do_not_share_a_file(tmp_path: Path) -> None:
    """While one process has the file open, another is refused, and told why."""
    path = tmp_path / "logins.db"

    async def work(store: LoginStore) -> str:
        await store.open()
        command = [sys.executable, "-c", OTHER_AGENT, str(path)]
        root = Path(__file__).parents[3]
        done = await asyncio.to_thread(subprocess.run, command, cwd=root, capture_output=True, text=True, check=True)
        return done.stdout

    assert "another process has it open" in on(path, work)
    assert loaded(path) == {}


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    """What cannot be opened is refused with the path."""
    (tmp_path / "logins.db").mkdir()
    assert str(tmp_path / "logins.db") in refusal(tmp_path / "logins.db")
    (tmp_path / "file").touch()
    assert "file" in refusal(tmp_path / "file" / "logins.db")


@pytest.mark.parametrize(
    ("pragma", "says"), [("max_page_count=1", "the disk is full"), ("query_only=1", "it cannot be written")]
)
def test_a_failed_commit_changes_nothing(tmp_path: Path, pragma: str, says: str) -> None:
    """A full disk and a file that cannot be written are told as such; then it goes on as if never asked."""
    path = tmp_path / "logins.db"

    async def work(store: LoginStore) -> None:
        await store.open()
        await store.commit([change("anna", FULL)])
        connection = store._database._connection
        assert connection is not None
        await store._thread.do(lambda: connection.execute(f"PRAGMA {pragma}"))
        with pytest.raises(StoreError, match=says):
            await store.commit([change(f"m{n}", FULL) for n in range(500)])
        await store._thread.do(lambda: connection.execute("PRAGMA query_only=0"))
        assert await store.load() == [(ANNA, FULL)]
        await store._thread.do(lambda: connection.execute("PRAGMA max_page_count=100000"))
        await store.commit([change("ben", FULL)])

    on(path, work)
    assert loaded(path) == {ANNA: FULL, ("support", "ben"): FULL}
