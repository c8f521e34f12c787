from __future__ import annotations

from pathlib import Path

import pytest

from bridge.config.find import LARGEST
from bridge.config.load import load
from bridge.config.problems import ConfigError
from tests.support.toml import OFFICE, changed, mistakes


def said_of(path: Path) -> list[str]:
    """Return what is said of a file."""
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    return [str(problem) for problem in caught.value.problems]


def test_all_mistakes_at_once() -> None:
    """Wrong values, unknown keys and parts that do not fit are told together, in the order of their lines."""
    text = OFFICE.replace('"udp:', '"upd:').replace('line = "ben"', 'line = "bend"').replace("gpio = 27", "gpio = 17")
    text = text.replace("leaders", "leader")
    assert mistakes(text) == [
        "sip.listen[0]: 'upd:127.0.0.1:5060' does not begin with udp:, tcp: or tls:; "
        'write "udp:0.0.0.0:5060" or "tcp:0.0.0.0:5060" (line 5)',
        "users.ben.line: there is no line 'bend'; did you mean 'ben'? (line 27)",
        "groups.support.leader: unknown key; did you mean leaders? (line 32)",
        "desks.anna.lamps[0].gpio: gpio 17 is used by desks.anna.buttons[0] already; each can be used once (line 46)",
    ]


def test_two_mistakes_in_one_value_table() -> None:
    """A misspelt key hides neither the wrong value nor the unknown name beside it."""
    text = changed('{ line = "lobby", tier = 1 }', '{ line = "loby", tier = -1, lgin = "always" }')
    assert len(mistakes(text)) == 3


def test_toml_that_is_none() -> None:
    """A mistake in the TOML itself is told with its line and column."""
    said = "this is not TOML, at column 6: Expected '=' after a key in a key/value pair; mend it first (line 2)"
    assert mistakes("[site]\nname 'home'\n") == [said]


def test_toml_that_ends_too_soon() -> None:
    """An open bracket is told of at the last line."""
    (said,) = mistakes('[sip]\nlisten = ["udp:0.0.0.0:5060",')
    assert said.startswith("this is not TOML")
    assert said.endswith("(line 2)")


def test_a_section_twice() -> None:
    """TOML does not take a section twice."""
    (said,) = mistakes(changed("", "[codes]"))
    assert said.startswith("this is not TOML")


def test_an_empty_file() -> None:
    """An empty configuration lacks [sip], and nothing more."""
    assert mistakes("") == [
        "sip: is missing; write a section [sip]; only a satellite, with [mqtt] and [desks] alone, has none"
    ]


def test_brackets_without_end() -> None:
    """A file of brackets is refused, not recursed into."""
    (said,) = mistakes("a = " + "[" * 100_000)
    assert "nested" in said or said.startswith("this is not TOML")


@pytest.mark.parametrize("digits", ["9" * 30, "9" * 5000, "0x" + "f" * 5000])
def test_numbers_beyond_all_measure(digits: str) -> None:
    """A number too large to be told or even read is a mistake as any other."""
    assert len(mistakes(changed("gpio = 27", f"gpio = {digits}"))) == 1


def test_no_file(tmp_path: Path) -> None:
    """A file that is not there."""
    path = tmp_path / "cti-bridge.toml"
    assert said_of(path) == [f"{path} cannot be read: No such file or directory"]


def test_a_directory(tmp_path: Path) -> None:
    """A directory is no configuration."""
    assert said_of(tmp_path) == [f"{tmp_path} cannot be read: Is a directory"]


def test_another_encoding(tmp_path: Path) -> None:
    """Text that is not UTF-8 is told of with its line."""
    path = tmp_path / "latin.toml"
    path.write_bytes("[site]\n# K\xfcche\n".encode("latin-1"))
    assert said_of(path) == [f"{path} is not UTF-8 text; save it as UTF-8 (line 2)"]


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    """A file beyond all measure is not read whole."""
    path = tmp_path / "large.toml"
    path.write_bytes(b"#" * (LARGEST + 1))
    assert said_of(path) == [f"{path} has over {LARGEST} bytes; that is no configuration of ours"]


def test_a_byte_order_mark(tmp_path: Path) -> None:
    """A byte order mark, as some editors write it, is taken no notice of."""
    path = tmp_path / "marked.toml"
    path.write_bytes(b"\xef\xbb\xbf" + OFFICE.encode())
    assert load(path, {}).site.name == "home"


def test_windows_line_ends() -> None:
    """Carriage returns change neither the settings nor the lines that mistakes are on."""
    assert mistakes(OFFICE.replace("\n", "\r\n")) == []
    assert mistakes(changed("leaders", "leader").replace("\n", "\r\n")) == [
        "groups.support.leader: unknown key; did you mean leaders? (line 32)"
    ]
