"""`cti-bridge run`: serve in the foreground; nothing is started before the whole configuration is right."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.cli.configuration import listing
from bridge.cli.ending import USAGE, Stop
from bridge.cli.places import control_socket, state_directory
from bridge.config.find import EXAMPLE, find
from bridge.config.problems import ConfigError
from bridge.options import Options

if TYPE_CHECKING:
    from bridge.config.addresses import Listen


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument(
        "--example", action="store_true", help="serve the example configuration that ships, and say how to try it"
    )
    parser.add_argument(
        "--simulate-hardware", action="store_true", help="simulate the desks' buttons and lamps: no Pi is needed"
    )


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT; 2 where the configuration is wrong."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})  # until the agent minds it: a reload during the start
    if args.example and args.config:
        raise Stop("--example and --config are given; serve one of them", USAGE)
    from bridge.reading import Reading

    path = None
    try:
        path = find(EXAMPLE if args.example else args.config)
        reading = Reading(path)
        _import_meanwhile(reading.text)
        values = reading.wait().values
    except ConfigError as error:
        raise Stop(listing(path, error), USAGE) from None
    for notice in values.notices:
        print(notice, file=sys.stderr)
    control = control_socket(args.control, args.state)
    options = Options(
        state=state_directory(args.state),
        control=control,
        simulate_hardware=args.simulate_hardware,
        ready=lambda listening: _ready(listening, control, welcome=args.example),
        config=path,
    )
    if values.satellite is not None:
        from bridge.satellite import run_satellite

        return run_satellite(values, options)
    from bridge.agent import run_agent

    return run_agent(values, options)


def _import_meanwhile(text: str) -> None:
    """Import what an agent needs while its configuration is read; a satellite, without `sip`, needs little of it."""
    if re.search(r"^[ \t]*\[?[ \t]*[\"']?sip\b", text, re.MULTILINE):
        import bridge.agent  # noqa: F401


def _ready(listening: Sequence[Listen], control: Path, *, welcome: bool) -> None:
    if welcome:
        from bridge.cli.welcome import welcome_text
        from bridge.config.load import load

        print(welcome_text(load(EXAMPLE), listening, _command(), _options(control)))
    print("ready", flush=True)


def _command() -> str:
    """Return how this very program is called from another terminal, in the same directory."""
    called = sys.argv[0]
    if os.path.basename(called) == "__main__.py":
        return f"{shlex.quote(sys.executable)} -m bridge.cli"
    absolute = os.path.abspath(called)
    relative = os.path.relpath(absolute)
    return shlex.quote(min(relative, absolute, key=len))


def _options(control: Path) -> str:
    """Return the options that other commands need to find this agent; none where it is at its usual place."""
    return "" if control == control_socket(None) else f" --control {shlex.quote(str(control))}"
