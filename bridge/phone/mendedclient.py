"""pyVoIP's signalling with its faults mended by subclassing; its calls are in `mendedcall`, its sound in `mendedsound`.

pyVoIP is kept for being *another* SIP stack than ours; what it does right is left to it. Mended is what no caller can
do without: an ACK to the peer's Contact with the peer's tag; an ACK to every refusal; identifiers that do not repeat;
an authorised INVITE in a new transaction of the same call; every status told; CANCEL, which it has not; a BYE and a
200 that are of their dialog; a port that is the kernel's choice; a socket that is read as soon as there is something.
Left as it is: nothing is sent again over UDP, and there are no route sets, so its server has to be near.
"""

from __future__ import annotations

import re
import secrets
import select
import socket
import threading
from collections.abc import Callable
from typing import Any

import pyVoIP.VoIP  # first: pyVoIP.SIP alone is an import cycle
from pyVoIP import RTP, SIP
from pyVoIP.util import acquired_lock_and_unblocked_socket

Tell = Callable[..., None]
"""Told what happens: `tell("status", call_id, code=180, phrase="Ringing")`."""

_PATIENCE = 4  # seconds for an answer to REGISTER
_GLANCE = 0.05  # seconds after which it is looked whether reading is to end
_BYE_TAKES = 1.0  # seconds that a server has to answer one
_SHORTEST = 9  # bytes; less is a keep-alive


class Client(SIP.SIPClient):
    """Signalling: one socket, one account."""

    def __init__(self, *args: Any, tell: Tell, **more: Any) -> None:
        super().__init__(*args, **more)
        self.default_expires = 300
        self.register_timeout = _PATIENCE
        self._tell = tell
        self._ends = threading.Event()
        self._bye_answered = threading.Event()
        self._bye_answered.set()
        self._reader = threading.Thread(target=self.recv_loop, name="SIP", daemon=True)

    def start(self) -> None:
        """Bind to a port of the kernel's choice, register, and read what comes."""
        self.s = self.out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.s.bind((self.myIP, 0))
        self.myPort = self.s.getsockname()[1]
        self.NSD = True
        self.register()
        if self.NSD:
            self._reader.start()

    def stop(self) -> None:
        """Unregister, after the last message was read: a BYE's 200 would be taken for that of the REGISTER."""
        if self._reader.is_alive() and self._reader is not threading.current_thread():
            self._bye_answered.wait(_BYE_TAKES)
        self._ends.set()
        if self._reader.is_alive() and self._reader is not threading.current_thread():
            self._reader.join()
        super().stop()

    def recv_loop(self) -> None:
        """Read messages as soon as there are some."""
        while not self._ends.is_set():
            if select.select([self.s], [], [], _GLANCE)[0]:
                try:
                    with acquired_lock_and_unblocked_socket(self.recvLock, self.s):
                        self.recv()
                except BlockingIOError:  # a refresh of the registration has read it
                    continue

    def gen_call_id(self) -> str:
        """Return text that nobody had before."""
        return f"{secrets.token_hex(16)}@{self.myIP}"

    def gen_branch(self, length: int = 32) -> str:
        """Return a branch that nobody had before."""
        return f"z9hG4bK{secrets.token_hex(12)}"

    # -- what comes -----------------------------------------------------------------------------------------------

    def recv(self) -> None:
        """Take one message; one that pyVoIP fails on is told, where it would be silent."""
        raw = self.s.recv(65536)
        if len(raw) < _SHORTEST:
            return
        try:
            self.parse_message(_read(raw))
        except Exception as error:
            self._tell("fault", text=f"{error!r} at {raw[:60]!r}")

    def parse_message(self, message: SIP.SIPMessage) -> None:
        """Take a request as pyVoIP does, a response as is due."""
        if message.type == SIP.SIPMessageType.RESPONSE:
            self._on_response(message)
        else:
            super().parse_message(message)

    def _on_response(self, message: SIP.SIPMessage) -> None:
        code, phrase = _status(message)
        call_id, method = message.headers["Call-ID"], message.headers["CSeq"]["method"]
        self._tell("status", call_id, code=code, phrase=phrase, method=method)
        if method == "BYE":
            self._bye_answered.set()
        call: Any = self.phone.calls.get(call_id)
        if method != "INVITE" or call is None:
            return
        if message.headers["CSeq"]["check"] != call.request.headers["CSeq"]["check"]:
            self.send(self.gen_ack(message))  # a refusal that comes again, of before we were authorised
        elif code < 200:
            call.heard_of()
        elif code < 300:
            call.answered(message)
            self.send(self.gen_ack(message))
            call.after_answer()
        else:
            self.send(self.gen_ack(message))
            if code == 401 and not call.authorised and not call.cancel_wanted:
                call.authorise(message)
            else:
                call.refused()

    # -- what is sent -----------------------------------------------------------------------------------------------

    def send(self, text: str) -> None:
        """Send a message to the server."""
        self.out.sendto(text.encode("utf8"), (self.server, self.port))

    def bye(self, request: SIP.SIPMessage) -> None:
        """Say BYE."""
        self.say_bye(self.gen_bye(request))

    def say_bye(self, text: str) -> None:
        """Send a BYE, whose answer is waited for before the phone unregisters."""
        self._bye_answered.clear()
        self.send(text)

    def gen_ack(self, request: SIP.SIPMessage) -> str:
        """Return the ACK to a response: within the dialog to a 2xx, within the INVITE's transaction to another."""
        headers = request.headers
        invite = self.phone.calls[headers["Call-ID"]].request
        if _status(request)[0] < 300:
            uri, via = uri_in(headers["Contact"]), self._via(self.gen_branch())
        else:
            uri, via = invite.heading.split(b" ")[1].decode(), self._via(headers["Via"][0]["branch"])
        return self._request("ACK", uri, via, headers, f";tag={headers['To']['tag']}")

    def gen_cancel(self, invite: SIP.SIPMessage) -> str:
        """Return the CANCEL of an INVITE (RFC 3261 §9.1)."""
        headers = invite.headers
        via = self._via(headers["Via"][0]["branch"])
        return self._request("CANCEL", invite.heading.split(b" ")[1].decode(), via, headers, "")

    def gen_bye(self, request: SIP.SIPMessage) -> str:
        """Return a BYE in a transaction of its own."""
        return re.sub(r"branch=[^;\r]+", f"branch={self.gen_branch()}", super().gen_bye(request), count=1)

    def gen_ok(self, request: SIP.SIPMessage) -> str:
        """Return a 200 to a request; within a dialog its tag stays what it is."""
        tag, text = request.headers["To"]["tag"], str(super().gen_ok(request))
        return re.sub(r"(\r\nTo: .*;tag=)[^\r]*", rf"\g<1>{tag}", text) if tag else text

    def own_bye(self, invite: SIP.SIPMessage) -> str:
        """Return the BYE of a call that came in: who is called there is called From here."""
        headers = invite.headers
        tag = self.tagLibrary[headers["Call-ID"]]
        turned = {
            "From": {"raw": headers["To"]["raw"], "tag": tag},
            "To": {"raw": headers["From"]["raw"]},
            "Call-ID": headers["Call-ID"],
            "CSeq": {"check": 1},
        }
        uri = uri_in(headers["Contact"])
        return self._request("BYE", uri, self._via(self.gen_branch()), turned, f";tag={headers['From']['tag']}")

    def _via(self, branch: str) -> str:
        return f"SIP/2.0/UDP {self.myIP}:{self.myPort};branch={branch}"

    def _request(self, method: str, uri: str, via: str, headers: dict[str, Any], to_tag: str) -> str:
        """Return a request with the call's From, To, Call-ID and CSeq number, as they are in these headers."""
        return (
            f"{method} {uri} SIP/2.0\r\n"
            f"Via: {via}\r\n"
            "Max-Forwards: 70\r\n"
            f"From: {headers['From']['raw']};tag={headers['From']['tag']}\r\n"
            f"To: {headers['To']['raw']}{to_tag}\r\n"
            f"Call-ID: {headers['Call-ID']}\r\n"
            f"CSeq: {headers['CSeq']['check']} {method}\r\n"
            f"User-Agent: pyVoIP {pyVoIP.__version__}\r\n"
            "Content-Length: 0\r\n\r\n"
        )

    def invitation(self, number: str, media: Any, session: int, call_id: str) -> str:
        """Return an INVITE; each of the same call has the same tag, and a branch of its own."""
        tag = self.tagLibrary.get(call_id)
        kind = RTP.TransmitType.SENDRECV
        text: str = self.gen_invite(number, str(session), media, kind, self.gen_branch(), call_id)
        if tag is not None:
            text = text.replace(f";tag={self.tagLibrary[call_id]}", f";tag={tag}", 1)
            self.tagLibrary[call_id] = tag
        return text

    def authorisation(self, challenge: SIP.SIPMessage) -> str:
        """Return the header that answers a 401, as pyVoIP answers those to REGISTER."""
        given = challenge.authentication
        response = self.gen_authorization(challenge).decode()
        return (
            f'Authorization: Digest username="{self.username}",realm="{given["realm"]}",nonce="{given["nonce"]}",'
            f'uri="sip:{self.server};transport=UDP",response="{response}",algorithm=MD5\r\n'
        )


def uri_in(contact: str) -> str:
    """Return the URI in a Contact."""
    return contact.partition("<")[2].partition(">")[0] if "<" in contact else contact.partition(";")[0]


def _status(message: SIP.SIPMessage) -> tuple[int, str]:
    """Return a response's code and phrase as they came."""
    words = message.heading.decode("utf-8", "replace").split(" ", 2)
    return int(words[1]), words[2] if len(words) > 2 else ""


def _read(raw: bytes) -> SIP.SIPMessage:
    """Read a message; a status that pyVoIP does not know is read as the x00 of its class (RFC 3261 §8.1.3.2)."""
    try:
        return SIP.SIPMessage(raw)
    except ValueError:
        line, end, rest = raw.partition(b"\r\n")
        if not line.startswith(b"SIP/2.0 "):
            raise
        message = SIP.SIPMessage(line[:9] + (b"83" if line[8:9] == b"1" else b"00") + line[11:] + end + rest)
        message.heading = line
        return message
