"""The house that is soaked: phones, groups of every strategy, a trunk, and people at their desks who log in and out."""

from __future__ import annotations

import json
import random
import socket
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bridge.control.reach import reach
from scripts.soaking.phones import Station
from tests.support.agent import static
from tests.support.ports import free_port, quiet_address

CALLERS = ("301", "302", "303")
MEMBERS = ("201", "202", "203", "204", "205", "206")
NUMBERS = (
    *("600", "600", "600", "601", "601", "602", "602", "602", "603", "604", "605"),
    *("201", "205", "207", "0301234", "*8600", "*8602", "*41600", "999"),
)
PLACES = {"600": ("201", "202", "204"), "601": ("203", "204", "205"), "602": ("201", "204", "205", "206")}
"""Which members log in and out of which groups."""


def stations() -> list[Station]:
    """Return all phones: callers, members, and the PBX, which calls too."""
    here, there = quiet_address(), quiet_address()
    phones = [Station(number, here, free_port(here), calls=number in CALLERS) for number in CALLERS + MEMBERS]
    return [*phones, Station("pbx", there, free_port(there), calls=True, outside=True)]


def tables(every: list[Station], pace: float) -> dict[str, Any]:
    """Return the configuration. `pace` shortens what the bridge waits for as it does what people wait for."""
    at = {station.number: station for station in every}
    pbx = at.pop("pbx")
    much = {"201": 300, "202": 300, "203": 40, "204": 3, "205": 300, "206": 300}
    lines: dict[str, Any] = {
        f"l{number}": static(number, phone.port, host=phone.host, max_calls=much.get(number, 300), dial_out="pbx")
        for number, phone in at.items()
    }
    lines["l205"] |= {"media": "relay"}
    lines["l206"] |= {"media": "direct"}
    lines["l207"] = {"number": "207", "trunk": "pbx", "dial": "**611", "max_calls": 50, "confirm": True}
    give_up, rings = max(20 * pace, 2.0), max(3 * pace, 1.0)
    queue = {"wrap_up": 0.5, "join_empty": True, "leave_empty": False, "announce": 10.0, "keep_place": 5.0}
    queue |= {"no_answer_delay": 1.0, "busy_delay": 1.0, "decline_delay": 1.0, "max_waiting": 100}
    groups: dict[str, Any] = {
        "par": _group("600", PLACES["600"], overflow="601", give_up_after=give_up, retry_after=1.0),
        "seq": _group("601", PLACES["601"], strategy="sequential", ring_seconds=rings, give_up_after=give_up, rounds=3),
        "que": _group("602", PLACES["602"], strategy="queue", give_up_after=give_up, queue=queue),
        "out": _group(
            "603", ("207", "202"), login="always", give_up_after=give_up, follow_diversion=True, overflow="602"
        ),
        "ord": _group("604", ("202", "205"), login="always", strategy="sequential", order="round-robin", rounds=1),
        "nil": _group("605", (), overflow="600"),
    }
    for name in ("seq", "ord"):
        groups[name]["ring_seconds"] = rings
    return {
        "sip": {"rtp_ports": [16384, 24383]},
        "trunks": {
            "pbx": {"server": f"sip:{pbx.host}:{pbx.port}", "register": False, "number": "600", "max_calls": 200}
        },
        "lines": lines,
        "groups": groups,
        "codes": {"login": "*41", "logout": "*42", "pickup": "*8"},
        "outside": {"forward": True, "daily": 10_000},
    }


def _group(number: str, members: tuple[str, ...], login: str | None = None, **more: Any) -> dict[str, Any]:
    logged = {"login": login} if login else {}
    return {"number": number, "members": [{"line": f"l{each}", **logged} for each in members], **more}


@dataclass
class People:
    """Who logs in and out, pauses, and dials by command while calls come and go; `end` brings everybody back."""

    control: Path
    seed: int
    pause: float  # seconds from one command to the next

    def __post_init__(self) -> None:
        self.done: Counter[str] = Counter()
        self._rng = random.Random(f"{self.seed} people")
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._live, daemon=True)

    def begin(self) -> None:
        """Begin to live."""
        self._thread.start()

    def end(self) -> None:
        """Be at one's desk, all of them."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(30.0)
        self.log_in()

    def log_in(self) -> None:
        """Log everybody in, nobody paused."""
        for group, number in (("par", "600"), ("seq", "601"), ("que", "602")):
            for member in PLACES[number]:
                for verb in ("login", "unpause"):
                    self._ask(verb, group=group, member=f"l{member}")

    def _live(self) -> None:
        while not self._over.wait(self.pause * self._rng.uniform(0.2, 1.8)):
            verb = self._rng.choice(
                (
                    "login",
                    "login",
                    "logout",
                    "pause",
                    "unpause",
                    "dial",
                    "hold",
                    "resume",
                    "transfer",
                    "hangup",
                    "pickup",
                )
            )
            if verb in ("login", "logout", "pause", "unpause"):
                group, number = self._rng.choice((("par", "600"), ("seq", "601"), ("que", "602")))
                self._ask(verb, group=group, member=f"l{self._rng.choice(PLACES[number])}")
            else:
                self._handle_line(verb)

    def _handle_line(self, verb: str) -> None:
        line = f"l{self._rng.choice(CALLERS + MEMBERS)}"
        more: dict[str, Any] = {}
        if verb in ("dial", "transfer"):
            more["number"] = self._rng.choice(("600", "601", "602", "201", "0301234"))
        if verb == "pickup":
            more["group"] = self._rng.choice(("par", "seq", "que"))
        if verb in ("hold", "resume", "transfer", "hangup"):
            calls = [call["call"] for call in (self._ask("calls") or {}).get("calls", ())]
            if calls:
                more["call"] = self._rng.choice(calls)
        self._ask(verb, line=line, **more)

    def _ask(self, verb: str, **arguments: Any) -> Any:
        """Ask over the control socket; return the answer's data, None where it was refused."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
            door.settimeout(30.0)
            try:
                with reach(self.control) as name:
                    door.connect(name)
                door.sendall(json.dumps({"verb": verb, "arguments": arguments}).encode() + b"\n")
                with door.makefile("rb") as lines:
                    answer = json.loads(lines.readline() or b"{}")
            except OSError:
                self.done[f"{verb}: nobody answered"] += 1
                return None
        self.done[f"{verb}: {answer.get('status')}"] += 1
        return answer.get("data")
