"""How the lamp signals look: one table for lamps at pins and on panels. Runs under CPython and MicroPython alike.

A signal is a word; its pattern is steps of (lit, milliseconds). A pattern without steps stays at `rest`. `once`: it
runs one time, and the lamp is then at `rest`; else it repeats. `together`: all lamps that show it blink in step; else
it starts anew, and so at once, wherever it begins to show.
"""

BRIDGE_GONE = "bridge-gone"
"""What a panel shows on every lamp while it hears no bridge: a short wink every three seconds."""


class Pattern:
    """How one signal looks."""

    def __init__(
        self, steps: "tuple[tuple[bool, int], ...]" = (), rest: bool = False, once: bool = False, together: bool = True
    ) -> None:
        self.steps = steps
        self.rest = rest
        self.once = once
        self.together = together
        self.run = sum([length for _, length in steps])  # milliseconds of one run


PATTERNS = {
    "off": Pattern(),
    "steady": Pattern(rest=True),
    "blink-slow": Pattern(((True, 1000), (False, 1000))),
    "blink-fast": Pattern(((True, 150), (False, 150))),
    "short-flash": Pattern(((True, 100), (False, 900)), together=False),
    # it begins dark, so that the first flash is seen on a lamp that was lit
    "three-flashes": Pattern(((False, 150), (True, 100)) * 3 + ((False, 250),), once=True, together=False),
    "double-blink": Pattern(((True, 100), (False, 200), (True, 100), (False, 1600))),
    BRIDGE_GONE: Pattern(((True, 50), (False, 2950))),
}


def lit(name: str, started: int, now: int) -> bool:
    """Return whether a lamp that began to show a signal at `started` is lit; times are milliseconds."""
    pattern = PATTERNS[name]
    age = now if pattern.together else now - started
    if not pattern.run or (pattern.once and age >= pattern.run):
        return pattern.rest
    age %= pattern.run
    for on, length in pattern.steps:
        if age < length:
            return on
        age -= length
    return pattern.rest


def next_change(name: str, started: int, now: int) -> "int | None":
    """Return when a lamp that shows a signal is switched next, at the earliest; None: never."""
    pattern = PATTERNS[name]
    age = now if pattern.together else now - started
    if not pattern.run or (pattern.once and age >= pattern.run):
        return None
    into = age % pattern.run
    for _, length in pattern.steps:
        if into < length:
            return now + length - into
        into -= length
    return None
