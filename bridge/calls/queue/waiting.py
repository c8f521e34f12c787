"""A caller who waits: answered by us, and spoken to until a member takes the call.

| state | what happens | then |
|---|---|---|
| ENTERING | transferred here: our offer goes to the caller in a re-INVITE | WAITING with the answer |
| ENTERING | answered; the caller made no offer, so the answer to ours comes with the ACK | WAITING once it is there |
| WAITING | greeting, announcements and music, while the hunt offers the call | TALKING as a member answers |
| WAITING | the caller presses the exit key | the search ends here and goes on at `exit_to` |
| WAITING | transfers somebody else to this place: our offer goes there | WAITING, with who has taken it |
| WAITING | the caller puts us on hold | nobody rings; the place is kept until the caller is back |
| WAITING | the caller hangs up | GONE: abandoned |
| WAITING | nobody takes the call and it leads nowhere else | LEAVING |
| LEAVING | what is said has been said, or was not heard in `GOODBYE` seconds | GONE: hung up |
| TALKING | the relay has taken over; nothing here is heard any more | |

To its call it is what a caller's leg is to others (`Asking`): it was answered long ago, so ringing means nothing to it,
and the member's answer needs not be told. Where the call overflows to a group that only rings, the music plays on.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from bridge.calls.passage import Newcomer
from bridge.calls.queue.retelling import Retelling
from bridge.calls.spoken import Spoken
from bridge.directory.model import Queue
from bridge.hunting.estimate import minutes as whole_minutes
from bridge.media.choice import Party
from bridge.media.model import Sound
from bridge.media.prompts import MUSIC, Prompt, minutes, number
from bridge.sip.grammar import SipError
from bridge.sip.incoming import IncomingLeg
from bridge.sip.leg import Leg
from bridge.sip.legevents import Ended, LegEvent, Requested
from bridge.sip.message import Body

if TYPE_CHECKING:
    from bridge.calls.call import Call
    from bridge.calls.queue.entrance import Entrance
    from bridge.calls.switch import Switch

GOODBYE = 15.0  # seconds; longer than anything that is said at the end
SHORT = 60.0  # seconds; below this a wait is "less than a minute"


class State(Enum):
    """Where a waiting caller stands."""

    ENTERING = "entering"
    WAITING = "waiting"
    TALKING = "talking"
    LEAVING = "leaving"
    GONE = "gone"


class Waiting:
    """A call's caller, answered by us. `queue`: how the group that the call has come to lets callers wait."""

    def __init__(self, call: Call, entrance: Entrance, switch: Switch, queue: Queue) -> None:
        self.state = State.ENTERING
        self.due: float | None = None
        self.ringing = True  # a caller who was answered is told no ringing
        self._call = call
        self._entrance = entrance
        self._switch = switch
        self._queue = queue
        self._spoken: Spoken
        self._newcomer: Newcomer | None = None  # who is to get the caller's place
        self._gone: Ended | None = None  # the caller, who has left it to them already
        self._retelling: Retelling | None = None  # the caller is being told our address

    def answer(self, leg: IncomingLeg, now: float) -> None:
        """Answer the caller. Raises `SipError`: 488 without G.711, 503 without ports."""
        self._spoken = Spoken.answer(leg, self._call.passage, self, now)
        leg.owner = self
        if self.offer is not None:
            self.state = State.WAITING

    def invite(self, leg: Leg) -> Body:
        """Return our offer for somebody who is transferred here. Raises `SipError` 503 where there are no ports."""
        return self._call.passage.voice(leg).offer()

    def arrived(self, leg: Leg, body: Body | None) -> None:
        """Take the answer to that. Raises `SipError` where it is none."""
        self._spoken = Spoken.arrived(leg, self._call.passage, self, body)
        leg.owner = self
        self.state = State.WAITING

    def tell_our_place(self, stale: set[Leg], now: float) -> bool:
        """Tell the caller where we are now, where its leg is one of these that know another address; whether it is."""
        if self.state not in (State.WAITING, State.LEAVING) or self._spoken.leg not in stale:
            return False
        leg = self._spoken.leg
        self._call.passage.readdress(leg, self._switch.still_at(leg)[0])
        if self._retelling is not None:
            self._retelling.stop()
        self._retelling = Retelling(self._call, self._spoken, self._switch)
        self._retelling.tick(now)
        return True

    # -- somebody else in the caller's place ---------------------------------------------------------------------------

    @property
    def beckons(self) -> bool:
        """Whether somebody is just asked to take the caller's place."""
        return self._newcomer is not None

    def beckon(self, leg: Leg, party: Party) -> Body:
        """Return our offer for somebody who is to get the caller's place. Raises `SipError` where that cannot be."""
        self._newcomer = self._call.passage.beckon(leg, party)
        return self._newcomer.offer

    def admit(self, body: Body | None, now: float) -> None:
        """Let them have it, with their answer; the caller is hung up. Raises `SipError`, and the caller waits on."""
        newcomer = self._newcomer
        assert newcomer is not None
        if body is None:
            raise SipError("an answer without a description", 488)
        self._call.passage.admit(newcomer, body)
        before, self._newcomer, self._gone = self._spoken, None, None
        self._spoken = Spoken.arrived(newcomer.leg, self._call.passage, self, body)
        before.leg.owner = None
        before.leg.hang_up(None, now)

    def go_on(self, now: float) -> None:
        """Let whoever has got the place wait as the caller did, and be served."""
        if not self._spoken.held:
            self._play_music()
        self._entrance.holds(self._spoken.held, now)

    def stay(self, now: float) -> None:
        """Nobody gets the place: the caller keeps it who has not left."""
        gone, self._newcomer, self._gone = self._gone, None, None
        if gone is not None:
            self.on_ended(self._spoken, gone, now)

    @property
    def offer(self) -> Body | None:
        """The caller's description for members; None while it is not known."""
        return self._spoken.voice.agreed

    @property
    def held(self) -> bool:
        """Whether the caller has put us on hold."""
        return self._spoken.held

    # -- what is said ----------------------------------------------------------------------------------------------

    def welcome(self, queue: Queue, now: float) -> None:
        """Greet a caller who has come to a queue, this one or the one that the call overflowed to."""
        self._queue = queue
        greeting = queue.greeting
        said: list[Sound] = [] if greeting is None else [Prompt.GREETING if greeting == "default" else greeting]
        said += self._announcement()
        if said:
            self._spoken.voice.play(said)
        else:
            self._play_music()
        self._arm(now)

    def tick(self, now: float) -> None:
        """Announce again, or hang up on who was told everything."""
        if self.state is State.LEAVING:
            self._hang_up(now)
        elif self.state is State.WAITING:
            said = [] if self.held else self._announcement()
            if said:  # else the music goes on as it is
                self._spoken.voice.play(said)
            self._arm(now)

    def _arm(self, now: float) -> None:
        every = self._queue.announce
        self._switch.arm(self, None if every is None else now + every)

    def _announcement(self) -> list[Sound]:
        """Return what a caller is told of the wait: nothing while the call is offered, nor outside a queue."""
        place = self._entrance.place
        if self._queue.announce is None or place is None or self._call.offers.lines:
            return []
        position, seconds = place
        said: list[Sound] = []
        if self._queue.announce_position:
            said += [Prompt.YOU_ARE_NEXT] if position == 1 else [Prompt.YOU_ARE_NUMBER, number(position)]
        if self._queue.announce_wait and seconds is not None:
            long = seconds >= SHORT
            said += [Prompt.ESTIMATED_WAIT, minutes(whole_minutes(seconds)) if long else Prompt.LESS_THAN_A_MINUTE]
        key = self._queue.exit_key
        if key is not None and key.isdigit():
            said += [Prompt.EXIT_HINT, number(int(key))]
        return said or [Prompt.STILL_WAITING]

    def _play_music(self) -> None:
        music = self._queue.music
        self._spoken.voice.play([MUSIC if music in (None, "default") else music or MUSIC], loop=True)

    # -- what the call says (Asking) ---------------------------------------------------------------------------------

    def ring(self, now: float) -> None:
        """Need no note."""

    def accept(self, body: Body | None, now: float) -> None:
        """Be silent: the relay has taken over, and the caller knows all that there is to know."""
        self.state = State.TALKING
        self._switch.arm(self, None)
        self._spoken.voice.owner = None
        self._spoken.leg.owner = self._call

    def reject(self, status: int, now: float) -> None:
        """Hang up, without another word."""
        self._hang_up(now)

    def part(self, now: float) -> None:
        """Say that nobody takes the call, then hang up; the call is told when that is done."""
        self.state = State.LEAVING
        if self._spoken.voice.agreed is None or self.held:
            self._hang_up(now)
            return
        self._spoken.voice.play([Prompt.NOBODY_AVAILABLE, Prompt.GOODBYE])
        self._switch.arm(self, now + GOODBYE)

    def _hang_up(self, now: float) -> None:
        if self.state is not State.GONE:
            self.state = State.GONE
            self._switch.arm(self, None)
            self._spoken.leg.owner = None
            self._spoken.close()
            self._spoken.leg.hang_up(None, now)
            self._entrance.parted(now)

    # -- what the leg and the voice say --------------------------------------------------------------------------------

    def handle(self, event: LegEvent, now: float) -> None:
        """Take an event of the caller's leg; the first agreement lets the wait begin."""
        self._spoken.handle(event, now)
        if self.state is State.ENTERING and self.offer is not None:
            self.state = State.WAITING
            self._entrance.entered(now)

    def on_key(self, spoken: Spoken, key: str, now: float) -> None:
        """Let go a caller who presses the exit key."""
        if self.state is State.WAITING and key == self._queue.exit_key:
            self._entrance.leave(f"the caller pressed {key}", now)

    def on_played(self, spoken: Spoken, now: float) -> None:
        """Go on with music, or hang up after the last word."""
        if self.state is State.LEAVING:
            self._hang_up(now)
        elif self.state is State.WAITING:
            self._play_music()

    def on_held(self, spoken: Spoken, held: bool, now: float) -> None:
        """Let nobody ring for a caller who would not hear it."""
        if self.state is State.WAITING:
            self._entrance.holds(held, now)

    def on_ended(self, spoken: Spoken, event: Ended, now: float) -> None:
        """Tell the call that its caller has gone, unless somebody else gets the place."""
        if self._newcomer is not None and self.state is State.WAITING:
            self._gone = event
            return
        state, self.state = self.state, State.GONE
        self._switch.arm(self, None)
        if state is State.LEAVING:
            self._entrance.parted(now)
        elif state is not State.GONE:
            self._entrance.handle(event, now)

    def on_asked(self, spoken: Spoken, event: Requested, now: float) -> None:
        """Refuse what is for talks: there is nobody to be transferred from, and nobody to read."""
        event.leg.respond(event.transaction, event.request, 403, None, now)
