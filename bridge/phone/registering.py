"""Keeps a phone registered at its server: a `Registration`, its requests sent and its answers taken."""

from __future__ import annotations

import random
from collections.abc import Callable

from bridge.phone.model import Account
from bridge.sip.agenda import Agenda
from bridge.sip.digest import Credentials
from bridge.sip.message import Response
from bridge.sip.registration import Phase, Registration
from bridge.sip.transaction import ClientTransaction
from bridge.sip.useragent import UserAgent


class Registering:
    """One account's registration. `changed` is told the state (trying, registered, lost) and the server's words."""

    def __init__(
        self, account: Account, ua: UserAgent, agenda: Agenda, rng: random.Random, changed: Callable[[str, str], None]
    ) -> None:
        self.due: float | None = None
        self._server = account.server
        self._ua = ua
        self._agenda = agenda
        self._changed = changed
        self._state = "trying"
        host = f"[{account.server.host}]" if ":" in account.server.host else account.server.host
        self._registration = Registration(
            f"sip:{host}:{account.server.port}",
            f"sip:{account.number}@{host}:{account.server.port}",
            ua.contact(account.number, account.server),
            Credentials(account.number, account.password),
            rng,
            expires=account.expires,
        )

    @property
    def over(self) -> bool:
        """Whether it has been taken back."""
        return self._registration.phase in (Phase.IDLE, Phase.OFF)

    def start(self, now: float) -> None:
        """Register."""
        self._registration.start(now)
        self._flush(now)

    def stop(self, now: float) -> None:
        """Take the registration back."""
        self._registration.stop(now)
        self._flush(now)

    def tick(self, now: float) -> None:
        """Let a refresh, or another try, come due."""
        self._registration.tick(now)
        self._flush(now)

    def on_response(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """Take an answer to a REGISTER."""
        self._registration.receive(response, now)
        self._flush(now)

    def on_failure(self, transaction: ClientTransaction, status: int, now: float) -> None:
        """Take the failure of a REGISTER."""
        self._registration.failed(status, now)
        self._flush(now)

    def _flush(self, now: float) -> None:
        registration = self._registration
        while registration.outgoing:
            self._ua.layer.request(registration.outgoing.pop(0), self._server, self, now)
        self._agenda.arm(self, registration.deadline())
        if registration.state != self._state:
            self._state = registration.state
            self._changed(self._state, registration.reason)
