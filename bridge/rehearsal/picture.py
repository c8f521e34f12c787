"""A rehearsal as a picture (SVG): calls, waits and losses over the day, one strip for each configuration."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from html import escape

from bridge.rehearsal.measure import Slot

WIDTH, HEIGHT, LEFT, TOP = 960, 260, 60, 60
_INK, _FAINT, _CALLS, _WAIT, _LOST = "#1f2933", "#cbd2d9", "#9fb3c8", "#d9820a", "#b91c1c"


def picture(strips: Mapping[str, Sequence[Slot]]) -> str:
    """Return the picture; all strips have the same scales, so that they can be compared."""
    most = max((slot.calls for slots in strips.values() for slot in slots), default=0) or 1
    longest = max((slot.wait for slots in strips.values() for slot in slots), default=0.0) or 1.0
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT * len(strips)}" '
        f'font-family="Verdana, sans-serif" font-size="12" fill="{_INK}">',
        f'<rect width="{WIDTH}" height="{HEIGHT * len(strips)}" fill="#ffffff"/>',
    ]
    for number, (name, slots) in enumerate(strips.items()):
        parts += _strip(name, slots, number * HEIGHT, most, longest)
    return "\n".join([*parts, "</svg>", ""])


def _strip(name: str, slots: Sequence[Slot], top: int, most: int, longest: float) -> list[str]:
    base, high = top + HEIGHT - 40, HEIGHT - 40 - TOP
    step = (WIDTH - LEFT - 20) / max(1, len(slots))
    parts = [
        f'<text x="{LEFT}" y="{top + 24}" font-size="16" font-weight="bold">{escape(name)}</text>',
        f'<text x="{LEFT}" y="{top + 44}" fill="{_CALLS}">calls (most: {most} in 15 min)</text>',
        f'<text x="{LEFT + 260}" y="{top + 44}" fill="{_WAIT}">mean wait (longest: {longest:.0f} s)</text>',
        f'<text x="{LEFT + 500}" y="{top + 44}" fill="{_LOST}">not served</text>',
        f'<line x1="{LEFT}" y1="{base}" x2="{WIDTH - 20}" y2="{base}" stroke="{_INK}"/>',
    ]
    for index, slot in enumerate(slots):
        x = LEFT + index * step
        parts.append(_bar(x, base, step * 0.8, high * slot.calls / most, _CALLS))
        parts.append(_bar(x, base, step * 0.8, high * min(slot.unserved, most) / most, _LOST))
        hour = datetime.datetime.fromtimestamp(slot.at)
        if hour.minute == 0:
            parts.append(f'<line x1="{x:.1f}" y1="{base}" x2="{x:.1f}" y2="{base + 5}" stroke="{_INK}"/>')
            parts.append(f'<text x="{x:.1f}" y="{base + 20}" text-anchor="middle">{hour:%H}</text>')
    points = " ".join(
        f"{LEFT + (index + 0.4) * step:.1f},{base - high * slot.wait / longest:.1f}" for index, slot in enumerate(slots)
    )
    parts.append(f'<polyline points="{points}" fill="none" stroke="{_WAIT}" stroke-width="2"/>')
    parts.append(
        f'<line x1="{LEFT}" y1="{top + HEIGHT - 2}" x2="{WIDTH - 20}" y2="{top + HEIGHT - 2}" stroke="{_FAINT}"/>'
    )
    return [part for part in parts if part]


def _bar(x: float, base: float, width: float, height: float, colour: str) -> str:
    if height <= 0:
        return ""
    return f'<rect x="{x:.1f}" y="{base - height:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'
