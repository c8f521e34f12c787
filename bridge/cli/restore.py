"""`cti-bridge restore`: what a backup has kept, back in its place; what is there now is kept beside it."""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bridge.cli.asking import print_json
from bridge.cli.ending import DONE, FAILED, Stop
from bridge.cli.places import find_control, state_directory
from bridge.config.find import PLACES, find
from bridge.config.problems import ConfigError
from bridge.control.client import Agent, AgentUnreachable


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument("file", metavar="FILE", help="the backup")


def run(args: argparse.Namespace) -> int:
    """Check the whole backup, then put each file in its place."""
    from bridge.store.backup import unpack
    from bridge.store.errors import StoreError

    _refuse_while_it_runs(args)
    state = state_directory(args.state)
    try:
        with tempfile.TemporaryDirectory() as directory:
            backup = unpack(Path(args.file), Path(directory))
            placed = _place(args, backup.files, Path(directory), state)
    except StoreError as error:
        raise Stop(str(error), FAILED) from None
    if args.json:
        print_json({"made": backup.made, "version": backup.version, "secrets": backup.secrets, "placed": placed})
        return DONE
    print(f"{args.file}, made {backup.made} by version {backup.version}:")
    for where, kept in placed.items():
        print(f"  {where}" + (f" (what was there is kept as {kept})" if kept else ""))
    for secret in backup.secrets:
        print(f"  to be written into the configuration again: {secret}")
    return DONE


def _refuse_while_it_runs(args: argparse.Namespace) -> None:
    try:
        with Agent(find_control(args.control, args.state)) as agent:
            raise Stop(f"the agent at {agent.path} runs; end it first (systemctl stop cti-bridge)", FAILED)
    except AgentUnreachable:
        return


def _place(args: argparse.Namespace, files: tuple[str, ...], source: Path, state: Path) -> dict[str, str | None]:
    """Put files where they belong; return where they are, and where what was there before is kept."""
    from bridge.store.backup import CONFIGURATION, DATABASES, locked, replace, stamped

    stamp = stamped(time.time())
    placed: dict[str, str | None] = {}
    for name in DATABASES:
        if (state / name).exists():
            locked(state / name)
    for name in files:
        target = state / name
        if name == CONFIGURATION:
            target = _for_configuration(args)
        kept = replace(source / name, target, stamp, _owned_as(target.parent))
        placed[str(target)] = None if kept is None else str(kept)
    return placed


def _for_configuration(args: argparse.Namespace) -> Path:
    """Return where the configuration goes: where none is, to its place; else beside the one that is there."""
    try:
        path = find(args.config)
    except ConfigError:
        return PLACES[0]
    return path.with_name(f"{path.name}.from-backup") if path.exists() else path


def _owned_as(directory: Path) -> Callable[[Path], None]:
    """Return what gives a file to the owner of a directory, where we are root and the agent is not."""

    def own(path: Path) -> None:
        if os.geteuid() == 0:
            there = directory.stat()
            os.chown(path, there.st_uid, there.st_gid)

    return own
