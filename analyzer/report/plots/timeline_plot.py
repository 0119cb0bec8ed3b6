"""Draws what happened when: the captures, findings and alerts, and the sessions in one lane for each server.

A session is a bar. Sessions of a server that overlap stand in rows below each other. Where that needs too many rows, the lane
shows how many sessions were open at a time instead, so that a capture with a hundred thousand sessions is as readable as one
with three. The severity of a finding is told by the row, the shape, and the colour of its mark. Marks that would touch are
one mark with their number.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analyzer.report.plots.svg_drawing import SIZE, WIDTH, Drawing, color, fitted, text_width
from analyzer.report.plots.time_axis import TimeAxis, nanoseconds
from analyzer.report.sentences import Sentences
from analyzer.text.formatting import endpoint_text

_LEFT, _RIGHT = 216.0, WIDTH - 62.0
_MARK_KINDS = ("high", "medium", "low", "info", "alert")
_MARK_ROW = 20.0
_MOST_LANES = 12
_MOST_ROWS = 4
_ROW, _BAR = 11.0, 8.0
_SHORTEST_BAR = 3.0
_BIN = 3.0
"""The width of a step where a lane shows numbers of sessions."""


@dataclass(frozen=True, slots=True)
class _Bar:
    first: int
    last: int
    established: bool | None
    hint: str


def timeline_svg(facts: Mapping[str, Any], sentences: Sentences) -> str:
    """Return the picture of the sessions, findings and alerts of the facts over time, as an SVG document."""
    drawing = Drawing()
    title = sentences.say("plot.timeline_title")
    lanes = _lanes(facts, sentences)
    axis = _axis(facts, [bar for _, bars in lanes for bar in bars])
    if axis is None:
        drawing.text(0, SIZE + 2, sentences.say("plot.no_times"))
        return drawing.finished(SIZE + 10, title, sentences.say("plot.no_times"))
    top = y = 6.0
    y = _draw_captures(drawing, facts, axis, sentences, y)
    y = _draw_marks(drawing, facts, axis, sentences, y)
    n_sessions = sum(len(bars) for _, bars in lanes)
    if lanes:
        drawing.text(WIDTH, top + 13, sentences.say("plot.sessions"), "end", faint=True)
    for name, bars in lanes:
        y = _draw_lane(drawing, axis, sentences, name, bars, y)
    if n_sessions < facts["sessions"]["count"]:
        y = _draw_all(drawing, facts, axis, sentences, y)
    y += axis.draw(drawing, sentences, top, y + 2) + 8
    if lanes:
        y = _draw_legend(drawing, sentences, y)
    for text in _what_is_left_out(facts, n_sessions, sentences):
        drawing.text(0, y + SIZE + 2, text, faint=True)
        y += SIZE + 6
    n_marks = sum(entry["kind"] in ("finding", "alert") for entry in facts["timeline"])
    return drawing.finished(y, title, sentences.say("plot.timeline_text", sessions=n_sessions, lanes=len(lanes), marks=n_marks))


def _axis(facts: Mapping[str, Any], bars: Sequence[_Bar]) -> TimeAxis | None:
    inputs = facts["evidence"]["inputs"]
    times = [nanoseconds(one[key]) for one in inputs for key in ("first_time", "last_time") if one[key]]
    times += [at for bar in bars for at in (bar.first, bar.last)]
    times += [nanoseconds(entry["time"]) for entry in facts["timeline"]]
    return TimeAxis(min(times), max(times), _LEFT, _RIGHT) if times else None


def _lanes(facts: Mapping[str, Any], sentences: Sentences) -> list[tuple[str, list[_Bar]]]:
    """Return the servers with their sessions: those with the most, in the order of their first one, then all others as one."""
    by_server: dict[str, list[_Bar]] = defaultdict(list)
    for record in facts["sessions"]["brief"]:
        if record["start_time"] is None:
            continue
        name = record["server_name"] or endpoint_text(record["server"]["address"], record["server"]["port"])
        first = nanoseconds(record["start_time"])
        last = nanoseconds(record["end_time"]) if record["end_time"] else first
        hint = sentences.say("plot.session", session=record["id"], server=name)
        by_server[name].append(_Bar(first, max(first, last), record["established"], hint))
    for bars in by_server.values():
        bars.sort(key=lambda bar: (bar.first, bar.last))
    busiest = sorted(by_server, key=lambda name: (-len(by_server[name]), by_server[name][0].first, name))
    shown = busiest if len(busiest) <= _MOST_LANES else busiest[: _MOST_LANES - 1]
    lanes = [(name, by_server[name]) for name in sorted(shown, key=lambda name: (by_server[name][0].first, name))]
    if len(shown) < len(busiest):
        rest = busiest[len(shown) :]
        others = sorted((bar for name in rest for bar in by_server[name]), key=lambda bar: (bar.first, bar.last))
        lanes.append((sentences.say("plot.other_servers", n=len(rest)), others))
    return lanes


def _draw_captures(drawing: Drawing, facts: Mapping[str, Any], axis: TimeAxis, sentences: Sentences, y: float) -> float:
    """Draw one bar for each capture, which begins and ends with an upright stroke. Captures that overlap share one row."""
    spans = [
        (nanoseconds(one["first_time"]), nanoseconds(one["last_time"]), str(one["path"]))
        for one in facts["evidence"]["inputs"]
        if one["first_time"] and one["last_time"]
    ]
    if spans:
        drawing.text(0, y + 13, sentences.say("plot.captures", n=len(spans)))
    for first, last, path in spans:
        x1, x2 = axis.x(min(first, last)), axis.x(max(first, last))
        drawing.rectangle(x1, y + 6, max(x2 - x1, 1), 5, color("plain"), opacity=0.6, hint=path)
        for x in (x1, x2):
            drawing.line(x, y + 2, x, y + 15, width=1.5)
    return y + _MARK_ROW


def _draw_marks(drawing: Drawing, facts: Mapping[str, Any], axis: TimeAxis, sentences: Sentences, y: float) -> float:
    """Draw the findings in one row for each severity, and the alerts in a row of their own."""
    times: dict[str, list[tuple[int, str]]] = {kind: [] for kind in _MARK_KINDS}
    for entry in facts["timeline"]:
        if entry["kind"] in ("finding", "alert"):
            kind = "alert" if entry["kind"] == "alert" else entry["severity"]
            times[kind].append((nanoseconds(entry["time"]), str(entry["code"])))
    for kind in _MARK_KINDS:
        if not times[kind]:
            continue
        middle = y + _MARK_ROW / 2
        drawing.mark(kind, 6, middle)
        drawing.text(18, middle + 4, sentences.say(f"plot.row_{kind}", n=len(times[kind])))
        drawing.line(_LEFT, middle, _RIGHT, middle, opacity=0.12)
        for x, codes in _clusters(sorted(times[kind]), axis):
            drawing.mark(kind, x, middle, ", ".join(sorted(set(codes))[:8]))
            if len(codes) > 1:
                drawing.text(x + 9, middle + 4, f"{len(codes):,}")
        y += _MARK_ROW
    return y + 4


def _clusters(entries: Sequence[tuple[int, str]], axis: TimeAxis) -> list[tuple[float, list[str]]]:
    """Return where marks stand, with the codes that each stands for. A mark begins a new one where the last one has ended."""
    clusters: list[tuple[float, list[str]]] = []
    for at, code in entries:
        x = axis.x(at)
        if clusters:
            last, codes = clusters[-1]
            width = 15 if len(codes) == 1 else 20 + text_width(f"{len(codes):,}")
            if x < last + width:
                codes.append(code)
                continue
        clusters.append((x, [code]))
    return clusters


def _draw_lane(drawing: Drawing, axis: TimeAxis, sentences: Sentences, name: str, bars: Sequence[_Bar], y: float) -> float:
    """Draw the sessions of a server. Returns where the next lane begins."""
    drawing.line(0, y, WIDTH, y, opacity=0.12)
    drawing.text(0, y + 15, fitted(name, _LEFT - 10))
    drawing.text(WIDTH, y + 15, f"{len(bars):,}", "end")
    rows = _rows(bars, axis)
    if len(rows) <= _MOST_ROWS:
        height = max(len(rows) * _ROW + 8, 22.0)
        for number, row in enumerate(rows):
            for bar in row:
                _draw_bar(drawing, bar, axis.x(bar.first), axis.x(bar.last), y + 7 + number * _ROW)
        return y + height
    height = _MOST_ROWS * _ROW + 4
    counts, failed, most = _open_at(bars, axis)
    for step, n in enumerate(counts):
        part = n * height / most
        if n:
            drawing.rectangle(_LEFT + step * _BIN, y + 4 + height - part, _BIN, part, color("good"), opacity=0.75)
        if failed[step]:
            part = failed[step] * height / most
            drawing.rectangle(_LEFT + step * _BIN, y + 4 + height - part, _BIN, part, color("bad"))
    drawing.text(0, y + 31, sentences.say("plot.open_at_once", n=most), faint=True)
    return y + height + 8


def _draw_all(drawing: Drawing, facts: Mapping[str, Any], axis: TimeAxis, sentences: Sentences, y: float) -> float:
    """Draw a lane with the beginnings of all sessions, out of the steps of the traffic."""
    series = facts["traffic"]["series"]
    if series["start"] is None or not any(series["sessions"]):
        return y
    drawing.line(0, y, WIDTH, y, opacity=0.12)
    drawing.text(0, y + 15, sentences.say("plot.all_beginnings"))
    drawing.text(WIDTH, y + 15, f"{facts['sessions']['count']:,}", "end")
    height, most = _MOST_ROWS * _ROW + 4, max(series["sessions"])
    first, step = nanoseconds(series["start"]), round(series["step_seconds"] * 1e9)
    for number, n in enumerate(series["sessions"]):
        x1, x2 = axis.x(first + number * step), axis.x(first + (number + 1) * step)
        if n and x2 > x1:
            drawing.rectangle(x1, y + 4 + height - n * height / most, x2 - x1, n * height / most, color("plain"), opacity=0.75)
    return y + height + 8


def _what_is_left_out(facts: Mapping[str, Any], n_sessions: int, sentences: Sentences) -> list[str]:
    count, n_shown = facts["sessions"]["count"], len(facts["sessions"]["shown"])
    texts = []
    if n_sessions < count:
        texts.append(sentences.say("plot.first_sessions", n=n_sessions, count=count))
    if n_shown < count and any(entry["kind"] in ("finding", "alert") for entry in facts["timeline"]):
        texts.append(sentences.say("plot.marks_of_shown", n=n_shown, count=count))
    return texts


def _rows(bars: Sequence[_Bar], axis: TimeAxis) -> list[list[_Bar]]:
    """Return the bars in rows, so that those of one row do not touch; one row too many as soon as there are too many."""
    rows: list[list[_Bar]] = []
    ends: list[float] = []
    for bar in bars:
        x = axis.x(bar.first)
        free = next((number for number, end in enumerate(ends) if end <= x), len(rows))
        if free == len(rows):
            rows.append([])
            ends.append(0.0)
            if len(rows) > _MOST_ROWS:
                return rows
        rows[free].append(bar)
        ends[free] = max(axis.x(bar.last), x + _SHORTEST_BAR) + (10 if bar.established is False else 2)
    return rows


def _draw_bar(drawing: Drawing, bar: _Bar, x1: float, x2: float, y: float) -> None:
    """Draw a session: full if it was established, thin with a cross at its end if it failed, else dashed."""
    width = max(x2 - x1, _SHORTEST_BAR)
    if bar.established:
        drawing.rectangle(x1, y, width, _BAR, color("good"), hint=bar.hint)
    elif bar.established is None:
        drawing.outline(x1, y + 1, width, _BAR - 2, color("plain"), hint=bar.hint)
    else:
        drawing.rectangle(x1, y + 2.5, width, 3, color("bad"), hint=bar.hint)
        end = x1 + width + 3
        drawing.line(end - 3, y + 1, end + 3, y + 7, color("bad"), width=1.8)
        drawing.line(end - 3, y + 7, end + 3, y + 1, color("bad"), width=1.8)


def _open_at(bars: Sequence[_Bar], axis: TimeAxis) -> tuple[list[int], list[int], int]:
    """Return for each step of a lane how many sessions were open in it, how many of those failed, and the highest number."""
    n_steps = int((_RIGHT - _LEFT) // _BIN)
    changes, failed = [0] * (n_steps + 1), [0] * (n_steps + 1)
    for bar in bars:
        first, last = (min(int((axis.x(at) - _LEFT) // _BIN), n_steps - 1) for at in (bar.first, bar.last))
        for counts in (changes, failed) if bar.established is False else (changes,):
            counts[first] += 1
            counts[last + 1] -= 1
    for counts in (changes, failed):
        for step in range(1, n_steps + 1):
            counts[step] += counts[step - 1]
    return changes[:n_steps], failed[:n_steps], max(changes)


def _draw_legend(drawing: Drawing, sentences: Sentences, y: float) -> float:
    x = 0.0
    for established, key in ((True, "plot.established"), (False, "plot.failed"), (None, "plot.not_known")):
        label = sentences.say(key)
        _draw_bar(drawing, _Bar(0, 0, established, ""), x, x + 18, y + 2)
        drawing.text(x + 29, y + 11, label)
        x += 29 + text_width(label) + 20
    return y + 18
