"""A phone has dialled a code: what it means, and what the phone is told of it."""

from __future__ import annotations

from collections.abc import Callable

from bridge.commands.model import Actor, Command, LoginCommand, LoginVerb, NightCommand, Reply
from bridge.commands.phones import actor_at
from bridge.commands.places import ALL
from bridge.commands.rights import is_own
from bridge.directory.codes import Code, Dialled
from bridge.directory.model import Directory
from bridge.sip.incoming import IncomingLeg
from bridge.sip.legevents import Ended, LegEvent, Requested

Ask = Callable[[Command, Actor, Callable[[Reply, float], None]], None]

_VERBS = {Code.LOGIN: LoginVerb.LOGIN, Code.LOGOUT: LoginVerb.LOGOUT, Code.TOGGLE: LoginVerb.TOGGLE}


def command_of(dialled: Dialled, actor: Actor, directory: Directory) -> Command | None:
    """Return what a code asks for, None where that is nothing that a phone can ask for so.

    Without a group all of the actor's are meant; of the night switch only where there is one.
    """
    group = directory.group(dialled.target)
    name = dialled.target if group is None else group.name
    verb = _VERBS.get(dialled.code)
    if verb is not None:
        return LoginCommand(verb, name or ALL, actor.name)
    if dialled.code is Code.NIGHT:
        mine = [g.name for g in directory.groups.values() if (m := g.member(actor.name)) and is_own(actor, m)]
        return NightCommand(name) if name else NightCommand(mine[0]) if len(mine) == 1 else None
    return None


class CodeCall:
    """One call to a code. `over` is called once it has ended."""

    def __init__(
        self,
        leg: IncomingLeg,
        line: str,
        dialled: Dialled,
        directory: Directory,
        over: Callable[[CodeCall], None],
    ) -> None:
        self._leg = leg
        self._actor = actor_at(line, directory)
        self._command = command_of(dialled, self._actor, directory)
        self._over = over
        leg.owner = self

    def start(self, ask: Ask, now: float) -> None:
        """Ask for what was dialled."""
        if self._command is None:
            self._end(404, "No Such Code", now)
        else:
            ask(self._command, self._actor, self._replied)

    def handle(self, event: LegEvent, now: float) -> None:
        """Take what the phone says: it may hang up at any moment, what was asked for is done nevertheless."""
        if isinstance(event, Ended):
            self._over(self)
        elif isinstance(event, Requested):
            event.leg.respond(event.transaction, event.request, 491, None, now)

    def _replied(self, reply: Reply, now: float) -> None:
        if self._leg.over:
            return
        if reply.ok:
            self._end(486, "Done", now)
        else:
            self._end(603, "Refused", now)

    def _end(self, status: int, phrase: str, now: float) -> None:
        self._leg.reject(status, now, phrase)
        self._over(self)
