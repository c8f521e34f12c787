"""What a NOTIFY of the dialog event package says of a phone (RFC 4235): parsed, and kept up from partial to full.

The document comes from the network, so it is small, UTF-8, and has no document type: without one XML has no entities
that could grow.
"""

from __future__ import annotations

from dataclasses import dataclass, field

ACCEPT = "application/dialog-info+xml"
_NAMESPACE = "{urn:ietf:params:xml:ns:dialog-info}"
_LARGEST = 65_536  # bytes
_MOST_DIALOGS = 64
_STATES = frozenset({"trying", "proceeding", "early", "confirmed", "terminated"})


class DialogInfoError(ValueError):
    """A document that cannot be used; says why."""


@dataclass(frozen=True, slots=True)
class DialogInfo:
    """One document. `dialogs`: id to state ("early"...) and direction ("recipient", "initiator" or "")."""

    version: int
    full: bool
    dialogs: dict[str, tuple[str, str]]


def parse_dialog_info(data: bytes) -> DialogInfo:
    """Read a document. Raises `DialogInfoError`."""
    from xml.etree import ElementTree  # needed only where a PBX is watched

    if len(data) > _LARGEST:
        raise DialogInfoError(f"dialog-info must be at most {_LARGEST} bytes, not {len(data)}")
    try:
        text = data.decode("utf-8-sig")
        if "<!DOCTYPE" in text or "<!ENTITY" in text:
            raise DialogInfoError("dialog-info must be without a document type")
        root = ElementTree.fromstring(text)
    except (UnicodeDecodeError, ElementTree.ParseError) as error:
        raise DialogInfoError(f"dialog-info must be XML in UTF-8: {error}") from None
    if root.tag != f"{_NAMESPACE}dialog-info":
        raise DialogInfoError(f"the document must be dialog-info, not {root.tag[:80]!r}")
    version = root.get("version", "")
    if not (version.isascii() and version.isdigit() and len(version) < 12):
        raise DialogInfoError(f"version must be a number, not {version[:20]!r}")
    dialogs = {}
    for number, dialog in enumerate(root.findall(f"{_NAMESPACE}dialog")[:_MOST_DIALOGS]):
        state = (dialog.findtext(f"{_NAMESPACE}state") or "").strip().lower()
        if state not in _STATES:
            raise DialogInfoError(f"a dialog's state must be one of {', '.join(sorted(_STATES))}, not {state[:20]!r}")
        dialogs[dialog.get("id") or str(number)] = state, (dialog.get("direction") or "").lower()
    return DialogInfo(int(version), root.get("state") != "partial", dialogs)


@dataclass
class WatchedDialogs:
    """The dialogs of one phone, as its PBX tells them."""

    version: int = -1
    dialogs: dict[str, tuple[str, str]] = field(default_factory=dict)

    def take(self, info: DialogInfo) -> bool:
        """Take a document; False where one before it is missing, so that the full state is to be asked for."""
        if info.full:
            self.dialogs = dict(info.dialogs)
        elif info.version <= self.version:
            return True  # an old one, overtaken
        elif info.version != self.version + 1:
            return False
        else:
            self.dialogs |= info.dialogs
        self.version = info.version
        self.dialogs = {key: dialog for key, dialog in self.dialogs.items() if dialog[0] != "terminated"}
        while len(self.dialogs) > _MOST_DIALOGS:
            del self.dialogs[next(iter(self.dialogs))]
        return True

    @property
    def state(self) -> str:
        """What the phone is doing: "idle", "ringing", or "busy" (talking, or calling somebody itself)."""
        if any(state == "confirmed" or direction == "initiator" for state, direction in self.dialogs.values()):
            return "busy"
        return "ringing" if self.dialogs else "idle"
