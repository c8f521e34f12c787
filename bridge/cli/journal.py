"""`cti-bridge journal`: the calls, who did what, logins and night switches; and what they add up to."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from bridge.cli.asking import print_json
from bridge.cli.calls import caller_text
from bridge.cli.ending import DONE
from bridge.cli.reading import look_up
from bridge.cli.text import clean, clock, columns, length

_CSV = (
    *("kind", "at", "ended", "call", "groups", "caller", "caller_name", "called", "result", "taken_by", "wait", "talk"),
    *("members", "group", "member", "what", "by", "origin", "reason", "until"),
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument("--group", metavar="GROUP", help="what a group's calls and members did, by name or number")
    parser.add_argument("--member", metavar="MEMBER", help="what became of calls at a member, and the member's logins")
    parser.add_argument("--caller", metavar="TEXT", help="calls from a number, or a part of a number or name")
    parser.add_argument("--result", metavar="WORD", help='such as answered, abandoned, "no answer"; or missed, for all '
                        "that nobody took")  # fmt: skip
    parser.add_argument("--since", metavar="TIME", help="2h (ago), 14:00, today, yesterday, 2026-11-23")
    parser.add_argument("--until", metavar="TIME", help="the same")
    parser.add_argument("--last", metavar="N", type=int, help="how many entries at the most (50)")
    parser.add_argument("--only", choices=("calls", "logins"), help="leave out the others")
    parser.add_argument("--csv", action="store_true", help="a table for a spreadsheet")
    parser.add_argument("--stats", action="store_true", help="what groups and members did today and in the last hour, "
                        "or since --since")  # fmt: skip
    parser.add_argument("--within", metavar="SECONDS", type=float, help="of the service level: answered within (20)")


def run(args: argparse.Namespace) -> int:
    """Print entries, or statistics."""
    if args.stats:
        return _statistics(args)
    names = ("group", "member", "caller", "result", "since", "until", "last", "only")
    data = look_up(args, "journal", {name: getattr(args, name) for name in names})
    if args.json:
        print_json(data)
    elif args.csv:
        _print_csv(data["entries"])
    else:
        print(_table(data["entries"]))
    return DONE


def _table(entries: Sequence[Mapping[str, Any]]) -> str:
    if not entries:
        return "  the journal has no such entry"
    headings = ("BEGAN", "CALL", "CALLER", "CALLED", "RESULT", "WAIT", "TALK", "MEMBERS")
    return columns((_row(entry) for entry in entries), headings)


def _row(entry: Mapping[str, Any]) -> tuple[object, ...]:
    if entry["kind"] != "call":
        who = " ".join(part for part in (entry["group"], entry["member"]) if part)
        by = f" by {entry['by']} ({entry['origin']})" if entry["by"] else ""
        until = f" until {clock(entry['until'])}" if entry["until"] else ""
        reason = f": {entry['reason']}" if entry["reason"] else ""
        return clock(entry["at"]), "-", who, "", f"{entry['what']}{until}{by}{reason}", "", "", ""
    called = f"{entry['called']} {'>'.join(entry['groups'])}".rstrip()
    result = f"{entry['result']} {entry['taken_by'] or ''}".rstrip()
    talk = length(entry["talk"]) if entry["taken_by"] else ""
    return (clock(entry["at"]), entry["call"], caller_text(entry), called, result, length(entry["wait"]), talk,
            _members(entry["members"]))  # fmt: skip


def _members(parts: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(f"{part['member']} {outcome(part)}" for part in parts)


def outcome(part: Mapping[str, Any]) -> str:
    """Return what became of a call at a member: "no answer 15.0 s", "answered elsewhere 3.2 s", "logged out"."""
    what = part["why"] if part["outcome"] == "withdrawn" and part["why"] else part["outcome"]
    return f"{what} {part['rang']:.1f} s" if part["rang"] else str(what)


def _print_csv(entries: Sequence[Mapping[str, Any]]) -> None:
    writer = csv.DictWriter(sys.stdout, _CSV, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for entry in entries:
        row = {key: _cell(entry.get(key)) for key in _CSV}
        groups, members = " ".join(entry.get("groups", ())), _members(entry.get("members", ()))
        writer.writerow({**row, "groups": groups, "members": members})


def _cell(value: object) -> object:
    """Return a cell that no spreadsheet takes for a formula, whoever has written it."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t") else value


# -- statistics ---------------------------------------------------------------------------------------------------

_SPANS = {"today": "today", "hour": "the last hour", "span": ""}


def _statistics(args: argparse.Namespace) -> int:
    data = look_up(args, "statistics", {name: getattr(args, name) for name in ("group", "since", "until", "within")})
    if args.json:
        print_json(data)
    else:
        print(_text(data))
    return DONE


def _text(data: Mapping[str, Any]) -> str:
    if not data["groups"]:
        return "  the journal tells of no group"
    parts = []
    for name, group in data["groups"].items():
        waiting = f", {group['waiting']} waiting now" if group["waiting"] else ""
        parts.append(clean(f"{name}{waiting}"))
        spans = {span: group[span] for span in _SPANS if span in group}
        headings = ("", "CALLS", "ANSWERED", "ABANDONED", "OVERFLOWED", "LOST", "WAIT", "LONGEST",
                    f"WITHIN {data['within']:g} S", "TALK", "OCCUPANCY")  # fmt: skip
        parts.append(columns((_group_row(span, counts) for span, counts in spans.items()), headings))
        members = [_member_row(m, c) for counts in list(spans.values())[:1] for m, c in counts["members"].items()]
        if members:
            titles = ("MEMBER", "OFFERED", "ANSWERED", "NO ANSWER", "DECLINED", "TALK", "THERE", "OCCUPANCY")
            parts.append(columns(members, titles))
    return "\n".join(parts)


def _group_row(span: str, counts: Mapping[str, Any]) -> Sequence[object]:
    when = _SPANS[span] or f"{clock(counts['since'])} to {clock(counts['until'])}"
    numbers = [counts[key] for key in ("calls", "answered", "abandoned", "overflowed", "lost")]
    waits = [length(counts[key]) for key in ("mean_wait", "longest_wait")]
    talk = length(counts["mean_talk"])
    return when, *numbers, *waits, share(counts["service_level"]), talk, share(counts["occupancy"])


def _member_row(name: str, counts: Mapping[str, Any]) -> tuple[object, ...]:
    numbers = [counts[key] for key in ("offered", "answered", "no_answer", "declined")]
    return name, *numbers, length(counts["mean_talk"]), length(counts["present"]), share(counts["occupancy"])


def share(value: float | None) -> str:
    """Return "85 %", or "-" where there is nothing to tell it from."""
    return "-" if value is None else f"{100 * value:.0f} %"
