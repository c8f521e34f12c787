"""The commands there are: a name, the module that it lives in, one line of help.

A command's module has two functions, `arguments(parser)` and `run(args) -> int`. It is imported only when its
command is asked for, so a command pays only for what it uses.
"""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """Where a command lives, and what it does in one line."""

    module: str
    help: str


COMMANDS = {
    "run": Entry("bridge.cli.run", "serve in the foreground until SIGTERM or SIGINT"),
    "check": Entry("bridge.cli.check", "name every mistake in the configuration"),
    "init": Entry("bridge.cli.init", "write a configuration, from answers to a few questions"),
    "demo": Entry("bridge.cli.demo", "show a call through a hunt group, on this machine alone"),
    "doctor": Entry("bridge.cli.doctor", "look for all that may be wrong here and around, and say what to do"),
    "status": Entry("bridge.cli.status", "what is up: trunks, groups, calls"),
    "login": Entry("bridge.cli.login", "log a member in to a group"),
    "logout": Entry("bridge.cli.logout", "log a member out of a group"),
    "pause": Entry("bridge.cli.pause", "let a member who is logged in not be rung"),
    "unpause": Entry("bridge.cli.unpause", "let a member who is paused be rung again"),
    "night": Entry("bridge.cli.night", "open or close a group, or leave that to its hours"),
    "dial": Entry("bridge.cli.dial", "call a number with the phone of a line"),
    "pickup": Entry("bridge.cli.pickup", "take a call that rings elsewhere"),
    "hangup": Entry("bridge.cli.hangup", "end the call of a line"),
    "hold": Entry("bridge.cli.hold", "let the other side of a line's call wait"),
    "resume": Entry("bridge.cli.resume", "go on with a line's call that is on hold"),
    "transfer": Entry(
        "bridge.cli.transfer", "connect the other side of a line's call to a number, or to the line's other call"
    ),
    "divert": Entry("bridge.cli.divert", "let the calls of a line go elsewhere"),
    "dnd": Entry("bridge.cli.dnd", "let a line not be disturbed by calls"),
    "calls": Entry("bridge.cli.calls", "the calls that are up"),
    "groups": Entry("bridge.cli.groups", "the groups, their members and who is logged in"),
    "lines": Entry("bridge.cli.lines", "the lines and whether they can be rung"),
    "rights": Entry("bridge.cli.rights", "what somebody may see and do of others, and why"),
    "simulate": Entry("bridge.cli.simulate", "rehearse a configuration with a day of calls, or compare two"),
    "explain": Entry("bridge.cli.explain", "why a call rang whom it rang, and whom not"),
    "log": Entry("bridge.cli.log", "have the agent log more, or less, for a while"),
    "monitor": Entry("bridge.cli.monitor", "everything at a glance, with keys to log in, out, pause and pick up"),
    "trace": Entry("bridge.cli.trace", "the SIP messages of the last minutes, as a ladder"),
    "test-call": Entry("bridge.cli.test_call", "call a number with a phone of another make, or be one that answers"),
    "journal": Entry("bridge.cli.journal", "the calls and what became of them, logins, statistics"),
    "desk": Entry("bridge.cli.desk", "buttons and lamps: list them, test the lamps, watch the presses"),
    "events": Entry("bridge.cli.events", "what happens, as it happens"),
    "dashboard": Entry("bridge.cli.dashboard", "a view for Home Assistant, and a blueprint that tells who is calling"),
    "backup": Entry("bridge.cli.backup", "logins, journal and configuration in one file, without secrets"),
    "restore": Entry("bridge.cli.restore", "put what a backup has kept back in its place"),
    "acl": Entry("bridge.cli.acl", "the broker's rules, for Mosquitto"),
}
