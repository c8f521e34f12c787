"""Our subscription to an event package at a PBX, the subscriber's side (RFC 6665 §4.1): one machine for each resource.

It sends a SUBSCRIBE, authorises it when challenged, takes the NOTIFYs of the dialog that it makes, refreshes before it
expires and begins anew when the PBX ends or forgets it. A failure of the network or the PBX is tried again after 4 s
rising to 300 s. A refusal (489: the PBX does not have the package; 403: not for us) is tried again each hour only.

Which phase follows which signal is in `TABLE`, what is done on entering a phase in `_enter`.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from enum import Enum

from bridge.sip.dialog import Dialog, dialog_as_caller
from bridge.sip.digest import Authenticator
from bridge.sip.flow import Flow
from bridge.sip.grammar import SipError
from bridge.sip.message import Body, Request, Response
from bridge.sip.renewal import Renewal, words


class Phase(Enum):
    """Where a subscription stands."""

    IDLE = "idle"
    ASKING = "asking"  # the first SUBSCRIBE of a dialog is under way
    ACTIVE = "active"
    REFRESHING = "refreshing"
    WAITING = "waiting"  # after a failure, until the next try
    REFUSED = "refused"  # until the next try, much later
    OFF = "off"


class Signal(Enum):
    """What can happen to a subscription."""

    START = "start"
    RESUME = "resume"  # in a dialog from before a restart
    ACCEPTED = "accepted"
    AGAIN = "again"  # to be sent again at once: challenged, or with a longer expiry
    FAILED = "failed"
    REFUSED = "refused"
    GONE = "gone"  # the PBX has ended or forgotten it
    DUE = "due"
    STOP = "stop"


TABLE: dict[tuple[Phase, Signal], Phase] = {
    (Phase.IDLE, Signal.START): Phase.ASKING,
    (Phase.OFF, Signal.START): Phase.ASKING,
    (Phase.IDLE, Signal.RESUME): Phase.REFRESHING,
    (Phase.ASKING, Signal.ACCEPTED): Phase.ACTIVE,
    (Phase.ASKING, Signal.AGAIN): Phase.ASKING,
    (Phase.ASKING, Signal.FAILED): Phase.WAITING,
    (Phase.ASKING, Signal.REFUSED): Phase.REFUSED,
    (Phase.ASKING, Signal.GONE): Phase.WAITING,
    (Phase.ACTIVE, Signal.DUE): Phase.REFRESHING,
    (Phase.ACTIVE, Signal.GONE): Phase.WAITING,
    (Phase.ACTIVE, Signal.REFUSED): Phase.REFUSED,
    (Phase.REFRESHING, Signal.ACCEPTED): Phase.ACTIVE,
    (Phase.REFRESHING, Signal.AGAIN): Phase.REFRESHING,
    (Phase.REFRESHING, Signal.FAILED): Phase.WAITING,
    (Phase.REFRESHING, Signal.REFUSED): Phase.REFUSED,
    (Phase.REFRESHING, Signal.GONE): Phase.WAITING,
    (Phase.WAITING, Signal.DUE): Phase.ASKING,
    (Phase.REFUSED, Signal.DUE): Phase.ASKING,
    (Phase.WAITING, Signal.START): Phase.ASKING,
    (Phase.REFUSED, Signal.START): Phase.ASKING,
} | {(phase, Signal.STOP): Phase.OFF for phase in Phase}

_ASKING = (Phase.ASKING, Phase.REFRESHING)
_KNOCK = (3600.0, 3600.0)  # seconds after a refusal
_REFUSALS = frozenset({400, 403, 404, 405, 406, 415, 416, 420, 481, 485, 488, 489, 501, 603, 604, 606})


class Subscription:
    """Keeps `event` of `resource` (a URI) subscribed. Times are monotonic seconds, `expires` seconds.

    Requests appear in `outgoing`, without Via, to be sent to `flow`; their responses go to `receive`, their failures to
    `failed`. NOTIFYs for `call_id` and `tag` go to `notified`; what they say is then in `news`.
    """

    def __init__(
        self,
        resource: str,
        from_: str,
        contact: str,
        flow: Flow,
        event: str,
        accept: str,
        authenticator: Authenticator | None,
        token: Callable[[], str],
        rng: random.Random,
        *,
        expires: int = 600,
    ) -> None:
        self.flow = flow
        self.begun_at = flow
        self._resource = resource
        self._from = from_
        self._contact = contact
        self._event = event
        self._accept = accept
        self._authenticator = authenticator
        self._token = token
        self._renewal = Renewal(expires, _KNOCK, rng)
        self._granted = 0
        self._dialog: Dialog | None = None
        self._sent: Request | None = None
        self._cseq = 0
        self._due: float | None = None
        self.call_id = token()
        self.tag = token()
        self.phase = Phase.IDLE
        self.reason = ""
        """Why it is refused or waiting: the PBX's own words where it said any."""
        self.outgoing: list[Request] = []
        self.news: list[Body | None] = []

    def start(self, now: float) -> None:
        """Begin, or try again now."""
        self._take(Signal.START, now)

    def resume(self, dialog: Dialog, now: float) -> None:
        """Go on in a dialog from before a restart, where the PBX still knows it; else begin anew."""
        self._dialog, self.flow = dialog, dialog.flow
        self.call_id, self.tag = dialog.call_id, dialog.local_tag
        self._take(Signal.RESUME, now)

    @property
    def dialog(self) -> Dialog | None:
        """The dialog of a subscription that there is, None where there is none."""
        return self._dialog if self.phase in (Phase.ACTIVE, Phase.REFRESHING) else None

    def stop(self, now: float) -> None:
        """End it; an unsubscribing SUBSCRIBE is sent where there is something to end."""
        if self.phase in (Phase.ACTIVE, Phase.REFRESHING):
            self._send(0)
        self._take(Signal.STOP, now)

    def refresh(self, now: float) -> None:
        """Ask for the whole state anew."""
        if self.phase is Phase.ACTIVE:
            self._take(Signal.DUE, now)

    def deadline(self) -> float | None:
        """Return when `tick` is due next."""
        return self._due

    def tick(self, now: float) -> None:
        """Refresh or try again, when it is time."""
        if self._due is not None and now >= self._due:
            self._take(Signal.DUE, now)

    def receive(self, response: Response, now: float) -> None:
        """Take a response to the last SUBSCRIBE; provisional and late ones change nothing."""
        try:
            if response.code < 200 or response.cseq.sequence != self._cseq or self.phase not in _ASKING:
                return
            self._take(self._judge(response), now)
        except SipError as error:
            self.reason = str(error)
            self._take(Signal.FAILED, now)

    def failed(self, status: int, now: float) -> None:
        """Note that the last SUBSCRIBE was not answered (408) or could not be sent (503)."""
        self.reason = "no answer" if status == 408 else "cannot be reached"
        self._renewal.read(None)
        self._take(Signal.FAILED, now)

    def notified(self, request: Request, now: float) -> int:
        """Take a NOTIFY; return the status to answer it with (RFC 6665 §4.1.3)."""
        if (request.get("Event") or "").split(";")[0].strip().lower() != self._event:
            return 489
        if self.phase not in (*_ASKING, Phase.ACTIVE):
            return 481
        if self._dialog is not None:
            following = self._dialog.accept(request)
            if following is None:
                return 500
            self._dialog = following.refresh(request)
        if request.body:
            self.news.append(request.content)
        state, _, parameters = (request.get("Subscription-State") or "active").partition(";")
        if state.strip().lower() == "terminated":
            self._on_terminated(_parameters(parameters), now)
        return 200

    # -- what is said to us ---------------------------------------------------------------------------------------

    def _on_terminated(self, parameters: dict[str, str], now: float) -> None:
        reason = parameters.get("reason", "").lower()
        self.reason = f"ended by the PBX{f': {reason}' if reason.isalpha() else ''}"
        after = parameters.get("retry-after", "")
        self._renewal.leave_alone(float(after[:6]) if after.isascii() and after.isdigit() else 0.0)
        self._take(Signal.REFUSED if reason in ("rejected", "noresource", "invariant") else Signal.GONE, now)

    def _judge(self, response: Response) -> Signal:
        code = response.code
        self._renewal.read(response)
        if code < 300:
            return self._judge_success(response)
        self.reason = words(response)
        if code in (401, 407):
            again = self._authenticator is not None and self._authenticator.again(response)
            return Signal.AGAIN if again else Signal.REFUSED
        if code == 423 and self._renewal.raised(response):
            return Signal.AGAIN
        if code == 481 and self.phase is Phase.REFRESHING:
            return Signal.GONE
        return Signal.REFUSED if code in _REFUSALS else Signal.FAILED

    def _judge_success(self, response: Response) -> Signal:
        assert self._sent is not None
        if self._dialog is None:
            self._dialog = dialog_as_caller(self._sent, response, self._contact, self.begun_at, pinned=False)
        else:
            self._dialog = self._dialog.refresh(response)
        self.flow = self._dialog.flow
        granted, asked = response.number("Expires"), self._renewal.expires
        self._granted = asked if granted is None else min(granted, asked)
        return Signal.ACCEPTED if self._granted > 0 else Signal.GONE

    # -- what is done about it ------------------------------------------------------------------------------------

    def _take(self, signal: Signal, now: float) -> None:
        following = TABLE.get((self.phase, signal))
        if following is not None:
            self.phase = following
            self._enter(signal, now)

    def _enter(self, signal: Signal, now: float) -> None:
        """Do what the new phase asks for."""
        phase = self.phase
        self._due = None
        if phase in _ASKING:
            if phase is Phase.ASKING and signal is not Signal.AGAIN:
                self._begin_dialog()
            self._send(self._renewal.expires)
        elif phase is Phase.ACTIVE:
            self.reason = ""
            self._due = now + self._renewal.refresh_in(self._granted)
        elif phase is Phase.WAITING:
            self._due = now + self._renewal.failed()
        elif phase is Phase.REFUSED:
            self._due = now + self._renewal.refused()

    def _begin_dialog(self) -> None:
        self._dialog = None
        self.flow = self.begun_at
        self._cseq = 0
        self.call_id = self._token()
        self.tag = self._token()

    def _send(self, expires: int) -> None:
        if self._dialog is None:
            self._cseq += 1
            headers: dict[str, list[str]] = {
                "Via": [],
                "Max-Forwards": ["70"],
                "From": [f"{self._from};tag={self.tag}"],
                "To": [f"<{self._resource}>"],
                "Call-ID": [self.call_id],
                "CSeq": [f"{self._cseq} SUBSCRIBE"],
            }
            request = Request("SUBSCRIBE", self._resource, headers)
        else:
            self._dialog, request = self._dialog.request("SUBSCRIBE")
            self._cseq = request.cseq.sequence
        request.set("Contact", self._contact)
        request.set("Event", self._event)
        request.set("Accept", self._accept)
        request.set("Expires", str(expires))
        if self._authenticator is not None:
            self._authenticator.authorize(request)
        self._sent = request
        self.outgoing.append(request)


def _parameters(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split(";"))
    return {key.strip().lower(): value.strip().strip('"') for key, _, value in pairs}
