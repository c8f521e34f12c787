import pytest

from bridge.hunting.candidate import Candidate
from bridge.hunting.model import Availability, End, Result
from bridge.hunting.verdict import verdict

FREE, OUT, PAUSED = Availability.AVAILABLE, Availability.LOGGED_OUT, Availability.PAUSED
ON_A_CALL, OFFERED = Availability.ON_A_CALL, Availability.OFFERED_ANOTHER
CALLER, GONE, FULL = Availability.CALLER, Availability.NOT_REGISTERED, Availability.TRUNK_FULL


@pytest.mark.parametrize(
    ("members", "status", "result"),
    [
        ([], 480, Result.NOBODY),
        ([(OUT, None), (OUT, None)], 480, Result.NOBODY),
        ([(CALLER, False)], 480, Result.NOBODY),
        ([(OUT, True)], 480, Result.NOBODY),
        ([(ON_A_CALL, None)], 486, Result.NO_ANSWER),
        ([(ON_A_CALL, None), (OFFERED, None), (OUT, None)], 486, Result.NO_ANSWER),
        ([(FREE, True), (ON_A_CALL, True), (CALLER, False)], 486, Result.NO_ANSWER),
        ([(ON_A_CALL, True), (ON_A_CALL, False)], 480, Result.NO_ANSWER),
        ([(ON_A_CALL, True), (PAUSED, None)], 480, Result.NO_ANSWER),
        ([(ON_A_CALL, True), (GONE, None)], 480, Result.NO_ANSWER),
        ([(ON_A_CALL, True), (FULL, None)], 480, Result.NO_ANSWER),
        ([(ON_A_CALL, True), (FREE, None)], 480, Result.NO_ANSWER),
    ],
)
def test_486_if_every_logged_in_member_was_busy_else_480(
    members: list[tuple[Availability, bool | None]], status: int, result: Result
) -> None:
    """Each member: what a look says at the end, and whether the hunt found them busy before (None: never met).

    Logged-out members and the caller do not count; a full trunk is not a busy member; who was rung was not busy,
    though the line may be now.
    """
    candidates = [Candidate(str(i), i, busy=busy) for i, (_, busy) in enumerate(members)]
    found, end = verdict(candidates, lambda name: members[int(name)][0], "no phone rang")
    assert (found, end.status) == (result, status)


def test_the_end_says_why_in_the_plainest_words() -> None:
    """Nobody logged in and everybody busy are said as such; otherwise the plan's own reason stands."""
    anna = [Candidate("anna", 0)]
    assert verdict(anna, lambda _: OUT, "x")[1] == End(480, "nobody logged in")
    assert verdict(anna, lambda _: ON_A_CALL, "x")[1] == End(486, "every logged-in member is busy")
    assert verdict(anna, lambda _: GONE, "no phone rang")[1] == End(480, "no phone rang")
