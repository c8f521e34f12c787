"""The settings of calls to and from the outside: what may be called, what callers are named, who is not wanted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, ValidationInfo, WithJsonSchema

from bridge.config.fields import Flag, Number, Part, show
from bridge.directory.outside import COSTLY, DAILY, EMERGENCY
from bridge.directory.phonebook import Entry, vcard_entries

LARGEST = 20 * 2**20  # bytes of a phonebook


class Book(NamedTuple):
    """A phonebook that was read."""

    path: Path
    entries: tuple[Entry, ...]


def check_prefix(text: str) -> str:
    """Return the beginning of a number as it is. Raises ValueError."""
    if not re.fullmatch(r"[+*#0-9][*#0-9]{0,31}", text):
        raise ValueError(f'{text[:40]!r} begins no number; right are digits, + in front, * and #, as in "0900"')
    return text


def check_digits(text: str) -> str:
    """Return a country or area code as it is. Raises ValueError."""
    if not re.fullmatch(r"[1-9][0-9]{0,5}", text):
        raise ValueError(f'{text[:20]!r} is no such code; right are its digits without 0 or + in front, as in "49"')
    return text


def check_pattern(text: str) -> str:
    """Return a number or its beginning with a star behind, as it is. Raises ValueError."""
    if not re.fullmatch(r"\+?[0-9 ()/.-]{2,40}\*?", text):
        raise ValueError(f'{text[:40]!r} is no number; right is one, or its beginning and a *, as in "0900*"')
    return text


def one_or_more(value: Any) -> Any:
    """Return a word alone as a list of one."""
    return (value,) if isinstance(value, str) else value


def _read_by(read: Callable[[str], Iterable[Entry]]) -> Callable[[Any, ValidationInfo], Book]:
    def parse(value: Any, info: ValidationInfo) -> Book:
        if isinstance(value, Book):
            return value
        if not isinstance(value, str) or not value or "\0" in value:
            raise ValueError(f"{show(value)} is not a path; write it as text")
        path = Path((info.context or {}).get("base", ""), Path(value).expanduser())
        try:
            if path.stat().st_size > LARGEST:
                raise ValueError(f"{value[:200]!r} has more than {LARGEST // 2**20} MiB; right is a phonebook")
            if not path.is_file() and not path.is_dir():  # a pipe would be waited for, perhaps for ever
                raise ValueError(f"{value[:200]!r} is no file; right is a phonebook")
            text = path.read_text(encoding="utf-8-sig", errors="replace")
        except OSError as error:
            raise ValueError(f"{value[:200]!r} cannot be read ({error.strerror}); give a file that can") from None
        try:
            return Book(path, tuple(read(text)))
        except ValueError as wrong:
            raise ValueError(f"{value[:200]!r} {wrong}") from None

    return parse


def _fritzbox(text: str) -> Iterable[Entry]:
    from bridge.directory.fritzbook import fritzbox_entries  # XML is read only where it is asked for

    return fritzbox_entries(text)


Prefix = Annotated[str, AfterValidator(check_prefix)]
Digits = Annotated[str, AfterValidator(check_digits)]
Pattern = Annotated[str, AfterValidator(check_pattern)]
Trunks = Annotated[
    tuple[str, ...],
    BeforeValidator(one_or_more),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
_PATH = WithJsonSchema({"type": "string", "examples": ["/etc/cti-bridge/contacts.vcf"]})
VcardField = Annotated[Book, PlainValidator(_read_by(vcard_entries)), _PATH]
FritzboxField = Annotated[Book, PlainValidator(_read_by(_fritzbox)), _PATH]


class OutsideSettings(Part):
    """`[outside]`: which numbers lines with `dial_out` may call. `allow` and `refuse` are beginnings of numbers.

    `daily`: calls of a line; `forward`: whether callers from outside may be diverted or transferred outside again.
    """

    refuse: tuple[Prefix, ...] = COSTLY
    allow: tuple[Prefix, ...] = ()
    emergency: tuple[Number, ...] = EMERGENCY
    daily: Annotated[int, Field(strict=True, ge=0, le=10_000)] = DAILY
    forward: Flag = False


class PhonebookSettings(Part):
    """`[phonebook]`: where names of callers come from, the first that has one; and where the house is."""

    country: Digits = "49"
    area: Digits | None = None
    vcard: VcardField | None = None
    fritzbox: FritzboxField | None = None


class BlocklistSettings(Part):
    """`[blocklist]`: callers from outside who are declined, or sent to a number of ours."""

    numbers: tuple[Pattern, ...] = ()
    anonymous: Flag = False
    send_to: Number | None = None
