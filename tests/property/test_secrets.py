"""Whatever is wrong with a message that carries a secret: no event, line, story or trace has the secret in it."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from bridge.log import describe
from bridge.sip.flow import Flow
from tests.property.test_sip_fuzz import mutated, steady
from tests.support import corpus
from tests.support.torture import STRANGER, TRUNK, House

RESPONSE = "0123456789abcdef0123456789abcdef"
MEMBER = Flow("udp", "10.0.0.1", 5060)
CARRIERS = {
    source: [
        corpus.request(method, source.host, called, extra=header.replace("Authorization", name, 1))
        for method in ("REGISTER", "INVITE", "OPTIONS", "SUBSCRIBE", "MESSAGE", "REFER", "FOO")
        for called in ("203", "600")
        for header in (corpus.DIGEST,)
        for name in ("Authorization", "Proxy-Authorization")
    ]
    for source in (STRANGER, TRUNK, MEMBER)
}
sent = st.one_of([st.tuples(st.just(source), mutated(plain)) for source, plain in CARRIERS.items()])


@steady
@given(messages=st.lists(sent, min_size=1, max_size=5))
def test_no_answer_to_a_challenge_is_told(messages: list[tuple[Flow, bytes]]) -> None:
    """With it passwords could be guessed at home, at any pace; half of it is still far too much."""
    lab = House(registers="203").lab
    for source, data in messages:
        lab.exchange.receive(data, source, lab.now)
        lab.run(1)
    told = [json.dumps(event.to_json()) for event in lab.events]
    told += [line[1] for event in lab.events if (line := describe(event)) is not None]
    told += [repr(lab.exchange.story(None))]
    for text in told:
        assert RESPONSE[:16] not in text and RESPONSE[16:] not in text, text
