"""What callers and members will do, by chance: one plan a call, drawn before it begins.

`pace` shortens everything that people take their time for, so that a short soak has the same calls as a long one.
What is drawn here is told to the phone in the plan; when it happens depends on the network, so the same seed gives the
same intentions, not the same microseconds.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

DEEDS = (
    *("hold", "hold", "hold", "refresh", "no offer", "update", "update", "key", "key", "key"),
    *("options", "refer", "refer", "attended", "attended", "unknown"),
)
"""What somebody may do in the midst of a talk."""

GIVES_UP = {
    "hangs up": 50,  # waits for an answer, and cancels when that takes too long
    "cancels while it rings": 22,
    "cancels at once": 5,  # as soon as there is a 100
    "cancels before 100": 4,  # sent without waiting for anything, which is wrong, and done
    "crosses": 8,  # the CANCEL meets the 200
    "waits for ever": 8,
    "is gone": 3,  # hears nothing any more, before anything is answered
}
MEMBERS = {
    "answers at once": 12,  # 200 without any 180
    "answers": 30,
    "answers after 183": 6,
    "answers twice": 2,  # two forks, two answers
    "rings": 14,
    "busy": 7,
    "declines": 6,
    "refuses": 8,
    "redirects": 4,
    "says nothing": 2,
    "says 100": 3,
    "crosses": 4,  # its 200 meets the CANCEL
    "is gone": 2,  # rings, and hears nothing any more
}
GROUP = "600"
"""What those call who will be gone: it gives up before long, a line alone rings for three minutes."""
LONGEST = 45.0  # seconds that a caller waits
REFUSALS = (404, 410, 480, 484, 488, 500, 502, 503, 600)


@dataclass(frozen=True)
class TalkPlan:
    """A talk as one side will have it: its deeds in order, the pauses between them, when it hangs up.

    `deaf`: it hears nothing any more after so many seconds, None: it stays.
    """

    lasts: float
    deeds: tuple[tuple[float, str], ...]
    deaf: float | None
    number: str  # where it refers its peer to
    repeats: int  # how often it sends its ACK and BYE


@dataclass(frozen=True)
class CallerPlan:
    """A call as its caller will have it."""

    number: str
    manner: str
    patience: float  # seconds until it gives up, from its first word, or the ringing, where that is its manner
    longest: float  # seconds after which it gives up in any case
    offers: bool  # False: a late offer, in the 2xx and its ACK
    acknowledges: bool
    repeats: int  # copies of the INVITE
    talk: TalkPlan


@dataclass(frozen=True)
class MemberPlan:
    """A call as the phone that it rings will have it."""

    manner: str
    rings_after: float
    answers_after: float
    status: int
    number: str  # where it redirects to
    talk: TalkPlan


@dataclass(frozen=True)
class Habits:
    """What plans are made of: the numbers that are called, and how fast people are.

    `silence`: phones may also say nothing where the bridge has to wait for half a minute (timer B, a missing ACK).
    """

    numbers: Sequence[str]
    pace: float = 1.0
    silence: bool = True

    def caller(self, rng: random.Random) -> CallerPlan:
        """Draw a call."""
        manner = _of(rng, GIVES_UP)
        if not self.silence and manner == "is gone":
            manner = "hangs up"
        fast = manner in ("cancels at once", "cancels before 100")
        patience = rng.uniform(0.0, 0.1) if fast else self.pace * rng.uniform(0.05, 15.0)
        if manner == "waits for ever":
            patience = self.pace * LONGEST
        return CallerPlan(
            number=GROUP if manner == "is gone" else rng.choice(self.numbers),
            manner=manner,
            patience=patience,
            longest=self.pace * LONGEST,
            offers=rng.random() < 0.88,
            acknowledges=not self.silence or rng.random() < 0.985,
            repeats=rng.choice((1, 1, 1, 1, 2, 3)),
            talk=self._talk(rng),
        )

    def member(self, rng: random.Random) -> MemberPlan:
        """Draw what a phone does that is rung."""
        manner = _of(rng, MEMBERS)
        if not self.silence and manner in ("says nothing", "is gone"):
            manner = "says 100" if manner == "says nothing" else "rings"
        return MemberPlan(
            manner=manner,
            rings_after=rng.choice((0.0, 0.0, 0.02, 0.3)),
            answers_after=self.pace * rng.uniform(0.05, 6.0),
            status=rng.choice(REFUSALS),
            number=rng.choice(self.numbers),
            talk=self._talk(rng),
        )

    def _talk(self, rng: random.Random) -> TalkPlan:
        count = rng.choice((0, 0, 0, 1, 1, 2, 3))
        deeds = tuple((self.pace * rng.choice((0.0, 0.01, 0.5, 2.0)), rng.choice(DEEDS)) for _ in range(count))
        deaf = self.pace * rng.uniform(0.0, 5.0) if rng.random() < 0.02 else None
        lasts = self.pace * rng.choice((rng.uniform(0.0, 0.05), rng.uniform(0.1, 8.0), rng.uniform(5.0, 20.0)))
        return TalkPlan(lasts, deeds, deaf, rng.choice(self.numbers), rng.choice((1, 1, 1, 2)))


def _of(rng: random.Random, weights: dict[str, int]) -> str:
    return rng.choices(list(weights), list(weights.values()))[0]
