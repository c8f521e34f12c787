"""Levels only add: whatever is given to whomever, in whatever order, nobody loses a right by it."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from bridge.commands.model import Actor, Kind
from bridge.commands.rights import Right, may, may_at
from bridge.directory.model import Directory, Group, Level, Line, Member, User

USERS = ("anna", "ben", "cara")
DEVICE = "lobby"
EVERYBODY = tuple(Actor(Kind.USER, name) for name in USERS) + (Actor(Kind.DEVICE, DEVICE),)
SERVICES = ("member_journal", "leader_journal", "supervise")
RANK = {level: rank for rank, level in enumerate(Level)}

users, levels, groups = st.sampled_from(USERS), st.sampled_from(Level), st.sampled_from(("support", "sales"))
gifts = st.one_of(
    st.tuples(st.just("site"), levels),
    st.tuples(st.just("member level"), groups, levels),
    st.tuples(st.just("leader level"), groups, levels),
    st.tuples(st.just("member"), groups, st.sampled_from((*USERS, DEVICE))),
    st.tuples(st.just("leader"), groups, users),
    st.tuples(st.just("service"), groups, st.sampled_from(SERVICES)),
    st.tuples(st.just("active"), groups),
    st.tuples(st.just("grant"), users, users, levels),
    st.tuples(st.just("additional"), users, st.sampled_from((*USERS, DEVICE))),
)


def empty() -> Directory:
    """Return users, a device and two groups without anything, of which one is inactive."""
    made = {
        name: Group(name, name, None, (), (), Level.NONE, Level.NONE, frozenset(), active=name == "support")
        for name in ("support", "sales")
    }
    lines = {name: Line(name, str(number)) for number, name in enumerate((*USERS, "second", DEVICE), 201)}
    people = {name: User(name, name, name, "second" if name == "anna" else None) for name in USERS}
    return Directory(lines, people, made, Level.NONE)


def give(directory: Directory, gift: tuple[str, ...]) -> Directory:
    """Return the directory with one thing more given to somebody."""
    kind, *what = gift
    if kind == "site":
        return replace(directory, site_level=higher(directory.site_level, Level(what[0])))
    if kind in ("grant", "additional"):
        user = directory.users[what[0]]
        user = (
            replace(user, grants=(*user.grants, (what[1], Level(what[2]))))
            if kind == "grant"
            else replace(user, additional_lines=(*user.additional_lines, what[1]))
        )
        return replace(directory, users={**directory.users, user.name: user})
    group = with_more(directory.groups[what[0]], kind, *what[1:])
    return replace(directory, groups={**directory.groups, group.name: group})


def with_more(group: Group, kind: str, what: str = "") -> Group:
    """Return the group with more given in it."""
    match kind:
        case "member level":
            return replace(group, member_level=higher(group.member_level, Level(what)))
        case "leader level":
            return replace(group, leader_level=higher(group.leader_level, Level(what)))
        case "member" if group.member(what) is None:
            return replace(group, members=(*group.members, Member(what, what, device=what == DEVICE)))
        case "leader":
            return replace(group, leaders=(*group.leaders, what))
        case "service":
            return replace(group, services=group.services | {what})
        case "active":
            return replace(group, active=True)
    return group


def higher(one: Level, other: Level) -> Level:
    """Return the higher level."""
    return max(one, other, key=RANK.__getitem__)


def held(directory: Directory) -> set[tuple[object, ...]]:
    """Return every right that anybody has over anybody, in every group and at every line."""
    places = (None, *directory.groups.values())
    over = {
        (actor, right, target, group and group.name)
        for actor, right, target, group in product(EVERYBODY, Right, EVERYBODY, places)
        if may(actor, right, target, directory, group)
    }
    at = {
        (actor, right, line)
        for actor, right, line in product(EVERYBODY, Right, directory.lines)
        if may_at(actor, right, line, directory)
    }
    return {*over, *at}


@given(st.lists(gifts, max_size=6))
def test_no_sequence_of_grants_takes_a_right_away(given_one_by_one: list[tuple[str, ...]]) -> None:
    """After each thing that is given, everybody has what they had, at least."""
    directory = empty()
    before = held(directory)
    for gift in given_one_by_one:
        directory = give(directory, gift)
        after = held(directory)
        assert before <= after, f"{gift} took away {before - after}"
        before = after


@given(st.lists(gifts, max_size=8))
def test_no_level_reaches_a_device(given_one_by_one: list[tuple[str, ...]]) -> None:
    """Its line is its own, or that of whom it was given to as an additional one."""
    directory = empty()
    for gift in given_one_by_one:
        directory = give(directory, gift)
    device = EVERYBODY[-1]
    for right, user in product(Right, EVERYBODY[:-1]):
        assert not may(device, right, user, directory)
        if right not in (Right.SEE_STATE, Right.SEE_CALLS, Right.PICKUP, Right.CONTROL):
            assert not may(user, right, device, directory)
        elif right is not Right.SEE_STATE:
            has = DEVICE in directory.users[user.name].additional_lines
            assert may(user, right, device, directory) is has
