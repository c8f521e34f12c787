"""A panel and the bridge's end of its line, on virtual time."""

from __future__ import annotations

import random

import pytest

from hardware.firmware.device import STABLE
from hardware.panel_link import BridgeEnd, Held, Here, Lacks, Moved, Refused, Silent, State
from hardware.panel_protocol import RESEND, RESENDS, SILENCE, STALE, write
from hardware.patterns import BRIDGE_GONE
from tests.support.panels import Line, Stepped, here, losing


def test_a_panel_says_what_it_is_and_is_welcomed() -> None:
    """Whichever end was there first: both know each other within two seconds."""
    line = Line(here(keys=4, lamps=2))
    line.run(10)
    [news] = line.of(Here)
    assert isinstance(news, Here)
    assert (news.hello.version, news.hello.firmware, news.hello.keys, news.hello.lamps) == (1, "1.0", 4, 2)
    assert line.bridge.state is State.HERE


def test_a_press_is_told_once_with_the_moment_of_its_edges() -> None:
    """Down and up, once they have been stable for 25 ms; when is when the key moved, give or take the way."""
    line = Line(here())
    line.run(100)
    pressed = line.now
    line.press(3, 60)
    (at, _), *_ = [each for each in line.news if isinstance(each[1], Moved)]
    down, up = line.of(Moved)
    assert isinstance(down, Moved) and isinstance(up, Moved)
    assert (down.key, down.pressed, up.key, up.pressed) == (3, True, 3, False)
    assert 0 <= down.at - pressed <= 2
    assert 58 <= up.at - down.at <= 62
    assert at - pressed == STABLE + 1


def test_keys_that_bounce_are_one_press() -> None:
    """Nothing shorter than 25 ms leaves the panel."""
    line = Line(here())
    line.run(100)
    for _ in range(5):
        line.press(1, 5, 5)
    line.press(1, 50, 5)
    for _ in range(5):
        line.press(1, 5, 5)
    line.run(500)
    assert [m.pressed for m in line.of(Moved) if isinstance(m, Moved)] == [True, False]


@pytest.mark.parametrize("seed", range(5))
def test_of_a_thousand_presses_on_a_bad_line_each_is_told_once(seed: int) -> None:
    """At 5 % loss each way nothing is lost, nothing comes twice, and nothing overtakes."""
    rng = random.Random(seed)
    line = Line(here(), losing(0.05, rng))
    line.run(8000)
    expected = []
    for _ in range(1000):
        key = rng.randint(1, 8)
        expected += [(key, True), (key, False)]
        line.press(key, rng.randint(40, 300), rng.randint(100, 400))
    line.run(2000)
    assert [(m.key, m.pressed) for m in line.of(Moved) if isinstance(m, Moved)] == expected


def test_a_press_is_said_again_four_times_and_then_given_up() -> None:
    """Every 300 ms; after that it would be acted on too late to be meant."""
    line = Line(here())
    line.run(100)
    line.cut = True
    line.said.clear()
    line.press(1, 3000)
    assert len([said for said in line.said if b" down key=1 " in said]) == 1 + RESENDS
    line.cut = False
    line.run(3000)
    assert [m for m in line.of(Moved) if isinstance(m, Moved) and m.pressed] == []


def test_what_is_said_again_is_acknowledged_again_and_not_acted_on() -> None:
    """The acknowledgement was lost: the bridge has the press once all the same."""
    kept: list[bytes] = []

    def lose_acknowledgements(line: bytes) -> bytes:
        kept.append(line)
        return b"" if b" ack boot=" in line and len(kept) < 20 else line

    line = Line(here(), lose_acknowledgements)
    line.run(100)
    line.press(2, 700, 2000)
    assert len([m for m in line.of(Moved) if isinstance(m, Moved) and m.pressed]) == 1
    assert [said for said in kept if b" down " in said][1:], "it was said again"


def test_a_press_older_than_two_seconds_is_dropped_but_acknowledged() -> None:
    """A panel that was held up does not act in the past; a release is never too old."""
    end = met(BridgeEnd())
    for seq, verb, age, told in ((1, "down", STALE + 1, 0), (2, "up", STALE + 1, 1), (3, "down", STALE, 1)):
        assert len(end.receive(write(seq, verb, (("key", 1), ("age", age))), 5000)) == told
        assert end.take() == write(seq, "ack", (("boot", "b007"),))


def test_a_panel_that_starts_anew_counts_from_one_again() -> None:
    """Another boot word: its first press is no repetition."""
    end = met(BridgeEnd(), boot="one", seq=0)
    assert end.receive(write(1, "down", (("key", 1), ("age", 0))), 10)
    met(end, boot="two", seq=0)
    assert end.receive(write(1, "down", (("key", 1), ("age", 0))), 20)


def test_a_bridge_that_starts_anew_acts_on_nothing_from_before() -> None:
    """The hello tells the last SEQ; a press from before it may have been acted on already."""
    end = met(BridgeEnd(), seq=17)
    assert end.receive(write(17, "down", (("key", 1), ("age", 100))), 10) == []
    assert end.receive(write(18, "up", (("key", 1), ("age", 0))), 10) == [Moved(1, False, 10)]


def test_a_lamp_is_said_until_it_is_confirmed() -> None:
    """Frames get lost: each lamp shows its latest signal in the end, and then the line is quiet."""
    line = Line(here(), losing(0.1, random.Random(1)))
    line.run(20_000)
    for lamp, signal in ((1, "steady"), (2, "blink-fast"), (1, "off"), (1, "steady")):
        line.show(lamp, signal)
    line.run(10_000)
    assert line.lit & 1
    line.said.clear()
    line.run(10_000)
    assert not [said for said in line.said if b" lamp " in said]


def test_a_lamp_that_shows_it_already_is_not_said_again() -> None:
    """The same signal costs nothing."""
    line = Line(here())
    line.run(10)
    line.show(1, "steady")
    line.run(100)
    line.said.clear()
    line.show(1, "steady")
    assert line.said == []


def test_a_lamp_that_the_panel_has_not_is_told_of_once() -> None:
    """It is not said for ever."""
    line = Line(here(lamps=2))
    line.run(10)
    line.show(3, "steady")
    line.run(5000)
    assert line.of(Lacks) == [Lacks(3)]


def test_after_seven_seconds_of_silence_each_end_knows() -> None:
    """The panel winks on every lamp; the bridge tells it, once, and goes on to ask."""
    line = Line(here(lamps=2))
    line.run(10)
    line.show(1, "steady")
    line.run(500)
    line.cut = True
    line.run(SILENCE + 5000)
    assert line.of(Silent) == [Silent(0)]
    assert line.bridge.state is State.ASKING
    line.run(30_000)
    assert line.of(Silent) == [Silent(0)]
    lit = set()
    for _ in range(60):
        line.run(50)
        lit.add(line.lit)
    assert lit == {0b00, 0b11}


def test_a_panel_that_is_back_gets_all_its_lamps_said_again() -> None:
    """What changed while it was away, too."""
    line = Line(here(lamps=2))
    line.run(10)
    line.show(1, "steady")
    line.cut = True
    line.run(8000)
    line.show(2, "steady")
    line.cut = False
    line.run(5000)
    assert len(line.of(Here)) == 2
    assert line.lit == 0b11


def test_a_panel_without_a_bridge_keeps_no_press() -> None:
    """A press into the void does not come out later."""
    line = Line(here())
    line.run(100)
    line.cut = True
    line.run(8000)
    line.press(1, 100)
    line.cut = False
    line.run(5000)
    assert line.of(Moved) == []


def test_held_keys_are_told_ten_times_a_second() -> None:
    """So that a hold is noticed when it is one; else a beat every two seconds."""
    line = Line(here())
    line.run(100)
    line.move(2, True)
    line.run(1000)
    assert 8 <= len([n for n in line.of(Held) if n == Held(0b10)]) <= 10
    line.move(2, False)
    line.news.clear()
    line.run(10_000)
    assert 5 <= len(line.of(Held)) <= 6
    assert line.of(Held)[-1] == Held(0)


def test_a_key_that_is_down_when_a_panel_comes_is_told_in_its_hello() -> None:
    """A stuck key is no press."""
    step = here()
    line = Line(step)
    line.pressed = 0b100
    line.run(5000)
    line.cut = True
    line.run(8000)
    line.cut = False
    line.run(3000)
    last = line.of(Here)[-1]
    assert isinstance(last, Here)
    assert last.hello.down == 0b100


def test_another_version_is_refused_in_words_and_tried_no_further() -> None:
    """The panel goes on to show that there is no bridge for it; a new firmware, and it is taken."""
    said: list[bytes] = []

    def newer(pressed: int, received: bytes, now: int) -> Stepped:
        said.append(received)
        return Stepped(write(0, "hello", (("proto", 2), ("fw", "2.0"), ("boot", "x"))), 0, now + 2000)

    line = Line(newer)
    line.run(20_000)
    [refused] = line.of(Refused)
    assert isinstance(refused, Refused) and refused.hello.version == 2
    assert any(write(0, "refuse", (("proto", 1),)) in each for each in said)
    met(line.bridge)
    assert line.bridge.state is State.HERE


def test_a_panel_that_is_refused_winks() -> None:
    """It shows that it has no bridge."""
    line = Line(here())
    line.run(10)
    line.bridge._out.append(write(0, "refuse", (("proto", 2),)))
    line.run(3)
    assert BRIDGE_GONE in here_signals(line)


def here_signals(line: Line) -> set[str]:
    """Return what the lamps would show: winks within three seconds mean that no bridge is there."""
    seen = set()
    for _ in range(70):
        line.run(50)
        seen.add(line.lit)
    return {BRIDGE_GONE} if seen == {0, 255} else set()


@pytest.mark.parametrize(
    "fields",
    [
        (("proto", 1),),
        (("proto", 1), ("keys", 4), ("lamps", 65), ("boot", "b"), ("seq", 0), ("down", 0)),
        (("proto", 1), ("keys", 4), ("lamps", 4), ("boot", "b" * 40), ("seq", 0), ("down", 0)),
        (("proto", 1), ("keys", 4), ("lamps", 4), ("boot", "b;b"), ("seq", 0), ("down", 0)),
        (("proto", 1), ("keys", "many"), ("lamps", 4), ("boot", "b"), ("seq", 0), ("down", 0)),
    ],
)
def test_a_hello_that_cannot_be_is_no_hello(fields: tuple[tuple[str, object], ...]) -> None:
    """Missing, too many, too long: nothing is believed and nothing breaks."""
    end = BridgeEnd()
    end.open(0)
    assert end.receive(write(0, "hello", fields), 1) == []
    assert end.state is State.ASKING


def test_words_that_nobody_knows_are_passed_over() -> None:
    """A later version may say more; keys without a number and beats without a mask say nothing."""
    end = met(BridgeEnd())
    strange: list[tuple[int, str, tuple[tuple[str, object], ...]]] = [
        *((0, "sing", ()), (0, "beat", ()), (4, "ack", ()), (1, "down", ())),
        *((2, "down", (("key", 0), ("age", 0))), (3, "down", (("key", 65), ("age", 0)))),
        (4, "down", (("key", 1), ("age", "-4"))),
    ]
    for seq, verb, fields in strange:
        assert end.receive(write(seq, verb, fields), 10) == []


def met(end: BridgeEnd, boot: str = "b007", seq: int = 0) -> BridgeEnd:
    """Let a panel say hello."""
    fields = (("proto", 1), ("fw", "1"), ("id", "x"), ("keys", 8), ("lamps", 8), ("boot", boot), ("seq", seq))
    assert end.receive(write(0, "hello", (*fields, ("down", 0))), 0)
    end.take()
    return end


def test_resends_fit_into_what_is_not_too_old() -> None:
    """The last repetition of a press is still acted on."""
    assert RESEND * RESENDS < STALE
