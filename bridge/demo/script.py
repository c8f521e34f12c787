"""The world of the demo: who is there, what they sound like, and the configuration of their bridge.

What is expected of this world is written in the story; a test bends the world and sees that the story notices.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from secrets import token_hex

BUTTON = 17
LAMP = 27
PHONES = {"anna": "201", "ben": "202", "cara": "203"}
CALLER = "204"


@dataclass(frozen=True, slots=True)
class Script:
    """What can be bent. Tones are Hz, times seconds; `patience` is what anything may take."""

    parallel: str = "600"
    sequential: str = "601"
    ring_seconds: float = 2.0
    presses: str = "toggle support"  # what the button does
    colleague: str = "ben"  # whom the command line logs in
    phone_tone: int = 440
    caller_tone: int = 1000
    patience: float = 5.0
    password: str = field(default_factory=lambda: token_hex(8), repr=False)
    phones_password: str | None = field(default=None, repr=False)  # what the phones try; None: the right one

    def configuration(self) -> str:
        """Return the bridge's configuration (TOML)."""
        lines = "".join(
            f'[lines.{name}]\nnumber = "{number}"\npassword = "{self.password}"\n'
            for name, number in {**PHONES, "caller": CALLER}.items()
        )
        users = "".join(f'[users.{name}]\nname = "{name.title()}"\nline = "{name}"\n' for name in PHONES)
        return f"""\
[site]
name = "demo"

[sip]
listen = ["udp:127.0.0.1:0"]

{lines}
{users}
[groups.support]
number = "600"
members = ["anna", "ben", "cara"]
strategy = "parallel"

[groups.office]
number = "601"
members = ["anna", "ben"]
strategy = "sequential"
ring_seconds = {float(self.ring_seconds)}

[desks.anna]
member = "anna"
buttons = [{{ gpio = {BUTTON}, press = "{self.presses}" }}]
lamps = [{{ gpio = {LAMP}, shows = "login support" }}]
"""
