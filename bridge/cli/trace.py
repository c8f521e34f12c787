"""`cti-bridge trace`: the SIP messages of the last minutes, as a ladder, whole, as JSON or as a capture."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Iterator
from typing import Any

from bridge.cli.asking import connect, print_json, request
from bridge.cli.ending import DONE, FAILED, Stop
from bridge.cli.text import clean
from bridge.control.client import Agent

EVERY = 0.25  # seconds between looks, with --follow


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument(
        "about", metavar="CALL|NUMBER|LINE", nargs="?", help="a call's id or Call-ID, a number, a line (all)"
    )
    parser.add_argument("--last", type=int, metavar="N", help="only the last N (40 where nothing is named)")
    parser.add_argument("--full", action="store_true", help="whole messages, secrets blotted out, instead of a ladder")
    parser.add_argument("--follow", action="store_true", help="go on with what comes, until Ctrl-C")
    parser.add_argument("--pcap", metavar="FILE", help="write a capture for Wireshark instead (- is standard output)")


def run(args: argparse.Namespace) -> int:
    """Show what is kept, and follow what comes."""
    if args.last is not None and args.last < 1:
        raise Stop("--last: right is a number from 1")
    with connect(args) as agent:
        messages, after = _all(agent, args)
        last = args.last or (40 if not args.about and not args.pcap else None)
        messages = messages[-last:] if last else messages
        if args.pcap:
            return _capture(args.pcap, messages)
        if args.json and not args.follow:
            print_json({"messages": messages})
            return DONE
        if not messages and not args.follow:
            print(f"no message{f' about {args.about}' if args.about else ''} is kept; {_KEPT}", file=sys.stderr)
            return FAILED
        _show(messages, args)
        if args.follow:
            _follow(agent, args, after)
    return DONE


_KEPT = "messages of the last half hour are, as far as 2 MiB go"


def _all(agent: Agent, args: argparse.Namespace) -> tuple[list[dict[str, Any]], int]:
    messages: list[dict[str, Any]] = []
    after, more = 0, True
    while more:
        data = request(agent, args, "trace", {"after": after, "about": args.about})
        messages += data["messages"]
        after, more = data["next"], data["more"]
    return messages, after


def _coming(agent: Agent, args: argparse.Namespace, after: int) -> Iterator[list[dict[str, Any]]]:
    while True:
        data = request(agent, args, "trace", {"after": after, "about": args.about})
        after = data["next"]
        if data["messages"]:
            yield data["messages"]
        if not data["more"]:
            time.sleep(EVERY)


def _follow(agent: Agent, args: argparse.Namespace, after: int) -> None:
    try:
        for messages in _coming(agent, args, after):
            _show(messages, args)
    except KeyboardInterrupt:
        return


def _show(messages: list[dict[str, Any]], args: argparse.Namespace) -> None:
    if args.json:
        for message in messages:
            print(json.dumps(message), flush=True)
    elif args.full:
        for message in messages:
            print(_whole(message), flush=True)
    elif messages:
        from bridge.cli.ladder import drawn

        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 120
        for line in drawn(messages, width):
            print(clean(line), flush=True)


def _whole(message: dict[str, Any]) -> str:
    host, port = message["peer"]
    at = time.strftime("%H:%M:%S", time.localtime(message["at"])) + f"{message['at'] % 1:.3f}"[1:]
    way = "to" if message["sent"] else "from"
    lines = [clean(line) for line in message["text"].replace("\r\n", "\n").split("\n")]
    return "\n".join([f"--- {at} {way} {message['transport']}:{host}:{port}", *lines])


def _capture(path: str, messages: list[dict[str, Any]]) -> int:
    from bridge.cli.pcap import write

    if path == "-":
        write(sys.stdout.buffer, messages)
        return DONE
    try:
        with open(path, "wb") as out:
            count = write(out, messages)
    except OSError as error:
        raise Stop(f"{path} cannot be written: {error.strerror}") from None
    print(f"{count} messages are in {path}")
    return DONE
