"""What the owner may ask of the tape: the SIP messages of a call, a number or a line, secrets blotted out."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from bridge.calls.exchange import Exchange
from bridge.commands.model import CommandError
from bridge.commands.words import check_fields, text
from bridge.sip.flow import Locate
from bridge.sip.tape import Taped, blotted

TRACE = "trace"
MOST = 200  # messages in one answer
_LONGEST = 256
_CALL_ID = re.compile(rb"^(?:Call-ID|i)[ \t]*:[ \t]*(\S+)", re.IGNORECASE | re.MULTILINE)
_USERS = re.compile(
    rb"(?:^[A-Z]+ |^(?:From|To|f|t|P-Asserted-Identity)[ \t]*:[^\r\n]*?)sips?:([^@;>\s]+)@", re.I | re.M
)


class TraceAnswers:
    """Answers of an exchange's tape. `locate`: the address of ours that a peer sees."""

    def __init__(self, exchange: Exchange, locate: Locate) -> None:
        self._exchange = exchange
        self._locate = locate

    @property
    def verbs(self) -> Mapping[str, Callable[[Mapping[str, Any]], Awaitable[dict[str, Any]]]]:
        """Return what can be asked for."""
        return {TRACE: self.trace}

    async def trace(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return messages after number `after`, at most `MOST`: of `about` (a call's id, a line, a number) or all.

        `next` is what to ask `after` for those that follow; `more`: whether there are some already. Raises
        CommandError.
        """
        check_fields(TRACE, arguments, ("after", "about"))
        after = arguments.get("after") or 0
        if not isinstance(after, int) or isinstance(after, bool) or after < 0:
            raise CommandError("bad_request", "after: right is the number of a message, from 0")
        about = text(arguments, "about", _LONGEST)
        tape = self._exchange.tape
        found: list[Taped] = []
        more = False
        wanted = self._wanted(about) if about else None
        for taped in tape.after(after):
            if wanted is not None and call_id_of(taped.data) not in wanted:
                continue
            if len(found) == MOST:
                more = True
                break
            found.append(taped)
        following = found[-1].number if more else tape.last
        return {"messages": self._told(found), "next": following, "more": more}

    def _wanted(self, about: str) -> set[bytes]:
        """Return the Call-IDs of what is asked about."""
        story = self._exchange.story(about)
        if story is not None:
            return {each.encode() for each in story.dialogs}
        directory = self._exchange.directory
        line = directory.lines.get(about)
        numbers = {about} if line is None else {line.number, line.dial or line.number}
        group = directory.groups.get(about)
        if group is not None and group.number:
            numbers.add(group.number)
        found = _about(self._exchange.tape.after(), {number.encode() for number in numbers})
        kindred = self._exchange.board.kindred({each.decode("utf-8", "replace") for each in found})
        return found | {each.encode() for each in kindred}

    def _told(self, found: Iterable[Taped]) -> list[dict[str, Any]]:
        offset = time.time() - time.monotonic()
        return [_plain(taped, offset, self._locate) for taped in found]


def call_id_of(data: bytes) -> bytes | None:
    """Return a message's Call-ID."""
    found = _CALL_ID.search(data)
    return found[1] if found is not None else None


def _about(tape: Iterable[Taped], numbers: set[bytes]) -> set[bytes]:
    """Return the Call-IDs of the messages that name one of these numbers: from, to, or as what is called."""
    calls = set()
    for taped in tape:
        if numbers & set(_USERS.findall(taped.data)):
            call_id = call_id_of(taped.data)
            if call_id is not None:
                calls.add(call_id)
    return calls


def _plain(taped: Taped, offset: float, locate: Locate) -> dict[str, Any]:
    flow = taped.flow
    own = locate(flow)
    return {
        "number": taped.number,
        "at": round(taped.at + offset, 6),
        "sent": taped.sent,
        "transport": flow.transport,
        "peer": [flow.host, flow.port],
        "own": [own.host, own.port],
        "text": blotted(taped.data),
    }
