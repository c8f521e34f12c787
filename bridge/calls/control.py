"""What a command does to a line's calls (the table of who may what is told in `commands.control`).

An order comes authorised. It is carried out here, and its answer is told as soon as it is known to have begun: a phone
that has to agree (hold, resume) is asked first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bridge.calls.call import Call
from bridge.calls.orders import Answer, Order
from bridge.commands.model import CommandError, LineVerb, Reply
from bridge.events import LineOrdered

if TYPE_CHECKING:
    from bridge.calls.switchboard import Switchboard
    from bridge.events import Event


class Control:
    """Carries orders out. `tell` takes events."""

    def __init__(self, board: Switchboard, tell: Callable[[Event], None]) -> None:
        self._board = board
        self._tell = tell
        self._carry = {LineVerb.HANGUP: self._hang_up}

    def carry_out(self, order: Order, answer: Answer, now: float) -> None:
        """Do it, or say why not."""
        try:
            carry = self._carry.get(order.verb)
            if carry is None:
                raise CommandError("unavailable", f"{order.verb} cannot be done yet")
            carry(order, answer, now)
        except CommandError as refused:
            answer(Reply.refused(refused))

    def _done(self, order: Order, answer: Answer, call: Call) -> None:
        answer(Reply({"line": order.line, "call": call.id}))
        self._tell(
            LineOrdered(self._board.wall(), order.verb.value, order.line, order.by, order.origin, call.id, order.number)
        )

    # -- hang up -------------------------------------------------------------------------------------------------

    def _hang_up(self, order: Order, answer: Answer, now: float) -> None:
        call = self._only([call for call in self._board.up.values() if call.is_on(order.line)], order)
        call.hang_up(now)
        self._done(order, answer, call)

    # -- which call ----------------------------------------------------------------------------------------------

    def _only(self, calls: list[Call], order: Order) -> Call:
        """Return the one call that can be meant."""
        chosen = [call for call in calls if order.call in (None, call.id)]
        if not chosen:
            which = f"call {order.call}" if order.call else "any call"
            raise CommandError("no_call", f"line {order.line} is not in {which} for which that could be done")
        if len(chosen) > 1:
            named = ", ".join(call.id for call in chosen)
            raise CommandError("several_calls", f"line {order.line} has several calls; say which: {named}")
        return chosen[0]
