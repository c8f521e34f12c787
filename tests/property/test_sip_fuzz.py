"""Whatever arrives: nothing raises, what is kept is bounded and ends, and the next one is served."""

from __future__ import annotations

import dataclasses
import json
import random
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.calls.model import ExchangeSettings
from bridge.directory.model import Line
from bridge.sip.challenger import Challenger
from bridge.sip.digest import Authenticator, Credentials, DigestError, choose, parse_digests
from bridge.sip.flow import Flow
from bridge.sip.framing import MAX_BODY, StreamFramer
from bridge.sip.grammar import SipError
from bridge.sip.message import Request, Response, response_to
from bridge.sip.reading import MAX_HEAD, parse_message
from bridge.sip.sdpread import parse_session
from tests.support import corpus
from tests.support.dialogs import Dialogs, beginnings
from tests.support.lab import BRIDGE, OFFER, Lab, Phone, answers
from tests.support.torture import PBX, STRANGER, TRUNK, House

MEMBER = Flow("udp", "10.0.0.1", 5060)
SOURCES = {source: corpus.plain(source.host) for source in (STRANGER, TRUNK, MEMBER)}
steady = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=100)


@st.composite
def mutated(draw: st.DrawFn, plain: list[bytes]) -> bytes:
    """Draw a plain message with a few wounds."""
    data = draw(st.sampled_from(plain))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        end = draw(st.sampled_from((at, at, at + 1, at + 7, at + 60, len(data))))
        piece = draw(st.one_of(st.sampled_from(corpus.PIECES), st.binary(max_size=4)))
        again = data[at:end] if draw(st.integers(0, 9)) == 0 else b""
        data = data[:at] + piece + again + again + data[end:]
    return data


sent = st.one_of([st.tuples(st.just(source), mutated(plain)) for source, plain in SOURCES.items()])


def tellable(lab: Lab) -> None:
    """Check that every door can tell what has happened, whatever bytes it came as."""
    for event in lab.events:
        json.dumps(event.to_json(), ensure_ascii=False).encode()
    for call in lab.exchange.calls():
        json.dumps(dataclasses.asdict(call), ensure_ascii=False).encode()


def serves(lab: Lab) -> None:
    """Check that an OPTIONS is answered, and that after a while nothing is left of what came before."""
    tellable(lab)
    lab.drop = lambda passed: False
    lab.exchange.receive(corpus.request("OPTIONS", "10.0.1.2", "600"), Flow("udp", "10.0.1.2", 5060), lab.now)
    assert any(b"SIP/2.0 200" in send.data for send in lab.exchange.outbox if send.flow.host == "10.0.1.2")
    for phone in lab.phones.values():  # whoever is still on the phone is gone now
        lab.phones[phone.name] = Phone(lab, phone.name, phone.address)
    lab.run(1500)
    assert not lab.exchange.calls() and not lab.exchange.ua.legs and len(lab.exchange.ua.layer) == 0
    assert not len(lab.exchange.lamps) and not lab.exchange.ua.notifiers
    assert all(lab.exchange.lines.use(name).calls == 0 for name in lab.directory.lines)
    assert all(lab.exchange.lines.use(name).offers == 0 for name in lab.directory.lines)


@settings(steady, max_examples=150)
@given(messages=st.lists(sent, max_size=6), picks=st.booleans())
def test_wounded_messages(messages: list[tuple[Flow, bytes]], picks: bool) -> None:
    """From strangers, a trunk and a phone, one after the other, while a member's phone rings or answers."""
    lab = House(registers="203").lab
    if picks:
        lab["m1"].on_invite = answers
    for source, data in messages:
        lab.exchange.receive(data, source, lab.now)
        lab.run(0)
    serves(lab)


@steady
@given(messages=st.lists(mutated(SOURCES[STRANGER]), max_size=6))
def test_strangers_are_answered_and_nothing_else(messages: list[bytes]) -> None:
    """Whatever a stranger sends, responses go to where it came from, and no request of ours goes anywhere."""
    lab = House(registers="203").lab
    for data in messages:
        lab.exchange.receive(data, STRANGER, lab.now)
    lab.run(300)
    tellable(lab)
    assert all(passed.target[0] == STRANGER.host for passed in lab.wire)
    assert all(isinstance(passed.message, Response) for passed in lab.wire)
    assert len(lab.wire) <= len(messages) and len(lab.exchange.ua.layer) == 0


def _recorded() -> list[tuple[Flow, bytes]]:
    """Return what phones send in a call that is answered, held, resumed by UPDATE and ended, and in one that is not."""
    lab = House().lab
    lab["m1"].on_invite = answers
    call = lab["c1"].call("600")
    assert lab["c1"].accepted(call)
    for method in ("INVITE", "UPDATE", "INFO"):
        call.request(method, None if method == "INFO" else OFFER, method, lab.now)
        lab.run(1)
    call.hang_up(None, lab.now)
    lab.run(1)
    lab["m1"].on_invite = lambda phone, leg: leg.ring(phone.lab.now)
    other = lab["c2"].call("201")
    lab.run(1)
    other.cancel(None, lab.now)
    lab.run(1)
    return [(Flow("udp", *passed.source), bytes(passed.message)) for passed in lab.wire if passed.source != BRIDGE[1:3]]


RECORDED = _recorded()


@st.composite
def disorders(draw: st.DrawFn) -> list[tuple[Flow, bytes, float]]:
    """Draw the recorded messages with some repeated, swapped, left out, late or wounded: source, bytes, time after."""
    order = list(range(len(RECORDED)))
    for _ in range(draw(st.integers(0, 8))):
        at, to = draw(st.integers(0, len(order) - 1)), draw(st.integers(0, len(order) - 1))
        match draw(st.integers(0, 2)):
            case 0:
                order[at], order[to] = order[to], order[at]
            case 1:
                order.insert(to, order[at])
            case 2 if len(order) > 1:
                del order[at]
    wounds = draw(st.sets(st.integers(0, len(order) - 1), max_size=2))
    late = draw(st.dictionaries(st.integers(0, len(order) - 1), st.sampled_from((0.6, 5.0, 40.0, 200.0)), max_size=3))
    return [
        (source, draw(mutated([data])) if at in wounds else data, late.get(at, 0.0))
        for at, (source, data) in enumerate(RECORDED[index] for index in order)
    ]


@settings(steady, max_examples=150)
@given(messages=disorders())
def test_messages_of_a_dialog_in_disorder(messages: list[tuple[Flow, bytes, float]]) -> None:
    """What a network does, and somebody who replays what was heard: no call, leg or transaction is left in the end."""
    lab = House().lab
    lab.drop = lambda passed: passed.source == BRIDGE[1:3]  # the phones are what is replayed
    for source, data, wait in messages:
        lab.exchange.receive(data, source, lab.now)
        lab.run(wait)
    serves(lab)


@settings(steady, max_examples=150)
@given(inputs=st.lists(mutated(list(beginnings())), min_size=1, max_size=8), hows=st.lists(st.integers(0, 63)))
def test_wounded_messages_inside_dialogs(inputs: list[bytes], hows: list[int]) -> None:
    """From phones that are in a talk, or ring: nothing raises, no call, leg, transaction or port is left in the end."""
    house = Dialogs(Path("/dev/null"), again=len(inputs))
    for number, data in enumerate(inputs):
        house(bytes(hows[number : number + 1]) + data[1:] if number < len(hows) else data)


ANSWERS = (
    "100 Trying",
    "180 Ringing",
    "200 OK",
    "302 Moved",
    "401 Prove",
    "407 Prove",
    "423 Brief",
    "486 Busy",
    "503 No",
)
ANSWER_HEADERS = [
    *("Contact: <sip:m1@10.0.0.1>", "Contact: <sip:620@10.0.0.100>;expires=60", "Record-Route: <sip:10.9.9.8;lr>"),
    *(corpus.CHALLENGE.strip(), corpus.CHALLENGE.strip().replace("WWW", "Proxy"), "Min-Expires: 90", "Retry-After: 5"),
    *("Expires: 60", "Require: 100rel", "RSeq: 1", "Content-Type: application/sdp", "Session-Expires: 90"),
]


@settings(steady, max_examples=150)
@given(data=st.data())
def test_wounded_answers_to_what_we_ask(data: st.DataObject) -> None:
    """REGISTER, INVITE, ACK and BYE of ours, at a trunk and at a phone, answered with anything in any state."""
    trunk = dataclasses.replace(PBX, register=True, password="secret", max_calls=5)
    behind = Line("behind", "209", trunk="pbx")
    lab = Lab(members=1, more_lines=(behind,), settings=ExchangeSettings(trunks=(trunk,)))
    lab.exchange.start(lab.now)
    lab.drop = lambda passed: passed.source == BRIDGE[1:3]
    lab["c1"].call(data.draw(st.sampled_from(("209", "600"))))
    for _ in range(data.draw(st.integers(1, 8))):
        lab.run(0)
        ours = [p for p in lab.wire if p.source == BRIDGE[1:3] and isinstance(p.message, Request)]
        asked = data.draw(st.sampled_from(ours))
        assert isinstance(asked.message, Request)
        code, phrase = data.draw(st.sampled_from(ANSWERS)).split()
        answer = response_to(asked.message, int(code), phrase, to_tag="theirs")
        head, _, _ = bytes(answer).partition(b"\r\nContent-Length")
        more = [line.encode() for line in data.draw(st.lists(st.sampled_from(ANSWER_HEADERS), max_size=4, unique=True))]
        whole = b"\r\n".join([head, *more, b"", corpus.SDP.encode() if data.draw(st.booleans()) else b""])
        lab.exchange.receive(data.draw(mutated([whole])), Flow("udp", *asked.target), lab.now)
        lab.run(data.draw(st.sampled_from((0, 0, 1, 40))))
    tellable(lab)
    lab.drop = lambda passed: False
    lab.phones.clear()
    lab.run(1500)
    assert not lab.exchange.calls() and not lab.exchange.ua.legs and len(lab.exchange.ua.layer) < 5


@steady
@given(data=mutated([corpus.SDP.encode(), *[corpus.SDP.encode() * 2]]))
def test_wounded_descriptions(data: bytes) -> None:
    """A session description is read or refused; what was read can be written and read again."""
    try:
        session = parse_session(data)
    except SipError:
        return
    assert parse_session(bytes(session)) == parse_session(bytes(parse_session(bytes(session))))


def _digests(plain: str) -> st.SearchStrategy[str]:
    return mutated([plain.partition(": ")[2].strip().encode()]).map(
        lambda data: data.decode("utf-8", "surrogateescape")
    )


@steady
@given(value=_digests(corpus.DIGEST))
def test_wounded_credentials(value: str) -> None:
    """Credentials are worth nothing, whatever they look like."""
    request = Request("REGISTER", "sip:10.0.0.100", {"Authorization": [value]})
    challenger = Challenger("cti-bridge", random.Random(1))
    assert challenger.verify(request, "203", "secret", 1000.0).value in ("absent", "wrong")


@steady
@given(value=_digests(corpus.CHALLENGE))
def test_wounded_challenges(value: str) -> None:
    """A challenge is answered or not, and the answer can be read."""
    asked = {"Call-ID": ["c"], "CSeq": ["1 REGISTER"], "WWW-Authenticate": [value]}
    authenticator = Authenticator(Credentials("620", "secret"), random.Random(1))
    answer = authenticator.answer(Response(401, headers=asked), "REGISTER", "sip:pbx")
    if answer is None:
        assert authenticator.problem
        return
    try:
        challenge = choose([value])
    except DigestError:  # pragma: no cover - then there was no answer
        raise AssertionError from None
    assert parse_digests(answer[1])[0]["nonce"] == challenge.nonce


@steady
@given(messages=st.lists(mutated(SOURCES[TRUNK]), max_size=5), cuts=st.lists(st.integers(1, 700), min_size=1))
def test_wounded_streams(messages: list[bytes], cuts: list[int]) -> None:
    """However a stream is cut into pieces, the same messages come of it, and no more is kept than one needs."""
    stream = b"".join(messages)
    whole = StreamFramer()
    expected = whole.feed(stream)
    framer = StreamFramer()
    items, at, turn = [], 0, 0
    while at < len(stream):
        size = cuts[turn % len(cuts)]
        items += framer.feed(stream[at : at + size])
        at, turn = at + size, turn + 1
        assert len(framer._buffer) <= MAX_HEAD + MAX_BODY + size
    assert items == expected and (framer.broken is None) == (whole.broken is None)


@steady
@given(data=st.one_of(st.binary(max_size=300), mutated(SOURCES[STRANGER])))
def test_what_is_read_can_be_written_and_read_again(data: bytes) -> None:
    """A message is taken or refused; what is taken says the same once it has been written."""
    try:
        message = parse_message(data)
    except SipError:
        return
    again = parse_message(bytes(message))
    assert type(again) is type(message) and again.body == message.body
    assert {n: v for n, v in again.headers.items() if n != "Content-Length"} == {
        n: v for n, v in message.headers.items() if n != "Content-Length"
    }
