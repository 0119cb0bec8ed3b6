"""Puts the bytes of a QUIC stream, or of the CRYPTO frames of a level, in order (RFC 9000 sections 2.2 and 7.5).

Frames come in any order, more than once, and overlap. Bytes that an endpoint has sent at an offset never change, so the first
ones count. Both the bytes that wait behind a hole and their pieces are limited; the reader then gives up the hole.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import cython

MAX_WAITING = 1 << 20
"""Bytes of one stream that wait behind a hole, where the receiver does not allow more. It lets a sender go on for a round trip;
then the sender fills the hole."""

LARGEST_WAITING = 16 << 20
"""The same where the receiver allows more: the flow control of a path of 1 Gbit/s with a round trip of 0.1 s."""

MAX_PIECES = 16384
"""Pieces of one stream that wait behind holes: LARGEST_WAITING in packets of 1,024 bytes."""


class Reassembly:
    """One direction of a stream.

    next: the offset of the first byte that did not come. waiting: bytes behind it; limit: how many of them are kept. end: the
    length of the stream, -1 before it is known.
    """

    __slots__ = ("_offsets", "_pieces", "end", "limit", "next", "waiting")

    def __init__(self) -> None:
        self.next = 0
        self.waiting = 0
        self.limit = MAX_WAITING
        self.end = -1
        self._offsets: list[int] = []
        self._pieces: list[bytes] = []

    def feed(self, offset: cython.longlong, data: bytes) -> bytes:
        """Take bytes, and return those that are now in order; empty if they wait."""
        length: cython.Py_ssize_t = len(data)
        if offset == self.next and len(self._offsets) == 0:  # nearly always
            self.next += length
            return data
        if offset <= self.next:
            if offset + length <= self.next:
                return b""
            data = data[self.next - offset :]
            self.next = offset + length
            if len(self._offsets) == 0:
                return data
            return data + self._following()
        if length > 0:
            self._keep(offset, data)
        return b""

    def allow(self, maximum: cython.longlong) -> None:
        """Let so much wait as the receiver allows. maximum: the offset up to which it does, from its flow control."""
        self.limit = max(self.limit, min(maximum - self.next, LARGEST_WAITING))

    def pieces(self) -> list[tuple[int, bytes]]:
        """Return what waits, with its offsets."""
        return list(zip(self._offsets, self._pieces, strict=True))

    def reset(self) -> None:
        """Begin again at the offset 0."""
        self.next = self.waiting = 0
        self.end = -1
        self._offsets, self._pieces = [], []

    @property
    def overflows(self) -> bool:
        """Whether more waits behind a hole than the limits allow."""
        return self.waiting > self.limit or len(self._offsets) > MAX_PIECES

    def skip(self) -> tuple[int, bytes]:
        """Give up the first hole. Return its length, and the bytes behind it; 0 and nothing if there is no hole."""
        if len(self._offsets) == 0:
            return 0, b""
        length: cython.longlong = self._offsets[0] - self.next
        self.next = self._offsets[0]
        return length, self._following()

    def _keep(self, offset: cython.longlong, data: bytes) -> None:
        place: cython.Py_ssize_t = bisect_left(self._offsets, offset)
        if place < len(self._offsets) and self._offsets[place] == offset and len(self._pieces[place]) >= len(data):
            return
        self._offsets.insert(place, offset)
        self._pieces.insert(place, data)
        self.waiting += len(data)

    def _following(self) -> bytes:
        """Return the bytes that now follow in order, and forget them."""
        found: list[bytes] = []
        used: cython.Py_ssize_t = 0
        while used < len(self._offsets) and self._offsets[used] <= self.next:
            offset: cython.longlong = self._offsets[used]
            piece: bytes = self._pieces[used]
            used += 1
            self.waiting -= len(piece)
            if offset + len(piece) > self.next:
                found.append(piece[self.next - offset :])
                self.next = offset + len(piece)
        del self._offsets[:used]
        del self._pieces[:used]
        return b"".join(found)
