"""Tags, branches and Call-IDs are random, and never the same twice, also where many are taken at once."""

from __future__ import annotations

from bridge.tokens import AT_ONCE, tokens


def test_every_token_is_64_bits_of_its_own() -> None:
    """Over several rounds to the kernel, and from two sources beside each other."""
    first, second = tokens(), tokens()
    taken = [source() for _ in range(3 * AT_ONCE) for source in (first, second)]
    assert len(set(taken)) == len(taken)
    assert all(len(token) == 16 and int(token, 16) >= 0 for token in taken)
