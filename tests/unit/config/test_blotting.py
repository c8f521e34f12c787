"""The configuration without its secrets."""

from __future__ import annotations

import tomllib

import pytest

from bridge.config.blotting import BLOTTED, blotted

WRITTEN = r'''
[trunks.fritz]
server = "sip:fritz.box"
username = "620"
password = "pass\"word # 1"   # the old password = "geheim"
[trunks.other]
password = { file = "/etc/cti-bridge/secrets/other" }
[lines]
lobby = { number = "203", "password" = 'geheim', contact = "sip:203@192.0.2.1" }
door.password = """
geheim, on lines"""
door.number = "geheim-like"
[users.anna]
pin = "1234"
'''


def test_every_secret_is_blotted_out_and_named() -> None:
    """Plain, quoted, dotted, in inline tables, over lines, in comments; what only names a place stays."""
    found = blotted(WRITTEN)
    assert found.secrets == ("trunks.fritz.password", "lines.lobby.password", "lines.door.password", "users.anna.pin")
    for secret in ("pass", "geheim,", '"geheim"', "'geheim'", "1234"):
        assert secret not in found.text.replace("password", "")
    read = tomllib.loads(found.text)
    assert read["trunks"]["other"]["password"] == {"file": "/etc/cti-bridge/secrets/other"}
    assert read["lines"]["lobby"] == {"number": "203", "password": BLOTTED, "contact": "sip:203@192.0.2.1"}
    assert read["lines"]["door"]["number"] == "geheim-like"


def test_what_cannot_be_blotted_is_not_given_away() -> None:
    """No TOML, or a secret in a place of which nothing is known: an error, which does not tell the secret."""
    with pytest.raises(ValueError, match="no TOML"):
        blotted("password = \n")
    with pytest.raises(ValueError, match=r"trunks\.a\.password") as refused:
        blotted('[trunks.a]\n"pass\\u0077ord" = "geheim"\n')
    assert "geheim" not in str(refused.value)
