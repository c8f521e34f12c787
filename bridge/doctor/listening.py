"""Our own ends: whether SIP is heard where it should be, whether sound has its ports, whether a firewall stops them."""

from __future__ import annotations

import ipaddress
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from bridge.config.addresses import Listen
from bridge.doctor.asking import Place, Silence, ask, words
from bridge.doctor.model import Findings, Patient, fail, ok, warn

LEAST_PAIRS = 4  # of ports: a relayed call takes two, a stream each
_KINDS = {"udp": socket.SOCK_DGRAM, "tcp": socket.SOCK_STREAM, "tls": socket.SOCK_STREAM}
_ELSEWHERE = ("192.0.2.1", 9)  # RFC 5737: nobody's; nothing is sent there


def check_listening(patient: Patient) -> Findings:
    """With the agent, ask it over SIP; without, look whether it could listen."""
    sip = patient.settings.sip
    for listen in sip.listen if sip else ():
        check = f"port {listen.port}/{listen.transport}"
        if not patient.runs:
            yield from _could_listen(check, listen)
            continue
        place = Place(listen.transport, _reachable(listen), listen.port)
        try:
            answer = ask(place, "OPTIONS", f"sip:{listen.port}@localhost", "sip:doctor@localhost", seconds=2.0)
        except Silence as silence:
            todo = "the agent runs and is not heard there: see its log (journalctl -u cti-bridge)"
            yield fail(check, str(silence), todo)
        else:
            yield ok(check, f"the bridge answers at {place.host}: {words(answer.response)}")


def _could_listen(check: str, listen: Listen) -> Findings:
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    with socket.socket(family, _KINDS[listen.transport]) as trial:
        if listen.transport != "udp":
            trial.setsockopt(
                socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
            )  # as the agent does: a port in TIME_WAIT is free
        try:
            trial.bind((listen.host, listen.port))
            if listen.transport != "udp":
                trial.listen(1)
        except PermissionError:
            yield fail(
                check, "only root may listen below 1024", "take a port from 1024 on, or run scripts/install again"
            )
        except OSError as error:
            who = who_has(listen.transport, listen.port)
            other = f", by {who}" if who else ""
            todo = f'end that program, or give the bridge another port: [sip] listen = ["{listen._replace(port=5070)}"]'
            yield fail(check, f"{(error.strerror or str(error)).lower()}{other}", todo)
        else:
            yield ok(check, f"free at {listen.host}")


def who_has(transport: str, port: int) -> str:
    """Return which program has a port, as far as this login may see."""
    inodes = set()
    for table in (transport.replace("tls", "tcp"), f"{transport.replace('tls', 'tcp')}6"):
        with suppress(OSError):
            for row in Path("/proc/net", table).read_text().splitlines()[1:]:
                columns = row.split()
                if columns[1].endswith(f":{port:04X}") and (transport == "udp" or columns[3] == "0A"):
                    inodes.add(f"socket:[{columns[9]}]")
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if any(str(fd.readlink()) in inodes for fd in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text().strip()} (process {process.name})"
    return ""


def _reachable(listen: Listen) -> str:
    """Return an address at which a listener is reached from here, not by loopback where there is another."""
    if not ipaddress.ip_address(listen.host).is_unspecified:
        return listen.host
    if ":" in listen.host:
        return "::1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ELSEWHERE)
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def check_sound(patient: Patient) -> Findings:
    """Look whether the relay's ports are to be had."""
    sip = patient.settings.sip
    if sip is None:
        return
    first, last = sip.rtp_ports
    host = next((each.host for each in sip.listen if ":" not in each.host), "::")
    pairs = range(first + first % 2, last, 2)
    free = sum(_free(host, port) and _free(host, port + 1) for port in pairs)
    in_use = patient.diagnosis.get("rtp_pairs_in_use", 0)
    others = len(pairs) - free - in_use
    check, told = "sound ports", f"{free} of {len(pairs)} pairs from {first} to {last} are free"
    who = who_has("udp", next((port for port in pairs if not _free(host, port)), 0)) if others > 0 else ""
    other = f", {others} are taken by others{f': {who}' if who else ''}" if others > 0 else ""
    if free + in_use < LEAST_PAIRS:
        yield fail(check, told + other, "a relayed call needs two pairs: give [sip] rtp_ports that nobody else uses")
    elif others > 0:
        yield warn(check, told + other, "give [sip] rtp_ports that nobody else uses")
    elif last >= (lowest := _lowest_given_by_kernel()):
        yield warn(
            check, f"{told}; from {lowest} on the kernel gives them to any program", "take ports below, 16384 to 16583"
        )
    else:
        yield ok(check, told)


def _free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as trial, suppress(OSError):
        trial.bind((host, port))
        return True
    return False


def _lowest_given_by_kernel() -> int:
    try:
        return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except (OSError, ValueError):
        return 65536


# -- the firewall -----------------------------------------------------------------------------------------------------


def check_firewall(patient: Patient) -> Findings:
    """Look whether what comes in is dropped by default, and no rule lets SIP and sound pass."""
    sip = patient.settings.sip
    if sip is None:
        return
    rules = _rules()
    if rules is None:
        yield ok("firewall", "none is installed here, or only root may look at its rules")
        return
    if not drops_by_default(rules):
        yield ok("firewall", "lets in what no rule forbids")
        return
    wanted = [(each.transport.replace("tls", "tcp"), each.port, each.port) for each in sip.listen]
    wanted.append(("udp", *sip.rtp_ports))
    shut = [row for row in wanted if not let_in(rules, *row)]
    if not shut:
        yield ok("firewall", "drops by default, and lets SIP and sound in")
        return
    names = ", ".join(f"{what}/{first}" if first == last else f"{what}/{first}-{last}" for what, first, last in shut)
    opened = " ".join(
        f"sudo ufw allow {f'{first}' if first == last else f'{first}:{last}'}/{what};" for what, first, last in shut
    )
    yield fail(
        "firewall",
        f"drops by default, and no rule names {names}",
        f"let them in from your network: {opened.rstrip(';')}",
    )


def _rules() -> str | None:
    for argv in (["nft", "list", "ruleset"], ["iptables-save"]):
        program = shutil.which(argv[0], path=None) or shutil.which(argv[0], path="/usr/sbin:/sbin")
        if program is None:
            continue
        with suppress(OSError, subprocess.TimeoutExpired):
            done = subprocess.run([program, *argv[1:]], capture_output=True, text=True, timeout=5)
            if done.returncode == 0 and done.stdout.strip():
                return done.stdout
    return None


def drops_by_default(rules: str) -> bool:
    """Whether what comes in and no rule names is dropped: by the chain's policy, or by a last rule for everything."""
    if re.search(r"hook input [^}]*?policy drop|^:INPUT DROP", rules, re.MULTILINE):
        return True
    chain = re.search(r"hook input .*?\n\s*}", rules, re.DOTALL)
    body = [line.strip() for line in chain[0].splitlines()] if chain else []
    return bool(body[1:-1]) and re.match(r"(counter .*)?(drop|reject)", body[-2]) is not None


def let_in(rules: str, transport: str, first: int, last: int) -> bool:
    """Whether some rule names these ports and accepts."""
    return any(low <= first and last <= high for low, high in _accepted(rules, transport))


def _accepted(rules: str, transport: str) -> Iterator[tuple[int, int]]:
    for line in rules.splitlines():
        if not re.search(r"\baccept\b|-j ACCEPT|jump \S*accept", line) or "source" in line:
            continue
        if transport not in line and re.search(r"\b(tcp|udp)\b", line):
            continue
        for match in re.finditer(r"dports? (\{[^}]*\}|[\d:,-]+)", line):
            for low, high in re.findall(r"(\d+)(?:[-:](\d+))?", match[1]):
                yield int(low), int(high or low)
