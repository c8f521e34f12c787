"""What a command changes in groups' night switches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bridge.commands.decide import Decision
from bridge.commands.model import Actor, NightCommand
from bridge.commands.places import groups_of
from bridge.directory.instant import Instant
from bridge.directory.logins import Origin
from bridge.directory.model import Directory, Group
from bridge.directory.nights import Night, NightChange, Nights, NightState, open_by_hours, opening
from bridge.events import iso


def decide_night(
    command: NightCommand, actor: Actor, origin: Origin, directory: Directory, nights: Nights, now: Instant
) -> Decision:
    """Return what the command changes in `nights`, which may be a draft. Raises CommandError unknown_group."""
    groups = groups_of(directory, command.group)
    wanted = not _any_open(groups, nights, now) if command.open is None else command.open
    changed: list[NightChange] = []
    entries: dict[str, list[dict[str, Any]]] = {"changed": [], "unchanged": []}
    for group in groups:
        before = nights.get(group.name)
        night = command.night or _standing(group, wanted, now)
        if night is before.night:
            entries["unchanged"].append(_entry(group, before, now))
            continue
        after = NightState(night, now.stamp, actor.name, origin)
        changed.append(NightChange(group.name, before, after))
        entries["changed"].append(_entry(group, after, now))
    return Decision(tuple(changed), {**entries, "warnings": []})


def _any_open(groups: Sequence[Group], nights: Nights, now: Instant) -> bool:
    return any(opening(group, nights.get(group.name), now).open for group in groups)


def _standing(group: Group, wanted: bool, now: Instant) -> Night:
    """Return where a switch has to stand so that the group is open or closed: by its hours where they say the same."""
    if open_by_hours(group, now) is wanted:
        return Night.HOURS
    return Night.OPEN if wanted else Night.CLOSED


def night_json(switch: NightState, is_open: bool) -> dict[str, Any]:
    """Return what doors show of a group's switch."""
    return {
        "night": switch.night.value,
        "open": is_open,
        "since": iso(switch.since) if switch.since else None,
        "origin": switch.origin.value if switch.origin else None,
        "by": switch.by,
    }


def _entry(group: Group, switch: NightState, now: Instant) -> dict[str, Any]:
    return {"group": group.name, **night_json(switch, opening(group, switch, now).open)}
