"""Secrets: given as text, or by where they are kept; read at load and never shown."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

from pydantic import PlainValidator, ValidationInfo, WithJsonSchema

LONGEST = 4096  # characters
_RIGHT = 'write it as text, { file = "..." }, { env = "..." } or { credential = "..." }'
_SOURCES = ("file", "env", "credential")


class Secret:
    """A secret; only `reveal()` gives it away."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the secret itself."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(...)"

    def __eq__(self, other: object) -> bool:
        return self._text == other._text if isinstance(other, Secret) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._text)


def read(value: object, base: Path, environ: Mapping[str, str]) -> Secret:
    """Return the secret that a configured value means; a relative `file` counts from `base`. Raises ValueError."""
    if isinstance(value, Secret):
        return value
    if isinstance(value, str):
        return _checked(value, "the secret")
    if not isinstance(value, dict) or len(value) != 1 or next(iter(value)) not in _SOURCES:
        raise ValueError(f"is not a secret; {_RIGHT}")
    ((source, where),) = value.items()
    if not isinstance(where, str) or not where or "\0" in where:
        raise ValueError(f"{source} must be text; {_RIGHT}")
    if source == "env":
        return _from_environment(where, environ)
    if source == "credential":
        return _from_credential(where, environ)
    return _from_file(base / Path(where).expanduser(), f"file {where}")


def _from_environment(name: str, environ: Mapping[str, str]) -> Secret:
    if name not in environ:
        raise ValueError(f"environment variable {name} is not set; set it for the agent, or give the secret elsewise")
    return _checked(environ[name], f"environment variable {name}")


def _from_credential(name: str, environ: Mapping[str, str]) -> Secret:
    directory = environ.get("CREDENTIALS_DIRECTORY")
    if not directory:
        raise ValueError(
            f"credential {name} cannot be had, $CREDENTIALS_DIRECTORY is not set; "
            f"start the agent by systemd with LoadCredential={name}:PATH"
        )
    if "/" in name:
        raise ValueError(f"credential {name} is a path; give the name alone")
    return _from_file(Path(directory, name), f"credential {name}")


def _from_file(path: Path, called: str) -> Secret:
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(LONGEST + 2)
    except OSError as error:
        raise ValueError(
            f"{called} cannot be read ({error.strerror or error}); make it, and readable for the agent's login"
        ) from None
    except UnicodeDecodeError:
        raise ValueError(f"{called} is not UTF-8 text; write the secret as one line of text") from None
    return _checked(text.removesuffix("\n").removesuffix("\r"), called)


def _checked(text: str, called: str) -> Secret:
    if not text:
        raise ValueError(f"{called} is empty; {_RIGHT}")
    if len(text) > LONGEST:
        raise ValueError(f"{called} is longer than {LONGEST} characters; write one line of text")
    if not text.isprintable():
        raise ValueError(f"{called} has more than one line or control characters; write one line of text")
    return Secret(text)


def _validate(value: Any, info: ValidationInfo) -> Secret:
    context = info.context or {}
    return read(value, context.get("base", Path()), context.get("environ", {}))


def _validate_pin(value: Any, info: ValidationInfo) -> Secret:
    pin = _validate(value, info)
    digits = pin.reveal()
    if not (digits.isascii() and digits.isdigit() and 4 <= len(digits) <= 12):
        raise ValueError('is no PIN; right are 4 to 12 digits as text, as in "2907"')
    steps = {ord(after) - ord(before) for before, after in pairwise(digits)}
    if steps in ({0}, {1}, {-1}):
        raise ValueError("is guessed at the first try (digits in a row, or all the same); choose another")
    return pin


_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "string", "minLength": 1},
        *(
            {
                "type": "object",
                "properties": {source: {"type": "string"}},
                "required": [source],
                "additionalProperties": False,
            }
            for source in _SOURCES
        ),
    ]
}

SecretField = Annotated[Secret, PlainValidator(_validate), WithJsonSchema(_SCHEMA)]
PinField = Annotated[Secret, PlainValidator(_validate_pin), WithJsonSchema(_SCHEMA)]
