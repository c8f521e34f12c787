"""How a call's caller comes into what the call is for: rung for as they are, or answered by us where it is a queue.

| asked by | a group that rings, a line | a queue |
|---|---|---|
| a caller's leg | the search begins | answered, and the search begins; without an offer with the ACK's answer |
| a transfer | the search begins | our offer goes to the transferee, and the search begins with the answer |
| a caller who waits already | the music plays on | the queue's own greeting and music |
| others (a dial by command) | the search begins | the search begins, at its place in the queue |
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import ref

from bridge.calls.onward.transfer import Transfer
from bridge.calls.over import CallResult
from bridge.calls.queue.waiting import Waiting
from bridge.calls.search import Search
from bridge.calls.switch import Switch
from bridge.directory.model import Queue
from bridge.hunting.model import CallerHolds, Start
from bridge.media.voice import NO_PORTS
from bridge.sip.grammar import SipError
from bridge.sip.incoming import IncomingLeg
from bridge.sip.leg import Leg
from bridge.sip.legevents import LegEvent
from bridge.sip.message import Body

if TYPE_CHECKING:
    from bridge.calls.call import Call


class Entrance:
    """One call's."""

    def __init__(self, call: Call, switch: Switch, search: Search) -> None:
        self._whose = ref(call)  # which has this: so both go at once, without the garbage collector
        self._switch = switch
        self._search = search
        self._arriving: Waiting | None = None  # where somebody is to wait who is being transferred here
        self._parting: tuple[CallResult, str] | None = None  # what it has come to, while a waiting caller is told so

    @property
    def _call(self) -> Call:
        call = self._whose()
        assert call is not None
        return call

    @property
    def waiting(self) -> Waiting | None:
        """The caller whom we have answered, None where we have not."""
        asked_by = self._call.asked_by
        return asked_by if isinstance(asked_by, Waiting) else None

    @property
    def state(self) -> str:
        """What others see of a call without a talk."""
        if self._parting is not None:
            return "ending"
        return "hunting" if self.waiting is None else "waiting"

    def tell_our_place(self, stale: set[Leg], now: float) -> bool:
        """Tell a caller who waits where we are now; whether there is one, who knows another address."""
        return self.waiting is not None and self.waiting.tell_our_place(stale, now)

    # -- coming in -----------------------------------------------------------------------------------------------

    def enter(self, now: float) -> None:
        """Let the caller in, whom nothing bars."""
        asked_by, queue = self._call.asked_by, self._search.queue
        if queue is not None and isinstance(asked_by, IncomingLeg):
            if not self._answered(asked_by, queue, now):
                return
        elif (
            queue is not None
            and isinstance(asked_by, Transfer)
            and asked_by.asks
            and self._invites(asked_by, queue, now)
        ):
            return  # until the transferee has taken our offer
        self.entered(now)

    def _answered(self, leg: IncomingLeg, queue: Queue, now: float) -> bool:
        """Answer a caller; False where that cannot be, or what they say of themselves comes with the ACK."""
        waiting = Waiting(self._call, self, self._switch, queue)
        try:
            waiting.answer(leg, now)
        except SipError as error:
            if error.status == NO_PORTS:
                self._switch.telling.no_ports("a caller cannot wait")
            leg.reject(error.status, now)
            self._switch.telling.step(self._call, "missed", reason=str(error))
            self._call.close(CallResult.FAILED, f"the caller cannot be spoken to: {error}", now)
            return False
        self._call.asked_by = waiting
        return waiting.offer is not None

    def _invites(self, transfer: Transfer, queue: Queue, now: float) -> bool:
        """Invite somebody who is transferred to a queue to wait there; False where that cannot be spoken to."""
        waiting = Waiting(self._call, self, self._switch, queue)
        try:
            body = transfer.invited(waiting)
        except SipError:
            return False
        self._arriving = waiting
        transfer.accept(body, now)
        return True

    def arrived(self, body: Body | None, now: float) -> None:
        """Let somebody wait who has taken the offer with which we invited them."""
        assert self._arriving is not None
        self._call.asked_by, self._arriving = self._arriving, None
        try:
            self._call.asked_by.arrived(self._call.leg, body)
        except SipError as error:
            self._call.asked_by = None
            self._call.leg.hang_up(None, now)
            self._call.close(CallResult.FAILED, f"the caller cannot be spoken to: {error}", now)
            return
        self.entered(now)

    def entered(self, now: float) -> None:
        """Begin to search; a caller who has to wait is told so."""
        call, waiting, queue = self._call, self.waiting, self._search.queue
        if waiting is not None:
            call.offer = waiting.offer
            if waiting.held:
                self._search.step(CallerHolds(held=True), now)
        group = call.group
        self._call.follow(self._search.step(Start(), now), now)
        place = self._search.place
        if queue is None or place is None or call.group is not group:
            return
        if group is not None:
            call.note(now, None, "waits", f"number {place[0]} of {self._switch.agents.floor.waiting(group.name)}")
        self._switch.telling.waits(call, *place)
        if waiting is not None:
            waiting.welcome(queue, now)

    # -- what a waiting caller does ----------------------------------------------------------------------------------

    @property
    def place(self) -> tuple[int, float | None] | None:
        """The caller's position in the queue and the probable wait, seconds; None where the caller is in none."""
        return self._search.place

    def handle(self, event: LegEvent, now: float) -> None:
        """Take the end of a waiting caller's leg."""
        self._call.handle(event, now)

    def holds(self, held: bool, now: float) -> None:
        """Let nobody ring for a caller who holds us, and go on afterwards."""
        self._call.follow(self._search.step(CallerHolds(held), now), now)

    def leave(self, why: str, now: float) -> None:
        """Let a caller go where the exit key leads."""
        self._call.follow(self._search.leave(why, now), now)

    # -- nobody takes the call ---------------------------------------------------------------------------------------

    def part(self, came_to: CallResult, why: str, now: float) -> bool:
        """Tell a waiting caller that nobody takes the call; False for a caller whom we have not answered."""
        waiting = self.waiting
        if waiting is None:
            return False
        self._parting = came_to, why
        waiting.part(now)
        return True

    def parted(self, now: float) -> None:
        """Close a call whose caller has heard that."""
        if self._parting is not None:
            self._call.close(*self._parting, now)
