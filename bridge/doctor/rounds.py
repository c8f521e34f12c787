"""All checks, in the order in which they are told; they look at different things, and so look at the same time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from bridge.doctor.broker import check_broker
from bridge.doctor.certificates import check_certificates
from bridge.doctor.configuration import check_configuration
from bridge.doctor.lines import check_lines, check_mailboxes
from bridge.doctor.listening import check_firewall, check_listening, check_sound
from bridge.doctor.machine import (
    check_agent,
    check_clock,
    check_disk,
    check_pins,
    check_power,
    check_serial,
    check_watchdog,
)
from bridge.doctor.model import Finding, Findings, Patient
from bridge.doctor.people import check_people
from bridge.doctor.trunks import check_trunks

Check = Callable[[Patient], Findings]

CHECKS: tuple[Check, ...] = (
    check_configuration,
    check_agent,
    check_trunks,
    check_listening,
    check_firewall,
    check_sound,
    check_certificates,
    check_lines,
    check_mailboxes,
    check_people,
    check_broker,
    check_pins,
    check_serial,
    check_clock,
    check_disk,
    check_power,
    check_watchdog,
)
OF_THE_MACHINE: tuple[Check, ...] = (check_agent, check_clock, check_disk, check_power, check_watchdog)
"""Those that need no configuration."""


def examine(patient: Patient, checks: Sequence[Check] = CHECKS) -> list[Finding]:
    """Return all findings, in the order of the checks."""
    with ThreadPoolExecutor(len(checks)) as pool:
        return [finding for found in pool.map(lambda check: list(check(patient)), checks) for finding in found]
