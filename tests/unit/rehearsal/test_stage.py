"""The rehearsal: what the real hunting does with a day of calls, on a fake clock."""

from __future__ import annotations

import math
from dataclasses import replace
from random import Random

import pytest

from bridge.directory.hours import Hours
from bridge.directory.model import Directory, Group, Line, Member, Queue, Strategy
from bridge.rehearsal.day import might_be, that_was
from bridge.rehearsal.measure import occupancies, outcomes, slots
from bridge.rehearsal.model import Arrival, Manner, Played
from bridge.rehearsal.picture import picture
from bridge.rehearsal.stage import Stage

AT_ONCE = Manner(answers_after=0.0, lets_ring=0.0)
FOR_EVER = 1e9


def office(members: int, **rules: object) -> Directory:
    """Return a group `q` of members m1, m2, ..., each with a line."""
    names = [f"m{number}" for number in range(1, members + 1)]
    lines = {name: Line(name, f"2{number:02}") for number, name in enumerate(names, 1)}
    places = tuple(Member(name, name, device=True, always=True) for name in names)
    group = Group("q", "q", "600", places, strategy=Strategy.QUEUE, queue=Queue(wrap_up=0.0))
    return Directory(lines=lines, groups={"q": replace(group, **rules)})  # type: ignore[arg-type]


def played(directory: Directory, *arrivals: Arrival, manner: Manner = AT_ONCE) -> Played:
    """Let these calls come."""
    return Stage(directory, manner, Random(1)).play(arrivals)


def call(at: float, talk: float = 60.0, patience: float = FOR_EVER, group: str = "q") -> Arrival:
    """Return a call."""
    return Arrival(at, group, talk, patience)


def waits(found: Played) -> list[float]:
    """Return for how long each caller waited, in the order of their calls."""
    return [round(fate.waited, 3) for fate in found.fates]


def erlang_c(servers: int, load: float) -> float:
    """Return the share of callers who have to wait in an M/M/c queue (Erlang, 1917)."""
    below = sum(load**k / math.factorial(k) for k in range(servers))
    full = load**servers / math.factorial(servers) * servers / (servers - load)
    return full / (below + full)


def test_a_queue_agrees_with_erlang_c() -> None:
    """100,000 calls at three agents who talk 70 % of the time: the mean wait, and how many wait at all, within 2 %.

    Gaps and talks are scaled to their exact means, so that it is the queue that is measured and not the dice.
    """
    servers, talk, count, rng = 3, 100.0, 100_000, Random(2)
    load = 0.7 * servers
    gaps = [rng.expovariate(1) for _ in range(count)]
    talks = [rng.expovariate(1) for _ in range(count)]
    gap_scale, talk_scale = count / sum(gaps) * talk / load, count * talk / sum(talks)
    at, arrivals = 0.0, []
    for gap, length in zip(gaps, talks, strict=True):
        at += gap * gap_scale
        arrivals.append(call(at, length * talk_scale))
    found = waits(Stage(office(servers), AT_ONCE, rng).play(arrivals))
    expected = erlang_c(servers, load)
    assert sum(wait > 0 for wait in found) / count == pytest.approx(expected, rel=0.02)
    assert sum(found) / count == pytest.approx(expected * talk / (servers - load), rel=0.02)


def test_callers_are_served_first_come_first_served() -> None:
    """One agent: each caller waits for the talks of all before; wrap-up is waited for too."""
    arrivals = [call(0.0), call(1.0), call(2.0)]
    assert waits(played(office(1), *arrivals)) == [0.0, 59.0, 118.0]
    assert waits(played(office(1, queue=Queue(wrap_up=10.0)), *arrivals)) == [0.0, 69.0, 138.0]


def test_a_caller_without_patience_gives_up() -> None:
    """And the one behind moves up; the agent is not held up by who has gone."""
    found = played(office(1), call(0.0), call(1.0, patience=30.0), call(2.0))
    assert waits(found) == [0.0, 30.0, 58.0]
    assert [fate.gave_up for fate in found.fates] == [False, True, False]


def test_sequential_rings_one_after_the_other() -> None:
    """A member who lets it ring is left after ring_seconds; nobody at all: the call is lost when the hunt gives up."""
    rules = {"strategy": Strategy.SEQUENTIAL, "ring_seconds": 15.0, "give_up_after": 40.0}
    found = played(office(2, **rules), call(0.0), manner=Manner(0.0, 1.0))
    assert (found.fates[0].taken_by, waits(found)) == (None, [40.0])
    busy = played(office(1, **rules), call(0.0), call(1.0))
    assert [fate.taken_by for fate in busy.fates] == ["m1", None]


def test_parallel_gives_it_to_who_is_first() -> None:
    """All ring, one talks, the other is free for the next caller."""
    found = played(office(2, strategy=Strategy.PARALLEL), call(0.0), call(1.0))
    assert {fate.taken_by for fate in found.fates} == {"m1", "m2"} and waits(found) == [0.0, 0.0]


def test_what_nobody_takes_goes_on() -> None:
    """To the overflow, once; a closed group's callers go on at once; a number that is no group's is the end."""
    directory = office(1, strategy=Strategy.SEQUENTIAL, overflow="r", hours=Hours.of(["mon-sun 00:00-00:01"]))
    other = replace(directory.groups["q"], name="r", number="601", hours=None, overflow="q")
    directory = replace(directory, groups={**directory.groups, "r": other})
    found = played(directory, call(50_000.0), call(50_001.0))
    assert [(fate.group, fate.taken_by) for fate in found.fates] == [("r", "m1"), ("r", None)]


def test_members_come_and_go_by_their_schedule() -> None:
    """Who waits is served when the day begins; occupancy counts the time of being there."""
    directory = office(1)
    member = replace(directory.groups["q"].members[0], always=False, schedule=Hours.of(["mon-sun 10:00-12:00"]))
    queue = Queue(join_empty=True, leave_empty=False, wrap_up=0.0)
    directory = replace(directory, groups={"q": replace(directory.groups["q"], members=(member,), queue=queue)})
    member_schedule = member.schedule
    assert member_schedule is not None
    nine = 1_790_000_000.0 - 1_790_000_000.0 % 86_400
    opens = member_schedule.next_change(nine)
    assert opens is not None
    if member_schedule.contain(nine):
        opens = member_schedule.next_change(opens)
    assert opens is not None
    found = played(directory, call(opens - 100.0, talk=3600.0), call(opens + 7000.0, talk=200.0))
    assert waits(found) == [100.0, 0.0]
    assert occupancies(found)["m1"] == pytest.approx(3800 / 7200, rel=0.05)


def test_the_same_seed_is_the_same_day() -> None:
    """And another one is another day."""
    days = [might_be(["q"], 0.0, 20.0, 180.0, 90.0, Random(seed)) for seed in (1, 1, 2)]
    assert days[0] == days[1] != days[2]
    outcome = [outcomes(played(office(3), *day, manner=Manner()))["q"] for day in days]
    assert outcome[0] == outcome[1] != outcome[2]
    assert outcome[0].calls == outcome[0].answered + outcome[0].abandoned + outcome[0].lost


def test_the_journals_day_comes_again() -> None:
    """Calls to these groups at their times; who gave up is as patient as then, who was not served talks like others."""
    entry = {"groups": ["q"], "began": "2026-11-23T08:00:00Z", "caller": None, "wait": 10.0, "talk": 100.0}
    entries = [
        {**entry, "result": "answered"},
        {**entry, "result": "abandoned", "talk": 0.0, "wait": 33.0},
        {**entry, "result": "answered", "groups": ["other"]},
        {**entry, "result": "answered", "groups": []},
    ]
    first, second = that_was(entries, ["q"], 90.0, Random(1))
    assert (first.talk, first.at) == (100.0, 1_795_420_800.0) and first.patience > 10.0
    assert second.patience == 33.0 and second.talk > 0.0


def test_a_picture_has_a_strip_for_each_configuration() -> None:
    """With their names, whatever those are."""
    day = might_be(["q"], 0.0, 20.0, 180.0, 90.0, Random(1))
    drawn = picture({"a<b": slots(played(office(2), *day)), "c": slots(played(office(3), *day)), "none": []})
    assert drawn.startswith("<svg ") and drawn.endswith("</svg>\n")
    assert "a&lt;b" in drawn and drawn.count("<polyline") == 3
