"""A process with all of the soak's phones in it: `python -m scripts.soaking.phones ORDERS`, which are JSON (`Orders`).

It makes the calls, says each second how far it is, and in the end what it has seen, one line of JSON each. Then it
stays, to answer what the bridge still asks, until it is ended.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import sys
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from scripts.soaking.calls import Call
from scripts.soaking.ends import CallerCall, MemberCall
from scripts.soaking.message import Message
from scripts.soaking.phone import Journal, Phone
from scripts.soaking.plans import Habits
from tests.support.lossy import Lossy, Weather


@dataclass(frozen=True)
class Station:
    """A phone: where the bridge reaches it. `outside`: it stands for a PBX, its callers have numbers of their own."""

    number: str
    host: str
    port: int
    calls: bool = False
    outside: bool = False


@dataclass(frozen=True)
class Orders:
    """What the process is to do. `away`: seconds that a deaf phone is away. `loss`: the share of datagrams lost."""

    bridge: int
    stations: list[dict[str, Any]]
    numbers: list[str]
    calls: int
    rate: float
    seed: int
    pace: float = 1.0
    silence: bool = True
    away: float = 60.0
    loss: float = 0.0
    patience: float = 240.0  # seconds after the last call until what is still there is told


def _itself(phone: Phone) -> Phone:
    return phone


class Phones:
    """All phones, and the calls that they make."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._habits = Habits(orders.numbers, orders.pace, orders.silence)
        self._journal = Journal()
        self._rung = itertools.count()
        self._phones: list[tuple[Station, Phone]] = []
        self._weather = Weather(orders.loss, orders.loss, orders.loss, 0.1) if orders.loss else None
        self.lossy: list[Lossy] = []

    async def open(self) -> None:
        """Put all phones on the network."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._on_bug)
        for count, raw in enumerate(self._orders.stations):
            station = Station(**raw)
            here, bridge = (station.host, station.port), ("127.0.0.1", self._orders.bridge)
            rng = random.Random(f"{self._orders.seed} {station.number}")
            phone = Phone(station.number, here, bridge, rng, self._journal, self._ring)
            local = (station.host, 0 if self._weather is not None else station.port)
            transport, _ = await loop.create_datagram_endpoint(partial(_itself, phone), local_addr=local)
            if self._weather is not None:
                seed, own = self._orders.seed + count, transport.get_extra_info("sockname")
                lossy = await Lossy.open(here, bridge, self._weather, seed, own)
                self.lossy.append(lossy)
                phone.bridge = lossy.inside
            self._phones.append((station, phone))

    def _on_bug(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Note a mistake of the phones themselves, which would make all else that they tell doubtful."""
        loop.default_exception_handler(context)
        self._journal.faults.append(f"a phone has a bug: {context.get('exception')!r}")

    def _ring(self, phone: Phone, invite: Message) -> None:
        rng = random.Random(f"{self._orders.seed} rung {next(self._rung)}")
        MemberCall(phone, invite, self._habits.member(rng), self._orders.away)

    async def call(self) -> None:
        """Make all calls."""
        loop = asyncio.get_running_loop()
        callers = [each for each in self._phones if each[0].calls]
        began = loop.time()
        for number in range(self._orders.calls):
            rng = random.Random(f"{self._orders.seed} calls {number}")
            station, phone = callers[number % len(callers)]
            user = f"0301555{rng.randrange(1000):03d}" if station.outside else phone.number
            CallerCall(phone, self._habits.caller(rng), f"<sip:{user}@{phone.public[0]}>", self._orders.away)
            await asyncio.sleep(max(0.0, began + (number + 1) / self._orders.rate - loop.time()))

    def left(self) -> list[Call]:
        """Return the calls that some phone still knows of."""
        every = (call for _, phone in self._phones for call in phone.calls.values())
        return [call for call in every if isinstance(call, Call) and call.state != "over"]

    def progress(self) -> dict[str, Any]:
        """Return how far it is."""
        return {"over": False, "made": self._journal.counts["calls"], "up": len(self.left())}

    def result(self) -> dict[str, Any]:
        """Return what was seen, what must not have been, and what some phone still knows of."""
        counts = dict(self._journal.counts)
        if self.lossy:
            counts["datagrams lost"] = sum(each.lost for each in self.lossy)
            counts["datagrams overtaken"] = sum(each.overtaken for each in self.lossy)
        left = [call.told("is left") for call in self.left()]
        return {"over": True, "counts": counts, "faults": self._journal.faults, "left": left}


async def work(orders: Orders) -> None:
    """Make the calls, tell of them, and stay."""
    phones = Phones(orders)
    await phones.open()
    loop = asyncio.get_running_loop()
    calling = loop.create_task(phones.call())
    end = loop.time() + orders.calls / orders.rate + orders.patience
    while not calling.done() or (phones.left() and loop.time() < end):
        print(json.dumps(phones.progress()), flush=True)
        await asyncio.sleep(0.5)
    calling.result()
    print(json.dumps(phones.result()), flush=True)
    await asyncio.Event().wait()


def argument(orders: Orders) -> str:
    """Return the orders as the process takes them."""
    return json.dumps(asdict(orders))


if __name__ == "__main__":
    asyncio.run(work(Orders(**json.loads(sys.argv[1]))))
