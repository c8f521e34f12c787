"""The single way out of events: every listener gets every event, all of them in the same order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from bridge.events import Event
from bridge.port.model import Listener


class Broadcast:
    """Tells listeners; on the loop only. A listener that raises is a bug, and the error reaches the publisher.

    An event that a listener publishes is told after the present one has reached everybody.
    """

    def __init__(self) -> None:
        self._listeners: dict[object, Listener] = {}
        self._waiting: deque[Event] = deque()
        self._telling = False

    def publish(self, event: Event) -> None:
        """Tell everybody."""
        self._waiting.append(event)
        if self._telling:
            return
        self._telling = True
        try:
            while self._waiting:
                self._tell(self._waiting.popleft())
        finally:
            self._telling = False

    def follow(self, listener: Listener) -> Callable[[], None]:
        """Tell `listener` every event from now on; return what ends that at once, also in the midst of telling."""
        token = object()
        self._listeners[token] = listener
        return lambda: self._forget(token)

    def _tell(self, event: Event) -> None:
        for token, listener in tuple(self._listeners.items()):
            if token in self._listeners:
                listener(event)

    def _forget(self, token: object) -> None:
        self._listeners.pop(token, None)
