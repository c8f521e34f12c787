"""Asking a trunk's server whether it lives: OPTIONS each minute (RFC 3261 §11), whatever the answer is.

A static peer that says nothing is lost until it answers again; where it has several addresses, the next one is asked at
once. A server that we are registered at is asked between two REGISTERs, so that it is not missed for minutes; one that
never answers OPTIONS and takes our REGISTER all the same is not asked any more.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Protocol

from bridge.sip.agenda import Agenda
from bridge.sip.flow import Flow
from bridge.sip.message import Request, Response
from bridge.sip.transaction import ClientTransaction
from bridge.sip.useragent import UserAgent

FIRST = 30.0  # seconds until the first question
EVERY = (45.0, 75.0)
AGAIN = 15.0  # after a question without an answer
_MOST_IN_VAIN = 2


class Checked(Protocol):
    """Who is told how the server is."""

    def lives(self, now: float) -> None:
        """The server has answered."""

    def says_nothing(self, server: Flow, why: str, now: float) -> bool:
        """The server at this address has not answered; return whether another address is to be asked at once."""


class Check:
    """The questions to one trunk's server. `ask` returns the OPTIONS and where to, None where it is not to be asked."""

    def __init__(
        self,
        told: Checked,
        ask: Callable[[], tuple[Request, Flow] | None],
        ua: UserAgent,
        agenda: Agenda,
        rng: random.Random,
    ) -> None:
        self.due: float | None = None
        self._told = told
        self._ask = ask
        self._ua = ua
        self._agenda = agenda
        self._rng = rng
        self._asked: ClientTransaction | None = None
        self._answered = False  # once
        self._in_vain = 0
        self._forgiven = False  # for not answering

    def start(self, now: float) -> None:
        """Begin, where that has not been done."""
        if self.due is None and self._asked is None and not self._forgiven:
            self._agenda.arm(self, now + FIRST)

    def stop(self) -> None:
        """Ask no more."""
        self._asked = None
        self._agenda.arm(self, None)

    def tick(self, now: float) -> None:
        """Ask."""
        asked = self._ask()
        if asked is None:
            self._agenda.arm(self, now + self._rng.uniform(*EVERY))
            return
        self._agenda.arm(self, None)
        self._asked = self._ua.layer.request(asked[0], asked[1], self, now)

    def on_response(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """Take an answer: whatever it says, somebody is there; but 503 is for who cannot serve."""
        if transaction is not self._asked or response.code < 200:
            return
        self._asked = None
        self._answered = True
        self._in_vain = 0
        if response.code == 503:
            self._failed(transaction.flow, "503 Service Unavailable", now)
            return
        self._told.lives(now)
        self._agenda.arm(self, now + self._rng.uniform(*EVERY))

    def on_failure(self, transaction: ClientTransaction, status: int, now: float) -> None:
        """Take that nobody has answered (408), or that it cannot be reached (503)."""
        if transaction is not self._asked:
            return
        self._asked = None
        self._in_vain += 1
        self._failed(transaction.flow, "no answer" if status == 408 else "cannot be reached", now)

    @property
    def forgiven(self) -> bool:
        """Whether it is not asked any more, since it never answers."""
        return self._forgiven

    def forgive(self) -> None:
        """Ask no more whom we are registered at and who answers no OPTIONS."""
        self._forgiven = not self._answered and self._in_vain >= _MOST_IN_VAIN

    def _failed(self, server: Flow, why: str, now: float) -> None:
        if self._told.says_nothing(server, why, now):
            self.tick(now)
        elif not self._forgiven:
            self._agenda.arm(self, now + AGAIN)
