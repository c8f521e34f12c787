"""The offers of one call: which phones ring for it, and what counts for that on their lines.

An offer is a `Fork`. It is known by its member for as long as the hunt waits for it, and by its legs until the last of
them has ended: what is left over from a group that the call has left, or crosses its end, is still told apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from weakref import ref

from bridge.calls.fork import Fork
from bridge.calls.switch import Switch
from bridge.hunting.model import Outcome
from bridge.sip.leg import Leg
from bridge.sip.outgoing import OutgoingLeg

if TYPE_CHECKING:
    from bridge.calls.call import Call


class Offers:
    """One call's."""

    def __init__(self, call: Call, switch: Switch) -> None:
        self._whose = ref(call)  # which has this: so both go at once, without the garbage collector
        self._switch = switch
        self._awaited: dict[str, Fork] = {}  # by member
        self._of_leg: dict[Leg, Fork] = {}

    @property
    def _call(self) -> Call:
        call = self._whose()
        assert call is not None
        return call

    # -- an offer's life ------------------------------------------------------------------------------------------

    def add(self, fork: Fork) -> None:
        """Take an offer that the hunt has asked for, whose legs ring."""
        self._awaited[fork.member] = fork
        self.own(fork)
        self._switch.count(fork.line, offers=1)

    def add_beside(self, fork: Fork) -> None:
        """Take an offer that the hunt knows nothing of."""
        for leg in fork.legs:
            leg.owner = self._call
            self._of_leg[leg] = fork
        self._switch.count(fork.line, offers=1)

    def lead_on(self, fork: Fork, line: str, legs: list[OutgoingLeg]) -> None:
        """Let an offer ring at another line, where its own sends its calls."""
        self.quiet(fork)
        fork.offered, fork.line, fork.legs = True, line, legs
        self._switch.count(line, offers=1)
        self.own(fork)

    def own(self, fork: Fork) -> None:
        """Let the legs of an offer be the call's."""
        for leg in fork.legs:
            leg.owner = self._call
            self._call.chronicle.dialogs.append(leg.call_id)
            self._of_leg[leg] = fork

    def rings(self, fork: Fork, code: int, now: float) -> None:
        """Take a provisional response: a phone rings, unless it has only been tried."""
        if code > 100 and fork.offered and not fork.ringing:
            fork.ringing = True
            fork.rang_at = now
            self._switch.count(fork.line, rings=1)

    def quiet(self, fork: Fork) -> None:
        """Take a fork that rings no more, or was found, out of its line's counts; once."""
        if fork.offered:
            fork.offered = False
            self._switch.count(fork.line, offers=-1, rings=-1 if fork.ringing else 0)
            fork.ringing = False

    def note_ended(self, fork: Fork, outcome: Outcome, now: float, why: str = "") -> None:
        """Note for the journal what an offer has come to."""
        record = self._call.chronicle.record
        record.offer_ended(fork.member, fork.line, fork.asked_at, fork.rang(now), outcome.value, why)

    def tell_ended(self, fork: Fork, outcome: Outcome, now: float, why: str = "") -> None:
        """Note it, and tell the doors."""
        self.note_ended(fork, outcome, now, why)
        self._switch.telling.offer_ended(self._call, fork.member, outcome, fork.rang(now))

    def ended(self, fork: Fork) -> None:
        """Let the hunt wait for an offer no more."""
        del self._awaited[fork.member]

    def await_none(self) -> None:
        """Let another hunt begin, which waits for no offer yet: what has not ended is of the one before."""
        self._awaited.clear()

    def leg_ended(self, leg: OutgoingLeg) -> Fork:
        """Take a leg out that has failed; return the offer that it was of."""
        self._call.passage.leaves(leg)
        return self._of_leg.pop(leg)

    def forget(self, fork: Fork) -> None:
        """Take an offer that ended after it was answered out of the books, and give its ports back."""
        if self.awaits(fork):
            self.ended(fork)
        for leg in fork.legs:
            self._of_leg.pop(leg, None)
            self._call.passage.leaves(leg)

    def recount(self) -> None:
        """Count the forks that ring anew on their lines, where nothing is counted yet."""
        for fork in dict.fromkeys((*self._awaited.values(), *self._of_leg.values())):
            if fork.offered:
                self._switch.count(fork.line, offers=1, rings=1 if fork.ringing else 0)

    # -- which there are ------------------------------------------------------------------------------------------

    def get(self, member: str) -> Fork | None:
        """Return the offer to a member that the hunt waits for."""
        return self._awaited.get(member)

    def awaits(self, fork: Fork) -> bool:
        """Whether the hunt waits for this offer, and not for another one to its member."""
        return self._awaited.get(fork.member) is fork

    def at(self, line: str) -> Iterator[Fork]:
        """Yield the offers at a line that the hunt waits for."""
        return (fork for fork in tuple(self._awaited.values()) if fork.line == line)

    def of(self, leg: Leg) -> Fork | None:
        """Return the offer that a leg is of."""
        return self._of_leg.get(leg)

    # -- what others see ------------------------------------------------------------------------------------------

    @property
    def lines(self) -> set[str]:
        """The lines that the call is being offered to."""
        return {fork.line for fork in self._awaited.values() if fork.offered}

    @property
    def ringing(self) -> tuple[str, ...]:
        """The members whose phones ring."""
        return tuple(fork.member for fork in self._awaited.values() if fork.ringing)

    def to(self, member: str) -> int:
        """Return 1 where the call is being offered to the member, else 0."""
        fork = self._awaited.get(member)
        return 1 if fork is not None and fork.offered else 0

    def line_of(self, leg: Leg) -> str | None:
        """Return the line that a leg rings, None where it does not (any more)."""
        fork = self._of_leg.get(leg)
        return fork.line if fork is not None and fork.offered else None

    def ringing_at(self, line: str) -> Sequence[OutgoingLeg]:
        """Return the legs of a line whose phone rings; none where it does not."""
        return [leg for fork in self._awaited.values() if fork.line == line and fork.ringing for leg in fork.legs]
