"""From a command to the message that asks the bridge for it: what a satellite says on its desks' behalf. Pure.

A login or logout of one member in one group goes to that member's `set` topic; whatever that has no words for is asked
for as the owner's request.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from bridge.commands.model import NIGHT, Command, LineCommand, LineVerb, LoginCommand, LoginVerb, NightCommand
from bridge.commands.places import ALL
from bridge.events import iso
from bridge.mqtt.topics import Topics
from bridge.port.mirror import Mirror

_LOGIN = {LoginVerb.LOGIN: "ON", LoginVerb.LOGOUT: "OFF"}


def asked(command: Command, mirror: Mirror, topics: Topics) -> tuple[str, dict[str, Any]]:
    """Return the topic and the payload, still without a transaction."""
    if isinstance(command, NightCommand):
        return topics.request(NIGHT), {"group": command.group, "night": _night(command)}
    if isinstance(command, LineCommand):
        return topics.request(command.verb), _line(command)
    group = mirror.directory.group(command.group)
    word = None if group is None else _word(command, group.name, mirror)
    if group is None or word is None or command.member == ALL:
        return topics.request(command.verb), {"group": command.group, "member": command.member, **_more(command)}
    return topics.member_set(group.name, command.member), {"login": word, **_more(command)}


def _word(command: LoginCommand, group: str, mirror: Mirror) -> str | None:
    """Return ON or OFF; a toggle is the other of what is confirmed, and so of what the lamp shows."""
    if command.verb is LoginVerb.TOGGLE:
        return "OFF" if mirror.login(group, command.member).logged_in else "ON"
    return _LOGIN.get(command.verb)


def _more(command: LoginCommand) -> dict[str, Any]:
    more = {"for": command.for_seconds, "until": iso(command.until), "reason": command.reason}
    return {key: value for key, value in more.items() if value is not None}


def _line(command: LineCommand) -> dict[str, Any]:
    said = {f.name: getattr(command, f.name) for f in dataclasses.fields(command) if f.name not in ("verb", "on")}
    if command.verb is LineVerb.DND:
        said["on"] = "toggle" if command.on is None else command.on
    return {key: value for key, value in said.items() if value is not None}


def _night(command: NightCommand) -> object:
    if command.night is not None:
        return command.night.value
    return "toggle" if command.open is None else not command.open
