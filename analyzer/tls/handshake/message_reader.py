"""Reads handshake messages from the bodies of records (RFC 9846 section 5.1, RFC 5246 section 6.2.1).

A record can have several messages, and a message can be in several records. The bodies of a role's handshake records together
are a stream of messages, each of which begins with its type and length. If a record is incomplete, the available part of its
message is passed on, and what the capture lacks is skipped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.codec.byte_slices import slice_bytes
from analyzer.tls.limits import MAX_HANDSHAKE, MAX_PIECES
from analyzer.tls.messages.numbers import HEADER

if TYPE_CHECKING:
    import cython

# In the compiled build this is a C variable, which other modules cannot see.
_HEADER = HEADER


class MessageReader:
    """The handshake stream of one role. `feed` takes the body of a record, `advance` finds the messages that are then complete.

    raw, length: the message that `advance` or `cut_short` has found: the available bytes, and the declared length, both with
    the header. buffer: the beginning of an incomplete message. need: how many bytes of it are needed to continue. skip: bytes
    of the stream that belong to a message that was given up. problem: why the reading of this record ended early. tracking:
    whether `pieces` are kept: the position of the bytes of `data` in the role's stream, as (offset, length). piece: index of
    the first piece that the next message can be in; this piece begins at `piece_at` of `data`.
    """

    __slots__ = ("buffer", "data", "length", "need", "piece", "piece_at", "pieces", "pos", "problem", "raw", "skip", "tracking")

    def __init__(self, tracking: cython.bint) -> None:
        self.buffer = bytearray()
        self.data = b""
        self.pos = 0
        self.need = 0
        self.skip = 0
        self.raw = b""
        self.length = 0
        self.problem = ""
        self.tracking = tracking
        self.pieces: list[tuple[int, int]] = []
        self.piece = 0
        self.piece_at = 0

    def feed(self, body: bytes, whole: cython.bint, offset: cython.longlong) -> None:
        """Take the next bytes; `whole` is False if more bytes of the record's body are missing after them.

        offset: position of the body in the role's stream, -1 if it has none, because it was decrypted.
        """
        self.pos = 0
        self.problem = ""
        if self.skip > 0:
            self.pos = min(self.skip, len(body))
            self.skip -= self.pos
        if self.tracking and len(body) > 0:
            self.add_piece(offset, len(body))
        if len(self.buffer) > 0:
            self.buffer += body
            if len(self.buffer) < self.need and whole:
                self.data = b""
                self.pos = 0
                return  # wait until the message is complete
            self.data = bytes(self.buffer)
            self.buffer.clear()
        else:
            self.data = body

    def advance(self) -> cython.bint:
        """Find the next complete message. Returns False if there is none, and keeps the rest for the next record."""
        data: bytes = self.data
        pos: cython.Py_ssize_t = self.pos
        end: cython.Py_ssize_t = len(data)
        if _HEADER <= end - pos:
            self.length = 4 + (data[pos + 1] << 16 | data[pos + 2] << 8 | data[pos + 3])
            if self.length > MAX_HANDSHAKE:
                self.problem = f"a handshake message of {self.length} bytes is more than the limit of {MAX_HANDSHAKE}"
                self.skip = self.length - (end - pos)
                pos = end
            elif self.length > end - pos:
                self.need = self.length
            else:
                self.raw = slice_bytes(data, pos, pos + self.length)
                self.pos = pos + self.length
                return True
        if pos < end:
            self.buffer += data[pos:end]
            if end - pos < _HEADER:
                self.need = 4
        self.data = b""
        self.pos = 0
        if self.tracking and end > len(self.buffer):
            self.drop_pieces(end - len(self.buffer))
        return False

    def cut_short(self) -> cython.bint:
        """Find the truncated message. Returns False if there is none, or if even its header is incomplete."""
        n_bytes: cython.Py_ssize_t = len(self.buffer)
        if n_bytes == 0:
            return False
        data = bytes(self.buffer)
        self.buffer.clear()
        if n_bytes < _HEADER:
            self.pieces = []
            return False
        self.raw = data
        self.pos = n_bytes
        self.length = 4 + (data[1] << 16 | data[2] << 8 | data[3])
        return True

    def is_inside(self) -> cython.bint:
        """Return whether the stream stands inside a message whose end has not come."""
        return len(self.buffer) > 0 or self.skip > 0

    def lose(self) -> None:
        """Note that an unknown number of bytes is missing from the stream."""
        self.skip = 0

    def places(self) -> tuple[tuple[int, int], ...]:
        """Return the positions in the role's stream of the message that was found last; empty if they are not known.

        It is called for each message in turn, so pieces before the message are not searched again.
        """
        start: cython.Py_ssize_t = self.pos - len(self.raw)
        stop: cython.Py_ssize_t = self.pos
        while self.piece < len(self.pieces) and self.piece_at + self.pieces[self.piece][1] <= start:
            self.piece_at += self.pieces[self.piece][1]
            self.piece += 1
        at: cython.Py_ssize_t = self.piece_at
        number: cython.Py_ssize_t = self.piece
        found = []
        while number < len(self.pieces) and at < stop:
            offset, n_bytes = self.pieces[number]
            first: cython.Py_ssize_t = max(start, at)
            last: cython.Py_ssize_t = min(stop, at + n_bytes)
            if offset < 0:
                return ()
            found.append((offset + first - at, last - first))
            at += n_bytes
            number += 1
        return tuple(found)

    def add_piece(self, offset: cython.longlong, n_bytes: cython.Py_ssize_t) -> None:
        """Note the position of bytes that follow the buffer. If a message has very many pieces, its position is dropped."""
        n_pending: cython.Py_ssize_t = len(self.buffer)
        if n_pending == 0:
            self.pieces = []
        self.piece = 0
        self.piece_at = 0
        if n_pending > 0 and (len(self.pieces) >= MAX_PIECES or (offset < 0 and self.pieces[len(self.pieces) - 1][0] < 0)):
            self.pieces = [(-1, n_pending + n_bytes)]
        else:
            self.pieces.append((offset, n_bytes))

    def drop_pieces(self, n_bytes: cython.Py_ssize_t) -> None:
        """Forget the positions of the first bytes, which were passed on."""
        kept = []
        for offset, length in self.pieces:
            gone: cython.Py_ssize_t = min(n_bytes, length)
            n_bytes -= gone
            if gone < length:
                kept.append((offset + gone if offset >= 0 else offset, length - gone))
        self.pieces = kept
        self.piece = 0
        self.piece_at = 0
