"""What goes on in a talk beside the talking: a hold, a transfer, media that go direct, a place that is taken.

Each is an `Errand` that asks something of a leg and takes the reply. Here is which of them are under way in one call:

| errand | begun by | at most | over with |
|---|---|---|---|
| hold | a command | one | resume, a re-INVITE of a phone's own, another phone in a side's place |
| transfer | REFER, a command | one pending | its target's answer, or what refuses it |
| going direct | the connection, where it may | one | both sides' consent, or the first refusal |
| through the relay | an answer that names a place out of reach | one | the answerer's consent, or refusal |
| what is only asked (`add`) | a command, INVITE with Replaces | | the reply |

Who asks for a transfer may hang up as soon as it has begun, as many phones do: the talk then waits for how it ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import ref

from bridge.calls.onward.direct import Directing
from bridge.calls.onward.relayed import Relaying
from bridge.calls.onward.renewing import Renewing
from bridge.calls.onward.transfer import Transfer
from bridge.calls.ordered.errand import Interruptible
from bridge.calls.ordered.holding import Hold, Reconnect
from bridge.calls.switch import Switch
from bridge.sip.grammar import SipError
from bridge.sip.leg import Leg
from bridge.sip.legevents import Requested

if TYPE_CHECKING:
    from bridge.calls.call import Call
    from bridge.calls.talk import Talk


class Errands:
    """One call's."""

    def __init__(self, call: Call, switch: Switch) -> None:
        self.hold: Hold | None = None
        """One of the sides waits, by command."""
        self.transfer: Transfer | None = None
        """One of this call's sides is being transferred, or was."""
        self._whose = ref(call)  # which has this: so both go at once, without the garbage collector
        self._switch = switch
        self._asked: set[Interruptible] = set()  # that are to be told when the call is over
        self._directing: Directing | None = None
        self._relaying: list[Relaying] = []

    @property
    def _call(self) -> Call:
        call = self._whose()
        assert call is not None
        return call

    # -- what is only asked ---------------------------------------------------------------------------------------

    def add(self, errand: Interruptible) -> None:
        """Note that something is asked, which is to be told if the call ends meanwhile."""
        self._asked.add(errand)

    def discard(self, errand: Interruptible) -> None:
        """Note that it has its reply."""
        self._asked.discard(errand)

    @property
    def asking(self) -> bool:
        """Whether something is asked that has no reply yet."""
        return bool(self._asked)

    # -- hold, and media that go direct ---------------------------------------------------------------------------

    def end_hold(self) -> None:
        """Note that both sides talk, or are connected otherwise."""
        if self.hold is not None:
            self.hold.close()
            self.hold = None

    def held_by(self, line: str) -> bool:
        """Whether the other side waits because a line has put it on hold by command."""
        return self.hold is not None and self._call.seats.line_of(self.hold.near) == line

    def go_direct(self, now: float) -> None:
        """Let media go from phone to phone soon, in a talk that is relayed only because we spoke to a side."""
        self._directing = Directing(self._call, self._call.passage, self._switch, now)

    def tell_of_relay(self, leg: Leg, now: float) -> None:
        """Tell a side soon that its media are to come to us, though it was offered the other side's place."""
        self._relaying = [relaying for relaying in self._relaying if not relaying.over]
        self._relaying.append(Relaying(self._call, self._call.passage, leg, self._switch, now))

    def tell_our_place(self, legs: list[Leg], now: float) -> None:
        """Tell these sides of the talk where we are now, and where their media are to come if to us.

        By re-INVITE, else by UPDATE.
        """
        call, talk = self._call, self._call.talk
        if call.passage.relayed:
            for leg in legs:
                call.passage.readdress(leg, self._switch.still_at(leg)[0])
                self.tell_of_relay(leg, now)
        elif talk is not None and self.hold is None:
            # who may refuse is asked first, so that all is as it was then: a PBX rather than a phone of ours
            near = next((leg for leg in (talk.caller, talk.member) if not leg.pinned), talk.member)
            Reconnect(call, near, self._switch.still_at, lambda why, at: self._tell_the_rest(legs, why, at)).begin(now)
        else:
            self._tell_the_rest(legs, "somebody waits", now)

    def _tell_the_rest(self, legs: list[Leg], why: str, now: float) -> None:
        """Tell those who have not learned our address from a re-INVITE, `why`: why that is; "" where it was refused."""
        for leg in legs:
            if not leg.knows_our_place:
                Renewing(self._call, leg, why or "it changes nothing in a call").begin(now)

    @property
    def going_direct(self) -> bool:
        """Whether a side is just being asked to do without us."""
        return self._directing is not None and self._directing.asking

    # -- transfer -------------------------------------------------------------------------------------------------

    @property
    def transferring(self) -> bool:
        """Whether a side of this talk is just being transferred, from here or to here."""
        asked_by = self._call.asked_by
        to_here = isinstance(asked_by, Transfer) and asked_by.pending
        return to_here or self.transfer_pending

    @property
    def transfer_pending(self) -> bool:
        """Whether a side of this talk is just being transferred from here."""
        return self.transfer is not None and self.transfer.pending

    def on_referred(self, event: Requested, talk: Talk, now: float) -> None:
        """Begin a transfer, where the referrer may and the target is one of ours."""
        if self.transferring:
            event.leg.respond(event.transaction, event.request, 491, None, now)
            return
        try:
            transfer = self._switch.transfers.refer(self._call, event.leg, talk.other(event.leg), event.request, now)
        except SipError as error:
            event.leg.respond(event.transaction, event.request, error.status, None, now)
            return
        event.leg.respond(event.transaction, event.request, 202, None, now)
        event.leg.notify_refer(100, "Trying", False, now)
        self.begin_transfer(transfer, event.request.need("Refer-To"), now)

    def begin_transfer(self, transfer: Transfer, where: str, now: float) -> None:
        """Begin a transfer whose target is known."""
        self._call.note(now, None, f"{self._call.seats.name_of(transfer.referrer)} transfers", where)
        self.transfer = transfer
        transfer.begin(now)

    def transfer_failed(self, transfer: Transfer, now: float) -> None:
        """Go on as before, or end the talk where the referrer has hung up already."""
        self.transfer = None
        self._call.note(now, None, "the transfer failed")
        if transfer.referrer_gone and self._call.result is None:
            transfer.transferee.hang_up(None, now)
            self._call.finish_talk(now)

    def lets_go(self, legs: list[Leg], how: str, now: float) -> Leg | None:
        """Return the leg, of these that go, without which the talk goes on: its transfer of the other side's does."""
        transfer = self.transfer
        if transfer is None or not transfer.pending or transfer.referrer not in legs:
            return None
        transfer.referrer_gone = True
        self._call.seats.leave(transfer.referrer)
        self._call.note(now, None, f"{self._call.seats.name_of(transfer.referrer)} {how}, the transfer goes on")
        return transfer.referrer

    def side_gone(self, now: float) -> None:
        """Note that the talk ends, so that there is nobody left to transfer."""
        if self.transfer is not None:
            self.transfer.transferee_gone(now)

    # -- the end --------------------------------------------------------------------------------------------------

    def call_over(self, now: float) -> None:
        """End what is under way, since the call is over."""
        if self._directing is not None:
            self._directing.stop()
        for relaying in self._relaying:
            relaying.stop()
        self.end_hold()
        asked, self._asked = self._asked, set()
        for errand in asked:
            errand.call_over(now)
