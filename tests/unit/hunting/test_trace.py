"""Every decision of a hunt is kept with its reason, so that "why did 21 not ring?" has an answer."""

from bridge.directory.model import Strategy
from bridge.hunting.model import Availability, Decision
from tests.support.hunts import Scene

FREE, OUT = Availability.AVAILABLE, Availability.LOGGED_OUT


def test_a_parallel_hunt_tells_its_story() -> None:
    """Who was offered the call and who not, what each phone did, who took it."""
    scene = Scene("anna ben carl dora")
    scene.now = 100.0
    scene.start(carl=OUT, dora=Availability.NOT_REGISTERED)
    scene.until(100.5)
    scene.rings("anna", "ben")
    scene.until(104.0)
    scene.answers("ben")
    scene.until(104.1)
    scene.answers("anna")
    assert scene.hunt.trace == [
        Decision(100.0, None, "started", "parallel, 4 in the group"),
        Decision(100.0, "carl", "not offered", "logged out"),
        Decision(100.0, "dora", "not offered", "phone not registered"),
        Decision(100.0, "anna", "offered"),
        Decision(100.0, "ben", "offered"),
        Decision(100.5, "anna", "ringing"),
        Decision(100.5, "ben", "ringing"),
        Decision(104.0, "ben", "answered", "rang 3.5 s"),
        Decision(104.0, "anna", "withdrawn", "answered elsewhere"),
        Decision(104.1, "anna", "released", "answered too late"),
    ]


def test_a_sequential_hunt_tells_its_story() -> None:
    """Skipped, rang in vain, refused, waited for, and why it ended."""
    scene = Scene("anna ben carl dora", Strategy.SEQUENTIAL)
    scene.start(anna=OUT)
    scene.rings("ben")
    scene.until(15.0)
    scene.refuses("ben", 487)
    scene.until(16.0)
    scene.rings("carl")
    scene.until(17.5)
    scene.refuses("carl", 603)
    scene.refuses("dora", 486)
    scene.until(20.0)
    scene.caller_gives_up()
    assert scene.hunt.trace == [
        Decision(0.0, None, "started", "sequential, 4 in the group"),
        Decision(0.0, "anna", "skipped", "logged out"),
        Decision(0.0, "ben", "offered"),
        Decision(0.0, "ben", "ringing"),
        Decision(15.0, "ben", "no answer", "rang 15.0 s"),
        Decision(15.0, "carl", "offered"),
        Decision(16.0, "carl", "ringing"),
        Decision(17.5, "carl", "declined", "SIP 603, rang 1.5 s"),
        Decision(17.5, "dora", "offered"),
        Decision(17.5, "dora", "busy", "SIP 486"),
        Decision(17.5, None, "round 2"),
        Decision(17.5, "ben", "waited for", "its last offer has only just ended"),
        Decision(20.0, "ben", "offered"),
        Decision(20.0, "ben", "withdrawn", "caller gave up"),
        Decision(20.0, None, "ended", "caller gave up"),
    ]


def test_every_end_is_told_about_the_whole() -> None:
    """The reason of an End is the trace's too."""
    scene = Scene("anna")
    scene.start(anna=Availability.ON_A_CALL)
    assert scene.told(None)[-1] == ("ended", "every logged-in member is busy")
    scene = Scene("anna")
    scene.start()
    scene.hears("anna")
    scene.until(120.0)
    assert scene.told("anna")[-1] == ("withdrawn", "gave up")
    assert scene.told(None)[-1] == ("ended", "nobody answered in 120 s")


def test_the_same_reason_is_told_once() -> None:
    """Round after round logged out is one line; another reason, or an offer in between, is news."""
    scene = Scene("anna ben", Strategy.SEQUENTIAL, ring_seconds=10, give_up_after=600)
    scene.start(anna=OUT)
    for end in (10.0, 25.0, 40.0):
        scene.rings("ben")
        scene.until(end)
        scene.refuses("ben", 487)
        scene.until(end + 5.0)
    assert scene.told("anna") == [("skipped", "logged out")]
    scene.seen["anna"] = Availability.PAUSED
    scene.rings("ben")
    scene.until(55.0)
    assert scene.told("anna") == [("skipped", "logged out"), ("skipped", "paused")]


def test_changes_that_change_nothing_are_told_once() -> None:
    """A line that flickers between two calls does not fill the trace."""
    scene = Scene("anna ben")
    scene.start(anna=Availability.ON_A_CALL)
    for _ in range(5):
        scene.becomes("anna", Availability.ON_A_CALL)
    assert scene.told("anna") == [("not offered", "on a call")]
    scene.rings("ben")
    scene.becomes("anna", FREE)
    scene.refuses("anna", 486)
    scene.seen["anna"] = Availability.ON_A_CALL
    scene.until(5.0)
    assert scene.told("anna")[1:] == [("offered", ""), ("busy", "SIP 486"), ("not offered", "on a call")]


def test_who_is_back_too_early_is_told_why_not_yet() -> None:
    """Out and in again: first the phone has to confirm, then 5 s have to pass."""
    scene = Scene("anna ben")
    scene.start()
    scene.rings("anna", "ben")
    scene.becomes("anna", OUT)
    scene.becomes("anna", FREE)
    scene.refuses("anna", 487)
    scene.becomes("anna", FREE)
    scene.until(5.0)
    assert scene.told("anna") == [
        ("offered", ""),
        ("ringing", ""),
        ("withdrawn", "logged out"),
        ("not offered yet", "the phone has not yet confirmed the end of its last offer"),
        ("not offered yet", "its last offer has only just ended"),
        ("offered", ""),
    ]
