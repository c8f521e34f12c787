"""The contract's topics, literally, built and read."""

from __future__ import annotations

import pytest

from bridge.mqtt.topics import (
    GroupSubject,
    InfoSubject,
    LineSubject,
    MemberSubject,
    MissedSubject,
    MonitorSubject,
    NightSubject,
    NightTopic,
    RequestTopic,
    SetTopic,
    Subject,
    Topics,
)

T = Topics("cti/home")


def test_topics_are_the_contracts() -> None:
    """Every one of them, as others rely on it."""
    assert T.bridge_state == "cti/home/bridge/state"
    assert T.bridge_info == "cti/home/bridge/info"
    assert T.bridge_event == "cti/home/bridge/event"
    assert T.response("login") == "cti/home/bridge/response/login"
    assert T.response("login", "anna") == "cti/home/user/anna/response/login"
    assert T.request("login") == "cti/home/bridge/request/login"
    assert T.request("login", "anna") == "cti/home/user/anna/request/login"
    assert T.satellite_state("workshop") == "cti/home/satellite/workshop/state"
    assert T.group_event("support") == "cti/home/group/support/event"
    assert T.member_set("support", "anna") == "cti/home/group/support/member/anna/set"
    assert T.requests() == (
        "cti/home/group/+/member/+/set",
        "cti/home/group/+/night/set",
        "cti/home/bridge/request/+",
        "cti/home/user/+/request/+",
    )


STATES = {
    "cti/home/group/support/state": GroupSubject("support"),
    "cti/home/group/support/member/anna/state": MemberSubject("support", "anna"),
    "cti/home/group/support/night/state": NightSubject("support"),
    "cti/home/group/support/missed/state": MissedSubject("support"),
    "cti/home/line/anna/state": LineSubject("anna"),
    "cti/home/user/anna/monitor": MonitorSubject("anna"),
    "cti/home/bridge/info": InfoSubject(),
}


@pytest.mark.parametrize(("topic", "subject"), STATES.items())
def test_states_are_said_and_recognised_where_the_contract_says(topic: str, subject: Subject) -> None:
    """Both ways."""
    assert T.state(subject) == topic
    assert T.subject(topic) == subject


@pytest.mark.parametrize("topic", ["cti/home/group/support/event", "cti/home/bridge/state", "cti/homes/line/a/state"])
def test_other_topics_are_no_states(topic: str) -> None:
    """They do not come and go with the configuration."""
    assert T.subject(topic) is None


@pytest.mark.parametrize(
    ("topic", "meaning"),
    [
        ("cti/home/group/support/member/anna/set", SetTopic("support", "anna")),
        ("cti/home/group/support/night/set", NightTopic("support")),
        ("cti/home/bridge/request/login", RequestTopic("login")),
        ("cti/home/user/anna/request/login", RequestTopic("login", "anna")),
        ("cti/home/user/anna/monitor", None),
        ("cti/home/group/support/member/anna/state", None),
        ("cti/home/group/support/member/set", None),
        ("cti/home/bridge/request", None),
        ("cti/home/bridge/request/a/b", None),
        ("cti/homes/bridge/request/login", None),
        ("cti/home", None),
        ("", None),
    ],
)
def test_only_what_is_listened_to_has_a_meaning(topic: str, meaning: object) -> None:
    """Anything else is nothing."""
    assert T.parse(topic) == meaning


@pytest.mark.parametrize(
    ("topic", "right"),
    [
        ("answers/mine", True),
        ("cti/home/bridge/response/login", True),
        ("cti/homes", True),
        ("cti/home", False),
        ("cti/home/group/support/member/anna/set", False),
        ("cti/home/bridge/state", False),
        ("$SYS/broker", False),
        ("answers/+", False),
        ("answers/#", False),
        ("", False),
    ],
)
def test_nobody_can_make_the_bridge_answer_in_its_own_name_elsewhere(topic: str, right: bool) -> None:
    """Below the bridge's prefix only responses are; wildcards and the broker's own topics never are."""
    assert T.may_answer_at(topic) is right


@pytest.mark.parametrize(
    ("topic", "right"),
    [
        ("cti/home/user/anna/response/login", True),
        ("cti/home/user/ben/response/login", False),
        ("cti/home/bridge/response/login", False),
        ("answers/mine", False),
        ("homeassistant/switch/a/b/config", False),
        ("", False),
    ],
)
def test_users_are_answered_among_their_own_responses_alone(topic: str, right: bool) -> None:
    """The bridge may write where they may not."""
    assert T.may_answer_at(topic, "anna") is right
