"""How often Wireshark reads TLS in a frame: once for what was put together from several segments, and once for the rest.

A record that a frame only begins is read too; the frames between its first and its last one have nothing (RFC 8446 section
5.1). What is put together ends with the record that began it, or with its segment where those before it do not show the length.
"""

from typing import NamedTuple

from analyzer.filters.frame_view import FrameView
from analyzer.tls.events import RecordRead

MAX_DIRECTIONS = 1 << 14
"""Directions of connections whose next record is remembered; of more, the oldest are forgotten."""

_UNKNOWN = -1
_TCP, _SYN = 6, 2


class Reading(NamedTuple):
    """A part of the stream of a direction that is read at once. stream: the number of its session, from 0 on."""

    start: int
    end: int
    stream: int


class _Place(NamedTuple):
    """Where the next record of a direction begins, and the number of its session."""

    begin: int
    stream: int


class TlsReadings:
    """Finds these readings. found: those of the last frame. It takes every frame, in their order."""

    def __init__(self) -> None:
        self.found: list[Reading] = []
        self._places: dict[bytes, _Place] = {}
        self._streams: dict[int, int] = {}
        self._count = 0

    def take(self, view: FrameView) -> None:
        """Take the next frame."""
        self.found = []
        packet, engine = view.layers.packet, view.engine
        if packet.protocol == _TCP and packet.flags & _SYN:
            self._places.pop(packet.key(), None)  # of an earlier connection with the same ports
        if engine is None or packet.payload == packet.payload_end:
            return
        key = packet.key()
        known, other = self._places.get(key), self._places.get(packet.reverse_key())
        records = [event for event in view.events if isinstance(event, RecordRead)]
        if not records and known is None and engine.record_reader() is None:
            return
        offset = engine.stream_offset()
        if offset is None:
            return
        end = offset + packet.payload_end - packet.payload
        if records:
            stream = self._stream_of(records[0].session, known, other)
            self._read(records, offset, end, stream)
            last = records[-1]
            self._remember(key, _Place(last.offset + last.header + last.length, stream))
        elif known is None:
            stream = self._stream_of(_UNKNOWN, known, other)
            self.found.append(Reading(offset, end, stream))
            self._remember(key, _Place(_UNKNOWN, stream))
        elif offset <= known.begin < end:
            self.found.append(Reading(known.begin, end, known.stream))

    def is_known(self, key: bytes) -> bool:
        """Return whether TLS was read in a direction."""
        return key in self._places

    def _read(self, records: list[RecordRead], offset: int, end: int, stream: int) -> None:
        first = records[0]
        if first.offset >= offset:
            self.found.append(Reading(first.offset, end, stream))
            return
        shown = offset - first.offset >= first.header
        middle = first.offset + first.header + first.length if shown else end
        self.found.append(Reading(first.offset, middle, stream))
        if middle < end:
            self.found.append(Reading(middle, end, stream))

    def _stream_of(self, session: int, known: _Place | None, other: _Place | None) -> int:
        """Return the number of a session. One whose first record is not whole is that of the other direction, or a new one."""
        number = self._streams.get(session)
        if number is None and known is not None and known.begin == _UNKNOWN:
            number = known.stream
        if number is None and session == _UNKNOWN and other is not None:
            return other.stream
        if number is None:
            number, self._count = self._count, self._count + 1
        if session != _UNKNOWN:
            if len(self._streams) >= MAX_DIRECTIONS:
                del self._streams[next(iter(self._streams))]
            self._streams[session] = number
        return number

    def _remember(self, key: bytes, place: _Place) -> None:
        if key not in self._places and len(self._places) >= MAX_DIRECTIONS:
            del self._places[next(iter(self._places))]
        self._places[key] = place
