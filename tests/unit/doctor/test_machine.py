"""What the machine tells of itself: its clock, card, power, and how often its service was started again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bridge.config.settings import Settings
from bridge.doctor import machine
from bridge.doctor.access import current_user
from bridge.doctor.machine import check_clock, check_disk, check_power, check_watchdog
from bridge.doctor.model import Finding, Patient, Verdict
from bridge.doctor.people import check_people

LOGIN = current_user()


def patient(state: Path = Path("/nowhere"), *, settings: dict[str, Any] | None = None, **told: Any) -> Patient:
    """Return a patient that keeps its data at `state`, of whose agent this is told."""
    return Patient(Path("/c"), Settings.model_validate(settings or {}), state, current_user(), **told)


@pytest.mark.parametrize(("right", "verdict"), [(True, Verdict.OK), (False, Verdict.WARN)])
def test_clock_that_nobody_has_set(monkeypatch: pytest.MonkeyPatch, right: bool, verdict: Verdict) -> None:
    """A clock that no time server has set since the start holds schedules up, and doctor says what to do."""
    monkeypatch.setattr(machine, "is_right", lambda: right)
    [found] = check_clock(patient())
    assert found.verdict is verdict
    assert right or ("no schedule turns" in found.said and "timedatectl" in found.todo)


@pytest.mark.parametrize(
    ("bits", "verdict", "said"),
    [
        ("0", Verdict.OK, "never too low"),
        ("50005", Verdict.FAIL, "too low now"),
        ("50000", Verdict.WARN, "was too low since the start"),
        ("20000", Verdict.OK, "never too low"),  # the processor was slowed down: warm, not weak
    ],
)
def test_power_supply(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, bits: str, verdict: Verdict, said: str) -> None:
    """The firmware's bits (hexadecimal; 0: now, 16: since the start) tell of a supply that is too weak."""
    told = tmp_path / "get_throttled"
    told.write_text(f"{bits}\n")
    monkeypatch.setattr(machine, "_THROTTLED", told)
    [found] = check_power(patient())
    assert (found.verdict, said in found.said) == (verdict, True)


@pytest.mark.parametrize("told", [None, "", "nonsense"])
def test_power_is_not_told_where_nobody_knows(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, told: str | None
) -> None:
    """Another machine than a Pi, or a firmware with other words: nothing is said, rather than that all is well."""
    place = tmp_path / "get_throttled"
    if told is not None:
        place.write_text(told)
    monkeypatch.setattr(machine, "_THROTTLED", place)
    assert list(check_power(patient())) == []


def card(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, errors: int) -> list[Finding]:
    """Return what is found where the state lies on a card of which the file system tells so many errors."""
    told = tmp_path / "ext4" / "mmcblk0p2"
    told.mkdir(parents=True)
    (told / "errors_count").write_text(f"{errors}\n")
    (told / "lifetime_write_kbytes").write_text(f"{7 << 20}\n")
    monkeypatch.setattr(machine, "_EXT4", told.parent)
    monkeypatch.setattr(machine, "_device_of", lambda place: "mmcblk0p2")
    return [found for found in check_disk(patient(tmp_path)) if found.check == "card"]


def test_card_that_wears_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Errors that the file system counted are told before the card dies."""
    [found] = card(monkeypatch, tmp_path, 3)
    assert found.verdict is Verdict.FAIL and "3 errors" in found.said and "backup" in found.todo


def test_card_that_is_well(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """How much was written to it in its life is told."""
    [found] = card(monkeypatch, tmp_path, 0)
    assert found.verdict is Verdict.OK and "7 GiB" in found.said


@pytest.mark.parametrize(("mebibytes", "verdict"), [(20, Verdict.FAIL), (200, Verdict.WARN), (2000, Verdict.OK)])
def test_disk_that_is_full(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mebibytes: int, verdict: Verdict) -> None:
    """What is left is told while there is time to make room."""

    class Usage:
        free = mebibytes << 20

    monkeypatch.setattr("shutil.disk_usage", lambda place: Usage)
    found = next(check_disk(patient(tmp_path)))
    assert found.verdict is verdict and f"{mebibytes} MiB" in found.said


@pytest.mark.parametrize(("restarts", "verdict"), [(0, Verdict.OK), (4, Verdict.WARN)])
def test_service_that_was_started_again(monkeypatch: pytest.MonkeyPatch, restarts: int, verdict: Verdict) -> None:
    """What systemd had to start again is told, with where its reason is found."""
    monkeypatch.setattr(machine, "_restarts", lambda: restarts)
    [found] = check_watchdog(patient(status={"version": "1"}, diagnosis={"watchdog": 10.0}))
    assert found.verdict is verdict
    assert not restarts or ("4 times" in found.said and "journalctl" in found.todo)


@pytest.mark.parametrize(("login", "verdict"), [(LOGIN, Verdict.OK), ("no-such-login", Verdict.WARN)])
def test_login_of_a_person(login: str, verdict: Verdict) -> None:
    """Who is to act in a person's name has to exist on this machine; where nobody is named, nothing is said."""
    settings = {
        "lines": {"a": {"number": "201", "contact": "sip:a@192.0.2.1"}},
        "users": {"anna": {"line": "a", "unix": login}, "ben": {"line": "a"}},
    }
    [found] = check_people(patient(settings=settings))
    assert (found.check, found.verdict) == ("login of anna", verdict) and login in found.said
