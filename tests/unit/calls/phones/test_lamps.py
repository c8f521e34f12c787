"""Lamps of phones: what they may watch, what they are told, when a subscription begins and ends (RFC 6665, 4235)."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from bridge.calls.model import ExchangeSettings
from bridge.calls.phones.lamps import MOST_OF_A_LINE
from bridge.calls.status import LineState
from bridge.directory.codes import Codes
from bridge.directory.logins import Login, LoginChange
from bridge.directory.model import Directory, Group, Level, Line, Member, Strategy, User
from bridge.events import Notice
from bridge.sip.digest import Authenticator, Credentials
from bridge.sip.flow import Flow
from bridge.sip.message import Body, Request, Response, response_to
from bridge.sip.reading import parse_message
from tests.support.dialogschema import check_dialog_info
from tests.support.lab import BRIDGE, OFFER, Lab, answers, refuses
from tests.support.phonelab import OFFER as PHONES_OFFER
from tests.support.phonelab import PhoneLab
from tests.support.watchers import Key

CODES = Codes(login="*41", logout="*42", toggle="*43", pickup="*8", menu="*40", night="*44")
SPACE = "{urn:ietf:params:xml:ns:dialog-info}"


def office(**changes: object) -> Lab:
    """A laboratory in which m1 is Anna's and m2 is Ben's; m3, c1 and c2 are devices. There are codes."""
    lab = Lab()
    users = {"anna": User("anna", "Anna", "m1"), "ben": User("ben", "Ben", "m2")}
    members = (Member("anna", "m1"), Member("ben", "m2"), Member("m3", "m3", device=True))
    group = replace(lab.directory.groups["g"], members=members, **changes)  # type: ignore[arg-type]
    configure(lab, replace(lab.directory, users=users, groups={"g": group}, codes=CODES))
    return lab


def configure(lab: Lab, directory: Directory) -> None:
    """Let the laboratory go by another directory."""
    lab.directory = directory
    lab.exchange.configure(directory, lab.settings, lab.now)
    lab.run(0)


def login(lab: Lab, member: str, after: Login) -> None:
    """Let a login be confirmed."""
    lab.logins.apply([LoginChange("g", member, lab.logins.get("g", member), after)])
    lab.exchange.login_changed("g", member, lab.now)
    lab.run(0)


def dialogs(key: Key) -> list[tuple[str | None, str | None]]:
    """Return state and direction of what the last document tells."""
    found = key.documents[-1].findall(f"{SPACE}dialog")
    return [(dialog.findtext(f"{SPACE}state"), dialog.get("direction")) for dialog in found]


def remotes(key: Key) -> list[tuple[str, str | None]]:
    """Return the URIs and names of the other ends in the last document."""
    found = key.documents[-1].findall(f"{SPACE}dialog/{SPACE}remote/{SPACE}identity")
    return [(identity.text, identity.get("display")) for identity in found]


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


# -- who may ---------------------------------------------------------------------------------------------------------


def test_what_there_is_not() -> None:
    """404 for numbers and codes that mean nothing here, 403 for a group of others."""
    lab = office()
    for number, status in (("999", 404), ("*43999", 404), ("*41600", 404), ("*40", 404), ("*44", 404)):
        assert Key(lab, "m1", number).statuses == [status], number
    assert Key(lab, "c1", "*43600").statuses == [403]
    said = [event.text for event in lab.events if isinstance(event, Notice)]
    assert said[0].startswith("udp:10.0.0.1:5060: line m1 cannot watch '999': that is no number of a line or group")
    assert len(said) == 2, "once for each address and minute"


def test_devices_see_no_users() -> None:
    """No level applies through a device: its phone may watch neither a user's line nor who is in; groups it may."""
    lab = office()
    assert Key(lab, "c1", "201").statuses == [403]
    assert Key(lab, "c1", "600").statuses == [200]
    assert Key(lab, "m3", "*43600").statuses == [200]


def test_a_site_that_shows_nothing() -> None:
    """With the site's level none, a group is for its own people."""
    lab = office(member_level=Level.NONE)
    configure(lab, replace(lab.directory, site_level=Level.NONE))
    assert Key(lab, "m1", "600").statuses == [200]
    assert Key(lab, "c1", "600").statuses == [403]
    assert Key(lab, "m1", "202").statuses == [403]


def test_strangers_are_challenged() -> None:
    """Who is no phone of ours has to prove a line, whatever the number."""
    lab = office()
    lab.add("x", ("192.0.2.66", 5060))
    for number in ("202", "999"):
        assert Key(lab, "x", number).statuses == [401]
    assert not len(lab.exchange.lamps)


# -- what is shown ---------------------------------------------------------------------------------------------------


def test_a_login_is_lit() -> None:
    """The toggle code's lamp is the subscriber's own login: lit when in, blinking when paused, dark when out."""
    lab = office()
    mine, bens = Key(lab, "m1", "*43600"), Key(lab, "m2", "*43")
    assert (mine.state, bens.state) == ("idle", "idle")
    login(lab, "anna", Login(True))
    assert dialogs(mine) == [("confirmed", "initiator")]
    login(lab, "anna", Login(True, paused=True))
    assert dialogs(mine) == [("early", "initiator")]
    assert bens.state == "idle" and len(bens.documents) == 1
    login(lab, "ben", Login(True))
    assert bens.state == "busy"


def test_a_line_rings_and_talks() -> None:
    """Early while its phone rings, confirmed while it talks, nothing afterwards; the caller is lit from the start."""
    lab = office(member_level=Level.TEAM)
    key, caller, callee = Key(lab, "m2", "201"), Key(lab, "c1", "301"), Key(lab, "m1", "201")
    leg = lab["c1"].call("201")
    lab.run(1)
    assert dialogs(key) == [("early", "recipient")] == dialogs(callee)
    assert dialogs(caller) == [("confirmed", "initiator")]
    assert remotes(key) == [("sip:301@10.0.0.100", None)]
    assert remotes(caller) == [("sip:201@10.0.0.100", None)]
    lab["m1"].leg.accept(Body("application/sdp", b"v=0\r\n"), lab.now)
    lab.run(1)
    assert lab["c1"].accepted(leg) and dialogs(key) == [("confirmed", "recipient")]
    leg.hang_up(None, lab.now)
    lab.run(1)
    assert dialogs(key) == [] == dialogs(caller)


def test_who_calls_is_for_whom_it_may_be() -> None:
    """At level public a line's state is shown and no number; business shows it; nobody is shown an anonymous one."""
    for level, shown in ((Level.PUBLIC, []), (Level.BUSINESS, [("sip:301@10.0.0.100", None)])):
        lab = office(member_level=level)
        key = Key(lab, "m2", "201")
        lab["c1"].call("201")
        lab.run(1)
        assert key.state == "ringing" and remotes(key) == shown
    lab = office(member_level=Level.PERSONAL)
    key = Key(lab, "m2", "201")
    lab["c1"].call("201", from_="<sip:anonymous@anonymous.invalid>")
    lab.run(1)
    assert key.state == "ringing" and remotes(key) == []


def test_a_private_line_shows_no_numbers() -> None:
    """Whatever the level; to its own phone it does."""
    lab = office(member_level=Level.PERSONAL)
    lines = {**lab.directory.lines, "m1": replace(lab.directory.lines["m1"], private=True)}
    configure(lab, replace(lab.directory, lines=lines))
    key, own = Key(lab, "m2", "201"), Key(lab, "m1", "201")
    lab["c1"].call("201")
    lab.run(1)
    assert key.state == "ringing" and remotes(key) == [] and remotes(own)


def test_a_private_caller() -> None:
    """What a private line calls shows its number to nobody else, whatever they may see of who is called."""
    lab = office(member_level=Level.PERSONAL)
    lines = {**lab.directory.lines, "c1": replace(lab.directory.lines["c1"], private=True)}
    configure(lab, replace(lab.directory, lines=lines))
    key = Key(lab, "m2", "201")
    lab["c1"].call("201")
    lab.run(1)
    assert key.state == "ringing" and remotes(key) == []


def named(key: Key) -> list[tuple[str | None, ...]]:
    """Return how the dialogs of the last document are named: Call-ID, the phone's tag, the peer's."""
    found = key.documents[-1].findall(f"{SPACE}dialog")
    return [tuple(dialog.get(name) for name in ("call-id", "local-tag", "remote-tag")) for dialog in found]


def test_a_lamp_says_how_to_pick_up() -> None:
    """With the level for it a document names the dialog, and an INVITE with Replaces made of that takes the call."""
    for level, names in ((Level.BUSINESS, False), (Level.TEAM, True)):
        lab = office(member_level=level)
        key = Key(lab, "m2", "201")
        lab["c1"].call("201", OFFER)
        lab.run(1)
        (call_id, phones, ours) = named(key)[0]
        assert (call_id is not None) is names
    picker = lab["m2"]
    leg = picker.ua.call(BRIDGE, picker.name, pinned=False)
    replaces = {"Replaces": f"{call_id};to-tag={ours};from-tag={phones};early-only"}
    leg.invite("sip:201@10.0.0.100", "<sip:202@10.0.0.2>", "<sip:201@10.0.0.100>", OFFER, replaces, lab.now)
    lab.run(1)
    assert picker.accepted(leg)
    lab.run(1)
    assert lab.exchange.calls()[0].answered_by == "ben" and lab.sent("m1", "CANCEL")


def test_callers_of_a_group() -> None:
    """The group's number, or the pickup code and it, blinks while a caller rings or waits."""
    lab = office()
    login(lab, "anna", Login(True))
    keys = [Key(lab, "m2", number) for number in ("600", "*8600")]
    call = lab["c1"].call("600")
    lab.run(1)
    assert [dialogs(key) for key in keys] == [[("early", "recipient")]] * 2
    assert [remotes(key) for key in keys] == [[], []]
    call.hang_up(None, lab.now)
    lab.run(1)
    assert [key.state for key in keys] == ["idle", "idle"]


def test_a_line_behind_a_trunk() -> None:
    """What its PBX tells of it is shown: busy and ringing, without a number."""
    lab = PhoneLab()
    lab.configure(lines={**lab.directory.lines, "far": Line("far", "611", trunk="pbx")})
    key = Key(lab, "m1", "611")
    shown = []
    for state in (LineState.RINGING, LineState.BUSY, LineState.IDLE, None):
        lab.exchange.lines.know("far", state)
        lab.exchange.tick(lab.now)
        lab.run(0)
        shown.append(dialogs(key))
    assert shown == [[("early", None)], [("confirmed", None)], [], []] and remotes(key) == []


def test_a_caller_waits() -> None:
    """In a queue it blinks as long as somebody waits, though no phone rings."""
    lab = PhoneLab(changes={"strategy": Strategy.QUEUE})
    lab.login("anna")
    lab["m1"].call("302")
    lab.run(1)
    key = Key(lab, "m2", "600")
    caller = lab["c1"].call("600", PHONES_OFFER)
    lab.run(1)
    assert lab["c1"].accepted(caller) and not lab.exchange.ringing("g") and key.state == "ringing"
    caller.hang_up(None, lab.now)
    lab.run(1)
    assert key.state == "idle"


def test_the_night_switch() -> None:
    """Lit while the group is closed."""
    lab = office()
    closed = False
    lab.exchange.board.is_open = lambda group: not closed
    key = Key(lab, "m1", "*44600")
    assert key.state == "idle"
    closed = True
    lab.exchange.opening_changed("g", lab.now)
    lab.run(0)
    assert dialogs(key) == [("confirmed", None)]


def test_a_busy_line_that_refuses() -> None:
    """A phone that declines has rung no longer."""
    lab = office()
    key = Key(lab, "m1", "201")
    lab["m1"].on_invite = refuses(486)
    lab["c1"].call("201")
    lab.run(1)
    assert key.state == "idle"


# -- restart and reload ----------------------------------------------------------------------------------------------


def test_lamps_survive_a_restart() -> None:
    """Phones are told the state anew, in the dialog that they know, with a higher version; a refresh is taken."""
    lab = office()
    key = Key(lab, "m1", "*43600")
    login(lab, "anna", Login(True))
    lab.logins.apply([LoginChange("g", "anna", Login(True), Login(False))])
    lab.restart()
    lab.exchange.start(lab.now)
    lab.run(1)
    assert key.state == "idle" and int(key.documents[-1].get("version")) > 1
    key.refresh()
    assert key.statuses == [200, 200]
    login(lab, "anna", Login(True))
    assert key.state == "busy"


def test_a_refresh_writes_one_lamp_and_not_all() -> None:
    """What is to be stored of the others is the same object as before, which the store does not write again."""
    lab = office()
    keys = [Key(lab, "m1", "202"), Key(lab, "m2", "201")]
    before = lab.exchange.dump("lamps", lab.now)
    lab.run(5)
    keys[0].refresh()
    after = lab.exchange.dump("lamps", lab.now)
    assert len(after) == 2 and after[1] is before[1]
    assert after[0]["expires"] == before[0]["expires"] + 5


def connection(port: int) -> Flow:
    """Return a connection of the phone of line 209."""
    return Flow("tcp", "192.0.2.9", port)


class Connected:
    """A phone behind NAT that is registered, and watches its login, over a connection; what it is told is in `told`."""

    def __init__(self) -> None:
        self.lab = office()
        self.lab.settings = ExchangeSettings(passwords={"far": "secret"})
        lines = {**self.lab.directory.lines, "far": Line("far", "209", registers=True)}
        far = Group("f", "Far", "609", (Member("far", "far", device=True),))
        configure(self.lab, replace(self.lab.directory, lines=lines, groups={**self.lab.directory.groups, "f": far}))
        self.lab.exchange.start(self.lab.now)
        self.prove = Authenticator(Credentials("209", "secret"), random.Random(6))
        self.sent = 0

    def ask(self, method: str, user: str, port: int, **headers: str) -> list[Request | Response]:
        """Send a request, with proof as soon as it is asked for; return all that came."""
        self.sent += 1
        to = f"<sip:{user}@10.0.0.100>"
        values = {
            "Via": [f"SIP/2.0/TCP 10.9.9.9;branch=z9hG4bK{self.sent}"],
            "From": [f"<sip:209@10.0.0.100>;tag={method}"],
            "To": [to],
            "Call-ID": [method],
            "CSeq": [f"{self.sent} {method}"],
            "Contact": ["<sip:209@10.9.9.9:5060;transport=tcp>"],
        }
        request = Request(method, f"sip:{user}@10.0.0.100", {**values, **{k: [v] for k, v in headers.items()}})
        self.prove.authorize(request)
        self.lab.exchange.receive(bytes(request), connection(port), self.lab.now)
        came = self.came(port)
        challenges = [m for m in came if isinstance(m, Response) and m.code == 401]
        if challenges and self.prove.answer(challenges[0], method, request.uri) is not None:
            return self.ask(method, user, port, **headers)
        return came

    def came(self, port: int) -> list[Request | Response]:
        """Return what was sent on a connection; NOTIFYs are answered."""
        found = [parse_message(data) for flow, data in self.lab.exchange.outbox if flow[:3] == connection(port)[:3]]
        self.lab.exchange.outbox.clear()
        for message in found:
            if isinstance(message, Request) and message.method == "NOTIFY":
                check_dialog_info(message.body)
                self.lab.exchange.receive(bytes(response_to(message, 200)), connection(port), self.lab.now)
        return found

    def notified(self, port: int) -> list[bool]:
        """Return for each NOTIFY on a connection whether the lamp is lit by it."""
        return [b"confirmed" in m.body for m in self.came(port) if isinstance(m, Request) and m.method == "NOTIFY"]

    def login(self, inside: bool) -> None:
        """Let the device's login be confirmed."""
        self.lab.logins.apply([LoginChange("f", "far", self.lab.logins.get("f", "far"), Login(inside))])
        self.lab.exchange.login_changed("f", "far", self.lab.now)


def test_a_lost_connection_is_waited_for() -> None:
    """What changes meanwhile is told on the next connection that the phone registers by; not on any other."""
    phone = Connected()
    phone.ask("REGISTER", "209", 40001)
    assert phone.ask("SUBSCRIBE", "*43609", 40001, Event="dialog", Expires="300")
    phone.lab.exchange.flow_failed(connection(40001), "closed", phone.lab.now)
    phone.login(True)
    assert phone.notified(40001) == [] and len(phone.lab.exchange.lamps) == 1
    came = phone.ask("REGISTER", "209", 40002)
    assert any(isinstance(m, Request) and b"confirmed" in m.body for m in came)
    phone.login(False)
    assert phone.notified(40002) == [False]


def test_a_connection_that_is_found_lost_by_a_notify() -> None:
    """The NOTIFY that could not be sent does not end it."""
    phone = Connected()
    phone.ask("REGISTER", "209", 40001)
    phone.ask("SUBSCRIBE", "*43609", 40001, Event="dialog", Expires="300")
    phone.login(True)
    phone.lab.exchange.outbox.clear()
    phone.lab.exchange.flow_failed(connection(40001), "closed", phone.lab.now)
    assert len(phone.lab.exchange.lamps) == 1
    came = phone.ask("REGISTER", "209", 40002)
    assert any(isinstance(m, Request) and b"confirmed" in m.body for m in came)


def test_a_lost_connection_is_not_waited_for_for_ever() -> None:
    """It expires as any other."""
    phone = Connected()
    phone.ask("REGISTER", "209", 40001)
    phone.ask("SUBSCRIBE", "*43609", 40001, Event="dialog", Expires="300")
    phone.lab.exchange.flow_failed(connection(40001), "closed", phone.lab.now)
    phone.lab.run(301)
    assert not len(phone.lab.exchange.lamps)


def test_connections_after_a_restart() -> None:
    """No connection survives it; who registers again is told at once."""
    phone = Connected()
    phone.ask("REGISTER", "209", 40001)
    phone.ask("SUBSCRIBE", "*43609", 40001, Event="dialog", Expires="300")
    phone.lab.logins.apply([LoginChange("f", "far", Login(), Login(True))])
    phone.lab.restart()
    phone.lab.exchange.start(phone.lab.now)
    assert phone.notified(40001) == [] and len(phone.lab.exchange.lamps) == 1
    came = phone.ask("REGISTER", "209", 40003)
    assert any(isinstance(m, Request) and b"confirmed" in m.body for m in came)


def test_lamps_of_what_has_left_the_configuration_end() -> None:
    """A reload without the group ends its lamps and says so; a right that is gone does too; the others go on."""
    lab = office()
    mine, bens = Key(lab, "m1", "*43600"), Key(lab, "m1", "202")
    configure(lab, replace(lab.directory, groups={}, site_level=Level.NONE))
    assert mine.states[-1] == "terminated;reason=noresource" == bens.states[-1]
    assert not len(lab.exchange.lamps)


def test_a_registered_phone_behind_nat() -> None:
    """It is challenged, proves its line, and is told at the address that it signals from, whatever its Contact says."""
    lab = office()
    lab.settings = ExchangeSettings(passwords={"far": "secret"})
    lines = {**lab.directory.lines, "far": Line("far", "209", registers=True)}
    configure(lab, replace(lab.directory, lines=lines))
    lab.add("209", ("192.0.2.9", 40123))
    prove = Authenticator(Credentials("209", "secret"), random.Random(6))
    key = Key(lab, "209", "209", authenticator=prove, contact="<sip:209@10.9.9.9:5060>")
    assert key.statuses == [401, 200] and key.state == "idle"
    assert key.notifies[0].uri == "sip:209@10.9.9.9:5060"
    lab["209"].address = ("192.0.2.9", 40999)  # the NAT has forgotten it
    key.refresh()
    assert key.statuses == [401, 200, 200] and len(key.documents) == 2
    wrong = Authenticator(Credentials("209", "guess"), random.Random(6))
    assert Key(lab, "209", "209", authenticator=wrong).statuses == [401, 403]


def test_answering_at_once() -> None:
    """From dark to lit without blinking between is told as it is."""
    lab = office()
    lab["m1"].on_invite = answers
    key = Key(lab, "m2", "201")
    call = lab["c1"].call("201")
    lab.run(1)
    assert lab["c1"].accepted(call) and key.state == "busy"


def test_what_is_told_costs_no_write() -> None:
    """A disk in a Pi is not written for each call that rings: for subscriptions that begin, go on and end alone."""
    lab = office()
    key = Key(lab, "m1", "*43600")
    assert lab.exchange.kept.take() == {"lamps"}
    for inside in (True, False, True):
        login(lab, "anna", Login(inside))
    assert "lamps" not in lab.exchange.kept.take()
    key.refresh()
    assert lab.exchange.kept.take() == {"lamps"}
    key.stop()
    assert lab.exchange.kept.take() == {"lamps"}
