"""`cti-bridge doctor`: look for all that may be wrong, here and around; with and without a running agent."""

from __future__ import annotations

import argparse
import os
import pwd
import shutil
import sys
import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from bridge.cli.asking import print_json
from bridge.cli.ending import DONE, FAILED, UNREACHABLE, Stop
from bridge.cli.places import find_control, state_directory
from bridge.cli.text import clean
from bridge.config.find import find
from bridge.config.problems import ConfigError
from bridge.control.client import Agent, AgentUnreachable

if TYPE_CHECKING:
    from bridge.config.settings import Settings
    from bridge.doctor.model import Finding, Patient

SERVICE_USER = "cti-bridge"
SERVICE_STATE = Path("/var/lib/cti-bridge")
WIDTH = 80
CALLS = 500  # of the journal that are looked at
_LONGEST_NAME = 16


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare nothing beside the global options."""


def run(args: argparse.Namespace) -> int:
    """Print the findings; 1 where something fails, 0 where all is well or may become a nuisance."""
    findings = _examine(args, _agent(args))
    counts = Counter(str(finding.verdict) for finding in findings)
    if args.json:
        print_json({"findings": [finding._asdict() for finding in findings], "counts": dict(counts)})
    else:
        print("\n".join(_lines(findings)))
        print("\n" + ", ".join(f"{counts[word]} {word}" for word in ("fail", "warn", "ok") if counts[word]))
    return FAILED if counts["fail"] else DONE


class Told(NamedTuple):
    """What the agent says: of itself, and of the last calls; nothing where none answers."""

    status: Mapping[str, Any] = MappingProxyType({})
    diagnosis: Mapping[str, Any] = MappingProxyType({})
    calls: Sequence[Mapping[str, Any]] = ()


def _agent(args: argparse.Namespace) -> Told:
    try:
        with Agent(find_control(args.control, args.state)) as agent:
            journal = _data(agent, "journal", {"only": "calls", "last": CALLS})
            return Told(_data(agent, "status"), _data(agent, "diagnosis"), journal.get("entries", ()))
    except AgentUnreachable as gone:
        if isinstance(gone.__cause__, PermissionError):
            raise Stop(str(gone), UNREACHABLE) from None
        return Told(calls=_journal(_state(args, {})))


def _journal(state: Path) -> Sequence[Mapping[str, Any]]:
    """Return the last calls from the journal's file, as far as it may be read."""
    from bridge import lookups
    from bridge.commands.eyes import Eyes
    from bridge.commands.model import OWNER
    from bridge.directory.model import Directory
    from bridge.journal.model import Filter
    from bridge.store.errors import StoreError
    from bridge.store.journal import FILE, opened_for_reading

    try:
        with opened_for_reading(state / FILE) as connection:
            found = lookups.entries(connection, Filter(last=CALLS, changes=False), Eyes(OWNER, Directory()))
    except (OSError, StoreError):
        return ()  # there is none yet, or it is another login's
    entries: Sequence[Mapping[str, Any]] = found["entries"]
    return entries


def _data(agent: Agent, verb: str, arguments: Mapping[str, Any] = MappingProxyType({})) -> Mapping[str, Any]:
    """Return what it answers; nothing where it refuses, as an older one does that has no such verb."""
    answer = agent.request(verb, arguments)
    return {} if answer.get("error") else answer["data"]


def _examine(args: argparse.Namespace, told: Told) -> Sequence[Finding]:
    from bridge.config.settings import Settings
    from bridge.doctor.configuration import mistakes
    from bridge.doctor.rounds import OF_THE_MACHINE, examine

    path: Path | None = None
    try:
        path = _configuration(args, told.diagnosis)
        patient = _patient(args, path, _settings(path, told.diagnosis), told)
    except ConfigError as error:
        patient = _patient(args, path or Path(), Settings.model_validate({}), told)
        return [*mistakes(path, error), *examine(patient, OF_THE_MACHINE)]
    return examine(patient)


def _configuration(args: argparse.Namespace, diagnosis: Mapping[str, Any]) -> Path:
    """Return the configuration that is named, else the running agent's, else the one that is found."""
    if args.config is None and diagnosis.get("config"):
        return Path(diagnosis["config"])
    return find(args.config)


def _settings(path: Path, diagnosis: Mapping[str, Any]) -> Settings:
    """Load it with the environment of the running agent, where that may be seen: its secrets may be there."""
    from bridge.config.load import load

    environ: Mapping[str, str] = os.environ
    try:
        raw = Path("/proc", str(diagnosis["pid"]), "environ").read_bytes()
        pairs = (os.fsdecode(each).partition("=") for each in raw.split(b"\0") if each)
        environ = {name: value for name, _, value in pairs}
    except (KeyError, OSError):
        pass  # no agent, or not ours to look at
    return load(path, environ)


def _patient(args: argparse.Namespace, path: Path, settings: Settings, told: Told) -> Patient:
    from bridge.doctor.access import current_user
    from bridge.doctor.model import Patient

    user = told.diagnosis.get("user") or (SERVICE_USER if _is_service() else current_user())
    return Patient(path, settings, _state(args, told.diagnosis), user, *told)


def _state(args: argparse.Namespace, diagnosis: Mapping[str, Any]) -> Path:
    """Return where the agent keeps its data, or would."""
    if "state" in diagnosis:
        return Path(diagnosis["state"])
    return SERVICE_STATE if args.state is None and _is_service() else state_directory(args.state)


def _is_service() -> bool:
    """Whether root asks on a machine where the bridge is installed as a service."""
    try:
        pwd.getpwnam(SERVICE_USER)
    except KeyError:
        return False
    return os.geteuid() == 0 and SERVICE_STATE.is_dir()


# -- what is printed -------------------------------------------------------------------------------------------------


def _lines(findings: Iterable[Finding]) -> Iterable[str]:
    """Return each finding in lines of the terminal's width: verdict, what, how it is; below it what to do."""
    found = list(findings)
    name = min(_LONGEST_NAME, max((len(each.check) for each in found), default=0))
    width = min(shutil.get_terminal_size((WIDTH, 24)).columns, 120) if sys.stdout.isatty() else WIDTH
    indent = " " * (6 + name + 2)
    for each in found:
        head = f"{each.verdict:4}  {clean(each.check):{name}}  "
        yield from textwrap.wrap(clean(each.said), width, initial_indent=head, subsequent_indent=indent) or [
            head.rstrip()
        ]
        if each.todo:
            yield from textwrap.wrap(
                clean(each.todo), width, initial_indent=f"{indent}-> ", subsequent_indent=f"{indent}   "
            )
