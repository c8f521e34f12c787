"""What our NOTIFYs of the dialog event package say (RFC 4235 §4): always the full state, as a small document of XML."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bridge.sip.dialoginfo import ACCEPT
from bridge.sip.message import Body


@dataclass(frozen=True, slots=True)
class Party:
    """Who is at one end: a URI, and a name ("" where there is none)."""

    uri: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class DialogShown:
    """One dialog. `state`: early or confirmed; `direction`: recipient, initiator or "".

    `replaces` is what an INVITE with Replaces would name it by: Call-ID, the tag of its phone and that of its peer.
    """

    id: str
    state: str
    direction: str = ""
    local: Party | None = None
    remote: Party | None = None
    replaces: tuple[str, str, str] | None = None


def dialog_document(entity: str, version: int, dialogs: Iterable[DialogShown]) -> Body:
    """Return the full state of an entity (a URI, as it was subscribed to)."""
    head = f'version="{version}" state="full" entity="{_escaped(entity)}"'
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    lines.append(f'<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" {head}>')
    for dialog in dialogs:
        lines += _dialog(dialog)
    lines.append("</dialog-info>\n")
    return Body(ACCEPT, "\n".join(lines).encode())


def _dialog(dialog: DialogShown) -> Iterable[str]:
    attributes = {"id": dialog.id}
    if dialog.replaces is not None:
        attributes |= dict(zip(("call-id", "local-tag", "remote-tag"), dialog.replaces, strict=True))
    if dialog.direction:
        attributes["direction"] = dialog.direction
    written = " ".join(f'{name}="{_escaped(value)}"' for name, value in attributes.items())
    yield f"<dialog {written}>"
    yield f"<state>{dialog.state}</state>"
    for side, party in (("local", dialog.local), ("remote", dialog.remote)):
        if party is not None:
            uri = _escaped(party.uri)
            name = f' display="{_escaped(party.name)}"' if party.name else ""
            yield f'<{side}><identity{name}>{uri}</identity><target uri="{uri}"/></{side}>'
    yield "</dialog>"


def _escaped(text: str) -> str:
    """Return text that may stand in XML, in an attribute too; what XML 1.0 has no place for is left out."""
    plain = "".join(c for c in text if c >= " " and c != "\x7f" and not ("\ud800" <= c <= "\udfff" or c > "\U0010fffd"))
    plain = plain.replace("\ufffe", "").replace("\uffff", "")
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
