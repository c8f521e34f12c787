"""Both ends of a panel's line against frames that are whole and make no sense."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hardware.firmware.device import Device
from hardware.panel_link import BridgeEnd
from hardware.panel_protocol import LONGEST, Lines, check

VERBS = ("hello", "welcome", "who", "refuse", "bye", "lamp", "ack", "nak", "down", "up", "beat", "sing")
KEYS = ("proto", "boot", "keys", "lamps", "seq", "down", "key", "age", "n", "show", "fw", "id", "x")
VALUES = st.one_of(
    st.integers(-5, 70).map(str),
    st.sampled_from(("1", "b007", "steady", "off", "bridge-gone", "ffffffffffffffff", "9" * 16, "", "x" * 40, "a=b")),
    st.text("abc019-_=", max_size=12),
)
FRAMES = st.tuples(
    st.sampled_from(("0", "1", "2", "17", "9" * 16)),
    st.sampled_from(VERBS),
    st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=8),
)
MOVES = st.one_of(FRAMES, st.integers(0, 9000), st.binary(max_size=40))


def line(frame: tuple[str, str, dict[str, str]]) -> bytes:
    """Return a frame as a line with a right sum, as long as it comes out."""
    seq, verb, fields = frame
    body = " ".join([seq, verb, *(f"{key}={value}" for key, value in fields.items())]).encode()
    return body + b"*" + check(body) + b"\n"


def frames_of(out: bytes) -> None:
    """Check that what is sent can be read on the other side."""
    lines = Lines()
    assert len(lines.feed(out)) == out.count(b"\n")
    assert lines.damaged == 0
    assert all(len(each) <= LONGEST for each in out.splitlines(keepends=True))


@given(st.lists(MOVES, max_size=30))
def test_the_bridges_end_survives_any_frame(moves: list[tuple[str, str, dict[str, str]] | int | bytes]) -> None:
    """Nothing is raised, and all that is answered is frames."""
    end, now = BridgeEnd(), 1000
    end.open(now)
    hello = {"proto": "1", "boot": "b", "keys": "8", "lamps": "8", "seq": "0", "down": "0"}
    end.receive(line(("0", "hello", hello)), now)
    for number, move in enumerate(moves):
        if isinstance(move, int):
            now += move
            end.tick(now)
        else:
            end.receive(move if isinstance(move, bytes) else line(move), now)
        end.show(number % 9, "steady" if number % 2 else "off", now)
        frames_of(end.take())
        assert end.deadline() is None or isinstance(end.deadline(), int)


@given(st.lists(MOVES, max_size=30))
def test_the_panel_survives_any_frame(moves: list[tuple[str, str, dict[str, str]] | int | bytes]) -> None:
    """Its lamps always show something that there is, and its keys are still told."""
    device, now = Device("x", 8, 8, "b007"), 1000
    device.step(0, line(("0", "welcome", {"proto": "1", "boot": "b007"})), now)
    for number, move in enumerate(moves):
        received = b"" if isinstance(move, int) else move if isinstance(move, bytes) else line(move)
        now += move if isinstance(move, int) else 1
        frames_of(device.step(number % 256, received, now))
        device.lamps(now)
        assert isinstance(device.deadline(now), int)
