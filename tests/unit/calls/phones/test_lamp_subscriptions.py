"""Subscriptions of lamps: when one begins, what it is told, and how it ends (RFC 6665)."""

from __future__ import annotations

import pytest

from bridge.calls.phones.lamps import MOST_OF_A_LINE
from bridge.directory.logins import Login
from bridge.sip.flow import Flow
from tests.support.lab import Lab
from tests.support.lamps import dialogs, login, office
from tests.support.watchers import Key

# -- the subscription ------------------------------------------------------------------------------------------------


def test_the_state_is_told_at_once() -> None:
    """200 with what was granted, then a NOTIFY with the full state of the entity as it was subscribed to."""
    key = Key(office(), "m1", "202", entity="sip:202@10.0.0.100;user=phone", expires=300)
    assert key.statuses == [200] and key.answers[0].get("Expires") == "300"
    (root,) = key.documents
    assert (root.get("entity"), root.get("version"), root.get("state")) == (
        "sip:202@10.0.0.100;user=phone",
        "0",
        "full",
    )
    assert key.states == ["active;expires=300"] and key.notifies[0].get("Event") == "dialog"
    assert dialogs(key) == []


def test_versions_rise_and_every_document_is_whole() -> None:
    """Each NOTIFY has the next version."""
    lab = office()
    key = Key(lab, "m1", "*43600")
    for inside in (True, False, True):
        login(lab, "anna", Login(inside))
    assert [root.get("version") for root in key.documents] == ["0", "1", "2", "3"]
    assert {root.get("state") for root in key.documents} == {"full"}


def test_it_is_refreshed_and_ends() -> None:
    """A refresh is granted and answered with the state; Expires 0 ends it with a last NOTIFY."""
    lab = office()
    key = Key(lab, "m1", "202")
    lab.run(5)
    key.refresh()
    assert key.statuses == [200, 200] and len(key.documents) == 2 and len(lab.exchange.lamps) == 1
    key.stop()
    assert key.statuses == [200, 200, 200] and key.states[-1] == "terminated;reason=timeout"
    assert not len(lab.exchange.lamps)
    key.lab.run(60)
    assert len(key.documents) == 3


def test_it_expires() -> None:
    """Who does not refresh is told that it is over, and is told nothing afterwards."""
    lab = office()
    key = Key(lab, "m1", "202", expires=100)
    lab.run(101)
    assert key.states[-1] == "terminated;reason=timeout" and not len(lab.exchange.lamps)


def test_a_look_is_no_subscription() -> None:
    """Expires 0 from the start: the state once, and that is all (RFC 6665 §4.4.3)."""
    lab = office()
    key = Key(lab, "m1", "202", expires=0)
    assert key.statuses == [200] and not len(lab.exchange.lamps)
    assert [n.get("Subscription-State") for n in lab_notifies(lab, "m1")] == ["terminated;reason=timeout"]


def lab_notifies(lab: Lab, phone: str) -> list:  # type: ignore[type-arg]
    """Return the NOTIFYs that were sent to a phone."""
    return [passed.message for passed in lab.sent(phone, "NOTIFY")]


def test_too_short_is_refused() -> None:
    """423 with Min-Expires; with what that says it is granted."""
    lab = office()
    key = Key(lab, "m1", "202", expires=30)
    assert key.statuses == [423, 200] and key.answers[0].get("Min-Expires") == "60"


def test_longer_than_registrations_is_cut() -> None:
    """What is granted is as long as a registration, so that a lamp is right again soon whatever happened."""
    assert Key(office(), "m1", "202", expires=86_400).answers[0].get("Expires") == "600"


def test_other_packages() -> None:
    """489, with what there is."""
    lab = office()
    key = Key(lab, "m1", "202", event="message-summary")
    assert key.statuses == [489] and key.answers[0].get("Allow-Events") == "dialog"


def test_what_it_cannot_read() -> None:
    """A phone that takes no dialog-info gets 406 with what there is."""
    lab = office()
    raw = b"SUBSCRIBE sip:202@10.0.0.100 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKx\r\n"
    raw += b"From: <sip:m1@10.0.0.1>;tag=x\r\nTo: <sip:202@10.0.0.100>\r\nCall-ID: x\r\nCSeq: 1 SUBSCRIBE\r\n"
    raw += b"Contact: <sip:m1@10.0.0.1>\r\nEvent: dialog\r\nAccept: application/pidf+xml\r\n\r\n"
    lab.exchange.receive(raw, Flow("udp", "10.0.0.1", 5060), lab.now)
    lab.run(0)
    (refused,) = lab.sent("m1", "406 SUBSCRIBE")
    assert refused.message.get("Accept") == "application/dialog-info+xml"


@pytest.mark.parametrize("wound", ["Contact: <sip:m1@1 .0>", "Expires: soon", "Contact: *", "Record-Route: x"])
def test_what_is_written_wrongly(wound: str) -> None:
    """A SUBSCRIBE whose Contact, expiry or way back cannot be read gets 400, and leaves nothing behind."""
    lab = office()
    name = wound.partition(":")[0]
    heads = {"Contact": "Contact: <sip:m1@10.0.0.1>", "Expires": "Expires: 90", name: wound}
    raw = "SUBSCRIBE sip:202@10.0.0.100 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKx\r\n"
    raw += "From: <sip:m1@10.0.0.1>;tag=x\r\nTo: <sip:202@10.0.0.100>\r\nCall-ID: x\r\nCSeq: 1 SUBSCRIBE\r\n"
    raw += "Event: dialog\r\n" + "".join(f"{head}\r\n" for head in heads.values()) + "\r\n"
    lab.exchange.receive(raw.encode(), Flow("udp", "10.0.0.1", 5060), lab.now)
    lab.run(1)
    assert lab.sent("m1", "400 SUBSCRIBE") and not len(lab.exchange.lamps)


def test_a_subscription_that_is_not_known() -> None:
    """A refresh of one that is over is answered 481, so that the phone subscribes anew."""
    lab = office()
    key = Key(lab, "m1", "202")
    lab.exchange = lab.new_exchange("r")
    key.refresh()
    assert key.statuses == [200, 481]


@pytest.mark.parametrize("status", [481, 404, 489, 500])
def test_a_notify_that_is_refused_ends_it(status: int) -> None:
    """RFC 6665 §4.2.2: who does not know it any more is not asked again."""
    lab = office()
    key = Key(lab, "m1", "*43600")
    key.says = (status, {})
    login(lab, "anna", Login(True))
    assert not len(lab.exchange.lamps)
    login(lab, "anna", Login(False))
    assert len(key.notifies) == 2


def test_a_notify_that_comes_too_soon_does_not_end_it() -> None:
    """A refusal with Retry-After: the next change is told."""
    lab = office()
    key = Key(lab, "m1", "*43600")
    key.says = (503, {"Retry-After": ["1"]})
    login(lab, "anna", Login(True))
    key.says = (200, {})
    login(lab, "anna", Login(False))
    assert len(lab.exchange.lamps) == 1 and key.state == "idle"


def test_a_phone_that_is_gone() -> None:
    """A NOTIFY that nobody answers ends it after 32 s."""
    lab = office()
    key = Key(lab, "m1", "*43600")
    key.says = None
    login(lab, "anna", Login(True))
    lab.run(40)
    assert not len(lab.exchange.lamps)


def test_one_notify_at_a_time() -> None:
    """What changes while a NOTIFY is under way is told when it is answered, the latest alone."""
    lab = office()
    key = Key(lab, "m1", "*43600")
    lab.drop = lambda passed: passed.name == "NOTIFY" and lab.now < 1000.4
    for inside in (True, False, True):
        login(lab, "anna", Login(inside))
    assert len(lab_notifies(lab, "m1")) == 2
    lab.run(2)
    assert [root.get("version") for root in key.documents] == ["0", "1", "2"][: len(key.documents)]
    assert key.state == "busy" and len(key.documents) <= 3


def test_there_is_a_most() -> None:
    """A line has at most so many; what is beyond is refused with 503, others are served."""
    lab = office()
    keys = [Key(lab, "m1", "202") for _ in range(MOST_OF_A_LINE)]
    assert [key.statuses for key in keys] == [[200]] * MOST_OF_A_LINE
    assert Key(lab, "m1", "*43600").statuses == [503]
    assert Key(lab, "m2", "201").statuses == [200]


def test_a_phone_that_was_switched_off() -> None:
    """It subscribes to all its keys anew: where there is no room, the ones from before end one by one."""
    lab = office()
    before = [Key(lab, "m1", "202") for _ in range(MOST_OF_A_LINE)]
    anew = [Key(lab, "m1", "202") for _ in range(3)]
    assert [key.statuses for key in anew] == [[200]] * 3
    assert [key.states[-1] for key in before[:4]] == ["terminated;reason=rejected"] * 3 + ["active;expires=600"]
    assert len(lab.exchange.lamps) == MOST_OF_A_LINE
