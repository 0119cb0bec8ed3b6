"""Draws the traffic over time: bytes, packets, and beginning TLS sessions, in the steps of the facts.

Each has a scale of its own, which begins at zero and ends at a round number. The three stand below each other on one time
axis.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from analyzer.report.plots.svg_drawing import SIZE, WIDTH, Drawing, color
from analyzer.report.plots.time_axis import TimeAxis, nanoseconds
from analyzer.report.sentences import Sentences
from analyzer.text.formatting import duration_text

_LEFT, _RIGHT = 120.0, WIDTH - 34.0
_HEIGHT, _GAP = 74.0, 38.0
_UNITS = ("", "k", "M", "G", "T", "P", "E")


def traffic_svg(facts: Mapping[str, Any], sentences: Sentences) -> str:
    """Return the picture of the traffic of the facts over time, as an SVG document."""
    drawing = Drawing()
    title = sentences.say("plot.traffic_title")
    series = facts["traffic"]["series"]
    if series["start"] is None or not series["packets"]:
        drawing.text(0, SIZE + 2, sentences.say("plot.no_times"))
        return drawing.finished(SIZE + 10, title, sentences.say("plot.no_times"))
    step = round(series["step_seconds"] * 1e9)
    first = nanoseconds(series["start"])
    axis = TimeAxis(first, first + step * len(series["packets"]), _LEFT, _RIGHT)
    y = 0.0
    for name, paint in (("bytes", "amount"), ("packets", "plain"), ("sessions", "good")):
        y += _GAP
        drawing.text(0, y - 13, sentences.say(f"plot.{name}_each", step=_step_text(step)), bold=True)
        draw_counts(drawing, axis, series[name], step, y, color(paint))
        y += _HEIGHT
    y += axis.draw(drawing, sentences, _GAP, y)
    totals = {name: sum(series[name]) for name in ("bytes", "packets", "sessions")}
    return drawing.finished(y + 4, title, sentences.say("plot.traffic_text", **totals))


def draw_counts(
    drawing: Drawing, axis: TimeAxis, counts: Sequence[int], step: int, y: float, paint: str, height: float = _HEIGHT
) -> None:
    """Draw a number for each step of time as columns, with its scale. y: of the top. height: of the highest column."""
    top = _round_up(max(counts, default=0))
    for part in (0, 1, 2) if top % 2 == 0 else (0, 2):
        value, level = top * part // 2, y + height - height * part / 2
        drawing.line(_LEFT, level, _RIGHT, level, opacity=0.3 if part == 0 else 0.12)
        drawing.text(_LEFT - 8, level + 4, short_number(value), "end", faint=True)
    for number, count in enumerate(counts):
        if count:
            x1, x2 = axis.x(axis.first + number * step), axis.x(axis.first + (number + 1) * step)
            size = max(count * height / top, 1.0)
            drawing.rectangle(x1, y + height - size, max(x2 - x1 - 0.4, 0.8), size, paint)


def _step_text(step: int) -> str:
    if step < 1_000_000_000:
        return f"{step / 1e6:g} ms"
    return f"{step / 1e9:g} s" if step < 120_000_000_000 else duration_text(step)


def _round_up(value: int) -> int:
    """Return the smallest of 1, 2, 4, 6, 8 and 10 times a power of ten that is not below a value."""
    unit = 1
    while unit * 10 < value:
        unit *= 10
    return next(factor * unit for factor in (1, 2, 4, 6, 8, 10) if factor * unit >= value)


def short_number(value: int) -> str:
    """Return a number with the sign of its thousands: `60 k`, `1.5 M`."""
    power = 0
    while value >= 1000 ** (power + 1) and power < len(_UNITS) - 1:
        power += 1
    whole, rest = divmod(value, 1000**power)
    fraction = f".{rest * 10 // 1000**power}" if rest and whole < 10 else ""
    return f"{whole}{fraction} {_UNITS[power]}".rstrip()
