"""What callers of a queue hear, from the agent itself: SIPp calls and answers, its RTP ports are receivers of ours."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from bridge.media.dtmf import presses
from bridge.media.g711 import ALAW, FRAME
from bridge.media.sounds import convert, converted_name
from bridge.media.tone import frames, sine
from tests.support.agent import Agent, static
from tests.support.ports import free_even_port, free_port
from tests.support.process import PATIENCE
from tests.support.receiver import Receiver, whole
from tests.support.sipp import Sipp
from tests.support.wav import wav

MUSIC, FROM_ANNA, FROM_BEN = 1000, 400, 700  # Hz


class Queue:
    """An agent whose group 600 is a queue with the line ben, who is logged in; anna calls. Music is a tone."""

    def __init__(self, bridge: Callable[..., Agent], directory: Path, pairs: int = 8, **more: Any) -> None:
        self.directory = directory
        self.anna, self.cara, self.ben = free_port(), free_port(), free_port()
        first = free_even_port(pairs=pairs)
        music = directory / "music.wav"
        music.write_bytes(wav(sine(MUSIC, -12, 16000), 8000, channels=2))
        convert(music, directory / "agent" / "state" / "sounds")  # so that the first call hears it
        sales = {"number": "600", "members": [{"line": "ben", "login": "always"}], "strategy": "queue"}
        waits = {"join_empty": True, "leave_empty": False, "music": str(music), **more}
        self.agent = bridge(
            sip={"rtp_ports": [first, first + 2 * pairs - 1]},
            lines={
                "anna": static("301", self.anna),
                "cara": static("302", self.cara),
                "ben": static("201", self.ben),
            },
            groups={"sales": {**sales, "ring_seconds": 60, "queue": waits}},
        )

    def calls(self, scenario: str, ear: Receiver, talk: int) -> Sipp:
        """Return SIPp as anna, whose RTP port is the receiver's."""
        directory, port, keys = self.directory, self.agent.port, {"caller": "301"}
        return Sipp(scenario, directory, remote=port, port=self.anna, keys=keys, talk=talk, rtp=ear.port)

    def answers(self, ear: Receiver, after: int) -> Sipp:
        """Return SIPp as ben, whose RTP port is the receiver's."""
        return Sipp("member_answers", self.directory, port=self.ben, talk=after, rtp=ear.port)


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run a test on a loop."""
    asyncio.run(work)


async def over(*scenarios: Sipp) -> None:
    """Wait until scenarios were gone through."""
    for each in scenarios:
        await asyncio.to_thread(each.passed)


def audio_port(sipp: Sipp) -> int:
    """Return the port of ours that a phone was told."""
    return int(sipp.wait_received(r"m=audio \d+").partition("m=audio ")[2].split()[0])


async def music_in(ear: Receiver) -> None:
    """Wait until the user's own music is heard."""
    async with asyncio.timeout(PATIENCE):
        while ear.hertz() != MUSIC:
            await ear.hears(len(ear.packets) + 1)


def test_music_until_a_member_answers_then_each_other(bridge: Callable[..., Agent], tmp_path: Path) -> None:
    """The caller's phone says nothing at first. One stream of music without a hole, none of it later.

    It may be silence between the member's answer and its first packet, which is marked.
    """

    async def work() -> None:
        with Receiver() as anna, Receiver() as ben:
            made = Queue(bridge, tmp_path)
            with made.answers(ben, 700) as member, made.calls("caller_waits", anna, 20_000) as caller:
                await music_in(anna)
                await asyncio.to_thread(member.wait_received, "^ACK ")
                to_anna = audio_port(caller)
                to_ben = audio_port(member)
                for number in range(30):
                    for ear, port, hertz in ((anna, to_anna, FROM_ANNA), (ben, to_ben, FROM_BEN)):
                        tone = frames(ALAW, hertz)
                        ear.say(ear.stream.packet(8, tone[number % len(tone)], FRAME), port)
                    await asyncio.sleep(0.02)
                assert (anna.hertz(), ben.hertz()) == (FROM_BEN, FROM_ANNA)
                first = next(number for number, packet in enumerate(anna.packets) if packet.ssrc == 77)
                music, talk = anna.packets[:first], anna.packets[first:]
                assert whole(music) and whole(talk) and len({packet.ssrc for packet in music}) == 1
                assert talk[0].marker and {packet.ssrc for packet in ben.packets} == {77}

    run(work())


def test_a_file_is_converted_while_calls_go_on(bridge: Callable[..., Agent], tmp_path: Path) -> None:
    """By a process of its own, after a reload: who calls then hears it; who waits already hears on what was there."""

    async def work() -> None:
        with Receiver() as anna:
            made = Queue(bridge, tmp_path)
            with made.calls("caller_waits", anna, 20_000):
                await music_in(anna)
                path = tmp_path / "other.wav"
                path.write_bytes(wav(sine(600, -12, 16000), 8000))
                text = made.agent.config.read_text().replace("music.wav", "other.wav")
                made.agent.config.write_text(text)
                os.kill(made.agent.pid, signal.SIGHUP)
                kept = made.agent.state / "sounds" / converted_name(path.read_bytes())
                async with asyncio.timeout(PATIENCE):
                    while not kept.exists():
                        await asyncio.sleep(0.02)
                await anna.hears(len(anna.packets) + 5)
                assert anna.hertz() == MUSIC and whole(anna.packets)

    run(work())


def test_hold_and_resume(bridge: Callable[..., Agent], tmp_path: Path) -> None:
    """A waiting caller who holds us gets nothing until it resumes; then music goes on in the same stream."""

    async def work() -> None:
        with Receiver() as anna:
            made = Queue(bridge, tmp_path)
            with made.calls("caller_holds", anna, 400) as caller:
                await over(caller)
            packets = anna.packets
            assert len({packet.ssrc for packet in packets}) == 1
            starts = [number for number, packet in enumerate(packets) if packet.marker]
            assert len(starts) == 2, "music before and after the hold"
            before, after = packets[starts[1] - 1], packets[starts[1]]
            assert after.sequence == (before.sequence + 1) & 0xFFFF
            assert (after.timestamp - before.timestamp & 0xFFFFFFFF) / 8000 > 0.3

    run(work())


def test_keys_of_a_waiting_caller(bridge: Callable[..., Agent], tmp_path: Path) -> None:
    """The exit key by RFC 4733 from a caller's phone ends the wait; any other key does not."""

    async def work() -> None:
        with Receiver() as anna:
            made = Queue(bridge, tmp_path, exit_key="9", exit_to="301")
            with made.calls("caller_waits", anna, 20_000) as caller:
                await music_in(anna)
                port = audio_port(caller)
                for key in "19":
                    begin = anna.stream.timestamp
                    for number, payload in enumerate(presses(key)):
                        anna.say(anna.stream.event(101, payload, begin, marker=number == 0), port)
                    anna.stream.pause(1600)
                    await asyncio.sleep(0.1)
                async with asyncio.timeout(PATIENCE):
                    while not any("pressed 9" in step["what"] + step["why"] for step in story(made.agent)):
                        await asyncio.sleep(0.02)
                assert not any("pressed 1" in step["what"] + step["why"] for step in story(made.agent))

    run(work())


def story(agent: Agent) -> list[dict[str, Any]]:
    """Return the steps of the last call."""
    return list(agent.cli("explain")["steps"])


def test_without_ports_a_caller_is_refused_before_anything_is_answered(
    bridge: Callable[..., Agent], tmp_path: Path
) -> None:
    """503 while another caller waits with the last ones; when that one has gone there are ports again."""

    async def work() -> None:
        with Receiver() as anna:
            made = Queue(bridge, tmp_path, pairs=2)
            with made.calls("caller_waits", anna, 400) as caller:
                await anna.hears(1)
                refused = Sipp(
                    "caller_is_refused", tmp_path, remote=made.agent.port, port=made.cara, keys={"caller": "302"}
                )
                with refused:
                    await over(refused)
                assert refused.received("503 ") and not refused.received("SIP/2.0 200")
                await over(caller)
            await asyncio.to_thread(made.agent.wait_idle)
            count = len(anna.packets)
            with made.calls("caller_waits", anna, 50) as caller:
                await anna.hears(count + 1)
                await over(caller)

    run(work())
