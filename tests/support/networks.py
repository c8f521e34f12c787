"""Networks of their own for one test: hosts, switches and translating routers, each host a network namespace.

A host is held by a small process that opens sockets there on demand and hands them over, so that the test itself can
speak from any host; programs run there by `Host.argv`. Nothing of it is seen outside, and all of it is gone with the
processes. It needs a kernel that lets this user make namespaces (`missing()` says what is wanting).
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import socket
import subprocess
import sys
from contextlib import ExitStack

HOLDER = """
import json, socket, sys
door = socket.socket(fileno=int(sys.argv[1]))
door.sendall(b"+")
while asked := door.recv(4096):
    try:
        family, kind, local, remote = json.loads(asked)
        made = socket.socket(family, kind)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if local:
            made.bind(tuple(local))
        if remote:
            made.connect(tuple(remote))
        socket.send_fds(door, [b"+"], [made.fileno()])
        made.close()
    except OSError as error:
        door.sendall(str(error).encode())
"""
_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"  # where ip and nft are, for those who are not root
_ENTER = ("nsenter", "--user", "--net", "--preserve-credentials")


@functools.cache
def missing() -> str:
    """Return why no networks can be made here; "" where they can."""
    for program in ("unshare", "nsenter", "ip", "nft"):
        if shutil.which(program, path=_PATH) is None:
            return f"{program} is not installed"
    script = "ip link add one type veth peer name other && ip link add switch type bridge && nft add table ip trial"
    tried = _run(["unshare", "-rn", "sh", "-c", script])
    return "" if tried.returncode == 0 else f"the kernel makes no networks for a test: {tried.stderr.strip()[:200]}"


def _run(argv: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, capture_output=True, text=True, timeout=20, env={**os.environ, "PATH": _PATH})


class Host:
    """One machine, with a loopback of its own."""

    def __init__(self, name: str, within: Host | None) -> None:
        self.name = name
        ours, theirs = socket.socketpair()
        self._door = ours
        begin = ["unshare", "-rn"] if within is None else [*within.argv("unshare", "-n")]
        argv = [*begin, sys.executable, "-S", "-E", "-c", HOLDER, str(theirs.fileno())]
        self._process = subprocess.Popen(argv, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        theirs.close()
        self._door.settimeout(20.0)
        assert self._door.recv(1) == b"+", f"no network namespace for {name}"
        accept_dad = "/proc/sys/net/ipv6/conf"  # nobody else has our addresses: none is tried out first
        self.do("sh", "-c", f"ip link set lo up; for d in all default; do echo 0 > {accept_dad}/$d/accept_dad; done")

    @property
    def pid(self) -> int:
        """The process that holds it."""
        return self._process.pid

    def argv(self, *words: str) -> list[str]:
        """Return what runs a program here."""
        return [*_ENTER, "--target", str(self.pid), "--", *words]

    def do(self, *words: str) -> str:
        """Run a program here to its end; return what it says."""
        done = _run(self.argv(*words))
        assert done.returncode == 0, f"{self.name}: {' '.join(words)}: {done.stderr}{done.stdout}"
        return done.stdout

    def set(self, name: str, value: int | str) -> None:
        """Set a value of /proc/sys/net."""
        self.do("sh", "-c", f"echo {value} > /proc/sys/net/{name}")

    def socket(
        self,
        kind: socket.SocketKind = socket.SOCK_DGRAM,
        local: tuple[str, int] | None = None,
        remote: tuple[str, int] | None = None,
    ) -> socket.socket:
        """Return a socket of this host. Raises OSError."""
        host = (local or remote or ("", 0))[0]
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._door.sendall(json.dumps([family, kind, local, remote]).encode())
        said, files, _, _ = socket.recv_fds(self._door, 4096, 1)
        if not files:
            raise OSError(f"{self.name}: {said.decode()}")
        made = socket.socket(fileno=files[0])
        made.settimeout(20.0)
        return made

    def addresses(self, device: str, *addresses: str) -> None:
        """Give a device these addresses instead of those that it has."""
        commands = [f"ip address flush dev {device} scope global"]
        commands += [f"ip address add {each} dev {device}{' nodad' if ':' in each else ''}" for each in addresses]
        self.do("sh", "-ec", "; ".join(commands))

    def up(self, device: str, up: bool = True) -> None:
        """Switch a device on or off."""
        self.do("ip", "link", "set", device, "up" if up else "down")

    def route(self, to: str, via: str) -> None:
        """Add a route."""
        self.do("ip", "-6" if ":" in via else "-4", "route", "replace", to, "via", via)

    def forward(self) -> None:
        """Be a router."""
        self.set("ipv4/ip_forward", 1)
        self.set("ipv6/conf/all/forwarding", 1)

    def masquerade(self, device: str, ports: str = "", family: str = "ip") -> None:
        """Be a translator: who goes out by this device seems to be this host; `ports`: "30000-31000"."""
        to = f" to :{ports}" if ports else ""
        rules = [f'oifname "{device}" meta l4proto {kind} masquerade{to}' for kind in ("udp", "tcp")]
        chain = f"chain post {{ type nat hook postrouting priority 100; {'; '.join(rules)}; }};"
        self.do("nft", f"add table {family} nat; flush table {family} nat; table {family} nat {{ {chain} }}\n")

    def forget_mappings(self, device: str) -> None:
        """Forget every mapping, as a translator that was switched off and on again: a device that goes down does it."""
        routes = [each.split() for each in self.do("ip", "route").splitlines() if each.startswith("default")]
        self.up(device, False)
        self.up(device)
        for words in routes:
            self.do("ip", "route", "replace", *words)

    def end(self) -> None:
        """Let it go."""
        self._door.close()
        self._process.wait(20.0)


class Networks:
    """All hosts of a test. Use as a context manager."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._outside = self._keep(Host("outside", None))
        self._wires = 0

    def __enter__(self) -> Networks:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _keep(self, host: Host) -> Host:
        self._stack.callback(host.end)
        return host

    def host(self, name: str) -> Host:
        """Return a machine that is connected to nothing yet."""
        return self._keep(Host(name, self._outside))

    def lan(self, name: str) -> Lan:
        """Return a switch with nothing in it."""
        return Lan(self.host(name), self)

    def wire(self, one: tuple[Host, str], other: tuple[Host, str]) -> None:
        """Connect two hosts by devices of these names."""
        self._wires += 1
        ends = [f"w{self._wires}a", f"w{self._wires}b"]
        commands = [f"ip link add {ends[0]} type veth peer name {ends[1]}"]
        for end, (host, device) in zip(ends, (one, other), strict=True):
            commands.append(f"ip link set {end} netns {host.pid} name {device}")
        self._outside.do("sh", "-ec", "; ".join(commands))


class Lan:
    """A switch."""

    def __init__(self, switch: Host, networks: Networks) -> None:
        self._switch = switch
        self._networks = networks
        self._ports = 0
        switch.do("ip", "link", "add", "switch", "type", "bridge")
        switch.up("switch")

    def join(self, host: Host, device: str, *addresses: str) -> Host:
        """Plug a host in; return it. The first address of each family is in the network of all."""
        self._ports += 1
        port = f"port{self._ports}"
        self._networks.wire((self._switch, port), (host, device))
        self._switch.do("ip", "link", "set", port, "master", "switch", "up")
        host.addresses(device, *addresses)
        host.up(device)
        return host
