"""No sequence of commands, failing disks and restarts loses a login or invents one."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.commands.model import OWNER, LoginCommand, LoginVerb, Reply
from bridge.directory.logins import Login, Origin
from tests.support.disk import Disk, serving
from tests.support.office import office


@dataclass(frozen=True)
class Run:
    """One run of the agent: batches of commands that come in at once, each with whether the disk works then."""

    batches: Sequence[tuple[bool, Sequence[LoginCommand]]]


COMMANDS = st.builds(
    LoginCommand,
    st.sampled_from(LoginVerb),
    st.sampled_from(["support", "601", "all", "nowhere"]),
    st.sampled_from(["anna", "ben", "all", "nobody"]),
    for_seconds=st.sampled_from([None, 60.0]),
    reason=st.sampled_from([None, "lunch"]),
)
RUNS = st.builds(Run, st.lists(st.tuples(st.booleans(), st.lists(COMMANDS, min_size=1, max_size=4)), max_size=4))

State = dict[tuple[str, str], tuple[bool, bool, str | None]]


def believed(state: State, replies: Sequence[Reply]) -> None:
    """Take over what the replies confirm, as somebody would who reads nothing else."""
    for reply in replies:
        for entry in reply.data.get("changed", ()):
            place = (entry["group"], entry["member"])
            state[place] = (entry["login"] == "ON", entry["paused"], entry["reason"])


def shown(login: Login) -> tuple[bool, bool, str | None]:
    """Return what `believed` keeps of a login."""
    return login.logged_in, login.paused, login.pause_reason if login.paused else login.reason


async def live(path: Path, run: Run, state: State) -> None:
    """Start, compare with what is believed, do the run's batches comparing after each, and end."""
    disk = Disk(path)
    async with serving(disk, office()) as port:
        assert {place: shown(login) for place, login in port.logins} == state
        for works, batch in run.batches:
            disk.broken = not works
            replies = await asyncio.gather(*(port.submit(c, OWNER, Origin.CONTROL) for c in batch))
            assert works or not any(reply.data.get("changed") for reply in replies)
            believed(state, replies)
            assert {place: shown(login) for place, login in port.logins} == state


@settings(max_examples=40, deadline=None)
@given(st.lists(RUNS, min_size=1, max_size=3))
def test_every_run_finds_what_was_confirmed(runs: list[Run]) -> None:
    """After each batch and each restart the logins are exactly those that replies confirmed."""
    state: State = {}
    with tempfile.TemporaryDirectory() as directory:
        for run in [*runs, Run(())]:
            asyncio.run(live(Path(directory, "logins.db"), run, state))
