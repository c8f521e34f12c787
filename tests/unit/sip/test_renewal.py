"""How often a PBX is asked for what it grants, fails to grant, or refuses."""

from __future__ import annotations

import random

from bridge.sip.message import Response
from bridge.sip.renewal import Renewal


def made(knock: tuple[float, float] = (60.0, 3600.0)) -> Renewal:
    """Return one that asks for 300 seconds."""
    return Renewal(300, knock, random.Random(1))


def said(code: int, **headers: str) -> Response:
    """Return a response; `Retry_After` stands for Retry-After."""
    return Response(code, "so", {name.replace("_", "-"): [value] for name, value in headers.items()})


def test_failures_are_tried_again_ever_more_rarely() -> None:
    """From 4 seconds to 5 minutes, half of it to all of it; never never, never at once."""
    renewal = made()
    pauses = [renewal.failed() for _ in range(30)]
    assert all(0.5 <= pause / min(300.0, 4.0 * 2**n) <= 1.0 for n, pause in enumerate(pauses))
    renewal.refresh_in(300)
    assert renewal.failed() <= 4.0, "a success forgets them"


def test_refusals_are_knocked_at_as_the_asker_likes() -> None:
    """From the first to the longest, it to one and a half of it."""
    renewal = made()
    pauses = [renewal.refused() for _ in range(10)]
    assert all(1.0 <= pause / min(3600.0, 60.0 * 2**n) <= 1.5 for n, pause in enumerate(pauses))
    assert renewal.refusals == 10


def test_the_pbx_may_ask_for_more_time_but_not_for_ever() -> None:
    """Retry-After makes a wait longer, up to an hour; what cannot be read counts as nothing, as does silence."""
    renewal = made()
    for wanted, least, most in (("120", 120, 120), ("999999999", 3600, 3600), ("soon", 2, 16), ("1", 4, 32)):
        renewal.read(said(503, Retry_After=wanted))
        assert least <= renewal.failed() <= most, wanted
    renewal.read(None)
    assert renewal.failed() <= 64


def test_a_423_is_taken_a_few_times() -> None:
    """What it wants is asked for, where that is more and within a day; a PBX that always wants more is not followed."""
    renewal = made()
    assert not renewal.raised(said(423, Min_Expires="300")) and not renewal.raised(said(423, Min_Expires="86401"))
    assert [renewal.raised(said(423, Min_Expires=str(600 * n))) for n in range(1, 6)] == [True] * 3 + [False] * 2
    assert renewal.expires == 1800
    renewal.failed()
    assert renewal.raised(said(423, Min_Expires="2400")), "later it may be told so anew"
