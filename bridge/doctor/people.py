"""The people whom the configuration names."""

from __future__ import annotations

import pwd

from bridge.doctor.model import Findings, Patient, ok, warn


def check_people(patient: Patient) -> Findings:
    """Look whether those who are to use the command line in their own name have a login on this machine."""
    named = {name: user.unix for name, user in patient.settings.users.items() if user.unix is not None}
    for name, login in named.items():
        try:
            pwd.getpwnam(login)
        except KeyError:
            todo = f"sudo adduser {login}, or name {name}'s login in users.{name}.unix"
            yield warn(f"login of {name}", f"this machine has no login {login}", todo)
        else:
            yield ok(f"login of {name}", f"{login} acts as {name}")
