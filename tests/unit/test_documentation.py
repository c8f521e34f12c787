"""The documentation: what it has readers type is right, and its links lead somewhere."""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.cli.table import COMMANDS
from bridge.config.load import parse
from bridge.media.tone import sine
from bridge.recipes import answerfile
from tests.support.certificates import Authority
from tests.support.wav import wav

ROOT = Path(__file__).parents[2]
PAGES = sorted(page for page in (*ROOT.glob("*.md"), *ROOT.glob("bridge/**/*.md"), *ROOT.glob("hardware/**/*.md")))
ENVIRON = {"FRITZ_PASSWORD": "geheim"}

PIN = b"2846"
FILES = {
    ".wav": wav(sine(440, -16.0, 800), 8000),
    ".vcf": b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Zoe\r\nTEL:+4930555001\r\nEND:VCARD\r\n",
    ".xml": b"<phonebooks><phonebook/></phonebooks>",
}

# What the snippets take for granted, as a reader's configuration has it.
AROUND: dict[str, Any] = {
    "sip": {"listen": ["udp:0.0.0.0:5060"]},
    "trunks": {"fritz": {"server": "sip:fritz.box", "username": "620", "password": "geheim"}},
    "lines": {
        name: {"number": number, "password": "geheim"}
        for name, number in (("anna", "201"), ("ben", "202"), ("lobby", "203"), ("door", "204"), ("workshop", "205"))
    },
    "users": {name: {"name": name.title(), "line": name} for name in ("anna", "ben")},
    "groups": {
        "support": {"number": "600", "members": ["anna", "ben", "lobby", "workshop"]},
        "sales": {"number": "601", "members": ["anna", "ben"]},
    },
}


class Snippet:
    """A block of TOML on a page."""

    def __init__(self, page: Path, text: str, line: int) -> None:
        self.text = text
        self.name = f"{page.relative_to(ROOT)}:{line}"

    def __repr__(self) -> str:
        return self.name


def blocks(language: str) -> Iterator[Snippet]:
    """Yield the blocks of code in a language, of all pages."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for found in re.finditer(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            yield Snippet(page, found[1], text[: found.start()].count("\n") + 1)


def merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Return a table with what another one says put over it; a line's place is one, so that it takes the other's."""
    found = dict(below)
    if {"trunk", "password", "contact"} & above.keys() and "number" in above:
        found.pop("password", None)
    for key, value in above.items():
        found[key] = (
            merged(found[key], value) if isinstance(value, dict) and isinstance(found.get(key), dict) else value
        )
    return found


def written(value: Any) -> str:
    """Return a value as TOML, tables inline."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {written(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def placed(table: dict[str, Any]) -> dict[str, Any]:
    """Return a snippet under the table that its page puts it into: members are a group's, bare lamps a desk's."""
    if "members" in table:
        return {"groups": {"support": table}}
    if "lamps" in table:
        return {"desks": {"anna": {"member": "anna", **table}}}
    return table


@pytest.mark.parametrize("snippet", list(blocks("toml")), ids=repr)
def test_snippets_are_right(snippet: Snippet, tmp_path: Path) -> None:
    """Each block of TOML passes as a part of a configuration, a satellite's as a whole, and answers as answers."""
    text = snippet.text
    contents = certificates(tmp_path / "authority") if ".pem" in text else {}
    for name in sorted(set(re.findall(r'"([^"\n]*\.(?:pem|key|vcf|xml|wav)|/etc/cti-bridge/secrets/[^"\n]+)"', text))):
        file = tmp_path / Path(name).name
        file.write_bytes(contents[file.name] if file.suffix in (".pem", ".key") else FILES.get(file.suffix, PIN))
        file.chmod(0o600)
        text = text.replace(f'"{name}"', f'"{file}"')
    table = tomllib.loads(text)
    if "pbx" in table:
        assert answerfile.read(table).groups
        return
    whole = table if table.get("mqtt", {}).get("username") == "satellite" else merged(AROUND, placed(table))
    whole.setdefault("site", {"name": "home"})
    parse("\n".join(f"{key} = {written(value)}" for key, value in whole.items()), tmp_path, ENVIRON)


def certificates(directory: Path) -> dict[str, bytes]:
    """Return the files that the section on encryption names, by their names."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here")
    authority = Authority(directory)
    cert, key = authority.issue("bridge", "DNS:bridge.test")
    return {"bridge.pem": cert.read_bytes(), "bridge.key": key.read_bytes(), "pbx.pem": authority.ca.read_bytes()}


def test_links_lead_somewhere() -> None:
    """To files that are there, and to headings that they have."""
    wrong = []
    for page in PAGES:
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
            if "://" in target:
                continue
            name, _, heading = target.partition("#")
            file = (page.parent / name).resolve() if name else page
            if not file.exists() or (heading and heading not in headings(file)):
                wrong.append(f"{page.relative_to(ROOT)}: {target}")
    assert wrong == []


def headings(page: Path) -> set[str]:
    """Return the anchors of a page's headings."""
    found = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


def test_commands_are_there() -> None:
    """Each `cti-bridge COMMAND` in code on a page is a command, or an option."""
    wrong = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        code = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL) + re.findall(r"`([^`\n]+)`", text)
        for name in re.findall(r"(?:^|[\s/])cti-bridge ([a-z][a-z-]*)\b(?![.:/])", "\n".join(code)):
            if name not in COMMANDS:
                wrong.append(f"{page.relative_to(ROOT)}: cti-bridge {name}")
    assert wrong == []
