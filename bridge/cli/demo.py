"""`cti-bridge demo`: a call through a hunt group, on loopback; 0 only if all of it really happened."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from bridge.cli.ending import DONE, FAILED, INTERRUPTED, USAGE, Stop

if TYPE_CHECKING:
    from bridge.demo.play import Outcome
    from bridge.demo.script import Script


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument("--script", metavar="JSON", help=argparse.SUPPRESS)  # bends the world, for tests


def run(args: argparse.Namespace) -> int:
    """Tell the story; 1, and what did not happen, where a step is without evidence."""
    import asyncio

    from bridge.demo.play import play

    if not args.json:
        print("A call through a hunt group, on loopback, with phones that really speak SIP and RTP.\n", flush=True)
    outcome = asyncio.run(play(_script(args.script), _silent if args.json else _tell))
    if args.json:
        _print_json(outcome)
    elif not outcome.interrupted:
        print(_end(outcome))
    if outcome.interrupted:
        return INTERRUPTED
    return DONE if outcome.whole else FAILED


def _script(bent: str | None) -> Script:
    from bridge.demo.script import Script

    try:
        return Script(**json.loads(bent or "{}"))
    except (ValueError, TypeError) as error:
        raise Stop(f"--script: {error}", USAGE) from None


def _tell(seconds: float, text: str, evidence: bool) -> None:
    first, *more = text.split("\n")
    lines = [
        f"{'        ok: ' if evidence else f'{seconds:5.1f} s  '}{first}",
        *(f"            {line}" for line in more),
    ]
    print("\n".join(lines), flush=True)


def _silent(seconds: float, text: str, evidence: bool) -> None:
    """Tell nothing: the end is told as JSON."""


def _end(outcome: Outcome) -> str:
    if outcome.whole:
        return f"\nAll {len(outcome.happened)} steps happened, in {outcome.seconds:.1f} s."
    lines = "".join(f"\n    {line}" for line in outcome.last_lines)
    return (
        f"    FAILED: {outcome.missing}.\n\nThe step {outcome.failed} did not happen. The bridge's last words:{lines}"
    )


def _print_json(outcome: Outcome) -> None:
    from bridge.cli.asking import print_json

    print_json(
        {
            "ok": outcome.whole,
            "seconds": round(outcome.seconds, 1),
            "steps": [{"step": s, "at": round(at, 3), "evidence": e} for s, e, at in outcome.happened],
            "failed": outcome.failed,
            "missing": outcome.missing,
        }
    )
