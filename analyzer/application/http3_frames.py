"""Finds the frames of HTTP/3 in one direction of a stream (RFC 9114 section 7).

A frame has a type and a length, both of variable length. DATA is passed on in pieces, frames with a meaning are passed on
whole, and others are skipped. Missing bytes within one frame do not hide the next: its place is known by the length. If a
frame's header may be among the missing bytes, nothing marks the next frame: what follows in this direction is unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.codec.varint import read_varint

if TYPE_CHECKING:
    import cython

DATA: Final = 0x00
HEADERS: Final = 0x01
CANCEL_PUSH: Final = 0x03
SETTINGS: Final = 0x04
PUSH_PROMISE: Final = 0x05
GOAWAY: Final = 0x07
ORIGIN: Final = 0x0C
MAX_PUSH_ID: Final = 0x0D
WEBTRANSPORT_STREAM: Final = 0x41
PRIORITY_UPDATE_REQUEST: Final = 0xF0700
PRIORITY_UPDATE_PUSH: Final = 0xF0701

KEPT: Final = frozenset(
    {
        HEADERS, CANCEL_PUSH, SETTINGS, PUSH_PROMISE, GOAWAY, ORIGIN, MAX_PUSH_ID,
        PRIORITY_UPDATE_REQUEST, PRIORITY_UPDATE_PUSH,
    }
)  # fmt: skip
"""The types of frames that are passed on whole."""

FRAME_KEPT_MAX: Final = 1 << 17
"""Maximum bytes of a frame that is passed on whole; a frame may announce 2**62, but only DATA needs such a length."""

_AT_HEADER, _IN_PAYLOAD, _IN_DATA, _IN_SKIPPED, _RAW, _LOST = range(6)
_DATA, _WEBTRANSPORT_STREAM, _FRAME_KEPT_MAX = DATA, WEBTRANSPORT_STREAM, FRAME_KEPT_MAX


class Frames:
    """Takes the frames of one direction of a stream; subclasses override all of it."""

    __slots__ = ()

    def begin_data(self, length: cython.longlong) -> None:
        """Handle the begin of a DATA frame."""

    def read_data(self, data: bytes) -> None:
        """Take a piece of its content."""

    def lose_data(self, length: cython.longlong) -> None:
        """Handle missing content."""

    def read_frame(self, kind: cython.longlong, length: cython.longlong, payload: bytes | None) -> None:
        """Read any other frame. payload: None if it is not one of KEPT, is too long, or bytes of it are missing."""

    def begin_raw(self, session: cython.longlong) -> None:
        """Handle that the rest of the stream has no frames: it belongs to the WebTransport session with this stream ID."""

    def read_raw(self, data: bytes) -> None:
        """Take bytes of such a stream."""

    def lose(self) -> None:
        """Handle that the rest of this direction cannot be read, because bytes are missing."""

    def note(self, code: str, detail: str) -> None:
        """Add a finding."""


class FrameReader:
    """Reads the frames of one direction.

    paused: set it within a call of `read_frame` to stop the reader after that frame, and unset it before the next `feed`.
    webtransport: whether the first frame may be WEBTRANSPORT_STREAM, which has no length, and after which there are no frames.
    """

    __slots__ = ("_frames", "_held", "_kind", "_left", "_length", "_payload", "_state", "paused", "webtransport")

    def __init__(self, frames: Frames, webtransport: cython.bint = False) -> None:
        self._frames = frames
        self._state = _AT_HEADER
        self._held = b""
        self._payload = bytearray()
        self._kind = 0
        self._length = 0
        self._left = 0
        self.paused = False
        self.webtransport = webtransport

    def feed(self, data: bytes) -> cython.Py_ssize_t:
        """Take the next bytes. Return how many were read: not all of them if `paused` was set."""
        n_held: cython.Py_ssize_t = len(self._held)
        if n_held:
            data = self._held + data
            self._held = b""
        pos: cython.Py_ssize_t = 0
        end: cython.Py_ssize_t = len(data)
        while pos < end and not self.paused:
            state: cython.int = self._state
            if state == _AT_HEADER:
                kind = read_varint(data, pos)
                length = None if kind is None else read_varint(data, kind[1])
                if kind is None or length is None:
                    self._held = data[pos:]
                    return end - n_held
                pos = length[1]
                self._begin(kind[0], length[0])
            elif state == _RAW:
                self._frames.read_raw(data[pos:])
                return end - n_held
            elif state == _LOST:
                return end - n_held
            else:
                n: cython.Py_ssize_t = min(self._left, end - pos)
                if state == _IN_DATA:
                    self._frames.read_data(data if n == len(data) else data[pos : pos + n])
                elif state == _IN_PAYLOAD:
                    self._payload += data[pos : pos + n]
                pos += n
                self._left -= n
                self._end_if_complete()
        return pos - n_held

    def gap(self, length: int | None) -> None:
        """Handle missing bytes; their number is None if it is not known."""
        if self._state in (_RAW, _LOST):
            return
        within: cython.bint = length is not None and length <= self._left and self._state != _AT_HEADER
        if not within:
            if self._state == _IN_DATA:
                self._frames.lose_data(self._left)
            self._state = _LOST
            self._held = b""
            self._payload.clear()
            self._frames.lose()
            return
        assert length is not None
        if self._state == _IN_DATA:
            self._frames.lose_data(length)
        elif self._state == _IN_PAYLOAD:
            self._payload.clear()
            self._state = _IN_SKIPPED
        self._left -= length
        self._end_if_complete()

    def begin_raw(self) -> None:
        """Read the rest of this direction as bytes without frames."""
        self._state = _RAW
        self._held = b""

    def end(self) -> None:
        """Handle the end of this direction."""
        if self.within:
            self._frames.note("truncated_frame", "the stream ends within a frame")

    @property
    def within(self) -> bool:
        """Whether a frame has begun that is not complete."""
        return self._state in (_IN_PAYLOAD, _IN_DATA, _IN_SKIPPED) or bool(self._held)

    @property
    def lost(self) -> bool:
        """Whether the rest of this direction cannot be read."""
        return self._state == _LOST

    def _begin(self, kind: cython.longlong, length: cython.longlong) -> None:
        first: cython.bint = self.webtransport
        self.webtransport = False
        if first and kind == _WEBTRANSPORT_STREAM:
            self._state = _RAW
            self._frames.begin_raw(length)
            return
        self._kind = kind
        self._left = self._length = length
        if kind == _DATA:
            self._state = _IN_DATA
            self._frames.begin_data(length)
        elif kind not in KEPT:
            self._state = _IN_SKIPPED
            self._frames.read_frame(kind, length, None)
        elif length > _FRAME_KEPT_MAX:
            self._state = _IN_SKIPPED
            self._frames.note("frame_too_large", f"a frame of {length} bytes is left out")
        else:
            self._state = _IN_PAYLOAD
        self._end_if_complete()

    def _end_if_complete(self) -> None:
        if self._left != 0:
            return
        state: cython.int = self._state
        self._state = _AT_HEADER
        if state == _IN_PAYLOAD:
            payload = bytes(self._payload)
            self._payload.clear()
            self._frames.read_frame(self._kind, self._length, payload)
        elif state == _IN_SKIPPED and self._kind in KEPT:
            self._frames.read_frame(self._kind, self._length, None)
