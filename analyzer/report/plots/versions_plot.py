"""Draws what the sessions negotiated: versions, cipher suites, and groups of the key exchange, each with its sessions."""

from collections.abc import Mapping
from typing import Any

from analyzer.report.plots.svg_drawing import SIZE, WIDTH, Drawing, color, fitted, text_width
from analyzer.report.sentences import Sentences

_LEFT = 366.0
_ROW = 20.0
_MOST = 10
"""The most rows of each kind. The last one stands for the others."""


def versions_svg(facts: Mapping[str, Any], sentences: Sentences) -> str:
    """Return the picture of versions, cipher suites and groups of the sessions, as an SVG document."""
    drawing = Drawing()
    sessions = facts["sessions"]
    title = sentences.say("plot.versions_title")
    kinds = [(name, _top(sessions[name], sentences)) for name in ("versions", "cipher_suites", "groups") if sessions[name]]
    if not kinds:
        drawing.text(0, SIZE + 2, sentences.say("plot.nothing_negotiated"))
        return drawing.finished(SIZE + 10, title, sentences.say("plot.nothing_negotiated"))
    most = max(n for _, counts in kinds for _, n in counts)
    room = WIDTH - _LEFT - text_width(f"{most:,}") - 12
    y = 0.0
    for name, counts in kinds:
        y += 22
        drawing.text(0, y - 4, sentences.say(f"plot.{name}"), bold=True)
        for label, n in counts:
            drawing.text(0, y + 14, fitted(label, _LEFT - 12))
            width = max(n * room / most, 1.0)
            drawing.rectangle(_LEFT, y + 4, width, _ROW - 7, color("amount"))
            drawing.text(_LEFT + width + 6, y + 14, f"{n:,}")
            y += _ROW
        y += 8
    return drawing.finished(y, title, sentences.say("plot.versions_text", n=sessions["count"]))


def _top(counts: Mapping[str, int], sentences: Sentences) -> list[tuple[str, int]]:
    """Return the names with the highest counts, and one row for all others."""
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    if len(ordered) <= _MOST:
        return ordered
    others = ordered[_MOST - 1 :]
    return [*ordered[: _MOST - 1], (sentences.say("plot.others", n=len(others)), sum(n for _, n in others))]
