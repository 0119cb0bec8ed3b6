"""Tells in which capture a frame of a run is, and which number it has there.

Frames are numbered over all captures of a run. Who opens one of the captures with another program needs the number that the
frame has in that file, which counts from 1 in each.
"""

from bisect import bisect_right

FramePlace = tuple[str, int | None]
"""Where a frame is: the path of its file, as given, and its number there; None for the number if the run has no other file, so
that it is the same number."""


class FramePlaces:
    """The captures of a run, as far as they are read. several: whether the run has more than one."""

    __slots__ = ("_first_frames", "_paths", "several")

    def __init__(self, several: bool = False) -> None:
        self.several = several
        self._first_frames: list[int] = []
        self._paths: list[str] = []

    def begin(self, path: str, first_frame: int) -> None:
        """Begin the next capture. first_frame: the number of its first frame, after those of the captures before."""
        self._paths.append(path)
        self._first_frames.append(first_frame)

    def of(self, frame: int) -> FramePlace | None:
        """Return where a frame is that was read; None for a number before the first."""
        at = bisect_right(self._first_frames, frame) - 1 if self.several else min(frame, len(self._paths)) - 1
        if at < 0:
            return None
        return self._paths[at], self.number(frame) if self.several else None

    def number(self, frame: int) -> int:
        """Return the number of a frame in its file. It is one that was read."""
        return frame - self._first_frames[bisect_right(self._first_frames, frame) - 1] + 1

    def between(self, first: int, last: int) -> list[tuple[str, int, int]]:
        """Return the captures that have frames from `first` to `last`: path, and the numbers of the first and the last of these
        frames in the run, in order.
        """
        found = []
        for at, path in enumerate(self._paths):
            begin = max(first, self._first_frames[at])
            end = last if at + 1 == len(self._paths) else min(last, self._first_frames[at + 1] - 1)
            if begin <= end:
                found.append((path, begin, end))
        return found
