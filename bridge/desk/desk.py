"""The desk's door: buttons to commands through the port, confirmed states to lamps.

Everything here runs on the loop. Buttons call from threads of their own; `_edge` is the one place where they enter
the loop, with the time at which the pin moved. A single timer serves all filters, patterns and refusals, and is
not set while nothing is pending.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence

from bridge.calls.status import Telephony
from bridge.commands.model import Command
from bridge.desk.actions import Action
from bridge.desk.filter import Filter, Gesture
from bridge.desk.lamps import Lamps
from bridge.desk.model import ButtonSettings, DeskError, DeskSettings, LampSettings
from bridge.desk.parts import Desk, Face, Key
from bridge.desk.shows import Eyes, Subject, subject
from bridge.directory.logins import Origin
from bridge.events import Event
from bridge.port.model import Port
from hardware.model import Board, HardwareError
from hardware.pins import caution


class Desks:
    """All desks with parts at GPIO pins, on the running loop between `start` and `close`."""

    def __init__(self, settings: Sequence[DeskSettings], port: Port, telephony: Telephony, board: Board) -> None:
        self._settings = settings
        self._port = port
        self._telephony = telephony
        self._board = board
        self._keys: list[Key] = []
        self._faces: list[Face] = []
        self._by_subject: dict[Subject, list[Face]] = {}
        self._lamps: Lamps[Face] = Lamps()
        self._stale: dict[Face, None] = {}
        self._commands: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._unfollow: Callable[[], None] = lambda: None
        self._running = False

    def start(self) -> None:
        """Open every part and show the truth; raises DeskError with every part that cannot be opened."""
        self._loop = asyncio.get_running_loop()
        problems = [problem for desk in self._settings for problem in self._open(desk)]
        if problems:
            self._board.close()
            raise DeskError(problems)
        self._running = True
        self._unfollow = self._port.follow(self._on_event)
        self._show(self._faces)

    def close(self) -> None:
        """Darken the lamps and free the pins; commands that are on their way are still carried through."""
        self._running = False
        self._unfollow()
        if self._timer is not None:
            self._timer.cancel()
        self._board.close()

    # -- opening --------------------------------------------------------------------------------------------------

    def _open(self, settings: DeskSettings) -> Iterable[str]:
        desk = Desk(settings.member)
        for index, button in enumerate(settings.buttons):
            if button.gpio is not None:
                place = f"desks.{settings.name}.buttons[{index}]"
                yield from self._open_button(desk, button, button.gpio, place, settings.name)
        for index, lamp in enumerate(settings.lamps):
            if lamp.gpio is not None:
                place = f"desks.{settings.name}.lamps[{index}]"
                yield from self._open_lamp(desk, lamp, lamp.gpio, place, settings.name)

    def _open_button(self, desk: Desk, settings: ButtonSettings, pin: int, place: str, name: str) -> Iterable[str]:
        try:
            button = self._board.button(pin, place, f"{name}: {settings}")
        except HardwareError as error:
            yield f"{place}: {error}"
            return
        key = Key(desk, settings, button, Filter(holds=settings.hold is not None, pressed=button.read()))
        button.on_change(lambda pressed: self._edge(key, pressed))
        self._keys.append(key)

    def _open_lamp(self, desk: Desk, settings: LampSettings, pin: int, place: str, name: str) -> Iterable[str]:
        try:
            lamp = self._board.lamp(pin, place, f"{name}: {settings.shows}")
        except HardwareError as error:
            yield f"{place}: {error}"
            return
        face = Face(settings.shows, Eyes(desk.member, self._port, self._telephony), lamp)
        desk.faces.append(face)
        self._faces.append(face)
        for about in face.eyes.subjects(face.shows):
            self._by_subject.setdefault(about, []).append(face)

    # -- buttons --------------------------------------------------------------------------------------------------

    def _edge(self, key: Key, pressed: bool) -> None:
        """Bring an edge from whatever thread it came on to the loop."""
        if self._running:
            self._loop.call_soon_threadsafe(self._on_edge, key, pressed, self._loop.time())

    def _on_edge(self, key: Key, pressed: bool, at: float) -> None:
        if self._running:
            self._act(key, key.filter.edge(pressed, at))
            self._arm()

    def _act(self, key: Key, gestures: Iterable[Gesture]) -> None:
        for gesture in gestures:
            if gesture is Gesture.DOWN:
                key.asked = self._ask(key, key.does.press)
            elif gesture is Gesture.PRESS:
                self._do(key, key.does.press, key.asked)
            elif gesture is Gesture.HOLD:
                self._answer(key.asked, refused=False)
                self._do(key, key.does.hold, self._ask(key, key.does.hold))

    def _ask(self, key: Key, action: Action | None) -> list[Face]:
        """Flash the lamps that an action is about, before anything is known of how it ends."""
        if action is None:
            return []
        faces = key.desk.concerned(action, self._port.directory)
        for face in faces:
            face.ask()
        self._show(faces)
        return faces

    def _do(self, key: Key, action: Action | None, faces: list[Face]) -> None:
        if action is None:
            return
        command = action.command(key.desk.member)
        if command is None:
            self._answer(faces, refused=True)
            return
        task = self._loop.create_task(self._submit(key.desk, command, faces))
        self._commands.add(task)
        task.add_done_callback(self._done)

    async def _submit(self, desk: Desk, command: Command, faces: list[Face]) -> None:
        reply = await self._port.submit(command, desk.actor(self._port.directory), Origin.BUTTON)
        self._answer(faces, refused=not reply.ok)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._commands.discard(task)
        if not task.cancelled():
            task.result()  # an error in it is a bug, and the loop's exception handler is told

    def _answer(self, faces: list[Face], *, refused: bool) -> None:
        for face in faces:
            face.answer(refused, self._loop.time())
        self._show(faces)

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
            self._switch(self._lamps.show(face, face.signal(now), now))
        self._arm()

    def _switch(self, switches: Iterable[tuple[Face, bool]]) -> None:
        for face, on in switches:
            face.lamp.set(on)

    # -- time -----------------------------------------------------------------------------------------------------

    def _arm(self) -> None:
        """Set the timer for whatever is due next."""
        due = [key.filter.deadline() for key in self._keys]
        due += [face.refused_until for face in self._faces]
        due.append(self._lamps.deadline())
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
        for key in self._keys:
            at = key.filter.deadline()
            if at is not None and at <= now:
                self._act(key, key.filter.tick(key.button.read(), now))
        self._show([f for f in self._faces if f.refused_until is not None and f.refused_until <= now])
        self._switch(self._lamps.tick(now))
        self._arm()


def cautions(settings: Sequence[DeskSettings]) -> list[str]:
    """Return warnings of pins that can be used and had better not be, each with its key path."""
    pins: list[tuple[str, int | None]] = []
    for desk in settings:
        pins += ((f"desks.{desk.name}.buttons[{i}].gpio", button.gpio) for i, button in enumerate(desk.buttons))
        pins += ((f"desks.{desk.name}.lamps[{i}].gpio", lamp.gpio) for i, lamp in enumerate(desk.lamps))
    found = ((place, caution(pin)) for place, pin in pins if pin is not None)
    return [f"{place}: {warning}" for place, warning in found if warning]
