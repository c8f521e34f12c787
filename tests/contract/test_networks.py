"""Networks that are not one flat loopback: two interfaces, a translating router, both IP families, changing addresses.

The real agent on a Pi with a cable in the house and one to the PBX; phones in the house, in a cabin behind a
translator, and at the PBX. All in network namespaces of the test's own; where the kernel makes none, they are skipped.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.agent import Agent, group
from tests.support.baresip import Baresip
from tests.support.networks import Host, Networks, missing
from tests.support.process import PATIENCE, wait_until
from tests.support.textphone import TextPhone, header, place_of_media, sdp

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or "networks can be made")

PI, PI_AT_PBX, PI_6 = "192.168.1.20", "10.8.0.2", "fd00:1::20"
ANNA, BEN, DANA_6 = "192.168.1.31", "192.168.1.32", "fd00:1::33"
ROUTER, CARA = "192.168.1.50", "172.16.5.2"
PBX = "10.8.0.1"
TONE = 25  # packets in which a tone can be told
MAPPED_FOR = 2  # seconds that the router keeps a mapping that nothing uses
LINES = {
    "anna": {"number": "201", "password": "anna-secret"},
    "ben": {"number": "202", "password": "ben-secret"},
    "cara": {"number": "203", "password": "cara-secret"},
    "dana": {"number": "204", "password": "dana-secret"},
}
STATIC = {"server": f"sip:{PBX}", "username": "bridge", "register": False, "number": "600", "check": False}


class House:
    """All machines, and what runs on them in one test."""

    def __init__(self, machines: SimpleNamespace, directory: Path, stack: ExitStack) -> None:
        self.on = machines
        self._directory = directory
        self._stack = stack

    def bridge(self, **tables: Any) -> Agent:
        """Run the agent on the Pi, with sales (600) for Ben and far (601) for Cara."""
        groups = {"sales": group("600", "ben"), "far": group("601", "cara")}
        agent = Agent(
            self._directory / "agent",
            on=self.on.pi,
            constants={"bridge.sip.openings.EVERY": 1.0},
            **{"lines": LINES, "groups": groups, **tables},
        )
        return self._stack.enter_context(agent)

    def phone(self, name: str, own: str, server: str = PI, **more: Any) -> Baresip:
        """Run a phone that registers at the bridge."""
        line = LINES[name]
        who = {"number": line["number"], "password": line["password"]}
        options: dict[str, Any] = {**who, "server": 5060, "host": server, **more}
        made = self._stack.enter_context(Baresip(self._directory, on=getattr(self.on, name), own=own, **options))
        made.wait_registered()
        return made

    def at_pbx(self) -> Baresip:
        """Run a phone at the PBX, which calls as the PBX does."""
        options: dict[str, Any] = {"number": "pbx", "server": 5060, "host": PI_AT_PBX, "tone": 700}
        return self._stack.enter_context(Baresip(self._directory, on=self.on.pbx, own=PBX, **options))

    def text(self, on: Host, own: str, number: str, password: str = "", **more: Any) -> TextPhone:
        """Return a phone of text that sends to the bridge in the house."""
        bridge = more.pop("bridge", (PI, 5060))
        return self._stack.enter_context(TextPhone(on, own, bridge, number, password, **more))

    def rtp(self, on: Host, own: str) -> socket.socket:
        """Return a socket for sound."""
        return self._stack.enter_context(on.socket(local=(own, 0)))


@pytest.fixture(scope="module")
def machines() -> Iterator[SimpleNamespace]:
    """Make the networks, once."""
    with Networks() as networks:
        house, office, cabin = (networks.lan(name) for name in ("house", "office", "cabin"))
        on = SimpleNamespace(**{n: networks.host(n) for n in ("pi", "anna", "ben", "cara", "dana", "router", "pbx")})
        house.join(on.pi, "eth0", f"{PI}/24", f"{PI_6}/64")
        house.join(on.anna, "eth0", f"{ANNA}/24")
        house.join(on.ben, "eth0", f"{BEN}/24")
        house.join(on.dana, "eth0", f"{DANA_6}/64")
        house.join(on.router, "wan", f"{ROUTER}/24")
        cabin.join(on.router, "lan", "172.16.5.1/24")
        cabin.join(on.cara, "eth0", f"{CARA}/24")
        on.cara.route("default", "172.16.5.1")
        on.router.forward()
        on.router.masquerade("wan", "30000-30999")
        for kind in ("timeout", "timeout_stream"):
            on.router.set(f"netfilter/nf_conntrack_udp_{kind}", MAPPED_FOR)
        office.join(on.pi, "eth1", f"{PI_AT_PBX}/24")
        office.join(on.pbx, "eth0", f"{PBX}/24")
        yield on


@pytest.fixture
def house(machines: SimpleNamespace, tmp_path: Path) -> Iterator[House]:
    """Return the house with nothing running in it."""
    with ExitStack() as stack:
        yield House(SimpleNamespace(**vars(machines)), tmp_path, stack)


def connect(caller: Baresip, member: Baresip, number: str) -> None:
    """Call, be answered, hear each other."""
    rings, talks = member.count("CALL_INCOMING"), caller.count("CALL_ESTABLISHED")
    caller.dial(number)
    member.wait("CALL_INCOMING", rings + 1)
    member.answer()
    caller.wait("CALL_ESTABLISHED", talks + 1)
    for each in (caller, member):
        each.wait_hearing()


def end(by: Baresip, other: Baresip) -> None:
    """Hang up; the other one learns of it."""
    over = other.count("CALL_CLOSED")
    by.hang_up()
    other.wait("CALL_CLOSED", over + 1)


def why_relayed(agent: Agent) -> str:
    """Return why the media of the last call go through the bridge, "" where they do not."""
    found = [step["why"] for step in agent.cli("explain")["steps"] if "through the bridge" in step["why"]]
    return found[-1].partition(": ")[2] if found else ""


def told(agent: Agent, peer: str, begins: str) -> str:
    """Return the last message that begins so and was sent to a host."""
    messages = agent.cli("trace", agent.cli("explain")["call"]["call"])["messages"]
    sent = [m["text"] for m in messages if m["sent"] and m["peer"][0] == peer and m["text"].startswith(begins)]
    return str(sent[-1]) if sent else ""


def knows(message: str) -> set[str]:
    """Return every address of the bridge's machine in a message, but for what a phone calls its own stream."""
    message = re.sub(r"^a=ssrc:.*$", "", message, flags=re.MULTILINE)
    return {each for each in (PI, PI_AT_PBX, PI_6) if re.search(rf"(?<![\d.]){re.escape(each)}(?![\d.])", message)}


def test_phones_of_one_house_talk_directly(house: House) -> None:
    """Each is told the other's own address; what is said to them names the bridge by its address in the house."""
    agent = house.bridge()
    anna, ben = house.phone("anna", ANNA), house.phone("ben", BEN)
    connect(anna, ben, "600")
    assert place_of_media(told(agent, BEN, "INVITE"))[0] == ANNA
    assert place_of_media(told(agent, ANNA, "SIP/2.0 200"))[0] == BEN
    assert f"@{PI}:5060" in header(told(agent, BEN, "INVITE"), "Contact") and not why_relayed(agent)
    end(ben, anna)


def test_each_side_is_told_the_address_that_it_reaches(house: House) -> None:
    """The PBX at one interface, the phone at the other: Via, Contact and description of each are of its own side."""
    agent = house.bridge(trunks={"pbx": STATIC})
    ben, pbx = house.phone("ben", BEN, tone=880), house.at_pbx()
    connect(pbx, ben, "600")
    invite, answer = told(agent, BEN, "INVITE"), told(agent, PBX, "SIP/2.0 200")
    assert place_of_media(invite)[0] == PI and place_of_media(answer)[0] == PI_AT_PBX
    assert knows(invite) == {PI}, invite
    assert PI in header(invite, "Via") and PI in header(invite, "Contact")
    assert knows(answer) == {PI_AT_PBX} and PI_AT_PBX in header(answer, "Contact")
    assert why_relayed(agent) == f"another interface: {PI_AT_PBX} and {PI}"
    for each in (pbx, ben):
        each.wait_hearing(TONE)
    end(pbx, ben)
    assert 880 in pbx.heard() and 700 in ben.heard()


def test_between_ipv6_and_ipv4(house: House) -> None:
    """A phone with IPv6 alone and one with IPv4 alone hear each other, held and resumed, both ways."""
    agent = house.bridge()
    dana, anna = house.phone("dana", DANA_6, PI_6), house.phone("anna", ANNA)
    connect(dana, anna, "201")
    assert why_relayed(agent) == "another address family"
    assert place_of_media(told(agent, DANA_6, "SIP/2.0 200"))[0] == PI_6
    dana.hold()
    dana.resume()
    for each in (dana, anna):
        each.wait_hearing()
    end(anna, dana)


def test_ipv6_addresses_of_privacy_are_not_told(house: House) -> None:
    """The kernel changes the Pi's address each day: phones are told the one that lasts, and hear it from there."""
    pi = house.on.pi
    pi.set("ipv6/conf/eth0/use_tempaddr", 2)
    pi.do("ip", "address", "change", f"{PI_6}/64", "dev", "eth0", "mngtmpaddr")
    try:
        wait_until(
            lambda: "temporary" in pi.do("ip", "-6", "address", "show", "dev", "eth0"), "there is such an address"
        )
        agent = house.bridge()
        dana = house.text(house.on.dana, DANA_6, "204", "dana-secret", bridge=(PI_6, 5060))
        dana.register()
        anna = house.phone("anna", ANNA)
        anna.dial("204")
        invite = dana.wait("^INVITE ")
        assert f"[{PI_6}]" in header(invite, "Via") and f"@[{PI_6}]:5060" in header(invite, "Contact")
        assert place_of_media(invite)[0] == PI_6
        anna.hang_up()
        agent.wait_idle()
    finally:
        pi.set("ipv6/conf/eth0/use_tempaddr", 0)
        pi.addresses("eth0", f"{PI}/24", f"{PI_6}/64")


def test_a_phone_behind_a_translator_is_called_long_after_it_registered(house: House) -> None:
    """The router forgets a mapping after 2 s without a packet; the bridge keeps it open, and a call arrives by it.

    Both hear each other through the bridge; what either asks inside the talk, and the end, reaches the other.
    """
    agent = house.bridge()
    anna, cara = house.phone("anna", ANNA), house.phone("cara", CARA, tone=880)
    begun = time.monotonic()
    wait_until(lambda: time.monotonic() - begun > 2 * MAPPED_FOR, "the mapping would be forgotten")
    connect(anna, cara, "601")
    assert why_relayed(agent) == f"the member is behind NAT: {CARA} at {ROUTER}"
    for phone in (anna, cara):
        phone.hold()
        phone.resume()
        for each in (anna, cara):
            each.wait_hearing()
    end(anna, cara)
    connect(cara, anna, "201")
    for each in (anna, cara):
        each.wait_hearing(TONE)
    end(anna, cara)
    assert 880 in anna.heard() and 440 in cara.heard()


def test_a_router_that_begins_anew_in_the_middle_of_a_talk(house: House) -> None:
    """Every mapping is another one then: both hear each other again, and what is said in the talk follows."""
    house.bridge()
    anna, cara = house.phone("anna", ANNA), house.phone("cara", CARA)
    connect(cara, anna, "201")
    house.on.router.masquerade("wan", "31000-31999")
    house.on.router.forget_mappings("wan")
    for each in (cara, anna):
        each.wait_hearing()
    cara.hold()
    cara.resume()
    for each in (cara, anna):
        each.wait_hearing()
    end(anna, cara)


def test_a_phone_whose_answer_alone_shows_that_it_is_behind_a_translator(house: House) -> None:
    """It has registered as it is seen, but describes an address that nobody reaches: the relay takes the talk over."""
    agent = house.bridge()
    anna = house.phone("anna", ANNA)
    ben = house.text(house.on.ben, BEN, "202", "ben-secret")
    rtp = house.rtp(house.on.ben, BEN)
    ben.register()
    anna.dial("600")
    invite = ben.wait("^INVITE ")
    ben.answer(invite, "200 OK", sdp("172.16.9.9", rtp.getsockname()[1]))
    again = ben.wait("^INVITE ")
    ben.answer(again, "200 OK", sdp("172.16.9.9", rtp.getsockname()[1]))
    host, port = place_of_media(again)
    assert (place_of_media(invite)[0], host) == (ANNA, PI)
    rtp.sendto(b"\x80\x88" + bytes(170), (host, port))
    data, source = rtp.recvfrom(2048)
    assert source == (PI, port) and len(data) == 172
    assert why_relayed(agent) == f"the member is behind NAT: 172.16.9.9 at {BEN}"
    ben.within(invite, "BYE")
    anna.wait("CALL_CLOSED")


def test_a_connection_that_breaks_in_a_talk_and_is_made_again(house: House) -> None:
    """A phone by TCP, reset and connected anew: it registers, and the hang-up of the other side comes by that."""
    agent = house.bridge()
    anna = house.phone("anna", ANNA)
    ben = house.text(house.on.ben, BEN, "202", "ben-secret", tcp=True)
    ben.register()
    anna.dial("600")
    ben.answer(ben.wait("^INVITE "), "200 OK", sdp(BEN, 4000))
    anna.wait("CALL_ESTABLISHED")
    ben.wait("^ACK ")
    before = ben.port
    ben.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    ben.socket.close()
    wait_until(lambda: not agent.ask("lines")["lines"]["ben"]["contacts"], "the bridge sees that it is gone")
    anna.hang_up()
    wait_until(lambda: not agent.ask("calls")["calls"], "the call is over for Anna")
    ben.connect()
    assert ben.port != before
    ben.register()
    ben.answer(ben.wait("^BYE "), "200 OK")


def test_a_connection_whose_other_end_has_vanished(house: House) -> None:
    """No word of its end comes: the bridge asks it now and then, and knows the phone to be unreachable soon."""
    agent = Agent(
        house._directory / "agent",
        on=house.on.pi,
        constants={"bridge.sip.endpoint.connection.SILENT_FOR": 1, "bridge.sip.endpoint.connection.ANSWERS_WITHIN": 2},
        lines=LINES,
    )
    with agent:
        ben = house.text(house.on.ben, BEN, "202", "ben-secret", tcp=True)
        ben.register()
        assert agent.ask("lines")["lines"]["ben"]["reachable"]
        house.on.ben.up("eth0", False)
        try:
            gone = "the phone is known to be unreachable"
            wait_until(lambda: not agent.ask("lines")["lines"]["ben"]["reachable"], gone, 15)
        finally:
            house.on.ben.up("eth0")


class Registrar:
    """A PBX that takes every registration, for an hour.

    `source`: where the last one came from; `contacts`: the values that it had, in their order.
    """

    def __init__(self, on: Host, own: str = PBX) -> None:
        self.socket = on.socket(local=(own, 5060))
        self.source = ("", 0)
        self.contacts: list[str] = []

    def __enter__(self) -> Registrar:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def registered(self, seconds: float = PATIENCE) -> str:
        """Take the next REGISTER; return the host in its Contact."""
        self.socket.settimeout(seconds)
        while True:
            data, self.source = self.socket.recvfrom(65536)
            text = data.decode().replace(";rport", f";rport={self.source[1]};received={self.source[0]}")
            if not text.strip():
                continue
            head = [line for line in text.split("\r\n") if re.match(r"(Via|From|To|Call-ID|CSeq|Contact):", line)]
            answer = ["SIP/2.0 200 OK", *head, "Expires: 3600", "Content-Length: 0", "", ""]
            self.socket.sendto("\r\n".join(answer).encode(), self.source)
            if text.startswith("REGISTER"):
                self.contacts = re.findall(r"^Contact: *(.*?)\r$", text, re.MULTILINE)
                return str(re.findall(r"@([\d.]+)", header(text, "Contact"))[0])


def test_the_bridge_itself_is_behind_a_translator(house: House) -> None:
    """A provider sees it at the router's address; its call comes in long after the mapping would be forgotten."""
    provider = {"server": f"sip:{ANNA}", "username": "620", "password": "x", "number": "600"}
    house.on.pi = house.on.cara
    with Registrar(house.on.anna, ANNA) as pbx:
        house.bridge(trunks={"provider": provider})
        assert pbx.registered() == CARA and pbx.source[0] == ROUTER
        begun = time.monotonic()
        wait_until(lambda: time.monotonic() - begun > 2 * MAPPED_FOR, "the mapping would be forgotten")
        with TextPhone(house.on.anna, ANNA, pbx.source, "999", through=pbx.socket) as caller:
            caller.request("OPTIONS", f"sip:620@{CARA}", f"<sip:620@{CARA}>", [f"Contact: <{caller.contact}>"])
            caller.wait("^SIP/2.0 200 .*OPTIONS", 5)


def test_the_bridge_gets_another_address(house: House) -> None:
    """DHCP gives the Pi another one, and takes that of before: the PBX knows at once, also that it is gone."""
    trunk = {"server": f"sip:{PBX}", "username": "620", "password": "x", "number": "600", "expires": 3600}
    with Registrar(house.on.pbx) as pbx:
        agent = house.bridge(trunks={"pbx": trunk})
        assert pbx.registered() == PI_AT_PBX
        house.on.pi.addresses("eth1", "10.8.0.77/24")
        try:
            assert pbx.registered(10) == "10.8.0.77"
            assert f"@{PI_AT_PBX}:" in pbx.contacts[1] and pbx.contacts[1].endswith(">;expires=0")
            wait_until(lambda: agent.ask("status")["trunks"]["pbx"]["state"] == "registered", "the trunk is registered")
        finally:
            house.on.pi.addresses("eth1", f"{PI_AT_PBX}/24")
        assert pbx.registered(10) == PI_AT_PBX


@pytest.mark.parametrize("media", ["relay", "auto"])
def test_a_talk_goes_on_when_the_bridge_gets_another_address(house: House, media: str) -> None:
    """Both phones learn of it by re-INVITE: they hear each other, and who hangs up ends it for both."""
    lines = {name: {**line, "media": media} for name, line in LINES.items()}
    agent = house.bridge(lines=lines)
    anna, ben = house.phone("anna", ANNA), house.phone("ben", BEN)
    connect(anna, ben, "600")
    house.on.pi.addresses("eth0", "192.168.1.77/24")
    try:
        for peer in (ANNA, BEN):
            wait_until(lambda peer=peer: "@192.168.1.77" in told(agent, peer, "INVITE"), "it is told")  # type: ignore[misc]
        for each in (anna, ben):
            each.wait_hearing()
        end(anna, ben)
        agent.wait_idle()
    finally:
        house.on.pi.addresses("eth0", f"{PI}/24", f"{PI_6}/64")


def test_a_caller_who_waits_hears_on_when_the_bridge_gets_another_address(house: House) -> None:
    """The music comes from another place then: its phone learns of that, and can hang up."""
    groups = {"sales": group("600", "ben", strategy="queue")}
    agent = house.bridge(groups=groups)
    anna = house.phone("anna", ANNA)
    house.phone("ben", BEN)
    anna.dial("600")
    anna.wait_hearing()
    house.on.pi.addresses("eth0", "192.168.1.77/24")
    try:
        wait_until(lambda: "@192.168.1.77" in told(agent, ANNA, "INVITE"), "it is told")
        assert place_of_media(told(agent, ANNA, "INVITE"))[0] == "192.168.1.77"
        anna.wait_hearing()
        anna.hang_up()
        agent.wait_idle()
    finally:
        house.on.pi.addresses("eth0", f"{PI}/24", f"{PI_6}/64")


def test_the_bridge_is_up_before_its_network(house: House) -> None:
    """After a power cut: it serves, waits without spinning, and registers as soon as the cable is there."""
    trunk = {"server": f"sip:{PBX}", "username": "620", "password": "x", "number": "600"}
    house.on.pi.up("eth1", False)
    try:
        with Registrar(house.on.pbx) as pbx:
            agent = house.bridge(trunks={"pbx": trunk})
            wait_until(lambda: agent.ask("status")["trunks"]["pbx"]["state"] == "lost", "the trunk is lost")
            used = _used(agent.pid)
            begun = time.monotonic()
            wait_until(lambda: time.monotonic() - begun > 1.5, "it waits")
            assert _used(agent.pid) - used < 0.3
            house.on.pi.up("eth1")
            assert pbx.registered(10) == PI_AT_PBX
            wait_until(lambda: agent.ask("status")["trunks"]["pbx"]["state"] == "registered", "the trunk is registered")
            house.on.pi.up("eth1", False)
            house.on.pi.up("eth1")
    finally:
        house.on.pi.up("eth1")


def _used(pid: int) -> float:
    """Return the seconds of CPU that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
