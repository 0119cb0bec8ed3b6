"""Counts how often each value occurs, in memory that a capture cannot make grow without limit.

A capture has a few versions and cipher suites, but may have a million server names. The first `most` values are counted
each, and the occurrences of later ones together. So the counts that are shown are exact, and what is left out is known.
"""

from collections import Counter

MOST_VALUES = 1 << 16
"""Values that are counted each, at most: some ten megabytes of names."""


class Tally:
    """Counts values. beyond: occurrences of values beyond that limit. unknown: occurrences without a known value."""

    __slots__ = ("_counts", "_most", "beyond", "unknown")

    def __init__(self, most: int = MOST_VALUES) -> None:
        """most: values that are counted each, at most."""
        self._counts: Counter[str] = Counter()
        self._most = most
        self.beyond = 0
        self.unknown = 0

    def add(self, value: str | None, n: int = 1) -> None:
        """Count `n` occurrences of a value; None is not known."""
        if value is None:
            self.unknown += n
        elif value in self._counts or len(self._counts) < self._most:
            self._counts[value] += n
        else:
            self.beyond += n

    def __len__(self) -> int:
        """Return how many values are counted each."""
        return len(self._counts)

    def __getitem__(self, value: str) -> int:
        """Return how often a value occurred; 0 for one beyond the limit."""
        return self._counts[value]

    def first(self, n: int) -> list[tuple[str, int]]:
        """Return the `n` values that occur most, with their counts; equal ones in the order of the values."""
        return sorted(self._counts.items(), key=lambda entry: (-entry[1], entry[0]))[:n]
