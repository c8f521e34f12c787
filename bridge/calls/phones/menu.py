"""The spoken menu of a phone: what it says, which key does what, and when it gives up. Pure, without time or sound.

Keys and what comes of things are signals; `TABLE` tells for each state which signal leads where, and what is done. What
is to be said is composed in `_say_*` on entering a state. A state's prompt can be interrupted by any key.

| state | is about |
|---|---|
| NUMBER, PIN | who calls from behind a trunk: a user's number and PIN, each ended by # |
| PROVING | the PIN is looked at, which takes longer after each wrong one |
| GROUP | one of the user's groups: 1 in or out, 2 pause, 3 who is in, 4 the next group, 0 again, * goodbye |
| WORKING | a command is on its way |
| WHO | those who are in are said |
| LEAVING | the last words, then it hangs up |
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import NamedTuple, Protocol

from bridge.media.model import Sound
from bridge.media.prompts import CONFIRMED, DENIED, Prompt, digits, number

LONGEST_ENTRY = 20  # keys
MOST_SILENCES = 3  # in a row: nobody is there
MOST_PROOFS = 3  # wrong PINs in one call


class State(Enum):
    """Where the menu stands."""

    NUMBER = "number"
    PIN = "pin"
    PROVING = "proving"
    GROUP = "group"
    WORKING = "working"
    WHO = "who"
    LEAVING = "leaving"


class Signal(Enum):
    """What can happen beside a key."""

    DIGIT = "digit"  # any digit, where digits are collected
    OTHER = "other"  # a key that means nothing here
    SILENCE = "silence"  # no key for a while after all was said
    SAID = "said"  # all was said
    RIGHT = "right"  # the PIN
    WRONG = "wrong"
    LOCKED = "locked"
    DONE = "done"  # the command
    REFUSED = "refused"
    NOBODY = "nobody"  # this has happened too often


class Action(Enum):
    """What is done."""

    NOTHING = "nothing"
    COLLECT = "collect"
    KEEP_NUMBER = "keep number"
    BEGIN_ANEW = "begin anew"
    PROVE = "prove"
    LOGIN = "login"
    PAUSE = "pause"
    NEXT = "next"
    AGAIN = "again"
    LEAVE = "leave"


class Turn(NamedTuple):
    """Where a signal leads, what is done, and what is said first."""

    state: State
    action: Action = Action.NOTHING
    first: tuple[Sound, ...] = ()


_TURNS: dict[tuple[State, str | Signal], Turn] = {
    (State.NUMBER, Signal.DIGIT): Turn(State.NUMBER, Action.COLLECT),
    (State.NUMBER, "#"): Turn(State.PIN, Action.KEEP_NUMBER),
    (State.NUMBER, "*"): Turn(State.NUMBER, Action.BEGIN_ANEW),
    (State.NUMBER, Signal.SILENCE): Turn(State.NUMBER, Action.BEGIN_ANEW),
    (State.PIN, Signal.DIGIT): Turn(State.PIN, Action.COLLECT),
    (State.PIN, "#"): Turn(State.PROVING, Action.PROVE),
    (State.PIN, "*"): Turn(State.NUMBER, Action.BEGIN_ANEW),
    (State.PIN, Signal.SILENCE): Turn(State.NUMBER, Action.BEGIN_ANEW),
    (State.PROVING, Signal.RIGHT): Turn(State.GROUP, Action.NOTHING, (CONFIRMED,)),
    (State.PROVING, Signal.WRONG): Turn(State.NUMBER, Action.BEGIN_ANEW, (DENIED, Prompt.WRONG_PIN)),
    (State.PROVING, Signal.LOCKED): Turn(State.LEAVING, Action.LEAVE, (DENIED, Prompt.LOCKED)),
    (State.GROUP, "0"): Turn(State.GROUP, Action.AGAIN),
    (State.GROUP, "1"): Turn(State.WORKING, Action.LOGIN),
    (State.GROUP, "2"): Turn(State.WORKING, Action.PAUSE),
    (State.GROUP, "3"): Turn(State.WHO),
    (State.GROUP, "4"): Turn(State.GROUP, Action.NEXT),
    (State.GROUP, "*"): Turn(State.LEAVING, Action.LEAVE, (Prompt.GOODBYE,)),
    (State.GROUP, Signal.OTHER): Turn(State.GROUP, Action.NOTHING, (DENIED, Prompt.INVALID)),
    (State.GROUP, Signal.SILENCE): Turn(State.GROUP, Action.AGAIN),
    (State.WORKING, Signal.DONE): Turn(State.GROUP, Action.NOTHING, (CONFIRMED,)),
    (State.WORKING, Signal.REFUSED): Turn(State.GROUP, Action.NOTHING, (DENIED, Prompt.REFUSED)),
    (State.WHO, Signal.SAID): Turn(State.GROUP),
    (State.WHO, "*"): Turn(State.GROUP),
    (State.WHO, Signal.OTHER): Turn(State.GROUP),
    (State.LEAVING, Signal.SAID): Turn(State.LEAVING, Action.LEAVE),
}
_GIVING_UP: dict[tuple[State, str | Signal], Turn] = {
    (state, Signal.NOBODY): Turn(State.LEAVING, Action.LEAVE, (Prompt.GOODBYE,))
    for state in State
    if state is not State.LEAVING
}
TABLE: Mapping[tuple[State, str | Signal], Turn] = {**_TURNS, **_GIVING_UP}
"""Which signal, or key, leads where, and what is done."""


class Place(NamedTuple):
    """A group of who calls, as it is now. `inside`: what is said for each member who is in."""

    name: str
    number: str
    logged_in: bool
    paused: bool
    inside: tuple[tuple[Sound, ...], ...]


class Caller(Protocol):
    """What the menu knows of who calls, once that is known."""

    def places(self) -> Sequence[Place]:
        """Return the groups."""


# -- what the menu wants ---------------------------------------------------------------------------------------------


class Say(NamedTuple):
    """Play this, instead of what is played now."""

    sounds: tuple[Sound, ...]


class Prove(NamedTuple):
    """Look whether this is a user's number and PIN; answered by RIGHT, WRONG or LOCKED."""

    number: str
    pin: str


class Do(NamedTuple):
    """Do this to the login in a group: login, logout, pause or unpause; answered by DONE or REFUSED."""

    verb: str
    group: str


class Leave(NamedTuple):
    """Hang up."""


Want = Say | Prove | Do | Leave


class Menu:
    """One call's menu. `caller` is None as long as it is to be proven who calls."""

    def __init__(self, caller: Caller | None) -> None:
        self.state = State.NUMBER if caller is None else State.GROUP
        self.caller = caller
        self._group = ""  # the one that it is about
        self._entry = ""
        self._number = ""
        self._silences = 0
        self._proofs = 0

    def start(self) -> list[Want]:
        """Return what is to be done first."""
        return self._entered((Prompt.WELCOME,))

    def key(self, key: str) -> list[Want]:
        """Take a key."""
        self._silences = 0
        if (self.state, key) in TABLE:
            return self._follow(TABLE[self.state, key], key)
        collects = self.state in (State.NUMBER, State.PIN) and key in "0123456789"
        return self.receive(Signal.DIGIT if collects else Signal.OTHER, key)

    def receive(self, signal: Signal, key: str = "") -> list[Want]:
        """Take something else; what means nothing in this state does nothing."""
        if signal is Signal.SILENCE:
            self._silences += 1
            if self._silences >= MOST_SILENCES:
                signal = Signal.NOBODY
        if signal is Signal.WRONG:
            self._proofs += 1
            if self._proofs >= MOST_PROOFS:
                signal = Signal.LOCKED
        turn = TABLE.get((self.state, signal))
        return [] if turn is None else self._follow(turn, key)

    def _follow(self, turn: Turn, key: str) -> list[Want]:
        place = self._place()
        before, self.state = self.state, turn.state
        match turn.action:
            case Action.COLLECT:
                self._entry = (self._entry + key)[:LONGEST_ENTRY]
                return [Say(())] if len(self._entry) == 1 else []
            case Action.KEEP_NUMBER:
                self._number, self._entry = self._entry, ""
            case Action.BEGIN_ANEW:
                self._number = self._entry = ""
            case Action.PROVE:
                pin, self._entry = self._entry, ""
                return [Say(()), Prove(self._number, pin)]
            case Action.LOGIN | Action.PAUSE if place is None:
                self.state = before
            case Action.LOGIN if place is not None:
                return [Say(()), Do("logout" if place.logged_in else "login", place.name)]
            case Action.PAUSE if place is not None and not place.logged_in:
                self.state = before
                return self._entered((DENIED, Prompt.INVALID))
            case Action.PAUSE if place is not None:
                return [Say(()), Do("unpause" if place.paused else "pause", place.name)]
            case Action.NEXT:
                self._group = self._next()
            case Action.LEAVE if before is State.LEAVING:
                return [Leave()]
        return self._entered(turn.first)

    # -- the groups ------------------------------------------------------------------------------------------------

    def _places(self) -> Sequence[Place]:
        return self.caller.places() if self.caller is not None else ()

    def _place(self) -> Place | None:
        """Return the group that it is about: the first, where it has none yet or it is gone."""
        places = self._places()
        return next((place for place in places if place.name == self._group), places[0] if places else None)

    def _next(self) -> str:
        places, place = self._places(), self._place()
        if place is None:
            return ""
        return places[(places.index(place) + 1) % len(places)].name

    # -- what is said ----------------------------------------------------------------------------------------------

    def _entered(self, first: tuple[Sound, ...]) -> list[Want]:
        match self.state:
            case State.NUMBER:
                return [Say((*first, Prompt.ENTER_NUMBER))]
            case State.PIN:
                return [Say((*first, Prompt.ENTER_PIN))]
            case State.GROUP:
                return self._say_group(first)
            case State.WHO:
                return [Say((*first, *self._say_who()))]
            case _:
                return [Say(first)] if first else []

    def _say_group(self, first: tuple[Sound, ...]) -> list[Want]:
        place = self._place()
        if place is None:
            self.state = State.LEAVING
            return [Say((*first, DENIED, Prompt.REFUSED, Prompt.GOODBYE))]
        self._group = place.name
        said: list[Sound] = [*first, Prompt.GROUP, *digits(place.number)]
        said.append(Prompt.LOGGED_IN if place.logged_in else Prompt.LOGGED_OUT)
        if place.paused:
            said.append(Prompt.PAUSED)
        said.append(Prompt.MENU_LOGIN)
        if place.logged_in:
            said.append(Prompt.MENU_GO_ON if place.paused else Prompt.MENU_PAUSE)
        said.append(Prompt.MENU_WHO)
        if len(self._places()) > 1:
            said.append(Prompt.MENU_NEXT_GROUP)
        return [Say((*said, Prompt.MENU_END))]

    def _say_who(self) -> Sequence[Sound]:
        place = self._place()
        if place is None or not place.inside:
            return (Prompt.NOBODY_IN,)
        return (number(len(place.inside)), Prompt.MEMBERS_IN, *(sound for member in place.inside for sound in member))
