"""Reads session descriptions from what the network sent (RFC 4566 §5, §9); raises `SipError` for what is none."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import NamedTuple

from bridge.sip.grammar import SipError
from bridge.sip.message import Body
from bridge.sip.sdp import STATIC, TYPE, Codec, Direction, Line, Media, Origin, Session

MAX_SIZE = 64 * 1024
MAX_MEDIA = 32

_LINE = re.compile(r"([a-z])=(.*)\Z")
_TOKEN = re.compile(r"[!#-'*+\-.0-9A-Z^-~]+\Z")
_NUMBER = re.compile(r"[0-9]{1,18}\Z")
_HOST = re.compile(r"[0-9A-Za-z.:_\-]{1,255}\Z")
_ADDRESS = re.compile(rb"^c=IN IP[46] ([0-9A-Za-z.:_\-]{1,255})", re.MULTILINE)
_WAYS = {way.value for way in Direction}


def session_in(body: Body | None) -> Session | None:
    """Return the description in a body, None where there is no body. Raises `SipError` (415 for other types)."""
    if body is None:
        return None
    kind = body.type.partition(";")[0].strip().lower()
    if kind != TYPE:
        raise SipError(f"body of type {kind[:40]!r} must be {TYPE}", 415)
    return parse_session(body.data)


def hosts_in(data: bytes) -> set[str]:
    """Return every address that stands in a `c=` line, without looking at anything else."""
    return {found.decode("ascii") for found in _ADDRESS.findall(data)}


def parse_session(data: bytes) -> Session:
    """Return the description in bytes. Raises `SipError` naming the line that is wrong."""
    if len(data) > MAX_SIZE:
        raise SipError(f"session description has over {MAX_SIZE} bytes", 413)
    lines = _lines(data)
    if not lines or lines[0] != ("v", "0"):
        raise SipError("session description must begin with v=0")
    starts = [i for i, (letter, _) in enumerate(lines) if letter == "m"]
    if len(starts) > MAX_MEDIA:
        raise SipError(f"session description has over {MAX_MEDIA} media", 413)
    ends = [*starts[1:], len(lines)]  # one too many where there are no media
    own = lines[1 : starts[0] if starts else len(lines)]
    given = {letter: value for letter, value in reversed(own)}
    if "o" not in given or "s" not in given:
        raise SipError("session description must have lines o= and s=")
    part = _part([line for line in own if line[0] not in "os"], rtp=False)
    return Session(
        _origin(given["o"]),
        tuple(_media(lines[start:end]) for start, end in zip(starts, ends, strict=False)),
        part.host,
        part.way or Direction.BOTH,
        given["s"] or "-",
        part.rest,
    )


def _lines(data: bytes) -> list[Line]:
    found = []
    for text in data.decode("utf-8", "surrogateescape").replace("\r\n", "\n").split("\n"):
        if text:
            match = _LINE.match(text)
            if match is None:
                raise SipError(f"session description: line {text[:40]!r} must be a small letter, = and a value")
            found.append((match[1], match[2]))
    return found


def _origin(value: str) -> Origin:
    words = value.split()
    if len(words) != 6:
        raise SipError(f"session description: o={value[:60]!r} must be user, id, version, IN, IP4 or IP6, address")
    version = int(words[2]) if _NUMBER.match(words[2]) else 0  # not a number: nobody but its writer needs it
    return Origin(words[0], words[1], version, words[5])


class _Part(NamedTuple):
    """What session and media may both have, taken apart."""

    host: str | None
    way: Direction | None
    maps: dict[int, Codec]
    rest: tuple[Line, ...]


def _part(lines: list[Line], *, rtp: bool) -> _Part:
    host: str | None = None
    way: Direction | None = None
    maps: dict[int, Codec] = {}
    rest: list[Line] = []
    for letter, value in lines:
        attribute, _, text = value.partition(":")
        if letter == "c":
            host = host or _host(value)
        elif letter == "a" and value in _WAYS:
            way = Direction(value)
        elif rtp and letter == "a" and attribute == "rtpmap":
            codec = _codec(text)
            maps[codec.payload] = codec
        else:
            rest.append((letter, value))
    return _Part(host, way, maps, tuple(rest)) if not rtp else _with_parameters(host, way, maps, rest)


def _with_parameters(host: str | None, way: Direction | None, maps: dict[int, Codec], lines: list[Line]) -> _Part:
    """Give the codecs their `a=fmtp`, which may stand before their rtpmap; one of an unknown codec stays a line."""
    rest = []
    for letter, value in lines:
        number, _, words = value.removeprefix("fmtp:").partition(" ")
        payload = int(number) if letter == "a" and value.startswith("fmtp:") and _NUMBER.match(number) else -1
        codec = maps.get(payload) or STATIC.get(payload)
        if codec is None:
            rest.append((letter, value))
        else:
            maps[payload] = codec._replace(parameters=words.strip())
    return _Part(host, way, maps, tuple(rest))


def _host(value: str) -> str:
    words = value.split()
    if len(words) != 3 or words[0] != "IN" or words[1] not in ("IP4", "IP6"):
        raise SipError(f"session description: c={value[:60]!r} must be IN, IP4 or IP6, and an address")
    host = words[2].partition("/")[0]
    if not _HOST.match(host):
        raise SipError(f"session description: address {host[:60]!r} is not valid")
    return host


def _codec(text: str) -> Codec:
    """Read an rtpmap: `101 telephone-event/8000`, `96 opus/48000/2`."""
    number, _, words = text.strip().partition(" ")
    parts = words.strip().split("/")
    numbers = [number, *parts[1:]]
    if len(parts) not in (2, 3) or not _TOKEN.match(parts[0]) or not all(map(_NUMBER.match, numbers)):
        raise SipError(f"session description: rtpmap {text[:60]!r} must be like '8 PCMA/8000'")
    if int(number) > 127:
        raise SipError(f"session description: payload type {number} must be at most 127")
    return Codec(int(number), parts[0], int(parts[1]), int(parts[2]) if len(parts) == 3 else 1)


def _media(lines: list[Line]) -> Media:
    _, value = lines[0]
    words = value.split()
    port = words[1].partition("/")[0] if len(words) > 1 else ""
    if len(words) < 4 or not _NUMBER.match(port) or int(port) > 65535:
        raise SipError(f"session description: m={value[:60]!r} must be kind, port, protocol and formats")
    media = Media(words[0], int(port), words[2], tuple(words[3:]))
    part = _part(lines[1:], rtp=media.rtp)
    codecs = _meanings(media.formats, part.maps) if media.rtp else ()
    return replace(media, codecs=codecs, host=part.host, way=part.way, lines=part.rest)


def _meanings(formats: tuple[str, ...], maps: dict[int, Codec]) -> tuple[Codec, ...]:
    if not all(_NUMBER.match(each) and int(each) < 128 for each in formats):
        raise SipError(f"session description: payload types {' '.join(formats)[:60]!r} must be numbers below 128")
    numbers = dict.fromkeys(map(int, formats))
    return tuple(codec for number in numbers if (codec := maps.get(number) or STATIC.get(number)) is not None)
