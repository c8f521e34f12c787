"""From payloads to what was asked."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.commands.model import OWNER, Actor, Kind, LoginCommand, LoginVerb, NightCommand
from bridge.directory.nights import Night
from bridge.mqtt.model import Message
from bridge.mqtt.requests import LARGEST, Asked, read
from bridge.mqtt.topics import Asking, NightTopic, RequestTopic, SetTopic
from tests.support.office import NOW

ANNA = SetTopic("support", "anna")


def message(payload: str | bytes, *, retained: bool = False) -> Message:
    """Return a message as it comes in; the topic is told apart."""
    raw = payload.encode() if isinstance(payload, str) else payload
    return Message("", raw if len(raw) <= LARGEST else None, len(raw), retained)


def asked(payload: str | bytes, topic: Asking = ANNA, *, retained: bool = False) -> Asked:
    """Return what was asked."""
    found = read(topic, message(payload, retained=retained), NOW)
    assert found is not None
    return found


@pytest.mark.parametrize("payload", ["ON", "on", " ON\n", '"ON"', '{"login": "ON"}', '{"login": "on"}'])
def test_words_and_objects_mean_the_same(payload: str) -> None:
    """ON is a login of the topic's member in the topic's group."""
    assert asked(payload).command == LoginCommand(LoginVerb.LOGIN, "support", "anna")


def test_an_object_may_say_more() -> None:
    """Seconds or a duration, a reason, a transaction; OFF is a logout."""
    body = {"login": "OFF", "for": "2h", "reason": "lunch", "transaction": "t"}
    found = asked(json.dumps(body))
    assert found.command == LoginCommand(LoginVerb.LOGOUT, "support", "anna", 7200.0, None, "lunch")
    assert (found.transaction, found.verb, found.error) == ("t", "set", None)


NIGHTS: list[tuple[str, NightCommand]] = [
    ("ON", NightCommand("support", open=False)),
    ("off", NightCommand("support", open=True)),
    ('{"night": true}', NightCommand("support", open=False)),
    ('{"night": "OFF", "transaction": 1}', NightCommand("support", open=True)),
    ('"closed"', NightCommand("support", Night.CLOSED)),
    ('{"night": "hours"}', NightCommand("support", Night.HOURS)),
    ('{"night": "toggle"}', NightCommand("support")),
]


@pytest.mark.parametrize(("payload", "command"), NIGHTS)
def test_a_night_switch_is_on_off_or_a_position(payload: str, command: NightCommand) -> None:
    """ON closes the group, OFF opens it; positions are those of the verb."""
    assert asked(payload, NightTopic("support")).command == command


def test_what_is_no_night_is_told() -> None:
    """With what would be right."""
    for payload in ("MAYBE", '{"login": "ON"}', "{}", "[]", ""):
        error = asked(payload, NightTopic("support")).error
        assert error is not None
        assert "right" in error.message or "takes" in error.message


def test_a_user_asks_in_that_users_own_name() -> None:
    """The member, where none is named, is who asks."""
    found = asked('{"group": "support"}', RequestTopic("login", "anna"))
    assert found.command == LoginCommand(LoginVerb.LOGIN, "support", "anna")
    assert (found.user, found.actor) == ("anna", Actor(Kind.USER, "anna"))
    assert asked("ON").actor == OWNER


def test_a_payload_cannot_name_another_member() -> None:
    """The topic is the identity that the broker's rules have checked."""
    error = asked('{"login": "ON", "member": "ben"}').error
    assert error is not None
    assert "no argument 'member'" in error.message


def test_requests_are_commands_or_questions() -> None:
    """Login verbs become commands; any other verb is a question, and the port knows which there are."""
    found = asked('{"group": "support", "member": "anna", "transaction": 7}', RequestTopic("toggle"))
    assert found.command == LoginCommand(LoginVerb.TOGGLE, "support", "anna")
    assert (found.verb, found.transaction) == ("toggle", 7)
    query = asked('{"group": "support"}', RequestTopic("group"))
    assert (query.command, query.arguments) == (None, {"group": "support"})
    assert asked("", RequestTopic("status")).arguments == {}


@pytest.mark.parametrize("payload", ["ON", '{"login": "ON"}', "{", "x" * 9000])
def test_retained_messages_are_refused_whatever_they_say(payload: str) -> None:
    """It says so rather than what else is wrong with them."""
    error = asked(payload, retained=True).error
    assert error is not None
    assert error.message.startswith("a retained message is ignored")


def test_taking_a_retained_message_away_is_no_request() -> None:
    """An empty retained payload is how one is removed."""
    assert read(ANNA, message("", retained=True), NOW) is None


def test_a_transaction_comes_back_with_an_error() -> None:
    """So that who asked can tell which it was."""
    found = asked('{"login": "PERHAPS", "transaction": "t"}')
    assert found.error is not None
    assert found.transaction == "t"


@pytest.mark.parametrize(
    "topic", [ANNA, NightTopic("support"), RequestTopic("login"), RequestTopic("status"), RequestTopic("\u2028" * 300)]
)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_payload_raises(topic: Asking, payload: bytes) -> None:
    """It is a command, a question or an error."""
    found = read(topic, message(payload), NOW)
    assert found is not None
    assert len(found.verb) <= 64


KEYS = st.sampled_from(["login", "for", "until", "reason", "transaction", "group", "member", ""])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("ON"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=6,
)


@pytest.mark.parametrize("topic", [ANNA, NightTopic("support"), RequestTopic("pause", "anna")])
@given(JSON)
def test_no_json_raises_and_what_is_echoed_can_be_written(topic: Asking, value: object) -> None:
    """Whatever a client makes of the fields."""
    found = read(topic, message(json.dumps(value)), NOW)
    assert found is not None
    json.dumps(found.transaction, allow_nan=False)
