"""A house with three PBXs at once, one of each manner, and phones before and behind them: for tests that share it.

Everything is the same behind each PBX, under numbers that begin with another digit (1, 2, 3):

| number | is |
|---|---|
| `outside` 0301234, `second` 0305678 | phones outside; they call the numbers below as they are dialled at the PBX |
| `d1` n611, `d2` n612 | lines of `desk1` and `desk2`, phones behind the PBX (`**611`, `**612`) |
| n600, n601 | d1 and d2: at once; in turn |
| n602 | d1: a queue, exit key 0 to Anna, one may wait, wrap-up |
| n603 | d1 asked to press 1 |
| n604, n605 | d1 for a second, then to the group n608 (d2); to Ben |
| n606 | nobody is logged in: to Anna |
| 607 | Anna, Ben and Cara, 201 to 203, whose phones register at the bridge |
| 1700 | the menu |
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.agent import Agent, Table, group
from tests.support.baresip import Baresip
from tests.support.kamailio import HOST, MANNERS, Kamailio
from tests.support.process import wait_until

ATTACHED = {"anna": "201", "ben": "202", "cara": "203"}
PIN = "2907"
CHANNELS = 4
CODES = {"login": "*41", "logout": "*42", "toggle": "*43", "pickup": "*8", "menu": "*40", "night": "*44"}
DIALLED = ("600", "601", "602", "603", "604", "605", "606", "611", "612")
OWN = ("201", "202", "203", "607", "1700", "*41600")
"""Numbers of the bridge that are dialled at every PBX as they are."""


@dataclass(frozen=True)
class Phones:
    """Every phone that there is."""

    outside: Baresip
    second: Baresip
    desk1: Baresip
    desk2: Baresip
    anna: Baresip
    ben: Baresip
    cara: Baresip

    def every(self) -> tuple[Baresip, ...]:
        """Return them all."""
        return self.outside, self.second, self.desk1, self.desk2, self.anna, self.ben, self.cara


class Site:
    """The bridge, its PBXs by manner, and the phones."""

    def __init__(self, agent: Agent, pbxes: dict[str, Kamailio], phones: Phones) -> None:
        self.agent = agent
        self.pbxes = pbxes
        self.phones = phones
        self.tables: dict[str, Any] = {}
        """The bridge's configuration."""

    def at(self, manner: str) -> Behind:
        """Return the house as it is with one of the PBXs; whoever is outside is at that one."""
        for phone in (self.phones.outside, self.phones.second):
            phone.server = f"{HOST}:{self.pbxes[manner].port}"
        return Behind(self, manner)

    def wait_registered(self) -> None:
        """Wait until the bridge is registered at every PBX."""
        wait_until(lambda: _registered(self.agent), lambda: f"registered at every PBX\n{self.agent.report()}")

    def quiet(self) -> None:
        """End whatever is still up, and forget it."""
        for phone in self.phones.every():
            while "ESTABLISHED" in (calls := phone.command("listcalls")) or "INCOMING" in calls or "OUTGOING" in calls:
                phone.hang_up()
        self.agent.wait_idle()
        for phone in self.phones.every():
            phone.forget()


class Behind:
    """The house as one PBX shows it."""

    def __init__(self, site: Site, manner: str) -> None:
        self.agent = site.agent
        self.pbx = site.pbxes[manner]
        self.phones = site.phones
        self.manner = manner
        self.prefix = prefix_of(manner)
        self._refused = len(self.pbx.refused())

    def name(self, what: str) -> str:
        """Return the name of a line or group of this PBX."""
        return f"{what}-{self.manner}"

    def number(self, number: str) -> str:
        """Return a number as it is here."""
        return f"{self.prefix}{number}"

    def refused(self) -> list[str]:
        """Return what the PBX has refused since the test began."""
        return self.pbx.refused()[self._refused :]

    def line(self, name: str) -> str:
        """Return what a line behind the PBX is doing."""
        return str(self.agent.ask("lines")["lines"][self.name(name)]["state"])

    def story(self) -> list[str]:
        """Return what happened in the last call."""
        return [step["what"] for step in self.agent.ask("explain")["steps"]]


def prefix_of(manner: str) -> str:
    """Return the digit with which its numbers begin."""
    return str(MANNERS.index(manner) + 1)


@contextmanager
def open_site(directory: Path, **more: Any) -> Iterator[Site]:
    """Start everything, and end it; `more`: settings for each trunk."""
    with ExitStack() as stack:

        def far(number: str) -> Baresip:
            return stack.enter_context(Baresip(directory, number=number, server=9, host=HOST))

        beyond = {name: far(number) for name, number in FAR.items()}
        pbxes = {manner: stack.enter_context(_pbx(directory, manner, beyond)) for manner in MANNERS}
        tables: dict[str, Any] = configuration(directory, pbxes, more)
        agent = stack.enter_context(Agent(directory / "agent", **tables))
        near = {
            name: stack.enter_context(Baresip(directory, number=number, server=agent.port, password=f"{name}-secret"))
            for name, number in ATTACHED.items()
        }
        for phone in near.values():
            phone.wait_registered()
        site = Site(agent, pbxes, Phones(**beyond, **near))
        site.tables = tables
        site.wait_registered()
        yield site


FAR = {"outside": "0301234", "second": "0305678", "desk1": "611", "desk2": "612"}


def _pbx(directory: Path, manner: str, beyond: dict[str, Baresip]) -> Kamailio:
    places = {name: f"{phone.number}@127.0.0.1:{phone.port}" for name, phone in beyond.items()}
    phones = {"**611": places["desk1"], "**612": places["desk2"], FAR["outside"]: places["outside"]}
    ours = [prefix_of(manner) + number for number in DIALLED] + list(OWN)
    diverted = dict.fromkeys(ours, "620")
    trusted = [phone.port for phone in beyond.values()]
    return Kamailio(directory, manner, phones=phones, diverted=diverted, trusted=trusted, channels=CHANNELS)


def _registered(agent: Agent) -> bool:
    return all(trunk["state"] == "registered" for trunk in agent.ask("status")["trunks"].values())


def configuration(directory: Path, pbxes: dict[str, Kamailio], more: Table) -> dict[str, Any]:
    """Return the bridge's tables."""
    (directory / "contacts.vcf").write_text("BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Berta\r\nTEL:0301234\r\nEND:VCARD\r\n")
    trunks: dict[str, Table] = {}
    lines: dict[str, Table] = {}
    groups: dict[str, Table] = {}
    for manner, pbx in pbxes.items():
        account = {"username": "620", "password": "secret", "expires": 60, "number": f"{prefix_of(manner)}600"}
        trunks[manner] = {"server": f"sip:{HOST}:{pbx.port}", **account, **more}
        lines |= _lines(manner)
        groups |= _groups(manner)
    for manner, (name, number) in zip(pbxes, ATTACHED.items(), strict=True):
        lines[name] = {"number": number, "password": f"{name}-secret", "dial_out": manner}
    groups["own"] = {"number": "607", "members": list(ATTACHED), "member_level": "team"}
    return {
        "trunks": trunks,
        "lines": lines,
        "users": {name: {"line": name, **({"pin": PIN} if name == "anna" else {})} for name in ATTACHED},
        "groups": groups,
        "codes": CODES,
        "menu": {"number": "1700"},
        "phonebook": {"vcard": str(directory / "contacts.vcf")},
        "blocklist": {"numbers": ["0900*"]},
    }


def _lines(manner: str) -> dict[str, Table]:
    n = prefix_of(manner)
    desks = {f"d{i}-{manner}": {"number": f"{n}61{i}", "trunk": manner, "dial": f"**61{i}"} for i in (1, 2)}
    asked = {"number": f"{n}613", "trunk": manner, "dial": "**611", "confirm": True}
    return {**desks, f"asked-{manner}": asked}


def _groups(manner: str) -> dict[str, Table]:
    n, d1, d2 = prefix_of(manner), f"d1-{manner}", f"d2-{manner}"
    waits = {"exit_key": "0", "exit_to": "201", "max_waiting": 1, "wrap_up": 2, "announce": 30}
    return {
        f"both-{manner}": group(f"{n}600", d1, d2, prefix="Sales"),
        f"turn-{manner}": group(f"{n}601", d1, d2, strategy="sequential", ring_seconds=2, rounds=1),
        f"queue-{manner}": group(f"{n}602", d1, strategy="queue", queue=waits, overflow="202"),
        f"asked-{manner}": group(f"{n}603", f"asked-{manner}"),
        f"on-{manner}": group(f"{n}604", d1, give_up_after=1, overflow=f"{n}608"),
        f"next-{manner}": group(f"{n}608", d2),
        f"onward-{manner}": group(f"{n}605", d1, give_up_after=1, overflow="202"),
        f"empty-{manner}": group(f"{n}606", d1, always=False, overflow="201"),
    }
