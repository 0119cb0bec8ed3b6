"""Reads the TLS record layer of one endpoint (RFC 9846 section 5, RFC 5246 section 6.2, RFC 6101 section 5.2).

A record is a content type, a version, a length and that many bytes. Records do not depend on where segments end. Bodies that
are not needed (ciphertext without keys) are skipped without a copy. After a gap the next record boundary is known if all
missing bytes are inside one record; otherwise it is searched. SSL 2.0 has its own headers (draft-hickman-netscape-ssl-00
section 1.1). A client that offers SSL 3.0 or later with such a hello then continues with TLS records (RFC 5246 appendix E.2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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
from analyzer.tls.record.record import BODY, LOST, NO_RECORD, START, START_BYTES, Record, RecordSink, gap

if TYPE_CHECKING:
    import cython

FOUND = 2
"""`RecordReader.doubt` when a search has ended: the header of the record that was found, and the one behind it."""


def plausible(data: bytes, pos: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.bint:
    """Return whether a record of SSL 3.0 to TLS 1.3 can begin at `pos`."""
    if HEADER > end - pos:
        return False
    length: cython.int = data[pos + 3] << 8 | data[pos + 4]
    return CHANGE_CIPHER_SPEC <= data[pos] <= HEARTBEAT and data[pos + 1] == 3 and data[pos + 2] <= 4 and length <= MAX_RECORD


class RecordReader:
    """Reads the records of one role. `feed` takes the stream in order, and `gap` is called for bytes that are missing from it.

    record: the current one, from its header on. head: bytes of an incomplete header. remaining: bytes of the body that are
    still to come. wanted: what the sink reads of it. first_gap: offset of the first missing byte in the body, -1 if there is
    none. latest: time of the last bytes, -1 before them. past_handshake: whether a record other than handshake has come.
    searching: whether the record boundary is lost. doubt: how many headers have to follow before a record that was found by a
    search is known to be one. ssl2: whether records have headers of SSL 2.0.
    """

    __slots__ = (
        "doubt", "first_gap", "head", "latest", "parts", "past_handshake", "record", "remaining", "searching", "sink", "ssl2",
        "wanted",
    )  # fmt: skip

    def __init__(self, sink: RecordSink, role: cython.int) -> None:
        self.sink = sink
        self.record = Record(role)
        self.head = b""
        self.remaining = 0
        self.latest = -1
        self.past_handshake = False
        self.wanted = 0
        self.first_gap = -1
        self.parts: list[bytes] = []
        self.searching = False
        self.doubt = 0
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
        """Take the next bytes of the stream, `data[start:end]`; the first one has position `offset`."""
        record: Record = self.record
        pos: cython.Py_ssize_t = start
        n: cython.Py_ssize_t
        self.latest = at
        while pos < end:
            if self.remaining > 0:
                n = min(self.remaining, end - pos)
                if self.wanted == BODY:
                    if n == record.length:
                        self.remaining = 0
                        record.body = slice_bytes(data, pos, pos + n)
                        self.deliver(frame, at)
                        pos += n
                        continue
                    self.parts.append(slice_bytes(data, pos, pos + n))
                elif self.wanted == START and self.remaining == record.length:
                    self.parts.append(slice_bytes(data, pos, pos + min(n, START_BYTES)))
                pos += n
                self.remaining -= n
                if self.remaining == 0:
                    self.complete(frame, at)
                continue
            if self.searching:
                if len(self.head) > 0:  # the end of the last segment, in which a header may begin
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
                self.doubt = FOUND
            if not self.head and HEADER <= end - pos and not self.ssl2:
                if not self.begin(data, pos, offset + pos - start, frame, at):
                    self.lose_boundary(offset + pos - start, frame, at)
                    pos += 1
                    continue
                pos += HEADER
                continue
            self.head += data[pos : pos + 1]
            pos += 1
            if self.ssl2:
                n = len(self.head)
                if not self.begin_ssl2(offset + pos - start - n, frame, at):
                    self.lose_boundary(offset + pos - start - n, frame, at)
            elif len(self.head) == HEADER:
                head: bytes = self.head
                self.head = b""
                if not self.begin(head, 0, offset + pos - start - HEADER, frame, at):
                    self.lose_boundary(offset + pos - start - HEADER, frame, at)
                    self.head = head[1:]

    def begin(
        self, data: bytes, pos: cython.Py_ssize_t, offset: cython.longlong, frame: cython.longlong, at: cython.longlong
    ) -> cython.bint:
        """Read the header at `pos`, which has position `offset` in the stream. Returns False if there cannot be a header."""
        if not plausible(data, pos, pos + HEADER):
            return False
        record: Record = self.record
        record.content_type = data[pos]
        record.version = data[pos + 1] << 8 | data[pos + 2]
        record.header = HEADER
        if self.doubt > 0:
            self.doubt -= 1
        self.past_handshake = self.past_handshake or record.content_type != HANDSHAKE
        self.open(data[pos + 3] << 8 | data[pos + 4], offset, frame, at)
        return True

    def begin_ssl2(self, offset: cython.longlong, frame: cython.longlong, at: cython.longlong) -> cython.bint:
        """Read a header of two or three bytes when it is complete. Returns False if it is not a header."""
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
        """Begin the body of a record."""
        record: Record = self.record
        record.length = length
        record.offset = offset
        record.missing = 0
        self.remaining = length
        self.first_gap = -1
        self.wanted = self.sink.wants(record.role, record.content_type)
        if length == 0:
            self.complete(frame, at)

    def complete(self, frame: cython.longlong, at: cython.longlong) -> None:
        """Pass on the record whose last byte has come."""
        body: bytes = b""
        if len(self.parts) > 0:
            body = b"".join(self.parts)
            self.parts = []
        if self.wanted == BODY and self.record.missing > 0:
            body = body[: self.first_gap]
        self.record.body = body
        self.deliver(frame, at)

    def deliver(self, frame: cython.longlong, at: cython.longlong) -> None:
        """Pass the record to the sink, and free its body."""
        record: Record = self.record
        record.frame = frame
        record.at = at
        if self.ssl2:  # a client that offers more than SSL 2.0 continues with TLS records
            body: bytes = record.body
            if len(body) > 0 and body[0] == SSL2_CLIENT_HELLO:
                self.ssl2 = len(body) > 2 and (body[1] << 8 | body[2]) == SSL2
        self.sink.take(record)
        record.body = b""

    def gap(self, offset: cython.longlong, length: cython.longlong, frame: cython.longlong, at: cython.longlong) -> None:
        """Note that `length` bytes from `offset` on are missing; `frame` is the last one before them; at: when that was clear.

        What was there before the gap has the time of that frame.
        """
        record: Record = self.record
        at = at if self.latest < 0 else self.latest
        self.sink.take(gap(record.role, offset, length, frame))
        if self.remaining > 0 and length <= self.remaining:
            self.count_missing(length)
            if self.remaining == 0:
                self.complete(frame, at)
            return
        self.finish(frame, at)
        self.head = b""
        self.searching = not self.ssl2
        self.report(LOST, offset, "", frame, at)

    def miss(self, offset: cython.longlong, frame: cython.longlong, at: cython.longlong) -> None:
        """Note that bytes are missing before `offset`, nobody knows how many. frame, at: as in `gap`."""
        record: Record = self.record
        self.sink.take(gap(record.role, offset, 0, frame))
        self.finish(frame, at if self.latest < 0 else self.latest)
        self.head = b""
        self.searching = not self.ssl2
        self.report(LOST, offset, "", frame, at)

    def count_missing(self, length: cython.longlong) -> None:
        """Count missing bytes of the body."""
        if self.first_gap < 0:
            self.first_gap = self.record.length - self.remaining
        self.record.missing += length
        self.remaining -= length

    def finish(self, frame: cython.longlong, at: cython.longlong) -> None:
        """Note that the stream has ended. The available part of an incomplete record is passed on."""
        if self.remaining > 0:
            self.count_missing(self.remaining)
            self.complete(frame, at)

    def lose_boundary(self, offset: cython.longlong, frame: cython.longlong, at: cython.longlong) -> None:
        """Report that no record begins here, and search for the next one.

        If the record before was found by a search, it was no record: then only the search goes on.
        """
        self.head = b""
        self.searching = True
        self.ssl2 = False
        if self.doubt == 0:
            self.report(NO_RECORD, offset, "no record begins here", frame, at)
        self.report(LOST, offset, "", frame, at)

    def report(
        self, what: cython.int, offset: cython.longlong, problem: str, frame: cython.longlong, at: cython.longlong
    ) -> None:
        """Pass a notice to the sink."""
        record: Record = Record(self.record.role)
        record.content_type = what
        record.offset = offset
        record.problem = problem
        record.frame = frame
        record.at = at
        self.sink.take(record)

    def search(self, data: bytes, pos: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Return where the next record begins; -1 if nowhere in these bytes.

        Its version must be the version of the records before. It can also be a later one if all of them were handshake records,
        because a ClientHello comes in a record of TLS 1.0, whatever it offers (RFC 9846 section 5.1). If the bytes after the
        record are available, they must be another header.
        """
        known: cython.int = self.record.version
        version: cython.int
        after: cython.Py_ssize_t
        length: cython.int
        while HEADER <= end - pos:
            version = data[pos + 1] << 8 | data[pos + 2]
            if plausible(data, pos, end) and (known == 0 or version == known or (version > known and not self.past_handshake)):
                length = data[pos + 3] << 8 | data[pos + 4]
                after = pos + HEADER + length
                if is_fit(data[pos], length) and (HEADER > end - after or plausible(data, after, end)):
                    return pos
            pos += 1
        return -1


def is_fit(content_type: cython.int, length: cython.int) -> cython.bint:
    """Return whether a record of that type can have this length.

    A ChangeCipherSpec has one byte, and an unencrypted alert has two.
    """
    if content_type == CHANGE_CIPHER_SPEC:
        return length == 1
    if content_type == ALERT:
        return length == 2 or 16 < length < 256
    return length > 3
