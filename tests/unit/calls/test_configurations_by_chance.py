"""Configurations that change in the midst of calls, by chance, over restarts and a bad network: nothing is stuck."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from bridge.calls.model import ExchangeSettings, TrunkSettings
from bridge.directory.model import Directory, Group, Line, Member, Strategy
from tests.support.lab import Lab, Phone
from tests.unit.calls.test_bad_networks import Chance

TRUNK = TrunkSettings("pbx", "10.0.9.9", username="620", register=False)


def another(lab: Lab, full: Directory, rng: random.Random) -> None:
    """Go by another configuration, in which lines, the trunk and groups are there or not, or otherwise."""
    lines = {name: line for name, line in full.lines.items() if rng.random() < 0.75}
    trunks: tuple[TrunkSettings, ...] = ()
    if rng.random() < 0.6:
        trunks = (replace(TRUNK, max_calls=rng.choice((None, 1, 2)), username=rng.choice(("620", "621"))),)
        lines["out"] = Line("out", "250", trunk="pbx", max_calls=rng.choice((1, 5)))
        if "m1" in lines and rng.random() < 0.3:
            lines["m1"] = replace(lines["m1"], contact=None, trunk="pbx")
    members = [member for member in full.groups["g"].members if member.line in lines]
    groups = {"h": Group("h", "H", "601", tuple(members))} if rng.random() < 0.5 else {}
    rng.shuffle(members)
    if "out" in lines and rng.random() < 0.5:
        members.append(Member("out", "out", device=True, always=True))
    if rng.random() < 0.85:
        groups["g"] = replace(
            full.groups["g"],
            members=tuple(members),
            strategy=rng.choice(list(Strategy)),
            overflow=rng.choice((None, "601")),
            max_calls=rng.choice((None, 3)),
            follow_diversion=rng.random() < 0.5,
        )
    watched = frozenset({"out"} if "out" in lines and rng.random() < 0.5 else ())
    lab.directory, lab.settings = Directory(lines, {}, groups), ExchangeSettings(trunks=trunks, watched=watched)
    lab.exchange.configure(lab.directory, lab.settings, lab.now)
    lab.run(0)


@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_stuck(seed: int) -> None:
    """Whatever was called, rang or talked while what it needs came and went: in the end nothing of it is left."""
    rng = random.Random(seed)
    on = Chance(seed, rng.choice(list(Strategy)))
    lab, full = on.lab, on.lab.directory
    lab.add("pbx", ("10.0.9.9", 5060)).on_invite = on.rings
    for turn in range(60):
        on.calls()
        if rng.random() < 0.2:
            leg = lab["c1"].call(rng.choice(("201", "202", "250", "601")))
            on.wanted.append((lab.now + rng.uniform(0.1, 20.0), lab["c1"], leg, "hang up"))
        if rng.random() < 0.1:
            lab["pbx"].call("600", from_="<sip:0301234@10.0.9.9>")
        on.lives(rng.uniform(0.0, 5.0))
        if rng.random() < 0.4:
            another(lab, full, rng)
        if turn in (20, 40):
            lab.restart()
    on.lives(120.0)
    for phone in list(lab.phones.values()):  # nobody knows of any talk any more
        lab.phones[phone.name] = Phone(lab, phone.name, phone.address)
    lab.exchange.configure(full, ExchangeSettings(), lab.now)
    lab.run(1600.0)
    exchange = lab.exchange
    assert exchange.calls() == [] and exchange.ua.legs == {} and len(exchange.ua.layer) == 0
    for name in full.lines:
        use = exchange.lines.use(name)
        assert (use.calls, use.offers, use.rings) == (0, 0, 0)
    assert all(trunk.calls == 0 for trunk in exchange.upstream.trunks.values())
