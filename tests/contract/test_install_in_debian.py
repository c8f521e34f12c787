"""scripts/install in a real Debian root: real apt, pip and useradd, and the agent as the service's own user.

Only systemd is a stub there, for it is no container's first process. It takes minutes, needs root, debootstrap and the
network, so it is asked for: `CTI_BRIDGE_DEBIAN="bookworm trixie bookworm:i386" ./scripts/test
tests/contract/test_install_in_debian.py`. The roots are kept below build/debian.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.debian import CHECKOUT

WANTED = os.environ.get("CTI_BRIDGE_DEBIAN", "").split()
PLACE = CHECKOUT / "build/debian"
CERTIFICATES = Path("/etc/certificates-of-the-host.crt")
SYSTEMCTL = """\
#!/bin/sh
echo "systemctl $*" >>/tmp/calls
running() { [ -f /tmp/pid ] && kill -0 "$(cat /tmp/pid)" 2>/dev/null; }
case $1 in
is-active) running ;;
is-enabled) [ -f /tmp/enabled ] ;;
enable) : >/tmp/enabled ;;
disable) rm -f /tmp/enabled; exec "$0" stop ;;
show) if running; then cat /tmp/pid; else echo 0; fi ;;
start)
    for each in /run/cti-bridge /var/lib/cti-bridge; do
        mkdir -p "$each" && chown cti-bridge: "$each"
    done
    cd /var/lib/cti-bridge
    setsid setpriv --reuid cti-bridge --regid cti-bridge --init-groups env RUNTIME_DIRECTORY=/run/cti-bridge \\
        STATE_DIRECTORY=/var/lib/cti-bridge SECRET_OF_THE_UNIT=hush \\
        /opt/cti-bridge/current/bin/cti-bridge run --config /etc/cti-bridge/cti-bridge.toml \\
        >>/tmp/journal 2>&1 </dev/null 9>&- &
    echo $! >/tmp/pid ;;
stop)
    if running; then
        kill "$(cat /tmp/pid)"
        while running; do sleep 0.1; done
    fi
    rm -f /tmp/pid ;;
esac
"""

pytestmark = pytest.mark.skipif(not WANTED, reason="asked for by CTI_BRIDGE_DEBIAN; takes minutes")


class Root:
    """A Debian root with the checkout at /src."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def run(self, *argv: str, code: int = 0) -> str:
        """Run a program in it, expect its exit code; return what it said."""
        environ = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        environ |= {"PIP_CERT": str(CERTIFICATES)} if "PIP_CERT" in environ else {}
        environ |= {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
        command = ["chroot", str(self.path), *argv]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=600)
        said = f"{done.stdout}{done.stderr}"
        assert done.returncode == code, said
        return said

    def install(self, *options: str, code: int = 0) -> str:
        """Run the installer."""
        return self.run("sh", "/src/scripts/install", *options, code=code)


@pytest.fixture(params=WANTED)
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Root]:
    """Return a fresh root of a suite, "bookworm" or "bookworm:i386"."""
    suite, _, architecture = request.param.partition(":")
    base = PLACE / request.param.replace(":", "-")
    if not (base / "usr/bin/apt-get").exists():
        shutil.rmtree(base, ignore_errors=True)
        base.parent.mkdir(parents=True, exist_ok=True)
        argv = ["debootstrap", "--variant=minbase", *([f"--arch={architecture}"] if architecture else []), suite, base]
        subprocess.run([str(word) for word in argv], check=True)
    path = tmp_path / "root"
    subprocess.run(["cp", "-a", base, path], check=True)
    _prepare(path)
    subprocess.run(["mount", "-t", "proc", "proc", path / "proc"], check=True)
    try:
        yield Root(path)
    finally:
        subprocess.run(["chroot", str(path), "systemctl", "stop"], check=False)
        subprocess.run(["umount", path / "proc"], check=True)


def _prepare(path: Path) -> None:
    for name in ("pyproject.toml", "README.md", "LICENSE", "bridge", "hardware", "scripts"):
        source, target = CHECKOUT / name, path / "src" / name
        target.parent.mkdir(exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    (path / "run/systemd/system").mkdir(parents=True)
    systemctl = path / "usr/local/bin/systemctl"
    systemctl.write_text(SYSTEMCTL)
    systemctl.chmod(0o755)
    shutil.copy("/etc/resolv.conf", path / "etc/resolv.conf")
    if "PIP_CERT" in os.environ:  # a company's own; the package ca-certificates would write over it at its usual place
        shutil.copy(os.environ["PIP_CERT"], path / CERTIFICATES.relative_to("/"))


def test_whole_life_of_an_installation(root: Root) -> None:
    """Installed, configured, upgraded, rolled back and removed; the agent runs as its own user and is asked by root."""
    assert "would: install python3 python3-venv" in root.install("--dry-run")
    config = root.path / "etc/cti-bridge/cti-bridge.toml"
    assert not config.exists()
    config.parent.mkdir(parents=True)
    config.parent.rmdir()

    said = root.install(code=1) if _taken() else root.install()
    config.write_text(config.read_text().replace("5060", "35060"))
    said = root.install()
    assert "serve" in said, said
    assert "All is well." in root.run("cti-bridge", "status")
    assert re.search(r"groups=.*dialout", root.run("id", "cti-bridge"))
    assert "It serves already" in root.install()

    words = ("--own-phone", "Anna 201", "--group", "Support 600", "--port", "35060", "--listen", "127.0.0.1")
    root.run("cti-bridge", "init", "--force", *words)
    assert root.run("stat", "-c", "%U %a", "/etc/cti-bridge/secrets/line-anna") == "cti-bridge 600\n"
    assert root.run("stat", "-c", "%G %a", "/etc/cti-bridge/cti-bridge.toml") == "cti-bridge 640\n"
    root.run("systemctl", "stop")
    root.run("systemctl", "start")

    config.write_text(config.read_text() + '[lines.ben]\nnumber = "202"\npassword = { env = "SECRET_OF_THE_UNIT" }\n')
    _change(root, "bridge/__init__.py", '"""', '"""New. ')
    assert "serves." in root.install(), "the environment of the unit counts where the configuration is checked"
    good = os.readlink(root.path / "opt/cti-bridge/current")

    _change(root, "bridge/cli/run.py", "    control = control_socket(", '    raise Stop("broken", 1)\n    control = (')
    assert "serves again" in root.install(code=1)
    assert os.readlink(root.path / "opt/cti-bridge/current") == good
    found = root.run("cti-bridge", "doctor", code=1)
    assert re.search(r"fail  line anna +its phone has not registered", found), found
    assert "runs as cti-bridge" in found

    root.install("--uninstall", "--purge")
    left = root.run("find", "/", "-xdev", "-name", "*cti-bridge*", "-not", "-path", "/src/*", "-not", "-path", "/run/*")
    assert not left.split()
    assert "cti-bridge" not in (root.path / "etc/passwd").read_text()


def _taken() -> bool:
    """Whether this machine has another program at port 5060, where the first configuration listens."""
    return ":13C4" in Path("/proc/net/udp").read_text()


def _change(root: Root, file: str, old: str, new: str) -> None:
    path = root.path / "src" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
