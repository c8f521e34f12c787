"""The rules of RFC 4235 §4.4 for a dialog-info document, checked one by one: what its schema says, in our words."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree import ElementTree

_SPACE = "{urn:ietf:params:xml:ns:dialog-info}"
_STATES = ("trying", "proceeding", "early", "confirmed", "terminated")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+\Z")

Element = ElementTree.Element


def check_dialog_info(document: bytes) -> Element:
    """Return the root of a document that follows the schema; AssertionError with what does not."""
    text = document.decode("utf-8")
    assert "<!DOCTYPE" not in text
    root = ElementTree.fromstring(text)
    _element(root, "dialog-info", {"version": _number, "state": _one_of("full", "partial"), "entity": _uri}, ())
    for dialog in _children(root, ("dialog",), many=True):
        _dialog(dialog)
    return root


def _dialog(dialog: Element) -> None:
    optional = {"call-id": _text, "local-tag": _text, "remote-tag": _text, "direction": _direction}
    _element(dialog, "dialog", {"id": _text}, optional)
    names = ("state", "duration", "replaces", "referred-by", "local", "remote")
    parts = {_name(part): part for part in _children(dialog, names)}
    state = parts["state"]
    _element(state, "state", {}, {"event": _text, "code": _number})
    assert state.text in _STATES, state.text
    for side in ("local", "remote"):
        if side in parts:
            _participant(parts[side], side)


def _participant(side: Element, name: str) -> None:
    _element(side, name, {}, ())
    for part in _children(side, ("identity", "target", "session-description", "cseq")):
        if _name(part) == "identity":
            _element(part, "identity", {}, {"display": _text})
            _uri(part.text or "")
        elif _name(part) == "target":
            _element(part, "target", {"uri": _uri}, ())
            _children(part, ("param",), many=True)


def _element(
    element: Element,
    name: str,
    required: dict[str, Callable[[str], None]],
    optional: dict[str, Callable[[str], None]] | tuple[()],
) -> None:
    """Check an element's name and its attributes."""
    assert element.tag == _SPACE + name, element.tag
    checks = {**required, **(optional or {})}
    assert required.keys() <= element.attrib.keys() <= checks.keys(), (name, element.attrib)
    for key, value in element.attrib.items():
        checks[key](value)


def _children(element: Element, order: tuple[str, ...], *, many: bool = False) -> list[Element]:
    """Return an element's children, which come in this order, each once at most unless `many`."""
    names = [_name(child) for child in element]
    assert all(name in order for name in names), names
    places = [order.index(name) for name in names]
    assert places == sorted(places), names
    assert many or len(set(names)) == len(names), names
    return list(element)


def _name(element: Element) -> str:
    assert element.tag.startswith(_SPACE), element.tag
    return element.tag.removeprefix(_SPACE)


def _text(value: str) -> None:
    assert value


def _number(value: str) -> None:
    assert value.isascii() and value.isdigit(), value


def _uri(value: str) -> None:
    assert _URI.match(value), value


def _one_of(*right: str) -> Callable[[str], None]:
    def check(value: str) -> None:
        assert value in right, value

    return check


_direction = _one_of("initiator", "recipient")
