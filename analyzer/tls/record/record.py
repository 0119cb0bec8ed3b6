"""What crosses from a transport to a session: one record, or one thing that the transport lacks.

TLS over TCP cuts records out of a byte stream, DTLS out of datagrams, QUIC carries handshake bytes in frames: all of them hand
on `Record` objects, and the session knows nothing else of them. A gap is a record too, so that whoever keeps records in order
keeps gaps in their places.
"""

import cython

GAP, LOST, NO_RECORD, CONFLICT = -1, -2, -3, -4
"""Content types of what is no record.

GAP: `length` bytes from `offset` on are not in the capture, behind `frame`. LOST: records are missing here and nobody knows how
many. NO_RECORD: no record begins at `offset`, where one should; `problem` says why. CONFLICT: from `offset` on `frame` carries
the bytes `second` where an earlier frame carried `body`.
"""


class Record:
    """One record of one role; its reader fills the same object again for the next one: whoever keeps it takes a `copy`.

    role: who sent it, 0 the client, 1 the server. content_type: as on the wire, or one of the above. version: of the record's
    header; 0x0002 for SSL 2.0. epoch: of the keys that protect it, where the header tells it (DTLS), else 0. body: what
    follows the header; empty where the sink did not want it; where bytes are missing, what stands before the first hole.
    length: of the body on the wire, in bytes. missing: bytes of it that the capture lacks. offset: position of the header's
    first byte in the role's stream. header: its length in bytes. frame, at: the frame that completed it and its time,
    nanoseconds since the epoch.
    """

    __slots__ = (
        "at", "body", "content_type", "epoch", "frame", "header", "length", "missing", "offset", "problem", "role", "second",
        "version",
    )  # fmt: skip

    def __init__(self, role: cython.int) -> None:
        self.role = role
        self.content_type = 0
        self.version = 0
        self.epoch = 0
        self.body = b""
        self.length = 0
        self.missing = 0
        self.offset = 0
        self.header = 0
        self.frame = 0
        self.at = -1
        self.second = b""
        self.problem = ""

    def copy(self) -> "Record":
        """An object of its own with the same values."""
        twin: Record = Record.__new__(Record)
        twin.role = self.role
        twin.content_type = self.content_type
        twin.version = self.version
        twin.epoch = self.epoch
        twin.body = self.body
        twin.length = self.length
        twin.missing = self.missing
        twin.offset = self.offset
        twin.header = self.header
        twin.frame = self.frame
        twin.at = self.at
        twin.second = self.second
        twin.problem = self.problem
        return twin


def gap(role: cython.int, offset: cython.longlong, length: cython.longlong, frame: cython.longlong) -> Record:
    """Bytes that the capture lacks."""
    record: Record = Record(role)
    record.content_type = GAP
    record.offset = offset
    record.length = length
    record.frame = frame
    return record


def conflict(role: cython.int, offset: cython.longlong, first: bytes, second: bytes, frame: cython.longlong) -> Record:
    """Two segments that disagree; the first is what was read."""
    record: Record = Record(role)
    record.content_type = CONFLICT
    record.offset = offset
    record.body = first
    record.second = second
    record.frame = frame
    return record


class RecordSink:
    """Who takes the records of both roles of one flow. kept: bytes of memory that it keeps."""

    __slots__ = ("kept",)

    kept: int

    def wants(self, role: cython.int, content_type: cython.int) -> cython.bint:
        """Whether the body of the record that begins now will be read."""
        return True

    def take(self, record: Record) -> None:
        """Take a record; the object is the caller's, who uses it again."""

    def end_role(self, role: cython.int, frame: cython.longlong, at: cython.longlong) -> None:
        """Hear that no more records of a role come."""

    def finish(self, frame: cython.longlong, at: cython.longlong) -> cython.bint:
        """Hear that the flow has ended, in that frame; False where the session goes on waiting for secrets."""
        return True
