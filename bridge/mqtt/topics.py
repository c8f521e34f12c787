"""The topics of the contract: built and read in this one place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SetTopic:
    """`P/group/G/member/M/set`."""

    group: str
    member: str


@dataclass(frozen=True, slots=True)
class RequestTopic:
    """`P/bridge/request/VERB`."""

    verb: str


class Topics:
    """All topics below one prefix."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.bridge_state = f"{prefix}/bridge/state"
        self.bridge_info = f"{prefix}/bridge/info"
        self.bridge_event = f"{prefix}/bridge/event"
        self._answers = f"{prefix}/bridge/response/"

    def group_state(self, group: str) -> str:
        """Return where a group's state is said."""
        return f"{self.prefix}/group/{group}/state"

    def group_event(self, group: str) -> str:
        """Return where the steps of a group's calls are said."""
        return f"{self.prefix}/group/{group}/event"

    def member_state(self, group: str, member: str) -> str:
        """Return where a member's login in a group is said."""
        return f"{self.prefix}/group/{group}/member/{member}/state"

    def member_set(self, group: str, member: str) -> str:
        """Return where a member's login in a group is asked for."""
        return f"{self.prefix}/group/{group}/member/{member}/set"

    def line_state(self, line: str) -> str:
        """Return where a line's state is said."""
        return f"{self.prefix}/line/{line}/state"

    def response(self, verb: str) -> str:
        """Return where requests of a verb are answered; "set" for set topics."""
        return self._answers + verb

    def subscriptions(self) -> list[str]:
        """Return what the bridge listens to."""
        return [self.member_set("+", "+"), f"{self.prefix}/bridge/request/+"]

    def parse(self, topic: str) -> SetTopic | RequestTopic | None:
        """Return what a topic that the bridge listens to means, None for any other."""
        if not topic.startswith(f"{self.prefix}/"):
            return None
        match topic.removeprefix(f"{self.prefix}/").split("/"):
            case ["group", group, "member", member, "set"]:
                return SetTopic(group, member)
            case ["bridge", "request", verb]:
                return RequestTopic(verb)
        return None

    def may_answer_at(self, topic: str) -> bool:
        """Whether a response topic that a client named is one to answer at.

        Below the bridge's own prefix only responses are: a client that may ask shall not make the bridge write what
        the client may not.
        """
        if not topic or topic.startswith("$") or any(c in topic for c in "+#\0"):
            return False
        return topic.startswith(self._answers) or not f"{topic}/".startswith(f"{self.prefix}/")
