"""What is remembered of wrong PINs, when very many are tried."""

from __future__ import annotations

from bridge.calls.phones.pins import MOST_REMEMBERED, Pins, Verdict

PINS = {"201": "4711"}


def test_made_up_callers_bring_no_new_tries() -> None:
    """Callers and numbers without end, all locked: whose number has a PIN stays locked for whoever tries it next."""
    pins, now = Pins(), 0.0
    for n in range(MOST_REMEMBERED):
        for _ in range(3):
            pins.judge(f"9{n}", "0000", f"pbx 030{n}", PINS, now)
    verdicts = [pins.judge("201", f"{n:04}", f"pbx 040{n}", PINS, now).verdict for n in range(20)]
    assert verdicts[:2] == [Verdict.WRONG, Verdict.WRONG]
    assert set(verdicts[2:]) == {Verdict.LOCKED}
    assert pins.judge("201", "4711", "pbx 050", PINS, now).verdict is Verdict.LOCKED
