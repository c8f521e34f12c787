"""Leases, schedules, hours and the night switch of a real agent: over restarts and power cuts, with real calls."""

from __future__ import annotations

import datetime
import resource
import time
from pathlib import Path
from typing import Any

import pytest

from bridge.clock import is_right
from bridge.control.client import Agent as AgentClient
from bridge.directory.hours import DAYS
from tests.support.agent import Agent, group, static
from tests.support.process import wait_until
from tests.support.stage import Stage

needs_a_right_clock = pytest.mark.skipif(not is_right(), reason="this machine's clock is not right")

ALWAYS = "mon-sun 00:00-24:00"


def office(directory: Path, **settings: Any) -> Agent:
    """Start an agent with one group of one member, who is out."""
    settings = {"last_out": "allow", **settings}
    return Agent(
        directory, lines={"m1": static("201", 9)}, groups={"sales": group("600", "m1", always=False, **settings)}
    )


def member(agent: Agent) -> dict[str, Any]:
    """Return what is shown of the member."""
    found: dict[str, Any] = agent.ask("groups")["groups"]["sales"]["members"]["m1"]
    return found


def until(agent: Agent, login: str) -> dict[str, Any]:
    """Wait until the member is in (ON) or out (OFF); return what is shown then."""
    wait_until(lambda: member(agent)["login"] == login, lambda: f"m1 is {login}\n{agent.report()}")
    return member(agent)


def restart(agent: Agent, *, hard: bool) -> None:
    """End the agent, in order or as a power cut does, and start it again."""
    if hard:
        agent.kill()
    else:
        agent.ended_cleanly()
    agent.start()


@pytest.mark.parametrize("hard", [False, True])
def test_a_lease_goes_on_over_a_restart(tmp_path: Path, hard: bool) -> None:
    """The restarted agent has it as it was, with the same end and what comes then."""
    with office(tmp_path) as agent:
        agent.ask("login", group="sales", member="m1", **{"for": 3600})
        before = member(agent)
        restart(agent, hard=hard)
        assert member(agent) == before
        assert before["next"] == {"at": before["until"], "login": "OFF", "why": "the lease is over"}


def test_a_lease_ends_after_a_restart(tmp_path: Path) -> None:
    """In for two seconds, with a power cut between: out, whenever the agent is there again."""
    with office(tmp_path) as agent:
        agent.ask("login", group="sales", member="m1", **{"for": 2})
        restart(agent, hard=True)
        ended = until(agent, "OFF")
        assert (ended["until"], ended["by"], ended["reason"]) == (None, "bridge", "the lease is over")


def test_a_lease_that_ends_while_nobody_is_there_has_ended(tmp_path: Path) -> None:
    """Out for a second, and back in from the very start of the next run."""
    with office(tmp_path) as agent:
        agent.login("sales", "m1")
        agent.ask("logout", group="sales", member="m1", **{"for": 1})
        ends = time.time() + 1
        agent.kill()
        wait_until(lambda: time.time() > ends, "the lease has ended")
        agent.start()
        assert (member(agent)["login"], member(agent)["by"]) == ("ON", "bridge")


def test_a_pause_goes_on_over_a_restart_and_ends_by_itself(tmp_path: Path) -> None:
    """With its reason; the login stays."""
    with office(tmp_path) as agent:
        agent.login("sales", "m1")
        agent.ask("pause", group="sales", member="m1", reason="lunch", **{"for": 3600})
        restart(agent, hard=True)
        assert (member(agent)["paused"], member(agent)["reason"]) == (True, "lunch")
        agent.ask("pause", group="sales", member="m1", **{"for": 1})
        wait_until(lambda: not member(agent)["paused"], "the pause is over")
        assert member(agent)["login"] == "ON"


def test_a_disk_that_takes_no_more_changes_nothing(tmp_path: Path) -> None:
    """Refused with the reason, and everybody still sees what was; as soon as there is room it is done."""
    with office(tmp_path) as agent, AgentClient(agent.control) as door:
        agent.login("sales", "m1")
        out = {"group": "sales", "member": "m1"}
        resource.prlimit(agent.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        refused = door.request("logout", out)["error"]
        assert refused["code"] == "store_failed" and "cannot be kept" in refused["message"]
        assert door.request("night", {"group": "sales", "night": "closed"})["error"]["code"] == "store_failed"
        assert (member(agent)["login"], agent.ask("group", group="sales")["open"]) == ("ON", True)
        resource.prlimit(agent.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        agent.logout("sales", "m1")
        restart(agent, hard=True)
        assert member(agent)["login"] == "OFF"


@needs_a_right_clock
def test_a_schedule_logs_in(tmp_path: Path) -> None:
    """From the start; what is done by hand holds until it turns, over a restart too; a lease gives it back."""
    scheduled: dict[str, Any] = {"members": [{"line": "m1", "schedule": [ALWAYS]}]}
    with office(tmp_path, **scheduled) as agent:
        assert (member(agent)["login"], member(agent)["by"], member(agent)["origin"]) == ("ON", "schedule", "schedule")
        agent.logout("sales", "m1")
        restart(agent, hard=True)
        assert member(agent)["login"] == "OFF"
        agent.ask("logout", group="sales", member="m1", **{"for": 1})
        assert until(agent, "ON")["origin"] == "schedule"


def test_the_night_switch_survives_and_refuses_callers(tmp_path: Path) -> None:
    """Closed by hand: the caller gets 480 at once, no phone rings; the same after a power cut; `groups` says so."""
    nobody: dict[str, Any] = {"lines": {"m9": static("209", 9)}, "groups": {"sales": group("600", "m9")}}
    with Stage(tmp_path, "parallel", **nobody) as stage:
        agent = stage.agent
        assert agent.cli("night", "sales", "closed")["changed"][0]["open"] is False
        restart(agent, hard=True)
        assert agent.ask("group", group="sales")["open"] is False
        assert agent.ask("groups")["groups"]["sales"]["night"]["by"] == "owner"
        stage.call("caller_is_refused")
        stage.refused(480)
        assert agent.ask("explain")["result"] == "nobody took it: group closed"
        agent.cli("night", "sales", "hours")
        assert agent.ask("group", group="sales")["open"] is True


@needs_a_right_clock
def test_a_group_that_its_hours_close_sends_its_callers_on(tmp_path: Path) -> None:
    """Outside its hours its phones are left alone; another group's member answers."""
    day = (datetime.date.today() + datetime.timedelta(days=3)).weekday()
    closed = {**group("601", "m9"), "hours": [f"{DAYS[day]} 00:00-24:00"], "closed": "600"}
    night: dict[str, Any] = {"lines": {"m9": static("209", 9)}, "groups": {"day": closed}}
    with Stage(tmp_path, "parallel", "member_answers", **night) as stage:
        assert stage.agent.ask("group", group="day")["open"] is False
        stage.call("caller_calls_and_hangs_up", "601")
        stage.passed()
        assert [step["what"] for step in stage.agent.ask("explain")["steps"]][0] == "overflowed to sales"


def test_who_lets_it_ring_is_paused_and_returns(tmp_path: Path) -> None:
    """One call in vain, and the member is paused for a second, with the reason; then rung again."""
    patience: dict[str, Any] = {"ring_seconds": 1, "rounds": 1, "auto_pause": 1, "auto_pause_seconds": 1.0}
    with Stage(tmp_path, "sequential", "member_rings_until_cancelled", **patience) as stage:
        stage.call("caller_is_refused")

        def seen() -> dict[str, Any]:
            return member(stage.agent)

        wait_until(lambda: seen()["paused"], lambda: f"m1 is paused\n{stage.agent.report()}")
        assert (seen()["reason"], seen()["availability"]) == ("1 call not answered", "paused")
        stage.passed()
        wait_until(lambda: not seen()["paused"], "m1 has returned")
