"""Calls whose media go through the bridge: what each side is told, and what the relay is told."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bridge.calls.model import ExchangeSettings, TrunkSettings
from bridge.directory.model import Group, Line, MediaWay, Member
from bridge.events import Notice
from bridge.media.model import CALLER, MEMBER, Path
from bridge.sip.binding import Binding, plain
from bridge.sip.flow import Flow
from bridge.sip.incoming import IncomingLeg
from bridge.sip.legevents import Rejected, Requested
from bridge.sip.message import Body
from bridge.sip.outgoing import OutgoingLeg
from bridge.sip.sdp import Session
from bridge.sip.sdpread import parse_session
from tests.support.lab import Lab, Phone, answers
from tests.support.ways import ToldMedia
from tests.unit.calls.onward.test_transfer import refer


def body(host: str, port: int, formats: str = "8 0 101", version: int = 1, more: str = "") -> Body:
    """Return a phone's description."""
    lines = [
        "v=0",
        f"o=- {port} {version} IN IP4 {host}",
        "s=-",
        f"c=IN IP4 {host}",
        "t=0 0",
        f"m=audio {port} RTP/AVP {formats}",
        *(["a=rtpmap:101 telephone-event/8000"] if "101" in formats else []),
        *([more] if more else []),
        "",
    ]
    return Body("application/sdp", "\r\n".join(lines).encode())


OFFER = body("10.0.1.3", 4000)
ANSWER = body("10.0.0.1", 5000)


def lab(pairs: int = 100, way: MediaWay = MediaWay.RELAY, more_lines: tuple[Line, ...] = ()) -> tuple[Lab, ToldMedia]:
    """Return a laboratory with a relay, whose caller c3 is set so and its media."""
    media = ToldMedia(pairs)
    c3 = Line("c3", "303", contact="sip:c3@10.0.1.3:5060", media=way, max_calls=5)
    made = Lab(members=1, media=media, more_lines=(c3, *more_lines))
    made["m1"].on_invite = picks_up
    made["m1"].on_request = says(ANSWER)
    made["c3"].on_request = says(OFFER)
    return made, media


def says(description: Body) -> Callable[[Phone, Requested], None]:
    """Return what answers every request inside a dialog with this description."""
    return lambda phone, event: event.leg.respond(event.transaction, event.request, 200, description, phone.lab.now)


def picks_up(phone: Phone, leg: IncomingLeg) -> None:
    """Answer at once."""
    leg.ring(phone.lab.now)
    leg.accept(ANSWER, phone.lab.now)


def sdp(message: object) -> Session:
    """Return the description in a message."""
    assert message is not None
    return parse_session(message.body)  # type: ignore[attr-defined]


def connected(**more: object) -> tuple[Lab, ToldMedia, OutgoingLeg]:
    """Return a talk through the relay."""
    made, media = lab(**more)  # type: ignore[arg-type]
    call = made["c3"].call("600", OFFER)
    made.run(0.1)
    assert made["c3"].accepted(call)
    return made, media, call


def test_both_sides_are_told_ports_of_ours() -> None:
    """The offer to the member has one pair of the relay, the answer to the caller the other; the relay knows both."""
    made, media, _ = connected()
    (invite,) = made["m1"].invites
    (ok,) = made.sent("c3", "200 INVITE")
    offered, answered = sdp(invite), sdp(ok.message)
    assert (offered.host, offered.media[0].port) == ("10.0.0.100", 20002)
    assert (answered.host, answered.media[0].port) == ("10.0.0.100", 20000)
    assert offered.origin.session != answered.origin.session
    (relay,) = media.opened
    assert relay.paths == {
        (0, CALLER): Path("10.0.1.3", 4000, 4001),
        (0, MEMBER): Path("10.0.0.1", 5000, 5001),
    }
    assert any(step.why == "media through the bridge: set so" for step in made.exchange.story(None).steps)  # type: ignore[union-attr]


@pytest.mark.parametrize("who", ["c3", "m1"])
def test_the_relay_closes_with_the_call(who: str) -> None:
    """Whoever hangs up."""
    made, media, call = connected()
    (call if who == "c3" else made["m1"].leg).hang_up(None, made.now)
    made.run(1)
    assert media.opened[0].closed and media.pairs == 100 and not made.exchange.calls()


def test_a_cancelled_call_gives_its_ports_back() -> None:
    """The caller gives up while it rings."""
    made, media = lab()
    made["m1"].on_invite = lambda phone, leg: leg.ring(phone.lab.now)
    call = made["c3"].call("600", OFFER)
    made.run(1)
    assert media.pairs == 98
    call.cancel(None, made.now)
    made.run(1)
    assert media.pairs == 100


def test_a_direct_call_needs_no_ports() -> None:
    """Bodies go on as they are, to the byte."""
    for way in (MediaWay.AUTO, MediaWay.DIRECT):
        made, media, _ = connected(way=way)
        assert made["m1"].invites[0].body == OFFER.data
        assert made.sent("c3", "200 INVITE")[0].message.body == ANSWER.data
        assert not media.opened


def test_phones_of_one_hunt_are_offered_what_each_needs() -> None:
    """One member is relayed, the other not; who answers decides, and a relay that is not needed closes."""
    for winner, relayed in (("m1", False), ("r1", True)):
        media = ToldMedia()
        line = Line("r1", "401", contact="sip:r1@10.0.2.1:5060", media=MediaWay.RELAY)
        both = tuple(Member(name, name, device=True, always=True) for name in ("m1", "r1"))
        made = Lab(members=1, media=media, more_lines=(line,), more_groups=(Group("h", "Both", "700", both),))
        call = made["c1"].call("700", OFFER)
        made.run(1)
        ports = [sdp(made[name].invites[0]).media[0].port for name in ("m1", "r1")]
        assert ports == [4000, 20002]
        made[winner].leg.accept(ANSWER, made.now)
        made.run(1)
        assert made["c1"].accepted(call)
        assert sdp(made.sent("c1", "200 INVITE")[0].message).media[0].port == (20000 if relayed else 5000)
        assert media.opened[0].closed is not relayed


def test_reinvites_are_carried_through_the_relay() -> None:
    """Hold and resume by either side, by INVITE and UPDATE: our ports, one o= a leg, versions that rise."""
    made, media, call = connected()
    held = body("10.0.1.3", 4000, version=2, more="a=sendonly")
    assert call.request("INVITE", held, "hold", made.now)
    made.run(1)
    call.acknowledge(None, made.now)
    made.run(0)
    moved = body("10.0.0.1", 5500, version=2)
    assert made["m1"].leg.request("UPDATE", moved, "moved", made.now)
    made.run(1)
    assert [(r.context, r.status) for r in made.replies("c3")] == [("hold", 200)]
    assert [(r.context, r.status) for r in made.replies("m1")] == [("moved", 200)]
    to_member = [sdp(p.message) for p in made.wire if p.target == made["m1"].address and p.message.body]
    to_caller = [sdp(p.message) for p in made.wire if p.target == made["c3"].address and p.message.body]
    assert {session.media[0].port for session in to_member} == {20002}
    assert {session.media[0].port for session in to_caller} == {20000}
    for told in (to_member, to_caller):
        assert len({session.origin.session for session in told}) == 1
        versions = [session.origin.version for session in told]
        assert versions == sorted(versions)
    assert [s.origin.version for s in to_member] == [1, 2, 3]
    paths = media.opened[0].paths
    assert paths[0, MEMBER] == Path("10.0.0.1", 5500, 5501) and paths[0, CALLER] == Path("10.0.1.3", 4000, 4001)


def test_a_reinvite_that_cannot_be_read_is_refused_and_the_talk_goes_on() -> None:
    """Garbage goes no further."""
    made, media, call = connected()
    before = dict(media.opened[0].paths)
    assert call.request("INVITE", Body("application/sdp", b"v=0\r\nrubbish\r\n"), "x", made.now)
    made.run(1)
    assert [r.status for r in made.replies("c3")] == [400]
    assert made.to("m1").count("INVITE") == 1
    assert media.opened[0].paths == before and made.exchange.calls()[0].state == "connected"


def test_a_late_offer() -> None:
    """The caller's INVITE has no offer: the member's comes with the 200, the caller's answer with the ACK."""
    made, media = lab()
    call = made["c3"].call("600", None)
    made.run(0.1)
    assert not made["m1"].invites[0].body
    (ok,) = made.sent("c3", "200 INVITE")
    assert sdp(ok.message).media[0].port == 20000
    call.acknowledge(OFFER, made.now)
    made.run(1)
    (ack,) = made.sent("m1", "ACK")
    assert sdp(ack.message).media[0].port == 20002
    assert media.opened[0].paths[0, CALLER] == Path("10.0.1.3", 4000, 4001)


def test_an_answer_that_cannot_be_carried_ends_the_call() -> None:
    """The member is hung up, the caller refused; nobody is left half connected."""
    made, media = lab()
    made["m1"].on_invite = lambda phone, leg: leg.accept(body("10.0.0.1", 5000, "18"), phone.lab.now)
    made["c3"].call("600", OFFER)
    made.run(1)
    assert [e.status for e in made["c3"].heard(Rejected) if isinstance(e, Rejected)] == [488]
    assert made.sent("m1", "ACK") and made.sent("m1", "BYE")
    assert not made.exchange.calls() and media.pairs == 100
    assert made.exchange.line("m1").state.value == "idle"


def test_an_offer_that_cannot_be_read_is_refused_where_the_relay_must_read_it() -> None:
    """With the status that is due; a direct call carries whatever it is."""
    rubbish = Body("application/sdp", b"v=0\r\nrubbish\r\n")
    made, media = lab()
    made["c3"].call("600", rubbish)
    made.run(1)
    assert [e.status for e in made["c3"].heard(Rejected) if isinstance(e, Rejected)] == [400]
    assert media.pairs == 100 and not made["m1"].invites
    made["c1"].call("600", rubbish)
    made.run(1)
    assert made["m1"].invites[0].body == rubbish.data


@pytest.mark.parametrize("pairs", [0, 1])
def test_ports_run_out(pairs: int) -> None:
    """503 with Retry-After before anybody rings, and it is said; a direct call is none the worse."""
    made, media = lab(pairs=pairs)
    made["c3"].call("600", OFFER)
    made.run(1)
    (refused,) = made.sent("c3", "503 INVITE")
    assert refused.message.get("Retry-After") == "10" and not made.sent("c3", "180 INVITE")
    assert not made.exchange.ua.legs and not made.exchange.calls()
    assert [e.status for e in made["c3"].heard(Rejected) if isinstance(e, Rejected)] == [503]
    assert not made["m1"].invites and media.pairs == pairs
    assert any(isinstance(event, Notice) and "sip.rtp_ports" in event.text for event in made.events)
    story = made.exchange.story(None)
    assert story is not None and story.result == "refused: no ports are left for media"
    assert made["c1"].accepted(made["c1"].call("600", OFFER))


def test_ports_that_have_run_out_are_told_once_a_minute() -> None:
    """However many callers find none: a flood of them is no flood of lines."""
    made, _ = lab(pairs=0)
    for _ in range(20):
        made["c3"].call("600", OFFER)
        made.run(4)
    assert len(made["c3"].heard(Rejected)) == 20
    assert sum(isinstance(event, Notice) and "sip.rtp_ports" in event.text for event in made.events) == 2


def test_ports_run_out_for_one_member() -> None:
    """Only the phone that needs the relay is not rung; where nobody else is there, the caller hears 503."""
    media = ToldMedia(0)
    line = Line("r1", "401", contact="sip:r1@10.0.2.1:5060", media=MediaWay.RELAY)
    made = Lab(members=0, media=media, more_lines=(line,))
    made["c1"].call("401", OFFER)
    made.run(10)
    assert [e.status for e in made["c1"].heard(Rejected) if isinstance(e, Rejected)] == [503]
    assert not made["r1"].invites


def test_a_phone_that_cannot_serve_is_not_the_bridge() -> None:
    """A phone says 503 to a call for its line: its caller, perhaps a PBX, hears 480, which is about the line alone."""
    made, _ = lab()
    made["m1"].on_invite = lambda phone, leg: leg.reject(503, phone.lab.now)
    made["c1"].call("201", OFFER)
    made.run(1)
    assert made.sent("c1", "480 INVITE") and not made.sent("c1", "503 INVITE")


def test_both_legs_on_one_trunk_are_relayed() -> None:
    """A caller from the PBX to an extension of the PBX: it would not connect the two itself."""
    trunk = TrunkSettings("pbx", "10.0.9.9", register=False, number="600")
    media = ToldMedia()
    made = Lab(
        members=0,
        media=media,
        settings=ExchangeSettings(trunks=(trunk,)),
        more_lines=(Line("x1", "501", trunk="pbx"),),
    )
    pbx = made.add("pbx", ("10.0.9.9", 5060))
    made.exchange.start(made.now)
    pbx.on_invite = answers
    pbx.call("501", body("10.0.9.9", 4000), from_="<sip:0301234@10.0.9.9>")
    made.run(1)
    assert sdp(pbx.invites[0]).media[0].port == 20002


def test_an_end_in_order_ends_what_went_through_the_bridge_and_keeps_the_rest() -> None:
    """At the end both sides of a relayed talk get BYE; a direct one goes on, and is kept."""
    made, media, _ = connected(more_lines=(Line("x1", "501", contact="sip:x1@10.0.0.2:5060"),))
    made["x1"].on_invite = picks_up
    assert len(made.exchange.dump("talks", made.now)) == 1
    direct = made["c1"].call("501", OFFER)
    made.run(0.1)
    assert made["c1"].accepted(direct)
    made.exchange.stop(made.now)
    made.run(1)
    assert len(made.exchange.dump("talks", made.now)) == 1
    assert made.sent("c3", "BYE") and not made.sent("c1", "BYE")
    assert media.pairs == 100 and len(made.exchange.calls()) == 1


def test_a_blind_transfer_goes_through_the_relay() -> None:
    """The new talk has ports of its own; those of the old come back."""
    made, media, _ = connected(more_lines=(Line("x1", "501", contact="sip:x1@10.0.0.2:5060"),))
    made["x1"].on_invite = lambda phone, leg: leg.accept(body("10.0.0.2", 6000), phone.lab.now)
    refer(made, "m1", made["m1"].leg, "<sip:501@10.0.0.100>")
    made.run(5)
    assert [relay.closed for relay in media.opened] == [True, False]
    (invite,) = made.sent("c3", "INVITE")
    assert sdp(invite.message).host == "10.0.0.100"
    before, after = (sdp(p.message).origin for p in (made.sent("c3", "200 INVITE")[0], invite))
    assert after.session == before.session and after.version == before.version + 1
    ports = {key: path and path.port for key, path in media.opened[1].paths.items()}
    assert ports == {(0, CALLER): 4000, (0, MEMBER): 6000}
    assert [talk["answered_by"] for talk in made.exchange.dump("talks", made.now)] == ["x1"]


def test_an_attended_transfer_goes_through_the_relay() -> None:
    """The two others are joined by a relay of their own, and by no other."""
    made, media, _ = connected()
    made["c2"].on_invite = lambda phone, leg: leg.accept(body("10.0.1.2", 6000), phone.lab.now)
    made["c2"].on_request = says(body("10.0.1.2", 6000))
    onward = made["m1"].call("302", ANSWER)
    made.run(1)
    assert made["m1"].accepted(onward)
    dialog = onward.dialog
    assert dialog is not None
    replaces = f"{dialog.call_id}%3Bto-tag%3D{dialog.remote_tag}%3Bfrom-tag%3D{dialog.local_tag}"
    refer(made, "m1", made["m1"].leg, f"<sip:302@10.0.0.100?Replaces={replaces}>")
    made.run(5)
    assert [relay.closed for relay in media.opened] == [True, False]
    ports = {path.port for path in media.opened[1].paths.values() if path}
    assert ports == {4000, 6000}
    assert len(made.exchange.calls()) == 1 and len(made.exchange.dump("talks", made.now)) == 1
    told = [sdp(p.message).origin for p in made.wire if p.target == made["c3"].address and p.message.body]
    assert len({origin.session for origin in told[:2]}) == 1 and told[0].version < told[1].version


@pytest.mark.parametrize(("wrote", "relayed"), [("192.168.7.7", True), ("10.0.3.1", False)])
def test_a_phone_that_registered_from_behind_nat_is_relayed(wrote: str, relayed: bool) -> None:
    """Its Contact names another address than it signals from: its packets come from there too, and go back there."""
    media = ToldMedia()
    made = Lab(
        members=0,
        media=media,
        settings=ExchangeSettings(passwords={"n1": "secret"}),
        more_lines=(Line("n1", "501", registers=True),),
    )
    phone = made.add("n1", ("10.0.3.1", 5060))
    phone.on_invite = lambda phone, leg: leg.accept(body(wrote, 5000), phone.lab.now)
    binding = Binding(f"sip:501@{wrote}:5060", Flow("udp", "10.0.3.1", 5060), made.now + 60, "x", 1, "", None, 0.0)
    wall = made.exchange.wall()
    made.exchange.registrar.load([plain("n1", binding, made.now, wall)], made.now, wall)
    made.exchange.lines.refresh("n1")
    call = made["c1"].call("501", body("10.0.1.1", 4000))
    made.run(0.1)
    assert made["c1"].accepted(call)
    assert sdp(phone.invites[0]).media[0].port == (20002 if relayed else 4000)
    expected = [Path("10.0.3.1", 5000, 5001, follows=True)] if relayed else []
    assert [relay.paths[0, MEMBER] for relay in media.opened] == expected


def test_a_caller_behind_nat_is_relayed_whoever_answers() -> None:
    """A registered phone whose offer names another address; without ports it is refused before anybody rings."""
    for pairs, statuses in ((100, []), (1, [503])):
        media = ToldMedia(pairs)
        made = Lab(
            members=1,
            media=media,
            settings=ExchangeSettings(passwords={"c3": "secret"}),
            more_lines=(Line("c3", "303", contact="sip:c3@10.0.1.3:5060", registers=True),),
        )
        made["m1"].on_invite = picks_up
        call = made["c3"].call("600", body("192.168.7.7", 4000))
        made.run(0.1)
        assert [e.status for e in made["c3"].heard(Rejected) if isinstance(e, Rejected)] == statuses
        if not statuses:
            assert made["c3"].accepted(call)
            assert media.opened[0].paths[0, CALLER] == Path("10.0.1.3", 4000, 4001, follows=True)
