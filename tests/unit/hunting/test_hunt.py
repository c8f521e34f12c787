"""What holds for every hunt, whatever its strategy."""

import itertools

import pytest

from bridge.directory.model import Strategy
from bridge.hunting.hunt import PHASES, Turn
from bridge.hunting.model import (
    Availability,
    CallerGone,
    Connect,
    End,
    HuntEvent,
    MemberChanged,
    Offer,
    Phase,
    Refused,
    Release,
    Responded,
    Result,
    Start,
    Tick,
    Withdraw,
    Withdrawal,
)
from tests.support.hunts import Scene, ends

both = pytest.mark.parametrize("strategy", [Strategy.PARALLEL, Strategy.SEQUENTIAL])
OUT = Availability.LOGGED_OUT


def scene_in(phase: Phase, strategy: Strategy) -> Scene:
    """Return a hunt for anna and ben that stands in a phase."""
    scene = Scene("anna ben", strategy)
    if phase is not Phase.IDLE:
        scene.start()
    if phase is Phase.CONNECTED:
        scene.answers("anna")
    if phase is Phase.ENDED:
        scene.until(200)
    assert scene.hunt.phase is phase
    return scene


def test_a_hunt_never_leaves_connected_or_ended() -> None:
    """The table of phases has no way out of either, and none that leads nowhere."""
    assert PHASES[Phase.CONNECTED] == PHASES[Phase.ENDED] == {}
    assert {turn for turns in PHASES.values() for turn in turns} == set(Turn)


@both
def test_an_idle_hunt_offers_nothing_and_has_no_deadline(strategy: Strategy) -> None:
    """Before Start nothing happens by itself, and what comes then is ignored."""
    scene = scene_in(Phase.IDLE, strategy)
    assert scene.hunt.deadline() is None
    assert scene.tell(Tick()) == scene.becomes("anna", OUT) == scene.refuses("anna", 486) == []
    assert scene.hunt.phase is Phase.IDLE


@both
def test_a_start_counts_once(strategy: Strategy) -> None:
    """A second Start changes nothing."""
    scene = scene_in(Phase.HUNTING, strategy)
    assert scene.tell(Start()) == []


@both
def test_what_changed_before_the_start_is_seen_at_the_start(strategy: Strategy) -> None:
    """A change that is told too early neither counts twice nor gets lost."""
    scene = Scene("anna", strategy)
    scene.becomes("anna", OUT)
    scene.becomes("anna", Availability.AVAILABLE)
    assert scene.start() == [Offer("anna")]


@both
@pytest.mark.parametrize("phase", Phase)
def test_events_about_strangers_or_out_of_order_do_no_harm(phase: Phase, strategy: Strategy) -> None:
    """In every phase any event may come about anybody: nothing raises, a stranger is never rung or connected."""
    names = ("anna", "ben", "stranger", "")
    events: list[HuntEvent] = [Tick(), Start(), CallerGone()]
    for name, ringing in itertools.product(names, (False, True)):
        events += [Responded(name, ringing), Refused(name, 486), Refused(name, -7), MemberChanged(name)]
    for order in (events, list(reversed(events))):
        scene = scene_in(phase, strategy)
        for event in order:
            for command in scene.tell(event):
                assert isinstance(command, End) or command.member in ("anna", "ben")
        assert scene.answers("stranger") == []


@both
def test_the_first_answer_is_connected_and_no_other(strategy: Strategy) -> None:
    """At most one Connect in a call; later answers are released, each."""
    scene = Scene("anna ben", strategy)
    scene.start()
    scene.rings("anna")
    assert scene.answers("anna")[0] == Connect("anna")
    assert (scene.hunt.phase, scene.hunt.result, scene.hunt.winner) == (
        Phase.CONNECTED,
        Result.ANSWERED,
        "anna",
    )
    assert scene.answers("ben") == [Release("ben")]
    assert scene.hunt.winner == "anna"


@both
def test_a_further_answer_of_the_winner_is_the_legs_own_affair(strategy: Strategy) -> None:
    """A retransmitted 200 neither connects again nor hangs up the talk."""
    scene = scene_in(Phase.CONNECTED, strategy)
    assert scene.answers("anna") == []


@both
def test_a_phone_may_answer_without_ringing_first(strategy: Strategy) -> None:
    """A 200 straight after the INVITE is an answer like any other."""
    scene = scene_in(Phase.HUNTING, strategy)
    assert Connect("anna") in scene.answers("anna")


@both
def test_an_answer_beats_the_time_that_is_over(strategy: Strategy) -> None:
    """An answer that is told at the very instant of the give-up, or late but before the tick, wins."""
    for late in (120.0, 120.5):
        scene = Scene("anna", strategy, ring_seconds=300)
        scene.start()
        scene.rings("anna")
        scene.now = late
        assert scene.answers("anna") == [Connect("anna")]
        assert scene.tell(Tick()) == []


@both
def test_a_caller_who_gave_up_first_beats_an_answer(strategy: Strategy) -> None:
    """CallerGone, then Answered at the same instant: the phone stops ringing and its answer is released."""
    scene = Scene("anna", strategy)
    scene.start()
    scene.rings("anna")
    assert scene.caller_gives_up() == [Withdraw("anna", Withdrawal.CALLER_GONE)]
    assert scene.answers("anna") == [Release("anna")]
    assert (scene.hunt.phase, scene.hunt.result) == (Phase.ENDED, Result.ABANDONED)


@both
def test_a_caller_who_gives_up_needs_no_end(strategy: Strategy) -> None:
    """All live offers are withdrawn and the hunt is over; the call that told so sends the 487 itself."""
    scene = scene_in(Phase.HUNTING, strategy)
    said = scene.caller_gives_up()
    assert said
    assert all(isinstance(c, Withdraw) and c.why is Withdrawal.CALLER_GONE for c in said)
    assert scene.hunt.deadline() is None
    assert scene.caller_gives_up() == []


def test_a_caller_may_give_up_before_the_start() -> None:
    """Nothing is ever offered then."""
    scene = Scene("anna")
    assert scene.caller_gives_up() == []
    assert scene.start() == []
    assert scene.over


@both
def test_after_the_give_up_time_all_phones_stop_and_the_hunt_ends(strategy: Strategy) -> None:
    """`give_up_after` 120 s since Start, whatever rings."""
    scene = Scene("anna", strategy, ring_seconds=300)
    scene.now = 1000.0
    scene.start()
    scene.rings("anna")
    assert scene.until(1119.9) == []
    assert scene.until(1120.0) == [
        Withdraw("anna", Withdrawal.GIVE_UP),
        End(480, "nobody answered in 120 s"),
    ]
    assert scene.hunt.result is Result.NO_ANSWER


@both
def test_nothing_is_offered_after_the_give_up_time_even_without_a_tick(strategy: Strategy) -> None:
    """An event that comes late, before its tick, does not ring anybody any more."""
    scene = Scene("anna ben", strategy)
    scene.start(ben=OUT)
    scene.rings("anna")
    scene.now = 121.0
    scene.seen["ben"] = Availability.AVAILABLE
    said = scene.refuses("anna", 480)
    assert ends(said) == [480]
    assert not any(isinstance(c, Offer) for c in said)


@both
@pytest.mark.parametrize("finish", [Phase.CONNECTED, Phase.ENDED])
def test_when_the_search_is_over_only_late_answers_matter(finish: Phase, strategy: Strategy) -> None:
    """After the end nothing is said but Release; there is no deadline any more."""
    scene = scene_in(finish, strategy)
    assert scene.hunt.deadline() is None
    assert scene.hunt.ringing == ()
    before = len(scene.hunt.trace)
    assert scene.rings("anna", "ben") == scene.refuses("ben", 487) == scene.becomes("ben", OUT) == []
    assert scene.tell(Tick()) == scene.tell(Start()) == scene.caller_gives_up() == []
    assert len(scene.hunt.trace) == before
    assert scene.answers("ben") == [Release("ben")]


@both
def test_a_phone_that_says_nothing_at_all_for_4_s_is_unreachable(strategy: Strategy) -> None:
    """No response whatever: withdrawn as silent, 4 s after the offer."""
    scene = Scene("anna", strategy)
    scene.start()
    assert scene.hunt.deadline() == 4.0
    said = scene.until(4.0)
    assert said[0] == Withdraw("anna", Withdrawal.SILENT)
    assert ends(said) == [480]
    assert ("unreachable", "no response in 4 s") in scene.told("anna")


@both
def test_any_provisional_response_stops_the_timer_of_silence(strategy: Strategy) -> None:
    """A 100 is enough: the phone, or something on the way, is there."""
    scene = Scene("anna", strategy)
    scene.start()
    scene.until(3.9)
    scene.hears("anna")
    assert scene.until(14.0) == []


@both
@pytest.mark.parametrize("status", [600, 603, 604, 606, 699])
def test_a_members_6xx_never_ends_the_hunt(status: int, strategy: Strategy) -> None:
    """Global failure is global for that phone only; the others are rung as if nothing had happened."""
    scene = Scene("anna ben", strategy)
    scene.start()
    scene.refuses("anna", status)
    scene.rings("ben")
    assert scene.hunt.phase is Phase.HUNTING
    assert scene.answers("ben") == [Connect("ben")]


@both
def test_a_group_without_members_ends_at_once(strategy: Strategy) -> None:
    """Nobody there: 480."""
    scene = Scene("", strategy)
    assert scene.start() == [End(480, "nobody logged in")]
    assert scene.hunt.result is Result.NOBODY


@both
@pytest.mark.parametrize(
    ("reason", "status"),
    [
        (Availability.LOGGED_OUT, 480),
        (Availability.PAUSED, 480),
        (Availability.WRAP_UP, 480),
        (Availability.NOT_REGISTERED, 480),
        (Availability.TRUNK_FULL, 480),
        (Availability.CALLER, 480),
        (Availability.GROUP_CLOSED, 480),
        (Availability.EXCLUDED, 480),
        (Availability.ON_A_CALL, 486),
        (Availability.OFFERED_ANOTHER, 486),
    ],
)
def test_if_nobody_can_be_rung_the_hunt_ends_at_once(reason: Availability, status: int, strategy: Strategy) -> None:
    """Not after a time-out; and nobody who is not available is ever offered the call."""
    scene = Scene("anna ben", strategy)
    assert ends(said := scene.start(anna=reason, ben=reason)) == [status]
    assert len(said) == 1
    assert reason.value in dict(scene.told("anna")).values()


@both
def test_a_member_who_logs_out_while_ringing_stops_ringing(strategy: Strategy) -> None:
    """Logging out, pausing or the closing of the group withdraws the offer."""
    for reason in (Availability.LOGGED_OUT, Availability.PAUSED, Availability.GROUP_CLOSED):
        scene = Scene("anna ben", strategy)
        scene.start()
        scene.rings("anna")
        assert scene.becomes("anna", reason)[0] == Withdraw("anna", Withdrawal.UNAVAILABLE)
        assert ("withdrawn", reason.value) in scene.told("anna")
        assert scene.answers("anna") == [Release("anna")]


@both
def test_a_phone_that_rings_is_not_disturbed_by_its_own_ringing(strategy: Strategy) -> None:
    """Whatever our own offer or a lapsed registration does to the line, it rings on."""
    stays = [a for a in Availability if not a.stops_ringing]
    assert len(stays) == 8
    for reason in stays:
        scene = Scene("anna ben", strategy)
        scene.start()
        scene.rings("anna")
        assert scene.becomes("anna", reason) == []
        assert scene.answers("anna")[0] == Connect("anna")


@both
def test_ringing_names_those_whose_phones_ring(strategy: Strategy) -> None:
    """A 18x was heard, and the offer is still live."""
    scene = Scene("anna", strategy)
    scene.start()
    scene.hears("anna")
    assert list(scene.hunt.ringing) == []
    scene.rings("anna")
    scene.hears("anna")  # a 100 after the 180 takes nothing back
    assert list(scene.hunt.ringing) == ["anna"]
    scene.answers("anna")
    assert list(scene.hunt.ringing) == []
