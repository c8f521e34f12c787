"""The manual page and the completion, which are made from the commands' own help."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from bridge.cli.main import command_parser
from bridge.cli.manual import bash, man
from bridge.cli.table import COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_told(command: str) -> None:
    """With all its own words and options; every command's help can be had at all."""
    page = man().replace("\\-", "-")
    section = page.partition(f".SS cti-bridge {command}")[2].partition("\n.SS ")[0]
    assert section
    for action in command_parser(command)._actions:
        for option in action.option_strings:
            hidden = action.help == "==SUPPRESS=="
            common = option in ("-h", "--help", "--config", "--state", "--control", "--json", "--as")
            assert hidden or common or f"{option}" in section, option


def test_roff_takes_every_line() -> None:
    """No line begins with a dot or an apostrophe that is not a request of ours."""
    requests = re.findall(r"(?m)^[.'](\w*)", man())
    assert set(requests) == {"TH", "SH", "SS", "TP", "B"}


def complete(*words: str) -> list[str]:
    """Return what bash offers for the last of these words."""
    script = f"""
{bash()}
compopt() {{ :; }}
COMP_WORDS=({" ".join(f"'{word}'" for word in ("cti-bridge", *words))})
COMP_CWORD={len(words)}
_cti_bridge
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.skipif(not Path("/bin/bash").exists(), reason="no bash here")
def test_completion() -> None:
    """Commands first, then the options and words of the command; places are left to the shell."""
    assert complete("log") == ["login", "logout", "log"] or set(complete("log")) >= {"login", "logout"}
    assert complete("night", "support", "cl") == ["closed"]
    assert "--until" in complete("--config", "x.toml", "login", "--")
    assert complete("--config", "") == []
