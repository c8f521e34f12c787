"""Trunks: where their servers are, whether we are registered there, how many calls they carry."""

from __future__ import annotations

import ipaddress
import random
from collections.abc import Callable, Iterable, Mapping

from bridge.calls.model import TrunkSettings
from bridge.calls.pbx.checking import Check
from bridge.calls.status import Odd, TrunkStatus
from bridge.sip.agenda import Agenda
from bridge.sip.digest import Authenticator, Credentials
from bridge.sip.flow import Flow
from bridge.sip.message import Request, Response
from bridge.sip.openings import Opening
from bridge.sip.registration import Phase, Registration
from bridge.sip.transaction import ClientTransaction
from bridge.sip.useragent import UserAgent
from bridge.sip.via import translated


class Trunk:
    """One trunk. Its registration's requests go out through the transaction layer; their answers come back here."""

    def __init__(
        self, settings: TrunkSettings, ua: UserAgent, agenda: Agenda, rng: random.Random, said: Changed
    ) -> None:
        self.settings = settings
        self.calls = 0
        self.addresses: tuple[Flow, ...] = ()  # the one in use first
        self.authenticator = (
            Authenticator(Credentials(settings.username, settings.password), rng) if settings.username else None
        )
        self.due: float | None = None
        self.state = "trying" if settings.register else "static"
        self.reason = ""
        self.held = False  # it is not to register yet
        self.trouble = ""  # why nothing could be sent to its server, when that was tried last
        self._ua = ua
        self._agenda = agenda
        self._rng = rng
        self._said = said
        self._registration: Registration | None = None
        self._here = ""  # our own contact towards the server, as it was last looked at
        self._tried = 0  # addresses that failed, one after the other
        self._opening = Opening(agenda, ua.layer.outbox)
        self._check = Check(self, self._question, ua, agenda, rng)
        self._asked = 0  # OPTIONS so far

    def remains(self, settings: TrunkSettings) -> bool:
        """Whether other settings are still those of this trunk, that is, of the same account at the same server."""
        return _account(settings) == _account(self.settings)

    def configure(self, settings: TrunkSettings, now: float) -> None:
        """Take other settings of the same account; register anew where the PBX is to know of the difference."""
        before, self.settings = self.settings, settings
        if not settings.check:
            self._check.stop()
            if before.check and not settings.register and self.flow is not None:
                self._become("static", "")
        elif self.flow is not None:
            self._check.start(now)
        if settings.password != before.password and settings.username:
            self.authenticator = Authenticator(Credentials(settings.username, settings.password), self._rng)
        known = (settings.password, settings.expires) == (before.password, before.expires)
        if self._registration is not None and self.flow is not None and not known:
            self._tried = 0
            self._register_at(self.flow, now)

    @property
    def flow(self) -> Flow | None:
        """Where its server is, None while the name is not resolved."""
        return self.addresses[0] if self.addresses else None

    @property
    def says_no_options(self) -> bool:
        """Whether its server never answers OPTIONS, and takes our REGISTER all the same."""
        return self._check.forgiven

    def full(self, more: int = 0) -> bool:
        """Whether it carries as many calls as it may, with `more` that are about to begin."""
        return self.settings.max_calls is not None and self.calls + more >= self.settings.max_calls

    @property
    def port(self) -> int:
        """The port of its server."""
        return self.settings.port or (5061 if self.settings.transport == "tls" else 5060)

    def uri(self, user: str) -> str:
        """Return the URI of a number at the trunk; of its server for ""."""
        host = f"[{self.settings.host}]" if ":" in self.settings.host else self.settings.host
        port = f":{self.settings.port}" if self.settings.port else ""
        transport = "" if self.settings.transport == "udp" else f";transport={self.settings.transport}"
        at = f"{user}@" if user else ""
        return f"sip:{at}{host}{port}{transport}"

    def resolved(self, places: Iterable[Place], now: float) -> None:
        """Take the addresses of the server's name, the preferred first; the first time, begin to register."""
        found = dict.fromkeys(Flow(self.settings.transport, host, port or self.port) for host, port in places)
        if not found:
            self.unresolved(f"{self.settings.host} has no address")
            return
        moved = self.flow not in found
        if self.flow in found:  # stay where we are registered as long as that address is valid
            found = dict.fromkeys((self.flow, *found))
        self.addresses = tuple(flow for flow in found if flow is not None)
        self._here = self._contact_at(self.addresses[0])
        if self.settings.check:
            self._check.start(now)
        if not self.settings.register:
            if moved:
                self._become("static", "")
        elif moved and not self.held:
            self._tried = 0
            self._register_at(self.addresses[0], now)

    def release(self, now: float) -> None:
        """Register, which was held."""
        self.held = False
        if self.settings.register and self.flow is not None:
            self._register_at(self.flow, now)

    def _register_at(self, server: Flow, now: float) -> None:
        """Begin a registration with the server at this address; one elsewhere is left to expire."""
        self._registration = Registration(
            self.uri(""),
            self.uri(self.settings.username),
            self._contact_at(server),
            Credentials(self.settings.username, self.settings.password),
            self._rng,
            expires=self.settings.expires,
        )
        self._registration.start(now)
        self._flush(now)

    def unresolved(self, reason: str) -> None:
        """Note that the server's name cannot be resolved now; known addresses stay in use."""
        if not self.addresses:
            self._become("lost", reason)

    @property
    def left(self) -> bool:
        """Whether there is no registration, or none any more."""
        return self._registration is None or self._registration.phase is Phase.OFF

    def stop(self, now: float) -> None:
        """Take the registration back."""
        self._check.stop()
        self._opening.keep(None, now)
        if self._registration is not None:
            self._registration.stop(now)
            self._flush(now)

    def on_response(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """Take the answer to a REGISTER."""
        if self._registration is not None and self._registration is transaction.context and response.code >= 200:
            self._registration.receive(response, now)
            if response.code < 300:
                self._tried = 0
                self._keep_open(transaction.flow, response, now)
            elif response.code == 503:
                self._go_elsewhere(now)
            self._flush(now)

    def _keep_open(self, server: Flow, response: Response, now: float) -> None:
        """Keep the way of its calls to us open, where there is a translator in between."""
        up = self._registration is not None and self._registration.state == "registered"
        outside = up and not server.reliable and translated(response.need("Via"))
        self._opening.keep(server if outside else None, now)

    def on_failure(self, transaction: ClientTransaction, status: int, now: float) -> None:
        """Take the failure of a REGISTER."""
        if self._registration is not None and self._registration is transaction.context:
            self._registration.failed(status, now, self.trouble)
            self._go_elsewhere(now)
            self._flush(now)

    def _go_elsewhere(self, now: float) -> None:
        """Go on with the server's next address; once all have failed, the registration waits as it would for one."""
        self.addresses = (*self.addresses[1:], *self.addresses[:1])
        self._tried += 1
        assert self._registration is not None and self.flow is not None
        contact = self._contact_at(self.flow)
        if self._tried < len(self.addresses):
            self._registration.renew(now, contact)
        else:
            self._tried = 0
            self._registration.move(contact)

    def suspect(self, server: Flow, now: float) -> None:
        """Note that a call to this address was not answered at all: ask it whether it lives, or use the next one."""
        if server != self.flow or self.state == "lost":
            return
        if self._registration is None:
            self.addresses = (*self.addresses[1:], *self.addresses[:1])
        else:
            self._registration.renew(now)
            self._flush(now)

    # -- whether its server lives (Checked) --------------------------------------------------------------------------

    def lives(self, now: float) -> None:
        """Note that the server has said something."""
        self._tried = 0
        if self._registration is None and self.state == "lost":
            self._become("static", "")

    def says_nothing(self, server: Flow, why: str, now: float) -> bool:
        """Note that the server at an address does not answer OPTIONS; return whether the next one is to be asked."""
        if self._registration is not None:
            self.suspect(server, now)
            self._check.forgive()
            return False
        if server != self.flow:  # another one is in use meanwhile
            return True
        self.addresses = (*self.addresses[1:], *self.addresses[:1])
        self._tried += 1
        if self._tried < len(self.addresses):
            return True
        self._tried = 0
        self._become("lost", f"OPTIONS: {why}")
        return False

    def _question(self) -> tuple[Request, Flow] | None:
        """Return the OPTIONS for the server; None while a registration that is not there tells already."""
        if self.flow is None or (self._registration is not None and self.state != "registered"):
            return None
        self._asked += 1
        user = self.settings.username or "bridge"
        headers = {
            "Max-Forwards": ["70"],
            "From": [f"<{self.uri(user)}>;tag={self._ua.token()}"],
            "To": [f"<{self.uri('')}>"],
            "Call-ID": [self._ua.token()],
            "CSeq": [f"{self._asked} OPTIONS"],
            "Contact": [self._ua.contact(user, self.flow)],
            "Accept": ["application/sdp"],
        }
        return Request("OPTIONS", self.uri(""), headers), self.flow

    def network_changed(self, links: bool, now: float) -> bool:
        """Register anew where the server may be reached again (`links`), or is to know another address of ours.

        Returns whether that is another.
        """
        if self.flow is None:
            return False
        registration, contact = self._registration, self._contact_at(self.flow)
        moved, self._here = contact != self._here, contact
        if registration is not None and (moved or (links and self.state == "lost" and not registration.refused)):
            registration.renew(now, contact)
            self._flush(now)
        return moved

    def _contact_at(self, server: Flow) -> str:
        return self._ua.contact(self.settings.username, server)

    def tick(self, now: float) -> None:
        """Let a refresh or another try come due."""
        if self._registration is not None and self.flow is not None:
            self._registration.move(self._contact_at(self.flow))
            self._registration.tick(now)
            self._flush(now)

    def _flush(self, now: float) -> None:
        registration = self._registration
        assert registration is not None and self.flow is not None
        while registration.outgoing:
            self._ua.layer.request(registration.outgoing.pop(0), self.flow, self, now, registration)
        self._agenda.arm(self, registration.deadline())
        self._become(registration.state, registration.reason)

    def _become(self, state: str, reason: str) -> None:
        if (state, reason) != (self.state, self.reason):
            self.state, self.reason = state, reason
            self._said(self)


def _account(settings: TrunkSettings) -> tuple[object, ...]:
    return settings.host, settings.port, settings.transport, settings.username, settings.register


Changed = Callable[[Trunk], None]
Place = tuple[str, int | None]
"""An address of a server, and its port where the name says one."""


def numeric(host: str) -> bool:
    """Whether a host is an IP address and needs no resolving."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def by_host(trunks: Mapping[str, Trunk]) -> dict[str, tuple[tuple[int, str], ...]]:
    """Return the trunks' resolved addresses: host to (port, trunk name)s."""
    found: dict[str, tuple[tuple[int, str], ...]] = {}
    for name, trunk in trunks.items():
        for flow in trunk.addresses:
            found[flow.host] = (*found.get(flow.host, ()), (flow.port, name))
    return found


def status_of(name: str, trunk: Trunk, since: float, odd: Iterable[str] = ()) -> TrunkStatus:
    """Return a trunk's state for others to see; `odd`: what else is known of its PBX."""
    own = (Odd.SAYS_NOTHING,) if trunk.says_no_options else ()
    return TrunkStatus(name, trunk.state, since, trunk.reason, (*odd, *own))
