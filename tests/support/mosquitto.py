"""A real Mosquitto on loopback: a broker for one test, on a port from the kernel."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import socket
from pathlib import Path

from tests.support.ports import free_port
from tests.support.process import Process


class Mosquitto:
    """A running broker. Use as a context manager.

    `users` maps names to passwords; without it everybody may connect. `acl` is the text of an ACL file.
    `stop` and `start` make an outage; the port stays, retained messages do not survive it.
    """

    def __init__(self, directory: Path, *, users: dict[str, str] | None = None, acl: str | None = None) -> None:
        self.directory = directory
        self.host = "127.0.0.1"
        self.port = free_port()
        self._users = users
        self._acl = acl
        self._process: Process | None = None
        self._numbers = itertools.count(1)
        self._reserved: socket.socket | None = None
        directory.mkdir(parents=True, exist_ok=True)
        self.start()

    def __enter__(self) -> Mosquitto:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        if self._reserved is not None:
            self._reserved.close()

    @property
    def url(self) -> str:
        """The address as the configuration wants it."""
        return f"mqtt://{self.host}:{self.port}"

    @property
    def process(self) -> Process:
        """The broker's process."""
        assert self._process is not None, "the broker is stopped"
        return self._process

    def start(self) -> None:
        """Start the broker and wait until it takes connections."""
        program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
        assert program, "mosquitto is not installed"
        if self._reserved is not None:
            self._reserved.close()
            self._reserved = None
        self._process = Process([program, "-c", self._configuration()])
        self._process.serves(self._answers, "mosquitto takes connections")

    def stop(self, sign: int = signal.SIGTERM) -> None:
        """End the broker; its port is kept from others meanwhile, and refuses connections."""
        if self._process is not None:
            self._process.end(sign)
            self._process = None
            self._reserved = socket.socket()
            self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._reserved.bind((self.host, self.port))

    def publish(self, topic: str, payload: str, *, retain: bool = False) -> None:
        """Publish one message at QoS 1 with mosquitto_pub."""
        argv = ["mosquitto_pub", "-h", self.host, "-p", str(self.port), "-q", "1", "-t", topic, "-m", payload]
        with Process(argv + ["-r"] * retain) as client:
            assert client.wait() == 0, client.report()

    def subscribe(self, *topics: str) -> Process:
        """Return a mosquitto_sub that is subscribed: each message is a line `topic payload` of its output."""
        name = f"sub-{next(self._numbers)}"
        argv = ["mosquitto_sub", "-i", name, "-h", self.host, "-p", str(self.port), "-q", "1", "-F", "%t %p"]
        subscriber = Process(argv + [word for topic in topics for word in ("-t", topic)])
        self.process.wait_for(f"Sending SUBACK to {name}")
        return subscriber

    def _configuration(self) -> Path:
        lines = [f"listener {self.port} {self.host}", "persistence false", "log_dest stderr", "log_type all"]
        lines.append(f"allow_anonymous {'false' if self._users else 'true'}")
        if self._users:
            lines.append(f"password_file {self._passwords(self._users)}")
        if self._acl is not None:
            acl = self.directory / "acl"
            acl.write_text(self._acl)
            acl.chmod(0o644)
            lines.append(f"acl_file {acl}")
        if _is_root():
            lines.append("user root")  # else it becomes a user who may not read a private temporary directory
        path = self.directory / "mosquitto.conf"
        path.write_text("\n".join(lines) + "\n")
        return path

    def _passwords(self, users: dict[str, str]) -> Path:
        path = self.directory / "passwords"
        path.write_text("".join(f"{name}:{password}\n" for name, password in users.items()))
        with Process(["mosquitto_passwd", "-U", path]) as hashing:
            assert hashing.wait() == 0, hashing.report()
        return path

    def _answers(self) -> bool:
        try:
            socket.create_connection((self.host, self.port), timeout=1.0).close()
        except OSError:
            return False
        return True


def _is_root() -> bool:
    return os.geteuid() == 0
