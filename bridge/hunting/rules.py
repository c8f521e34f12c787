"""A hunt's rules: the strategy, the order and the times, as one frozen value."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bridge.directory.model import Group, Order, Queue, Strategy


@dataclass(frozen=True, slots=True)
class Rules:
    """How one hunt is to be led. Times are seconds."""

    strategy: Strategy = Strategy.PARALLEL
    ring_seconds: float = 15.0  # sequential, queue: how long one phone rings, counted from the offer
    give_up_after: float = 120.0  # since Start; `math.inf`: never
    retry_after: float = 5.0  # between the end of a member's offer and the next one
    rounds: int | None = None  # sequential; None: no limit
    silent_after: float = 4.0  # without any response the member is unreachable
    release_after: float = 32.0  # 64*T1: a cancelled INVITE without a final response is over (RFC 3261 §9.1)
    order: Order = Order.LISTED
    queue: Queue = Queue()
    confirm_after: float = 12.0  # how long whoever has to press 1 may think about it, counted from the answer

    @classmethod
    def of(cls, group: Group) -> Rules:
        """Return the rules that a group's configuration asks for."""
        waits = group.strategy is Strategy.QUEUE
        return cls(
            strategy=group.strategy,
            ring_seconds=group.ring_seconds,
            give_up_after=(group.queue.max_wait or math.inf) if waits else group.give_up_after,
            retry_after=group.retry_after,
            rounds=group.rounds,
            order=group.order,
            queue=group.queue,
        )
