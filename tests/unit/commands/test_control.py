"""Commands about lines: what their words mean, who may, what is decided."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.calls.status import CallStatus
from bridge.commands.authorise import authorise
from bridge.commands.control import Seen, decide_line
from bridge.commands.decide import Decision
from bridge.commands.model import OWNER, Actor, CommandError, Kind, LineCommand, LineVerb
from bridge.commands.verbs import parse
from bridge.directory.handling import Handling, HandlingChange, Handlings, When
from bridge.directory.instant import Instant
from bridge.directory.logins import Logins, Origin
from bridge.directory.model import Directory, Group, Level, Line, Member, User
from tests.support.office import IN, NOW

ANNA, BEN, CARA, DORA = (Actor(Kind.USER, name) for name in ("anna", "ben", "cara", "dora"))
LOBBY = Actor(Kind.DEVICE, "lobby")


def office(level: Level = Level.PUBLIC, leaders: Level = Level.PUBLIC) -> Directory:
    """Anna (201, mobile 211, controls the lobby too) and Ben (202) and the lobby (203) are in 600, led by Cara."""
    numbers = {"anna": "201", "anna-mobile": "211", "ben": "202", "lobby": "203", "cara": "204", "dora": "205"}
    lines = {name: Line(name, number, dial_out=("pbx",) if name == "anna" else ()) for name, number in numbers.items()}
    users = {name: User(name, name.title(), name) for name in ("ben", "cara", "dora")}
    users["anna"] = User("anna", "Anna", "anna", second_line="anna-mobile", additional_lines=("lobby",))
    members = (Member("anna", "anna"), Member("ben", "ben"), Member("lobby", "lobby", device=True))
    group = Group("support", "Support", "600", members, ("cara",), member_level=level, leader_level=leaders)
    return Directory(lines, users, {"support": group})


def ringing(*rung: str, group: str | None = "support", call: str = "c1") -> CallStatus:
    """Return a call that rings at lines."""
    return CallStatus(call, "hunting", "0305551", "", "600", group, NOW, ringing=rung, rung=rung)


def decided(
    command: LineCommand,
    actor: Actor,
    directory: Directory | None = None,
    *calls: CallStatus,
    handlings: Handlings | None = None,
    inside: tuple[str, ...] = (),
) -> Decision:
    """Return what is decided of a command. Raises CommandError."""
    directory = directory or office()
    authorise(command, actor, directory)
    logins = Logins([(("support", name), IN) for name in inside])
    now = Instant(0.0, NOW, True, NOW)
    seen = Seen(lambda: calls, logins)
    return decide_line(command, actor, Origin.MQTT, directory, handlings or Handlings(), now, seen)


def code(command: LineCommand, actor: Actor, directory: Directory | None = None, *calls: CallStatus) -> str:
    """Return the code of the refusal, "" where there is none."""
    try:
        decided(command, actor, directory, *calls)
    except CommandError as refused:
        return refused.code
    return ""


# -- words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "verb, arguments, command",
    [
        ("dial", {"number": "030 / 123-45"}, LineCommand(LineVerb.DIAL, number="03012345")),
        ("dial", {"number": "112", "line": "201"}, LineCommand(LineVerb.DIAL, line="201", number="112")),
        ("pickup", {"group": "support"}, LineCommand(LineVerb.PICKUP, group="support")),
        ("pickup", {"number": "202", "call": "x"}, LineCommand(LineVerb.PICKUP, number="202", call="x")),
        ("hangup", {}, LineCommand(LineVerb.HANGUP)),
        ("hold", {"member": "anna"}, LineCommand(LineVerb.HOLD, member="anna")),
        ("resume", {"call": "x"}, LineCommand(LineVerb.RESUME, call="x")),
        ("transfer", {"number": "202"}, LineCommand(LineVerb.TRANSFER, number="202")),
        ("transfer", {}, LineCommand(LineVerb.TRANSFER)),
        ("divert", {"number": "202"}, LineCommand(LineVerb.DIVERT, number="202", when=When.ALWAYS)),
        ("divert", {"number": "off", "when": "busy"}, LineCommand(LineVerb.DIVERT, number="", when=When.BUSY)),
        (
            "divert",
            {"number": "202", "when": "no_answer", "after": "25s"},
            LineCommand(LineVerb.DIVERT, number="202", when=When.NO_ANSWER, after=25.0),
        ),
        ("dnd", {"on": True}, LineCommand(LineVerb.DND, on=True)),
        ("dnd", {"on": "off"}, LineCommand(LineVerb.DND, on=False)),
        ("dnd", {}, LineCommand(LineVerb.DND)),
    ],
)
def test_what_arguments_mean(verb: str, arguments: dict[str, Any], command: LineCommand) -> None:
    """Each verb with what it takes."""
    assert parse(verb, arguments, NOW) == command


@pytest.mark.parametrize(
    "verb, arguments, said",
    [
        ("dial", {}, "number is missing"),
        ("dial", {"number": "anna@home"}, "cannot be dialled"),
        ("dial", {"number": 112}, "number is a number; right is text"),
        ("dial", {"number": "1", "group": "x"}, "dial has no argument 'group'"),
        ("pickup", {}, "either group, or number"),
        ("pickup", {"group": "a", "number": "b"}, "either group, or number"),
        ("hold", {"line": "a", "member": "b"}, "line and member are given"),
        ("divert", {"when": "never"}, "when is 'never'; right are always, busy, no-answer"),
        ("divert", {"number": "1", "after": "1h"}, "after is 3600 s; right are 1 to 180 s"),
        ("divert", {"number": "1", "after": "soon"}, "after: 'soon' is no duration"),
        ("dnd", {"on": 3}, "on is a number; right is text"),
        ("dnd", {"on": "maybe"}, "on is 'maybe'; right are true, false and toggle"),
        ("transfer", {"number": "x" * 65}, "number has 65 characters"),
        ("hangup", {"call": "a\nb"}, "control characters"),
    ],
)
def test_what_is_wrong_is_told(verb: str, arguments: dict[str, Any], said: str) -> None:
    """With what would be right."""
    with pytest.raises(CommandError) as refused:
        parse(verb, arguments, NOW)
    assert refused.value.code == "bad_request" and said in refused.value.message


def test_a_users_own_topics_mean_the_users_own_line() -> None:
    """Unless a line or another member is named."""
    assert parse("hangup", {}, NOW, own="anna").member == "anna"  # type: ignore[union-attr]
    assert parse("hangup", {"line": "lobby"}, NOW, own="anna") == LineCommand(LineVerb.HANGUP, line="lobby")


# -- who may ----------------------------------------------------------------------------------------------------------

CONTROL = (LineVerb.DIAL, LineVerb.HANGUP, LineVerb.HOLD, LineVerb.RESUME, LineVerb.TRANSFER)
SETTINGS = (LineVerb.DIVERT, LineVerb.DND)


@pytest.mark.parametrize("verb", [*CONTROL, *SETTINGS])
@pytest.mark.parametrize(
    "actor, line, may",
    [
        (ANNA, "anna", True),
        (ANNA, "201", True),
        (ANNA, "anna-mobile", True),
        (ANNA, "lobby", True),  # an additional line
        (ANNA, "ben", False),
        (BEN, "anna", False),
        (BEN, "lobby", False),
        (CARA, "ben", False),
        (LOBBY, "lobby", True),
        (LOBBY, "anna", False),
        (OWNER, "ben", True),
    ],
)
def test_who_controls_a_line(verb: LineVerb, actor: Actor, line: str, may: bool) -> None:
    """Its own user, and who has it among the additional lines; no level gives it, however high."""
    level = Level.TEAM if verb in SETTINGS else Level.PERSONAL
    found = code(LineCommand(verb, line=line, number="205"), actor, office(level, level))
    assert found == ("" if may else "not_allowed")


@pytest.mark.parametrize("verb", SETTINGS)
def test_the_level_personal_sets_diversion_and_do_not_disturb(verb: LineVerb) -> None:
    """Of the member's own line; not of the second one, nor of a device's."""
    directory = office(leaders=Level.PERSONAL)
    answers = [
        code(LineCommand(verb, line=name, number="205"), CARA, directory) for name in ("ben", "anna-mobile", "lobby")
    ]
    assert answers == ["", "not_allowed", "not_allowed"]


@pytest.mark.parametrize(
    "command, actor, said",
    [
        (LineCommand(LineVerb.HANGUP, line="ben"), ANNA, "additional_lines"),
        (LineCommand(LineVerb.HANGUP, line="999"), ANNA, "there is no line '999'"),
        (LineCommand(LineVerb.HANGUP, member="zoe"), ANNA, "there is no user or device 'zoe'"),
        (LineCommand(LineVerb.HANGUP), OWNER, "whose line is not said"),
        (LineCommand(LineVerb.PICKUP, group="zoe"), ANNA, "there is no group 'zoe'"),
    ],
)
def test_a_refusal_names_what_is_missing(command: LineCommand, actor: Actor, said: str) -> None:
    """The right, or the name."""
    with pytest.raises(CommandError) as refused:
        decided(command, actor)
    assert said in refused.value.message


# -- picking up -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize(
    "rung, needed",
    [("ben", Level.TEAM), ("anna", Level.TEAM), ("anna-mobile", Level.PERSONAL)],
)
def test_the_level_to_pick_up(level: Level, rung: str, needed: Level) -> None:
    """Team for a member's own line, personal for the second one: of each level, by the leader."""
    may = list(Level).index(level) >= list(Level).index(needed)
    found = code(LineCommand(LineVerb.PICKUP, group="600"), CARA, office(leaders=level), ringing(rung))
    assert found == ("" if may else "not_allowed")


def test_what_rings_at_oneself_is_ones_own() -> None:
    """Whatever the level."""
    assert code(LineCommand(LineVerb.PICKUP, group="support"), BEN, office(Level.NONE), ringing("anna", "ben")) == ""


def test_who_is_in_no_group_with_them_picks_up_nothing() -> None:
    """Dora has the site's level alone, which is public."""
    assert code(LineCommand(LineVerb.PICKUP, group="support"), DORA, office(), ringing("ben")) == "not_allowed"


def test_a_device_takes_its_groups_calls_while_it_is_in() -> None:
    """By no level; and nobody has a level over a device."""
    command = LineCommand(LineVerb.PICKUP, group="support")
    directory = office(Level.PERSONAL)
    assert code(command, LOBBY, directory, ringing("ben")) == "not_allowed"
    assert decided(command, LOBBY, directory, ringing("ben"), inside=("lobby",)).order is not None
    assert code(command, BEN, directory, ringing("lobby")) == "not_allowed"
    alone = LineCommand(LineVerb.PICKUP, number="202")
    assert code(alone, LOBBY, directory, ringing("ben", group=None)) == "not_allowed"


def test_the_first_call_that_may_be_taken() -> None:
    """Of several; one that is named alone; none that rings elsewhere."""
    calls = (ringing("anna-mobile", call="a"), ringing("ben", call="b"), ringing("ben", call="c"))
    directory = office(leaders=Level.TEAM)
    first = decided(LineCommand(LineVerb.PICKUP, group="support"), CARA, directory, *calls).order
    assert first is not None and (first.call, first.line, first.member) == ("b", "cara", "cara")
    named = decided(LineCommand(LineVerb.PICKUP, number="202", call="c"), CARA, directory, *calls).order
    assert named is not None and named.call == "c"
    assert code(LineCommand(LineVerb.PICKUP, number="204"), CARA, directory, *calls) == "no_call"
    assert code(LineCommand(LineVerb.PICKUP, group="support", call="x"), CARA, directory, *calls) == "no_call"


def test_a_waiting_call_is_picked_up() -> None:
    """One that rings nowhere yet, as in a queue: with the level over somebody whom it could ring."""
    assert code(LineCommand(LineVerb.PICKUP, group="600"), CARA, office(leaders=Level.TEAM), ringing()) == ""
    assert code(LineCommand(LineVerb.PICKUP, group="600"), CARA, office(), ringing()) == "not_allowed"


def test_a_dashboards_button_gives_the_call_to_the_first_who_is_in() -> None:
    """The owner names nobody: the first member who is logged in and not paused."""
    command = LineCommand(LineVerb.PICKUP, group="support")
    order = decided(command, OWNER, office(), ringing("anna"), inside=("ben", "lobby")).order
    assert order is not None and order.line == "ben"
    assert code(command, OWNER, office(), ringing("anna")) == "unavailable"


# -- settings ---------------------------------------------------------------------------------------------------------


def test_settings_are_changes_to_be_kept() -> None:
    """Who set it, through which door, since when; the rest stays; what is so already changes nothing."""
    before = Handling(dnd=True)
    handlings = Handlings([("anna", before)])
    made = decided(LineCommand(LineVerb.DIVERT, number="202", when=When.BUSY), ANNA, handlings=handlings)
    after = Handling(dnd=True, busy="202", since=NOW, by="anna", origin=Origin.MQTT)
    assert made.changes == (HandlingChange("anna", before, after),) and made.order is None
    assert made.data["divert"]["busy"] == "202" and made.data["changed"]
    again = decided(LineCommand(LineVerb.DND, on=True), ANNA, handlings=handlings)
    assert again.changes == () and not again.data["changed"]
    turned = decided(LineCommand(LineVerb.DND), ANNA, handlings=handlings).changes
    assert isinstance(turned[0], HandlingChange) and not turned[0].after.dnd


@pytest.mark.parametrize(
    "line, number, refused",
    [
        ("anna", "201", "bad_request"),  # its own
        ("anna", "600", ""),
        ("anna", "0301234", ""),  # outside, by its dial_out
        ("anna", "0900123", "not_allowed"),
        ("ben", "0301234", "unknown_line"),  # without
        ("ben", "999", "unknown_line"),
        ("ben", "", ""),
    ],
)
def test_where_a_diversion_may_lead(line: str, number: str, refused: str) -> None:
    """To a number of ours, or outside where the line may call it."""
    command = LineCommand(LineVerb.DIVERT, line=line, number=number, when=When.ALWAYS)
    assert code(command, OWNER) == refused
