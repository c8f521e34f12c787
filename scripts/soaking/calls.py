"""A phone's side of a call: the dialog, what is done in a talk, and how it is left.

| state | what ends it | then |
|---|---|---|
| early | the 2xx: heard and acknowledged, or sent | up, or answered |
| answered | the ACK to our 2xx | up |
| early, answered, up | refused, cancelled, hung up by either side | over |

A call that has gone deaf hears and says nothing for a while; then the phone is back, and hangs up what it knows of.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from scripts.soaking.message import Headers, Message, description
from scripts.soaking.phone import PATIENCE, Phone, Repeated
from scripts.soaking.plans import TalkPlan

MOST_TOLD = 60  # messages of a call that something is wrong with
AFTER_DEEDS = ("INFO", "OPTIONS", "NOTIFY", "MESSAGE")


class Call:
    """What a caller's and a member's side have in common: all that happens once there is a dialog."""

    def __init__(self, phone: Phone, call_id: str, plan: TalkPlan, away: float, manner: str) -> None:
        self.phone = phone
        self.call_id = call_id
        self.local_tag = phone.token()
        self.remote_tag = ""
        self.local = self.remote = ""  # name-addr values, without tags
        self.target = ""  # the peer's Contact
        self.state = "early"
        self.deaf = False
        self.manner = manner
        self.record: list[str] = []  # every message
        self._plan = plan
        self._deeds = list(plan.deeds)
        self._away = away
        self._sequence = 1
        self._version = 1
        self._port = 2 * phone.rng.randrange(5_000, 8_000)  # below what the kernel and the relay give to others
        self._held = False
        self._asking = False  # a re-INVITE or UPDATE of ours is open
        self._hangs_up = False
        self._acks: dict[int, bytes] = {}  # by the INVITE's number
        self._repeated: dict[tuple[int, str], Repeated] = {}  # by the INVITE's number and our tag
        self._timers: list[asyncio.TimerHandle] = []
        phone.calls[call_id] = self

    # -- what both begin and end with ------------------------------------------------------------------------------

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        """Do something after a while, unless the call is over or deaf by then."""

        def now() -> None:
            if self.state != "over" and not self.deaf:
                do()

        self._timers.append(self.phone.loop.call_later(seconds, now))

    def count(self, what: str) -> None:
        """Count what has happened."""
        self.phone.journal.counts[what] += 1

    def fault(self, what: str) -> None:
        """Note what must not happen."""
        self.phone.journal.faults.append(self.told(what))

    def told(self, what: str) -> str:
        """Return what is to be said of this call, with its messages."""
        first = f"phone {self.phone.number}, call {self.call_id} ({self.manner}, {self.state}): {what}"
        return "\n    ".join([first, *self.record[:MOST_TOLD]])

    def over(self) -> None:
        """Be over; what comes late is answered for a while."""
        if self.state != "over":
            self.state = "over"
            self._quiet()
            self.phone.loop.call_later(PATIENCE, self._forget)

    def _forget(self) -> None:
        if self.phone.calls.get(self.call_id) is self:
            del self.phone.calls[self.call_id]

    def _quiet(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        for repeated in self._repeated.values():
            repeated.end()
        self._repeated.clear()

    def go_deaf(self) -> None:
        """Hear and say nothing from now on, until the phone is back."""
        self.count("went deaf")
        self.deaf = True
        self._quiet()
        for asked in list(self.phone.asked.values()):
            if asked.request.call_id == self.call_id:
                asked.end()
        self._timers = [self.phone.loop.call_later(self._away, self._come_back)]

    def _come_back(self) -> None:
        self.deaf = False
        if self.state in ("up", "answered"):
            self.state = "up"
            self.hang_up()
        else:
            self.over()

    # -- the talk --------------------------------------------------------------------------------------------------

    def come_up(self) -> None:
        """Talk."""
        if self.state in ("early", "answered"):
            self.state = "up"
            self.count("talks")
            if self._hangs_up:
                self.hang_up()
                return
            self.later(self._plan.lasts, self.hang_up)
            self._wait_for_deed()
            if self._plan.deaf is not None:
                self.later(self._plan.deaf, self.go_deaf)

    def hang_up(self) -> None:
        """End the talk; one whose ACK is outstanding as soon as that is here."""
        self._hangs_up = True
        if self.state == "up":
            self.state = "leaving"
            self.request("BYE", "", self._on_bye_answered, repeats=self._plan.repeats)

    def _on_bye_answered(self, response: Message | None) -> None:
        if response is None:
            self.fault("BYE was never answered")
        if response is None or response.status >= 200:
            self.count("hung up")
            self.over()

    def request(
        self,
        method: str,
        body: str,
        then: Callable[[Message | None], None],
        more: Headers | None = None,
        repeats: int = 1,
    ) -> None:
        """Send a request inside the dialog."""
        self._sequence += 1
        message = self._in_dialog(method, self._sequence, body, more)
        self.phone.ask(message, then)
        for _ in range(repeats - 1):
            self.phone.send(bytes(message))

    def _in_dialog(self, method: str, sequence: int, body: str, more: Headers | None = None) -> Message:
        headers = [
            ("From", f"{self.local};tag={self.local_tag}"),
            ("To", f"{self.remote};tag={self.remote_tag}"),
            ("Call-ID", self.call_id),
            ("CSeq", f"{sequence} {method}"),
            *([("Contact", f"<sip:{self.phone.number}@{self.phone.place}>")] if method not in ("ACK", "BYE") else []),
            *(more or []),
        ]
        return self.phone.request(method, self.target, headers, body)

    def describe(self, direction: str = "sendrecv") -> str:
        """Return our description, each one a version on."""
        self._version += 1
        return description(self.phone.public[0], self._port, self._version, direction)

    def acknowledge(self, sequence: int, body: str = "", repeats: int = 1) -> None:
        """Send the ACK to a 2xx."""
        data = self._acks[sequence] = bytes(self._in_dialog("ACK", sequence, body))
        for _ in range(repeats):
            self.phone.send(data)

    def on_success_again(self, response: Message) -> None:
        """Acknowledge a 2xx that comes again."""
        data = self._acks.get(response.sequence)
        if data is not None:
            self.phone.send(data)

    # -- what is done in a talk ------------------------------------------------------------------------------------

    def _wait_for_deed(self) -> None:
        if self._deeds:
            pause, deed = self._deeds.pop(0)
            self.later(pause, partial(self._do, deed))

    def _do(self, deed: str) -> None:
        if self.state != "up":
            return
        if deed in ("hold", "refresh", "no offer", "update") and not self._asking:
            self._offer(deed)
        elif deed in ("key", "options", "unknown"):
            method = {"key": "INFO", "options": "OPTIONS", "unknown": "RECALL"}[deed]
            self.request(method, "", partial(self._on_answered, method))
        elif deed == "refer":
            self._refer(f"<sip:{self._plan.number}@{self.phone.bridge[0]}>".replace("*", "%2A"))
        elif deed == "attended":
            self._refer_to_other()
        self.count(deed)
        self._wait_for_deed()

    def _offer(self, deed: str) -> None:
        if deed == "hold":
            self._held = not self._held
        method = "UPDATE" if deed == "update" else "INVITE"
        body = "" if deed == "no offer" else self.describe("sendonly" if self._held else "sendrecv")
        self._asking = True
        self.request(method, body, partial(self._on_offered, method, not body))

    def _on_offered(self, method: str, late: bool, response: Message | None) -> None:
        if response is not None and response.status < 200:
            return
        self._asking = False
        self._on_answered(method, response)
        if response is not None and 200 <= response.status < 300 and method == "INVITE":
            self.target = response.contact or self.target
            self.acknowledge(response.sequence, self.describe() if late else "")
        if response is not None and response.status in (408, 481):
            self.hang_up()

    def _refer(self, target: str) -> None:
        self.request("REFER", "", partial(self._on_answered, "REFER"), [("Refer-To", target)])

    def _refer_to_other(self) -> None:
        others = (call for call in self.phone.calls.values() if isinstance(call, Call) and call is not self)
        other = next((call for call in others if call.state == "up" and not call.deaf), None)
        if other is not None:
            replaces = f"{other.call_id}%3Bto-tag%3D{other.remote_tag}%3Bfrom-tag%3D{other.local_tag}"
            self._refer(f"<sip:{self._plan.number}@{self.phone.bridge[0]}?Replaces={replaces}>".replace("*", "%2A"))

    def _on_answered(self, method: str, response: Message | None) -> None:
        if response is None and self.state != "over":
            self.fault(f"{method} was never answered")
        elif response is not None and response.status >= 200:
            self.count(f"{response.status} to {method}")

    # -- what the bridge asks --------------------------------------------------------------------------------------

    def on_request(self, request: Message) -> None:
        """Take a request of this call's."""
        method = request.method
        if method == "ACK":
            self.on_ack(request)
        elif method == "CANCEL":
            self.on_cancel(request)
        elif method == "BYE":
            self.on_bye(request)
        elif self.state in ("early", "over"):
            self.phone.answer(request, 481)
        elif method == "INVITE":
            self._on_reinvite(request)
        elif method == "UPDATE":
            self.phone.answer(request, 200, body=self.describe() if request.body else "")
        elif method in AFTER_DEEDS:
            self.phone.answer(request, 200)
        else:
            self.phone.answer(request, 501)

    def on_ack(self, ack: Message) -> None:
        """Send our 2xx no more."""
        repeated = self._repeated.pop((ack.sequence, ack.to_tag), None)
        if repeated is not None:
            repeated.end()
            if self.state == "answered":
                self.local_tag = ack.to_tag
                self.come_up()

    def on_cancel(self, cancel: Message) -> None:
        """Answer a CANCEL of something that is answered already."""
        self.phone.answer(cancel, 200)

    def on_bye(self, bye: Message) -> None:
        """Be hung up."""
        self.phone.answer(bye, 200 if self.state != "over" else 481)
        self.count("was hung up")
        self.over()

    def _on_reinvite(self, invite: Message) -> None:
        chance = self.phone.rng.random()
        if self._asking or self.state != "up":
            self.phone.answer(invite, 491)
        elif chance < 0.06:
            self.phone.answer(invite, 488 if chance < 0.04 else 500)
        else:
            self.target = invite.contact or self.target
            self.succeed(invite, self.local_tag)

    def succeed(self, invite: Message, tag: str) -> None:
        """Say 200 to an INVITE, until its ACK comes."""
        data = self.phone.answer(invite, 200, tag, self.describe())
        key = invite.sequence, tag
        self._repeated[key] = Repeated(self.phone, data, partial(self._on_no_ack, key))

    def _on_no_ack(self, key: tuple[int, str]) -> None:
        del self._repeated[key]
        self.fault(f"200 was never acknowledged (CSeq {key[0]})")
        if self.state == "answered":
            self.state = "up"
        self.hang_up()
