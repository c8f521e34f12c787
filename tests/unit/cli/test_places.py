from __future__ import annotations

import socket
from pathlib import Path

import pytest

from bridge.cli import places
from bridge.cli.places import control_socket, find_control, state_directory
from bridge.control.reach import reach


def listening(path: Path) -> Path:
    """Make a socket's file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as made, reach(path) as name:
        made.bind(name)
    return path


@pytest.fixture(autouse=True)
def no_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no service of this machine be found."""
    monkeypatch.setattr(places, "SYSTEM_SOCKET", tmp_path / "system/control.sock")


def test_state_by_option() -> None:
    """`--state` comes first."""
    assert state_directory("/s", {"STATE_DIRECTORY": "/x"}) == Path("/s")


def test_state_by_systemd() -> None:
    """Then systemd's directory, the first where there are several."""
    assert state_directory(None, {"STATE_DIRECTORY": "/x:/y", "XDG_STATE_HOME": "/z"}) == Path("/x")


def test_state_of_a_login(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it is under the login's own state directory."""
    assert state_directory(None, {"XDG_STATE_HOME": "/z"}) == Path("/z/cti-bridge")
    monkeypatch.setenv("HOME", "/home/anna")
    assert state_directory(None, {}) == Path("/home/anna/.local/state/cti-bridge")


def test_the_control_socket() -> None:
    """`--control`, systemd's runtime directory, the login's, else the state directory."""
    everything = {"RUNTIME_DIRECTORY": "/run/a", "XDG_RUNTIME_DIR": "/run/user/1"}
    assert control_socket("/c", None, everything) == Path("/c")
    assert control_socket(None, None, everything) == Path("/run/a/control.sock")
    assert control_socket(None, None, {"XDG_RUNTIME_DIR": "/run/user/1"}) == Path("/run/user/1/cti-bridge/control.sock")
    assert control_socket(None, "/s", {}) == Path("/s/control.sock")


def test_found_where_it_listens(tmp_path: Path) -> None:
    """A command finds the agent though its own environment would put the socket elsewhere."""
    environ = {"XDG_RUNTIME_DIR": str(tmp_path / "run"), "XDG_STATE_HOME": str(tmp_path / "state")}
    assert find_control(None, None, environ) == tmp_path / "run/cti-bridge/control.sock"
    service = listening(tmp_path / "system/control.sock")
    assert find_control(None, None, environ) == service
    own = listening(tmp_path / "state/cti-bridge/control.sock")
    assert find_control(None, None, environ) == own


def test_another_file_is_no_agent(tmp_path: Path) -> None:
    """A file that is no socket is passed over."""
    environ = {"XDG_RUNTIME_DIR": str(tmp_path / "run"), "XDG_STATE_HOME": str(tmp_path / "state")}
    (tmp_path / "run/cti-bridge").mkdir(parents=True)
    (tmp_path / "run/cti-bridge/control.sock").touch()
    own = listening(tmp_path / "state/cti-bridge/control.sock")
    assert find_control(None, None, environ) == own


def test_an_explicit_one_is_not_doubted(tmp_path: Path) -> None:
    """What `--control` says is taken, whether there is something or not."""
    listening(tmp_path / "system/control.sock")
    assert find_control("/c", None, {}) == Path("/c")
