"""A hunt on a stage: virtual time, a table of who is available, and short words for what happens."""

from __future__ import annotations

from random import Random
from typing import Any

from bridge.directory.model import Strategy
from bridge.hunting.floor import Floor
from bridge.hunting.hunt import Hunt
from bridge.hunting.model import (
    Answered,
    Availability,
    CallerGone,
    End,
    HuntCommand,
    HuntEvent,
    MemberChanged,
    Phase,
    Refused,
    Responded,
    Start,
    Tick,
)
from bridge.hunting.rules import Rules


class Scene:
    """Members by name, all available unless said otherwise; every method returns the commands that came of it."""

    def __init__(
        self,
        members: str,
        strategy: Strategy = Strategy.PARALLEL,
        tiers: dict[str, int] | None = None,
        floor: Floor | None = None,
        caller: str = "",
        **rules: Any,
    ) -> None:
        self.now = 0.0
        self.floor = floor or Floor()
        self.looks: list[str] = []
        self.seen = dict.fromkeys(members.split(), Availability.AVAILABLE)
        self.hunt = Hunt(
            Rules(strategy=strategy, **rules),
            list(self.seen),
            Random(1),
            tiers=tiers,
            floor=self.floor,
            group="g",
            caller=caller,
        )

    def look(self, member: str) -> Availability:
        """Answer for a member, and note that it was asked."""
        self.looks.append(member)
        return self.seen[member]

    def tell(self, event: HuntEvent) -> list[HuntCommand]:
        """Tell the hunt something now."""
        return self.hunt.receive(event, self.now, self.look)

    def start(self, **seen: Availability) -> list[HuntCommand]:
        """Begin, with some members in another state than available."""
        self.seen.update(seen)
        return self.tell(Start())

    def until(self, time: float) -> list[HuntCommand]:
        """Let time pass, with a tick at each deadline."""
        said: list[HuntCommand] = []
        while (due := self.hunt.deadline()) is not None and due <= time:
            assert due > self.now or not said, "a tick that leaves its own deadline behind"
            self.now = max(self.now, due)
            said += self.tell(Tick())
        self.now = time
        return said

    def hears(self, *members: str) -> list[HuntCommand]:
        """A 100 comes from each."""
        return [c for m in members for c in self.tell(Responded(m, ringing=False))]

    def rings(self, *members: str) -> list[HuntCommand]:
        """A 180 comes from each."""
        return [c for m in members for c in self.tell(Responded(m, ringing=True))]

    def refuses(self, member: str, status: int) -> list[HuntCommand]:
        """A final response other than 2xx comes."""
        return self.tell(Refused(member, status))

    def answers(self, member: str) -> list[HuntCommand]:
        """A 2xx comes."""
        return self.tell(Answered(member))

    def becomes(self, member: str, seen: Availability) -> list[HuntCommand]:
        """A member's availability changes, and the hunt is told."""
        self.seen[member] = seen
        return self.tell(MemberChanged(member))

    def caller_gives_up(self) -> list[HuntCommand]:
        """The caller hangs up before anybody has answered."""
        return self.tell(CallerGone())

    def told(self, member: str | None) -> list[tuple[str, str]]:
        """Return the trace about one member (None: about the whole) as pairs of what and why."""
        return [(d.what, d.why) for d in self.hunt.trace if d.member == member]

    @property
    def over(self) -> bool:
        """Whether the search has ended without an answer."""
        return self.hunt.phase is Phase.ENDED


def ends(said: list[HuntCommand]) -> list[int]:
    """Return the statuses of the `End`s among commands."""
    return [c.status for c in said if isinstance(c, End)]
