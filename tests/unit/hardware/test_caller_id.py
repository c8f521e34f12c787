"""A modem that tells who calls: every maker's and every exchange's way of saying it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.caller_id import RING_PAUSE, CallerIdModem, Calls, Deaf, News, Quiet, Rang, Ready

ZOE = Calls("0305551234", "ZOE", False)


class Bench:
    """A modem on a bench, on virtual time: `says` lines, hears commands."""

    def __init__(self) -> None:
        self.now = 0.0
        self.modem = CallerIdModem()
        self.news: list[News] = []
        self.modem.open(self.now)

    def asked(self) -> str:
        """Return the command that came."""
        out, self.modem.outgoing = self.modem.outgoing, b""
        return out.decode()

    def says(self, *lines: str, end: str = "\r\n") -> None:
        """Say lines."""
        for line in lines:
            self.news += self.modem.receive(f"{end}{line}{end}".encode("latin-1"), self.now)

    def passes(self, seconds: float) -> None:
        """Let time pass, ticking when that is due."""
        until = self.now + seconds
        while (due := self.modem.deadline()) is not None and due <= until:
            self.now = max(self.now, due)
            self.news += self.modem.tick(self.now)
        self.now = until


@pytest.fixture
def ready() -> Bench:
    """A modem that has said that it tells who calls."""
    bench = Bench()
    bench.says("OK", "OK")
    assert bench.news == [Ready(True)]
    bench.news.clear()
    bench.asked()
    return bench


# -- asking ---------------------------------------------------------------------------------------------------------


def test_it_is_asked_to_tell_who_calls() -> None:
    """ATZ, then AT+VCID=1: OK, and it will."""
    bench = Bench()
    assert bench.asked() == "ATZ\r"
    bench.says("ATZ", "OK")  # with echo
    assert bench.asked() == "AT+VCID=1\r"
    bench.says("AT+VCID=1", "OK")
    assert bench.news == [Ready(True)] and bench.modem.deadline() is None


def test_other_makers_have_other_words() -> None:
    """What is answered by ERROR is asked in the next maker's words; one that knows none is told to be of no use."""
    bench = Bench()
    bench.says("OK")
    asked = [bench.asked()]
    for _ in range(3):
        bench.says("ERROR")
        asked.append(bench.asked())
    assert asked[0].endswith("AT+VCID=1\r") and asked[1:] == ["AT#CID=1\r", "AT%CCID=1\r", "AT*ID1\r"]
    bench.says("ERROR")
    assert bench.news == [Ready(False)]


def test_one_that_does_not_answer_is_told_and_asked_again() -> None:
    """Without an answer to the reset it is asked all the same; without any it is deaf, until a minute later."""
    bench = Bench()
    bench.passes(3)
    assert bench.asked() == "ATZ\rAT+VCID=1\r"
    bench.passes(3)
    assert isinstance(bench.news[0], Deaf)
    bench.passes(60)
    assert bench.asked() == "ATZ\r"
    bench.says("OK", "OK")
    assert bench.news[1:] == [Ready(True)]


# -- who calls ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "caller"),
    [
        (["DATE = 1124", "TIME = 0031", "NMBR = 0305551234", "NAME = ZOE"], ZOE),
        (["DATE=1124", "TIME=0031", "NMBR=0305551234", "NAME=ZOE"], ZOE),
        (["CALLER NUMBER: 0305551234", "CALLER NAME: ZOE"], ZOE),
        (["nmbr = 0305551234", "name = ZOE"], ZOE),
        (["DDN_NMBR= 0305551234", "NAME= ZOE"], ZOE),
        (["NAME = ZOE", "NMBR = 030 555-1234"], ZOE),
        (["DATE = 1124", "TIME = 0031", "NMBR = 0305551234"], Calls("0305551234", "", False)),
        (["NMBR = +49305551234"], Calls("+49305551234", "", False)),
        (["NMBR = P", "NAME = P"], Calls("", "", True)),
        (["NMBR = PRIVATE"], Calls("", "", True)),
        (["NMBR = ANONYMOUS", "NAME = ZOE"], Calls("", "", True)),
        (["NMBR = O", "NAME = O"], Calls("", "", False)),
        (["NMBR = OUT OF AREA"], Calls("", "", False)),
        (["NMBR = 0305551234", "NAME = O"], Calls("0305551234", "", False)),
        (["NAME = ZOE"], Calls("", "ZOE", False)),
        (["MESG = 801601083131323430303331020A3033303535353132333403"], Calls("0305551234", "", False)),
        (["MESG = 801B01083131323430303331020A303330353535313233340703" + b"ZOE".hex()], ZOE),
        (["MESG = 041231313234303033313033303535353132333400"], Calls("0305551234", "", False)),
        (["MESG = 800D01083131323430303331040150"], Calls("", "", True)),
        (["MESG = 0409313132343030333150"], Calls("", "", True)),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_who_calls_is_told_once(ready: Bench, lines: list[str], caller: Calls, first: bool) -> None:
    """Between the first two rings, or before the first: formatted, by every maker's names, or as the exchange sent it;
    hidden by the caller and unknown to the exchange are told apart, and a hidden caller has no name either.
    """
    if not first:
        ready.says("RING")
        ready.passes(1)
    ready.says(*lines)
    ready.passes(1)
    for _ in range(3):
        ready.says("RING")
        ready.passes(5)
    ready.passes(RING_PAUSE)
    assert ready.news == [Rang(), caller, Quiet()]


def test_the_second_ring_waits_for_nobody(ready: Bench) -> None:
    """What was told before it counts; nothing is an unknown caller. What comes later is not another caller."""
    ready.says("RING")
    ready.passes(5)
    ready.says("RING")
    assert ready.news == [Rang(), Calls("", "", False)]
    ready.says("NMBR = 0305551234")
    ready.passes(4)
    assert len(ready.news) == 2


def test_one_ring_alone_is_a_call(ready: Bench) -> None:
    """The caller who gave up at once is told, and that it is over; the next call is another one."""
    ready.says("RING")
    ready.passes(30)
    assert ready.news == [Rang(), Calls("", "", False), Quiet()]
    ready.news.clear()
    ready.says("RING", "NMBR = 5550199")
    ready.passes(30)
    assert ready.news == [Rang(), Calls("5550199", "", False), Quiet()]


def test_bytes_one_by_one(ready: Bench) -> None:
    """A slow line makes no difference, nor do CR alone or LF alone."""
    for end in ("\r\n", "\r", "\n"):
        ready.news.clear()
        for byte in f"RING{end}NMBR = 0305551234{end}NAME = ZOE{end}".encode():
            ready.news += ready.modem.receive(bytes([byte]), ready.now)
        ready.passes(30)
        assert ready.news == [Rang(), ZOE, Quiet()]


@given(st.binary(max_size=2000), st.integers(0, 2**32))
def test_garbage_does_no_harm(data: bytes, seed: int) -> None:
    """Whatever a device says in whatever pieces: nothing raises, nothing is kept for ever, a call after it is heard."""
    bench, rng = Bench(), random.Random(seed)
    bench.says("OK", "OK")
    while data:
        size = rng.randint(1, 300)
        bench.news += bench.modem.receive(data[:size], bench.now)
        data = data[size:]
        bench.passes(rng.random())
    bench.passes(120)
    bench.news.clear()
    bench.says("", "RING", "NMBR = 5550123")
    bench.passes(30)
    assert bench.news[-3:] == [Rang(), Calls("5550123", "", False), Quiet()]


def test_numbers_and_names_are_bounded(ready: Bench) -> None:
    """A number has digits, +, * and # alone."""
    ready.says("RING", "NMBR = 030\x1b[2J555;DROP TABLE", "NAME = " + "Z" * 300)
    ready.passes(30)
    assert ready.news[1] == Calls("0302555", "Z" * 60, False)
