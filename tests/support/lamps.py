"""An office whose phones watch lamps, and what such a phone sees of them."""

from __future__ import annotations

from dataclasses import replace

from bridge.directory.codes import Codes
from bridge.directory.logins import Login, LoginChange
from bridge.directory.model import Directory, Member, User
from tests.support.lab import Lab
from tests.support.watchers import Key

CODES = Codes(login="*41", logout="*42", toggle="*43", pickup="*8", menu="*40", night="*44")

SPACE = "{urn:ietf:params:xml:ns:dialog-info}"


def office(**changes: object) -> Lab:
    """A laboratory in which m1 is Anna's and m2 is Ben's; m3, c1 and c2 are devices. There are codes."""
    lab = Lab()
    users = {"anna": User("anna", "Anna", "m1"), "ben": User("ben", "Ben", "m2")}
    members = (Member("anna", "m1"), Member("ben", "m2"), Member("m3", "m3", device=True))
    group = replace(lab.directory.groups["g"], members=members, **changes)  # type: ignore[arg-type]
    configure(lab, replace(lab.directory, users=users, groups={"g": group}, codes=CODES))
    return lab


def configure(lab: Lab, directory: Directory) -> None:
    """Let the laboratory go by another directory."""
    lab.directory = directory
    lab.exchange.configure(directory, lab.settings, lab.now)
    lab.run(0)


def login(lab: Lab, member: str, after: Login) -> None:
    """Let a login be confirmed."""
    lab.logins.apply([LoginChange("g", member, lab.logins.get("g", member), after)])
    lab.exchange.login_changed("g", member, lab.now)
    lab.run(0)


def dialogs(key: Key) -> list[tuple[str | None, str | None]]:
    """Return state and direction of what the last document tells."""
    found = key.documents[-1].findall(f"{SPACE}dialog")
    return [(dialog.findtext(f"{SPACE}state"), dialog.get("direction")) for dialog in found]


def remotes(key: Key) -> list[tuple[str, str | None]]:
    """Return the URIs and names of the other ends in the last document."""
    found = key.documents[-1].findall(f"{SPACE}dialog/{SPACE}remote/{SPACE}identity")
    return [(identity.text, identity.get("display")) for identity in found]
