"""One side of a TCP connection made a byte stream (RFC 9293 section 3.10.7.4): segments in any order in, bytes in order out.

A passive reader sees both directions, but not what the endpoints saw: segments may come late, twice, changed, or never. A side
has the next sequence number it waits for. What arrives there is handed on at once without a copy; what lies ahead waits in a
sorted list; what lies behind is compared with what was handed on. A hole is given up when the connection ends or when waiting
for it would cost more than the limits allow; the stream then goes on behind it, and the reader hears of the hole as a gap.
"""

from collections import OrderedDict

import cython

from analyzer.codec.cut import cut
from analyzer.flows.connection import Half, Segment
from analyzer.flows.limits import (
    ACKNOWLEDGED_SEGMENTS,
    HISTORY_SLOTS,
    HISTORY_TOTAL,
    PENDING_BYTES,
    PENDING_SEGMENTS,
    PENDING_TOTAL,
    SEGMENT_COST,
)
from analyzer.flows.numbers import HALF_WORD, RST, SYN, WORD
from analyzer.flows.sink import Sink
from analyzer.packet.packet import Packet


class Reassembler:
    """Puts the segments of all connections in order, and keeps what that needs within limits for all of them together.

    pending: bytes that wait behind holes, with SEGMENT_COST for each segment. history: the same of what was handed on and is
    kept to compare retransmissions with. waiting: the sides with a hole, the longest waiting first.
    """

    __slots__ = ("history", "pending", "waiting")

    def __init__(self) -> None:
        self.pending = 0
        self.history = 0
        self.waiting: OrderedDict[Half, None] = OrderedDict()

    def feed(
        self, half: Half, sink: Sink, packet: Packet, sequence: cython.longlong, frame: cython.longlong, at: cython.longlong
    ) -> None:
        """Take the payload of a packet that `half` sent; `sequence` is the number of its first byte."""
        if not half.started:
            half.start(sequence)
        ahead: cython.longlong = (sequence - half.next) & WORD
        if ahead >= HALF_WORD:
            ahead -= WORD + 1
        if not sink.wanted:
            self.glance(half, sink, packet, ahead, frame, at)
        elif ahead == 0 and len(half.pending) == 0 and packet.missing == 0:
            n: cython.longlong = packet.payload_end - packet.payload
            self.remember(half, packet.data, packet.payload, packet.payload_end)
            half.next = (sequence + n) & WORD
            half.last_frame = frame
            half.offset += n
            sink.feed(half.side, packet.data, packet.payload, packet.payload_end, half.offset - n, frame, at)
        else:
            self.place(half, sink, packet, ahead, frame, at)

    def finish(self, half: Half, sink: Sink, frame: cython.longlong, at: cython.longlong) -> None:
        """End a side: give up its holes, tell of bytes before its FIN that never came, and free what is kept."""
        while len(half.pending) > 0:
            self.release(half, sink, frame, at, True)
        if half.fin > half.offset and sink.wanted:  # the end was seen, bytes before it were not
            sink.gap(half.side, half.offset, half.fin - half.offset, half.last_frame, at)
        self.forget(half)

    def acknowledge(self, peer: Half, half: Half, number: cython.longlong, flags: cython.int) -> None:
        """Hear that `peer` has every byte of `half` before sequence number `number`."""
        if not half.started:
            if flags & SYN:  # the SYN itself is not in the capture, its number is known all the same
                half.isn = (number - 1) & WORD
                half.start(number)
            elif peer.isn >= 0 and peer.offset == 0 and not flags & RST:  # the handshake's third packet tells it too
                half.start(number)
            return
        if len(half.pending) > 0:
            ahead: cython.longlong = (number - half.next) & WORD
            if ahead < HALF_WORD and half.offset + ahead > half.acknowledged:
                half.acknowledged = half.offset + ahead

    def glance(
        self, half: Half, sink: Sink, packet: Packet, ahead: cython.longlong, frame: cython.longlong, at: cython.longlong
    ) -> None:
        """Step over a segment of a stream that its reader does not want, unless it begins like something wanted."""
        if half.history is not None or len(half.pending) > 0:
            self.forget(half)
        n: cython.longlong = packet.payload_end - packet.payload
        if n > 0 and ahead >= -half.offset and sink.glance(half.side, packet.data, packet.payload, packet.payload_end):
            # Also behind what was stepped over: then segments came out of order.
            half.offset += ahead
            half.next = (half.next + ahead) & WORD
            half.last_frame = frame
            self.place(half, sink, packet, 0, frame, at)
        elif ahead >= 0:
            ahead += n + packet.missing
            half.offset += ahead
            half.next = (half.next + ahead) & WORD

    def place(
        self, half: Half, sink: Sink, packet: Packet, ahead: cython.longlong, frame: cython.longlong, at: cython.longlong
    ) -> None:
        """Put a segment where it belongs: behind what was handed on, next in line, or waiting."""
        data: bytes = packet.data
        start: cython.Py_ssize_t = packet.payload
        end: cython.Py_ssize_t = packet.payload_end
        missing: cython.longlong = packet.missing
        if ahead < 0:
            old: cython.Py_ssize_t = min(-ahead, end - start)
            # A keep-alive probe repeats one byte, and what it holds means nothing (RFC 1122 section 4.2.3.6).
            if not (ahead == -1 and end - start == 1):
                self.compare(half, sink, data, start, start + old, half.offset + ahead, frame, at)
            start += old
            missing = min(missing, max(0, missing + (end - start) + old + ahead)) if start == end else missing
            ahead = 0
            if start == end and missing == 0:
                return
        self.insert(half, sink, new_segment(half.offset + ahead, data[start:end], missing, frame, at))
        self.release(half, sink, frame, at, False)
        if len(half.pending) == 0:
            return
        if half.pending_bytes > PENDING_BYTES or len(half.pending) > PENDING_SEGMENTS:
            half.connection.limited += 1
            self.release(half, sink, frame, at, True)
        elif half.acknowledged >= half.pending[0].offset and len(half.pending) >= ACKNOWLEDGED_SEGMENTS:
            self.release(half, sink, frame, at, True)
        while self.pending > PENDING_TOTAL:
            oldest: Half = next(iter(self.waiting))
            oldest.connection.limited += 1
            self.release(oldest, oldest.connection.sink, frame, at, True)

    def insert(self, half: Half, sink: Sink, new: Segment) -> None:
        """Add a segment to the waiting ones; of bytes that come twice the first copy stays."""
        waiting: list[Segment] = half.pending
        low: cython.Py_ssize_t = 0
        high: cython.Py_ssize_t = len(waiting)
        middle: cython.Py_ssize_t
        other: Segment
        data: bytes = new.data
        n: cython.Py_ssize_t = len(data)
        pos: cython.Py_ssize_t = 0  # what is before it waits already
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
            pos = self.overlap(half, sink, new, pos, other)
        while low < len(waiting) and pos < n:
            other = waiting[low]
            stop = other.offset - new.offset
            if stop >= n:
                break
            if stop > pos:  # the part before the other one waits by itself
                self.keep(half, low, new_segment(new.offset + pos, data[pos:stop], 0, new.frame, new.at))
                low += 1
                pos = stop
            pos = self.overlap(half, sink, new, pos, other)
            low += 1
        if pos < n or new.missing > 0:
            if pos > 0:
                new.data = data[pos:]
                new.offset += pos
            self.keep(half, low, new)

    def keep(self, half: Half, index: cython.Py_ssize_t, new: Segment) -> None:
        """Let a segment wait."""
        if len(half.pending) == 0:
            self.waiting[half] = None
        half.pending.insert(index, new)
        half.pending_bytes += len(new.data) + SEGMENT_COST
        self.pending += len(new.data) + SEGMENT_COST

    def overlap(self, half: Half, sink: Sink, new: Segment, pos: cython.Py_ssize_t, other: Segment) -> cython.Py_ssize_t:
        """Compare `new` from `pos` on with `other`, which begins no later; the first position that `other` does not hold."""
        begin: cython.longlong = new.offset + pos
        stop: cython.longlong = min(other.offset + len(other.data), new.offset + len(new.data))
        if stop <= begin:
            return pos
        first: bytes = other.data[begin - other.offset : stop - other.offset]
        second: bytes = new.data[pos : stop - new.offset]
        if first != second:
            sink.conflict(half.side, begin, first, second, new.frame, new.at)
        return stop - new.offset

    def release(self, half: Half, sink: Sink, frame: cython.longlong, at: cython.longlong, give_up: cython.bint) -> None:
        """Hand on the waiting segments that are next in line; with `give_up` step over the first hole."""
        waiting: list[Segment] = half.pending
        segment: Segment
        length: cython.longlong
        lost: cython.bint = False
        while len(waiting) > 0:
            segment = waiting[0]
            if segment.offset > half.offset:
                if not give_up:
                    return
                length = segment.offset - half.offset
                half.offset += length
                half.next = (half.next + length) & WORD
                sink.gap(half.side, half.offset - length, length, half.last_frame, at)
                lost = True
                give_up = False
            waiting.pop(0)
            half.pending_bytes -= len(segment.data) + SEGMENT_COST
            self.pending -= len(segment.data) + SEGMENT_COST
            if len(waiting) == 0:
                del self.waiting[half]
            self.hand_on(half, sink, segment, segment.frame if lost else frame, segment.at if lost else at)

    def hand_on(self, half: Half, sink: Sink, segment: Segment, frame: cython.longlong, at: cython.longlong) -> None:
        """Give the reader a segment that is next in line, and tell it of the bytes that the snapshot length cut off."""
        start: cython.longlong = half.offset - segment.offset  # bytes handed on meanwhile by another copy
        n: cython.longlong = len(segment.data) - start
        if n > 0:
            self.remember(half, segment.data, start, len(segment.data))
            half.last_frame = frame
            half.offset += n
            half.next = (half.next + n) & WORD
            sink.feed(half.side, segment.data, start, len(segment.data), half.offset - n, frame, at)
        if segment.missing > 0 and n >= 0:
            half.offset += segment.missing
            half.next = (half.next + segment.missing) & WORD
            sink.gap(half.side, half.offset - segment.missing, segment.missing, frame, at)

    def remember(self, half: Half, data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> None:
        """Keep a copy of what is handed on, for comparison with retransmissions."""
        if self.history > HISTORY_TOTAL:
            return
        if half.history is None:
            half.history = []
        kept: list[Segment] = half.history
        copy: bytes = cut(data, start, end)
        self.history += end - start + SEGMENT_COST
        if len(kept) < HISTORY_SLOTS:
            kept.append(new_segment(half.offset, copy, 0, 0, 0))
            return
        oldest: Segment = kept[half.newest]
        self.history -= len(oldest.data) + SEGMENT_COST
        oldest.offset = half.offset
        oldest.data = copy
        half.newest = (half.newest + 1) % HISTORY_SLOTS

    def forget(self, half: Half) -> None:
        """Drop what is kept and what waits."""
        segment: Segment
        if half.history is not None:
            for segment in half.history:
                self.history -= len(segment.data) + SEGMENT_COST
            half.history = None
            half.newest = 0
        if len(half.pending) > 0:
            del self.waiting[half]
            self.pending -= half.pending_bytes
            half.pending_bytes = 0
            half.pending = []

    def compare(
        self,
        half: Half,
        sink: Sink,
        data: bytes,
        start: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
        offset: cython.longlong,
        frame: cython.longlong,
        at: cython.longlong,
    ) -> None:
        """Compare a retransmission, `data[start:end]` at `offset`, with the bytes that were handed on."""
        if half.history is None:
            return
        kept: Segment
        for kept in half.history:
            low: cython.longlong = max(kept.offset, offset)
            high: cython.longlong = min(kept.offset + len(kept.data), offset + end - start)
            if low < high:
                first: bytes = kept.data[low - kept.offset : high - kept.offset]
                second: bytes = data[start + low - offset : start + high - offset]
                if first != second:
                    sink.conflict(half.side, low, first, second, frame, at)


def new_segment(
    offset: cython.longlong, data: bytes, missing: cython.longlong, frame: cython.longlong, at: cython.longlong
) -> Segment:
    """A segment. Setting the fields here spares compiled code a call with five Python objects."""
    segment: Segment = Segment.__new__(Segment)
    segment.offset = offset
    segment.data = data
    segment.missing = missing
    segment.frame = frame
    segment.at = at
    return segment
