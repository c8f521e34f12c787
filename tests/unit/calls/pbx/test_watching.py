"""What a PBX tells of lines behind a trunk by the dialog event package (RFC 6665, RFC 4235), on virtual time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.calls.model import ExchangeSettings, TrunkSettings
from bridge.calls.status import LineState
from bridge.directory.model import Group, Line, Member
from bridge.events import Notice
from bridge.sip.agenda import Agenda
from bridge.sip.flow import Flow, LocalAddress, Send
from bridge.sip.message import Body, Request, Response, response_to
from bridge.sip.reading import parse_message
from bridge.sip.transaction import ClientTransaction
from bridge.sip.useragent import UserAgent
from tests.support.lab import BRIDGE, Lab, Phone, tokens

HOST = "10.1.0.1"
HELPERS = tuple(Member(name, name, device=True, always=True) for name in ("anna", "m1"))
XML = "application/dialog-info+xml"


def document(version: int, *dialogs: tuple[str, str, str], state: str = "full") -> bytes:
    """Return a dialog-info document; a dialog is its id, state and direction."""
    inside = "".join(
        f'<dialog id="{name}" direction="{direction}"><state>{what}</state></dialog>'
        for name, what, direction in dialogs
    )
    head = f'xmlns="urn:ietf:params:xml:ns:dialog-info" version="{version}" state="{state}" entity="sip:201@pbx"'
    return f'<?xml version="1.0" encoding="UTF-8"?><dialog-info {head}>{inside}</dialog-info>'.encode()


class Pbx(Phone):
    """A PBX that takes subscriptions, or refuses them with `status`."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab, "pbx", (HOST, 5060))
        self.ua = UserAgent("pbx", Agenda(), lambda flow: LocalAddress(HOST, 5060), tokens("pbx"))
        self.status = 200
        self.expires = "600"
        self.asked: list[Request] = []
        self.answers: list[int] = []
        self._seq = 0

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        """Take SUBSCRIBE here, all else as a phone does."""
        if data.startswith(b"SUBSCRIBE "):
            request = parse_message(data)
            assert isinstance(request, Request)
            self.asked.append(request)
            response = response_to(request, self.status, to_tag="p1")
            response.headers["Contact"] = [f"<sip:pbx@{HOST}>"]
            response.headers["Expires"] = [self.expires]
            self.ua.layer.outbox.append(Send(BRIDGE, bytes(response)))
            return
        super().receive(data, flow, now)

    def notify(self, body: bytes | None, state: str = "active;expires=500", to: int = -1, kind: str = XML) -> None:
        """Send a NOTIFY for the last subscription, or for an earlier one."""
        asked = self.asked[to]
        self._seq += 1
        request = Request(
            "NOTIFY",
            "sip:620@10.0.0.100",
            {
                "Via": [],
                "Max-Forwards": ["70"],
                "From": [f"{asked.need('To').split(';tag')[0]};tag=p1"],
                "To": [asked.need("From")],
                "Call-ID": [asked.call_id],
                "CSeq": [f"{self._seq} NOTIFY"],
                "Contact": [f"<sip:pbx@{HOST}>"],
                "Event": ["dialog"],
                "Subscription-State": [state],
            },
        )
        request.put(Body(kind, body) if body is not None else None)
        self.ua.layer.request(request, BRIDGE, self, self.lab.now)
        self.lab.run(0)

    def on_response(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """Note what the bridge says to a NOTIFY."""
        self.answers.append(response.code)


def house(status: int = 200) -> tuple[Lab, Pbx]:
    """Return a lab with a watched line behind a PBX, and the PBX; the subscription is asked for."""
    trunk = TrunkSettings("pbx", HOST, username="620", password="x", register=False)
    lab = Lab(
        members=1,
        settings=ExchangeSettings(trunks=(trunk,), watched=frozenset({"anna"})),
        more_lines=(Line("anna", "211", trunk="pbx", dial="**611"),),
        more_groups=(Group("h", "Help", "601", HELPERS),),
    )
    pbx = Pbx(lab)
    pbx.status = status
    lab.phones["pbx"] = pbx
    lab.exchange.start(lab.now)
    lab.run(0)
    return lab, pbx


def state(lab: Lab) -> LineState:
    """Return the watched line's state."""
    return lab.exchange.line("anna").state


def notices(lab: Lab) -> list[str]:
    """Return what was said to people."""
    lab.run(0)
    return [event.text for event in lab.events if isinstance(event, Notice)]


def test_line_follows_what_the_pbx_tells() -> None:
    """Unknown until it is told; then idle, ringing, busy as the PBX says."""
    lab, pbx = house()
    [asked] = pbx.asked
    assert (asked.method, asked.get("Event"), asked.get("Accept")) == ("SUBSCRIBE", "dialog", XML)
    assert asked.uri == f"sip:211@{HOST}"
    assert state(lab) is LineState.UNKNOWN
    for version, dialogs, expected in (
        (0, (), LineState.IDLE),
        (1, (("a", "early", "recipient"),), LineState.RINGING),
        (2, (("a", "confirmed", "recipient"),), LineState.BUSY),
        (3, (("b", "trying", "initiator"),), LineState.BUSY),
        (4, (("b", "terminated", "initiator"),), LineState.IDLE),
    ):
        pbx.notify(document(version, *dialogs))
        assert state(lab) is expected
    assert set(pbx.answers) == {200}


def test_what_is_told_twice_is_answered_twice_alike() -> None:
    """A NOTIFY that is repeated, since our answer was slow or lost, has the same answer again: no 500 for its order."""
    lab, pbx = house()
    pbx.notify(document(0))
    [told] = lab.of("pbx", "NOTIFY")
    pbx.ua.layer.outbox.append(Send(BRIDGE, bytes(told.message)))
    lab.run(0)
    first, again = lab.sent("pbx", "200 NOTIFY")
    assert bytes(again.message) == bytes(first.message)
    assert not lab.sent("pbx", "500 NOTIFY")


def test_busy_line_is_not_rung() -> None:
    """A line that talks to somebody else is on a call; when the PBX tells that it is free it is rung."""
    lab, pbx = house()
    pbx.notify(document(0, ("a", "confirmed", "recipient")))
    lab["c1"].call("601")
    lab.run(0.5)
    assert lab.sent("m1", "INVITE")
    assert not lab.sent("pbx", "INVITE")
    pbx.notify(document(1))
    lab.run(0.5)
    assert lab.sent("pbx", "INVITE")


def test_partial_states_are_put_together() -> None:
    """A partial document changes what it names; one that is missed makes us ask for the full state."""
    lab, pbx = house()
    pbx.notify(document(0, ("a", "confirmed", "recipient")))
    pbx.notify(document(1, ("b", "early", "recipient"), state="partial"))
    pbx.notify(document(2, ("a", "terminated", "recipient"), state="partial"))
    assert state(lab) is LineState.RINGING
    pbx.notify(document(4, ("b", "terminated", "recipient"), state="partial"))
    assert len(pbx.asked) == 2
    pbx.notify(document(5))
    assert state(lab) is LineState.IDLE


@pytest.mark.parametrize("status", [403, 489])
def test_refusal_is_said_once(status: int) -> None:
    """A PBX without the package leaves the state unknown; it is said once, and asked again in an hour, not before."""
    lab, pbx = house(status)
    lab.run(3000)
    assert len(pbx.asked) == 1
    lab.run(7200)
    assert len(pbx.asked) > 1
    assert state(lab) is LineState.UNKNOWN
    [said] = notices(lab)
    assert str(status) in said and "anna" in said


def test_refreshed_in_its_dialog() -> None:
    """Before what was granted has passed it is refreshed: the same Call-ID, with the PBX's tag, a higher CSeq."""
    lab, pbx = house()
    pbx.notify(document(0))
    lab.run(500)
    first, second = pbx.asked[:2]
    assert second.call_id == first.call_id
    assert second.to_tag == "p1"
    assert second.cseq.sequence == first.cseq.sequence + 1
    assert state(lab) is LineState.IDLE


def test_forgotten_subscription_is_made_anew() -> None:
    """481 to a refresh (the PBX has restarted): unknown, and a new dialog some seconds later."""
    lab, pbx = house()
    pbx.notify(document(0))
    pbx.status = 481
    while len(pbx.asked) < 2:
        lab.run(1)
    pbx.status = 200
    assert state(lab) is LineState.UNKNOWN
    lab.run(5)
    assert pbx.asked[2].call_id != pbx.asked[1].call_id
    pbx.notify(document(0))
    assert state(lab) is LineState.IDLE


def test_ended_by_the_pbx() -> None:
    """Terminated: deactivated is subscribed again soon; an old dialog's NOTIFY gets 481."""
    lab, pbx = house()
    pbx.notify(document(0), state="terminated;reason=deactivated")
    assert state(lab) is LineState.UNKNOWN
    lab.run(5)
    assert len(pbx.asked) == 2
    pbx.notify(document(1), to=0)
    assert pbx.answers[-1] == 481


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", XML),
        (b"<no", XML),
        (b"\xff\xfe", XML),
        (b'<!DOCTYPE d [<!ENTITY a "b">]><d>&a;</d>', XML),
        (b"<other/>", XML),
        (document(0).replace(b'version="0"', b'version="x"'), XML),
        (document(0, ("a", "dancing", "recipient")), XML),
        (document(0) + b" " * 70_000, XML),
        (b"hello", "text/plain"),
    ],
)
def test_what_cannot_be_read_is_unknown(body: bytes, kind: str) -> None:
    """A document that cannot be used is answered 200, leaves the state unknown and is told once."""
    lab, pbx = house()
    pbx.notify(document(0))
    for _ in range(2):
        pbx.notify(body, kind=kind)
    assert set(pbx.answers) == {200}
    if body:
        assert state(lab) is LineState.UNKNOWN
        assert len(notices(lab)) == 1


def test_silent_pbx_is_asked_again_with_patience() -> None:
    """A PBX that says nothing is asked again, more seldom each time: a dozen times an hour at most, for ever."""
    lab, pbx = house()
    lab.phones.pop("pbx")
    before = len(lab.wire)
    lab.run(3600)
    calls = {p.message.call_id for p in lab.wire[before:] if p.name == "SUBSCRIBE"}
    assert 5 < len(calls) < 30
    assert state(lab) is LineState.UNKNOWN


# -- over a restart ----------------------------------------------------------------------------------------------------


def killed(lab: Lab, pbx: Pbx) -> list[Request]:
    """Let the bridge be killed and start again; return what the PBX is asked from then on."""
    before = len(pbx.asked)
    lab.restart()
    lab.run(0.1)
    return pbx.asked[before:]


def test_subscription_goes_on_over_a_restart() -> None:
    """It is refreshed in the dialog of before, so that there is one; the state is known as soon as it is told."""
    lab, pbx = house()
    pbx.notify(document(3, ("a", "confirmed", "recipient")))
    [again] = killed(lab, pbx)
    first = pbx.asked[0]
    assert (again.call_id, again.to_tag, again.from_) == (first.call_id, "p1", first.from_)
    assert again.cseq.sequence > first.cseq.sequence and again.get("Expires") == "600"
    assert state(lab) is LineState.UNKNOWN
    pbx.notify(document(4, ("a", "confirmed", "recipient")), to=0)
    assert (pbx.answers[-1], state(lab)) == (200, LineState.BUSY)
    lab.run(3600)
    assert {request.call_id for request in pbx.asked} == {first.call_id}


def test_subscription_that_the_pbx_has_forgotten_meanwhile() -> None:
    """481: a new dialog some seconds later, and one alone."""
    lab, pbx = house()
    pbx.notify(document(0))
    pbx.status = 481
    [again] = killed(lab, pbx)
    pbx.status = 200
    lab.run(5)
    assert pbx.asked[-1].to_tag is None and pbx.asked[-1].call_id != again.call_id
    pbx.notify(document(0))
    assert state(lab) is LineState.IDLE
    pbx.notify(document(1), to=0)
    assert pbx.answers[-1] == 481


def test_subscription_that_was_ended_is_not_taken_up() -> None:
    """Refused before, or another number now: a restart asks anew, in a dialog of its own."""
    lab, pbx = house(403)
    [again] = killed(lab, pbx)
    assert again.to_tag is None
    lab, pbx = house()
    pbx.notify(document(0))
    lab.directory.lines["anna"] = replace(lab.directory.lines["anna"], number="212")  # type: ignore[index]
    [again] = killed(lab, pbx)
    assert again.to_tag is None and "sip:212@" in again.uri


def test_partial_document_after_a_restart() -> None:
    """What only says what has changed is not enough then: the whole state is asked for, and unknown until it comes."""
    lab, pbx = house()
    pbx.notify(document(0, ("a", "confirmed", "recipient")))
    killed(lab, pbx)
    asked = len(pbx.asked)
    pbx.notify(document(1, state="partial"), to=0)
    lab.run(0.1)
    assert state(lab) is LineState.UNKNOWN and len(pbx.asked) == asked + 1
    pbx.notify(document(2), to=0)
    assert state(lab) is LineState.IDLE
