"""`cti-bridge demo` as a person runs it, and in worlds that were bent, so that its checks can be seen to fail."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bridge.demo.story import STORY
from tests.support.process import Process, wait_until

SECONDS = 30.0
"""What the demo may take."""


class Demo(Process):
    """A demo with temporary files of its own, in `directory`."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.directory = directory
        directory.mkdir()
        argv = [sys.executable, "-m", "bridge.cli", "demo", *options]
        super().__init__(argv, env={"TMPDIR": str(directory), "PYTHONUNBUFFERED": "1"})

    def left_nothing(self) -> None:
        """Wait until no process of it is there any more; AssertionError if a file is."""
        assert list(self.directory.iterdir()) == []
        wait_until(lambda: not self._processes(), f"all processes have ended: {self._processes()}")

    def _processes(self) -> list[str]:
        """Return the processes that have their temporary files where it has them."""
        found = []
        for path in Path("/proc").glob("[0-9]*/environ"):
            try:
                if f"TMPDIR={self.directory}".encode() in path.read_bytes().split(b"\0"):
                    found.append(path.with_name("cmdline").read_text().replace("\0", " "))
            except OSError:  # it has ended, or is another login's
                continue
        return found


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Callable[..., Demo]]:
    """Return what runs the demo: `demo("--json")`."""
    running: list[Demo] = []

    def run(*options: str) -> Demo:
        running.append(Demo(tmp_path / str(len(running)), *options))
        return running[-1]

    yield run
    for process in running:
        process.end()


def test_all_of_it_happens(demo: Callable[..., Demo]) -> None:
    """Every step is told with its evidence; it ends with 0, in time, and leaves nothing behind."""
    began = time.monotonic()
    process = demo()
    assert process.wait(2 * SECONDS) == 0, process.report()
    assert time.monotonic() - began < SECONDS, process.report()
    for step in STORY:
        assert step.title in process.stdout, process.report()
    assert process.stdout.count(" ok: ") == len(STORY)
    assert f"All {len(STORY)} steps happened" in process.stdout
    assert process.stderr == ""
    process.left_nothing()


BENT: list[tuple[dict[str, object], str, str]] = [
    ({"phones_password": "wrong"}, "register", "Anna's phone was not registered: 403"),
    ({"parallel": "699"}, "nobody", "480 was not the answer: it was 404"),
    ({"presses": "toggle office"}, "button-in", "the lamp did not become steady"),
    ({"colleague": "cara"}, "command-in", "Ben's login in support did not become ON"),
    ({"phone_tone": 0}, "answer", "the caller did not hear a tone of 440 Hz"),
    ({"caller_tone": 0}, "answer", "Ben did not hear the caller's tone of 1000 Hz"),
    ({"sequential": "600"}, "sequential", "Anna's phone did not stop ringing"),
]
"""How a world is bent, in which step that has to be noticed, and what is to be missed there."""


def test_worlds_that_were_bent_are_noticed(demo: Callable[..., Demo]) -> None:
    """What does not happen is named, with its step; it ends with 1, and leaves nothing behind all the same."""
    worlds = [demo("--script", json.dumps({"patience": 3.0, **bent})) for bent, _, _ in BENT]
    for process, (_, step, missing) in zip(worlds, BENT, strict=True):
        assert process.wait(2 * SECONDS) == 1, process.report()
        assert f"FAILED: {missing}" in process.stdout, process.report()
        assert f"The step {step} did not happen." in process.stdout
        assert "Traceback" not in process.output
        process.left_nothing()


def test_it_tells_machines_too(demo: Callable[..., Demo]) -> None:
    """--json: one object with every step that happened, when, and what was seen; and what did not."""
    process = demo("--json", "--script", json.dumps({"parallel": "699"}))
    assert process.wait(2 * SECONDS) == 1, process.report()
    told = json.loads(process.stdout)
    assert (told["ok"], told["failed"]) == (False, "nobody") and told["missing"].startswith("480")
    assert [step["step"] for step in told["steps"]] == [step.name for step in STORY[:2]]
    assert all(step["evidence"] for step in told["steps"])


def test_interrupted_it_ends_all_that_it_began(demo: Callable[..., Demo]) -> None:
    """Ctrl-C, or SIGTERM, at any moment: 130, and neither a process nor a file is left."""
    moments = [("phones in", signal.SIGINT), ("in from a terminal", signal.SIGTERM), ("not answer", signal.SIGINT)]
    for process, (moment, sign) in [(demo(), moment) for moment in moments]:
        process.wait_for(moment)
        assert process.end(sign) == 130, process.report()
        assert "FAILED" not in process.stdout and "Traceback" not in process.output
        process.left_nothing()
