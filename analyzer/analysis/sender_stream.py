"""Which bytes of one direction of a TCP connection are not in the capture, although the receiver acknowledged them.

An acknowledged byte was received (RFC 9293 section 3.4), so it was on the network. If no frame of the capture has it, the
frame was not captured, or is not in the file any more. Only sequence numbers are needed for this, not the bytes. Frames that
come late fill a hole again, and a hole that nobody acknowledged was a loss before the place of the capture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.analysis.sender_series import keep_frame

if TYPE_CHECKING:
    import cython

MOST_HOLES = 8
"""Holes of one direction that are kept open. The oldest is counted as it is then."""

FARTHEST = 1 << 30
"""Sequence numbers so far ahead belong to another connection."""

WORD, HALF_WORD = 0xFFFFFFFF, 0x80000000

# In the compiled build these are C variables, which other modules cannot see.
_MOST_HOLES, _FARTHEST, _WORD, _HALF_WORD = MOST_HOLES, FARTHEST, WORD, HALF_WORD


class SenderStream:
    """The sequence numbers of one direction.

    offset: how many bytes its numbers have gone ahead, from its first one in the capture; next: the number after them.
    started: whether a number is known. acknowledged: up to which offset the receiver has the bytes. holes: (start, end,
    frame), by offset, None without one; frame: where the hole was seen. n_lost, n_holes, lost_frames: of the bytes that are
    surely not in the capture.
    """

    __slots__ = ("acknowledged", "holes", "lost_frames", "n_holes", "n_lost", "next", "offset", "started")

    def __init__(self) -> None:
        self.started = False
        self.next = self.offset = self.acknowledged = 0
        self.holes: list[tuple[int, int, int]] | None = None
        self.n_lost = self.n_holes = 0
        self.lost_frames: list[int] | None = None

    def feed(self, sequence: cython.longlong, n_bytes: cython.longlong, frame: cython.longlong) -> cython.bint:
        """Take a segment with `n_bytes` sequence numbers from `sequence`. Return whether it has new ones, and none before
        them.
        """
        if not self.started:
            self.started = True
            self.next = (sequence + n_bytes) & _WORD
            return True
        ahead: cython.longlong = (sequence - self.next) & _WORD
        if ahead >= _HALF_WORD:
            ahead -= _WORD + 1
            if self.holes is not None:
                self.fill(self.offset + ahead, self.offset + ahead + n_bytes)
            n_bytes += ahead
            if n_bytes > 0 and n_bytes < _FARTHEST:
                self.advance(n_bytes)
            return False
        if ahead > _FARTHEST:
            return False
        if ahead > 0:
            self.keep(self.offset, self.offset + ahead, frame)
            self.advance(ahead)
        self.advance(n_bytes)
        return n_bytes > 0

    def acknowledge(self, number: cython.longlong, frame: cython.longlong) -> cython.bint:
        """Note that the receiver has all bytes before `number`. Return whether that is more than before."""
        if not self.started:
            return False
        ahead: cython.longlong = (number - self.next) & _WORD
        if ahead >= _HALF_WORD:
            ahead -= _WORD + 1
        elif ahead > _FARTHEST:
            return False
        if ahead > 0:
            self.keep(self.offset, self.offset + ahead, frame)
            self.advance(ahead)
            ahead = 0
        if self.offset + ahead > self.acknowledged:
            self.acknowledged = self.offset + ahead
            return True
        return False

    def advance(self, n_bytes: cython.longlong) -> None:
        """Move the end of the known numbers."""
        self.offset += n_bytes
        self.next = (self.next + n_bytes) & _WORD

    def keep(self, start: cython.longlong, end: cython.longlong, frame: cython.longlong) -> None:
        """Open a hole."""
        if self.holes is None:
            self.holes = []
        elif len(self.holes) >= _MOST_HOLES:
            self.count(self.holes.pop(0))
        self.holes.append((start, end, frame))

    def fill(self, start: cython.longlong, end: cython.longlong) -> None:
        """Take bytes that came late out of the holes."""
        left: list[tuple[int, int, int]] = []
        for begin, stop, frame in self.holes or ():
            if start >= stop or end <= begin:
                left.append((begin, stop, frame))
                continue
            if begin < start:
                left.append((begin, start, frame))
            if end < stop:
                left.append((end, stop, frame))
        self.holes = left[-_MOST_HOLES:] if left else None

    def count(self, hole: tuple[Any, ...]) -> None:
        """Count what is missing of a hole that nothing fills any more, if it was acknowledged."""
        start, end, frame = hole
        n_bytes = min(end, self.acknowledged) - start
        if n_bytes > 1:  # a single number may be that of a SYN or FIN
            self.n_lost += n_bytes
            self.n_holes += 1
            self.lost_frames = keep_frame(self.lost_frames, frame)

    def close(self) -> None:
        """Count the holes that are left, at the end of the connection."""
        for hole in self.holes or ():
            self.count(hole)
        self.holes = None
        self.started = False
        self.offset = self.acknowledged = 0


COMPILED: bool = not __file__.endswith(".py")
