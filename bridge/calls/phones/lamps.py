"""Lamps of attached phones: subscriptions to lines, logins, callers and night switches (RFC 4235 over RFC 6665).

Only a phone that has proven its line, or stands at its static contact, may subscribe. What it is shown is the confirmed
state: a key that dials `*43600` and watches it too is lit once its member is really logged in. Who is at the other end
of a call is shown to whom the rights show it (`pictures`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from bridge.calls.admission import Admission
from bridge.calls.lines import LineTable
from bridge.calls.parties import Caller, shown, user_of
from bridge.calls.phones.pictures import Pictures, Shown
from bridge.calls.phones.watchable import Watchable, What, watchable
from bridge.calls.present import Present
from bridge.calls.restart.kept import Kept, dialog_of, plain_dialog
from bridge.calls.switchboard import Switchboard
from bridge.directory.logins import Logins
from bridge.sip.binding import Binding
from bridge.sip.dialog import dialog_as_callee
from bridge.sip.dialogdocument import dialog_document
from bridge.sip.dialoginfo import ACCEPT
from bridge.sip.flow import Flow
from bridge.sip.grammar import SipError, parse_uri
from bridge.sip.message import Body
from bridge.sip.notifier import LEAST_EXPIRES, Notifier, event_id
from bridge.sip.storing import Stored
from bridge.sip.useragent import DIALOG, Subscribing, UserAgent, event_of

MOST = 2000  # subscriptions in all
MOST_OF_A_LINE = 100
_ACCEPTED = frozenset({ACCEPT, "application/*", "*/*"})
_WHY = {
    403: "it is not for its member to see, or it is no member of the group",
    404: "that is no number of a line or group, nor a code (toggle, pickup, night) with one",
}
_VERSIONS_SKIPPED = 1000  # what was told since the last write, a refresh, has used some


@dataclass
class Lamp:
    """One subscription: `line` is its phone's. `told`: what the phone knows, None before the first NOTIFY."""

    line: str
    entity: str
    shows: Watchable
    told: Shown | None = None

    @property
    def places(self) -> list[tuple[bool, str]]:
        """What it is about: whether that is a line, or a group, and its name."""
        return [(self.shows.what is What.LINE, name) for name in self.shows.names]


class Lamps:
    """All subscriptions of phones. `tell` takes what people should know of a refused one."""

    def __init__(
        self,
        present: Present,
        logins: Logins,
        lines: LineTable,
        board: Switchboard,
        admission: Admission,
        ua: UserAgent,
        kept: Kept,
        tell: Callable[[Flow, str, float], None],
    ) -> None:
        self._present = present
        self._lines = lines
        self._pictures = Pictures(present, logins, lines, board)
        self._admission = admission
        self._ua = ua
        self._kept = kept
        self._tell = tell
        self._lamps: dict[Notifier, Lamp] = {}
        self._stored = Stored()
        self._about: dict[tuple[bool, str], dict[Notifier, None]] = {}
        self._groups: set[str] = set()  # that may have changed in this step
        self._registered: list[tuple[str, Binding]] = []  # before the start
        self._started = False

    def __len__(self) -> int:
        return len(self._lamps)

    @property
    def _most_seconds(self) -> int:
        return max(self._present.settings.max_expires, LEAST_EXPIRES)

    # -- SUBSCRIBE ------------------------------------------------------------------------------------------------

    def receive(self, asked: Subscribing, now: float) -> None:
        """Take a SUBSCRIBE; one that is written wrongly is refused, and says why."""
        try:
            self._take(asked, now)
        except SipError as error:
            self._ua.answer(asked.transaction, asked.request, error.status, now, phrase=str(error)[:100])

    def _take(self, asked: Subscribing, now: float) -> None:
        request = asked.request
        if event_of(request) != DIALOG:
            self._refuse(asked, 489, now, {"Allow-Events": [DIALOG]})
            return
        accepted = {value.partition(";")[0].strip() for value in request.tokens("Accept")}
        if accepted and not accepted & _ACCEPTED:
            self._refuse(asked, 406, now, {"Accept": [ACCEPT]})
            return
        if asked.notifier is not None:
            self._refresh(asked, asked.notifier, now)
            return
        caller = self._admission.identify(asked, now)
        if caller is not None:
            self._begin(asked, caller, now)

    def _begin(self, asked: Subscribing, caller: Caller, now: float) -> None:
        request, directory = asked.request, self._present.directory
        if caller.line is None:
            self._refuse(asked, 403, now)
            return
        shows = watchable(user_of(request.uri), caller.line, directory)
        if not isinstance(shows, int) and not self._pictures.may(caller.line, shows):
            shows = 403
        if isinstance(shows, int):
            self._refuse(asked, shows, now)
            what = shown(user_of(request.uri))
            self._tell(asked.flow, f"line {caller.line} cannot watch {what!r}: {_WHY[shows]}", now)
            return
        granted = self._granted(asked, now)
        if granted is None:
            return
        if not self._has_room(caller.line, request.uri, now) or self._ua.layer.full_for(asked.flow):
            self._refuse(asked, 503, now, {"Retry-After": ["60"]})
            return
        pinned = directory.lines[caller.line].registers
        contact = self._ua.contact("bridge", asked.flow)  # what is watched may have a #
        dialog = dialog_as_callee(request, self._ua.token(), contact, asked.flow, pinned)
        lamp = Lamp(caller.line, request.uri, shows)
        notifier = Notifier(
            self._ua,
            dialog,
            request.need("Event"),
            lambda version: self._content(lamp, version),
            self._over,
            expires_at=now + granted,
        )
        self._add(notifier, lamp)
        notifier.accept(asked.transaction, request, granted, now)
        self._kept.touch("lamps")

    def _has_room(self, line: str, entity: str, now: float) -> bool:
        """Whether a phone may have one more; where it has all that it may, one that it has again gives way.

        A phone that was switched off has forgotten its subscriptions, and has them twice until the old ones end.
        """
        own = [(n, lamp) for n, lamp in self._lamps.items() if lamp.line == line and n.goes_on]
        if len(self._lamps) < MOST and len(own) < MOST_OF_A_LINE:
            return True
        same = next((notifier for notifier, lamp in own if lamp.entity == entity), None)
        if same is not None:
            same.end("rejected", now)  # not "deactivated": who is told that subscribes again at once
        return same is not None

    def _refresh(self, asked: Subscribing, notifier: Notifier, now: float) -> None:
        if notifier not in self._lamps or event_id(asked.request.need("Event")) != event_id(notifier.event):
            self._refuse(asked, 481, now)
            return
        granted = self._granted(asked, now)
        if granted is None:
            return
        if not notifier.follow(asked.request, asked.flow):
            self._refuse(asked, 500, now)
            return
        notifier.accept(asked.transaction, asked.request, granted, now)
        self._kept.touch("lamps")

    def _granted(self, asked: Subscribing, now: float) -> int | None:
        """Return for how long a subscription is to last; None where that is refused."""
        wanted = asked.request.number("Expires")
        if wanted is not None and 0 < wanted < LEAST_EXPIRES:
            self._refuse(asked, 423, now, {"Min-Expires": [str(LEAST_EXPIRES)]})
            return None
        return self._most_seconds if wanted is None else min(wanted, self._most_seconds)

    def _refuse(self, asked: Subscribing, status: int, now: float, extra: dict[str, list[str]] | None = None) -> None:
        self._ua.answer(asked.transaction, asked.request, status, now, extra)

    # -- what is known of all ---------------------------------------------------------------------------------------

    def _add(self, notifier: Notifier, lamp: Lamp) -> None:
        self._lamps[notifier] = lamp
        for place in lamp.places:
            self._about.setdefault(place, {})[notifier] = None

    def _over(self, notifier: Notifier) -> None:
        lamp = self._lamps.pop(notifier, None)
        for place in lamp.places if lamp is not None else ():
            there = self._about[place]
            there.pop(notifier, None)
            if not there:
                del self._about[place]
        self._kept.touch("lamps")

    def touch_group(self, group: str) -> None:
        """Note that a group's logins, callers or night switch may have changed."""
        self._groups.add(group)

    def show(self, now: float) -> None:
        """Tell phones what has become of what they watch; the last part of each step."""
        lines, groups = self._lines.touched, self._groups
        if not lines and not groups:
            return
        self._lines.touched, self._groups = set(), set()
        if not self._lamps:
            return
        by_line = self._present.directory.groups_by_line
        groups.update(group.name for line in lines for group, _ in by_line.get(line, ()))
        places = [(True, line) for line in sorted(lines)] + [(False, group) for group in sorted(groups)]
        with self._pictures.look():
            for place in places:
                for notifier in tuple(self._about.get(place, ())):
                    self._look_at(notifier, self._lamps[notifier], now)

    def _look_at(self, notifier: Notifier, lamp: Lamp, now: float) -> None:
        if lamp.told is not None and lamp.told != self._pictures.shown(lamp.line, lamp.entity, lamp.shows):
            notifier.tell(now)  # which is not written: a refresh is, soon enough for the numbers that are skipped

    def dump(self, now: float, wall: float) -> list[dict[str, Any]]:
        """Return all subscriptions as plain values; the same object as before until its phone refreshes one."""
        makes = (
            ((notifier, notifier.expires_at, notifier.dialog.flow), partial(_plain, notifier, lamp, now, wall))
            for notifier, lamp in self._lamps.items()
        )
        return self._stored.plain(makes, now, wall)

    def load(self, kept: Mapping[str, Any], now: float, wall: float) -> None:
        """Take up what `dump` wrote; raises KeyError, TypeError or ValueError where that is none.

        No connection survives a restart: who was reached by one is told as soon as it has registered again.
        """
        dialog, line, entity = dialog_of(kept["dialog"]), str(kept["line"]), str(kept["entity"])
        expires_at = now + min(float(kept["expires"]) - wall, self._most_seconds)
        found = self._present.directory.lines.get(line)
        shows = watchable(user_of(entity), line, self._present.directory) if found is not None else 404
        if isinstance(shows, int) or expires_at <= now or not self._pictures.may(line, shows):
            return
        lamp = Lamp(line, entity, shows)
        notifier = Notifier(
            self._ua,
            dialog,
            str(kept["event"]),
            lambda version: self._content(lamp, version),
            self._over,
            expires_at=expires_at,
            version=int(kept["version"]) + _VERSIONS_SKIPPED,
        )
        self._add(notifier, lamp)
        notifier.flow_gone(dialog.flow, now)

    def flow_gone(self, flow: Flow, now: float) -> None:
        """Note that a connection has ended."""
        for notifier in tuple(self._lamps):
            notifier.flow_gone(flow, now)

    def registered(self, line: str, binding: Binding, now: float) -> None:
        """Tell a phone that has registered again by another connection how things are; from the start on."""
        if not self._started:
            self._registered.append((line, binding))
            return
        for notifier, lamp in self._lamps.items():
            if (
                lamp.line == line
                and notifier.adrift
                and _host(notifier.dialog.remote_target) == _host(binding.contact_uri)
            ):
                notifier.find(binding.flow, now)

    def start(self, now: float) -> None:
        """Tell all phones that were taken up what has become of what they watch."""
        self._started = True
        for line, binding in self._registered:
            self.registered(line, binding, now)
        self._registered.clear()
        for notifier, lamp in list(self._lamps.items()):
            if lamp.told is None:
                notifier.tell(now)

    def configure(self, now: float) -> None:
        """Go by another configuration: what is no more, or not for a phone any more, is not watched any more."""
        directory = self._present.directory
        for notifier, lamp in list(self._lamps.items()):
            found = lamp.line in directory.lines
            shows = watchable(user_of(lamp.entity), lamp.line, directory) if found else 404
            if isinstance(shows, int) or not self._pictures.may(lamp.line, shows):
                notifier.end("noresource", now)
            elif shows != lamp.shows:
                self._over(notifier)
                lamp.shows = shows
                self._add(notifier, lamp)
                notifier.tell(now)
            else:
                self._touch(lamp)

    def _touch(self, lamp: Lamp) -> None:
        for is_line, name in lamp.places:
            (self._lines.touched if is_line else self._groups).add(name)

    def _content(self, lamp: Lamp, version: int) -> Body:
        lamp.told = self._pictures.shown(lamp.line, lamp.entity, lamp.shows)
        return dialog_document(lamp.entity, version, lamp.told)


def _plain(notifier: Notifier, lamp: Lamp, now: float, wall: float) -> dict[str, Any]:
    return {
        "line": lamp.line,
        "entity": lamp.entity,
        "event": notifier.event,
        "dialog": plain_dialog(notifier.dialog),
        "expires": round(wall + notifier.expires_at - now, 3),
        "version": notifier.version,
    }


def _host(uri: str) -> str:
    return parse_uri(uri).host.lower()
