"""Counts the packets of one side of an EAP conversation, and finds out which of them the capture lacks.

A server increments the identifier with each request, and a response repeats it (RFC 3748 section 4.1, RFC 5216 section 2.1.5).
So the packets of each side are numbered. An identifier that is missing stands for a packet that is not in the capture, unless
numbers run backwards. What was in it is known only if it was an acknowledgement: the packet of the other side to which it
belongs has announced more.
"""

from typing import Final

NO_NUMBER: Final = -1

AFTER_FLIGHT, AT_ONCE = 1, 2
"""When the plaintext of a side ends."""

_NUMBERS: Final = 256
_LENGTH_FIELD: Final = 4
_FARTHEST: Final = 64
"""Numbers that are believed to be missing in a row. More of them are numbers that do not count, or of another conversation."""

MOST_MISSING: Final = 8
"""Numbers that a capture lacks in a row of one conversation, at most. A whole conversation has ten or twenty."""

_STEPS: Final = 3
"""Identifiers in a row that show that a side counts."""


class EapSide:
    """What one side sends. last: the identifier of its last packet, NO_NUMBER before one. offset: its TLS bytes so far.

    total: length of its flight, -1 if unknown; got: how much of it came; size: of its last fragment; says_length: whether that
    says the length of the flight, which takes room; more: whether more fragments of it must come. n_before: bytes of packets
    that are no TLS, before the session. random: of its last hello. sealed: AFTER_FLIGHT if no plaintext of it can
    follow behind its flight, AT_ONCE if none can follow at all; else 0. lossy: whether nobody knows how much of it is missing.
    """

    __slots__ = (
        "_missed", "_n_leaps", "_n_numbers", "_n_steps", "_owed", "got", "last", "lossy", "more", "n_before", "offset",
        "random", "says_length", "sealed", "size", "total",
    )  # fmt: skip

    def __init__(self) -> None:
        self.last = NO_NUMBER
        self.offset = 0
        self.total = -1
        self.got = 0
        self.size = 0
        self.says_length = False
        self.lossy = False
        self.more = False
        self.n_before = 0
        self.random = b""
        self.sealed = 0
        self._n_steps = self._n_leaps = self._n_numbers = 0
        self._owed: set[int] = set()
        self._missed: set[int] = set()

    def ends_plaintext(self) -> bool:
        """Return whether plaintext that comes now is of another session."""
        return self.sealed == AT_ONCE or (self.sealed == AFTER_FLIGHT and not self.more)

    def owe(self, identifier: int) -> None:
        """Note that the packet with an identifier only acknowledges a fragment."""
        self._owed.add(identifier % _NUMBERS)

    def distance(self, identifier: int) -> int:
        """Return how many packets behind the last one that with an identifier is, modulo 256; 1 where there is no last one."""
        return 1 if self.last == NO_NUMBER else (identifier - self.last) % _NUMBERS

    def counts(self) -> bool:
        """Return whether numbers went up by one for a while, or always so far."""
        return self._n_steps >= _STEPS or (self._n_steps > 0 and self._n_leaps == 0)

    def is_far(self, identifier: int) -> bool:
        """Return whether more numbers would be missing before one than a capture lacks in a row, and it is no earlier one."""
        return MOST_MISSING < self.distance(identifier) - 1 < _NUMBERS - _FARTHEST

    def goes_back(self, identifier: int, begun: bool) -> bool:
        """Return whether a number was used already, or is so long before the first one that no packet can be so late.

        Packets that come again, and those that were missing, are not asked about. begun: whether the first one is known to be
        that of a conversation.
        """
        behind = (self.last - identifier) % _NUMBERS if self.last != NO_NUMBER else 0
        return 0 < behind <= _FARTHEST and (
            behind < self._n_numbers or behind > self._n_numbers + (0 if begun else MOST_MISSING)
        )

    def lacks(self, identifier: int) -> list[int]:
        """Return the identifiers of packets that may have content and are missing before the one with this identifier."""
        distance = self.distance(identifier)
        if distance > _FARTHEST:
            return []
        numbers = ((self.last + step) % _NUMBERS for step in range(1, distance))
        return [number for number in numbers if number not in self._owed]

    def go_on(self, identifier: int) -> None:
        """Note that the packet with an identifier has come. Those before it can still come, too late."""
        distance = self.distance(identifier)
        if self.last == NO_NUMBER:
            self._n_numbers = 1
        elif distance:
            self._n_steps += distance == 1
            self._n_leaps += distance != 1
            if distance <= _FARTHEST:
                self._n_numbers += distance
                self._missed.update((self.last + step) % _NUMBERS for step in range(1, distance))
        self.last = identifier
        self._owed.clear()
        self._missed.discard(identifier)

    def pass_over(self, identifier: int) -> None:
        """Note that the packet with an identifier must have been sent, as the other side goes on behind it."""
        if identifier != self.last:
            self.go_on(identifier)
            self._missed.add(identifier)

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
