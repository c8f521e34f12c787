"""A trunk whose server has several addresses, moves, is lost and comes back."""

from __future__ import annotations

from bridge.calls.model import ExchangeSettings, TrunkSettings
from bridge.directory.model import Line
from bridge.events import TrunkChanged
from bridge.sip.agenda import Agenda
from bridge.sip.flow import Flow, LocalAddress
from bridge.sip.message import Request, response_to
from bridge.sip.useragent import Registering, UserAgent
from tests.support.lab import Lab, Phone, tokens

A, B, C = "10.1.0.1", "10.1.0.2", "10.1.0.3"
GIVE_UP = 40.0  # seconds: longer than a REGISTER without an answer takes


class Server(Phone):
    """A PBX's server: takes registrations, unless it is told another status."""

    def __init__(self, lab: Lab, name: str, host: str) -> None:
        super().__init__(lab, name, (host, 5060))
        self.ua = UserAgent(name, Agenda(), lambda flow: LocalAddress(host, 5060), tokens(name))
        self.status = 200
        self.registrations: list[Request] = []

    def _settle(self) -> None:
        for event in [e for e in self.ua.events if isinstance(e, Registering)]:
            self.ua.events.remove(event)
            self.registrations.append(event.request)
            response = response_to(event.request, self.status, to_tag="s")
            response.headers["Contact"] = event.request.headers["Contact"]
            event.transaction.respond(response, self.lab.now)
        super()._settle()


def office(*servers: str) -> tuple[Lab, list[Server]]:
    """Return a lab with a trunk at a name that has these addresses, and a server at each."""
    trunk = TrunkSettings("pbx", "pbx.test", username="620", password="x", number="600")
    lab = Lab(
        members=0,
        settings=ExchangeSettings(trunks=(trunk,)),
        more_lines=(Line("anna", "211", trunk="pbx", dial="**611"),),
    )
    up = []
    for n, host in enumerate(servers):
        server = Server(lab, f"s{n}", host)
        lab.phones[server.name] = server
        up.append(server)
    return lab, up


def resolve(lab: Lab, *hosts: str) -> None:
    """Let the trunk's name have these addresses."""
    lab.exchange.trunk_resolved("pbx", [(host, None) for host in hosts], lab.now)
    lab.run(0)


def states(lab: Lab) -> list[str]:
    """Return the trunk's states so far."""
    return [event.state for event in lab.events if isinstance(event, TrunkChanged)]


def test_silent_address_is_left_for_the_next() -> None:
    """No answer from the first address: the second is tried at once, and the trunk is registered there."""
    lab, [second] = office(B)
    resolve(lab, A, B)
    lab.run(GIVE_UP)
    assert len(second.registrations) == 1
    assert lab.exchange.trunks()[0].state == "registered"


def test_address_that_cannot_serve_is_left_at_once() -> None:
    """503 from the first address: the second is asked in the same moment."""
    lab, [first, second] = office(A, B)
    first.status = 503
    resolve(lab, A, B)
    lab.run(0)
    assert len(first.registrations) == len(second.registrations) == 1
    assert lab.exchange.trunks()[0].state == "registered"


def test_refusal_is_not_tried_elsewhere() -> None:
    """A server that will not have us (403) speaks for all of them."""
    lab, [first, second] = office(A, B)
    first.status = 403
    resolve(lab, A, B)
    lab.run(GIVE_UP)
    assert not second.registrations
    assert states(lab)[-1] == "lost"


def test_every_address_fails_then_it_waits_and_begins_again() -> None:
    """With all addresses tried there is a pause, longer each time: no storm; whoever comes back first is taken."""
    lab, [first, second] = office(A, B)
    first.status = second.status = 503
    resolve(lab, A, B)
    lab.run(0)
    assert len(first.registrations) == len(second.registrations) == 1
    assert states(lab)[-1] == "lost"
    lab.run(60)
    assert 2 <= len(first.registrations) <= 8
    second.status = 200
    lab.run(300)
    assert lab.exchange.trunks()[0].state == "registered"


def test_server_that_moves_is_followed() -> None:
    """The name gets another address: the trunk registers there; the same addresses in another order change nothing."""
    lab, [first, second] = office(A, B)
    resolve(lab, A)
    resolve(lab, B, A)
    lab.run(0)
    assert (len(first.registrations), len(second.registrations)) == (1, 0)
    resolve(lab, B)
    lab.run(0)
    assert (len(first.registrations), len(second.registrations)) == (1, 1)


def test_lost_server_comes_back() -> None:
    """A server that is gone for an hour is an event, lost; when it is back it is registered with within minutes."""
    lab, [server] = office(A)
    resolve(lab, A)
    lab.drop = lambda passed: True
    lab.run(3600)
    assert states(lab)[-1] == "lost"
    lab.drop = lambda passed: False
    lab.run(330)
    assert states(lab)[-1] == "registered"


def test_call_goes_to_the_next_address() -> None:
    """A server that answers a call with 503 is left for the next address, in the same offer."""
    lab, [first, second] = office(A, B)
    resolve(lab, A, B)
    lab.run(0)
    first.on_invite = lambda phone, leg: leg.reject(503, phone.lab.now)
    lab["c1"].call("211")
    lab.run(1)
    assert lab.sent("s0", "INVITE")
    assert len(lab.sent("s1", "INVITE")) == 1
    assert "180 INVITE" in lab.to("c1")


def test_call_that_nobody_answers_brings_the_next_address_into_use() -> None:
    """A server that dies between two refreshes: a call to it finds out, and the next call goes elsewhere."""
    lab, [first, second] = office(A, B)
    resolve(lab, A, B)
    lab.run(0)
    lab.drop = lambda passed: A in (passed.source[0], passed.target[0])
    lab["c1"].call("211")
    lab.run(80)
    assert len(second.registrations) == 1
    assert lab.exchange.trunks()[0].state == "registered"
    lab["c1"].call("211")
    lab.run(1)
    assert lab.sent("s1", "INVITE")


def test_name_that_is_lost_keeps_known_addresses() -> None:
    """A name server that fails takes nothing away; a name that never had an address is a lost trunk."""
    lab, _ = office(A)
    lab.exchange.trunk_unresolved("pbx", "pbx.test cannot be resolved", lab.now)
    lab.run(0)
    assert states(lab)[-1] == "lost"
    resolve(lab, A)
    lab.exchange.trunk_unresolved("pbx", "pbx.test cannot be resolved", lab.now)
    lab.run(0)
    assert states(lab)[-1] == "registered"


def test_a_connection_that_ends_is_registered_on_anew() -> None:
    """A PBX that closes our connection, or whose port is closed, is asked at once, not at the next refresh."""
    lab, (server,) = office(A)
    resolve(lab, A)
    lab.run(1)
    assert len(server.registrations) == 1
    lab.exchange.flow_failed(Flow("udp", A, 5060), "the peer closed the connection", lab.now)
    lab.run(1)
    assert len(server.registrations) == 2 and states(lab)[-1] == "registered"
    lab.exchange.flow_failed(Flow("udp", "10.99.0.1", 5060), "somebody else's", lab.now)
    lab.run(1)
    assert len(server.registrations) == 2
