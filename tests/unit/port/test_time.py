"""What time alone changes comes down the command path: committed, applied, told; with one timer and no polling."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Awaitable, Callable
from typing import cast

from bridge.commands.model import OWNER, LoginCommand, LoginVerb, NightCommand, Reply
from bridge.directory.hours import Hours
from bridge.directory.logins import Origin
from bridge.directory.model import Directory, Member
from bridge.directory.nights import Night
from bridge.events import LoginChanged, MemberDropped, Notice, OfferEnded, OpeningChanged
from tests.support.clock import VirtualLoop, run_virtual
from tests.support.office import NOW, office
from tests.support.paper import Bureau, Paper, bureau

HOUR = 3600.0
Scene = Callable[[Bureau], Awaitable[None]]


def play(scene: Scene, directory: Directory | None = None) -> None:
    """Play a scene in a bureau whose clock goes."""

    async def whole() -> None:
        async with bureau(directory, moving=True) as here:
            await scene(here)

    run_virtual(whole())


async def ask(here: Bureau, verb: LoginVerb, member: str = "anna", hours: float | None = None) -> Reply:
    """Let the owner do something to a login in support."""
    command = LoginCommand(verb, "support", member, None if hours is None else hours * HOUR)
    return await here.port.submit(command, OWNER, Origin.CONTROL)


async def switch(here: Bureau, night: Night | None = None) -> Reply:
    """Let the owner turn support's night switch."""
    return await here.port.submit(NightCommand("support", night), OWNER, Origin.CONTROL)


def is_in(here: Bureau, member: str = "anna") -> bool:
    """Whether a member is logged in to support, confirmed."""
    return here.port.login("support", member).logged_in


def at(seconds: float, minutes: int = 60) -> Hours:
    """Return hours on every day that begin some seconds from NOW, on a minute, and last for some minutes."""
    begin = datetime.datetime.fromtimestamp(NOW + seconds, datetime.UTC)
    end = begin + datetime.timedelta(minutes=minutes)
    found = Hours.of([f"mon-sun {begin:%H:%M}-{end:%H:%M}"], datetime.UTC)
    assert found is not None
    return found


TO_THE_MINUTE = 60.0 - NOW % 60.0  # seconds from NOW to the next full minute


def test_a_lease_ends_by_itself() -> None:
    """At its end the login before is written, applied and told, with what has caused it."""

    async def scene(here: Bureau) -> None:
        await ask(here, LoginVerb.LOGIN, hours=2)
        await asyncio.sleep(2 * HOUR - 0.1)
        assert is_in(here)
        await asyncio.sleep(0.2)
        assert not is_in(here)
        told = here.events[-2]
        assert isinstance(told, LoginChanged)
        assert (told.login.logged_in, told.login.origin, told.cause) == (False, Origin.BRIDGE, "the lease is over")
        assert here.paper.written.logins.get("support", "anna") == here.port.login("support", "anna")

    play(scene)


def test_the_last_one_out_by_time_is_told_to_everybody() -> None:
    """Nobody asked, so nobody gets an answer; the event is for all."""

    async def scene(here: Bureau) -> None:
        await ask(here, LoginVerb.LOGIN, hours=1)
        await asyncio.sleep(HOUR + 1)
        last = here.events[-1]
        assert isinstance(last, Notice)
        assert (last.what, "support" in last.text) == ("last_out", True)

    play(scene)


def test_the_last_one_out_by_hand_is_told_to_everybody_too() -> None:
    """The reply warns the one who asked, the event all others."""

    async def scene(here: Bureau) -> None:
        await ask(here, LoginVerb.LOGIN)
        reply = await ask(here, LoginVerb.LOGOUT)
        last = here.events[-1]
        assert isinstance(last, Notice)
        assert (last.what, last.text) == ("last_out", reply.data["warnings"][0])

    play(scene)


def test_nothing_polls() -> None:
    """A lease of a day wakes the bridge once, when it ends; without any it is never woken."""

    async def scene(here: Bureau) -> None:
        loop = cast(VirtualLoop, asyncio.get_running_loop())
        await ask(here, LoginVerb.LOGIN, hours=24)
        before = loop.jumps
        await asyncio.sleep(23 * HOUR)
        assert loop.jumps - before == 1, "our own sleep"
        await asyncio.sleep(2 * HOUR)
        before = loop.jumps
        await asyncio.sleep(20 * HOUR)
        assert loop.jumps - before == 1

    play(scene)


def test_a_pause_ends_by_itself() -> None:
    """The earlier of two ends comes first; the lease goes on."""

    async def scene(here: Bureau) -> None:
        await ask(here, LoginVerb.LOGIN, hours=2)
        await ask(here, LoginVerb.PAUSE, hours=0.25)
        await asyncio.sleep(900.1)
        assert (is_in(here), here.port.login("support", "anna").paused) == (True, False)
        await asyncio.sleep(2 * HOUR)
        assert not is_in(here)

    play(scene)


def test_a_command_at_the_very_end_finds_it_ended() -> None:
    """What time has changed comes first in a batch: a toggle at the end of a lease logs in."""

    async def scene(here: Bureau) -> None:
        await ask(here, LoginVerb.LOGIN, hours=1)
        here.ahead = HOUR  # the clock was set, and nobody has noticed yet
        await ask(here, LoginVerb.TOGGLE)
        assert is_in(here)
        assert here.port.login("support", "anna").until is None

    play(scene)


def test_a_clock_that_is_set_is_looked_at_at_once() -> None:
    """A lease until a time of day ends when that time is jumped over."""

    async def scene(here: Bureau) -> None:
        await ask(here, LoginVerb.LOGIN, hours=1)
        here.ahead = 2 * HOUR
        here.port.clock_changed()
        await asyncio.sleep(0.01)
        assert not is_in(here)

    play(scene)


def test_a_lease_on_a_clock_that_is_not_right_yet() -> None:
    """It runs for its length, whatever the clock jumps to when it becomes right."""

    async def scene(here: Bureau) -> None:
        here.synchronised = False
        await ask(here, LoginVerb.LOGIN, hours=2)
        await asyncio.sleep(HOUR)
        here.ahead, here.synchronised = 300 * 24 * HOUR, True
        here.port.clock_changed()
        await asyncio.sleep(0.01)
        assert is_in(here)
        until = here.port.login("support", "anna").until
        assert until is not None and abs(until - (here.wall() + HOUR)) < 1
        await asyncio.sleep(HOUR)
        assert not is_in(here)

    play(scene)


def test_a_full_disk_ends_no_lease_and_says_so_once() -> None:
    """What cannot be kept has not happened; it is tried again until it can."""

    async def scene(here: Bureau) -> None:
        await ask(here, LoginVerb.LOGIN, hours=1)
        here.paper.broken = True
        await asyncio.sleep(HOUR + 60)
        assert is_in(here)
        told = [e for e in here.events if isinstance(e, Notice) and e.what == "store"]
        assert len(told) == 1
        here.paper.broken = False
        await asyncio.sleep(10)
        assert not is_in(here)

    play(scene)


def test_a_schedule() -> None:
    """In when it begins, out when it ends."""

    async def scene(here: Bureau) -> None:
        await asyncio.sleep(TO_THE_MINUTE + 0.01)
        assert here.port.login("support", "anna").origin is Origin.SCHEDULE
        assert is_in(here)
        await asyncio.sleep(HOUR)
        assert not is_in(here)

    play(scene, office(members=(Member("anna", "anna", schedule=at(TO_THE_MINUTE)),)))


def test_hours_open_and_close_a_group() -> None:
    """At each turn it is told that the group is open or closed now."""

    async def scene(here: Bureau) -> None:
        assert not here.port.opening("support").open
        await asyncio.sleep(TO_THE_MINUTE + 0.01)
        assert here.port.opening("support").open
        await asyncio.sleep(HOUR)
        told = [(e.open, e.night, e.by) for e in here.events if isinstance(e, OpeningChanged)]
        assert told == [(True, "hours", None), (False, "hours", None)]
        assert here.port.ask("group", {"group": "support"}, OWNER).data["open"] is False

    play(scene, office(hours=at(TO_THE_MINUTE)))


def test_the_night_switch_is_confirmed_as_logins_are() -> None:
    """Written, applied, told once; on a full disk refused; a new start finds it."""

    async def whole() -> None:
        paper = Paper()
        async with bureau(paper=paper) as here:
            assert (await switch(here, Night.CLOSED)).ok
            assert [type(e) for e in here.events] == [OpeningChanged]
            paper.broken = True
            assert (await switch(here)).code == "store_failed"
            assert not here.port.opening("support").open
            paper.broken = False
        async with bureau(paper=paper) as here:
            assert not here.port.opening("support").open
            assert here.port.opening("support").switch.by == "owner"
            reply = here.port.ask("opening", {"group": "600"}, OWNER)
            assert (reply.data["night"], reply.data["open"]) == ("closed", False)

    run_virtual(whole())


def test_two_doors_turn_the_switch_at_the_same_moment() -> None:
    """Two toggles are one after the other, and the second sees the first."""

    async def scene(here: Bureau) -> None:
        here.paper.free.clear()
        both = [asyncio.create_task(switch(here)) for _ in range(2)]
        await asyncio.sleep(0.01)
        here.paper.free.set()
        replies = await asyncio.gather(*both)
        assert [reply.data["changed"][0]["night"] for reply in replies] == ["closed", "hours"]
        assert here.port.opening("support").open

    play(scene)


def test_who_does_not_answer_is_paused_and_returns() -> None:
    """After three calls that rang in vain: paused with a reason and an end, which comes."""

    async def scene(here: Bureau) -> None:
        await ask(here, LoginVerb.LOGIN)
        for _ in range(3):
            here.port.publish(OfferEnded(here.wall(), "support", "c1", "anna", "no answer", 15.0))
        await asyncio.sleep(0.01)
        login = here.port.login("support", "anna")
        assert (login.paused, login.pause_reason) == (True, "3 calls not answered")
        await asyncio.sleep(299)
        assert here.port.login("support", "anna").paused
        await asyncio.sleep(2)
        assert not here.port.login("support", "anna").paused
        assert is_in(here)

    play(scene, office(auto_pause=3))


def test_a_new_configuration_changes_no_login() -> None:
    """Who has left it is dropped, with an event; leases of the others go on."""

    async def scene(here: Bureau) -> None:
        await ask(here, LoginVerb.LOGIN, hours=1)
        await ask(here, LoginVerb.LOGIN, "ben")
        before = here.port.login("support", "anna")
        here.events.clear()
        await here.port.reload(office(members=(Member("anna", "anna", restart="reset"),)))
        assert here.events == [MemberDropped(here.wall(), "support", "ben")]
        assert here.port.login("support", "anna") == before
        assert not is_in(here, "ben")
        assert here.port.ask("group", {"group": "support"}, OWNER).data["members"] == 1
        await asyncio.sleep(HOUR + 1)
        assert not is_in(here)

    play(scene)
