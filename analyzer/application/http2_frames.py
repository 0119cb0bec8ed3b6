"""Finds the frames of HTTP/2 in one direction of a connection (RFC 9113 sections 3.4, 4 and 6).

A header of nine bytes contains the length of the frame, so a bad frame affects no other frame. DATA is passed on in pieces. The
other frames are small, and are passed on whole. The library hyperframe is not used: it needs a copy of each body, and would
only read the header.

After a gap there is no mark for the next frame. It is searched by its form: a header whose type, flags, length and stream are
consistent, followed, after that length, by another such header or by the end of the available data.
"""

import re
from struct import Struct
from typing import Final, Protocol

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""The first bytes that a client sends."""

DATA: Final = 0x00
HEADERS: Final = 0x01
PRIORITY: Final = 0x02
RST_STREAM: Final = 0x03
SETTINGS: Final = 0x04
PUSH_PROMISE: Final = 0x05
PING: Final = 0x06
GOAWAY: Final = 0x07
WINDOW_UPDATE: Final = 0x08
CONTINUATION: Final = 0x09

END_STREAM: Final = 0x01
ACK: Final = 0x01
END_HEADERS: Final = 0x04
PADDED: Final = 0x08
PRIORITIZED: Final = 0x20

FRAME_KEPT_MAX: Final = 1 << 17
"""Maximum bytes of a frame that is passed on whole. A frame may announce 16 MiB, but only DATA needs such a length."""

SEEK_MAX: Final = 1 << 17
"""Maximum bytes that are held while a frame is searched after a gap: several frames of the usual 16 KiB."""

SEEK_HEADERS: Final = 3
"""Number of consecutive headers that must be valid after a gap, if so many are available."""

HEADER_SIZE: Final = 9

_HEADER: Final = Struct(">HBBBI")
_SOME_STREAM: Final = rb"(?!\x00{4})[\x00-\x7f]"
_HEADER_LIKE: Final = re.compile(
    rb"[\x00-\x01](?=[\x00-\xff](?:[\x00-\xff](?:\x00[\x00\x01\x08\x09]" + _SOME_STREAM
    + rb"|\x01[\x00-\x2d]" + _SOME_STREAM
    + rb"|\x05[\x00-\x0c]" + _SOME_STREAM
    + rb"|\x09[\x00\x04]" + _SOME_STREAM
    + rb"|[\x04\x06\x07][\x00\x01]\x00{4}|[\x0a\x0c\x10]\x00[\x00-\x7f])"
    + rb"|\x04[\x03\x08]\x00[\x00-\x7f]|\x05\x02\x00" + _SOME_STREAM + rb"))"
)  # fmt: skip
"""Faster than `_is_header`, which decides. This pattern tries every byte, and consumes one, so it misses no position."""

_FLAGS: Final = {DATA: 0x09, HEADERS: 0x2D, SETTINGS: 0x01, PUSH_PROMISE: 0x0C, PING: 0x01, CONTINUATION: 0x04}
_LENGTHS: Final = {PRIORITY: 5, RST_STREAM: 4, PING: 8, WINDOW_UPDATE: 4}
_ON_NO_STREAM: Final = frozenset({SETTINGS, PING, GOAWAY})
_ON_A_STREAM: Final = frozenset({DATA, HEADERS, PRIORITY, RST_STREAM, PUSH_PROMISE, CONTINUATION})

_AT_PREFACE, _AT_HEADER, _IN_PAYLOAD, _IN_DATA, _IN_SKIPPED, _SEEK = range(6)


class Frames(Protocol):
    """Takes the frames. The side, and the frame and time of the capture, are those of the reader."""

    def begin_data(self, side: int, flags: int, stream: int, length: int) -> None:
        """Handle the begin of a DATA frame."""

    def read_data(self, side: int, stream: int, data: bytes) -> None:
        """Take a piece of its content, without padding."""

    def lose_data(self, side: int, stream: int, length: int) -> None:
        """Handle missing content of known length."""

    def end_data(self, side: int, flags: int, stream: int) -> None:
        """Handle the end of a DATA frame."""

    def read_frame(self, side: int, kind: int, flags: int, stream: int, payload: bytes) -> None:
        """Read any other frame."""

    def lose_frames(self, side: int, why: str) -> None:
        """Handle frames that are missing or cannot be read; they may include field sections."""

    def note(self, side: int, code: str, detail: str) -> None:
        """Add a finding."""


class FrameReader:
    """Reads the frames of one side's stream. `length_max`: the SETTINGS_MAX_FRAME_SIZE that the other side announced."""

    __slots__ = (
        "_flags", "_frames", "_held", "_kind", "_left", "_n_padding", "_pad_known", "_side", "_state", "_stream", "length_max",
    )  # fmt: skip

    def __init__(self, frames: Frames, side: int, preface: bool) -> None:
        """Begin a stream. `preface`: whether it begins with the client's preface."""
        self._frames = frames
        self._side = side
        self._state = _AT_PREFACE if preface else _AT_HEADER
        self._held = b""
        self._kind = 0
        self._flags = 0
        self._stream = 0
        self._left = 0
        self._n_padding = 0
        self._pad_known = True
        self.length_max = 1 << 14

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        if self._state == _IN_PAYLOAD and len(data) < self._left - len(self._held):
            self._held += data
            return
        if self._held:
            data = self._held + data
            self._held = b""
        pos = 0
        end = len(data)
        while pos < end:
            state = self._state
            if state == _IN_DATA:
                pos = self._read_data(data, pos)
            elif state == _AT_HEADER:
                if end - pos < HEADER_SIZE:
                    self._held = data[pos:]
                    return
                self._read_header(data, pos)
                pos += HEADER_SIZE
            elif state == _IN_PAYLOAD:
                if end - pos < self._left:
                    self._held = data[pos:]
                    return
                pos += self._left
                self._end_payload(data[pos - self._left : pos])
            elif state == _IN_SKIPPED:
                n = min(self._left, end - pos)
                pos += n
                self._left -= n
                if self._left == 0:
                    self._state = _AT_HEADER
            elif state == _SEEK:
                found = self._seek(data, pos)
                if found < 0:
                    return
                pos = found
            else:
                pos = self._read_preface(data, pos)

    def gap(self, length: int | None) -> None:
        """Skip missing bytes if they are within a frame that is not needed whole, else search the next frame."""
        state = self._state
        if state == _IN_DATA and self._pad_known and length is not None and length <= self._left:
            n_content = min(length, max(0, self._left - self._n_padding))
            self._frames.lose_data(self._side, self._stream, n_content)
            self._left -= length
            self._end_if_complete()
        elif state == _IN_SKIPPED and length is not None and length <= self._left:
            self._left -= length
            if self._left == 0:
                self._state = _AT_HEADER
        else:
            if state == _IN_DATA:
                self._frames.lose_data(self._side, self._stream, 0)
            if state != _SEEK:
                self._frames.lose_frames(self._side, "bytes are missing")
            self._held = b""
            self._state = _SEEK

    def close(self) -> None:
        """Handle the end of the stream."""
        if self.within:
            self._frames.note(self._side, "truncated_frame", "the stream ends within a frame")

    @property
    def within(self) -> bool:
        """Whether a frame has begun that is not complete."""
        return self._state in (_IN_PAYLOAD, _IN_DATA, _IN_SKIPPED) or (self._state == _AT_HEADER and bool(self._held))

    def _read_preface(self, data: bytes, pos: int) -> int:
        n = min(len(PREFACE), len(data) - pos)
        if data[pos : pos + n] != PREFACE[:n]:
            self._frames.note(self._side, "no_preface", "the client does not begin with HTTP/2's preface")
            self._state = _AT_HEADER if _is_header(data, pos, self.length_max) else _SEEK
            if self._state == _SEEK:
                self._frames.lose_frames(self._side, "the stream begins with something else")
            return pos
        if n < len(PREFACE):
            self._held = data[pos:]
            return len(data)
        self._state = _AT_HEADER
        return pos + n

    def _read_header(self, data: bytes, pos: int) -> None:
        high, low, kind, flags, stream = _HEADER.unpack_from(data, pos)
        length = high << 8 | low
        stream &= 0x7FFFFFFF
        self._kind = kind
        self._flags = flags
        self._stream = stream
        self._left = length
        frames, side = self._frames, self._side
        if length > self.length_max:
            frames.note(side, "frame_too_large", f"a frame of {length} bytes, where {self.length_max} are allowed")
        if kind == DATA:
            self._state = _IN_DATA
            self._n_padding = 0
            self._pad_known = not flags & PADDED
            frames.begin_data(side, flags, stream, length)
            self._end_if_complete()
        elif length <= FRAME_KEPT_MAX and kind <= CONTINUATION:
            self._state = _IN_PAYLOAD
            if length == 0:
                self._end_payload(b"")
        else:
            if kind in (HEADERS, PUSH_PROMISE, CONTINUATION):
                frames.note(side, "frame_too_large", f"a field block of {length} bytes is left out")
                frames.lose_frames(side, "a field block is left out")
            elif kind > CONTINUATION:
                # RFC 9113 section 5.5: unknown types are ignored, but they must not come between the frames of a field section.
                frames.read_frame(side, kind, flags, stream, b"")
            self._state = _IN_SKIPPED if length else _AT_HEADER

    def _end_payload(self, payload: bytes) -> None:
        self._state = _AT_HEADER
        self._frames.read_frame(self._side, self._kind, self._flags, self._stream, payload)

    def _read_data(self, data: bytes, pos: int) -> int:
        if not self._pad_known:
            self._pad_known = True
            self._n_padding = data[pos]
            self._left -= 1
            if self._n_padding > self._left:
                self._frames.note(self._side, "bad_padding", f"{self._n_padding} bytes of padding in {self._left}")
                self._n_padding = self._left
            self._end_if_complete()
            return pos + 1
        n = min(self._left, len(data) - pos)
        n_content = min(n, self._left - self._n_padding)
        if n_content > 0:
            self._frames.read_data(self._side, self._stream, data[pos : pos + n_content])
        self._left -= n
        self._end_if_complete()
        return pos + n

    def _end_if_complete(self) -> None:
        if self._left == 0:
            if not self._pad_known:
                self._frames.note(self._side, "bad_padding", "no room for the length of the padding")
            self._state = _AT_HEADER
            self._frames.end_data(self._side, self._flags, self._stream)

    def _seek(self, data: bytes, pos: int) -> int:
        """Return the position of the next frame in `data`. Return -1 if more data is needed; the part that may contain it is
        held."""
        for match in _HEADER_LIKE.finditer(data, pos):
            start = match.start()
            verdict = _frames_begin(data, start, self.length_max)
            if verdict:
                self._state = _AT_HEADER
                return start
            if verdict is None and len(data) - start < SEEK_MAX:
                self._held = data[start:]
                return -1
        self._held = data[max(pos, len(data) - HEADER_SIZE + 1) :]
        return -1


def _is_header(data: bytes, pos: int, length_max: int) -> bool:
    """Return whether the nine bytes at `pos` can be a frame's header; False if there are fewer."""
    if len(data) - pos < HEADER_SIZE:
        return False
    high, low, kind, flags, stream = _HEADER.unpack_from(data, pos)
    length = high << 8 | low
    return (
        length <= length_max
        and stream <= 0x7FFFFFFF
        and (kind <= CONTINUATION or kind in (0x0A, 0x0C, 0x10))
        and not flags & ~_FLAGS.get(kind, 0)
        and length == _LENGTHS.get(kind, length)
        and (kind != SETTINGS or length % 6 == 0)
        and (stream == 0 or kind not in _ON_NO_STREAM)
        and (stream != 0 or kind not in _ON_A_STREAM)
    )


def _frames_begin(data: bytes, pos: int, length_max: int) -> bool | None:
    """Return whether frames begin at `pos`; None if there is too little data to decide.

    A single header is accepted if its frame ends exactly at the end of the data, because the record that carried it ends there
    too.
    """
    for _ in range(SEEK_HEADERS):
        if len(data) - pos < HEADER_SIZE:
            return None
        if not _is_header(data, pos, length_max):
            return False
        pos += HEADER_SIZE
        length = data[pos - 9] << 16 | data[pos - 8] << 8 | data[pos - 7]
        if length == len(data) - pos:
            return True
        if length > len(data) - pos:
            return None
        pos += length
    return True
