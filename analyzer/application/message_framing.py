"""Finds the bodies of HTTP/1 in the bytes of a connection, for a view that shows all bytes in their order (RFC 9112 section 6).

A head (start line and fields), and all that is not HTTP/1, is passed on as it is. The bytes of a body are passed on without
chunks and codings, with the facts about the body that its head declares. What does not follow the grammar is no HTTP: its bytes
are passed on as they are until the other side has spoken. Nothing is held back but the size of a chunk that is not whole.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from analyzer.application.body import Bodies, Body, new_body
from analyzer.application.header_fields import (
    Framing,
    Problems,
    content_codings,
    index,
    read_fields,
    read_framing,
    read_request_line,
    read_status_line,
    read_text,
)

HEAD_MAX: Final = 1 << 16
"""The longest head that is read, in bytes."""

_CHUNK_LINE_MAX: Final = 1 << 12
_PENDING_MAX: Final = 10_000
_HEAD, _BODY, _CHUNK_SIZE, _CHUNK, _CHUNK_END, _TRAILERS, _BYTES = range(7)


class MessageBody:
    """A body of a message. declared: its Content-Type as sent, None for none. codings: those that its head names.

    problem: why not all of it could be decoded, "" for none. begun: set by who takes its bytes, when the first have come.
    """

    def __init__(self, declared: str | None, codings: list[str]) -> None:
        self.declared = declared
        self.codings = codings
        self.problem = ""
        self.begun = False


Take = Callable[[int, bytes, MessageBody | None, bool], None]
"""Called with bytes: side, bytes, the body that they belong to (None outside of bodies), whether the body ends with them."""


class MessageFraming:
    """Both directions of one connection. Side 0 is the client."""

    def __init__(self, take: Take) -> None:
        self._methods: deque[str] = deque(maxlen=_PENDING_MAX)
        self._sides = (_Side(self._methods, 0, take), _Side(self._methods, 1, take))
        self._last = -1

    def feed(self, side: int, data: bytes, frame: int, at: int) -> None:
        """Take the next bytes of a side."""
        if side != self._last:
            self._last = side
            self._sides[side].begin_turn()
        self._sides[side].feed(data)

    def lose(self, role: int | None) -> None:
        """Handle bytes that are missing, of both sides if it is not known whose."""
        for side in (0, 1) if role is None else (role,):
            self._sides[side].lose()

    def close(self) -> None:
        """End both sides."""
        for side in self._sides:
            side.lose()


class _Side:
    def __init__(self, methods: deque[str], side: int, take: Take) -> None:
        self._methods = methods
        self._side = side
        self._take = take
        self._bodies = Bodies(False, self._note)
        self._state = _HEAD
        self._head = b""
        self._left = 0
        self._line = b""
        self._facts: MessageBody | None = None
        self._body: Body | None = None

    def begin_turn(self) -> None:
        """Look for a head again, if the bytes of the last turn were no HTTP."""
        if self._state == _BYTES:
            self._state = _HEAD
            self._head = b""

    def lose(self) -> None:
        """End the body, and take the next bytes as they are."""
        self._end_body()
        self._state = _BYTES
        self._methods.clear()

    def feed(self, data: bytes) -> None:
        while data:
            if self._state == _BYTES:
                self._take(self._side, data, None, False)
                return
            data = _STEPS[self._state](self, data)

    def read_head(self, data: bytes) -> bytes:
        """Take bytes of a head, pass them on, and return what is behind it."""
        n_before = len(self._head)
        whole = self._head + data
        end = _end_of_head(whole)
        if end < 0 and (len(whole) > HEAD_MAX or not _may_be_head(whole)):
            self._state = _BYTES
            return data
        end = len(whole) if end < 0 else end
        if end < len(whole) or whole.endswith((b"\r\n\r\n", b"\n\n")):
            if not self._begin(read_text(whole[:end])):
                self._state = _BYTES
                return data
            self._head = b""
        else:
            self._head = whole
        self._take(self._side, data[: end - n_before], None, False)
        return data[end - n_before :]

    def _begin(self, head: str) -> bool:
        """Read a head, and how its body is framed. Return False if it is none."""
        line, _, block = head.strip("\r\n").partition("\n")
        problems: Problems = []
        fields = read_fields(block + "\r" if block else "", problems)
        by_name = index(fields)
        status = None
        if self._side == 0:
            request = read_request_line(line.rstrip("\r"))
            if request is None:
                return False
            self._methods.append(request.method)
            framing = read_framing(by_name, problems)
            framing = Framing(False, 0, []) if framing.length is None and not framing.chunked else framing
        else:
            answer = read_status_line(line.rstrip("\r"))
            if answer is None:
                return False
            status = answer[0]
            framing = read_framing(by_name, problems)
            if status == 101:
                framing = Framing(False, None, [])
            elif status < 200:
                framing = Framing(False, 0, [])
            else:
                method = self._methods.popleft() if self._methods else None
                if method == "HEAD" or status in (204, 304):
                    framing = Framing(False, 0, [])
                elif method == "CONNECT" and status < 300:
                    self._state = _BYTES
                    return True
        if status == 101:
            self._state = _BYTES
            return True
        if framing.chunked or framing.length != 0:
            codings = content_codings(by_name, status) + framing.codings
            declared = by_name.get("content-type", [None])[0]
            self._facts = MessageBody(declared, codings)
            self._body = new_body(self._bodies, codings, self._pass)
        self._left = -1 if framing.length is None else framing.length
        self._state = _CHUNK_SIZE if framing.chunked else _HEAD if framing.length == 0 else _BODY
        return True

    def read_body(self, data: bytes) -> bytes:
        """Take bytes of a body of known length, or of one to the end of the connection."""
        n = len(data) if self._left < 0 else min(len(data), self._left)
        self._feed_body(data[:n])
        if self._left >= 0:
            self._left -= n
            if self._left == 0:
                self._end_body()
                self._state = _HEAD
        return data[n:]

    def read_chunk_size(self, data: bytes) -> bytes:
        """Take the line with the size of a chunk."""
        line, rest = self._take_line(data)
        if line is None:
            return rest
        digits = line.partition(b";")[0].strip()
        if not digits or len(digits) > 15 or digits.translate(None, b"0123456789abcdefABCDEF"):
            self.lose()
            self._take(self._side, line + b"\r\n", None, False)
            return rest
        self._left = int(digits, 16)
        if self._left == 0:
            self._end_body()
        self._state = _CHUNK if self._left else _TRAILERS
        return rest

    def read_chunk(self, data: bytes) -> bytes:
        """Take bytes of a chunk."""
        n = min(len(data), self._left)
        self._feed_body(data[:n])
        self._left -= n
        if self._left == 0:
            self._state = _CHUNK_END
        return data[n:]

    def read_chunk_end(self, data: bytes) -> bytes:
        """Take the line end behind a chunk."""
        line, rest = self._take_line(data)
        if line is not None:
            self._state = _CHUNK_SIZE
        return rest

    def read_trailers(self, data: bytes) -> bytes:
        """Take a line of the trailers, which end with an empty one."""
        line, rest = self._take_line(data)
        if line:
            self._take(self._side, line + b"\r\n", None, False)
        elif line is not None:
            self._state = _HEAD
        return rest

    def _take_line(self, data: bytes) -> tuple[bytes | None, bytes]:
        """Return the next line without its end, None if it is not whole, and what is behind it."""
        end = data.find(b"\n")
        if end < 0 and len(self._line) + len(data) <= _CHUNK_LINE_MAX:
            self._line += data
            return None, b""
        if end < 0:
            line, self._line = self._line + data, b""
            self.lose()
            self._take(self._side, line, None, False)
            return None, b""
        line, self._line = self._line + data[:end], b""
        return line.rstrip(b"\r"), data[end + 1 :]

    def _feed_body(self, data: bytes) -> None:
        if self._body is not None and data:
            self._body.feed(data, 0)

    def _pass(self, data: bytes) -> None:
        self._take(self._side, data, self._facts, False)

    def _note(self, code: str, detail: str, frame: int) -> None:
        if self._facts is not None:
            self._facts.problem = detail

    def _end_body(self) -> None:
        if self._body is not None:
            self._body.finish(0)
            facts, self._body, self._facts = self._facts, None, None
            self._take(self._side, b"", facts, True)


_STEPS: Final = {
    _HEAD: _Side.read_head,
    _BODY: _Side.read_body,
    _CHUNK_SIZE: _Side.read_chunk_size,
    _CHUNK: _Side.read_chunk,
    _CHUNK_END: _Side.read_chunk_end,
    _TRAILERS: _Side.read_trailers,
}


def _end_of_head(data: bytes) -> int:
    """Return the position behind the empty line at the end of a head; -1 if it is not there."""
    crlf, lf = data.find(b"\r\n\r\n"), data.find(b"\n\n")
    if crlf >= 0 and (lf < 0 or crlf < lf):
        return crlf + 4
    return -1 if lf < 0 else lf + 2


def _may_be_head(data: bytes) -> bool:
    """Return whether the first line is a start line, as far as it has come."""
    line, newline, _ = data.lstrip(b"\r\n").partition(b"\n")
    text = read_text(line.rstrip(b"\r"))
    if newline:
        return read_request_line(text) is not None or read_status_line(text) is not None
    return len(line) <= HEAD_MAX and (not line or line[:1].isalpha()) and b"\x00" not in line
