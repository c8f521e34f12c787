"""The interview: a few questions to a person. What is wrong with an answer is told, and it is asked again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

from bridge.recipes.answers import (
    PBXS,
    STRATEGIES,
    Answers,
    Desk,
    Group,
    Phone,
    find,
    find_group,
    free_pins,
    read_broker,
    read_devices,
    read_group,
    read_members,
    read_pbx,
    read_phone,
    read_pin,
    read_port,
    read_server,
    read_site,
    read_strategy,
    read_word,
    with_devices,
)

T = TypeVar("T")
WELCOME = """\
A few questions, and the bridge has its configuration. Enter takes what
stands in brackets. Ctrl-C ends this, and nothing is written.
"""


class Person(Protocol):
    """Who is asked. Both raise EOFError when nobody answers any more."""

    def ask(self, prompt: str) -> str:
        """Return an answer."""

    def ask_secretly(self, prompt: str) -> str:
        """Return an answer that is not shown."""

    def tell(self, text: str) -> None:
        """Say something."""


class Interview:
    """Asks one person."""

    def __init__(self, person: Person) -> None:
        self._person = person

    def answers(self) -> Answers:
        """Ask everything; return the answers."""
        tell = self._person.tell
        tell(WELCOME)
        site = self._ask("A name for this site", read_site, "home")
        tell("\nWhich PBX is there?\n" + _choices([kind.title for kind in PBXS.values()]))
        pbx = self._ask("PBX", read_pbx, "1")
        kind = PBXS[pbx]
        server, username, password, monitor = None, "", None, False
        if kind.trunk:
            server = self._ask("Its address", read_server, kind.server)
            username = self._ask("The bridge's user name there", _needed, kind.username)
            password = self._person.ask_secretly("Its password, not shown [made up]: ").strip() or None
        if pbx == "fritzbox":
            monitor = self._ask("Was #96*5* dialled once, for its call monitor (y, n)", _yes, "n")
        phones = self._phones(pbx)
        groups = self._groups(phones)
        desks = self._desks(phones, groups)
        broker, broker_username, broker_password = (
            self._ask("\nMQTT broker, as localhost", read_broker, "none"),
            "",
            None,
        )
        if broker is not None:
            broker_username = self._ask(
                "The bridge's user name there", lambda text: "" if text == "none" else read_word(text), "none"
            )
            if broker_username:
                broker_password = self._person.ask_secretly("Its password, not shown [none]: ").strip() or None
        port = self._ask("SIP port of the bridge", read_port, "5060")
        return Answers(
            pbx=pbx,
            phones=phones,
            groups=groups,
            site=site,
            server=server,
            username=username,
            password=password,
            call_monitor=monitor,
            port=port,
            desks=desks,
            broker=broker,
            broker_username=broker_username,
            broker_password=broker_password,
        )

    def _phones(self, pbx: str) -> tuple[Phone, ...]:
        kind, phones = PBXS[pbx], list[Phone]()
        if kind.trunk:
            where = (
                "Phones reached through the provider" if pbx == "provider" else f"Phones at the {_short(kind.title)}"
            )
            self._person.tell(
                f'\n{where}, each with what is dialled for it,\nas in "{kind.phone}". Enter ends the list.'
            )
            self._several("phone", lambda text: phones.append(read_phone(text, False, phones)))
        self._person.tell('\nPhones that register at the bridge itself, as in "Lobby 203".\nEnter ends the list.')
        self._several("phone", lambda text: phones.append(read_phone(text, True, phones)))
        if not phones:
            return ()
        devices = self._ask(
            "Which of all these are nobody's own (a lobby, a door)", lambda text: read_devices(text, phones), "none"
        )
        return with_devices(phones, devices)

    def _groups(self, phones: Sequence[Phone]) -> tuple[Group, ...]:
        groups: list[Group] = []
        if not phones:
            return ()
        self._person.tell('\nHunt groups, each with its number, as in "Support 600".\nEnter ends the list.')

        def add(text: str) -> None:
            group = read_group(text, phones, groups)
            members = self._ask("  who is in it, with commas", lambda names: read_members(names, phones), "all")
            self._person.tell(_choices(STRATEGIES.values(), indent="    "))
            strategy = self._ask("  its phones ring", read_strategy, "1")
            groups.append(Group(group.key, group.shown, group.number, members, strategy))

        self._several("group", add)
        return tuple(groups)

    def _desks(self, phones: Sequence[Phone], groups: Sequence[Group]) -> tuple[Desk, ...]:
        desks: list[Desk] = []
        if not groups:
            return ()
        self._person.tell("\nButtons with lamps at this Pi's pins: beside whose phones? Enter ends\nthe list.")

        def add(text: str) -> None:
            phone = find(text, phones)
            group = find_group("", phone, groups)
            button, lamp = free_pins(desks)
            if sum(phone.key in each.members for each in groups) > 1:
                group = self._ask("  for which group", lambda name: find_group(name, phone, groups), group.shown)
            button = self._ask("  its button is at GPIO", lambda pin: _free(read_pin(pin), desks), str(button))
            lamp = self._ask("  its lamp is at GPIO", lambda pin: _free(read_pin(pin), desks, button), str(lamp))
            if any(each.phone == phone.key for each in desks):
                raise ValueError(f"{phone.shown} has a button already; more can be written by hand")
            desks.append(Desk(phone.key, button, lamp, group.key))

        self._several("desk of", add)
        return tuple(desks)

    def _ask(self, question: str, read: Callable[[str], T], default: str) -> T:
        """Ask until the answer is right; Enter means the default, shown in brackets."""
        while True:
            text = self._person.ask(f"{question} [{default}]: " if default else f"{question}: ").strip() or default
            try:
                return read(text)
            except ValueError as error:
                self._person.tell(f"  {error}")

    def _several(self, prompt: str, add: Callable[[str], None]) -> None:
        """Ask for one after the other until Enter."""
        while text := self._person.ask(f"  {prompt}: ").strip():
            try:
                add(text)
            except ValueError as error:
                self._person.tell(f"  {error}")


def _choices(titles: Iterable[str], indent: str = "  ") -> str:
    return "\n".join(f"{indent}{number}  {title}" for number, title in enumerate(titles, 1))


def _short(title: str) -> str:
    return title.partition(",")[0]


def _needed(text: str) -> str:
    if not text:
        raise ValueError("is needed; it is the name of the account that was made for the bridge")
    return read_word(text)


def _yes(text: str) -> bool:
    if text.lower() in ("y", "yes", "n", "no"):
        return text.lower().startswith("y")
    raise ValueError("write y or n")


def _free(pin: int, desks: Sequence[Desk], also: int | None = None) -> int:
    if pin == also or any(pin in (each.button, each.lamp) for each in desks):
        raise ValueError(f"GPIO {pin} is used already; each can be used once")
    return pin
