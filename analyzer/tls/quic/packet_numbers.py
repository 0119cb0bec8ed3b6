"""Keeps sets of packet numbers as ranges, to compare what the capture has with what the receiver acknowledged.

A packet that was acknowledged and is not in the capture is missing there. One that is neither was lost on the path, or its
acknowledgement is not in the capture (RFC 9000 section 13).
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import cython

MAX_RANGES = 4096
"""Ranges that are kept. Beyond that, the smallest holes in the oldest numbers are forgotten, as if they were filled."""


class PacketNumbers:
    """A set of packet numbers: sorted ranges that do not touch. starts, ends: their first and last numbers. full: see above."""

    __slots__ = ("ends", "full", "starts")

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.full = False

    def add(self, first: cython.longlong, last: cython.longlong) -> None:
        """Add the numbers from `first` to `last`."""
        n: cython.Py_ssize_t = len(self.starts)
        if n > 0 and self.ends[n - 1] + 1 == first:  # nearly always
            self.ends[n - 1] = last
            return
        place: cython.Py_ssize_t = bisect_right(self.starts, first)
        if place > 0 and self.ends[place - 1] >= first - 1:
            place -= 1
            if self.ends[place] >= last:
                return
            first = self.starts[place]
        stop: cython.Py_ssize_t = place
        while stop < n and self.starts[stop] <= last + 1:
            last = max(last, self.ends[stop])
            stop += 1
        self.starts[place:stop] = [first]
        self.ends[place:stop] = [last]
        if len(self.starts) > MAX_RANGES:
            self.full = True
            del self.starts[1:2]
            del self.ends[0:1]

    def has(self, number: cython.longlong) -> cython.bint:
        """Return whether a number is in the set."""
        n: cython.Py_ssize_t = len(self.ends)
        if n == 0 or number > self.ends[n - 1]:  # nearly always
            return False
        place: cython.Py_ssize_t = bisect_right(self.starts, number)
        return place > 0 and self.ends[place - 1] >= number

    def __len__(self) -> int:
        """Return how many numbers are in the set."""
        return sum(self.ends) - sum(self.starts) + len(self.starts)

    def without(self, others: PacketNumbers) -> int:
        """Return how many numbers are in this set and not in `others`."""
        count = place = 0
        for first, last in zip(self.starts, self.ends, strict=True):
            at = first
            while place < len(others.starts) and others.ends[place] < first:
                place += 1
            look = place
            while look < len(others.starts) and others.starts[look] <= last:
                count += max(0, others.starts[look] - at)
                at = max(at, others.ends[look] + 1)
                look += 1
            count += max(0, last - at + 1)
        return count
