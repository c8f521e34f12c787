"""What a command does to a line's calls (the table of who may what is told in `commands.control`).

An order comes authorised. It is carried out here, and its answer is told as soon as it is known to have begun: a phone
that has to agree (hold, resume) is asked first. What a phone asks for by calling us (a code, an INVITE with Replaces)
is authorised here, in the name of the user or device that is at its line.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from bridge.calls.call import Call
from bridge.calls.fork import Fork
from bridge.calls.onward.referring import Replaces
from bridge.calls.onward.transfer import Transfer
from bridge.calls.ordered.dialling import Dialling
from bridge.calls.ordered.holding import Hold, Reconnect
from bridge.calls.ordered.orders import Answer, Order
from bridge.calls.ordered.pickup import Picker
from bridge.calls.ordered.replacing import BUSY_HERE, NO_SUCH_CALL, Replacement, find, wanted
from bridge.calls.parties import Called, Caller
from bridge.calls.passage import Passage
from bridge.commands.control import Seen, member_at, pick
from bridge.commands.model import CommandError, LineCommand, LineVerb, Reply
from bridge.commands.phones import actor_at
from bridge.commands.rights import Right, may_at
from bridge.directory.logins import Origin
from bridge.events import CommandRefused, LineOrdered
from bridge.sip.grammar import SipError
from bridge.sip.incoming import IncomingLeg
from bridge.sip.leg import Leg
from bridge.sip.useragent import Invited

if TYPE_CHECKING:
    from bridge.calls.surroundings import Surroundings
    from bridge.calls.switchboard import Switchboard

_STATUS = {"not_allowed": 403, "no_call": 404, "unknown_group": 404, "unknown_line": 404}
"""What a phone is told for a refusal; 480 for all else."""


class Control:
    """Carries orders out, on the calls of a switchboard."""

    def __init__(self, board: Switchboard, around: Surroundings) -> None:
        self._board = board
        self._around = around
        self._diallings: set[Dialling] = set()  # whose line's own phone still rings
        self._carry: dict[LineVerb, Callable[[Order, Answer, float], None]] = {
            LineVerb.DIAL: self._dial,
            LineVerb.HANGUP: self._hang_up,
            LineVerb.PICKUP: self._pick_up,
            LineVerb.HOLD: self._hold,
            LineVerb.RESUME: self._resume,
            LineVerb.TRANSFER: self._transfer,
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

    @property
    def busy(self) -> int:
        """How many lines' own phones ring by command."""
        return len(self._diallings)

    def recount(self) -> None:
        """Count anew what rings by command, after lines and trunks were set to nothing."""
        for dialling in self._diallings:
            dialling.recount()

    def stop(self, now: float) -> None:
        """Ring nobody by command any more."""
        for dialling in tuple(self._diallings):
            dialling.stop(now)

    # -- dial ----------------------------------------------------------------------------------------------------

    def _dial(self, order: Order, answer: Answer, now: float) -> None:
        """Ring the line's own phone; the number is called once that has answered."""
        number = order.number or ""
        called = self._board.targets.dialled(order.line, number)
        if not called.known:
            raise CommandError("not_allowed" if called.refused else "unknown_line", _nowhere(order, called))
        if called.line is not None and called.line.name == order.line:
            raise CommandError("bad_request", f"{number} is line {order.line}'s own number")
        self._ensure_free(order.line)
        count = self._board.count
        passage = self._around.passages.toward()
        dialling = Dialling(
            passage,
            self._around.ua.agenda,
            call=partial(self._call_out, order, called),
            count=lambda offers, rings, calls: count(order.line, offers=offers, rings=rings, calls=calls),
            failed=lambda why: self._not_dialled(order, dialling, f"{number} was not called: {why}"),
        )
        shown = Caller(None, None, number, self._name_of(called))
        legs = self._around.reach.ring(shown, None, order.line, passage, now, answer_by_itself=True)
        if not legs:
            passage.close()
            raise CommandError("unreachable", _not_rung(order.line, passage))
        self._diallings.add(dialling)
        dialling.begin(legs, now)
        self._done(order, answer, None)

    def _not_dialled(self, order: Order, dialling: Dialling, text: str) -> None:
        self._diallings.discard(dialling)
        self._tell_failed(order, text)

    def _name_of(self, called: Called) -> str:
        if called.group is not None:
            return called.group.shown
        if called.line is not None:
            return self._around.directory.shown(member_at(called.line.name, self._around.directory))
        return self._around.present.settings.phonebook.name_of(called.number)

    def _call_out(
        self, order: Order, called: Called, dialling: Dialling, leg: Leg, passage: Passage, now: float
    ) -> None:
        self._diallings.discard(dialling)
        caller = self._board.party(order.line, order.member)
        call = self._board.new(leg, dialling, caller, called, now, passage)
        dialling.take(call)
        self._board.begin(call, now)

    def _tell_failed(self, order: Order, text: str) -> None:
        wall, verb = self._board.wall(), order.verb.value
        self._around.tell(CommandRefused(wall, verb, None, order.line, order.origin, order.by, "refused", text))

    # -- hang up -------------------------------------------------------------------------------------------------

    def _hang_up(self, order: Order, answer: Answer, now: float) -> None:
        """End the line's call; one on hold before the others only where it is named; decline what only rings there."""
        calls = [call for call in self._board.up.values() if order.line in call.seats.lines]
        ringing = [call for call in self._board.up.values() if order.line in call.offers.lines]
        if not calls and ringing:
            call = self._only(ringing, order)
            call.decline(order.line, now)
        else:
            talking = [call for call in calls if not call.errands.held_by(order.line)]
            call = self._only(talking if talking and order.call is None else calls, order)
            call.leave(order.line, now)
        self._done(order, answer, call)

    # -- hold, resume, transfer ----------------------------------------------------------------------------------

    def _hold(self, order: Order, answer: Answer, now: float) -> None:
        call, near = self._talk(order, lambda call: call.errands.hold is None)
        assert call.talk is not None
        far = call.talk.other(near)
        passage = self._board.passage(far, call.seats.party_of(far), None)
        Hold(call, near, passage, self._board.still_at, self._when_told(order, answer, call)).begin(now)

    def _resume(self, order: Order, answer: Answer, now: float) -> None:
        """Let both talk again; also where the hold was forgotten by a restart."""
        call, near = self._talk(order, lambda call: call.errands.hold is None or call.errands.held_by(order.line))
        if call.errands.hold is not None and call.errands.hold.relayed:
            call.errands.end_hold()
            self._done(order, answer, call)
            return
        Reconnect(call, near, self._board.still_at, self._when_told(order, answer, call)).begin(now)

    def _when_told(self, order: Order, answer: Answer, call: Call) -> Callable[[str, float], None]:
        def told(why: str, now: float) -> None:
            if why:
                answer(Reply(code="refused", message=f"call {call.id} of line {order.line}: {why}"))
            else:
                self._done(order, answer, call)

        return told

    def _transfer(self, order: Order, answer: Answer, now: float) -> None:
        rings = any(
            call.seats.calling(order.line) for call in self._board.up.values()
        )  # then there is one talk to transfer
        call, near = self._talk(order, lambda call: order.number is not None or call.errands.hold is not None or rings)
        assert call.talk is not None
        if call.errands.asking:
            raise CommandError("busy", f"something else is just being changed in call {call.id}")
        far, told = call.talk.other(near), self._transferred(order, call)
        if order.number is None:
            transfer = self._joined(order, call, near, far, told)
        else:
            called = self._board.transfers.called(call, near, far, order.number)
            if not called.known:
                raise CommandError("unknown_line" if not called.refused else "not_allowed", _nowhere(order, called))
            transfer = self._board.transfers.blind(call, near, far, called, now, told)
        call.errands.begin_transfer(transfer, order.number or "the other call", now)
        self._done(order, answer, call)

    def _joined(self, order: Order, call: Call, near: Leg, far: Leg, told: Callable[[int], None]) -> Transfer:
        """Return the transfer to the line's other call. Raises CommandError where there is not one other."""
        others = [
            (other, leg)
            for other in self._board.up.values()
            if other is not call
            for leg in (other.seats.legs_of(order.line) if other.talk is not None else other.seats.calling(order.line))
        ]
        if len(others) != 1:
            raise CommandError("no_call", f"line {order.line} has not one other call to connect it with; give a number")
        try:
            return self._board.transfers.joined(call, near, far, *others[0], told)
        except SipError as error:
            raise CommandError("not_allowed" if error.status == 403 else "unavailable", str(error)) from None

    def _transferred(self, order: Order, call: Call) -> Callable[[int], None]:
        def told(status: int) -> None:
            if status >= 300:
                self._tell_failed(order, f"the transfer of call {call.id} failed (SIP {status})")

        return told

    def _talk(self, order: Order, which: Callable[[Call], bool]) -> tuple[Call, Leg]:
        """Return the one talk of a line that can be meant, and the line's leg in it."""
        talks = [call for call in self._board.up.values() if call.seats.legs_of(order.line) and which(call)]
        held = [call for call in talks if call.errands.held_by(order.line)]
        call = self._only(held if held and order.verb is LineVerb.RESUME and order.call is None else talks, order)
        if call.errands.transferring:
            raise CommandError("busy", f"call {call.id} is being transferred")
        return call, call.seats.legs_of(order.line)[0]

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
            raise CommandError("unreachable", _not_rung(order.line, call.passage))
        fork = Fork(order.member, order.line, now)
        fork.legs = legs
        call.search.let_take(fork)
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

    # -- INVITE with Replaces ------------------------------------------------------------------------------------

    def replace(self, invited: Invited, caller: Caller, now: float) -> None:
        """Let a phone take the place that its INVITE names, or refuse it."""
        request, ua = invited.request, self._around.ua
        try:
            asked = wanted(request)
            assert asked is not None
            leaving = find(asked, ua.legs) if caller.line is not None else None
            call = leaving.owner if leaving is not None else None
            if leaving is None or caller.line is None or not isinstance(call, Call):
                raise SipError("no such call", NO_SUCH_CALL)
            self._take_place(call, leaving, caller.line, invited, asked, now)
        except SipError as error:
            ua.answer(invited.transaction, request, error.status, now)

    def _take_place(self, call: Call, leaving: Leg, line: str, invited: Invited, asked: Replaces, now: float) -> None:
        """Pick the call up where the leg rings, else put the phone in its place. Raises `SipError`."""
        directory = self._around.directory
        actor = actor_at(line, directory)
        ringing = call.offers.line_of(leaving) if call.searching else None
        theirs = next((name for name in directory.lines if leaving in call.seats.legs_of(name)), None)
        if ringing is not None and (ringing == line or may_at(actor, Right.PICKUP, ringing, directory)):
            leg = self._take(invited, line, now)
            try:
                self.give(call, leg, line, now)
            except CommandError as refused:
                self._refuse(leg, line, refused, now)
        elif theirs is not None and (theirs == line or may_at(actor, Right.CONTROL, theirs, directory)):
            if asked.early_only:
                raise SipError("the call is answered already", BUSY_HERE)
            if call.errands.transferring:
                raise SipError("one of the call's sides is just being transferred", 491)
            self._put_in(call, leaving, line, invited, now)
        else:
            raise SipError("no such call", NO_SUCH_CALL)

    def _take(self, invited: Invited, line: str, now: float) -> IncomingLeg:
        return self._around.ua.take(invited, "bridge", self._around.directory.lines[line].registers, now)

    def _put_in(self, call: Call, leaving: Leg, line: str, invited: Invited, now: float) -> None:
        assert call.talk is not None
        leg, member = self._take(invited, line, now), member_at(line, self._around.directory)
        far = call.talk.other(leaving)
        passage = None
        try:
            who, other = self._board.party(line, member), call.seats.party_of(far)
            passage, offer = self._around.passages.between(leg, who, leg.offer, far, other)
            undo = Reconnect(call, leaving, self._board.still_at, lambda why, at: None).begin
            done = partial(self._tell_taken, call, line, member)
            Replacement(call, leaving, leg, (line, member), passage, undo, done).begin(offer, now)
        except SipError as error:
            if passage is not None:
                passage.close()
            leg.reject(error.status, now)

    def _tell_taken(self, call: Call, line: str, member: str) -> None:
        self._picked_up(call, line, member, "")

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


def _not_rung(line: str, passage: Passage) -> str:
    """Return why a line's own phone could not be rung."""
    if passage.refusal is not None:
        return f"line {line} cannot be rung: there are no ports for its media"
    return f"line {line} cannot be rung: its phone is not registered, or its trunk is down"


def _nowhere(order: Order, called: Called) -> str:
    """Return why a number is not called for a line."""
    if called.refused:
        return f"line {order.line} may not call {order.number}: {called.refused}"
    return f"{order.number} is nobody's number here, and line {order.line} has no dial_out to call it outside"
