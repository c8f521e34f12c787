"""Write `bridge/sip/README.md`; with --check, tell whether it is what would be written."""

from __future__ import annotations

import sys

from scripts.drawing.machines import PLACE, page


def main() -> int:
    """Return the exit code."""
    if "--check" in sys.argv[1:]:
        same = PLACE.read_text(encoding="utf-8") == page()
        print(f"{PLACE.name} is as its tables are" if same else "run scripts/machines")
        return 0 if same else 1
    PLACE.write_text(page(), encoding="utf-8")
    return 0


sys.exit(main())
