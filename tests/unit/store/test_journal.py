"""The journal: what is kept, how it is found again, what happens when the disk will not have it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

import bridge.journaling as journaling
from bridge.calls.status import Part, Step, Visit
from bridge.commands.eyes import Eyes
from bridge.commands.model import OWNER
from bridge.directory.logins import Login, Origin
from bridge.directory.model import Directory
from bridge.events import CallOver, Event, LoginChanged, Notice
from bridge.journal.model import Change, Filter, Kind, Past
from bridge.journaling import Journaling
from bridge.lookups import story
from bridge.store import journalfile
from bridge.store.errors import StoreError
from bridge.store.journal import JournalStore, opened_for_reading
from tests.support.office import NOW

T = TypeVar("T")

STEPS = (Step(0.0, None, "started", "parallel"), Step(3.0, "anna", "answered", "rang 3.0 s"))


def over(call: str = "c1", at: float = NOW, **more: Any) -> CallOver:
    """Return a call to support that anna took after 3 s; it began at `at` and lasted 63 s."""
    group, result = more.pop("group", "support"), more.get("result", "answered")
    values: dict[str, Any] = {
        "call": call,
        "caller": "015155501",
        "caller_name": "Zoe",
        "caller_line": None,
        "called": "600",
        "line": "anna",
        "taken_by": "anna",
        "began": at,
        "answered": at + 3,
        "wait": 3.0,
        "talk": 60.0,
        "result": "answered",
        "why": "answered by anna",
        "visits": (Visit(group, 0.0, 3.0, result, ""),),
        "parts": (
            Part(group, "anna", "anna", 0.0, 3.0, "answered", ""),
            Part(group, "ben", None, 0.0, 0.0, "paused", ""),
        ),
        "steps": STEPS,
    }
    return CallOver(at + 63, **{**values, **more})


def logged_in(member: str, at: float = NOW, state: bool = True) -> LoginChanged:
    """Return a login in support."""
    return LoginChanged(at, "support", member, Login(state, at, member, Origin.BUTTON))


class Desk:
    """A journal on a path, with its clock and what it has said."""

    def __init__(self, path: Path, days: float = 90, recalled: tuple[Change, ...] = ()) -> None:
        self.said: list[str] = []
        self.past: list[Past] = []
        self._recalled = recalled
        self.store = JournalStore(path, lambda: NOW)
        self.journaling = Journaling(
            self.store,
            wall=lambda: NOW + 100,
            synchronised=lambda: True,
            days=lambda: days,
            opened=self._opened,
            tell=self._tell,
        )

    def _opened(self, past: Past) -> tuple[Change, ...]:
        self.past.append(past)
        return self._recalled

    def _tell(self, event: Event) -> None:
        assert isinstance(event, Notice)
        self.said.append(event.text)

    async def entries(self, wanted: Filter | None = None) -> list[CallOver | Change]:
        """Return what is kept."""
        wanted = wanted or Filter(changes=False)
        return await self.journaling.read(lambda connection: journalfile.read(connection, wanted))


def on(path: Path, work: Callable[[Desk], Awaitable[T]], **more: Any) -> T:
    """Run a journal on `path`, do the work, close it."""

    async def whole() -> T:
        desk = Desk(path, **more)
        desk.journaling.start()
        try:
            return await work(desk)
        finally:
            await desk.journaling.close()

    return asyncio.run(whole())


def kept(path: Path, *events: Event) -> None:
    """Keep events, as one run of the agent."""

    async def work(desk: Desk) -> None:
        for event in events:
            desk.journaling(event)

    on(path, work)


def found(path: Path, **wanted: Any) -> list[str]:
    """Return the ids of the calls that a filter lets through."""
    with opened_for_reading(path) as connection:
        return [call.call for call in journalfile.calls(connection, Filter(**wanted))]


def test_what_was_kept_is_there_after_a_restart(tmp_path: Path) -> None:
    """A call with all that is known of it, and a login; nothing is lost by a restart."""
    path = tmp_path / "journal.db"
    kept(path, over(), logged_in("anna", NOW + 70))
    with opened_for_reading(path) as connection:
        entries = journalfile.read(connection, Filter())
        assert [e for e in entries if isinstance(e, CallOver)] == [replace(over(), steps=())]
        told = story(connection, "c1", Eyes(OWNER, Directory()))
    assert told["steps"][1] == {"at": 3.0, "member": "anna", "what": "answered", "why": "rang 3.0 s"}
    changes = [(e.kind, e.what, e.member) for e in entries if isinstance(e, Change)]
    assert changes == [
        (Kind.LOGIN, "logged in", "anna"),
        (Kind.STARTED, "the bridge was started", None),
        (Kind.ENDED, "the bridge ended", None),
    ]


def test_every_filter_finds_what_it_is_for(tmp_path: Path) -> None:
    """Group, member, caller, result, since, until, and no more than the last n."""
    path = tmp_path / "journal.db"
    lost = over("c2", NOW + 100, result="no answer", taken_by=None, line=None, answered=None, talk=0.0)
    other = over("c3", NOW + 200, group="sales", caller="", caller_name="")
    onward = over(
        "c4", NOW + 300, visits=(Visit("support", 0, 9, "overflowed", ""), Visit("sales", 9, 2, "answered", ""))
    )
    kept(path, over(), lost, other, onward)
    assert found(path) == ["c1", "c2", "c3", "c4"]
    assert found(path, group="support") == ["c1", "c2", "c4"]
    assert found(path, group="sales") == ["c3", "c4"]
    assert found(path, result="answered") == ["c1", "c3", "c4"]
    assert found(path, result="overflowed") == ["c4"]
    assert found(path, group="support", result="answered") == ["c1"]
    assert found(path, result="missed") == ["c2"]
    assert found(path, member="ben") == ["c1", "c2", "c3", "c4"] and found(path, member="eve") == []
    assert found(path, caller="5550") == ["c1", "c2", "c4"] and found(path, caller="zoe") == ["c1", "c2", "c4"]
    assert found(path, since=NOW + 100, until=NOW + 300) == ["c2", "c3"]
    assert found(path, last=2) == ["c3", "c4"]


def test_what_is_old_is_forgotten_but_not_who_is_logged_in(tmp_path: Path) -> None:
    """`journal_days`: entries that are older go, the last login of each place stays, since it still holds."""
    path = tmp_path / "journal.db"
    old = NOW - 100 * 86400
    kept(path, over("old", old), logged_in("anna", old), logged_in("anna", old + 1, False), logged_in("anna", old + 2))
    kept(path, over("new"))

    async def work(desk: Desk) -> list[CallOver | Change]:
        await asyncio.sleep(0)
        return await desk.entries(Filter())

    assert [e.call for e in on(path, work, days=30) if isinstance(e, CallOver)] == ["new"]
    with opened_for_reading(path) as connection:
        logins = [c.wall for c in journalfile.changes(connection, Filter()) if c.kind is Kind.LOGIN]
        assert logins == [old + 2]
        assert connection.execute("SELECT count(*) FROM part").fetchone() == (2,)


def test_entries_are_written_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An SD card is written a few seconds later, once for many; and sooner where there are very many."""
    monkeypatch.setattr(journaling, "AT_ONCE", 20)

    async def work(desk: Desk) -> list[int]:
        await desk.entries()
        sizes: list[int] = []
        write = desk.store.write

        async def counted(entries: Any) -> None:
            sizes.append(len(entries))
            await write(entries)

        desk.store.write = counted  # type: ignore[method-assign]
        for number in range(19):
            desk.journaling(over(f"c{number}"))
            await asyncio.sleep(0)
        assert sizes == []
        desk.journaling(over("c19"))
        await desk.entries()
        return list(sizes)

    assert on(tmp_path / "journal.db", work) == [20]


def test_two_who_read_at_once_write_nothing_twice(tmp_path: Path) -> None:
    """What waits is written before it is read, by one of them."""

    async def work(desk: Desk) -> list[int]:
        for number in range(5):
            desk.journaling(over(f"c{number}"))
        return [len(entries) for entries in await asyncio.gather(*(desk.entries() for _ in range(4)))]

    assert on(tmp_path / "journal.db", work) == [5, 5, 5, 5]


def test_a_disk_that_takes_nothing_is_said_once_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entries wait in memory, as many as there is room for; once the disk takes them again, they are all there."""
    monkeypatch.setattr(journaling, "TRY_AGAIN", 0.01)
    monkeypatch.setattr(journaling, "GATHER", 0.001)
    monkeypatch.setattr(journaling, "MOST", 30)

    async def work(desk: Desk) -> list[CallOver | Change]:
        await desk.entries()
        while desk.journaling.busy:
            await asyncio.sleep(0.001)
        write = desk.store.write
        tries = 0

        async def full(entries: Any) -> None:
            nonlocal tries
            tries += 1
            raise StoreError("journal.db: the disk is full; free some space")

        desk.store.write = full  # type: ignore[method-assign]
        for number in range(40):
            desk.journaling(over(f"c{number:02}"))
        while tries < 3:
            await asyncio.sleep(0.005)
        (said,) = desk.said
        assert "the disk is full" in said and "calls go on" in said
        desk.store.write = write  # type: ignore[method-assign]
        while len(desk.said) < 3:
            await asyncio.sleep(0.005)
        assert desk.said[1:] == [
            "the journal is written again",
            "10 entries of the journal are lost: they were too many to wait for the disk",
        ]
        return await desk.entries()

    calls = on(tmp_path / "journal.db", work)
    assert [c.call for c in calls if isinstance(c, CallOver)] == [f"c{number:02}" for number in range(10, 40)]


def test_a_broken_file_is_put_aside(tmp_path: Path) -> None:
    """Found broken at the start: it is kept under another name, said, and the journal begins anew."""
    path = tmp_path / "journal.db"
    path.write_bytes(b"this is no database, whatever else it may be" * 100)

    async def work(desk: Desk) -> list[str]:
        desk.journaling(over())
        assert len(await desk.entries()) == 1
        return desk.said

    (said,) = on(path, work)
    assert "was damaged" in said and "begins anew" in said
    assert list(tmp_path.glob("journal.db.broken-*"))
    assert found(path) == ["c1"]


def test_a_place_that_cannot_be_written_ends_nothing(tmp_path: Path) -> None:
    """Said once; asking says why; closing is no error."""
    (tmp_path / "file").write_text("no directory")

    async def work(desk: Desk) -> list[str]:
        desk.journaling(over())
        with pytest.raises(StoreError):
            await desk.entries()
        await asyncio.sleep(0)
        return desk.said

    said = on(tmp_path / "file" / "journal.db", work)
    assert len(said) == 1 and "calls go on" in said[0]


def test_the_past_is_recalled_at_the_start(tmp_path: Path) -> None:
    """The last days' calls and each place's last login; what differs now is kept as an entry of the start's moment."""
    path = tmp_path / "journal.db"
    kept(path, over(), logged_in("anna"), logged_in("anna", NOW + 5, False))
    now_in = Change(NOW + 130, Kind.LOGIN, "support", "anna", "logged in", logged_in=True)

    async def work(desk: Desk) -> Past:
        await desk.entries()
        return desk.past[0]

    past = on(path, work, recalled=(now_in,))
    assert [call.call for call in past.calls] == ["c1"]
    assert [(c.member, c.logged_in) for c in past.latest] == [("anna", False)]
    with opened_for_reading(path) as connection:
        assert journalfile.latest(connection, NOW + 1e6) == [replace(now_in, wall=NOW + 100)]


def test_bytes_that_are_no_text_are_kept_all_the_same(tmp_path: Path) -> None:
    """A caller's name may be any bytes."""
    path = tmp_path / "journal.db"
    kept(path, over(caller_name="Z\udcff\udc00e"))
    with opened_for_reading(path) as connection:
        assert journalfile.calls(connection, Filter())[0].caller_name == "Z??e"


def test_the_file_can_be_read_without_the_agent(tmp_path: Path) -> None:
    """After a clean end, after a kill, and where the directory cannot be written."""
    path = tmp_path / "journal.db"
    kept(path, over())
    tmp_path.chmod(0o500)
    try:
        assert found(path) == ["c1"]
    finally:
        tmp_path.chmod(0o700)
    with pytest.raises(StoreError, match="does not exist"):
        found(tmp_path / "elsewhere.db")
    (tmp_path / "other").write_text("hello, this is no database at all" * 50)
    with pytest.raises(StoreError, match="no database"):
        found(tmp_path / "other")


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    """Callers are in it."""
    kept(tmp_path / "journal.db", over())
    assert (tmp_path / "journal.db").stat().st_mode & 0o777 == 0o600
