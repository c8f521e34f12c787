"""The machine itself: its clock, its disk, its power, what looks after the agent, pins and serial devices."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

from bridge import __version__
from bridge.clock import is_right
from bridge.doctor.access import READ, WRITE, group_of, may
from bridge.doctor.model import Finding, Findings, Patient, fail, ok, warn

SERVICE = Path("/etc/systemd/system/cti-bridge.service")
ENOUGH, LITTLE = 500, 50  # MiB left
_THROTTLED = Path("/sys/devices/platform/soc/soc:firmware/get_throttled")
_EXT4 = Path("/sys/fs/ext4")
_CHIPS = Path("/dev")


def check_agent(patient: Patient) -> Findings:
    """Tell whether the agent runs, and as which version."""
    if not patient.runs:
        installed = SERVICE.exists()
        todo = (
            "sudo systemctl start cti-bridge; its log: journalctl -u cti-bridge"
            if installed
            else "start it: cti-bridge run"
        )
        found = fail if installed else warn
        yield found("agent", "does not run, so what only it knows is not told here", todo)
        return
    yield ok("agent", f"runs as {patient.user}, with {patient.diagnosis.get('config') or 'its configuration'}")
    config = patient.diagnosis.get("config")
    if config and Path(config).resolve() != patient.path.resolve():
        yield warn("agent", f"goes by {config}, and this looks at {patient.path}", f"name it: --config {config}")
    version = patient.status.get("version")
    if version == __version__:
        yield ok("version", __version__)
    else:
        yield warn("version", f"{version} runs, {__version__} is installed", "sudo systemctl restart cti-bridge")


def check_clock(patient: Patient) -> Findings:
    """Tell whether the clock can be believed."""
    if is_right():
        yield ok("clock", "is right")
    else:
        todo = "timedatectl tells why; a Pi without network time needs a clock with a battery"
        yield warn("clock", "nobody has set it since the start: no schedule turns, no hours open or close", todo)


def check_disk(patient: Patient) -> Findings:
    """Look whether logins can be kept, and for how long."""
    state = patient.state
    place = next((each for each in (state, *state.parents) if each.is_dir()), Path("/"))
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        todo = "logins cannot be kept: mount it writable, or name another --state (a dying SD card is read-only)"
        yield fail("disk", f"{state} cannot be written: {error.strerror or error}", todo)
        return
    left = shutil.disk_usage(place).free >> 20
    said = f"{left} MiB are left at {state}"
    if left < LITTLE:
        yield fail("disk", said, "make room: sudo journalctl --vacuum-size=50M; sudo apt clean")
    elif left < ENOUGH:
        yield warn("disk", said, "make room: sudo journalctl --vacuum-size=50M; sudo apt clean")
    else:
        yield ok("disk", said)
    yield from _wear(place)


def _wear(place: Path) -> Findings:
    """Look for what a file system and its card tell of their health."""
    device = _device_of(place)
    told = _EXT4 / device
    with suppress(OSError, ValueError):
        errors = int((told / "errors_count").read_text())
        if errors:
            todo = "save a backup, and replace the card: it is wearing out, or the power was cut while it wrote"
            yield fail("card", f"the file system on {device} has had {errors} errors", todo)
            return
        written = int((told / "lifetime_write_kbytes").read_text()) >> 20
        if device.startswith("mmcblk"):
            yield ok("card", f"{device} without errors, {written} GiB written in its life")


def _device_of(place: Path) -> str:
    number = os.stat(place).st_dev
    with suppress(OSError):
        return Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}").resolve().name
    return ""


def check_power(patient: Patient) -> Findings:
    """Tell of a power supply that is too weak; only a Raspberry Pi knows."""
    with suppress(OSError, ValueError):
        bits = int(_THROTTLED.read_text(), 16)
        todo = "use a power supply that is made for this Pi, and a short cable"
        if bits & 1:
            yield fail("power", "the voltage is too low now", todo)
        elif bits & 1 << 16:
            yield warn("power", "the voltage was too low since the start", todo)
        else:
            yield ok("power", "the voltage was never too low")


def check_watchdog(patient: Patient) -> Findings:
    """Tell whether somebody starts the agent again when it hangs or ends."""
    if not patient.runs:
        return
    every = patient.diagnosis.get("watchdog")
    if every is None:
        yield warn("watchdog", "nobody looks whether the agent hangs", "install it as a service: sudo scripts/install")
        return
    restarts = _restarts()
    if restarts:
        yield warn(
            "watchdog", f"the service was started again {restarts} times", "its log tells why: journalctl -u cti-bridge"
        )
    else:
        yield ok("watchdog", f"fed every {every:g} s")


def _restarts() -> int:
    program = shutil.which("systemctl")
    if program is None:
        return 0
    argv = [program, "show", "cti-bridge", "--property", "NRestarts", "--value"]
    with suppress(OSError, ValueError, subprocess.TimeoutExpired):
        return int(subprocess.run(argv, capture_output=True, text=True, timeout=5).stdout.strip() or 0)
    return 0


# -- what stands beside the phones -------------------------------------------------------------------------------------


def check_pins(patient: Patient) -> Findings:
    """Look whether buttons and lamps at pins can be used."""
    desks = patient.settings.desks.values()
    if not any(b.gpio is not None for desk in desks for b in desk.buttons) and not any(
        lamp.pins for d in desks for lamp in d.lamps
    ):
        return
    if patient.diagnosis.get("simulated"):
        yield ok("gpio", "buttons and lamps are simulated")
        return
    chips = sorted(_CHIPS.glob("gpiochip*"))
    if not chips:
        todo = "is this a Raspberry Pi? In a container: --device /dev/gpiochip0. To try it without: --simulate-hardware"
        yield fail("gpio", "this machine has no pins (/dev/gpiochip0)", todo)
    elif importlib.util.find_spec("lgpio") is None:
        yield fail(
            "gpio", "the Python module lgpio is missing", "sudo apt install python3-lgpio, then scripts/install again"
        )
    elif not may(patient.user, chips[0], READ | WRITE):
        todo = f"sudo usermod -aG {group_of(chips[0])} {patient.user}, then start the bridge again"
        yield fail("gpio", f"{patient.user} may not use {chips[0]}", todo)
    else:
        yield ok("gpio", f"{chips[0]} can be used")


def check_serial(patient: Patient) -> Findings:
    """Look at every serial device that a desk or line names: panels and modems."""
    if not patient.diagnosis.get("simulated"):
        for name, desk in patient.settings.desks.items():
            if desk.panel is not None:
                yield _serial(patient, f"panel of {name}", desk.panel, f"panel of desk {name}")
    for name, line in patient.settings.lines.items():
        if line.modem is not None:
            yield _serial(patient, f"modem of {name}", line.modem, f"modem of line {name}")


def _serial(patient: Patient, check: str, device: str, link_name: str) -> Finding:
    path = Path(device)
    link = patient.status.get("links", {}).get(link_name)
    if not path.exists():
        return fail(check, f"{path} is not there", f"is it plugged in? These are there: {_serial_devices()}")
    if not may(patient.user, path, READ | WRITE):
        todo = f"sudo usermod -aG {group_of(path)} {patient.user}, then start the bridge again"
        return fail(check, f"{patient.user} may not use {path}", todo)
    if link and link["reason"]:
        return fail(check, f"{link['state']}: {link['reason']}", "see hardware/README.md, Trouble")
    return ok(check, f"{path} is there" if link is None else link["state"])


def _serial_devices() -> str:
    found = sorted(map(str, Path("/dev/serial/by-id").glob("*")))
    return ", ".join(found) or "none in /dev/serial/by-id"
