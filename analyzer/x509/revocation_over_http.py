"""Clear HTTP connections watched for OCSP responses and revocation lists.

A connection that begins with an HTTP request or response is watched; all others cost nothing more. In a watched one the heads
of responses with which a segment begins are searched for the media types of answers, and only a response that has one is read
as HTTP (`revocation_data`).
"""

from collections.abc import Callable
from typing import Any

import cython

HEAD_SIZE = 4096
"""Bytes of a response's head that are held when a segment ends in it; responders send heads of some hundred bytes."""

READ_SIZE = 1 << 28
"""Bytes of one connection that are read as HTTP: some of the largest lists there are."""

_WATCHING, _READING, _PASSED = 0, 1, 2

RESPONSE = b"HTTP/1."
MEDIA_TYPE = b"application/"
HEAD_END = b"\r\n\r\n"


def begins_request(data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.bint:
    """Whether a GET or POST begins at `start`, by which answers are fetched."""
    if end - start < 10:
        return False
    if data[start] == 71:  # G
        return data[start + 1] == 69 and data[start + 2] == 84 and data[start + 3] == 32
    return data[start] == 80 and data[start + 1] == 79 and data[start + 2] == 83 and data[start + 3] == 84


def begins_response(data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.bint:
    """Whether an HTTP/1 status line begins at `start`."""
    return end - start > 9 and data[start] == 72 and data[start : start + 7] == RESPONSE


def names_answer(data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.bint:
    """Whether the head `data[start:end]` has the media type of an OCSP response or a revocation list."""
    pos: cython.Py_ssize_t = start
    while True:
        pos = data.find(MEDIA_TYPE, pos, end)
        if pos < 0:
            return False
        pos += 12
        name: bytes = data[pos : min(pos + 13, end)]
        if name == b"ocsp-response" or name[:8] == b"pkix-crl" or name[:11] == b"x-pkcs7-crl":
            return True


def answer_at(data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Where the response begins that has an answer, at `start` or behind interim ones; -1 none does, -2 the head goes on."""
    while begins_response(data, start, end):
        head_end: cython.Py_ssize_t = data.find(HEAD_END, start, end)
        if head_end < 0:
            return -2 if end - start <= HEAD_SIZE else -1
        if names_answer(data, start, head_end):
            return start
        if data[start + 9] != 49:  # of interim responses the status is 1xx
            return -1
        start = head_end + 4
    return -1


class RevocationWatch:
    """One connection watched for answers.

    take: is given the type and the body of each. server: the side that sends responses. state: what is known of them; head: a
    response's head so far; reader: reads responses, None until there is one to read; n_read: bytes that it was given; kept:
    those that it keeps in memory.
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
        """Look for answers in the next bytes of a side, `data[start:end]`; False once there is nothing more to look for."""
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
        found: cython.Py_ssize_t = answer_at(data, start, end)
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
        """Read the server's bytes as HTTP, as long as answers are among them."""
        self.n_read += end - start
        if self.n_read > READ_SIZE:
            self.close(at)
        elif self.reader.feed(data[start:end], frame, at):
            self.kept = self.reader.n_held
        else:
            self.close(at)
            self.state = _WATCHING

    def needed(self) -> cython.bint:
        """Whether the next bytes are wanted, whatever they begin with."""
        return self.state == _READING or len(self.head) > 0

    def close(self, at: cython.longlong) -> None:
        """Look for answers no more."""
        if self.reader is not None:
            self.reader.close(at)
            self.reader = None
        self.kept = 0
        self.head = b""
        self.state = _PASSED

    def peek(self, side: cython.int, data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.bint:
        """Whether a segment of a connection that was given up begins a response with an answer."""
        return self.state == _WATCHING and side == self.server and answer_at(data, start, end) != -1

    def gap(self, side: cython.int, length: cython.longlong) -> None:
        """Hear that bytes of a side are missing."""
        if side == self.server:
            self.head = b""
            if self.reader is not None:
                self.reader.gap(length)
