import json
import random

import pytest

from bridge.sip.binding import BindingAdded, BindingRefreshed, BindingRemoved, RegisterRefused
from bridge.sip.challenger import Challenger
from bridge.sip.digest import Authenticator, Credentials
from bridge.sip.flow import Flow
from bridge.sip.message import Request, Response
from bridge.sip.registrar import TRANSLATED_FOR, Registrar, RegistrarLine

PHONE = Flow("udp", "192.168.1.44", 5062, 0)
CONNECTION = Flow("tcp", "192.168.1.44", 40123)
CONTACT = "<sip:203@192.168.1.44:5062>"
LINES = {
    "203": RegistrarLine("lobby", "203", "secret"),
    "204": RegistrarLine("workshop", "204", "other"),
}
WALL = 1_700_000_000.0


def make(**options: int) -> Registrar:
    """A registrar for lobby (203) and workshop (204)."""
    rng = random.Random(3)
    return Registrar(LINES, Challenger("home", rng), lambda: "tag", rng, **options)


class Phone:
    """A phone of line 203, right password unless told otherwise; it answers one challenge."""

    def __init__(self, registrar: Registrar, number: str = "203", user: str = "203", password: str = "secret") -> None:
        self.registrar = registrar
        self.number = number
        self.ours = Authenticator(Credentials(user, password), random.Random(4))
        self.call_id = f"call-{number}"
        self.cseq = 0
        self.flow = PHONE

    def request(self, *contacts: str, **headers: str) -> Request:
        """The next REGISTER."""
        self.cseq += 1
        aor = f"<sip:{self.number}@bridge.example>"
        request = Request(
            "REGISTER",
            "sip:bridge.example",
            {
                "Via": ["SIP/2.0/UDP 192.168.1.44:5062;branch=z9hG4bK1"],
                "From": [f"{aor};tag=f"],
                "To": [aor],
                "Call-ID": [self.call_id],
                "CSeq": [f"{self.cseq} REGISTER"],
                "User-Agent": ["desk phone 1.0"],
            },
        )
        if contacts:
            request.headers["Contact"] = list(contacts)
        for name, value in headers.items():
            request.set(name, value)
        self.ours.authorize(request)
        return request

    def send(self, request: Request, now: float = 0.0) -> Response:
        """Send one request."""
        return self.registrar.receive(request, self.flow, now, WALL + now)

    def register(self, *contacts: str, now: float = 0.0, **headers: str) -> Response:
        """Send REGISTER, answer the challenge if there is one, return the final response."""
        response = self.send(self.request(*contacts, **headers), now)
        if response.code == 401 and self.ours.answer(response, "REGISTER", "sip:bridge.example") is not None:
            response = self.send(self.request(*contacts, **headers), now)
        return response


def test_a_phone_registers_with_its_password() -> None:
    """Challenge, right answer, 200 with the contact and what is left of its time; the flow is remembered."""
    registrar = make()
    phone = Phone(registrar)
    challenge = phone.send(phone.request(CONTACT))
    assert challenge.code == 401 and len(challenge.headers["WWW-Authenticate"]) == 2
    assert challenge.to_tag == "tag"
    response = phone.register(CONTACT, now=1.0)
    assert (response.code, response.headers["Contact"]) == (200, ["<sip:203@192.168.1.44:5062>;expires=600"])
    (binding,) = registrar.bindings("lobby")
    assert (binding.contact_uri, binding.flow, binding.expires_at) == ("sip:203@192.168.1.44:5062", PHONE, 601.0)
    assert (binding.user_agent, binding.since) == ("desk phone 1.0", WALL + 1)
    assert registrar.events == [BindingAdded("lobby", binding, 1)]
    assert registrar.deadline() == 601.0


def test_strangers_do_not_find_out_which_numbers_exist() -> None:
    """Without the right password an unknown number is answered exactly as a known one, at every step."""
    for number, user in (("203", "203"), ("999", "999"), ("203", "999"), ("999", "203")):
        phone = Phone(make(), number, user, "guess")
        first = phone.send(phone.request(CONTACT))
        assert (first.code, first.phrase) == (401, "Unauthorized")
        second = phone.register(CONTACT)
        assert (second.code, second.phrase) == (403, "Wrong User Name or Password")
        assert phone.registrar.bindings("lobby") == ()


def test_who_has_a_password_gets_only_the_own_line() -> None:
    """Another's number is forbidden, an unknown one is not found."""
    assert Phone(make(), number="204").register(CONTACT).code == 403
    assert Phone(make(), number="999").register(CONTACT).code == 404


def test_a_wrong_password_is_told_once_a_minute() -> None:
    """Whoever looks after the box learns that a phone's password is wrong, without a flood of it."""
    registrar = make()
    phone = Phone(registrar, password="guess")
    for now in (0.0, 10.0, 61.0):
        assert phone.register(CONTACT, now=now).code == 403
    assert registrar.events == [RegisterRefused("lobby", PHONE)] * 2
    stranger = Phone(registrar, "999", "999")
    assert stranger.register(CONTACT, now=500.0).code == 403 and len(registrar.events) == 2


def test_an_outdated_nonce_is_stale_and_serves_again() -> None:
    """A phone that comes back after the nonce's life is told stale=true and gets in without its user."""
    phone = Phone(make())
    assert phone.register(CONTACT).code == 200
    again = phone.send(phone.request(CONTACT), now=400.0)
    assert again.code == 401 and "stale=true" in again.headers["WWW-Authenticate"][0]
    assert phone.register(CONTACT, now=400.0).code == 200


@pytest.mark.parametrize(
    ("contact", "header", "granted"),
    [
        (f"{CONTACT};expires=120", "300", 120),
        (CONTACT, "300", 300),
        (CONTACT, None, 600),
        (f"{CONTACT};expires=7200", None, 600),
        (f"{CONTACT};expires=soon", None, 600),
        (f"{CONTACT};Expires=60", None, 60),
        (f"{CONTACT};expires=99999999999999999999", None, 600),
    ],
)
def test_expiry_is_the_contacts_then_the_headers_then_ours(contact: str, header: str | None, granted: int) -> None:
    """RFC 3261 §10.3 step 7, never more than our most."""
    phone = Phone(make())
    headers = {} if header is None else {"Expires": header}
    response = phone.register(contact, now=0.1, **headers)
    assert response.headers["Contact"] == [f"{CONTACT};expires={granted}"]


def test_too_brief_an_expiry_is_refused_with_the_least() -> None:
    """423 with Min-Expires; nothing is changed, not even by the other contacts of the request."""
    phone = Phone(make())
    response = phone.register(CONTACT, "<sip:203@192.168.1.45>;expires=10")
    assert (response.code, response.get("Min-Expires")) == (423, "60")
    assert phone.registrar.bindings("lobby") == ()
    assert Phone(make(min_expires=10)).register(f"{CONTACT};expires=10").code == 200


def test_bindings_expire() -> None:
    """What is not refreshed ends at its deadline, not before."""
    registrar = make()
    phone = Phone(registrar)
    phone.register(f"{CONTACT};expires=100")
    phone.register("<sip:203-2@192.168.1.44:5062>;expires=200", now=10.0)
    registrar.events.clear()
    registrar.tick(99.0)
    assert registrar.events == [] and registrar.deadline() == 100.0
    registrar.tick(100.0)
    (event,) = registrar.events
    assert isinstance(event, BindingRemoved) and (event.why, event.bindings) == ("expired", 1)
    assert registrar.deadline() == 210.0
    registrar.tick(210.0)
    assert registrar.bindings("lobby") == () and registrar.deadline() is None


def test_a_phone_that_registers_again_replaces_itself() -> None:
    """The same URI, or the same +sip.instance at another address, is the same phone; what it says now counts."""
    registrar = make()
    phone = Phone(registrar)
    phone.register(f'{CONTACT};+sip.instance="<urn:uuid:1>"')
    phone.flow = Flow("udp", "192.168.1.99", 5062, 0)
    phone.call_id = "after-reboot"
    phone.register('<sip:203@192.168.1.99:5062>;+sip.instance="<urn:uuid:1>"', now=5.0)
    (binding,) = registrar.bindings("lobby")
    assert (binding.flow.host, binding.since) == ("192.168.1.99", WALL)
    phone.register("<sip:203@192.168.1.99:5062;transport=UDP>", now=6.0)
    (binding,) = registrar.bindings("lobby")
    assert binding.contact_uri == "sip:203@192.168.1.99:5062;transport=UDP"
    assert [type(event) for event in registrar.events] == [BindingAdded, BindingRefreshed, BindingRefreshed]


def test_several_phones_share_a_line_up_to_a_limit() -> None:
    """Different contacts stand side by side, the latest first; one too many pushes out the longest silent."""
    registrar = make(max_contacts=2)
    phone = Phone(registrar)
    for host in ("a.lan", "b.lan", "c.lan"):
        response = phone.register(f"<sip:203@{host}>")
    assert [binding.contact_uri for binding in registrar.bindings("lobby")] == ["sip:203@c.lan", "sip:203@b.lan"]
    assert len(response.headers["Contact"]) == 2
    assert phone.register(*(f"<sip:203@{n}.lan>" for n in range(3))).code == 400
    assert Phone(make(max_contacts=1)).register(CONTACT).code == 200


def test_a_query_changes_nothing() -> None:
    """REGISTER without Contact lists the bindings."""
    phone = Phone(make())
    assert "Contact" not in phone.register().headers
    phone.register(CONTACT)
    assert phone.register(now=100.0).headers["Contact"] == [f"{CONTACT};expires=500"]


def test_expires_0_removes_a_contact_and_a_star_all() -> None:
    """§10.2.2; a removal is told, removing what is not there is none."""
    registrar = make()
    phone = Phone(registrar)
    phone.register(CONTACT, "<sip:203@b.lan>", "<sip:203@c.lan>")
    assert len(phone.register(f"{CONTACT};expires=0").headers["Contact"]) == 2
    assert phone.register(f"{CONTACT};expires=0").code == 200
    assert "Contact" not in phone.register("*", Expires="0").headers
    removed = [event for event in registrar.events if isinstance(event, BindingRemoved)]
    assert [(event.why, event.bindings) for event in removed] == [("removed", 2), ("removed", 1), ("removed", 0)]


@pytest.mark.parametrize(
    ("contacts", "headers"),
    [
        (["*"], {}),
        (["*"], {"Expires": "60"}),
        (["*"], {"Expires": "x"}),
        (["*", CONTACT], {"Expires": "0"}),
        (["<tel:+49123>"], {}),
        (["<sip:203@b:99999>"], {}),
        (["<sip:203@b"], {}),
        ([""], {}),
        (["<sip:2\udcff3@b>"], {}),
        ([CONTACT], {"CSeq": "x REGISTER"}),
        ([CONTACT], {"To": "<mailto:x@y>"}),
    ],
)
def test_bad_requests_are_refused_and_change_nothing(contacts: list[str], headers: dict[str, str]) -> None:
    """A wrong star, a contact that cannot be called, broken headers: refused with words, nobody is harmed."""
    phone = Phone(make())
    phone.register("<sip:203@old.lan>")
    response = phone.send(phone.request(*contacts, **headers))
    assert response.code in (400, 403, 404, 416) and response.phrase
    assert bytes(response)
    assert len(phone.registrar.bindings("lobby")) == 1


def test_an_unknown_requirement_is_named() -> None:
    """§10.3 step 2: 420 with Unsupported."""
    response = Phone(make()).register(CONTACT, Require="outbound")
    assert (response.code, response.get("Unsupported")) == (420, "outbound")


def test_requests_of_one_call_id_are_taken_in_order() -> None:
    """§10.3 step 7: a late REGISTER with a lower or the same CSeq fails; one with another Call-ID is newer."""
    phone = Phone(make())
    phone.register(CONTACT)
    phone.cseq = 1
    assert phone.register(f"{CONTACT};expires=0").code == 500
    phone.cseq = 1
    assert phone.register("*", Expires="0").code == 500
    phone.call_id, phone.cseq = "after-reboot", 0
    assert phone.register(CONTACT).code == 200


def test_uri_is_kept_as_the_phone_wrote_it_without_uri_headers() -> None:
    """It becomes the Request-URI, which must come back to the phone unchanged, but has no headers (§19.1.5)."""
    phone = Phone(make())
    phone.register('"Anna <x>" <sip:203-0x5f@192.168.1.44:5062;line=a%3bb;ob?Subject=x>')
    (binding,) = phone.registrar.bindings("lobby")
    assert binding.contact_uri == "sip:203-0x5f@192.168.1.44:5062;line=a%3bb;ob"


def test_a_phone_behind_a_translator_registers_more_often() -> None:
    """It is granted two minutes at most, and told so; one that is seen as it says gets what it asks for."""
    registrar = make()
    phone = Phone(registrar)
    response = phone.register("<sip:203@10.0.0.7:5060>;expires=600", "<sip:203@192.168.1.44:5062>;expires=600")
    granted = sorted(value.partition(";expires=")[2] for value in response.headers["Contact"])
    assert granted == [str(round(TRANSLATED_FOR)), "600"]


def test_a_lost_connection_takes_its_bindings_along() -> None:
    """A phone behind NAT is unreachable without its connection; one that listens where its contact says is not."""
    registrar = make()
    phone = Phone(registrar)
    phone.flow = CONNECTION
    phone.register("<sip:203@10.0.0.7:5060;transport=tcp>", "<sip:203@192.168.1.44:40123;transport=tcp>")
    registrar.flow_gone(PHONE)
    assert len(registrar.bindings("lobby")) == 2
    registrar.flow_gone(CONNECTION)
    assert registrar.bindings("lobby") == ()
    last = registrar.events[-1]
    assert isinstance(last, BindingRemoved) and (last.why, last.bindings) == ("connection lost", 0)
    phone.register("<sip:203@192.168.1.44;transport=tcp>")
    registrar.flow_gone(CONNECTION)
    (binding,) = registrar.bindings("lobby")
    assert binding.flow == Flow("tcp", "192.168.1.44", 5060)


def test_registrations_survive_a_restart() -> None:
    """Stored as plain values with their expiry in UTC, taken up with what is left of it; lost connections are not."""
    before = make()
    phone = Phone(before)
    phone.register(f'{CONTACT};+sip.instance="<urn:uuid:1>"', now=1000.0)
    phone.flow = CONNECTION
    phone.register("<sip:203@10.0.0.7:5060;transport=tcp>", now=1000.0)
    stored = json.loads(json.dumps(before.dump(1100.0, WALL)))
    after = make()
    after.load(stored, 7.0, WALL + 100.0)
    (binding,) = after.bindings("lobby")
    assert (binding.contact_uri, binding.flow, binding.expires_at) == ("sip:203@192.168.1.44:5062", PHONE, 407.0)
    assert binding.instance == '"<urn:uuid:1>"'
    assert after.deadline() == 407.0


def test_what_is_expired_or_no_longer_configured_is_not_taken_up() -> None:
    """An old or foreign binding is left behind; a clock that went back stretches none beyond the most we grant."""
    before = make()
    Phone(before).register(CONTACT)
    stored = before.dump(0.0, WALL)
    for entries, wall, expected in (
        (stored, WALL + 601, 0),
        ([{**stored[0], "line": "gone"}], WALL, 0),
        (stored, WALL - 1e9, 1),
    ):
        after = make()
        after.load(entries, 0.0, wall)
        assert len(after.bindings("lobby")) == expected
        assert all(binding.expires_at <= 600.0 for binding in after.bindings("lobby"))


@pytest.mark.parametrize(
    "damage", [{"port": "x"}, {"contact": None}, {"expires": None}, {"contact": "x"}, {"instance": 5}]
)
def test_a_damaged_store_is_told(damage: dict[str, object]) -> None:
    """What `dump` cannot have written raises ValueError and takes up nothing."""
    before = make()
    Phone(before).register(CONTACT)
    after = make()
    with pytest.raises(ValueError):
        after.load([*before.dump(0.0, WALL), {**before.dump(0.0, WALL)[0], **damage}], 0.0, WALL)
    assert after.bindings("lobby") == ()


def test_passwords_are_not_shown() -> None:
    """A line of the registrar can be logged."""
    assert "secret" not in repr(LINES["203"])


def test_what_has_not_changed_is_stored_as_it_was() -> None:
    """The same object, so that a refresh writes one phone and not all; all are new where the wall clock was set."""
    registrar = make()
    Phone(registrar).register(CONTACT)
    other = Phone(registrar, "204", "204", "other")
    other.register("<sip:204@192.168.1.44:5062>")
    lobby, hall = registrar.dump(0.0, WALL)
    other.register("<sip:204@192.168.1.44:5062>", now=100.0)
    again, refreshed = registrar.dump(100.0, WALL + 100.4)
    assert again is lobby and refreshed is not hall
    assert refreshed["expires"] == WALL + 700.4
    corrected, _ = registrar.dump(100.0, WALL + 200.0)
    assert corrected["expires"] == WALL + 700.0
