"""Every right at every level in every relation, from the design's table; and what lies beside the levels."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.commands.model import BRIDGE, OWNER, Actor, CommandError, Kind
from bridge.commands.rights import (
    LEADER_JOURNAL,
    MEMBER_JOURNAL,
    SUPERVISE,
    Right,
    level_over,
    may,
    may_at,
    people_at,
    refusal,
    require_at,
    sees_journal,
    sources,
)
from bridge.directory.model import Directory, Group, Level, Line, Member, User

ANNA, BEN, CARA = (Actor(Kind.USER, name) for name in ("anna", "ben", "cara"))
LOBBY, WORKSHOP = (Actor(Kind.DEVICE, name) for name in ("lobby", "workshop"))

TABLE = """
                                                         none public business team personal
see login and line state of                              -    yes    yes      yes  yes
see callers and the diversion of                         -    -      yes      yes  yes
see callers and the diversion at the second line of      -    -      -        yes  yes
pause                                                    -    -      -        yes  yes
pick up calls that ring at                               -    -      -        yes  yes
pick up calls that ring at the second line of            -    -      -        -    yes
set the diversion of                                     -    -      -        -    yes
log in or out                                            -    -      -        -    yes
control the line of                                      -    -      -        -    -
"""

NUMBERS = {"anna": "201", "anna-mobile": "211", "ben": "202", "cara": "204", "lobby": "203", "workshop": "205"}


def site(*groups: Group, level: Level = Level.NONE, grants: dict[str, Level] | None = None) -> Directory:
    """Return three users, Anna with a second line, and two devices; `grants` are Anna's."""
    anna = User("anna", "Anna", "anna", "anna-mobile", grants=tuple((grants or {}).items()))
    users = {"anna": anna, "ben": User("ben", "Ben", "ben"), "cara": User("cara", "Cara", "cara")}
    lines = {name: Line(name, number) for name, number in NUMBERS.items()}
    return Directory(lines, users, {group.name: group for group in groups}, level)


def group(*members: str, name: str = "support", services: tuple[str, ...] = (), **more: object) -> Group:
    """Return a group of these users and devices, in which nobody has anything unless it is said."""
    places = tuple(Member(m, m, device=m in ("lobby", "workshop")) for m in members)
    made = Group(name, name.title(), None, places, member_level=Level.NONE, leader_level=Level.NONE)
    return replace(made, services=frozenset(services), **more)  # type: ignore[arg-type]


def rows() -> dict[Right, dict[Level, bool]]:
    """Return the table."""
    lines = TABLE.strip("\n").splitlines()
    levels = [Level(word) for word in lines[0].split()]
    found = {}
    for line in lines[1:]:
        words, cells = line[:57].strip(), line[57:].split()
        found[Right(words)] = {level: cell == "yes" for level, cell in zip(levels, cells, strict=True)}
    return found


def by_site(level: Level) -> Directory:
    """Everybody has the level over everybody."""
    return site(level=level)


def by_membership(level: Level) -> Directory:
    """Ben is in a group with Anna."""
    return site(group("anna", "ben", member_level=level))


def by_leading(level: Level) -> Directory:
    """Ben leads a group that he and Anna are in."""
    return site(group("anna", "ben", leaders=("ben",), leader_level=level))


def by_leading_from_outside(level: Level) -> Directory:
    """Ben leads Anna's group and is not in it."""
    return site(group("anna", "cara", leaders=("ben",), leader_level=level))


def by_deputy(level: Level) -> Directory:
    """Ben is the second of two leaders."""
    return site(group("anna", leaders=("cara", "ben"), leader_level=level))


def by_grant(level: Level) -> Directory:
    """Anna gave it to Ben."""
    return site(grants={"ben": level})


GIVING = [by_site, by_membership, by_leading, by_leading_from_outside, by_deputy, by_grant]


def not_by_an_inactive_group(level: Level) -> Directory:
    """The group is switched off as a whole."""
    return site(group("anna", "ben", leaders=("ben",), member_level=level, leader_level=level, active=False))


def not_by_the_leaders_level(level: Level) -> Directory:
    """Ben is a member where only leaders have the level."""
    return site(group("anna", "ben", leaders=("cara",), leader_level=level))


def not_by_the_members_level(level: Level) -> Directory:
    """Ben leads from outside a group whose members have the level among themselves."""
    return site(group("anna", "cara", leaders=("ben",), member_level=level))


def not_over_a_leader_outside(level: Level) -> Directory:
    """Anna leads Ben's group without being in it; nobody has anything over her through it."""
    return site(group("ben", "cara", leaders=("anna",), member_level=level, leader_level=level))


def not_by_another_group(level: Level) -> Directory:
    """Each is in a group, and not in the same one."""
    return site(group("anna", "cara", member_level=level), group("ben", "cara", name="sales", member_level=level))


def not_by_somebody_elses_grant(level: Level) -> Directory:
    """Anna gave it to Cara."""
    return site(grants={"cara": level})


NOT_GIVING = [
    not_by_an_inactive_group,
    not_by_the_leaders_level,
    not_by_the_members_level,
    not_over_a_leader_outside,
    not_by_another_group,
    not_by_somebody_elses_grant,
]


def test_the_table_has_every_right() -> None:
    """None is left out."""
    assert set(rows()) == set(Right)


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("right", Right)
@pytest.mark.parametrize("relation", GIVING)
def test_a_level_gives_what_the_table_says(relation: object, right: Right, level: Level) -> None:
    """By whatever way Ben has the level over Anna, it gives the same; and none of it back to her over him."""
    directory = relation(level)  # type: ignore[operator]
    assert may(BEN, right, ANNA, directory) is rows()[right][level]
    assert level_over(BEN, ANNA, directory) is level


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("right", Right)
@pytest.mark.parametrize("relation", NOT_GIVING)
def test_a_level_elsewhere_gives_nothing(relation: object, right: Right, level: Level) -> None:
    """What others have, or have over others, is not Ben's over Anna."""
    assert not may(BEN, right, ANNA, relation(level))  # type: ignore[operator]


@pytest.mark.parametrize("right", Right)
@pytest.mark.parametrize("target", [ANNA, LOBBY])
def test_everybody_has_all_over_themselves(right: Right, target: Actor) -> None:
    """Whatever the levels are; and the owner and the bridge itself over everybody."""
    assert may(target, right, target, site(group("anna", "lobby")))
    assert may(OWNER, right, target, site())
    assert may(BRIDGE, right, target, site())


@pytest.mark.parametrize("right", [right for right in Right if right is not Right.SEE_STATE])
@pytest.mark.parametrize(("actor", "target"), [(LOBBY, ANNA), (ANNA, LOBBY), (LOBBY, WORKSHOP)])
def test_devices_give_and_get_nothing(actor: Actor, target: Actor, right: Right) -> None:
    """The highest level of site and group is none to a device, over a device, and among devices."""
    everything = group("anna", "lobby", "workshop", member_level=Level.PERSONAL, leader_level=Level.PERSONAL)
    directory = site(everything, level=Level.PERSONAL, grants={"lobby": Level.PERSONAL})
    assert not may(actor, right, target, directory)
    assert level_over(actor, target, directory) is Level.NONE


def test_a_device_is_not_the_user_of_its_name() -> None:
    """Kind and name together say who somebody is."""
    directory = site(group("anna", "ben", member_level=Level.PERSONAL))
    assert not may(Actor(Kind.DEVICE, "ben"), Right.LOGIN, ANNA, directory)
    assert not may(BEN, Right.LOGIN, Actor(Kind.DEVICE, "anna"), directory)
    assert not may(Actor(Kind.DEVICE, "anna"), Right.LOGIN, ANNA, directory)


def test_the_state_of_a_device_is_its_groups() -> None:
    """It is shown to whom the group is shown: its members and leaders, and all where everybody sees groups."""
    own = group("anna", "lobby", leaders=("cara",))
    assert may(ANNA, Right.SEE_STATE, LOBBY, site(own))
    assert may(CARA, Right.SEE_STATE, LOBBY, site(own))
    assert not may(BEN, Right.SEE_STATE, LOBBY, site(own))
    assert may(BEN, Right.SEE_STATE, LOBBY, site(own, level=Level.PUBLIC))
    assert not may(ANNA, Right.SEE_STATE, LOBBY, site(replace(own, active=False)))


def test_who_is_not_configured_has_nothing() -> None:
    """A name that no user has gets no site-wide level."""
    assert not may(Actor(Kind.USER, "zoe"), Right.SEE_STATE, ANNA, site(level=Level.PERSONAL))


@pytest.mark.parametrize("right", Right)
def test_supervise_covers_logins_in_that_group(right: Right) -> None:
    """Leaders log members in and out, devices too, and pause them; in that group alone, and nothing else."""
    support = group("anna", "lobby", leaders=("ben",), services=(SUPERVISE,))
    sales = group("anna", "lobby", name="sales")
    directory = site(support, sales)
    logins = right in (Right.LOGIN, Right.PAUSE)
    assert may(BEN, right, ANNA, directory, support) is logins
    assert may(BEN, right, LOBBY, directory, support) is (logins or right is Right.SEE_STATE)
    assert not may(BEN, right, ANNA, directory, sales)
    assert not may(BEN, right, ANNA, directory)
    assert not may(CARA, right, ANNA, directory, support)
    assert not may(BEN, right, ANNA, site(replace(support, active=False)), replace(support, active=False))


def test_leaving_out_supervise_revokes_nothing_given_elsewhere() -> None:
    """A leader whose level is personal still logs members in."""
    directory = site(group("anna", leaders=("ben",), leader_level=Level.PERSONAL))
    assert may(BEN, Right.LOGIN, ANNA, directory, directory.groups["support"])


@pytest.mark.parametrize("level", Level)
def test_control_is_for_own_and_additional_lines(level: Level) -> None:
    """No level gives it; an additional line does, of users and of devices, with what controlling it needs."""
    anna = replace(site().users["anna"], additional_lines=("lobby", "ben"))
    directory = site(group("anna", "ben", "lobby", member_level=level), level=level)
    directory = replace(directory, users={**directory.users, "anna": anna})
    for line, who in (("lobby", LOBBY), ("ben", BEN)):
        assert may(ANNA, Right.CONTROL, who, directory)
        for right in (Right.CONTROL, Right.SEE_CALLS, Right.PICKUP, Right.SEE_STATE):
            assert may_at(ANNA, right, line, directory)
    for other in (BEN, CARA, LOBBY):
        assert not may_at(other, Right.CONTROL, "anna", directory)
    assert may_at(ANNA, Right.CONTROL, "anna-mobile", directory)
    assert may_at(LOBBY, Right.CONTROL, "lobby", directory)
    assert not may(ANNA, Right.LOGIN, LOBBY, directory)


@pytest.mark.parametrize(
    ("level", "own", "second", "pickup", "second_pickup"),
    [
        (Level.NONE, False, False, False, False),
        (Level.PUBLIC, False, False, False, False),
        (Level.BUSINESS, True, False, False, False),
        (Level.TEAM, True, True, True, False),
        (Level.PERSONAL, True, True, True, True),
    ],
)
def test_lines_ask_for_what_the_table_says(
    level: Level, own: bool, second: bool, pickup: bool, second_pickup: bool
) -> None:
    """At somebody's second line, the same is harder to get."""
    directory = by_membership(level)
    assert may_at(BEN, Right.SEE_CALLS, "anna", directory) is own
    assert may_at(BEN, Right.SEE_CALLS, "anna-mobile", directory) is second
    assert may_at(BEN, Right.PICKUP, "anna", directory) is pickup
    assert may_at(BEN, Right.PICKUP, "anna-mobile", directory) is second_pickup
    assert may_at(BEN, Right.SEE_STATE, "anna-mobile", directory) is (level is not Level.NONE)
    assert may_at(ANNA, Right.PICKUP, "anna-mobile", directory)


def test_a_line_of_two_is_seen_by_whoever_sees_either() -> None:
    """Ben's line is Cara's second one: who may see Cara's second line sees it, too."""
    users = {**site().users, "cara": User("cara", "Cara", "cara", second_line="ben")}
    directory = replace(site(group("anna", "cara", member_level=Level.TEAM)), users=users)
    assert may_at(ANNA, Right.SEE_CALLS, "ben", directory)
    assert people_at("ben", directory) == (BEN, CARA)
    assert people_at("lobby", directory) == (LOBBY,)


def test_a_private_line_shows_no_numbers_to_others() -> None:
    """Whatever their level, and though they control it; all else of it stays as it is."""
    directory = site(level=Level.PERSONAL)
    lines = {**directory.lines, "anna": replace(directory.lines["anna"], private=True)}
    ben = replace(directory.users["ben"], additional_lines=("anna",))
    directory = replace(directory, lines=lines, users={**directory.users, "ben": ben})
    assert not may(BEN, Right.SEE_CALLS, ANNA, directory)
    assert not may_at(BEN, Right.SEE_CALLS, "anna", directory)
    assert may_at(BEN, Right.SEE_CALLS, "anna-mobile", directory)
    assert may_at(BEN, Right.PICKUP, "anna", directory)
    assert may_at(ANNA, Right.SEE_CALLS, "anna", directory)
    assert "private" in refusal(BEN, Right.SEE_CALLS, ANNA, directory)


@pytest.mark.parametrize(
    ("services", "member", "leader"),
    [
        ((), False, False),
        ((SUPERVISE,), False, False),
        ((MEMBER_JOURNAL,), True, False),
        ((LEADER_JOURNAL,), False, True),
        ((MEMBER_JOURNAL, LEADER_JOURNAL), True, True),
    ],
)
def test_who_sees_the_groups_journal(services: tuple[str, ...], member: bool, leader: bool) -> None:
    """Members by `member_journal`, leaders by `leader_journal`; no device, and nobody of an inactive group."""
    support = group("anna", "lobby", leaders=("ben",), services=services)
    assert sees_journal(ANNA, support) is member
    assert sees_journal(BEN, support) is leader
    assert not sees_journal(LOBBY, support)
    assert not sees_journal(CARA, support)
    assert not sees_journal(ANNA, replace(support, active=False))
    assert not sees_journal(BEN, replace(support, active=False))
    assert sees_journal(OWNER, support)


def test_sources_say_where_rights_come_from() -> None:
    """Every way is told, in words and with its level."""
    support = group("anna", "ben", leaders=("ben",), member_level=Level.BUSINESS, services=(SUPERVISE,))
    support = replace(support, leader_level=Level.TEAM)
    directory = site(support, level=Level.PUBLIC, grants={"ben": Level.BUSINESS})
    assert [(source.where, source.level) for source in sources(BEN, ANNA, directory)] == [
        ("site", Level.PUBLIC),
        ("group support as member", Level.BUSINESS),
        ("group support as leader", Level.TEAM),
        ("grant of anna", Level.BUSINESS),
        ("group support as leader (supervise)", None),
    ]


def test_a_refusal_names_what_is_missing() -> None:
    """Which right, over whom, what would give it and what there is."""
    directory = by_membership(Level.BUSINESS)
    assert refusal(BEN, Right.PICKUP, ANNA, directory) == (
        "ben may not pick up calls that ring at anna; that needs the level team over anna (here: business)"
    )
    with pytest.raises(CommandError) as refused:
        require_at(BEN, Right.CONTROL, "anna", directory)
    assert refused.value.code == "not_allowed"
    assert refused.value.message == (
        "ben may not control line anna; that is for its own user, and users who have it among their additional_lines"
    )
    assert "no level applies to devices" in refusal(BEN, Right.PICKUP, LOBBY, directory)
