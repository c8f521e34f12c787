"""Who may call, what a trunk's call is for, and what strangers are told."""

from __future__ import annotations

import random

import pytest

from bridge.calls.model import ExchangeSettings, TrunkSettings
from bridge.directory.model import Group, Line, Member
from bridge.sip.digest import Authenticator, Credentials
from bridge.sip.flow import Flow
from bridge.sip.legevents import Rejected
from bridge.sip.message import Request, Response
from bridge.sip.reading import parse_message
from tests.support.lab import OFFER, Lab, Phone, answers, refuses

SOURCE = Flow("udp", "192.0.2.66", 5060)
REGISTERING = Line("lobby", "203", registers=True)
SECRETS = ExchangeSettings(passwords={"lobby": "lobby-secret"})
PBX = TrunkSettings("pbx", "10.9.9.9", username="620", password="pbx-secret", register=False, number="600", max_calls=2)


def request(method: str, uri: str = "sip:600@10.0.0.100", **headers: str | None) -> bytes:
    """Return a request from a stranger; keyword arguments replace or (None) leave out headers, `_` for `-`."""
    values: dict[str, str | None] = {
        "Via": "SIP/2.0/UDP 192.0.2.66:5060;branch=z9hG4bKstranger1;rport",
        "From": "<sip:999@192.0.2.66>;tag=s1",
        "To": "<sip:600@10.0.0.100>",
        "Call-ID": "stranger-1",
        "CSeq": f"1 {method}",
        "Contact": "<sip:999@192.0.2.66>",
        "Max-Forwards": "70",
    }
    values |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}" for name, value in values.items() if value is not None]
    return ("\r\n".join([f"{method} {uri} SIP/2.0", *lines]) + "\r\nContent-Length: 0\r\n\r\n").encode()


def answered(lab: Lab, data: bytes, flow: Flow = SOURCE) -> list[Response]:
    """Return what the bridge says to a message."""
    lab.exchange.receive(data, flow, lab.now)
    said = [parse_message(sent.data) for sent in lab.exchange.outbox]
    lab.exchange.outbox.clear()
    return [message for message in said if isinstance(message, Response)]


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (request("OPTIONS"), 200),
        (request("FOO", CSeq="1 FOO"), 501),
        (request("REFER"), 405),
        (request("SUBSCRIBE", Event="dialog"), 401),
        (request("SUBSCRIBE", Event="presence"), 489),
        (request("SUBSCRIBE"), 489),
        (request("PUBLISH", Event="presence"), 489),
        (request("PRACK"), 481),
        (request("BYE", To="<sip:600@10.0.0.100>;tag=unknown"), 481),
        (request("INVITE", To="<sip:600@10.0.0.100>;tag=unknown"), 481),
        (request("CANCEL"), 481),
        (request("INVITE", Require="100rel, foo"), 420),
        (request("INVITE", Max_Forwards="0"), 483),
        (request("INVITE", Contact=None), 400),
        (request("INVITE", uri="mailto:someone@example.com"), 416),
        (request("OPTIONS", CSeq="1 INVITE"), 400),
        (request("OPTIONS", From=None), 400),
        (request("ACK", From=None), None),
        (request("OPTIONS", Max_Forwards="many"), 200),
    ],
)
def test_every_request_is_answered_as_is_due(data: bytes, status: int | None) -> None:
    """RFC 3261 §8.2, §12.2.2, §9.2: each has its status; an ACK is never answered."""
    said = answered(Lab(), data)
    assert [response.code for response in said][-1:] == ([] if status is None else [status])


def test_a_420_names_what_is_not_supported() -> None:
    """RFC 3261 §8.2.2.3."""
    (refusal,) = answered(Lab(), request("INVITE", Require="100rel, foo"))
    assert refusal.get("Unsupported") == "foo"


def test_options_tells_what_we_can() -> None:
    """RFC 3261 §11.2: Allow, Accept and Supported."""
    (ok,) = answered(Lab(), request("OPTIONS"))
    assert "INVITE" in ok.need("Allow") and ok.get("Accept") == "application/sdp"


def test_a_stranger_is_challenged_and_learns_nothing() -> None:
    """Known and unknown numbers are challenged alike; without a password no phone rings."""
    lab = Lab(more_lines=(REGISTERING,), settings=SECRETS)
    for user in ("203", "999", "201"):
        invite = request(
            "INVITE",
            From=f"<sip:{user}@192.0.2.66>;tag={user}",
            Call_ID=user,
            Via=f"SIP/2.0/UDP 192.0.2.66:5060;branch=z9hG4bK{user};rport",
        )
        challenge = answered(lab, invite)[-1]
        assert challenge.code == 401 and "Digest" in challenge.need("WWW-Authenticate")
    assert not lab.exchange.calls()


def test_a_phone_that_proves_its_line_may_call_from_anywhere() -> None:
    """Digest on the INVITE; the caller is then that line. A wrong password is 403 and an event."""
    lab = Lab(members=1, more_lines=(REGISTERING,), settings=SECRETS)
    phone = lab.add("lobby", ("192.0.2.50", 5060))
    for password, code in (("lobby-secret", None), ("guess", 403)):
        leg = phone.ua.call(Flow("udp", "10.0.0.100", 5060), "203", pinned=False)
        leg.authenticator = Authenticator(Credentials("203", password), random.Random(1))
        leg.invite("sip:600@10.0.0.100", "<sip:203@10.0.0.100>", "<sip:600@10.0.0.100>", OFFER, {}, lab.now)
        lab.run(1)
        if code is None:
            assert lab["m1"].invites[-1].from_.uri.user == "203"
            leg.cancel(None, lab.now)
            lab.run(1)
        else:
            assert [e.status for e in phone.heard(Rejected)][-1] == code  # type: ignore[union-attr]
            assert any(e.type == "notice" and "wrong password" in e.text for e in lab.events)  # type: ignore[attr-defined]


def pbx_call(lab: Lab, uri: str, to: str, extra: dict[str, str] | None = None) -> Phone:
    """Let the PBX call in with a Request-URI and a To of its manner."""
    pbx = lab.phones.get("pbx") or lab.add("pbx", ("10.9.9.9", 5060))
    leg = pbx.ua.call(Flow("udp", "10.0.0.100", 5060), "x", pinned=False)
    leg.invite(uri, '"Mrs. Smith" <sip:0555123@10.9.9.9>', to, OFFER, extra or {}, lab.now)
    lab.run(1)
    return pbx


@pytest.mark.parametrize(
    ("uri", "to", "extra"),
    [
        ("sip:600@10.0.0.100", "<sip:600@10.9.9.9>", {}),
        ("sip:620@10.0.0.100:5060", "<sip:600@10.9.9.9>", {}),
        ("sip:620@10.0.0.100", "<sip:0555999@10.9.9.9>", {"P-Called-Party-ID": "<sip:600@10.9.9.9>"}),
        ("sip:620@10.0.0.100", "<sip:0555999@10.9.9.9>", {}),
    ],
)
def test_a_trunks_call_finds_its_group_however_the_pbx_writes_it(uri: str, to: str, extra: dict[str, str]) -> None:
    """By Request-URI, P-Called-Party-ID or To where one names a group or line, else to the trunk's number."""
    lab = Lab(members=1, settings=ExchangeSettings(trunks=(PBX,)))
    lab.exchange.start(lab.now)
    pbx_call(lab, uri, to, extra)
    (invite,) = lab["m1"].invites
    assert invite.from_.uri.user == "0555123" and invite.from_.name == "Mrs. Smith"


def test_only_the_trunks_server_may_call_without_proof() -> None:
    """The same INVITE from another address is challenged."""
    lab = Lab(members=1, settings=ExchangeSettings(trunks=(PBX,)))
    lab.exchange.start(lab.now)
    assert answered(lab, request("INVITE"))[-1].code == 401


def test_a_line_behind_the_trunk_is_called_as_the_pbx_wants_it() -> None:
    """Request-URI with what is to be dialled, From our own user name, the caller only as display name; 407 answered."""
    outside = Line("mobile", "209", trunk="pbx", dial="**611")
    lab = Lab(members=1, more_lines=(outside,), settings=ExchangeSettings(trunks=(PBX,)))
    lab.exchange.start(lab.now)
    pbx = lab.add("pbx", ("10.9.9.9", 5060))
    seen: list[Request] = []

    def challenge(phone: Phone, leg: object) -> None:
        seen.append(phone.invites[-1])
        if "Proxy-Authorization" in phone.invites[-1].headers:
            answers(phone, leg)  # type: ignore[arg-type]
        else:
            leg.reject(  # type: ignore[attr-defined]
                407, phone.lab.now, extra={"Proxy-Authenticate": 'Digest realm="pbx", nonce="n1", qop="auth"'}
            )

    pbx.on_invite = challenge
    call = lab["c1"].call("209")
    assert lab["c1"].accepted(call)
    first, second = seen
    assert first.uri == second.uri == "sip:**611@10.9.9.9"
    assert first.from_.uri.user == "620" and first.from_.uri.host == "10.9.9.9"
    assert "301" in first.from_.name
    assert 'username="620"' in second.need("Proxy-Authorization")
    assert second.cseq.sequence == first.cseq.sequence + 1


def test_a_trunk_that_never_stops_challenging_is_asked_once_more_only() -> None:
    """No endless loop of 407s."""
    lab = Lab(more_lines=(Line("mobile", "209", trunk="pbx"),), settings=ExchangeSettings(trunks=(PBX,)))
    lab.exchange.start(lab.now)
    pbx = lab.add("pbx", ("10.9.9.9", 5060))
    pbx.on_invite = lambda phone, leg: leg.reject(
        407, lab.now, extra={"Proxy-Authenticate": f'Digest realm="pbx", nonce="n{len(phone.invites)}"'}
    )
    lab["c1"].call("209")
    lab.run(5)
    assert len(pbx.invites) == 2
    assert lab["c1"].heard(Rejected)


def test_a_merged_invite_is_refused_and_a_repeated_one_absorbed() -> None:
    """The same INVITE by two ways (another branch) is 482; the same branch again is a retransmission."""
    lab = Lab(members=1, settings=ExchangeSettings(trunks=(PBX,)))
    lab.exchange.start(lab.now)
    flow = Flow("udp", "10.9.9.9", 5060)
    first = request("INVITE", Via="SIP/2.0/UDP 10.9.9.9;branch=z9hG4bKone")
    assert [r.code for r in answered(lab, first, flow)] == [100]
    assert [r.code for r in answered(lab, first, flow)] == [100], "the 100 again, and no second call"
    other = request("INVITE", Via="SIP/2.0/UDP 10.9.9.9;branch=z9hG4bKtwo")
    assert [r.code for r in answered(lab, other, flow)] == [482]
    assert len(lab.exchange.calls()) == 1


def test_a_number_that_names_nothing_is_not_found() -> None:
    """404 to a phone of ours that dials what does not exist."""
    lab = Lab()
    lab["c1"].call("777")
    lab.run(1)
    assert [event.status for event in lab["c1"].heard(Rejected)] == [404]  # type: ignore[union-attr]


def test_a_full_trunk_is_not_a_busy_member() -> None:
    """max_calls of the trunk reached: its lines are skipped with that reason, and the caller hears 480, not 486."""
    trunk = TrunkSettings("pbx", "10.9.9.9", register=False, username="620", max_calls=1)
    mobile = Line("mobile", "209", trunk="pbx")
    lab = Lab(members=1, more_lines=(mobile, Line("other", "210", trunk="pbx")), settings=ExchangeSettings((trunk,)))
    lab.exchange.start(lab.now)
    pbx = lab.add("pbx", ("10.9.9.9", 5060))
    pbx.on_invite = answers
    assert lab["c1"].accepted(lab["c1"].call("209"))
    lab["c2"].call("210")
    lab.run(1)
    assert [event.status for event in lab["c2"].heard(Rejected)] == [480]  # type: ignore[union-attr]
    story = lab.exchange.story(None)
    assert story is not None and "trunk full" in [step.why for step in story.steps]


def test_registering_makes_a_line_reachable_and_ring_where_it_is() -> None:
    """REGISTER with digest; the call goes to the contact over the flow it came on; removing it makes it unreachable."""
    lab = Lab(members=1, more_lines=(REGISTERING,), settings=SECRETS)
    assert lab.exchange.line("lobby").state.value == "unreachable"
    phone = lab.add("lobby", ("192.0.2.50", 5061))
    auth = Authenticator(Credentials("203", "lobby-secret"), random.Random(1))
    headers = {
        "From": ["<sip:203@10.0.0.100>;tag=r"],
        "To": ["<sip:203@10.0.0.100>"],
        "Call-ID": ["reg"],
        "CSeq": ["1 REGISTER"],
        "Contact": ["<sip:203@172.16.0.9:5060>"],
        "Expires": ["300"],
        "Max-Forwards": ["70"],
    }

    class User:
        def on_response(self, transaction: object, response: Response, now: float) -> None:
            answer = auth.answer(response, "REGISTER", "sip:10.0.0.100")
            if answer:
                again = Request("REGISTER", "sip:10.0.0.100", {**headers, "CSeq": ["2 REGISTER"]})
                again.set(*answer)
                phone.ua.layer.request(again, Flow("udp", "10.0.0.100", 5060), self, now)

        def on_failure(self, transaction: object, status: int, now: float) -> None:
            raise AssertionError(status)

    phone.ua.layer.request(
        Request("REGISTER", "sip:10.0.0.100", dict(headers)), Flow("udp", "10.0.0.100", 5060), User(), lab.now
    )
    lab.run(1)
    assert lab.exchange.line("lobby").state.value == "idle"
    phone.on_invite = refuses(486)
    lab["c1"].call("203")
    lab.run(1)
    (invite,) = phone.invites
    assert invite.uri == "sip:203@172.16.0.9:5060"
    lab.run(301)
    assert lab.exchange.line("lobby").state.value == "unreachable"


def test_a_trunk_of_two_calls_carries_two_of_three_members_and_the_third_when_one_is_free() -> None:
    """Parallel: a trunk is never asked to carry more than max_calls; a channel that becomes free is used."""
    trunk = TrunkSettings("pbx", "10.9.9.9", register=False, username="620", max_calls=2)
    lines = tuple(Line(f"t{i}", str(210 + i), trunk="pbx") for i in range(3))
    group = Group("t", "T", "602", tuple(Member(line.name, line.name, device=True) for line in lines))
    lab = Lab(more_lines=lines, more_groups=(group,), settings=ExchangeSettings((trunk,)))
    lab.exchange.start(lab.now)
    pbx = lab.add("pbx", ("10.9.9.9", 5060))
    for line in lines:
        lab.login(line.name, group="t")
    lab["c1"].call("602")
    lab.run(1)
    assert [invite.uri for invite in pbx.invites] == ["sip:210@10.9.9.9", "sip:211@10.9.9.9"]
    pbx.calls[0].reject(486, lab.now)
    lab.run(1)
    assert [invite.uri for invite in pbx.invites][2:] == ["sip:212@10.9.9.9"]
