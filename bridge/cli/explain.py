"""`cti-bridge explain`: why a call rang whom it rang, and whom not."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from bridge.cli.asking import ask, print_json
from bridge.cli.calls import caller_text
from bridge.cli.ending import DONE
from bridge.cli.text import clean, clock, columns


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument("call", metavar="CALL", nargs="?", help="the call's id, as calls shows it (the last call)")


def run(args: argparse.Namespace) -> int:
    """Tell the call's story, step by step."""
    data = ask(args, "explain", {"call": args.call})
    if args.json:
        print_json(data)
    else:
        print(_text(data))
    return DONE


def _text(data: Mapping[str, Any]) -> str:
    call = data["call"]
    called = f"{call['called']} ({call['group']})" if call["group"] else call["called"]
    heading = f"{clock(call['since'])}  {caller_text(call)} called {called}: {data['result'] or call['state']}"
    rows = [(f"{s['at']:7.1f} s", s["member"] or "-", _step(s)) for s in data["steps"]]
    return "\n".join(part for part in (clean(heading), columns(rows)) if part)


def _step(step: Mapping[str, Any]) -> str:
    return f"{step['what']}: {step['why']}" if step["why"] else str(step["what"])
