"""Whether a trunk's server lives is asked, and a call does not wait long for one that does not."""

from __future__ import annotations

from dataclasses import replace

from bridge.calls.model import ExchangeSettings, TrunkSettings
from bridge.directory.model import Line
from bridge.events import TrunkChanged
from bridge.sip.flow import Flow
from bridge.sip.message import Request
from bridge.sip.transaction import ServerTransaction
from tests.support.lab import Lab, Phone, answers

STATIC = TrunkSettings("pbx", "10.0.9.1", username="620", register=False)
FIRST, SECOND = ("10.0.9.1", None), ("10.0.9.2", None)


def lab(trunk: TrunkSettings = STATIC) -> Lab:
    """Return a laboratory with a line behind a trunk, and its two servers, pbx and pbx2."""
    made = Lab(members=0, settings=ExchangeSettings(trunks=(trunk,)), more_lines=(Line("out", "250", trunk="pbx"),))
    made.add("pbx", ("10.0.9.1", 5060))
    made.add("pbx2", ("10.0.9.2", 5060))
    made.exchange.start(made.now)
    made.run(1)
    return made


def state(made: Lab) -> tuple[str, str]:
    """Return the trunk's state and its reason."""
    (found,) = made.exchange.trunks()
    return found.state, found.reason


def deaf(made: Lab, *phones: str) -> None:
    """Let these say nothing any more."""
    addresses = [made[phone].address for phone in phones]
    made.drop = lambda passed: passed.source in addresses


def test_a_static_peer_is_asked_and_lost_and_found() -> None:
    """It answers: nothing is said. It is gone: lost, with the reason. It is back: static again."""
    made = lab()
    made.run(200)
    assert 2 <= len(made.sent("pbx", "OPTIONS")) <= 5
    assert state(made) == ("static", "")
    deaf(made, "pbx")
    made.run(120)
    assert state(made) == ("lost", "OPTIONS: no answer")
    made.drop = lambda passed: False
    made.run(60)
    assert state(made) == ("static", "")
    told = [event.state for event in made.events if isinstance(event, TrunkChanged)]
    assert told == ["lost", "static"]


def test_a_call_from_a_lost_peer_finds_it() -> None:
    """Whoever calls is there, whatever became of our question."""
    made = lab()
    deaf(made, "pbx")
    made.run(120)
    assert state(made)[0] == "lost"
    made.drop = lambda passed: False
    made["pbx"].call("250", from_="<sip:0301234@10.0.9.1>")
    assert state(made)[0] == "static"


def test_nobody_is_asked_where_it_is_not_wanted() -> None:
    """`check = false`: for a peer that answers no OPTIONS."""
    made = lab(replace(STATIC, check=False))
    deaf(made, "pbx")
    made.run(300)
    assert not made.sent("pbx", "OPTIONS") and state(made) == ("static", "")


def test_the_next_address_is_used_before_anybody_calls() -> None:
    """A server of two addresses, the first of which is gone: the second is asked, and the next call goes there."""
    made = lab(replace(STATIC, host="pbx.test"))
    made.exchange.trunk_resolved("pbx", [FIRST, SECOND], made.now)
    deaf(made, "pbx")
    made.run(120)
    assert state(made) == ("static", "")
    made["pbx2"].on_invite = answers
    made["c1"].call("250")
    made.run(0.1)
    assert "INVITE" in made.to("pbx2") and "INVITE" not in made.to("pbx")


def test_a_call_waits_two_seconds_for_a_dead_address() -> None:
    """The address fails in the very moment of a call: the other one is tried after 2 s, before a hunt goes on."""
    made = lab(replace(STATIC, host="pbx.test"))
    made.exchange.trunk_resolved("pbx", [FIRST, SECOND], made.now)
    deaf(made, "pbx")
    made["pbx2"].on_invite = answers
    call = made["c1"].call("250")
    made.run(2.5)
    assert made["c1"].accepted(call)
    (invite,) = made.sent("pbx2", "INVITE")
    assert invite.at - made.sent("pbx", "INVITE")[0].at <= 2.1


def registrar(pbx: Phone, *, options: bool) -> None:
    """Let a phone grant registrations, and answer OPTIONS or not."""

    def serve(request: Request, transaction: ServerTransaction, flow: Flow, now: float) -> None:
        if request.method == "REGISTER":
            pbx.ua.answer(transaction, request, 200, now, {"Contact": [request.get("Contact") or ""]})
        elif options:
            pbx.ua.answer_plainly(transaction, request, now)

    pbx.ua._on_new = serve  # type: ignore[method-assign]


def test_a_server_that_we_are_registered_at_is_missed_soon() -> None:
    """It is asked between two REGISTERs: one that is gone is lost within two minutes, though the grant is an hour's."""
    trunk = replace(STATIC, register=True, password="secret", expires=3600)
    made = Lab(members=0, settings=ExchangeSettings(trunks=(trunk,)))
    registrar(made.add("pbx", ("10.0.9.1", 5060)), options=True)
    made.exchange.start(made.now)
    made.run(100)
    assert state(made)[0] == "registered" and len(made.sent("pbx", "REGISTER")) == 1
    deaf(made, "pbx")
    made.run(150)
    assert state(made) == ("lost", "no answer")


def test_a_registrar_without_options_is_asked_in_vain_only_twice() -> None:
    """It takes our REGISTER, so it lives; its silence to OPTIONS means nothing."""
    trunk = replace(STATIC, register=True, password="secret", expires=3600)
    made = Lab(members=0, settings=ExchangeSettings(trunks=(trunk,)))
    registrar(made.add("pbx", ("10.0.9.1", 5060)), options=False)
    made.exchange.start(made.now)
    made.run(1500)
    assert state(made)[0] == "registered"
    assert len({passed.message.call_id for passed in made.sent("pbx", "OPTIONS")}) == 2
