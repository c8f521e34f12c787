"""Files of the state directory with wounds, wherever these are: they open, say it, give what is left, and take more."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.commands.eyes import Eyes
from bridge.commands.model import OWNER
from bridge.directory.handling import Handling, HandlingChange
from bridge.directory.logins import OUT, Login, LoginChange
from bridge.directory.nights import UNTOUCHED, Night, NightChange, NightState
from bridge.events import iso
from bridge.journal.model import Filter, change_of
from bridge.lookups import entries, story
from bridge.store import journalfile
from bridge.store.errors import StoreError
from bridge.store.journal import JournalStore, opened_for_reading
from bridge.store.kept import KeptStore
from bridge.store.logins import LoginStore
from tests.support.office import NOW, office
from tests.unit.store.test_journal import logged_in, over
from tests.unit.store.test_logins import FULL

Use = Callable[[Path], Coroutine[Any, Any, None]]
MEMBERS = [f"member{number}" for number in range(20)]
DIALOG = {"call_id": "c", "local_tag": "l", "flow": ["udp", "10.0.0.1", 5060, 0], "more": "x" * 200}


async def use_logins(path: Path) -> None:
    """Open the logins, read all, show all, write all anew."""
    store = LoginStore(path, lambda: NOW)
    try:
        await store.open()
        for _, login in await store.load():
            assert all(iso(moment) for moment in (login.since, login.until or 0.0, login.pause_until or 0.0))
        for _, switch in await store.nights():
            assert iso(switch.since)
        await store.handlings()
        changes = [LoginChange("support", name, OUT, replace(FULL, back=Login(True, NOW))) for name in MEMBERS]
        night = NightChange("support", UNTOUCHED, NightState(Night.CLOSED, NOW))
        await store.commit([*changes, night, HandlingChange("anna", Handling(), Handling(dnd=True))])
        assert len(await store.load()) >= len(MEMBERS) and await store.nights() and await store.handlings()
    finally:
        await store.close()


async def use_kept(path: Path) -> None:
    """Open what a restart takes up, read it, write it anew."""
    store = KeptStore(path, lambda: NOW)
    try:
        await store.open()
        assert all(isinstance(value, dict) for value in await store.load("talks"))
        await store.replace("talks", [dict(DIALOG) for _ in range(30)])
        assert [value for value in await store.load("talks") if value == DIALOG] == [DIALOG] * 30
    finally:
        await store.close()


async def use_journal(path: Path) -> None:
    """Open the journal, list it, tell the story of each call, write some more; what is read may be damaged."""
    store = JournalStore(path, lambda: NOW)
    eyes = Eyes(OWNER, office())
    try:
        await store.open()
        logins = [change for name in MEMBERS if (change := change_of(logged_in(name))) is not None]
        await store.write([*(over(f"c{number}", NOW + number) for number in range(10)), *logins])
        for look in (
            lambda c: entries(c, Filter(), eyes),
            lambda c: story(c, "c3", eyes),
            lambda c: journalfile.latest(c, 1e12),
        ):
            try:
                json.dumps(await store.read(look), default=str)
            except StoreError as error:
                assert "damaged" in str(error)
    finally:
        await store.close()
    try:
        with opened_for_reading(path) as connection:
            entries(connection, Filter(), eyes)
    except StoreError as error:
        assert "damaged" in str(error)


USES: dict[str, Use] = {"logins.db": use_logins, "kept.db": use_kept, "journal.db": use_journal}


@cache
def whole(name: str) -> bytes:
    """Return a file as an agent leaves it that has ended in order."""
    with TemporaryDirectory() as directory:
        path = Path(directory) / name
        asyncio.run(USES[name](path))
        return path.read_bytes()


Wounds = list[tuple[int, int]]


def wounded(data: bytes, wounds: Wounds, lost: int | None, cut: int) -> bytes:
    """Return a file with some bytes changed, a sector that is zero, as a torn one of a card is, and its end cut off."""
    wounded = bytearray(data)
    for at, byte in wounds:
        wounded[at % len(data)] = byte
    if lost is not None:
        sector = 512 * (lost % (len(data) // 512))
        wounded[sector : sector + 512] = bytes(512)
    for kept in (slice(18, 20), slice(60, 64)):  # the file's and the schema's version: the future is not written to
        wounded[kept] = data[kept]
    return bytes(wounded[: len(data) - cut % len(data)])


@pytest.mark.parametrize("name", USES)
@settings(max_examples=60, deadline=None)
@given(
    wounds=st.lists(st.tuples(st.integers(0, 2**20), st.integers(0, 255)), max_size=30),
    lost=st.one_of(st.none(), st.integers(0, 200)),
    cut=st.sampled_from((0, 0, 77, 512, 5000)),
)
def test_a_wounded_file_is_opened_and_used(name: str, wounds: Wounds, lost: int | None, cut: int) -> None:
    """What SQLite finds is put aside; what it does not look at, for it has no checksums, is left out and told."""
    with TemporaryDirectory() as directory:
        path = Path(directory) / name
        path.write_bytes(wounded(whole(name), wounds, lost, cut))
        asyncio.run(USES[name](path))
