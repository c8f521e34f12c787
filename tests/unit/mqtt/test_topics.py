"""The contract's topics, literally, built and read."""

from __future__ import annotations

import pytest

from bridge.mqtt.topics import RequestTopic, SetTopic, Topics

T = Topics("cti/home")


def test_topics_are_the_contracts() -> None:
    """Every one of them, as others rely on it."""
    assert T.bridge_state == "cti/home/bridge/state"
    assert T.bridge_info == "cti/home/bridge/info"
    assert T.bridge_event == "cti/home/bridge/event"
    assert T.response("login") == "cti/home/bridge/response/login"
    assert T.group_state("support") == "cti/home/group/support/state"
    assert T.group_event("support") == "cti/home/group/support/event"
    assert T.member_state("support", "anna") == "cti/home/group/support/member/anna/state"
    assert T.member_set("support", "anna") == "cti/home/group/support/member/anna/set"
    assert T.line_state("anna") == "cti/home/line/anna/state"
    assert T.subscriptions() == ["cti/home/group/+/member/+/set", "cti/home/bridge/request/+"]


@pytest.mark.parametrize(
    ("topic", "meaning"),
    [
        ("cti/home/group/support/member/anna/set", SetTopic("support", "anna")),
        ("cti/home/bridge/request/login", RequestTopic("login")),
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
