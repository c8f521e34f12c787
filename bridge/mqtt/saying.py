"""Saying states: each once per change, only where its payload differs from what this connection has heard.

Changes that come close together are gathered. The loop that says states is the one that carries calls, so a round that
is long, as the first one on a connection is, is cut into slices of some milliseconds with pauses between them. Monitors
come after all else, and as seldom as they are dear to make.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection, Iterable

from bridge.commands.monitor import Round, Sight
from bridge.mqtt import states
from bridge.mqtt.topics import MonitorSubject, Subject, Topics
from bridge.port.model import OwnPort

GATHER = 0.02  # seconds from the beginning of a round of states to that of the next, at the least
MONITORS = 0.25  # the same for monitors; and at the least SHARE times what the round has taken
SHARE = 20
SLICE = 0.005
PAUSE = 0.005


class Sayings:
    """Says the port's states by `publish` (topic, payload), retained, on the running loop."""

    def __init__(self, port: OwnPort, topics: Topics, publish: Callable[[str, str], None]) -> None:
        self._port = port
        self._topics = topics
        self._publish = publish
        self._said: dict[str, str] = {}  # by topic, on this connection
        self._known: frozenset[str] = frozenset()
        self._sight = Sight(port.directory)
        self._states: dict[states.Public, None] = {}
        self._states_at = 0.0  # seconds, monotonic: not before
        self._monitors: dict[MonitorSubject, None] = {}
        self._monitors_at = 0.0
        self._round: Round | None = None
        self._took = 0.0
        self._then: Callable[[], None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_current(self) -> bool:
        """Whether the directory is the one of which everything was said."""
        return self._sight.directory is self._port.directory

    def knows(self, topic: str) -> bool:
        """Whether a state is said on this topic."""
        return topic in self._known

    def everything(self, then: Callable[[], None] | None = None) -> None:
        """Say everything anew; `then` is called once all but monitors is said."""
        self.forget()
        directory = self._port.directory
        self._sight = Sight(directory)
        self._said.clear()
        self._states = dict.fromkeys(states.everything(directory))
        self._monitors = dict.fromkeys(states.monitors(directory))
        every: Iterable[Subject] = (*self._states, *self._monitors)
        self._known = frozenset(map(self._topics.state, every))
        self._then = then
        self._states_at = self._monitors_at = 0.0
        self._work()

    def touched(self, subjects: Iterable[states.Public]) -> None:
        """Note whose state may have changed."""
        for subject in subjects:
            self._states[subject] = None
            for monitor in states.watching(subject, self._sight):
                self._monitors[monitor] = None
                self._round = None  # what it has seen already may be past
        self._arm()

    def finish(self) -> None:
        """Say at once what is still to be said, monitors aside."""
        while self._states:
            self._say_state()

    def forget(self) -> None:
        """Forget what is still to be said."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._states.clear()
        self._monitors.clear()
        self._round = self._then = None

    # -- slices ---------------------------------------------------------------------------------------------------

    def _arm(self) -> None:
        """Set the timer for what is due next."""
        due = [self._states_at] if self._states else []
        due += [self._monitors_at] if self._monitors and self._then is None else []
        if not due or (self._timer is not None and self._timer.when() <= min(due)):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(min(due), self._work)

    def _work(self) -> None:
        """Say one slice of what is due."""
        self._timer = None
        clock = asyncio.get_running_loop().time
        began = clock()
        if self._states and self._states_at <= began:
            self._slice(self._states, self._say_state)
            self._states_at = clock() + PAUSE if self._states else began + GATHER
        elif self._monitors and self._monitors_at <= began and self._then is None:
            self._slice(self._monitors, self._say_monitor)
            self._took += clock() - began
            self._monitors_at = clock() + PAUSE if self._monitors else self._end_round(clock())
        if not self._states and self._then is not None:
            then, self._then = self._then, None
            then()
        self._arm()

    def _slice(self, work: Collection[Subject], say: Callable[[], None]) -> None:
        """Say one at the least, and more until the slice is over."""
        clock = asyncio.get_running_loop().time
        end = clock() + SLICE
        say()
        while work and clock() < end:
            say()

    def _end_round(self, now: float) -> float:
        """Return when the next round of monitors may begin."""
        took, self._took, self._round = self._took, 0.0, None
        return now + max(MONITORS, SHARE * took)

    def _say_state(self) -> None:
        subject = next(iter(self._states))
        del self._states[subject]
        payload = states.payload(subject, self._port)
        self._say(subject, None if payload is None else json.dumps(payload, ensure_ascii=False))

    def _say_monitor(self) -> None:
        subject = next(iter(self._monitors))
        del self._monitors[subject]
        if self._round is None:
            self._round = Round(self._port.picture(), self._sight)
        self._say(subject, self._round.text(subject.user))

    def _say(self, subject: Subject, payload: str | None) -> None:
        topic, text = self._topics.state(subject), payload or ""  # an empty payload takes a retained message away
        if self._said.get(topic) != text:
            self._said[topic] = text
            self._publish(topic, text)
