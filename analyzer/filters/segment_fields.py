"""The fields of segments that were put together (`tcp.segment` and others), in the frame that ends a record or message.

TCP carries a stream, and a record of TLS or a message of HTTP/1 may begin in one segment and end in another (RFC 9293 section
3.7, RFC 8446 section 5.1, RFC 9112 section 2.2). As in Wireshark, the bytes that were put together end with it where
its length was known before the last segment came; else they are all of that segment. Wireshark does the same for more protocols
than are read here.
"""

import re
from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Iterator
from operator import attrgetter
from typing import NamedTuple

from analyzer.application.exchange import Exchange, Request, Response
from analyzer.filters.frame_view import Found, FrameView, found
from analyzer.filters.packet_values import Occurrence
from analyzer.packet.layer_places import KINDS
from analyzer.tls.events import RecordRead

MAX_HELD = 1 << 26
"""Bytes of unfinished records and messages that are held. Beyond it the direction that was quiet for longest is forgotten."""

_OWN_TCP = KINDS.index("tcp.own")
_TCP, _SYN = 6, 2
_START = {
    Request: re.compile(rb"[A-Z][A-Z-]*+(?: |\Z)"),
    Response: re.compile(rb"HTTP/1\.|H(?:T(?:T(?:P(?:/1?)?)?)?)?\Z"),
}
"""How the messages of HTTP/1 begin, also in a segment that has the first bytes only."""
_INTERIM = re.compile(rb"HTTP/1\.[01] 1\d\d")
"""How a response begins that is not the last one to its request (RFC 9110 section 15.2)."""
_PIECE_COST, _DIRECTION_COST = 1000, 400
"""Bytes of memory of a piece and of a direction beside the bytes of the segments."""
_START_OF = attrgetter("start")
_END_OF_HEAD = b"\r\n\r\n"


class Piece(NamedTuple):
    """The bytes of one segment. start: of the first one in the stream of its direction."""

    start: int
    frame: int
    data: bytes

    @property
    def end(self) -> int:
        """The position behind the last byte."""
        return self.start + len(self.data)


class Direction:
    """What a side has sent that has not ended.

    done: the position up to which everything has ended. end: the position behind all that was seen. pieces: by their start.
    n_held: memory that they take, in bytes.
    """

    __slots__ = ("done", "end", "n_held", "pieces")

    def __init__(self) -> None:
        self.done = 0
        self.end = 0
        self.n_held = _DIRECTION_COST
        self.pieces: list[Piece] = []

    def add(self, piece: Piece) -> None:
        """Take another piece."""
        insort(self.pieces, piece, key=_START_OF)
        self.end = max(self.end, piece.end)
        self.n_held += len(piece.data) + _PIECE_COST

    def between(self, start: int, end: int) -> list[Piece]:
        """Return the pieces from one position to another, cut where they reach beyond."""
        return _part(self.pieces[: bisect_left(self.pieces, end, key=_START_OF)], start, end)

    def forget(self, done: int) -> None:
        """Forget all before a position."""
        self.done = max(self.done, done)
        count = bisect_left(self.pieces, self.done, key=_START_OF)
        kept = _part(self.pieces[:count], self.done, self.end)
        self.n_held += _cost(kept) - _cost(self.pieces[:count])
        self.pieces[:count] = kept


class SegmentFields:
    """The source of these fields."""

    def __init__(self) -> None:
        self._directions: OrderedDict[bytes, Direction] = OrderedDict()
        self._held = 0
        self._together: list[Piece] = []
        self._records: list[Piece] = []

    def take(self, view: FrameView) -> None:
        """See `Source.take`."""
        self._together = []
        self._records = []
        packet, engine = view.layers.packet, view.engine
        if packet.protocol == _TCP and packet.flags & _SYN:  # an earlier connection can have had the same ports
            before = self._directions.pop(packet.key(), None)
            self._held -= 0 if before is None else before.n_held
        if engine is None or packet.payload == packet.payload_end or not view.layers.has(_OWN_TCP):
            return
        offset = engine.stream_offset()
        if offset is None:
            return
        key = packet.key()
        direction = self._directions.pop(key, None)
        if direction is None:
            direction = Direction()
        else:
            self._held -= direction.n_held
        self._directions[key] = direction
        new = Piece(offset, view.frame.number, packet.data[packet.payload : packet.payload_end])
        for piece in _part([new], direction.done, new.end):
            direction.add(piece)
            self._take_ends(direction, piece, view)
        self._held += direction.n_held
        while self._held > MAX_HELD:
            self._held -= self._directions.popitem(last=False)[1].n_held

    def _take_ends(self, direction: Direction, last: Piece, view: FrameView) -> None:
        """Find what ends in this frame, and forget it."""
        records = [one for one in view.events if isinstance(one, RecordRead) and one.offset < last.end]
        if records:
            self._together = direction.between(records[0].offset, _record_end(direction.pieces, records[0]))
            self._records = direction.between(records[0].offset, _end_of(records[-1]))
            direction.forget(_end_of(records[-1]))
            return
        for message in _messages(view):
            start, stop = _extent(direction, message)
            if start < stop:
                self._together = self._together or direction.between(start, stop)
                direction.forget(stop)

    def octets(self, record: RecordRead) -> bytes:
        """Return the bytes of a record that ends in this frame; empty if one is missing."""
        data = _joined(_part(self._records, record.offset, _end_of(record)))
        return data if len(data) == record.header + record.length else b""

    def find(self, view: FrameView) -> Found:
        """See `Source.find`."""
        pieces = self._together
        if len(pieces) < 2:
            return {}
        data = _joined(pieces)
        result = found(
            ("tcp.segments", None),
            *(("tcp.segment", piece.frame) for piece in pieces),
            ("tcp.segment.count", len(pieces)),
            ("tcp.reassembled.length", len(data)),
        )
        result["tcp.reassembled.data"] = [Occurrence(data, data, 1)]
        return result


def _cost(pieces: list[Piece]) -> int:
    return sum(len(piece.data) + _PIECE_COST for piece in pieces)


def _joined(pieces: list[Piece]) -> bytes:
    """Return the bytes of all pieces, each byte once. Missing ones are left out."""
    data, end = bytearray(), 0
    for piece in pieces:
        data += piece.data[max(end - piece.start, 0) :]
        end = max(end, piece.end)
    return bytes(data)


def _part(pieces: list[Piece], start: int, end: int) -> list[Piece]:
    """Return the pieces from one position to another, cut where they reach beyond."""
    return [
        piece._replace(start=max(piece.start, start), data=piece.data[max(start - piece.start, 0) : max(end - piece.start, 0)])
        for piece in pieces
        if piece.start < end and start < piece.end
    ]


def _end_of(record: RecordRead) -> int:
    return record.offset + record.header + record.length


def _record_end(pieces: list[Piece], record: RecordRead) -> int:
    """Return where what is put together for a record ends: behind it, or with the segment that only then shows its length."""
    known = next((piece.end for piece in pieces if piece.end >= record.offset + record.header), 0)
    begun = next((piece.end for piece in pieces if piece.end > record.offset), 0)
    return max(known, _end_of(record)) if begun < known else _end_of(record)


def _messages(view: FrameView) -> Iterator[tuple[type, Exchange]]:
    """Yield the messages of HTTP/1 that end in this frame."""
    if view.facts is not None:
        number = view.frame.number
        yield from ((Request, exchange) for exchange in view.facts.requests.get(number, ()))
        yield from ((Response, exchange) for exchange in view.facts.responses.get(number, ()))


def _extent(direction: Direction, message: tuple[type, Exchange]) -> tuple[int, int]:
    """Return where a message begins and ends in the stream: at the end of all bytes, unless its header says its length."""
    (kind, exchange), pieces = message, direction.pieces
    first = next((at for at, piece in enumerate(pieces) if _START[kind].match(piece.data)), -1)
    if first < 0:
        return 0, 0
    data = _joined(pieces[first:])
    begin = 0
    while _INTERIM.match(data, begin) and (end := data.find(_END_OF_HEAD, begin)) >= 0:
        begin = end + len(_END_OF_HEAD)
    start, last = pieces[first].start, direction.end
    head = data.find(_END_OF_HEAD, begin)
    sent = exchange.request if kind is Request else exchange.response
    length = _length(sent)
    return start + begin, last if head < 0 or length is None else min(last, start + head + len(_END_OF_HEAD) + length)


def _length(message: Request | Response | None) -> int | None:
    """Return the length of the body as it is sent; None where the header section does not say it."""
    if message is None:
        return None
    fields = {name.lower(): value for name, value in message.headers or ()}
    if not message.body.length:
        return None if "transfer-encoding" in fields else 0
    value = fields.get("content-length", "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else None
