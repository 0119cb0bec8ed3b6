"""The clock of a sender, as its TCP timestamps show it (RFC 7323): a second clock, to which that of the capture is compared.

A sender puts a value of its clock in each segment. The clock has from 1 to 1000 ticks a second (section 5.4), and never runs
backwards within a connection. So the distance of two values tells how much time has passed at the sender, however the capture
came to its times. If it differs from the time that has passed in the capture, one of both clocks was set, or stood still, as
when a computer sleeps. If two hosts agree against the capture, it was the clock of the capture, or its times were changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import cython


RATES = (1, 2, 10, 50, 60, 100, 128, 200, 250, 500, 512, 1000, 1024, 1_000_000)
"""Ticks per second of known systems: nearly all have 1000 now; older ones had 1, 2, 10, 100 and 250."""

MEASURED = 2_000_000_000
"""Nanoseconds after which the rate of a clock can be told."""

FEWEST_TICKS = 50
"""Ticks after which it can be told. With fewer, the part of a tick that is not seen matters."""

TOLERANCE = 0.03
"""Part by which a rate may differ from one of RATES."""

STEP = 1_000_000_000
"""Difference between both clocks, in nanoseconds, from which it is a step: more than delays and late packets make."""

DRIFT = 2000
"""One part of so many is what an ordinary clock may be fast or slow: 500 parts per million. Two ticks come to it."""

SILENCE = 10_000_000_000
"""Without a known rate, nanoseconds of silence from which fewer ticks than the slowest clock has are a step."""

SLOWEST = 1_000_000_000
"""Nanoseconds of the longest tick that RFC 7323 allows."""

WORD, HALF_WORD = 0xFFFFFFFF, 0x80000000

# In the compiled build these are C variables, which other modules cannot see.
_MEASURED, _STEP, _DRIFT, _SILENCE, _SLOWEST, _FEWEST_TICKS = MEASURED, STEP, DRIFT, SILENCE, SLOWEST, FEWEST_TICKS
_WORD, _HALF_WORD = WORD, HALF_WORD


class SenderClock:
    """The timestamps of one direction of a connection.

    ticks: how far its clock has gone since the first value, without the steps. span: nanoseconds that have passed in the
    capture meanwhile. rate: ticks per second, 0 as long as it is not known. last_frame: of the last value; step_from: of the
    value before the last step.
    """

    __slots__ = ("last", "last_at", "last_frame", "next_try", "rate", "span", "step_from", "ticks")

    def __init__(self, value: cython.longlong, at: cython.longlong, frame: cython.longlong) -> None:
        self.last = value
        self.last_at = at
        self.last_frame = frame
        self.step_from = 0
        self.ticks = 0
        self.span = 0
        self.rate = 0
        self.next_try = _MEASURED

    def take(self, value: cython.longlong, at: cython.longlong, frame: cython.longlong) -> cython.longlong:
        """Take the value of a segment that was sent after the one before, at time `at` of the capture.

        Return the step of the capture's clock against the sender's in nanoseconds, 0 if there is none. If the rate is not
        known, it is the least that it can be.
        """
        ticks: cython.longlong = (value - self.last) & _WORD
        passed: cython.longlong = at - self.last_at
        if passed < 0:
            return 0  # the order of times is another matter
        if ticks >= _HALF_WORD:
            ticks = 0
        step: cython.longlong = 0
        if self.rate > 0:
            step = passed - ticks * 1_000_000_000 // self.rate
            drift: cython.longlong = passed // _DRIFT + 2_000_000_000 // self.rate
            # After a long silence, the value may have begun again from 0, so that it tells nothing.
            if -_STEP - drift < step < _STEP + drift or passed // 1_000_000_000 * self.rate >= _HALF_WORD:
                step = 0
        elif passed > _SILENCE and ticks * _SLOWEST < passed - _STEP:
            step = passed - ticks * _SLOWEST
        if step != 0:
            self.step_from = self.last_frame
        else:
            self.ticks += ticks
            self.span += passed
            if self.rate == 0 and self.span >= self.next_try and self.ticks >= _FEWEST_TICKS:
                self.find_rate()
        self.last = value
        self.last_at = at
        self.last_frame = frame
        return step

    def is_older(self, value: cython.longlong) -> cython.bint:
        """Return whether a value is older than the last one."""
        return (value - self.last) & _WORD >= _HALF_WORD

    def find_rate(self) -> None:
        """Set the rate, if what was measured fits one of RATES."""
        self.next_try = 2 * self.span
        for rate in RATES:
            if abs(self.ticks * 1e9 / self.span / rate - 1) < TOLERANCE:
                self.rate = rate
                return

    def difference(self) -> float:
        """Return by how many seconds the sender's clock went further than that of the capture; 0 if the rate is not known."""
        return 1.0 * self.ticks / self.rate - self.span / 1e9 if self.rate else 0.0


COMPILED: bool = not __file__.endswith(".py")
