"""The TLS record layer of one side of a connection (RFC 9846 section 5, RFC 5246 section 6.2, RFC 6101 section 5.2).

A record is a content type, a version, a length and that many bytes. Records are cut out of the stream wherever segments end.
The bodies of records that nobody reads (ciphertext without keys) are stepped over without a copy. After a gap the next
boundary is known when the missing bytes lie inside one record; otherwise it is searched. SSL 2.0 has headers of its own
(draft-hickman-netscape-ssl-00 section 1.1). This module is compiled (see setup.cfg) and runs the same uncompiled.
"""

import cython

from analyzer.codec.cut import cut
from analyzer.tls.content_types import ALERT, CHANGE_CIPHER_SPEC, HANDSHAKE, HEADER, HEARTBEAT, MAX_RECORD


class RecordSink:
    """Who takes the records of one connection: see `session.Session`."""

    __slots__ = ()

    def wants(self, side: cython.int, content_type: cython.int) -> cython.bint:
        """Whether the body of the record that begins now will be read."""
        return True

    def record(
        self,
        side: cython.int,
        content_type: cython.int,
        version: cython.int,
        body: bytes,
        length: cython.longlong,
        missing: cython.longlong,
        frame: cython.longlong,
        at: cython.longlong,
    ) -> None:
        """Take a whole record; `body` is empty when it is not wanted.

        missing: how many of its bytes the capture lacks; 0 bytes stand in their place from the first hole on.
        """

    def violation(self, side: cython.int, offset: cython.longlong, why: str, frame: cython.longlong) -> None:
        """Hear that the stream holds no record where one should begin."""

    def lost(self, side: cython.int, frame: cython.longlong, at: cython.longlong) -> None:
        """Hear that records are missing and nobody knows how many."""


def plausible(data: bytes, pos: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.bint:
    """Whether a record of SSL 3.0 to TLS 1.3 may begin at `pos`."""
    if HEADER > end - pos:
        return False
    length: cython.int = data[pos + 3] << 8 | data[pos + 4]
    return CHANGE_CIPHER_SPEC <= data[pos] <= HEARTBEAT and data[pos + 1] == 3 and data[pos + 2] <= 4 and length <= MAX_RECORD


class RecordReader:
    """One side's records; `feed` takes the stream in order, `gap` hears what is missing from it."""

    __slots__ = (
        "content_type", "first_hole", "head", "length", "missing", "parts", "remaining", "searching", "settled", "side", "sink",
        "ssl2", "version", "wanted",
    )  # fmt: skip

    def __init__(self, sink: RecordSink, side: cython.int) -> None:
        self.sink = sink
        self.side = side
        self.head = b""
        self.remaining = 0
        self.length = 0
        self.content_type = 0
        self.version = 0
        self.settled = False
        self.wanted = False
        self.missing = 0
        self.first_hole = -1
        self.parts: list[bytes] = []
        self.searching = False
        self.ssl2 = False

    def feed(
        self,
        data: bytes,
        start: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
        offset: cython.longlong,
        frame: cython.longlong,
        at: cython.longlong,
    ) -> None:
        """Take the next bytes of the stream, `data[start:end]`, whose first has position `offset`."""
        pos: cython.Py_ssize_t = start
        n: cython.Py_ssize_t
        while pos < end:
            if self.remaining > 0:
                n = min(self.remaining, end - pos)
                if self.wanted:
                    if n == self.length:
                        self.remaining = 0
                        self.sink.record(self.side, self.content_type, self.version, cut(data, pos, pos + n), n, 0, frame, at)
                        pos += n
                        continue
                    self.parts.append(cut(data, pos, pos + n))
                pos += n
                self.remaining -= n
                if self.remaining == 0:
                    self.complete(frame, at)
                continue
            if self.searching:
                if len(self.head) > 0:  # the end of the last segment: a header may begin in it
                    data = self.head + data[pos:end]
                    offset += pos - start - len(self.head)
                    self.head = b""
                    start = 0
                    end = len(data)
                    pos = 0
                n = self.search(data, pos, end)
                if n < 0:
                    self.head = data[max(pos, end - HEADER + 1) : end]
                    return
                pos = n
                self.searching = False
            if not self.head and HEADER <= end - pos and not self.ssl2:
                if not self.begin(data, pos, frame, at):
                    self.astray(offset + pos - start, frame, at)
                    pos += 1
                    continue
                pos += HEADER
                continue
            self.head += data[pos : pos + 1]
            pos += 1
            if self.ssl2:
                if not self.begin_ssl2(frame, at):
                    self.astray(offset + pos - start - len(self.head), frame, at)
            elif len(self.head) == HEADER:
                head: bytes = self.head
                self.head = b""
                if not self.begin(head, 0, frame, at):
                    self.astray(offset + pos - start - HEADER, frame, at)
                    self.head = head[1:]

    def begin(self, data: bytes, pos: cython.Py_ssize_t, frame: cython.longlong, at: cython.longlong) -> cython.bint:
        """Read a header; False where none can be."""
        if not plausible(data, pos, pos + HEADER):
            return False
        self.content_type = data[pos]
        self.version = data[pos + 1] << 8 | data[pos + 2]
        self.settled = self.settled or self.content_type != HANDSHAKE
        self.open(data[pos + 3] << 8 | data[pos + 4], frame, at)
        return True

    def begin_ssl2(self, frame: cython.longlong, at: cython.longlong) -> cython.bint:
        """Read a header of two or three bytes once it is whole; False where none can be."""
        head: bytes = self.head
        n: cython.Py_ssize_t = 2 if head[0] & 0x80 else 3
        if len(head) < n:
            return True
        length: cython.int = (head[0] & (0x7F if n == 2 else 0x3F)) << 8 | head[1]
        self.head = b""
        self.content_type = HANDSHAKE
        self.version = 2
        if length == 0:
            return False
        self.open(length, frame, at)
        return True

    def open(self, length: cython.longlong, frame: cython.longlong, at: cython.longlong) -> None:
        """Begin a record's body."""
        self.length = length
        self.remaining = length
        self.missing = 0
        self.first_hole = -1
        self.wanted = self.sink.wants(self.side, self.content_type)
        if length == 0:
            self.complete(frame, at)

    def complete(self, frame: cython.longlong, at: cython.longlong) -> None:
        """Hand on the record whose last byte has come."""
        body: bytes = b""
        if len(self.parts) > 0:
            body = b"".join(self.parts)
            self.parts = []
        if self.wanted and self.missing > 0:
            body = body[: self.first_hole]
        self.sink.record(self.side, self.content_type, self.version, body, self.length, self.missing, frame, at)

    def gap(self, length: cython.longlong, frame: cython.longlong, at: cython.longlong) -> None:
        """Hear that `length` bytes are missing here."""
        if self.remaining > 0 and length <= self.remaining:
            if self.first_hole < 0:
                self.first_hole = self.length - self.remaining
            self.missing += length
            self.remaining -= length
            if self.remaining == 0:
                self.complete(frame, at)
            return
        if self.remaining > 0:
            if self.first_hole < 0:
                self.first_hole = self.length - self.remaining
            self.missing += self.remaining
            self.remaining = 0
            self.complete(frame, at)
        self.head = b""
        self.searching = not self.ssl2
        self.sink.lost(self.side, frame, at)

    def finish(self, frame: cython.longlong, at: cython.longlong) -> None:
        """Hear that nothing more comes; a record begun is handed on as far as it goes."""
        if self.remaining > 0:
            if self.first_hole < 0:
                self.first_hole = self.length - self.remaining
            self.missing += self.remaining
            self.remaining = 0
            self.complete(frame, at)

    def astray(self, offset: cython.longlong, frame: cython.longlong, at: cython.longlong) -> None:
        """Leave the path of records and search for it."""
        self.head = b""
        self.searching = True
        self.ssl2 = False
        self.sink.violation(self.side, offset, "no record begins here", frame)
        self.sink.lost(self.side, frame, at)

    def search(self, data: bytes, pos: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Where the next record begins; -1 if nowhere in these bytes.

        Its version must be the one of the records before, or a later one while they were all of the handshake: a ClientHello
        comes in a record of TLS 1.0, whatever it offers (RFC 9846 section 5.1). A second header must follow where it can be
        seen.
        """
        version: cython.int
        after: cython.Py_ssize_t
        length: cython.int
        while HEADER <= end - pos:
            version = data[pos + 1] << 8 | data[pos + 2]
            if plausible(data, pos, end) and (
                self.version == 0 or version == self.version or (version > self.version and not self.settled)
            ):
                length = data[pos + 3] << 8 | data[pos + 4]
                after = pos + HEADER + length
                if is_fit(data[pos], length) and (HEADER > end - after or plausible(data, after, end)):
                    return pos
            pos += 1
        return -1


def is_fit(content_type: cython.int, length: cython.int) -> cython.bint:
    """Whether a record of that type has a length that occurs: a ChangeCipherSpec has one byte, a plain alert two."""
    if content_type == CHANGE_CIPHER_SPEC:
        return length == 1
    if content_type == ALERT:
        return length == 2 or 16 < length < 256
    return length > 3
