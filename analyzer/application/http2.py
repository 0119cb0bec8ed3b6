"""Reads HTTP/2 (RFC 9113) with HPACK (RFC 7541), in both directions of a connection, passively.

Frames of many streams are mixed; each stream has one exchange. After a gap, or a field section that cannot be read, the later
field sections of that direction are not decoded (`http2_sections`). Their streams, bodies and frames are still reported. Flow
control is not checked.

A passive reader does not know when a SETTINGS frame took effect. Limits count as announced from that frame on.
"""

from struct import Struct
from typing import Final, NamedTuple

from analyzer.application import http2_frames as frames
from analyzer.application.exchange import CLIENT, NAMES, SERVER, ConversationLog, Exchange, Request, Response
from analyzer.application.header_fields import read_text, shown
from analyzer.application.http2_frames import FrameReader
from analyzer.application.http2_sections import SECTION_FRAMES, FieldSections, Section
from analyzer.application.pseudo_fields import Origin, begin_request, begin_response, unknown_request, unknown_response
from analyzer.application.websocket import WebSocket
from analyzer.codec.registry import registry

STREAMS_MAX: Final = 1024
"""Maximum number of streams open at one time; beyond it the oldest is dropped. Servers allow 100 to 256."""

_SETTING: Final = Struct(">HI")
_U32: Final = Struct(">I")

_HEADER_TABLE_SIZE, _ENABLE_PUSH, _INITIAL_WINDOW_SIZE, _MAX_FRAME_SIZE = 1, 2, 4, 5


class _Stream:
    """One stream. `ended`: for each side whether it has sent its last frame."""

    __slots__ = ("ended", "exchange", "lengths", "tunnel")

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.ended = [False, False]
        self.lengths: list[int | None] = [None, None]
        self.tunnel: WebSocket | None = None


class _Unasked(NamedTuple):
    """What the server sent on a stream before the client did: the sentence for it, its frame, and the error of a reset."""

    what: str
    frame: int
    reset: str | None = None


class _Direction:
    """State of one side: its frames, its field sections, and the current frame and time of the capture."""

    __slots__ = ("at", "frame", "reader", "sections")

    def __init__(self, owner: "Http2", side: int) -> None:
        self.reader = FrameReader(owner, side, preface=side == CLIENT)
        self.sections = FieldSections(owner, side)
        self.frame = 0
        self.at = 0


class Http2:
    """An HTTP/2 conversation."""

    kind = "h2"

    def __init__(self, log: ConversationLog) -> None:
        self._log = log
        self._directions: tuple[_Direction, ...] = (_Direction(self, CLIENT), _Direction(self, SERVER))
        self._streams: dict[int, _Stream] = {}
        self._highest = [0, 0]
        self._unasked: dict[int, _Unasked] = {}

    def adopt(self, exchange: Exchange, settings: bytes) -> None:
        """Continue an HTTP/1.1 request with `Upgrade: h2c` (RFC 7540 section 3.2). It becomes stream 1, and its 101 an interim
        response."""
        if exchange.response is not None:
            exchange.interim.append(exchange.response)
            exchange.response = None
        exchange.stream = 1
        stream = _Stream(exchange)
        stream.ended[CLIENT] = True
        self._streams[1] = stream
        self._highest[CLIENT] = 1
        self._read_settings(CLIENT, 0, settings)

    def feed(self, side: int, data: bytes, frame: int, at: int) -> None:
        """Take the next bytes of one side."""
        direction = self._directions[side]
        direction.frame = frame
        direction.at = at
        direction.reader.feed(data)

    def gap(self, side: int, length: int | None) -> None:
        """Handle missing bytes. length: None if it is not known."""
        self._directions[side].reader.gap(length)

    def close(self) -> None:
        """Handle the end of both sides. Open exchanges stay incomplete."""
        for direction in self._directions:
            direction.reader.close()
        for number, unasked in self._unasked.items():
            self._log.note("bad_stream", unasked.what, unasked.frame)
            found = self._streams.get(number)
            if found is not None and found.ended[SERVER]:
                self._streams.pop(number)
        self._unasked.clear()
        for stream in self._streams.values():
            self._abandon(stream)
        self._streams.clear()
        self._directions = ()  # they refer back to this object

    def note(self, side: int, code: str, detail: str) -> None:
        """Add a finding."""
        self._log.note(code, detail, self._directions[side].frame)

    def lose_frames(self, side: int, why: str) -> None:
        """Handle missing frames: this side's header table is lost too, and perhaps a part of each of its bodies."""
        self._directions[side].sections.lose(why)
        for stream in self._streams.values():
            message = stream.exchange.request if side == CLIENT else stream.exchange.response
            if message is not None and not stream.ended[side]:
                message.body.lose()

    # DATA

    def begin_data(self, side: int, flags: int, stream: int, length: int) -> None:
        """Handle the begin of a DATA frame."""
        self._directions[side].sections.check()
        if stream in self._streams:
            if self._streams[stream].ended[side] and not self._lacks(side):
                self.note(side, "frame_after_end", f"DATA after the end of stream {stream}")
            return
        if stream == 0 or not (self._is_old(stream) or self._lacks(side)):
            self.note(side, "bad_stream", f"DATA on stream {stream}, which nobody opened")

    def read_data(self, side: int, stream: int, data: bytes) -> None:
        """Take content of a stream."""
        found = self._streams.get(stream)
        if found is None or found.ended[side]:
            return
        direction = self._directions[side]
        if found.tunnel is not None:
            found.tunnel.feed(side, data, direction.frame, direction.at)
            return
        message = self._message(found, side)
        if message.body.plain:
            message.body.skip(len(data))
        else:
            message.body.feed(data, direction.frame)

    def lose_data(self, side: int, stream: int, length: int) -> None:
        """Handle missing content of a stream."""
        found = self._streams.get(stream)
        if found is not None and not found.ended[side]:
            if found.tunnel is not None:
                found.tunnel.gap(side, length)
            else:
                self._message(found, side).body.lose()

    def end_data(self, side: int, flags: int, stream: int) -> None:
        """Handle the end of a DATA frame, which may also end the message."""
        found = self._streams.get(stream)
        if found is not None and flags & frames.END_STREAM and not found.ended[side]:
            self._end_side(stream, found, side)

    # The other frames

    def read_frame(self, side: int, kind: int, flags: int, stream: int, payload: bytes) -> None:
        """Read one frame that is not DATA."""
        sections = self._directions[side].sections
        if kind in SECTION_FRAMES:
            section = sections.read(kind, flags, stream, payload)
            if section is not None:
                self._end_section(side, section)
            return
        sections.check()
        if kind == frames.SETTINGS:
            self._read_settings(side, flags, payload, stream)
        elif kind == frames.RST_STREAM:
            self._read_reset(side, stream, payload)
        elif kind == frames.GOAWAY:
            self._read_goaway(side, stream, payload)
        elif kind == frames.WINDOW_UPDATE:
            if len(payload) != 4:
                self.note(side, "bad_frame_size", f"WINDOW_UPDATE of {len(payload)} bytes")
            elif not _U32.unpack(payload)[0] & 0x7FFFFFFF:
                self.note(side, "bad_window_update", f"an increment of 0 on stream {stream}")
        elif kind == frames.PING:
            if len(payload) != 8 or stream:
                self.note(side, "bad_ping", f"PING of {len(payload)} bytes on stream {stream}")
        elif kind == frames.PRIORITY and (len(payload) != 5 or not stream):
            self.note(side, "bad_priority", f"PRIORITY of {len(payload)} bytes on stream {stream}")

    def _read_settings(self, side: int, flags: int, payload: bytes, stream: int = 0) -> None:
        if stream or len(payload) % 6 or (flags & frames.ACK and payload):
            self.note(side, "bad_settings", f"SETTINGS of {len(payload)} bytes on stream {stream}, flags 0x{flags:02x}")
            return
        other = self._directions[1 - side]
        for pos in range(0, len(payload), 6):
            setting, value = _SETTING.unpack_from(payload, pos)
            if setting == _HEADER_TABLE_SIZE:
                other.sections.table_max = max(other.sections.table_max, value)
            elif setting == _MAX_FRAME_SIZE and 1 << 14 <= value < 1 << 24:
                other.reader.length_max = max(other.reader.length_max, value)
            elif (
                setting == _MAX_FRAME_SIZE
                or (setting == _ENABLE_PUSH and value > 1)
                or (setting == _INITIAL_WINDOW_SIZE and value >> 31)
            ):
                self.note(side, "bad_settings", f"the value of {registry('http2_settings').name(setting)} is {value}")

    def _read_reset(self, side: int, stream: int, payload: bytes) -> None:
        if len(payload) != 4 or not stream:
            self.note(side, "bad_reset", f"RST_STREAM of {len(payload)} bytes on stream {stream}")
            return
        found = self._streams.pop(stream, None)
        reset = registry("http2_error_codes").name(_U32.unpack(payload)[0])
        if found is None:
            if not self._is_old(stream) and not self._lacks(_initiator(stream)):
                what = f"RST_STREAM on stream {stream}, which nobody opened"
                if side == SERVER and stream & 1 and len(self._unasked) < STREAMS_MAX:
                    self._unasked.setdefault(stream, _Unasked(what, self._directions[side].frame, reset))
                else:
                    self.note(side, "bad_stream", what)
            return
        found.exchange.reset = reset
        self._abandon(found)

    def _read_goaway(self, side: int, stream: int, payload: bytes) -> None:
        if len(payload) < 8 or stream:
            self.note(side, "bad_goaway", f"GOAWAY of {len(payload)} bytes on stream {stream}")
            return
        code = int.from_bytes(payload[4:8], "big")
        if code:
            name = registry("http2_error_codes").name(code)
            debug = f": {shown(read_text(payload[8:]))}" if len(payload) > 8 else ""
            self.note(side, "goaway", f"the {NAMES[side]} gives up with {name}{debug}")

    # Field sections

    def _end_section(self, side: int, section: Section) -> None:
        """Handle a complete field section: by side and stream, it begins a request or a response, or has the trailers of
        one."""
        fields = self._directions[side].sections.decode(bytes(section.data))
        if section.promised:
            stream = self._open(SERVER, section.promised)
            stream.exchange.pushed = True
            begin_request(self._log, stream.exchange, fields, len(section.data), self._origin(SERVER))
            stream.ended[CLIENT] = True
            return
        found = self._streams.get(section.stream)
        unasked = self._unasked.pop(section.stream, None) if side == CLIENT else None
        reset = None if unasked is None else unasked.reset
        if unasked is not None:
            self._highest[CLIENT] = max(self._highest[CLIENT], section.stream)
        if found is None:
            if reset is None and self._is_old(section.stream) and not self._lacks(1 - side):
                return  # The stream was reset; the frame was sent before the reset arrived.
            if side == CLIENT and not section.stream & 1:
                self.note(side, "bad_stream", f"a client opens stream {section.stream}")
            waits = side == SERVER and not self._lacks(_initiator(section.stream)) and len(self._unasked) < STREAMS_MAX
            if waits:  # a capture can have the two sides in another order: the request may come later
                what = f"a response on stream {section.stream}, which nobody opened"
                self._unasked.setdefault(section.stream, _Unasked(what, self._directions[side].frame))
            found = self._open(side, section.stream, not waits)
            found.exchange.reset = reset
            if side == SERVER and not waits:
                found.ended[CLIENT] = True
        if found.ended[side]:
            if not self._lacks(side):
                self.note(side, "frame_after_end", f"HEADERS after the end of stream {section.stream}")
            return
        begins = (found.exchange.request if side == CLIENT else found.exchange.response) is None
        if side == CLIENT and begins:
            length = begin_request(self._log, found.exchange, fields, len(section.data), self._origin(CLIENT))
            found.lengths[CLIENT] = length
        elif begins:
            length, found.tunnel = begin_response(self._log, found.exchange, fields, len(section.data), self._origin(SERVER))
            found.lengths[SERVER] = length
        elif fields is not None:
            kept = self._log.keep(fields, len(section.data), self._directions[side].frame)
            self._message(found, side).trailers = kept or []
            if not section.end_stream:
                self.note(side, "bad_trailers", f"trailers that do not end stream {section.stream}")
        if section.end_stream:
            if begins and fields is None and self._lacks(side):  # it can be trailers, behind lost content
                self._message(found, side).body.lose()
            self._end_side(section.stream, found, side)

    def _origin(self, side: int) -> Origin:
        direction = self._directions[side]
        return Origin("2", direction.frame, direction.at)

    # Streams

    def _is_old(self, stream: int) -> bool:
        """Return whether a stream with this number was ever open: numbers only increase."""
        return 0 < stream <= self._highest[_initiator(stream)]

    def _lacks(self, side: int) -> bool:
        """Return whether frames of a side are missing, so that it can have opened and ended any stream."""
        return self._directions[side].sections.lossy

    def _open(self, side: int, number: int, begun: bool = True) -> _Stream:
        """Open a stream. begun: whether its initiator has surely begun it, and so all with lower numbers that it will."""
        frame = self._directions[side].frame
        if len(self._streams) >= STREAMS_MAX:
            oldest = next(iter(self._streams))
            self._abandon(self._streams.pop(oldest))
            self._log.note("too_many_streams", f"{STREAMS_MAX} streams are open; stream {oldest} is given up", frame)
        exchange = Exchange(stream=number)
        self._log.add(exchange, frame)
        stream = self._streams[number] = _Stream(exchange)
        initiator = _initiator(number)
        if begun:
            self._highest[initiator] = max(self._highest[initiator], number)
        return stream

    def _message(self, stream: _Stream, side: int) -> Request | Response:
        """Return one side's message. If its header section was not seen, its values are not known."""
        exchange = stream.exchange
        known = exchange.request if side == CLIENT else exchange.response
        if known is not None:
            return known
        message: Request | Response
        if side == CLIENT:
            message = exchange.request = unknown_request(self._log, exchange, self._origin(side))
        else:
            message = exchange.response = unknown_response(self._log, exchange, self._origin(side))
        if self._lacks(side):
            message.body.lose()
        return message

    def _end_side(self, number: int, stream: _Stream, side: int) -> None:
        """Handle the last frame of one side of a stream."""
        stream.ended[side] = True
        frame = self._directions[side].frame
        if stream.tunnel is None:
            body = self._message(stream, side).body
            length = stream.lengths[side]
            body.finish(frame)
            if length is not None and length != body.n_wire and body.complete:
                self.note(side, "wrong_content_length", f"stream {number}: {length} announced, {body.n_wire} sent")
        if all(stream.ended):
            self._streams.pop(number, None)
            if stream.tunnel is not None:
                stream.tunnel.close()

    @staticmethod
    def _abandon(stream: _Stream) -> None:
        """Drop a stream whose end will not be seen."""
        exchange = stream.exchange
        if stream.tunnel is not None:
            stream.tunnel.close()
        if exchange.request is not None and not stream.ended[CLIENT]:
            exchange.request.body.lose()
        if exchange.response is not None and not stream.ended[SERVER]:
            exchange.response.body.lose()


def _initiator(stream: int) -> int:
    """Return which side opens streams with such numbers (RFC 9113 section 5.1.1)."""
    return CLIENT if stream & 1 else SERVER
