from __future__ import annotations

import pwd
from pathlib import Path
from typing import Any

import pytest

from bridge.config.settings import Settings
from bridge.doctor.access import READ, WRITE, current_user, may
from bridge.doctor.lines import check_mailboxes
from bridge.doctor.listening import drops_by_default, let_in
from bridge.doctor.machine import check_agent
from bridge.doctor.model import Patient, Verdict

UFW = """\
*filter
:INPUT DROP [0:0]
:ufw-user-input - [0:0]
-A INPUT -j ufw-user-input
-A ufw-user-input -p udp -m udp --dport 5060 -j ACCEPT
-A ufw-user-input -p udp -m multiport --dports 16384:16583 -j ACCEPT
-A ufw-user-input -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
"""
NFT = """\
table inet filter {
	chain input {
		type filter hook input priority filter; policy accept;
		iifname "lo" accept
		tcp dport { 22, 5060 } accept
		counter packets 0 bytes 0 drop
	}
	chain forward { type filter hook forward priority filter; policy drop; }
}
"""


def patient(**told: Any) -> Patient:
    """Return a patient with two lines, of whose agent this is told."""
    lines = {name: {"number": name, "contact": f"sip:{name}@192.0.2.1"} for name in ("anna", "ben")}
    return Patient(
        Path("/c"),
        Settings.model_validate({"lines": lines, "users": {"b": {"line": "ben"}}}),
        Path("/nowhere"),
        current_user(),
        **told,
    )


def test_version_that_is_not_the_installed_one() -> None:
    """After an upgrade without a restart."""
    found = {each.check: each for each in check_agent(patient(status={"version": "0.0.9"}))}
    assert found["version"].verdict is Verdict.WARN and "0.0.9 runs" in found["version"].said


def test_configuration_that_is_not_the_agents() -> None:
    """Doctor looks at another file than the agent goes by."""
    findings = list(check_agent(patient(status={"version": "0"}, diagnosis={"config": "/other"})))
    assert any("goes by /other" in each.said for each in findings)


def test_mailboxes() -> None:
    """A line that always rings first is no mailbox."""
    rang = {"members": [{"member": "anna", "outcome": "answered", "rang": 3.2}]}
    assert [each.verdict for each in check_mailboxes(patient(calls=[rang, rang]))] == [Verdict.OK]
    silent = {"members": [{"member": "b", "outcome": "answered", "rang": 0.0}]}
    missed = {"members": [{"member": "b", "outcome": "unreachable", "rang": 0.0}]}
    [found] = check_mailboxes(patient(calls=[rang, silent, missed]))
    assert found.check == "line ben" and "1 of 1" in found.said and "confirm = true" in found.todo
    assert not list(check_mailboxes(patient()))


@pytest.mark.parametrize(
    "rules, drops", [(UFW, True), (NFT, True), (NFT.replace("counter packets 0 bytes 0 drop", ""), False)]
)
def test_firewall_that_drops_by_default(rules: str, drops: bool) -> None:
    """By its policy, or by a last rule for everything; what it does with what is forwarded is no matter."""
    assert drops_by_default(rules) is drops


def test_ports_that_a_firewall_lets_in() -> None:
    """Of one transport, alone or in sets and ranges."""
    assert let_in(UFW, "udp", 5060, 5060) and let_in(UFW, "udp", 16384, 16583)
    assert not let_in(UFW, "tcp", 5060, 5060) and not let_in(UFW, "udp", 16384, 16584)
    assert let_in(NFT, "tcp", 5060, 5060) and not let_in(NFT, "udp", 5060, 5060)


def test_whether_another_login_may_use_a_file(tmp_path: Path) -> None:
    """Told from owner, group and others, as the kernel would."""
    nobody = pwd.getpwnam("nobody").pw_name
    file = tmp_path / "file"
    file.touch(mode=0o600)
    assert may(current_user(), file, READ | WRITE) and not may(nobody, file, READ)
    file.chmod(0o604)
    assert may(nobody, file, READ) and not may(nobody, file, WRITE)
    assert not may("no-such-login", file, READ)
    with pytest.raises(OSError):
        may(nobody, tmp_path / "gone", READ)
