"""Remembers which record numbers of an epoch came, as receivers do (RFC 9147 section 4.5.1, RFC 6347 section 4.1.2.6).

A window ends with the highest number. What lies before it is not known: such a record counts as new, because one datagram with
a high number, which anybody can send, must not hide all others.

Of records that nobody opens the contents count too: a role sends a number once, and what comes again is the same on the path.
"""

from array import array
from zlib import crc32

WIDTH = 1024
"""Numbers that are remembered. Receivers keep 32 to 64; on the path, datagrams are seldom further apart."""

_ALL = (1 << WIDTH) - 1


class ReplayWindow:
    """The numbers of one role and epoch. highest: of them, -1 before the first. bits: bit n for the number `highest` - n.

    sums: checksums of contents, by number modulo WIDTH; as long as the highest of these needs, None before the first.
    """

    __slots__ = ("bits", "highest", "sums")

    def __init__(self) -> None:
        self.highest = -1
        self.bits = 0
        self.sums: array[int] | None = None

    @property
    def is_whole(self) -> bool:
        """Whether all numbers came between the lowest and the highest that are remembered."""
        return self.bits & (self.bits + 1) == 0

    def has(self, number: int) -> bool:
        """Return whether a number came, as far as it is remembered."""
        behind = self.highest - number
        return 0 <= behind < WIDTH and bool(self.bits >> behind & 1)

    def add(self, number: int) -> None:
        """Note that a number came."""
        ahead = number - self.highest
        if ahead > 0:
            self.bits = 1 if ahead >= WIDTH or self.highest < 0 else (self.bits << ahead | 1) & _ALL
            self.highest = number
        elif -ahead < WIDTH:
            self.bits |= 1 << -ahead

    def differs(self, number: int, content: bytes) -> bool:
        """Return whether a record of a role has another content than the one with this number before it; note its own."""
        place, checksum = number % WIDTH, crc32(content)
        if self.sums is None:
            self.sums = array("I")
        if len(self.sums) <= place:
            self.sums.extend([0] * (place + 1 - len(self.sums)))
        before, self.sums[place] = self.sums[place], checksum
        return before != checksum
