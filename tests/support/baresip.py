"""baresip as a desk phone on loopback: registers, dials, rings, answers, holds, hangs up.

It is driven through its control socket (netstrings of JSON). Sound comes from its sine generator and goes to a
bridge device that throws it away, so no sound card is needed.
"""

from __future__ import annotations

import json
import re
import socket
import threading
import wave
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bridge.media.ear import judge
from bridge.media.g711 import RATE
from tests.support.networks import Host
from tests.support.ports import free_even_port, free_port, free_port_and_next
from tests.support.process import PATIENCE, Process, wait_until

Event = dict[str, Any]

CONFIGURATION = """\
sip_listen {host}:{sip}
net_interface {interface}
rtp_ports {rtp}-{rtp_end}
rtp_stats no
audio_source ausine,{tone}
audio_player aubridge,speaker
audio_alert aubridge,bell
ausrc_srate 48000
ausrc_channels 2
auplay_srate 48000
call_local_timeout 120
call_max_calls 4
ctrl_tcp_listen 127.0.0.1:{control}
module_path {modules}
module g711.so
module ausine.so
module aubridge.so
module sndfile.so
snd_path .
module_app account.so
module_app menu.so
module_app ctrl_tcp.so
"""


STARTS = 5  # somebody else may take a port between the kernel's offer and the start


class Baresip:
    """A running phone with one account. Use as a context manager.

    `server` is the port of registrar and proxy on `host`; `password` None: it does not register. `transport` is
    "udp", "tcp" or "tls", by which it believes the authority `ca`. `events` are all that it has told so far, oldest
    first; each has a `type` such as
    CALL_INCOMING or CALL_ESTABLISHED. It says a `tone`, Hz, and records what it hears (`heard`). `on`: the host that
    it stands on, at the address `own`; None: this machine.
    """

    def __init__(
        self,
        directory: Path,
        *,
        number: str,
        server: int,
        host: str = "127.0.0.1",
        password: str | None = None,
        transport: str = "udp",
        expires: int = 60,
        ca: Path | None = None,
        tone: int = 440,
        on: Host | None = None,
        own: str | None = None,
    ) -> None:
        self.number = number
        self._on = on
        self._own = own or ("::1" if ":" in host else "127.0.0.1")
        self._host = f"[{host}]" if ":" in host else host
        self.server = f"{self._host}:{server}"
        self._news = threading.Condition()
        self._replies: dict[str, Event] = {}
        self.events: list[Event] = []
        for chance in reversed(range(STARTS)):
            self.port = free_port_and_next()
            self._control = free_port()
            self._directory = directory / f"baresip-{number}-{self.port}"
            self._configure(password, transport, expires, ca, tone)
            family = "-6" if ":" in host else "-4"
            argv = ["baresip", family, "-f", str(self._directory)]
            self.process = Process(on.argv(*argv) if on is not None else argv, cwd=self._directory)
            try:
                self._connect()
                break
            except AssertionError:
                self.process.end()
                if not chance or "Address already in use" not in self.process.output:
                    raise

    def __enter__(self) -> Baresip:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """Let it unregister and quit; end it by its process id if it does not."""
        self.process.end()
        self._reader.join(5.0)
        self._socket.close()

    # -- what a person does with it ---------------------------------------------------------------------------

    def dial(self, number: str) -> None:
        """Call a number at the server."""
        self.command("dial", f"sip:{number}@{self.server}")

    def answer(self) -> None:
        """Take the call that rings."""
        self.command("accept")

    def transfer(self, number: str) -> None:
        """Send the other side to a number at the server, by REFER."""
        self.command("transfer", f"sip:{number}@{self.server}")

    def hang_up(self) -> None:
        """End, or decline, the call."""
        self.command("hangup")

    def hold(self) -> None:
        """Put the call on hold; return when the other side has agreed."""
        self._renegotiate("hold")

    def press(self, keys: str) -> None:
        """Press keys in the call, as telephone events."""
        for key in keys:
            self.command("sndcode", key)

    def resume(self) -> None:
        """Take a held call up again; return when the other side has agreed."""
        self._renegotiate("resume")

    # -- what it tells ----------------------------------------------------------------------------------------

    def wait_registered(self) -> None:
        """Wait until the registrar has accepted it."""
        wait_until(lambda: "OK " in self.command("reginfo"), lambda: f"{self.number} is registered\n{self.report()}")

    def wait_ringing(self) -> Event:
        """Wait until it rings; return the event, with the caller in `peeruri` and `peerdisplayname`."""
        return self.wait("CALL_INCOMING")

    def wait_hearing(self, packets: int = 3) -> None:
        """Wait until sound comes in: more RTP than when this was asked. 25 `packets` are enough to tell a tone."""
        wanted = self._packets() + packets
        wait_until(lambda: self._packets() >= wanted, lambda: f"{self.number} hears something\n{self.report()}")

    def heard(self) -> list[int | None]:
        """Return which tone it has heard in each tenth of a second of its last call, which is over; None: no tone."""
        files = sorted(self._directory.glob("dump-*-dec.wav"), key=lambda file: file.stat().st_mtime)
        assert files, f"{self.number} has recorded nothing\n{self.report()}"
        with wave.open(str(files[-1])) as recorded:
            rate, channels = recorded.getframerate(), recorded.getnchannels()
            samples = array("h", recorded.readframes(recorded.getnframes()))[:: channels * rate // RATE]
        window = RATE // 10
        return [judge(samples[at : at + window])[1] for at in range(0, len(samples) - window, window)]

    @property
    def direction(self) -> str:
        """The direction of its sound as negotiated: sendrecv, sendonly, recvonly or inactive."""
        found = re.search(r"audio dir=(\w+)", self.command("audio_debug"))
        return found[1] if found else "none"

    def wait(self, kind: str, count: int = 1, seconds: float = PATIENCE) -> Event:
        """Return the `count`-th event of a type, as soon as it is there."""
        return self._await(lambda: self._nth(kind, count), f"event {kind}", seconds)

    def forget(self) -> None:
        """Forget all that it has told: what is waited for comes anew."""
        with self._news:
            self.events.clear()

    def count(self, kind: str) -> int:
        """Return how many events of a type there were."""
        with self._news:
            return sum(event.get("type") == kind for event in self.events)

    def command(self, command: str, params: str = "") -> str:
        """Give a command as typed at its prompt (without the slash); return what it says to it."""
        token = f"{command}-{id(object())}-{len(self._replies)}"
        body = json.dumps({"command": command, "params": params, "token": token}).encode()
        self._socket.sendall(b"%d:%b," % (len(body), body))
        reply = self._await(lambda: self._replies.get(token), f"reply to {command}", PATIENCE)
        assert reply.get("ok"), f"{command} {params}: {reply}\n{self.report()}"
        return str(reply.get("data", ""))

    def report(self) -> str:
        """Return everything that tells what happened, for the message of a failure."""
        told = "\n".join(json.dumps(event) for event in self.events)
        return f"phone {self.number} (port {self.port})\n{told}\n{self.process.report()}"

    # -- inside -----------------------------------------------------------------------------------------------

    def _configure(self, password: str | None, transport: str, expires: int, ca: Path | None, tone: int) -> None:
        self._directory.mkdir(parents=True)
        rtp = free_even_port()
        settings = CONFIGURATION.format(
            host=f"[{self._own}]" if ":" in self._own else self._own,
            interface=self._own,
            sip=self.port,
            rtp=rtp,
            rtp_end=rtp + 20,
            control=self._control,
            modules=_modules(),
            tone=tone,
        )
        proof = f";auth_pass={password};regint={expires}" if password else ";regint=0"
        account = f"<sip:{self.number}@{self.server};transport={transport}>{proof};answermode=manual"
        trust = f"sip_cafile {ca}\n" if ca is not None else ""
        (self._directory / "config").write_text(settings + trust)
        (self._directory / "accounts").write_text(f"{account};audio_codecs=PCMA,PCMU\n")
        (self._directory / "contacts").write_text("")

    def _connect(self) -> None:
        self.process.serves(self._try_connect, "baresip takes commands")
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _try_connect(self) -> bool:
        try:
            place = ("127.0.0.1", self._control)
            if self._on is None:
                self._socket = socket.create_connection(place)
            else:
                self._socket = self._on.socket(socket.SOCK_STREAM, remote=place)
                self._socket.settimeout(None)
        except OSError:
            return False
        return True

    def _read(self) -> None:
        data = b""
        while True:
            try:
                more = self._socket.recv(65536)
            except OSError:
                more = b""
            if not more:
                return
            data = self._take(data + more)

    def _take(self, data: bytes) -> bytes:
        """Note every complete netstring at the front of `data`; return the rest."""
        while (colon := data.find(b":")) > 0 and len(data) >= (end := colon + 1 + int(data[:colon])) + 1:
            message = json.loads(data[colon + 1 : end])
            with self._news:
                if message.get("response"):
                    self._replies[str(message.get("token"))] = message
                else:
                    self.events.append(message)
                self._news.notify_all()
            data = data[end + 1 :]
        return data

    def _packets(self) -> int:
        """Return how many packets came in, from all sources that there have been in the call."""
        return sum(map(int, re.findall(r"rcvd=(\d+)", self.command("audio_debug"))))

    def _renegotiate(self, command: str) -> None:
        before = self.count("CALL_REMOTE_SDP")
        self.command(command)
        self.wait("CALL_REMOTE_SDP", before + 1)

    def _nth(self, kind: str, count: int) -> Event | None:
        found = [event for event in self.events if event.get("type") == kind]
        return found[count - 1] if len(found) >= count else None

    def _await(self, look: Callable[[], Event | None], what: str, seconds: float) -> Event:
        with self._news:
            self._news.wait_for(look, seconds)
            found = look()
        assert found is not None, f"not within {seconds:g} s: {what}\n{self.report()}"
        return found


def _modules() -> Path:
    """Return the directory of baresip's modules, wherever the distribution puts it."""
    for place in (Path("/usr/lib/baresip/modules"), Path("/usr/local/lib/baresip/modules")):
        if place.is_dir():
            return place
    raise AssertionError("baresip is not installed")
