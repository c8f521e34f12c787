"""What a rehearsal is made of: the calls that come, how people behave, and what became of each call. All values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Arrival:
    """A call that comes. `at` is UTC seconds; `talk` for how long its caller talks, `patience` waits, seconds."""

    at: float
    group: str
    talk: float
    patience: float
    caller: str = ""


@dataclass(frozen=True, slots=True)
class Manner:
    """How members behave: the mean seconds until they answer, and the share of offers that they let ring."""

    answers_after: float = 5.0
    lets_ring: float = 0.05


@dataclass(slots=True)
class Fate:
    """What became of a call. `waited` and `talked` are seconds; `taken_by` None: nobody took it."""

    arrival: Arrival
    group: str
    waited: float = 0.0
    talked: float = 0.0
    taken_by: str | None = None
    gave_up: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class Played:
    """A rehearsal that is over: every call's fate, and the seconds that each member was there, by group."""

    fates: tuple[Fate, ...]
    present: dict[tuple[str, str], float]
    begin: float
    end: float
