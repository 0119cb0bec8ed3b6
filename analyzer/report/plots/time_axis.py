"""The time axis of a picture: where a time stands, and which times are written below.

A step between two written times is a round number of its unit: 1, 2 or 5 times a power of ten below ten seconds, then the
steps of clocks and calendars. Below a second nobody reads a clock, so times are written as the distance from the beginning.
"""

from calendar import timegm
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from analyzer.report.plots.svg_drawing import Drawing, text_width
from analyzer.report.sentences import Sentences

_SECOND = 1_000_000_000
_MINUTE, _HOUR, _DAY = 60 * _SECOND, 3600 * _SECOND, 86400 * _SECOND

_CLOCK_STEPS = (
    *(n * _SECOND for n in (1, 2, 5, 10, 15, 30)),
    *(n * _MINUTE for n in (1, 2, 5, 10, 15, 30)),
    *(n * _HOUR for n in (1, 2, 3, 6, 12)),
)

_SHORTEST = 1_000_000
"""The least length of an axis, in nanoseconds."""

_ROOM = 80
"""The least units of width between two written times."""


def nanoseconds(time: str) -> int:
    """Return the nanoseconds since 1970 of a time as in the facts: RFC 3339 in UTC with nine digits of a second, or without.

    Raises `ValueError` for another text.
    """
    whole, _, fraction = time.removesuffix("Z").partition(".")
    if not time.endswith("Z") or (fraction and not fraction.isdigit()) or len(fraction) > 9:
        raise ValueError(f"no time in UTC: {time!r}")
    return timegm(datetime.fromisoformat(whole).timetuple()) * _SECOND + int(fraction.ljust(9, "0"))


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """Times from `first` to `last`, in nanoseconds since 1970, between the units `left` and `right` of a picture."""

    first: int
    last: int
    left: float
    right: float

    def x(self, at: int) -> float:
        """Return where a time stands. Times outside of the axis stand at its ends."""
        at = min(max(at, self.first), self.first + self._length())
        return self.left + (at - self.first) * (self.right - self.left) / self._length()

    def draw(self, drawing: Drawing, sentences: Sentences, top: float, bottom: float) -> float:
        """Draw a line at each written time from top to bottom and the times below it. Returns the height that they took."""
        drawing.text(0, bottom + 17, sentences.say("plot.time"), faint=True)
        drawing.line(self.left, bottom, self.right, bottom)
        day, dated = "", False
        for at, label, date in self._ticks():
            x = self.x(at)
            drawing.line(x, top, x, bottom, opacity=0.15)
            drawing.line(x, bottom, x, bottom + 4)
            drawing.text(x, bottom + 17, label, "middle")
            if date != day:
                drawing.text(max(x, self.left - 20 + text_width(date) / 2), bottom + 32, date, "middle", faint=True)
                day, dated = date, True
        return 40 if dated else 24

    def _length(self) -> int:
        return max(self.last - self.first, _SHORTEST)

    def _ticks(self) -> Iterator[tuple[int, str, str]]:
        """Yield the written times: time, text, and the day or moment that it counts from (empty where the text has it)."""
        step = _step(self._length(), max(int((self.right - self.left) // _ROOM), 1))
        if step < _SECOND:
            start = f"{datetime.fromtimestamp(self.first // _SECOND, UTC):%Y-%m-%d %H:%M:%S}.{self.first % _SECOND:09d}"
            start = start.rstrip("0").rstrip(".") if self.first % _SECOND else start[:-10]
            for at in range(self.first, self.first + self._length() + 1, step):
                yield at, _distance(at - self.first, step), start
            return
        for at in range(-(-self.first // step) * step, self.last + 1, step):
            moment = datetime.fromtimestamp(at // _SECOND, UTC)
            if step < _DAY:
                yield at, f"{moment:%H:%M:%S}" if step < _MINUTE else f"{moment:%H:%M}", f"{moment:%Y-%m-%d}"
            else:
                yield at, f"{moment:%Y-%m-%d}", ""


def _step(length: int, most: int) -> int:
    """Return the smallest round step that divides a length into at most so many parts."""
    least = -(-length // most)
    for step in _CLOCK_STEPS if least > _SECOND // 2 else ():
        if step >= least:
            return step
    unit = _DAY if least > _SECOND // 2 else 1
    while True:
        for factor in (1, 2, 5):
            if factor * unit >= least:
                return factor * unit
        unit *= 10


def _distance(nanos: int, step: int) -> str:
    for unit, name in ((1_000_000, "ms"), (1000, "µs")):
        if step >= unit:
            return f"+{nanos // unit:,} {name}"
    return f"+{nanos:,} ns"
