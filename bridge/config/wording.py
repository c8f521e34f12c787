"""What pydantic finds wrong, said to people: `what is wrong; what would be right`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from bridge.config.fields import show
from bridge.config.problems import Loc
from bridge.config.settings import Settings

_WRITTEN = re.compile(r"'([^']*)'")
_CLOSE = 0.6
_TAGS = ("(name)", "(table)", "(pin)", "(pins)", "[key]")  # pydantic's and ours in its paths; not keys of the file
_GIVE = {
    "server": 'server = "sip:fritz.box"',
    "number": 'number = "201"',
    "line": "the line that is the user's own",
    "broker": 'broker = "mqtt://localhost:1883"',
    "member": "the user or line in whose name the desk acts",
    "shows": 'shows = "login GROUP"',
}


def finding(error: ErrorDetails) -> tuple[Loc, str]:
    """Return where a mistake is, and what is wrong and what would be right."""
    kind, loc = error["type"], tuple(part for part in error["loc"] if part not in _TAGS)
    if kind == "extra_forbidden":
        loc = (*(part for part in error["loc"][:-1] if part not in _TAGS), error["loc"][-1])
        return loc, _unknown_key(loc)
    if kind == "missing":
        example = _GIVE.get(str(loc[-1]))
        return loc, f"is missing; give {example}" if example else "is missing; it has to be given"
    say = _WORDS.get(kind)
    return loc, say(error["input"], error.get("ctx", {})) if say else error["msg"]


def _unknown_key(loc: Loc) -> str:
    known = list(_known_keys(loc[:-1]))
    key = str(loc[-1])
    close = get_close_matches(key, known, 1, _CLOSE)
    return f"unknown key; did you mean {close[0]}?" if close else f"unknown key; known here are {', '.join(known)}"


def _known_keys(loc: Loc) -> Iterator[str]:
    """Return the keys that may stand in the table at `loc`."""
    model: type[BaseModel] | None = Settings
    within = False  # a named table or list element is next, not a key
    for part in loc:
        if within:
            within = False
            continue
        field = _fields(model).get(str(part)) if model else None
        model = _model_in(field.annotation) if field else None
        within = field is not None and _holds_many(field.annotation)
    return iter(_fields(model) if model else ())


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, get_args(annotation))), None)


def _holds_many(annotation: Any) -> bool:
    return get_origin(annotation) in (Mapping, tuple)


def _text_wanted(value: Any, context: Mapping[str, Any]) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f'{show(value)} is a number; write it as text, "{value}"'
    return f"{show(value)} is not text; write text in quotes"


def _wanted(what: str) -> Callable[[Any, Mapping[str, Any]], str]:
    return lambda value, context: f"{show(value)} is not {what}; write {_EXAMPLES[what]}"


def _bound(which: str, template: str) -> Callable[[Any, Mapping[str, Any]], str]:
    return lambda value, context: f"{show(value)} is {template.format(f'{context[which]:g}')}"


def _one_of(value: Any, context: Mapping[str, Any]) -> str:
    right = _WRITTEN.findall(context["expected"])
    listed = f"right are {', '.join(right)}" if len(right) > 1 else f"right is {right[0]}"
    close = get_close_matches(value, right, 1, _CLOSE) if isinstance(value, str) and len(right) > 1 else []
    return f"{show(value)} is not known; {listed}" + (f" (did you mean {close[0]}?)" if close else "")


def _own(value: Any, context: Mapping[str, Any]) -> str:
    return str(context["error"])


def _length(value: Any, context: Mapping[str, Any]) -> str:
    least, most = context.get("min_length"), context.get("max_length")
    unit = "characters" if isinstance(value, str) else "elements"
    if not value:
        return f"is empty; write {'some text' if isinstance(value, str) else 'one element or more'}"
    right = f"{most} at most" if most is not None else f"{least} or more"
    return f"has {len(value)} {unit}; right are {right}"


_EXAMPLES = {
    "a whole number": "one without quotes and point, as in 4",
    "a number": "one without quotes, as in 15 or 2.5",
    "a flag": "true or false, without quotes",
    "a list": "one in brackets, [...]",
    "a table": "keys and values under a heading in brackets, or { key = value }",
}

_WORDS: dict[str, Callable[[Any, Mapping[str, Any]], str]] = {
    "value_error": _own,
    "string_type": _text_wanted,
    "int_type": _wanted("a whole number"),
    "int_from_float": _wanted("a whole number"),
    "float_type": _wanted("a number"),
    "finite_number": _wanted("a number"),
    "bool_type": _wanted("a flag"),
    "tuple_type": _wanted("a list"),
    "dict_type": _wanted("a table"),
    "mapping_type": _wanted("a table"),
    "model_type": _wanted("a table"),
    "model_attributes_type": _wanted("a table"),
    "greater_than": _bound("gt", "too small; right is more than {}"),
    "greater_than_equal": _bound("ge", "too small; right is {} or more"),
    "less_than_equal": _bound("le", "too large; right is {} or less"),
    "enum": _one_of,
    "literal_error": _one_of,
    "too_short": _length,
    "too_long": _length,
    "string_too_short": _length,
    "string_too_long": _length,
}
