"""Reads one direction of an HTTP/1 connection (RFC 9112): finds where its header sections and bodies begin and end.

The states are: header section, body (by length, by chunks, or to the end of the stream), and header section again. Only an
incomplete header section or line is held, never a body. After a protocol error, or a gap of unknown length, the next start line
is searched by its version. The version is rare in bodies and fast to find.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Protocol

from analyzer.application.body import Body
from analyzer.application.exchange import CLIENT, NAMES, ConversationLog, Request, Response
from analyzer.application.header_fields import (
    Framing,
    Problems,
    read_fields,
    read_request_line,
    read_status_line,
    read_text,
    shown,
)

if TYPE_CHECKING:
    import cython

HEAD_MAX: Final = 1 << 18
"""Maximum bytes of a start line and header section, or of trailers: the limit of Chrome. Servers allow 8 to 64 KiB."""

START_LINE_MAX: Final = 1 << 14
"""Maximum bytes of a start line; RFC 9112 section 3 recommends at least 8,000."""

CHUNK_LINE_MAX: Final = 1 << 12
"""Maximum bytes of the line before a chunk: a size, and extensions, which are not in use."""

WAITING_MAX: Final = 1 << 16
"""Maximum bytes of a client that are held while their protocol is unknown. An honest client waits for the response."""

_HEAD, _LENGTH, _CHUNK_LINE, _CHUNK, _CHUNK_END, _TRAILERS, _TO_END, _WAITING, _SEEK, _LEFT = range(10)

_BLANK: Final = re.compile(rb"[\r\n]*")
_HEAD_END: Final = re.compile(rb"\n\r?\n")
_LINE_END: Final = re.compile(rb"\n")
_LINE_BREAK: Final = re.compile(rb"[\r\n]")
_TRAILERS_END: Final = re.compile(rb"(?:^|\n)\r?\n")
_CHUNK_LINE_FORM: Final = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\n]*)?\r?\Z")
_METHOD_BEFORE: Final = re.compile(rb"[A-Z][A-Z-]{2,19}\Z")
_STATUS_START: Final = re.compile(rb"HTTP/1\.[01] [1-5]\d\d[ \r\n]")
_VERSION_END: Final = re.compile(rb" HTTP/1\.[01][ \t]*\r?\n")
_ENDS: Final = {_HEAD: _HEAD_END, _CHUNK_LINE: _LINE_END, _CHUNK_END: _LINE_END, _TRAILERS: _HEAD_END}
_LIMITS: Final = {_HEAD: HEAD_MAX, _CHUNK_LINE: CHUNK_LINE_MAX, _CHUNK_END: 2, _TRAILERS: HEAD_MAX}


class Messages(Protocol):
    """Builds messages from what a direction finds."""

    log: ConversationLog

    def begin_message(self, side: int, line: str, rest: str, frame: int, at: int) -> bool:
        """Begin a message, given its start line and its field lines. Return False if it is not one. Calls `begin_body`, `lose`
        or `leave`."""

    def end_message(self, side: int) -> None:
        """Handle the end of a message."""

    def found(self, side: int) -> None:
        """Handle a start line that was found after lost bytes."""

    def succeed(self, side: int, data: bytes, frame: int, at: int) -> None:
        """Take bytes of the protocol that took over."""


class Direction:
    """One side's stream. It finds header sections and bodies, and gives them to `Messages`."""

    __slots__ = (
        "_body", "_held", "_left", "_message", "_messages", "_n_scanned", "_patient", "_side", "_start_seen", "_state",
        "_waiting", "at", "frame", "lossy",
    )  # fmt: skip

    def __init__(self, messages: Messages, side: cython.int) -> None:
        self._messages = messages
        self._side = side
        self._state = _HEAD
        self._held = bytearray()
        self._n_scanned = 0
        self._start_seen = False
        self._body: Body | None = None
        self._message: Request | Response | None = None
        self._left = 0
        self._waiting: list[tuple[bytes, int, int]] = []
        self._patient = True
        self.frame = 0
        self.at = 0
        self.lossy = False

    def feed(self, data: bytes, frame: cython.longlong, at: cython.longlong) -> None:
        """Take the next bytes."""
        self.frame = frame
        self.at = at
        if self._held:
            joined = self._join(data)
            if joined is None:
                return
            data = joined
        pos: cython.Py_ssize_t = 0
        end: cython.Py_ssize_t = len(data)
        state: cython.int
        while pos < end:
            state = self._state
            if state in (_LENGTH, _CHUNK):
                pos = self._read_counted(data, pos)
            elif state == _HEAD:
                pos = self._read_head(data, pos)
            elif state == _CHUNK_LINE:
                pos = self._read_chunk_line(data, pos)
            elif state == _CHUNK_END:
                pos = self._read_chunk_end(data, pos)
            elif state == _TO_END:
                assert self._body is not None
                self._body.feed(data[pos:], frame)
                return
            elif state == _TRAILERS:
                pos = self._read_trailers(data, pos)
            elif state == _SEEK:
                pos = self._seek(data, pos)
            elif state == _WAITING:
                self._wait(data[pos:])
                return
            else:
                self._messages.succeed(self._side, data[pos:], frame, at)
                return

    def is_between(self) -> cython.bint:
        """Return whether a message has ended and no byte of the next has arrived."""
        return self._state == _HEAD and len(self._held) == 0

    def read_counted(
        self, message: Request | Response, body: Body, length: cython.longlong, data: bytes, pos: cython.Py_ssize_t
    ) -> cython.Py_ssize_t:
        """Begin a message whose body has `length` bytes; `end_message` is not called if the body ends in `data`.

        The body from `pos` on is read only if all of it is in `data`. Return where the rest of `data` begins.
        """
        if length > len(data) - pos:
            self._message = message
            self._body = body
            self._left = length
            self._state = _LENGTH
            return pos
        if body.plain:
            body.skip(length)
        elif length > 0:
            body.feed(data[pos : pos + length], self.frame)
        body.finish(self.frame)
        return pos + length

    def gap(self, length: int | None) -> None:
        """Skip missing bytes if they are within a body, else search the next start line."""
        state = self._state
        if state == _LEFT:
            return
        if state in (_LENGTH, _CHUNK) and length is not None and length <= self._left:
            assert self._body is not None
            self._body.lose()
            self._left -= length
            if self._left == 0:
                self._end_counted()
        elif state == _TO_END:
            assert self._body is not None
            self._body.lose()
        elif state != _SEEK or self._held:
            self.lose()
        self.lossy = True

    @property
    def seeking(self) -> bool:
        """Whether the position in the stream is lost."""
        return self._state == _SEEK

    def lose(self) -> None:
        """Lose the position: the current message stays incomplete, and the next start line is searched."""
        if self._body is not None:
            self._body.lose()
            self._body = None
        self._held.clear()
        self._waiting.clear()
        self._state = _SEEK
        self.lossy = True

    def close(self) -> None:
        """Handle the end of the stream."""
        if self._state == _WAITING:
            self.resume()
        state = self._state
        if state == _TO_END:
            self._end_message()
        elif state in (_LENGTH, _CHUNK, _CHUNK_LINE, _CHUNK_END, _TRAILERS):
            self._note("truncated_body", f"the {NAMES[self._side]}'s stream ends within a body")
            self.lose()
        elif state == _HEAD and self._held:
            start = shown(read_text(bytes(self._held)))
            self._note("truncated_head", f"the {NAMES[self._side]}'s stream ends within a head: {start}")
        if self._held:
            self._held.clear()

    def wait(self) -> None:
        """Hold the following bytes until `resume` or `leave`, unless they once were more than WAITING_MAX."""
        if self._patient and self._state == _HEAD:
            self._state = _WAITING

    def resume(self) -> None:
        """Continue as HTTP/1, with the held bytes first."""
        if self._state == _WAITING:
            self._state = _HEAD
            self._replay()

    def leave(self) -> None:
        """Pass the following bytes, and the held ones before them, to the protocol that takes over."""
        if self._body is not None:
            self._body.lose()
            self._body = None
        held, self._held = bytes(self._held), bytearray()
        self._state = _LEFT
        if held:
            self._waiting.append((held, self.frame, self.at))
        self._replay()

    def _replay(self) -> None:
        waiting, self._waiting = self._waiting, []
        for data, frame, at in waiting:
            self.feed(data, frame, at)

    def _wait(self, data: bytes) -> None:
        self._waiting.append((data, self.frame, self.at))
        if sum(len(piece) for piece, _, _ in self._waiting) > WAITING_MAX:
            self._note("no_answer_to_upgrade", f"{WAITING_MAX} bytes after the request without its response; read as HTTP/1")
            self._patient = False
            self.resume()

    def _note(self, code: str, detail: str) -> None:
        self._messages.log.note(code, detail, self.frame)

    def _hold(self, data: bytes, pos: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Hold the rest of `data` until more arrives. If more cannot help, search the next start line in it."""
        self._held += data[pos:]
        self._n_scanned = max(0, len(self._held) - 3)
        if (self._state != _HEAD or self._is_start()) and len(self._held) <= _LIMITS[self._state]:
            return len(data)
        # A too long header section is skipped whole: at each of its bytes another one could begin that is just as long.
        n = HEAD_MAX if self._state == _HEAD and self._start_seen else 1
        self._drop_held()
        return min(len(data), pos + n)

    def _join(self, data: bytes) -> bytes | None:
        """Return the held bytes and `data` joined, if they contain the end that the state needs. Else hold them, and return
        None."""
        held = self._held
        if self._state in _ENDS and _ENDS[self._state].search(data) is None and len(held) + len(data) <= _LIMITS[self._state]:
            held += data
            data = b""
            end = _TRAILERS_END if self._state == _TRAILERS else _ENDS[self._state]
            if end.search(held, self._n_scanned) is None:
                self._n_scanned = max(0, len(held) - 3)
                if self._state != _HEAD or self._is_start():
                    return None
                data = bytes(held[1:])
                self._drop_held()
                return data
        joined = bytes(held) + data
        held.clear()
        return joined

    def _is_start(self) -> bool:
        """Return whether the held bytes can be the start of a message; this is decided when the first line is complete."""
        if self._start_seen:
            return True
        held = self._held
        n_line = held.find(b"\n", 0, START_LINE_MAX)
        if n_line < 0:
            return len(held) < START_LINE_MAX
        line = read_text(bytes(held[:n_line])).rstrip("\r")
        self._start_seen = (read_request_line(line) if self._side == CLIENT else read_status_line(line)) is not None
        return self._start_seen

    def _drop_held(self) -> None:
        """Report that the held bytes cannot be read, and drop them."""
        if self._state == _HEAD:
            line = bytes(self._held[:START_LINE_MAX]).partition(b"\n")[0]
            code = "long_head" if self._start_seen else "bad_start_line"
            self._note(code, f"no head of the {NAMES[self._side]}: {shown(read_text(line))}")
        else:
            self._note("long_line", f"a line or trailers of more than {_LIMITS[self._state]} bytes in the chunked coding")
        self.lose()

    def _read_head(self, data: bytes, pos: cython.Py_ssize_t) -> cython.Py_ssize_t:
        if data[pos] in (13, 10):
            # RFC 9112 section 2.2: empty lines before a message are ignored.
            blank = _BLANK.match(data, pos)
            assert blank is not None
            pos = blank.end()
            if pos == len(data):
                return pos
        self._start_seen = False
        match = _HEAD_END.search(data, pos, pos + HEAD_MAX)
        if match is None:
            return self._hold(data, pos)
        block = read_text(data[pos : match.start()])
        line, _, rest = block.partition("\n")
        if not self._messages.begin_message(self._side, line.rstrip("\r"), rest, self.frame, self.at):
            self._note("bad_start_line", f"no head of the {NAMES[self._side]}: {shown(line)}")
            self.lose()
            return pos + 1
        if data.count(b"\r\n", pos, match.end()) < data.count(b"\n", pos, match.end()):
            self._note("bare_line_feed", "a line of the head ends without CR")
        return match.end()

    def begin_body(self, message: Request | Response, framing: Framing) -> None:
        """Read the body that the header section announces."""
        self._message = message
        self._body = message.body
        if framing.chunked:
            self._state = _CHUNK_LINE
        elif framing.length is None:
            self._state = _TO_END
        elif framing.length:
            self._left = framing.length
            self._state = _LENGTH
        else:
            self._end_message()

    def _end_message(self) -> None:
        self._state = _HEAD
        if self._body is not None:
            self._body.finish(self.frame)
            self._body = None
        self._message = None
        self._messages.end_message(self._side)

    def _read_counted(self, data: bytes, pos: cython.Py_ssize_t) -> cython.Py_ssize_t:
        body = self._body
        assert body is not None
        n: cython.longlong = len(data) - pos
        if n > self._left:
            n = self._left
        if body.plain:
            body.skip(n)
        else:
            body.feed(data[pos : pos + n], self.frame)
        self._left -= n
        if self._left == 0:
            self._end_counted()
        return pos + n

    def _end_counted(self) -> None:
        if self._state == _CHUNK:
            self._state = _CHUNK_END
        else:
            self._end_message()

    def _read_chunk_line(self, data: bytes, pos: cython.Py_ssize_t) -> cython.Py_ssize_t:
        n_line = data.find(b"\n", pos, pos + CHUNK_LINE_MAX)
        if n_line < 0:
            return self._hold(data, pos)
        line = data[pos:n_line]
        match = _CHUNK_LINE_FORM.match(line)
        if match is None:
            self._note("bad_chunk", f"no chunk size: {shown(read_text(line))}")
            self.lose()
            return pos
        if not line.endswith(b"\r"):
            self._note("bare_line_feed", "the line of a chunk ends without CR")
        self._left = int(match[1], 16)
        self._state = _CHUNK if self._left else _TRAILERS
        return n_line + 1

    def _read_chunk_end(self, data: bytes, pos: cython.Py_ssize_t) -> cython.Py_ssize_t:
        if data[pos] == 10:
            pos += 1
        elif data[pos] != 13:
            self._note("bad_chunk", f"a chunk is longer than its size: {shown(read_text(data[pos : pos + 2 * 60]))}")
            self.lose()
            return pos
        elif len(data) - pos < 2:
            return self._hold(data, pos)
        elif data[pos + 1] != 10:
            self._note("bad_chunk", "CR without LF after a chunk")
            self.lose()
            return pos
        else:
            pos += 2
        self._state = _CHUNK_LINE
        return pos

    def _read_trailers(self, data: bytes, pos: cython.Py_ssize_t) -> cython.Py_ssize_t:
        if data[pos] == 10:
            self._end_message()
            return pos + 1
        if data[pos] == 13 and len(data) - pos > 1 and data[pos + 1] == 10:
            self._end_message()
            return pos + 2
        match = _HEAD_END.search(data, pos, pos + HEAD_MAX)
        if match is None:
            return self._hold(data, pos)
        problems: Problems = []
        fields = read_fields(read_text(data[pos : match.start()]), problems)
        for code, detail in problems:
            self._note(code, detail)
        assert self._message is not None
        self._message.trailers = self._messages.log.keep(fields, match.start() - pos, self.frame) or []
        self._end_message()
        return match.end()

    def _seek(self, data: bytes, pos: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Continue at the next start line in `data`. Without one, hold the last bytes, in which one may begin."""
        start = self._find_request(data, pos) if self._side == CLIENT else self._find_response(data, pos)
        if start < 0:
            tail = START_LINE_MAX if self._side == CLIENT else 16
            self._held += data[max(pos, len(data) - tail) :]
            self._n_scanned = 0
            return len(data)
        self._state = _HEAD
        self._messages.found(self._side)
        return start

    @staticmethod
    def _find_request(data: bytes, pos: cython.Py_ssize_t) -> cython.Py_ssize_t:
        low = pos
        while True:
            version = data.find(b" HTTP/1.", pos)
            if version < 0:
                return -1
            pos = version + 1
            end = _VERSION_END.match(data, version)
            blank = data.rfind(b" ", max(low, version - START_LINE_MAX), version)
            if end is None or blank < 0 or version - blank < 2 or _LINE_BREAK.search(data, blank, version) is not None:
                continue
            method = _METHOD_BEFORE.search(data, max(low, blank - 20), blank)
            if method is not None:
                return method.start()

    @staticmethod
    def _find_response(data: bytes, pos: cython.Py_ssize_t) -> cython.Py_ssize_t:
        while True:
            pos = data.find(b"HTTP/1.", pos)
            if pos < 0 or _STATUS_START.match(data, pos) is not None:
                return pos
            pos += 1
