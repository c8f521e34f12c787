"""What a restart takes up again: registrations of phones, and talks whose media flow directly from phone to phone.

Both are plain values (JSON). The agent writes what has been touched to its store soon after, and gives it back at the
next start; so a talk goes on while nobody watches it, and its hang-up is carried through afterwards. A call that was
still hunting is not kept: its caller hangs up or calls again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.calls.parties import Called, Caller
from bridge.directory.model import Directory
from bridge.sip.dialog import Dialog
from bridge.sip.flow import Flow

Plain = dict[str, Any]

_SEQUENCES_SKIPPED = 1000  # what was sent after the last write may have used some


class Kept:
    """Notes which kinds of values ("bindings", "talks", "lamps") have changed since they were last written."""

    def __init__(self) -> None:
        self.touched: set[str] = set()

    def touch(self, kind: str) -> None:
        """Note a change."""
        self.touched.add(kind)

    def take(self) -> set[str]:
        """Return what has changed since this was last asked."""
        touched, self.touched = self.touched, set()
        return touched


def plain_dialog(dialog: Dialog) -> Plain:
    """Return a confirmed dialog as plain values."""
    return {
        "call_id": dialog.call_id,
        "local": dialog.local,
        "remote": dialog.remote,
        "local_tag": dialog.local_tag,
        "remote_tag": dialog.remote_tag,
        "local_seq": dialog.local_seq,
        "remote_seq": dialog.remote_seq,
        "remote_target": dialog.remote_target,
        "route_set": list(dialog.route_set),
        "contact": dialog.contact,
        "flow": list(dialog.flow),
        "pinned": dialog.pinned,
    }


def dialog_of(plain: Mapping[str, Any]) -> Dialog:
    """Return the dialog that was kept. Raises KeyError, TypeError or ValueError where it is none."""
    transport, host, port, listener = plain["flow"]
    return Dialog(
        call_id=str(plain["call_id"]),
        local=str(plain["local"]),
        remote=str(plain["remote"]),
        local_tag=str(plain["local_tag"]),
        remote_tag=str(plain["remote_tag"]),
        local_seq=int(plain["local_seq"]) + _SEQUENCES_SKIPPED,
        remote_seq=None if plain["remote_seq"] is None else int(plain["remote_seq"]),
        remote_target=str(plain["remote_target"]),
        route_set=tuple(map(str, plain["route_set"])),
        contact=str(plain["contact"]),
        flow=Flow(str(transport), str(host), int(port), int(listener)),
        pinned=bool(plain["pinned"]),
    )


def plain_parties(caller: Caller, called: Called) -> Plain:
    """Return who talks as plain values."""
    return {
        "line": caller.line,
        "trunk": caller.trunk,
        "number": caller.number,
        "name": caller.name,
        "called": called.number,
        "group": called.group.name if called.group else None,
        "called_line": called.line.name if called.line else None,
    }


def parties_of(plain: Mapping[str, Any], directory: Directory) -> tuple[Caller, Called]:
    """Return who talks, as far as the configuration still knows them. Raises KeyError where they were not kept."""
    line, trunk = plain["line"], plain["trunk"]
    caller = Caller(line if line in directory.lines else None, trunk, plain["number"], plain["name"])
    called = Called(
        plain["called"], directory.groups.get(plain["group"] or ""), directory.lines.get(plain["called_line"] or "")
    )
    return caller, called
