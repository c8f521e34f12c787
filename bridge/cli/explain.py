"""`cti-bridge explain`: why a call rang whom it rang, and whom not; also of a call that is long over."""

from __future__ import annotations

import argparse
import datetime
from collections.abc import Iterator, Mapping
from typing import Any

from bridge.cli.asking import print_json
from bridge.cli.calls import caller_text
from bridge.cli.ending import DONE
from bridge.cli.reading import look_up
from bridge.cli.text import clean, clock, columns, length

_RANG = {
    "answered": "answered",
    "no answer": "did not answer",
    "declined": "declined",
    "busy": "was busy",
    "unreachable": "could not be reached",
    "diverted": "diverts its calls, which was not followed",
}
_STOPPED = {
    "answered elsewhere": "then somebody else answered",
    "caller gave up": "then the caller gave up",
    "gave up": "then the time was over",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument("call", metavar="CALL", nargs="?", help="the call's id, as journal shows it (the last call)")


def run(args: argparse.Namespace) -> int:
    """Tell the call's story, step by step."""
    data = look_up(args, "explain", {"call": args.call})
    if args.json:
        print_json(data)
    else:
        print(_text(data))
    return DONE


def _text(data: Mapping[str, Any]) -> str:
    call = data["call"]
    rows = [(f"{s['at']:7.1f} s", s["member"] or "-", _step(s)) for s in data["steps"]]
    parts = [clean(_heading(data)), *(clean(line) for line in _members(call)), columns(rows)]
    return "\n".join(part for part in parts if part)


def _heading(data: Mapping[str, Any]) -> str:
    call = data["call"]
    groups = " and then ".join(call.get("groups", [call["group"]] if call["group"] else []))
    called = f"{call['called']} ({groups})" if groups else call["called"]
    began = f"{clock(call['since'])}  {caller_text(call)} called {called}"
    if "wait" not in call:
        return f"{began}: {data['result'] or call['state']}"
    waited = f"after {length(call['wait'])}"
    if call["taken_by"]:
        return f"{began}: answered by {call['taken_by']} {waited}, talked {length(call['talk'])}"
    return f"{began}: {data['result'] or call['result']}, {waited}"


def _members(call: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for what became of the call at each member, in the order of time."""
    began = datetime.datetime.fromisoformat(call["since"]).astimezone()
    for part in call.get("members", ()):
        at = began + datetime.timedelta(seconds=part["at"])
        where = f" ({part['group']})" if len(call["groups"]) > 1 and part["group"] else ""
        yield f"  {part['member']}{where} {_told(part, f'{at:%H:%M:%S}')}"


def _told(part: Mapping[str, Any], at: str) -> str:
    """Return "rang for 15 s from 14:05:02 on and did not answer", "was not rung: logged out"."""
    what, why, rang = part["outcome"], part["why"], part["rang"]
    because = f" ({why})" if why else ""
    if what == "withdrawn":
        then = _STOPPED.get(why, f"then was no longer to be rung: {why}")
        return f"rang for {rang:.1f} s from {at} on, {then}" if rang else f"was asked at {at} but did not ring, {then}"
    if what not in _RANG:
        return f"was not rung: {what}{because}"
    if rang:
        return f"rang for {rang:.1f} s from {at} on and {_RANG[what]}{because}"
    return f"was asked at {at} and {_RANG[what]} at once{because}" if what != "unreachable" else (
        f"was asked at {at} and {_RANG[what]}{because}"
    )  # fmt: skip


def _step(step: Mapping[str, Any]) -> str:
    return f"{step['what']}: {step['why']}" if step["why"] else str(step["what"])
