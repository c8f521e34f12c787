"""The answers as values, and how each is read from one line of text. ValueError: what is wrong; what is right."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from bridge.config.addresses import Broker, Server
from bridge.config.fields import check_name, check_number, parse_broker, parse_server

Secret = str | Mapping[str, str]
"""A secret itself, or where it is kept, as the configuration takes it: `{"env": "NAME"}`."""


class Pbx(NamedTuple):
    """A kind of PBX: what it is called, what is usual there, and what a phone there looks like to who is asked."""

    title: str
    server: str = ""
    username: str = ""
    phone: str = ""
    watch: bool = False  # whether it tells what its phones are doing (BLF)
    trunk: bool = True


PBXS = {
    "fritzbox": Pbx("FRITZ!Box", "fritz.box", "620", "Anna **611"),
    "freepbx": Pbx("FreePBX", "", "620", "Anna 201", watch=True),
    "asterisk": Pbx("Asterisk, by pjsip.conf", "", "cti-bridge", "Anna 201", watch=True),
    "provider": Pbx("a provider, and no PBX in the house", "", "", "Anna-mobile 0555123456"),
    "none": Pbx("none: all phones register at the bridge", trunk=False),
}
STRATEGIES = {
    "parallel": "all at once",
    "sequential": "one after the other",
    "queue": "one after the other, callers wait",
}
PINS = ((17, 27), (23, 24), (19, 26), (12, 16))
"""Button and lamp of the first desks, as hardware/README.md draws them."""

_SPELLED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "oe", "æ": "ae", "å": "aa", "ł": "l"})


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone: whose it is, what is dialled for it. `own`: it registers at the bridge; `device`: it is nobody's."""

    key: str
    shown: str
    dial: str
    own: bool
    device: bool = False

    @property
    def number(self) -> str:
        """The number of its line: what is dialled, without what only a PBX needs."""
        return self.dial.lstrip("*#") or self.dial


@dataclass(frozen=True, slots=True)
class Group:
    """A hunt group; `members` are keys of phones."""

    key: str
    shown: str
    number: str
    members: tuple[str, ...]
    strategy: str = "parallel"


@dataclass(frozen=True, slots=True)
class Desk:
    """A button and a lamp at pins, beside a phone, for a group; all by their keys."""

    phone: str
    button: int
    lamp: int
    group: str


@dataclass(frozen=True, slots=True)
class Answers:
    """All that is asked. A password of None is made up; `broker` None: there is none."""

    pbx: str
    phones: tuple[Phone, ...]
    groups: tuple[Group, ...]
    site: str = "home"
    server: Server | None = None
    username: str = ""
    password: Secret | None = None
    call_monitor: bool = False
    listen: str = "0.0.0.0"
    port: int = 5060
    desks: tuple[Desk, ...] = ()
    broker: Broker | None = None
    broker_username: str = ""
    broker_password: Secret | None = None


def read_pbx(text: str) -> str:
    """Return the kind of PBX, by its word or its place in the list."""
    words = list(PBXS)
    if text.isascii() and text.isdigit() and 1 <= int(text[:3]) <= len(words):
        return words[int(text) - 1]
    if text.lower() in PBXS:
        return text.lower()
    raise ValueError(f"{text[:40]!r} is none of them; right are {', '.join(words)}")


def read_server(text: str) -> Server:
    """Return a PBX's address, with or without `sip:` before it."""
    return parse_server(text if text.lower().startswith("sip:") else f"sip:{text}")


def read_broker(text: str) -> Broker | None:
    """Return a broker's address, with or without `mqtt://` before it; None for "none"."""
    if text in ("", "none"):
        return None
    return parse_broker(text if "://" in text else f"mqtt://{text}")


def read_port(text: str) -> int:
    """Return a port to listen at."""
    if not (text.isascii() and text.isdigit() and 0 < int(text[:6]) < 65536):
        raise ValueError(f"{text[:20]!r} is no port; right are 1 to 65535")
    return int(text)


def read_pin(text: str) -> int:
    """Return a GPIO."""
    if not (text.isascii() and text.isdigit() and int(text[:4]) <= 27):
        raise ValueError(f"{text[:20]!r} is no GPIO; right are 0 to 27, as on the drawings")
    return int(text)


def read_phone(text: str, own: bool, others: Sequence[Phone]) -> Phone:
    """Return the phone that `Anna 201` tells of; it has a key and a number that none of the others has."""
    shown, _, dial = text.strip().rpartition(" ")
    if not shown:
        raise ValueError(f"{text[:60]!r} is a name or a number alone; write both, as in Anna 201")
    check_number(dial)
    phone = Phone(_key(shown, [each.key for each in others]), _shown(shown), dial, own)
    if own and not phone.number == dial:
        raise ValueError(f"{dial[:20]!r} cannot be a user name; a phone that registers here has a plain number")
    for each in others:
        if each.number == phone.number:
            raise ValueError(f"{each.shown} has the number {each.number} already; each phone has its own")
    return phone


def read_members(text: str, phones: Sequence[Phone]) -> tuple[str, ...]:
    """Return the keys of the phones that a list of names means; `all` means everybody."""
    if text.strip() == "all":
        return tuple(phone.key for phone in phones)
    return tuple(dict.fromkeys(find(name, phones).key for name in _listed(text)))


def read_devices(text: str, phones: Sequence[Phone]) -> tuple[str, ...]:
    """Return the keys of the phones that are nobody's; `none`, or nothing, means that there are none."""
    return () if text.strip() in ("", "none") else read_members(text, phones)


def read_group(text: str, phones: Sequence[Phone], others: Sequence[Group]) -> Group:
    """Return the group that `Support 600`, `Support 600 sequential` or `Support 600 parallel: Anna, Ben` tells of."""
    head, colon, members = text.partition(":")
    words = head.split()
    strategy = words.pop() if len(words) > 2 and words[-1] in STRATEGIES else "parallel"
    if len(words) < 2:
        raise ValueError(f"{text[:60]!r} is a name or a number alone; write both, as in Support 600")
    number, shown = check_number(words[-1]), " ".join(words[:-1])
    taken = {**{phone.number: phone.shown for phone in phones}, **{group.number: group.shown for group in others}}
    if number in taken:
        raise ValueError(f"{taken[number]} has the number {number} already; a group has its own")
    key = _key(shown, [each.key for each in others])
    return Group(key, _shown(shown), number, read_members(members if colon else "all", phones), strategy)


def read_strategy(text: str) -> str:
    """Return a way to ring, by its word or its place in the list."""
    words = list(STRATEGIES)
    if text.isascii() and text.isdigit() and 1 <= int(text[:3]) <= len(words):
        return words[int(text) - 1]
    if text in STRATEGIES:
        return text
    raise ValueError(f"{text[:40]!r} is none of them; right are {', '.join(words)}")


def read_desk(text: str, phones: Sequence[Phone], groups: Sequence[Group], desks: Sequence[Desk]) -> Desk:
    """Return the desk that `Anna`, `Anna 17 27` or `Anna 17 27 Support` tells of."""
    match = re.fullmatch(r"\s*(.+?)(?:\s+(\d+)\s+(\d+)(?:\s+(.+?))?)?\s*", text)
    if match is None:
        raise ValueError("is empty; write whose phone it stands beside, as in Anna")
    phone = find(match[1], phones)
    if any(each.phone == phone.key for each in desks):
        raise ValueError(f"{phone.shown} has a button already; one desk has one here, more can be written by hand")
    button, lamp = (read_pin(match[2]), read_pin(match[3])) if match[2] else free_pins(desks)
    used = {pin: each.phone for each in desks for pin in (each.button, each.lamp)}
    for pin in (button, lamp):
        if pin in used or button == lamp:
            raise ValueError(f"GPIO {pin} is used already; each can be used once")
    return Desk(phone.key, button, lamp, find_group(match[4] or "", phone, groups).key)


def find_group(name: str, phone: Phone, groups: Sequence[Group]) -> Group:
    """Return the group that a button is for: the named one, else the first that the phone is a member of."""
    for group in groups:
        if phone.key in group.members and (not name or name.lower() in (group.key, group.shown.lower(), group.number)):
            return group
    right = ", ".join(group.shown for group in groups if phone.key in group.members)
    raise ValueError(f"{phone.shown} is in no group {name}".rstrip() + f"; right are {right or 'none: add one first'}")


def find(name: str, phones: Sequence[Phone]) -> Phone:
    """Return the phone that is called so, by name, key or number."""
    wanted = name.strip().lower()
    for phone in phones:
        if wanted in (phone.key, phone.shown.lower(), phone.dial, phone.number):
            return phone
    right = ", ".join(phone.shown for phone in phones)
    raise ValueError(f"there is no phone {name.strip()[:40]!r}; right are {right or 'none: add one first'}")


def free_pins(desks: Sequence[Desk]) -> tuple[int, int]:
    """Return the first pair of pins that is free."""
    used = {pin for each in desks for pin in (each.button, each.lamp)}
    for pair in PINS:
        if not used & set(pair):
            return pair
    raise ValueError("all usual pins are used; write two that are free behind the name, as in Anna 5 6")


def with_devices(phones: Sequence[Phone], devices: Iterable[str]) -> tuple[Phone, ...]:
    """Return the phones, those of these keys as nobody's."""
    keys = set(devices)
    return tuple(Phone(p.key, p.shown, p.dial, p.own, p.key in keys) for p in phones)


def read_secret(value: Any) -> Secret | None:
    """Return a secret from a file of answers: text, or where it is kept; None where it is to be made up."""
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, dict) and len(value) == 1 and next(iter(value)) in ("file", "env"):
        return {str(key): str(each) for key, each in value.items()}
    raise ValueError('is no secret; write it as text, { file = "..." } or { env = "..." }')


def read_site(text: str) -> str:
    """Return the site's name."""
    return check_name(text)


def read_word(text: str) -> str:
    """Return a user name, or nothing."""
    if not text.isprintable() or len(text) > 128:
        raise ValueError("has control characters, or over 128; write one line of text")
    return text


def _listed(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise ValueError("names nobody; write names with commas between, or all")
    return names


def _shown(text: str) -> str:
    shown = " ".join(text.split())
    if not shown.isprintable() or len(shown) > 60:
        raise ValueError(f"{shown[:60]!r} cannot be a name; write one line of up to 60 characters")
    return shown


def _key(shown: str, taken: Sequence[str]) -> str:
    """Return a name for the configuration, made of a name for people: "Jörg Ott" is joerg-ott."""
    plain = unicodedata.normalize("NFKD", shown.lower().translate(_SPELLED)).encode("ascii", "ignore").decode()
    key = re.sub(r"[^a-z0-9_]+", "-", plain).strip("-")[:28] or "phone"
    number = 1
    while (made := key if number == 1 else f"{key}-{number}") in (*taken, "all"):
        number += 1
    return made
