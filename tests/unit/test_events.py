"""Events: what they are called outside, and how they leave the process."""

from __future__ import annotations

from bridge.events import Event, WrapUp

CALLED = {
    "call_over",
    "caller_waits",
    "command_refused",
    "configuration_refused",
    "configuration_taken",
    "desk_pressed",
    "group_call",
    "handling_changed",
    "line_changed",
    "line_ordered",
    "line_rings",
    "login_changed",
    "member_dropped",
    "member_ready",
    "missed_changed",
    "missed_seen",
    "notice",
    "offer_ended",
    "opening_changed",
    "outside_called",
    "outside_refused",
    "panel_changed",
    "pin_refused",
    "pin_taken",
    "trunk_changed",
    "waiting_changed",
    "wrap_up",
}
"""Who listens at the broker or the control socket goes by these words."""


def test_events_are_called_as_ever() -> None:
    """No class of events may change its name, for its word outside would change with it."""
    assert {each.type for each in Event.__subclasses__()} == CALLED


def test_times_leave_as_times_of_day() -> None:
    """A field that is UTC seconds is told as ISO 8601, and None stays None."""
    told = {"type": "wrap_up", "at": "2026-11-23T08:00:00Z", "group": "support", "member": "anna"}
    assert WrapUp(1795420800.5, "support", "anna", 1795420810.0).to_json() == {**told, "until": "2026-11-23T08:00:10Z"}
    assert WrapUp(1795420800.5, "support", "anna", None).to_json() == {**told, "until": None}
