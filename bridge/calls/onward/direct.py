"""Going direct: a talk that is relayed only because we spoke to one of its sides does without us, where it may.

Third-party call control in the way that disturbs least (RFC 3725): each side is told the other's description by
re-INVITE, and until both have agreed the relay carries on, so nothing is lost meanwhile.

| phase | asked | refused, or another offer is open | accepted |
|---|---|---|---|
| SOON | nobody yet: phones are left alone for `SOON` seconds | asked again a few times | FIRST |
| FIRST | the side that may rather refuse: one behind a trunk, else the member | STAYED: all is as it was | SECOND |
| SECOND | the other side, with the first one's answer | BACK | DIRECT: the relay closes |
| BACK | the first side again, with what it was told before | STAYED | STAYED |

A talk that is held, transferred or over meanwhile stays as it is; one whose transfer begins later goes direct first,
lest the two hear nothing of each other if that fails.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from bridge.calls.ordered.errand import Errand
from bridge.sip.grammar import SipError
from bridge.sip.leg import Leg
from bridge.sip.legevents import Replied
from bridge.sip.message import Body
from bridge.sip.sdp import Session

if TYPE_CHECKING:
    from bridge.calls.call import Call
    from bridge.calls.passage import Passage
    from bridge.calls.switch import Switch

SOON = 1.0  # seconds after the connection
AGAIN = 2.0
TRIES = 5


class Phase(Enum):
    """How far it has come."""

    SOON = "soon"
    FIRST = "first"
    SECOND = "second"
    BACK = "back"
    DIRECT = "direct"
    STAYED = "stayed"


class Directing(Errand):
    """One talk on its way. `call` has a talk whose media `passage` carries."""

    def __init__(self, call: Call, passage: Passage, switch: Switch, now: float) -> None:
        self.phase = Phase.SOON
        self.due: float | None = None
        self._call = call
        self._passage = passage
        self._switch = switch
        self._tries = 0
        assert call.talk is not None
        caller, member = call.talk.caller, call.talk.member
        behind = call.caller.trunk is not None and not passage.behind_trunk(member)
        self._first, self._second = (caller, member) if behind else (member, caller)
        self._told_before: Session | None = None
        switch.arm(self, now + SOON)

    @property
    def asking(self) -> bool:
        """Whether a side is just being asked."""
        return self.phase in (Phase.FIRST, Phase.SECOND, Phase.BACK)

    def stop(self) -> None:
        """Leave the talk as it is."""
        if self.phase in (Phase.SOON, Phase.FIRST, Phase.SECOND):
            self.phase = Phase.STAYED
        self._switch.arm(self, None)

    def tick(self, now: float) -> None:
        """Ask the first side."""
        if self.phase is not Phase.SOON or not self._still() or not self._passage.may_go_direct():  # as they say by now
            self.stop()
            return
        if self._call.errands.transfer_pending:
            self.stop()
            return
        if self._passage.flows() and self._ask_first(now):
            self.phase = Phase.FIRST
            return
        self._tries += 1
        if self._tries < TRIES:
            self._switch.arm(self, now + AGAIN)
        else:
            self.stop()

    def _ask_first(self, now: float) -> bool:
        self._told_before = self._passage.told(self._first)
        body = self._passage.directly(self._second, self._passage.said(self._second))
        return self._first.request("INVITE", body, self, now)

    def on_replied(self, event: Replied, now: float) -> None:
        """Take a side's answer."""
        success = 200 <= event.status < 300
        if success:
            event.leg.acknowledge(None, now)
        match self.phase:
            case Phase.FIRST if success and self._still():
                self._ask_second(event.body, now)
            case Phase.SECOND if success:
                self._finish(event.body, now)
            case Phase.SECOND:
                self._go_back(now)
            case _:
                self.phase = Phase.STAYED

    def _ask_second(self, answer: Body | None, now: float) -> None:
        try:
            body = self._passage.directly(self._first, answer)
        except SipError:
            body = None
        if body is not None and self._second.request("INVITE", body, self, now):
            self.phase = Phase.SECOND
        else:
            self._go_back(now)

    def _finish(self, answer: Body | None, now: float) -> None:
        self.phase = Phase.DIRECT
        if self._still():
            self._passage.go_direct()
            self._call.note(now, None, "media go directly", "the bridge is not needed between them")
            self._switch.keep(self._call)

    def _go_back(self, now: float) -> None:
        """Tell the first side again what it was told before: the other one stays with the relay."""
        self.phase = Phase.STAYED
        body = self._passage.again(self._first, self._told_before) if self._told_before is not None else None
        if self._still() and body is not None and self._first.request("INVITE", body, self, now):
            self.phase = Phase.BACK

    def _still(self) -> bool:
        """Whether it is still the talk that it was."""
        talk: list[Leg] = [self._call.talk.caller, self._call.talk.member] if self._call.talk is not None else []
        return (
            self._call.result is None
            and self._call.passage is self._passage
            and self._first in talk
            and self._second in talk
        )
