"""A call to the spoken menu: its `Menu` tied to a leg, to the command path and to time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bridge.calls.parties import Caller
from bridge.calls.passage import Passage
from bridge.calls.phones.attended import Attended, House
from bridge.calls.phones.menu import Do, Leave, Menu, Place, Prove, Say, Signal, State, Want
from bridge.calls.phones.pins import Pins, Verdict
from bridge.calls.present import Present
from bridge.calls.spoken import Spoken
from bridge.commands.eyes import Eyes
from bridge.commands.model import Actor, Kind, LoginCommand, LoginVerb, Reply
from bridge.commands.phones import actor_at, groups_with
from bridge.directory.logins import Logins
from bridge.directory.model import Directory, Group, Member
from bridge.events import PinRefused, PinTaken
from bridge.media.model import Sound
from bridge.media.prompts import SILENCE, digits
from bridge.sip.incoming import IncomingLeg

PATIENCE = 8.0  # seconds without a key, after all was said
LONGEST = 900.0

_VERDICTS = {Verdict.RIGHT: Signal.RIGHT, Verdict.WRONG: Signal.WRONG, Verdict.LOCKED: Signal.LOCKED}


class Known:
    """Somebody who is known to call: their groups as they are now."""

    def __init__(self, actor: Actor, present: Present, logins: Logins) -> None:
        self.actor = actor
        self._present = present
        self._logins = logins

    def places(self) -> Sequence[Place]:
        """Return the groups."""
        found = []
        for group in groups_with(self.actor, self._present.directory):
            login = self._logins.get(group.name, self.actor.name)
            inside = tuple(self._inside(group))
            found.append(Place(group.name, group.number or "", login.logged_in, login.paused, inside))
        return found

    def _inside(self, group: Group) -> Iterable[tuple[Sound, ...]]:
        """Yield what is said for each member who is in, as far as that is for this caller to know."""
        eyes = Eyes(self.actor, self._present.directory)
        for member in group.members:
            if self._logins.get(group.name, member.name).logged_in and eyes.sees_member(member):
                yield (SILENCE, *_name(member, eyes))


def _name(member: Member, eyes: Eyes) -> tuple[Sound, ...]:
    """Return how a member is called: by the recorded name, else by number; not at all where that is private."""
    directory = eyes.directory
    user = None if member.device else directory.users.get(member.name)
    if user is not None and user.spoken_name is not None:
        return (user.spoken_name,)
    line = directory.lines.get(member.line)
    return digits(line.number) if line is not None and eyes.sees_number_of(line) else ()


class MenuCall(Attended):
    """One call to the menu. A phone of ours is known by its line, whoever else by number and PIN."""

    def __init__(self, house: House, leg: IncomingLeg, caller: Caller, passage: Passage, pins: Pins) -> None:
        super().__init__(house, leg, caller, passage)
        self._pins = pins
        self._known: Known | None = None
        if caller.line is not None:
            self._known = self._know(actor_at(caller.line, house.present.directory))
        self._menu = Menu(self._known)
        self._verdict: tuple[Signal, Known | None] | None = None  # to be told when it is due
        self._until = 0.0

    def start(self, now: float) -> None:
        """Answer, and speak."""
        if self.answer(now):
            self._until = now + LONGEST
            self._follow(self._menu.start(), now)

    def on_key(self, spoken: Spoken, key: str, now: float) -> None:
        """Take a key."""
        self._follow(self._menu.key(key), now)

    def on_played(self, spoken: Spoken, now: float) -> None:
        """Wait for a key, or go on where nothing is to be chosen."""
        wants = self._menu.receive(Signal.SAID)
        if wants:
            self._follow(wants, now)
        else:
            self._wait(now)

    def tick(self, now: float) -> None:
        """Tell a verdict, or note that nobody has pressed a key."""
        if self._verdict is not None:
            (signal, known), self._verdict = self._verdict, None
            if known is not None:
                self._known = self._menu.caller = known
                wall, user = self._house.wall(), known.actor.name
                self._house.tell(PinTaken(wall, user, self.caller.number, self.caller.trunk))
            self._follow(self._menu.receive(signal), now)
        elif self._menu.state is State.LEAVING:
            self.leave(now)
        else:
            wants = self._menu.receive(Signal.NOBODY if now >= self._until else Signal.SILENCE)
            if not wants:
                self._house.arm(self, now + PATIENCE)
            self._follow(wants, now)

    def _wait(self, now: float) -> None:
        if self._verdict is None and not self.is_over:
            self._house.arm(self, now + PATIENCE)

    def _follow(self, wants: Iterable[Want], now: float) -> None:
        for want in wants:
            match want:
                case Say(sounds):
                    self.say(sounds)
                    self._house.arm(self, now + (PATIENCE if not sounds else LONGEST))
                case Prove(number, pin):
                    self._prove(number, pin, now)
                case Do(verb, group):
                    assert self._known is not None
                    actor = self._known.actor
                    self._house.wish(LoginCommand(LoginVerb(verb), group, actor.name), actor, self._replied)
                case Leave():
                    self.leave(now)

    def _replied(self, reply: Reply, now: float) -> None:
        if not self.is_over:
            self._follow(self._menu.receive(Signal.DONE if reply.ok else Signal.REFUSED), now)

    # -- who calls -------------------------------------------------------------------------------------------------

    def _know(self, actor: Actor) -> Known:
        return Known(actor, self._house.present, self._house.logins)

    def _prove(self, number: str, pin: str, now: float) -> None:
        present, caller = self._house.present, self.caller
        users = users_by_number(present.directory)
        pins = {at: present.settings.pins[user] for at, user in users.items() if user in present.settings.pins}
        judged = self._pins.judge(number, pin, f"{caller.trunk} {caller.number}", pins, now)
        user = users.get(number) if number in pins else None
        known = None
        if judged.verdict is Verdict.RIGHT and user is not None:
            known = self._know(Actor(Kind.USER, user))
        else:
            wall, locked = self._house.wall(), round(judged.locked_for)
            self._house.tell(PinRefused(wall, user, caller.number, caller.trunk, judged.wrong, locked))
        self._verdict = _VERDICTS[judged.verdict], known
        self._house.arm(self, now + judged.delay)


def users_by_number(directory: Directory) -> dict[str, str]:
    """Return users by the numbers of their lines."""
    return {directory.lines[u.line].number: u.name for u in directory.users.values() if u.line in directory.lines}
