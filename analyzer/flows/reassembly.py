"""Reassembles a byte stream from the segments of one endpoint of a TCP connection (RFC 9293 section 3.10.7.4).

Segments come in any order; bytes are passed on in order. A passive reader sees both directions, but not exactly what the
endpoints saw: segments may come late, twice, changed, or never. Each endpoint has a next expected sequence number. A segment at
that number is passed on at once, without a copy. A segment after it waits in a sorted list. A segment before it is compared
with the bytes that were passed on. A hole is given up when the connection ends, or when the segments behind it exceed the
limits. The stream then continues behind the hole, and the reader gets the hole as a gap.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from analyzer.codec.byte_slices import slice_bytes
from analyzer.flows.connection import Delivery, Endpoint, Segment
from analyzer.flows.doubts import count_identification
from analyzer.flows.limits import (
    ACKNOWLEDGED_SEGMENTS,
    HISTORY_SLOTS,
    HISTORY_TOTAL,
    LATE_ACKNOWLEDGEMENT,
    PENDING_BYTES,
    PENDING_SEGMENTS,
    PENDING_TOTAL,
    SEGMENT_COST,
)
from analyzer.flows.sink import Sink
from analyzer.flows.tcp_numbers import HALF_WORD, RST, SYN, WORD
from analyzer.packet.packet import Packet

if TYPE_CHECKING:
    import cython


class Reassembler:
    """Puts the segments of all connections in order. The memory for all of them together has limits.

    pending: bytes that wait behind holes, plus SEGMENT_COST for each segment. history: the same for the bytes that were passed
    on and are kept for comparison with retransmissions. waiting: the endpoints with a hole, the oldest hole first.
    """

    __slots__ = ("history", "pending", "waiting")

    def __init__(self) -> None:
        self.pending = 0
        self.history = 0
        self.waiting: OrderedDict[Endpoint, None] = OrderedDict()

    def feed(
        self,
        endpoint: Endpoint,
        sink: Sink,
        packet: Packet,
        sequence: cython.longlong,
        frame: cython.longlong,
        at: cython.longlong,
    ) -> None:
        """Take the payload of a packet that `endpoint` sent. sequence: the sequence number of its first byte."""
        if not endpoint.started:
            endpoint.start(sequence)
        count_identification(endpoint, packet)
        ahead: cython.longlong = (sequence - endpoint.next) & WORD
        if ahead >= HALF_WORD:
            ahead -= WORD + 1
        if not sink.wanted:
            self.peek(endpoint, sink, packet, ahead, frame, at)
        elif ahead == 0 and len(endpoint.pending) == 0 and packet.missing == 0:
            n: cython.longlong = packet.payload_end - packet.payload
            self.keep_history(endpoint, packet.data, packet.payload, packet.payload_end)
            endpoint.next = (sequence + n) & WORD
            endpoint.last_frame = frame
            endpoint.offset += n
            sink.feed(endpoint.side, packet.data, packet.payload, packet.payload_end, endpoint.offset - n, frame, at)
        else:
            self.place(endpoint, sink, packet, ahead, frame, at)

    def finish(self, endpoint: Endpoint, sink: Sink, frame: cython.longlong, at: cython.longlong) -> None:
        """End the stream of an endpoint: give up its holes, and free what is kept.

        Bytes that are missing before its FIN are reported as a gap.
        """
        self.drop_beyond(endpoint, sink, at)
        first: Segment
        while len(endpoint.pending) > 0:
            first = endpoint.pending[0]
            # The peer acknowledges up to the hole, and had the time for more.
            if endpoint.offset <= endpoint.acknowledged < first.offset and at - first.at >= LATE_ACKNOWLEDGEMENT:
                endpoint.connection.delivered().unacknowledged[endpoint.side] += first.offset - endpoint.offset
            self.release(endpoint, sink, frame, at, True)
        if endpoint.fin > endpoint.offset and sink.wanted:  # the end was seen, but not the bytes before it
            sink.gap(endpoint.side, endpoint.offset, endpoint.fin - endpoint.offset, endpoint.last_frame, at)
        self.forget(endpoint)

    def drop_beyond(self, endpoint: Endpoint, sink: Sink, at: cython.longlong) -> None:
        """Report the pending segments behind the end of a stream, which no receiver reads, and drop them."""
        segment: Segment
        while endpoint.fin >= 0 and len(endpoint.pending) > 0:
            segment = endpoint.pending[len(endpoint.pending) - 1]
            if segment.offset < endpoint.fin:
                return
            endpoint.pending.pop()
            endpoint.pending_bytes -= len(segment.data) + SEGMENT_COST
            self.pending -= len(segment.data) + SEGMENT_COST
            if len(endpoint.pending) == 0:
                del self.waiting[endpoint]
            sink.doubt(endpoint.side, "beyond", segment.offset, segment.data, segment.frame, at)

    def acknowledge(self, peer: Endpoint, endpoint: Endpoint, number: cython.longlong, flags: cython.int) -> None:
        """Note that `peer` has acknowledged all bytes of `endpoint` before sequence number `number`."""
        if not flags & RST and (endpoint.answered < 0 or (number - endpoint.answered) & WORD < HALF_WORD):
            endpoint.answered = number
        if not endpoint.started:
            if flags & SYN:  # the SYN itself is not in the capture, but its number is known
                endpoint.isn = (number - 1) & WORD
                endpoint.start(number)
            elif peer.isn >= 0 and peer.offset == 0 and not flags & RST:  # the third packet of the handshake has the number too
                endpoint.start(number)
            return
        if len(endpoint.pending) > 0:
            ahead: cython.longlong = (number - endpoint.next) & WORD
            if ahead < HALF_WORD and endpoint.offset + ahead > endpoint.acknowledged:
                endpoint.acknowledged = endpoint.offset + ahead

    def peek(
        self,
        endpoint: Endpoint,
        sink: Sink,
        packet: Packet,
        ahead: cython.longlong,
        frame: cython.longlong,
        at: cython.longlong,
    ) -> None:
        """Skip a segment of a stream that its reader does not want, unless the reader wants what begins in this segment."""
        if endpoint.history is not None or len(endpoint.pending) > 0:
            self.forget(endpoint)
        n: cython.longlong = packet.payload_end - packet.payload
        if n > 0 and ahead >= -endpoint.offset and sink.peek(endpoint.side, packet.data, packet.payload, packet.payload_end):
            # The segment may be before the current position: then segments came out of order.
            endpoint.offset += ahead
            endpoint.next = (endpoint.next + ahead) & WORD
            endpoint.last_frame = frame
            self.place(endpoint, sink, packet, 0, frame, at)
        elif ahead >= 0:
            ahead += n + packet.missing
            endpoint.offset += ahead
            endpoint.next = (endpoint.next + ahead) & WORD

    def place(
        self,
        endpoint: Endpoint,
        sink: Sink,
        packet: Packet,
        ahead: cython.longlong,
        frame: cython.longlong,
        at: cython.longlong,
    ) -> None:
        """Put a segment in its place.

        Its bytes were passed on before, or are the next ones, or wait behind a hole.
        """
        data: bytes = packet.data
        start: cython.Py_ssize_t = packet.payload
        end: cython.Py_ssize_t = packet.payload_end
        missing: cython.longlong = packet.missing
        if ahead < 0:
            old: cython.Py_ssize_t = min(-ahead, end - start)
            # A keep-alive probe repeats one byte. The value of that byte has no meaning (RFC 1122 section 4.2.3.6).
            if endpoint.isn < 0 and endpoint.offset + ahead < 0 and ahead < -1:
                endpoint.connection.delivered().begins_late = True  # nothing shows where the stream begins: it was before
            elif not (ahead == -1 and end - start == 1):
                if packet.copy_of == 0:
                    note_resent(endpoint, end - start + missing, frame)
                self.compare(endpoint, sink, data, start, start + old, endpoint.offset + ahead, frame, at)
            start += old
            missing = min(missing, max(0, missing + (end - start) + old + ahead)) if start == end else missing
            ahead = 0
            if start == end and missing == 0:
                return
        self.insert(endpoint, sink, new_segment(endpoint.offset + ahead, data[start:end], missing, frame, at))
        self.release(endpoint, sink, frame, at, False)
        if len(endpoint.pending) == 0:
            return
        if endpoint.pending_bytes > PENDING_BYTES or len(endpoint.pending) > PENDING_SEGMENTS:
            endpoint.connection.limited += 1
            self.release(endpoint, sink, frame, at, True)
        elif endpoint.acknowledged >= endpoint.pending[0].offset and len(endpoint.pending) >= ACKNOWLEDGED_SEGMENTS:
            self.release(endpoint, sink, frame, at, True)
        while self.pending > PENDING_TOTAL:
            oldest: Endpoint = next(iter(self.waiting))
            oldest.connection.limited += 1
            self.release(oldest, oldest.connection.sink, frame, at, True)

    def insert(self, endpoint: Endpoint, sink: Sink, new: Segment) -> None:
        """Add a segment to the pending ones. If bytes come twice, the first copy is kept."""
        waiting: list[Segment] = endpoint.pending
        low: cython.Py_ssize_t = 0
        high: cython.Py_ssize_t = len(waiting)
        middle: cython.Py_ssize_t
        other: Segment
        data: bytes = new.data
        n: cython.Py_ssize_t = len(data)
        pos: cython.Py_ssize_t = 0  # bytes before it are pending already
        stop: cython.longlong
        while low < high:
            middle = (low + high) >> 1
            other = waiting[middle]
            if other.offset <= new.offset:
                low = middle + 1
            else:
                high = middle
        if low > 0:
            other = waiting[low - 1]
            pos = self.overlap(endpoint, sink, new, pos, other)
        while low < len(waiting) and pos < n:
            other = waiting[low]
            stop = other.offset - new.offset
            if stop >= n:
                break
            if stop > pos:  # the part before the other one becomes a pending segment
                self.keep(endpoint, low, new_segment(new.offset + pos, data[pos:stop], 0, new.frame, new.at))
                low += 1
                pos = stop
            pos = self.overlap(endpoint, sink, new, pos, other)
            low += 1
        if pos < n or new.missing > 0:
            if pos > 0:
                new.data = data[pos:]
                new.offset += pos
            self.keep(endpoint, low, new)

    def keep(self, endpoint: Endpoint, index: cython.Py_ssize_t, new: Segment) -> None:
        """Insert a segment into the pending ones at `index`."""
        if len(endpoint.pending) == 0:
            self.waiting[endpoint] = None
        endpoint.pending.insert(index, new)
        endpoint.pending_bytes += len(new.data) + SEGMENT_COST
        self.pending += len(new.data) + SEGMENT_COST

    def overlap(
        self, endpoint: Endpoint, sink: Sink, new: Segment, pos: cython.Py_ssize_t, other: Segment
    ) -> cython.Py_ssize_t:
        """Compare `new` from `pos` on with `other`, which does not begin later.

        Return the first position in `new` that `other` does not have.
        """
        begin: cython.longlong = new.offset + pos
        stop: cython.longlong = min(other.offset + len(other.data), new.offset + len(new.data))
        if stop <= begin:
            return pos
        first: bytes = other.data[begin - other.offset : stop - other.offset]
        second: bytes = new.data[pos : stop - new.offset]
        if first != second:
            sink.conflict(endpoint.side, begin, first, second, new.frame, new.at)
        return stop - new.offset

    def release(
        self, endpoint: Endpoint, sink: Sink, frame: cython.longlong, at: cython.longlong, give_up: cython.bint
    ) -> None:
        """Pass on the pending segments that are next in order. With `give_up`, skip the first hole."""
        waiting: list[Segment] = endpoint.pending
        segment: Segment
        length: cython.longlong
        lost: cython.bint = False
        while len(waiting) > 0:
            segment = waiting[0]
            if segment.offset > endpoint.offset:
                if not give_up:
                    return
                length = segment.offset - endpoint.offset
                endpoint.offset += length
                endpoint.next = (endpoint.next + length) & WORD
                sink.gap(endpoint.side, endpoint.offset - length, length, endpoint.last_frame, at)
                lost = True
                give_up = False
            waiting.pop(0)
            endpoint.pending_bytes -= len(segment.data) + SEGMENT_COST
            self.pending -= len(segment.data) + SEGMENT_COST
            if len(waiting) == 0:
                del self.waiting[endpoint]
            self.pass_on(endpoint, sink, segment, segment.frame if lost else frame, segment.at if lost else at)

    def pass_on(self, endpoint: Endpoint, sink: Sink, segment: Segment, frame: cython.longlong, at: cython.longlong) -> None:
        """Pass the next segment to the reader. Report the bytes that the snapshot length removed as a gap."""
        start: cython.longlong = endpoint.offset - segment.offset  # bytes of another copy that were passed on meanwhile
        n: cython.longlong = len(segment.data) - start
        if n > 0:
            self.keep_history(endpoint, segment.data, start, len(segment.data))
            endpoint.last_frame = frame
            endpoint.offset += n
            endpoint.next = (endpoint.next + n) & WORD
            sink.feed(endpoint.side, segment.data, start, len(segment.data), endpoint.offset - n, frame, at)
        if segment.missing > 0 and n >= 0:
            endpoint.offset += segment.missing
            endpoint.next = (endpoint.next + segment.missing) & WORD
            sink.gap(endpoint.side, endpoint.offset - segment.missing, segment.missing, frame, at)

    def keep_history(self, endpoint: Endpoint, data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> None:
        """Keep a copy of the bytes that are passed on, for comparison with retransmissions."""
        if self.history > HISTORY_TOTAL:
            return
        if endpoint.history is None:
            endpoint.history = []
        kept: list[Segment] = endpoint.history
        copy: bytes = slice_bytes(data, start, end)
        self.history += end - start + SEGMENT_COST
        if len(kept) < HISTORY_SLOTS:
            kept.append(new_segment(endpoint.offset, copy, 0, 0, 0))
            return
        oldest: Segment = kept[endpoint.newest]
        self.history -= len(oldest.data) + SEGMENT_COST
        oldest.offset = endpoint.offset
        oldest.data = copy
        endpoint.newest = (endpoint.newest + 1) % HISTORY_SLOTS

    def forget(self, endpoint: Endpoint) -> None:
        """Free the history and the pending segments of an endpoint."""
        segment: Segment
        if endpoint.history is not None:
            for segment in endpoint.history:
                self.history -= len(segment.data) + SEGMENT_COST
            endpoint.history = None
            endpoint.newest = 0
        if len(endpoint.pending) > 0:
            del self.waiting[endpoint]
            self.pending -= endpoint.pending_bytes
            endpoint.pending_bytes = 0
            endpoint.pending = []

    def compare(
        self,
        endpoint: Endpoint,
        sink: Sink,
        data: bytes,
        start: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
        offset: cython.longlong,
        frame: cython.longlong,
        at: cython.longlong,
    ) -> None:
        """Compare a retransmission, `data[start:end]` at `offset`, with the bytes that were passed on."""
        if endpoint.history is None:
            return
        kept: Segment
        for kept in endpoint.history:
            low: cython.longlong = max(kept.offset, offset)
            high: cython.longlong = min(kept.offset + len(kept.data), offset + end - start)
            if low < high:
                first: bytes = kept.data[low - kept.offset : high - kept.offset]
                second: bytes = data[start + low - offset : start + high - offset]
                if first != second:
                    sink.conflict(endpoint.side, low, first, second, frame, at)


def note_resent(endpoint: Endpoint, n: cython.longlong, frame: cython.longlong) -> None:
    """Note a segment of `n` bytes that came again."""
    delivery: Delivery = endpoint.connection.delivered()
    if delivery.resent[endpoint.side] == 0:
        delivery.resent_frame[endpoint.side] = frame
    delivery.resent[endpoint.side] += 1
    if n > delivery.largest[endpoint.side]:
        delivery.largest[endpoint.side] = n


def new_segment(
    offset: cython.longlong, data: bytes, missing: cython.longlong, frame: cython.longlong, at: cython.longlong
) -> Segment:
    """Create a segment. In compiled code, setting the fields here is faster than a call with five Python objects."""
    segment: Segment = Segment.__new__(Segment)
    segment.offset = offset
    segment.data = data
    segment.missing = missing
    segment.frame = frame
    segment.at = at
    return segment
