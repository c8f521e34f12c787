"""Watching lines behind a trunk: their PBX tells by the dialog event package what they do (`watch = "dialog"`)."""

from __future__ import annotations

import random
from collections.abc import Callable

from bridge.calls.lines import LineTable
from bridge.calls.pbx.trunks import Trunk
from bridge.calls.status import LineState
from bridge.directory.model import Line
from bridge.sip.agenda import Agenda
from bridge.sip.dialog import Dialog
from bridge.sip.dialoginfo import ACCEPT, DialogInfoError, WatchedDialogs, parse_dialog_info
from bridge.sip.message import Body, Request, Response
from bridge.sip.subscription import Phase, Subscription
from bridge.sip.transaction import ClientTransaction, ServerTransaction
from bridge.sip.useragent import UserAgent


class Watch:
    """One watched line. `said` takes what is to be told to people, `changed` that a restart would take up another."""

    def __init__(
        self,
        line: Line,
        trunk: Trunk,
        ua: UserAgent,
        agenda: Agenda,
        rng: random.Random,
        lines: LineTable,
        said: Callable[[str], None],
        changed: Callable[[], None],
    ) -> None:
        self.due: float | None = None
        self.line = line
        self.trunk = trunk
        self._ua = ua
        self._agenda = agenda
        self._rng = rng
        self._lines = lines
        self._said = said
        self._changed = changed
        self._resumed: Dialog | None = None  # from before a restart
        self._known: Dialog | None = None  # as it is written for a restart
        self._subscription: Subscription | None = None
        self._contact = ""  # that it was begun with
        self._dialogs = WatchedDialogs()
        self._key: tuple[str, str] | None = None
        self._told = ""  # the refusal that was told last

    def trunk_changed(self, now: float) -> None:
        """Subscribe as soon as the trunk is up, anew where its server has moved; know nothing while it is lost."""
        flow, user = self.trunk.flow, self.trunk.settings.username or "bridge"
        if flow is None or self.trunk.state not in ("registered", "static"):
            self._know(None)
            return
        contact = self._ua.contact(user, flow)
        if self._subscription is not None and (self._subscription.begun_at, self._contact) == (flow, contact):
            if self._subscription.phase is Phase.WAITING:
                self._subscription.start(now)
            else:
                self._subscription.refresh(now)
            self._flush(now)
            return
        self._contact = contact
        self._subscription = Subscription(
            self.trunk.uri(self.line.number),
            f"<{self.trunk.uri(user)}>",
            contact,
            flow,
            "dialog",
            ACCEPT,
            self.trunk.authenticator,
            self._ua.token,
            self._rng,
        )
        resumed, self._resumed = self._resumed, None
        if resumed is not None:
            self._subscription.resume(resumed._replace(flow=flow, contact=contact), now)
        else:
            self._subscription.start(now)
        self._flush(now)

    @property
    def dialog(self) -> Dialog | None:
        """The dialog of the subscription, for a restart; None where there is none."""
        return self._subscription.dialog if self._subscription is not None else self._resumed

    def resume(self, dialog: Dialog) -> None:
        """Go on with a dialog from before a restart as soon as the trunk is up, where it is one of this line."""
        if f"<{self.trunk.uri(self.line.number)}>" in dialog.remote:
            self._resumed = dialog

    @property
    def refused(self) -> bool:
        """Whether the PBX does not tell what the line does."""
        return self._subscription is not None and self._subscription.phase is Phase.REFUSED

    def stop(self, now: float) -> None:
        """Unsubscribe, and know nothing any more."""
        if self._subscription is not None:
            self._subscription.stop(now)
            self._flush(now)
            self._ua.subscriptions.pop(self._key or ("", ""), None)  # a last NOTIFY gets 481
        self._know(None)

    def tick(self, now: float) -> None:
        """Let a refresh or another try come due."""
        if self._subscription is not None:
            self._subscription.tick(now)
            self._flush(now)

    def on_response(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """Take the answer to a SUBSCRIBE."""
        if self._subscription is not None and transaction.context is self._subscription:
            self._subscription.receive(response, now)
            self._flush(now)

    def on_failure(self, transaction: ClientTransaction, status: int, now: float) -> None:
        """Take the failure of a SUBSCRIBE."""
        if self._subscription is not None and transaction.context is self._subscription:
            self._subscription.failed(status, now)
            self._flush(now)

    def on_notify(self, transaction: ServerTransaction, request: Request, now: float) -> None:
        """Take a NOTIFY."""
        assert self._subscription is not None
        self._ua.answer(transaction, request, self._subscription.notified(request, now), now)
        self._flush(now)

    def _flush(self, now: float) -> None:
        subscription = self._subscription
        assert subscription is not None
        for body in subscription.news:
            self._read(subscription, body, now)
        subscription.news.clear()
        key = (subscription.call_id, subscription.tag)
        if key != self._key:
            self._ua.subscriptions.pop(self._key or key, None)
            self._key = key
            self._dialogs = WatchedDialogs()
        self._ua.subscriptions[key] = self
        while subscription.outgoing:
            self._ua.layer.request(subscription.outgoing.pop(0), subscription.flow, self, now, subscription)
        self._agenda.arm(self, subscription.deadline())
        self._note_dialog(subscription.dialog)
        if subscription.phase in (Phase.WAITING, Phase.REFUSED, Phase.OFF):
            self._know(None)
        if subscription.phase is Phase.REFUSED and subscription.reason != self._told:
            self._told = subscription.reason
            self._said(
                f"line {self.line.name}: trunk {self.trunk.settings.name} does not tell what it is doing "
                f"({subscription.reason}); its state is known from our own calls alone"
            )

    def _note_dialog(self, dialog: Dialog | None) -> None:
        """Have it written where a restart could not go on with what was written last."""
        told, known = dialog and dialog._replace(remote_seq=None), self._known
        if told != known:
            self._known = told
            self._changed()

    def _read(self, subscription: Subscription, body: Body | None, now: float) -> None:
        try:
            if body is None or body.type.split(";")[0].strip().lower() != ACCEPT:
                raise DialogInfoError(f"the state must come as {ACCEPT}")
            whole = self._dialogs.take(parse_dialog_info(body.data))
        except DialogInfoError as error:
            if str(error) != self._told:
                self._told = str(error)
                self._said(f"line {self.line.name}: what the PBX tells of it cannot be read: {error}")
            self._know(None)
            return
        if whole:
            self._know(LineState(self._dialogs.state))
        else:
            subscription.refresh(now)

    def _know(self, state: LineState | None) -> None:
        self._lines.know(self.line.name, state)
