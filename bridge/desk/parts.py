"""A desk's parts while it is open: keys with their filters, faces with what they show and why."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from bridge.commands.model import Actor, Kind
from bridge.desk.actions import ALL, Action
from bridge.desk.filter import Filter
from bridge.desk.model import ButtonSettings
from bridge.desk.shows import Eyes, Shows
from bridge.desk.signals import PATTERNS, Signal, pick
from bridge.directory.model import Directory
from hardware.model import Button, Lamp

REFUSED_SECONDS = PATTERNS[Signal.THREE_FLASHES].seconds


@dataclass(eq=False, slots=True)
class Face:
    """A lamp, and what is going on with it beside the truth. `refused_until` is seconds, monotonic."""

    shows: Shows
    eyes: Eyes
    lamp: Lamp
    asked: int = 0  # commands that were asked for and are not yet answered
    refused_until: float | None = None

    def signal(self, now: float) -> Signal:
        """Return what to show now."""
        if self.refused_until is not None and now >= self.refused_until:
            self.refused_until = None
        truth = self.eyes.truth(self.shows)
        return pick(replace(truth, asked=self.asked > 0, refused=self.refused_until is not None))

    def ask(self) -> None:
        """Note that something was asked for; an earlier refusal is no news any more."""
        self.asked += 1
        self.refused_until = None

    def answer(self, refused: bool, now: float) -> None:
        """Note that it was confirmed or refused."""
        self.asked -= 1
        if refused:
            self.refused_until = now + REFUSED_SECONDS

    def is_about(self, action: Action, directory: Directory) -> bool:
        """Whether this lamp shows the login that an action changes."""
        if self.shows.word != "login":
            return False
        return action.target == ALL or directory.group(action.target) is directory.group(self.shows.target)


@dataclass(eq=False, slots=True)
class Desk:
    """An open desk."""

    member: str
    faces: list[Face] = field(default_factory=list)

    def actor(self, directory: Directory) -> Actor:
        """Return in whose name it acts."""
        return Actor(Kind.USER if self.member in directory.users else Kind.DEVICE, self.member)

    def concerned(self, action: Action, directory: Directory) -> list[Face]:
        """Return the lamps that answer an action: those that show what it changes, else all."""
        return [face for face in self.faces if face.is_about(action, directory)] or list(self.faces)


@dataclass(eq=False, slots=True)
class Key:
    """A button, its filter, and the lamps that were promised an answer to the press that is going on."""

    desk: Desk
    does: ButtonSettings
    button: Button
    filter: Filter
    asked: list[Face] = field(default_factory=list)
