"""pyVoIP's calls and phone on the mended signalling and sound: they can be cancelled, and tell what happens to them.

Calls that come in are in `mendedanswer`.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Any

import pyVoIP.VoIP  # noqa: F401  first: pyVoIP.SIP alone is an import cycle
from pyVoIP import RTP, SIP
from pyVoIP.VoIP.VoIP import CallState, VoIPCall, VoIPPhone

from bridge.phone.mendedanswer import Ringing, caller_of
from bridge.phone.mendedclient import Client, Tell, uri_in
from bridge.phone.mendedsound import Sound


class Call(VoIPCall):
    """A call of ours. `request` is its latest INVITE."""

    def __init__(self, phone: Phone, number: str, port: int, tone: int, level: float, tell: Tell) -> None:
        self._media: Any = {port: {0: RTP.PayloadType.PCMU, 101: RTP.PayloadType.EVENT}}
        self.number = number
        self.tone, self.level = tone, level
        self.authorised = False
        self.cancel_wanted = False
        self.sound: Sound | None = None
        """Mouth and ear, once it is answered."""
        self._client = phone.client
        self._tell = tell
        self._heard_of = False
        self._session = self._client.sessID.next()
        text = self._client.invitation(number, self._media, self._session, self._client.gen_call_id())
        invite = SIP.SIPMessage(text.encode())
        super().__init__(phone, CallState.DIALING, invite, self._session, phone.myIP, self._media, phone.sendmode)

    def invite(self) -> None:
        """Send the INVITE."""
        self._client.send(self.request.raw.decode())

    def authorise(self, challenge: SIP.SIPMessage) -> None:
        """Send the INVITE again, authorised."""
        self.authorised, self._heard_of = True, False
        text = self._client.invitation(self.number, self._media, self._session, self.call_id)
        header = self._client.authorisation(challenge)
        self.request = SIP.SIPMessage(text.replace("\r\nContent-Length", f"\r\n{header}Content-Length").encode())
        self.invite()

    def cancel(self) -> None:
        """Give up, as soon as the server has said anything."""
        if self.state == CallState.DIALING and not self.cancel_wanted:
            self.cancel_wanted = True
            if self._heard_of:
                self._client.send(self._client.gen_cancel(self.request))

    def heard_of(self) -> None:
        """Take a provisional response."""
        first, self._heard_of = not self._heard_of, True  # noted before it is looked whether to cancel: two threads
        if first and self.cancel_wanted:
            self._client.send(self._client.gen_cancel(self.request))

    def answered(self, request: SIP.SIPMessage) -> None:
        """Take the answer, and begin to speak and hear."""
        first = self.state == CallState.DIALING
        super().answered(request)
        if first:
            self.request.headers["Contact"] = f"<{uri_in(request.headers['Contact'])}>"
            self._tell("answered", self.call_id)

    def after_answer(self) -> None:
        """Hang up where the answer has crossed our CANCEL."""
        if self.cancel_wanted and self.state == CallState.ANSWERED:
            self.hangup()
            self._tell("over", self.call_id, why="cancelled, though it was answered")

    def refused(self) -> None:
        """Take a final refusal."""
        if self.state == CallState.DIALING:
            self.state = CallState.ENDED
            self.phone.calls.pop(self.call_id, None)
            self._tell("over", self.call_id, why="cancelled" if self.cancel_wanted else "refused")

    def bye(self) -> None:
        """Take the other side's BYE."""
        was_up = self.state == CallState.ANSWERED
        super().bye()
        if was_up:
            self._tell("over", self.call_id, why="hung up there")

    def create_rtp_clients(self, codecs: Any, ip: str, port: int, request: SIP.SIPMessage, baseport: int) -> None:
        """Make the sound's end."""
        host = request.body["c"][0]["address"]
        self.sound = Sound(codecs, ip, port, host, baseport, self.sendmode, dtmf=self.dtmf_callback)
        self.sound.say(self.tone, self.level)
        self.RTPClients = [self.sound]

    def gen_ms(self) -> Any:
        """Return our media for the answer to a re-INVITE; they have been started before."""
        return {each.inPort: each.assoc for each in self.RTPClients}


@dataclass
class Manner:
    """What a phone does with calls that come: rings and answers after seconds, or refuses them all."""

    answer_after: float | None = None
    refuse_with: int | None = 486
    tone: int = 0
    level: float = -16.0


class Phone(VoIPPhone):
    """A phone that calls, and takes calls in the way of its `manner`: at first none."""

    def __init__(self, host: str, port: int, number: str, password: str, own: str, tell: Tell) -> None:
        super().__init__(host, port, number, password, myIP=own)
        self.manner = Manner()
        self.latest: Call | Ringing | None = None
        """The call that began last."""
        self._tell = tell
        calls = {"phone": self, "callCallback": self.callback, "fatalCallback": self.fatal}
        self.sip = self.client = Client(host, port, number, password, myIP=own, tell=tell, **calls)

    def call(self, number: str, tone: int = 0, level: float = -16.0) -> Call:
        """Call a number."""
        call = Call(self, number, self.request_port(), tone, level, self._tell)
        self.calls[call.call_id] = self.latest = call
        self._tell("calling", call.call_id, number=number)
        call.invite()
        return call

    def callback(self, request: SIP.SIPMessage) -> None:
        """Take a request: a call that comes in, one more INVITE of it, its CANCEL or its BYE."""
        call: Any = self.calls.get(request.headers["Call-ID"])
        if isinstance(call, Ringing) and request.method == "INVITE":
            call.again(request)
        elif isinstance(call, Ringing) and request.method == "CANCEL":
            call.cancelled()
        elif call is None and request.method == "INVITE":
            self._on_call(request)
        else:
            super().callback(request)

    def _on_call(self, request: SIP.SIPMessage) -> None:
        manner = self.manner
        busy = any(each.state != CallState.ENDED for each in self.calls.values())
        call = Ringing(self, request, self.client.sessID.next(), manner.tone, manner.level, self._tell)
        self.calls[call.call_id] = call
        number, name = caller_of(request)
        if busy or manner.refuse_with is not None:
            call.refuse(486 if busy else manner.refuse_with or 486)
        else:
            self.latest = call
            self._tell("rings", call.call_id, caller=number, name=name)
            call.ring(manner.answer_after)

    def request_port(self, blocking: bool = True) -> int:
        """Return a port of the kernel's choice."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as offered:
            offered.bind((self.myIP, 0))
            port: int = offered.getsockname()[1]
        self.assignedPorts.append(port)
        return port
