"""The language that a serial panel and the bridge speak: what stands on a line, and how long each waits for what.

This module runs unchanged under CPython and MicroPython. The ends that speak it are `hardware.firmware.end` in the
panel and `hardware.panel_link` in the bridge. Times are whole milliseconds.

A frame is one line of ASCII, at most 120 bytes with its end, both ways:

    SEQ VERB key=value...*CCCC

CCCC is the low 16 bits of the CRC-32 of what stands before the `*`, in upper-case hex. What is damaged is skipped to
the next line and mended by repetition.

    panel -> bridge                                     bridge -> panel
    0 hello proto= fw= id= keys= lamps= boot= seq=      0 who              (asks for the hello)
            down=                                       0 welcome proto= boot=
    SEQ down key= age=     SEQ up key= age=             SEQ ack boot=
    SEQ ack      SEQ nak                                SEQ lamp n= show=
    0 beat down=                                        0 beat
                                                        0 refuse proto=      0 bye

Keys and lamps count from 1. `down` is a mask in hex of the keys that are pressed, key 1 in its lowest bit; `age` is
how long ago a key moved. Whatever has a SEQ other than 0 is acknowledged with that SEQ: keys are sent again every
300 ms up to 4 times, one after the other; lamps until they are acknowledged, each with its latest signal. A panel's SEQ
starts at 1 with each boot; `boot` is a word thrown by dice then, by which the bridge tells repetition from something
new. `seq` in the hello is the last one that was used before.

The panel beats every 2 s, ten times a second while a key is held; the bridge answers each beat with one of its own.
"""

import binascii

VERSION = 1
LONGEST = 120  # bytes of a line, its end included
MOST_PARTS = 64  # keys, and lamps
RESEND = 300
RESENDS = 4
STALE = 2000
BEAT = 2000
HELD_BEAT = 100
SILENCE = 7000

_NEWLINE = 10


class Frame:
    """One line that was read: its SEQ, its verb, its fields as text."""

    def __init__(self, seq: int, verb: str, fields: "dict[str, str]") -> None:
        self.seq = seq
        self.verb = verb
        self.fields = fields

    def text(self, key: str) -> str:
        """Return a field, "" where it is missing."""
        return self.fields.get(key, "")

    def number(self, key: str, base: int = 10) -> int:
        """Return a field that is a whole number, -1 where it is missing or none."""
        return whole(self.fields.get(key, ""), base)


def whole(text: str, base: int = 10) -> int:
    """Return a whole number of at most 16 digits, -1 for anything else."""
    digits = "0123456789abcdef"[:base]
    if not 0 < len(text) <= 16 or any([c not in digits for c in text]):
        return -1
    return int(text, base)


def check(body: bytes) -> bytes:
    """Return the four characters that stand behind the `*`."""
    return b"%04X" % (binascii.crc32(body) & 0xFFFF)


def write(seq: int, verb: str, fields: "tuple[tuple[str, object], ...]" = ()) -> bytes:
    """Return a frame as a line. Raises ValueError where it would be too long or could not be read again."""
    body = " ".join([str(seq), verb] + [f"{key}={value}" for key, value in fields]).encode()
    line = body + b"*" + check(body) + b"\n"
    if len(line) > LONGEST or read(line[:-1]) is None:
        raise ValueError(f"no frame: {line!r}")
    return line


def read(line: bytes) -> "Frame | None":
    """Return what a line without its end says, None for what is damaged or was never a frame."""
    if line[-1:] == b"\r":
        line = line[:-1]
    body, mark = line[:-5], line[-5:-4]
    if mark != b"*" or check(body) != line[-4:] or any([not 32 <= byte < 127 for byte in body]):
        return None
    words = body.decode().split(" ")
    seq = whole(words[0])
    if seq < 0 or len(words) < 2 or not words[1]:
        return None
    fields = {}
    for word in words[2:]:
        key, equals, value = word.partition("=")
        if not (key and equals):
            return None
        fields[key] = value
    return Frame(seq, words[1], fields)


class Lines:
    """Cuts what comes into frames. `damaged` counts the lines that were none."""

    def __init__(self) -> None:
        self.damaged = 0
        self._rest = b""
        self._skipping = False  # a line is too long: nothing of it counts

    def feed(self, data: bytes) -> "list[Frame]":
        """Take bytes in, however they were cut on their way; return the frames that are whole."""
        pieces = data.split(b"\n")
        found = []
        for piece in pieces[:-1]:
            frame = None if self._skipping else self._read(piece)
            if frame is None:
                self.damaged += 1
            else:
                found.append(frame)
            self._rest, self._skipping = b"", False
        self._keep(pieces[-1])
        return found

    def _read(self, piece: bytes) -> "Frame | None":
        line = self._rest + piece
        return read(line) if len(line) <= LONGEST else None

    def _keep(self, piece: bytes) -> None:
        if self._skipping or len(self._rest) + len(piece) > LONGEST:
            self._rest, self._skipping = b"", True
        else:
            self._rest += piece
