"""A phone has dialled a code: what it means, and what the phone is told of it.

The phone is answered when the command is done or refused, never before: who hears "logged in" is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bridge.calls.parties import Caller
from bridge.calls.passage import Passage
from bridge.calls.phones.attended import Attended, House
from bridge.calls.spoken import Spoken
from bridge.commands.model import Actor, Command, LoginCommand, LoginVerb, NightCommand, Reply
from bridge.commands.phones import actor_at, groups_with
from bridge.commands.places import ALL
from bridge.directory.codes import Code, Dialled
from bridge.directory.logins import Logins
from bridge.directory.model import Directory
from bridge.media.model import Sound
from bridge.media.prompts import CONFIRMED, DENIED, Prompt, digits
from bridge.sip.incoming import IncomingLeg

LONGEST = 30.0  # seconds, whatever the phone does

_NOT_FOR_YOU = frozenset({"not_allowed", "last_one", "static"})
_VERBS = {Code.LOGIN: LoginVerb.LOGIN, Code.LOGOUT: LoginVerb.LOGOUT, Code.TOGGLE: LoginVerb.TOGGLE}


def command_of(dialled: Dialled, actor: Actor, directory: Directory) -> Command | None:
    """Return what a code asks for, None where that is nothing.

    Without a group all of the actor's are meant; for the night switch only where it is in a single one.
    """
    group = directory.group(dialled.target)
    name = dialled.target if group is None else group.name
    verb = _VERBS.get(dialled.code)
    if verb is not None:
        return LoginCommand(verb, name or ALL, actor.name)
    if dialled.code is Code.NIGHT:
        mine = groups_with(actor, directory)
        return NightCommand(name) if name else NightCommand(mine[0].name) if len(mine) == 1 else None
    return None


def told(reply: Reply, directory: Directory, logins: Logins) -> tuple[Sound, ...]:
    """Return what a phone hears of a reply."""
    if not reply.ok:
        return DENIED, Prompt.REFUSED if reply.code in _NOT_FOR_YOU else Prompt.FAILED
    entries = [*reply.data["changed"], *reply.data["unchanged"]]
    said: list[Sound] = [CONFIRMED]
    for entry in entries:
        group = directory.groups.get(entry["group"])
        if len(entries) > 1 and group is not None and group.number is not None:
            said += (Prompt.GROUP, *digits(group.number))
        said += _state_of(entry)
        emptied = group is not None and not any(logins.get(group.name, m.name).logged_in for m in group.members)
        if entry.get("login") == "OFF" and emptied:
            said.append(Prompt.LAST_ONE_OUT)
    return tuple(said)


def _state_of(entry: dict[str, Any]) -> Sequence[Sound]:
    if "night" in entry:
        return (Prompt.NIGHT_OFF if entry["open"] else Prompt.NIGHT_ON,)
    if entry["paused"]:
        return Prompt.LOGGED_IN, Prompt.PAUSED
    return (Prompt.LOGGED_IN if entry["login"] == "ON" else Prompt.LOGGED_OUT,)


class CodeCall(Attended):
    """One call to a code."""

    def __init__(self, house: House, leg: IncomingLeg, caller: Caller, passage: Passage, dialled: Dialled) -> None:
        super().__init__(house, leg, caller, passage)
        assert caller.line is not None
        self._actor = actor_at(caller.line, house.present.directory)
        self._command = command_of(dialled, self._actor, house.present.directory)

    def start(self, now: float) -> None:
        """Ask for what was dialled."""
        if self._command is None:
            self.refuse(404, "No Such Code", now)
        else:
            self._house.wish(self._command, self._actor, self._replied)

    def _replied(self, reply: Reply, now: float) -> None:
        if not self.is_over and self.answer(now):  # who hangs up before does not undo it
            self._house.arm(self, now + LONGEST)
            self.say(told(reply, self._house.present.directory, self._house.logins))

    def on_key(self, spoken: Spoken, key: str, now: float) -> None:
        """Need no key: the code was all."""

    def on_played(self, spoken: Spoken, now: float) -> None:
        """Hang up."""
        self.leave(now)
