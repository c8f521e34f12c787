"""Plays the story on the stage, telling it, and says whether all of it happened."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bridge.demo.script import Script
from bridge.demo.stage import Missing, Stage
from bridge.demo.story import STORY, Step

Tell = Callable[[float, str, bool], None]
"""Told what goes on: seconds since the begin, the text, and whether it is evidence (else what is done)."""


@dataclass
class Outcome:
    """How it ended. `missing` is what did not happen, in the step `failed`; `last_lines` what the bridge said then."""

    happened: list[tuple[str, str, float]] = field(default_factory=list)  # step, evidence, seconds since the begin
    seconds: float = 0.0
    failed: str | None = None
    missing: str | None = None
    interrupted: bool = False
    last_lines: list[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether every step happened."""
        return self.missing is None and not self.interrupted


async def play(script: Script, tell: Tell, story: Sequence[Step] = STORY) -> Outcome:
    """Play the story to its end, or to the first step that does not happen; end everything that was begun."""
    outcome = Outcome()
    begin = time.monotonic()
    async with Stage(script) as stage:
        playing = asyncio.create_task(_play(stage, story, tell, begin, outcome))
        interrupted = asyncio.create_task(stage.interrupted.wait())
        try:
            await asyncio.wait({playing, interrupted}, return_when=asyncio.FIRST_COMPLETED)
            outcome.interrupted = interrupted.done()
            if playing.done():
                playing.result()
        finally:
            for task in (playing, interrupted):
                task.cancel()
            await asyncio.gather(playing, interrupted, return_exceptions=True)
        if outcome.missing is not None:
            outcome.last_lines = stage.last_lines()
    outcome.seconds = time.monotonic() - begin
    return outcome


async def _play(stage: Stage, story: Sequence[Step], tell: Tell, begin: float, outcome: Outcome) -> None:
    for step in story:
        tell(time.monotonic() - begin, step.title, False)
        try:
            evidence = await step.does(stage)
        except Missing as missing:
            outcome.failed, outcome.missing = step.name, stage.why_the_bridge_ended() or str(missing)
            return
        at = time.monotonic() - begin
        outcome.happened.append((step.name, evidence, at))
        tell(at, evidence, True)
