"""What a member's final response means for the hunt: SIP status to outcome, as one table.

A 6xx speaks for that phone only and never ends the hunt (unlike RFC 3261 §16.7 for a forking proxy), and what
an unlisted status says is that this phone cannot be rung for this call.
"""

from __future__ import annotations

from bridge.hunting.model import Outcome

BY_STATUS = {
    403: Outcome.DECLINED,
    486: Outcome.BUSY,
    600: Outcome.BUSY,
    603: Outcome.DECLINED,
    607: Outcome.DECLINED,  # Unwanted, RFC 8197
    608: Outcome.DECLINED,  # Rejected, RFC 8688
}


def outcome_of(status: int) -> Outcome:
    """Return what a final response of 300 or above means; whatever is not listed is unreachable."""
    if 300 <= status < 400:
        return Outcome.DIVERTED
    return BY_STATUS.get(status, Outcome.UNREACHABLE)
