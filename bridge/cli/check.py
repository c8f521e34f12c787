"""`cti-bridge check`: name every mistake in the configuration, or say what it sets up."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bridge.cli.configuration import listing
from bridge.cli.ending import DONE, USAGE
from bridge.config.find import find
from bridge.config.problems import ConfigError

if TYPE_CHECKING:
    from bridge.config.settings import Settings


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument(
        "--schema", action="store_true", help="print the configuration's JSON Schema, for editors; check nothing"
    )


def run(args: argparse.Namespace) -> int:
    """Check; 0 where all is right, 2 where anything is wrong."""
    if args.schema:
        return _print_schema()
    from bridge.config.load import load

    path = None
    try:
        path = find(args.config)
        settings = load(path)
    except ConfigError as error:
        print(_wrong_json(path, error) if args.json else listing(path, error))
        return USAGE
    print(_right_json(path, settings) if args.json else _right(path, settings))
    return DONE


def _print_schema() -> int:
    from bridge.config.settings import Settings

    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Settings.model_json_schema()}
    print(json.dumps(schema, indent=2))
    return DONE


def _right(path: Path, settings: Settings) -> str:
    from bridge.config.counts import counted, counts

    return "\n".join([f"{path} is right: {counted(counts(settings))}", *_notices(settings)])


def _right_json(path: Path, settings: Settings) -> str:
    from bridge.config.counts import counts

    body: dict[str, Any] = {"status": "ok", "file": str(path), "problems": [], "notices": _notices(settings)}
    return json.dumps({**body, "counts": counts(settings)})


def _wrong_json(path: Path | None, error: ConfigError) -> str:
    problems = [problem._asdict() for problem in error.problems]
    return json.dumps({"status": "error", "file": str(path) if path else None, "problems": problems, "notices": []})


def _notices(settings: Settings) -> list[str]:
    from bridge.config.later import notices

    return notices(settings)
