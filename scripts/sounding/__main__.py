"""Makes the sounds that ship, as µ-law without a header."""

from __future__ import annotations

import shutil
import sys
from array import array
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from sounding.beeps import TONES, beeps  # noqa: E402
from sounding.music import music  # noqa: E402
from sounding.speech import spoken  # noqa: E402
from sounding.texts import TEXTS, text_of  # noqa: E402

from bridge.media.g711 import ULAW, encode  # noqa: E402
from bridge.media.prompts import MUSIC  # noqa: E402
from bridge.media.spelling import all_number_pieces  # noqa: E402

TARGET = ROOT / "bridge" / "media" / "sounds"


def everything() -> Iterator[tuple[str, Callable[[], array[int]]]]:
    """Yield each sound's place below `TARGET`, and what makes it."""
    yield MUSIC, music
    for name in TONES:
        yield name, partial(beeps, name)
    for language, texts in TEXTS.items():
        for piece in (*texts, *all_number_pieces(language)):
            yield f"{language}/{piece}", partial(spoken, text_of(piece, language), language)


def main(wanted: list[str]) -> int:
    """Make what is wanted; everything where nothing is named."""
    if wanted == ["--text"]:
        for language, texts in TEXTS.items():
            for name, text in texts.items():
                print(f"{language}/{name}: {text}")
        return 0
    if shutil.which("espeak-ng") is None:
        print("espeak-ng is missing; install it: apt-get install espeak-ng", file=sys.stderr)
        return 1
    total = 0
    for place, make in everything():
        if wanted and place not in wanted and place.partition("/")[2] not in wanted:
            continue
        path = TARGET / f"{place}.ulaw"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(ULAW, make()))
        total += path.stat().st_size
    print(f"{total / 1000:.0f} kB in {TARGET}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
