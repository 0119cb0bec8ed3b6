"""Reads HTTP/3 (RFC 9114) with QPACK (RFC 9204), in both directions of a QUIC connection, passively.

Each request has a stream of its own, and each stream arrives in order, but nothing orders the streams among each other. So a
header section can arrive before the entries of the dynamic table that it needs, or before the SETTINGS that say how to read
their number: its stream is then held (see `http3_stream`). What a capture lacks of one stream affects no other, except for the
encoder stream and the control stream.

Not read: the data of WebTransport, and what CONNECT-UDP and other protocols of an extended CONNECT carry (RFC 9220, RFC 9298).
Their exchanges name the protocol, and count the HTTP datagrams and the capsules (RFC 9297).
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any, Final, cast

from analyzer.application.exchange import CLIENT, NAMES, SERVER, ConversationLog, Exchange, Fields
from analyzer.application.http3_control import QPACK_MAX_TABLE_CAPACITY, ControlStream
from analyzer.application.http3_stream import MessageStream, StreamDirection
from analyzer.application.pseudo_fields import Origin, begin_request
from analyzer.application.qpack_sections import FieldSections
from analyzer.codec.varint import read_varint
from analyzer.tls.quic.stream_sink import StreamSink

if TYPE_CHECKING:
    import cython

STREAMS_MAX: Final = 1024
"""Maximum number of streams open at one time; beyond it the oldest is dropped. Servers allow 100 to 256."""

HELD_MAX: Final = 1 << 23
"""Maximum bytes of one side that are held behind blocked field sections; beyond it the dynamic table is given up."""

BLOCKED_MAX: Final = 1024
"""Maximum number of field sections that are blocked at one time; servers allow 16 to 100 streams."""

CONTROL, PUSH, ENCODER, DECODER, WEBTRANSPORT = 0x00, 0x01, 0x02, 0x03, 0x54
"""Types of unidirectional streams."""

_NO_ERROR: Final = 0x100
_SKIPPED: Final = -1


class _Unidirectional:
    """A unidirectional stream. kind: its type; None while that is not known. It can be without a reader: it is skipped."""

    __slots__ = ("control", "held", "kind", "message")

    def __init__(self) -> None:
        self.kind: int | None = None
        self.held = b""
        self.control: ControlStream | None = None
        self.message: MessageStream | None = None


class Http3(StreamSink):
    """An HTTP/3 conversation. sections: the field sections of the client and of the server."""

    __slots__ = (
        "_blocked", "_critical", "_dropped", "_frame", "_n_blocked", "_n_held", "_pushes", "_streams", "_unidirectional",
        "_unsettled", "log", "sections",
    )  # fmt: skip

    kind = "h3"

    def __init__(self, log: ConversationLog) -> None:
        self.log = log
        note = cast("Any", log).note  # looked up by name: a method that C calls has another signature than its caller in Python
        self.sections = (FieldSections(note, CLIENT), FieldSections(note, SERVER))
        self._streams: dict[int, MessageStream] = {}
        self._unidirectional: dict[int, _Unidirectional] = {}
        self._critical: dict[tuple[int, int], int] = {}
        self._pushes: dict[int, Exchange] = {}
        # Streams with numbers up to these, by the two low bits, may have been dropped.
        self._dropped = [-1, -1, -1, -1]
        # By side: directions with a blocked section, by the number of entries that it needs.
        self._blocked: tuple[list[tuple[int, int, StreamDirection]], ...] = ([], [])
        self._n_blocked = 0
        self._n_held = [0, 0]
        # By side: whether the SETTINGS that limit its table are missing.
        self._unsettled = [False, False]
        self._frame = 0

    # What the transport calls

    def feed_stream(
        self,
        stream: cython.longlong,
        role: cython.int,
        data: bytes,
        end: cython.bint,
        frame: cython.longlong,
        at: cython.longlong,
    ) -> None:
        """See `StreamSink.feed_stream`."""
        self._frame = frame
        if stream & 2:
            self._feed_unidirectional(stream, role, data, end, frame, at)
            return
        found: MessageStream | None = self._message_stream(stream)
        if found is not None:
            direction: StreamDirection = found.directions[role]
            direction.feed(data, end, frame, at)

    def gap_stream(self, stream: int, role: int, length: int | None) -> None:
        """Handle missing bytes; their number is None if it is not known."""
        if not stream & 2:
            found = self._message_stream(stream)
            if found is not None:
                found.directions[role].gap(length)
            return
        unidirectional = self._unidirectional_stream(stream)
        if unidirectional is None:
            return
        if unidirectional.kind is None:
            unidirectional.kind = _SKIPPED
        elif unidirectional.kind == ENCODER:
            self._lose_table(role, "bytes of the encoder stream are missing")
        elif unidirectional.control is not None:
            unidirectional.control.gap(length)
        elif unidirectional.message is not None:
            unidirectional.message.directions[SERVER].gap(length)

    def reset_stream(self, stream: int, role: int, code: int, frame: int, at: int) -> None:
        """Handle RESET_STREAM of the sender `role`."""
        self._frame = frame
        if stream & 2:
            unidirectional = self._unidirectional.pop(stream, None)
            if unidirectional is None:
                return
            if unidirectional.kind in (CONTROL, ENCODER, DECODER):
                self.log.note("closed_critical_stream", f"the {NAMES[role]} resets stream {stream}", frame)
            if unidirectional.message is not None:
                unidirectional.message.directions[SERVER].reset(code, frame, at)
        elif stream in self._streams:
            self._streams[stream].directions[role].reset(code, frame, at)

    def stop_stream(self, stream: int, role: int, code: int, frame: int, at: int) -> None:
        """Handle STOP_SENDING by `role`: it reads no more of the stream."""
        self._frame = frame
        found = self._streams.get(stream)
        if found is not None and not found.directions[1 - role].ended and code != _NO_ERROR:
            found.directions[role].note_reset(code)

    def feed_datagram(self, role: int, data: bytes, frame: int, at: int) -> None:
        """Take a QUIC datagram, which carries an HTTP datagram of a request (RFC 9297 section 2.1)."""
        quarter = read_varint(data, 0)
        found = None if quarter is None else self._streams.get(4 * quarter[0])
        if quarter is None:
            self.log.note("bad_datagram", f"an HTTP datagram of {len(data)} bytes", frame)
        elif found is not None and found.exchange is not None:
            exchange = found.exchange
            if exchange.datagrams is None:
                exchange.datagrams = [0, 0]
            exchange.datagrams[role] += 1

    def close(self) -> None:
        """Handle the end of the connection. Open exchanges stay incomplete."""
        for side in (CLIENT, SERVER):
            if self._blocked[side]:
                self._settle(side)
            if self._blocked[side]:
                self._lose_table(side, "entries of the dynamic table are missing")
        for stream in list(self._streams.values()):
            stream.abandon()
        for unidirectional in list(self._unidirectional.values()):
            if unidirectional.message is not None:
                unidirectional.message.abandon()
        self._streams.clear()
        self._unidirectional.clear()
        self._pushes.clear()

    # What only a protocol without streams has

    def feed(self, side: int, data: bytes, frame: int, at: int) -> None:
        """Ignore data outside of streams: HTTP/3 has none."""

    def gap(self, side: int, length: int | None) -> None:
        """Ignore data outside of streams."""

    # What the streams call

    def block(self, direction: StreamDirection, needs: int) -> None:
        """Remember a direction until `needs` entries were inserted."""
        self._n_blocked += 1
        blocked = self._blocked[direction.side]
        heappush(blocked, (needs, self._n_blocked, direction))
        if len(blocked) > BLOCKED_MAX:
            self._lose_table(direction.side, f"more than {BLOCKED_MAX} field sections wait for entries")

    def hold(self, side: int, n_bytes: int) -> None:
        """Count bytes that are held."""
        self._n_held[side] += n_bytes
        if self._n_held[side] > HELD_MAX and n_bytes > 0:
            self._lose_table(side, f"more than {HELD_MAX} bytes wait for entries")

    def promise(self, push: int, fields: Fields | None, n_bytes: int, origin: Origin) -> None:
        """Handle the request of a push, as PUSH_PROMISE has it."""
        exchange = self._push(push)
        if exchange.request is None:
            begin_request(self.log, exchange, fields, n_bytes, origin)
            if exchange.request is not None:
                exchange.request.body.finish(origin.frame)

    def close_stream(self, stream: MessageStream) -> None:
        """Forget a stream both of whose directions have ended."""
        self._streams.pop(stream.number, None)

    # Streams

    def _message_stream(self, number: cython.longlong) -> MessageStream | None:
        """Return a bidirectional stream; None if it was dropped."""
        found: MessageStream | None = self._streams.get(number)
        if found is None and number > self._dropped[number & 3]:
            if len(self._streams) >= STREAMS_MAX:
                oldest = next(iter(self._streams))
                self._drop(oldest)
                self._streams.pop(oldest).abandon()
            found = self._streams[number] = MessageStream(self, number)
        return found

    def _unidirectional_stream(self, number: int) -> _Unidirectional | None:
        """Return a unidirectional stream; None if it was dropped."""
        found = self._unidirectional.get(number)
        if found is None and number > self._dropped[number & 3]:
            if len(self._unidirectional) >= STREAMS_MAX:
                spared = self._critical.values()
                oldest = next(one for one in self._unidirectional if one not in spared)
                self._drop(oldest)
                message = self._unidirectional.pop(oldest).message
                if message is not None:
                    message.abandon()
            found = self._unidirectional[number] = _Unidirectional()
        return found

    def _drop(self, number: int) -> None:
        self._dropped[number & 3] = max(self._dropped[number & 3], number)
        self.log.note("too_many_streams", f"{STREAMS_MAX} streams are open; stream {number} is given up", self._frame)

    def _feed_unidirectional(self, number: int, role: int, data: bytes, end: bool, frame: int, at: int) -> None:
        found = self._unidirectional_stream(number)
        if found is None:
            return
        if found.kind is None or (found.kind == PUSH and found.message is None):
            rest = self._begin_unidirectional(found, number, role, found.held + data)
            if rest is None:
                found.held += data
                return
            found.held, data = b"", rest
        if found.kind == ENCODER:
            self.sections[role].feed_encoder(data, frame)
            if self._unsettled[role]:
                self._settle(role)
            self._resume(role)
        elif found.control is not None:
            found.control.feed(data, end, frame, at)
        elif found.message is not None:
            found.message.directions[SERVER].feed(data, end, frame, at)
        if end:
            if found.kind in (ENCODER, DECODER):
                self.log.note("closed_critical_stream", f"the {NAMES[role]} ends stream {number}", frame)
            self._unidirectional.pop(number, None)

    def _begin_unidirectional(self, found: _Unidirectional, number: int, role: int, data: bytes) -> bytes | None:
        """Read the type of a stream, and of a push also its number. Return the data after them; None if it needs more."""
        kind = read_varint(data, 0)
        if kind is None:
            return None
        pos = kind[1]
        if kind[0] == PUSH and role == SERVER:
            push = read_varint(data, pos)
            if push is None:
                return None
            pos = push[1]
            exchange = self._push(push[0])
            exchange.stream = number
            found.message = MessageStream(self, number, exchange)
            found.message.directions[CLIENT].ended = True
        elif kind[0] in (CONTROL, ENCODER, DECODER):
            if self._critical.setdefault((role, kind[0]), number) != number:
                detail = f"the {NAMES[role]} opens stream {number} as a second stream of the type 0x{kind[0]:02x}"
                self.log.note("bad_stream_type", detail, self._frame)
                found.kind = _SKIPPED
                return data[pos:]
            if kind[0] == CONTROL:
                found.control = ControlStream(role, cast("Any", self.log).note, self._read_settings)  # see `__init__`
        elif kind[0] == PUSH:
            self.log.note("bad_stream_type", f"the client opens stream {number} for a push", self._frame)
            found.kind = _SKIPPED
            return data[pos:]
        found.kind = kind[0]
        return data[pos:]

    def _push(self, number: int) -> Exchange:
        """Return the exchange of a push; list it if it is new."""
        exchange = self._pushes.get(number)
        if exchange is None:
            if len(self._pushes) >= STREAMS_MAX:
                self._pushes.pop(next(iter(self._pushes)))
            exchange = self._pushes[number] = Exchange()
            exchange.pushed = True
            self.log.add(exchange, self._frame)
        return exchange

    # The dynamic tables

    def _read_settings(self, side: int, settings: dict[int, int] | None, frame: int) -> None:
        """Take one side's SETTINGS: they limit the table of the other side's encoder."""
        other = 1 - side
        if settings is None:
            self._unsettled[other] = True
            self._settle(other)
            return
        self.sections[other].allow(settings.get(QPACK_MAX_TABLE_CAPACITY, 0), frame)
        self._review(other)

    def _settle(self, side: int) -> None:
        """Read the sections of a side without the SETTINGS that limit its table, as soon as that is possible."""
        if self.sections[side].assume_capacity(self._frame):
            self._unsettled[side] = False
            self._review(side)

    def _review(self, other: int) -> None:
        """Find out what blocked sections of a side need, now that its table's capacity is known."""
        waiting = self._blocked[other][:]
        self._blocked[other].clear()
        for _, number, direction in waiting:
            needs = direction.needs()
            if needs:
                heappush(self._blocked[other], (needs, number, direction))
            else:
                direction.resume()

    def _resume(self, side: int) -> None:
        """Read the sections of one side that are no longer blocked."""
        sections, blocked = self.sections[side], self._blocked[side]
        while blocked and (sections.lost or blocked[0][0] <= sections.n_inserts):
            heappop(blocked)[2].resume()

    def _lose_table(self, side: int, why: str) -> None:
        self.sections[side].lose(why, self._frame)
        self._resume(side)
