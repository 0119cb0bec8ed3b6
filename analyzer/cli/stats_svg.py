"""Draws the statistics of `analyzer stats` as one SVG document: traffic over time, or bars. No script, nothing from outside."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from analyzer.cli.stats_arguments import CONVERSATIONS, ENDPOINTS, HTTP, IO, PROTOCOLS, TLS
from analyzer.cli.stats_text import DURATIONS, KIND_NAMES, TALLIES, interval_text
from analyzer.cli.traffic_text import percent
from analyzer.report.plots.svg_drawing import SIZE, WIDTH, Drawing, color, fitted, for_print, text_width
from analyzer.report.plots.time_axis import TimeAxis, nanoseconds
from analyzer.report.plots.traffic_plot import draw_counts
from analyzer.report.sentences import Sentences as Catalogue
from analyzer.text.formatting import duration_text, endpoint_text, size_text
from analyzer.text.language import Sentences, retold, say, spoken, translated_codes
from analyzer.text.punctuation import beside, clauses, labelled

MARGIN = 16
"""What is left free around the picture."""

MOST_ROWS = 20
"""Bars of each group, at most."""

_LEFT, _RIGHT = 120.0, WIDTH - 34.0
_HEIGHT, _GAP = 110.0, 38.0
_LABEL, _ROW = 330.0, 20.0

_INDENT, _STEP = "\N{EM SPACE}", 14.0
"""What stands in front of a label for each level that it is below others, and its width."""

Bar = tuple[str, float, str]
"""A label, a value, and the value as text."""

_TITLES: Sentences = {
    PROTOCOLS: "Protocols", CONVERSATIONS: "Conversations", ENDPOINTS: "Endpoints", IO: "Traffic over time",
    TLS: "TLS sessions", HTTP: "HTTP",
}  # fmt: skip


def stats_svg(record: Mapping[str, Any]) -> str:
    """Return the picture of a record, on white."""
    drawing = Drawing()
    drawing.rectangle(-20, -20, WIDTH + 40, 100_000, "#ffffff")
    what = record["what"]
    y = _draw_io(drawing, record["io"]) if what == IO else _draw_bars(drawing, list(_groups(record)))
    return for_print(drawing.finished(y + 6, say(_TITLES[what]), f"analyzer stats {what}", MARGIN))


def _draw_io(drawing: Drawing, io: Mapping[str, Any]) -> float:
    rows, sentences = io["intervals"], Catalogue(spoken())
    if not rows:
        drawing.text(0, SIZE + 2, say("no packet has a time"))
        return SIZE + 10.0
    step, each = round(io["interval_seconds"] * 1e9), interval_text(io["interval_seconds"])
    first = nanoseconds(rows[0]["start"])
    axis = TimeAxis(first, first + step * len(rows), _LEFT, _RIGHT)
    plots = [
        (say("Packets in each {each}", each=each), [row["packets"] for row in rows], "good"),
        (say("Bytes in each {each}", each=each), [row["bytes"] for row in rows], "amount"),
    ]
    for place, text in enumerate(io["filters"]):
        values = [row["counts"][place]["packets"] for row in rows]
        plots.append((labelled(say("Packets that pass a filter"), text), values, "alert"))
    y = 0.0
    for title, values, paint in plots:
        y += _GAP
        drawing.text(0, y - 13, fitted(title, WIDTH - 20), bold=True)
        draw_counts(drawing, axis, values, step, y, color(paint), _HEIGHT)
        y += _HEIGHT
    return y + axis.draw(drawing, sentences, _GAP, y)


def _draw_bars(drawing: Drawing, groups: Sequence[tuple[str, list[Bar]]]) -> float:
    y = 0.0
    if not groups:
        drawing.text(0, SIZE + 2, say("none found"))
        y = SIZE + 10.0
    for title, bars in groups:
        y += 22
        drawing.text(0, y - 4, title, bold=True)
        most = max(value for _, value, _ in bars) or 1
        room = WIDTH - _LABEL - max(text_width(text) for _, _, text in bars) - 12
        for label, value, text in bars:
            depth = len(label) - len(label.lstrip(_INDENT))
            drawing.text(depth * _STEP, y + 14, fitted(label[depth:], _LABEL - 12 - depth * _STEP))
            size = max(value * room / most, 1.0)
            drawing.rectangle(_LABEL, y + 4, size, _ROW - 7, color("amount"))
            drawing.text(_LABEL + size + 6, y + 14, text)
            y += _ROW
        y += 8
    return y


def _groups(record: Mapping[str, Any]) -> Iterator[tuple[str, list[Bar]]]:
    """Yield the groups of bars, each with its title; those without bars are left out."""
    what = record["what"]
    if what == PROTOCOLS:
        bars = [(_INDENT * one["depth"] + retold(one["protocol"]), one["bytes"], _share(one)) for one in record[what]]
        yield from [(say("Protocols"), bars)] if bars else []
    elif what in (CONVERSATIONS, ENDPOINTS):
        label, title = (_pair, "{kind} conversations") if what == CONVERSATIONS else (_end, "{kind} endpoints")
        for kind, table in record[what].items():
            rows = table[what][:MOST_ROWS]
            if rows:
                yield say(title, kind=KIND_NAMES[kind]), [(label(one), one["bytes"], size_text(one["bytes"])) for one in rows]
    else:
        found, causes = record[what], translated_codes("outcome_causes")
        for name, title in TALLIES[what].items():
            rows = found[name]["top"][:MOST_ROWS]
            labels = [causes[one["value"]].title if name == "causes" else str(one["value"]) for one in rows]
            labels = [
                beside(label, size_text(one["bytes"])) if "bytes" in one else label
                for label, one in zip(labels, rows, strict=True)
            ]
            if rows:
                bars = [(text, one["count"], f"{one['count']:,}") for text, one in zip(labels, rows, strict=True)]
                yield say(title), bars
        spreads = found["durations"] if what == TLS else {"response": found["response_seconds"]}
        for name, spread in spreads.items():
            if spread["count"]:
                bars = [(key, spread[key], _time(spread[key])) for key in ("least", "p50", "p90", "p95", "p99", "most")]
                yield say(DURATIONS[name]), bars


def _share(one: Mapping[str, Any]) -> str:
    return clauses(size_text(one["bytes"]), percent(one["byte_share"]))


def _pair(one: Mapping[str, Any]) -> str:
    return f"{_end(one['source'])} \u2194 {_end(one['destination'])}"


def _end(end: Mapping[str, Any]) -> str:
    return str(end["address"]) if end["port"] is None else endpoint_text(end["address"], end["port"])


def _time(seconds: float) -> str:
    return duration_text(round(seconds * 1e9))
