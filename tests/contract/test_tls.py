"""SIP over TLS, with other stacks at the far end: phones, and a PBX that is reached through OpenSSL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.agent import Agent, group, static
from tests.support.baresip import Baresip
from tests.support.certificates import Authority
from tests.support.datagrams import SDP, Datagrams
from tests.support.ports import free_port
from tests.support.process import Process, wait_until
from tests.support.sipp import Sipp, is_bound

NUMBERS = {"anna": "201", "ben": "202"}
LINES = {name: {"number": number, "password": f"{name}-secret"} for name, number in NUMBERS.items()}


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Make an authority."""
    return Authority(tmp_path / "authority")


@pytest.fixture
def tunnel(tmp_path: Path) -> Iterator[Callable[..., int]]:
    """Return what listens with TLS and passes on to a TCP port: `tunnel(certificate, key, port)` is its port."""
    with ExitStack() as stack:

        def listen(cert: Path, key: Path, onward: int) -> int:
            port = free_port()
            here = f"OPENSSL-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork,verify=0,cert={cert},key={key}"
            process = stack.enter_context(Process(["socat", here, f"TCP:127.0.0.1:{onward}"], cwd=tmp_path))
            process.serves(lambda: is_bound("127.0.0.1", port, "tcp"), "socat listens")
            return port

        yield listen


def listening(agent_port: int, tls_port: int, authority: Authority) -> dict[str, object]:
    """Return `[sip]` of a bridge that listens on UDP and TLS."""
    cert, key = authority.issue("bridge", "IP:127.0.0.1", "DNS:localhost")
    return {
        "listen": [f"udp:127.0.0.1:{agent_port}", f"tls:127.0.0.1:{tls_port}"],
        "tls": {"cert": str(cert), "key": str(key), "ca": str(authority.ca)},
    }


def test_phones_over_tls(bridge: Callable[..., Agent], phone: Callable[..., Baresip], authority: Authority) -> None:
    """A phone registers over TLS, is rung over its connection, talks, holds, and is hung up on; so it does calling."""
    plain, secure = free_port(), free_port()
    agent = bridge(lines=LINES, groups={"sales": group("600", "ben")}, sip=listening(plain, secure, authority))
    anna, ben = (
        phone(number=NUMBERS[name], server=secure, password=f"{name}-secret", transport="tls", ca=authority.ca)
        for name in NUMBERS
    )
    for each in (anna, ben):
        each.wait_registered()
    anna.dial("600")
    ben.wait_ringing()
    ben.answer()
    for each in (anna, ben):
        each.wait("CALL_ESTABLISHED")
        each.wait_hearing()
    ben.hold()
    wait_until(lambda: anna.direction == "recvonly", lambda: f"Anna is held\n{anna.report()}\n{agent.report()}")
    anna.hang_up()
    ben.wait("CALL_CLOSED")
    agent.wait_idle()


def test_a_trunk_over_tls(
    bridge: Callable[..., Agent], sipp: Callable[..., Sipp], tunnel: Callable[..., int], authority: Authority
) -> None:
    """The bridge registers and calls over TLS at a server whose certificate is for the name that it was told."""
    pbx = sipp("pbx_challenges", calls=2, keys={"granted": "300"}, transport="t1")
    port = tunnel(*authority.issue("pbx", "DNS:localhost"), pbx.port)
    caller_port = free_port()
    agent = bridge(
        trunks={"pbx": trunk(f"sip:localhost:{port};transport=tls")},
        lines={"anna": {"number": "201", "trunk": "pbx", "dial": "**611"}, "caller": static("301", caller_port)},
        groups={"sales": group("600", "anna")},
        sip={"tls": {"ca": str(authority.ca)}},
    )
    wait_until(lambda: state(agent) == "registered", lambda: f"the trunk is registered\n{agent.report()}")
    sipp("caller_calls_and_hangs_up", port=caller_port, remote=agent.port, keys={"caller": "301"}).passed()
    pbx.passed()
    agent.wait_idle()


def test_a_trunk_with_somebody_elses_certificate(
    bridge: Callable[..., Agent], sipp: Callable[..., Sipp], tunnel: Callable[..., int], authority: Authority
) -> None:
    """A server whose certificate is for another name is told nothing, and its trunk is lost, with the reason."""
    pbx = sipp("pbx_challenges", keys={"granted": "300"}, transport="t1")
    port = tunnel(*authority.issue("pbx", "DNS:elsewhere.test"), pbx.port)
    agent = bridge(
        trunks={"pbx": trunk(f"sips:localhost:{port}")},
        lines={"anna": {"number": "201", "trunk": "pbx"}},
        groups={"sales": group("600", "anna")},
        sip={"tls": {"ca": str(authority.ca)}},
    )
    wait_until(lambda: state(agent) == "lost", agent.report)
    assert "certificate" in agent.ask("status")["trunks"]["pbx"]["reason"]
    assert pbx.messages == ""


def test_a_phone_with_somebody_elses_certificate(
    bridge: Callable[..., Agent], sipp: Callable[..., Sipp], tunnel: Callable[..., int], authority: Authority
) -> None:
    """A phone that is called by TLS and has a certificate for another name is told nothing: its line is unreachable."""
    member = sipp("member_answers", transport="t1")
    port = tunnel(*authority.issue("phone", "DNS:elsewhere.test"), member.port)
    with Datagrams() as caller:
        contact = f"sip:202@localhost:{port};transport=tls"
        agent = bridge(
            lines={"ben": {"number": "202", "contact": contact}, "caller": static("301", caller.port)},
            sip={"tls": {"ca": str(authority.ca)}},
        )
        caller.request("INVITE", "202", agent.port, SDP)
        assert caller.wait(b"SIP/2.0 4").startswith(b"SIP/2.0 480")
    assert member.messages == ""


def test_certificates_that_cannot_be_used(tmp_path: Path, authority: Authority) -> None:
    """`check` says which file is wrong, and how; nothing is started with it."""
    cert, _ = authority.issue("bridge", "IP:127.0.0.1")
    _, other = authority.issue("other", "IP:127.0.0.1")
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("nothing")
    with Agent(tmp_path / "agent", lines=LINES) as agent:
        sip = {"listen": ["tls:127.0.0.1:0"], "tls": {"cert": str(cert), "key": str(other), "ca": str(garbage)}}
        told = agent.reload(lines=LINES, sip=sip)
        assert "key values mismatch" in told and "sip.tls.ca" in told
        problems = agent.cli("check", code=2)["problems"]
        assert [problem["path"] for problem in problems] == ["sip.tls.cert", "sip.tls.ca"]


def trunk(server: str) -> dict[str, object]:
    """Return a trunk that registers."""
    return {"server": server, "username": "620", "password": "secret", "number": "600"}


def state(agent: Agent) -> str:
    """Return the state of the trunk called pbx."""
    return str(agent.ask("status")["trunks"]["pbx"]["state"])
