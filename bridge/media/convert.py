"""A process that converts WAV files: `python -m bridge.media.convert CACHE FILE...`; `preparing` starts it."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from bridge.media.sounds import convert


def main(cache: str, files: list[str]) -> int:
    """Convert; what cannot be is told by whoever looks for it afterwards."""
    with contextlib.suppress(OSError):  # a service may be forbidden to
        os.nice(10)  # calls go first
    for file in files:
        convert(Path(file), Path(cache))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
