"""Where the agent keeps its data and listens for commands, and where a command finds it."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from enum import Enum
from pathlib import Path

APP = "cti-bridge"
SYSTEM_SOCKET = Path("/run", APP, "control.sock")
"""The socket of the system's service, as seen by who logs in over SSH."""


def state_directory(explicit: str | None, environ: Mapping[str, str] = os.environ) -> Path:
    """Return where `run` keeps its data: `--state`, `$STATE_DIRECTORY`, else under `$XDG_STATE_HOME`."""
    if explicit:
        return Path(explicit)
    if from_systemd := environ.get("STATE_DIRECTORY"):
        return Path(from_systemd.split(":")[0])
    base = environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return Path(base, APP)


def control_socket(explicit: str | None, state: str | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """Return where `run` listens: `--control`, the runtime directories, else in the state directory."""
    return _places(explicit, state, environ)[0]


def find_control(explicit: str | None, state: str | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """Return where a command finds the agent: the first place that has a socket, else the first place.

    The agent may run as a service or under another login than the command, and so have another environment. A
    place that cannot be looked at comes before none, so that the refusal is told and not a missing agent.
    """
    places = _places(explicit, state, environ)
    seen = [_look(place) for place in places]
    for wanted in (_Seen.SOCKET, _Seen.DENIED):
        if wanted in seen:
            return places[seen.index(wanted)]
    return places[0]


class _Seen(Enum):
    SOCKET = "a socket"
    DENIED = "behind a directory that this login may not enter"
    NOTHING = "nothing, or no socket"


def _look(place: Path) -> _Seen:
    try:
        mode = place.stat().st_mode
    except PermissionError:
        return _Seen.DENIED
    except OSError:
        return _Seen.NOTHING
    return _Seen.SOCKET if stat.S_ISSOCK(mode) else _Seen.NOTHING


def _places(explicit: str | None, state: str | None, environ: Mapping[str, str]) -> list[Path]:
    if explicit:
        return [Path(explicit)]
    found = []
    if from_systemd := environ.get("RUNTIME_DIRECTORY"):
        found.append(Path(from_systemd.split(":")[0], "control.sock"))
    if of_the_login := environ.get("XDG_RUNTIME_DIR"):
        found.append(Path(of_the_login, APP, "control.sock"))
    found.append(state_directory(state, environ) / "control.sock")
    found.append(SYSTEM_SOCKET)
    return found
