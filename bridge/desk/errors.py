"""What a desk fails with."""

from __future__ import annotations


class DeskError(Exception):
    """Desks that cannot be opened. `problems`: every one, as `key.path: what is wrong; what would be right`."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
