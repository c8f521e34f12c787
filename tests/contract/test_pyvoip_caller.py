"""The caller on pyVoIP: its mended signalling to the letter against SIPp, its sound against a simulated phone."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bridge.phone.caller import Caller
from bridge.phone.model import Account, Connected, Flowing, Manner, Over, Pressed
from bridge.phone.run import SoftPhone
from bridge.sip.flow import Flow
from bridge.sip.message import Request
from bridge.sip.reading import parse_message
from bridge.sip.via import top_via
from tests.support.agent import Agent, group
from tests.support.process import PATIENCE
from tests.support.sipp import Sipp

Bridges = Callable[..., Agent]
Sipps = Callable[..., Sipp]


def account(port: int, number: str = "203", password: str = "secret") -> Account:
    """Return an account at a server on loopback."""
    return Account(number, password, Flow("udp", "127.0.0.1", port))


async def registered(caller: Caller, who: Account) -> None:
    """Have it register."""
    caller.register(who)
    assert await caller.until(PATIENCE, event="registered"), (caller.diary.entries, caller.report)


async def comes(caller: Caller, since: int = 0, **fields: Any) -> dict[str, Any]:
    """Return what it tells with these fields; AssertionError if it does not."""
    found = await caller.until(PATIENCE, since, **fields)
    assert found is not None, (fields, caller.diary.entries[since:], caller.report)
    return found.what


def codes(caller: Caller) -> list[int]:
    """Return every status of an INVITE that it has told."""
    return [each.what["code"] for each in caller.diary.entries if each.what.get("method") == "INVITE"]


def against(server: Sipp, do: Callable[[Caller], Awaitable[None]]) -> dict[str, list[Request]]:
    """Run a caller against a scenario to its end; return the requests that came, by method."""

    async def work() -> None:
        async with Caller() as caller:
            await registered(caller, account(server.port))
            await do(caller)
            faults = [each for each in caller.diary.entries if each.what["event"] in ("fault", "wrong")]
            assert not faults, faults

    asyncio.run(work())
    server.passed()
    texts = [f"{text}\n\n".replace("\n", "\r\n") for text in server.received(r"^[A-Z]+ sip:")]
    requests = [parse_message(text.encode()) for text in texts]
    found: dict[str, list[Request]] = {}
    for request in requests:
        assert isinstance(request, Request)
        found.setdefault(request.method, []).append(request)
    return found


def branch(request: Request) -> str:
    """Return the branch of a request's transaction."""
    return top_via(request.need("Via")).branch


def test_a_challenged_call_is_one_call_in_two_transactions(sipp: Sipps) -> None:
    """RFC 3261 §8.1.3.5, §17.1.1.3, §13.2.2.4: same Call-ID and tag, a new branch and CSeq for the authorised INVITE;
    the ACK to the 401 belongs to the first one; that to each 200 has a branch of its own, the Contact as its URI and
    the tag of the answer, and so has the BYE.
    """

    async def do(caller: Caller) -> None:
        caller.tell("call", number="600", tone=440)
        await comes(caller, event="answered")
        await comes(caller, event="status", code=200, method="INVITE")
        seen = len([c for c in codes(caller) if c == 200])
        while seen < 2:  # the repeated 200
            await comes(caller, len(caller.diary), event="status", code=200)
            seen += 1
        caller.tell("hang_up")
        await comes(caller, event="status", code=200, method="BYE")
        assert codes(caller)[:3] == [401, 180, 200]

    came = against(sipp("server_challenges_caller", calls=3), do)
    first, second = came["INVITE"]
    refused, answered, repeated = came["ACK"]
    [bye] = came["BYE"]
    assert len({request.call_id for request in (first, second, refused, answered, repeated, bye)}) == 1
    assert len({request.from_tag for request in (first, second, refused, answered, repeated, bye)}) == 1
    assert [r.cseq.sequence for r in (first, second, refused, answered, repeated, bye)] == [1, 2, 1, 2, 2, 3]
    assert branch(first) == branch(refused) and first.uri == refused.uri
    assert len({branch(r) for r in (first, second, answered, repeated, bye)}) == 5
    assert all("line=7" in r.uri and r.uri.startswith("sip:answering@") for r in (answered, repeated, bye))
    assert first.to_tag is second.to_tag is None
    assert len({r.to_tag for r in (answered, repeated, bye)}) == 1 and answered.to_tag


def test_a_refusal_is_told_and_acknowledged(sipp: Sipps) -> None:
    """RFC 3261 §8.1.3.2: even one that nobody knows is told in the server's words, ends the call, and has its ACK."""

    async def do(caller: Caller) -> None:
        caller.tell("call", number="600")
        await comes(caller, event="over", call=1, why="refused")
        assert await caller.until(0.0, event="status", code=499, phrase="Not in the Mood", method="INVITE", call=1)

    came = against(sipp("server_refuses_caller", calls=3), do)
    [invite], [ack] = came["INVITE"], came["ACK"]
    assert branch(invite) == branch(ack) and ack.uri == invite.uri and ack.to_tag


def test_a_cancel_waits_until_the_server_has_spoken(sipp: Sipps) -> None:
    """RFC 3261 §9.1: not before the first provisional; the same URI, branch, tag and number as the INVITE."""

    async def do(caller: Caller) -> None:
        caller.tell("call", number="600")
        caller.tell("cancel")
        await comes(caller, event="over", call=1, why="cancelled")
        assert codes(caller) == [180, 487]

    server = sipp("server_is_cancelled", calls=3, talk=300)
    came = against(server, do)
    [invite], [cancel], [ack] = came["INVITE"], came["CANCEL"], came["ACK"]
    assert server.messages.index("180 Ringing") < server.messages.index("CANCEL sip:")
    assert (cancel.uri, branch(cancel), cancel.from_tag) == (invite.uri, branch(invite), invite.from_tag)
    assert cancel.to_tag is None and cancel.cseq.sequence == invite.cseq.sequence
    assert branch(ack) == branch(invite)


def test_an_answer_that_crosses_the_cancel_is_ended(sipp: Sipps) -> None:
    """RFC 3261 §9.1, §15: its ACK, then a BYE."""

    async def do(caller: Caller) -> None:
        caller.tell("call", number="600")
        await comes(caller, event="status", code=180)
        caller.tell("cancel")
        await comes(caller, event="over", call=1)
        await comes(caller, event="status", code=200, method="BYE")

    came = against(sipp("server_answers_crossing_cancel", calls=3), do)
    assert [len(came[method]) for method in ("CANCEL", "ACK", "BYE")] == [1, 1, 1]


def lines() -> dict[str, Any]:
    """Return two lines whose phones register."""
    return {
        "anna": {"number": "201", "password": "anna-201"},
        "caller": {"number": "203", "password": "secret"},
    }


def test_it_talks_through_the_bridge(bridge: Bridges) -> None:
    """Both hear the other's tone; keys arrive once each; hold and resume are answered; it hangs up, and is hung up on.

    The identifiers of its calls are other ones in every run.
    """
    agent = bridge(lines=lines(), groups={"sales": group("600", "anna")})

    async def work() -> None:
        manner = Manner(answer_after=0.1, tone=425, level=-20.0)
        async with SoftPhone(account(agent.port, "201", "anna-201"), manner) as anna, Caller() as caller:
            assert await anna.registered(PATIENCE)
            await registered(caller, account(agent.port))
            caller.tell("call", number="600", tone=1000, level=-10)
            await comes(caller, event="answered")
            assert await anna.diary.until(lambda e: isinstance(e, Connected), PATIENCE)
            heard = await hears(caller, 425)
            assert -23 < heard["level"] < -17
            async with asyncio.timeout(PATIENCE):
                while (there := anna.phone.heard()) is None or there.packets < 20:
                    await asyncio.sleep(0.02)
            assert there.hertz == 1000 and -11 < there.level < -9
            caller.tell("press", keys="1*9#D")
            assert await anna.diary.until(lambda e: e == Pressed("D"), PATIENCE)
            assert [e.what.key for e in anna.diary.entries if isinstance(e.what, Pressed)] == list("1*9#D")
            assert anna.do(anna.phone.hold)
            assert await anna.diary.until(lambda e: e == Flowing(True, False), PATIENCE)
            assert anna.do(anna.phone.resume)
            assert await anna.diary.until(lambda e: e == Flowing(True, True), PATIENCE)
            caller.tell("hang_up")
            assert await anna.diary.until(lambda e: e == Over("hung up"), PATIENCE)
            since = caller.tell("call", number="600")
            await comes(caller, since, event="answered", call=2)
            anna.do(anna.phone.hang_up)
            await comes(caller, since, event="over", call=2, why="hung up there")

    asyncio.run(work())


async def hears(caller: Caller, hertz: int) -> dict[str, Any]:
    """Have it listen until it hears this tone; return what it tells then."""
    async with asyncio.timeout(PATIENCE):
        while True:
            since = caller.tell("listen")
            heard = await comes(caller, since, event="heard")
            if heard["hertz"] is not None and abs(heard["hertz"] - hertz) <= 2:
                return heard


def test_a_wrong_password_is_told(bridge: Bridges) -> None:
    """It is not registered, and says so instead of trying for ever."""
    agent = bridge(lines=lines(), groups={"sales": group("600", "anna")})

    async def work() -> None:
        async with Caller() as caller:
            caller.register(account(agent.port, password="wrong"))
            await comes(caller, event="unregistered")
            assert await caller.until(0.0, code=403, method="REGISTER")
            since = caller.tell("call", number="600")
            assert "not registered" in (await comes(caller, since, event="wrong"))["text"]

    asyncio.run(work())


def test_what_makes_no_sense_is_told() -> None:
    """Garbage, unknown words, missing arguments, keys and talks that there are not: a line each, and it serves on."""

    async def work() -> None:
        async with Caller() as caller:
            assert caller._process.stdin is not None
            for line in (b"garbage\n", b"[]\n", b'{"do": "dance"}\n', b'{"do": "call"}\n', b"\xff\n"):
                caller._process.stdin.write(line)
            for do in ("hang_up", "cancel", "listen"):
                caller.tell(do)
            await comes(caller, event="wrong", text="Wrong: no call of its is still to be answered")
            caller.tell("quit")
            await comes(caller, event="bye")
            assert len([e for e in caller.diary.entries if e.what["event"] == "wrong"]) == 8

    asyncio.run(work())


@pytest.mark.parametrize("how", ["closed", "killed"])
def test_it_ends_with_whoever_uses_it(bridge: Bridges, how: str) -> None:
    """The end of its stdin ends it, with a goodbye to the bridge; and its own end is noticed."""
    agent = bridge(lines=lines(), groups={"sales": group("600", "anna")})

    async def work() -> Caller:
        async with Caller() as caller:
            await registered(caller, account(agent.port))
            if how == "killed":
                os.kill(caller.pid, signal.SIGKILL)
                await comes(caller, event="gone")
        return caller

    caller = asyncio.run(work())
    assert caller._process.returncode == (0 if how == "closed" else -signal.SIGKILL)
    contacts = agent.cli("lines")["lines"]["caller"]["contacts"]
    assert bool(contacts) == (how == "killed")
