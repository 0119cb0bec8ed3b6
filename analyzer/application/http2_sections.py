"""Reads the field sections of one direction of HTTP/2 (RFC 9113 sections 4.3 and 6.10): joins their frames, and decodes HPACK.

A section is the payload of HEADERS or PUSH_PROMISE and of the following CONTINUATION frames. No other frame may come between
them. It is compressed (RFC 7541) with a table that sections change. After a gap, or a section that cannot be read, the table is
lost, and no later section of this direction can be decoded.

A passive reader does not know when a SETTINGS frame took effect. Therefore a table may have any size up to TABLE_MAX.
"""

import logging
import re
from struct import Struct
from typing import Final, Protocol

import hpack

from analyzer.application import http2_frames as frames
from analyzer.application.exchange import CLIENT, NAMES, Fields
from analyzer.application.header_fields import read_text, shown

TABLE_MAX: Final = 1 << 20
"""Maximum bytes of an HPACK table; the default is 4 KiB, browsers announce 64 KiB."""

FIELD_BLOCK_MAX: Final = 1 << 17
"""Maximum bytes of one field section before decompression, including all its CONTINUATION frames."""

FIELD_LIST_MAX: Final = 1 << 18
"""Maximum bytes of one field section after decompression, including 32 for each field (RFC 9113 section 6.5.2)."""

CONTINUATIONS_MAX: Final = 1024
"""Maximum number of frames of one field section: empty frames need time, but no bytes."""

KNOWN_MAX: Final = 256
"""Maximum number of field sections of one direction whose fields are cached."""

SECTION_FRAMES: Final = frozenset({frames.HEADERS, frames.PUSH_PROMISE, frames.CONTINUATION})
"""The types of frames that contain field sections."""

_INDEXED_ONLY: Final = re.compile(rb"[\x81-\xfe]{1,64}\Z")
"""A short section of indexed fields only, one byte each (RFC 7541 section 6.1). It does not change the table."""

_U32: Final = Struct(">I")

# hpack logs every field at the level DEBUG, and formats the text only if that level is enabled. It must stay disabled.
logging.getLogger("hpack").setLevel(logging.WARNING)


class Notes(Protocol):
    """Keeps findings."""

    def note(self, side: int, code: str, detail: str) -> None:
        """Add a finding about one side."""


class Section:
    """A field section that is being received. `promised`: the stream that a PUSH_PROMISE opens, otherwise 0."""

    __slots__ = ("data", "end_stream", "n_frames", "promised", "stream")

    def __init__(self, stream: int, promised: int, end_stream: bool, data: bytes) -> None:
        self.stream = stream
        self.promised = promised
        self.end_stream = end_stream
        self.data = bytearray(data)
        self.n_frames = 1


class FieldSections:
    """The field sections of one direction. No method raises an exception: errors become findings of `owner`.

    lossy: whether frames of this direction are missing. table_max: size of the table that the other side announced, in bytes.
    """

    __slots__ = ("_cached", "_current", "_decoder", "_owner", "_side", "_table_lost", "lossy", "table_max")

    def __init__(self, owner: Notes, side: int) -> None:
        self.lossy = False
        self.table_max = 4096
        self._owner = owner
        self._side = side
        self._current: Section | None = None
        self._table_lost = False
        # Created with the first field section, and dropped when the table is lost.
        self._decoder: hpack.Decoder | None = None
        # The fields of sections that contain only references to the table, as long as the table does not change.
        self._cached: dict[bytes, Fields] = {}

    def lose(self, why: str) -> None:
        """Handle frames that are missing or cannot be read: the header table is lost too."""
        self._current = None
        self.lossy = True
        if not self._table_lost:
            self._table_lost = True
            self._decoder = None
            self._note("header_table_lost", f"{why}: the {NAMES[self._side]}'s later field sections cannot be decoded")

    def check(self) -> None:
        """Check a frame that is not CONTINUATION: none may come between the frames of a section (RFC 9113 section 6.10)."""
        section = self._current
        if section is not None:
            self._note("broken_field_section", f"another frame within the field section of stream {section.stream}")
            self.lose("a field section has no end")

    def read(self, kind: int, flags: int, stream: int, payload: bytes) -> Section | None:
        """Read a frame of one of SECTION_FRAMES. Return the section that it ends; None if the section continues or is
        malformed."""
        if kind == frames.CONTINUATION:
            section = self._read_continuation(stream, payload)
        else:
            if self._current is not None:
                self.check()
            if kind == frames.HEADERS:
                section = self._read_headers(flags, stream, payload)
            else:
                section = self._read_push_promise(flags, stream, payload)
        if flags & frames.END_HEADERS:
            self._current = None
            return section
        self._current = section
        return None

    def decode(self, data: bytes) -> Fields | None:
        """Return the fields of a complete section, including pseudo-header fields; None if it cannot be decoded."""
        if self._table_lost:
            return None
        cached = self._cached.get(data)
        if cached is not None:
            return cached[:]
        if self._decoder is None:
            self._decoder = hpack.Decoder(max_header_list_size=FIELD_LIST_MAX)
            self._decoder.max_allowed_table_size = TABLE_MAX
        try:
            section = self._decoder.decode(data, raw=True)
        except hpack.HPACKError as error:
            self._note("malformed_field_section", shown(str(error)))
            self.lose("a field section cannot be read")
            return None
        size = self._decoder.header_table_size
        if size > self.table_max:
            self._note("large_header_table", f"a table of {size} bytes, where {self.table_max} are announced")
            self.table_max = size
        fields = [(read_text(name), read_text(value)) for name, value in section]
        if _INDEXED_ONLY.match(data) is None:
            self._cached.clear()
        elif len(self._cached) < KNOWN_MAX:
            self._cached[data] = fields[:]
        return fields

    def _read_headers(self, flags: int, stream: int, payload: bytes) -> Section | None:
        """Read HEADERS (RFC 9113 section 6.2)."""
        block = _strip(payload, flags, 5 if flags & frames.PRIORITIZED else 0)
        if block is None or not stream:
            self._note("bad_headers", f"HEADERS of {len(payload)} bytes on stream {stream}, flags 0x{flags:02x}")
            self.lose("a field section cannot be read")
            return None
        return Section(stream, 0, bool(flags & frames.END_STREAM), block)

    def _read_push_promise(self, flags: int, stream: int, payload: bytes) -> Section | None:
        """Read PUSH_PROMISE (RFC 9113 section 6.6), which only a server sends."""
        block = _strip(payload, flags, 4)
        if block is None or not stream or self._side == CLIENT:
            self._note("bad_push_promise", f"PUSH_PROMISE of {len(payload)} bytes on stream {stream}")
            self.lose("a field section cannot be read")
            return None
        start = 1 if flags & frames.PADDED else 0
        promised = _U32.unpack_from(payload, start)[0] & 0x7FFFFFFF
        return Section(stream, promised, True, block)

    def _read_continuation(self, stream: int, payload: bytes) -> Section | None:
        """Read CONTINUATION (RFC 9113 section 6.10)."""
        section = self._current
        if section is None or section.stream != stream:
            if not self.lossy:
                self._note("bad_continuation", f"CONTINUATION on stream {stream} continues nothing")
            self.lose("a field section cannot be read")
            return None
        section.n_frames += 1
        if len(payload) > FIELD_BLOCK_MAX - len(section.data) or section.n_frames > CONTINUATIONS_MAX:
            self._note("long_field_section", f"more than {FIELD_BLOCK_MAX} bytes or {CONTINUATIONS_MAX} frames; left out")
            self.lose("a field section is left out")
            return None
        section.data += payload
        return section

    def _note(self, code: str, detail: str) -> None:
        self._owner.note(self._side, code, detail)


def _strip(payload: bytes, flags: int, n_before: int) -> bytes | None:
    """Return a frame's field block without padding and without the `n_before` bytes before it; None if they do not fit."""
    start, n_padding = 0, 0
    if flags & frames.PADDED:
        if not payload:
            return None
        start, n_padding = 1, payload[0]
    start += n_before
    if start > len(payload) or n_padding > len(payload) - start:
        return None
    return payload[start : len(payload) - n_padding]
