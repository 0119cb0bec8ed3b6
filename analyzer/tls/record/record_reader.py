"""The TLS record layer of one side of a connection (RFC 9846 section 5, RFC 5246 section 6.2, RFC 6101 section 5.2).

A record is a content type, a version, a length and that many bytes. Records are cut out of the stream wherever segments end.
The bodies of records that nobody reads (ciphertext without keys) are stepped over without a copy. After a gap the next
boundary is known when the missing bytes lie inside one record; otherwise it is searched. SSL 2.0 has headers of its own
(draft-hickman-netscape-ssl-00 section 1.1); a client that offers SSL 3.0 or later with such a hello goes on in records of TLS
(RFC 5246 appendix E.2).
"""

import cython

from analyzer.codec.byte_slices import slice_bytes
from analyzer.tls.record.content_types import (
    ALERT,
    CHANGE_CIPHER_SPEC,
    HANDSHAKE,
    HEADER,
    HEARTBEAT,
    MAX_RECORD,
    SSL2,
    SSL2_CLIENT_HELLO,
)
from analyzer.tls.record.record import LOST, NO_RECORD, Record, RecordSink, gap


def plausible(data: bytes, pos: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.bint:
    """Whether a record of SSL 3.0 to TLS 1.3 may begin at `pos`."""
    if HEADER > end - pos:
        return False
    length: cython.int = data[pos + 3] << 8 | data[pos + 4]
    return CHANGE_CIPHER_SPEC <= data[pos] <= HEARTBEAT and data[pos + 1] == 3 and data[pos + 2] <= 4 and length <= MAX_RECORD


class RecordReader:
    """The records of one role; `feed` takes its stream in order, `gap` hears what is missing from it.

    record: the one that is being read, from its header on. head: bytes of a header that is not whole yet. remaining: bytes of
    the body that are still to come. wanted: whether the sink reads it. first_hole: where the first missing byte of the body
    stands, -1 without one. settled: whether a record that is none of the handshake has come. searching: whether the boundary
    of records is lost. ssl2: whether records have headers of SSL 2.0.
    """

    __slots__ = ("first_hole", "head", "parts", "record", "remaining", "searching", "settled", "sink", "ssl2", "wanted")

    def __init__(self, sink: RecordSink, role: cython.int) -> None:
        self.sink = sink
        self.record = Record(role)
        self.head = b""
        self.remaining = 0
        self.settled = False
        self.wanted = False
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
        record: Record = self.record
        pos: cython.Py_ssize_t = start
        n: cython.Py_ssize_t
        while pos < end:
            if self.remaining > 0:
                n = min(self.remaining, end - pos)
                if self.wanted:
                    if n == record.length:
                        self.remaining = 0
                        record.body = slice_bytes(data, pos, pos + n)
                        self.hand_on(frame, at)
                        pos += n
                        continue
                    self.parts.append(slice_bytes(data, pos, pos + n))
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
                if not self.begin(data, pos, offset + pos - start, frame, at):
                    self.stray(offset + pos - start, frame, at)
                    pos += 1
                    continue
                pos += HEADER
                continue
            self.head += data[pos : pos + 1]
            pos += 1
            if self.ssl2:
                n = len(self.head)
                if not self.begin_ssl2(offset + pos - start - n, frame, at):
                    self.stray(offset + pos - start - n, frame, at)
            elif len(self.head) == HEADER:
                head: bytes = self.head
                self.head = b""
                if not self.begin(head, 0, offset + pos - start - HEADER, frame, at):
                    self.stray(offset + pos - start - HEADER, frame, at)
                    self.head = head[1:]

    def begin(
        self, data: bytes, pos: cython.Py_ssize_t, offset: cython.longlong, frame: cython.longlong, at: cython.longlong
    ) -> cython.bint:
        """Read the header at `pos`, which has position `offset` in the stream; False where none can be."""
        if not plausible(data, pos, pos + HEADER):
            return False
        record: Record = self.record
        record.content_type = data[pos]
        record.version = data[pos + 1] << 8 | data[pos + 2]
        record.header = HEADER
        self.settled = self.settled or record.content_type != HANDSHAKE
        self.open(data[pos + 3] << 8 | data[pos + 4], offset, frame, at)
        return True

    def begin_ssl2(self, offset: cython.longlong, frame: cython.longlong, at: cython.longlong) -> cython.bint:
        """Read a header of two or three bytes once it is whole; False where none can be."""
        head: bytes = self.head
        record: Record = self.record
        n: cython.Py_ssize_t = 2 if head[0] & 0x80 else 3
        if len(head) < n:
            return True
        length: cython.int = (head[0] & (0x7F if n == 2 else 0x3F)) << 8 | head[1]
        self.head = b""
        record.content_type = HANDSHAKE
        record.version = SSL2
        record.header = n
        if length == 0:
            return False
        self.open(length, offset, frame, at)
        return True

    def open(self, length: cython.longlong, offset: cython.longlong, frame: cython.longlong, at: cython.longlong) -> None:
        """Begin a record's body."""
        record: Record = self.record
        record.length = length
        record.offset = offset
        record.missing = 0
        self.remaining = length
        self.first_hole = -1
        self.wanted = self.sink.wants(record.role, record.content_type)
        if length == 0:
            self.complete(frame, at)

    def complete(self, frame: cython.longlong, at: cython.longlong) -> None:
        """Hand on the record whose last byte has come."""
        body: bytes = b""
        if len(self.parts) > 0:
            body = b"".join(self.parts)
            self.parts = []
        if self.wanted and self.record.missing > 0:
            body = body[: self.first_hole]
        self.record.body = body
        self.hand_on(frame, at)

    def hand_on(self, frame: cython.longlong, at: cython.longlong) -> None:
        """Give the sink the record, and let go of its body."""
        record: Record = self.record
        record.frame = frame
        record.at = at
        if self.ssl2:  # who offers more than SSL 2.0 goes on in records of TLS
            body: bytes = record.body
            if len(body) > 0 and body[0] == SSL2_CLIENT_HELLO:
                self.ssl2 = len(body) > 2 and (body[1] << 8 | body[2]) == SSL2
        self.sink.take(record)
        record.body = b""

    def gap(self, offset: cython.longlong, length: cython.longlong, frame: cython.longlong, at: cython.longlong) -> None:
        """Hear that `length` bytes from `offset` on are missing; `frame` is the last one before them."""
        record: Record = self.record
        self.sink.take(gap(record.role, offset, length, frame))
        if self.remaining > 0 and length <= self.remaining:
            self.leave_out(length)
            if self.remaining == 0:
                self.complete(frame, at)
            return
        self.finish(frame, at)
        self.head = b""
        self.searching = not self.ssl2
        self.tell(LOST, offset, "", frame, at)

    def leave_out(self, length: cython.longlong) -> None:
        """Count missing bytes of the body."""
        if self.first_hole < 0:
            self.first_hole = self.record.length - self.remaining
        self.record.missing += length
        self.remaining -= length

    def finish(self, frame: cython.longlong, at: cython.longlong) -> None:
        """Hear that nothing more comes; a record begun is handed on as far as it goes."""
        if self.remaining > 0:
            self.leave_out(self.remaining)
            self.complete(frame, at)

    def stray(self, offset: cython.longlong, frame: cython.longlong, at: cython.longlong) -> None:
        """Leave the path of records and search for it."""
        self.head = b""
        self.searching = True
        self.ssl2 = False
        self.tell(NO_RECORD, offset, "no record begins here", frame, at)
        self.tell(LOST, offset, "", frame, at)

    def tell(
        self, what: cython.int, offset: cython.longlong, problem: str, frame: cython.longlong, at: cython.longlong
    ) -> None:
        """Give the sink what is no record."""
        record: Record = Record(self.record.role)
        record.content_type = what
        record.offset = offset
        record.problem = problem
        record.frame = frame
        record.at = at
        self.sink.take(record)

    def search(self, data: bytes, pos: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Where the next record begins; -1 if nowhere in these bytes.

        Its version must be the one of the records before, or a later one while they were all of the handshake: a ClientHello
        comes in a record of TLS 1.0, whatever it offers (RFC 9846 section 5.1). A second header must follow where it can be
        seen.
        """
        known: cython.int = self.record.version
        version: cython.int
        after: cython.Py_ssize_t
        length: cython.int
        while HEADER <= end - pos:
            version = data[pos + 1] << 8 | data[pos + 2]
            if plausible(data, pos, end) and (known == 0 or version == known or (version > known and not self.settled)):
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
