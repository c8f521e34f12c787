"""`cti-bridge backup`: logins, journal and configuration in one file, without secrets."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bridge import __version__
from bridge.cli.asking import print_json, request
from bridge.cli.ending import DONE, FAILED, Stop
from bridge.cli.places import find_control, state_directory
from bridge.config.find import find
from bridge.config.problems import ConfigError
from bridge.control.client import Agent, AgentUnreachable


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument("file", metavar="FILE", help="the backup, such as bridge.tar.gz; one that is there is replaced")


def run(args: argparse.Namespace) -> int:
    """Make a backup, with the agent's help where it runs."""
    from bridge.events import iso
    from bridge.store.backup import pack
    from bridge.store.errors import StoreError

    target = Path(args.file)
    text, secrets, about = _configuration(args)
    try:
        with _databases(args) as databases:
            if not databases and text is None:
                raise Stop(
                    f"there is nothing to keep: no configuration, and no logins in {state_directory(args.state)}"
                )
            backup = pack(target, databases, text, iso(time.time()) or "", __version__, secrets)
    except StoreError as error:
        raise Stop(str(error), FAILED) from None
    if args.json:
        print_json({"file": str(target), **backup._asdict()})
        return DONE
    print(f"{target}: {', '.join(backup.files)}")
    if about:
        print(f"  {about}")
    for secret in secrets:
        print(f"  blotted out, keep it elsewhere: {secret}")
    return DONE


def _configuration(args: argparse.Namespace) -> tuple[str | None, tuple[str, ...], str]:
    """Return the configuration's text, the secrets that are blotted out in it, and what to say where there is none."""
    from bridge.config.blotting import blotted

    try:
        path = find(args.config)
    except ConfigError:
        return None, (), "without a configuration: there is none; name it with --config FILE"
    try:
        found = blotted(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Stop(
            f"{path} cannot be read: {error.strerror}; use sudo, or name another with --config", FAILED
        ) from None
    except ValueError as error:
        raise Stop(f"{path}: {error}", FAILED) from None
    return found.text, found.secrets, ""


@contextmanager
def _databases(args: argparse.Namespace) -> Iterator[dict[str, Path]]:
    """Lend copies of the databases that there are, by name."""
    try:
        agent = Agent(find_control(args.control, args.state))
    except AgentUnreachable:
        with tempfile.TemporaryDirectory() as directory:
            yield _copied(state_directory(args.state), Path(directory))
        return
    with agent:
        answer: dict[str, Any] = request(agent, args, "backup", {})
        try:
            files = {name: Path(path) for name, path in answer["files"].items()}
            try:
                for path in files.values():
                    path.open("rb").close()
            except PermissionError as error:
                raise Stop(f"{error.filename} cannot be read by this login; use sudo", FAILED) from None
            yield files
        finally:
            request(agent, args, "backup_done", {})


def _copied(state: Path, into: Path) -> dict[str, Path]:
    from bridge.store.backup import DATABASES, copy_file

    found = {}
    for name in DATABASES:
        if (state / name).exists():
            copy_file(state / name, into / name)
            found[name] = into / name
    return found
