"""Numbers for Prometheus: the agent's status, as text of the exposition format 0.0.4. Pure.

What a person reads in `status` is what is told here; names of groups, members, lines and trunks are labels, numbers of
callers are not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PREFIX = "cti_bridge"
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})

Status = Mapping[str, Any]
Labels = Mapping[str, str]


class Metric(NamedTuple):
    """One metric: its name without the prefix, gauge or counter, what it means, and its samples by labels."""

    name: str
    kind: str
    help: str
    samples: Iterable[tuple[Labels, float]]


def page(status: Status, counts: Mapping[str, tuple[str, float]], started: float) -> str:
    """Return the whole page.

    `counts` are numbers of the process by name: what they mean, and how many; counters end in _total. `started` is UTC
    seconds.
    """
    metrics = [*_site(status, started), *_groups(status["groups"]), *_members(status["groups"])]
    metrics += [Metric(name, _kind(name), told, [({}, value)]) for name, (told, value) in counts.items()]
    return "".join(_written(metric) for metric in metrics)


def _kind(name: str) -> str:
    return "counter" if name.endswith("_total") else "gauge"


def _site(status: Status, started: float) -> Iterator[Metric]:
    info = {"version": str(status["version"]), "site": str(status["site"])}
    yield Metric("info", "gauge", "Version and site.", [(info, 1)])
    yield Metric("start_time_seconds", "gauge", "When the agent started, UTC.", [({}, started)])
    yield Metric("wrong", "gauge", "Things that are wrong now.", [({}, len(status["wrong"]))])
    well = ("registered", "static")
    trunks = [({"trunk": name}, each["state"] in well) for name, each in status["trunks"].items()]
    yield Metric("trunk_up", "gauge", "Whether a trunk is registered, or static.", trunks)
    links = [({"link": name}, not _is_wrong(name, status)) for name, each in status["links"].items()]
    yield Metric("link_up", "gauge", "Whether the broker or a panel is there.", links)
    lines = [({"line": name, "state": each["state"]}, 1) for name, each in status["lines"].items()]
    yield Metric("line_state", "gauge", "The state of each line, as a label.", lines)
    reachable = [({"line": name}, each["reachable"]) for name, each in status["lines"].items()]
    yield Metric("line_reachable", "gauge", "Whether a line can be rung.", reachable)
    states = [call["state"] for call in status["calls"]]
    calls = [({"state": state}, states.count(state)) for state in dict.fromkeys(("hunting", "connected", *states))]
    yield Metric("calls", "gauge", "Calls that are up.", calls)


def _is_wrong(name: str, status: Status) -> bool:
    return any(each["what"] == name for each in status["wrong"])


_OF_GROUPS = {
    "members": "Members of a group.",
    "logged_in": "Members who are logged in.",
    "available": "Members who can be rung now.",
    "waiting": "Callers who wait.",
    "ringing": "Whether a call rings.",
    "open": "Whether the group takes calls.",
    "answered_today": "Calls that were answered since midnight.",
    "abandoned_today": "Calls that were given up since midnight.",
}


def _groups(groups: Mapping[str, Any]) -> Iterator[Metric]:
    for key, told in _OF_GROUPS.items():
        samples = [({"group": name}, each["state"][key]) for name, each in groups.items()]
        yield Metric(f"group_{key}", "gauge", told, samples)


def _members(groups: Mapping[str, Any]) -> Iterator[Metric]:
    every = [
        ({"group": group, "member": name}, member)
        for group, each in groups.items()
        for name, member in each["members"].items()
    ]
    told = "Whether a member is logged in to a group."
    yield Metric("member_logged_in", "gauge", told, [(labels, m["login"] == "ON") for labels, m in every])
    yield Metric(
        "member_paused", "gauge", "Whether a member is paused.", [(labels, m["paused"]) for labels, m in every]
    )
    told = "Whether a member can be rung now."
    yield Metric("member_available", "gauge", told, [(labels, m["availability"] == "available") for labels, m in every])


def _written(metric: Metric) -> str:
    name = f"{PREFIX}_{metric.name}"
    lines = [f"# HELP {name} {metric.help}", f"# TYPE {name} {metric.kind}"]
    lines += [f"{name}{_labels(labels)} {float(value):.15g}" for labels, value in metric.samples]
    return "\n".join(lines) + "\n" if len(lines) > 2 else ""


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in labels.items()) + "}"
