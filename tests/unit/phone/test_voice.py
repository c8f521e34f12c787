"""The sound of a talk, on virtual time."""

import random

import pytest

from bridge.media.dtmf import presses
from bridge.media.g711 import ALAW
from bridge.media.rtp import Packet, Stream, parse_packet
from bridge.media.tone import SILENT, frames
from bridge.phone.model import Sound
from bridge.phone.voice import Voice
from bridge.sip.agenda import Agenda
from bridge.sip.offers import EVENTS, PCMA, PCMU, Agreed


class Mouth:
    """A voice with its agenda, its packets and the keys that were pressed."""

    def __init__(self, *, sends: bool = True) -> None:
        self.agenda = Agenda()
        self.sounds: list[Sound] = []
        self.keys: list[str] = []
        self.voice = Voice(self.agenda, random.Random(1), self.sounds, self.keys.append)
        self.voice.say(440, -16.0)
        self.settle(0.0, sends=sends)

    def settle(self, now: float, *, sends: bool = True) -> None:
        """Agree on PCMA both ways, events as 101; `sends`: whether we may send."""
        codecs = {codec.payload: codec for codec in (PCMA, PCMU, EVENTS)}
        self.voice.settle(Agreed("10.0.0.9", 6000, PCMA, EVENTS, codecs, sends, True), now)

    def run(self, until: float, late: float = 0.0) -> list[Packet]:
        """Tick whenever it is due, `late` seconds after; return the packets of that."""
        start = len(self.sounds)
        while (due := self.agenda.deadline()) is not None and due + late <= until:
            self.agenda.tick(due + late)
        return [parse_packet(sound.data) for sound in self.sounds[start:]]


def test_a_second_has_fifty_packets() -> None:
    """From 0.00 to 0.98 s, numbered on, 160 samples each, the first one marked; the frames go round."""
    packets = Mouth().run(0.999)
    assert len(packets) == 50
    assert [(p.sequence - packets[0].sequence) & 0xFFFF for p in packets] == list(range(50))
    assert [(p.timestamp - packets[0].timestamp) & 0xFFFFFFFF for p in packets] == [160 * n for n in range(50)]
    assert [p.marker for p in packets] == [True] + [False] * 49
    assert b"".join(p.payload for p in packets) == b"".join(frames(ALAW, 440, -16.0)) * 10


def test_lateness_does_not_add_up() -> None:
    """A timer that is 3 ms late each time delays no packet by more than that: an hour has its 180,000."""
    assert len(Mouth().run(3600 - 0.001, late=0.003)) == 180_000


def test_a_short_delay_is_made_up_for_and_a_long_one_is_left_out() -> None:
    """100 ms: five packets at once. A second: one, whose timestamp tells what is missing, marked as a new begin."""
    mouth = Mouth()
    mouth.run(0.0)
    assert len(mouth.run(0.119, late=0.08)) == 5
    due = mouth.agenda.deadline()
    assert due is not None
    before = parse_packet(mouth.sounds[-1].data)
    mouth.agenda.tick(due + 1.0)
    after = parse_packet(mouth.sounds[-1].data)
    assert after.sequence == (before.sequence + 1) & 0xFFFF
    assert (after.timestamp - before.timestamp) & 0xFFFFFFFF == 51 * 160 and after.marker


def test_held_it_is_silent_and_resumed_it_goes_on() -> None:
    """No packet while held; the timestamp goes on with the time."""
    mouth = Mouth()
    before = mouth.run(0.099)[-1]
    mouth.settle(0.1, sends=False)
    assert mouth.run(5.0) == [] and mouth.agenda.deadline() is None
    mouth.settle(2.1)
    after = mouth.run(2.1)[0]
    assert (after.timestamp - before.timestamp) & 0xFFFFFFFF == 160 * 101 and after.marker


def test_changed_while_it_sends_it_keeps_its_pace() -> None:
    """A re-INVITE that changes nothing for us, and another tone, are no new begin."""
    mouth = Mouth()
    mouth.run(0.05)
    mouth.settle(0.055)
    mouth.voice.say(0, 0.0)
    packets = mouth.run(0.099)
    assert len(packets) == 2 and packets[0].payload == b"\xd5" * 160 and not packets[0].marker


def test_stopped_it_neither_sends_nor_hears() -> None:
    """Nothing after the end of the talk."""
    mouth = Mouth()
    mouth.voice.stop()
    mouth.voice.hear(Stream(1, 1, 1).packet(8, b"\xd5" * 160, 160))
    assert mouth.run(1.0) == [] and mouth.voice.heard().packets == 0


@pytest.mark.parametrize("data", [b"", b"\x00" * 40, bytes(Packet(77, 1, 1, 1, b"x")), b"INVITE sip:x SIP/2.0"])
def test_what_is_no_sound_is_not_heard(data: bytes) -> None:
    """Garbage, and payload types that nobody agreed upon."""
    mouth = Mouth()
    mouth.voice.hear(data)
    assert mouth.voice.heard() == (0, 0, SILENT, None)


def test_keys_are_told_once() -> None:
    """Telephone events between the sound; a packet that comes twice counts once."""
    mouth = Mouth(sends=False)
    stream = Stream(1, 1, 1)
    for key in "1#":
        begin = stream.timestamp
        for count, payload in enumerate(presses(key)):
            packet = stream.event(101, payload, begin, marker=count == 0)
            mouth.voice.hear(packet)
            mouth.voice.hear(packet)
        stream.pause(960)
        mouth.voice.hear(stream.packet(8, b"\xd5" * 160, 160))
    assert mouth.keys == ["1", "#"]
    assert mouth.voice.heard().packets == 16
