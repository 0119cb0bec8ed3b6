"""Handshake messages out of the bodies of records (RFC 9846 section 5.1, RFC 5246 section 6.2.1).

A record may hold several messages, and a message may span records: together the bodies of a role's handshake records are a
stream of messages, each with its type and length in front. Where a record is incomplete, the message in it is handed on as far
as it goes, and what the capture lacks is skipped.
"""

import cython

from analyzer.codec.byte_slices import slice_bytes
from analyzer.tls.limits import MAX_HANDSHAKE, MAX_PIECES
from analyzer.tls.messages.numbers import HEADER

# Once compiled a C variable, which no other module sees.
_HEADER = HEADER


class MessageReader:
    """One role's handshake stream: `feed` takes a record's body, `advance` gives the messages that are whole with it.

    raw, length: the message that `advance` or `cut_short` has found: the bytes there are, and how many it declares, both with
    the header. buffer: the beginning of a message that goes on. need: how many bytes of it are needed to go on with it. skip:
    bytes of the stream that belong to a message that was given up. problem: what ended the reading of this record early.
    tracking: whether `pieces` are kept: where the bytes of `data` stand in the role's stream, as offset and length. piece: the
    first of them that a coming message may stand in, which begins at `piece_at` of `data`.
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
        """Take the next bytes; not `whole` where more of the record's body is missing behind them.

        offset: position of the body in the role's stream, -1 where it has none, as of what was decrypted.
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
                return  # a message that spans records is looked at again when it is whole
            self.data = bytes(self.buffer)
            self.buffer.clear()
        else:
            self.data = body

    def advance(self) -> cython.bint:
        """Find the next whole message; False when there is none, and what is left is kept for the next record."""
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
        """Find the message whose end is missing; False without one, or where not even its header is there."""
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

    def lose(self) -> None:
        """Hear that the stream goes on nobody knows where."""
        self.skip = 0

    def places(self) -> tuple[tuple[int, int], ...]:
        """Where the bytes of the message found last stand in the role's stream; empty where that is not known.

        Called for each message in turn, so what stands before it is not looked at again.
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
        """Note where the bytes stand that come behind the buffer; of a message in very many pieces that is forgotten."""
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
        """Forget where the first bytes stood: they have been handed on."""
        kept = []
        for offset, length in self.pieces:
            gone: cython.Py_ssize_t = min(n_bytes, length)
            n_bytes -= gone
            if gone < length:
                kept.append((offset + gone if offset >= 0 else offset, length - gone))
        self.pieces = kept
        self.piece = 0
        self.piece_at = 0
