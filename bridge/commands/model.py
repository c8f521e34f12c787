"""Commands, the actors who give them, and the replies they get; the same for every door."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bridge.directory.handling import When
from bridge.directory.nights import Night


class Kind(StrEnum):
    """What an actor is."""

    OWNER = "owner"  # the box's owner: root, the service's own user, the owner's MQTT topics
    USER = "user"
    DEVICE = "device"  # a line without a user
    BRIDGE = "bridge"  # the bridge itself


@dataclass(frozen=True, slots=True)
class Actor:
    """In whose name a command is given."""

    kind: Kind
    name: str

    @property
    def is_owner(self) -> bool:
        """Whether nothing is refused for want of rights."""
        return self.kind in (Kind.OWNER, Kind.BRIDGE)


OWNER = Actor(Kind.OWNER, "owner")
BRIDGE = Actor(Kind.BRIDGE, "bridge")


class LoginVerb(StrEnum):
    """What can be done to a login."""

    LOGIN = "login"
    LOGOUT = "logout"
    TOGGLE = "toggle"
    PAUSE = "pause"
    UNPAUSE = "unpause"


@dataclass(frozen=True, slots=True)
class LoginCommand:
    """Change the login of a member (or "all") in a group (name or number, or "all")."""

    verb: LoginVerb
    group: str
    member: str
    for_seconds: float | None = None
    until: float | None = None  # UTC, seconds since the epoch
    reason: str | None = None


NIGHT = "night"


@dataclass(frozen=True, slots=True)
class NightCommand:
    """Set the night switch of a group (name or number, or "all").

    To a position; or to whatever leaves the group open or closed as `open` says; or, with neither, turn it round.
    """

    group: str
    night: Night | None = None
    open: bool | None = None


class LineVerb(StrEnum):
    """What can be done with a line and its calls."""

    DIAL = "dial"
    PICKUP = "pickup"
    HANGUP = "hangup"
    HOLD = "hold"
    RESUME = "resume"
    TRANSFER = "transfer"
    DIVERT = "divert"
    DND = "dnd"


@dataclass(frozen=True, slots=True)
class LineCommand:
    """Do something with a line (name or number), or with that of a member; neither: the actor's own.

    `number` is dialled, transferred or diverted to ("": a diversion ends), or rings and is picked up; `group` is
    picked up from. `call` tells one of several calls. `when` and `after` (seconds) are a diversion's; `on`: do not
    disturb, None: the other way round.
    """

    verb: LineVerb
    line: str | None = None
    member: str | None = None
    group: str | None = None
    number: str | None = None
    call: str | None = None
    when: When | None = None
    after: float | None = None
    on: bool | None = None


Command = LoginCommand | NightCommand | LineCommand


def verb_of(command: Command) -> str:
    """Return a command's verb."""
    return NIGHT if isinstance(command, NightCommand) else command.verb.value


def group_of(command: Command) -> str | None:
    """Return the group that a command is about, None where it is about a line."""
    return command.group


def member_of(command: Command) -> str | None:
    """Return the member, or line, that a command is about, None where it is about a group."""
    if isinstance(command, LineCommand):
        return command.member or command.line
    return command.member if isinstance(command, LoginCommand) else None


class CommandError(Exception):
    """A refusal: `code` for machines, the message says what was wrong and what would be right.

    Codes: bad_request, unknown_verb, unknown_group, unknown_member, unknown_line, unknown_call, not_allowed,
    not_logged_in, last_one, static, clock_not_right, store_failed, too_large, unavailable; of lines: no_call (none
    that this could be done to), several_calls (say which), busy, unreachable, refused (by a phone or PBX).
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a command or query; an error carries its code."""

    data: dict[str, Any] = field(default_factory=dict)
    code: str | None = None
    message: str = ""

    @property
    def ok(self) -> bool:
        """Whether it was done."""
        return self.code is None

    @classmethod
    def refused(cls, error: CommandError) -> Reply:
        """Return the reply for a refusal."""
        return cls(code=error.code, message=error.message)

    def to_json(self, transaction: object = None) -> dict[str, Any]:
        """Return the contract's response object; `transaction` is echoed as it came."""
        error = None if self.ok else {"code": self.code, "message": self.message}
        return {
            "status": "ok" if self.ok else "error",
            "data": self.data,
            "error": error,
            "transaction": transaction,
        }
