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
from typing import TYPE_CHECKING, Any

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
_LONGEST_NAME = 16


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare nothing beside the global options."""


def run(args: argparse.Namespace) -> int:
    """Print the findings; 1 where something fails, 0 where all is well or may become a nuisance."""
    status, diagnosis = _agent(args)
    findings = _examine(args, status, diagnosis)
    counts = Counter(str(finding.verdict) for finding in findings)
    if args.json:
        print_json({"findings": [finding._asdict() for finding in findings], "counts": dict(counts)})
    else:
        print("\n".join(_lines(findings)))
        print("\n" + ", ".join(f"{counts[word]} {word}" for word in ("fail", "warn", "ok") if counts[word]))
    return FAILED if counts["fail"] else DONE


def _agent(args: argparse.Namespace) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return what the agent says of itself; nothing where none answers."""
    try:
        with Agent(find_control(args.control, args.state)) as agent:
            return _data(agent, "status"), _data(agent, "diagnosis")
    except AgentUnreachable as gone:
        if isinstance(gone.__cause__, PermissionError):
            raise Stop(str(gone), UNREACHABLE) from None
        return {}, {}


def _data(agent: Agent, verb: str) -> Mapping[str, Any]:
    """Return what it answers; nothing where it refuses, as an older one does that has no such verb."""
    answer = agent.request(verb, {})
    return {} if answer.get("error") else answer["data"]


def _examine(args: argparse.Namespace, status: Mapping[str, Any], diagnosis: Mapping[str, Any]) -> Sequence[Finding]:
    from bridge.config.settings import Settings
    from bridge.doctor.configuration import mistakes
    from bridge.doctor.rounds import OF_THE_MACHINE, examine

    path: Path | None = None
    try:
        path = _configuration(args, diagnosis)
        patient = _patient(args, path, _settings(path, diagnosis), status, diagnosis)
    except ConfigError as error:
        patient = _patient(args, path or Path(), Settings.model_validate({}), status, diagnosis)
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


def _patient(
    args: argparse.Namespace,
    path: Path,
    settings: Settings,
    status: Mapping[str, Any],
    diagnosis: Mapping[str, Any],
) -> Patient:
    from bridge.doctor.access import current_user
    from bridge.doctor.model import Patient

    service = _is_service()
    user = diagnosis.get("user") or (SERVICE_USER if service else current_user())
    state = Path(diagnosis["state"]) if "state" in diagnosis else state_directory(args.state)
    if "state" not in diagnosis and service and args.state is None:
        state = SERVICE_STATE
    return Patient(path, settings, state, user, status, diagnosis)


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
