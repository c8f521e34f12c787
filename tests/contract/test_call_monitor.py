"""A FRITZ!Box's call monitor over TCP: it is heard, lost, and heard again."""

from __future__ import annotations

import socket
from collections.abc import Callable

from tests.support.agent import Agent, group
from tests.support.process import PATIENCE, wait_until

Bridges = Callable[..., Agent]


def listen(port: int = 0) -> socket.socket:
    """Return a box's monitor port."""
    server = socket.create_server(("127.0.0.1", port))
    server.settimeout(PATIENCE)
    return server


def state(agent: Agent) -> str:
    """Return the state of the line called anna."""
    return str(agent.cli("lines")["lines"]["anna"]["state"])


def test_monitor_is_heard_lost_and_heard_again(bridge: Bridges) -> None:
    """A phone that talks is busy; with the connection the knowledge ends; the bridge comes back by itself."""
    with listen() as box:
        port = box.getsockname()[1]
        agent = bridge(
            trunks={"fritz": {"server": "sip:127.0.0.2:9", "register": False, "call_monitor": f"127.0.0.1:{port}"}},
            lines={"anna": {"number": "201", "trunk": "fritz", "dial": "**610"}},
            groups={"sales": group("600", "anna")},
        )
        connection, _ = box.accept()
        with connection:
            wait_until(lambda: state(agent) == "idle", "anna is idle")
            connection.sendall(b"23.11.26 10:00:00;CALL;0;10;987654;0301234;SIP0;\r\n23.11.26 ")
            wait_until(lambda: state(agent) == "busy", "anna is busy")
            connection.sendall(b"10:00:09;DISCONNECT;0;9;\r\n")
            wait_until(lambda: state(agent) == "idle", "anna is idle again")
        agent.process.wait_for("trunk fritz: its call monitor cannot be heard")
        wait_until(lambda: state(agent) == "unknown", "nothing is known")
        again, _ = box.accept()
        with again:
            wait_until(lambda: state(agent) == "idle", "anna is idle once more")
            again.sendall(b"x" * 5000)  # no call monitor says that
            assert again.recv(1) == b""
        agent.wait_idle()
