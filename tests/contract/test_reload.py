"""SIGHUP takes up another configuration in the running bridge: calls and logins stay, a mistake changes nothing."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.agent import ENVIRONMENT, Agent, group, static
from tests.support.mosquitto import Mosquitto
from tests.support.process import Process, wait_until
from tests.support.ptypanel import PtyPanel
from tests.support.stage import Stage
from tests.support.watcher import Watcher

Bridges = Callable[..., Agent]

ANNA = {"number": "201", "password": "anna's secret"}
BEN = {"number": "202", "password": "ben's secret"}


def test_talk_goes_on_and_a_new_group_can_be_called(stage: Callable[..., Stage], sipp: Callable[..., Any]) -> None:
    """A call that is up is not touched, though its lines have left; who calls next finds what is new."""
    on = stage("parallel", "member_answers")
    talking = on.call("caller_stays_until_it_hangs_up", talk=1500)
    wait_until(lambda: [c["state"] for c in on.agent.ask("calls")["calls"]] == ["connected"], on.agent.report)
    new = sipp("member_answers")
    ports = on._caller_ports
    told = on.agent.reload(
        lines={"n1": static("211", new.port), "c2": static("302", ports[1])}, groups={"fresh": group("601", "n1")}
    )
    assert told.endswith("the new configuration is in force"), told
    assert [c["state"] for c in on.agent.ask("calls")["calls"]] == ["connected"]
    on.call("caller_calls_and_hangs_up", "601")
    on.passed()
    new.passed()
    assert talking.process.returncode == 0
    assert set(on.agent.ask("groups")["groups"]) == {"fresh"}


def test_logins_stay_and_who_has_left_is_forgotten(bridge: Bridges) -> None:
    """A login that was confirmed is as it was; a member who has left is dropped, and is out when he comes back."""
    lines = {"anna": ANNA, "ben": BEN}
    agent = bridge(lines=lines, groups={"sales": group("600", "anna", "ben", always=False)})
    agent.login("sales", "anna", "ben")
    agent.reload(lines={"anna": {**ANNA, "password": "another"}}, groups={"sales": group("600", "anna", always=False)})
    assert logins(agent) == {"anna": "ON"}
    assert "ben is no longer a member; the login is forgotten" in agent.process.output
    agent.reload(lines=lines, groups={"sales": group("600", "anna", "ben", always=False, strategy="sequential")})
    assert logins(agent) == {"anna": "ON", "ben": "OFF"}


def test_mistakes_are_all_told_and_the_old_one_stays(bridge: Bridges) -> None:
    """Every mistake is one of an event and of a line of the log; nothing of the new configuration is taken."""
    agent = bridge(lines={"anna": ANNA}, groups={"sales": group("600", "anna")})
    before = agent.config.read_text()
    told = agent.reload(lines={"anna": ANNA, "ben": {"number": "201"}}, groups={"sales": group("600", "anne")})
    assert "the new configuration is not taken, the one before stays" in told
    assert "lines.ben" in told and "groups.sales.members[0].line" in told
    assert set(agent.ask("lines")["lines"]) == {"anna"}
    agent.config.write_text("[lines\n")
    os.kill(agent.pid, signal.SIGHUP)
    wait_until(lambda: "this is not TOML" in agent.process.output, agent.report)
    agent.config.unlink()
    os.kill(agent.pid, signal.SIGHUP)
    wait_until(lambda: "cannot be read" in agent.process.output, agent.report)
    agent.config.write_text(before)
    assert logins(agent) == {"anna": "ON"}


def test_what_needs_a_restart_is_said(bridge: Bridges) -> None:
    """Where the bridge listens stays, and is named; all else of the same file is in force."""
    agent = bridge(lines={"anna": ANNA}, groups={"sales": group("600", "anna")})
    told = agent.reload(
        lines={"anna": ANNA},
        groups={"sales": group("609", "anna")},
        sip={"listen": ["udp:127.0.0.1:9"], "rtp_ports": [20000, 20010]},
    )
    assert told.endswith("the new configuration is in force: restart the bridge for sip.listen"), told
    assert agent.ask("groups")["groups"]["sales"]["number"] == "609"
    assert agent.ask("status")["trunks"] == {}


def test_home_assistant_and_the_broker_follow(bridge: Bridges, mosquitto: Mosquitto) -> None:
    """A new group is announced with its states; one that is gone is taken away, discovery and states."""
    lines = {"anna": static("201", 9), "ben": static("202", 9)}
    with Watcher(mosquitto.host, mosquitto.port, "#") as watcher:
        agent = bridge(
            lines=lines,
            groups={"sales": group("600", "anna", always=False), "old": group("601", "ben")},
            mqtt={"broker": mosquitto.url},
        )
        watcher.wait_for("homeassistant/device/cti_test_GROUP_old/config")
        agent.login("sales", "anna")
        mark = watcher.mark
        agent.reload(
            lines=lines,
            groups={"sales": group("600", "anna", "ben", always=False), "fresh": group("602", "ben")},
            mqtt={"broker": mosquitto.url},
        )
        watcher.wait_for_payload("homeassistant/device/cti_test_GROUP_old/config", "", after=mark)
        watcher.wait_for_payload("cti/test/group/old/state", "", after=mark)
        watcher.wait_for("homeassistant/device/cti_test_GROUP_fresh/config", after=mark)
        watcher.wait_for("cti/test/group/sales/member/ben/state", lambda h: h.json["login"] == "OFF", after=mark)
        watcher.wait_for("cti/test/group/sales/member/anna/state", lambda h: h.json["login"] == "ON", after=mark)
        event = watcher.wait_for("cti/test/bridge/event", lambda h: h.json["type"] == "configuration_taken", after=mark)
        assert event.json["problems"] == []
        mark = watcher.mark
        agent.reload(
            lines=lines,
            groups={"sales": group("600", "anna", always=False)},
            mqtt={"broker": mosquitto.url, "prefix": "house"},
        )
        watcher.wait_for_payload("cti/test/bridge/state", "offline", after=mark)
        watcher.wait_for_payload("house/bridge/state", "online", after=mark)
        agent.reload(lines=lines, groups={"sales": group("600", "anna", always=False)})
        watcher.wait_for_payload("house/bridge/state", "offline", after=mark)


def test_desks_are_opened_anew_only_where_they_changed(tmp_path: Path) -> None:
    """A desk that stays as it is keeps its panel, one that changes is opened anew, one that is gone is dark."""
    stays, changes = PtyPanel(tmp_path / "stays", keys=2, lamps=2), PtyPanel(tmp_path / "changes", keys=2, lamps=2)
    for panel in (stays, changes):
        panel.plug()
    lines = {"anna": static("201", 9), "ben": static("202", 9)}

    def desk(member: str, panel: PtyPanel, lamp: int) -> dict[str, Any]:
        lamps = [{"lamp": lamp, "shows": "login sales"}]
        return {"member": member, "panel": str(panel.path), "buttons": [], "lamps": lamps}

    desks = {"a": desk("anna", stays, 1), "b": desk("ben", changes, 1)}
    groups = {"sales": group("600", "anna", "ben", always=False)}
    try:
        with Agent(tmp_path / "agent", lines=lines, groups=groups, desks=desks) as agent:
            for panel in (stays, changes):
                wait_until(lambda panel=panel: b"hello" in panel.heard or panel.shows(1) == "off", agent.report)  # type: ignore[misc]
            agent.login("sales", "anna", "ben")
            wait_until(lambda: stays.shows(1) == changes.shows(1) == "steady", agent.report)
            opened = agent.process.output.count("panel of desk a: here")
            agent.reload(lines=lines, groups=groups, desks={**desks, "b": desk("ben", changes, 2)})
            wait_until(lambda: changes.shows(2) == "steady", agent.report)
            assert stays.shows(1) == "steady"
            agent.reload(lines=lines, groups=groups, desks={"a": desks["a"]})
            agent.logout("sales", "anna")
            wait_until(lambda: stays.shows(1) == "off", agent.report)
            assert agent.process.output.count("panel of desk a: here") == opened
            assert list(agent.ask("desks")["desks"]) == ["a"]
    finally:
        stays.pull()
        changes.pull()


def test_a_phone_proves_its_new_password(bridge: Bridges, sipp: Callable[..., Any]) -> None:
    """From the reload on the old password registers nobody, and the new one does."""
    agent = bridge(lines={"anna": ANNA}, groups={"sales": group("600", "anna")})
    agent.reload(lines={"anna": {**ANNA, "password": "another"}}, groups={"sales": group("600", "anna")})
    keys = {"number": "201", "expires": "120"}
    sipp("phone_registers_wrongly", remote=agent.port, keys=keys, auth=("201", ANNA["password"])).passed()
    sipp("phone_registers", remote=agent.port, keys=keys, auth=("201", "another")).passed()
    assert agent.ask("lines")["lines"]["anna"]["state"] == "idle"


def logins(agent: Agent) -> dict[str, str]:
    """Return who is in and out of sales."""
    members = agent.ask("groups")["groups"]["sales"]["members"]
    return {name: member["login"] for name, member in members.items()}


def test_a_reload_during_start_and_stop(tmp_path: Path) -> None:
    """SIGHUP before it serves, again and again, and while it stops: it starts, reads once more, and ends with 0."""
    bridge = Agent(tmp_path, lines={"anna": ANNA})
    bridge.ended_cleanly()
    bridge.process = Process(bridge.argv("run"), env=ENVIRONMENT, cwd=tmp_path)
    wait_until(lambda: ignores_hangups(bridge.pid), "SIGHUP waits")
    while "ready" not in bridge.process.output:
        os.kill(bridge.pid, signal.SIGHUP)
        time.sleep(0.01)
        assert bridge.process.running, bridge.report()
    bridge.process.wait_for("the new configuration is in force")
    os.kill(bridge.pid, signal.SIGTERM)
    with contextlib.suppress(ProcessLookupError):
        while bridge.process.running:
            os.kill(bridge.pid, signal.SIGHUP)
            time.sleep(0.001)
    assert bridge.process.wait() == 0, bridge.report()


def ignores_hangups(pid: int) -> bool:
    """Whether a process has SIGHUP blocked."""
    blocked = re.search(r"^SigBlk:\s*([0-9a-f]+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return blocked is not None and bool(int(blocked[1], 16) >> (signal.SIGHUP - 1) & 1)
