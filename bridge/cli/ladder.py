"""SIP messages as a ladder: a column for each peer, the bridge in the midst, an arrow for each message."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

BRIDGE = "bridge"
_CLOCK = 12
_NARROWEST = 17  # columns between two lifelines
_WIDEST = 34
_MARGIN = 8
_PEERS_AT_MOST = 8


class Rung(NamedTuple):
    """One message: when (UTC, seconds), by whom to whom, what in few words, and the Call-ID."""

    at: float
    peer: str
    sent: bool
    what: str
    number: str  # who the peer is, as the message tells
    call: str


def rung(message: Mapping[str, Any]) -> Rung:
    """Read a message of the agent's trace."""
    host, port = message["peer"]
    peer = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    head, _, body = message["text"].replace("\r\n", "\n").partition("\n\n")
    first, *lines = head.split("\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    call = headers.get("call-id") or headers.get("i") or ""
    method = headers.get("cseq", "").rpartition(" ")[2]
    with_sdp = " (sdp)" if "m=audio" in body else ""
    if first.startswith("SIP/2.0 "):
        what, number = f"{first[8:]}{'' if method == 'INVITE' else f' {method}'}{with_sdp}", ""
    else:
        uri = first.split(" ")[1] if " " in first else ""
        what = f"{first.split(' ')[0]}{with_sdp}"
        from_ = headers.get("from") or headers.get("f") or ""
        number = _user(uri) if message["sent"] else _user(from_)
    return Rung(message["at"], peer, message["sent"], what, number, call)


def _user(address: str) -> str:
    after = address.partition("sip:")[2] or address.partition("sips:")[2]
    return after.partition("@")[0] if "@" in after else ""


class Ladder:
    """Draws rungs in so many columns of a terminal. Peers get their places as they appear; `header` names them."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._peers: list[str] = []
        self._numbers: dict[str, str] = {}

    def note(self, rungs: Iterable[Rung]) -> None:
        """Give places to the peers of these."""
        for each in rungs:
            if each.peer not in self._peers:
                self._peers.append(each.peer)
            if each.number and each.peer not in self._numbers:
                self._numbers[each.peer] = each.number

    @property
    def _gap(self) -> int:
        return min(_WIDEST, (self._width - _CLOCK - 2 - 2 * _MARGIN) // max(1, len(self._peers)))

    @property
    def fits(self) -> bool:
        """Whether all peers have a column; else messages are told one after the other."""
        return len(self._peers) <= _PEERS_AT_MOST and self._gap >= _NARROWEST

    def _places(self) -> dict[str, int]:
        """Return the columns of the lifelines: the first peer's, the bridge's, and the others'."""
        names = [*self._peers[:1], BRIDGE, *self._peers[1:]]
        return {name: _CLOCK + 2 + _MARGIN + index * self._gap for index, name in enumerate(names)}

    def header(self) -> list[str]:
        """Return the lines that name the columns."""
        if not self.fits or not self._peers:
            return []
        places = self._places()
        names = {peer: self._numbers.get(peer, "") for peer in self._peers} | {BRIDGE: BRIDGE}
        lines = []
        for labels in (names, {peer: peer for peer in self._peers} | {BRIDGE: ""}):
            line = " " * (self._width + 40)
            for name, column in places.items():
                label = labels[name][: self._gap - 1]
                start = max(_CLOCK + 2, column - len(label) // 2)
                line = line[:start] + label + line[start + len(label) :]
            lines.append(line.rstrip()[: self._width])
        return lines

    def line(self, each: Rung) -> str:
        """Return one message's line."""
        clock = datetime.datetime.fromtimestamp(each.at).strftime("%H:%M:%S.%f")[:_CLOCK]
        if not self.fits:
            way = "->" if each.sent else "<-"
            who = f" ({self._numbers[each.peer]})" if each.peer in self._numbers else ""
            return f"{clock} {way} {each.what}  {each.peer}{who}"[: max(self._width, 40)]
        places = self._places()
        ends = (BRIDGE, each.peer) if each.sent else (each.peer, BRIDGE)
        start, end = (places[name] for name in ends)
        left, right = min(start, end), max(start, end)
        room = right - left - 1
        label = each.what[: room - 4]
        dashes = room - len(label) - 1
        if end > start:
            arrow = "-" * (dashes // 2) + label + "-" * (dashes - dashes // 2) + ">"
        else:
            arrow = "<" + "-" * (dashes // 2) + label + "-" * (dashes - dashes // 2)
        cells = list(clock.ljust(self._width))
        for column in places.values():
            if column < len(cells):
                cells[column] = "|"
        cells[left + 1 : right] = arrow
        return "".join(cells).rstrip()


def drawn(messages: Sequence[Mapping[str, Any]], width: int) -> list[str]:
    """Return messages as a whole ladder, its header first."""
    rungs = [rung(message) for message in messages]
    ladder = Ladder(width)
    ladder.note(rungs)
    return [*ladder.header(), *(ladder.line(each) for each in rungs)]
