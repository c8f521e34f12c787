"""A stubborn PBX on loopback: Kamailio, one configuration for each manner (tests/support/pbx/*.cfg).

It registers accounts with digest, refuses a foreign From, calls an account at its registered contact with the dialled
number in To, refuses re-INVITE and REFER, has few channels, sends early media, has a mailbox, and shows neither side
the other's Call-ID or Contact. Nothing is kept anywhere: its state is in its own memory and ends with it.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.support.ports import free_port
from tests.support.process import Process
from tests.support.sipp import is_bound

CONFIGURATIONS = Path(__file__).parent / "pbx"
MANNERS = ("fritzbox", "asterisk", "provider")
HOST = "127.0.0.2"  # on loopback too, and nobody else's address
OUTSIDE = "127.0.0.3"  # calls from there come over an outside line and need no proof
ACCOUNT = ("620", "secret")


def _place(at: int | str) -> str:
    return at if isinstance(at, str) else f"phone@127.0.0.1:{at}"


class Kamailio:
    """A running PBX of one manner. Use as a context manager.

    `phones`: number to the port on 127.0.0.1, or the user@host:port, of a phone that needs no registration; the number
    "mailbox" is where a call goes that nobody answered for `mailbox_after` seconds. `diverted`: number to number.
    `accounts`: user name to password, of whom may register. `trusted`: ports from which calls need no proof, as none
    from `OUTSIDE` does. `channels`: how many calls it carries at once. `most_expires`: seconds that it grants at most.
    """

    def __init__(
        self,
        directory: Path,
        manner: str,
        *,
        phones: Mapping[str, int | str] | None = None,
        diverted: Mapping[str, str] | None = None,
        accounts: Mapping[str, str] | None = None,
        trusted: Iterable[int] = (),
        channels: int = 8,
        mailbox_after: float = 20.0,
        most_expires: int = 3600,
        port: int | None = None,
    ) -> None:
        self.manner = manner
        self.port = port or free_port(HOST)
        self._directory = directory / f"pbx-{manner}-{self.port}"
        self._directory.mkdir(parents=True, exist_ok=True)
        tables = {
            "phones": {number: f"sip:{_place(at)}" for number, at in (phones or {}).items()},
            "diverted": dict(diverted or {}),
            "trusted": {str(port): "yes" for port in trusted},
            "accounts": dict([ACCOUNT]) if accounts is None else dict(accounts),
        }
        words = {
            "HOST": HOST,
            "PORT": self.port,
            "OUTSIDE": OUTSIDE,
            "REALM": "pbx",
            "CHANNELS": channels,
            "MAILBOX_AFTER": round(mailbox_after * 1000),
            "MOST_EXPIRES": most_expires,
        }
        self._configuration = self._directory / "kamailio.cfg"
        self._configuration.write_text(self._configure(words, tables))
        self.start()

    def start(self) -> None:
        """Start it, as after a power cut: it knows no registration and no call."""
        where = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
        program = shutil.which("kamailio", path=where)
        assert program, "kamailio is not installed"
        argv = [program, "-f", self._configuration, "-DD", "-E", "-l", f"udp:{HOST}:{self.port}", "-m", "32"]
        argv += ["-M", "4", "-w", self._directory, "-Y", self._directory, "-P", self._directory / "pid"]
        self.process = Process([str(word) for word in argv], cwd=self._directory)
        self.process.serves(lambda: is_bound(HOST, self.port, "udp"), "Kamailio listens")

    def __enter__(self) -> Kamailio:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """End it, and those of its children that it has left behind: it may be ended while it still begins."""
        pid, left = self.process.pid, []
        with contextlib.suppress(OSError):  # it has ended already
            left = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        self.process.end()
        for child in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)

    def report(self) -> str:
        """Return what it has said, for the message of a failure."""
        return f"--- PBX {self.manner}, port {self.port}\n{self.process.report()}"

    def refused(self) -> list[str]:
        """Return the statuses of requests that it refused, as `METHOD status`, oldest first."""
        return re.findall(r"refused: (\w+ \d+)", self.process.output)

    def _configure(self, words: Mapping[str, object], tables: Mapping[str, Mapping[str, str]]) -> str:
        lines = ["#!KAMAILIO"]
        lines += [f'#!substdef "/{word}/{value}/g"' for word, value in words.items()]
        lines += [f'include_file "{CONFIGURATIONS / name}.cfg"' for name in (self.manner, "common")]
        lines.append("event_route[htable:mod-init] {")
        for table, rows in tables.items():
            lines += [f'$var(key) = "{key}"; $sht({table}=>$var(key)) = "{value}";' for key, value in rows.items()]
        lines += ["return;", "}"]
        return "\n".join(lines) + "\n"
