import hashlib
import random

import pytest

from bridge.sip.challenger import Challenger, Verdict
from bridge.sip.digest import (
    Authenticator,
    Credentials,
    DigestError,
    NonceCounts,
    answer,
    choose,
    digest_response,
    parse_digests,
)
from bridge.sip.message import Request, Response

ANNA = Credentials("201", "secret")
URI = "sip:bridge.example"


def register(cseq: int = 1, **headers: str) -> Request:
    """A REGISTER with further headers."""
    request = Request("REGISTER", URI, {"Call-ID": ["c1"], "CSeq": [f"{cseq} REGISTER"]})
    for name, value in headers.items():
        request.set(name.replace("_", "-"), value)
    return request


def challenged(*values: str, cseq: int = 1, code: int = 401, method: str = "REGISTER") -> Response:
    """A 401 or 407 with these challenges."""
    name = "WWW-Authenticate" if code == 401 else "Proxy-Authenticate"
    return Response(code, "", {"Call-ID": ["c1"], "CSeq": [f"{cseq} {method}"], name: list(values)})


def reply(values: list[str], credentials: Credentials = ANNA, counts: NonceCounts | None = None) -> str:
    """What a phone answers to challenges of its REGISTER."""
    return answer(values, credentials, "REGISTER", URI, b"", counts or NonceCounts(), random.Random(1))


# -- arithmetic and grammar -----------------------------------------------------------------------------------------


def test_example_of_rfc_2617() -> None:
    """RFC 2617 §3.5."""
    mufasa = Credentials("Mufasa", "Circle Of Life")
    nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093"
    response = digest_response(
        "MD5",
        mufasa,
        "testrealm@host.com",
        nonce,
        "GET",
        "/dir/index.html",
        qop="auth",
        cnonce="0a4f113b",
        count="00000001",
    )
    assert response == "6629fae49393a05397450978507c4ef1"


def test_example_of_rfc_2069_without_qop() -> None:
    """RFC 2069 §2.4 with the corrected response of its errata."""
    mufasa = Credentials("Mufasa", "CircleOfLife")
    nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093"
    response = digest_response("MD5", mufasa, "testrealm@host.com", nonce, "GET", "/dir/index.html")
    assert response == "1949323746fe6a43ef61f9606e7febea"


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_examples_of_rfc_7616(algorithm: str, expected: str) -> None:
    """RFC 7616 §3.9.1."""
    response = digest_response(
        algorithm,
        Credentials("Mufasa", "Circle of Life"),
        "http-auth@example.org",
        "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        "GET",
        "/dir/index.html",
        qop="auth",
        cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
        count="00000001",
    )
    assert response == expected


def test_session_algorithm_hashes_nonces_into_the_secret() -> None:
    """RFC 7616 §3.4.2: A1 of a -sess algorithm is H(user:realm:password):nonce:cnonce."""

    def h(text: str) -> str:
        return hashlib.md5(text.encode()).hexdigest()

    response = digest_response("MD5-sess", ANNA, "r", "n", "REGISTER", URI, qop="auth", cnonce="c", count="00000001")
    secret = h(h("201:r:secret") + ":n:c")
    assert response == h(f"{secret}:n:00000001:c:auth:" + h(f"REGISTER:{URI}"))


def test_integrity_protection_hashes_the_body() -> None:
    """RFC 7616 §3.4.3: with auth-int A2 ends in the hash of the body."""
    one = digest_response("MD5", ANNA, "r", "n", "INVITE", URI, qop="auth-int", cnonce="c", count="00000001", body=b"a")
    two = digest_response("MD5", ANNA, "r", "n", "INVITE", URI, qop="auth-int", cnonce="c", count="00000001", body=b"b")
    assert one != two


def test_commas_and_escapes_in_quoted_values_stay() -> None:
    """A quoted value ends at its closing quote, kept as written between the quotes; white space is free."""
    value = 'Digest realm="a, b=\\"c\\"" ,nonce = "x==",  algorithm=MD5 , qop="auth,auth-int",stale=FALSE'
    expected = {"realm": 'a, b=\\"c\\"', "nonce": "x==", "algorithm": "MD5", "qop": "auth,auth-int", "stale": "FALSE"}
    assert parse_digests(value) == [expected]


def test_several_challenges_in_one_value_and_foreign_schemes() -> None:
    """Each scheme begins a new challenge; what is not Digest is left out."""
    value = 'Basic realm="x", Digest realm="a", nonce="1", digest realm="b", nonce="2"'
    assert [digest["realm"] for digest in parse_digests(value)] == ["a", "b"]


@pytest.mark.parametrize(
    "value",
    [
        "Digest",
        "Digest realm",
        'Digest realm="open',
        'realm="no scheme"',
        'Digest realm="a" realm="b"',
        "\x00",
        "Digest a=1, a=2",
    ],
)
def test_bad_grammar_is_refused(value: str) -> None:
    """What is not name=value pairs after a scheme raises, with words and without the values."""
    with pytest.raises(DigestError, match="authentication"):
        parse_digests(value)


def test_password_is_never_shown() -> None:
    """Credentials can be logged."""
    assert "secret" not in repr(ANNA) and "201" in repr(ANNA)


# -- client ---------------------------------------------------------------------------------------------------------


def test_the_strongest_algorithm_is_answered_wherever_it_stands() -> None:
    """SHA-256 goes before MD5, a plain form before its -sess form; what is unknown is passed over."""
    weak = 'Digest realm="r", nonce="n", qop="auth"'
    strong = 'Digest realm="r", nonce="n", qop="auth", algorithm=sha-256'
    unknown = 'Digest realm="r", nonce="n", qop="auth", algorithm=SHA-512-256'
    assert choose([weak, strong, unknown]).algorithm == "SHA-256"
    assert choose(["Negotiate abc==", weak]).algorithm == "MD5"


@pytest.mark.parametrize(
    "values",
    [
        [],
        ['Basic realm="x"'],
        ['Digest realm="r", nonce="n", algorithm=TOKEN'],
        ['Digest realm="r", nonce="n", qop="x"'],
        ['Digest realm="r"'],
    ],
)
def test_an_unanswerable_challenge_says_what_would_be_supported(values: list[str]) -> None:
    """The error names what was offered and what is spoken here."""
    with pytest.raises(DigestError, match="supported are SHA-256"):
        reply(values)


def test_answer_is_quoted_as_the_grammar_asks() -> None:
    """RFC 7616 §3.4: algorithm, qop and nc are unquoted, all else quoted; opaque and realm come back as they were."""
    value = reply(['Digest realm="a \\"b\\"", nonce="n", opaque="o,1", algorithm=MD5, qop="auth-int,auth"'])
    assert ', algorithm=MD5, qop=auth, nc=00000001, cnonce="' in value
    assert 'opaque="o,1"' in value and 'realm="a \\"b\\""' in value and f'uri="{URI}"' in value


def test_a_plain_old_challenge_gets_a_plain_old_answer() -> None:
    """Without qop and algorithm in the challenge there are none, and no counts, in the answer."""
    (given,) = parse_digests(reply(['Digest realm="r", nonce="n"']))
    assert set(given) == {"username", "realm", "nonce", "uri", "response"}
    assert given["response"] == digest_response("MD5", ANNA, "r", "n", "REGISTER", URI)


def test_uses_of_a_nonce_are_counted_with_one_client_nonce() -> None:
    """nc rises with each use of a nonce; the client's nonce stays, so that a -sess secret stays."""
    counts = NonceCounts()
    values = ['Digest realm="r", nonce="n", qop="auth", algorithm=MD5-sess']
    first, second = (parse_digests(reply(values, counts=counts))[0] for _ in range(2))
    assert (first["nc"], second["nc"]) == ("00000001", "00000002")
    assert first["cnonce"] == second["cnonce"]
    for given in (first, second):
        assert given["response"] == digest_response(
            "MD5-sess", ANNA, "r", "n", "REGISTER", URI, qop="auth", cnonce=given["cnonce"], count=given["nc"]
        )


def test_a_user_name_with_quotes_cannot_break_out() -> None:
    """Quotes and backslashes of the user name are escaped; control characters are refused from the start."""
    (given,) = parse_digests(reply(['Digest realm="r", nonce="n"'], Credentials('a", realm="x', "p")))
    assert given["realm"] == "r"
    with pytest.raises(ValueError, match="control"):
        Credentials("a\r\nX: y", "p")


CHALLENGE = 'Digest realm="r", nonce="n{}", qop="auth"'


def test_a_challenge_is_answered_once() -> None:
    """Fresh credentials that are challenged again are wrong; the problem says so without the password."""
    ours = Authenticator(ANNA, random.Random(1))
    name, value = ours.answer(challenged(CHALLENGE.format(1), cseq=1), "REGISTER", URI) or ("", "")
    assert name == "Authorization" and 'nonce="n1"' in value
    assert ours.answer(challenged(CHALLENGE.format(2), cseq=2), "REGISTER", URI) is None
    assert "'201'" in ours.problem and "secret" not in ours.problem


def test_an_outdated_nonce_is_replaced_but_not_for_ever() -> None:
    """stale=true is worth another try three times in a row."""
    ours = Authenticator(ANNA, random.Random(1))
    stale = CHALLENGE + ", stale=TRUE"
    answers = [ours.answer(challenged(stale.format(n), cseq=n), "REGISTER", URI) for n in range(1, 7)]
    assert [a is not None for a in answers] == [True, True, True, True, False, True]


def test_a_remembered_nonce_authorises_at_once_and_may_age_without_a_word() -> None:
    """The next request carries credentials; if the server has a new nonce for it, that is answered once again."""
    ours = Authenticator(ANNA, random.Random(1))
    assert "Authorization" not in _authorized(ours, 1).headers
    assert ours.answer(challenged(CHALLENGE.format(1), cseq=1), "REGISTER", URI)
    assert "nc=00000002" in (_authorized(ours, 3).get("Authorization") or "")
    assert ours.answer(challenged(CHALLENGE.format(2), cseq=3), "REGISTER", URI)
    assert ours.answer(challenged(CHALLENGE.format(3), cseq=4), "REGISTER", URI) is None
    assert "Authorization" not in _authorized(ours, 5).headers, "what was refused is not sent again unasked"


def _authorized(ours: Authenticator, cseq: int) -> Request:
    request = register(cseq)
    ours.authorize(request)
    return request


def test_a_proxy_and_a_registrar_may_both_ask() -> None:
    """401 and 407 are answered each in its own header, and both headers go out from then on."""
    ours = Authenticator(ANNA, random.Random(1))
    assert (ours.answer(challenged(CHALLENGE.format(1), cseq=1, code=407), "REGISTER", URI) or "?")[
        0
    ] == "Proxy-Authorization"
    assert (ours.answer(challenged(CHALLENGE.format(2), cseq=2), "REGISTER", URI) or "?")[0] == "Authorization"
    assert {"Authorization", "Proxy-Authorization"} <= _authorized(ours, 3).headers.keys()


def test_requests_under_way_together_do_not_spoil_each_other() -> None:
    """Two dialogs that share credentials are each challenged and each answered."""
    ours = Authenticator(ANNA, random.Random(1))
    first = challenged(CHALLENGE.format(1), cseq=1, method="INVITE")
    second = challenged(CHALLENGE.format(2), cseq=1, method="INVITE")
    second.set("Call-ID", "c2")
    assert ours.answer(first, "INVITE", URI) and ours.answer(second, "INVITE", URI)


def test_what_is_no_challenge_or_cannot_be_answered_is_no_use() -> None:
    """Other responses, and challenges in unknown algorithms, are not answered."""
    ours = Authenticator(ANNA, random.Random(1))
    assert ours.answer(Response(403), "REGISTER", URI) is None
    assert ours.answer(challenged('Digest realm="r", nonce="n", algorithm=X'), "REGISTER", URI) is None
    assert "supported are" in ours.problem


# -- server ---------------------------------------------------------------------------------------------------------


def challenger(**options: object) -> Challenger:
    """A server's side with secrets from a seed."""
    return Challenger("home", random.Random(7), **options)  # type: ignore[arg-type]


def test_offers_md5_first_for_phones_that_read_one_header_only() -> None:
    """A header for each algorithm with one fresh nonce; the order is the caller's."""
    md5, sha = challenger().challenges(0.0)
    assert "algorithm=MD5," in md5 and "algorithm=SHA-256," in sha
    assert parse_digests(md5)[0]["nonce"] == parse_digests(sha)[0]["nonce"]
    assert "SHA-256" in challenger(algorithms=("SHA-256", "MD5")).challenges(0.0)[0]
    server = challenger()
    assert server.challenges(0.0) != server.challenges(0.0)


@pytest.mark.parametrize("only", [0, 1], ids=["MD5", "SHA-256"])
def test_right_password_is_accepted_and_a_wrong_one_not(only: int) -> None:
    """Whoever knows the password gets in with either algorithm, nobody else does."""
    server = challenger()
    values = [server.challenges(5.0)[only]]
    assert server.verify(register(Authorization=reply(values)), "201", "secret", 6.0) is Verdict.OK
    wrong = reply(values, Credentials("201", "guess"))
    assert server.verify(register(Authorization=wrong), "201", "secret", 6.0) is Verdict.WRONG
    other = reply(values, Credentials("202", "secret"))
    assert server.verify(register(Authorization=other), "201", "secret", 6.0) is Verdict.WRONG


def test_credentials_are_for_one_method() -> None:
    """A hash made for REGISTER opens no call."""
    server = challenger()
    invite = Request("INVITE", URI, {"Authorization": [reply(server.challenges(0.0))]})
    assert server.verify(invite, "201", "secret", 1.0) is Verdict.WRONG


def test_without_credentials_for_our_realm_they_are_absent() -> None:
    """No header, an unreadable one, one for another realm, one with parts missing: all are challenged."""
    server = challenger()
    for request in (
        register(),
        register(Authorization='Digest realm="home'),
        register(Authorization='Digest realm="elsewhere", username="201", nonce="n", uri="u", response="r"'),
        register(Authorization='Digest realm="home", username="201"'),
    ):
        assert server.verify(request, "201", "secret", 0.0) is Verdict.ABSENT
        assert server.claimed(request) is None
    assert server.claimed(register(Authorization=reply(server.challenges(0.0)))) == "201"


def test_a_nonce_ages_and_a_foreign_one_was_never_young() -> None:
    """The right password with a nonce that is too old, of another run, or made up, is stale: ask again."""
    server = challenger(lifetime=300.0)
    value = reply(server.challenges(1000.0))
    assert server.verify(register(Authorization=value), "201", "secret", 1301.0) is Verdict.STALE
    for nonce in (
        "made-up",
        "",
        "ä",
        "A" * 44,
        Challenger("home", random.Random(8)).challenges(1000.0)[0].split('"')[3],
    ):
        value = reply([f'Digest realm="home", nonce="{nonce}", qop="auth"'])
        assert server.verify(register(Authorization=value), "201", "secret", 1001.0) is Verdict.STALE
    assert all(value.endswith("stale=true") for value in server.challenges(0.0, stale=True))


def test_no_request_is_taken_twice() -> None:
    """A nonce count must rise; without qop a nonce serves once."""
    server = challenger()
    counts = NonceCounts()
    values = server.challenges(0.0)
    first, second = reply(values, counts=counts), reply(values, counts=counts)
    for value, expected in ((first, Verdict.OK), (first, Verdict.STALE), (second, Verdict.OK), (first, Verdict.STALE)):
        assert server.verify(register(Authorization=value), "201", "secret", 1.0) is expected
    nonce = parse_digests(server.challenges(0.0)[0])[0]["nonce"]
    old = reply([f'Digest realm="home", nonce="{nonce}"'])
    assert server.verify(register(Authorization=old), "201", "secret", 1.0) is Verdict.OK
    assert server.verify(register(Authorization=old), "201", "secret", 1.0) is Verdict.STALE
    assert server.verify(register(Authorization=f"{old}, nc=00000009"), "201", "secret", 1.0) is Verdict.STALE


def test_memory_of_nonces_is_bounded_and_forgets_no_replay() -> None:
    """When the memory overflows, what it forgets is stale for good."""
    server = challenger(remembered=3)
    values = [reply(server.challenges(float(n))) for n in range(6)]
    for value in values:
        assert server.verify(register(Authorization=value), "201", "secret", 6.0) is Verdict.OK
    for value in values:
        assert server.verify(register(Authorization=value), "201", "secret", 7.0) is Verdict.STALE
    assert len(server._used) <= 3


@pytest.mark.parametrize("bad", ["qop=auth-int", "nc=xyz", "nc=00000000", "nc=123456789", "algorithm=MD5-sess"])
def test_parameters_that_were_not_offered_are_wrong(bad: str) -> None:
    """Only what the challenge offered, with a readable nonce count, can be right."""
    server = challenger()
    given = parse_digests(reply(server.challenges(0.0)))[0]
    key, _, text = bad.partition("=")
    given[key] = text
    value = "Digest " + ", ".join(f'{name}="{part}"' for name, part in given.items())
    assert server.verify(register(Authorization=value), "201", "secret", 1.0) is Verdict.WRONG


def test_a_realm_is_plain_text() -> None:
    """A realm that would have to be escaped is refused at the start."""
    with pytest.raises(ValueError, match="realm"):
        Challenger('a"b', random.Random(1))
