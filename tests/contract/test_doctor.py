"""`cti-bridge doctor` against set-ups that are broken in one way each: it names each, and says what to do."""

from __future__ import annotations

import json
import os
import re
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from bridge.cli.main import main
from tests.support.agent import ENVIRONMENT, Agent, Table, group, static, toml
from tests.support.control import Served
from tests.support.kamailio import HOST, Kamailio
from tests.support.middle import Box, Parrot, Router, alg, contact_alg
from tests.support.mosquitto import Mosquitto
from tests.support.ports import free_even_port, free_port
from tests.support.process import wait_until
from tests.support.sipp import Sipp
from tests.support.tmux import Tmux

Bridges = Callable[..., Agent]
Pbxs = Callable[..., Kamailio]
Told = dict[str, Any]
PASSWORD = "hush-620"
ACCOUNTS = {"620": PASSWORD}


class Practice:
    """Where a configuration is examined. `said` has the findings by their check, the worst of each."""

    def __init__(self, directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.directory = directory
        self.config = directory / "cti-bridge.toml"
        self.control = directory / "no-agent.sock"
        self.state = directory / "state"
        self.said: dict[str, Told] = {}
        self.every: list[Told] = []
        self._capsys = capsys

    def configure(self, **tables: Table) -> None:
        """Write a configuration; it listens on a port that is free."""
        port = free_port()
        every = {"sip": {"listen": [f"udp:127.0.0.1:{port}", f"tcp:127.0.0.1:{port}"]}, **tables}
        lines = []
        for name, table in every.items():
            lines += [f"[{name}]", *(f"{json.dumps(key)} = {toml(value)}" for key, value in table.items())]
        self.config.write_text("\n".join(lines) + "\n")
        self.config.chmod(0o640)

    def examine(self, code: int) -> dict[str, Told]:
        """Run the doctor, expect its exit code, and nothing of a secret; return the findings."""
        self._capsys.readouterr()
        places = ["--config", str(self.config), "--control", str(self.control), "--state", str(self.state)]
        ended = main(["doctor", "--json", *places])
        printed = self._capsys.readouterr().out
        assert ended == code, printed
        assert PASSWORD not in printed
        findings = json.loads(printed)["findings"]
        for each in findings:
            assert bool(each["todo"]) == (each["verdict"] != "ok"), "who finds something says what to do"
        worst = sorted(findings, key=lambda each: ("ok", "warn", "fail").index(each["verdict"]))
        self.every = findings
        self.said = {each["check"]: each for each in worst}
        return self.said

    def finds(self, check: str, verdict: str, said: str) -> None:
        """Expect a finding."""
        found = self.said.get(check)
        assert found is not None, f"{check} among {list(self.said)}"
        assert found["verdict"] == verdict and re.search(said, found["said"]), found


@pytest.fixture
def practice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Practice:
    """Return a practice without an agent."""
    return Practice(tmp_path, capsys)


@pytest.fixture
def visit(bridge: Bridges, practice: Practice) -> Callable[..., Agent]:
    """Return what starts an agent for the doctor to look at."""

    def start(**tables: Table) -> Agent:
        agent = bridge(**tables)
        agent.config.chmod(0o640)
        practice.config, practice.control, practice.state = agent.config, agent.control, agent.state
        return agent

    return start


@pytest.fixture
def boxes() -> Iterator[Callable[[Box], Box]]:
    """Return what starts a box."""
    with ExitStack() as stack:
        yield lambda box: stack.enter_context(box)


def trunk(port: int, host: str = HOST, **more: Any) -> Table:
    """Return the table of a trunk with the account that the PBX knows."""
    return {"pbx": {"server": f"sip:{host}:{port}", "username": "620", "password": PASSWORD, **more}}


# -- a healthy one ----------------------------------------------------------------------------------------------------


def test_healthy(
    practice: Practice, visit: Callable[..., Agent], pbx: Pbxs, sipp: Callable[..., Sipp], mosquitto: Mosquitto
) -> None:
    """Registered at a PBX, a phone at its place, a broker with somebody who listens: nothing fails."""
    box = pbx("fritzbox", accounts=ACCOUNTS)
    phone = sipp("member_answers_options", calls=5)
    with mosquitto.subscribe("homeassistant/#"):
        agent = visit(trunks=trunk(box.port), lines={"door": static("205", phone.port)}, mqtt={"broker": mosquitto.url})
        wait_until(lambda: agent.ask("status")["trunks"]["pbx"]["state"] == "registered", "registered")
        wait_until(lambda: agent.ask("status")["links"]["mqtt"]["state"] == "connected", "connected")
        said = practice.examine(code=0)
    bad = {check: each for check, each in said.items() if each["verdict"] != "ok"}
    bad.pop("watchdog")  # no systemd looks after it here
    bad.pop("sound ports", None)  # bridges of other tests may use some
    assert not bad
    assert {"trunk pbx", "way to pbx", "line door", "broker", "home assistant", "version", "sound ports"} <= set(said)


def test_healthy_without_an_agent(practice: Practice, pbx: Pbxs) -> None:
    """What can be looked at without it is: the account is tried, in a way that changes no registration."""
    box = pbx("asterisk", accounts=ACCOUNTS)
    practice.configure(trunks=trunk(box.port))
    practice.examine(code=0)
    practice.finds("trunk pbx", "ok", "takes the account: 200")
    practice.finds("agent", "warn", "does not run")


# -- broken ones ------------------------------------------------------------------------------------------------------


def test_mistake_in_the_configuration(practice: Practice) -> None:
    """Each mistake is a finding with its place; the machine is looked at all the same."""
    practice.config.write_text('[sip]\nlisten = ["udp:0.0.0.0:99999"]\n[lines.anna]\n')
    said = practice.examine(code=1)
    practice.finds("configuration", "fail", r"sip.listen|lines.anna")
    assert {"disk", "clock"} <= set(said)


def test_no_configuration(practice: Practice) -> None:
    """There is none: said so."""
    practice.examine(code=1)
    practice.finds("configuration", "fail", "cannot be read")


def test_secrets_that_everybody_may_read(practice: Practice) -> None:
    """In the configuration itself, or in a file of its own."""
    (practice.directory / "anna").write_text(PASSWORD)
    (practice.directory / "anna").chmod(0o644)
    practice.configure(lines={"anna": {"number": "201", "password": {"file": "anna"}}})
    practice.examine(code=0)
    practice.finds("secrets", "warn", "everybody on this machine may read .*anna")


def test_name_that_cannot_be_resolved(practice: Practice) -> None:
    """A PBX whose name nobody knows."""
    practice.configure(trunks=trunk(5060, "pbx.invalid"))
    practice.examine(code=1)
    practice.finds("name pbx.invalid", "fail", "cannot be resolved")


def test_pbx_that_is_silent(practice: Practice, boxes: Callable[[Box], Box]) -> None:
    """It takes what is sent, and says nothing."""
    practice.configure(trunks=trunk(boxes(Parrot(None)).port, "127.0.0.1"))
    practice.examine(code=1)
    practice.finds("trunk pbx", "fail", "does not answer")


def test_pbx_that_is_off(practice: Practice) -> None:
    """Nobody listens at its port."""
    practice.configure(trunks=trunk(free_port()))
    practice.examine(code=1)
    practice.finds("trunk pbx", "fail", "[Rr]efused")


@pytest.mark.parametrize("manner", ["fritzbox", "provider"])
def test_wrong_password(practice: Practice, pbx: Pbxs, manner: str) -> None:
    """The PBX's own words are told."""
    box = pbx(manner, accounts={"620": "another"})
    practice.configure(trunks=trunk(box.port))
    practice.examine(code=1)
    practice.finds("trunk pbx", "fail", "refuses '620': 401 Unauthorized")


def test_unknown_account(practice: Practice, visit: Callable[..., Agent], pbx: Pbxs) -> None:
    """The same, as the running agent has heard it."""
    box = pbx("fritzbox", accounts={"621": PASSWORD})
    agent = visit(trunks=trunk(box.port))
    wait_until(lambda: agent.ask("status")["trunks"]["pbx"]["state"] == "lost", "refused")
    practice.examine(code=1)
    practice.finds("trunk pbx", "fail", "lost: 403 Forbidden")


def test_router_that_rewrites_sip(practice: Practice, pbx: Pbxs, boxes: Callable[[Box], Box]) -> None:
    """SIP ALG is told by the Via that comes back changed."""
    box = pbx("asterisk", accounts=ACCOUNTS)
    router = boxes(Router((HOST, box.port), "127.0.0.8", alg("127.0.0.8")))
    practice.configure(trunks=trunk(router.port, "127.0.0.8"))
    practice.examine(code=0)
    practice.finds("way to pbx", "warn", r"came back as 127\.0\.0\.8:1024")


def test_router_that_rewrites_contacts(
    practice: Practice, visit: Callable[..., Agent], pbx: Pbxs, boxes: Callable[[Box], Box]
) -> None:
    """Registered, and yet no call comes in: the PBX has us where nobody is."""
    box = pbx("asterisk", accounts=ACCOUNTS)
    router = boxes(Router((HOST, box.port), "127.0.0.8", contact_alg("127.0.0.8")))
    direct = visit(trunks=trunk(box.port))
    wait_until(lambda: direct.ask("status")["trunks"]["pbx"]["state"] == "registered", "registered")
    practice.examine(code=0)
    practice.finds("way to pbx", "ok", "nothing rewrites")
    direct.configure(trunks=trunk(router.port, "127.0.0.8"))
    direct.ended_cleanly()
    direct.start()
    wait_until(lambda: direct.ask("status")["trunks"]["pbx"]["state"] in ("registered", "lost"), "answered")
    practice.examine(code=0 if direct.ask("status")["trunks"]["pbx"]["state"] == "registered" else 1)
    assert any(re.search(r"127\.0\.0\.8:1024|not for our contact", each["said"]) for each in practice.every), (
        practice.every
    )


def test_addresses_translated_inside_the_house(practice: Practice, pbx: Pbxs, boxes: Callable[[Box], Box]) -> None:
    """A container's network, for one: the PBX sees another address than ours."""
    box = pbx("asterisk", accounts=ACCOUNTS)
    router = boxes(Router((HOST, box.port), "127.0.0.8"))
    practice.configure(trunks=trunk(router.port, "127.0.0.8"))
    practice.examine(code=0)
    practice.finds("way to pbx", "warn", r"sees us at 127\.0\.0\.8, we are at 127\.0\.0\.1")


def test_clocks_that_differ(practice: Practice, boxes: Callable[[Box], Box]) -> None:
    """The PBX's Date is an hour behind."""
    parrot = boxes(Parrot("200 OK", f"Date: {formatdate(os.stat('/proc/self').st_mtime - 3600, usegmt=True)}"))
    practice.configure(trunks=trunk(parrot.port, "127.0.0.1"))
    practice.examine(code=0)
    practice.finds("clock of pbx", "warn", "behind")


@pytest.mark.parametrize("kind, transport", [(socket.SOCK_DGRAM, "udp"), (socket.SOCK_STREAM, "tcp")])
def test_port_that_another_program_has(practice: Practice, kind: socket.SocketKind, transport: str) -> None:
    """Who has it is told, as far as it may be seen."""
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind(("127.0.0.1", 0))
        if transport == "tcp":
            other.listen()
        port = other.getsockname()[1]
        practice.configure(sip={"listen": [f"{transport}:127.0.0.1:{port}"]})
        practice.examine(code=1)
    practice.finds(f"port {port}/{transport}", "fail", rf"address already in use, by .+ \(process {os.getpid()}\)")


def test_sound_ports_that_are_taken(practice: Practice) -> None:
    """Too few are left for a call."""
    first = free_even_port(pairs=4)
    with ExitStack() as stack:
        for port in range(first, first + 6, 2):
            stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)).bind(("127.0.0.1", port))
        practice.configure(sip={"listen": [f"udp:127.0.0.1:{free_port()}"], "rtp_ports": [first, first + 7]})
        practice.examine(code=1)
    practice.finds("sound ports", "fail", "1 of 4 pairs .* 3 are taken by others")


def test_phone_that_has_not_registered(practice: Practice, visit: Callable[..., Agent]) -> None:
    """The agent knows."""
    visit(lines={"anna": {"number": "201", "password": PASSWORD}})
    practice.examine(code=1)
    practice.finds("line anna", "fail", "has not registered")


def test_phone_that_is_not_at_its_place(practice: Practice) -> None:
    """Nobody is there who speaks SIP."""
    practice.configure(lines={"door": static("205", free_port())})
    practice.examine(code=1)
    practice.finds("line door", "fail", "refused")


def test_mailbox_that_takes_calls(practice: Practice, visit: Callable[..., Agent], sipp: Callable[..., Sipp]) -> None:
    """Who answers without having rung is no person."""
    mailbox, port = sipp("member_answers_without_ringing", talk=50), free_port()
    lines = {"anna": static("201", mailbox.port), "door": static("205", port)}
    agent = visit(lines=lines, groups={"support": group("600", "anna")})
    caller = sipp("caller_stays_until_it_hangs_up", remote=agent.port, port=port, keys={"caller": "205"})
    caller.passed()
    agent.wait_idle()
    practice.examine(code=1)  # by now neither phone is there any more
    found = "answered 1 of 1 calls without ringing"
    assert any(found in each["said"] for each in practice.every), practice.every
    agent.ended_cleanly()
    practice.examine(code=1)
    assert any(found in each["said"] for each in practice.every), "told by the journal, without the agent"
    agent.start()


def test_broker_that_is_off(practice: Practice) -> None:
    """The connection is refused."""
    practice.configure(mqtt={"broker": f"mqtt://127.0.0.1:{free_port()}"})
    practice.examine(code=1)
    practice.finds("broker", "fail", "[Rr]efused")


def test_broker_that_does_not_know_us(practice: Practice, tmp_path: Path) -> None:
    """Its reason is told."""
    with Mosquitto(tmp_path / "broker", users={"cti": "another"}) as broker:
        practice.configure(mqtt={"broker": broker.url, "username": "cti", "password": PASSWORD})
        practice.examine(code=1)
    practice.finds("broker", "fail", "Not authorized|Bad user name or password")


def test_broker_whose_rules_forbid_us_to_publish(practice: Practice, tmp_path: Path) -> None:
    """Connected is not enough."""
    with Mosquitto(tmp_path / "broker", users={"cti": PASSWORD}, acl="user cti\ntopic read #\n") as broker:
        practice.configure(mqtt={"broker": broker.url, "username": "cti", "password": PASSWORD})
        practice.examine(code=1)
    practice.finds("broker", "fail", "does not let us publish: Not authorized")


def test_home_assistant_that_is_elsewhere(practice: Practice, mosquitto: Mosquitto) -> None:
    """Nobody listens to what is announced."""
    practice.configure(mqtt={"broker": mosquitto.url})
    practice.examine(code=0)
    practice.finds("home assistant", "warn", "nobody listens at homeassistant/#")


def test_machine_without_pins(practice: Practice) -> None:
    """A button at a pin, and no Pi. (On a Pi it is a login that may not use them, or all is well.)"""
    if Path("/dev/gpiochip0").exists():
        pytest.skip("this machine has pins")
    desk = {"member": "anna", "buttons": [{"gpio": 17, "press": "logout all"}]}
    practice.configure(lines={"anna": static("201", free_port())}, desks={"anna": desk})
    practice.examine(code=1)
    practice.finds("gpio", "fail", "has no pins")


def test_panel_that_is_not_plugged_in(practice: Practice) -> None:
    """The devices that are there are told."""
    desk = {"member": "anna", "panel": "/dev/serial/by-id/usb-nothing", "lamps": [{"lamp": 1, "shows": "bridge"}]}
    practice.configure(lines={"anna": static("201", free_port())}, desks={"anna": desk})
    practice.examine(code=1)
    practice.finds("panel of anna", "fail", "usb-nothing is not there")


def test_modem_that_is_not_plugged_in(practice: Practice) -> None:
    """The same for the modem at an analogue line."""
    practice.configure(lines={"fax": {"number": "209", "modem": "/dev/serial/by-id/usb-nothing"}})
    practice.examine(code=1)
    practice.finds("modem of fax", "fail", "usb-nothing is not there")


def test_state_that_cannot_be_written(practice: Practice) -> None:
    """As on a card that has become read-only."""
    practice.configure()
    practice.state = Path("/proc/cti-bridge")
    practice.examine(code=1)
    practice.finds("disk", "fail", "cannot be written")


NFT = """\
table inet filter {
    chain input {
        type filter hook input priority filter; policy drop;
        ct state established,related accept
        tcp dport 22 accept
        %s
    }
}
"""


@pytest.mark.parametrize("rule, shut", [("", True), ("udp dport { 5061, 16384-16583 } accept", False)])
def test_firewall_that_drops_sip(practice: Practice, monkeypatch: pytest.MonkeyPatch, rule: str, shut: bool) -> None:
    """Its rules are read where they may be; a rule that lets SIP and sound in is enough."""
    nft = practice.directory / "nft"
    nft.write_text(f"#!/bin/sh\ncat <<'RULES'\n{NFT % rule}RULES\n")
    nft.chmod(0o755)
    monkeypatch.setenv("PATH", f"{practice.directory}:{os.environ['PATH']}")
    practice.configure(sip={"listen": ["udp:127.0.0.1:5061"]})
    practice.examine(code=1 if shut else 0)
    if shut:
        practice.finds("firewall", "fail", "no rule names udp/5061, udp/16384-16583")
    else:
        practice.finds("firewall", "ok", "lets SIP and sound in")


def test_agent_that_is_older(practice: Practice, tmp_path: Path) -> None:
    """One that knows no `diagnosis` is asked what it knows."""
    with Served(tmp_path / "served") as served:
        practice.configure()
        practice.control = served.path
        practice.examine(code=1)
    practice.finds("agent", "ok", "runs as")


def test_in_a_terminal(practice: Practice, tmp_path: Path) -> None:
    """In 80 columns: what fails stands with what to do below it."""
    practice.configure(trunks=trunk(9), lines={"door": static("205", 9)}, mqtt={"broker": "mqtt://127.0.0.1:9"})
    argv = [sys.executable, "-m", "bridge.cli", "doctor", "--config", "cti-bridge.toml", "--state", "state"]
    with Tmux(tmp_path, [*argv, "--control", "none"], {**ENVIRONMENT, "PATH": "/usr/bin:/bin"}, (80, 40)) as terminal:
        terminal.wait_for("[ended 1]")
        hidden = [
            (r"port \d+/", "port 12345/"),
            (r"\d+ MiB", "12345 MiB"),
            (r"\d+ warn, \d+ ok", "1 warn, 7 ok"),
            (r"(?m)^(ok|warn)  *(card|firewall|sound).*\n( .*\n)*", ""),
        ]
        terminal.looks_like("doctor", *hidden)
