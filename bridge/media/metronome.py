"""One timer for all that we play: every 20 ms each stream's next packet is due.

Deadlines are absolute, so that a late turn of the loop delays one packet and not all that follow. Streams are spread
over four phases, 5 ms apart, so that a hundred of them do not hold up a call for as long as a hundred packets take.
Nothing runs while nobody listens.
"""

from __future__ import annotations

import asyncio
from itertools import chain
from typing import Protocol

from bridge.media.g711 import FRAME_SECONDS

_PHASES = 4
_STEP = FRAME_SECONDS / _PHASES
_MADE_UP = 5  # frames that are sent late rather than left out


class Player(Protocol):
    """Whoever has a packet to send every 20 ms."""

    def beat(self) -> None:
        """Send the next packet."""

    def miss(self, frames: int) -> None:
        """Leave out what should have been sent while the program was held up."""


class Metronome:
    """The timer. Players that joined are told each beat until they leave, which they may do at any time."""

    def __init__(self) -> None:
        self._phases: tuple[dict[Player, None], ...] = tuple({} for _ in range(_PHASES))
        self._began = 0.0
        self._turn = 0  # steps since it began
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def join(self, player: Player) -> None:
        """Beat for a player, for the first time within 20 ms; among the phases with the fewest players, the soonest."""
        if self._timer is None:
            self._loop = asyncio.get_running_loop()
            self._began, self._turn = self._loop.time(), 0
        self._pass_over()
        first = min(range(_PHASES), key=lambda ahead: len(self._phases[(self._turn + ahead) % _PHASES]))
        self._phases[(self._turn + first) % _PHASES][player] = None
        self._arm()

    def _pass_over(self) -> None:
        """Leave out steps of now and before at which there was nobody to be told."""
        assert self._loop is not None
        now = self._loop.time()
        while self._began + self._turn * _STEP < now and not self._phases[self._turn % _PHASES]:
            self._turn += 1

    @property
    def players(self) -> int:
        """How many it beats for."""
        return sum(map(len, self._phases))

    def leave(self, player: Player) -> None:
        """Beat for it no more."""
        for phase in self._phases:
            phase.pop(player, None)

    def _run(self) -> None:
        self._timer = None
        assert self._loop is not None
        now = self._loop.time()
        late = int((now - self._began) / _STEP) - self._turn
        if late > _MADE_UP * _PHASES:
            frames = late // _PHASES
            for player in tuple(chain.from_iterable(self._phases)):
                player.miss(frames)
            self._turn += frames * _PHASES
        while self._began + self._turn * _STEP <= now:
            phase = self._phases[self._turn % _PHASES]
            self._turn += 1
            for player in tuple(phase):
                player.beat()
        self._arm()

    def _arm(self) -> None:
        """Wake up for the next phase that has players."""
        for turn in range(self._turn, self._turn + _PHASES):
            if self._phases[turn % _PHASES]:
                break
        else:
            return
        assert self._loop is not None
        due = self._began + turn * _STEP
        if self._timer is not None:
            if self._timer.when() <= due:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._run)
