"""Every feature of a call, by way of a PBX that concedes nothing, in each of three manners. One house for all of it.

Who calls is outside, who is called behind the PBX or at the bridge; `tests/support/pbxes.py` has the numbers.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.support.baresip import Baresip
from tests.support.kamailio import HOST, MANNERS, OUTSIDE
from tests.support.pbxes import PIN, Behind, Site, open_site
from tests.support.process import wait_until
from tests.support.sipp import Sipp


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Start the house."""
    with open_site(tmp_path_factory.mktemp("site")) as opened:
        yield opened


@pytest.fixture(params=MANNERS)
def house(site: Site, request: pytest.FixtureRequest) -> Iterator[Behind]:
    """Show the house as it is with each PBX; leave nothing up."""
    yield site.at(request.param)
    site.quiet()


def connected(*phones: Baresip) -> None:
    """Wait until phones are in a call and hear each other."""
    for phone in phones:
        phone.wait("CALL_ESTABLISHED")
    for phone in phones:
        phone.wait_hearing()


def over(house: Behind, first: Baresip, *others: Baresip) -> None:
    """Let one hang up, and the others be told."""
    first.hang_up()
    for phone in others:
        phone.wait("CALL_CLOSED")
    house.agent.wait_idle()


def taken(house: Behind, caller: Baresip, member: Baresip, number: str) -> None:
    """Let somebody call a number, and somebody take it."""
    caller.dial(number)
    member.wait_ringing()
    member.answer()
    connected(caller, member)


# -- hunts -----------------------------------------------------------------------------------------------------------


def test_all_ring_at_once(house: Behind) -> None:
    """One answers, the other stops; who calls is in the display name alone; lines and journal tell it."""
    outside, desk1, desk2 = house.phones.outside, house.phones.desk1, house.phones.desk2
    outside.dial(house.number("600"))
    shown = desk1.wait_ringing()
    desk2.wait_ringing()
    assert (shown["peerdisplayname"], shown["peeruri"].partition("@")[0]) == ("Berta (0301234)", "sip:620")
    assert (house.line("d1"), house.line("d2")) == ("ringing", "ringing")
    desk1.answer()
    connected(outside, desk1)
    desk2.wait("CALL_CLOSED")
    assert (house.line("d1"), house.line("d2")) == ("busy", "unknown")  # of what we do not carry nobody tells
    over(house, desk1, outside)
    [entry] = house.agent.ask("journal", last=1)["entries"]
    assert (entry["result"], entry["caller"], entry["taken_by"]) == ("answered", "0301234", house.name("d1"))
    assert not [each for each in house.refused() if each.startswith("INVITE")]


def test_one_after_the_other(house: Behind) -> None:
    """Who declines is followed by the next; then nobody is left, and the caller is refused."""
    outside, desk1, desk2 = house.phones.outside, house.phones.desk1, house.phones.desk2
    outside.dial(house.number("601"))
    desk1.wait_ringing()
    desk1.hang_up()
    desk2.wait_ringing()
    desk2.answer()
    connected(outside, desk2)
    over(house, outside, desk2)
    outside.forget()
    outside.dial(house.number("601"))
    for desk in (desk1, desk2):
        desk.wait("CALL_INCOMING", 2)
        desk.hang_up()
    outside.wait("CALL_CLOSED")


def test_callers_wait(house: Behind) -> None:
    """Music while the one agent rings; a second caller is one too many; wrap-up keeps the agent free after that."""
    outside, second, desk1, ben = (getattr(house.phones, name) for name in ("outside", "second", "desk1", "ben"))
    outside.dial(house.number("602"))
    outside.wait("CALL_ESTABLISHED")
    desk1.wait_ringing()
    outside.wait_hearing()
    second.dial(house.number("602"))
    ben.wait_ringing()
    second.hang_up()
    ben.wait("CALL_CLOSED")
    desk1.answer()
    connected(outside, desk1)
    over(house, desk1, outside)
    outside.forget()
    outside.dial(house.number("602"))
    outside.wait("CALL_ESTABLISHED")
    member = house.name("d1")
    wait_until(lambda: "wrap" in str(house.agent.ask("member", group=house.name("queue"), member=member)), "wrap-up")
    outside.press("0")
    house.phones.anna.wait_ringing()
    house.phones.anna.answer()
    connected(outside, house.phones.anna)
    over(house, outside, house.phones.anna)


def test_press_1(house: Behind) -> None:
    """Who answers behind the PBX is asked first; the caller hears it ring until 1 is pressed, and talks then."""
    outside, desk1 = house.phones.outside, house.phones.desk1
    outside.dial(house.number("603"))
    desk1.wait_ringing()
    desk1.answer()
    desk1.wait("CALL_ESTABLISHED")
    desk1.wait_hearing()
    assert not outside.count("CALL_ESTABLISHED")
    desk1.press("1")
    connected(outside, desk1)
    over(house, outside, desk1)


@pytest.mark.parametrize("number", ["604", "605"])
def test_nobody_answers(house: Behind, number: str) -> None:
    """It overflows to another group behind the same PBX, and to a phone of ours."""
    outside, desk1 = house.phones.outside, house.phones.desk1
    outside.dial(house.number(number))
    desk1.wait_ringing()
    last = house.phones.desk2 if number == "604" else house.phones.ben
    last.wait_ringing()
    last.answer()
    connected(outside, last)
    over(house, last, outside)


def test_nobody_is_in(house: Behind) -> None:
    """The caller is diverted at once; who logs in by another door is rung by the next call."""
    outside, anna, desk1 = house.phones.outside, house.phones.anna, house.phones.desk1
    group, member = house.name("empty"), house.name("d1")
    taken(house, outside, anna, house.number("606"))
    assert "nobody logged in" in str(house.agent.ask("explain"))
    over(house, outside, anna)
    house.agent.login(group, member)
    outside.forget()
    taken(house, outside, desk1, house.number("606"))
    over(house, outside, desk1)
    house.agent.logout(group, member)


def test_night(house: Behind) -> None:
    """A group that is closed sends its callers on at once."""
    house.agent.ask("night", group=house.name("onward"), night="closed")
    taken(house, house.phones.outside, house.phones.ben, house.number("605"))
    assert house.phones.desk1.count("CALL_INCOMING") == 0
    over(house, house.phones.outside, house.phones.ben)
    house.agent.ask("night", group=house.name("onward"), night="hours")


# -- talks -----------------------------------------------------------------------------------------------------------


def test_keys_pass(house: Behind) -> None:
    """Keys that are pressed in a talk arrive, whichever way it is carried."""
    outside, desk1, anna = house.phones.outside, house.phones.desk1, house.phones.anna
    for other, number in ((desk1, house.number("611")), (anna, "201")):
        outside.forget()
        taken(house, outside, other, number)
        outside.press("5")
        other.wait("CALL_DTMF_START")
        over(house, outside, other)


def test_hold_at_the_phone(house: Behind) -> None:
    """A phone of ours holds a caller from behind the PBX, which refuses every change, and takes the call up again."""
    outside, anna = house.phones.outside, house.phones.anna
    taken(house, outside, anna, "201")
    anna.hold()
    assert anna.direction in ("sendonly", "inactive")
    anna.resume()
    assert anna.direction == "sendrecv"
    connected(outside, anna)
    over(house, anna, outside)


def test_hold_by_command(house: Behind) -> None:
    """A line of ours holds by command; a line behind the PBX does too."""
    outside, anna, desk1 = house.phones.outside, house.phones.anna, house.phones.desk1
    for phone, line, number in ((anna, "anna", "201"), (desk1, house.name("d1"), house.number("611"))):
        outside.forget()
        taken(house, outside, phone, number)
        house.agent.cli("hold", "--line", line)
        assert house.agent.ask("calls")["calls"][0]["held"]
        house.agent.cli("resume", "--line", line)
        connected(outside, phone)
        over(house, phone, outside)


@pytest.mark.parametrize("target", ["ben", "desk2"])
def test_transfer_by_command(house: Behind, target: str) -> None:
    """Anna gives a caller from behind the PBX to a colleague: one of ours, and one behind the PBX."""
    outside, anna, last = house.phones.outside, house.phones.anna, getattr(house.phones, target)
    taken(house, outside, anna, "201")
    house.agent.cli("transfer", "202" if target == "ben" else house.number("612"), "--line", "anna")
    last.wait_ringing()
    last.answer()
    anna.wait("CALL_CLOSED")
    connected(outside, last)
    over(house, last, outside)


@pytest.mark.parametrize("target", ["ben", "desk2"])
def test_transfer_at_the_phone(house: Behind, target: str) -> None:
    """By REFER, which ends at the bridge: the PBX, which takes none, sees none."""
    outside, anna, last = house.phones.outside, house.phones.anna, getattr(house.phones, target)
    taken(house, outside, anna, "201")
    anna.transfer("202" if target == "ben" else house.number("612"))
    last.wait_ringing()
    last.answer()
    anna.wait("CALL_CLOSED")
    connected(outside, last)
    assert not [each for each in house.refused() if each.startswith("REFER")]
    over(house, outside, last)


def test_transfer_of_who_was_called(house: Behind) -> None:
    """Anna has called a line behind the PBX, and gives it to Ben."""
    anna, desk1, ben = house.phones.anna, house.phones.desk1, house.phones.ben
    taken(house, anna, desk1, house.number("611"))
    house.agent.cli("transfer", "202", "--line", "anna")
    ben.wait_ringing()
    ben.answer()
    anna.wait("CALL_CLOSED")
    connected(desk1, ben)
    over(house, ben, desk1)


def test_attended_transfer(house: Behind) -> None:
    """Anna holds the caller, asks Ben, and connects the two."""
    outside, anna, ben = house.phones.outside, house.phones.anna, house.phones.ben
    taken(house, outside, anna, "201")
    house.agent.cli("hold", "--line", "anna")
    anna.dial("202")
    ben.wait_ringing()
    ben.answer()
    ben.wait("CALL_ESTABLISHED")
    house.agent.cli("transfer", "--line", "anna")
    anna.wait("CALL_CLOSED", 2)
    connected(outside, ben)
    over(house, outside, ben)


def test_pick_up(house: Behind) -> None:
    """Ben dials the code while Anna's phone rings for a caller from outside; a line behind the PBX does by command."""
    outside, anna, ben, desk2 = (getattr(house.phones, name) for name in ("outside", "anna", "ben", "desk2"))
    house.agent.login("own", "anna")
    outside.dial("607")
    anna.wait_ringing()
    ben.dial("*8607")
    connected(outside, ben)
    anna.wait("CALL_CLOSED")
    over(house, ben, outside)
    outside.forget()
    outside.dial("607")
    anna.wait("CALL_INCOMING", 2)
    house.agent.ask("pickup", group="607", line=house.name("d2"))
    desk2.wait_ringing()
    desk2.answer()
    connected(outside, desk2)
    over(house, outside, desk2)
    house.agent.logout("own", "anna")


def test_dial_and_hang_up_by_command(house: Behind) -> None:
    """Anna's phone first, then a line behind the PBX; and the other way about."""
    anna, desk1 = house.phones.anna, house.phones.desk1
    line = house.name("d1")
    for first, then, own, number in ((anna, desk1, "anna", house.number("611")), (desk1, anna, line, "201")):
        house.agent.ask("dial", line=own, number=number)
        first.wait_ringing()
        first.answer()
        first.wait_hearing()
        then.wait_ringing()
        then.answer()
        connected(first, then)
        house.agent.ask("hangup", line=own)
        for phone in (first, then):
            phone.wait("CALL_CLOSED")
        house.agent.wait_idle()
        anna.forget()
        desk1.forget()


def test_diverted_and_not_to_be_disturbed(house: Behind) -> None:
    """A line of ours diverts to one behind the PBX, and back; nobody rings at one that is not to be disturbed."""
    outside, anna, desk1 = house.phones.outside, house.phones.anna, house.phones.desk1
    line = house.name("d1")
    for off, on, called, to in (("anna", desk1, "201", house.number("611")), (line, anna, house.number("611"), "201")):
        house.agent.ask("divert", line=off, number=to)
        taken(house, outside, on, called)
        over(house, outside, on)
        house.agent.ask("divert", line=off, number="off")
        outside.forget()
    house.agent.ask("dnd", line=line, on=True)
    outside.dial(house.number("611"))
    outside.wait("CALL_CLOSED")
    assert desk1.count("CALL_INCOMING") == 1
    house.agent.ask("dnd", line=line, on=False)


# -- restarts, and a new configuration -------------------------------------------------------------------------------


def test_power_cut(house: Behind, site: Site) -> None:
    """A talk through the PBX goes on after kill -9; its hang-up is carried through, and the next call comes in."""
    outside, desk1 = house.phones.outside, house.phones.desk1
    taken(house, outside, desk1, house.number("611"))
    call = house.agent.ask("calls")["calls"][0]["call"]
    wait_until(lambda: _kept(house, call), house.agent.report)
    house.agent.kill()
    house.agent.start()
    connected(outside, desk1)
    over(house, desk1, outside)
    site.wait_registered()
    outside.forget()
    desk1.forget()
    taken(house, outside, desk1, house.number("611"))
    over(house, outside, desk1)


def _kept(house: Behind, call: str) -> bool:
    """Whether a talk is written for the next start; the database lets nobody else in, so a copy is read."""
    with TemporaryDirectory() as copy, suppress(sqlite3.Error, FileNotFoundError):
        for name in ("kept.db-wal", "kept.db"):
            (Path(copy) / name).write_bytes((house.agent.state / name).read_bytes())
        with closing(sqlite3.connect(Path(copy) / "kept.db")) as database:
            rows = database.execute("SELECT value FROM kept WHERE kind = 'talks'").fetchall()
        return any(json.loads(row[0])["call"] == call for row in rows)
    return False


def test_reload_in_a_talk(house: Behind, site: Site) -> None:
    """The talk and the registrations stay."""
    outside, anna = house.phones.outside, house.phones.anna
    taken(house, outside, anna, "201")
    assert "in force" in site.agent.reload(**site.tables) or "taken" in site.agent.process.output
    connected(outside, anna)
    over(house, outside, anna)


def test_stop_takes_the_registrations_back(site: Site) -> None:
    """SIGTERM: no PBX finds us any more; the next start registers at once."""
    assert site.agent.process.end() == 0
    for manner in MANNERS:
        house = site.at(manner)
        house.phones.outside.dial("201")
        house.phones.outside.wait("CALL_CLOSED")
        wait_until(partial(_refused_last, house, "INVITE 404"), house.pbx.process.report)  # it logs in its own time
        house.phones.outside.forget()
    site.agent.start()
    site.wait_registered()


def _refused_last(house: Behind, what: str) -> bool:
    return house.pbx.refused()[-1:] == [what]


# -- outward, and who calls ------------------------------------------------------------------------------------------


def test_call_outside(house: Behind) -> None:
    """Through this PBX by the line that may; nothing that costs, and nobody from behind it."""
    outside = house.phones.outside
    own = dict(zip(MANNERS, (house.phones.anna, house.phones.ben, house.phones.cara), strict=True))[house.manner]
    taken(house, own, outside, "0301234")
    over(house, outside, own)
    own.dial("0900123456")
    own.wait("CALL_CLOSED", 2)
    assert outside.count("CALL_INCOMING") == 1


def test_blocked_caller(house: Behind, sipp: Callable[..., Sipp]) -> None:
    """Declined before anything rings."""
    way = {"host": OUTSIDE, "remote": house.pbx.port, "remote_host": HOST}
    sipp("caller_is_refused", service=house.number("611"), keys={"caller": "0900666"}, **way).passed()
    assert not house.phones.desk1.count("CALL_INCOMING")


def test_what_is_odd_is_said(house: Behind) -> None:
    """Once something was to be changed in a call, `status` tells that this PBX changes none; so does `doctor`."""
    outside, anna = house.phones.outside, house.phones.anna
    taken(house, outside, anna, "201")
    anna.hold()
    over(house, anna, outside)
    told = house.agent.ask("status")["trunks"][house.manner]
    assert told["state"] == "registered" and "lets no call be held or transferred" in told["odd"]


def test_codes_are_for_phones_of_ours(house: Behind) -> None:
    """Whoever dials a code behind the PBX calls the trunk's number, and logs nobody in."""
    outside, desk1 = house.phones.outside, house.phones.desk1
    taken(house, outside, desk1, "*41600")
    over(house, outside, desk1)
    assert house.agent.ask("member", group=house.name("empty"), member=house.name("d1"))["login"] == "OFF"


def test_menu(house: Behind) -> None:
    """By its number, with number and PIN; keys as telephone events through PBX and bridge."""
    outside = house.phones.outside
    outside.dial("1700")
    outside.wait("CALL_ESTABLISHED")
    outside.wait_hearing()
    outside.press(f"201#{PIN}#")
    house.agent.process.wait_for(f"menu: anna is known by PIN, from 0301234 \\(trunk {house.manner}\\)")
    outside.press("1")
    wait_until(lambda: house.agent.ask("member", group="own", member="anna")["login"] == "ON", house.agent.report)
    outside.press("*")
    outside.wait("CALL_CLOSED")
    house.agent.logout("own", "anna")


def test_early_media_that_leads_nowhere(house: Behind) -> None:
    """Anna hears 180 and no announcement, whatever the PBX sends before the phone behind it declines."""
    anna, desk1 = house.phones.anna, house.phones.desk1
    anna.dial(house.number("611"))
    desk1.wait_ringing()
    anna.wait("CALL_RINGING")
    desk1.hang_up()
    anna.wait("CALL_CLOSED")
    assert not anna.count("CALL_REMOTE_SDP")
    assert house.line("d1") == "unknown"
