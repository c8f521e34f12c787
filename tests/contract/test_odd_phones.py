"""Phones that write what few write: everything abbreviated, the description among other parts, a session timer."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.stage import Part, Stage

Stages = Callable[..., Stage]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_everything_abbreviated_and_the_description_among_other_parts(stage: Stages, transport: str) -> None:
    """Compact headers (RFC 3261 §7.3.3) and multipart/mixed: the member gets the description alone."""
    on = stage("parallel", Part("member_answers", talk=100), transport=transport)
    caller = on.call("caller_abbreviates_everything", transport="t1" if transport == "tcp" else "u1")
    on.passed()
    (invite,) = on.members[0].received("^INVITE ")
    assert "Content-Type: application/sdp" in invite and "isup" not in invite
    assert "Session-Expires: 1800;refresher=uas" in caller.received("^SIP/2.0 200 OK")[0]
