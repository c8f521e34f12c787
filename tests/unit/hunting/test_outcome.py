import pytest

from bridge.hunting.model import Outcome
from bridge.hunting.outcome import outcome_of


@pytest.mark.parametrize(
    ("outcome", "statuses"),
    [
        (Outcome.BUSY, (486, 600)),
        (Outcome.DECLINED, (403, 603, 607, 608)),
        (Outcome.DIVERTED, (300, 301, 302, 305, 380)),
        (Outcome.UNREACHABLE, (404, 408, 410, 480, 500, 502, 503, 504, 604)),
        (Outcome.UNREACHABLE, (400, 401, 407, 415, 481, 487, 488, 606, 699, 0, -1, 1000)),
    ],
)
def test_a_final_response_means_one_outcome(outcome: Outcome, statuses: tuple[int, ...]) -> None:
    """486 and 600 are busy, 403 and 603 declined, 3xx diverted; all else, however odd, is unreachable."""
    assert {outcome_of(status) for status in statuses} == {outcome}
