"""`cti-bridge test-call`: a phone of another make (pyVoIP), in a process of its own, calls or answers."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import os
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bridge.cli.asking import print_json
from bridge.cli.configuration import configured_here
from bridge.cli.ending import DONE, FAILED, USAGE, Stop
from bridge.cli.places import find_control
from bridge.cli.text import clean
from bridge.control.client import Agent, AgentUnreachable

if TYPE_CHECKING:
    from bridge.config.settings import Settings
    from bridge.phone.model import Account
    from bridge.phone.trial import Finding

PASSWORD = "CTI_BRIDGE_TEST_PASSWORD"
SIP = 5060


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument("number", metavar="NUMBER", nargs="?", help="what to call; none with --answer")
    who = parser.add_argument_group("as whom; default: a line of the configuration whose phone registers here")
    who.add_argument("--line", metavar="LINE", help="the line (name or number) whose phone it is")
    who.add_argument("--trunk", metavar="TRUNK", help="register at this trunk's server instead of here")
    who.add_argument("--server", metavar="HOST[:PORT]", help="register at this server instead")
    who.add_argument("--user", metavar="NAME", help="the user name there; its password is asked for, or comes by")
    who.add_argument("--password-file", metavar="FILE", help=f"a file, or the environment's {PASSWORD}")
    calling = parser.add_argument_group("a call")
    calling.add_argument("--wait", type=_seconds, default=30.0, metavar="SECONDS", help="until it is answered (30)")
    calling.add_argument("--talk", type=_seconds, default=None, metavar="SECONDS", help="then talk for so long (2)")
    calling.add_argument("--keys", default="", metavar="KEYS", help="keys to press once it is answered: 0-9 * # A-D")
    answering = parser.add_argument_group("a phone that answers, until Ctrl-C")
    answering.add_argument("--answer", action="store_true", help="take calls instead of making one")
    answering.add_argument("--after", type=_seconds, default=2.0, metavar="SECONDS", help="ring for so long (2)")
    answering.add_argument("--refuse", type=int, metavar="STATUS", help="refuse them: 486 busy, 603 declined, ...")
    answering.add_argument("--calls", type=int, metavar="N", help="end after so many")


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds <= 3600:
        raise argparse.ArgumentTypeError("0 to 3600 are right")
    return seconds


def run(args: argparse.Namespace) -> int:
    """Call, or answer; 1 where nobody answered or no sound came."""
    _check(args)
    account = _account(args)
    with asyncio.Runner() as runner:
        return runner.run(_answer(args, account) if args.answer else _call(args, account))


def _check(args: argparse.Namespace) -> None:
    if args.answer == bool(args.number):
        raise Stop("right is a NUMBER to call, or --answer", USAGE)
    wrong = sorted({key for key in args.keys if key.upper() not in "0123456789*#ABCD"})
    if wrong:
        raise Stop(f"--keys has {', '.join(wrong)}; right are 0-9, *, # and A-D", USAGE)
    if args.number and not all(c.isalnum() or c in "+*#-_." for c in args.number):
        raise Stop(f"{args.number!r} is no number; right are digits, +, *, # and names", USAGE)
    if args.refuse is not None and not 400 <= args.refuse <= 699:
        raise Stop(f"--refuse {args.refuse}: right is a SIP status from 400 to 699, as 486", USAGE)


# -- as whom ----------------------------------------------------------------------------------------------------


def _account(args: argparse.Namespace) -> Account:
    from bridge.phone.model import Account
    from bridge.sip.flow import Flow

    if args.server:
        if not args.user:
            raise Stop("--server needs --user too: the name of the account there", USAGE)
        host, port = _place(args.server)
        return Account(args.user, _password(args), Flow("udp", _address(host), port))
    _, settings = configured_here(args)
    if args.trunk:
        return _at_trunk(args, settings)
    name, number, password = _line(args, settings)
    if not args.line and not args.json:
        print(f"it is the phone of line {name}; --line names another")
    return Account(number, password, Flow("udp", *_own_place(settings)))


def _line(args: argparse.Namespace, settings: Settings) -> tuple[str, str, str]:
    lines = {name: line for name, line in settings.lines.items() if line.password is not None}
    if not lines:
        raise Stop("no line's phone registers here; give one a password, or use --server and --user", USAGE)
    if args.line:
        found = next((name for name, line in lines.items() if args.line in (name, line.number)), None)
        if found is None:
            raise Stop(f"no phone registers as {args.line!r}; lines are: {', '.join(lines)}", USAGE)
    else:  # who is no member hears what callers hear
        members = {
            member if isinstance(member, str) else member.line or member.user
            for g in settings.groups.values()
            for member in g.members
        }
        members |= {user.line for name, user in settings.users.items() if name in members}
        found = next((name for name in lines if name not in members), next(iter(lines)))
    line = lines[found]
    assert line.password is not None
    return found, line.number, line.password.reveal()


def _own_place(settings: Settings) -> tuple[str, int]:
    """Return where this machine reaches the bridge by UDP."""
    listen = settings.sip.listen if settings.sip else ()
    for each in listen:
        if each.transport == "udp" and ":" not in each.host:
            return ("127.0.0.1" if each.host == "0.0.0.0" else each.host), each.port or SIP
    raise Stop("sip.listen has no udp address of IPv4, which the test phone needs; --server names one", USAGE)


def _at_trunk(args: argparse.Namespace, settings: Settings) -> Account:
    from bridge.phone.model import Account
    from bridge.sip.flow import Flow

    trunk = settings.trunks.get(args.trunk)
    if trunk is None:
        raise Stop(f"there is no trunk {args.trunk!r}; trunks are: {', '.join(settings.trunks) or 'none'}", USAGE)
    if trunk.server.transport != "udp":
        raise Stop(f"trunk {args.trunk} is reached by {trunk.server.transport}; the test phone has only udp", USAGE)
    flow = Flow("udp", _address(trunk.server.host), trunk.server.port or SIP)
    if args.user:
        return Account(args.user, _password(args), flow)
    if not trunk.username or trunk.password is None:
        raise Stop(f"trunk {args.trunk} has no account; give one with --user", USAGE)
    return Account(trunk.username, trunk.password.reveal(), flow)


def _password(args: argparse.Namespace) -> str:
    if args.password_file:
        try:
            return Path(args.password_file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Stop(f"the password cannot be read: {error}", USAGE) from None
    given = os.environ.get(PASSWORD)
    if given is None and not sys.stdin.isatty():
        raise Stop(f"no password; right is --password-file, or {PASSWORD} in the environment", USAGE)
    return given if given is not None else getpass.getpass(f"password of {args.user}: ")


def _place(text: str) -> tuple[str, int]:
    host, _, port = text.removeprefix("sip:").partition(":")
    if not host or (port and not (port.isdigit() and 0 < int(port) < 65536)):
        raise Stop(f"--server {text!r}: right is a host name or IPv4 address, with :PORT where it is not {SIP}", USAGE)
    return host, int(port or SIP)


def _address(host: str) -> str:
    try:
        return str(socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_DGRAM)[0][4][0])
    except OSError as error:
        raise Stop(f"the server {host} cannot be found: {error.strerror or error}") from None


# -- calling and answering ------------------------------------------------------------------------------------------


async def _call(args: argparse.Namespace, account: Account) -> int:
    from bridge.phone.trial import Trial, TrialError

    try:
        async with Trial(account, _line_printer(args)) as trial:
            finding = await trial.call(
                args.number, patience=args.wait, talk=2.0 if args.talk is None else args.talk, keys=args.keys
            )
    except TrialError as error:
        raise Stop(str(error)) from None
    rang = await asyncio.to_thread(_who_rang, args)
    if args.json:
        print_json(finding.to_json() | {"rang": rang})
    else:
        print("\n".join(_summary(finding, rang)))
    return DONE if finding.answered is not None and finding.sound else FAILED


async def _answer(args: argparse.Namespace, account: Account) -> int:
    from bridge.phone.trial import Trial, TrialError

    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    try:
        async with Trial(account, _line_printer(args)) as trial:
            if not args.json:
                how = f"refuses with {args.refuse}" if args.refuse else f"answers after {args.after:g} s"
                print(f"calls to {account.number} ring here: it {how}; Ctrl-C ends it", flush=True)
            work = asyncio.create_task(
                trial.answer(after=args.after, refuse=args.refuse, talk=args.talk, calls=args.calls)
            )
            waiting = asyncio.create_task(ended.wait())
            await asyncio.wait({work, waiting}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            if work.done():
                work.result()
            else:
                work.cancel()
            await asyncio.gather(work, waiting, return_exceptions=True)
    except TrialError as error:
        raise Stop(str(error)) from None
    return DONE


def _line_printer(args: argparse.Namespace) -> Any:
    def told(at: float | None, text: str) -> None:
        when = " " * 9 if at is None else f"{at:7.3f} s"
        print(clean(f"{when}  {text}"), flush=True)

    return (lambda at, text: None) if args.json and not args.answer else told


def _who_rang(args: argparse.Namespace) -> list[dict[str, Any]] | None:
    """Return the members who rang, as the bridge tells its last call; None where no agent answers."""
    try:
        with Agent(find_control(args.control, args.state)) as agent:
            answer = agent.request("explain", {})
    except AgentUnreachable:
        return None
    data = answer.get("data") or {}
    if not data or data["call"]["called"] != args.number:
        return None
    return _rang(data)


def _rang(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return whose phones rang, from when on, and what became of it, from a call's story."""
    found: dict[str, dict[str, Any]] = {}
    for step in data["steps"]:
        if step["member"] and step["what"] == "ringing":
            found.setdefault(step["member"], {"member": step["member"], "at": step["at"], "outcome": "rang"})
        elif step["member"] in found and step["what"] in ("answered", "connected"):
            found[step["member"]]["outcome"] = "answered"
        elif step["member"] in found and found[step["member"]]["outcome"] == "rang":
            found[step["member"]]["outcome"] = step["what"]
    return list(found.values())


def _summary(finding: Finding, rang: list[dict[str, Any]] | None) -> list[str]:
    from bridge.phone.trial import sound_text

    if finding.answered is None:
        last = finding.statuses[-1] if finding.statuses else None
        words = f", {last[1]} {last[2]}" if last else ""
        said = f"{finding.number} was not answered: {finding.ended}{words}"
    else:
        said = f"{finding.number} was answered after {finding.answered:.1f} s; {sound_text(finding)}"
    if rang is None:
        return [clean(said)]
    who = ", ".join(f"{each['member']} ({each['outcome']})" for each in rang) or "nobody's phone"
    return [clean(said), clean(f"rang: {who}")]
