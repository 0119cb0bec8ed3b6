"""Reads the control stream of one side of HTTP/3 (RFC 9114 sections 6.2.1 and 7.2): SETTINGS, GOAWAY, and what concerns pushes.

PRIORITY_UPDATE (RFC 9218 section 7.2) is checked, and otherwise has no effect here: priorities do not change what is sent.
"""

from collections.abc import Callable
from typing import Final

from analyzer.application import http3_frames as frames
from analyzer.application.exchange import CLIENT, NAMES
from analyzer.application.http3_frames import FrameReader, Frames
from analyzer.application.http3_stream import RESERVED
from analyzer.codec.registry import registry
from analyzer.codec.varint import read_varint

QPACK_MAX_TABLE_CAPACITY: Final = 0x01
SETTINGS_MAX: Final = 1024
"""Maximum number of settings of one side that are kept; a dozen are registered."""

_RESERVED_SETTINGS: Final = frozenset({0x00, 0x02, 0x03, 0x04, 0x05})
_BOOLEAN_SETTINGS: Final = frozenset({0x08, 0x33})
_ON_REQUEST_STREAMS: Final = frozenset({frames.HEADERS, frames.PUSH_PROMISE})
_OF_CLIENTS: Final = frozenset({frames.MAX_PUSH_ID, frames.PRIORITY_UPDATE_REQUEST, frames.PRIORITY_UPDATE_PUSH})
_ONE_NUMBER: Final = frozenset({frames.CANCEL_PUSH, frames.GOAWAY, frames.MAX_PUSH_ID})

Note = Callable[[str, str, int], None]
"""Called with each finding: code, detail, frame."""

OnSettings = Callable[[int, dict[int, int] | None, int], None]
"""Called once with the side, its settings by identifier (None if they cannot be read), and the frame."""


class ControlStream(Frames):
    """The control stream of one side (`http3_frames.Frames`)."""

    __slots__ = ("_frame", "_goaway", "_has_settings", "_note", "_on_settings", "_push_max", "_reader", "_side")

    def __init__(self, side: int, note: Note, on_settings: OnSettings) -> None:
        self._side = side
        self._note = note
        self._on_settings = on_settings
        self._reader = FrameReader(self)
        self._frame = 0
        self._has_settings = False
        self._goaway: int | None = None
        self._push_max = -1

    def feed(self, data: bytes, end: bool, frame: int, at: int) -> None:
        """Take the next bytes. end: whether they are the last, which is never allowed."""
        self._frame = frame
        self._reader.feed(data)
        if end:
            self.note("closed_critical_stream", f"the {NAMES[self._side]} ends its control stream")

    def gap(self, length: int | None) -> None:
        """Handle missing bytes; their number is None if it is not known."""
        self._reader.gap(length)

    def note(self, code: str, detail: str) -> None:
        """Add a finding."""
        self._note(code, detail, self._frame)

    # Frames

    def begin_data(self, length: int) -> None:
        """Handle the begin of DATA, which does not belong here."""
        self._check_first()
        self._misplaced("DATA")

    def read_data(self, data: bytes) -> None:
        """Ignore its content."""

    def lose_data(self, length: int) -> None:
        """Ignore its content."""

    def begin_raw(self, session: int) -> None:
        """Ignore WebTransport, which has no stream of this kind."""

    def read_raw(self, data: bytes) -> None:
        """Ignore WebTransport."""

    def lose(self) -> None:
        """Handle that the rest cannot be read."""
        if not self._has_settings:
            self._has_settings = True
            self._on_settings(self._side, None, self._frame)

    def read_frame(self, kind: int, length: int, payload: bytes | None) -> None:
        """Read a frame."""
        if kind == frames.SETTINGS:
            self._read_settings(payload)
            return
        self._check_first()
        if kind in _ON_REQUEST_STREAMS or kind in RESERVED or (kind in _OF_CLIENTS and self._side != CLIENT):
            self._misplaced(registry("http3_frame_types").name(kind))
        elif payload is None:
            return
        elif kind in _ONE_NUMBER:
            number = read_varint(payload, 0)
            if number is None or number[1] != len(payload):
                self._bad_frame(kind, payload)
            elif kind == frames.GOAWAY:
                self._read_goaway(number[0])
            elif kind == frames.MAX_PUSH_ID:
                if number[0] < self._push_max:
                    self.note("bad_frame_value", f"MAX_PUSH_ID goes back from {self._push_max} to {number[0]}")
                self._push_max = max(self._push_max, number[0])
        elif kind in (frames.PRIORITY_UPDATE_REQUEST, frames.PRIORITY_UPDATE_PUSH):
            number = read_varint(payload, 0)
            if number is None or not payload[number[1] :].isascii():
                self._bad_frame(kind, payload)
            elif kind == frames.PRIORITY_UPDATE_REQUEST and number[0] & 3:
                self.note("bad_frame_value", f"PRIORITY_UPDATE for stream {number[0]}, which carries no request")

    def _read_settings(self, payload: bytes | None) -> None:
        if self._has_settings:
            self._misplaced("SETTINGS again")
            return
        self._has_settings = True
        self._on_settings(self._side, None if payload is None else self._settings(payload), self._frame)

    def _settings(self, payload: bytes) -> dict[int, int] | None:
        """Return the settings (RFC 9114 section 7.2.4); None if they are malformed."""
        found: dict[int, int] = {}
        names = registry("http3_settings")
        pos = 0
        while pos < len(payload):
            identifier = read_varint(payload, pos)
            value = None if identifier is None else read_varint(payload, identifier[1])
            if identifier is None or value is None:
                self._bad_frame(frames.SETTINGS, payload)
                return None
            pos = value[1]
            number = identifier[0]
            if number in found:
                self.note("bad_settings", f"{names.name(number)} is there twice")
            elif number in _RESERVED_SETTINGS:
                self.note("bad_settings", f"the setting {names.name(number)} is reserved")
            elif number in _BOOLEAN_SETTINGS and value[0] > 1:
                self.note("bad_settings", f"the value of {names.name(number)} is {value[0]}")
            if len(found) < SETTINGS_MAX:
                found.setdefault(number, value[0])
        return found

    def _read_goaway(self, number: int) -> None:
        """Read GOAWAY (RFC 9114 section 5.2): a server names a request, a client a push; the number never increases."""
        if self._goaway is not None and number > self._goaway:
            self.note("bad_goaway", f"GOAWAY increases from {self._goaway} to {number}")
        elif self._side != CLIENT and number & 3:
            self.note("bad_goaway", f"GOAWAY names stream {number}, which carries no request")
        self._goaway = number

    def _check_first(self) -> None:
        if not self._has_settings:
            self._has_settings = True
            self.note("missing_settings", f"the {NAMES[self._side]}'s control stream does not begin with SETTINGS")
            self._on_settings(self._side, None, self._frame)

    def _bad_frame(self, kind: int, payload: bytes) -> None:
        self.note("bad_frame_size", f"{registry('http3_frame_types').name(kind)} of {len(payload)} bytes")

    def _misplaced(self, what: str) -> None:
        self.note("unexpected_frame", f"the {NAMES[self._side]} sends {what} on its control stream")
