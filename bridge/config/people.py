"""The settings of users, groups and their members."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from bridge.config.fields import Count, Flag, Hours, Key, Name, Number, Part, Restart, Text, UnixLogin
from bridge.config.secret import PinField
from bridge.config.sound import SoundField, WavField
from bridge.directory.model import LastOut, Level, Strategy

Order = Literal["listed", "round-robin", "longest-idle", "fewest-calls", "random"]
Service = Literal["member_journal", "leader_journal", "supervise"]
Shown = Literal["login", "line", "caller", "diversion"]
"""A field of a monitor: who is logged in, what the line does, who calls there, where it is diverted to."""


class UserSettings(Part):
    """`[users.NAME]`: a person and the lines that the person has.

    `unix`: the login on this machine in whose name the person uses the command line. `favourites`: users and devices
    whom the person's monitor shows beside the groups. `grants`: what this person lets others see and do, by user.
    `pin`: for the spoken menu, from phones behind a trunk; `spoken_name`: how the menu calls the person.
    """

    name: Text | None = None
    line: str
    second_line: str | None = None
    additional_lines: tuple[str, ...] = ()
    unix: UnixLogin | None = None
    favourites: tuple[str, ...] = ()
    grants: Mapping[Name, Level] = Field({})
    pin: PinField | None = None
    spoken_name: WavField | None = None


class MemberSettings(Part):
    """A member given as a table: `{ user = "ben", tier = 2 }` or `{ line = "lobby", login = "always" }`."""

    user: str | None = None
    line: str | None = None
    tier: Annotated[int, Field(strict=True, ge=0, le=100)] = 0
    login: Literal["always"] | None = None
    restart: Restart | None = None
    schedule: tuple[Hours, ...] = ()


Delay = Annotated[float, Field(strict=True, ge=0, le=3600)]


class QueueSettings(Part):
    """`[groups.NAME.queue]`. Times are seconds."""

    order: Order | None = None
    queue_ring: Literal["one", "all"] = "one"
    music: SoundField = "default"
    greeting: SoundField | None = None
    announce: Annotated[float, Field(strict=True, ge=10, le=3600)] | None = None
    announce_position: Flag = True
    announce_wait: Flag = True
    wrap_up: Delay = 0.0
    max_waiting: Count | None = None
    max_wait: Annotated[float, Field(strict=True, gt=0, le=86_400)] | None = None
    join_empty: Flag = False
    leave_empty: Flag = True
    exit_key: Key | None = None
    exit_to: Number | None = None
    keep_place: Delay = 0.0
    no_answer_delay: Delay = 10.0
    busy_delay: Delay = 15.0
    decline_delay: Delay = 30.0


def _form(value: Any) -> str:
    return "(table)" if isinstance(value, dict | MemberSettings) else "(name)"


MemberField = Annotated[Annotated[str, Tag("(name)")] | Annotated[MemberSettings, Tag("(table)")], Discriminator(_form)]
"""A member, a bare name or a table; the tags are left out of the paths that people see."""


class GroupSettings(Part):
    """`[groups.NAME]`. Times are seconds."""

    number: Number | None = None
    name: Text | None = None
    members: tuple[MemberField, ...] = ()
    leaders: tuple[str, ...] = ()
    member_level: Level = Level.PUBLIC
    leader_level: Level = Level.PUBLIC
    services: tuple[Service, ...] = ("supervise",)
    active: Flag = True
    monitor: tuple[Shown, ...] | None = None
    buttons: tuple[Text, ...] = ()
    last_out: LastOut = LastOut.WARN
    strategy: Strategy = Strategy.PARALLEL
    order: Order = "listed"
    ring_seconds: Annotated[float, Field(strict=True, ge=1, le=600)] = 15.0
    give_up_after: Annotated[float, Field(strict=True, ge=1, le=86_400)] = 120.0
    retry_after: Annotated[float, Field(strict=True, ge=1, le=3600)] = 5.0
    rounds: Count | None = None
    max_calls: Count | None = None
    overflow: Number | None = None
    hours: tuple[Hours, ...] = ()
    closed: Number | None = None
    auto_pause: Count | None = None
    auto_pause_seconds: Annotated[float, Field(strict=True, ge=1, le=86_400)] = 300.0
    follow_diversion: Flag = False
    prefix: Annotated[str, Field(max_length=32)] = ""
    queue: QueueSettings | None = None
