# cython: annotation_typing=False
"""Counts packets and bytes in equal intervals of time, the first of which begins with the first packet.

The length of an interval is given, or found while counting: it begins at a microsecond and becomes ten times as long whenever
there would be too many. So the intervals always are whole parts of those that are shown, whose lengths are 1, 2 or 5 times a
power of ten, or those of clocks. Frames without a time are only counted.
"""

from bisect import bisect_left
from collections.abc import Iterator

MAX_INTERVALS = 8192
"""Intervals that are held, at most, where their length is found."""

MAX_GIVEN = 1 << 18
"""The same where it is given: two months in intervals of 20 seconds. Packets in further ones are counted in `beyond`."""

SHORTEST = 1_000
"""The length at the beginning where it is found, in nanoseconds."""

_MOST_FOUND, _MOST_GIVEN = MAX_INTERVALS, MAX_GIVEN
_SECOND = 1_000_000_000
_STEPS = (
    *(factor * 10**power for power in range(3, 9) for factor in (1, 2, 5)),
    *(n * _SECOND for n in (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400)),
    *(n * 86400 * _SECOND for n in (2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000)),
)
"""The lengths that are shown, in nanoseconds."""


class Interval:
    """Packets and bytes of one interval."""

    __slots__ = ("n_bytes", "n_packets")

    def __init__(self) -> None:
        self.n_packets = 0
        self.n_bytes = 0


class Intervals:
    """Counts frames. length: of an interval in nanoseconds; 0 to find it, which may happen again with every frame.

    start: of interval 0, in nanoseconds since 1970, -1 before the first frame. first, last: the earliest and the latest time.
    counts: intervals by their number, which is below 0 before the start. n_packets, n_bytes: of all frames. untimed: frames
    without a time. beyond: frames in intervals that are not held.
    """

    __slots__ = ("beyond", "counts", "current", "finds", "first", "last", "length", "n_bytes", "n_packets", "place", "start",
                 "untimed")  # fmt: skip

    def __init__(self, length: int = 0) -> None:
        self.finds = length == 0
        self.length = length or SHORTEST
        self.start = self.first = self.last = -1
        self.counts: dict[int, Interval] = {}
        self.place = 0
        self.current: Interval | None = None
        self.n_packets = self.n_bytes = 0
        self.untimed = self.beyond = 0

    def count(self, at: int, n_bytes: int) -> None:
        """Count a frame. at: its time in nanoseconds since 1970, -1 if it has none. n_bytes: of it on the wire."""
        self.n_packets += 1
        self.n_bytes += n_bytes
        if at < 0:
            self.untimed += 1
            return
        if self.start < 0:
            self.start = at
        if self.first < 0 or at < self.first:
            self.first = at
        if at > self.last:
            self.last = at
        distance = at - self.start
        # Division in C goes towards zero.
        place = distance // self.length if distance >= 0 else -((self.length - 1 - distance) // self.length)
        current = self.current
        if current is None or place != self.place:
            current = self.find(place)
            if current is None:
                return
        current.n_packets += 1
        current.n_bytes += n_bytes

    def find(self, place: int) -> Interval | None:
        """Return the interval with a number, and try it first for the next frame; None if there are too many."""
        found = self.counts.get(place)
        if found is None:
            if len(self.counts) >= (_MOST_FOUND if self.finds else _MOST_GIVEN):
                if not self.finds:
                    self.beyond += 1
                    return None
                while len(self.counts) >= _MOST_FOUND:
                    self.counts = merged(self.counts, 10)
                    self.length *= 10
                    place = place // 10 if place >= 0 else -((9 - place) // 10)
                found = self.counts.get(place)
            if found is None:
                found = Interval()
                self.counts[place] = found
        self.current = found
        self.place = place
        return found

    def lengthen(self, length: int) -> None:
        """Make the intervals longer. length: a multiple of their length. Raises ValueError if it is none."""
        factor, rest = divmod(length, self.length)
        if rest or factor < 1:
            raise ValueError(f"{length} is no multiple of {self.length}")
        self.counts = merged(self.counts, factor)
        self.length = length
        self.current = None


def merged(counts: dict[int, Interval], factor: int) -> dict[int, Interval]:
    """Return the intervals that are `factor` times as long."""
    longer: dict[int, Interval] = {}
    for place, one in counts.items():
        shared = longer.setdefault(place // factor, Interval())
        shared.n_packets += one.n_packets
        shared.n_bytes += one.n_bytes
    return longer


def shown_length(duration: int, most: int, least: int = SHORTEST) -> int:
    """Return the shortest usual length, in nanoseconds, of which at most `most` are needed for a duration.

    least: of the intervals that were counted, of which it is a multiple.
    """
    step: int
    for step in _STEPS[bisect_left(_STEPS, max(least, -(-duration // most))) :]:
        if step % least == 0 and duration // step < most:
            return step
    return max(least, -(-duration // most) // least * least + least)


def series(one: Intervals, first: int, n: int) -> Iterator[tuple[int, int]]:
    """Yield packets and bytes of the `n` intervals from number `first` on, also of those without any."""
    for place in range(first, first + n):
        found = one.counts.get(place)
        yield (0, 0) if found is None else (found.n_packets, found.n_bytes)


COMPILED: bool = not __file__.endswith(".py")
