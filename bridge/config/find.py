"""Where the configuration is, and its text."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from bridge.config.problems import ConfigError, Problem

LARGEST = 1 << 20  # bytes

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


def text_of(path: Path) -> str:
    """Return the text of the configuration. Raises ConfigError where it cannot be had."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise ConfigError([Problem("", f"{path} cannot be read: {error.strerror or error}")]) from None
    if len(content) > LARGEST:
        raise ConfigError([Problem("", f"{path} has over {LARGEST} bytes; that is no configuration of ours")])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError([Problem("", f"{path} is not UTF-8 text; save it as UTF-8", line)]) from None
