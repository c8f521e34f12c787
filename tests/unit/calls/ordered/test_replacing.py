"""INVITE with Replaces (RFC 3891): a phone takes a ringing call, or the place of another phone in a talk."""

from __future__ import annotations

import dataclasses

from bridge.directory.model import Directory, Level, MediaWay, User
from bridge.sip.leg import Leg
from bridge.sip.message import Body
from bridge.sip.outgoing import OutgoingLeg
from tests.support.lab import ANSWER, BRIDGE, OFFER, Lab, answers
from tests.support.ways import ToldMedia

WHO = {"anna": "m1", "ben": "m2", "cara": "c2"}


def lab(level: Level = Level.PUBLIC, additional: tuple[str, ...] = (), media: ToldMedia | None = None) -> Lab:
    """Return a laboratory where lines are users', the site has one level, and cara has additional lines."""
    made = Lab(members=2, media=media)
    users = {
        name: User(name, name.title(), line, additional_lines=additional if name == "cara" else ())
        for name, line in WHO.items()
    }
    made.directory = Directory(made.directory.lines, users, made.directory.groups, site_level=level)
    made.exchange.configure(made.directory, made.settings, made.now)
    return made


def replace(
    made: Lab, phone: str, leg: Leg, more: str = "", theirs: str | None = None, body: Body | None = OFFER
) -> OutgoingLeg:
    """Let a phone call in the place of a phone's leg; the tags are those that the bridge sees."""
    remote, local = leg.local_tag, leg.dialog.remote_tag if leg.dialog else getattr(leg, "remote_tag", "")
    value = f"{leg.call_id};to-tag={local};from-tag={theirs or remote}{more}"
    own = made[phone].ua.call(BRIDGE, phone, pinned=False)
    to = "<sip:anything@10.0.0.100>"
    own.invite("sip:anything@10.0.0.100", f"<sip:{phone}@10.0.0.9>", to, body, {"Replaces": value}, made.now)
    made.run(1)
    return own


def said(made: Lab, phone: str) -> list[str]:
    """Return the final responses to a phone's INVITEs."""
    return [name.split()[0] for name in made.to(phone) if name.endswith(" INVITE") and name[0] in "23456"]


def talking(made: Lab) -> Leg:
    """Let c1 talk to m1."""
    made["m1"].on_invite = answers
    call = made["c1"].call("201")
    assert made["c1"].accepted(call)
    made.run(1)
    return call


# -- ringing ----------------------------------------------------------------------------------------------------------


def test_a_ringing_call_is_picked_up() -> None:
    """With the level over the line's user: the phone that rang is told that it was answered elsewhere."""
    made = lab(Level.TEAM)
    made["c1"].call("201")
    made.run(1)
    leg = replace(made, "c2", made["m1"].leg, ";early-only")
    assert made["c2"].accepted(leg)
    made.run(1)
    assert made.exchange.calls()[0].answered_by == "cara"
    assert "Call completed elsewhere" in made.sent("m1", "CANCEL")[0].message.headers["Reason"][0]


def test_the_dialog_is_named_as_the_lines_phone_would() -> None:
    """As keys with lamps do, who know it from the state of the line: the tags the other way round."""
    made = lab(Level.TEAM)
    made["c1"].call("201")
    made.run(1)
    rings = made["m1"].leg
    value = f"{rings.call_id};to-tag={rings.local_tag};from-tag={rings.remote_tag};early-only"
    own = made["c2"].ua.call(BRIDGE, "c2", pinned=False)
    own.invite("sip:201@10.0.0.100", "<sip:c2@10.0.0.9>", "<sip:201@10.0.0.100>", OFFER, {"Replaces": value}, made.now)
    made.run(1)
    assert made["c2"].accepted(own)
    made.run(1)
    assert made.exchange.calls()[0].answered_by == "cara"


def test_without_the_level_there_is_no_such_call() -> None:
    """481, and it rings on."""
    made = lab(Level.BUSINESS)
    made["c1"].call("201")
    made.run(1)
    replace(made, "c2", made["m1"].leg)
    assert said(made, "c2") == ["481"] and not made.sent("m1", "CANCEL")


def test_tags_that_are_wrong_name_no_call() -> None:
    """All three have to be right: Call-ID alone opens nothing."""
    made = lab(Level.PERSONAL)
    made["c1"].call("201")
    made.run(1)
    replace(made, "c2", made["m1"].leg, theirs="guessed")
    assert said(made, "c2") == ["481"]


# -- talking ----------------------------------------------------------------------------------------------------------


def test_a_phone_takes_over_a_talk_of_a_line_that_its_user_controls() -> None:
    """Who stays gets the phone's offer, the phone that leaves a BYE; both hang up as ever afterwards."""
    made = lab(additional=("m1",))
    talking(made)
    leg = replace(made, "c2", made["m1"].leg)
    assert made["c2"].accepted(leg)
    made.run(1)
    assert made.sent("c1", "INVITE")[-1].message.body == OFFER.data and made.sent("m1", "BYE")
    (call,) = made.exchange.calls()
    assert (call.state, call.answered_by) == ("connected", "cara")
    states = {name: made.exchange.line(name).state.value for name in ("m1", "c1", "c2")}
    assert states == {"m1": "idle", "c1": "busy", "c2": "busy"}
    leg.hang_up(None, made.now)
    made.run(40)
    assert made.sent("c1", "BYE") and not made.exchange.ua.legs and not made.exchange.calls()


def test_a_callers_own_second_phone_takes_over() -> None:
    """The caller's side is replaced as well as the member's."""
    made = lab(additional=("c1",))
    call = talking(made)
    leg = replace(made, "c2", call)
    assert made["c2"].accepted(leg)
    made.run(1)
    assert made.sent("m1", "INVITE")[-1].message.body == OFFER.data and made.sent("c1", "BYE")
    made["m1"].leg.hang_up(None, made.now)
    made.run(40)
    assert made.sent("c2", "BYE") and not made.exchange.ua.legs


def test_an_invite_without_an_offer() -> None:
    """Who stays makes it; the phone's ACK brings the answer."""
    made = lab(additional=("m1",))
    talking(made)
    made["c1"].on_request = lambda phone, event: event.leg.respond(
        event.transaction, event.request, 200, OFFER, phone.lab.now
    )
    leg = replace(made, "c2", made["m1"].leg, body=None)
    assert made.sent("c2", "200 INVITE")[-1].message.body == OFFER.data
    leg.acknowledge(ANSWER, made.now)
    made.run(1)
    assert made.sent("c1", "ACK")[-1].message.body == ANSWER.data


def test_a_talk_of_others_is_not_taken() -> None:
    """Not by level, however high; who is only in a call of the same number neither."""
    made = lab(Level.PERSONAL)
    talking(made)
    replace(made, "c2", made["m1"].leg)
    assert said(made, "c2") == ["481"] and not made.sent("m1", "BYE")


def test_early_only_takes_no_talk() -> None:
    """486: it was answered already."""
    made = lab(additional=("m1",))
    talking(made)
    replace(made, "c2", made["m1"].leg, ";early-only")
    assert said(made, "c2") == ["486"] and not made.sent("m1", "BYE")


def test_who_stays_refuses() -> None:
    """Nothing is changed; the phone hears what was said."""
    made = lab(additional=("m1",))
    talking(made)
    made["c1"].on_request = lambda phone, event: event.leg.respond(
        event.transaction, event.request, 488, None, phone.lab.now
    )
    replace(made, "c2", made["m1"].leg)
    assert said(made, "c2") == ["488"] and made.exchange.calls()[0].answered_by == "m1"


def test_who_stays_hangs_up_meanwhile() -> None:
    """The phone hears 481."""
    made = lab(additional=("m1",))
    call = talking(made)
    made["c1"].on_request = lambda phone, event: None
    replace(made, "c2", made["m1"].leg)
    call.hang_up(None, made.now)
    made.run(40)
    assert said(made, "c2") == ["481"] and not made.exchange.calls() and not made.exchange.ua.legs


def test_who_stays_is_just_being_asked() -> None:
    """A second phone wants the place meanwhile: 491, and the ports that were opened for it are given back."""
    media = ToldMedia()
    made = lab(additional=("m1",), media=media)
    lines = {name: dataclasses.replace(line, media=MediaWay.RELAY) for name, line in made.directory.lines.items()}
    made.directory = dataclasses.replace(made.directory, lines=lines)
    made.exchange.configure(made.directory, made.settings, made.now)
    talking(made)
    made["c1"].on_request = lambda phone, event: None
    replace(made, "c2", made["m1"].leg)
    opened = sum(not relay.closed for relay in media.opened)
    replace(made, "c2", made["m1"].leg)
    assert said(made, "c2") == ["491"]
    assert sum(not relay.closed for relay in media.opened) == opened


def test_the_phone_gives_up_meanwhile() -> None:
    """It cancels while who stays is being asked: the two that talked talk on."""
    made = lab(additional=("m1",))
    call = talking(made)
    asked = []
    made["c1"].on_request = lambda phone, event: asked.append(event)
    leg = replace(made, "c2", made["m1"].leg)
    leg.cancel(None, made.now)
    made.run(0.1)
    call.respond(asked[0].transaction, asked[0].request, 200, ANSWER, made.now)
    made["c1"].on_request = made["m2"].on_request
    made.run(1)
    assert made.sent("m1", "INVITE")[-1].message.body == b"", "it is asked for an offer, to be carried to who stayed"
    assert len(made.exchange.calls()) == 1 and not made.sent("m1", "BYE")


def test_what_cannot_be_read_is_refused() -> None:
    """400 for no dialog, and for two of them."""
    made = lab()
    own = made["c2"].ua.call(BRIDGE, "c2", pinned=False)
    own.invite("sip:201@10.0.0.100", "<sip:c2@10.0.0.9>", "<sip:201@10.0.0.100>", OFFER, {"Replaces": "x"}, made.now)
    made.run(1)
    assert said(made, "c2") == ["400"]
