"""A call that the bridge takes itself: what a code and the menu have in common. It may be hung up at any moment."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Protocol

from bridge.calls.parties import Caller
from bridge.calls.passage import Passage
from bridge.calls.present import Present
from bridge.calls.spoken import Spoken
from bridge.commands.model import Actor, Command, Reply
from bridge.directory.logins import Logins
from bridge.events import Event
from bridge.media.model import Sound
from bridge.sip.grammar import SipError
from bridge.sip.incoming import IncomingLeg
from bridge.sip.legevents import Ended, LegEvent, Requested


class House(Protocol):
    """What an attended call asks of its surroundings."""

    present: Present
    logins: Logins

    def wish(self, command: Command, actor: Actor, then: Callable[[Reply, float], None]) -> None:
        """Ask for a command; `then` is called with its reply, later."""

    def arm(self, call: Attended, due: float | None) -> None:
        """Set when a call's `tick` is due."""

    def tell(self, event: Event) -> None:
        """Tell the doors what has happened."""

    def wall(self) -> float:
        """Return UTC, seconds since the epoch."""

    def over(self, call: Attended) -> None:
        """Take note that a call has ended."""


class Attended(ABC):
    """One such call. `spoken` is None before it is answered."""

    def __init__(self, house: House, leg: IncomingLeg, caller: Caller, passage: Passage) -> None:
        self.due: float | None = None
        self.caller = caller
        self.spoken: Spoken | None = None
        self._house = house
        self._leg = leg
        self._passage = passage
        self._is_over = False
        leg.owner = self

    @abstractmethod
    def start(self, now: float) -> None:
        """Begin."""

    def answer(self, now: float) -> bool:
        """Answer the call; False where there is no way to speak to it, and it was refused."""
        try:
            self.spoken = Spoken.answer(self._leg, self._passage, self, now)
        except SipError as error:
            self.refuse(error.status, str(error)[:100], now)
            return False
        return True

    def say(self, sounds: Sequence[Sound]) -> None:
        """Play this instead of what is played now; nothing: be silent."""
        assert self.spoken is not None
        if sounds:
            self.spoken.voice.play(sounds)
        else:
            self.spoken.voice.stop()

    def refuse(self, status: int, phrase: str, now: float) -> None:
        """End it without having answered."""
        self._leg.reject(status, now, phrase)
        self._passage.close()
        self._end()

    def leave(self, now: float) -> None:
        """End it, whatever it is doing."""
        if self._is_over:
            return
        if self.spoken is None:
            self.refuse(480, "", now)
        else:
            self.spoken.hang_up(now)
            self._end()

    def tick(self, now: float) -> None:
        """Let happen what is due: nobody has hung up, nor said anything, for long enough."""
        self.leave(now)

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self._is_over

    def _end(self) -> None:
        if not self._is_over:
            self._is_over = True
            self._house.arm(self, None)
            self._house.over(self)

    # -- what the leg says before it is answered ---------------------------------------------------------------------

    def handle(self, event: LegEvent, now: float) -> None:
        """Take an event of the leg."""
        if isinstance(event, Ended):
            self._passage.close()
            self._end()
        elif isinstance(event, Requested):
            event.leg.respond(event.transaction, event.request, 491, None, now)

    # -- what it says afterwards (SpokenOwner) -----------------------------------------------------------------------

    @abstractmethod
    def on_key(self, spoken: Spoken, key: str, now: float) -> None:
        """Take a key."""

    @abstractmethod
    def on_played(self, spoken: Spoken, now: float) -> None:
        """Take note that all was said."""

    def on_held(self, spoken: Spoken, held: bool, now: float) -> None:  # noqa: B027 - nothing is to be done
        """Take note of hold and resume: what is said waits by itself."""

    def on_ended(self, spoken: Spoken, event: Ended, now: float) -> None:
        """Take note that the phone has hung up."""
        self._passage.close()
        self._end()

    def on_asked(self, spoken: Spoken, event: Requested, now: float) -> None:
        """Refuse a REFER: nobody is given to a menu's talk."""
        event.leg.respond(event.transaction, event.request, 403, None, now)
