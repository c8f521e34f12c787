"""SIGKILL at any moment: every confirmed login is there after the restart, and none that was never asked for."""

from __future__ import annotations

import random
import signal
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from bridge.control.client import Agent, AgentUnreachable
from tests.support.process import Process, wait_until

ROUNDS = 20
PLACES = [("support", "anna"), ("support", "ben"), ("sales", "ben"), ("sales", "cara")]
ROOT = Path(__file__).parents[2]

Place = tuple[str, str]
State = tuple[str, str | None]  # ON or OFF, and the reason, which is different for every command


@dataclass
class Client:
    """Somebody who keeps asking for logins in one group, each with a reason of its own."""

    path: Path
    name: str
    places: list[Place]
    confirmed: dict[Place, State] = field(default_factory=dict)
    in_flight: dict[Place, State] = field(default_factory=dict)
    count: int = 0

    def ask(self, chance: random.Random) -> None:
        """Ask until the agent is gone."""
        with suppress(AgentUnreachable), Agent(self.path) as agent:
            while True:
                place, verb = chance.choice(self.places), chance.choice(["login", "logout"])
                self.count += 1
                reason = f"{self.name}{self.count}"
                self.in_flight = {place: ("ON" if verb == "login" else "OFF", reason)}
                answer = agent.request(verb, {"group": place[0], "member": place[1], "reason": reason})
                assert answer["status"] == "ok"
                self.confirmed |= self.in_flight
                self.in_flight = {}


def started(directory: Path) -> Process:
    """Start the agent and wait until it serves."""
    process = Process([sys.executable, "-m", "tests.support.control", directory], cwd=ROOT)
    process.wait_for("ready")
    return process


def found(path: Path) -> dict[Place, State]:
    """Return what the agent shows."""
    with Agent(path) as agent:
        groups = agent.request("groups", {})["data"]["groups"]
    states = {place: groups[place[0]]["members"][place[1]] for place in PLACES}
    return {place: (state["login"], state["reason"]) for place, state in states.items()}


def live_and_die(process: Process, clients: list[Client], chance: random.Random) -> None:
    """Let the clients ask, and kill the agent at a random moment after some commands were confirmed."""
    before = sum(client.count for client in clients)
    threads = [threading.Thread(target=c.ask, args=(random.Random(chance.random()),)) for c in clients]
    for thread in threads:
        thread.start()
    wait_until(lambda: sum(client.count for client in clients) > before + 5, "some commands are on their way")
    time.sleep(chance.uniform(0, 0.03))  # any moment is as good as any other
    process.end(signal.SIGKILL)
    for thread in threads:
        thread.join()


def test_no_login_is_lost_or_invented(tmp_path: Path) -> None:
    """Twenty times: two clients at once get logins confirmed, SIGKILL, restart; then what is there is compared."""
    chance = random.Random(20261123)
    path = tmp_path / "control.sock"
    clients = [Client(path, "a", PLACES[:2]), Client(path, "b", PLACES[2:])]
    process = started(tmp_path)
    for _ in range(ROUNDS):
        live_and_die(process, clients, chance)
        process = started(tmp_path)
        now = found(path)
        for client in clients:
            for place in client.places:
                never: State = ("OFF", None)
                right = {
                    client.confirmed.get(place, never),
                    client.in_flight.get(place, client.confirmed.get(place, never)),
                }
                assert now[place] in right, f"{place}\n{process.report()}"
                client.confirmed[place] = now[place]
            client.in_flight = {}
    process.end()
    assert sum(client.count for client in clients) > ROUNDS * 5
