"""The registrar: where the attached phones are now (RFC 3261 §10.3), kept with the flow that they can be reached on.

A phone says REGISTER with its line's number in To and proves its password; each Contact becomes a *binding* that
lives until it expires, is removed, or is replaced by the same phone (same URI or same `+sip.instance`). Requests to
the phone go back over the flow that its REGISTER came on, which is what makes phones behind NAT reachable.

A stranger learns nothing: without the right password an unknown number is answered exactly as a known one.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from bridge.sip.binding import (
    Binding,
    BindingAdded,
    BindingRefreshed,
    BindingRemoved,
    Plain,
    RegisterRefused,
    RegistrarEvent,
    plain,
    restored,
)
from bridge.sip.challenger import Challenger, Verdict
from bridge.sip.flow import Flow
from bridge.sip.grammar import SipError, parse_address, parse_uri, uri_of, without_headers
from bridge.sip.limits import PHONE, Paces
from bridge.sip.message import Request, Response, response_to
from bridge.sip.storing import Stored

TRANSLATED_FOR = 120.0
"""Seconds that a phone behind a translator registers for at most: once that restarts it is out of reach until then."""
_REFUSALS_EVERY = 60.0
_NOT_A_NUMBER = 3600


@dataclass(frozen=True, slots=True)
class RegistrarLine:
    """A line whose phone may register: To carries its number, which is also the user name."""

    line: str
    number: str
    password: str = field(repr=False)


class Registrar:
    """The bindings of all lines that may register. `lines` by number; expiries in seconds."""

    def __init__(
        self,
        lines: Mapping[str, RegistrarLine],
        challenger: Challenger,
        new_tag: Callable[[], str],
        rng: random.Random,
        *,
        max_expires: int = 600,
        min_expires: int = 60,
        max_contacts: int = 10,
    ) -> None:
        self._lines = dict(lines)
        self._challenger = challenger
        self._new_tag = new_tag
        self._nobody = RegistrarLine("", "", f"{rng.getrandbits(128):x}")  # so that strangers cost the same time
        self._max_expires = max_expires
        self._least_expires = min_expires
        self._min_expires = min(min_expires, max_expires)
        self._max_contacts = max_contacts
        self._bindings: dict[str, list[Binding]] = {}  # by line's name, the longest not refreshed first
        self._hosts = Counter[str]()  # where bindings are reached
        self._lost: dict[str, list[Binding]] = {}  # by line, whose connections were lost: their talks may go on
        self._next: float | None = None  # nothing expires before
        self._registering = Paces(PHONE)
        self._refused_at: dict[str, float] = {}
        self._stored = Stored()
        self.events: list[RegistrarEvent] = []

    def configure(self, lines: Mapping[str, RegistrarLine], max_expires: int) -> None:
        """Go by other lines and another longest expiry from now on; who has left is reached no more.

        A phone whose line has another password stays where it is until it has to prove that again.
        """
        stays = {(entry.line, entry.number) for entry in lines.values()}
        left = {entry.line for entry in self._lines.values() if (entry.line, entry.number) not in stays}
        for line in left & self._bindings.keys():
            for binding in list(self._bindings[line]):
                self._remove(line, binding, "left the configuration")
        self._lines = dict(lines)
        self._max_expires = max_expires
        self._min_expires = min(self._least_expires, max_expires)

    def receive(self, request: Request, flow: Flow, now: float, wall: float) -> Response:
        """Answer a REGISTER. `now` is monotonic, `wall` UTC. Never raises for what the network sent."""
        try:
            return self._answer(request, flow, now, wall)
        except SipError as error:
            return self._response(request, error.status, str(error))

    def bindings(self, line: str) -> tuple[Binding, ...]:
        """Return where a line (by its name) is reached now, the latest first."""
        return tuple(reversed(self._bindings.get(line, ())))

    def everywhere(self) -> Iterator[Binding]:
        """Yield every binding."""
        for held in self._bindings.values():
            yield from held

    def knows(self, host: str) -> bool:
        """Whether a phone is reached at this host now."""
        return host in self._hosts

    def deadline(self) -> float | None:
        """Return when `tick` is due next, monotonic; perhaps too early, never too late."""
        return self._next

    def tick(self, now: float) -> None:
        """Let what is due expire."""
        if self._next is None or now < self._next:
            return
        for line, held in list(self._bindings.items()):
            for binding in [binding for binding in held if binding.expires_at <= now]:
                self._remove(line, binding, "expired")
        for line, lost in list(self._lost.items()):
            self._lost[line] = [binding for binding in lost if binding.expires_at > now]
            if not self._lost[line]:
                del self._lost[line]
        self._next = min((b.expires_at for held in self._bindings.values() for b in held), default=None)

    def flow_gone(self, flow: Flow) -> None:
        """Note that a connection has ended: its bindings go, but for those whose contact can be connected to."""
        for line, held in list(self._bindings.items()):
            for binding in [binding for binding in held if binding.flow == flow]:
                anew = binding.connectable()
                if anew is None:
                    self._lost.setdefault(line, []).append(binding)
                    del self._lost[line][: -self._max_contacts]
                    self._remove(line, binding, "connection lost")
                else:
                    moved = replace(binding, flow=anew)
                    held[held.index(binding)] = moved
                    self.events.append(BindingRefreshed(line, moved, flow))

    def dump(self, now: float, wall: float) -> list[Plain]:
        """Return all bindings as plain values; the same object as before of what has not changed."""
        everywhere = ((line, binding) for line, held in self._bindings.items() for binding in held)
        makes = ((each, partial(plain, *each, now, wall)) for each in everywhere)
        return self._stored.plain(makes, now, wall)

    def load(self, entries: Iterable[Mapping[str, object]], now: float, wall: float) -> None:
        """Take up dumped bindings of lines that are still known, as far as they are still valid and reachable.

        No connection survives a restart. A wall clock that went wrong stretches no binding beyond `max_expires`.
        Raises `ValueError` for an entry that `dump` did not write.
        """
        known = {entry.line for entry in self._lines.values()}
        for line, binding in [restored(entry, now, wall, self._max_expires) for entry in entries]:
            flow = binding.connectable() if binding.flow.reliable else binding.flow
            if line in known and binding.expires_at > now and flow is not None:
                self._put(line, replace(binding, flow=flow))

    def _answer(self, request: Request, flow: Flow, now: float, wall: float) -> Response:
        aor = request.to.uri
        claimed = self._challenger.claimed(request)
        owner = self._lines.get(claimed or "")
        asker = owner or self._nobody
        verdict = self._challenger.verify(request, asker.number, asker.password, now)
        if verdict in (Verdict.ABSENT, Verdict.STALE):
            response = self._response(request, 401)
            response.headers["WWW-Authenticate"] = self._challenger.challenges(now, stale=verdict is Verdict.STALE)
            return response
        if verdict is Verdict.WRONG or owner is None:
            self._refuse(owner, flow, now)
            return self._response(request, 403, "Wrong User Name or Password")
        if aor.user != owner.number:
            if aor.user not in self._lines:
                return self._response(request, 404)
            return self._response(request, 403, "Not Your Number")
        unknown = request.all("Require")
        if unknown:
            response = self._response(request, 420)
            response.set("Unsupported", ", ".join(unknown))
            return response
        if not self._registering.take(owner.line, now):
            response = self._response(request, 503, "Too Many Registrations")
            response.set("Retry-After", "10")
            return response
        return self._update(owner.line, request, flow, now, wall)

    def _refuse(self, owner: RegistrarLine | None, flow: Flow, now: float) -> None:
        if owner is None:
            return
        last = self._refused_at.get(owner.line)
        if last is None or now - last >= _REFUSALS_EVERY:
            self._refused_at[owner.line] = now
            self.events.append(RegisterRefused(owner.line, flow))

    def _update(self, line: str, request: Request, flow: Flow, now: float, wall: float) -> Response:
        """Do all that an authorised REGISTER asks for, or nothing of it."""
        held = self._bindings.get(line, [])
        if "*" in request.all("Contact"):
            if request.all("Contact") != ["*"] or request.number("Expires") != 0:
                raise SipError("Contact * must stand alone, with Expires: 0")
            asked = [replace(binding, expires_at=now) for binding in held]
        else:
            asked = self._asked(request, flow, now, wall)
        if any(0 < round(binding.expires_at - now) < self._min_expires for binding in asked):
            response = self._response(request, 423)
            response.set("Min-Expires", str(self._min_expires))
            return response
        call_id, cseq = _ascii(request.call_id), request.cseq.sequence
        if any(old.call_id == call_id and cseq <= old.cseq for b in asked for old in held if old.same_place(b)):
            return self._response(request, 500, "CSeq Out of Order")
        for binding in asked:
            if binding.expires_at > now:
                self._put(line, binding)
            else:
                self._drop(line, binding)
        return self._current(line, request, now)

    def _asked(self, request: Request, flow: Flow, now: float, wall: float) -> list[Binding]:
        """Return the bindings that the Contacts ask for; one that expires now is to be removed."""
        contacts = request.all("Contact")
        if len(contacts) > self._max_contacts:
            raise SipError(f"at most {self._max_contacts} contacts can be registered")
        asked = []
        for value in contacts:
            parameters = {key.lower(): text for key, text in parse_address(value).parameters.items()}
            expires = parameters.get("expires", request.get("Expires"))
            seconds = self._max_expires if expires is None else min(_seconds(expires), self._max_expires)
            instance = parameters.get("+sip.instance")
            binding = Binding(
                contact_uri=_contact_uri(value),
                flow=flow,
                expires_at=now + seconds,
                call_id=_ascii(request.call_id),
                cseq=request.cseq.sequence,
                user_agent=_ascii((request.get("User-Agent") or "")[:100]),
                instance=None if instance is None else _ascii(instance),
                since=wall,
            )
            if binding.translated:
                binding = replace(binding, expires_at=min(binding.expires_at, now + TRANSLATED_FOR))
            asked.append(binding)
        return asked

    def _current(self, line: str, request: Request, now: float) -> Response:
        """Return the 200 with every binding there is."""
        response = self._response(request, 200)
        contacts = [f"<{b.contact_uri}>;expires={round(b.expires_at - now)}" for b in self.bindings(line)]
        if contacts:
            response.headers["Contact"] = contacts
        return response

    def _put(self, line: str, binding: Binding) -> None:
        held = self._bindings.setdefault(line, [])
        olds = sorted((old for old in held if old.same_phone(binding)), key=binding.same_place, reverse=True)
        for old in olds[1:]:
            self._remove(line, old, "replaced")
        if olds:
            self._forget(held, olds[0])
            binding = replace(binding, since=olds[0].since)
        elif len(held) >= self._max_contacts:
            self._remove(line, held[0], "replaced")
            held = self._bindings.setdefault(line, held)
        held.append(binding)
        self._hosts[binding.flow.host] += 1
        self._next = binding.expires_at if self._next is None else min(self._next, binding.expires_at)
        if olds:
            self.events.append(BindingRefreshed(line, binding, olds[0].flow))
        else:
            self.events.append(BindingAdded(line, binding, len(held), self._returns(line, binding)))

    def _returns(self, line: str, binding: Binding) -> Flow | None:
        """Return the flow of a phone whose connection was lost, once it is back."""
        lost = [old for old in self._lost.get(line, ()) if old.same_phone(binding)]
        for old in lost:
            self._lost[line].remove(old)
        return lost[-1].flow if lost else None

    def _drop(self, line: str, binding: Binding) -> None:
        for old in [old for old in self._bindings.get(line, ()) if old.same_place(binding)]:
            self._remove(line, old, "removed")

    def _remove(self, line: str, binding: Binding, why: str) -> None:
        held = self._bindings[line]
        self._forget(held, binding)
        if not held:
            del self._bindings[line]
        self.events.append(BindingRemoved(line, binding, why, len(held)))

    def _forget(self, held: list[Binding], binding: Binding) -> None:
        held.remove(binding)
        self._hosts[binding.flow.host] -= 1
        if not self._hosts[binding.flow.host]:
            del self._hosts[binding.flow.host]

    def _response(self, request: Request, code: int, phrase: str = "") -> Response:
        return response_to(request, code, phrase, to_tag=self._new_tag())


def _seconds(text: str) -> int:
    """Return an expiry; what is not a number counts as an hour (RFC 3261 §10.2.1.1)."""
    digits = text.split(";", 1)[0].strip()
    return min(int(digits[:12]), 2**32 - 1) if digits.isascii() and digits.isdigit() else _NOT_A_NUMBER


def _contact_uri(value: str) -> str:
    """Return a Contact's URI as it can stand in a request line, without URI headers (RFC 3261 §19.1.5)."""
    uri = without_headers(uri_of(value))
    if parse_uri(uri).scheme not in ("sip", "sips"):
        raise SipError(f"contact {value[:80]!r} must be a sip or sips URI")
    return uri


def _ascii(text: str) -> str:
    """Return text that can be stored and shown, whatever bytes it came as."""
    return text.encode("ascii", "backslashreplace").decode("ascii")
