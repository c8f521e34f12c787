"""From a message on a `set` or `request` topic to what was asked, or why it cannot be done. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge.commands.model import NIGHT, OWNER, Actor, Command, CommandError, Kind, LoginVerb
from bridge.commands.verbs import COMMANDS, parse, transaction_key
from bridge.commands.words import NAME_LENGTH, check_fields
from bridge.mqtt.model import Message
from bridge.mqtt.topics import Asking, NightTopic, RequestTopic, SetTopic

LARGEST = 8192  # bytes of a payload

_WORDS = {"ON": LoginVerb.LOGIN, "OFF": LoginVerb.LOGOUT}
_SET_FIELDS = ("login", "for", "until", "reason")
_RIGHT_SET = 'right are ON, OFF, or {"login": "ON", "for": 7200, "reason": "...", "transaction": "..."}'

_SWITCH = {"ON": True, "OFF": False}
_SETS = {
    SetTopic: ("login", _RIGHT_SET),
    NightTopic: ("night", 'right are ON, OFF, "open", "closed", "hours" or {"night": "closed", "transaction": "..."}'),
}
"""By the kind of a `set` topic: the field that a word alone stands for, and what would be right."""

_RETAINED = CommandError(
    "bad_request", "a retained message is ignored, it would be done again at every start; publish without retain"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a message asks: a command, else a query by its verb; or an `error`.

    `user` is whose topic it came on, None for the owner's. `transaction` is as it came, to be echoed; `key` tells it
    from others.
    """

    verb: str  # as the response topic names it
    user: str | None = None
    command: Command | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    transaction: object = None
    key: str | None = None
    error: CommandError | None = None

    @property
    def actor(self) -> Actor:
        """In whose name it is asked: the topic is the identity, which the broker's rules have checked."""
        return OWNER if self.user is None else Actor(Kind.USER, self.user)


def read(topic: Asking, message: Message, wall: float) -> Asked | None:
    """Return what was asked, None where a retained message was only taken away. `wall` is UTC seconds."""
    verb, user = (topic.verb[:NAME_LENGTH], topic.user) if isinstance(topic, RequestTopic) else ("set", None)
    if message.retained and message.size == 0:
        return None
    transaction, key = None, None
    try:
        body = _body(topic, message)
        given = body.pop("transaction", None)
        key = transaction_key(given)
        transaction = given
        command = _command(topic, body, wall)
    except CommandError as wrong:
        error = _RETAINED if message.retained else wrong
        return Asked(verb, user, transaction=transaction, key=key, error=error)
    if message.retained:
        return Asked(verb, user, transaction=transaction, key=key, error=_RETAINED)
    return Asked(verb, user, command, body, transaction, key)


def _command(topic: Asking, body: dict[str, Any], wall: float) -> Command | None:
    match topic:
        case SetTopic(group, member):
            return _set_login(group, member, body, wall)
        case NightTopic(group):
            return _set_night(group, body, wall)
        case RequestTopic(verb, user):
            return parse(verb, body, wall, own=user) if verb in COMMANDS else None


def _set_login(group: str, member: str, body: dict[str, Any], wall: float) -> Command:
    check_fields("set", body, (*_SET_FIELDS, "transaction"))
    word = body.pop("login", None)
    verb = _WORDS.get(word.strip().upper()) if isinstance(word, str) else None
    if verb is None:
        wrong = f"login is {str(word)[:40]!r}" if word is not None else "login is missing"
        raise CommandError("bad_request", f"{wrong}; {_RIGHT_SET}")
    return parse(verb, {**body, "group": group, "member": member}, wall)


def _set_night(group: str, body: dict[str, Any], wall: float) -> Command:
    check_fields("set", body, ("night", "transaction"))
    word = body.get("night")
    if isinstance(word, str):
        word = _SWITCH.get(word.strip().upper(), word.strip().lower())
    return parse(NIGHT, {"group": group, "night": word}, wall)


def _body(topic: Asking, message: Message) -> dict[str, Any]:
    """Return a payload as an object; on a `set` topic a word alone stands for one."""
    if message.payload is None or message.size > LARGEST:
        raise CommandError("too_large", f"the payload has {message.size} bytes; right are {LARGEST} at most")
    key, right = _SETS.get(type(topic), ("", "right is a JSON object, or nothing"))
    try:
        text = message.payload.decode("utf-8").strip()
        if key and text.upper() in _WORDS:
            return {key: text}
        value = json.loads(text) if text or key else {}
    except (ValueError, RecursionError):
        raise CommandError("bad_request", f"the payload is not JSON in UTF-8; {right}") from None
    if key and isinstance(value, str):
        return {key: value}
    if not isinstance(value, dict):
        raise CommandError("bad_request", f"the payload is not an object; {right}")
    return value
