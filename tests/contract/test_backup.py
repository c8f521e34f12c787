"""Backup and restore, with the agent and without it."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

from bridge.cli.main import main
from tests.support.agent import Agent, group, static
from tests.support.ports import free_port


def started(directory: Path) -> Agent:
    """Start an agent with two members who log in, and a password that is written as text."""
    lines = {name: static(number, free_port()) for name, number in (("m1", "201"), ("m2", "202"))}
    lobby = {"number": "203", "password": "geheim-203"}
    return Agent(directory, lines={**lines, "lobby": lobby}, groups={"sales": group("600", *lines, always=False)})


def state(agent: Agent) -> dict[str, Any]:
    """Return who is logged in."""
    members = agent.ask("groups")["groups"]["sales"]["members"]
    return {name: member["login"] for name, member in members.items()}


def test_what_was_kept_comes_back(tmp_path: Path) -> None:
    """A backup of a running agent; logins and journal come back on another machine; secrets are nowhere in it."""
    backup = tmp_path / "bridge.tar.gz"
    with started(tmp_path / "one") as agent:
        agent.login("sales", "m2")
        made = agent.cli("backup", str(backup))
        assert made["files"] == ["logins.db", "journal.db", "cti-bridge.toml"]
        assert made["secrets"] == ["lines.lobby.password"]
        assert not (agent.state / "backup").exists()
        refused = agent.cli("restore", str(backup), code=1)
        assert refused is None or "error" in refused
        entries = agent.cli("journal", "--only", "logins")["entries"]
    assert backup.stat().st_mode & 0o777 == 0o600
    with tarfile.open(backup) as archive:
        everything = b"".join(archive.extractfile(name).read() for name in archive.getnames())  # type: ignore[union-attr]
    assert b"geheim" not in everything
    with started(tmp_path / "two") as other:
        other.login("sales", "m1")
        other.ended_cleanly()
        placed = other.cli("restore", str(backup))
        kept = [Path(each) for each in placed["placed"].values() if each]
        assert sorted(each.name.split(".before-")[0] for each in kept) == ["journal.db", "logins.db"]
        assert all(each.exists() for each in kept)
        assert (tmp_path / "two" / "cti-bridge.toml.from-backup").exists()
        assert placed["secrets"] == ["lines.lobby.password"]
        other.start()
        assert state(other) == {"m1": "OFF", "m2": "ON"}
        told = other.cli("journal", "--only", "logins", "--last", "100")["entries"]
        assert [each for each in entries if each["kind"] == "login"] == [e for e in told if e["kind"] == "login"]


def test_a_backup_without_the_agent(tmp_path: Path) -> None:
    """The same files from a state that nobody serves, the journal after a kill included."""
    with started(tmp_path) as agent:
        agent.login("sales", "m1")
        agent.cli("journal")
        agent.kill()
        made = agent.cli("backup", str(tmp_path / "b.tar.gz"))
        assert made["files"] == ["logins.db", "journal.db", "cti-bridge.toml"]
        agent.start()


def test_a_damaged_backup_replaces_nothing(tmp_path: Path) -> None:
    """Cut short, no archive, a foreign file in it: refused, and what is there stays as it is."""
    with started(tmp_path) as agent:
        agent.login("sales", "m1")
        whole = tmp_path / "b.tar.gz"
        agent.cli("backup", str(whole))
        agent.ended_cleanly()
        before = (agent.state / "logins.db").read_bytes()
        broken = tmp_path / "broken.tar.gz"
        foreign = tmp_path / "foreign.tar.gz"
        with tarfile.open(foreign, "w:gz") as archive:
            manifest = tmp_path / "manifest.json"
            listed = {"format": 1, "made": "", "version": "", "secrets": [], "files": ["../evil"]}
            manifest.write_text(json.dumps(listed))
            archive.add(manifest, "manifest.json")
        for content in (whole.read_bytes()[:-200], b"hello", foreign.read_bytes(), b""):
            broken.write_bytes(content)
            places = ["--state", str(agent.state), "--control", str(agent.control), "--config", str(agent.config)]
            assert main(["restore", str(broken), *places]) == 1
        assert (agent.state / "logins.db").read_bytes() == before
        assert not list(agent.state.glob("*.before-*"))
        agent.start()
