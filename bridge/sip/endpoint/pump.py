"""Drives the sans-IO engine: everything that arrives goes in, everything in its outbox goes out, one timer.

Whatever the engine raises is a bug of ours: it ends the pump and becomes the exception of `failed`, on which the
agent waits, so that the agent ends with the reason instead of living on half dead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from bridge.sip.flow import Engine, Flow, Send
from bridge.sip.openings import NOTHING
from bridge.sip.tape import Tape


class Pump:
    """One engine on one loop. `send` takes each outgoing message; `on_step` runs after each step of the engine.

    `names_of` gives every form in which the engine may know a flow. What is sent is noted on `tape`.
    """

    def __init__(
        self,
        engine: Engine,
        loop: asyncio.AbstractEventLoop,
        send: Callable[[Send], None],
        on_step: Callable[[], None],
        names_of: Callable[[Flow], Iterable[Flow]],
        tape: Tape | None = None,
    ) -> None:
        self.failed: asyncio.Future[None] = loop.create_future()
        self.over = False
        """Whether nothing more is taken: closed or failed."""
        self._engine = engine
        self._loop = loop
        self._send = send
        self._on_step = on_step
        self._names_of = names_of
        self._tape = tape
        self._stepping = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._undelivered: dict[Flow, str] = {}  # flows that failed, to be told outside of any step

    def receive(self, data: bytes, flow: Flow) -> None:
        """Give the engine a message; `settle` is due after a batch of them."""
        self._do(self._engine.receive, data, flow)

    def step(self) -> None:
        """Send what waits in the outbox and re-arm the timer: for what others than the network have set going.

        Called from within a step, it is done in the next turn of the loop.
        """
        if self._stepping:
            self._loop.call_soon(self.step)
            return
        self._do(_nothing)
        self.settle()

    def tell(self, what: Callable[[float], None]) -> None:
        """Do one step of the engine for another reason than a message or the time."""
        self._do(what)
        self.settle()

    def undelivered(self, flow: Flow, reason: str) -> None:
        """Tell the engine, in a turn of its own, that a flow has failed."""
        if not self._undelivered:
            self._loop.call_soon(self._tell_undelivered)
        self._undelivered.setdefault(flow, reason)

    def settle(self) -> None:
        """Re-arm the timer, unless it comes soon enough."""
        due = self._deadline()
        if due is None or (self._timer is not None and self._timer_at <= due):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = due
        self._timer = self._loop.call_at(due, self._on_timer)

    def fail(self, error: BaseException) -> None:
        """End for a bug of ours."""
        self.stop()
        if not self.failed.done():
            self.failed.set_exception(error)

    def stop(self) -> None:
        """Take nothing more, do nothing more."""
        self.over = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _do(self, what: Callable[..., None], *arguments: Any) -> None:
        """Do one step of the engine, and send and tell what comes of it."""
        if self.over:
            return
        self._stepping = True
        try:
            what(*arguments, self._loop.time())
            self._flush()
            self._on_step()
            self._flush()
        except Exception as error:
            self.fail(error)
        finally:
            self._stepping = False

    def _flush(self) -> None:
        outbox = self._engine.outbox
        while outbox:
            sends = outbox[:]
            outbox.clear()
            if self._tape is not None:
                now = self._loop.time()
                for flow, data in sends:
                    if data is not NOTHING:
                        self._tape.note(True, flow, data, now)
            for send in sends:
                self._send(send)

    def _deadline(self) -> float | None:
        try:
            return None if self.over else self._engine.deadline()
        except Exception as error:
            self.fail(error)
            return None

    def _on_timer(self) -> None:
        self._timer = None
        due = self._deadline()
        if due is not None and due <= self._loop.time():
            self._do(self._engine.tick)
        self.settle()

    def _tell_undelivered(self) -> None:
        failed, self._undelivered = self._undelivered, {}
        for flow, reason in failed.items():
            for name in self._names_of(flow):
                self._do(self._engine.flow_failed, name, reason)
        self.settle()


def _nothing(now: float) -> None:
    """Be a step in which only the outbox is emptied."""
