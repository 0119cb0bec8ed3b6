"""Reads the frames of one HTTP/2 connection as fields (RFC 9113 sections 4.1 and 6)."""

from struct import Struct

from analyzer.application import http2_frames as frames
from analyzer.application.exchange import CLIENT, SERVER
from analyzer.filters.decrypted_streams import StreamReader
from analyzer.filters.frame_view import Found
from analyzer.filters.packet_values import Occurrence

_FLAGS = {
    "http2.flags.end_stream": (frames.END_STREAM, {frames.DATA, frames.HEADERS}),
    "http2.flags.eh": (frames.END_HEADERS, {frames.HEADERS, frames.PUSH_PROMISE, frames.CONTINUATION}),
    "http2.flags.padded": (frames.PADDED, {frames.DATA, frames.HEADERS, frames.PUSH_PROMISE}),
    "http2.flags.priority": (frames.PRIORITIZED, {frames.HEADERS}),
    "http2.flags.ack.settings": (frames.ACK, {frames.SETTINGS}),
    "http2.flags.ack.ping": (frames.ACK, {frames.PING}),
}
"""The bit of each flag, and the types of frames that have it."""

_SETTINGS = {
    1: "header_table_size",
    2: "enable_push",
    3: "max_concurrent_streams",
    4: "initial_window_size",
    5: "max_frame_size",
    6: "max_header_list_size",
}
_UNUSED = {
    frames.DATA: ("_data", 0xF6),
    frames.HEADERS: ("_headers", 0xD2),
    frames.RST_STREAM: ("", 0xFF),
    frames.SETTINGS: ("_settings", 0xFE),
    frames.PING: ("_ping", 0xFE),
    frames.GOAWAY: ("", 0xFF),
    frames.WINDOW_UPDATE: ("", 0xFF),
}
"""How the field with the flags that a type of frame does not have is called, and their bits."""

MAX_DATA = 1 << 20
"""Longest content of a DATA frame that is a value, in bytes."""

_SETTING = Struct(">HI")
_RESERVED = 0x7FFFFFFF


class Http2FrameReader(StreamReader):
    """Takes the frames of both sides of a connection (`http2_frames.Frames`)."""

    def __init__(self) -> None:
        self._found: Found = {}
        self._readers = [frames.FrameReader(self, side, side == CLIENT) for side in (CLIENT, SERVER)]
        self._begun = False
        self._length = 0
        self._data = b""
        self._n_ended = 0
        self.complete: list[int] = []

    def feed(self, role: int, data: bytes, found: Found) -> None:
        """Take the next bytes of a side."""
        self._found = found
        if role == CLIENT and not self._begun:
            self._begun = True
            if data.startswith(frames.PREFACE):
                self._add_frame()
                self._add("http2.magic", frames.PREFACE.decode("ascii"))
        reader = self._readers[role]
        begun, self._n_ended, self.complete = reader.within, 0, []
        reader.feed(data)
        self.n_readings = min(self._n_ended, 2 if begun else 1)

    def gap(self, role: int) -> None:
        """Search the next frame behind missing bytes."""
        self._readers[role].gap(None)

    def begin_data(self, side: int, flags: int, stream: int, length: int) -> None:
        """Keep the length of a DATA frame."""
        self._length = length
        self._data = b""

    def read_data(self, side: int, stream: int, data: bytes) -> None:
        """Keep the content of a DATA frame, without its padding."""
        if len(self._data) <= MAX_DATA:
            self._data += data

    def lose_data(self, side: int, stream: int, length: int) -> None:
        """Its content is no field."""

    def end_data(self, side: int, flags: int, stream: int) -> None:
        """Add a DATA frame."""
        self._add("http2.length", self._length)
        self._add_header(frames.DATA, flags, stream)
        if flags & frames.END_STREAM:
            self.complete.append(stream)
        if len(self._data) <= MAX_DATA:
            self._add("http2.pad_length", self._length - len(self._data) - 1 if flags & frames.PADDED else 0)
            if self._data:
                self._add("http2.data.data", self._data)
        self._data = b""

    def read_frame(self, side: int, kind: int, flags: int, stream: int, payload: bytes) -> None:
        """Add any other frame. Of a type that RFC 9113 does not have, the payload is not passed on."""
        if kind <= frames.CONTINUATION:
            self._add("http2.length", len(payload))
        self._add_header(kind, flags, stream)
        if kind == frames.SETTINGS:
            for at in range(0, len(payload) - 5, 6):
                self._add_setting(*_SETTING.unpack_from(payload, at))
        elif kind == frames.RST_STREAM and len(payload) >= 4:
            self._add("http2.rst_stream.error", int.from_bytes(payload[:4]))
        elif kind == frames.GOAWAY and len(payload) >= 8:
            self._add("http2.goaway.last_stream_id", int.from_bytes(payload[:4]) & _RESERVED)
            self._add("http2.goaway.error", int.from_bytes(payload[4:8]))
        elif kind == frames.WINDOW_UPDATE and len(payload) >= 4:
            self._add("http2.window_update.r", payload[0] >> 7)
            self._add("http2.window_update.window_size_increment", int.from_bytes(payload[:4]) & _RESERVED)
        elif kind == frames.HEADERS:
            self._add_priority(flags, payload)
        elif kind == frames.PING:
            self._add("http2.pong" if flags & frames.ACK else "http2.ping", payload)

    def lose_frames(self, side: int, why: str) -> None:
        """The frames that are missing have no fields."""

    def note(self, side: int, code: str, detail: str) -> None:
        """Findings are not for filters of frames."""

    def _add(self, name: str, value: object) -> None:
        self._found.setdefault(name, []).append(Occurrence(value, None, 1))  # type: ignore[arg-type]

    def _add_frame(self) -> None:
        self._found.setdefault("http2", []).append(Occurrence(b"", b"", 1))
        self._add("http2.stream", None)

    def _add_header(self, kind: int, flags: int, stream: int) -> None:
        self._n_ended += 1
        self._add_frame()
        self._add("http2.type", kind)
        self._add("http2.flags", flags)
        self._add("http2.streamid", stream)
        self._add("http2.r", 0)
        if kind in _UNUSED:
            self._add(f"http2.flags.unused{_UNUSED[kind][0]}", flags & _UNUSED[kind][1])
        for name, (bit, kinds) in _FLAGS.items():
            if kind in kinds:
                self._add(name, bool(flags & bit))

    def _add_priority(self, flags: int, payload: bytes) -> None:
        """Add what stands before the header section of a HEADERS frame (RFC 9113 section 6.2)."""
        at = 1 if flags & frames.PADDED else 0
        self._add("http2.pad_length", payload[0] if at and payload else 0)
        if flags & frames.PRIORITIZED and len(payload) - at >= 5:
            depends = int.from_bytes(payload[at : at + 4])
            self._add("http2.exclusive", bool(depends >> 31))
            self._add("http2.stream_dependency", depends & _RESERVED)
            self._add("http2.headers.weight", payload[at + 4])
            self._add("http2.headers.weight_real", payload[at + 4] + 1)

    def _add_setting(self, number: int, value: int) -> None:
        self._add("http2.settings", None)
        self._add("http2.settings.id", number)
        if number in _SETTINGS:
            self._add(f"http2.settings.{_SETTINGS[number]}", value)
