"""The manual page and the shell's completion, from the commands' own help: `python -m bridge.cli.manual man | bash`.

Both are written anew by every installation, so they tell of what is installed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator

from bridge import __version__
from bridge.cli.main import PROG, command_parser, global_options
from bridge.cli.table import COMMANDS

FILES = (
    ("/etc/cti-bridge/cti-bridge.toml", "the service's configuration"),
    ("/etc/cti-bridge/secrets/", "its passwords, one a file"),
    ("/var/lib/cti-bridge/", "its logins, and what it keeps over a restart"),
    ("/run/cti-bridge/control.sock", "where the service takes commands; root may give them"),
)
ENVIRONMENT = (
    ("CTI_BRIDGE_CONFIG", "the configuration, where --config is not given"),
    ("STATE_DIRECTORY, RUNTIME_DIRECTORY", "the places of data and socket, as systemd gives them"),
)
ENDINGS = (("0", "done"), ("1", "refused or failed"), ("2", "wrong usage"), ("3", "no agent answers"))


def main() -> int:
    """Print what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m bridge.cli.manual", description=__doc__)
    parser.add_argument("what", choices=tuple(_WRITERS))
    sys.stdout.write(_WRITERS[parser.parse_args().what]())
    return 0


def man() -> str:
    """Return the manual page, in roff."""
    return "\n".join(_page()) + "\n"


def bash() -> str:
    """Return the completion for bash: commands, then the options and words of the command that stands there."""
    cases = "\n".join(f"        {name}) words={_quoted(' '.join(_words(name)))} ;;" for name in COMMANDS)
    first = _quoted(" ".join([*COMMANDS, "--help", "--version"]))
    places = "|".join(dict.fromkeys(_places()))
    return _COMPLETION.format(prog=PROG, commands=first, cases=cases, places=places)


# -- the manual page --------------------------------------------------------------------------------------------------


def _page() -> Iterator[str]:
    yield f'.TH {PROG.upper()} 1 "" "{PROG} {__version__}" "{PROG}"'
    yield ".SH NAME"
    yield f"{_text(PROG)} \\- hunt groups, logins and lamps beside a SIP PBX"
    yield ".SH SYNOPSIS"
    yield f".B {_text(PROG)}"
    yield "[\\fIoptions\\fR] \\fIcommand\\fR [\\fIwords\\fR]"
    yield ".SH DESCRIPTION"
    yield "A small agent that rings hunt groups' members who are logged in, and the commands to look after it."
    yield ".SH OPTIONS"
    yield "These stand before or after every command."
    yield from _arguments(global_options()._actions)
    yield ".SH COMMANDS"
    for name in COMMANDS:
        yield from _command(name)
    yield ".SH EXIT STATUS"
    yield from _terms(ENDINGS)
    yield ".SH FILES"
    yield from _terms(FILES)
    yield ".SH ENVIRONMENT"
    yield from _terms(ENVIRONMENT)


def _command(name: str) -> Iterator[str]:
    parser = command_parser(name)
    common = {each.dest for each in global_options()._actions} | {"help"}
    own = [each for each in shown(parser) if each.dest not in common]
    words = " ".join(_text(_called(each)) for each in own if not each.option_strings)
    yield f".SS {_text(PROG)} {_text(name)} {words}".rstrip()
    yield _text(parser.description or "")
    yield from _arguments(own)


def _arguments(actions: Iterable[argparse.Action]) -> Iterator[str]:
    for each in actions:
        called = ", ".join(_with_value(each, name) for name in each.option_strings) or _called(each)
        yield ".TP"
        yield f"\\fB{_text(called)}\\fR"
        yield _text((each.help or "") % vars(each)) or "\\&"


def _with_value(action: argparse.Action, name: str) -> str:
    return name if action.nargs == 0 else f"{name} {_called(action)}"


def _called(action: argparse.Action) -> str:
    shown = action.metavar if isinstance(action.metavar, str) else None
    if shown is None and action.choices is not None:
        shown = "|".join(map(str, action.choices))
    shown = shown or action.dest.upper()
    return f"[{shown}]" if action.nargs == "?" else shown


def shown(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """Return a parser's arguments, hidden ones left out."""
    return [each for each in parser._actions if each.help is not argparse.SUPPRESS]


def _terms(rows: tuple[tuple[str, str], ...]) -> Iterator[str]:
    for term, told in rows:
        yield from (".TP", f"\\fB{_text(term)}\\fR", _text(told))


def _text(text: str) -> str:
    """Return text that roff takes as it is: no escapes, no requests at the head of a line."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


# -- the completion ---------------------------------------------------------------------------------------------------

_PLACES = ("FILE", "DIR", "PATH")  # metavars of options that take a place in the file system
_COMPLETION = """\
# Completion of {prog} for bash, made from its help.
_cti_bridge() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} command='' words='' last='' each
    case $before in
        {places}) compopt -o default; COMPREPLY=(); return ;;
    esac
    for each in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case $last in
            {places}) ;;
            *) [[ $each == -* || -n $command ]] || command=$each ;;
        esac
        last=$each
    done
    case $command in
        '') words={commands} ;;
{cases}
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}}
complete -F _cti_bridge {prog}
"""


def _words(name: str) -> Iterator[str]:
    for each in shown(command_parser(name)):
        yield from (option for option in each.option_strings if option.startswith("--"))
        if not each.option_strings and each.choices is not None:
            yield from map(str, each.choices)


def _places() -> Iterator[str]:
    """Yield every option of any command that takes a file or directory."""
    for parser in (global_options(), *map(command_parser, COMMANDS)):
        yield from (option for each in parser._actions if each.metavar in _PLACES for option in each.option_strings)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


_WRITERS: dict[str, Callable[[], str]] = {"man": man, "bash": bash}

if __name__ == "__main__":
    sys.exit(main())
