"""The control socket: a real one, with a real client and with peers that behave badly."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bridge.calls.status import CallStatus
from bridge.control.client import Agent, AgentUnreachable
from bridge.control.protocol import LONGEST_LINE
from bridge.control.reach import reach
from bridge.control.server import CONNECTIONS_AT_MOST
from bridge.control.socketfile import ControlError, listen
from bridge.directory.model import Directory
from bridge.events import Notice
from tests.support.control import Served
from tests.support.office import NOW, office
from tests.support.process import PATIENCE, wait_until

SUPPORT_ANNA = {"group": "support", "member": "anna"}


def raw(path: Path, sent: bytes) -> list[dict[str, Any]]:
    """Send bytes and the end; return every line that comes back before the agent closes."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
        peer.settimeout(PATIENCE)
        with reach(path) as name:
            peer.connect(name)
        try:
            peer.sendall(sent)
            peer.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before all of it was sent; what was said is still there to be read
        received = b""
        try:
            while chunk := peer.recv(65536):
                received += chunk
        except ConnectionResetError:
            pass
    return [json.loads(line) for line in received.splitlines()]


def test_a_login_is_done_and_survives(tmp_path: Path) -> None:
    """A command is confirmed with what has changed, is there for everybody, and after a restart too."""
    with Served(tmp_path) as served, served.agent() as agent:
        answer = agent.request("login", {**SUPPORT_ANNA, "reason": "early"}, "t1")
        assert (answer["status"], answer["error"], answer["transaction"]) == ("ok", None, "t1")
        (changed,) = answer["data"]["changed"]
        assert (changed["login"], changed["origin"], changed["by"]) == ("ON", "control", "owner")
    with Served(tmp_path) as served, served.agent() as agent:
        state = agent.request("member", SUPPORT_ANNA)["data"]
        assert (state["login"], state["reason"]) == ("ON", "early")


def test_a_refusal_has_a_code_and_a_reason(tmp_path: Path) -> None:
    """What cannot be done is answered with the contract's error object."""
    with Served(tmp_path) as served, served.agent() as agent:
        answer = agent.request("login", {"group": "suport", "member": "anna"})
        assert answer["status"] == "error"
        assert answer["error"]["code"] == "unknown_group"
        assert "support (600)" in answer["error"]["message"]
        assert agent.request("dance", {})["error"]["code"] == "unknown_verb"


def test_a_transaction_is_answered_again(tmp_path: Path) -> None:
    """The same transaction over another connection is not done a second time."""
    with Served(tmp_path) as served:
        for _ in range(2):
            with served.agent() as agent:
                assert agent.request("toggle", SUPPORT_ANNA, "once")["data"]["changed"][0]["login"] == "ON"
        with served.agent() as agent:
            assert agent.request("member", SUPPORT_ANNA)["data"]["login"] == "ON"


def test_events_are_followed(tmp_path: Path) -> None:
    """After `follow` every event is a line, in the order of the changes; requests may go on beside it."""
    with Served(tmp_path) as served, served.agent() as follower, served.agent() as agent:
        assert follower.request("follow", {})["status"] == "ok"
        agent.request("login", SUPPORT_ANNA)
        agent.request("logout", {"group": "sales", "member": "anna"})
        events = follower.events()
        first, second = next(events), next(events)
        assert (first["type"], first["member"], first["login"]["login"]) == ("login_changed", "anna", "ON")
        assert (second["type"], second["code"]) == ("command_refused", "unknown_member")
        assert follower.request("member", SUPPORT_ANNA)["data"]["login"] == "ON"


def test_a_follower_who_does_not_read_is_let_go(tmp_path: Path) -> None:
    """Events for somebody who does not read them are kept up to a limit; the agent goes on."""
    with Served(tmp_path) as served, served.agent() as follower:
        follower.request("follow", {})
        heavy = Notice(0.0, "heavy", "x" * 60_000)
        for _ in range(60):
            served.call(lambda: served.port.publish(heavy))
        with served.agent() as agent:
            assert agent.request("group", {"group": "600"})["status"] == "ok"
        assert sum(1 for _ in follower.events()) < 60


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"hello\n", "bad_request"),
        (b"\xff\xfe\n", "bad_request"),
        (b"[]\n", "bad_request"),
        (b"{}\n", "bad_request"),
        (b'{"verb": 7}\n', "bad_request"),
        (b'{"verb": "login", "argument": {}}\n', "bad_request"),
        (b'{"verb": "login", "arguments": [1]}\n', "bad_request"),
        (b'{"verb": "login", "arguments": {"group": "600", "member": "anna", "for": NaN}}\n', "bad_request"),
        (b'{"verb": "status", "transaction": {}}\n', "bad_request"),
        (b'{"verb": "follow", "arguments": {"all": true}}\n', "bad_request"),
        (b"[" * (LONGEST_LINE - 10) + b"\n", "bad_request"),
        (b'{"verb": "login", "arguments": {"for": ' + b"9" * 60_000 + b"}}\n", "bad_request"),
        (b"x" * (LONGEST_LINE + 10), "too_large"),
        (b"x" * 1_000_000 + b"\n", "too_large"),
        (b'{"verb": "status"', "bad_request"),
    ],
)
def test_nonsense_is_answered(tmp_path: Path, sent: bytes, code: str) -> None:
    """Whatever a peer sends, it is told what is wrong, and the next peer is served."""
    with Served(tmp_path) as served:
        (answer,) = raw(served.path, sent)
        assert answer["error"]["code"] == code
        assert len(answer["error"]["message"]) < 500
        with served.agent() as agent:
            assert agent.request("status", {})["status"] == "ok"


def test_nonsense_does_not_end_the_connection(tmp_path: Path) -> None:
    """A line that is not understood is refused; the next one on the same connection is answered."""
    with Served(tmp_path) as served:
        wrong, empty_left_out = raw(served.path, b'nonsense\n\n   \n{"verb": "calls"}\n')
        assert (wrong["status"], empty_left_out["data"]) == ("error", {"calls": []})


def test_peers_that_go_are_forgotten(tmp_path: Path) -> None:
    """A peer that goes without reading its answers, even in the midst of a command, leaves nothing behind."""
    line = json.dumps({"verb": "login", "arguments": SUPPORT_ANNA}).encode() + b"\n"
    with Served(tmp_path) as served:
        for _ in range(CONNECTIONS_AT_MOST * 2):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
                with reach(served.path) as name:
                    peer.connect(name)
                peer.sendall(line * 3)
        wait_until(lambda: answered(served, "calls"), "connections are free again")


def answered(served: Served, verb: str) -> bool:
    """Return whether a new connection is served."""
    with served.agent() as agent:
        return bool(agent.request(verb, {})["status"] == "ok")


def test_an_ending_agent_gives_its_answers(tmp_path: Path) -> None:
    """A command that is on its way when the agent is told to end is still answered; idle connections are closed."""
    with Served(tmp_path) as served, served.agent() as idle:
        idle.request("calls", {})
        served.call(served.disk.free.clear)
        answers: list[dict[str, Any]] = []
        with served.agent() as agent:
            asking = threading.Thread(target=lambda: answers.append(agent.request("login", SUPPORT_ANNA)))
            asking.start()
            wait_until(served.disk.busy.is_set, "the login waits for the disk")
            served.call(lambda: served.end_soon(served.disk.free.set))
            asking.join()
        assert answers[0]["status"] == "ok"
        with pytest.raises(AgentUnreachable):
            idle.request("calls", {})


def test_too_many_connections_are_refused(tmp_path: Path) -> None:
    """There are only so many connections; one more is told so, and is served when another has gone."""
    with Served(tmp_path) as served:
        agents = [served.agent() for _ in range(CONNECTIONS_AT_MOST)]
        assert all(agent.request("calls", {})["status"] == "ok" for agent in agents)
        with served.agent() as one_more:
            assert one_more.request("calls", {})["error"]["code"] == "unavailable"
        agents.pop().close()
        wait_until(lambda: answered(served, "calls"), "a connection is free again")
        for agent in agents:
            agent.close()


def test_the_file_is_for_owner_and_group(tmp_path: Path) -> None:
    """The socket's mode is 0660, and the file is gone when the agent has ended."""
    with Served(tmp_path) as served:
        assert stat.S_IMODE(served.path.stat().st_mode) == 0o660
    assert not served.path.exists()
    with pytest.raises(AgentUnreachable, match="no agent answers at .*; start it with cti-bridge run"):
        served.agent()


def test_a_second_agent_is_refused(tmp_path: Path) -> None:
    """While an agent answers, another one does not take its socket; the first goes on."""
    with Served(tmp_path / "first") as served:
        with pytest.raises(ControlError, match="another agent answers at"):
            listen(served.path)
        assert answered(served, "status")


def test_a_file_left_behind_is_replaced(tmp_path: Path) -> None:
    """A socket that nobody answers on, as kill -9 leaves it, does not keep the next agent from starting."""
    left = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with reach(tmp_path / "control.sock") as name:
        left.bind(name)
    left.close()
    with Served(tmp_path) as served:
        assert answered(served, "status")


def test_what_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    """A file that is something else is neither removed nor written; too long a name is told as such."""
    (tmp_path / "control.sock").write_text("mine")
    with pytest.raises(ControlError, match="is no socket"):
        listen(tmp_path / "control.sock")
    assert (tmp_path / "control.sock").read_text() == "mine"
    with pytest.raises(ControlError, match="too long"):
        listen(tmp_path / ("x" * 120))


def test_it_may_lie_deep(tmp_path: Path) -> None:
    """A path of more bytes than the kernel takes is opened, answered at, found taken, and removed at the end."""
    deep = tmp_path / ("x" * 60) / ("y" * 60)
    with Served(deep) as served:
        assert answered(served, "status")
        with pytest.raises(ControlError, match="another agent answers at"):
            listen(served.path)
    assert not served.path.exists()


SOMEBODY_ELSE = """
import contextlib, os, socket, sys
peer = socket.socket(socket.AF_UNIX)
os.setuid(65534)  # nobody
peer.connect(sys.argv[1])
with contextlib.suppress(OSError):  # refused before it has asked
    peer.sendall(sys.argv[2].encode())
    peer.shutdown(socket.SHUT_WR)
print(peer.makefile().readline())
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can act as somebody else")
@pytest.mark.parametrize(
    ("user", "member", "code"),
    [(None, "anna", "not_allowed"), ("anna", "anna", None), ("anna", "ben", "not_allowed")],
)
def test_other_logins_act_in_their_own_name(user: str | None, member: str, code: str | None) -> None:
    """Who is neither root nor the agent's own login is refused, or acts as the user whose unix login it is."""
    with tempfile.TemporaryDirectory() as name, Served(Path(name), with_login(user)) as served:
        os.chmod(name, 0o755)
        served.path.chmod(0o666)
        ask = {"verb": "login", "arguments": {"group": "support", "member": member}}
        argv = [sys.executable, "-I", "-c", SOMEBODY_ELSE, str(served.path), json.dumps(ask) + "\n"]
        done = subprocess.run(argv, capture_output=True, text=True, check=True)
        answer = json.loads(done.stdout)
        assert (answer["error"] or {}).get("code") == code


def with_login(user: str | None) -> Directory:
    """Return the office, where the login `nobody` is a user's."""
    made = office()
    users = {name: replace(each, unix="nobody" if name == user else None) for name, each in made.users.items()}
    return replace(made, users=users)


def test_the_owner_sees_as_somebody_would(tmp_path: Path) -> None:
    """With `as`, queries, commands and events are those of that user; and nobody else may choose."""
    call = CallStatus("c1", "connected", "030123", "Zoe", "600", "support", NOW, answered_by="ben", lines=("ben",))
    with Served(tmp_path) as served, Agent(served.path) as agent, Agent(served.path) as follower:
        served.telephony.up.append(call)
        assert agent.request("calls", {})["data"]["calls"][0]["caller"] == "030123"
        assert agent.request("calls", {}, who="anna")["data"]["calls"][0]["caller"] is None
        assert agent.request("calls", {}, who="ben")["data"]["calls"][0]["caller"] == "030123"
        assert follower.request("follow", {}, who="anna")["status"] == "ok"
        served.call(lambda: served.port.publish(Notice(NOW, "store", "the owner's alone")))
        refused = agent.request("login", {"group": "support", "member": "ben"}, who="anna")
        assert refused["error"]["code"] == "not_allowed"
        assert agent.request("login", {"group": "support"}, who="anna")["status"] == "ok"
        told = follower.events()
        assert [next(told)["type"], next(told)["type"]] == ["command_refused", "login_changed"]
        assert agent.request("calls", {}, who="zoe")["error"]["code"] == "unknown_member"


def test_bugs_end_the_agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of ours in a connection is not swallowed: it ends the server, and so the agent."""

    def buggy(name: str) -> object:
        raise ZeroDivisionError(name)

    with pytest.raises(ZeroDivisionError), Served(tmp_path) as served, served.agent() as agent:
        monkeypatch.setattr(served.telephony, "line", buggy)
        with pytest.raises(AgentUnreachable):
            agent.request("status", {})


def client_against(path: Path, answer: Callable[[socket.socket], None]) -> None:
    """Ask a peer that answers like this."""
    with listen(path) as listening:
        listening.setblocking(True)
        agent = Agent(path)
        peer, _ = listening.accept()
        with agent, peer:
            answer(peer)
            agent.request("status", {})


@pytest.mark.parametrize("said", [b"", b"220 smtp ready\n", b'{"status": "ok"'])
def test_what_is_no_agent_is_told(tmp_path: Path, said: bytes) -> None:
    """A socket of something else, or an agent that ends in the midst of an answer, is unreachable."""

    def answer(peer: socket.socket) -> None:
        peer.sendall(said)
        peer.shutdown(socket.SHUT_WR)

    with pytest.raises(AgentUnreachable):
        client_against(tmp_path / "s", answer)
