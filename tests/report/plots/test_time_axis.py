"""The time axis: where times stand, and which are written."""

import re
from itertools import pairwise

import pytest

from analyzer.report.plots.svg_drawing import Drawing, text_width
from analyzer.report.plots.time_axis import TimeAxis, nanoseconds
from analyzer.report.sentences import Sentences

SECOND = 1_000_000_000
START = 1_793_610_000 * SECOND  # 2026-11-02 09:00:00


def labels(length: int, first: int = START, left: float = 100, right: float = 700) -> list[tuple[float, float, str]]:
    """Return the written texts: where their middle is, on which line, and what they say."""
    drawing = Drawing()
    TimeAxis(first, first + length, left, right).draw(drawing, Sentences("en"), 0, 100)
    svg = drawing.finished(150, "", "")
    found = re.findall(r'<text x="([0-9.]+)" y="([0-9.]+)" text-anchor="middle"[^>]*>([^<]*)</text>', svg)
    return [(float(x), float(y), text) for x, y, text in found]


def test_times_are_read_to_the_nanosecond() -> None:
    assert nanoseconds("2026-11-02T09:00:00Z") == START
    assert nanoseconds("2026-11-02T09:00:01.200000001Z") == START + SECOND + 200_000_001
    assert nanoseconds("1970-01-01T00:00:00.5Z") == SECOND // 2


@pytest.mark.parametrize(
    "text", ["", "2026-11-02", "2026-11-02T09:00:00", "2026-11-02T09:00:00+01:00", "2026-11-02T09:00:00.xZ"]
)
def test_other_texts_are_no_times(text: str) -> None:
    with pytest.raises(ValueError, match="time"):
        nanoseconds(text)


def test_times_stand_between_the_ends() -> None:
    axis = TimeAxis(START, START + 10 * SECOND, 100, 200)
    assert [axis.x(START + at * SECOND) for at in (0, 5, 10)] == [100, 150, 200]
    assert axis.x(START - 5) == 100
    assert axis.x(START + 99 * SECOND) == 200
    assert TimeAxis(START, START, 100, 200).x(START) == 100


@pytest.mark.parametrize(
    ("length", "texts"),
    [
        (28 * SECOND, ["09:00:00", "09:00:05", "09:00:10", "09:00:15", "09:00:20", "09:00:25"]),
        (3600 * SECOND, ["09:00", "09:10", "09:20", "09:30", "09:40", "09:50", "10:00"]),
        (5 * 86400 * SECOND, ["2026-11-03", "2026-11-04", "2026-11-05", "2026-11-06", "2026-11-07"]),
        (85_600_000, ["+0 ms", "+20 ms", "+40 ms", "+60 ms", "+80 ms"]),
        (0, ["+0 µs", "+200 µs", "+400 µs", "+600 µs", "+800 µs", "+1,000 µs"]),
    ],
)
def test_round_times_are_written(length: int, texts: list[str]) -> None:
    assert [text for _, y, text in labels(length) if y == 117] == texts


def test_the_day_is_written_once_and_where_it_changes() -> None:
    days = [text for _, y, text in labels(86400 * SECOND) if y == 132]
    assert days == ["2026-11-02", "2026-11-03"]
    assert [text for _, y, text in labels(85_600_000, START + 120) if y == 132] == ["2026-11-02 09:00:00.00000012"]


@pytest.mark.parametrize("power", range(20))
@pytest.mark.parametrize("factor", [1, 3, 7])
@pytest.mark.parametrize("width", [100, 450, 600])
def test_written_times_never_touch(power: int, factor: int, width: float) -> None:
    length = min(factor * 10**power, 7_900 * 365 * 86400 * SECOND)
    written = labels(length, right=100 + width)
    for line in (117, 132):
        row = sorted((x, text) for x, y, text in written if y == line)
        assert len(row) < 12
        for (x1, text1), (x2, text2) in pairwise(row):
            assert x1 + text_width(text1) / 2 < x2 - text_width(text2) / 2, (text1, text2)
