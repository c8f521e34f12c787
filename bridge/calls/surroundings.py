"""What calls have around them: who there is, lines, trunks, the user agent, and where events go."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bridge.calls.lines import LineTable
from bridge.calls.onward.outside import Outsides
from bridge.calls.passages import Passages
from bridge.calls.pbx.trunks import Trunk
from bridge.calls.present import Present
from bridge.calls.reach import Reach
from bridge.calls.restart.kept import Kept
from bridge.directory.handling import Handlings
from bridge.directory.logins import Logins
from bridge.directory.model import Directory
from bridge.events import Event
from bridge.sip.limits import Paces
from bridge.sip.useragent import UserAgent


@dataclass(frozen=True)
class Surroundings:
    """What a switchboard works with. `tell` takes events; `wall` gives UTC, seconds."""

    present: Present
    logins: Logins
    handlings: Handlings
    outsides: Outsides
    trunks: Mapping[str, Trunk]
    ua: UserAgent
    lines: LineTable
    reach: Reach
    passages: Passages
    kept: Kept
    patience: Paces
    token: Callable[[], str]
    rng: random.Random
    wall: Callable[[], float]
    tell: Callable[[Event], None]

    @property
    def directory(self) -> Directory:
        """Who there is now."""
        return self.present.directory
