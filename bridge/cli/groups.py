"""`cti-bridge groups`: the groups, their members and who is logged in."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from bridge.cli.asking import ask, print_json
from bridge.cli.ending import DONE
from bridge.cli.text import clean, clock, columns, named, to_go


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare nothing beside the global options."""


def run(args: argparse.Namespace) -> int:
    """Print them."""
    data = ask(args, "groups", {})
    if args.json:
        print_json(data)
    else:
        print(groups_text(data["groups"], indent=""))
    return DONE


def groups_text(groups: Mapping[str, Mapping[str, Any]], indent: str) -> str:
    """Return each group with its members, aligned across all groups."""
    if not groups:
        return f"{indent}no groups are configured"
    rows = columns((_row(m, each) for g in groups.values() for m, each in g["members"].items()), indent=f"{indent}  ")
    left = iter(rows.splitlines())
    parts = []
    for name, group in groups.items():
        parts.append(indent + clean(_heading(name, group)))
        parts += [next(left) for _ in group["members"]]
    return "\n".join(parts)


def _heading(name: str, group: Mapping[str, Any]) -> str:
    state = group["state"]
    counts = [f"{state['logged_in']} of {state['members']} logged in", f"{state['available']} available"]
    if state["waiting"]:
        what = "waiting" if state["strategy"] == "queue" else "calling"
        counts.append(f"{state['waiting']} {what} since {clock(state['waiting_since'])}")
    counts += _opening(state["open"], group["night"])
    number = f"{group['number']} " if group["number"] else ""
    return f"{number}{named(name, group['name'])}: {state['strategy']}, {', '.join(counts)}"


def _opening(is_open: bool, night: Mapping[str, Any]) -> list[str]:
    """Return "closed until 09:00", "open by hand (anna, button)"; nothing for a group that is open by its hours."""
    if night["night"] != "hours":
        return [f"{night['night']} by hand ({night['by']}, {night['origin']})"]
    if is_open:
        return []
    return [f"closed until {clock(night['turns'])}" if night["turns"] else "closed"]


def _row(name: str, member: Mapping[str, Any]) -> tuple[object, ...]:
    made = f"{member['by']}, {member['origin']}" if member["origin"] else ""
    return named(name, member["name"]), member["availability"], _times(member), made


def _times(member: Mapping[str, Any]) -> str:
    """Return "since 08:00 until 14:00 (25 min), then in: lunch", or "since 09:00, out at 12:30"."""
    parts = [f"since {clock(member['since'])}"] if member["since"] else []
    if member["until"]:
        parts.append(f"until {clock(member['until'])} ({to_go(member['until'])})")
    reason = f": {member['reason']}" if member["reason"] else ""
    return " ".join(parts) + _then(member) + reason


def _then(member: Mapping[str, Any]) -> str:
    """Return what becomes of a login by itself: its lease ends, its schedule turns."""
    then = member["next"]
    if then is None:
        return ""
    way = "in" if then["login"] == "ON" else "out"
    return f", then {way}" if then["at"] == member["until"] else f", {way} at {clock(then['at'])}"
