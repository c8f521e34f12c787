"""From what a finger did to a command in the name of the desk's member, and back to the lamps how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from bridge.commands.model import Command
from bridge.desk.actions import ALL, Action
from bridge.desk.filter import Gesture
from bridge.desk.parts import Face, Key
from bridge.events import DeskPressed, Event
from bridge.port.model import Port


class Presses:
    """Acts on gestures, on the running loop. `show`: lets faces show what is so now. `tell`: publishes an event."""

    def __init__(
        self,
        port: Port,
        show: Callable[[Iterable[Face]], None],
        tell: Callable[[Event], None],
        wall: Callable[[], float],
    ) -> None:
        self._port = port
        self._show = show
        self._tell = tell
        self._wall = wall
        self._loop = asyncio.get_running_loop()
        self._commands: set[asyncio.Task[None]] = set()

    def act(self, key: Key, gestures: Iterable[Gesture]) -> None:
        """Do what a key's gestures ask for."""
        for gesture in gestures:
            if gesture is Gesture.DOWN:
                self._ask(key, key.does.press)
            elif gesture is Gesture.PRESS:
                self._do(key, key.does.press, gesture)
            elif gesture is Gesture.HOLD:
                self.forget(key)
                self._ask(key, key.does.hold)
                self._do(key, key.does.hold, gesture)

    def forget(self, key: Key) -> None:
        """Take back what a press has promised, as when its key is gone before it meant anything."""
        faces, key.asked = key.asked, []
        self._answer(faces, refused=False)

    def _ask(self, key: Key, action: Action | None) -> None:
        """Flash the lamps that an action is about, before anything is known of how it ends."""
        if action is None:
            return
        key.asked = key.desk.concerned(action, self._port.directory)
        for face in key.asked:
            face.ask()
        self._show(key.asked)

    def _do(self, key: Key, action: Action | None, gesture: Gesture) -> None:
        faces, key.asked = key.asked, []
        self._tell(DeskPressed(self._wall(), key.desk.name, key.where, gesture.value, str(action) if action else None))
        if action is None:
            return
        self._take_note(key, action)
        command = action.command(key.desk.member)
        if command is None:
            self._answer(faces, refused=True)
            return
        task = self._loop.create_task(self._submit(key, command, faces))
        self._commands.add(task)
        task.add_done_callback(self._commands.discard)

    def _take_note(self, key: Key, action: Action) -> None:
        """Whoever presses a button about a group stands before the lamp that shows what the group has missed."""
        directory, member = self._port.directory, key.desk.member
        for face in key.desk.faces:
            group = directory.group(face.shows.target) if face.shows.word == "missed" else None
            about = group is not None and (action.target == ALL or directory.group(action.target) is group)
            if group is not None and about and self._port.missed(group.name, member):
                self._port.seen(group.name, member, key.origin)

    async def _submit(self, key: Key, command: Command, faces: list[Face]) -> None:
        reply = await self._port.submit(command, key.desk.actor(self._port.directory), key.origin)
        self._answer(faces, refused=not reply.ok)

    def _answer(self, faces: list[Face], *, refused: bool) -> None:
        for face in faces:
            face.answer(refused, self._loop.time())
        self._show(faces)
