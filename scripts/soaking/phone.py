"""A phone's transactions: a socket, requests that are sent again until they are answered, answers that are repeated.

Written for the soak alone, without anything of the bridge's: a mistake that both ends make would not be seen.
What a phone says and does in its calls is in `calls`.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, cast

from scripts.soaking.message import Headers, Message, answer

T1, T2 = 0.5, 4.0
PATIENCE = 64 * T1
PHRASES = {100: "Trying", 180: "Ringing", 183: "Session Progress", 200: "OK", 202: "Accepted"}

Address = tuple[str, int]
Then = Callable[[Message | None], None]
"""Takes each response to a request; None: there was none."""


class Talking(Protocol):
    """What a phone needs of its calls."""

    deaf: bool
    record: list[str]

    def on_request(self, request: Message) -> None:
        """Take a request inside the call, an ACK included; a CANCEL too."""

    def on_success_again(self, response: Message) -> None:
        """Take a 2xx of an INVITE that has had one."""


@dataclass
class Journal:
    """What all phones together have seen: how often what happened, and what must not happen."""

    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


class Asked:
    """A request that is sent again until it is answered (timers A, B, E, F)."""

    def __init__(self, phone: Phone, request: Message, then: Then) -> None:
        self.phone = phone
        self.request = request
        self.then = then
        self.heard = False
        self._data = bytes(request)
        self._invites = request.method == "INVITE"
        self._interval = T1
        self._began = phone.loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._send()

    def _send(self) -> None:
        self.phone.send(self._data)
        self._timer = self.phone.loop.call_later(self._interval, self._again)

    def _again(self) -> None:
        if self.phone.loop.time() - self._began >= PATIENCE and not (self._invites and self.heard):
            self.end()
            self.then(None)
        elif not (self._invites and self.heard):
            self._interval = 2 * self._interval if self._invites else min(2 * self._interval, T2)
            self._send()

    def receive(self, response: Message) -> None:
        """Take a response."""
        self.heard = True
        if response.status >= 200:
            self.end()
        elif not self._invites:
            self._interval = T2
        self.then(response)

    def end(self) -> None:
        """Send it no more."""
        if self._timer is not None:
            self._timer.cancel()
        self.phone.asked.pop((self.request.branch, self.request.method), None)


class Repeated:
    """A final answer to an INVITE that goes out again until its ACK comes; `missed` is called where it never does."""

    def __init__(self, phone: Phone, data: bytes, missed: Callable[[], None]) -> None:
        self._phone = phone
        self._data = data
        self._missed = missed
        self._interval = T1
        self._left = PATIENCE
        self._timer = phone.loop.call_later(T1, self._again)

    def _again(self) -> None:
        self._left -= self._interval
        if self._left <= 0:
            self._missed()
            return
        self._interval = min(2 * self._interval, T2)
        self._phone.send(self._data)
        self._timer = self._phone.loop.call_later(self._interval, self._again)

    def end(self) -> None:
        """Send it no more."""
        self._timer.cancel()


class Phone(asyncio.DatagramProtocol):
    """One phone. `public` is where the bridge reaches it, `bridge` where it reaches the bridge.

    `ring` takes an INVITE that begins a call. `rng` makes tags, branches and what else must differ.
    """

    def __init__(
        self,
        number: str,
        public: Address,
        bridge: Address,
        rng: random.Random,
        journal: Journal,
        ring: Callable[[Phone, Message], None],
    ) -> None:
        self.number = number
        self.public = public
        self.bridge = bridge
        self.rng = rng
        self.journal = journal
        self.calls: dict[str, Talking] = {}  # by Call-ID
        self.asked: dict[tuple[str, str], Asked] = {}
        self._ring = ring
        self._said: dict[tuple[str, str], bytes] = {}  # the last answer to a request, by branch and method
        self._acks: dict[str, bytes] = {}  # to final responses that are no 2xx, by branch
        self._refusals: dict[str, Repeated] = {}  # by branch
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be there."""
        self._transport = cast(asyncio.DatagramTransport, transport)
        self.loop = asyncio.get_running_loop()

    def error_received(self, exc: Exception) -> None:
        """Take it that nobody is at the other end just now."""

    @property
    def place(self) -> str:
        """Host and port, as they go into URIs."""
        return f"{self.public[0]}:{self.public[1]}"

    def token(self) -> str:
        """Return text that nobody else has."""
        return f"{self.rng.getrandbits(64):016x}"

    def send(self, data: bytes) -> None:
        """Send a datagram to the bridge."""
        self._note("->", Message.read(data))
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(data, self.bridge)

    def _note(self, way: str, message: Message) -> None:
        """Keep in mind what passes, by call."""
        call = self.calls.get(message.call_id)
        if call is not None:
            deaf = " (not heard)" if call.deaf else ""
            call.record.append(f"{self.loop.time():.3f} {way} {message.first}, {message.get('cseq')}{deaf}")

    # -- requests of ours ----------------------------------------------------------------------------------------

    def request(self, method: str, uri: str, headers: Headers, body: str, branch: str = "") -> Message:
        """Return a request with a Via of ours."""
        via = f"SIP/2.0/UDP {self.place};branch={branch or 'z9hG4bK' + self.token()};rport"
        first = [("via", via), ("Max-Forwards", "70")]
        lowered = [(name.lower(), value) for name, value in headers]
        return Message(f"{method} {uri} SIP/2.0", [*first, *lowered], body)

    def ask(self, request: Message, then: Then) -> Asked:
        """Send a request until it is answered."""
        asked = self.asked[request.branch, request.method] = Asked(self, request, then)
        return asked

    def cancel(self, invite: Message, then: Then) -> None:
        """Cancel an INVITE."""
        kept = [(name, invite.get(name)) for name in ("from", "to", "call-id")]
        uri = invite.first.split(" ")[1]
        headers = [*kept, ("cseq", f"{invite.sequence} CANCEL")]
        self.ask(self.request("CANCEL", uri, headers, "", invite.branch), then)

    # -- answers of ours -----------------------------------------------------------------------------------------

    def answer(
        self, request: Message, status: int, tag: str = "", body: str = "", more: Headers | None = None
    ) -> bytes:
        """Answer a request; the same again whenever it comes again."""
        contact = [("Contact", f"<sip:{self.number}@{self.place}>")] if 100 < status < 300 else []
        data = bytes(answer(request, status, PHRASES.get(status, "No"), tag, [*contact, *(more or [])], body))
        key = request.branch, request.method
        if key not in self._said:
            self.loop.call_later(PATIENCE, self._said.pop, key, None)
        self._said[key] = data
        self.send(data)
        if request.method == "INVITE" and status >= 300:
            self._refusals[request.branch] = Repeated(self, data, partial(self._give_up_refusal, request.branch))
        return data

    def _give_up_refusal(self, branch: str) -> None:
        """Let it be: nobody acknowledges that we refused."""
        del self._refusals[branch]

    # -- what comes ----------------------------------------------------------------------------------------------

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """Take a message, as far as its call is not deaf."""
        if not data.strip():
            return
        message = Message.read(data)
        call = self.calls.get(message.call_id)
        self._note("<-", message)
        if call is not None and call.deaf:
            return
        if message.status:
            self._on_response(message, call)
        else:
            self._on_request(message, call)

    def _on_response(self, response: Message, call: Talking | None) -> None:
        asked = self.asked.get((response.branch, response.method))
        if asked is not None:
            if response.method == "INVITE" and response.status >= 300:
                self._acknowledge(asked.request, response)
            asked.receive(response)
        elif response.method == "INVITE" and response.status >= 300 and response.branch in self._acks:
            self.send(self._acks[response.branch])
        elif response.method == "INVITE" and 200 <= response.status < 300 and call is not None:
            call.on_success_again(response)

    def _acknowledge(self, invite: Message, response: Message) -> None:
        """Send the ACK of a final response that is no 2xx (§17.1.1.3)."""
        uri = invite.first.split(" ")[1]
        kept = [("from", invite.get("from")), ("to", response.get("to")), ("call-id", invite.call_id)]
        headers = [*kept, ("cseq", f"{invite.sequence} ACK")]
        data = self._acks[invite.branch] = bytes(self.request("ACK", uri, headers, "", invite.branch))
        self.loop.call_later(PATIENCE, self._acks.pop, invite.branch, None)
        self.send(data)

    def _on_request(self, request: Message, call: Talking | None) -> None:
        before = self._said.get((request.branch, request.method))
        if request.method == "ACK" and request.branch in self._refusals:
            self._refusals.pop(request.branch).end()
            return
        if before is not None:
            self.send(before)
        elif call is not None:
            call.on_request(request)
        elif request.method == "INVITE" and not request.to_tag:
            self._ring(self, request)
        elif request.method == "OPTIONS" and not request.to_tag:
            self.answer(request, 200, self.token())
        elif request.method != "ACK":
            self.answer(request, 481, self.token())
