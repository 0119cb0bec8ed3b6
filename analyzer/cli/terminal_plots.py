"""Draws with characters: bars beside the rows of a table, lines of small columns, and plots over time that fit the window.

Unicode has eighths of a block in both directions (Block Elements, U+2580 to U+259F). Where the encoding of the output does not
have them, `#` and `:` stand for them.
"""

from collections.abc import Sequence

from analyzer.cli.output import Output
from analyzer.cli.table import pad, width

_ACROSS = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")
_UP = (" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█")
_PLAIN_UP = (" ", ".", ".", ".", ":", ":", ":", "#", "#")
_CORNER, _AXIS, _TICK, _LINE = "└", "│", "┤", "─"
_PLAIN_CORNER, _PLAIN_AXIS, _PLAIN_TICK, _PLAIN_LINE = "+", "|", "+", "-"

HEIGHT = 6
"""Lines of a plot over time, without its axis."""

_DIVISIONS = (1, 2, 4, 5, 6, 8, 10)
"""The highest value of a scale is one of these times a power of ten."""


class Blocks:
    """The characters that an output can show."""

    def __init__(self, output: Output) -> None:
        try:
            "".join((*_ACROSS, *_UP, _CORNER, _AXIS, _TICK, _LINE)).encode(output.encoding)
        except UnicodeEncodeError:
            self.plain = True
        else:
            self.plain = False

    def bar(self, part: float, room: int) -> str:
        """Return a bar whose length is `room` columns for 1. It is never empty for a part above 0."""
        part = min(part, 1.0)
        if self.plain:
            return "#" * max(1, round(part * room)) if part > 0 else ""
        eighths = max(1, round(part * room * 8)) if part > 0 else 0
        return "█" * (eighths // 8) + _ACROSS[eighths % 8]

    def sparkline(self, values: Sequence[float], room: int, most: float | None = None) -> str:
        """Return one line with a column for each value, or for the highest of several if there are more than `room`.

        most: the value of the highest column; None for the highest value. A value above 0 never looks like 0.
        """
        values = fitted_values(values, room)
        highest = most or max(values, default=0)
        signs = _PLAIN_UP if self.plain else _UP
        full = len(signs) - 2  # of a line: without a gap above it, lines below each other run together
        return "".join(signs[min(full, _eighths(value, highest, 1))] for value in values)

    def columns(self, values: Sequence[float], room: int, height: int, most: float) -> list[str]:
        """Return the lines of a plot of `height` lines, from the top. Each value has as many columns as there is room for."""
        values = fitted_values(values, room)
        wide = max(1, room // max(1, len(values)))
        signs = _PLAIN_UP if self.plain else _UP
        lines = []
        for level in range(height - 1, -1, -1):
            cells = (min(8, max(0, _eighths(value, most, height) - 8 * level)) for value in values)
            lines.append("".join(signs[cell] * wide for cell in cells))
        return lines


def fitted_values(values: Sequence[float], room: int) -> list[float]:
    """Return the values; if there are more than `room`, the highest of each few that follow each other."""
    few = -(-len(values) // max(1, room))
    return [max(values[at : at + few]) for at in range(0, len(values), few)] if few > 1 else list(values)


def round_up(value: int) -> int:
    """Return the smallest end of a scale, 1, 2, 4, 5, 6, 8 or 10 times a power of ten, that is not below a value."""
    unit = 1
    while unit * 10 < value:
        unit *= 10
    return next(factor * unit for factor in _DIVISIONS if factor * unit >= value)


def print_plot(
    output: Output, values: Sequence[int], marks: Sequence[tuple[float, str]], label: str, style: str, indent: int = 2
) -> None:
    """Print a plot with its two axes.

    label: of the highest value of the scale, which is `round_up` of the highest one. marks: what stands below the axis, each
    with its place from 0 to 1, in their order. Those that would touch the one before are left out.
    """
    blocks = Blocks(output)
    left = max(len(label), 6)
    room = output.width - indent - left - 3
    most = round_up(max(values, default=0))
    lines = blocks.columns(values, room, HEIGHT, most)
    axis, tick = (_PLAIN_AXIS, _PLAIN_TICK) if blocks.plain else (_AXIS, _TICK)
    for number, line in enumerate(lines):
        shown = label if number == 0 else ""
        sign = tick if number == 0 else axis
        scale = output.paint(f"{pad(shown, left, True)} {sign}", "dim")
        output.line(" " * indent + scale + output.paint(line.rstrip(), style))
    drawn = width(lines[0])
    corner, dash = (_PLAIN_CORNER, _PLAIN_LINE) if blocks.plain else (_CORNER, _LINE)
    output.line(" " * indent + output.paint(pad("0", left, True) + " " + corner + dash * drawn, "dim"))
    below = ""
    for place, text in marks:
        at = round(place * drawn)
        if below and at < width(below) + 2:
            continue
        if at + width(text) > output.width - indent - left - 2:
            continue
        below = pad(below, at) + text
    output.line(" " * (indent + left + 2) + output.paint(below, "dim"))


def _eighths(value: float, most: float, height: int) -> int:
    if value <= 0 or most <= 0:
        return 0
    return max(1, round(min(value / most, 1.0) * height * 8))
