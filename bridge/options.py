"""What `run` is told beside the settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.config.addresses import Listen


@dataclass(frozen=True, slots=True)
class Options:
    """How the agent is run.

    `state` is the directory of its data, made where it is missing; `control` is where its socket listens. `ready` is
    to be called once, when everything serves, with the addresses that are really listened on; it tells people.
    `config` is the file that SIGHUP reads again, None where there is none.
    """

    state: Path
    control: Path
    simulate_hardware: bool
    ready: Callable[[Sequence[Listen]], None]
    config: Path | None = None
