"""The fields of frames of HTTP/3 (RFC 9114 section 7), in the frame of the capture that completes them.

A frame of the capture that only has a part of a frame of HTTP/3 has none of these fields, as in Wireshark. The fields of header
sections are those of `http_fields`.
"""

from typing import Final

from analyzer.application import http3_frames as frames
from analyzer.application.conversation import stream_protocol
from analyzer.codec.varint import read_varint
from analyzer.filters.decrypted_streams import DecryptedStreams, StreamReader
from analyzer.filters.frame_view import Found, FrameView
from analyzer.filters.packet_values import Occurrence

STREAMS_MAX: Final = 4096
"""Directions of streams of one connection that are read at one time; beyond it the oldest is dropped."""

DATA_MAX: Final = 1 << 16
"""Bytes of a DATA frame that are kept as a value."""

_CONTROL, _PUSH = 0, 1
_SETTINGS: Final = {
    0x01: "qpack.max_table_capacity",
    0x06: "max_field_section_size",
    0x07: "qpack.blocked_streams",
    0x08: "extended_connect",
    0x33: "h3_datagram",
}
_UPDATES: Final = frozenset({frames.PRIORITY_UPDATE_REQUEST, frames.PRIORITY_UPDATE_PUSH})


class Http3Fields:
    """The source of the fields of frames of HTTP/3."""

    def __init__(self) -> None:
        self._streams = DecryptedStreams(_begin)
        self.readings = self._streams.readings
        self._found: Found = {}

    def take(self, view: FrameView) -> None:
        """See `Source.take`."""
        self._found = self._streams.take(view)
        self.readings = self._streams.readings

    def find(self, view: FrameView) -> Found:
        """See `Source.find`."""
        return self._found


def _begin(alpn: bytes | None) -> StreamReader | None:
    return _Connection() if alpn is not None and stream_protocol(alpn.decode("utf-8", "replace")) == "h3" else None


class _Connection(StreamReader):
    """Reads all streams of a connection."""

    def __init__(self) -> None:
        self._directions: dict[tuple[int, int], _Direction] = {}

    def feed_stream(self, stream: int, role: int, data: bytes, end: bool, found: Found) -> None:
        """See `StreamReader.feed_stream`."""
        direction = self._directions.get((stream, role))
        if direction is None:
            if len(self._directions) >= STREAMS_MAX:
                del self._directions[next(iter(self._directions))]
            direction = self._directions[stream, role] = _Direction(stream)
        if data:
            begun = direction.within
            direction.feed(data, found)
            self.n_readings = min(direction.n_ended, 2 if begun else 1)
            for _ in range(self.n_readings):
                _add_protocol(found)
        if end:
            del self._directions[stream, role]

    def gap_stream(self, stream: int, role: int, length: int | None) -> None:
        """See `StreamReader.gap_stream`."""
        direction = self._directions.get((stream, role))
        if direction is None:
            direction = self._directions[stream, role] = _Direction(stream)
        direction.gap(length)

    def feed(self, role: int, data: bytes, found: Found) -> None:
        """Take a datagram (RFC 9297 section 2.1)."""
        quarter = read_varint(data, 0)
        if quarter is not None:
            _add_protocol(found)
            self.n_readings = 1
            _add(found, "http3.datagram", None)
            _add(found, "http3.datagram.quarter_stream_id", quarter[0])
            _add(found, "http3.datagram.request_stream_id", 4 * quarter[0])
            _add(found, "http3.datagram.payload", data[quarter[1] :])


class _Direction(frames.Frames):
    """Reads the frames of one side of a stream (`http3_frames.Frames`). n_ended: frames that ended in the last bytes."""

    def __init__(self, stream: int) -> None:
        self._stream = stream
        self._reader: frames.FrameReader | None = None if stream & 2 else frames.FrameReader(self, True)
        self._start = b""
        self._skips = False
        self._shown = False
        self.n_ended = 0
        self._found: Found = {}
        self._length = 0
        self._left = 0
        self._data = bytearray()
        self._cut = False

    def feed(self, data: bytes, found: Found) -> None:
        """Take the next bytes."""
        self._found = found
        self._shown = False
        self.n_ended = 0
        if self._stream & 2:
            self._add("http3.stream.uni", None)
            self.n_ended = int(self._reader is None)  # it begins, or has no frames
        if self._reader is None and not self._skips:
            data = self._begin(self._start + data)
        if self._reader is not None and data:
            self._reader.feed(data)

    @property
    def within(self) -> bool:
        """Whether a frame has begun that is not complete."""
        return self._reader is not None and self._reader.within

    def gap(self, length: int | None) -> None:
        """Handle missing bytes."""
        if self._reader is not None:
            self._reader.gap(length)
        else:
            self._skips = True

    def begin_data(self, length: int) -> None:
        """Begin a DATA frame, whose fields come when it is complete."""
        self._length = self._left = length
        self._data.clear()
        self._cut = length > DATA_MAX
        self._end_if_complete()

    def read_data(self, data: bytes) -> None:
        """Take its content."""
        if not self._cut:
            self._data += data
        self._left -= len(data)
        self._end_if_complete()

    def lose_data(self, length: int) -> None:
        """Handle missing content."""
        self._cut = True
        self._left -= length
        self._end_if_complete()

    def read_frame(self, kind: int, length: int, payload: bytes | None) -> None:
        """Add any other frame."""
        self._add_head(kind, length)
        if payload is None:
            return
        if kind == frames.SETTINGS:
            self._add_settings(payload)
        elif kind == frames.PUSH_PROMISE:
            push = read_varint(payload, 0)
            if push is not None:
                self._add("http3.push_id", push[0])
        elif kind in _UPDATES:
            element = read_varint(payload, 0)
            if element is not None:
                self._add("http3.priority_update_element_id", element[0])
                self._add("http3.priority_update_field_value", payload[element[1] :].decode("ascii", "replace"))

    def begin_raw(self, session: int) -> None:
        """A stream of WebTransport has no frames."""

    def read_raw(self, data: bytes) -> None:
        """Its bytes are no field."""

    def lose(self) -> None:
        """What cannot be read has no fields."""

    def note(self, code: str, detail: str) -> None:
        """Findings are not for filters of frames."""

    def _begin(self, data: bytes) -> bytes:
        """Read the type of a unidirectional stream, and of a push also its number. Return the bytes after them."""
        kind = read_varint(data, 0)
        push = (0, 0) if kind is None or kind[0] != _PUSH else read_varint(data, kind[1])
        if kind is None or push is None:
            self._start = data
            return b""
        self._add("http3.stream_uni_type", kind[0])
        if kind[0] == _PUSH:
            self._add("http3.push_id", push[0])
        if kind[0] not in (_CONTROL, _PUSH):
            self._skips = True
            return b""
        self._reader = frames.FrameReader(self)
        return data[max(kind[1], push[1]) :]

    def _end_if_complete(self) -> None:
        if self._left > 0:
            return
        self._add_head(frames.DATA, self._length)
        if not self._cut and self._length:
            self._add("http3.data", bytes(self._data))
        self._data.clear()

    def _add_head(self, kind: int, length: int) -> None:
        self.n_ended += 1
        if not self._stream & 2 and not self._shown:
            self._shown = True
            self._add("http3.stream", None)
        self._add("http3.frame", None)
        self._add("http3.frame_type", kind)
        self._add("http3.frame_length", length)
        self._add("http3.frame_streamid", self._stream)

    def _add_settings(self, payload: bytes) -> None:
        pos = 0
        while pos < len(payload):
            identifier = read_varint(payload, pos)
            value = None if identifier is None else read_varint(payload, identifier[1])
            if identifier is None or value is None:
                return
            pos = value[1]
            self._add("http3.settings", None)
            self._add("http3.settings.id", identifier[0])
            self._add("http3.settings.value", value[0])
            if identifier[0] in _SETTINGS:
                self._add(f"http3.settings.{_SETTINGS[identifier[0]]}", value[0])

    def _add(self, name: str, value: object) -> None:
        _add(self._found, name, value)


def _add_protocol(found: Found) -> None:
    found.setdefault("http3", []).append(Occurrence(b"", b"", 1))


def _add(found: Found, name: str, value: object) -> None:
    found.setdefault(name, []).append(Occurrence(value, None, 1))  # type: ignore[arg-type]
