"""scripts/install, in a root directory with stubs of systemd, apt and pip; the agent that it starts is the real one."""

from __future__ import annotations

import re
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.debian import Debian


@pytest.fixture
def debian(tmp_path: Path) -> Iterator[Debian]:
    """Return a system that has no bridge yet."""
    with Debian(tmp_path) as system:
        yield system


def mode(path: Path) -> str:
    """Return a file's permissions, as chmod takes them."""
    return f"{stat.S_IMODE(path.stat().st_mode):o}"


def test_first_installation(debian: Debian) -> None:
    """User with its groups, directories, release, unit, command, manual page and completion; and it serves."""
    debian.configure()
    said = debian.install()
    assert re.search(r"^0\.1\.0-\d{14} serves\.$", said, re.MULTILINE), said
    assert "init" in said
    assert "useradd --system" in debian.calls
    assert {"usermod -aG gpio cti-bridge", "usermod -aG dialout cti-bridge"} <= set(debian.calls.splitlines())
    assert "systemctl enable --quiet cti-bridge" in debian.calls
    assert debian.serves() and debian.releases == [debian.current]
    assert mode(debian.root / "etc/cti-bridge/secrets") == "700"
    assert "usr/local/bin/cti-bridge" in debian.files
    assert "Type=notify" in (debian.root / "etc/systemd/system/cti-bridge.service").read_text()
    assert ".SS cti\\-bridge login GROUP MEMBER" in (debian.root / "usr/local/share/man/man1/cti-bridge.1").read_text()
    assert not list((debian.root / "etc/systemd/system").glob("*.d")), "no capabilities unless a port is low"
    assert "opt/cti-bridge/previous" not in debian.files


def test_skeleton(debian: Debian) -> None:
    """Without a configuration there is one to begin with, for the service's group to read; nobody may read secrets."""
    debian.start_nothing()
    debian.install(code=1, healthy_within=0)
    assert "cti-bridge init" in debian.config.read_text() and mode(debian.config) == "640"
    assert mode(debian.config.parent) == "2750"
    assert f"chown root:cti-bridge {debian.config}.new" in debian.calls


def test_dry_run_does_nothing(debian: Debian) -> None:
    """It prints each step."""
    before = debian.files
    said = debian.install("--dry-run")
    assert debian.files == before and not debian.calls
    assert all(line.startswith("would: ") for line in said.splitlines()), said
    assert "build release 0.1.0-" in said and "add the system user" in said


def test_again_changes_nothing(debian: Debian) -> None:
    """A second run builds nothing, leaves the configuration alone and interrupts no call."""
    debian.configure("# mine\n")
    debian.install()
    calls, files, release = debian.calls, debian.files, debian.current
    said = debian.install()
    assert "is up to date" in said and "It serves already" in said
    assert (debian.files, debian.current) == (files, release)
    assert "# mine" in debian.config.read_text()
    assert not re.search("start|stop|restart|useradd|usermod|chown", debian.calls.removeprefix(calls))


def test_upgrade_and_back(debian: Debian) -> None:
    """An upgrade keeps one release before, removes older ones, and `--rollback` returns to it."""
    debian.configure()
    debian.install()
    for number in (1, 2):
        debian.change("bridge/__init__.py", '"""', f'"""{number} ')
        before = debian.current
        debian.install()
        assert debian.releases == sorted({before, debian.current}) and before != debian.current
    newest = debian.current
    debian.install("--rollback")
    assert debian.current == before and debian.serves()
    assert debian.releases == sorted({before, newest})


def test_release_that_does_not_serve_is_rolled_back(debian: Debian) -> None:
    """What ends at its start does not stay: the one before serves again, and what went wrong is shown."""
    debian.configure()
    debian.install()
    good = debian.current
    unit = debian.root / "etc/systemd/system/cti-bridge.service"
    debian.change("bridge/cli/run.py", "    control = control_socket(", '    raise Stop("broken", 1)\n    control = (')
    debian.change("scripts/service/cti-bridge.service", "WatchdogSec=30", "WatchdogSec=31")
    said = debian.install(code=1, healthy_within=6)
    assert "did not serve within 6 s" in said and "cti-bridge: broken" in said and f"{good} serves again" in said
    assert debian.serves() and debian.current == good and debian.releases == [good]
    assert "WatchdogSec=30" in unit.read_text(), "the unit is the old one too"


def test_agent_that_runs_and_does_not_answer_is_rolled_back(debian: Debian) -> None:
    """Healthy is who answers at the control socket, not who merely runs."""
    debian.configure()
    debian.install()
    good = debian.current
    debian.change(
        "bridge/cli/run.py", "    control = control_socket(", "    import time; time.sleep(99)\n    control = ("
    )
    assert "Rolled back" in debian.install(code=1, healthy_within=2)
    assert debian.serves() and debian.current == good


def test_configuration_that_the_new_release_refuses(debian: Debian) -> None:
    """It is checked before anything is switched: the old release goes on as if nothing had been."""
    debian.configure('[site]\nname = "home"\n')
    debian.install()
    good, calls = debian.current, debian.calls
    debian.change("bridge/config/settings.py", "    name: Name =", "    title: Name =")
    said = debian.install(code=1)
    assert "site.name: unknown key" in said and "Nothing has changed" in said
    assert debian.serves() and debian.current == good and debian.releases == [good]
    assert not re.search("start|stop", debian.calls.removeprefix(calls))


def test_unfinished_release_is_removed(debian: Debian) -> None:
    """A power cut in the middle of an installation leaves nothing behind for ever."""
    debian.configure()
    debian.install()
    half = debian.root / "opt/cti-bridge/releases/0.1.0-20200101000000"
    half.mkdir()
    assert "was not finished" in debian.install()
    assert not half.exists()


def test_service_that_its_owner_disabled_stays_so(debian: Debian) -> None:
    """An upgrade of a disabled service starts nothing."""
    debian.configure()
    debian.install()
    debian.disable()
    debian.change("bridge/__init__.py", '"""', '"""New. ')
    before = debian.current
    assert "left as it is" in debian.install()
    assert not debian.serves() and debian.current != before


def test_low_port_needs_a_capability(debian: Debian) -> None:
    """Only where the configuration listens below 1024 may the service do so."""
    debian.configure()
    debian.config.write_text('[sip]\nlisten = ["udp:127.0.0.1:443"]\n')
    debian.start_nothing()
    debian.install(code=1, healthy_within=0)
    [drop_in] = (debian.root / "etc/systemd/system/cti-bridge.service.d").iterdir()
    assert "AmbientCapabilities=CAP_NET_BIND_SERVICE" in drop_in.read_text()


def test_uninstall(debian: Debian) -> None:
    """All goes but configuration and state; with --purge those too."""
    debian.configure()
    debian.install()
    assert "stay" in debian.install("--uninstall")
    assert not debian.serves()
    left = [path for path in debian.files if "cti-bridge" in path]
    assert left and all(path.startswith(("etc/cti-bridge", "var/lib/cti-bridge", "run/")) for path in left), left
    debian.install("--uninstall", "--purge")
    assert not [path for path in debian.files if "cti-bridge" in path and not path.startswith("run/")]
    assert "userdel cti-bridge" in debian.calls


def test_wrong_usage(debian: Debian) -> None:
    """Wrong options are told with what is right, and end with 2 or 1."""
    assert "Usage:" in debian.install("--everything", code=2)
    assert "goes with --uninstall" in debian.install("--purge", code=1)
    assert "no release before" in debian.install("--rollback", code=1)


def test_it_is_plain_sh(tmp_path: Path) -> None:
    """Every shell reads it that Debian may have as /bin/sh."""
    script = Path(__file__).parents[2] / "scripts/install"
    for shell in ("sh", "bash --posix"):
        subprocess.run([*shell.split(), "-n", script], check=True)
