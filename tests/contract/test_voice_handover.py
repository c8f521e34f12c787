"""From our own voice to the relay, on real sockets: how a caller who waits comes to talk."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from bridge.media.g711 import ALAW, FRAME
from bridge.media.model import CALLER, MEMBER
from bridge.media.prompts import MUSIC
from bridge.media.rtp import Stream
from bridge.media.tone import frames
from tests.support.receiver import Receiver, samples_of, whole
from tests.support.voices import ANNA, BEN, Talk, describes, run, talk


async def hand_over(made: Talk, anna: Receiver, ben: Receiver) -> int:
    """Let Anna hear music, then Ben answer; return how many packets Anna has had until then."""
    made.voice.answer(describes(ANNA, anna.port))
    made.voice.play([MUSIC], loop=True)
    await anna.hears(5)
    assert made.voice.agreed is not None
    made.carriage.offer(CALLER, made.voice.agreed)
    made.carriage.answer(MEMBER, describes(BEN, ben.port, "8 101"))
    return len(anna.packets)


def test_the_relay_takes_over_without_a_gap() -> None:
    """Music ends at once; silence bridges the time until the member's first packet, which is marked; then both hear."""

    async def work() -> None:
        with Receiver(ANNA) as anna, Receiver(BEN) as ben, talk() as made:
            count = await hand_over(made, anna, ben)
            packets = await anna.hears(count + 5)
            assert whole(packets) and not any(samples_loud(packets[count:]))
            tone, stream = frames(ALAW, 500), Stream(9, 9, 9)
            for number in range(30):
                data = stream.packet(8, tone[number % len(tone)], FRAME)
                ben.say(data[:1] + bytes([8]) + data[2:], made.member_port)  # as from a phone that marks nothing
                anna.say(anna.stream.packet(8, tone[number % len(tone)], FRAME), made.port)
                await asyncio.sleep(0.02)
            await ben.hears(30)
            theirs = [packet for packet in anna.packets if packet.ssrc == stream.ssrc]
            assert theirs[0].marker and not any(packet.marker for packet in theirs[1:]) and anna.hertz() == 500
            first = anna.packets.index(theirs[0])
            assert anna.packets[first:] == theirs, "nothing of ours comes after the member's first packet"
            assert ben.hertz() == 500
            await anna.is_left(packets[0].ssrc)

    run(work())


def samples_loud(packets: list[Any]) -> Iterator[bool]:
    """Yield of each packet whether there is more than silence in it."""
    for packet in packets:
        yield max(map(abs, samples_of([packet]))) > 16


def test_silence_ends_where_the_member_says_nothing() -> None:
    """After a second."""

    async def work() -> None:
        with Receiver(ANNA) as anna, Receiver(BEN) as ben, talk() as made:
            count = await hand_over(made, anna, ben)
            await anna.is_left(anna.packets[0].ssrc)
            assert len(anna.packets) - count <= 50
            count = len(anna.packets)
            await asyncio.sleep(0.05)
            assert len(anna.packets) == count

    run(work())


def test_a_phone_that_was_spoken_to_joins_a_caller_who_waits() -> None:
    """Both at ports that they know: music here and a prompt there end, both hear each other without a gap."""

    async def work() -> None:
        with Receiver(ANNA) as anna, Receiver(BEN) as ben, talk() as waits, talk(ports=waits.ports) as asks:
            waits.voice.answer(describes(ANNA, anna.port))
            waits.voice.play([MUSIC], loop=True)
            assert waits.voice.agreed is not None
            asked = asks.carriage.voice(MEMBER)
            asked.offers(asks.carriage.offer(CALLER, waits.voice.agreed))
            answer = describes(BEN, ben.port, "8 101")
            asked.settle(answer)
            asked.play([MUSIC], loop=True)
            await anna.hears(3)
            await ben.hears(3)
            asks.carriage.adopt_caller(waits.carriage)
            await anna.hears(len(anna.packets) + 3)
            asks.carriage.answer(MEMBER, answer)
            assert asks.relay.ports(0) == (waits.port, asks.member_port)
            tone = {hertz: frames(ALAW, hertz) for hertz in (400, 700)}
            for number in range(20):
                anna.say(anna.stream.packet(8, tone[400][number % len(tone[400])], FRAME), waits.port)
                ben.say(ben.stream.packet(8, tone[700][number % len(tone[700])], FRAME), asks.member_port)
                await asyncio.sleep(0.02)
            assert (anna.hertz(), ben.hertz()) == (700, 400)
            for end in (anna, ben):
                theirs = [packet for packet in end.packets if packet.ssrc == 77]
                assert theirs[0].marker and end.packets[-len(theirs) :] == theirs and whole(theirs)

    run(work())


def test_nobody_talks_into_what_we_play() -> None:
    """While a side of a talk is on hold by us, what the other side sends is not heard there."""

    async def work() -> None:
        with Receiver(ANNA) as anna, Receiver(BEN) as ben, talk() as made:
            made.carriage.offer(CALLER, describes(ANNA, anna.port))
            made.carriage.answer(MEMBER, describes(BEN, ben.port, "8 101"))
            ben.say(ben.stream.packet(8, bytes(160), FRAME), made.member_port)
            await anna.hears(1)
            voice = made.carriage.voice(CALLER)
            voice.answer(describes(ANNA, anna.port))
            voice.play([MUSIC], loop=True)
            for _ in range(5):
                ben.say(ben.stream.packet(8, bytes(160), FRAME), made.member_port)
                anna.say(anna.stream.packet(8, bytes(160), FRAME), made.port)
            packets = await anna.hears(10)
            assert [packet.ssrc == 77 for packet in packets].count(True) == 1 and not ben.packets

    run(work())
