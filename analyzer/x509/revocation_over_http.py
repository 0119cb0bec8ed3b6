"""Watches plain HTTP connections for OCSP responses and revocation lists.

A connection that begins with an HTTP request or response is watched; all others need no further work. In a watched connection,
responses at the start of a segment are searched for the media types of revocation data. Only a response that has one is read as
HTTP (`revocation_data`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import cython


HEAD_SIZE = 4096
"""Maximum bytes of a response's header section that are held at the end of a segment; responders send a few hundred bytes."""

READ_SIZE = 1 << 28
"""Maximum bytes of one connection that are read as HTTP: several of the largest lists there are."""

_WATCHING, _READING, _PASSED = 0, 1, 2

RESPONSE = b"HTTP/1."
MEDIA_TYPE = b"application/"
HEAD_END = b"\r\n\r\n"


def begins_request(data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.bint:
    """Return whether a GET or POST begins at `start`; these methods request revocation data."""
    if end - start < 10:
        return False
    if data[start] == 71:  # G
        return data[start + 1] == 69 and data[start + 2] == 84 and data[start + 3] == 32
    return data[start] == 80 and data[start + 1] == 79 and data[start + 2] == 83 and data[start + 3] == 84


def begins_response(data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.bint:
    """Return whether an HTTP/1 status line begins at `start`."""
    return end - start > 9 and data[start] == 72 and data[start : start + 7] == RESPONSE


def has_revocation_type(data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.bint:
    """Return whether the header section `data[start:end]` has the media type of an OCSP response or a revocation list."""
    pos: cython.Py_ssize_t = start
    while True:
        pos = data.find(MEDIA_TYPE, pos, end)
        if pos < 0:
            return False
        pos += 12
        name: bytes = data[pos : min(pos + 13, end)]
        if name == b"ocsp-response" or name[:8] == b"pkix-crl" or name[:11] == b"x-pkcs7-crl":
            return True


def revocation_response_at(data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Return where a response with revocation data begins, at `start` or after interim ones. Return -1 if there is none, and -2
    if the header section is not complete."""
    while begins_response(data, start, end):
        head_end: cython.Py_ssize_t = data.find(HEAD_END, start, end)
        if head_end < 0:
            return -2 if end - start <= HEAD_SIZE else -1
        if has_revocation_type(data, start, head_end):
            return start
        if data[start + 9] != 49:  # an interim response has the status 1xx
            return -1
        start = head_end + 4
    return -1


class RevocationWatch:
    """Watches one connection for revocation data.

    take: called with the media type and the body of each. server: the side that sends responses. state: one of _WATCHING,
    _READING, _PASSED. head: an incomplete header section. reader: reads the responses, None until there is one to read. n_read:
    bytes given to it. kept: bytes that it holds in memory.
    """

    __slots__ = ("head", "kept", "n_read", "reader", "server", "state", "take")

    def __init__(self, take: Callable[[str, bytes], None], server: cython.int) -> None:
        self.take = take
        self.state = _WATCHING
        self.server = server
        self.head = b""
        self.reader: Any = None
        self.n_read = 0
        self.kept = 0

    def feed(
        self,
        side: cython.int,
        data: bytes,
        start: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
        frame: cython.longlong,
        at: cython.longlong,
    ) -> cython.bint:
        """Search the next bytes of a side, `data[start:end]`. Return False when the search has ended."""
        if side != self.server:
            return True
        if self.state == _READING:
            self.read(data, start, end, frame, at)
            return self.state != _PASSED
        if len(self.head) > 0:
            data = self.head + data[start:end]
            start = 0
            end = len(data)
            self.head = b""
        found: cython.Py_ssize_t = revocation_response_at(data, start, end)
        if found == -2:
            self.head = data[start:end]
        elif found >= 0:
            from analyzer.x509.revocation_data import RevocationDataReader

            self.reader = RevocationDataReader(self.take)
            self.state = _READING
            self.read(data, found, end, frame, at)
        return self.state != _PASSED

    def read(
        self, data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t, frame: cython.longlong, at: cython.longlong
    ) -> None:
        """Read the server's bytes as HTTP, as long as they contain revocation data."""
        self.n_read += end - start
        if self.n_read > READ_SIZE:
            self.close(at)
        elif self.reader.feed(data[start:end], frame, at):
            self.kept = self.reader.n_held
        else:
            self.close(at)
            self.state = _WATCHING

    def needed(self) -> cython.bint:
        """Return whether the next bytes are needed, whatever they begin with."""
        return self.state == _READING or len(self.head) > 0

    def close(self, at: cython.longlong) -> None:
        """End the search."""
        if self.reader is not None:
            self.reader.close(at)
            self.reader = None
        self.kept = 0
        self.head = b""
        self.state = _PASSED

    def peek(self, side: cython.int, data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.bint:
        """Return whether a segment of a connection that is no longer followed begins a response with revocation data."""
        return self.state == _WATCHING and side == self.server and revocation_response_at(data, start, end) != -1

    def gap(self, side: cython.int, length: cython.longlong) -> None:
        """Handle missing bytes of a side."""
        if side == self.server:
            self.head = b""
            if self.reader is not None:
                self.reader.gap(length)
