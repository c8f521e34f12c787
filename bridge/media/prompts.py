"""The names of what ships to be played (`Sound`): prompts, numbers in words, tones. Pure.

A prompt is spoken in the site's language (`[site] language`). `number` and `minutes` are composed of several pieces
when they are played, as the language wants it.
"""

from __future__ import annotations

from enum import StrEnum

from bridge.media.model import Sound

LANGUAGES = ("en", "de")
LARGEST_NUMBER = 999


class Prompt(StrEnum):
    """What is said."""

    # a caller who waits
    GREETING = "greeting"  # thank you for calling; please hold the line
    YOU_ARE_NUMBER = "you-are-number"  # ... in the queue: `number` follows
    YOU_ARE_NEXT = "you-are-next"
    ESTIMATED_WAIT = "estimated-wait"  # the estimated waiting time is: `minutes` follows
    LESS_THAN_A_MINUTE = "less-than-a-minute"
    STILL_WAITING = "still-waiting"  # all our agents are busy; please stay on the line
    EXIT_HINT = "exit-hint"  # press the key to leave the queue: `number` of the key follows
    NOBODY_AVAILABLE = "nobody-available"
    CLOSED = "closed"
    QUEUE_FULL = "queue-full"
    GOODBYE = "goodbye"
    # a member
    PRESS_1 = "press-1"  # press 1 to take the call
    CALL_FROM = "call-from"  # a call for you
    CALL_TAKEN = "call-taken"  # somebody else has taken it
    # the menu of a phone
    WELCOME = "welcome"
    ENTER_NUMBER = "enter-number"  # your own number, followed by hash
    ENTER_PIN = "enter-pin"  # followed by hash
    WRONG_PIN = "wrong-pin"
    LOCKED = "locked"  # too many wrong PINs
    GROUP = "group"  # `digits` or `number` follows
    LOGGED_IN = "logged-in"
    LOGGED_OUT = "logged-out"
    PAUSED = "paused"
    NOT_PAUSED = "not-paused"
    MENU_LOGIN = "menu-login"  # press 1 to log in or out
    MENU_PAUSE = "menu-pause"  # press 2 to pause
    MENU_GO_ON = "menu-go-on"  # press 2 to end the pause
    MENU_WHO = "menu-who"  # press 3 to hear who is in
    MENU_NEXT_GROUP = "menu-next-group"  # press 4 for the next group
    MENU_END = "menu-end"  # press star to hang up
    MEMBERS_IN = "members-in"  # members logged in: `number` before it
    NOBODY_IN = "nobody-in"
    LAST_ONE_OUT = "last-one-out"  # warning: nobody is left in the group
    NIGHT_ON = "night-on"  # the group is closed now
    NIGHT_OFF = "night-off"  # the group is open now
    REFUSED = "refused"
    INVALID = "invalid"  # not a valid choice
    FAILED = "failed"  # that did not work


MUSIC: Sound = "music"
"""Our own music on hold: `music = "default"`."""
CONFIRMED: Sound = "tone-confirmed"
"""Two rising beeps."""
DENIED: Sound = "tone-denied"
"""Low beeps."""
RINGBACK: Sound = "tone-ringback"
"""One second of 425 Hz, four of silence; to be looped."""
BUSY: Sound = "tone-busy"
"""To be looped."""
SILENCE: Sound = "silence"
"""Half a second."""
TONES = (CONFIRMED, DENIED, RINGBACK, BUSY, SILENCE)


def number(value: int) -> Sound:
    """Return a number in words, 0 to `LARGEST_NUMBER`; larger ones are said as the largest."""
    return f"number:{max(0, min(value, LARGEST_NUMBER))}"


def digits(value: str) -> tuple[Sound, ...]:
    """Return the digits of something dialled, one by one; what is no digit is left out."""
    return tuple(number(int(each)) for each in value if each in "0123456789")


def minutes(value: int) -> Sound:
    """Return "one minute", "seven minutes"; 1 at the least."""
    return f"minutes:{max(1, min(value, LARGEST_NUMBER))}"


def is_file(sound: Sound) -> bool:
    """Whether a sound is a file of the user's."""
    return "/" in sound or sound.lower().endswith(".wav")
