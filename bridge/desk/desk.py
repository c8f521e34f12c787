"""The desk's door: buttons to commands through the port, confirmed states to lamps.

Everything here runs on the loop. Buttons call from threads of their own; `_edge` is the one place where they enter
the loop, with the time at which the pin moved. A single timer serves all filters, patterns and refusals. Pins are
read again every two seconds, in case an edge was lost; beside that nothing is set while nothing is pending.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence

from bridge.calls.status import Telephony
from bridge.desk.errors import DeskError
from bridge.desk.model import DeskSettings
from bridge.desk.opening import Opened, open_desk
from bridge.desk.panel import PanelDesk, PanelStatus
from bridge.desk.parts import Desk, Face, Key
from bridge.desk.presses import Presses
from bridge.desk.shows import Subject, subject
from bridge.desk.signals import Signal
from bridge.events import Event
from bridge.port.model import Port
from hardware.model import Board, Button
from hardware.panel import Panel

READ_AGAIN = 2.0  # seconds


class Desks:
    """All desks, on the running loop between `start` and `close`.

    `board`: where pins are, None where no desk has any. `panel`: gives a desk's panel. `tell` publishes an event,
    `wall` gives UTC seconds.
    """

    def __init__(
        self,
        settings: Sequence[DeskSettings],
        port: Port,
        telephony: Telephony,
        board: Board | None,
        panel: Callable[[DeskSettings], Panel],
        tell: Callable[[Event], None],
        wall: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._port = port
        self._telephony = telephony
        self._board = board
        self._panel = panel
        self._tell = tell
        self._wall = wall
        self._opened: dict[str, Opened] = {}  # by desk
        self._by_subject: dict[Subject, list[Face]] = {}
        self._stale: dict[Face, None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._read_again: asyncio.TimerHandle | None = None
        self._unfollow: Callable[[], None] = lambda: None
        self._running = False

    @property
    def desks(self) -> Sequence[Desk]:
        """The open desks."""
        return [opened.desk for opened in self._opened.values()]

    @property
    def panels(self) -> dict[str, PanelStatus]:
        """What is known of each desk's panel, by the desk's name."""
        return {name: opened.panel.status for name, opened in self._opened.items() if opened.panel is not None}

    def start(self) -> None:
        """Open every part and show the truth; raises DeskError with every part that cannot be opened."""
        self._loop = asyncio.get_running_loop()
        self._presses = Presses(self._port, self._show, self._tell, self._wall)
        problems = [problem for desk in self._settings for problem in self._open(desk)]
        if problems:
            for opened in self._opened.values():
                opened.close()
            self._close_board()
            raise DeskError(problems)
        self._running = True
        self._unfollow = self._port.follow(self._on_event)
        self._begin(self._opened.values())
        self._show(self._faces)

    def configure(self, settings: Sequence[DeskSettings], board: Board | None) -> list[str]:
        """Go by another configuration: only desks that stand otherwise are opened anew, and all lamps show the truth.

        Returns every part that cannot be opened, as `key.path: why`; the rest of its desk serves without it.
        """
        self._board = board
        wanted = {desk.name: desk for desk in settings}
        for name, opened in list(self._opened.items()):
            if wanted.get(name) != opened.settings:
                for key in opened.desk.keys:
                    self._presses.forget(key)
                opened.close()
                del self._opened[name]
        new = [desk for desk in settings if desk.name not in self._opened]
        problems = [problem for desk in new for problem in self._open(desk)]
        self._opened = {name: self._opened[name] for name in wanted}
        self._begin([self._opened[desk.name] for desk in new])
        self._show(self._faces)
        return problems

    def close(self) -> None:
        """Darken the lamps and free the pins; commands that are on their way are still carried through."""
        self._running = False
        self._unfollow()
        for timer in (self._timer, self._read_again):
            if timer is not None:
                timer.cancel()
        for opened in self._opened.values():
            opened.close()
        self._close_board()

    def try_signal(self, desk: str | None, signal: Signal | None) -> int:
        """Let the lamps of a desk, or of all, show a signal whatever is true; None: the truth. Return how many."""
        faces = [face for each in self.desks if desk in (None, each.name) for face in each.faces]
        for face in faces:
            face.tried = signal
        self._show(faces)
        return len(faces)

    def _open(self, settings: DeskSettings) -> list[str]:
        panel = None
        if settings.panel is not None:
            panel = PanelDesk(
                settings.name, settings.panel, self._panel(settings), self._presses, self._tell, self._wall
            )
        self._opened[settings.name], problems = open_desk(settings, self._port, self._telephony, self._board, panel)
        return problems

    def _begin(self, new: Iterable[Opened]) -> None:
        """Listen to what these desks' parts say; look anew at what every lamp hangs on."""
        self._by_subject.clear()
        for face in self._faces:
            for about in face.eyes.subjects(face.shows):
                self._by_subject.setdefault(about, []).append(face)
        for opened in new:
            for key, button in opened.buttons:
                button.on_change(lambda pressed, key=key: self._edge(key, pressed))  # type: ignore[misc]
            if opened.panel is not None:
                opened.panel.start()
        if self._read_again is None and self._buttons:
            self._read_again = self._loop.call_later(READ_AGAIN, self._on_reading)

    def _close_board(self) -> None:
        if self._board is not None:
            self._board.close()

    @property
    def _buttons(self) -> list[tuple[Key, Button]]:
        return [each for opened in self._opened.values() for each in opened.buttons]

    @property
    def _faces(self) -> list[Face]:
        return [face for desk in self.desks for face in desk.faces]

    # -- buttons at pins ------------------------------------------------------------------------------------------

    def _edge(self, key: Key, pressed: bool) -> None:
        """Bring an edge from whatever thread it came on to the loop."""
        if self._running:
            self._loop.call_soon_threadsafe(self._on_edge, key, pressed, self._loop.time())

    def _on_edge(self, key: Key, pressed: bool, at: float) -> None:
        opened = self._opened.get(key.desk.name)
        if self._running and opened is not None and opened.desk is key.desk:
            self._presses.act(key, key.filter.edge(pressed, at))
            self._arm()

    def _on_reading(self) -> None:
        """Read every pin, in case an edge was lost."""
        now = self._loop.time()
        for key, button in self._buttons:
            self._read(key, button, now)
        self._arm()
        self._read_again = self._loop.call_later(READ_AGAIN, self._on_reading) if self._buttons else None

    def _read(self, key: Key, button: Button, now: float) -> None:
        self._presses.act(key, key.filter.tick(button.read(), now))

    # -- lamps ----------------------------------------------------------------------------------------------------

    def _on_event(self, event: Event) -> None:
        """Note which lamps may have changed; they are looked at once, however many events come at a moment."""
        about = subject(event)
        faces = self._by_subject.get(about, ()) if about else ()
        if faces and not self._stale:
            self._loop.call_soon(self._refresh)
        self._stale.update(dict.fromkeys(faces))

    def _refresh(self) -> None:
        faces, self._stale = self._stale, {}
        self._show(faces)

    def _show(self, faces: Iterable[Face]) -> None:
        if not self._running:
            return
        now = self._loop.time()
        for face in faces:
            face.show(now)
        self._arm()

    # -- time -----------------------------------------------------------------------------------------------------

    def _arm(self) -> None:
        """Set the timer for whatever is due next."""
        due = [key.filter.deadline() for key, _ in self._buttons]
        due += [face.refused_until for face in self._faces]
        due += [opened.lights.deadline() for opened in self._opened.values()]
        first = min((at for at in due if at is not None), default=None)
        if self._timer is not None:
            if self._timer.when() == first:
                return
            self._timer.cancel()
        self._timer = None if first is None else self._loop.call_at(first, self._on_timer)

    def _on_timer(self) -> None:
        assert self._timer is not None
        now = max(self._loop.time(), self._timer.when())  # a loop may be early by its clock's resolution
        self._timer = None
        for key, button in self._buttons:
            at = key.filter.deadline()
            if at is not None and at <= now:
                self._read(key, button, now)
        self._show([f for f in self._faces if f.refused_until is not None and f.refused_until <= now])
        for opened in self._opened.values():
            opened.lights.tick(now)
        self._arm()
