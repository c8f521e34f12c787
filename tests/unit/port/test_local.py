"""The agent's own port: the command path and the way out of events."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bridge.commands.model import OWNER, LoginCommand, LoginVerb, Reply
from bridge.directory.logins import OUT, Login, LoginChange, Origin
from bridge.directory.model import LastOut, Member
from bridge.events import CommandRefused, Event, LoginChanged, MemberDropped, MemberReady, Notice
from bridge.port.local import LocalPort
from bridge.port.model import Port
from tests.support.disk import Disk, serving
from tests.support.office import ANNA, BEN, IN, NOW, office

LOGIN = LoginCommand(LoginVerb.LOGIN, "support", "anna")
LOGOUT = LoginCommand(LoginVerb.LOGOUT, "support", "anna")


def run(path: Path, work: Callable[[LocalPort, Disk], Awaitable[None]], **changes: object) -> None:
    """Do `work` with a port that runs; `changes` are those of the group support."""

    async def whole() -> None:
        disk = Disk(path / "logins.db")
        async with serving(disk, office(**changes)) as port:
            await work(port, disk)

    asyncio.run(whole())


async def owner(port: Port, verb: LoginVerb, member: str, transaction: str | None = None) -> Reply:
    """Let the owner do something to a member of support."""
    return await port.submit(LoginCommand(verb, "support", member), OWNER, Origin.CONTROL, transaction)


def test_a_login_is_kept_before_it_is_told(tmp_path: Path) -> None:
    """While the disk is busy nobody sees the change; then it is applied, told and confirmed."""

    async def work(port: LocalPort, disk: Disk) -> None:
        events: list[Event] = []
        port.follow(events.append)
        disk.free.clear()
        asked = asyncio.create_task(port.submit(LOGIN, ANNA, Origin.BUTTON))
        await disk.busy.wait()
        assert (port.login("support", "anna"), events, asked.done()) == (OUT, [], False)
        disk.free.set()
        reply = await asked
        expected = Login(True, NOW, "anna", Origin.BUTTON)
        assert reply.ok
        assert port.login("support", "anna") == expected
        assert events == [LoginChanged(NOW, "support", "anna", expected)]

    run(tmp_path, work)


def test_who_waits_for_the_disk_is_decided_together(tmp_path: Path) -> None:
    """Commands that come in during a commit are decided in order on one draft and committed at once."""

    async def work(port: LocalPort, disk: Disk) -> None:
        disk.free.clear()
        first = asyncio.create_task(owner(port, LoginVerb.LOGIN, "anna"))
        await disk.busy.wait()
        verbs = [LoginVerb.TOGGLE, LoginVerb.TOGGLE, LoginVerb.LOGIN, LoginVerb.PAUSE]
        rest = [asyncio.create_task(owner(port, verb, "anna")) for verb in verbs]
        await asyncio.sleep(0)
        disk.free.set()
        replies = await asyncio.gather(first, *rest)
        assert [len(r.data["changed"]) for r in replies] == [1, 1, 1, 0, 1]
        assert [len(c) for c in disk.commits] == [1, 3]
        assert port.login("support", "anna").paused

    run(tmp_path, work)


def test_a_failed_commit_refuses_all_of_them(tmp_path: Path) -> None:
    """When the store fails nothing is applied, everybody is told so, and the next commit may succeed."""

    async def work(port: LocalPort, disk: Disk) -> None:
        events: list[Event] = []
        port.follow(events.append)
        disk.broken = True
        replies = await asyncio.gather(*(owner(port, LoginVerb.LOGIN, m) for m in ("anna", "ben", "anna")))
        assert [r.code for r in replies] == ["store_failed"] * 3
        assert "the disk is full" in replies[0].message
        assert [type(e) for e in events] == [CommandRefused] * 3
        assert list(port.logins) == []
        disk.broken = False
        assert (await owner(port, LoginVerb.LOGIN, "anna")).ok

    run(tmp_path, work)


def test_refusals_are_told(tmp_path: Path) -> None:
    """A refusal goes to who asked, and to everybody as an event, so that a lamp can show it."""

    async def work(port: LocalPort, disk: Disk) -> None:
        events: list[Event] = []
        port.follow(events.append)
        reply = await port.submit(LOGIN, BEN, Origin.PANEL)
        assert reply.code == "not_allowed"
        assert isinstance(events[0], CommandRefused)
        assert events[0].to_json() == {
            "type": "command_refused",
            "at": "2026-11-18T11:06:40Z",
            "verb": "login",
            "group": "support",
            "member": "anna",
            "origin": "panel",
            "by": "ben",
            "code": "not_allowed",
            "message": reply.message,
        }
        assert disk.commits == []

    run(tmp_path, work)


def test_a_batch_cannot_empty_a_group_that_refuses_it(tmp_path: Path) -> None:
    """Two members who log out in the same moment: the second is the last one, and is refused."""

    async def work(port: LocalPort, disk: Disk) -> None:
        await owner(port, LoginVerb.LOGIN, "all")
        await owner(port, LoginVerb.LOGOUT, "lobby")
        replies = await asyncio.gather(*(owner(port, LoginVerb.LOGOUT, m) for m in ("anna", "ben")))
        assert [r.code for r in replies] == [None, "last_one"]

    run(tmp_path, work, last_out=LastOut.REFUSE)


def test_a_transaction_is_done_once(tmp_path: Path) -> None:
    """The same transaction is answered again, also while the first is still on its way; then it is not done."""

    async def work(port: LocalPort, disk: Disk) -> None:
        disk.free.clear()
        twice = [asyncio.create_task(owner(port, LoginVerb.TOGGLE, "anna", "str:1")) for _ in range(2)]
        await disk.busy.wait()
        disk.free.set()
        first, second = await asyncio.gather(*twice)
        assert first == second == await owner(port, LoginVerb.TOGGLE, "anna", "str:1")
        assert port.login("support", "anna").logged_in
        assert len(disk.commits) == 1
        assert (await owner(port, LoginVerb.TOGGLE, "anna", "str:2")).ok
        assert not port.login("support", "anna").logged_in
        assert (await owner(port, LoginVerb.LOGIN, "anna", "str:1")).code == "bad_request"

    run(tmp_path, work)


def test_a_failed_transaction_may_be_tried_again(tmp_path: Path) -> None:
    """What the store could not do was not done, and is done when it is asked for again."""

    async def work(port: LocalPort, disk: Disk) -> None:
        disk.broken = True
        assert (await owner(port, LoginVerb.LOGIN, "anna", "int:1")).code == "store_failed"
        disk.broken = False
        assert (await owner(port, LoginVerb.LOGIN, "anna", "int:1")).ok

    run(tmp_path, work)


def test_who_stops_waiting_does_not_stop_the_command(tmp_path: Path) -> None:
    """A door that goes away in the midst leaves the command to be done."""

    async def work(port: LocalPort, disk: Disk) -> None:
        disk.free.clear()
        asked = asyncio.create_task(port.submit(LOGIN, ANNA, Origin.MQTT))
        await disk.busy.wait()
        asked.cancel()
        disk.free.set()
        assert (await owner(port, LoginVerb.LOGIN, "anna")).data["changed"] == []

    run(tmp_path, work)


def test_logins_are_taken_up_again(tmp_path: Path) -> None:
    """A new start finds what was confirmed, drops who left, logs static members in, and says all of that."""

    async def before(port: LocalPort, disk: Disk) -> None:
        await owner(port, LoginVerb.LOGIN, "anna")
        await owner(port, LoginVerb.LOGIN, "ben")

    run(tmp_path, before)

    async def after() -> None:
        static = Member("lobby", "lobby", device=True, always=True)
        disk = Disk(tmp_path / "logins.db")
        events: list[Event] = []
        directory = office(members=(Member("anna", "anna"), static))
        async with serving(disk, directory, events.append) as port:
            assert port.login("support", "anna").logged_in
            assert port.login("support", "lobby").logged_in
            assert port.login("support", "ben") == OUT
            dropped, static_in = events
            assert dropped == MemberDropped(NOW, "support", "ben")
            assert isinstance(static_in, LoginChanged)
            assert len(await disk.load()) == 2

    asyncio.run(after())


def test_a_broken_store_is_told_at_the_start(tmp_path: Path) -> None:
    """The bridge starts with nobody logged in, and says that the old file was put aside."""
    (tmp_path / "logins.db").write_bytes(b"\0" * 5000)

    async def whole() -> None:
        events: list[Event] = []
        async with serving(Disk(tmp_path / "logins.db"), listener=events.append):
            (notice,) = events
            assert isinstance(notice, Notice)
            assert notice.what == "store_broken"

    asyncio.run(whole())


def test_a_listener_that_raises_ends_the_agent(tmp_path: Path) -> None:
    """A bug surfaces where the port runs; the command that was committed is still confirmed."""

    def raising(event: Event) -> None:
        raise ZeroDivisionError(event)

    async def work(port: LocalPort, disk: Disk) -> None:
        port.follow(raising)
        assert (await port.submit(LOGIN, ANNA, Origin.BUTTON)).ok
        assert (await port.submit(LOGOUT, ANNA, Origin.BUTTON)).code == "unavailable"

    with pytest.raises(ZeroDivisionError):
        run(tmp_path, work)


def test_an_ending_bridge_finishes_what_waits(tmp_path: Path) -> None:
    """Commands before the end are done; those after it are refused as unavailable."""

    async def work(port: LocalPort, disk: Disk) -> None:
        asked = asyncio.create_task(port.submit(LOGIN, ANNA, Origin.BUTTON))
        await asyncio.sleep(0)
        port.close()
        assert (await asked).ok
        assert (await port.submit(LOGOUT, ANNA, Origin.BUTTON)).code == "unavailable"

    run(tmp_path, work)


def test_too_many_commands_are_refused(tmp_path: Path) -> None:
    """A disk that hangs does not let the commands that wait grow without an end."""

    async def work(port: LocalPort, disk: Disk) -> None:
        disk.free.clear()
        asked = [asyncio.create_task(port.submit(LOGIN, ANNA, Origin.BUTTON)) for _ in range(1100)]
        await disk.busy.wait()
        disk.free.set()
        codes = [reply.code for reply in await asyncio.gather(*asked)]
        assert set(codes) == {None, "unavailable"}
        assert codes.count(None) >= 1000

    run(tmp_path, work)


def test_questions_are_answered_from_the_confirmed_state(tmp_path: Path) -> None:
    """A question shows what is confirmed; a wrong one is refused and nothing is raised."""

    async def work(port: LocalPort, disk: Disk) -> None:
        await disk.load()
        port.logins.apply([LoginChange("support", "anna", OUT, IN)])
        assert port.ask("group", {"group": "support"}, BEN).data["logged_in"] == 1
        assert port.ask("nothing", {}, OWNER).code == "unknown_verb"

    run(tmp_path, work)


def test_who_is_in_already_and_logs_in_is_ready(tmp_path: Path) -> None:
    """Nothing changes but that everybody is told: it ends a wrap-up. Who only asks to go is not ready."""

    async def work(port: LocalPort, disk: Disk) -> None:
        await owner(port, LoginVerb.LOGIN, "anna")
        events: list[Event] = []
        port.follow(events.append)
        await owner(port, LoginVerb.LOGIN, "anna")
        await owner(port, LoginVerb.UNPAUSE, "anna")
        await asyncio.sleep(0)
        assert events == [MemberReady(NOW, "support", "anna")] * 2
        await owner(port, LoginVerb.LOGOUT, "ben")
        assert len(events) == 2

    run(tmp_path, work)
