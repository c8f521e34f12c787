"""A view for Home Assistant's dashboards: who is logged in and since when, who waits, how it went, recent calls. Pure.

It is made of what is announced, so it names no entity that there is not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bridge.mqtt.discovery import Device

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_.:/-]*(?: [A-Za-z0-9_.:/-]+)*")
_NOT_TEXT = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})
_WAITING = ("waiting", "waiting_since", "ringing", "available", "answered_today", "abandoned_today", "night", "pickup")
_PLOTTED = ("logged_in", "available", "waiting")
_LAST_CALL = """\
{{% set call = '{call}' %}}
{{% if state_attr(call, 'event_type') %}}
**{{{{ state_attr(call, 'caller_name') or state_attr(call, 'caller') or 'anonymous' }}}}**
{{{{ state_attr(call, 'event_type') }}}} at {{{{ state_attr(call, 'group') }}}},
{{{{ relative_time(states[call].last_changed) }}}} ago
{{% else %}}
No call yet
{{% endif %}}
"""


def view(devices: Sequence[Device]) -> dict[str, Any]:
    """Return the view; the first device is the site."""
    site, *groups = devices
    cards = [card for group in groups for card in _of_group(group)]
    cards += _of_site(site)
    return {"title": "Phones", "path": "phones", "icon": "mdi:phone", "cards": cards}


def _of_group(group: Device) -> Iterator[dict[str, Any]]:
    ids, name = _ids(group), str(group.info["name"])
    members = [entity for key, entity in ids.items() if key.startswith("login_")]
    if members:
        yield {
            "type": "grid",
            "title": name,
            "columns": 2,
            "square": False,
            "cards": [{"type": "tile", "entity": each, "state_content": ["state", "since"]} for each in members],
        }
    yield {"type": "entities", "title": f"{name}, callers", "entities": [ids[key] for key in _WAITING if key in ids]}
    yield {
        "type": "history-graph",
        "title": f"{name}, today",
        "hours_to_show": 24,
        "entities": [ids[key] for key in _PLOTTED],
    }
    yield {
        "type": "logbook",
        "title": f"{name}, recent calls",
        "hours_to_show": 24,
        "entities": [ids["call"]],
        "target": {"entity_id": [ids["call"]]},  # what newer versions call it
    }


def _of_site(site: Device) -> Iterator[dict[str, Any]]:
    ids = _ids(site)
    yield {"type": "markdown", "title": "Last call", "content": _LAST_CALL.format(call=ids["call"])}
    shown = [entity for key, entity in ids.items() if key.startswith(("trunk_", "line_")) or key == "link"]
    yield {"type": "entities", "title": str(site.info["name"]), "entities": shown}


def _ids(device: Device) -> dict[str, str]:
    """Return the ids of a device's entities by their keys."""
    return {each.key: each.config["default_entity_id"] for each in device.entities}


# -- as YAML --------------------------------------------------------------------------------------------------------


def to_yaml(value: Mapping[str, Any]) -> str:
    """Return a tree of tables, lists, text, numbers and flags as YAML, to be read and changed by people."""
    return "\n".join(_table(value)) + "\n"


def _table(table: Mapping[str, Any]) -> Iterator[str]:
    for key, value in table.items():
        yield from _entry(f"{key}:", value)


def _entry(key: str, value: Any) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        yield key
        yield from (f"  {line}" for line in _table(value))
    elif isinstance(value, list) and value:
        yield key
        for each in value:
            yield from (f"  {line}" for line in _element(each))
    elif isinstance(value, str) and value.endswith("\n"):
        yield f"{key} |"
        yield from (f"  {line}" for line in value.splitlines())
    else:
        yield f"{key} {_scalar(value)}"


def _element(value: Any) -> Iterator[str]:
    if not isinstance(value, Mapping) or not value:
        yield f"- {_scalar(value)}"
        return
    for number, line in enumerate(_table(value)):
        yield f"{'  ' if number else '- '}{line}"


def _scalar(value: Any) -> str:
    if (
        isinstance(value, str)
        and _PLAIN.fullmatch(value)
        and value.lower() not in _NOT_TEXT
        and ": " not in f"{value} "
    ):
        return value
    return json.dumps(value, ensure_ascii=False)
