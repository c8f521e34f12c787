"""Where the configuration is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from bridge.config.problems import ConfigError, Problem

VARIABLE = "CTI_BRIDGE_CONFIG"
PLACES = (Path("cti-bridge.toml"), Path("/etc/cti-bridge/cti-bridge.toml"))
EXAMPLE = Path(__file__).with_name("example.toml")
"""The configuration that ships: it needs no PBX, no broker and no Pi."""
SKELETON = Path(__file__).with_name("skeleton.toml")
"""The configuration that an installation begins with: it serves nobody yet, and `init` may write over it."""


def find(explicit: str | Path | None, environ: Mapping[str, str] = os.environ) -> Path:
    """Return the configuration's path: `--config`, `$CTI_BRIDGE_CONFIG`, else the first place that has one.

    Raises ConfigError where there is none; a path that was given is not looked at here.
    """
    given = explicit or environ.get(VARIABLE)
    if given:
        return Path(given)
    for place in PLACES:
        if place.exists():
            return place
    looked = " and ".join(map(str, PLACES))
    raise ConfigError(
        [
            Problem(
                "",
                f"there is no configuration at {looked}; name one with --config FILE or ${VARIABLE}, "
                "or try the example that ships with run --example",
            )
        ]
    )
