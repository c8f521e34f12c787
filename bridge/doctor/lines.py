"""The phones: whether each can be reached, and whether something answers in their place."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

from bridge.doctor.asking import Place, Silence, ask, words
from bridge.doctor.model import Findings, Patient, fail, ok, warn
from bridge.sip.grammar import parse_uri


def check_lines(patient: Patient) -> Findings:
    """Look at every line: those at a static place are asked, the others are as the agent knows them."""
    fine = []
    for name, line in patient.settings.lines.items():
        told = patient.status.get("lines", {}).get(name)
        if line.contact is not None:
            yield from _at_a_place(f"line {name}", line.contact)
        elif told is None:
            continue
        elif told["reachable"]:
            fine.append(name)
        else:
            yield _unreachable(name, line.number, told)
    if fine:
        yield ok("lines", f"{', '.join(fine)}: can be rung")


def _at_a_place(check: str, contact: str) -> Findings:
    uri = parse_uri(contact)
    transport = (uri.parameters.get("transport") or "udp").lower()
    todo = (
        "is the phone on, and at this address? Give it a fixed one, or let it register: a password instead of contact"
    )
    try:
        address = str(socket.getaddrinfo(uri.host, None, type=socket.SOCK_DGRAM)[0][4][0])
        place = Place(transport, address, uri.port or (5061 if transport == "tls" else 5060))
        answer = ask(place, "OPTIONS", contact, "sip:doctor@localhost", seconds=3.0)
    except Silence as silence:
        yield fail(check, str(silence), todo)
    except OSError as error:
        yield fail(check, f"{uri.host} cannot be resolved: {error.strerror or error}", todo)
    else:
        yield ok(check, f"its phone answers: {words(answer.response)}")


def _unreachable(name: str, number: str, told: Mapping[str, Any]) -> Any:
    via = str(told["via"])
    if via.startswith("trunk "):
        return warn(f"line {name}", f"cannot be rung: {via} is lost", "see that trunk above")
    todo = f"the phone's settings: server is this machine, user {number}, the line's password (bridge/recipes.md)"
    return fail(f"line {name}", "its phone has not registered", todo)


def check_mailboxes(patient: Patient) -> Findings:
    """Tell who answered calls without having rung: a mailbox, a diversion, a phone that answers by itself."""
    seen = _answers(patient)
    for line, (every, silent) in seen.items():
        if silent:
            said = f"answered {silent} of {every} calls without ringing: a mailbox, perhaps"
            todo = f"switch the mailbox off, let it answer later, or give [lines.{line}] confirm = true"
            yield warn(f"line {line}", said, todo)
    if seen and not any(silent for _, silent in seen.values()):
        yield ok("mailboxes", "whoever answered had rung before")


def _answers(patient: Patient) -> dict[str, tuple[int, int]]:
    """Return by line how many of the last calls it answered, and how many of them without ringing."""
    found: dict[str, tuple[int, int]] = {}
    for call in patient.calls:
        for part in call["members"]:
            line = _line_of(patient, part["member"])
            if part["outcome"] == "answered" and line is not None:
                every, silent = found.get(line, (0, 0))
                found[line] = every + 1, silent + (part["rang"] == 0)
    return found


def _line_of(patient: Patient, member: str) -> str | None:
    user = patient.settings.users.get(member)
    line = user.line if user is not None else member
    return line if line in patient.settings.lines else None
