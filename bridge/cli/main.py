"""The command line's entry: global options, the command's own module, the exit code.

The words before the command are read first; then only that command's module is imported, to read the rest.
The global options may stand before or after the command.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from bridge import __version__
from bridge.cli import ending
from bridge.cli.table import COMMANDS

PROG = "cti-bridge"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    try:
        code = _dispatch(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return ending.INTERRUPTED
    except BrokenPipeError:
        _discard_output()
        return ending.FAILED
    except SystemExit as end:  # argparse: help was asked for, or the usage was wrong
        return end.code if isinstance(end.code, int) else ending.DONE
    except ending.Stop as stop:
        print(f"{PROG}: {stop}", file=sys.stderr)
        return stop.code
    return code


def _dispatch(argv: Sequence[str]) -> int:
    args = argparse.Namespace(config=None, control=None, state=None, json=False, who=None)
    top = _top_parser()
    if not argv:
        top.print_help(sys.stderr)
        return ending.USAGE
    top.parse_args(argv, args)
    entry = COMMANDS.get(args.command)
    if entry is None:
        raise ending.Stop(_unknown(args.command), ending.USAGE)
    parser = command_parser(args.command)
    rest = args.rest
    del args.rest
    parser.parse_args(rest, args)
    code: int = import_module(entry.module).run(args)
    return code


def command_parser(name: str) -> argparse.ArgumentParser:
    """Return what reads the words after a command's name; its module is imported for that."""
    entry = COMMANDS[name]
    parser = argparse.ArgumentParser(
        prog=f"{PROG} {name}",
        description=f"{entry.help[0].upper()}{entry.help[1:]}.",
        parents=[global_options()],
        allow_abbrev=False,
    )
    import_module(entry.module).arguments(parser)
    return parser


def _top_parser() -> argparse.ArgumentParser:
    width = max(map(len, COMMANDS))
    listing = "\n".join(f"  {name:{width}}  {entry.help}" for name, entry in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog=PROG,
        description="Hunt groups, logins and lamps beside a SIP PBX.",
        epilog=f"commands:\n{listing}\n\n'{PROG} COMMAND --help' tells more.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[global_options()],
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"{PROG} {__version__}")
    parser.add_argument("command", metavar="COMMAND", help="one of those below")
    parser.add_argument("rest", nargs=argparse.REMAINDER, help=argparse.SUPPRESS).required = False
    return parser


def global_options() -> argparse.ArgumentParser:
    """Return the options of every command; left out, they leave alone what stood before the command."""
    parser = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    group = parser.add_argument_group("for every command")
    group.add_argument("--config", metavar="FILE", help="the configuration (TOML)")
    group.add_argument("--state", metavar="DIR", help="where the agent keeps its data")
    group.add_argument("--control", metavar="PATH", help="the agent's control socket")
    group.add_argument("--as", metavar="USER", dest="who", help="ask the agent as this user would: act and see alike")
    group.add_argument("--json", action="store_true", help="answer in JSON, for machines")
    return parser


def _unknown(command: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(command, COMMANDS, 1)
    guess = f"did you mean {close[0]}?" if close else f"one of {', '.join(COMMANDS)}"
    return f"there is no command {command!r}; {guess}"


def _discard_output() -> None:
    """Let the interpreter's last flush of a closed pipe go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
