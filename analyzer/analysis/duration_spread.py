"""How a quantity is spread, such as durations: least, greatest, and percentiles, in memory with a limit.

The first values are kept as they are, and the percentiles are exact then (nearest rank). Of more values the number in each of
many steps is kept, each of which is two percent longer than the one before, so a percentile is within one percent (as in
DDSketch, Masson and others, 2019).
"""

from math import ceil, exp, floor, log

EXACT = 1 << 14
"""Values up to which percentiles are exact."""

_STEP = log(1.02)
_LEAST = 1e-9
PERCENTILES = (50, 75, 90, 95, 99)
"""The percentiles that are shown."""


class Spread:
    """Takes values that are not below 0. count: how many. total: their sum. least, most: None without any."""

    def __init__(self) -> None:
        self.count = 0
        self.total = 0.0
        self.least: float | None = None
        self.most: float | None = None
        self._values: list[float] = []
        self._steps: dict[int, int] = {}

    def add(self, value: float) -> None:
        """Take a value. One below 0 counts as 0."""
        value = max(value, 0.0)
        self.count += 1
        self.total += value
        self.least = value if self.least is None else min(self.least, value)
        self.most = value if self.most is None else max(self.most, value)
        if self._steps:
            self._count(value)
        elif len(self._values) < EXACT:
            self._values.append(value)
        else:
            for one in (*self._values, value):
                self._count(one)
            self._values.clear()

    @property
    def exact(self) -> bool:
        """Whether percentiles are exact."""
        return not self._steps

    def percentile(self, part: float) -> float | None:
        """Return the smallest value that `part` percent of all values do not exceed; None without values."""
        if self.least is None or self.most is None:
            return None
        rank = max(1, ceil(part / 100 * self.count))
        if not self._steps:
            return sorted(self._values)[rank - 1]
        seen = 0
        for step in sorted(self._steps):
            seen += self._steps[step]
            if seen >= rank:
                return min(max(exp((step + 0.5) * _STEP), self.least), self.most)
        return self.most

    def histogram(self, n: int) -> list[int]:
        """Return how many values are in each of `n` equal parts of the logarithm, from the least to the greatest."""
        if self.least is None or self.most is None:
            return []
        first, last = log(max(self.least, _LEAST)), log(max(self.most, _LEAST))
        counts = [0] * n
        size = (last - first) / n
        entries = [(log(max(value, _LEAST)), 1) for value in self._values]
        entries += [((step + 0.5) * _STEP, number) for step, number in self._steps.items()]
        for at, number in entries:
            place = floor((at - first) / size) if size > 0 else 0
            counts[min(max(place, 0), n - 1)] += number
        return counts

    def _count(self, value: float) -> None:
        step = floor(log(max(value, _LEAST)) / _STEP)
        self._steps[step] = self._steps.get(step, 0) + 1
