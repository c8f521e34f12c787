"""Real MicroPython in a process of its own: it runs what the panel's firmware shares with the bridge."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).parents[2]
PLACE = ROOT / "build" / "micropython"
PACKAGE = "@micropython/micropython-webassembly-pyscript"
VERSION = "1.27.0"


@cache
def interpreter() -> Path:
    """Return the interpreter's module; it is installed where it is missing."""
    package = PLACE / "node_modules" / PACKAGE
    if not _installed(package):
        PLACE.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["npm", "install", "--silent", "--no-audit", "--no-fund", "--no-save", f"{PACKAGE}@{VERSION}"],
            cwd=PLACE,
            check=True,
            timeout=300,
        )
    return package / "micropython.mjs"


def _installed(package: Path) -> bool:
    description = package / "package.json"
    return description.is_file() and json.loads(description.read_text())["version"] == VERSION


class MicroPython:
    """A MicroPython that has run `program`, whose function `serve(line)` answers JSON with JSON."""

    def __init__(self, program: str) -> None:
        bridge = Path(__file__).with_suffix(".mjs")
        self._process = subprocess.Popen(
            ["node", str(bridge), str(interpreter()), str(ROOT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert self._line(program) is True
        except BaseException:
            self._end()
            raise

    def __enter__(self) -> MicroPython:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def call(self, *arguments: Any) -> Any:
        """Return what `serve` answers to these arguments."""
        return self._line(list(arguments))

    def _end(self) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def _line(self, said: Any) -> Any:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(said) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "MicroPython has ended; what it said is on stderr"
        return json.loads(answer)
