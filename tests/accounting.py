"""Checks that bytes in are bytes reported and bytes skipped: finds where in a stream the units of a reader can be.

A reader of a stream reports units (records, frames) one after the other. Normally each begins where the one before ended. After
it reported a loss of position it may skip bytes, but never go back. A unit must be equal to the stream at its position, so that
no unit is invented, reported twice, or left out. After a loss the position is not reported: all positions at which the unit
fits are followed, and one of them must lead to the end.
"""

from collections.abc import Callable


class Account:
    """The positions at which the next unit of a stream may begin."""

    def __init__(self, start: int = 0) -> None:
        self.places = {start}
        self.lost = False
        self.n_units = 0

    def lose(self, at: int) -> None:
        """Handle that the reader, which is at `at` or later, lost its position: from here on it may skip bytes."""
        self.places = {min(at, *self.places)}
        self.lost = True

    def unit(self, end_at: Callable[[int], int | None], before: int) -> None:
        """Handle a unit that the reader reports; it begins before the offset `before`.

        end_at: returns where the unit that begins at an offset ends; None if the stream does not contain it there.
        """
        starts = range(min(self.places), before + 1) if self.lost else sorted(self.places)
        ends = {end for start in starts if (end := end_at(start)) is not None}
        assert ends, f"a unit is reported that is not in the stream at {starts}"
        self.places = ends
        self.lost = False
        self.n_units += 1

    def rests(self, end: int) -> set[int]:
        """Return how many bytes up to `end` may be neither reported nor skipped: none after a loss, below 0 within a unit."""
        return set() if self.lost else {end - place for place in self.places}
