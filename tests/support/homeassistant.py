"""Home Assistant itself, installed for tests into a virtual environment below build/, and driven from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from tests.support.ports import free_port
from tests.support.process import PATIENCE

ROOT = Path(__file__).parents[2]
WANTED = "CTI_BRIDGE_HOMEASSISTANT"
"""The variable that asks for it: 1, or the path of the Python (3.13 or later) to install it for."""

PACKAGES = {
    (3, 11): ("homeassistant==2024.3.3", "paho-mqtt==1.6.1", "janus==1.0.0", "josepy<2"),
    (3, 13): ("homeassistant==2025.4.4", "paho-mqtt==2.1.0"),
}
"""The version to install for the Python at hand, and the parts of its MQTT integration."""


def python() -> tuple[Path, tuple[int, int]] | None:
    """Return the Python to run Home Assistant with and its version, None where nobody asks or none fits."""
    asked = os.environ.get(WANTED, "")
    if not asked:
        return None
    chosen = Path(sys.executable if asked == "1" else asked)
    said = subprocess.run([chosen, "-c", "import sys; print(*sys.version_info[:2])"], capture_output=True, check=True)
    major, minor = map(int, said.stdout.split())
    return (chosen, (major, minor)) if (major, minor) in PACKAGES else None


def installed() -> Path:
    """Return the interpreter of an environment that has Home Assistant; install it, in about two minutes, if needed."""
    found = python()
    assert found is not None
    interpreter, version = found
    home = ROOT / "build" / f"homeassistant-{version[0]}.{version[1]}"
    ours, stamp = home / "bin" / "python", home / ".installed"
    wanted = "\n".join(PACKAGES[version])
    if not stamp.exists() or stamp.read_text() != wanted:
        subprocess.run([interpreter, "-m", "venv", "--clear", home], check=True, stdout=subprocess.DEVNULL)
        pip: list[str | Path] = [ours, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *PACKAGES[version]], check=True)
        stamp.write_text(wanted)
    return ours


class HomeAssistant:
    """A running Home Assistant, connected to a broker. Use as a context manager."""

    def __init__(self, directory: Path, host: str, port: int) -> None:
        program = Path(__file__).with_name("hass.py")
        argv: list[str | Path] = [installed(), "-P", program, directory, host, str(port), str(free_port())]
        self._log = directory.with_suffix(".log")
        with self._log.open("w") as log:
            self._popen = subprocess.Popen(
                argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, cwd=directory.parent
            )
        self._lines: list[str] = []
        self._news = threading.Condition()
        assert self._popen.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(self._popen.stdout,), daemon=True)
        self._reader.start()

    def __enter__(self) -> HomeAssistant:
        try:
            assert self._next() == "ready"
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        assert self._popen.stdin is not None
        self._popen.stdin.close()  # which ends it
        try:
            self._popen.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        self._reader.join(2.0)

    def look(self) -> dict[str, Any]:
        """Return what there is: `entities` by id, `devices`, `complaints`."""
        seen: dict[str, Any] = self.ask("look")
        return seen

    def ask(self, *words: str) -> Any:
        """Say one of the driver's lines and return its answer."""
        assert self._popen.stdin is not None
        print(*words, file=self._popen.stdin, flush=True)
        answer = self._next()
        return json.loads(answer) if answer.startswith("{") else answer

    def wait_for(self, condition: Callable[[dict[str, Any]], object], what: str) -> dict[str, Any]:
        """Look until a condition on the entities holds; return them."""
        deadline = time.monotonic() + PATIENCE
        while True:
            entities: dict[str, Any] = self.look()["entities"]
            if condition(entities):
                return entities
            assert time.monotonic() < deadline, f"{what}; there are {json.dumps(entities, indent=1)}"
            time.sleep(0.05)

    def _next(self) -> str:
        with self._news:
            said = self._news.wait_for(lambda: self._lines, 2 * PATIENCE)
            assert said and self._lines[0], f"Home Assistant says nothing\n{self._told()}"
            return self._lines.pop(0)

    def _told(self) -> str:
        return self._log.read_text()[-4000:]

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            with self._news:
                self._lines.append(line.strip())
                self._news.notify_all()
        with self._news:
            self._lines.append("")
            self._news.notify_all()
        stream.close()
