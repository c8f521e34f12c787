"""The commands that talk to the running agent: what they print, and how they end."""

from __future__ import annotations

import datetime
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bridge.calls.status import CallStatus, LineState, Step, Story, TrunkStatus
from bridge.cli.main import main
from bridge.cli.text import clock
from bridge.directory.hours import Hours
from bridge.directory.model import LastOut, Member
from bridge.events import iso
from tests.support.control import Served
from tests.support.office import NOW, office
from tests.support.process import Process, wait_until

CALL = CallStatus("c1", "hunting", "030123", "Zoe", "600", "support", NOW - 12, ringing=("anna", "ben"))
TALK = replace(CALL, call="c2", state="connected", caller="", caller_name="", ringing=(), answered_by="cara")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """Serve the office."""
    with Served(tmp_path) as agent:
        yield agent


class Terminal:
    """Runs commands against an agent; what they print is kept apart from what they complain of."""

    def __init__(self, served: Served, capsys: pytest.CaptureFixture[str]) -> None:
        self._served = served
        self._capsys = capsys

    def run(self, *words: str, code: int = 0) -> tuple[str, str]:
        """Run a command, expect its exit code; return its output and its complaints."""
        ended = main([*words, "--control", str(self._served.path)])
        said = self._capsys.readouterr()
        assert ended == code, said
        return said.out, said.err

    def json(self, *words: str, code: int = 0) -> Any:
        """Run a command for a machine."""
        return json.loads(self.run(*words, "--json", code=code)[0])


@pytest.fixture
def terminal(served: Served, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """Return a terminal at the office's agent."""
    return Terminal(served, capsys)


def test_login_says_what_is_confirmed(terminal: Terminal) -> None:
    """A login is confirmed in a sentence, with its end and its reason; a second one says that nothing changed."""
    out, err = terminal.run("login", "600", "anna", "--for", "2h", "--reason", "early")
    assert re.fullmatch(r"anna is logged in to support until (\S+ )?\d\d:\d\d \(early\)\.\n", out)
    assert err == ""
    assert terminal.run("login", "support", "ben")[0] == "ben is logged in to support.\n"
    assert terminal.run("login", "support", "ben")[0] == "ben is logged in to support, as before.\n"
    assert terminal.json("groups")["groups"]["support"]["members"]["anna"]["login"] == "ON"


def test_pause_and_unpause(terminal: Terminal) -> None:
    """A pause is told with its reason, and ended."""
    terminal.run("login", "all", "all")
    assert terminal.run("pause", "support", "anna", "--reason", "lunch")[0] == "anna is paused in support (lunch).\n"
    assert terminal.run("unpause", "support", "anna")[0] == "anna is logged in to support.\n"


def test_warnings_are_told_beside(terminal: Terminal) -> None:
    """The last one out is done, and what that means is told on the error stream."""
    terminal.run("login", "support", "anna")
    out, err = terminal.run("logout", "support", "anna")
    assert out == "anna is logged out of support.\n"
    assert err.startswith("Note: nobody is left in group support")


def test_refusals_say_what_would_be_right(terminal: Terminal) -> None:
    """What the agent refuses ends with 1, what it does not understand with 2; both on the error stream."""
    out, err = terminal.run("login", "suport", "anna", code=1)
    assert out == ""
    assert "there is no group 'suport'; groups are: support (600), sales (601)" in err
    assert "no duration" in terminal.run("login", "support", "anna", "--for", "soon", code=2)[1]
    assert "not logged in" in terminal.run("pause", "support", "anna", code=1)[1]
    assert "has been no call" in terminal.run("explain", code=1)[1]


def test_refusals_for_machines(terminal: Terminal) -> None:
    """With --json a refusal is an object with a code."""
    assert terminal.json("login", "nowhere", "anna", code=1)["error"]["code"] == "unknown_group"


def test_last_one_out_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A group with last_out = "refuse" keeps its last member; the message says how to go."""
    with Served(tmp_path, office(last_out=LastOut.REFUSE)) as agent:
        terminal = Terminal(agent, capsys)
        terminal.run("login", "support", "anna")
        assert "log somebody else in first" in terminal.run("logout", "support", "anna", code=1)[1]


def test_for_and_until_are_one_or_the_other(terminal: Terminal) -> None:
    """Wrong usage ends with 2 before the agent is asked."""
    _, err = terminal.run("login", "support", "anna", "--for", "2h", "--until", "14:00", code=2)
    assert "not allowed with" in err


def test_rights(terminal: Terminal) -> None:
    """One target: each right and where it comes from; nobody named: everybody, lines and journals."""
    out, _ = terminal.run("rights", "cara", "anna")
    assert out.splitlines() == [
        "cara over anna: public",
        "  see login and line state      site (public), group support as leader (public)",
        "  see callers and diversion     no",
        "  see those of the second line  no",
        "  pause                         group support as leader (supervise)",
        "  pick up calls                 no",
        "  pick up at the second line    no",
        "  set the diversion             no",
        "  log in or out                 group support as leader (supervise)",
        "  control the line              no",
    ]
    assert terminal.run("rights", "anna", "lobby")[0].startswith("anna over lobby: none, a device: no level applies")
    every = terminal.run("rights", "ben")[0]
    assert "controls: ben (own)\njournals: none" in every
    assert [line.split()[0] for line in every.splitlines()[1:4]] == ["anna", "cara", "lobby"]
    over = terminal.json("rights", "ben", "202")["over"]["ben"]
    assert over["rights"]["login"] == [{"from": "own", "level": None, "in": None}]
    assert "there are anna, ben, cara, lobby" in terminal.run("rights", "zoe", code=1)[1]


def test_the_owner_may_look_as_anybody(terminal: Terminal, served: Served) -> None:
    """With --as the commands show, and do, what that user may; what is hidden is told as such."""
    served.telephony.up = [replace(CALL, rung=("anna", "ben")), replace(TALK, lines=("cara",))]
    assert "Zoe <030123>" in terminal.run("calls", "--as", "ben")[0]
    cara = terminal.run("calls", "--as", "cara")[0]
    assert "not shown" in cara and "anonymous" in cara and "030123" not in cara
    assert "030123" not in terminal.run("status", "--as", "cara")[0]
    assert "may not log in or out anna" in terminal.run("login", "support", "anna", "--as", "ben", code=1)[1]
    assert terminal.run("login", "support", "ben", "--as", "ben")[0] == "ben is logged in to support.\n"
    assert "explain is for the owner; ben is not" in terminal.run("explain", "--as", "ben", code=1)[1]
    assert "may not ask" in terminal.run("rights", "anna", "cara", "--as", "ben", code=1)[1]
    assert terminal.run("rights", "anna", "ben", "--as", "ben")[0].startswith("anna over ben: public")


def test_groups(terminal: Terminal, served: Served) -> None:
    """Groups are listed with counts, members with what keeps each from being rung."""
    served.telephony.states["ben"] = LineState.UNREACHABLE
    served.telephony.up = [CALL]
    terminal.run("login", "support", "anna")
    terminal.run("login", "support", "ben")
    out, _ = terminal.run("groups")
    lines = out.splitlines()
    calling = f"1 calling since {clock(iso(NOW - 12))}"
    assert lines[0] == f"600 support: parallel, 2 of 3 logged in, 1 available, {calling}"
    assert re.fullmatch(r"  anna   available             since \d\d:\d\d  owner, control", lines[1])
    assert re.fullmatch(r"  ben    phone not registered  since \d\d:\d\d  owner, control", lines[2])
    assert lines[3] == "  lobby  logged out"
    assert lines[4] == "601 sales: parallel, 0 of 2 logged in, 0 available"


def test_groups_tell_what_becomes_of_logins(terminal: Terminal) -> None:
    """A lease shows how long it runs and what comes then; a pause when it ends and why it is."""
    terminal.run("login", "support", "anna", "--for", "2h", "--reason", "early")
    terminal.run("login", "support", "ben")
    terminal.run("pause", "support", "ben", "--for", "15m", "--reason", "lunch")
    anna, ben = terminal.run("groups")[0].splitlines()[1:3]
    time = r"(\d{4}-\d\d-\d\d )?\d\d:\d\d"
    assert re.search(rf"since {time} until {time} \(1\d\d min\), then out: early  owner, control$", anna)
    assert re.search(rf"  paused +since {time} until {time} \(\d+ min\): lunch +owner, control$", ben)


def test_night(terminal: Terminal) -> None:
    """The switch is confirmed in a sentence; `groups` says what closes a group, and its members are not available."""
    terminal.run("login", "support", "anna")
    assert terminal.run("night", "600", "closed")[0] == "support is closed by hand.\n"
    assert terminal.run("night", "support", "closed")[0] == "support is closed by hand, as before.\n"
    heading, anna = terminal.run("groups")[0].splitlines()[:2]
    assert heading == "600 support: parallel, 1 of 3 logged in, 0 available, closed by hand (owner, control)"
    assert "group closed" in anna
    assert terminal.run("night", "support", "toggle")[0] == "support is open by its hours.\n"
    assert terminal.json("night", "support", "open")["changed"][0]["night"] == "open"
    assert "invalid choice" in terminal.run("night", "support", "dark", code=2)[1]


def test_a_schedule_shows_when_it_turns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who is in by a schedule is shown so, with the next turn."""
    hour = (datetime.datetime.now().hour + 3) % 24 or 1
    always_but = Hours.of([f"mon-sun 00:00-{hour:02}:00", f"mon-sun {hour:02}:01-24:00"])
    with Served(tmp_path, office(members=(Member("anna", "anna", schedule=always_but),))) as agent:
        anna = Terminal(agent, capsys).run("groups")[0].splitlines()[1]
        assert re.search(rf"available +since \S+, out at (\S+ )?{hour:02}:00  schedule, schedule$", anna)


def test_calls(terminal: Terminal, served: Served) -> None:
    """Calls are listed with who calls whom, and who rings or talks."""
    assert terminal.run("calls")[0] == "no calls are up\n"
    served.telephony.up = [CALL, TALK]
    heading, first, second = terminal.run("calls")[0].splitlines()
    assert heading.split() == ["CALLER", "CALLED", "STATE", "FOR", "CALL", "MEMBER"]
    assert re.fullmatch(r"Zoe <030123>  600 \(support\)  hunting +\d+ \w+ +c1 +rings anna, ben", first)
    assert re.fullmatch(r"anonymous +600 \(support\)  connected +\d+ \w+ +c2 +talks to cara", second)
    assert [call["call"] for call in terminal.json("calls")["calls"]] == ["c1", "c2"]


def test_lines(terminal: Terminal, served: Served) -> None:
    """Lines are listed with their state, the groups that ring them, and where they are reached."""
    served.telephony.states["anna"] = LineState.BUSY
    out, _ = terminal.run("lines")
    assert re.search(r"^anna   201     busy   .*  support         sip:anna@192.0.2.1$", out, re.MULTILINE)
    assert terminal.json("lines")["lines"]["anna"]["state"] == "busy"


def test_explain(terminal: Terminal, served: Served) -> None:
    """The story of the last call, or of one by its id, is told step by step."""
    steps = (Step(0.0, "ben", "not rung", "paused"), Step(0.01, "anna", "offered"), Step(15.0, None, "ended"))
    served.telephony.stories = {"c1": Story(CALL, steps, "abandoned"), "c2": Story(TALK, (), None)}
    out, _ = terminal.run("explain", "c1")
    heading, *rest = out.splitlines()
    assert heading.endswith("Zoe <030123> called 600 (support): abandoned")
    assert [line.split() for line in rest] == [
        ["0.0", "s", "ben", "not", "rung:", "paused"],
        ["0.0", "s", "anna", "offered"],
        ["15.0", "s", "-", "ended"],
    ]
    assert "anonymous called 600 (support): connected" in terminal.run("explain")[0]


def test_status(terminal: Terminal, served: Served) -> None:
    """All is well, or what is wrong stands first with its beginning."""
    out, _ = terminal.run("status")
    assert re.match(r"cti-bridge 0\.1\.0 at test, up for \d+ s\n\nAll is well\.\n", out)
    served.telephony.known_trunks = [TrunkStatus("fritz", "lost", NOW, "403 Forbidden")]
    out, _ = terminal.run("status")
    assert re.search(r"WRONG\n  trunk fritz  lost  since .* \(.*\)  403 Forbidden\n", out)
    assert terminal.json("status")["trunks"]["fritz"]["state"] == "lost"


def test_what_comes_from_outside_moves_no_cursor(terminal: Terminal, served: Served) -> None:
    """A caller's name with control characters is shown without them."""
    served.telephony.up = [replace(CALL, caller_name="\x1b[2JZoe\n\u202e")]
    out, _ = terminal.run("calls")
    assert "\x1b" not in out
    assert len(out.splitlines()) == 2


def test_no_agent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where no agent answers every command ends with 3 and says how to start one or find it."""
    path = tmp_path / "control.sock"
    for words in (["status"], ["login", "a", "b"], ["calls"], ["explain"], ["events"]):
        assert main([*words, "--control", str(path), "--state", str(tmp_path)]) == 3
        assert f"no agent answers at {path}; start it with cti-bridge run" in capsys.readouterr().err


def test_events_are_told_as_they_happen(served: Served, terminal: Terminal) -> None:
    """Each event is a line at once, until Ctrl-C; when the agent ends, that is told and ends with 3."""
    argv: list[str | Path] = [sys.executable, "-m", "bridge.cli", "events", "--control", served.path]
    with Process(argv) as people, Process([*argv, "--json"]) as machine:
        wait_until(lambda: _told(served, people, machine), "both follow")
        terminal.run("login", "support", "anna")
        people.wait_for(r"\d\d:\d\d  support: anna logged in by owner \(control\)")
        assert json.loads(machine.wait_for(r'.*"login_changed".*')[0])["login"]["by"] == "owner"
        served.end()
        assert (people.wait(), machine.wait()) == (3, 3)
        assert "has ended" in people.stderr


def _told(served: Served, *followers: Process) -> bool:
    """Publish something, and return whether all have heard of any such thing."""
    served.hint()
    return all("here" in follower.stdout for follower in followers)


def test_a_command_pays_for_what_it_uses() -> None:
    """Commands over the socket import neither asyncio nor any of the heavy parts."""
    modules = "status login calls explain events groups lines pause unpause logout"
    script = "import sys, importlib\n"
    script += f"for name in {modules!r}.split(): importlib.import_module('bridge.cli.' + name)\n"
    script += "print(*{'asyncio', 'pydantic', 'rich', 'paho', 'sqlite3', 'sipmessage'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_two_terminals_at_once(served: Served) -> None:
    """Commands of several people at the same time are all done."""
    codes: list[int] = []
    where = ["--control", str(served.path)]
    words = [["login", "support", m, *where] for m in ("anna", "ben", "lobby")]
    threads = [threading.Thread(target=lambda w=w: codes.append(main(w))) for w in words]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [0, 0, 0]
    with served.agent() as agent:
        assert agent.request("group", {"group": "support"})["data"]["logged_in"] == 3
