"""All that is upstream: the trunks, the watches of lines behind them, and their call monitors.

A new configuration stops what is no more and begins what is new. A trunk that has another server or user name is
another trunk, which begins once the one before it has left; one whose password or expiry has changed registers anew in
its place; all else is only noted. Nothing of that touches a call: its legs know where they talk to.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from bridge.calls.lines import LineTable
from bridge.calls.model import TrunkSettings
from bridge.calls.pbx.callmonitor import CallMonitor
from bridge.calls.pbx.trunks import Place, Trunk, numeric, status_of
from bridge.calls.pbx.watching import Watch
from bridge.calls.present import Present
from bridge.calls.restart.kept import Kept, dialog_of, plain_dialog
from bridge.calls.status import Odd, TrunkStatus
from bridge.directory.model import Line
from bridge.events import Event, Notice, TrunkChanged
from bridge.sip.agenda import Agenda
from bridge.sip.flow import Flow
from bridge.sip.useragent import UserAgent


class Upstream:
    """The trunks by name in `trunks`, the same object for ever. `tell` takes events, `wall` gives UTC seconds."""

    def __init__(
        self,
        present: Present,
        ua: UserAgent,
        agenda: Agenda,
        rng: random.Random,
        wall: Callable[[], float],
        tell: Callable[[Event], None],
        kept: Kept,
    ) -> None:
        self.trunks: dict[str, Trunk] = {}
        self._present = present
        self._ua = ua
        self._agenda = agenda
        self._rng = rng
        self._wall = wall
        self._tell = tell
        self._kept = kept
        self._since: dict[str, float] = {}
        self._moved: list[str] = []  # trunks that may be up, down or elsewhere, still to be told to who watches there
        self._leaving: list[tuple[Trunk, Trunk]] = []  # trunks that are no more, and the ones in their places
        self._lines: LineTable
        self._watches: dict[str, Watch] = {}  # by line
        self._monitors: dict[str, CallMonitor] = {}
        self._monitors_lost: set[str] = set()
        for settings in present.settings.trunks:
            self._add(settings)

    def watch(self, lines: LineTable) -> None:
        """Make the watches and monitors of lines; the last step of construction."""
        self._lines = lines
        self._renew_watches(0.0)
        self._renew_monitors()

    def start(self, now: float) -> None:
        """Begin to register at trunks whose server is an IP address; the others wait for `resolved`."""
        for trunk in self.trunks.values():
            self._begin(trunk, now)
        self._moved.extend(self.trunks)

    def configure(self, now: float) -> None:
        """Go by the present settings: trunks come, go and change."""
        wanted = {trunk.name: trunk for trunk in self._present.settings.trunks}
        gone = [t for name, t in self.trunks.items() if name not in wanted or not t.remains(wanted[name])]
        for trunk in gone:
            self._drop(trunk, now)
        for settings in wanted.values():
            if settings.name in self.trunks:
                self.trunks[settings.name].configure(settings, now)
                continue
            new = self._add(settings)
            before = next((old for old in gone if old.settings.name == settings.name and not old.left), None)
            if before is not None:
                new.held = True
                self._leaving.append((before, new))
            self._begin(new, now)
        order = {name: self.trunks[name] for name in wanted}
        self.trunks.clear()
        self.trunks.update(order)
        self._moved.extend(self.trunks)

    def configure_lines(self, now: float) -> None:
        """Watch what is to be watched now; after the lines have been renewed."""
        self._renew_watches(now)
        self._renew_monitors()

    def stop(self, now: float) -> None:
        """Take subscriptions and registrations back."""
        for watch in self._watches.values():
            watch.stop(now)
        for trunk in self.trunks.values():
            trunk.stop(now)

    # -- over a restart ------------------------------------------------------------------------------------------

    def dump(self) -> list[dict[str, Any]]:
        """Return the subscriptions, and the trunks that change no call, as plain values."""
        watches = [(line, watch.dialog) for line, watch in self._watches.items()]
        subscribed = [{"line": line, "dialog": plain_dialog(dialog)} for line, dialog in watches if dialog is not None]
        rigid = [trunk for name, trunk in self.trunks.items() if name in self._present.rigid]
        return [*subscribed, *({"trunk": t.settings.name, "rigid": t.uri(t.settings.username)} for t in rigid)]

    def load(self, plain: Mapping[str, Any]) -> None:
        """Take up what `dump` wrote. Raises KeyError, TypeError or ValueError where that is none."""
        if "rigid" in plain:
            trunk = self.trunks.get(str(plain["trunk"]))
            if trunk is not None and trunk.uri(trunk.settings.username) == plain["rigid"]:
                self._present.rigid.add(trunk.settings.name)
            return
        dialog, watch = dialog_of(plain["dialog"]), self._watches.get(str(plain["line"]))
        if watch is not None:
            watch.resume(dialog)

    def _touch(self) -> None:
        self._kept.touch("trunks")

    # -- trunks ---------------------------------------------------------------------------------------------------

    def _add(self, settings: TrunkSettings) -> Trunk:
        trunk = Trunk(settings, self._ua, self._agenda, self._rng, self._changed)
        self.trunks[settings.name] = trunk
        self._since[settings.name] = self._wall()
        return trunk

    def _begin(self, trunk: Trunk, now: float) -> None:
        if numeric(trunk.settings.host):
            trunk.resolved([(trunk.settings.host, None)], now)

    def _drop(self, trunk: Trunk, now: float) -> None:
        name = trunk.settings.name
        for line in [line for line, watch in self._watches.items() if watch.trunk is trunk]:
            self._watches.pop(line).stop(now)
        self._present.rigid.discard(name)
        del self.trunks[name]  # before it stops: nobody is told of one that is no more
        trunk.stop(now)
        self._since.pop(name, None)
        self._monitors_lost.discard(name)

    def resolved(self, trunk: str, places: Sequence[Place], now: float) -> None:
        """Take the addresses that a trunk's server has now, the preferred first."""
        self.trunks[trunk].resolved(places, now)
        self._moved.append(trunk)

    def unresolved(self, trunk: str, reason: str) -> None:
        """Note that a trunk's server cannot be found."""
        self.trunks[trunk].unresolved(reason)

    def unresolved_names(self) -> dict[str, TrunkSettings]:
        """Return the trunks whose server is a name, with what is known of it."""
        return {n: t.settings for n, t in self.trunks.items() if not numeric(t.settings.host)}

    def note_trouble(self, flow: Flow, reason: str) -> None:
        """Note why what was sent on a flow cannot be delivered; before those who sent it are told."""
        for trunk in self.trunks.values():
            if trunk.flow is not None and trunk.flow[:3] == flow[:3]:
                trunk.trouble = "".join(c if c.isprintable() else " " for c in reason)[:200]

    def flow_failed(self, flow: Flow, now: float) -> None:
        """Note that what was sent on a flow cannot be delivered."""
        for trunk in self.trunks.values():
            if trunk.flow is not None and trunk.flow[:3] == flow[:3]:
                trunk.suspect(trunk.flow, now)  # it would send calls on a connection that is no more

    def network_changed(self, links: bool, now: float) -> None:
        """Note that addresses of ours, or links, have changed."""
        for name, trunk in self.trunks.items():
            if trunk.network_changed(links, now):
                self._moved.append(name)

    def name_at(self, flow: Flow) -> str:
        """Return the name that the certificate of who is at an address has to be for."""
        for trunk in self.trunks.values():
            if any(address[:3] == flow[:3] for address in trunk.addresses):
                return trunk.settings.host
        return flow.host

    def status(self) -> list[TrunkStatus]:
        """Return every configured trunk's state."""
        return [status_of(name, trunk, self._since[name], self._odd(name)) for name, trunk in self.trunks.items()]

    def _odd(self, trunk: str) -> Iterator[Odd]:
        if trunk in self._present.rigid:
            yield Odd.CHANGES_NO_CALL
        if any(watch.refused for watch in self._watches.values() if watch.trunk.settings.name == trunk):
            yield Odd.TELLS_NOTHING

    def _changed(self, trunk: Trunk) -> None:
        name = trunk.settings.name
        if self.trunks.get(name) is not trunk:
            return
        self._since[name] = self._wall()
        self._moved.append(name)
        self._tell(TrunkChanged(self._wall(), name, trunk.state, trunk.reason))
        for line in self._present.directory.lines.values():
            if line.trunk == name:
                self._lines.refresh(line.name)

    # -- lines behind them ----------------------------------------------------------------------------------------

    def settle(self, now: float) -> None:
        """Begin what waited for another to leave; tell who watches lines that a trunk may be up, down or elsewhere."""
        if self._leaving:
            self._release(now)
        if not self._moved:
            return
        moved, self._moved = set(self._moved), []
        for watch in self._watches.values():
            if watch.trunk.settings.name in moved:
                watch.trunk_changed(now)

    def _release(self, now: float) -> None:
        left = [new for old, new in self._leaving if old.left]
        self._leaving = [(old, new) for old, new in self._leaving if not old.left]
        for trunk in left:
            if self.trunks.get(trunk.settings.name) is trunk:
                trunk.release(now)

    def _watched(self) -> dict[str, Line]:
        lines = self._present.directory.lines
        return {name: lines[name] for name in sorted(self._present.settings.watched) if lines[name].trunk is not None}

    def _renew_watches(self, now: float) -> None:
        wanted = self._watched()
        for name, watch in list(self._watches.items()):
            line = wanted.get(name)
            if line is None or (line.number, line.trunk) != (watch.line.number, watch.line.trunk):
                self._watches.pop(name).stop(now)
        for name, line in wanted.items():
            if name not in self._watches:
                trunk = self.trunks[line.trunk or ""]
                self._watches[name] = Watch(
                    line, trunk, self._ua, self._agenda, self._rng, self._lines, self._notice, self._touch
                )
                self._moved.append(trunk.settings.name)

    def _renew_monitors(self) -> None:
        watched = self._watched()
        lines = self._present.directory.lines.items()
        for name in self.trunks.keys() | self._monitors.keys():
            behind = [line for each, line in lines if line.trunk == name and each not in watched]
            monitor = self._monitors.setdefault(name, CallMonitor(self._lines))
            monitor.configure(behind)
            if name not in self.trunks:
                del self._monitors[name]

    def monitor_heard(self, trunk: str, text: str) -> None:
        """Take a line of a trunk's call monitor; "" once it is connected."""
        if text:
            self._monitors[trunk].heard(text)
        else:
            self._monitors[trunk].connected()
            self._monitors_lost.discard(trunk)

    def monitor_lost(self, trunk: str, reason: str) -> None:
        """Note that a trunk's call monitor cannot be heard; said once, until it could be again."""
        self._monitors[trunk].lost()
        if trunk not in self._monitors_lost:
            self._monitors_lost.add(trunk)
            self._notice(
                f"trunk {trunk}: its call monitor cannot be heard ({reason}); #96*5* dialled at a phone of the box "
                "switches it on; the state of lines is known from our own calls alone"
            )

    def monitor_closed(self, trunk: str) -> None:
        """Note that a trunk's call monitor is not listened to any more."""
        monitor = self._monitors.get(trunk)
        if monitor is not None:
            monitor.lost()
        self._monitors_lost.discard(trunk)

    def _notice(self, text: str) -> None:
        self._tell(Notice(self._wall(), "sip", text))
