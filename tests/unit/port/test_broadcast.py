"""The single way out of events."""

from __future__ import annotations

from collections.abc import Callable

from bridge.events import Event, Notice
from bridge.port.broadcast import Broadcast


def notice(what: str) -> Notice:
    """Return an event that can be told from others."""
    return Notice(0.0, what, "")


def test_all_hear_all_in_the_same_order() -> None:
    """An event that a listener publishes in answer to another is told after that one, to everybody."""
    broadcast = Broadcast()
    first: list[Event] = []
    second: list[Event] = []

    def answering(event: Event) -> None:
        first.append(event)
        if event == notice("a"):
            broadcast.publish(notice("b"))

    broadcast.follow(answering)
    broadcast.follow(second.append)
    broadcast.publish(notice("a"))
    assert first == second == [notice("a"), notice("b")]


def test_who_left_hears_nothing() -> None:
    """Following ends at once, also when another listener ends it in the midst of an event."""
    broadcast = Broadcast()
    heard: list[Event] = []
    ends: list[Callable[[], None]] = []
    broadcast.follow(lambda event: ends[0]())
    ends.append(broadcast.follow(heard.append))
    broadcast.publish(notice("a"))
    ends[0]()
    assert heard == []


def test_the_same_listener_twice() -> None:
    """Each following is its own and ends by itself."""
    broadcast = Broadcast()
    heard: list[Event] = []
    end = broadcast.follow(heard.append)
    broadcast.follow(heard.append)
    end()
    broadcast.publish(notice("a"))
    assert heard == [notice("a")]


def test_it_goes_on_after_a_bug() -> None:
    """A listener that raised reaches the publisher, and does not keep later events from being told."""
    broadcast = Broadcast()
    heard: list[Event] = []

    def raising(event: Event) -> None:
        if event == notice("bad"):
            raise ZeroDivisionError

    broadcast.follow(raising)
    broadcast.follow(heard.append)
    try:
        broadcast.publish(notice("bad"))
    except ZeroDivisionError:
        broadcast.publish(notice("good"))
    assert heard == [notice("good")]
