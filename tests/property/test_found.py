"""What fuzzing has found (`scripts/fuzz`): each input lies in `found/`, named by its target and what was wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.dialogs import Dialogs

FOUND = sorted((Path(__file__).parent / "found").iterdir())


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.name)
def test_does_no_harm_any_more(path: Path, tmp_path: Path) -> None:
    """Sent into a talk again and again, until a house has seen enough and is looked through."""
    target = {"dialogs": Dialogs}[path.name.partition("-")[0]](tmp_path / "sequence")
    data = path.read_bytes()
    for _ in range(target.again):
        target(data)
