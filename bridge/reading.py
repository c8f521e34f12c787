"""Reads the configuration in a process of its own, so that what checks it does not stay in the memory of the agent.

pydantic with its models would be a quarter of all that an agent needs, for work that is done in a moment. The process
reads the configuration, with the files and secrets that it names, answers with plain values or with all mistakes, and
is gone. At the start it is a fork, beside which the rest of the agent is imported; at a reload, when there are threads
that a fork would leave behind in the middle of something, it is a new interpreter, and calls are served meanwhile.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import bridge.calls.model  # the values are made of it; before the fork, since both sides need it
import bridge.sip.grammar  # noqa: F401
from bridge.config.find import text_of
from bridge.config.problems import ConfigError, Problem

if TYPE_CHECKING:
    from bridge.config.addresses import Listen
    from bridge.config.settings import Settings
    from bridge.values import Values


class Fixed(NamedTuple):
    """What cannot change while an agent runs. `listen` None: it is a satellite."""

    listen: tuple[Listen, ...] | None
    advertise: str | None


class Read(NamedTuple):
    """What came of it: the values to go by, and the keys of `Fixed` that would have changed."""

    values: Values
    fixed: tuple[str, ...]


class Request(NamedTuple):
    """What is to be read: the text, the directory from which files in it count, and what is in force, if anything."""

    text: str
    base: Path
    present: Fixed | None = None


class Reading:
    """The configuration at `path` while a fork of this process, which must have no threads yet, reads it.

    Raises ConfigError where it has no text.
    """

    def __init__(self, path: Path) -> None:
        self.text = text_of(path)
        self._path = path
        self._pipe, answer = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            _answer_and_end(Request(self.text, path.parent), answer)
        os.close(answer)

    def wait(self) -> Read:
        """Return what was read. Raises ConfigError with every mistake."""
        with open(self._pipe, "rb") as pipe:
            answer = pipe.read()
        _, status = os.waitpid(self._pid, 0)
        return _understood(answer, os.waitstatus_to_exitcode(status), self._path)


def read_again(path: Path, present: Fixed) -> Read:
    """Read the configuration beside the one in force. Raises ConfigError with every mistake."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", "from bridge.reading import main; main()"],
        input=pickle.dumps(Request(text_of(path), path.parent, present)),
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    return _understood(done.stdout, done.returncode, path)


def _understood(answer: bytes, code: int, path: Path) -> Read:
    if code != 0:
        why = f"the process that reads it ended with {code}; its last words are in the log"
        raise ConfigError([Problem("", f"{path} could not be read: {why}")])
    read: Read | list[Problem] = pickle.loads(answer)
    if isinstance(read, Read):
        return read
    raise ConfigError(read)


# -- in that process ---------------------------------------------------------------------------------------------------


def main() -> None:
    """Answer a pickled request at standard input, at standard output."""
    sys.stdout.buffer.write(_answer(pickle.load(sys.stdin.buffer)))


def _answer_and_end(request: Request, pipe: int) -> NoReturn:
    """Answer, and end at once: what else there is at the end of a process is our parent's."""
    code = 1
    try:
        with open(pipe, "wb") as file:
            file.write(_answer(request))
        code = 0
    except BrokenPipeError:
        code = 0  # who asked is gone
    except Exception:
        traceback.print_exc()
    finally:
        os._exit(code)


def _answer(request: Request) -> bytes:
    try:
        return pickle.dumps(_read(request))
    except ConfigError as error:
        return pickle.dumps(error.problems)


def _read(request: Request) -> Read:
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"  # else every package of the machine is asked for some
    from bridge.config.load import parse  # here and not above: whoever asks is to be without it
    from bridge.making import values_of

    settings = parse(request.text, request.base, os.environ)
    fixed: list[str] = []
    if request.present is not None:
        settings, fixed = with_fixed(settings, request.present)
    return Read(values_of(settings), tuple(fixed))


def with_fixed(new: Settings, present: Fixed) -> tuple[Settings, list[str]]:
    """Return settings with what cannot change while the agent runs as it is, and the keys that would have changed.

    Raises ConfigError where nothing of them can be taken.
    """
    if (new.sip is None) is not (present.listen is None):
        what = "whether this is a bridge or a satellite changes with a restart; right is to restart it"
        raise ConfigError([Problem("sip", what)])
    if new.sip is None:
        return new, []
    changed = [name for name in Fixed._fields if getattr(new.sip, name) != getattr(present, name)]
    stays = {name: getattr(present, name) for name in changed}
    return new.model_copy(update={"sip": new.sip.model_copy(update=stays)}), [f"sip.{name}" for name in changed]
