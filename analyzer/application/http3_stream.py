"""Reads one request stream or push stream of HTTP/3 (RFC 9114 sections 4.1 and 4.6): its two directions, and their exchange.

A field section may be blocked: it needs entries of the dynamic table that have not arrived. What follows in its direction is
held until then, with its frames and times, because the section decides how the body is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from analyzer.application import http3_frames as frames
from analyzer.application.body import Body
from analyzer.application.capsules import PROTOCOLS, CapsuleReader
from analyzer.application.exchange import CLIENT, NAMES, SERVER, ConversationLog, Exchange, Fields, Request, Response
from analyzer.application.http3_frames import FrameReader, Frames
from analyzer.application.pseudo_fields import Origin, begin_request, begin_response, unknown_request, unknown_response
from analyzer.application.qpack_sections import FieldSections
from analyzer.application.websocket import WebSocket
from analyzer.codec.registry import registry
from analyzer.codec.varint import read_varint

if TYPE_CHECKING:
    import cython

PIECE_COST: Final = 128
"""Memory for a piece that is held in addition to its bytes: an empty one needs memory too."""

_CLIENT, _SERVER = CLIENT, SERVER

RESERVED: Final = frozenset({0x02, 0x06, 0x08, 0x09})
"""Types of frames that only HTTP/2 has (RFC 9114 section 7.2.8)."""


class Connection(Protocol):
    """What a stream needs of its connection."""

    @property
    def log(self) -> ConversationLog:
        """The log of the conversation."""

    @property
    def sections(self) -> tuple[FieldSections, FieldSections]:
        """The field sections of both sides."""

    def block(self, direction: StreamDirection, needs: int) -> None:
        """Remember a direction, and call its `resume` when so many entries were inserted, or when none will come."""

    def hold(self, side: int, n_bytes: int) -> None:
        """Count bytes that are held, or with a negative number are no longer held. It may call `resume` of any direction."""

    def promise(self, push: int, fields: Fields | None, n_bytes: int, origin: Origin) -> None:
        """Handle the request of a push."""

    def close_stream(self, stream: MessageStream) -> None:
        """Handle that both directions of a stream have ended."""


class _Piece(NamedTuple):
    """Bytes that are held, and whether the direction ends after them. data: None for a gap of `length` bytes."""

    data: bytes | None
    length: int | None
    end: bool
    frame: int
    at: int


class _Section(NamedTuple):
    """A field section that is blocked. push: the push that it promises, or None."""

    data: bytes
    push: int | None
    frame: int
    at: int


class MessageStream:
    """One stream that carries messages. number: its stream ID. exchange: None as long as nothing of a message came."""

    __slots__ = ("connection", "directions", "exchange", "number", "tunnel")

    def __init__(self, connection: Any, number: cython.longlong, exchange: Exchange | None = None) -> None:
        self.connection: Connection = connection
        self.number = number
        self.exchange = exchange
        self.tunnel: WebSocket | None = None
        self.directions = (StreamDirection(self, CLIENT, True), StreamDirection(self, SERVER, True))

    def listed(self, frame: cython.longlong) -> Exchange:
        """Return the exchange; list it if it is new."""
        if self.exchange is None:
            self.exchange = Exchange(stream=self.number)
            self.connection.log.add(self.exchange, frame)
        return self.exchange

    def abandon(self) -> None:
        """Drop the stream, whose end will not be seen."""
        if self.tunnel is not None:
            self.tunnel.close()
        for direction in self.directions:
            direction.abandon()


class StreamDirection(Frames):
    """What one side sends in a stream (`http3_frames.Frames`). ended: whether it has sent all."""

    __slots__ = (
        "_at", "_capsules", "_frame", "_has_trailers", "_held", "_length", "_n_held", "_reader", "_section", "_stream", "ended",
        "side",
    )  # fmt: skip

    def __init__(self, stream: MessageStream, side: cython.int, webtransport: cython.bint) -> None:
        self._stream = stream
        self.side = side
        self._reader = FrameReader(self, webtransport)
        self._frame = 0
        self._at = 0
        self._length: int | None = None
        self._capsules: CapsuleReader | None = None
        self._has_trailers = False
        self._section: _Section | None = None
        self._held: list[_Piece] = []
        self._n_held = 0
        self.ended = False

    def feed(self, data: bytes, end: cython.bint, frame: cython.longlong, at: cython.longlong) -> None:
        """Take the next bytes. end: whether they are the last."""
        if self.ended:
            return
        if self._section is not None:
            self._hold(_Piece(data, None, end, frame, at))
            return
        self._frame = frame
        self._at = at
        n_read: cython.Py_ssize_t = self._reader.feed(data) if data else 0
        if self._section is not None:
            self._hold(_Piece(data[n_read:], None, end, frame, at))
        elif end:
            self._end()

    def gap(self, length: int | None) -> None:
        """Handle missing bytes; their number is None if it is not known."""
        if self._section is not None:
            self._hold(_Piece(None, length, False, self._frame, self._at))
        elif not self.ended:
            self._reader.gap(length)

    def reset(self, code: int, frame: int, at: int) -> None:
        """Handle RESET_STREAM by this side."""
        self.note_reset(code)
        self._frame, self._at = frame, at
        if not self.ended:
            self.abandon()
        if not self.ended:
            self._close()

    def note_reset(self, code: int) -> None:
        """Note in the exchange the first error code with which a side stopped to send or to read."""
        exchange = self._stream.exchange
        if exchange is not None and exchange.reset is None:
            exchange.reset = registry("http3_error_codes").name(code)

    def needs(self) -> int:
        """Return how many entries the section that was blocked needs; 0 if it is no longer blocked."""
        section = self._section
        return 0 if section is None else self._stream.connection.sections[self.side].needs(section.data)

    def resume(self) -> None:
        """Read the section that was blocked, and what was held after it."""
        section, self._section = self._section, None
        if section is None:
            return
        self._stream.connection.hold(self.side, -self._n_held)
        self._n_held = 0
        held, self._held = self._held, []
        self._reader.paused = False
        self._frame, self._at = section.frame, section.at
        self._read_section(section.data, section.push)
        for piece in held:
            if piece.data is None:
                self.gap(piece.length)
            else:
                self.feed(piece.data, piece.end, piece.frame, piece.at)

    def abandon(self) -> None:
        """Handle that the rest will not be seen."""
        if self._section is not None:
            self.resume()
        message = self._message()
        if message is not None and not self.ended:
            message.body.lose()

    # Frames

    def begin_data(self, length: cython.longlong) -> None:
        """Handle the begin of a DATA frame."""
        if self._message() is None:
            self._misplaced("DATA before the header section")
        elif self._has_trailers:
            self._misplaced("DATA after the trailers")

    def read_data(self, data: bytes) -> None:
        """Take content of the stream."""
        stream = self._stream
        if stream.tunnel is not None:
            stream.tunnel.feed(self.side, data, self._frame, self._at)
            return
        exchange: Exchange | None = stream.exchange
        if exchange is not None and exchange.protocol in PROTOCOLS:
            if self._capsules is None:
                self._capsules = CapsuleReader(exchange, self.side)
            self._capsules.feed(data)
        body: Body = self._begun_body()
        if body.plain:
            body.skip(len(data))
        else:
            body.feed(data, self._frame)

    def lose_data(self, length: cython.longlong) -> None:
        """Handle missing content."""
        if self._stream.tunnel is not None:
            self._stream.tunnel.gap(self.side, length)
        else:
            if self._capsules is not None:
                self._capsules.gap(length)
            self._begun_body().lose()

    def read_frame(self, kind: cython.longlong, length: cython.longlong, payload: bytes | None) -> None:
        """Read a frame that is not DATA."""
        if kind == frames.HEADERS:
            self._take_section(payload, None)
        elif kind == frames.PUSH_PROMISE:
            self._read_promise(payload)
        elif kind in frames.KEPT or kind in RESERVED:
            self._misplaced(f"a frame {registry('http3_frame_types').name(kind)}")

    def begin_raw(self, session: cython.longlong) -> None:
        """Handle a stream of a WebTransport session: the other direction has no frames either."""
        self._stream.directions[1 - self.side].begin_bytes()

    def begin_bytes(self) -> None:
        """Read this direction as bytes without frames."""
        self._reader.begin_raw()

    def read_raw(self, data: bytes) -> None:
        """Take bytes of such a stream: WebTransport's own data is not read."""

    def lose(self) -> None:
        """Handle that the rest of this direction cannot be read."""
        message = self._message()
        if self._capsules is not None:
            self._capsules.gap(None)
        if self._stream.tunnel is not None:
            self._stream.tunnel.gap(self.side, None)
        elif message is not None:
            message.body.lose()

    def note(self, code: str, detail: str) -> None:
        """Add a finding."""
        self._stream.connection.log.note(code, detail, self._frame)

    # Messages

    def _read_promise(self, payload: bytes | None) -> None:
        """Read PUSH_PROMISE (RFC 9114 section 7.2.5), which only a server sends."""
        if self.side == CLIENT:
            self._misplaced("a client's PUSH_PROMISE")
        elif payload is not None:
            push = read_varint(payload, 0)
            if push is None:
                self.note("bad_push_promise", f"PUSH_PROMISE of {len(payload)} bytes on stream {self._stream.number}")
            else:
                self._take_section(payload[push[1] :], push[0])

    def _take_section(self, data: bytes | None, push: int | None) -> None:
        """Read a field section, or remember it if it is blocked. data: None if bytes of it are missing."""
        connection = self._stream.connection
        needs = 0 if data is None else connection.sections[self.side].needs(data)
        if data is not None and needs:
            if push is None:
                self._stream.listed(self._frame)
            self._section = _Section(data, push, self._frame, self._at)
            self._reader.paused = True
            self._hold(_Piece(b"", None, False, self._frame, self._at), len(data))
            if self._section is not None:
                connection.block(self, needs)
        else:
            self._read_section(data, push)

    def _read_section(self, data: bytes | None, push: int | None) -> None:
        stream, log, side = self._stream, self._stream.connection.log, self.side
        fields = None if data is None else stream.connection.sections[side].decode(data, self._frame)
        n_bytes = 0 if fields is None else sum(len(name) + len(value) for name, value in fields)
        origin = Origin("3", self._frame, self._at)
        if push is not None:
            stream.connection.promise(push, fields, n_bytes, origin)
            return
        exchange = stream.listed(self._frame)
        if self._has_trailers:
            self._misplaced("HEADERS after the trailers")
        elif side == CLIENT and exchange.request is None:
            self._length = begin_request(log, exchange, fields, n_bytes, origin)
        elif side == SERVER and exchange.response is None:
            self._length, stream.tunnel = begin_response(log, exchange, fields, n_bytes, origin)
        else:
            self._has_trailers = True
            if fields is not None:
                self._begun().trailers = log.keep(fields, n_bytes, self._frame) or []

    def _message(self) -> Request | Response | None:
        exchange = self._stream.exchange
        if exchange is None:
            return None
        return exchange.request if self.side == CLIENT else exchange.response

    def _begun_body(self) -> Body:
        """Return the body of this side's message; see `_begun`."""
        exchange: Exchange | None = self._stream.exchange
        if exchange is not None:
            if self.side == _CLIENT and exchange.request is not None:
                return exchange.request.body
            if self.side == _SERVER and exchange.response is not None:
                return exchange.response.body
        return self._begun().body

    def _begun(self) -> Request | Response:
        """Return this side's message. If its header section was not seen, its values are not known."""
        message = self._message()
        if message is not None:
            return message
        exchange = self._stream.listed(self._frame)
        origin = Origin("3", self._frame, self._at)
        log = self._stream.connection.log
        if self.side == CLIENT:
            exchange.request = unknown_request(log, exchange, origin)
            return exchange.request
        exchange.response = unknown_response(log, exchange, origin)
        return exchange.response

    def _end(self) -> None:
        self._reader.end()
        message = self._message()
        if message is not None and self._stream.tunnel is None:
            body = message.body
            body.finish(self._frame)
            if self._length is not None and self._length != body.n_wire and body.complete:
                detail = f"stream {self._stream.number}: {self._length} announced, {body.n_wire} sent"
                self.note("wrong_content_length", detail)
        self._close()

    def _close(self) -> None:
        self.ended = True
        stream = self._stream
        if all(direction.ended for direction in stream.directions):
            if stream.tunnel is not None:
                stream.tunnel.close()
            stream.connection.close_stream(stream)

    def _hold(self, piece: _Piece, n_bytes: int = 0) -> None:
        self._held.append(piece)
        n_bytes += len(piece.data or b"") + PIECE_COST
        self._n_held += n_bytes
        self._stream.connection.hold(self.side, n_bytes)

    def _misplaced(self, what: str) -> None:
        detail = f"the {NAMES[self.side]} sends {what} on stream {self._stream.number}"
        self.note("unexpected_frame", detail)
