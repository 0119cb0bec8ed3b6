"""What the frames of one interface form: the order of their times, the digits of the times, and the lengths at which they are
cut.

A capture program takes frames in the order in which they come, with one clock, whose resolution all times share, and cuts all
of them at the same length (the snapshot length). Frames that were put together from several captures, or converted, often
differ in one of these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.analysis.sender_series import keep_frame
from analyzer.capture.frame import Frame

if TYPE_CHECKING:
    import cython

LARGE_STEP = 1_000_000_000
"""Nanoseconds between a frame and the next one from which the step is kept."""

MOST_STEPS = 256
"""Large steps that are kept, the last ones."""

# In the compiled build these are C variables, which other modules cannot see.
_LARGE_STEP, _MOST_STEPS = LARGE_STEP, MOST_STEPS


class InterfaceSeries:
    """The frames of one interface.

    n_backward: how many are earlier than the frame before; largest_backward: by how many nanoseconds at most. steps: (frame,
    nanoseconds) of the last large steps, also backwards. jumps: those backwards, the first ones. n_nano, n_micro, n_milli:
    times that are whole nanoseconds, microseconds, milliseconds, each counted once, with the first frames of each kind.
    cut_length: of the first frame that the snapshot length cut, -1 without one; n_cut: how many have it, n_other_cuts: how
    many have others. longest: captured bytes of the longest frame. n_short: frames that claim fewer bytes on the wire than
    were captured.
    """

    __slots__ = (
        "backward_frames", "cut_frames", "cut_length", "frames", "jumps", "largest_backward", "last_at", "longest",
        "micro_frames", "milli_frames", "n_backward", "n_cut", "n_micro", "n_milli", "n_nano", "n_other_cuts", "n_short",
        "nano_frames", "short_frames", "steps",
    )  # fmt: skip

    def __init__(self) -> None:
        self.frames = self.n_backward = self.largest_backward = 0
        self.last_at = -1
        self.n_nano = self.n_micro = self.n_milli = 0
        self.cut_length = -1
        self.n_cut = self.n_other_cuts = self.longest = self.n_short = 0
        self.backward_frames: list[int] = []
        self.steps: list[tuple[int, int]] = []
        self.jumps: list[tuple[int, int]] = []
        self.nano_frames: list[int] = []
        self.micro_frames: list[int] = []
        self.milli_frames: list[int] = []
        self.cut_frames: list[int] = []
        self.short_frames: list[int] = []

    def count(self, frame: Frame) -> None:
        """Take one frame of the interface."""
        at: cython.longlong = frame.at
        n_bytes: cython.longlong = frame.end - frame.start
        self.frames += 1
        if n_bytes > self.longest:
            self.longest = n_bytes
        if n_bytes != frame.wire_length:
            self.count_cut(frame, n_bytes)
        if at < 0:
            return
        if at % 1000 != 0:
            self.n_nano += 1
            if self.n_nano <= 16:
                self.nano_frames = keep_frame(self.nano_frames, frame.number)
        elif at % 1_000_000 != 0:
            self.n_micro += 1
            if self.n_micro <= 16:
                self.micro_frames = keep_frame(self.micro_frames, frame.number)
        else:
            self.n_milli += 1
            self.milli_frames = keep_frame(self.milli_frames, frame.number)
        if self.last_at >= 0:
            step: cython.longlong = at - self.last_at
            if step < 0:
                self.n_backward += 1
                self.largest_backward = max(self.largest_backward, -step)
                self.backward_frames = keep_frame(self.backward_frames, frame.number)
                if -step >= _LARGE_STEP and len(self.jumps) < _MOST_STEPS:
                    self.jumps.append((frame.number, step))
            if step >= _LARGE_STEP or -step >= _LARGE_STEP:
                if len(self.steps) >= _MOST_STEPS:
                    self.steps.pop(0)
                self.steps.append((frame.number, step))
        self.last_at = at

    def count_cut(self, frame: Frame, n_bytes: cython.longlong) -> None:
        """Take a frame whose captured length is not that on the wire."""
        if n_bytes > frame.wire_length:
            self.n_short += 1
            self.short_frames = keep_frame(self.short_frames, frame.number)
        elif self.cut_length < 0 or self.cut_length == n_bytes:
            self.cut_length = n_bytes
            self.n_cut += 1
        else:
            self.n_other_cuts += 1
            self.cut_frames = keep_frame(self.cut_frames, frame.number)

    def step_within(self, after: cython.longlong, last: cython.longlong, n_least: cython.longlong) -> cython.longlong:
        """Return the frame after number `after` and up to `last` at which the time made its largest step of at least half of
        `n_least` nanoseconds, in the same direction; 0 if it made none.
        """
        found: cython.longlong = 0
        largest: cython.longlong = abs(n_least) // 2
        for frame, step in self.steps:
            if after < frame <= last and abs(step) >= largest and (step < 0) == (n_least < 0):
                found = frame
                largest = abs(step)
        return found


COMPILED: bool = not __file__.endswith(".py")
