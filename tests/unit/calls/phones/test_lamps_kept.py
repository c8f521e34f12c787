"""Lamps over restarts, reloads and lost connections."""

from __future__ import annotations

import random
from dataclasses import replace

from bridge.calls.model import ExchangeSettings
from bridge.directory.logins import Login, LoginChange
from bridge.directory.model import Group, Level, Line, Member
from bridge.sip.digest import Authenticator, Credentials
from bridge.sip.flow import Flow
from bridge.sip.message import Request, Response, response_to
from bridge.sip.reading import parse_message
from tests.support.dialogschema import check_dialog_info
from tests.support.lab import answers
from tests.support.lamps import configure, login, office
from tests.support.watchers import Key

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
