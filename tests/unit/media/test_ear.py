from bridge.media.ear import Ear, Heard
from bridge.media.g711 import ALAW, ULAW
from bridge.media.rtp import Stream, parse_packet
from bridge.media.tone import SILENT, frames, silence


def test_nothing_is_heard_of_nothing() -> None:
    """Before the first packet."""
    assert Ear().heard() == Heard(0, 0, SILENT, None)


def test_a_tone_is_heard_with_its_level() -> None:
    """Ten packets of 425 Hz at -20 dBFS, one of them lost and one there twice."""
    ear, stream = Ear(), Stream(1, 1, 1)
    ready = frames(ULAW, 425, -20.0)
    for count in range(11):
        packet = parse_packet(stream.packet(0, ready[count % len(ready)], 160))
        if count != 3:
            ear.take(packet, ULAW)
    assert not ear.take(packet, ULAW)
    assert ear.heard() == Heard(10, 1, -20.0, 425)


def test_what_was_heard_is_what_came_last() -> None:
    """A tone that has stopped is not heard any more, though packets still come."""
    ear, stream = Ear(), Stream(1, 1, 1)
    for frame in frames(ALAW, 440) * 2 + silence(ALAW) * 6:
        ear.take(parse_packet(stream.packet(8, frame, 160)), ALAW)
    heard = ear.heard()
    assert heard.packets == 16 and heard.level < -60 and heard.hertz is None
