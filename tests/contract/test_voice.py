"""Our own voice, on real sockets: what a caller who waits hears, and what is heard of them."""

from __future__ import annotations

import asyncio
import itertools
import random
from pathlib import Path as File

import pytest

from bridge.media.choice import Party
from bridge.media.dtmf import KEYS, presses
from bridge.media.g711 import FRAME
from bridge.media.model import CALLER, Key, Played
from bridge.media.prompts import MUSIC
from bridge.media.rtp import Stream
from bridge.media.sounds import Sounds
from bridge.media.tone import sine
from bridge.sip.message import Body
from tests.support.receiver import Receiver, whole
from tests.support.voices import ANNA, STRANGER, Talk, converted, describes, run, talk, tone_file
from tests.support.wav import wav


@pytest.mark.parametrize(("formats", "law"), [("8 0 101", 8), ("0 8 101", 0)])
def test_music_begins_though_the_phone_says_nothing(tmp_path: File, formats: str, law: int) -> None:
    """In the law that the caller likes best, one whole stream, the first packet marked, 50 packets a second of it."""

    async def work() -> None:
        file = tone_file(tmp_path, 440)
        sounds = converted(Sounds(), tmp_path, file)
        with Receiver(ANNA) as anna, talk(sounds) as made:
            made.voice.answer(describes(ANNA, anna.port, formats))
            made.voice.play([file], loop=True)
            packets = await anna.hears(55)  # round and round
            assert whole(packets) and {packet.payload_type for packet in packets} == {law}
            # Marked is where the stream begins, and where it goes on after a busy machine held it up.
            steps = [(b.timestamp - a.timestamp) % 2**32 for a, b in zip(packets, packets[1:], strict=False)]
            assert [packet.marker for packet in packets] == [True, *(step != FRAME for step in steps)]
            assert all(len(packet.payload) == FRAME for packet in packets)
            assert anna.hertz() == 440

    run(work())


def test_a_phone_behind_nat_hears_music_where_it_speaks_from() -> None:
    """Once it speaks: until then at the port that it named, at the address that it signals from."""

    async def work() -> None:
        with Receiver(ANNA) as named, Receiver(ANNA) as mapped, talk() as made:
            made.carriage.parties[CALLER] = Party(ANNA, "127.0.0.1", phone=True)
            made.voice.answer(describes("192.168.7.7", named.port))
            made.voice.play([MUSIC], loop=True)
            await named.hears(3)
            mapped.say(mapped.stream.packet(8, bytes(160), FRAME), made.port)
            packets = await mapped.hears(3)
            assert whole(packets) and packets[0].ssrc == named.packets[0].ssrc

    run(work())


def test_ipv6() -> None:
    """The same, where the machine has it."""

    async def work() -> None:
        try:
            anna = Receiver("::1")
        except OSError:
            pytest.skip("this machine has no IPv6")
        with anna, talk() as made:
            made.carriage.parties[CALLER] = Party("::1", "::1")
            body = describes("::1", anna.port)
            made.voice.answer(Body(body.type, body.data.replace(b"IP4", b"IP6")))
            made.voice.play([MUSIC], loop=True)
            assert whole(await anna.hears(3))

    run(work())


def test_each_stream_begins_anywhere() -> None:
    """SSRC, sequence number and timestamp are random (RFC 3550 §5.1)."""

    async def work() -> None:
        with Receiver(ANNA) as anna, talk() as first, talk(ports=first.ports) as second:
            for made in (first, second):
                made.voice.answer(describes(ANNA, anna.port))
                made.voice.play([MUSIC], loop=True)
            packets = await anna.hears(4)
            assert len({packet.ssrc for packet in packets}) == 2
            assert len({packet.timestamp for packet in packets}) > 2

    run(work())


def test_prompts_are_played_in_a_row_and_their_end_is_told(tmp_path: File) -> None:
    """One after the other in one stream; then nothing more is sent."""

    async def work() -> None:
        files = [tone_file(tmp_path, hertz, 0.1) for hertz in (400, 800)]
        sounds = converted(Sounds(), tmp_path, *files)
        with Receiver(ANNA) as anna, talk(sounds) as made:
            made.voice.answer(describes(ANNA, anna.port))
            made.voice.play(files)
            assert await made.told(1) == [Played(made.voice)]
            packets = await anna.hears(10)
            assert whole(packets) and len(packets) == 10
            assert anna.hertz() == 800
            made.voice.play([files[0]])
            packets = await anna.hears(15)
            assert packets[10].marker and packets[10].ssrc == packets[0].ssrc
            assert packets[10].timestamp - packets[9].timestamp & 0xFFFFFFFF >= FRAME

    run(work())


def test_music_goes_on_where_it_was(tmp_path: File) -> None:
    """After an announcement, not from its begin."""

    async def work() -> None:
        path = tmp_path / "both.wav"
        path.write_bytes(wav(sine(400, -10, 160 * 20) + sine(900, -10, 160 * 200), 8000))
        word = tone_file(tmp_path, 600, 0.1)
        sounds = converted(Sounds(), tmp_path, str(path), word)
        with Receiver(ANNA) as anna, talk(sounds) as made:
            made.voice.answer(describes(ANNA, anna.port))
            made.voice.play([str(path)], loop=True)
            await anna.hears(25)
            assert anna.hertz() == 900
            made.voice.play([word])
            await made.told(1)
            assert anna.hertz() == 600
            made.voice.play([str(path)], loop=True)
            count = len(anna.packets)
            await anna.hears(count + 4)
            assert anna.hertz() == 900

    run(work())


def test_nothing_is_sent_while_the_caller_holds_us() -> None:
    """Nor once it is said to stop; resumed, the stream goes on with its time as it passed."""

    async def work() -> None:
        with Receiver(ANNA) as anna, talk() as made:
            made.voice.answer(describes(ANNA, anna.port))
            made.voice.play([MUSIC], loop=True)
            await anna.hears(3)
            for way in ("sendonly", "inactive"):
                made.voice.answer(describes(ANNA, anna.port, way=way))
                assert made.voice.held
                await asyncio.sleep(0)
                count = len(anna.packets)
                await asyncio.sleep(0.1)
                assert len(anna.packets) == count
                made.voice.answer(describes(ANNA, anna.port))
                packets = await anna.hears(count + 3)
                assert packets[count].marker and packets[count].ssrc == packets[0].ssrc
                assert packets[count].sequence == (packets[count - 1].sequence + 1) & 0xFFFF
                passed = packets[count].timestamp - packets[count - 1].timestamp & 0xFFFFFFFF
                assert passed > 0.1 * 8000
            made.voice.stop()
            await asyncio.sleep(0)
            count = len(anna.packets)
            await asyncio.sleep(0.1)
            assert len(anna.packets) == count

    run(work())


def test_keys_are_heard() -> None:
    """Each once, by RFC 4733, whatever gets lost; other types, strangers and garbage are none."""

    async def work() -> None:
        with Receiver(ANNA) as anna, Receiver(STRANGER) as stranger, talk() as made:
            made.voice.answer(describes(ANNA, anna.port))
            stream = Stream(5, 5, 5)
            for key in KEYS[:12]:
                packets = list(presses(key))
                for number, payload in enumerate(packets):
                    data = stream.event(101, payload, stream.timestamp, marker=number == 0)
                    if number in (1, 3, len(packets) - 1):
                        anna.say(data, made.port)
                    stranger.say(data, made.port)
                stream.pause(1600)
                await asyncio.sleep(0.05)
            assert await made.told(12) == [Key(made.voice, key) for key in KEYS[:12]]

    run(work())


def test_hostile_packets_do_no_harm() -> None:
    """Garbage, cut off, too long, keys that are none, and a flood of keys: at most 25 of them a second are taken."""

    async def work() -> None:
        rng = random.Random(4)
        with Receiver(ANNA) as anna, talk() as made:
            made.voice.answer(describes(ANNA, anna.port))
            made.voice.play([MUSIC], loop=True)
            for size in (0, 1, 2, 11, 12, 13, 15, 60_000):
                anna.say(b"\x80\x65" + rng.randbytes(size), made.port)
                anna.say(rng.randbytes(size), made.port)
            anna.say(b"\xbf\x65" + bytes(30), made.port)
            anna.say(b"\x90\x65" + b"\xff" * 14, made.port)
            made.events.clear()
            count = len(anna.packets)
            began = asyncio.get_running_loop().time()
            stream = Stream(5, 5, 5)
            for number in range(2000):
                anna.say(stream.event(101, bytes([number % 12, 10, 0, 160]), number * 160, marker=True), made.port)
                if number % 20 == 0:
                    await asyncio.sleep(0.001)
            packets = await anna.hears(count + 10)
            passed = asyncio.get_running_loop().time() - began
            assert 1 <= len(made.events) <= passed / 0.04 + 1
            assert whole(packets)

    run(work())


def test_keys_are_pressed() -> None:
    """As telephone events, all of one key with the time of its begin; the music waits, and goes on."""

    async def work() -> None:
        with Receiver(ANNA) as anna, talk() as made:
            made.voice.answer(describes(ANNA, anna.port))
            made.voice.play([MUSIC], loop=True)
            await anna.hears(2)
            assert made.voice.press("1#")
            packets = await anna.hears(40)
            events = [packet for packet in packets if packet.payload_type == 101]
            groups = [list(group) for _, group in itertools.groupby(events, lambda packet: packet.timestamp)]
            assert [[packet.payload[0] for packet in group] for group in groups] == [[1] * 7, [11] * 7]
            assert [[packet.marker for packet in group] for group in groups] == [[True] + [False] * 6] * 2
            assert all(group[-1].payload[1] & 0x80 for group in groups)
            assert packets[-1].payload_type == 8
            numbers = [packet.sequence for packet in packets]
            assert all(after - before & 0xFFFF == 1 for before, after in itertools.pairwise(numbers))

    run(work())


def test_the_stream_is_reported_and_says_goodbye() -> None:
    """RTCP: a sender's report of this stream, and BYE once the call is over."""

    async def work() -> None:
        with Receiver(ANNA) as anna:
            with talk() as made:
                made.voice.answer(describes(ANNA, anna.port))
                made.voice.play([MUSIC], loop=True)
                packets = await anna.hears(30)
                (report, *_) = await anna.is_told(1)
                ssrc = packets[0].ssrc.to_bytes(4, "big")
                assert (report[1], report[4:8]) == (200, ssrc) and report[28:30] == b"\x81\xca"
                assert int.from_bytes(report[20:24], "big") == 25
            await anna.is_left(packets[0].ssrc)

    run(work())


def test_a_call_that_ends_while_music_plays_leaves_nothing() -> None:
    """No packet and no port."""

    async def work() -> None:
        with Receiver(ANNA) as anna:
            made = Talk(pairs=2)
            before = made.ports.free
            made.voice.answer(describes(ANNA, anna.port))
            made.voice.play([MUSIC], loop=True)
            await anna.hears(3)
            made.voice.close()
            made.relay.close()
            made.voice.close()
            assert made.ports.free == before + 2
            count = len(anna.packets)
            await asyncio.sleep(0.05)
            assert len(anna.packets) == count

    run(work())


def test_a_voice_may_be_closed_after_its_ports() -> None:
    """As where a call that rang for who was being transferred ends after the relay that was lent to it."""

    async def work() -> None:
        with Receiver(ANNA) as anna, talk() as made:
            made.voice.answer(describes(ANNA, anna.port))
            made.voice.play([MUSIC], loop=True)
            await anna.hears(2)
            made.relay.close()
            made.voice.close()
            assert made.voice.closed and made.ports.in_use == 0

    run(work())
