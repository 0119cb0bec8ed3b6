"""HTTP/2 (RFC 9113) with HPACK (RFC 7541), both directions of a connection, read passively.

Frames of many streams are mixed; each stream carries one exchange. Field sections are compressed against a table that every
section changes, one for each direction: after a hole, or a section that cannot be read, that direction's table is gone and its
later field sections stay unread. Streams, bodies and their frames are told all the same. Flow control is none of ours.

A passive reader does not know when a SETTINGS frame took effect, so that limits count as announced from the frame on, and a
table may have the size it says up to a limit of our own.
"""

import logging
import re
from struct import Struct
from typing import Final

import hpack

from analyzer.application import http2_frames as frames
from analyzer.application.exchange import CLIENT, NAMES, SERVER, Exchange, Fields, Journal, Request, Response
from analyzer.application.heads import Index, content_codings, index, read_text, shown, values
from analyzer.application.http2_frames import FrameReader
from analyzer.application.websocket import WebSocket
from analyzer.codec.registry import registry

STREAMS_MAX: Final = 1024
"""Streams open at one moment; beyond that the oldest is given up. Servers allow 100 to 256."""

TABLE_MAX: Final = 1 << 20
"""Bytes of an HPACK table; the default is 4 KiB, browsers announce 64 KiB."""

FIELD_BLOCK_MAX: Final = 1 << 17
"""Bytes of one field section before decompression, over all its CONTINUATION frames."""

FIELD_LIST_MAX: Final = 1 << 18
"""Bytes of one field section after decompression, 32 for each field included (RFC 9113 section 6.5.2)."""

CONTINUATIONS_MAX: Final = 1024
"""Frames of one field section: empty ones cost time and no bytes."""

KNOWN_MAX: Final = 256
"""Field sections of one direction whose fields are remembered."""

_KNOWABLE: Final = re.compile(rb"[\x81-\xfe]{1,64}\Z")
"""A short section of fields that stand in the table, each one octet (RFC 7541 section 6.1): it changes nothing in the table."""

_SETTING: Final = Struct(">HI")
_U32: Final = Struct(">I")

_HEADER_TABLE_SIZE, _ENABLE_PUSH, _INITIAL_WINDOW_SIZE, _MAX_FRAME_SIZE = 1, 2, 4, 5

# hpack writes every field to a log at the level of debugging, and builds the text of it only when asked: never ask.
logging.getLogger("hpack").setLevel(logging.WARNING)


class _Block:
    """A field section that is being put together."""

    __slots__ = ("data", "end_stream", "n_frames", "promised", "stream")

    def __init__(self, stream: int, promised: int, end_stream: bool, data: bytes) -> None:
        self.stream = stream
        self.promised = promised
        self.end_stream = end_stream
        self.data = bytearray(data)
        self.n_frames = 1


class _Stream:
    """One stream. `ended`: for each side whether it has sent its last frame."""

    __slots__ = ("ended", "exchange", "lengths", "tunnel")

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.ended = [False, False]
        self.lengths: list[int | None] = [None, None]
        self.tunnel: WebSocket | None = None


class _Direction:
    """What one side has: its field table, its open field section, and where its stream is."""

    __slots__ = ("at", "block", "decoder", "frame", "known", "lossy", "reader", "table_lost", "table_max")

    def __init__(self, owner: "Http2", side: int) -> None:
        self.reader = FrameReader(owner, side, preface=side == CLIENT)
        # Made with the first field section, and let go of when the table is lost.
        self.decoder: hpack.Decoder | None = None
        self.table_lost = False
        # What sections say that only point into the table, as long as that stays as it is.
        self.known: dict[bytes, Fields] = {}
        self.block: _Block | None = None
        self.table_max = 4096
        self.lossy = False
        self.frame = 0
        self.at = 0


class Http2:
    """An HTTP/2 conversation."""

    kind = "h2"

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._directions: tuple[_Direction, ...] = (_Direction(self, CLIENT), _Direction(self, SERVER))
        self._streams: dict[int, _Stream] = {}
        self._highest = [0, 0]

    def adopt(self, exchange: Exchange, settings: bytes) -> None:
        """Take over from an HTTP/1.1 request with `Upgrade: h2c` (RFC 7540 section 3.2): it is stream 1, its 101 interim."""
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
        """Hear that bytes are missing."""
        self._directions[side].reader.gap(length)

    def close(self) -> None:
        """Hear that both streams have ended: what is still open stays incomplete."""
        for direction in self._directions:
            direction.reader.close()
        for stream in self._streams.values():
            self._abandon(stream)
        self._streams.clear()
        self._directions = ()  # they point back here

    def note(self, side: int, code: str, detail: str) -> None:
        """Keep a finding."""
        self._journal.note(code, detail, self._directions[side].frame)

    def lose_frames(self, side: int, why: str) -> None:
        """Frames are missing: this side's field table is lost with them."""
        direction = self._directions[side]
        direction.block = None
        direction.lossy = True
        if not direction.table_lost:
            direction.table_lost = True
            direction.decoder = None
            self.note(side, "header_table_lost", f"{why}: the {NAMES[side]}'s later field sections cannot be decoded")

    # DATA

    def begin_data(self, side: int, flags: int, stream: int, length: int) -> None:
        """A DATA frame begins."""
        self._check_block(side)
        if stream in self._streams:
            if self._streams[stream].ended[side]:
                self.note(side, "frame_after_end", f"DATA after the end of stream {stream}")
            return
        if stream == 0 or not self._is_old(stream):
            self.note(side, "bad_stream", f"DATA on stream {stream}, which nobody opened")

    def read_data(self, side: int, stream: int, data: bytes) -> None:
        """Content of a stream."""
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
        """Content of a stream is missing."""
        found = self._streams.get(stream)
        if found is not None and not found.ended[side]:
            if found.tunnel is not None:
                found.tunnel.gap(side, length)
            else:
                self._message(found, side).body.lose()

    def end_data(self, side: int, flags: int, stream: int) -> None:
        """A DATA frame has ended, and with it perhaps the message."""
        found = self._streams.get(stream)
        if found is not None and flags & frames.END_STREAM and not found.ended[side]:
            self._end_side(stream, found, side)

    # The other frames

    def read_frame(self, side: int, kind: int, flags: int, stream: int, payload: bytes) -> None:
        """One frame that is not DATA."""
        if kind == frames.CONTINUATION:
            self._continue_block(side, flags, stream, payload)
            return
        self._check_block(side)
        if kind == frames.HEADERS:
            self._read_headers(side, flags, stream, payload)
        elif kind == frames.SETTINGS:
            self._read_settings(side, flags, payload, stream)
        elif kind == frames.RST_STREAM:
            self._read_reset(side, stream, payload)
        elif kind == frames.PUSH_PROMISE:
            self._read_push_promise(side, flags, stream, payload)
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
                other.table_max = max(other.table_max, value)
            elif setting == _MAX_FRAME_SIZE and 1 << 14 <= value < 1 << 24:
                other.reader.length_max = max(other.reader.length_max, value)
            elif (
                setting == _MAX_FRAME_SIZE
                or (setting == _ENABLE_PUSH and value > 1)
                or (setting == _INITIAL_WINDOW_SIZE and value >> 31)
            ):
                self.note(side, "bad_settings", f"{registry('http2_settings').name(setting)} is {value}")

    def _read_reset(self, side: int, stream: int, payload: bytes) -> None:
        if len(payload) != 4 or not stream:
            self.note(side, "bad_reset", f"RST_STREAM of {len(payload)} bytes on stream {stream}")
            return
        found = self._streams.pop(stream, None)
        if found is None:
            if not self._is_old(stream):
                self.note(side, "bad_stream", f"RST_STREAM on stream {stream}, which nobody opened")
            return
        found.exchange.reset = registry("http2_error_codes").name(_U32.unpack(payload)[0])
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

    def _read_headers(self, side: int, flags: int, stream: int, payload: bytes) -> None:
        block = _strip(payload, flags, 5 if flags & frames.PRIORITIZED else 0)
        if block is None or not stream:
            self.note(side, "bad_headers", f"HEADERS of {len(payload)} bytes on stream {stream}, flags 0x{flags:02x}")
            self.lose_frames(side, "a field section cannot be read")
            return
        self._begin_block(side, flags, _Block(stream, 0, bool(flags & frames.END_STREAM), block))

    def _read_push_promise(self, side: int, flags: int, stream: int, payload: bytes) -> None:
        block = _strip(payload, flags, 4)
        if block is None or not stream or side == CLIENT:
            self.note(side, "bad_push_promise", f"PUSH_PROMISE of {len(payload)} bytes on stream {stream}")
            self.lose_frames(side, "a field section cannot be read")
            return
        start = 1 if flags & frames.PADDED else 0
        promised = _U32.unpack_from(payload, start)[0] & 0x7FFFFFFF
        self._begin_block(side, flags, _Block(stream, promised, True, block))

    def _begin_block(self, side: int, flags: int, block: _Block) -> None:
        if flags & frames.END_HEADERS:
            self._end_block(side, block)
        else:
            self._directions[side].block = block

    def _continue_block(self, side: int, flags: int, stream: int, payload: bytes) -> None:
        direction = self._directions[side]
        block = direction.block
        if block is None or block.stream != stream:
            if not direction.lossy:
                self.note(side, "bad_continuation", f"CONTINUATION on stream {stream} continues nothing")
            self.lose_frames(side, "a field section cannot be read")
            return
        block.n_frames += 1
        if len(payload) > FIELD_BLOCK_MAX - len(block.data) or block.n_frames > CONTINUATIONS_MAX:
            self.note(side, "long_field_section", f"more than {FIELD_BLOCK_MAX} bytes or {CONTINUATIONS_MAX} frames; left out")
            self.lose_frames(side, "a field section is left out")
            return
        block.data += payload
        if flags & frames.END_HEADERS:
            direction.block = None
            self._end_block(side, block)

    def _check_block(self, side: int) -> None:
        """Only CONTINUATION may come between the frames of a field section (section 6.10)."""
        block = self._directions[side].block
        if block is not None:
            self.note(side, "broken_field_section", f"another frame within the field section of stream {block.stream}")
            self.lose_frames(side, "a field section has no end")

    def _decode(self, side: int, data: bytes) -> Fields | None:
        """The field section with its pseudo-header fields, or None if it cannot be decoded."""
        direction = self._directions[side]
        if direction.table_lost:
            return None
        known = direction.known.get(data)
        if known is not None:
            return known[:]
        if direction.decoder is None:
            direction.decoder = hpack.Decoder(max_header_list_size=FIELD_LIST_MAX)
            direction.decoder.max_allowed_table_size = TABLE_MAX
        try:
            section = direction.decoder.decode(data, raw=True)
        except hpack.HPACKError as error:
            self.note(side, "malformed_field_section", shown(str(error)))
            self.lose_frames(side, "a field section cannot be read")
            return None
        if direction.decoder.header_table_size > direction.table_max:
            size = direction.decoder.header_table_size
            self.note(side, "large_header_table", f"a table of {size} bytes, where {direction.table_max} are announced")
            direction.table_max = size
        fields = [(read_text(name), read_text(value)) for name, value in section]
        if _KNOWABLE.match(data) is None:
            direction.known.clear()
        elif len(direction.known) < KNOWN_MAX:
            direction.known[data] = fields[:]
        return fields

    def _end_block(self, side: int, block: _Block) -> None:
        """A field section is whole: it begins a request, a response or the trailers of one, by side and stream."""
        fields = self._decode(side, bytes(block.data))
        if block.promised:
            stream = self._open(SERVER, block.promised)
            stream.exchange.pushed = True
            self._begin_request(stream, fields, len(block.data), SERVER)
            stream.ended[CLIENT] = True
            return
        found = self._streams.get(block.stream)
        if found is None:
            if self._is_old(block.stream) and not self._directions[1 - side].lossy:
                return  # Of a stream that was reset, as happens while the reset is on its way.
            if side == CLIENT and not block.stream & 1:
                self.note(side, "bad_stream", f"a client opens stream {block.stream}")
            if side == SERVER and not self._directions[CLIENT].lossy:
                self.note(side, "bad_stream", f"a response on stream {block.stream}, which nobody opened")
            found = self._open(side, block.stream)
            if side == SERVER:
                found.ended[CLIENT] = True
        if found.ended[side]:
            self.note(side, "frame_after_end", f"HEADERS after the end of stream {block.stream}")
            return
        if side == CLIENT and found.exchange.request is None:
            self._begin_request(found, fields, len(block.data), CLIENT)
        elif side == SERVER and found.exchange.response is None:
            self._begin_response(found, fields, len(block.data))
        elif fields is not None:
            kept = self._journal.keep(fields, len(block.data), self._directions[side].frame)
            self._message(found, side).trailers = kept or []
            if not block.end_stream:
                self.note(side, "bad_trailers", f"trailers that do not end stream {block.stream}")
        if block.end_stream:
            self._end_side(block.stream, found, side)

    def _begin_request(self, stream: _Stream, fields: Fields | None, n_bytes: int, side: int) -> None:
        journal, direction, exchange = self._journal, self._directions[side], stream.exchange
        if fields is None:
            body = journal.body(exchange, CLIENT, None)
            exchange.request = Request(None, None, None, None, None, "2", direction.frame, direction.at, body)
            return
        pseudo, regular = self._split(fields, side, {":method", ":scheme", ":authority", ":path", ":protocol"})
        if ":method" not in pseudo or (pseudo[":method"] != "CONNECT" and not {":scheme", ":path"} <= pseudo.keys()):
            self.note(side, "bad_pseudo_fields", f"a request with {', '.join(map(ascii, pseudo)) or 'none'} only"[:200])
        by_name = index(regular)
        hosts = by_name.get("host", [])
        body = journal.body(exchange, CLIENT, content_codings(by_name))
        exchange.request = Request(
            pseudo.get(":method"),
            pseudo.get(":scheme"),
            pseudo.get(":authority", hosts[0] if hosts else None),
            pseudo.get(":path"),
            journal.keep(regular, n_bytes, direction.frame),
            "2",
            direction.frame,
            direction.at,
            body,
        )
        stream.lengths[CLIENT] = _content_length(by_name) if side == CLIENT else None
        if pseudo.get(":protocol") == "websocket":
            exchange.protocol = "websocket"

    def _begin_response(self, stream: _Stream, fields: Fields | None, n_bytes: int) -> None:
        journal, direction, exchange = self._journal, self._directions[SERVER], stream.exchange
        if fields is None:
            body = journal.body(exchange, SERVER, None)
            exchange.response = Response(None, None, "2", direction.frame, direction.at, body)
            return
        pseudo, regular = self._split(fields, SERVER, {":status"})
        text = pseudo.get(":status", "")
        status = int(text) if len(text) == 3 and text.isascii() and text.isdigit() else None
        if status is None:
            self.note(SERVER, "bad_pseudo_fields", f"a response whose status is {shown(text)}")
        by_name = index(regular)
        body = journal.body(exchange, SERVER, content_codings(by_name, status))
        kept = journal.keep(regular, n_bytes, direction.frame)
        response = Response(status, kept, "2", direction.frame, direction.at, body)
        if status is not None and 100 <= status < 200:
            journal.keep_interim(exchange, response)
            return
        exchange.response = response
        method = exchange.request.method if exchange.request is not None else None
        if method != "HEAD" and status != 304:
            stream.lengths[SERVER] = _content_length(by_name)
        if exchange.protocol == "websocket" and status is not None and 200 <= status < 300:
            stream.tunnel = WebSocket(journal, exchange, values(by_name, "sec-websocket-extensions"))

    def _split(self, fields: Fields, side: int, known: set[str]) -> tuple[dict[str, str], Fields]:
        """Pseudo-header fields, and the rest (section 8.3)."""
        pseudo: dict[str, str] = {}
        regular: Fields = []
        for name, value in fields:
            if not name.startswith(":"):
                if name != name.lower():
                    self.note(side, "bad_field_name", f"upper case in {shown(name)}")
                regular.append((name, value))
            elif name not in known or name in pseudo or regular:
                self.note(side, "bad_pseudo_fields", f"{shown(name)} is unknown, twice there, or behind the other fields")
            else:
                pseudo[name] = value
        return pseudo, regular

    # Streams

    def _is_old(self, stream: int) -> bool:
        """Whether a stream of this number was open once: numbers only grow."""
        return 0 < stream <= self._highest[CLIENT if stream & 1 else SERVER]

    def _open(self, side: int, number: int) -> _Stream:
        frame = self._directions[side].frame
        if len(self._streams) >= STREAMS_MAX:
            oldest = next(iter(self._streams))
            self._abandon(self._streams.pop(oldest))
            self._journal.note("too_many_streams", f"{STREAMS_MAX} streams are open; stream {oldest} is given up", frame)
        exchange = Exchange(stream=number)
        self._journal.add(exchange, frame)
        stream = self._streams[number] = _Stream(exchange)
        initiator = CLIENT if number & 1 else SERVER
        self._highest[initiator] = max(self._highest[initiator], number)
        return stream

    def _message(self, stream: _Stream, side: int) -> Request | Response:
        """The message of one side, with nothing known of its head if that was not seen."""
        exchange, direction = stream.exchange, self._directions[side]
        if side == CLIENT:
            if exchange.request is None:
                body = self._journal.body(exchange, CLIENT, None)
                exchange.request = Request(None, None, None, None, None, "2", direction.frame, direction.at, body)
            return exchange.request
        if exchange.response is None:
            body = self._journal.body(exchange, SERVER, None)
            exchange.response = Response(None, None, "2", direction.frame, direction.at, body)
        return exchange.response

    def _end_side(self, number: int, stream: _Stream, side: int) -> None:
        """One side of a stream has sent its last frame."""
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
        """Let go of a stream whose end will not be seen."""
        exchange = stream.exchange
        if stream.tunnel is not None:
            stream.tunnel.close()
        if exchange.request is not None and not stream.ended[CLIENT]:
            exchange.request.body.lose()
        if exchange.response is not None and not stream.ended[SERVER]:
            exchange.response.body.lose()


def _strip(payload: bytes, flags: int, n_before: int) -> bytes | None:
    """A frame's field block without padding and the `n_before` bytes that stand before it; None if they do not fit."""
    start, n_padding = 0, 0
    if flags & frames.PADDED:
        if not payload:
            return None
        start, n_padding = 1, payload[0]
    start += n_before
    if start > len(payload) or n_padding > len(payload) - start:
        return None
    return payload[start : len(payload) - n_padding]


def _content_length(fields: Index) -> int | None:
    """What Content-Length says, if it is a number."""
    found = values(fields, "content-length")
    return int(found[0]) if found and found[0].isascii() and found[0].isdigit() and len(found[0]) <= 18 else None
