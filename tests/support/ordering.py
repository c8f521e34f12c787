"""Orders to the laboratory's exchange, as the command path gives them once they are authorised."""

from __future__ import annotations

from bridge.calls.ordered.orders import Order
from bridge.commands.model import LineVerb, Reply
from tests.support.lab import Lab


def order(lab: Lab, verb: LineVerb, line: str, number: str | None = None, call: str | None = None) -> Reply:
    """Have the exchange do something and let half a second pass; return its answer, "waiting" while there is none."""
    replies: list[Reply] = []
    lab.exchange.command(Order(verb, line, line, "owner", "control", number, call), replies.append, lab.now)
    lab.run(0.5)
    return replies[0] if replies else Reply(code="waiting")
