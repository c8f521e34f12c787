"""A sheet to draw on: lines, boxes, text and the symbols of the parts. Units are pixels."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

Point = tuple[float, float]

INK, FAINT, PAPER, SHADE = "#1f2933", "#9aa5b1", "#ffffff", "#f3f5f8"
BUTTON, LAMP, GROUND, POWER, AVOID = "#1d6fb8", "#d9820a", "#3e4c59", "#b91c1c", "#d7a6a6"

_STYLE = (
    "text{font-family:'DejaVu Sans',Verdana,Helvetica,sans-serif;font-size:13px;fill:" + INK + "}"
    ".title{font-size:21px;font-weight:bold}.strong{font-weight:bold}.small{font-size:11px}.faint{fill:#66727f}"
    ".pin{font-size:9px;fill:#fff}.light{fill:#fff}"
)


class Sheet:
    """Collects elements; `text` is the finished SVG."""

    def __init__(self, width: int, height: int, title: str, subtitle: str = "") -> None:
        self._size = width, height
        self._parts: list[str] = []
        self.box(0, 0, width, height, PAPER, radius=0)
        self.write(28, 40, title, "title")
        self.write(28, 62, subtitle, "faint")
        self._title = title
        self.back = PAPER  # what symbols stand on

    @property
    def text(self) -> str:
        """Return the drawing."""
        width, height = self._size
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" role="img">\n'
            f"<title>{escape(self._title)}</title>\n<style>{_STYLE}</style>\n"
        )
        return head + "\n".join(self._parts) + "\n</svg>\n"

    def write(self, x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> None:
        """Write a line of text; `anchor`: start, middle or end is at x."""
        if words:
            self._parts.append(
                f'<text x="{x:g}" y="{y:g}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'
            )

    def box(
        self, x: float, y: float, width: float, height: float, fill: str, edge: str = "none", radius: float = 8
    ) -> None:
        """Draw a rectangle."""
        self._parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{radius:g}" fill="{fill}" '
            f'stroke="{edge}" stroke-width="1.5"/>'
        )

    def dot(self, at: Point, colour: str, radius: float = 3.5, edge: str = "none") -> None:
        """Draw a dot: a joint, or a pin."""
        self._parts.append(
            f'<circle cx="{at[0]:g}" cy="{at[1]:g}" r="{radius:g}" fill="{colour}" stroke="{edge}" stroke-width="1.5"/>'
        )

    def wire(self, points: Sequence[Point], colour: str, width: float = 2.5) -> None:
        """Draw a wire through points."""
        way = " ".join(f"{x:g},{y:g}" for x, y in points)
        self._parts.append(
            f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-width="{width:g}" '
            'stroke-linejoin="round" stroke-linecap="round"/>'
        )

    def shape(self, points: Sequence[Point], fill: str, edge: str) -> None:
        """Draw a closed shape."""
        way = " ".join(f"{x:g},{y:g}" for x, y in points)
        self._parts.append(
            f'<polygon points="{way}" fill="{fill}" stroke="{edge}" stroke-width="2" stroke-linejoin="round"/>'
        )

    # -- symbols, each about a point on a wire that goes along ----------------------------------------------------

    def button(self, x: float, y: float, colour: str = BUTTON) -> None:
        """Draw a push button, 48 wide."""
        self.box(x - 24, y - 5, 48, 10, self.back, radius=0)
        self.wire([(x - 17, y - 9), (x + 17, y - 9)], colour, 3)
        self.wire([(x, y - 9), (x, y - 18)], colour, 3)
        self.wire([(x - 8, y - 18), (x + 8, y - 18)], colour, 3)
        self.dot((x - 17, y), PAPER, 4, colour)
        self.dot((x + 17, y), PAPER, 4, colour)
        self.wire([(x - 24, y), (x - 21, y)], colour)
        self.wire([(x + 21, y), (x + 24, y)], colour)

    def resistor(self, x: float, y: float, value: str, colour: str = LAMP) -> None:
        """Draw a resistor, 44 wide, its value below."""
        self.box(x - 22, y - 7, 44, 14, PAPER, colour, radius=2)
        self.write(x, y + 23, value, "small", "middle")

    def led(self, x: float, y: float, to_right: bool, colour: str = LAMP, small: bool = False) -> None:
        """Draw a LED, 28 wide; its cathode, where the current leaves, is on the right or on the left."""
        way = 1 if to_right else -1
        half = 7 if small else 10
        self.box(x - 12, y - 4, 24, 8, self.back, radius=0)
        self.shape([(x - 11 * way, y - half), (x - 11 * way, y + half), (x + 9 * way, y)], "#fde8c8", colour)
        self.wire([(x + 10 * way, y - half), (x + 10 * way, y + half)], colour, 3)
        for shift in () if small else (0, 9):
            start = x - 4 + shift, y - 13
            end = start[0] + 7, start[1] - 9
            self.wire([start, end], colour, 1.5)
            self.wire([(end[0] - 5, end[1] + 1), end, (end[0] - 1, end[1] + 5)], colour, 1.5)

    def capacitor(self, x: float, y: float, value: str, colour: str = GROUND) -> None:
        """Draw a capacitor in a wire that goes down, 10 high."""
        self.box(x - 4, y - 4, 8, 8, self.back, radius=0)
        for shift in (-4, 4):
            self.wire([(x - 13, y + shift), (x + 13, y + shift)], colour, 3)
        self.write(x + 20, y + 5, value, "small")

    def standing_resistor(self, x: float, y: float, value: str, colour: str = POWER) -> None:
        """Draw a resistor in a wire that goes down, 44 high."""
        self.box(x - 8, y - 22, 16, 44, PAPER, colour, radius=2)
        self.write(x + 15, y + 4, value, "small")
