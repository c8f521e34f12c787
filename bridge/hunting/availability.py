"""Whether a member can be rung now, and if not, the one reason that is shown.

Several reasons may hold at once. The order is fixed: first what is the member's own doing and tells a ringing
phone to stop, then the member's other states, then the line's, last the trunk's. So the reason that people
can do something about comes first, and a line that our own offer makes busy never hides that its member has
logged out.
"""

from __future__ import annotations

from bridge.directory.logins import Login
from bridge.hunting.model import Availability


def availability(
    *,
    always: bool,
    login: Login,
    reachable: bool,
    calls: int,
    offers_elsewhere: int,
    max_calls: int,
    trunk_full: bool,
    is_caller: bool,
    group_open: bool = True,
    dnd: bool = False,
    wrap_up: bool = False,
    excluded: bool = False,
) -> Availability:
    """Return AVAILABLE or the first reason that holds.

    `always`: a static member, who is in without a login but can be paused. `calls`: what the line is on now;
    `offers_elsewhere`: what it is being offered by other hunts than the one that asks; `max_calls`: how much
    of both it takes together. `is_caller`: the hunt is for a call from this member's own line. `dnd`: the
    line is not to be disturbed.
    """
    if not (always or login.logged_in):
        return Availability.LOGGED_OUT
    if login.paused:
        return Availability.PAUSED
    if not group_open:
        return Availability.GROUP_CLOSED
    if dnd:
        return Availability.DND
    if wrap_up:
        return Availability.WRAP_UP
    if excluded:
        return Availability.EXCLUDED
    if is_caller:
        return Availability.CALLER
    if not reachable:
        return Availability.NOT_REGISTERED
    if calls >= max_calls:
        return Availability.ON_A_CALL
    if calls + offers_elsewhere >= max_calls:
        return Availability.OFFERED_ANOTHER
    if trunk_full:
        return Availability.TRUNK_FULL
    return Availability.AVAILABLE
