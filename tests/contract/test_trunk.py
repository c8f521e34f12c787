"""A PBX or provider above the bridge."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.support.agent import Agent, group, static
from tests.support.datagrams import Datagrams
from tests.support.ports import free_port
from tests.support.process import wait_until
from tests.support.sipp import Sipp

Bridges = Callable[..., Agent]
Sipps = Callable[..., Sipp]

PBX = "127.0.0.2"  # on loopback too, and nobody else's address


def trunk(port: int, **more: Any) -> dict[str, Any]:
    """Return a trunk whose server is SIPp in the place of a PBX."""
    account = {"username": "620", "password": "secret", "expires": 300, "number": "600"}
    return {"server": f"sip:{PBX}:{port}", **account, **more}


def proved(invite: str, user: str, password: str) -> bool:
    """Whether an INVITE's Proxy-Authorization is right: MD5 with qop=auth (RFC 2617 §3.2.2)."""
    header = next(line for line in invite.splitlines() if line.startswith("Proxy-Authorization: "))
    given = {key: value.strip('"') for key, value in re.findall(r'(\w+)=("[^"]*"|[^,\s]+)', header)}
    one = _md5(f"{user}:{given['realm']}:{password}")
    two = _md5(f"INVITE:{given['uri']}")
    nonce = ":".join(given[key] for key in ("nonce", "nc", "cnonce", "qop"))
    return bool(given["username"] == user and given["response"] == _md5(f"{one}:{nonce}:{two}"))


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def state(agent: Agent) -> str:
    """Return the state of the trunk called pbx."""
    trunks = agent.ask("status")["trunks"]
    return str(trunks["pbx"]["state"])


def test_registers_and_rings_a_line_behind_the_pbx(sipp: Sipps, bridge: Bridges) -> None:
    """The bridge proves itself when it registers (401) and when it calls (407), and dials what is to be dialled."""
    pbx = sipp("pbx_challenges", host=PBX, calls=2, keys={"granted": "300"})
    caller_port = free_port()
    agent = bridge(
        trunks={"pbx": trunk(pbx.port)},
        lines={"anna": {"number": "201", "trunk": "pbx", "dial": "**611"}, "caller": static("301", caller_port)},
        groups={"sales": group("600", "anna")},
    )
    wait_until(lambda: state(agent) == "registered", lambda: f"the trunk is registered\n{pbx.report()}")
    caller = sipp("caller_calls_and_hangs_up", port=caller_port, remote=agent.port, keys={"caller": "301"})
    caller.passed()
    pbx.passed()
    [invite] = pbx.received(r"^INVITE [\s\S]*\nProxy-Authorization: ")
    assert proved(invite, "620", "secret") and not proved(invite, "620", "guessed")
    agent.wait_idle()


def test_pbx_calls_the_group(sipp: Sipps, bridge: Bridges) -> None:
    """A call from the PBX's address needs no proof and rings the group that it is for."""
    member, pbx_port = sipp("member_answers"), free_port()
    agent = bridge(
        trunks={"pbx": trunk(pbx_port, register=False)},
        lines={"anna": static("201", member.port)},
        groups={"sales": group("600", "anna")},
    )
    assert state(agent) == "static"
    sipp("caller_calls_and_hangs_up", host=PBX, port=pbx_port, remote=agent.port, keys={"caller": "0301234"}).passed()
    member.passed()
    agent.wait_idle()


def test_whom_the_pbx_wants_is_in_the_to(sipp: Sipps, bridge: Bridges) -> None:
    """A PBX puts our contact into the Request-URI: then To says which group or line is called."""
    wanted, pbx_port = sipp("member_answers"), free_port()
    with Datagrams() as other:
        agent = bridge(
            trunks={"pbx": trunk(pbx_port, register=False)},
            lines={"anna": static("201", wanted.port), "ben": static("202", other.port)},
            groups={"sales": group("600", "ben"), "support": group("601", "anna")},
        )
        keys = {"caller": "0301234", "username": "620"}
        options: dict[str, Any] = {"host": PBX, "port": pbx_port, "remote": agent.port, "keys": keys}
        sipp("pbx_calls_with_contact_in_uri", service="601", **options).passed()
        wanted.passed()
        agent.wait_idle()
        assert other.received() == []


def test_whatever_else_the_pbx_dials_rings_the_trunks_number(sipp: Sipps, bridge: Bridges) -> None:
    """A call from the PBX that names nothing of ours goes to the trunk's own `number`."""
    member, pbx_port = sipp("member_answers"), free_port()
    agent = bridge(
        trunks={"pbx": trunk(pbx_port, register=False)},
        lines={"anna": static("201", member.port)},
        groups={"sales": group("600", "anna")},
    )
    options: dict[str, Any] = {"host": PBX, "port": pbx_port, "remote": agent.port, "keys": {"caller": "0301234"}}
    sipp("caller_calls_and_hangs_up", service="49301234567", **options).passed()
    member.passed()
    agent.wait_idle()


def test_pbx_that_is_gone_stops_nothing(sipp: Sipps, bridge: Bridges) -> None:
    """A PBX that says nothing is an event, not an end: the bridge serves its own phones meanwhile."""
    member, caller_port = sipp("member_answers"), free_port()
    with Datagrams(PBX) as silent:
        agent = bridge(
            trunks={"pbx": trunk(silent.port)},
            lines={"anna": static("201", member.port), "caller": static("301", caller_port)},
            groups={"sales": group("600", "anna")},
        )
        silent.wait(b"REGISTER ")
        assert state(agent) != "registered"
        caller = sipp("caller_calls_and_hangs_up", port=caller_port, remote=agent.port, keys={"caller": "301"})
        caller.passed()
        member.passed()
        agent.wait_idle()


def test_call_that_comes_back_is_caught(sipp: Sipps, bridge: Bridges) -> None:
    """While our call rings at the PBX, a call from there with our own number is that call again: 482."""
    pbx = sipp("member_rings_until_cancelled", host=PBX)
    caller_port = free_port()
    agent = bridge(
        trunks={"pbx": trunk(pbx.port, register=False)},
        lines={"anna": {"number": "201", "trunk": "pbx"}, "caller": static("301", caller_port)},
        groups={"sales": group("600", "anna")},
    )
    caller = sipp("caller_cancels", port=caller_port, remote=agent.port, keys={"caller": "301"}, talk=1500)
    pbx.wait_received("^INVITE")
    caller.wait_received("^SIP/2.0 180")
    back = sipp("caller_is_refused", host=PBX, remote=agent.port, keys={"caller": "620"})
    back.passed()
    assert back.received("^SIP/2.0 482"), back.report()
    caller.passed()
    pbx.passed()
    agent.wait_idle()


def test_pbx_tells_what_a_phone_behind_it_does(sipp: Sipps, bridge: Bridges) -> None:
    """A watched line's state is what the PBX tells of it, and nobody has to call for that."""
    pbx = sipp("pbx_tells_of_a_phone", host=PBX, talk=1500)
    agent = bridge(
        trunks={"pbx": trunk(pbx.port, register=False, watch="dialog")},
        lines={"anna": {"number": "201", "trunk": "pbx"}},
        groups={"sales": group("600", "anna")},
    )

    def told() -> str:
        return str(agent.ask("lines")["lines"]["anna"]["state"])

    for wanted in ("idle", "ringing", "busy", "idle"):
        wait_until(partial(lambda wanted: told() == wanted, wanted), f"anna is {wanted}\n{pbx.report()}")
    pbx.passed()
