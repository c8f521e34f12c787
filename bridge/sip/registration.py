"""Our registration at a PBX, the client's side of REGISTER (RFC 3261 §10.2): one machine for each trunk.

It sends a REGISTER, authorises it when challenged, refreshes it well before it expires, and after every failure waits
and tries again, for ever: a PBX that cannot be reached is a state, not an error. Failures of the network or the PBX
are retried after 2 s rising to 300 s; a refusal (wrong password, unknown user) after 60 s rising to an hour, because a
PBX may lock an account that knocks too often. At most one REGISTER is under way at a time (§10.2); a `stop` that
comes meanwhile waits for its response.

Once our address has changed, the contact of before is taken back in the REGISTER that brings the new one (§10.2.2), or
the PBX would ring it too until it expires. Not every PBX takes two contacts: one that refuses is asked for the new one
alone, and so is one whose answer names others but not ours.

Which state follows which signal is in `TABLE`, what is done on entering a state in `_enter`.
"""

from __future__ import annotations

import random
from enum import Enum

from bridge.sip.binding import place
from bridge.sip.digest import Authenticator, Credentials
from bridge.sip.grammar import SipError, parse_address, uri_of
from bridge.sip.message import Request, Response
from bridge.sip.renewal import Renewal, words


class Phase(Enum):
    """Where a registration stands."""

    IDLE = "idle"
    TRYING = "trying"  # the first REGISTER is under way
    REGISTERED = "registered"
    REFRESHING = "refreshing"
    WAITING = "waiting"  # until the next try
    RETRYING = "retrying"
    STOPPING = "stopping"  # a REGISTER is under way; to be unregistered after it
    LEAVING = "leaving"  # REGISTER with Expires: 0 is under way
    OFF = "off"


class Signal(Enum):
    """What can happen to a registration."""

    START = "start"
    ACCEPTED = "accepted"
    AGAIN = "again"  # to be sent again at once: challenged, or with a longer expiry
    FAILED = "failed"  # no answer, not deliverable, or the PBX cannot now
    REFUSED = "refused"  # the PBX will not
    DUE = "due"
    STOP = "stop"


TABLE: dict[tuple[Phase, Signal], Phase] = {
    (Phase.IDLE, Signal.START): Phase.TRYING,
    (Phase.OFF, Signal.START): Phase.TRYING,
    (Phase.TRYING, Signal.ACCEPTED): Phase.REGISTERED,
    (Phase.TRYING, Signal.AGAIN): Phase.TRYING,
    (Phase.TRYING, Signal.FAILED): Phase.WAITING,
    (Phase.TRYING, Signal.REFUSED): Phase.WAITING,
    (Phase.TRYING, Signal.STOP): Phase.STOPPING,
    (Phase.REGISTERED, Signal.DUE): Phase.REFRESHING,
    (Phase.REGISTERED, Signal.STOP): Phase.LEAVING,
    (Phase.REFRESHING, Signal.ACCEPTED): Phase.REGISTERED,
    (Phase.REFRESHING, Signal.AGAIN): Phase.REFRESHING,
    (Phase.REFRESHING, Signal.FAILED): Phase.WAITING,
    (Phase.REFRESHING, Signal.REFUSED): Phase.WAITING,
    (Phase.REFRESHING, Signal.STOP): Phase.STOPPING,
    (Phase.WAITING, Signal.DUE): Phase.RETRYING,
    (Phase.WAITING, Signal.STOP): Phase.OFF,
    (Phase.RETRYING, Signal.ACCEPTED): Phase.REGISTERED,
    (Phase.RETRYING, Signal.AGAIN): Phase.RETRYING,
    (Phase.RETRYING, Signal.FAILED): Phase.WAITING,
    (Phase.RETRYING, Signal.REFUSED): Phase.WAITING,
    (Phase.RETRYING, Signal.STOP): Phase.STOPPING,
    (Phase.STOPPING, Signal.ACCEPTED): Phase.LEAVING,
    (Phase.STOPPING, Signal.AGAIN): Phase.LEAVING,
    (Phase.STOPPING, Signal.FAILED): Phase.OFF,
    (Phase.STOPPING, Signal.REFUSED): Phase.OFF,
    (Phase.STOPPING, Signal.DUE): Phase.OFF,
    (Phase.LEAVING, Signal.ACCEPTED): Phase.OFF,
    (Phase.LEAVING, Signal.AGAIN): Phase.LEAVING,
    (Phase.LEAVING, Signal.FAILED): Phase.OFF,
    (Phase.LEAVING, Signal.REFUSED): Phase.OFF,
    (Phase.LEAVING, Signal.DUE): Phase.OFF,
}

_SHOWN = {
    Phase.IDLE: "trying",
    Phase.TRYING: "trying",
    Phase.REGISTERED: "registered",
    Phase.REFRESHING: "registered",
}
_KNOCK = (60.0, 3600.0)  # seconds after a refusal, first and longest
_LEAVE_WITHIN = 4.0
_TOO_MUCH = (500, 501, 513)
"""What a PBX may say, beside a refusal, to a REGISTER with two contacts, though it could take one."""


class Registration:
    """Keeps `aor` registered with `contact` at `registrar`. Times are monotonic seconds.

    `registrar` and `aor` are URIs (`sip:fritz.box`, `sip:620@fritz.box`), `contact` a Contact value. Requests appear in
    `outgoing`, without Via; their responses go to `receive`, their failures to `failed`.
    """

    def __init__(
        self,
        registrar: str,
        aor: str,
        contact: str,
        credentials: Credentials,
        rng: random.Random,
        *,
        expires: int = 300,
    ) -> None:
        self._registrar = registrar
        self._aor = aor
        self._contact = contact
        self._authenticator = Authenticator(credentials, rng)
        self._renewal = Renewal(expires, _KNOCK, rng)
        self._call_id = f"{rng.getrandbits(128):032x}"
        self._tag = f"{rng.getrandbits(64):016x}"
        self._cseq = 0
        self._due: float | None = None
        self._granted = 0
        self._sent = contact  # with the last REGISTER
        self._held: str | None = None  # the contact that the PBX was known to have last
        self._takes_back = False  # whether the last REGISTER takes back another contact
        self.phase = Phase.IDLE
        self.reason = ""
        """Why it is lost: the PBX's own words where it said any."""
        self.outgoing: list[Request] = []

    @property
    def state(self) -> str:
        """What a trunk's status shows: trying, registered or lost."""
        return _SHOWN.get(self.phase, "lost")

    def start(self, now: float) -> None:
        """Begin to register."""
        self._renewal.forget()
        self._take(Signal.START, now)

    def stop(self, now: float) -> None:
        """End the registration; it is over when `phase` is OFF, which takes at most some seconds."""
        self._take(Signal.STOP, now)

    @property
    def refused(self) -> bool:
        """Whether the PBX has refused us, and not only failed."""
        return self._renewal.refusals > 0

    def move(self, contact: str) -> bool:
        """Use another contact from the next REGISTER on; return whether it is another."""
        before, self._contact = self._contact, contact
        return before != contact

    def renew(self, now: float, contact: str | None = None) -> None:
        """Register anew now, with another contact perhaps: our address changed, or the PBX is back.

        Where a REGISTER is under way, the other contact follows it.
        """
        self._contact = contact or self._contact
        if self.phase in (Phase.REGISTERED, Phase.WAITING):
            self._take(Signal.DUE, now)

    def deadline(self) -> float | None:
        """Return when `tick` is due next."""
        return self._due

    def tick(self, now: float) -> None:
        """Refresh, try again, or stop waiting for the PBX, when it is time."""
        if self._due is not None and now >= self._due:
            self._take(Signal.DUE, now)

    def receive(self, response: Response, now: float) -> None:
        """Take a response to the last REGISTER; provisional and late ones change nothing."""
        try:
            if response.code < 200 or response.cseq.sequence != self._cseq:
                return
        except SipError:
            return
        self._take(self._judge(response), now)

    def failed(self, status: int, now: float, why: str = "") -> None:
        """Note that the last REGISTER was not answered (408) or could not be sent (503, `why` where it is known)."""
        self.reason = "no answer" if status == 408 else why or "cannot be reached"
        self._renewal.read(None)
        self._take(Signal.FAILED, now)

    # -- what a response means ----------------------------------------------------------------------------------

    def _judge(self, response: Response) -> Signal:
        code = response.code
        self._renewal.read(response)
        if code < 300:
            return self._judge_success(response)
        if code in (401, 407):
            if self._authenticator.again(response):
                return Signal.AGAIN  # which is how it goes with every PBX, and no reason for anything
            self.reason = f"{words(response)} ({self._authenticator.problem})"
            return Signal.REFUSED
        if code == 423 and self._renewal.raised(response):
            return Signal.AGAIN
        unable = code < 400 or code in (408, 423, 429, 480) or 500 <= code < 600
        if self._takes_back and (not unable or code in _TOO_MUCH):
            self._held = None
            return Signal.AGAIN
        self.reason = words(response)
        return Signal.FAILED if unable else Signal.REFUSED

    def _judge_success(self, response: Response) -> Signal:
        if self.phase is Phase.LEAVING:
            return Signal.ACCEPTED
        self._granted = self._read_grant(response)
        mistaken = self._granted == 0 or (response.all("Contact") and not self._own_contacts(response))
        if self._takes_back and mistaken:
            self._held = None
            return Signal.AGAIN
        self._held = self._sent
        if self._contact != self._sent:
            return Signal.AGAIN  # our address has changed meanwhile
        if self._granted > 0:
            return Signal.ACCEPTED
        self.reason = f"{words(response)}, but not for our contact"
        return Signal.FAILED

    def _read_grant(self, response: Response) -> int:
        """Return the seconds granted to our contact: its own, else the Expires header's, else what was asked for."""
        granted = response.get("Expires")
        for value in self._own_contacts(response):
            granted = parse_address(value).parameters.get("expires") or granted
        if granted is None or not (granted.isascii() and granted.isdigit()):
            return self._renewal.expires
        return min(int(granted[:9]), self._renewal.expires)

    def _own_contacts(self, response: Response) -> list[str]:
        """Return those of a response's contacts that are the one which was sent last."""
        ours, found = place(uri_of(self._sent)), []
        for value in response.all("Contact"):
            try:
                if place(uri_of(value)) == ours:
                    parse_address(value)
                    found.append(value)
            except SipError:
                continue  # another's contact, none of our concern
        return found

    # -- what is done about it ----------------------------------------------------------------------------------

    def _take(self, signal: Signal, now: float) -> None:
        following = TABLE.get((self.phase, signal))
        if following is not None:
            before, self.phase = self.phase, following
            self._enter(before, signal, now)

    def _enter(self, before: Phase, signal: Signal, now: float) -> None:
        """Do what the new phase asks for."""
        phase = self.phase
        if phase in (Phase.TRYING, Phase.REFRESHING, Phase.RETRYING):
            self._due = None
            self._send(self._renewal.expires)
        elif phase is Phase.REGISTERED:
            self.reason = ""
            self._due = now + self._renewal.refresh_in(self._granted)
        elif phase is Phase.WAITING:
            self._due = now + (self._renewal.refused() if signal is Signal.REFUSED else self._renewal.failed())
        elif phase is Phase.OFF:
            self.reason = "unregistered"
            self._due = None
        else:
            self.reason = "unregistering"
            if before not in (Phase.STOPPING, Phase.LEAVING):
                self._due = now + _LEAVE_WITHIN
            if phase is Phase.LEAVING:
                self._send(0)

    def _send(self, expires: int) -> None:
        self._cseq += 1
        self._sent = self._contact
        contacts = [self._contact]
        self._takes_back = self._held is not None and place(uri_of(self._held)) != place(uri_of(self._contact))
        if self._takes_back:
            contacts.append(f"{self._held};expires=0")
        request = Request(
            "REGISTER",
            self._registrar,
            {
                "Max-Forwards": ["70"],
                "From": [f"<{self._aor}>;tag={self._tag}"],
                "To": [f"<{self._aor}>"],
                "Call-ID": [self._call_id],
                "CSeq": [f"{self._cseq} REGISTER"],
                "Contact": contacts,
                "Expires": [str(expires)],
            },
        )
        self._authenticator.authorize(request)
        self.outgoing.append(request)
