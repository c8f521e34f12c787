"""`cti-bridge desk`: what stands beside the phones, whether its buttons are felt and its lamps lit."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from typing import Any

from bridge.cli.asking import connect, print_json, request
from bridge.cli.ending import DONE, FAILED, UNREACHABLE, Stop
from bridge.cli.text import ago, clean, clock, columns
from bridge.control.client import Agent

SIGNALS = ("steady", "blink slow", "blink fast", "short flash", "three flashes", "double blink", "off")
MEANINGS = {
    "steady": "logged in",
    "blink slow": "paused",
    "blink fast": "ringing here",
    "short flash": "asked for",
    "three flashes": "refused",
    "double blink": "no PBX",
    "off": "logged out",
}
_OF_DESKS = ("button", "panel")  # origins
_NONE = "no desk is configured; give [desks.NAME] a member, buttons and lamps, and restart the bridge"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument(
        "action",
        metavar="ACTION",
        choices=tuple(_ACTIONS),
        help="list: what stands where and how it is; test: let the lamps show every signal, then the truth again; "
        "watch: show each press as it happens, until Ctrl-C",
    )
    parser.add_argument("--seconds", type=float, default=2.0, help="for test: how long each signal is shown")
    parser.add_argument("desk", metavar="DESK", nargs="?", help="for test: only this desk's lamps")


def run(args: argparse.Namespace) -> int:
    """Do it."""
    with connect(args) as agent:
        _there(agent)
        return _ACTIONS[args.action](agent, args)


def _there(agent: Agent) -> None:
    """Raise Stop where the agent has no desks."""
    error = agent.request("desks", {}).get("error")
    if error and error["code"] == "unknown_verb":
        raise Stop(_NONE, FAILED)


def _list(agent: Agent, args: argparse.Namespace) -> int:
    data = request(agent, args, "desks", {})
    if args.json:
        print_json(data)
    else:
        print("\n\n".join(_desk(name, desk) for name, desk in data["desks"].items()))
    return DONE


def _desk(name: str, desk: Mapping[str, Any]) -> str:
    lines = [clean(f"{name}: in the name of {desk['member']}")]
    if desk["panel"]:
        lines.append(f"  {_panel(desk['panel'])}")
    lines.append(columns(_parts(desk)))
    return "\n".join(lines)


def _parts(desk: Mapping[str, Any]) -> Iterator[tuple[object, ...]]:
    for button in desk["buttons"]:
        hold = f"hold: {button['hold']}" if button["hold"] else ""
        does = ", ".join(filter(None, (button["press"], hold)))
        yield "button", button["at"], does, "pressed" if button["pressed"] else ""
    for lamp in desk["lamps"]:
        yield "lamp", lamp["at"], lamp["shows"], lamp["signal"]


def _panel(panel: Mapping[str, Any]) -> str:
    words = [f"panel {panel['path']}: {panel['state']} for {ago(panel['since'])}"]
    if panel["reason"]:
        words.append(panel["reason"])
    if panel["keys"] is not None:
        words.append(f"firmware {panel['firmware']}, {panel['keys']} keys, {panel['lamps']} lamps")
    return clean("; ".join(words))


def _test(agent: Agent, args: argparse.Namespace) -> int:
    lamps = 0
    for signal in SIGNALS:
        if not args.json:
            print(f"{signal:14} {MEANINGS[signal]}", flush=True)
        asked = {"desk": args.desk, "signal": signal, "seconds": args.seconds}
        lamps = request(agent, args, "desk_try", asked)["lamps"]
    if args.json:
        print_json({"lamps": lamps, "signals": list(SIGNALS)})
    else:
        have = (
            "1 lamp has shown these; now it shows" if lamps == 1 else f"{lamps} lamps have shown these; now they show"
        )
        print(f"{have} the truth again.")
    return DONE


def _watch(agent: Agent, args: argparse.Namespace) -> int:
    request(agent, args, "follow", {})
    if not args.json:
        print("Press a button. Ctrl-C ends.", flush=True)
    try:
        for event in agent.events():
            told = _told(event)
            if told is not None:
                print(json.dumps(event) if args.json else clean(f"{clock(event['at'])}  {told}"), flush=True)
    except KeyboardInterrupt:
        return DONE
    raise Stop(f"the agent at {agent.path} has ended, or let this slow reader go", UNREACHABLE)


def _told(event: Mapping[str, Any]) -> str | None:
    """Return what an event says of desks, or None where it is about something else."""
    match event["type"]:
        case "desk_pressed":
            how = "held" if event["gesture"] == "hold" else "pressed"
            return f"{event['desk']}  {event['where']} {how}: {event['action'] or 'that does nothing'}"
        case "panel_changed":
            return f"{event['desk']}  panel {event['state']}" + (f": {event['reason']}" if event["reason"] else "")
        case "command_refused" if event["origin"] in _OF_DESKS:
            return f"{event['by']}  refused: {event['message']}"
        case "login_changed" if event["login"]["origin"] in _OF_DESKS:
            login = event["login"]
            state = "paused in" if login["paused"] else "logged in to" if login["login"] == "ON" else "logged out of"
            return f"{event['member']}  {state} {event['group']}"
        case "notice" if event["what"] == "panel":
            return str(event["text"])
    return None


_ACTIONS = {"list": _list, "test": _test, "watch": _watch}
