"""A desk's parts while it is open: keys with their filters, faces with what they show and why."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from bridge.commands.model import Actor, Kind
from bridge.desk.actions import ALL, Action
from bridge.desk.filter import Filter
from bridge.desk.lights import Light
from bridge.desk.model import ButtonSettings
from bridge.desk.shows import Eyes, Shows
from bridge.desk.signals import PATTERNS, Signal, pick
from bridge.directory.logins import Origin
from bridge.directory.model import Directory

REFUSED_SECONDS = PATTERNS[Signal.THREE_FLASHES].seconds


@dataclass(eq=False, slots=True)
class Face:
    """A lamp, and what is going on with it beside the truth.

    `where` is its place for people: "gpio 27", "lamp 1". `refused_until` is seconds, monotonic. `tried`: a signal
    that somebody wants to see for a moment, whatever is true.
    """

    where: str
    shows: Shows
    eyes: Eyes
    light: Light
    asked: int = 0  # commands that were asked for and are not yet answered
    refused_until: float | None = None
    tried: Signal | None = None
    shown: Signal = Signal.OFF

    def show(self, now: float) -> None:
        """Show what is to be shown now."""
        self.shown = self.tried or self._signal(now)
        self.light.show(self.shown, now)

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
        """Whether this lamp shows the login, or the night switch, that an action changes."""
        if self.shows.word != action.shown_by:
            return False
        return action.target == ALL or directory.group(action.target) is directory.group(self.shows.target)

    def _signal(self, now: float) -> Signal:
        if self.refused_until is not None and now >= self.refused_until:
            self.refused_until = None
        truth = self.eyes.truth(self.shows)
        return pick(replace(truth, asked=self.asked > 0, refused=self.refused_until is not None))


@dataclass(eq=False, slots=True)
class Desk:
    """An open desk."""

    name: str
    member: str
    faces: list[Face] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)

    def actor(self, directory: Directory) -> Actor:
        """Return in whose name it acts."""
        return Actor(Kind.USER if self.member in directory.users else Kind.DEVICE, self.member)

    def concerned(self, action: Action, directory: Directory) -> list[Face]:
        """Return the lamps that answer an action: those that show what it changes, else all."""
        return [face for face in self.faces if face.is_about(action, directory)] or list(self.faces)


@dataclass(eq=False, slots=True)
class Key:
    """A button or a panel's key, and the lamps that were promised an answer to the press that is going on.

    `where` is its place for people: "gpio 17", "key 1".
    """

    desk: Desk
    where: str
    does: ButtonSettings
    filter: Filter
    origin: Origin = Origin.BUTTON
    asked: list[Face] = field(default_factory=list)
