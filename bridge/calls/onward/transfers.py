"""Where transfers lead, by REFER or by command: to a number, or to another call of who transfers.

| the target is | and | then |
|---|---|---|
| a number | the referrer may call it | it is rung (`transfer`); who is behind a trunk stays in the relay (`lending`) |
| a number that the referrer is just calling | it rings | as if its call had been named |
| a call of the referrer's, by Replaces | it talks | attended: the two others are joined (`transfer`, or `lending`) |
| the same | it still searches for somebody | the search goes on for the transferee (`early`) |
| the same | the referrer waits there, in a queue | the transferee gets the place (`queued`) |
| the same | it was dialled by command, and still rings | 491: once it is answered, as any other talk |
| the same, `early-only` | it talks | 486 |
| somebody else's call | | 403 |
| none | | 404, 481 |

One who is just being transferred, or is transferring, is left alone: 491.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bridge.calls.onward.early import EarlyTransfer
from bridge.calls.onward.lending import RelayedJoin, RelayedTransfer
from bridge.calls.onward.outside import NOT_AGAIN, Asked
from bridge.calls.onward.queued import QueuedTransfer
from bridge.calls.onward.referring import Replaces, refer_to
from bridge.calls.onward.transfer import Transfer
from bridge.calls.parties import Called, destination, user_of
from bridge.calls.passage import Passage
from bridge.calls.queue.waiting import Waiting
from bridge.calls.surroundings import Surroundings
from bridge.media.voice import Voice
from bridge.sip.grammar import SipError
from bridge.sip.incoming import IncomingLeg
from bridge.sip.leg import Leg
from bridge.sip.message import Request

if TYPE_CHECKING:
    from bridge.calls.call import Call
    from bridge.calls.switchboard import Switchboard

Told = Callable[[int], None]


class Transfers:
    """Makes the transfers of all calls."""

    def __init__(self, board: Switchboard, around: Surroundings) -> None:
        self._board = board
        self._around = around

    def refer(self, call: Call, referrer: Leg, transferee: Leg, request: Request, now: float) -> Transfer:
        """Return the transfer that a REFER asks for. Raises `SipError` where it is refused."""
        to = refer_to(request)
        if to.replaces is not None:
            onward, leaving = self._named(to.replaces, call, referrer)
            return self.joined(call, referrer, transferee, onward, leaving)
        number = user_of(to.uri)
        ringing = self._just_called(call, referrer, number)
        if ringing is not None:
            return self.joined(call, referrer, transferee, ringing, ringing.leg)
        called = self.called(call, referrer, transferee, number)
        if not called.known:
            raise SipError("there is no such number to be transferred to", 403 if called.refused else 404)
        return self.blind(call, referrer, transferee, called, now)

    def called(self, call: Call, referrer: Leg, transferee: Leg, number: str) -> Called:
        """Find where a transfer to a number leads: what its referrer may call."""
        called = destination(number, self._around.directory)
        if called.known:
            return called
        asked = Asked(
            call.seats.party_of(referrer).line, "transferred", for_outsider=call.seats.party_of(transferee).line is None
        )
        return self._around.outsides.called(number, asked)

    def blind(
        self, call: Call, referrer: Leg, transferee: Leg, called: Called, now: float, told: Told | None = None
    ) -> Transfer:
        """Return a transfer to a number; `told`: of one by command, how it ended, as a status."""
        lent = self._lent(call, transferee, told)
        transfer = (
            Transfer(self._board, call, referrer, transferee, told)
            if lent is None
            else RelayedTransfer(self._board, call, referrer, transferee, told, *lent)
        )
        passage = lent[0] if lent is not None else None
        transfer.onward = self._board.new(transferee, transfer, transfer.party, called, now, passage)
        return transfer

    def joined(
        self, call: Call, referrer: Leg, transferee: Leg, onward: Call, leaving: Leg, told: Told | None = None
    ) -> Transfer:
        """Return a transfer to another call, which one leg, the referrer's, is to leave.

        Raises `SipError`: 503 without ports, 403 where two outsiders would talk at our cost, 491 and 481 otherwise.
        """
        if onward.errands.transferring:
            raise SipError("the other call is just being transferred", 491)
        if onward.talk is not None:
            return self._joined(call, referrer, transferee, onward, leaving, told)
        asked_by = onward.asked_by
        if onward.searching and onward.leg is leaving and isinstance(asked_by, IncomingLeg):
            self._ensure_may_join(call, transferee, onward, None)
            return EarlyTransfer(self._board, call, referrer, transferee, told, onward, asked_by, self.lead)
        if onward.searching and onward.leg is leaving and isinstance(asked_by, Waiting):
            if asked_by.beckons:
                raise SipError("somebody else is just getting the place", 491)
            who = call.seats.party_of(transferee)
            media = self._around.passages.party(transferee.flow, who.line, who.trunk, None)
            return QueuedTransfer(
                self._board, call, referrer, transferee, told, onward, asked_by, leaving, media, self.lead
            )
        if onward.searching and onward.leg is leaving:  # dialled by command: our voice is at its phone until the answer
            raise SipError("the other call can be transferred to once it is answered", 491)
        raise SipError("the other call cannot be transferred to", 481)

    def _lent(self, call: Call, transferee: Leg, told: Told | None) -> tuple[Passage, Voice] | None:
        """Return the relay of a talk, where it is to be handed on: phones can be asked, and may do more than G.711."""
        relayed = told is not None or call.passage.behind_trunk(transferee)
        return call.passage.lend(transferee) if relayed and not call.errands.going_direct else None

    def _joined(
        self, call: Call, referrer: Leg, transferee: Leg, onward: Call, leaving: Leg, told: Told | None
    ) -> Transfer:
        assert onward.talk is not None
        target = onward.talk.other(leaving)
        self._ensure_may_join(call, transferee, onward, target)
        lent = self._lent(call, transferee, told)
        if lent is not None:
            who = onward.seats.party_of(target)
            party = self._around.passages.party(target.flow, who.line, who.trunk, None)
            return RelayedJoin(self._board, call, referrer, transferee, told, *lent, onward, leaving, party)
        transfer = Transfer(self._board, call, referrer, transferee, told)
        transfer.onward = onward
        self.lead(transfer, leaving)
        return transfer

    def lead(self, transfer: Transfer, leaving: Leg) -> None:
        """Lead a transfer to the talk of its onward call. Raises `SipError` as `joined` does."""
        onward = transfer.onward
        assert onward is not None and onward.talk is not None
        target = onward.talk.other(leaving)
        self._ensure_may_join(transfer.call, transfer.transferee, onward, target)
        transfer.passage, _ = self._around.passages.between(
            transfer.transferee, transfer.party, None, target, onward.seats.party_of(target)
        )
        transfer.leaving, transfer.target = leaving, target

    def _ensure_may_join(self, call: Call, transferee: Leg, onward: Call, target: Leg | None) -> None:
        """Raise `SipError` 403 where two outsiders would talk at our cost; `target` None: whoever will answer."""
        outside = onward.called.outside or call.called.outside
        ours = call.seats.party_of(transferee).line is not None
        if target is None:
            ours = ours or onward.called.outside is None
        else:
            ours = ours or onward.seats.party_of(target).line is not None
        if outside is not None and not ours and not self._around.outsides.may_join(outside):
            raise SipError(NOT_AGAIN, 403)

    # -- which call is meant -------------------------------------------------------------------------------------

    def _named(self, named: Replaces, call: Call, referrer: Leg) -> tuple[Call, Leg]:
        """Return the call of the referrer's that Replaces names, and the leg that is to leave it. Raises `SipError`.

        The tags are taken the other way round too, as some phones write them.
        """
        leaving = self._around.ua.legs.get((named.call_id, named.ours)) or self._around.ua.legs.get(
            (named.call_id, named.theirs)
        )
        onward = self._call_of(leaving) if leaving is not None else None
        if leaving is None or onward is None or onward is call:
            raise SipError("there is no such call", 481)
        if leaving.flow.host != referrer.flow.host and not _same_line(call, referrer, onward, leaving):
            raise SipError("that is somebody else's call", 403)
        if named.early_only and onward.talk is not None:
            raise SipError("the call is answered already", 486)
        return onward, leaving

    def _call_of(self, leg: Leg) -> Call | None:
        """Return the call that one of whose sides a leg is; a waiting caller is spoken to by somebody else."""
        every = (each for each in self._board.up.values() if leg is each.leg or each.seats.is_member(leg))
        return next(every, None)

    def _just_called(self, call: Call, referrer: Leg, number: str) -> Call | None:
        """Return the call with which a referrer is just ringing the number that it names."""
        line = call.seats.party_of(referrer).line
        if line is None:
            return None
        calls = (each for each in self._board.up.values() if each.called.number == number)
        return next((each for each in calls if referrer.flow.host in _hosts(each.seats.calling(line))), None)


def _hosts(legs: list[Leg]) -> list[str]:
    return [leg.flow.host for leg in legs]


def _same_line(call: Call, referrer: Leg, onward: Call, leaving: Leg) -> bool:
    """Whether a transfer's referrer and the leg that it names are of one line of ours."""
    line = call.seats.party_of(referrer).line
    return line is not None and line == onward.seats.party_of(leaving).line
