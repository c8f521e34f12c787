import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.sip.challenger import Challenger, Verdict
from bridge.sip.digest import Credentials
from bridge.sip.message import Request, Response, response_to
from bridge.sip.registration import TABLE, Phase, Registration, Signal

CONTACT = "<sip:620@192.168.1.20:5060>"


def make(password: str = "secret", seed: int = 1, expires: int = 300) -> Registration:
    """A trunk's registration, not started."""
    credentials = Credentials("620", password)
    return Registration(
        "sip:fritz.box", "sip:620@fritz.box", CONTACT, credentials, random.Random(seed), expires=expires
    )


def sent(registration: Registration) -> Request:
    """The one request that was sent since."""
    (request,) = registration.outgoing
    registration.outgoing.clear()
    return request


def answered(request: Request, code: int, phrase: str = "", **headers: str) -> Response:
    """A response of the PBX."""
    response = response_to(request, code, phrase)
    for name, value in headers.items():
        response.set(name.replace("_", "-"), value)
    return response


def granted(request: Request, seconds: int | None = None) -> Response:
    """The PBX's 200, with the contact and its expiry."""
    expires = seconds if seconds is not None else request.number("Expires")
    return answered(request, 200, Contact=f"{request.need('Contact')};expires={expires}")


def registered(now: float = 0.0, seed: int = 1) -> Registration:
    """A registration that has been accepted."""
    registration = make(seed=seed)
    registration.start(now)
    registration.receive(granted(sent(registration)), now)
    return registration


def wait(registration: Registration) -> float:
    """Let the time come that it waits for; return it."""
    due = registration.deadline()
    assert due is not None
    registration.tick(due)
    return due


def test_a_register_says_who_and_where() -> None:
    """To and From are the AOR, Contact is where calls are to come, Via is left to the transaction layer."""
    registration = make()
    assert (registration.state, registration.deadline()) == ("trying", None)
    registration.start(0.0)
    request = sent(registration)
    assert (request.method, request.uri) == ("REGISTER", "sip:fritz.box")
    assert request.need("To") == "<sip:620@fritz.box>" and request.from_tag
    assert (request.need("Contact"), request.need("Expires")) == (CONTACT, "300")
    assert "Via" not in request.headers and "Authorization" not in request.headers
    registration.receive(answered(request, 100), 0.0)
    assert registration.state == "trying"
    registration.receive(granted(request), 0.1)
    assert (registration.state, registration.reason) == ("registered", "")


def test_a_challenge_is_answered_with_the_next_cseq() -> None:
    """401 is answered with the password's hash, in the same Call-ID; the nonce then serves the refresh at once."""
    pbx = Challenger("fritz.box", random.Random(2))
    registration = make()
    registration.start(0.0)
    first = sent(registration)
    challenge = answered(first, 401)
    challenge.headers["WWW-Authenticate"] = pbx.challenges(0.0)
    registration.receive(challenge, 0.1)
    assert (registration.state, registration.reason) == ("trying", ""), "nobody is told of what is the usual way"
    second = sent(registration)
    assert (second.call_id, second.cseq.sequence) == (first.call_id, first.cseq.sequence + 1)
    assert pbx.verify(second, "620", "secret", 0.2) is Verdict.OK
    registration.receive(granted(second), 0.3)
    due = wait(registration)
    refresh = sent(registration)
    assert pbx.verify(refresh, "620", "secret", due) is Verdict.OK
    assert registration.state == "registered", "while it is refreshed"


@pytest.mark.parametrize("seed", range(20))
def test_refresh_comes_well_before_the_end(seed: int) -> None:
    """At half to three quarters of what was granted, not always at the same part."""
    registration = registered(seed=seed)
    due = registration.deadline()
    assert due is not None and 150.0 <= due <= 225.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Contact": f"<sip:other@10.0.0.1>;expires=10, {CONTACT};expires=60", "Expires": "30"}, 60),
        ({"Contact": "<sip:620@192.168.1.20;ob>;expires=40"}, 40),
        ({"Contact": "<nonsense, <sip:620@10.9.9.9>;expires=20", "Expires": "90"}, 90),
        ({"Expires": "120"}, 120),
        ({"Expires": "soon"}, 300),
        ({"Contact": f"{CONTACT};expires=7200"}, 300),
        ({}, 300),
    ],
)
def test_what_the_pbx_granted_counts(headers: dict[str, str], seconds: int) -> None:
    """Our contact's expires, else the Expires header, else what we asked for, and never later than that."""
    registration = make()
    registration.start(0.0)
    registration.receive(answered(sent(registration), 200, **headers), 0.0)
    due = registration.deadline()
    assert due is not None and seconds * 0.5 <= due <= seconds * 0.75


def test_a_200_that_grants_nothing_is_a_failure() -> None:
    """A PBX that says OK and keeps no binding of ours is not one to be reached through."""
    registration = make()
    registration.start(0.0)
    registration.receive(granted(sent(registration), 0), 0.0)
    assert registration.state == "lost" and "not for our contact" in registration.reason


def test_too_brief_is_asked_again_longer_from_then_on() -> None:
    """423: our expiry becomes Min-Expires at once."""
    registration = make(expires=60)
    registration.start(0.0)
    registration.receive(answered(sent(registration), 423, Min_Expires="1800"), 0.0)
    request = sent(registration)
    assert request.need("Expires") == "1800" and not registration.reason
    registration.receive(granted(request), 0.0)
    wait(registration)
    assert sent(registration).need("Expires") == "1800"


def test_a_pbx_that_asks_for_ever_longer_is_given_up_for_now() -> None:
    """423 without a sensible Min-Expires, or one after the other, is a failure, not a loop."""
    for least in ("", "300", "x", "100000"):
        registration = make()
        registration.start(0.0)
        registration.receive(answered(sent(registration), 423, Min_Expires=least), 0.0)
        assert registration.state == "lost" and registration.outgoing == []
    registration = make()
    registration.start(0.0)
    for more in range(301, 340):
        if registration.outgoing:
            registration.receive(answered(sent(registration), 423, Min_Expires=str(more)), 0.0)
    assert registration.state == "lost"


def test_failures_are_retried_from_2_seconds_to_300_and_never_given_up() -> None:
    """No answer and 5xx: each pause about twice the one before, with jitter, up to five minutes."""
    registration = make()
    registration.start(0.0)
    now, pauses = 0.0, []
    for _ in range(30):
        sent(registration)
        registration.failed(408, now)
        assert (registration.state, registration.reason) == ("lost", "no answer")
        due = wait(registration)
        pauses.append(due - now)
        now = due
        assert registration.state == "lost", "until it is registered"
    assert 2.0 <= pauses[0] <= 4.0 and all(150.0 <= pause <= 300.0 for pause in pauses[8:])
    assert len({round(pause, 3) for pause in pauses[8:]}) > 5
    registration.receive(granted(sent(registration)), now)
    assert registration.state == "registered"
    wait(registration)
    sent(registration)
    registration.failed(503, 0.0)
    assert registration.reason == "cannot be reached"
    assert 2.0 <= (registration.deadline() or 0.0) <= 4.0, "success starts the pauses anew"


def test_the_pbxs_own_words_are_the_reason() -> None:
    """Its status and phrase, one line; Retry-After is honoured, but not for days."""
    for retry_after, least, most in (("120 (maintenance)", 120.0, 120.0), ("999999", 3600.0, 3600.0), ("x", 2.0, 4.0)):
        registration = make()
        registration.start(0.0)
        registration.receive(answered(sent(registration), 503, "Try\x07 later", Retry_After=retry_after), 0.0)
        assert (registration.state, registration.reason) == ("lost", "503 Try later")
        assert least <= (registration.deadline() or 0.0) <= most


@pytest.mark.parametrize("code", [401, 407, 403, 404, 400, 603])
def test_a_refusal_is_retried_slowly(code: int) -> None:
    """A wrong password or an unknown user does not knock often: 60 s and more, up to an hour."""
    pbx = Challenger("fritz.box", random.Random(2))
    registration = make("guess")
    registration.start(0.0)
    now, pauses, requests = 0.0, [], 0
    for _ in range(10):
        while registration.outgoing:
            requests += 1
            response = answered(sent(registration), code)
            response.headers["WWW-Authenticate"] = response.headers["Proxy-Authenticate"] = pbx.challenges(now)
            registration.receive(response, now)
        due = wait(registration)
        pauses.append(due - now)
        now = due
    assert pauses[0] >= 60.0 and pauses == sorted(pauses[:6]) + pauses[6:] and max(pauses) <= 5400.0
    assert requests == (20 if code in (401, 407) else 10), "one wrong password each time, no more"
    assert registration.reason.startswith(f"{code} ") and "guess" not in registration.reason


def test_a_challenge_that_cannot_be_answered_says_what_could() -> None:
    """The reason names what the PBX asks for."""
    registration = make()
    registration.start(0.0)
    challenge = answered(sent(registration), 401, WWW_Authenticate='Digest realm="x", nonce="n", algorithm=AKAv1-MD5')
    registration.receive(challenge, 0.0)
    assert "AKAv1-MD5" in registration.reason and "SHA-256" in registration.reason


def test_late_and_foreign_responses_change_nothing() -> None:
    """Only the last REGISTER's response counts."""
    registration = make()
    registration.start(0.0)
    first = sent(registration)
    registration.failed(408, 32.0)
    wait(registration)
    registration.receive(granted(first), 40.0)
    assert registration.state == "lost"
    broken = granted(sent(registration))
    broken.set("CSeq", "?")
    registration.receive(broken, 40.0)
    assert registration.state == "lost"


def test_stop_unregisters() -> None:
    """Expires: 0 goes out; whatever becomes of it, it is over in seconds."""
    registration = registered()
    registration.stop(10.0)
    request = sent(registration)
    assert (request.need("Expires"), request.need("Contact")) == ("0", CONTACT)
    assert (registration.state, registration.reason) == ("lost", "unregistering")
    registration.receive(answered(request, 200), 10.1)
    assert (registration.phase, registration.deadline()) == (Phase.OFF, None)
    silent = registered()
    silent.stop(10.0)
    assert wait(silent) == 14.0 and silent.phase is Phase.OFF


def test_stop_answers_a_challenge_too() -> None:
    """The last REGISTER may be challenged like any other."""
    registration = registered()
    registration.stop(10.0)
    challenge = answered(sent(registration), 401, WWW_Authenticate='Digest realm="x", nonce="n"')
    registration.receive(challenge, 11.0)
    assert sent(registration).need("Expires") == "0"
    assert registration.deadline() == 14.0
    registration.failed(503, 12.0)
    assert registration.phase is Phase.OFF


def test_stop_waits_for_the_register_under_way() -> None:
    """No second REGISTER before the first is answered (RFC 3261 §10.2); then it is taken back."""
    for final in (200, 401):
        registration = make()
        registration.start(0.0)
        request = sent(registration)
        registration.stop(1.0)
        assert registration.outgoing == [] and registration.phase is Phase.STOPPING
        response = (
            granted(request) if final == 200 else answered(request, 401, WWW_Authenticate='Digest realm="x", nonce="n"')
        )
        registration.receive(response, 2.0)
        assert sent(registration).need("Expires") == "0"
    waiting = make()
    waiting.start(0.0)
    waiting.failed(503, 0.0)
    waiting.stop(1.0)
    assert (waiting.phase, waiting.deadline()) == (Phase.OFF, None)
    waiting.start(2.0)
    assert waiting.state == "trying"


def test_renew_registers_anew_at_once() -> None:
    """With another contact when our address has changed; while a REGISTER is under way it waits for its turn."""
    registration = registered()
    registration.renew(5.0, "<sip:620@192.168.1.77:5060>")
    request = sent(registration)
    assert request.need("Contact") == "<sip:620@192.168.1.77:5060>"
    registration.renew(5.0)
    assert registration.outgoing == []


def test_the_table_leads_from_every_phase_to_off() -> None:
    """However it stands, stopping ends it; every phase but OFF and IDLE can be left by a signal."""
    assert {phase for phase, _ in TABLE} == set(Phase)
    for phase in set(Phase) - {Phase.OFF, Phase.IDLE, Phase.STOPPING, Phase.LEAVING}:
        reached = {TABLE[phase, Signal.STOP]}
        for _ in Phase:
            reached |= {TABLE[key] for key in TABLE if key[0] in reached and key[1] in (Signal.FAILED, Signal.ACCEPTED)}
        assert Phase.OFF in reached


_codes = st.sampled_from([100, 200, 302, 401, 403, 404, 408, 423, 500, 503, 603])


@given(st.lists(st.one_of(_codes, st.just(0)), max_size=60), st.integers(0, 1000))
def test_it_never_spins_and_never_gives_up(codes: list[int], seed: int) -> None:
    """Whatever the PBX answers: at most one REGISTER is under way, at most five within a second, always a next step."""
    registration = make(seed=seed)
    registration.start(0.0)
    now, times = 0.0, []
    for number, code in enumerate(codes, 1):
        if not registration.outgoing:
            now = wait(registration)
        request = sent(registration)
        times.append(now)
        if code == 0:
            registration.failed(408, now)
        else:
            headers = {"WWW_Authenticate": f'Digest realm="x", nonce="{number}"', "Min_Expires": str(300 + number)}
            registration.receive(granted(request, 60) if code == 200 else answered(request, code, "", **headers), now)
            if code == 100:
                registration.failed(408, now)
        assert len(registration.outgoing) + (registration.deadline() is not None) == 1
    assert all(late - early > 1.0 for early, late in zip(times, times[5:], strict=False))


MOVED = "<sip:620@192.168.1.77:5060>"


def moved() -> tuple[Registration, Request]:
    """A registration whose contact has changed, and the REGISTER that says so."""
    registration = registered()
    registration.renew(10.0, MOVED)
    return registration, sent(registration)


def test_the_contact_of_before_is_taken_back_with_the_new_one() -> None:
    """One REGISTER does both, the new one first; the next names the new one alone."""
    registration, both = moved()
    assert both.headers["Contact"] == [MOVED, f"{CONTACT};expires=0"] and both.need("Expires") == "300"
    registration.receive(answered(both, 200, Contact=f"{MOVED};expires=300"), 10.1)
    assert registration.state == "registered"
    wait(registration)
    assert sent(registration).headers["Contact"] == [MOVED]


def test_the_contact_of_before_is_taken_back_until_the_pbx_has_heard_it() -> None:
    """No answer, 503, another challenge, an address that changes again: what it was known to have is still named."""
    registration, _ = moved()
    registration.failed(408, 42.0)
    wait(registration)
    again = sent(registration)
    assert again.headers["Contact"][1:] == [f"{CONTACT};expires=0"]
    registration.receive(answered(again, 503), 60.0)
    registration.renew(61.0, "<sip:620@192.168.1.78:5060>")
    third = sent(registration)
    assert third.headers["Contact"] == ["<sip:620@192.168.1.78:5060>", f"{CONTACT};expires=0"]


@pytest.mark.parametrize("code", [400, 403, 488, 500, 501, 513])
def test_a_pbx_that_takes_no_two_contacts_gets_the_new_one_alone(code: int) -> None:
    """At once and once: if it refuses that as well, it means us."""
    registration, both = moved()
    registration.receive(answered(both, code), 10.1)
    alone = sent(registration)
    assert alone.headers["Contact"] == [MOVED] and registration.state == "registered"
    registration.receive(answered(alone, 403), 10.2)
    assert registration.state == "lost" and not registration.outgoing


@pytest.mark.parametrize("contacts", [f"{CONTACT};expires=200", f"{MOVED};expires=0"])
def test_a_pbx_that_mistakes_two_contacts_gets_the_new_one_alone(contacts: str) -> None:
    """It has taken the other one, or has given ours back: the answer shows it."""
    registration, both = moved()
    registration.receive(answered(both, 200, Contact=contacts), 10.1)
    alone = sent(registration)
    assert alone.headers["Contact"] == [MOVED]
    registration.receive(granted(alone), 10.2)
    assert registration.phase is Phase.REGISTERED


def test_who_has_moved_back_takes_nothing_back() -> None:
    """The address that the PBX has is ours again."""
    registration, _ = moved()
    registration.failed(408, 42.0)
    registration.renew(43.0, CONTACT)
    assert sent(registration).headers["Contact"] == [CONTACT]
