"""What phones do rarely with bodies, and before the answer: several parts, UPDATE, a PRACK that comes late."""

from __future__ import annotations

import pytest

from bridge.media.model import CALLER, MEMBER
from bridge.sip.leg import Leg
from bridge.sip.legevents import Requested
from bridge.sip.message import Body, Request, Response
from bridge.sip.outgoing import OutgoingLeg
from tests.support.hall import hall
from tests.support.lab import ANSWER, BRIDGE, OFFER, Lab, Passed, Phone
from tests.unit.calls.onward.test_following import diverts, following
from tests.unit.calls.onward.test_transfer import progress, refer
from tests.unit.calls.test_media import ANSWER as FROM_MEMBER
from tests.unit.calls.test_media import OFFER as FROM_CALLER
from tests.unit.calls.test_media import body, connected, sdp
from tests.unit.calls.test_media import lab as relayed
from tests.unit.calls.test_ringing import demanding


def among(description: Body) -> Body:
    """Return a description beside what a provider tells its own exchanges."""
    other = b"--x\r\nContent-Type: application/isup\r\nContent-Disposition: signal\r\n\r\n\x01\x00\r\n"
    own = b"--x\r\nContent-Type: application/sdp\r\n\r\n" + description.data + b"\r\n--x--\r\n"
    return Body("multipart/mixed;boundary=x", other + own)


# -- several parts ----------------------------------------------------------------------------------------------------


def test_the_description_among_other_parts_goes_to_phones_alone() -> None:
    """Directly: the phone gets the description and nothing else, and so does the caller."""
    lab = Lab(members=1)
    lab["m1"].on_invite = lambda phone, leg: leg.accept(among(ANSWER), phone.lab.now)
    call = lab["c1"].call("600", among(OFFER))
    assert lab["c1"].accepted(call)
    (invite,), (ok,) = lab["m1"].invites, lab.sent("c1", "200 INVITE")
    assert (invite.content, ok.message.content) == (OFFER, ANSWER)


def test_the_description_among_other_parts_is_relayed() -> None:
    """Offer and answer, and those of a re-INVITE."""
    lab, media = relayed()
    lab["m1"].on_invite = lambda phone, leg: leg.accept(among(FROM_MEMBER), phone.lab.now)
    call = lab["c3"].call("600", among(FROM_CALLER))
    lab.run(0.1)
    assert lab["c3"].accepted(call)
    paths = {side: path.port for (_, side), path in media.opened[0].paths.items() if path is not None}
    assert paths == {CALLER: 4000, MEMBER: 5000}
    assert call.request("INVITE", among(body("10.0.1.3", 4010, version=2)), "again", lab.now)
    lab.run(1)
    moved = media.opened[0].paths[0, CALLER]
    assert [reply.status for reply in lab.replies("c3")] == [200] and moved is not None and moved.port == 4010


def test_the_description_among_other_parts_is_heard_in_a_queue() -> None:
    """We answer it ourselves."""
    made = hall()
    leg = made.lab["c3"].call("600", among(body("10.0.1.3", 4000)))
    assert made.lab["c3"].accepted(leg) and made.rung() == ["m1"]


def test_parts_without_a_description_are_no_offer() -> None:
    """The member makes it; the caller's ACK brings the answer."""
    lab = Lab(members=1)
    lab["m1"].on_invite = lambda phone, leg: leg.accept(OFFER, phone.lab.now)
    none = Body("multipart/mixed;boundary=x", b"--x\r\nContent-Type: text/plain\r\n\r\nhello\r\n--x--\r\n")
    call = lab["c1"].call("600", none)
    assert not lab["m1"].invites[0].body and lab.sent("c1", "200 INVITE")[0].message.content == OFFER
    call.acknowledge(among(ANSWER), lab.now)
    lab.run(1)
    assert lab.sent("m1", "ACK")[0].message.content == ANSWER


# -- before the answer ------------------------------------------------------------------------------------------------


def early_request(lab: Lab, leg: OutgoingLeg, method: str, content: Body | None) -> Response:
    """Send a request inside the dialog of a call that rings; return the answer."""
    (ringing,) = lab.sent("c1", "180 INVITE")
    headers = {name: list(ringing.message.headers[name]) for name in ("From", "To", "Call-ID")}
    headers |= {"CSeq": [f"2 {method}"], "Max-Forwards": ["70"], "Contact": [leg.contact]}
    request = Request(method, "sip:600@10.0.0.100", headers)
    request.put(content)
    lab["c1"].ua.layer.request(request, BRIDGE, None, lab.now)
    lab.run(0.5)
    answer = [p.message for p in lab.wire if p.name.endswith(f" {method}")][-1]
    assert isinstance(answer, Response)
    return answer


@pytest.mark.parametrize(
    ("method", "content", "status"), [("UPDATE", None, 200), ("UPDATE", OFFER, 500), ("INFO", None, 500)]
)
def test_what_a_caller_asks_before_the_answer(method: str, content: Body | None, status: int) -> None:
    """RFC 3311 §5.2: an offer beside the one that is not answered is for later; nothing says that the call is gone."""
    lab = Lab(members=1)
    call = lab["c1"].call("600")
    answer = early_request(lab, call, method, content)
    assert answer.code == status and bool(answer.get("Retry-After")) is (status == 500)
    lab["m1"].leg.accept(ANSWER, lab.now)
    lab.run(0.5)
    assert lab["c1"].accepted(call) and lab.exchange.calls()[0].state == "connected"


def test_what_a_member_asks_before_it_answers() -> None:
    """491: our own offer is not answered yet; the call goes on."""
    lab = Lab(members=1)
    call = lab["c1"].call("600")
    invite = lab["m1"].invites[0]
    headers = {"From": [f"{invite.need('To')};tag={lab['m1'].leg.local_tag}"], "To": [invite.need("From")]}
    headers |= {"Call-ID": [invite.call_id], "CSeq": ["1 UPDATE"], "Max-Forwards": ["70"], "Contact": ["<sip:m1@x>"]}
    update = Request("UPDATE", "sip:600@10.0.0.100", headers)
    update.put(OFFER)
    lab["m1"].ua.layer.request(update, BRIDGE, None, lab.now)
    lab.run(0.5)
    assert lab.sent("m1", "491 UPDATE")
    lab["m1"].leg.accept(ANSWER, lab.now)
    lab.run(0.5)
    assert lab["c1"].accepted(call)


def test_a_prack_that_comes_after_the_answer() -> None:
    """It is answered, and the 200 goes on being repeated until its ACK: the two have nothing to do with each other."""
    lab = Lab(members=1)
    reliable = demanding(lab, acknowledge=False)
    lab["m1"].leg.accept(ANSWER, lab.now)
    lab.run(0.1)
    headers = {name: list(reliable[0].headers[name]) for name in ("From", "To", "Call-ID")}
    headers |= {"CSeq": ["2 PRACK"], "RAck": ["1 1 INVITE"], "Max-Forwards": ["70"]}
    lab["c1"].ua.layer.request(Request("PRACK", "sip:600@10.0.0.100", headers), BRIDGE, None, lab.now)
    lab.run(0)
    assert lab.sent("c1", "200 PRACK")
    before = len(lab.sent("c1", "200 INVITE"))
    lab.run(10)
    assert len(lab.sent("c1", "200 INVITE")) > before


@pytest.mark.parametrize("lost", ["180 INVITE", "PRACK", "200 PRACK"])
def test_ringing_that_is_lost_on_its_way(lost: str) -> None:
    """The 180, its PRACK or the answer to that: each goes out again, the call goes on."""
    lab = Lab(members=1)
    gone: list[Passed] = []

    def once(passed: Passed) -> bool:
        if passed.name == lost and passed.message.call_id.startswith("c1") and not gone:
            gone.append(passed)
            return True
        return False

    lab.drop = once
    demanding(lab, acknowledge=True)
    assert gone and lab.sent("c1", "200 PRACK")
    lab["m1"].leg.accept(ANSWER, lab.now)
    lab.run(1)
    assert lab.sent("c1", "200 INVITE")


# -- late offers, by the relay ----------------------------------------------------------------------------------------


def test_a_late_offer_through_the_relay() -> None:
    """The member's offer comes in our 200, the caller's answer goes on in the ACK: each with ports of ours."""
    lab, media = relayed()
    lab["m1"].on_invite = lambda phone, leg: leg.accept(FROM_MEMBER, phone.lab.now)
    call = lab["c3"].call("600", None)
    lab.run(0.1)
    (ok,) = lab.sent("c3", "200 INVITE")
    assert sdp(ok.message).host == "10.0.0.100" and not lab["m1"].invites[0].body
    call.acknowledge(FROM_CALLER, lab.now)
    lab.run(0.1)
    assert sdp(lab.sent("m1", "ACK")[0].message).host == "10.0.0.100"
    paths = {side: path.port for (_, side), path in media.opened[0].paths.items() if path is not None}
    assert paths == {CALLER: 4000, MEMBER: 5000}


# -- pictures that come and go ----------------------------------------------------------------------------------------

PICTURE = "m=video 4002 RTP/AVP 97\r\na=rtpmap:97 H264/90000"
NO_PICTURE = "m=video 0 RTP/AVP 97"


def test_a_picture_comes_and_goes_in_a_relayed_talk() -> None:
    """A re-INVITE adds it and another takes it away: the streams keep their places, port 0 is what is gone."""
    lab, media, call = connected()
    lab["m1"].on_request = lambda phone, event: takes(phone, event, PICTURE.replace("4002", "5002"))
    assert call.request("INVITE", body("10.0.1.3", 4000, version=2, more=PICTURE), "add", lab.now)
    lab.run(0.5)
    call.acknowledge(None, lab.now)
    added = sdp(lab.sent("m1", "INVITE")[-1].message)
    assert [(m.kind, bool(m.port)) for m in added.media] == [("audio", True), ("video", True)]
    assert media.opened[0].paths[1, CALLER] is not None
    lab["m1"].on_request = lambda phone, event: takes(phone, event, NO_PICTURE)
    lab.run(0.5)
    assert call.request("INVITE", body("10.0.1.3", 4000, version=3, more=NO_PICTURE), "remove", lab.now)
    lab.run(0.5)
    gone = sdp(lab.sent("m1", "INVITE")[-1].message)
    assert [(m.kind, bool(m.port)) for m in gone.media] == [("audio", True), ("video", False)]
    assert media.opened[0].paths[1, CALLER] is None and lab.replies("c3")[-1].status == 200


def takes(phone: Phone, event: Requested, more: str) -> None:
    """Answer with a second stream."""
    answer = body("10.0.0.1", 5000, version=3, more=more)
    event.leg.respond(event.transaction, event.request, 200, answer, phone.lab.now)


def way_in(message: object) -> str:
    """Return the direction of the sound in a message."""
    session = sdp(message)
    return str(session.way_of(session.media[0]).value)


# -- both hold --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["c3", "m1"])
def test_both_sides_hold_and_resume_in_either_order(first: str) -> None:
    """Who resumes while the other still holds hears nothing yet; once both have, both hear each other."""
    lab, media, call = connected()
    legs: dict[str, Leg] = {"c3": call, "m1": lab["m1"].leg}
    ways = {"c3": "sendrecv", "m1": "sendrecv"}
    hosts = {"c3": ("10.0.1.3", 4000), "m1": ("10.0.0.1", 5000)}
    version = 2

    def answer(phone: Phone, event: Requested) -> None:
        asked = way_in(event.request)
        own = ways[phone.name]
        said = {"sendonly": "recvonly", "recvonly": "sendonly"}.get(asked, asked)
        if own == "sendonly":
            said = "sendonly" if asked in ("sendrecv", "recvonly") else "inactive"
        mine = body(*hosts[phone.name], version=version, more=f"a={said}")
        event.leg.respond(event.transaction, event.request, 200, mine, lab.now)

    lab["c3"].on_request = lab["m1"].on_request = answer

    def change(who: str, way: str) -> str:
        nonlocal version
        version += 1
        ways[who] = way
        assert legs[who].request("INVITE", body(*hosts[who], version=version, more=f"a={way}"), who, lab.now)
        lab.run(0.5)
        legs[who].acknowledge(None, lab.now)
        lab.run(0.5)
        reply = lab.replies(who)[-1]
        assert reply.status == 200 and reply.body is not None
        return way_in(Request("INVITE", "sip:x@x", {}, reply.body.data))

    other = "m1" if first == "c3" else "c3"
    assert change(first, "sendonly") == "recvonly"
    assert change(other, "sendonly") == "inactive"
    assert change(first, "sendrecv") == "sendonly", "the other one holds still"
    assert change(other, "sendrecv") == "sendrecv"
    assert change(first, "sendonly") == "recvonly" and change(other, "sendonly") == "inactive"
    assert change(other, "sendrecv") == "sendonly" and change(first, "sendrecv") == "sendrecv"
    assert lab.exchange.calls()[0].state == "connected"


# -- 3xx --------------------------------------------------------------------------------------------------------------


def test_the_contact_that_is_preferred_is_followed() -> None:
    """Several Contacts, in one header or more: by q (RFC 3261 §20.10), not as they stand; without q it is 1."""
    lab = following(members=3)
    lab.login("m2", False)
    lab.login("m3", False)
    lab["m1"].on_invite = diverts("<sip:203@b>;q=0.2", '"x;q=0.9" <sip:202@b>;expires=5;q=0.7', "<sip:501@b>;q=0.10")
    lab["c1"].call("600")
    lab.run(1)
    assert "INVITE" in lab.to("m2") and "INVITE" not in lab.to("m3") + lab.to("x1")


def test_the_next_contact_where_the_preferred_one_leads_nowhere() -> None:
    """Nobody has the number of the first."""
    lab = following(members=1)
    lab["m1"].on_invite = diverts("<sip:501@b>;q=0.5", "<sip:999@b>")
    lab["c1"].call("600")
    lab.run(1)
    assert "INVITE" in lab.to("x1")


# -- REFER while something of ours is under way -----------------------------------------------------------------------


def test_a_refer_while_media_are_going_direct() -> None:
    """Both have agreed to that before anything else is asked; a transfer that fails leaves them hearing each other."""
    made = hall(members=2)
    made.call("c3")
    made.answer("m1")
    asked: list[Requested] = []
    slow = made.lab["m1"].on_request
    made.lab["m1"].on_request = lambda phone, event: asked.append(event)
    made.lab.run(2)
    assert len(asked) == 1, "the member is asked to do without us"
    made.lab["m2"].on_invite = lambda phone, leg: leg.reject(486, phone.lab.now)
    refer(made.lab, "m1", made.lab["m1"].leg, "<sip:202@10.0.0.100>")
    assert progress(made.lab, "m1")[-1] == "486 Busy Here"
    made.lab["m1"].on_request = slow
    slow(made.lab["m1"], asked[0])
    made.lab.run(1)
    assert made.media.opened[0].closed and made.media.pairs == 100
    assert sdp(made.lab.sent("c3", "INVITE")[-1].message).host_of(
        sdp(made.lab.sent("c3", "INVITE")[-1].message).media[0]
    )
