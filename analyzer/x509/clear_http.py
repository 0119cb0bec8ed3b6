"""Clear HTTP connections watched for OCSP responses and revocation lists, beside the search for TLS.

A connection that begins with an HTTP request or response is watched; all others cost nothing more. In a watched one the heads
of responses with which a segment begins are searched for the media types of answers, and only a response that has one is read
as HTTP (`answers`). This module is compiled (see setup.cfg) and runs the same uncompiled.
"""

from typing import Any

import cython

from analyzer.flows.connection import Connection
from analyzer.flows.sink import Sink
from analyzer.tls.detect import Sessions, TlsStream

HEAD_SIZE = 4096
"""Bytes of a response's head that are held when a segment ends in it; responders send heads of some hundred bytes."""

READ_SIZE = 1 << 28
"""Bytes of one connection that are read as HTTP: some of the largest lists there are."""

_ASKING, _WATCHING, _READING, _PASSED = 0, 1, 2, 3

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


class AnswerStream(TlsStream):
    """The streams of one connection, searched for TLS, and for answers while there is none.

    watch: what is known of it; server: the side that sends responses; head: a response's head so far; reader: reads responses,
    None until there is one to read; n_read: bytes it was given; n_held: those that it holds, as told to `sessions`.
    """

    __slots__ = ("answers", "head", "n_held", "n_read", "reader", "server", "watch")

    def __init__(self, connection: Connection, sessions: "AnsweringSessions") -> None:
        self.watch_for(connection, sessions)
        self.answers: Any = sessions.answers
        self.watch = _ASKING
        self.server = 1
        self.head = b""
        self.reader: Any = None
        self.n_read = 0
        self.n_held = 0

    def feed(
        self,
        side: cython.int,
        data: bytes,
        start: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
        offset: cython.longlong,
        frame: cython.longlong,
        at: cython.longlong,
    ) -> None:
        """Take the next bytes of a side: look for answers in them, then for TLS."""
        if self.watch != _PASSED:
            self.look(side, data, start, end, frame, at)
        TlsStream.feed(self, side, data, start, end, offset, frame, at)
        if self.watch == _READING or len(self.head) > 0:
            self.wanted = True

    def look(
        self,
        side: cython.int,
        data: bytes,
        start: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
        frame: cython.longlong,
        at: cython.longlong,
    ) -> None:
        """Look for answers."""
        if self.watch == _ASKING:
            if begins_request(data, start, end):
                self.server = 1 - side
            elif begins_response(data, start, end):
                self.server = side
            else:
                self.watch = _PASSED
                return
            self.watch = _WATCHING
        elif self.session is not None:
            self.finish(at)
            return
        if side != self.server:
            return
        if self.watch == _READING:
            self.read(data, start, end, frame, at)
            return
        if len(self.head) > 0:
            data = self.head + data[start:end]
            start = 0
            end = len(data)
            self.head = b""
        found: cython.Py_ssize_t = answer_at(data, start, end)
        if found == -2:
            self.head = data[start:end]
        elif found >= 0:
            from analyzer.x509.answers import AnswerReader

            self.reader = AnswerReader(self.answers())
            self.watch = _READING
            self.read(data, found, end, frame, at)

    def read(
        self, data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t, frame: cython.longlong, at: cython.longlong
    ) -> None:
        """Read the server's bytes as HTTP, as long as answers are among them."""
        self.n_read += end - start
        if self.n_read > READ_SIZE:
            self.finish(at)
        elif self.reader.feed(data[start:end], frame, at):
            self.sessions.held += self.reader.n_held - self.n_held
            self.n_held = self.reader.n_held
        else:
            self.finish(at)
            self.watch = _WATCHING

    def finish(self, at: cython.longlong) -> None:
        """Look for answers no more."""
        if self.reader is not None:
            self.reader.close(at)
            self.reader = None
        self.sessions.held -= self.n_held
        self.n_held = 0
        self.head = b""
        self.watch = _PASSED

    def glance(self, side: cython.int, data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.bint:
        """Whether this segment of a stream that was given up begins a hello, or a response with an answer."""
        if self.watch == _WATCHING and side == self.server and answer_at(data, start, end) != -1:
            self.wanted = True
            return True
        return TlsStream.glance(self, side, data, start, end)

    def gap(
        self, side: cython.int, offset: cython.longlong, length: cython.longlong, frame: cython.longlong, at: cython.longlong
    ) -> None:
        """Pass a gap on."""
        if side == self.server:
            self.head = b""
            if self.reader is not None:
                self.reader.gap(length)
        TlsStream.gap(self, side, offset, length, frame, at)

    def close(self, reason: str, frame: cython.longlong, at: cython.longlong) -> None:
        """End what is being read, and the session."""
        self.finish(at)
        TlsStream.close(self, reason, frame, at)


class AnsweringSessions(Sessions):
    """As `Sessions`; what clear HTTP says of certificates goes to what `answers` gives when there is some."""

    __slots__ = ("answers",)

    def __init__(self, trace: Any, fields: cython.bint, secrets: Any, answers: Any) -> None:
        Sessions.__init__(self, trace, fields, secrets)
        self.answers = answers

    def open(self, connection: Connection) -> Sink:
        """Watch a new connection for TLS and for answers."""
        return AnswerStream(connection, self)
