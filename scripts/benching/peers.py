"""What the bridge is measured beside: Sippy's `b2bua_simple` (Python, 1:1) and Kamailio (C, a proxy that forks).

Asterisk is what the goals were taken from; no distribution has a package of it for every machine that this runs on, so
that its figures are taken as they were measured once, and scaled by how fast Sippy is here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from benching.systems import ROOT, Places, System

SIPPY = ROOT / "build" / "bench-peer"
SIPPY_PACKAGE = "sippy==2.5.0"

_KAMAILIO = """#!KAMAILIO
debug=0
log_stderror=yes
children=2
max_branches=30
auto_aliases=no
disable_tcp=yes
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "siputils.so"
loadmodule "textops.so"
loadmodule "corex.so"
request_route {{
    if (method == "CANCEL") {{
        if (t_check_trans()) t_relay();
        exit;
    }}
    if (has_totag()) {{
        loose_route();
        t_relay();
        exit;
    }}
    record_route();
    $ru = "sip:201@127.0.0.1:{winner}";
{branches}
    t_relay();
}}
"""


def sippy(places: Places, directory: Path) -> System:
    """Return Sippy's example B2BUA, which passes every call to one next hop."""
    directory.mkdir(parents=True, exist_ok=True)
    command = [str(SIPPY / "bin" / "b2bua_simple"), "-f", "-l", "127.0.0.1", "-p", str(places.system)]
    command += ["-n", f"127.0.0.1:{places.winner}"]
    return System("Sippy", 1, command, places, directory, {"SIPLOG_BEND": "none"})


def install_sippy() -> None:
    """Install it into a virtual environment of its own, unless it is there."""
    if (SIPPY / "bin" / "b2bua_simple").exists():
        return
    print(f"Installing {SIPPY_PACKAGE} into {SIPPY}", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", "--clear", SIPPY], check=True, stdout=subprocess.DEVNULL)
    pip = [str(SIPPY / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, SIPPY_PACKAGE], check=True, stdout=subprocess.DEVNULL)


def kamailio_program() -> str | None:
    """Return where Kamailio is, None where it is not installed."""
    return shutil.which("kamailio", path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin")))


def kamailio(members: int, places: Places, directory: Path) -> System:
    """Return a proxy that forks every call to N members, and stays on its way."""
    directory.mkdir(parents=True, exist_ok=True)
    others = range(2, members + 1)
    branches = [f'    append_branch("sip:{200 + number}@127.0.0.1:{places.losers}");' for number in others]
    configuration = directory / "kamailio.cfg"
    configuration.write_text(_KAMAILIO.format(winner=places.winner, branches="\n".join(branches)))
    program = kamailio_program()
    assert program, "asked for only where it is installed"
    command = [program, "-f", str(configuration), "-DD", "-E", "-l", f"udp:127.0.0.1:{places.system}"]
    command += ["-m", "256", "-M", "16", "-w", str(directory), "-Y", str(directory), "-P", str(directory / "pid")]
    return System(f"Kamailio, N={members}", members, command, places, directory)
