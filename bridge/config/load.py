"""From a TOML file to settings: either all of it is right, or every mistake is told at once."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bridge.config import check_desks, check_people, check_telephony, check_tls
from bridge.config.draft import Draft, Finding
from bridge.config.find import text_of
from bridge.config.locate import Lines
from bridge.config.problems import ConfigError, Loc, Problem, dotted
from bridge.config.settings import Settings
from bridge.config.wording import finding

_AT_LINE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)\Z")


def load(path: Path, environ: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings of a file; secrets are read, from `environ` too. Raises ConfigError with every mistake."""
    return parse(text_of(path), path.parent, environ)


def parse(text: str, base: Path, environ: Mapping[str, str]) -> Settings:
    """Return the settings of a TOML text; files named in it count from `base`. Raises ConfigError."""
    data = _toml(text)
    if huge := list(_huge(data)):
        raise ConfigError(_problems(huge, Lines(text)))
    draft = Draft(data)
    found: list[Finding] = []
    settings = None
    try:
        settings = Settings.model_validate(data, context={"base": base, "environ": environ})
    except ValidationError as error:
        found += map(finding, error.errors(include_url=False))
    for check in (check_telephony, check_people, check_desks):
        found += check.findings(draft)
    if settings is not None:
        found += check_tls.findings(settings)
    if settings is None or found:
        raise ConfigError(_problems(found, Lines(text))) from None
    return settings


def _huge(value: Any, loc: Loc = ()) -> Iterator[Finding]:
    """Yield whole numbers beyond what TOML promises (64 bits); not even their text may be had."""
    if isinstance(value, int) and value.bit_length() > 64:
        yield loc, "is beyond all that a number can be here; right are up to 64 bits"
    elif isinstance(value, dict | list):
        for key, below in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _huge(below, (*loc, key))


def _problems(found: Iterable[Finding], lines: Lines) -> list[Problem]:
    unique = dict.fromkeys(found)
    return [Problem(dotted(loc), what, lines.find(loc)) for loc, what in unique]


def _toml(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        said = str(error)
        at = _AT_LINE.search(said)
        line = int(at[1]) if at and at[1] else text.count("\n") + 1
        column = f", at column {at[2]}" if at and at[2] else ""
        what = _AT_LINE.sub("", said)
        raise ConfigError([Problem("", f"this is not TOML{column}: {what}; mend it first", line)]) from None
    except ValueError:  # int(): more digits than it takes
        raise ConfigError([Problem("", "this is not TOML: a number has thousands of digits; mend it first")]) from None
    except RecursionError:
        raise ConfigError([Problem("", "brackets are nested too deeply; the configuration needs few")]) from None
