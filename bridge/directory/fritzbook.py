"""A FRITZ!Box's phonebook, as its user interface exports it (XML)."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree

from bridge.directory.phonebook import Entry


def fritzbox_entries(text: str) -> Iterator[Entry]:
    """Yield the numbers with the names of their contacts. Raises ValueError."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("declares entities; right is a phonebook as the FRITZ!Box exports it, which has none")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ValueError(f"is no XML ({error}); right is a phonebook as the FRITZ!Box exports it") from None
    if root.find(".//phonebook") is None and root.tag != "phonebook":
        raise ValueError(f"begins with <{root.tag[:40]}>; right is <phonebooks>, as the FRITZ!Box exports it")
    for contact in root.iter("contact"):
        name = contact.findtext("person/realName") or ""
        for number in contact.iterfind("telephony/number"):
            if number.text and name:
                yield Entry(number.text.strip(), name.strip())
