"""The journal with real calls: what is kept, how it is asked for, with and without the agent."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from tests.support.agent import ENVIRONMENT
from tests.support.process import Process, wait_until
from tests.support.stage import Stage


def said(stage: Stage, *words: str) -> str:
    """Run a command without --json and return what it prints."""
    with Process(stage.agent.argv(*words), env=ENVIRONMENT) as command:
        assert command.wait() == 0, command.report()
        return command.stdout


def test_a_call_is_kept_and_told_with_the_agent_and_without(tmp_path: Path) -> None:
    """Table, JSON, CSV, the story, statistics; the same from the file once the agent has ended."""
    with Stage(tmp_path, "parallel", "member_answers", "member_loses_race") as stage:
        stage.call("caller_calls_and_hangs_up")
        stage.passed()
        (entry,) = stage.agent.cli("journal", "--only", "calls")["entries"]
        assert (entry["result"], entry["taken_by"], entry["groups"]) == ("answered", "m1", ["sales"])
        assert {m["member"]: m["outcome"] for m in entry["members"]} == {"m1": "answered", "m2": "withdrawn"}
        assert stage.agent.cli("journal", "--group", "600", "--result", "missed")["entries"] == []
        table = said(stage, "journal", "--only", "calls")
        assert "answered m1" in table and "m2 answered elsewhere" in table
        rows = list(csv.DictReader(io.StringIO(said(stage, "journal", "--csv", "--only", "calls"))))
        assert [(row["call"], row["caller"]) for row in rows] == [(entry["call"], "301")]
        told = said(stage, "explain")
        assert "<301> called 600 (sales): answered by m1" in told
        assert "m2 rang for" in told and "somebody else answered" in told
        today = stage.agent.cli("journal", "--stats")["groups"]["sales"]["today"]
        assert (today["calls"], today["answered"], today["service_level"]) == (1, 1, 1.0)
        assert today["members"]["m1"]["answered"] == 1 and today["members"]["m2"]["present"] >= 0
        stage.agent.ended_cleanly()
        assert said(stage, "explain") == told
        assert "answered m1" in said(stage, "journal")
        kinds = [each["kind"] for each in stage.agent.cli("journal")["entries"]]
        assert kinds == ["started", "login", "login", "call", "ended"]
        assert stage.agent.cli("journal", "--stats")["groups"]["sales"]["today"]["answered"] == 1
        stage.agent.start()
        counted = lambda: stage.agent.ask("group", group="sales")["answered_today"] == 1  # noqa: E731
        wait_until(counted, lambda: "the calls of before the restart count")
        assert stage.agent.cli("explain", entry["call"])["call"]["taken_by"] == "m1"
