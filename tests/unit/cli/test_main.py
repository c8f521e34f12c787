from __future__ import annotations

import argparse
import subprocess
import sys
from importlib import import_module

import pytest

from bridge.cli import ending
from bridge.cli.main import main
from bridge.cli.table import COMMANDS, Entry


class Spoken:
    """A command's module that does what a test tells it, and remembers its arguments."""

    def __init__(self, code: int = 0, error: BaseException | None = None) -> None:
        self.code = code
        self.error = error
        self.args = argparse.Namespace()

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Take one word and one flag."""
        parser.add_argument("word", nargs="?")
        parser.add_argument("--loud", action="store_true")

    def run(self, args: argparse.Namespace) -> int:
        """End as told."""
        self.args = args
        if self.error:
            raise self.error
        return self.code


@pytest.fixture
def speak(monkeypatch: pytest.MonkeyPatch) -> Spoken:
    """Return the module of a command `speak`, which is there for one test."""
    module = Spoken()
    monkeypatch.setitem(sys.modules, "tests.spoken", module)
    monkeypatch.setitem(COMMANDS, "speak", Entry("tests.spoken", "speak"))
    return module


def test_the_commands_own_exit_code(speak: Spoken) -> None:
    """What a command returns is the exit code."""
    speak.code = 3
    assert main(["speak"]) == 3


def test_global_options_before_and_after(speak: Spoken) -> None:
    """Global options may stand on either side of the command; the later one counts."""
    main(["--json", "--control", "/a", "speak", "hello", "--control", "/b", "--loud"])
    assert vars(speak.args) == {
        "command": "speak",
        "config": None,
        "control": "/b",
        "state": None,
        "json": True,
        "who": None,
        "word": "hello",
        "loud": True,
    }


def test_options_before_are_not_lost(speak: Spoken) -> None:
    """What stands before the command is not overridden by the defaults of what stands after it."""
    main(["--config", "/a", "speak"])
    assert (speak.args.config, speak.args.json) == ("/a", False)


@pytest.mark.parametrize(
    ("error", "code"),
    [(KeyboardInterrupt(), 130), (ending.Stop("no agent", ending.UNREACHABLE), 3), (ending.Stop("refused"), 1)],
)
def test_early_ends(speak: Spoken, error: BaseException, code: int) -> None:
    """Ctrl-C ends with 130, a stop with its own code."""
    speak.error = error
    assert main(["speak"]) == code


def test_a_stop_says_why(speak: Spoken, capsys: pytest.CaptureFixture[str]) -> None:
    """A stop's message goes to standard error, under the program's name."""
    speak.error = ending.Stop("no agent answers")
    main(["speak"])
    assert capsys.readouterr() == ("", "cti-bridge: no agent answers\n")


def test_our_own_faults_are_not_hidden(speak: Spoken) -> None:
    """A fault of ours is not turned into an exit code."""
    speak.error = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        main(["speak"])


def test_a_misspelt_command(capsys: pytest.CaptureFixture[str]) -> None:
    """A command that there is not is wrong usage, met with the closest one."""
    assert main(["stauts"]) == ending.USAGE
    assert capsys.readouterr().err == "cti-bridge: there is no command 'stauts'; did you mean status?\n"


def test_a_command_like_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    """Where none is close, all are named."""
    assert main(["xyzzy"]) == ending.USAGE
    assert capsys.readouterr().err == f"cti-bridge: there is no command 'xyzzy'; one of {', '.join(COMMANDS)}\n"


@pytest.mark.parametrize("argv", [[], ["--nonsense"], ["check", "--nonsense"], ["check", "--conf", "x"]])
def test_wrong_usage(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """No command, an unknown option or an abbreviated one is wrong usage, told on standard error."""
    assert main(argv) == ending.USAGE
    assert capsys.readouterr().err.startswith("usage: cti-bridge")


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """The help lists every command with what it does."""
    assert main(["--help"]) == ending.DONE
    said = capsys.readouterr().out
    assert all(f"  {name}" in said and entry.help in said for name, entry in COMMANDS.items())


def test_help_of_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    """A command's own help is the command's."""
    assert main(["check", "--help"]) == ending.DONE
    assert "--schema" in capsys.readouterr().out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_there(name: str) -> None:
    """Every command of the table has a module with the two functions."""
    module = import_module(COMMANDS[name].module)
    assert callable(module.arguments)
    assert callable(module.run)


HEAVY = ("asyncio", "gpiozero", "paho", "pydantic", "pyVoIP", "rich", "serial", "sipmessage", "sqlite3", "tomllib")
LIGHT = [name for name in COMMANDS if name not in ("run", "check", "demo", "test-call")]


def test_commands_pay_only_for_what_they_use() -> None:
    """To import every command that only asks the agent imports none of the heavy parts."""
    modules = ["bridge.cli.main", *(COMMANDS[name].module for name in LIGHT)]
    script = f"import sys, {', '.join(modules)}; print(*[m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_a_reader_that_goes_away() -> None:
    """A pipe that is closed while we write ends the command without a traceback."""
    script = "import sys; from bridge.cli.main import main; sys.exit(main(['check', '--schema']))"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout and process.stderr
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait() == ending.FAILED


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_tells_how_it_is_used(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` of each command ends with 0; its options do not clash with those of all."""
    assert main([name, "--help"]) == 0
    assert f"cti-bridge {name}" in capsys.readouterr().out


def test_without_any_word_the_commands_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """At standard error, as wrong usage; an option alone is told what is missing."""
    assert main([]) == ending.USAGE
    assert "write a configuration, from answers" in capsys.readouterr().err
    assert main(["--json"]) == ending.USAGE
    assert (
        capsys.readouterr().err.splitlines()[-1] == "cti-bridge: error: the following arguments are required: COMMAND"
    )
