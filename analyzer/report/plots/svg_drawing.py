"""Draws SVG: a few shapes and text with a size that is known before a font is.

Scalable Vector Graphics 1.1 and CSS Color 4. A page chooses its fonts, so the width of a text is not known when it is drawn.
It is therefore estimated from a wide font (DejaVu Sans), and text that may not fit is shortened. A colour is `currentColor`,
which is that of the text around the picture, or a CSS variable with its value for pages that do not set it. Renderers outside
of browsers know neither: `for_print` puts plain colours in their place.
"""

import re
import unicodedata
from html import escape

from analyzer.text.escape import harmless

WIDTH = 720
"""The width of every picture, in the units of the picture."""

SIZE = 12
"""The size of text, in the units of the picture."""

INK = "currentColor"
"""The colour of text and axes."""

_COLORS = {
    "high": ("high", "#c62828"),
    "medium": ("medium", "#b85a00"),
    "low": ("low", "#3b78c2"),
    "info": ("info", "#6b7785"),
    "alert": ("server", "#8e44ad"),
    "good": ("good", "#2e7d4f"),
    "bad": ("high", "#c62828"),
    "plain": ("info", "#6b7785"),
    "amount": ("low", "#3b78c2"),
}
"""The variables of `report.css` and their values elsewhere, with a contrast of 3 to 1 to white and to black (WCAG 2.2)."""

_PRINTED_INK = "#1a1a1a"
_VARIABLE = re.compile(r'="var\(--[a-z]+, (#[0-9a-f]{6})\)"')

_NARROW = frozenset("!',.:;I[]fijlrt|() -")
_WIDE = frozenset("mwMW@%&")


def color(kind: str) -> str:
    """Return the colour of a severity, a result or an amount: `var(--high, #c62828)`."""
    name, value = _COLORS[kind]
    return f"var(--{name}, {value})"


def for_print(svg: str, family: str = "") -> str:
    """Return a picture of this package with plain colours for white paper, for renderers that know no CSS.

    family: a font that comes before the others. Only attributes are changed: quotation marks in text are escaped, so that no
    text looks like an attribute.
    """
    printed = _VARIABLE.sub(r'="\1"', svg).replace(f'="{INK}"', f'="{_PRINTED_INK}"')
    return printed.replace(' font-family="', f' font-family="{family}, ') if family else printed


def xml_text(text: str) -> str:
    """Return text for an element or an attribute of XML, with what is not printable as escapes."""
    return escape(harmless(text), quote=True)


def text_width(text: str, size: float = SIZE) -> float:
    """Return the most units of width that a text needs in a usual font."""
    return size * sum(map(_em, text))


def fitted(text: str, width: float, size: float = SIZE) -> str:
    """Return a text that fits into a width, without its middle if it is too long: the end of a host name says whose it is.

    Characters that are not printable become escapes first.
    """
    text = harmless(text[:_LONGEST] + text[-_LONGEST:] if len(text) > 2 * _LONGEST else text)
    if text_width(text, size) <= width:
        return text
    room = width - text_width("…", size)
    head, tail, front = 0, len(text), True
    while head < tail:
        room -= size * _em(text[head] if front else text[tail - 1])
        if room < 0:
            break
        head, tail, front = (head + 1, tail, False) if front else (head, tail - 1, True)
    return text[:head] + "…" + text[tail:]


_LONGEST = 200
"""The most characters of each end of a text that are measured: more never fit."""


def _em(character: str) -> float:
    if character in _NARROW:
        return 0.4
    if character in _WIDE or not character.isascii():
        return 1.0 if unicodedata.east_asian_width(character) in "WF" or character in _WIDE else 0.8
    return 0.7 if character.isupper() else 0.5 if character == "_" else 0.64


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if value % 1 else str(int(value))


class Drawing:
    """A picture that is being drawn, from the top to the bottom. Text is escaped here and nowhere else."""

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts: list[str] = []

    def text(self, x: float, y: float, text: str, anchor: str = "start", *, faint: bool = False, bold: bool = False) -> None:
        """Write a line of text. y: of the base line. anchor: which part of it is at x: `start`, `middle` or `end`."""
        extra = (' fill-opacity="0.75"' if faint else "") + (' font-weight="bold"' if bold else "")
        at = f'x="{_number(x)}" y="{_number(y)}"'
        self._parts.append(f'<text {at} text-anchor="{anchor}"{extra}>{xml_text(text)}</text>')

    def rectangle(
        self, x: float, y: float, width: float, height: float, fill: str, *, opacity: float = 1, hint: str = ""
    ) -> None:
        """Fill a rectangle. hint: what a reader sees who points at it."""
        size = f'width="{_number(width)}" height="{_number(height)}"'
        see_through = "" if opacity == 1 else f' fill-opacity="{_number(opacity)}"'
        self._shape("rect", f'x="{_number(x)}" y="{_number(y)}" {size} fill="{fill}"{see_through}', hint)

    def outline(self, x: float, y: float, width: float, height: float, stroke: str, *, hint: str = "") -> None:
        """Draw the dashed outline of a rectangle."""
        size = f'width="{_number(width)}" height="{_number(height)}"'
        style = f'fill="none" stroke="{stroke}" stroke-dasharray="2 1.5"'
        self._shape("rect", f'x="{_number(x)}" y="{_number(y)}" {size} {style}', hint)

    def line(
        self, x1: float, y1: float, x2: float, y2: float, stroke: str = INK, *, opacity: float = 1, width: float = 1
    ) -> None:
        """Draw a straight line."""
        ends = f'x1="{_number(x1)}" y1="{_number(y1)}" x2="{_number(x2)}" y2="{_number(y2)}"'
        see_through = "" if opacity == 1 else f' stroke-opacity="{_number(opacity)}"'
        self._shape("line", f'{ends} stroke="{stroke}" stroke-width="{_number(width)}"{see_through}', "")

    def mark(self, kind: str, x: float, y: float, hint: str = "") -> None:
        """Draw the sign of a severity or an alert around a point: each kind has a shape and a colour of its own."""
        points = " ".join(f"{_number(x + dx)},{_number(y + dy)}" for dx, dy in _SHAPES[kind])
        if kind == "alert":
            self._shape("polyline", f'points="{points}" fill="none" stroke="{color(kind)}" stroke-width="2"', hint)
        elif kind == "info":
            self._shape("polygon", f'points="{points}" fill="none" stroke="{color(kind)}" stroke-width="1.5"', hint)
        else:
            self._shape("polygon", f'points="{points}" fill="{color(kind)}"', hint)

    def finished(self, height: float, title: str, description: str, margin: int = 0) -> str:
        """Return the picture as an SVG document. height: of all that was drawn. margin: what is left free around it."""
        wide, high = WIDTH + 2 * margin, _number(height + 2 * margin)
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{-margin} {-margin} {wide} {high}" width="{wide}" '
            f'height="{high}" role="img" font-family="Libertinus Sans, system-ui, sans-serif" '
            f'font-size="{SIZE}" fill="{INK}">'
        )
        words = f"<title>{xml_text(title)}</title><desc>{xml_text(description)}</desc>"
        return head + words + "".join(self._parts) + "</svg>"

    def _shape(self, name: str, attributes: str, hint: str) -> None:
        inside = f"<title>{xml_text(hint)}</title>" if hint else ""
        self._parts.append(f"<{name} {attributes}>{inside}</{name}>" if inside else f"<{name} {attributes}/>")


_SHAPES: dict[str, tuple[tuple[float, float], ...]] = {
    "high": ((0, -6), (6, 5), (-6, 5)),
    "medium": ((0, -6), (5.5, 0), (0, 6), (-5.5, 0)),
    "low": ((-2, -5), (2, -5), (5, -2), (5, 2), (2, 5), (-2, 5), (-5, 2), (-5, -2)),
    "info": ((-2, -4.5), (2, -4.5), (4.5, -2), (4.5, 2), (2, 4.5), (-2, 4.5), (-4.5, 2), (-4.5, -2)),
    "alert": ((-4.5, -4.5), (4.5, 4.5), (0, 0), (4.5, -4.5), (-4.5, 4.5)),
}
"""The corners of the signs: triangle, diamond, full and empty octagon, and a cross that is drawn in one stroke."""
