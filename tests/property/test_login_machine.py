"""No sequence of commands, leases, restarts, new configurations and clock jumps loses or invents a login.

A witness who knows the true time, and nothing of clocks that are not right, writes down what everybody may expect; the
bookkeeping on made-up clocks, across restarts and jumps, has to come to the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bridge.commands.model import OWNER, LoginCommand, LoginVerb
from bridge.directory.hours import Hours
from bridge.directory.logins import Origin
from bridge.directory.model import Directory, Member
from tests.support.clerk import UTC, Clerk
from tests.support.office import office

WORK = Hours.of(["mon-fri 09:00-12:30", "mon-thu 13:30-17:00"], UTC)
MEMBERS = (
    Member("anna", "anna"),
    Member("ben", "ben", restart="reset"),
    Member("cara", "cara", schedule=WORK),
    Member("lobby", "lobby", device=True),
)
NAMES = [member.name for member in MEMBERS]
DEEPEST = 8  # leases in front of each other


@dataclass
class Entry:
    """One thing that was said: in or out, until a true time or for good; `told`: by a clock that was right."""

    inward: bool
    end: float | None = None
    told: bool = True
    permanent: bool = False


@dataclass
class Witness:
    """What a member may expect: what was said last and still holds, in front of what was said before."""

    said: list[Entry] = field(default_factory=lambda: [Entry(False)])
    by_hand: float = float("-inf")  # true time of the last command that was for good
    by_hand_told: bool = True  # by a clock that was right

    @property
    def top(self) -> Entry:
        """What holds."""
        return self.said[-1]

    def hear(self, inward: bool, length: float | None, now: float, right: bool, by_phone: bool, device: bool) -> None:
        """Take a command."""
        permanent = device and (self.top.permanent if by_phone else inward)
        if length is None:
            self.said = [Entry(inward, permanent=permanent)]
            self.by_hand, self.by_hand_told = now, right
            return
        while self.top.end is not None:
            known = right or not self.top.told
            if self.top.inward is not inward and not (known and self.top.end <= now + length):
                break
            self.said.pop()
        del self.said[DEEPEST:]
        self.said.append(Entry(inward, now + length, right, permanent))

    def pass_time(self, now: float, right: bool) -> bool:
        """Let what is over be over; return whether anything was."""
        over = False
        self.by_hand_told = self.by_hand_told or right
        for entry in self.said:
            entry.told = entry.told or right
        while self.top.end is not None and self.top.end <= now and (right or not self.top.told):
            ended = self.said.pop()
            self.top.permanent = self.top.permanent or ended.permanent
            over = True
        return over

    def restart(self, kept: bool, device: bool) -> None:
        """Forget what a restart ends, and what was said before that."""
        for place in range(len(self.said) - 1, -1, -1):
            entry = self.said[place]
            if entry.inward and not (kept and (not device or entry.permanent)):
                self.said = [Entry(False), *self.said[place + 1 :]]
                return

    def lose_count(self) -> None:
        """The clock was not right, and a restart has ended its scale: what was measured on it is long ago."""
        if not self.by_hand_told:
            self.by_hand = float("-inf")
        for entry in self.said:
            if not entry.told:
                entry.end = float("-inf")


class Logins(RuleBasedStateMachine):
    """A clerk and a witness."""

    def __init__(self) -> None:
        super().__init__()
        self.clerk = Clerk(self.people(NAMES))
        self.witnesses = {name: Witness() for name in NAMES}
        self.clerk.restart()

    def people(self, names: list[str]) -> Directory:
        """Return the office with these members in support."""
        return office(members=tuple(m for m in MEMBERS if m.name in names))

    def present(self) -> list[str]:
        """Return who is in the configuration."""
        return [m.name for m in self.clerk.directory.groups["support"].members]

    # -- what happens -------------------------------------------------------------------------------------------------

    @rule(
        name=st.sampled_from(NAMES),
        verb=st.sampled_from([LoginVerb.LOGIN, LoginVerb.LOGOUT, LoginVerb.TOGGLE]),
        minutes=st.sampled_from([None, None, 7, 30, 90, 600]),
        by_phone=st.booleans(),
    )
    def command(self, name: str, verb: LoginVerb, minutes: int | None, by_phone: bool) -> None:
        """Somebody does something by hand."""
        if name not in self.present():
            return
        witness, clerk = self.witnesses[name], self.clerk
        inward = not clerk.login(name).logged_in if verb is LoginVerb.TOGGLE else verb is LoginVerb.LOGIN
        length = None if minutes is None else minutes * 60.0
        command = LoginCommand(verb, "support", name, for_seconds=length)
        clerk.submit(command, OWNER, Origin.PHONE if by_phone else Origin.MQTT)
        witness.hear(inward, length, clerk.wall, clerk.right, by_phone, name == "lobby")

    @rule(name=st.sampled_from(NAMES), verb=st.sampled_from([LoginVerb.PAUSE, LoginVerb.UNPAUSE]))
    def pause(self, name: str, verb: LoginVerb) -> None:
        """A pause changes nothing of who is in."""
        if name in self.present() and self.clerk.login(name).logged_in:
            self.clerk.submit(LoginCommand(verb, "support", name, for_seconds=None), OWNER, Origin.BUTTON)

    @rule(minutes=st.integers(1, 900))
    def wait(self, minutes: int) -> None:
        """Time passes, and the bridge notices late."""
        self.clerk.wall += 60.0 * minutes
        self.clerk.pass_time()
        self.everybody_waits()

    @rule(minutes=st.integers(0, 900), right=st.booleans())
    def restart(self, minutes: int, right: bool) -> None:
        """The bridge ends and starts again, with a clock that is right or made up."""
        was_right, self.clerk.right = self.clerk.right, right
        for name, witness in self.witnesses.items():
            if right and not was_right:
                witness.lose_count()
            witness.restart(kept=name != "ben", device=name == "lobby")
        self.clerk.restart(after=60.0 * minutes)
        self.everybody_waits()

    @precondition(lambda self: not self.clerk.right)
    @rule()
    def clock_becomes_right(self) -> None:
        """The network tells the time: the clock jumps by years."""
        self.clerk.right = True
        self.clerk.pass_time()
        self.everybody_waits()

    @rule(names=st.sets(st.sampled_from(NAMES), min_size=1))
    def reload(self, names: set[str]) -> None:
        """A new configuration; who has left it is forgotten."""
        self.clerk.reload(self.people(list(names)))
        self.clerk.pass_time()
        for name in NAMES:
            if name not in names:
                self.witnesses[name] = Witness()

    def everybody_waits(self) -> None:
        """Let the witnesses see what time it is."""
        for witness in self.witnesses.values():
            witness.pass_time(self.clerk.wall, self.clerk.right)

    # -- what holds ---------------------------------------------------------------------------------------------------

    @invariant()
    def nobody_is_lost_or_invented(self) -> None:
        """In or out, and whether that ends: as the witness has it."""
        for name in self.present():
            login, top = self.clerk.login(name), self.witnesses[name].top
            assert (login.until is not None) is (top.end is not None), name
            if name != "cara" or top.end is not None:
                assert login.logged_in is top.inward, name

    @invariant()
    def a_schedule_has_its_way_and_no_more(self) -> None:
        """Beside a lease, what holds is the schedule, or what was done by hand since it turned."""
        witness, clerk = self.witnesses["cara"], self.clerk
        if "cara" not in self.present() or not clerk.right or witness.top.end is not None:
            return
        assert WORK is not None
        turned = WORK.last_change(clerk.wall)
        inward = clerk.login("cara").logged_in
        if inward is not WORK.contain(clerk.wall):
            assert turned is not None and witness.by_hand >= turned

    @invariant()
    def only_who_is_in_is_paused(self) -> None:
        """No lease, schedule or restart leaves a pause behind."""
        for _, login in self.clerk.logins:
            assert login.logged_in or not login.paused

    @invariant()
    def no_time_is_left_on_a_made_up_scale(self) -> None:
        """Once the clock is right, all that is shown is UTC."""
        if self.clerk.right:
            for _, login in self.clerk.logins:
                assert login == replace(login, unsure=False, lasts=None, pause_lasts=None)


Logins.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestLogins = Logins.TestCase
