"""The configuration as it was written, for checks across its parts.

It is looked at beside the models and not through them, so that one mistake does not hide the others. Whatever has the
wrong type is passed over here: the models tell of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import cached_property
from typing import Any

from bridge.config.problems import Loc

Table = Mapping[str, Any]
Finding = tuple[Loc, str]
"""Where a mistake is; what is wrong and what would be right."""


class Draft:
    """The parsed TOML, of which nothing is certain yet."""

    def __init__(self, data: Table) -> None:
        self.data = data

    @property
    def satellite(self) -> bool:
        """Whether this is no bridge of its own: desks whose members and groups are another bridge's."""
        given = self.data.keys()
        return {"mqtt", "desks"} <= given and not given & {"sip", "trunks", "lines", "users", "groups", "codes", "menu"}

    @cached_property
    def trunks(self) -> dict[str, Table]:
        """`[trunks.*]` by name."""
        return tables(self.data, "trunks")

    @cached_property
    def lines(self) -> dict[str, Table]:
        """`[lines.*]` by name."""
        return tables(self.data, "lines")

    @cached_property
    def users(self) -> dict[str, Table]:
        """`[users.*]` by name."""
        return tables(self.data, "users")

    @cached_property
    def groups(self) -> dict[str, Table]:
        """`[groups.*]` by name."""
        return tables(self.data, "groups")

    @cached_property
    def desks(self) -> dict[str, Table]:
        """`[desks.*]` by name."""
        return tables(self.data, "desks")

    @cached_property
    def user_of_line(self) -> dict[str, str]:
        """Each line's user, the first one where several claim it."""
        found: dict[str, str] = {}
        for name, user in self.users.items():
            line = text(user, "line")
            if line is not None:
                found.setdefault(line, name)
        return found

    @cached_property
    def numbers(self) -> dict[str, Loc]:
        """Every number of a line, group or the menu, and the place that has it first."""
        found: dict[str, Loc] = {}
        for loc, number in self.numbered():
            found.setdefault(number, loc)
        return found

    def numbered(self) -> Iterator[tuple[Loc, str]]:
        """Yield every line's and group's number, and the menu's, with its place."""
        menu = self.data.get("menu")
        number = text(menu, "number") if isinstance(menu, Mapping) else None
        if number is not None:
            yield ("menu", "number"), number
        for section, entries in (("lines", self.lines), ("groups", self.groups)):
            for name, entry in entries.items():
                number = text(entry, "number")
                if number is not None:
                    yield (section, name, "number"), number

    def group(self, key: str) -> str | None:
        """Return the name of the group with this name or number, or None."""
        if key in self.groups:
            return key
        return next((name for name, group in self.groups.items() if text(group, "number") == key), None)

    def members(self, group: str) -> Iterator[tuple[int, str, str]]:
        """Yield a group's members: index, the key that names it ("user", "line" or "" for a bare name), name."""
        for index, member in enumerate(elements(self.groups[group], "members")):
            if isinstance(member, str):
                yield index, "", member
            elif isinstance(member, Mapping):
                for key in ("user", "line"):
                    name = text(member, key)
                    if name is not None:
                        yield index, key, name
                        break

    def is_member(self, name: str, group: str) -> bool:
        """Whether a user or device is a member of a group."""
        return any(name == member for _, _, member in self.members(group))


def tables(table: Table, key: str) -> dict[str, Table]:
    """Return the tables within a table of tables; empty where there is no such thing."""
    found = table.get(key)
    if not isinstance(found, Mapping):
        return {}
    return {name: entry for name, entry in found.items() if isinstance(entry, Mapping)}


def text(table: Table, key: str) -> str | None:
    """Return a text value, None where it is absent or no text."""
    value = table.get(key)
    return value if isinstance(value, str) else None


def elements(table: Table, key: str) -> list[Any]:
    """Return a list's elements; empty where it is absent or no list."""
    value = table.get(key)
    return value if isinstance(value, list) else []


def unknown(what: str, name: str, right: Iterable[str]) -> str:
    """Return what is said of a name that nothing has, with the closest right one or all of them."""
    names = list(right)
    close = get_close_matches(name, names, 1)
    if close:
        hint = f"did you mean {close[0]!r}?"
    else:
        hint = f"there are {', '.join(names)}" if names else "none is configured"
    return f"there is no {what} {name[:60]!r}; {hint}"
