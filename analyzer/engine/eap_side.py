"""Counts the packets of one side of an EAP conversation, and finds out which of them the capture lacks.

A server increments the identifier with each request, and a response repeats it (RFC 3748 section 4.1, RFC 5216 section 2.1.5).
So the packets of each side are numbered. An identifier that is missing stands for a packet that is not in the capture, unless
numbers run backwards. What was in it is known only if it was an acknowledgement: the packet of the other side to which it
belongs has announced more.
"""

from collections.abc import Iterable
from typing import Final

NO_NUMBER: Final = -1

_NUMBERS: Final = 256
_LENGTH_FIELD: Final = 4
_FARTHEST: Final = 64
"""Numbers that are believed to be missing in a row. More of them are numbers that do not count, or of another conversation."""

_STEPS: Final = 3
"""Identifiers in a row that show that a side counts."""


class EapSide:
    """What one side sends. last: the identifier of its last packet, NO_NUMBER before one. offset: its TLS bytes so far.

    total: length of its flight, -1 if unknown; got: how much of it came; size: of its last fragment; says_length: whether that
    says the length of the flight, which takes room; more: whether more fragments of it must come. n_before: bytes of packets
    that are no TLS, before the session; n_steps: how often the next packet had the next identifier. random: of its last hello.
    """

    __slots__ = (
        "_missed",
        "_owed",
        "got",
        "last",
        "more",
        "n_before",
        "n_steps",
        "offset",
        "random",
        "says_length",
        "size",
        "total",
    )

    def __init__(self) -> None:
        self.last = NO_NUMBER
        self.offset = 0
        self.total = -1
        self.got = 0
        self.size = 0
        self.says_length = False
        self.more = False
        self.n_before = self.n_steps = 0
        self.random = b""
        self._owed: set[int] = set()
        self._missed: set[int] = set()

    def owe(self, identifier: int) -> None:
        """Note that the packet with an identifier only acknowledges a fragment."""
        self._owed.add(identifier % _NUMBERS)

    def distance(self, identifier: int) -> int:
        """Return how many packets behind the last one that with an identifier is, modulo 256; 1 where there is no last one."""
        return 1 if self.last == NO_NUMBER else (identifier - self.last) % _NUMBERS

    def jumps(self, identifier: int) -> bool:
        """Return whether a number is far from the last one, both ways, although all went up by one for a while."""
        return self.n_steps >= _STEPS and _FARTHEST < self.distance(identifier) < _NUMBERS - _FARTHEST

    def lacks(self, identifier: int) -> list[int]:
        """Return the identifiers of packets that may have content and are missing before the one with this identifier."""
        distance = self.distance(identifier)
        if distance > _FARTHEST:
            return []
        numbers = ((self.last + step) % _NUMBERS for step in range(1, distance))
        return [number for number in numbers if number not in self._owed]

    def go_on(self, identifier: int, lost: Iterable[int] = ()) -> None:
        """Note that the packet with an identifier has come. lost: the identifiers that are missing before it."""
        self.n_steps += self.distance(identifier) == 1 and self.last != NO_NUMBER
        self.last = identifier
        self._owed.clear()
        self._missed.update(lost)
        self._missed.discard(identifier)

    def is_late(self, identifier: int) -> bool:
        """Return whether a packet was missing already, and comes behind later ones: then its place is gone."""
        behind = _NUMBERS - self.distance(identifier)
        late = identifier in self._missed and 0 < behind <= _FARTHEST
        self._missed.discard(identifier)
        return late

    def lost_size(self, n_lost: int, n_bytes: int, more: bool) -> int:
        """Return how long each of n_lost fragments was that are missing before one of n_bytes; -1 if that is not known.

        more: whether that one is not the last of its flight. The packets of all but the last are equally long, or their TLS
        bytes are: some leave room in the first for the length of the flight. If no size fits, more is missing than fragments.
        """
        for size in (self.size, self.size + _LENGTH_FIELD) if self.says_length else (self.size,):
            end = self.got + n_lost * size + n_bytes
            if (end < self.total and size == n_bytes) if more and n_lost else (end < self.total if more else end == self.total):
                return size
        return -1

    def begin_flight(self, total: int) -> None:
        """Begin a flight of that length, -1 if it is unknown."""
        self.total, self.got, self.more = total, 0, False
