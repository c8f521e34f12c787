"""What doctor says of a trunk whose PBX is odd."""

from __future__ import annotations

import pytest

from bridge.calls.status import Odd
from bridge.doctor.trunks import _as_told


@pytest.mark.parametrize("odd", list(Odd))
def test_each_oddness_is_said_with_what_to_do(odd: Odd) -> None:
    """As a warning, beside that the trunk is registered: calls go on."""
    warned, fine = _as_told("trunk pbx", {"state": "registered", "reason": "", "odd": [odd.value]})
    assert (warned.verdict.value, fine.verdict.value) == ("warn", "ok")
    assert str(odd) in warned.said and warned.todo not in ("", "see the log")
