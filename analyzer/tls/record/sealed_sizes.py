"""Keeps how long the first records of application data of a side are, and the last one.

In TLS 1.3 all that is encrypted looks like application data (RFC 9846 section 5.2). Only lengths tell a Finished and an alert
from data: an alert is 2 bytes long, and its record is never longer than 19 without padding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import cython


MAX_FIRST = 6
"""Records whose length is kept: a client sends its certificate, its signature and its Finished in three at most, then data."""


class SealedSizes:
    """Lengths of the records of one side. first: of the first ones, in frames. last: of the last, in last_frame, at last_at."""

    __slots__ = ("first", "frames", "last", "last_at", "last_frame")

    def __init__(self) -> None:
        self.first: list[int] = []
        self.frames: list[int] = []
        self.last = 0
        self.last_frame = 0
        self.last_at = -1

    def add(self, length: cython.longlong, frame: cython.longlong, at: cython.longlong) -> None:
        """Take the next record of the side: the length of its body, its frame and the time of that."""
        self.last = length
        self.last_frame = frame
        self.last_at = at
        if len(self.first) < MAX_FIRST:
            self.first.append(length)
            self.frames.append(frame)
