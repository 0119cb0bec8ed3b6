"""Defines what a transport passes to a session: one record, or a notice about something that is missing.

TLS over TCP reads records from a byte stream, DTLS reads them from datagrams, and QUIC has handshake bytes in frames. All of
them pass on `Record` objects, and the session knows nothing else about the transport. A gap is a record too, so a queue of
records also has its gaps in the right places.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import cython


GAP, LOST, NO_RECORD, CONFLICT, FACT, AGAIN = -1, -2, -3, -4, -5, -6
"""Content types of notices that are not records.

GAP: `length` bytes from `offset` on are not in the capture, after `frame`; 0 where nobody knows how many. LOST: an unknown
number of records is missing here. NO_RECORD: no record begins at `offset`, where one should; `problem` gives the reason.
CONFLICT: from `offset` on, `frame` has the bytes `second`, but an earlier frame has `body`. FACT: what the transport has to
report: a finding with the code `problem`, in `frame`, or in none where that is 0; `second` is its sentence in UTF-8. AGAIN: the
handshake begins again, with other messages.
"""


NOTHING, BODY, START = 0, 1, 2
"""What a sink needs of a record's body: nothing, all of it, or the first START_BYTES bytes (those of an explicit nonce)."""

START_BYTES = 8


class Record:
    """One record of one role. Its reader uses the same object again for the next record: to keep it, take a `copy`.

    role: who sent it, 0 the client, 1 the server. content_type: as on the wire, or one of the above. version: of the record's
    header; 0x0002 for SSL 2.0. epoch: of the keys that protect it, if the header has it (DTLS), else 0. body: what follows the
    header, as much as the sink wants; if bytes are missing, only the part before the first missing one. length: of the
    body on the wire, in bytes. missing: bytes of it that are not in the capture. offset: position of the header's first byte in
    the role's stream. header: its length in bytes. frame, at: the frame that completed it and its time, nanoseconds since the
    epoch.
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

    def copy(self) -> Record:
        """Return a new object with the same values."""
        copied_record: Record = Record.__new__(Record)
        copied_record.role = self.role
        copied_record.content_type = self.content_type
        copied_record.version = self.version
        copied_record.epoch = self.epoch
        copied_record.body = self.body
        copied_record.length = self.length
        copied_record.missing = self.missing
        copied_record.offset = self.offset
        copied_record.header = self.header
        copied_record.frame = self.frame
        copied_record.at = self.at
        copied_record.second = self.second
        copied_record.problem = self.problem
        return copied_record


def gap(role: cython.int, offset: cython.longlong, length: cython.longlong, frame: cython.longlong) -> Record:
    """Return a notice about bytes that are not in the capture. length: 0 if it is not known."""
    record: Record = Record(role)
    record.content_type = GAP
    record.offset = offset
    record.length = length
    record.frame = frame
    return record


def conflict(role: cython.int, offset: cython.longlong, first: bytes, second: bytes, frame: cython.longlong) -> Record:
    """Return a notice about two segments with different bytes; `first` was used."""
    record: Record = Record(role)
    record.content_type = CONFLICT
    record.offset = offset
    record.body = first
    record.second = second
    record.frame = frame
    return record


def fact(code: str, detail: str, frame: cython.longlong) -> Record:
    """Return a notice about what the transport has to report, as a finding."""
    record: Record = Record(0)
    record.content_type = FACT
    record.problem = code
    record.second = detail.encode()
    record.frame = frame
    return record


class RecordSink:
    """Takes the records of both roles of one flow. kept: bytes of memory that it keeps."""

    __slots__ = ("kept",)

    kept: int

    def wants(self, role: cython.int, content_type: cython.int) -> cython.int:
        """Return what will be read of the body of the record that begins now: NOTHING, BODY or START."""
        return BODY

    def take(self, record: Record) -> None:
        """Take a record. The caller uses the object again for the next record."""

    def end_role(self, role: cython.int, frame: cython.longlong, at: cython.longlong) -> None:
        """Note that there are no more records of a role."""

    def finish(self, frame: cython.longlong, at: cython.longlong) -> cython.bint:
        """Note that the flow has ended, in that frame. Returns False if the session is still pending."""
        return True
