"""The state machines of SIP as diagrams (Mermaid), so that what people read cannot drift from what runs."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

from bridge.sip import notifier, registration, subscription, transaction

PLACE = Path(__file__).parents[2] / "bridge" / "sip" / "README.md"

Table = Mapping[Any, Enum]
"""From state and happening to the next state; each machine has enumerations of its own."""


class Machine(NamedTuple):
    """One of them: its heading, its first state, its table, and the file that has it."""

    title: str
    first: Enum
    table: Table
    file: str


MACHINES = (
    Machine(
        "INVITE, the side that asks (RFC 3261 §17.1.1, RFC 6026)",
        transaction.State.CALLING,
        transaction.ClientInvite.table,
        "transaction.py",
    ),
    Machine(
        "INVITE, the side that answers (RFC 3261 §17.2.1, RFC 6026)",
        transaction.State.PROCEEDING,
        transaction.ServerInvite.table,
        "transaction.py",
    ),
    Machine(
        "All other requests, both sides (RFC 3261 §17.1.2, §17.2.2)",
        transaction.State.TRYING,
        transaction.NON_INVITE,
        "transaction.py",
    ),
    Machine("Our registration at a PBX", registration.Phase.IDLE, registration.TABLE, "registration.py"),
    Machine("Our subscription at a PBX", subscription.Phase.IDLE, subscription.TABLE, "subscription.py"),
    Machine("A phone's subscription at the bridge", notifier.Phase.QUIET, notifier.TABLE, "notifier.py"),
)


def diagram(machine: Machine) -> str:
    """Return a machine's table as a state diagram; what leads from one state to another the same way is one arrow."""
    arrows: dict[tuple[Enum, Enum], list[str]] = {}
    for (before, happening), after in machine.table.items():
        arrows.setdefault((before, after), []).append(str(happening.value))
    lines = [f"    [*] --> {machine.first.value}"]
    lines += [f"    {before.value} --> {after.value}: {', '.join(by)}" for (before, after), by in arrows.items()]
    return "\n".join(["```mermaid", "stateDiagram-v2", *lines, "```"])


def page() -> str:
    """Return the whole page."""
    parts = [f"## {each.title}\n\n`{each.file}`\n\n{diagram(each)}\n" for each in MACHINES]
    head = (
        "# The state machines of SIP\n\n"
        "Each is one table in the code; `scripts/machines` draws this page from them, so write nothing here by hand.\n"
        "What is not in a table changes nothing. Timers and what is sent with each arrow stand beside the tables.\n"
    )
    return "\n".join([head, *parts])
