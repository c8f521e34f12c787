"""A moment, as it enters the domain: what all of the machine's clocks say at once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Instant:
    """One moment. `monotonic` is seconds; `wall` is UTC seconds, and right only where the clock is `synchronised`.

    `steady` is what the wall's clock would say had nobody set it since the process began: while the clock is not
    right, lengths of time are measured on it. `epoch` is the difference of the two when the process began.
    """

    monotonic: float
    wall: float
    synchronised: bool = True
    epoch: float = 0.0

    @property
    def steady(self) -> float:
        """Seconds on a scale that nobody sets; near UTC where the clock was right when the process began."""
        return self.epoch + self.monotonic

    @property
    def stamp(self) -> float:
        """What to write down as the moment at which something happened."""
        return self.wall if self.synchronised else self.steady
