"""The journal over MQTT: whose topic it is asked on decides what is seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support.agent import Agent, static
from tests.support.mosquitto import Mosquitto
from tests.support.ports import free_port
from tests.support.watcher import Watcher

P = "cti/test"


def asked(watcher: Watcher, user: str, verb: str, **arguments: Any) -> dict[str, Any]:
    """Ask in a user's name; return the answer."""
    transaction = f"{user}-{verb}-{len(watcher.heard)}"
    before = len(watcher.heard)
    watcher.publish(f"{P}/user/{user}/request/{verb}", json.dumps({**arguments, "transaction": transaction}))
    answer = json.loads(watcher.wait_for(f"{P}/user/{user}/response/{verb}", after=before).payload)
    assert answer["transaction"] == transaction
    return dict(answer)


def test_members_see_the_journal_that_their_group_shows_them(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """`member_journal`: a member sees entries and statistics; who is in no such group is told what is missing."""
    lines = {name: static(number, free_port()) for name, number in (("a", "201"), ("b", "202"))}
    tables: dict[str, Any] = {
        "lines": lines,
        "users": {"anna": {"line": "a"}, "ben": {"line": "b"}},
        "groups": {"sales": {"number": "600", "members": ["anna"], "services": ["member_journal"]}},
        "mqtt": {"broker": f"mqtt://{mosquitto.host}:{mosquitto.port}"},
    }
    with Watcher(mosquitto.host, mosquitto.port, f"{P}/#") as watcher, Agent(tmp_path, **tables) as agent:
        watcher.wait_for(f"{P}/user/ben/monitor")
        agent.login("sales", "anna")
        entries = asked(watcher, "anna", "journal", group="sales", only="logins")["data"]["entries"]
        assert [(entry["member"], entry["what"]) for entry in entries] == [("anna", "logged in")]
        assert "sales" in asked(watcher, "anna", "statistics")["data"]["groups"]
        refused = asked(watcher, "ben", "journal", group="sales")
        assert refused["error"]["code"] == "not_allowed" and "member_journal" in refused["error"]["message"]
        assert asked(watcher, "ben", "journal")["data"]["entries"] == []
        assert asked(watcher, "ben", "statistics")["data"]["groups"] == {}
        wrong = asked(watcher, "anna", "journal", since="soon")
        assert wrong["error"]["code"] == "bad_request" and "yesterday" in wrong["error"]["message"]
