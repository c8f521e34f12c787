"""The configuration that answers make, as TOML that a person goes on from; secrets stand in files of their own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from bridge.config.addresses import bracketed
from bridge.recipes.answers import PBXS, Answers, Desk, Group, Phone, Secret

SECRETS = "secrets"  # the directory beside the configuration
_COLUMN = 46  # where remarks begin


class Written(NamedTuple):
    """A configuration's text, and the secrets that it names by file: file name to what was given, None to make one."""

    text: str
    secrets: Mapping[str, str | None]


def write(answers: Answers) -> Written:
    """Return the configuration."""
    files: dict[str, str | None] = {}
    for phone in answers.phones:
        if phone.own:
            files[f"line-{phone.key}"] = None
    if answers.server is not None and not isinstance(answers.password, Mapping):
        files[f"trunk-{answers.pbx}"] = answers.password
    if answers.broker and isinstance(answers.broker_password, str):
        files["mqtt"] = answers.broker_password
    return Written("\n".join(_lines(answers)) + "\n", files)


def _lines(answers: Answers) -> Iterator[str]:
    yield f"# Written by cti-bridge init for: {PBXS[answers.pbx].title}."
    yield "# What is to be set at the PBX and at the phones: bridge/recipes.md. All keys: bridge/README.md."
    yield from ("", "[site]", _pair("name", answers.site))
    at = f"{bracketed(answers.listen)}:{answers.port}"
    yield from ("", "[sip]", f'listen = ["udp:{at}", "tcp:{at}"]')
    if answers.server is not None:
        yield from _trunk(answers)
    for phone in answers.phones:
        yield from _line(phone, answers)
    for phone in answers.phones:
        if not phone.device:
            yield from ("", f"[users.{phone.key}]", _pair("name", phone.shown), _pair("line", phone.key))
    for group in answers.groups:
        yield from _group(group, answers)
    if any(phone.own for phone in answers.phones):
        yield from _codes(answers)
    if answers.broker:
        yield from _mqtt(answers)
    for desk in answers.desks:
        yield from _desk(desk)


def _trunk(answers: Answers) -> Iterator[str]:
    kind = PBXS[answers.pbx]
    yield from ("", f"[trunks.{answers.pbx}]")
    yield _pair("server", str(answers.server))
    yield _pair("username", answers.username)
    yield f"password = {_secret(answers.password, f'trunk-{answers.pbx}')}"
    if answers.groups:
        first = answers.groups[0]
        yield _remark(_pair("number", first.number), f"calls for {answers.username} are calls to {first.shown}")
    if answers.pbx == "provider":
        yield _remark("expires = 60", "often, so that the router keeps the way to us open")
    if kind.watch:
        yield _remark(_pair("watch", "dialog"), "what its phones are doing, as it tells (BLF)")
    if answers.call_monitor:
        yield _remark("call_monitor = true", "dial #96*5* once at a phone of the FRITZ!Box")


def _line(phone: Phone, answers: Answers) -> Iterator[str]:
    yield from ("", f"[lines.{phone.key}]", _pair("number", phone.number))
    if phone.own:
        yield _remark(f"password = {_secret(None, f'line-{phone.key}')}", "its phone registers here")
        return
    yield _pair("trunk", answers.pbx)
    if phone.dial != phone.number:
        yield _pair("dial", phone.dial)
    if answers.pbx == "provider":
        yield _remark("confirm = true", "who answers presses 1, or a mailbox would take the call")


def _group(group: Group, answers: Answers) -> Iterator[str]:
    yield from ("", f"[groups.{group.key}]", _pair("number", group.number), _pair("name", group.shown))
    yield f"members = [{', '.join(map(_quoted, group.members))}]"
    yield _pair("strategy", group.strategy)
    yield _remark(_pair("prefix", group.shown[:32]), "shown in front of the caller's name")
    yield _remark(_pair("member_level", "team"), "members may pick up each other's calls, and pause each other")


def _codes(answers: Answers) -> Iterator[str]:
    """Yield what the phones that register here may dial, but for what begins a number."""
    does = {
        "login": ("*41", "log in"),
        "logout": ("*42", "log out"),
        "toggle": ("*43", "the other of the two; a key with a lamp (BLF) for it is lit while logged in"),
        "night": ("*44", "night switch"),
        "pickup": ("*8", "take a call that rings there"),
        "menu": ("*40", "alone: a spoken menu"),
    }
    numbers = [*(phone.number for phone in answers.phones), *(group.number for group in answers.groups)]
    free = {key: (code, what) for key, (code, what) in does.items() if not any(n.startswith(code) for n in numbers)}
    if free:
        yield from ("", "# dialled at phones that register here, then the group's number: *41600 logs in to group 600")
        yield "[codes]"
    for key, (code, what) in free.items():
        yield _remark(_pair(key, code), what)


def _mqtt(answers: Answers) -> Iterator[str]:
    yield from ("", "[mqtt]", _pair("broker", str(answers.broker)))
    if answers.broker_username:
        yield _pair("username", answers.broker_username)
    if answers.broker_password:
        yield f"password = {_secret(answers.broker_password, 'mqtt')}"


def _desk(desk: Desk) -> Iterator[str]:
    yield from ("", f"[desks.{desk.phone}]", _pair("member", desk.phone))
    yield f'buttons = [{{ gpio = {desk.button}, press = "toggle {desk.group}", hold = "logout all" }}]'
    yield f'lamps = [{{ gpio = {desk.lamp}, shows = "login {desk.group}" }}]'


def _secret(given: Secret | None, file: str) -> str:
    table = given if isinstance(given, Mapping) else {"file": f"{SECRETS}/{file}"}
    ((source, where),) = table.items()
    return f"{{ {source} = {_quoted(where)} }}"


def _pair(key: str, value: str) -> str:
    return f"{key} = {_quoted(value)}"


def _remark(pair: str, remark: str) -> str:
    return f"{pair:{_COLUMN}} # {remark}"


def _quoted(text: str) -> str:
    """Return a TOML string: JSON's is one, but for DEL, which no checked answer has."""
    return json.dumps(text, ensure_ascii=False)
