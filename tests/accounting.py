"""Bytes in are bytes reported and bytes skipped: where in a stream what a reader reported can lie.

A reader of a stream reports units (records, frames) one after the other. While it says nothing else, each begins where the one
before ended; only after it has said that it lost its place may it skip, and never go back. A unit has to be what the stream
holds at its place, so that none is made up, told twice or left out. After a loss the place is not told: all places at which the
unit fits are followed, and one must lead to the end.
"""

from collections.abc import Callable


class Account:
    """The places at which the next unit of a stream may begin."""

    def __init__(self, start: int = 0) -> None:
        self.places = {start}
        self.lost = False
        self.n_units = 0

    def lose(self, at: int) -> None:
        """The reader, which has come to `at` or beyond, says that it lost its place: from here on it may skip."""
        self.places = {min(at, *self.places)}
        self.lost = True

    def unit(self, end_at: Callable[[int], int | None], before: int) -> None:
        """The reader reports a unit that begins before the offset `before`.

        end_at: where the unit ends that begins at an offset; None where the stream does not hold it there.
        """
        starts = range(min(self.places), before + 1) if self.lost else sorted(self.places)
        ends = {end for start in starts if (end := end_at(start)) is not None}
        assert ends, f"a unit is reported that is not in the stream at {starts}"
        self.places = ends
        self.lost = False
        self.n_units += 1

    def rests(self, end: int) -> set[int]:
        """How many bytes up to `end` may be neither reported nor skipped: none after a loss, below 0 within a unit."""
        return set() if self.lost else {end - place for place in self.places}
