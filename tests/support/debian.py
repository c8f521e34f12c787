"""A Debian system to install in: a root directory, and stubs of what only a real one has.

`systemctl` starts and stops the agent that is really installed, and keeps no other promise of systemd; `pip` copies the
project and takes what it needs from the tests' own environment; `useradd`, `chown` and apt note what they were told.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from tests.support.ports import free_port
from tests.support.process import wait_until

CHECKOUT = Path(__file__).parents[2]

SYSTEMCTL = """\
echo "systemctl $*" >>"$STUBS/calls"
for last; do :; done
# one that has ended and that nobody has asked about yet runs no more
running() { [ -f "$STUBS/pid" ] && grep -q "^State:.[^Z]" "/proc/$(cat "$STUBS/pid")/status" 2>/dev/null; }
case $1 in
is-active) running ;;
is-enabled) [ -f "$STUBS/enabled" ] ;;
enable) : >"$STUBS/enabled" ;;
disable) rm -f "$STUBS/enabled" && case " $* " in *" --now "*) exec "$0" stop cti-bridge ;; esac ;;
show) echo 0 ;;
start)
    [ ! -f "$STUBS/start-nothing" ] || exit 1
    "$ROOT/opt/cti-bridge/current/bin/cti-bridge" run --config "$ROOT/etc/cti-bridge/cti-bridge.toml" \\
        --state "$ROOT/var/lib/cti-bridge" --control "$ROOT/run/cti-bridge/control.sock" \\
        >>"$STUBS/journal" 2>&1 </dev/null 9>&- &
    echo $! >"$STUBS/pid"
    ;;
stop)
    if running; then
        kill "$(cat "$STUBS/pid")"
        while running; do sleep 0.05; done
    fi
    rm -f "$STUBS/pid"
    ;;
esac
"""
STUBS = {
    "systemctl": SYSTEMCTL,
    "useradd": 'echo "useradd $*" >>"$STUBS/calls"; echo "cti-bridge:x:990:990::/:" >>"$ROOT/etc/passwd"\n',
    "usermod": 'echo "usermod $*" >>"$STUBS/calls"; sed -i "s/^$2:.*:\\$/&$3/" "$ROOT/etc/group"\n',
    "userdel": 'echo "userdel $*" >>"$STUBS/calls"; sed -i "/^$1:/d" "$ROOT/etc/passwd"\n',
    "chown": 'echo "chown $*" >>"$STUBS/calls"\n',
    "apt-get": 'echo "apt-get $*" >>"$STUBS/calls"\n',
    "apt-cache": "exit 100\n",
    "journalctl": 'tail -n 15 "$STUBS/journal"\n',
}
PYTHON = """\
case "$1 $2" in
"-m venv") shift 2; exec {python} -m venv --without-pip "$@" ;;
*) exec {python} "$@" ;;
esac
"""
PIP = '''
"""pip install SOURCE, as far as the project goes; what it needs is on the path already."""
import shutil, sys, sysconfig
from pathlib import Path

source, site = Path(sys.argv[-1]), Path(sysconfig.get_path("purelib"))
for package in ("bridge", "hardware"):
    shutil.copytree(source / package, site / package)
command = Path(sys.executable).with_name("cti-bridge")
command.write_text(f"#!{sys.executable}\\nimport sys\\nfrom bridge.cli.main import main\\nsys.exit(main())\\n")
command.chmod(0o755)
'''


class Debian:
    """A root directory with stubs. `checkout` is a copy of the project that a test may change before installing it.

    Use as a context manager: an agent that still runs is ended.
    """

    def __init__(self, directory: Path) -> None:
        self.root = directory / "root"
        self.checkout = directory / "checkout"
        self._stubs = directory / "stubs"
        for each in ("etc/systemd/system", "opt", "usr/local/bin", "var/lib", "run/systemd/system"):
            (self.root / each).mkdir(parents=True)
        (self.root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
        (self.root / "etc/group").write_text("root:x:0:\ndialout:x:20:\ngpio:x:997:\n")
        self._copy_checkout()
        self._write_stubs()
        self.port = free_port()

    def __enter__(self) -> Debian:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError, ValueError):
            os.kill(int((self._stubs / "pid").read_text()), signal.SIGTERM)

    @property
    def config(self) -> Path:
        """The service's configuration."""
        return self.root / "etc/cti-bridge/cti-bridge.toml"

    @property
    def current(self) -> str:
        """The name of the release in service."""
        return os.path.basename(os.readlink(self.root / "opt/cti-bridge/current"))

    @property
    def releases(self) -> list[str]:
        """The names of the releases that are there, oldest first."""
        return sorted(each.name for each in (self.root / "opt/cti-bridge/releases").iterdir())

    @property
    def calls(self) -> str:
        """What the stubs were told so far."""
        path = self._stubs / "calls"
        return path.read_text() if path.exists() else ""

    @property
    def files(self) -> list[str]:
        """Everything below the root but releases, as paths."""
        return sorted(str(each.relative_to(self.root)) for each in self.root.rglob("*") if "releases/" not in str(each))

    def configure(self, more: str = "") -> None:
        """Write a configuration on a port of the kernel's choice, with `more` of it."""
        self.config.parent.mkdir(parents=True, exist_ok=True)
        self.config.write_text(f'[sip]\nlisten = ["udp:127.0.0.1:{self.port}"]\n{more}')

    def install(self, *options: str, code: int = 0, healthy_within: int = 15) -> str:
        """Run the installer from the checkout, expect its exit code; return what it said."""
        site = Path(sys.prefix, "lib", f"python{sys.version_info[0]}.{sys.version_info[1]}", "site-packages")
        environ = {
            **os.environ,
            "PATH": f"{self._stubs}:{os.environ['PATH']}",
            "PYTHON": str(self._stubs / "python3"),
            "PYTHONPATH": f"{self._stubs / 'lib'}:{site}",
            "STUBS": str(self._stubs),
            "ROOT": str(self.root),
            "CTI_BRIDGE_HEALTHY_WITHIN": str(healthy_within),
            "CTI_BRIDGE_STEADY": "0.1",
        }
        argv = [str(self.checkout / "scripts/install"), "--root", str(self.root), *options]
        done = subprocess.run(argv, env=environ, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
        said = f"{done.stdout}{done.stderr}"
        assert done.returncode == code, said
        return said

    def change(self, file: str, old: str, new: str) -> None:
        """Change a file of the checkout, so that what is installed next differs."""
        path = self.checkout / file
        text = path.read_text()
        assert old in text, file
        path.write_text(text.replace(old, new, 1))

    def serves(self) -> bool:
        """Whether the agent runs."""
        with suppress(OSError, ValueError):
            os.kill(int((self._stubs / "pid").read_text()), 0)
            return True
        return False

    def start_nothing(self) -> None:
        """Let `systemctl start` fail from now on."""
        (self._stubs / "start-nothing").touch()

    def disable(self) -> None:
        """Stop and disable the service, as its owner would."""
        subprocess.run(
            [self._stubs / "systemctl", "disable", "--now", "cti-bridge"],
            env={**os.environ, "STUBS": str(self._stubs), "ROOT": str(self.root)},
            check=True,
        )
        wait_until(lambda: not self.serves(), "the agent has ended")

    def _copy_checkout(self) -> None:
        self.checkout.mkdir()
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(CHECKOUT / name, self.checkout)
        for name in ("bridge", "hardware", "scripts"):
            shutil.copytree(CHECKOUT / name, self.checkout / name, ignore=shutil.ignore_patterns("__pycache__"))

    def _write_stubs(self) -> None:
        (self._stubs / "lib/pip").mkdir(parents=True)
        (self._stubs / "lib/pip/__init__.py").write_text("")
        (self._stubs / "lib/pip/__main__.py").write_text(PIP)
        for name, text in {**STUBS, "python3": PYTHON.format(python=sys.executable)}.items():
            path = self._stubs / name
            path.write_text(f"#!/bin/sh\n{text}")
            path.chmod(0o755)
