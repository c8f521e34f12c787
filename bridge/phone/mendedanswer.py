"""pyVoIP's calls that come in, mended: a CANCEL ends them, an INVITE that comes again is answered again, BYE is ours.

pyVoIP answers a CANCEL without ending the INVITE, takes a repeated INVITE for a new description, and sends a BYE with
the caller's Via. What it does right, reading the offer and making the answer's description, is left to it.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pyVoIP.VoIP  # noqa: F401  first: pyVoIP.SIP alone is an import cycle
from pyVoIP import RTP, SIP
from pyVoIP.VoIP.VoIP import CallState, VoIPCall

from bridge.phone.mendedclient import Tell, uri_in
from bridge.phone.mendedsound import Sound

if TYPE_CHECKING:
    from bridge.phone.mendedcall import Phone

PHRASES = {480: "Temporarily Unavailable", 486: "Busy Here", 487: "Request Terminated", 488: "Not Acceptable Here"}
_OURS = (RTP.PayloadType.PCMU, RTP.PayloadType.PCMA, RTP.PayloadType.EVENT)


class Ringing(VoIPCall):
    """A call that comes in: rings until it is answered, refused or given up."""

    def __init__(
        self, phone: Phone, request: SIP.SIPMessage, session: int, tone: int, level: float, tell: Tell
    ) -> None:
        self.sound: Sound | None = None
        """Mouth and ear, once it is answered."""
        self._client = phone.client
        self._tell = tell
        self._tone, self._level = tone, level
        self._said = ""  # the latest response to the INVITE, for one that comes again
        self._sequence = request.headers["CSeq"]["check"]
        self._timer: threading.Timer | None = None
        super().__init__(phone, CallState.RINGING, request, session, phone.myIP, sendmode=phone.recvmode)

    def create_rtp_clients(self, codecs: Any, ip: str, port: int, request: SIP.SIPMessage, baseport: int) -> None:
        """Make the sound's end; what the offer has that we have not is left out of the answer."""
        ours = {number: codec for number, codec in codecs.items() if codec in _OURS}
        if self.sound is None and any(codec is not RTP.PayloadType.EVENT for codec in ours.values()):
            host = request.body["c"][0]["address"]
            self.sound = Sound(ours, ip, port, host, baseport, self.sendmode, dtmf=self.dtmf_callback)
            self.sound.say(self._tone, self._level)
            self.RTPClients = [self.sound]
            self.assignedPorts[port] = ours

    def ring(self, seconds: float | None) -> None:
        """Say 180, and answer after so many seconds; None: not by itself."""
        if self.sound is None:
            self.refuse(488)
            return
        self._say(self._client.gen_ringing(self.request))
        if seconds is not None:
            self._timer = threading.Timer(seconds, self.answer)
            self._timer.daemon = True
            self._timer.start()

    def answer(self) -> None:
        """Say 200, and begin to speak and hear."""
        if self.state == CallState.RINGING and self.sound is not None:
            self.state = CallState.ANSWERED
            self.sound.start()
            text = self._client.gen_answer(self.request, self.session_id, self.gen_ms(), self.sendmode)
            self._say(text)
            self._tell("answered", self.call_id)

    def refuse(self, status: int) -> None:
        """Refuse the call."""
        if self.state == CallState.RINGING:
            self._end(status)
            self._tell("over", self.call_id, why=f"refused with {status}")

    def cancelled(self) -> None:
        """Take the caller's CANCEL."""
        if self.state == CallState.RINGING:
            self._end(487)
            self._tell("over", self.call_id, why="the caller gave up, or a colleague was faster")

    def again(self, request: SIP.SIPMessage) -> None:
        """Take an INVITE of this call: the same one once more, or a new description."""
        if request.headers["CSeq"]["check"] == self._sequence:
            if self._said:
                self._client.send(self._said)
            return
        self._sequence = request.headers["CSeq"]["check"]
        if request.body.get("m"):
            self.renegotiate(request)
        else:
            self._client.send(self._client.gen_answer(request, self.session_id, self.gen_ms(), self.sendmode))

    def hangup(self) -> None:
        """Say BYE, or refuse where it still rings."""
        if self.state == CallState.RINGING:
            self.refuse(480)
        elif self.state == CallState.ANSWERED:
            self._stop()
            self._client.say_bye(self._client.own_bye(self.request))

    def bye(self) -> None:
        """Take the other side's BYE."""
        was_up = self.state == CallState.ANSWERED
        self._stop()
        if was_up:
            self._tell("over", self.call_id, why="hung up there")

    def gen_ms(self) -> Any:
        """Return our media; they are started by `answer`."""
        return {each.inPort: each.assoc for each in self.RTPClients}

    def dtmf_callback(self, code: str) -> None:
        """Take a key that the other side pressed."""
        self._tell("pressed", self.call_id, key=code)

    def _end(self, status: int) -> None:
        self._stop()
        busy = self._client.gen_busy(self.request)
        tag = self._client.tagLibrary.get(self.call_id)
        text = busy.replace("SIP/2.0 486 Busy Here", f"SIP/2.0 {status} {PHRASES.get(status, 'Refused')}", 1)
        if tag is not None:  # it is the dialog that rang
            to = self.request.headers["To"]["raw"]
            start = text.index(f"To: {to};tag=")
            end = text.index("\r\n", start)
            text = f"{text[:start]}To: {to};tag={tag}{text[end:]}"
        self._say(text)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self.state == CallState.ANSWERED:
            for each in self.RTPClients:
                each.stop()
        self.state = CallState.ENDED

    def _say(self, text: str) -> None:
        self._said = text
        self._client.send(text)


def caller_of(request: SIP.SIPMessage) -> tuple[str, str]:
    """Return the number and the name that a request comes from."""
    from_ = request.headers["From"]
    user = uri_in(str(from_["raw"])).removeprefix("sip:").partition("@")[0]
    return user, str(from_.get("caller") or "").strip('" ')
