"""What envoys tell the process that has their sessions: a message of tidings, one behind the other, each a head and some bytes.

A head is seven numbers: the word, the session's number, frame, at, length, missing, and how many bytes follow. The lowest bits
of the word say what it is, the next one the side. What is named below is all that a tiding has of these beside word, session
and frame. The numbers stand as the machine has them: both ends are on one, and no objects have to be made and written for them.

This module is compiled (see setup.cfg) and runs the same uncompiled.
"""

from struct import Struct

import cython

KINDS, SIDE, TYPE, VERSION = 0x0F, 4, 5, 13
"""The bits that say what it is; from which bit on the side, and of a record its content type and its version stand."""

RECORD = 0
"""A record: at, length, missing, and its body, which is shorter than its length where it is not whole or not wanted."""

BEGIN = 1
"""A new session: the side is the client, the content type 1 where it was begun in mid-stream; the first frame and the start of
its connection; the key of the connection's opener."""

FINISH = 2
"""The connection has ended: at, as length `limited` of `streams.tcp.Connection`, and the reason."""

STOP = 3
"""Nothing more of a side comes: at."""

LOST = 4
"""Records are missing: at."""

VIOLATION = 5
"""No record begins: as at the offset, and why."""

LACKS = 6
"""Bytes are missing: as at the offset, length."""

CONFLICT = 7
"""Two segments disagree: as at the offset, as length that of the first, and both."""

TURN = 8
"""A turn is over."""

_HEAD = Struct("=7q")
HEAD_SIZE = _HEAD.size


class Tidings:
    """A message that is being written: `data[:end]`."""

    __slots__ = ("data", "end")

    def __init__(self, size: cython.Py_ssize_t) -> None:
        """size: bytes that there is room for at first."""
        self.data = bytearray(size)
        self.end = 0

    def put(
        self,
        word: cython.longlong,
        number: cython.longlong,
        frame: cython.longlong,
        at: cython.longlong,
        length: cython.longlong,
        missing: cython.longlong,
        body: bytes,
    ) -> None:
        """Add a tiding."""
        end: cython.Py_ssize_t = self.end + HEAD_SIZE
        self.make_room(HEAD_SIZE + len(body))
        if cython.compiled:
            write_head(self.data, self.end, word, number, frame, at, length, missing, len(body))  # type: ignore[name-defined]  # noqa: F821 - in the .pxd
            write_bytes(self.data, end, body)  # type: ignore[name-defined]  # noqa: F821 - in the .pxd
        else:
            _HEAD.pack_into(self.data, self.end, word, number, frame, at, length, missing, len(body))
            self.data[end : end + len(body)] = body
        self.end = end + len(body)

    def join(self, other: "Tidings") -> None:
        """Add all of another message."""
        self.make_room(other.end)
        self.data[self.end : self.end + other.end] = other.data[: other.end]
        self.end += other.end

    def make_room(self, n_bytes: cython.Py_ssize_t) -> None:
        """Have room for so many bytes more."""
        if n_bytes > len(self.data) - self.end:
            data = bytearray(2 * (self.end + n_bytes))
            data[: self.end] = self.data[: self.end]
            self.data = data

    def take(self) -> memoryview:
        """Give the message, and begin anew in the same memory: what is given holds until something is put in."""
        message = memoryview(self.data)[: self.end]
        self.end = 0
        return message


class TidingsReader:
    """Reads a message; the attributes are those of the tiding at hand."""

    __slots__ = ("at", "body", "data", "frame", "length", "missing", "number", "pos", "word")

    def __init__(self, data: bytearray) -> None:
        self.data = data
        self.pos = 0
        self.word = 0
        self.number = 0
        self.frame = 0
        self.at = 0
        self.length = 0
        self.missing = 0
        self.body = b""

    def advance(self) -> cython.bint:
        """Go to the next tiding; False at the end."""
        pos: cython.Py_ssize_t = self.pos
        size: cython.longlong
        if HEAD_SIZE > len(self.data) - pos:
            return False
        if cython.compiled:
            self.word = number_at(self.data, pos)  # type: ignore[name-defined]  # noqa: F821 - in the .pxd
            self.number = number_at(self.data, pos + 8)  # type: ignore[name-defined]  # noqa: F821
            self.frame = number_at(self.data, pos + 16)  # type: ignore[name-defined]  # noqa: F821
            self.at = number_at(self.data, pos + 24)  # type: ignore[name-defined]  # noqa: F821
            self.length = number_at(self.data, pos + 32)  # type: ignore[name-defined]  # noqa: F821
            self.missing = number_at(self.data, pos + 40)  # type: ignore[name-defined]  # noqa: F821
            size = number_at(self.data, pos + 48)  # type: ignore[name-defined]  # noqa: F821
        else:
            numbers = _HEAD.unpack_from(self.data, pos)
            self.word, self.number, self.frame, self.at, self.length, self.missing, size = numbers
        pos += HEAD_SIZE
        if size < 0 or size > len(self.data) - pos:
            return False
        if cython.compiled:
            self.body = bytes_at(self.data, pos, size)  # type: ignore[name-defined]  # noqa: F821 - in the .pxd
        else:
            self.body = bytes(self.data[pos : pos + size])
        self.pos = pos + size
        return True
