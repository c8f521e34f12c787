"""The topics of the contract: built and read in this one place, with what they are about."""

from __future__ import annotations

from dataclasses import dataclass

# -- what has a retained state --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GroupSubject:
    """A group as a whole."""

    group: str


@dataclass(frozen=True, slots=True)
class MemberSubject:
    """A member's login in a group."""

    group: str
    member: str


@dataclass(frozen=True, slots=True)
class NightSubject:
    """A group's night switch."""

    group: str


@dataclass(frozen=True, slots=True)
class MissedSubject:
    """How many callers a group has missed, by the members who have not taken note of them."""

    group: str


@dataclass(frozen=True, slots=True)
class LineSubject:
    """A line."""

    line: str


@dataclass(frozen=True, slots=True)
class MonitorSubject:
    """What a user may see of others."""

    user: str


@dataclass(frozen=True, slots=True)
class InfoSubject:
    """The bridge itself."""


Subject = GroupSubject | MemberSubject | NightSubject | MissedSubject | LineSubject | MonitorSubject | InfoSubject


# -- what is asked --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SetTopic:
    """`P/group/G/member/M/set`."""

    group: str
    member: str


@dataclass(frozen=True, slots=True)
class NightTopic:
    """`P/group/G/night/set`."""

    group: str


@dataclass(frozen=True, slots=True)
class RequestTopic:
    """`P/bridge/request/VERB`, or a user's own `P/user/U/request/VERB`."""

    verb: str
    user: str | None = None


Asking = SetTopic | NightTopic | RequestTopic


class Topics:
    """All topics below one prefix."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.bridge_state = f"{prefix}/bridge/state"
        self.bridge_info = f"{prefix}/bridge/info"
        self.bridge_event = f"{prefix}/bridge/event"

    def state(self, subject: Subject) -> str:
        """Return where a state is said."""
        match subject:
            case GroupSubject(group):
                return f"{self.prefix}/group/{group}/state"
            case MemberSubject(group, member):
                return f"{self.prefix}/group/{group}/member/{member}/state"
            case NightSubject(group):
                return f"{self.prefix}/group/{group}/night/state"
            case MissedSubject(group):
                return f"{self.prefix}/group/{group}/missed/state"
            case LineSubject(line):
                return f"{self.prefix}/line/{line}/state"
            case MonitorSubject(user):
                return f"{self.prefix}/user/{user}/monitor"
            case InfoSubject():
                return self.bridge_info

    def subject(self, topic: str) -> Subject | None:
        """Return whose state is said on a topic, None where it is none."""
        match self._levels(topic):
            case ["group", group, "state"]:
                return GroupSubject(group)
            case ["group", group, "member", member, "state"]:
                return MemberSubject(group, member)
            case ["group", group, "night", "state"]:
                return NightSubject(group)
            case ["group", group, "missed", "state"]:
                return MissedSubject(group)
            case ["line", line, "state"]:
                return LineSubject(line)
            case ["user", user, "monitor"]:
                return MonitorSubject(user)
            case ["bridge", "info"]:
                return InfoSubject()
        return None

    def states(self) -> tuple[str, ...]:
        """Return filters for all states that come and go with the configuration."""
        every: tuple[Subject, ...]
        every = (GroupSubject("+"), MemberSubject("+", "+"), NightSubject("+"), MissedSubject("+"), LineSubject("+"))
        every += (MonitorSubject("+"),)
        return tuple(self.state(each) for each in every)

    def group_event(self, group: str) -> str:
        """Return where the steps of a group's calls are said."""
        return f"{self.prefix}/group/{group}/event"

    def member_set(self, group: str, member: str) -> str:
        """Return where a member's login in a group is asked for."""
        return f"{self.prefix}/group/{group}/member/{member}/set"

    def night_set(self, group: str) -> str:
        """Return where a group's night switch is asked to be turned."""
        return f"{self.prefix}/group/{group}/night/set"

    def request(self, verb: str, user: str | None = None) -> str:
        """Return where a verb is asked for, by the owner or by a user."""
        return f"{self._of(user)}/request/{verb}"

    def response(self, verb: str, user: str | None = None) -> str:
        """Return where requests of a verb are answered; "set" for set topics."""
        return f"{self._of(user)}/response/{verb}"

    def satellite_state(self, name: str) -> str:
        """Return where a satellite says whether it is there."""
        return f"{self.prefix}/satellite/{name}/state"

    def requests(self) -> tuple[str, ...]:
        """Return filters for all that is asked of the bridge."""
        return (self.member_set("+", "+"), self.night_set("+"), self.request("+"), self.request("+", "+"))

    def parse(self, topic: str) -> Asking | None:
        """Return what a topic that the bridge listens to asks, None for any other."""
        match self._levels(topic):
            case ["group", group, "member", member, "set"]:
                return SetTopic(group, member)
            case ["group", group, "night", "set"]:
                return NightTopic(group)
            case ["bridge", "request", verb]:
                return RequestTopic(verb)
            case ["user", user, "request", verb]:
                return RequestTopic(verb, user)
        return None

    def may_answer_at(self, topic: str, user: str | None = None) -> bool:
        """Whether a response topic that a client named is one to answer at.

        A client that may ask shall not make the bridge write what the client may not. So below the bridge's own
        prefix only responses are, and a user is answered among that user's own responses and nowhere else.
        """
        if not topic or topic.startswith("$") or any(c in topic for c in "+#\0"):
            return False
        if topic.startswith(f"{self._of(user)}/response/"):
            return True
        return user is None and not f"{topic}/".startswith(f"{self.prefix}/")

    def _of(self, user: str | None) -> str:
        return f"{self.prefix}/bridge" if user is None else f"{self.prefix}/user/{user}"

    def _levels(self, topic: str) -> list[str]:
        if not topic.startswith(f"{self.prefix}/"):
            return []
        return topic.removeprefix(f"{self.prefix}/").split("/")
