"""Answers from a file (TOML) or from the command line's options: the same words as in the interview, by key.

pbx = "fritzbox"
server = "fritz.box"
username = "620"
password = { env = "FRITZ_PASSWORD" }              # or text; left out: made up
phones = ["Anna **611", "Ben **612"]               # behind the PBX
own_phones = ["Lobby 203"]                         # register at the bridge
devices = ["Lobby"]                                # nobody's own
groups = ["Support 600 sequential: Anna, Lobby"]   # without a colon: everybody
desks = ["Anna 17 27"]                             # button and lamp
broker = "mqtt://localhost:1883"
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

from bridge.config.fields import check_host
from bridge.recipes.answers import (
    PBXS,
    Answers,
    Desk,
    Group,
    Phone,
    read_broker,
    read_desk,
    read_devices,
    read_group,
    read_pbx,
    read_phone,
    read_port,
    read_secret,
    read_server,
    read_site,
    read_word,
    with_devices,
)

T = TypeVar("T")
P = ParamSpec("P")
LISTS = ("phones", "own_phones", "devices", "groups", "desks")
TEXTS = ("site", "pbx", "server", "username", "listen", "broker", "broker_username")
OTHERS = ("password", "broker_password", "port", "call_monitor")
KEYS = (*TEXTS, *LISTS, *OTHERS)


class AnswerError(Exception):
    """Answers that cannot be taken; the message has a line for each, with its key."""


def table(text: str) -> dict[str, Any]:
    """Return the table that a file of answers is. Raises AnswerError."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise AnswerError(f"this is no TOML: {error}") from None


def read(table: Mapping[str, Any]) -> Answers:
    """Return the answers of a table. Raises AnswerError with all that is wrong with them."""
    return _Reading(table).answers()


class _Reading:
    """Goes through a table; what is wrong is kept, so that all of it is told at once."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        self._table = table
        self._wrong: list[str] = []

    def answers(self) -> Answers:
        self._wrong += [f"{key}: unknown; known are {', '.join(KEYS)}" for key in self._table if key not in KEYS]
        pbx = self._one("pbx", read_pbx, "none")
        kind = PBXS[pbx]
        server = self._one("server", read_server, None) if "server" in self._table else None
        if server is None and kind.server:
            server = read_server(kind.server)
        if kind.trunk and server is None and "server" not in self._table:
            self._wrong.append("server: is missing; give the address of the PBX or provider")
        username = self._one("username", read_word, kind.username)
        if kind.trunk and not username:
            self._wrong.append("username: is missing; give the bridge's user name there")
        phones = self._phones()
        if not kind.trunk and self._table.get("phones"):
            self._wrong.append(
                "phones: there is no PBX that they could be behind; right are pbx, or own_phones for these"
            )
        groups = self._groups(phones)
        found = Answers(
            pbx=pbx,
            phones=phones,
            groups=groups,
            site=self._one("site", read_site, "home"),
            server=server if kind.trunk else None,
            username=username,
            password=self._any("password", read_secret),
            call_monitor=self._any("call_monitor", bool) or False,
            listen=self._one("listen", check_host, "0.0.0.0"),
            port=self._any("port", lambda value: read_port(str(value))) or 5060,
            desks=self._desks(phones, groups),
            broker=self._one("broker", read_broker, None),
            broker_username=self._one("broker_username", read_word, ""),
            broker_password=self._any("broker_password", read_secret),
        )
        if self._wrong:
            raise AnswerError("\n".join(self._wrong))
        return found

    def _phones(self) -> tuple[Phone, ...]:
        phones: list[Phone] = []
        for key, own in (("phones", False), ("own_phones", True)):
            for index, text in self._list(key):
                made = self._try(f"{key}[{index}]", read_phone, text, own, phones)
                phones += [made] if made else []
        devices: tuple[str, ...] = ()
        for index, text in self._list("devices"):
            devices += self._try(f"devices[{index}]", read_devices, text, phones) or ()
        return with_devices(phones, devices)

    def _groups(self, phones: tuple[Phone, ...]) -> tuple[Group, ...]:
        groups: list[Group] = []
        for index, text in self._list("groups"):
            made = self._try(f"groups[{index}]", read_group, text, phones, groups)
            groups += [made] if made else []
        return tuple(groups)

    def _desks(self, phones: tuple[Phone, ...], groups: tuple[Group, ...]) -> tuple[Desk, ...]:
        desks: list[Desk] = []
        for index, text in self._list("desks"):
            made = self._try(f"desks[{index}]", read_desk, text, phones, groups, desks)
            desks += [made] if made else []
        return tuple(desks)

    def _list(self, key: str) -> list[tuple[int, str]]:
        value = self._table.get(key, [])
        if isinstance(value, str):
            value = [value]
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            self._wrong.append(f"{key}: is no list of texts; write it as [{_EXAMPLES[key]}]")
            return []
        return list(enumerate(value))

    def _one(self, key: str, parse: Callable[[str], T], default: T) -> T:
        if key not in self._table:
            return default
        value = self._table[key]
        if not isinstance(value, str):
            self._wrong.append(f"{key}: is no text; write it in quotes")
            return default
        found = self._try(key, parse, value)
        return default if found is None else found

    def _any(self, key: str, parse: Callable[[Any], T]) -> T | None:
        return self._try(key, parse, self._table[key]) if key in self._table else None

    def _try(self, key: str, read: Callable[P, T], *what: P.args, **more: P.kwargs) -> T | None:
        try:
            return read(*what, **more)
        except ValueError as error:
            self._wrong.append(f"{key}: {error}")
            return None


_EXAMPLES = {
    "phones": '"Anna **611"',
    "own_phones": '"Lobby 203"',
    "devices": '"Lobby"',
    "groups": '"Support 600: Anna, Ben"',
    "desks": '"Anna 17 27"',
}
