from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from bridge.config.problems import ConfigError
from tests.support.toml import changed, mistakes, settings_of

GIVEN = 'password = "line secret"'


def with_secret(written: str) -> str:
    """Return the configuration with Anna's password written so."""
    return changed(GIVEN, f"password = {written}")


def revealed(written: str, environ: dict[str, str] | None = None, base: Path = Path("/nowhere")) -> str:
    """Return what Anna's password is."""
    password = settings_of(with_secret(written), environ, base).lines["anna"].password
    assert password is not None
    return password.reveal()


def said(written: str, environ: dict[str, str] | None = None, base: Path = Path("/nowhere")) -> str:
    """Return what is wrong with Anna's password, without its place."""
    (mistake,) = mistakes(with_secret(written), environ, base)
    start, end = "lines.anna.password: ", " (line 16)"
    assert mistake.startswith(start)
    assert mistake.endswith(end)
    return mistake[len(start) : -len(end)]


RIGHT = 'write it as text, { file = "..." }, { env = "..." } or { credential = "..." }'


def test_as_text() -> None:
    """A secret may be written as it is."""
    assert revealed('"geheim"') == "geheim"


def test_in_a_file(tmp_path: Path) -> None:
    """A file's path counts from the configuration's directory; its last line end is not the secret's."""
    (tmp_path / "secret").write_text("ge heim\n")
    assert revealed('{ file = "secret" }', base=tmp_path) == "ge heim"
    assert revealed(f'{{ file = "{tmp_path}/secret" }}') == "ge heim"


def test_in_the_environment() -> None:
    """A secret may be an environment variable."""
    assert revealed('{ env = "LOBBY" }', {"LOBBY": "geheim"}) == "geheim"


def test_as_a_credential(tmp_path: Path) -> None:
    """A secret may be a credential that systemd has loaded."""
    (tmp_path / "phone").write_text("geheim\r\n")
    assert revealed('{ credential = "phone" }', {"CREDENTIALS_DIRECTORY": str(tmp_path)}) == "geheim"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """The file is named."""
    assert said('{ file = "secret" }', base=tmp_path) == (
        "file secret cannot be read (No such file or directory); make it, and readable for the agent's login"
    )


def test_a_variable_that_is_not_set() -> None:
    """The variable is named."""
    assert said('{ env = "LOBBY" }') == (
        "environment variable LOBBY is not set; set it for the agent, or give the secret elsewise"
    )


def test_an_empty_variable() -> None:
    """An empty secret is a mistake."""
    assert said('{ env = "LOBBY" }', {"LOBBY": ""}) == f"environment variable LOBBY is empty; {RIGHT}"


def test_no_credentials() -> None:
    """Without systemd's credentials it is said how they come about."""
    assert said('{ credential = "phone" }') == (
        "credential phone cannot be had, $CREDENTIALS_DIRECTORY is not set; "
        "start the agent by systemd with LoadCredential=phone:PATH"
    )


def test_a_credential_elsewhere(tmp_path: Path) -> None:
    """A credential's name leads nowhere else."""
    assert said('{ credential = "../phone" }', {"CREDENTIALS_DIRECTORY": str(tmp_path)}) == (
        "credential ../phone is a path; give the name alone"
    )


@pytest.mark.parametrize("written", ["12345", "true", "[]", "{}", '{ file = "a", env = "b" }', '{ pass = "12345" }'])
def test_what_is_no_secret(written: str) -> None:
    """Anything else is not repeated: it may be the secret."""
    assert said(written) == f"is not a secret; {RIGHT}"


def test_more_than_a_line(tmp_path: Path) -> None:
    """A secret of several lines is the wrong file."""
    (tmp_path / "secret").write_text("one\ntwo\n")
    assert said('{ file = "secret" }', base=tmp_path) == (
        "file secret has more than one line or control characters; write one line of text"
    )


WRONG = [
    with_secret('"geheim"').replace('password = "geheim"', 'pasword = "geheim"'),
    with_secret('"geheim\\u0007"'),
    with_secret('["geheim"]'),
    changed('broker = "mqtt://localhost"', 'broker = "mqtt://cti:geheim@localhost"'),
]


@pytest.mark.parametrize("text", WRONG, ids=["key", "characters", "list", "broker"])
def test_never_told_in_an_error(text: str) -> None:
    """No mistake, and no traceback of one, repeats a secret."""
    with pytest.raises(ConfigError) as caught:
        settings_of(text)
    assert "geheim" not in "".join(traceback.format_exception(caught.value))


def test_never_shown() -> None:
    """No secret is in the text of the settings."""
    settings = settings_of(with_secret('"geheim"'))
    assert "geheim" not in f"{settings!r} {settings} {settings.lines['anna'].password}"
