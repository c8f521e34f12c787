"""What a command does to a line's calls (the table of who may what is told in `commands.control`).

An order comes authorised. It is carried out here, and its answer is told as soon as it is known to have begun: a phone
that has to agree (hold, resume) is asked first. What a phone asks for by calling us (a code, an INVITE with Replaces)
is authorised here, in the name of the user or device that is at its line.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bridge.calls.call import Call
from bridge.calls.fork import Fork
from bridge.calls.orders import Answer, Order
from bridge.calls.pickup import Picker
from bridge.commands.control import Seen, member_at, pick
from bridge.commands.model import CommandError, LineCommand, LineVerb, Reply
from bridge.commands.phones import actor_at
from bridge.directory.logins import Origin
from bridge.events import CommandRefused, LineOrdered
from bridge.sip.grammar import SipError
from bridge.sip.incoming import IncomingLeg

if TYPE_CHECKING:
    from bridge.calls.switchboard import Surroundings, Switchboard

_STATUS = {"not_allowed": 403, "no_call": 404, "unknown_group": 404, "unknown_line": 404}
"""What a phone is told for a refusal; 480 for all else."""


class Control:
    """Carries orders out, on the calls of a switchboard."""

    def __init__(self, board: Switchboard, around: Surroundings) -> None:
        self._board = board
        self._around = around
        self._carry: dict[LineVerb, Callable[[Order, Answer, float], None]] = {
            LineVerb.HANGUP: self._hang_up,
            LineVerb.PICKUP: self._pick_up,
        }

    def carry_out(self, order: Order, answer: Answer, now: float) -> None:
        """Do it, or say why not."""
        try:
            carry = self._carry.get(order.verb)
            if carry is None:
                raise CommandError("unavailable", f"{order.verb} cannot be done yet")
            carry(order, answer, now)
        except CommandError as refused:
            answer(Reply.refused(refused))

    def _done(self, order: Order, answer: Answer, call: Call | None) -> None:
        ident = call.id if call is not None else None
        answer(Reply({"line": order.line, "call": ident, "number": order.number}))
        wall, verb = self._board.wall(), order.verb.value
        self._around.tell(LineOrdered(wall, verb, order.line, order.by, order.origin, ident, order.number))

    # -- hang up -------------------------------------------------------------------------------------------------

    def _hang_up(self, order: Order, answer: Answer, now: float) -> None:
        call = self._only([call for call in self._board.up.values() if call.is_on(order.line)], order)
        call.hang_up(now)
        self._done(order, answer, call)

    # -- pick up -------------------------------------------------------------------------------------------------

    def _pick_up(self, order: Order, answer: Answer, now: float) -> None:
        """Let the line's phone ring too, and answer by itself."""
        call = self._board.up.get(order.call or "")
        if call is None or not call.searching:
            raise CommandError("no_call", f"call {order.call} rings no more")
        if call.caller.line == order.line:
            raise CommandError("no_call", f"call {call.id} is line {order.line}'s own")
        self._ensure_free(order.line)
        legs = self._around.reach.ring(call.caller, call.group, order.line, call.passage, now, answer_by_itself=True)
        if not legs:
            raise CommandError("unreachable", f"line {order.line} cannot be rung: its phone is not registered")
        fork = Fork(order.member, order.line, now)
        fork.legs = legs
        call.let_take(fork)
        self._done(order, answer, call)

    def pick_up(self, leg: IncomingLeg, line: str, number: str, now: float) -> None:
        """Give a phone of ours, which has called for it, the call that rings at a group or line of this number.

        The leg is answered or refused; the one who had it is told no more of it.
        """
        actor = actor_at(line, self._around.directory)
        command = LineCommand(LineVerb.PICKUP, line=line, number=number)
        try:
            seen = Seen(lambda: [call.status() for call in self._board.up.values()], self._around.logins)
            found = pick(command, actor, self._around.directory.lines[line], self._around.directory, seen)
            self.give(self._board.up[found.call], leg, line, now)
        except CommandError as refused:
            self._refuse(leg, line, refused, now)

    def give(self, call: Call, leg: IncomingLeg, line: str, now: float) -> None:
        """Give a call that rings to a phone that has called us. Raises CommandError where that cannot be."""
        if call.caller.line == line or not call.searching:
            raise CommandError("no_call", f"call {call.id} does not ring elsewhere")
        member = member_at(line, self._around.directory)
        try:
            way = self._around.reach.way_in(leg, line, call.passage)
            host = self._around.ua.locate(leg.flow).host
            picker = Picker(call, leg, line, member, way, lambda why: self._picked_up(call, line, member, why))
            picker.begin(host, str(self._around.rng.getrandbits(62)), now)
        except SipError as error:
            raise CommandError("unavailable", f"the phone's call cannot be answered: {error}") from None

    def _picked_up(self, call: Call, line: str, member: str, why: str) -> None:
        verb, origin = LineVerb.PICKUP.value, Origin.PHONE.value
        if not why:
            self._around.tell(LineOrdered(self._board.wall(), verb, line, member, origin, call.id))
            return
        text = f"call {call.id} was not picked up: {why}"
        self._around.tell(CommandRefused(self._board.wall(), verb, None, line, origin, member, "no_call", text))

    def _refuse(self, leg: IncomingLeg, line: str, refused: CommandError, now: float) -> None:
        leg.owner = None
        leg.reject(_STATUS.get(refused.code, 480), now)
        verb, by = LineVerb.PICKUP.value, member_at(line, self._around.directory)
        self._around.tell(
            CommandRefused(self._board.wall(), verb, None, line, Origin.PHONE.value, by, refused.code, refused.message)
        )

    # -- which call ----------------------------------------------------------------------------------------------

    def _ensure_free(self, line: str) -> None:
        """Raise CommandError `busy` where a line has as many calls as it takes."""
        most = self._around.directory.lines[line].max_calls
        if self._around.lines.calls(line) >= most:
            raise CommandError("busy", f"line {line} is on a call; it takes {most} (max_calls)")

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
