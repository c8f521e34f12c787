"""A phone's subscription to an event package of ours, the notifier's side (RFC 6665 §4.2): one machine for each.

The subscription's dialog begins with the phone's SUBSCRIBE, which is already found to be right when it comes here. The
whole state is told at once, again after each change and after each refresh. One NOTIFY is under way at a time, so that
none overtakes another; what changes meanwhile is told as soon as it is answered, the latest alone. A NOTIFY that is
refused or not answered ends the subscription, as RFC 6665 §4.2.2 has it: the phone is gone, or knows nothing of it. A
phone whose connection is lost is waited for: as soon as it is found again it is told how things are.

Which phase follows which signal is in `TABLE`, what is done on entering a phase in `_enter`.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING

from bridge.sip.dialog import Dialog
from bridge.sip.flow import Flow
from bridge.sip.message import Body, Request, Response, response_to
from bridge.sip.transaction import ClientTransaction, ServerTransaction

if TYPE_CHECKING:
    from bridge.sip.useragent import UserAgent

LEAST_EXPIRES = 60


class Phase(Enum):
    """Where a subscription stands."""

    QUIET = "quiet"  # the phone knows all that is to be known
    TELLING = "telling"  # a NOTIFY is under way
    BEHIND = "behind"  # a NOTIFY is under way, and what it says is outdated
    ADRIFT = "adrift"  # the phone's connection is gone, and was its only way
    LAST = "last"  # the NOTIFY that ends it is under way
    OVER = "over"


class Signal(Enum):
    """What can happen to a subscription."""

    CHANGED = "changed"  # there is news, or the phone has asked
    ANSWERED = "answered"
    FAILED = "failed"
    LOST = "lost"  # the connection
    FOUND = "found"  # the phone is there again
    END = "end"  # it expired, the phone has taken it back, or we do


TABLE: dict[tuple[Phase, Signal], Phase] = {
    (Phase.QUIET, Signal.CHANGED): Phase.TELLING,
    (Phase.TELLING, Signal.CHANGED): Phase.BEHIND,
    (Phase.TELLING, Signal.ANSWERED): Phase.QUIET,
    (Phase.BEHIND, Signal.ANSWERED): Phase.TELLING,
    (Phase.LAST, Signal.ANSWERED): Phase.OVER,
    (Phase.QUIET, Signal.LOST): Phase.ADRIFT,
    (Phase.TELLING, Signal.LOST): Phase.ADRIFT,
    (Phase.BEHIND, Signal.LOST): Phase.ADRIFT,
    (Phase.ADRIFT, Signal.FOUND): Phase.TELLING,
    (Phase.ADRIFT, Signal.END): Phase.OVER,
    (Phase.LAST, Signal.LOST): Phase.OVER,
    (Phase.QUIET, Signal.END): Phase.LAST,
    (Phase.TELLING, Signal.END): Phase.LAST,
    (Phase.BEHIND, Signal.END): Phase.LAST,
} | {(phase, Signal.FAILED): Phase.OVER for phase in Phase}

_LIVE = (Phase.QUIET, Phase.TELLING, Phase.BEHIND, Phase.ADRIFT)


class Notifier:
    """One subscription. `content` gives the state with a version, `over` is called once it has ended.

    `event` is the Event header's value that the phone gave, its id included. Times are monotonic seconds.
    """

    def __init__(
        self,
        ua: UserAgent,
        dialog: Dialog,
        event: str,
        content: Callable[[int], Body],
        over: Callable[[Notifier], None],
        *,
        expires_at: float,
        version: int = 0,
    ) -> None:
        self.due: float | None = None
        self.dialog = dialog
        self.event = event
        self.expires_at = expires_at
        self.version = version
        self.phase = Phase.QUIET
        self._ua = ua
        self._content = content
        self._over = over
        self._reason = ""
        self._sent: ClientTransaction | None = None
        ua.notifiers[self.key] = self
        ua.agenda.arm(self, expires_at)

    @property
    def key(self) -> tuple[str, str]:
        """The Call-ID and our tag."""
        return self.dialog.call_id, self.dialog.local_tag

    def accept(self, transaction: ServerTransaction, request: Request, granted: int, now: float) -> None:
        """Take a SUBSCRIBE, the first or a later one, and tell the state; `granted` 0 ends it."""
        response = response_to(request, 200, to_tag=self.dialog.local_tag)
        if "Record-Route" in request.headers:
            response.headers["Record-Route"] = list(request.headers["Record-Route"])
        response.set("Contact", self.dialog.contact)
        response.set("Expires", str(granted))
        response.set("Server", self._ua.name)
        self._ua.layer.keep(transaction)
        self._ua.layer.answer(transaction, response, now)
        self.expires_at = now + granted
        if granted:
            self._ua.agenda.arm(self, self.expires_at)
            self._take(Signal.FOUND if self.adrift else Signal.CHANGED, now)
        else:
            if self.adrift:
                self.phase = Phase.QUIET  # it has asked by another way, which it is answered by
            self.end("timeout", now)

    @property
    def goes_on(self) -> bool:
        """Whether it has not begun to end."""
        return self.phase in _LIVE

    @property
    def adrift(self) -> bool:
        """Whether there is no way to the phone now."""
        return self.phase is Phase.ADRIFT

    def lose(self, now: float) -> None:
        """Note that the phone's connection is gone."""
        self._take(Signal.LOST, now)

    def find(self, flow: Flow, now: float) -> None:
        """Note that the phone is there again, by another connection."""
        self.dialog = self.dialog._replace(flow=flow)
        self._take(Signal.FOUND, now)

    def follow(self, request: Request, flow: Flow) -> bool:
        """Take over what a later SUBSCRIBE says of the way to the phone; False where it comes out of order."""
        following = self.dialog.accept(request)
        if following is None:
            return False
        following = following.refresh(request)
        self.dialog = following._replace(flow=flow) if following.pinned else following
        return True

    def tell(self, now: float) -> None:
        """Tell the state, since it has changed."""
        self._take(Signal.CHANGED, now)

    def end(self, reason: str, now: float) -> None:
        """End it, and say so; `reason` is one of RFC 6665 §4.1.3: timeout, deactivated, noresource, rejected."""
        self._reason = reason
        self._take(Signal.END, now)

    def tick(self, now: float) -> None:
        """Let it expire."""
        if self.phase in _LIVE:
            self.end("timeout", now)

    def on_response(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """Take the answer to a NOTIFY; a refusal that tells when to try again is no end of it (§4.2.2)."""
        if transaction is not self._sent or response.code < 200:
            return
        well = response.code < 300 or "Retry-After" in response.headers
        self._take(Signal.ANSWERED if well else Signal.FAILED, now)

    def on_failure(self, transaction: ClientTransaction, status: int, now: float) -> None:
        """Take that a NOTIFY was not answered, or could not be sent."""
        if transaction is self._sent:
            self._take(Signal.LOST if status == 503 and self._is_bound else Signal.FAILED, now)

    @property
    def _is_bound(self) -> bool:
        """Whether the phone is reached by its own connection alone."""
        return self.dialog.pinned and self.dialog.flow.reliable

    def flow_gone(self, flow: Flow, now: float) -> None:
        """Note that a connection has ended."""
        if self._is_bound and self.dialog.flow[:3] == flow[:3]:
            self.lose(now)

    def _take(self, signal: Signal, now: float) -> None:
        following = TABLE.get((self.phase, signal))
        if following is not None and self.phase is not Phase.OVER:
            self.phase = following
            self._enter(now)

    def _enter(self, now: float) -> None:
        """Do what the new phase asks for."""
        if self.phase is Phase.TELLING:
            left = max(1, round(self.expires_at - now))
            self._notify(f"active;expires={left}", now)
        elif self.phase is Phase.LAST:
            self._ua.agenda.arm(self, None)
            self._notify(f"terminated;reason={self._reason}", now)
        elif self.phase is Phase.OVER:
            self._ua.agenda.arm(self, None)
            self._ua.notifiers.pop(self.key, None)
            self._over(self)

    def _notify(self, state: str, now: float) -> None:
        self.dialog, request = self.dialog.request("NOTIFY")
        request.set("Contact", self.dialog.contact)
        request.set("Event", self.event)
        request.set("Subscription-State", state)
        request.set("User-Agent", self._ua.name)
        request.put(self._content(self.version))
        self.version += 1
        self._sent = self._ua.layer.request(request, self.dialog.flow, self, now)


def event_id(event: str) -> str:
    """Return the `id` parameter of an Event header's value, "" where it has none."""
    for part in event.split(";")[1:]:
        name, _, value = part.partition("=")
        if name.strip().lower() == "id":
            return value.strip()
    return ""
