"""A phone's key with a lamp, in the laboratory: subscribes with our subscriber's side, and reads what it is told."""

from __future__ import annotations

import random
from typing import Any

from bridge.sip.dialoginfo import ACCEPT, WatchedDialogs, parse_dialog_info
from bridge.sip.digest import Authenticator
from bridge.sip.message import Request, Response
from bridge.sip.subscription import Subscription
from bridge.sip.transaction import ClientTransaction, ServerTransaction
from tests.support.dialogschema import check_dialog_info
from tests.support.lab import BRIDGE, Lab


class Key:
    """One subscription. `documents` are checked by the schema, `answers` the statuses that came to its SUBSCRIBEs.

    `says`: how it answers a NOTIFY, by status and header; None: not at all.
    """

    def __init__(
        self,
        lab: Lab,
        phone: str,
        number: str,
        *,
        event: str = "dialog",
        expires: int = 600,
        authenticator: Authenticator | None = None,
        entity: str = "",
        contact: str = "",
    ) -> None:
        self.lab = lab
        self.phone = lab[phone]
        self.says: tuple[int, dict[str, list[str]]] | None = (200, {})
        self.documents: list[Any] = []
        self.states: list[str] = []
        self.answers: list[Response] = []
        self.notifies: list[Request] = []
        self._dialogs = WatchedDialogs()
        self.subscription = Subscription(
            entity or f"sip:{number}@10.0.0.100",
            f"<sip:{self.phone.name}@10.0.0.100>",
            contact or f"<sip:{self.phone.name}@{self.phone.address[0]}:{self.phone.address[1]}>",
            BRIDGE,
            event,
            ACCEPT,
            authenticator,
            self.phone.ua.token,
            random.Random(5),
            expires=expires,
        )
        self.subscription.start(lab.now)
        self._flush()
        lab.run(0)

    @property
    def state(self) -> str:
        """What its lamp shows: idle, ringing or busy, by the last document."""
        return self._dialogs.state

    @property
    def statuses(self) -> list[int]:
        """The final statuses of its SUBSCRIBEs."""
        return [answer.code for answer in self.answers]

    def refresh(self) -> None:
        """Subscribe again."""
        self.subscription.refresh(self.lab.now)
        self._flush()
        self.lab.run(0)

    def stop(self) -> None:
        """Unsubscribe."""
        self.subscription.stop(self.lab.now)
        self._flush()
        self.lab.run(0)

    def on_response(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """Take the answer to a SUBSCRIBE."""
        self.answers.append(response)
        self.subscription.receive(response, now)
        self._flush()

    def on_failure(self, transaction: ClientTransaction, status: int, now: float) -> None:
        """Take that nobody answers."""
        self.subscription.failed(status, now)

    def on_notify(self, transaction: ServerTransaction, request: Request, now: float) -> None:
        """Take a NOTIFY."""
        self.notifies.append(request)
        self.phone.ua.layer.keep(transaction)
        if self.says is None:
            return
        self.states.append(request.need("Subscription-State"))
        self.documents.append(check_dialog_info(request.body))
        self._dialogs.take(parse_dialog_info(request.body))
        status, extra = self.says
        self.subscription.notified(request, now)
        self.phone.ua.answer(transaction, request, status, now, extra)

    def _flush(self) -> None:
        subscription, ua = self.subscription, self.phone.ua
        ua.subscriptions[subscription.call_id, subscription.tag] = self
        while subscription.outgoing:
            ua.layer.request(subscription.outgoing.pop(0), subscription.flow, self, self.lab.now)
