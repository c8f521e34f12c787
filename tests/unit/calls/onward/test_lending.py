"""Transfers in the relay: neither side of a talk has to agree to anything, be it who called or who was called."""

from __future__ import annotations

import pytest

from bridge.commands.model import LineVerb
from bridge.directory.model import Line, MediaWay
from bridge.media.model import CALLER, MEMBER
from bridge.media.prompts import MUSIC, RINGBACK
from bridge.sip.leg import Leg
from bridge.sip.legevents import Requested
from tests.support.lab import Lab, Phone
from tests.support.ordering import order
from tests.support.ways import ToldMedia, ToldRelay
from tests.unit.calls.test_media import body


def stubborn(phone: Phone, event: Requested) -> None:
    """Refuse every change of a call."""
    event.leg.respond(event.transaction, event.request, 488, None, phone.lab.now)


def answers_at(host: str) -> object:
    """Return a script that answers with A-law at an address."""
    return lambda phone, leg: leg.accept(body(host, 6000, "8"), phone.lab.now)


def relayed() -> tuple[Lab, ToldMedia, Leg]:
    """Return r1 talking to r2 through the relay, both stubborn; m1 is at hand, r1's line may have a second call."""
    media = ToldMedia()
    lines = tuple(
        Line(f"r{n}", f"40{n}", contact=f"sip:r{n}@10.0.2.{n}:5060", media=MediaWay.RELAY, max_calls=2)
        for n in (1, 2, 3)
    )
    lab = Lab(members=1, media=media, more_lines=lines)
    for n in (1, 2, 3):
        lab[f"r{n}"].on_invite = answers_at(f"10.0.2.{n}")  # type: ignore[assignment]
        lab[f"r{n}"].on_request = stubborn
    call = lab["r1"].call("402", body("10.0.2.1", 6000, "8 0"))
    assert lab["r1"].accepted(call)
    return lab, media, call


def port(relay: ToldRelay, side: int) -> tuple[str, int]:
    """Return where a side's packets go."""
    path = relay.paths[0, side]
    assert path is not None
    return path.host, path.port


@pytest.mark.parametrize("held", [False, True])
def test_who_was_called_is_transferred_without_being_asked(held: bool) -> None:
    """It hears ringback at the ports that it knows, then the number; the caller's phone gets a BYE."""
    lab, media, _ = relayed()
    if held:
        assert order(lab, LineVerb.HOLD, "r1").ok
    assert order(lab, LineVerb.TRANSFER, "r1", "201").ok
    assert media.speaker.playing == (RINGBACK,) and lab["m1"].invites[-1].from_.uri.user == "402"
    lab["m1"].leg.accept(body("10.0.0.1", 5000, "8"), lab.now)
    lab.run(1)
    assert lab.sent("r1", "BYE") and len(lab.sent("r2", "INVITE")) == 1
    before, relay = media.opened
    assert before.closed and media.speaker.closed
    assert (port(relay, CALLER), port(relay, MEMBER)) == (("10.0.2.2", 6000), ("10.0.0.1", 5000))
    ports = relay.ports(0)
    assert ports is not None and ports[0] == 20002, "what was the member's port is the caller's of the new talk"
    lab["m1"].leg.hang_up(None, lab.now)
    lab.run(40)
    assert lab.sent("r2", "BYE") and not lab.exchange.ua.legs and media.pairs == 100


@pytest.mark.parametrize("held", [False, True])
def test_nobody_takes_who_was_called(held: bool) -> None:
    """The two talk on as before, also over a restart; who was on hold hears music again."""
    lab, media, call = relayed()
    paths = dict(media.opened[0].paths)
    if held:
        assert order(lab, LineVerb.HOLD, "r1").ok
    lab["m1"].on_invite = lambda phone, leg: leg.reject(486, phone.lab.now)
    assert order(lab, LineVerb.TRANSFER, "r1", "201").ok
    lab.run(1)
    if held:
        assert media.speaker.playing == (MUSIC,) and order(lab, LineVerb.RESUME, "r1").ok
    assert media.opened[0].paths == paths and media.speaker.closed
    call.hang_up(None, lab.now)
    lab.run(40)
    assert lab.sent("r2", "BYE") and not lab.exchange.ua.legs and media.pairs == 100


def test_power_cut_while_the_relay_is_lent() -> None:
    """The talk of before is taken up with each side at its own ports."""
    lab, media, _ = relayed()
    paths, ports = dict(media.opened[0].paths), media.opened[0].ports(0)
    assert order(lab, LineVerb.TRANSFER, "r1", "201").ok
    lab.restart()
    again = media.opened[-1]
    assert (again.paths, again.ports(0)) == (paths, ports)


@pytest.mark.parametrize("who", ["r1", "r2"])
def test_a_side_hangs_up_while_it_rings(who: str) -> None:
    """Who is transferred: the number is cancelled. Who transfers: it goes on."""
    lab, media, call = relayed()
    assert order(lab, LineVerb.TRANSFER, "r1", "201").ok
    (call if who == "r1" else lab["r2"].leg).hang_up(None, lab.now)
    lab.run(1)
    if who == "r1":
        lab["m1"].leg.accept(body("10.0.0.1", 5000, "8"), lab.now)
        lab.run(1)
        lab["r2"].leg.hang_up(None, lab.now)
    lab.run(40)
    assert lab.sent("m1", "BYE" if who == "r1" else "CANCEL")
    assert not lab.exchange.calls() and not lab.exchange.ua.legs and media.pairs == 100


@pytest.mark.parametrize("first", ["r1", "r2"])
def test_two_relayed_talks_become_one(first: str) -> None:
    """Whoever called: the two others hear each other at once, and none of them is asked or told anything."""
    lab, media, _ = relayed()
    other = "r2" if first == "r1" else "r1"
    assert order(lab, LineVerb.HOLD, first).ok
    second = lab[first].call("403", body(f"10.0.2.{first[1]}", 6002, "8"))
    assert lab[first].accepted(second)
    asked = {name: len(lab.sent(name, "INVITE")) for name in ("r1", "r2", "r3")}
    assert order(lab, LineVerb.TRANSFER, first).ok
    lab.run(1)
    assert {name: len(lab.sent(name, "INVITE")) for name in asked} == asked
    assert len(lab.sent(first, "BYE")) == 2 and len(lab.exchange.calls()) == 1
    left = [relay for relay in media.opened if not relay.closed]
    assert len(left) == 1 and {port(left[0], side)[0] for side in (CALLER, MEMBER)} == {
        f"10.0.2.{other[1]}",
        "10.0.2.3",
    }
    lab["r3"].leg.hang_up(None, lab.now)
    lab.run(40)
    assert lab.sent(other, "BYE") and not lab.exchange.ua.legs and media.pairs == 100


@pytest.mark.parametrize("agrees", [False, True])
def test_codecs_that_do_not_fit_together(agrees: bool) -> None:
    """Where the two relays cannot become one the target is asked; where it refuses, both talks are as before."""
    lab, media, _ = relayed()
    assert order(lab, LineVerb.HOLD, "r1").ok
    lab["r3"].on_invite = lambda phone, leg: leg.accept(body("10.0.2.3", 6000, "9"), phone.lab.now)
    if agrees:
        lab["r3"].on_request = lambda phone, event: event.leg.respond(
            event.transaction, event.request, 200, body("10.0.2.3", 6004, "8"), phone.lab.now
        )
    second = lab["r1"].call("403", body("10.0.2.1", 6002, "9"))
    assert lab["r1"].accepted(second)
    assert order(lab, LineVerb.TRANSFER, "r1").ok
    lab.run(1)
    assert len(lab.sent("r3", "INVITE")) == 2
    if not agrees:
        assert len(lab.exchange.calls()) == 2 and not lab.sent("r2", "BYE") and not lab.sent("r3", "BYE")
        assert media.opened[0].speakers[-1].playing == (MUSIC,), "r2 is on hold, as before"
        for name in ("r2", "r3"):
            lab[name].leg.hang_up(None, lab.now)
        lab.run(40)
        assert not lab.exchange.ua.legs and media.pairs == 100, "what the target was offered is given back too"
        return
    [relay] = [relay for relay in media.opened if not relay.closed]
    assert (port(relay, CALLER), port(relay, MEMBER)) == (("10.0.2.2", 6000), ("10.0.2.3", 6004))
    lab["r2"].leg.hang_up(None, lab.now)
    lab.run(40)
    assert lab.sent("r3", "BYE") and not lab.exchange.ua.legs and media.pairs == 100
