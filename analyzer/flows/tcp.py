"""TCP reassembly (RFC 9293): segments in any order in, two gapless byte streams a connection out.

A passive reader sees both directions, but not what the endpoints saw: segments may come late, twice, changed, or never. Each
side of a connection has the next sequence number it waits for. What arrives there is handed on at once without a copy; what
lies ahead waits in a sorted list; what lies behind is compared with what was handed on. A hole is given up when the
connection ends or when waiting for it would cost more than the limits below allow; the stream then goes on behind it, and the
hole is told as a gap. This module is compiled (see setup.cfg) and runs the same uncompiled.
"""

from collections import OrderedDict, deque
from operator import attrgetter

import cython

from analyzer.codec.cut import cut
from analyzer.flows.limits import (
    ACKNOWLEDGED_SEGMENTS,
    CLOSED_CONNECTIONS,
    HELD_TOTAL,
    HISTORY_SLOTS,
    HISTORY_TOTAL,
    IDLE,
    LINGER,
    LINGER_CONNECTIONS,
    OPEN_CONNECTIONS,
    PENDING_BYTES,
    PENDING_SEGMENTS,
    PENDING_TOTAL,
    RECENT,
    SEGMENT_COST,
)
from analyzer.flows.sink import Sink
from analyzer.packet.packet import Packet

FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10

WORD, HALF_WORD = 0xFFFFFFFF, 0x80000000
"""Sequence numbers count modulo 2^32, and less than half of that is ahead. In C a literal of that size would be an object."""


class Segment:
    """Bytes that wait behind a hole; `missing` further bytes after them were cut off by the snapshot length."""

    __slots__ = ("at", "data", "frame", "missing", "offset")

    offset: int
    data: bytes
    missing: int
    frame: int
    at: int


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


class Half:
    """One side of a connection.

    isn: its initial sequence number, -1 without a SYN. next: the sequence number waited for; offset: that byte's position in
    the stream. fin: position of the stream's end, -1 before a FIN. acknowledged: position up to which the peer has
    acknowledged, -1 unknown. last_frame: the frame of the last byte handed on.
    """

    __slots__ = (
        "acknowledged", "connection", "fin", "history", "isn", "key", "last_frame", "n_bytes", "n_packets", "newest", "next",
        "offset", "peer", "pending", "pending_bytes", "side", "started",
    )  # fmt: skip

    def __init__(self, connection: "Connection", side: cython.int, key: bytes) -> None:
        self.connection = connection
        self.side = side
        self.key = key
        self.peer: Half = None  # type: ignore[assignment]  # the other side comes with `Connection`
        self.isn = -1
        self.next = 0
        self.offset = 0
        self.started = False
        self.fin = -1
        self.acknowledged = -1
        self.last_frame = 0
        self.pending: list[Segment] = []
        self.pending_bytes = 0
        self.history: list[Segment] | None = None
        self.newest = 0
        self.n_packets = 0
        self.n_bytes = 0

    def start(self, sequence: cython.longlong) -> None:
        """Wait for the byte with this sequence number first."""
        self.next = sequence & WORD
        self.started = True


class Connection:
    """Two sides; `opener` is the one that sent the SYN, or else the first that spoke in the capture.

    first_frame, last_frame, start, end: of its packets; times in nanoseconds since 1970-01-01 UTC. closed: why it ended, ""
    while it is open. limited: holes that were given up because more waited behind them than the limits allow.
    """

    __slots__ = (
        "answerer", "closed", "end", "first_frame", "last_frame", "limited", "lingers", "opener", "sink", "start", "syn",
    )  # fmt: skip

    def __init__(self, key: bytes, reverse: bytes, frame: cython.longlong, at: cython.longlong) -> None:
        self.opener: Half = Half(self, 0, key)
        self.answerer: Half = Half(self, 1, reverse)
        self.opener.peer = self.answerer
        self.answerer.peer = self.opener
        self.first_frame = frame
        self.last_frame = frame
        self.start = at
        self.end = at
        self.syn = False
        self.closed = ""
        self.lingers = ""
        self.limited = 0
        self.sink: Sink = None  # type: ignore[assignment]  # set by `Connections.open`, gone at the end


class Listener:
    """Who wants to hear of connections: gives each one its sink. held: bytes of memory that all sinks keep."""

    __slots__ = ("held",)

    def __init__(self) -> None:
        self.held = 0

    def open(self, connection: Connection) -> Sink:
        """Return the reader of a new connection's bytes."""
        return Sink()


class Connections:
    """All TCP connections of a capture. `feed` takes packets in the order of the capture; `close` ends them all.

    recent: halves that the last packets were of, in places that `place_of` tells: most packets are of one of them.
    """

    __slots__ = (
        "evicted", "halves", "history", "lingering", "listener", "n_open", "pending", "recent", "swept", "tombs", "waiting",
    )  # fmt: skip

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.halves: dict[bytes, Half] = {}
        self.recent: list[Half | None] = [None] * RECENT
        self.lingering: list[Connection] = []
        self.tombs: deque[Connection] = deque()
        self.waiting: OrderedDict[Half, None] = OrderedDict()
        self.n_open = 0
        self.pending = 0
        self.history = 0
        self.swept = 0
        self.evicted = 0

    def feed(self, packet: Packet, frame: cython.longlong, at: cython.longlong) -> None:
        """Take one TCP packet whose header was read into `packet`."""
        flags: cython.int = packet.flags
        sequence: cython.longlong = packet.sequence
        half: Half = self.find(packet)
        if half is None:
            half = self.open(packet, frame, at)
        elif (flags & SYN and self.reused(half, packet)) or (half.connection.closed and self.goes_on(half, packet)):
            self.end(half.connection, "reused", frame, at)
            half = self.open(packet, frame, at)
        connection: Connection = half.connection
        sink: Sink = connection.sink
        half.n_packets += 1
        n: cython.longlong = packet.payload_end - packet.payload
        half.n_bytes += n + packet.missing
        if connection.closed:
            return
        connection.last_frame = frame
        connection.end = at
        if flags & SYN:
            if half.isn < 0:
                half.isn = sequence
                if not half.started:
                    half.start(sequence + 1)
            sequence = (sequence + 1) & WORD
            if connection.lingers == "rst":
                connection.lingers = ""  # refused, and tried again
        if flags & ACK:
            self.acknowledge(half, half.peer, packet.acknowledgement, flags)
        if flags & RST:
            self.linger(connection, "rst", at)
        elif n > 0 or packet.missing > 0:
            if not half.started:
                half.start(sequence)
            ahead: cython.longlong = (sequence - half.next) & WORD
            if ahead >= HALF_WORD:
                ahead -= WORD + 1
            if not sink.wanted:
                self.glance(half, sink, packet, ahead, frame, at)
            elif ahead == 0 and len(half.pending) == 0 and packet.missing == 0:
                self.remember(half, packet.data, packet.payload, packet.payload_end)
                half.next = (sequence + n) & WORD
                half.last_frame = frame
                half.offset += n
                sink.feed(half.side, packet.data, packet.payload, packet.payload_end, half.offset - n, frame, at)
            else:
                self.place(half, sink, packet, ahead, frame, at)
        if flags & FIN and half.fin < 0:
            half.fin = half.offset
            if half.started:
                beyond: cython.longlong = (sequence + n + packet.missing - half.next) & WORD
                half.fin += beyond if beyond < HALF_WORD else 0
        if connection.opener.fin >= 0 <= connection.answerer.fin and not connection.lingers and self.drained(connection):
            self.linger(connection, "fin", at)
        if len(self.lingering) > 0:
            self.expire(frame, at)
        if self.listener.held > HELD_TOTAL:
            self.evict(frame, at)
        self.swept += 1
        if self.swept > 65536 and self.swept > 2 * len(self.halves):
            self.sweep(frame, at)

    def find(self, packet: Packet) -> Half:
        """The half that a packet is of; None where it is of no connection so far."""
        place: cython.Py_ssize_t = (packet.source_port ^ packet.destination_port) % RECENT
        half: Half = self.recent[place]  # type: ignore[assignment]
        if half is not None:
            if packet.has_key(half.key):
                return half
            half = half.peer
            if packet.has_key(half.key):
                return half
        half = self.halves.get(packet.key())  # type: ignore[assignment]
        self.recent[place] = half
        return half

    def drained(self, connection: Connection) -> cython.bint:
        """Whether everything up to both FINs was handed on."""
        opener: Half = connection.opener
        answerer: Half = connection.answerer
        return not connection.sink.wanted or (opener.offset >= opener.fin and answerer.offset >= answerer.fin)

    def reused(self, half: Half, packet: Packet) -> cython.bint:
        """Whether a packet with SYN begins another connection on a pair of addresses and ports already in use."""
        connection: Connection = half.connection
        if half.isn >= 0:
            if half.isn == packet.sequence:  # sent again; after a refusal that may begin the connection after all
                return connection.closed == "rst" and half.offset == 0 and half.peer.offset == 0
            # An answer to a SYN that this connection has is its answer, however late.
            return not (packet.flags & ACK) or (half.peer.isn + 1) & WORD != packet.acknowledgement
        if connection.closed or (half.side == 1 and not packet.flags & ACK):
            return True
        # A SYN that comes late begins where the bytes seen so far began.
        return half.started and (half.next - half.offset) & WORD != (packet.sequence + 1) & WORD

    def goes_on(self, half: Half, packet: Packet) -> cython.bint:
        """Whether a packet shows that a connection was taken for ended too early: it carries bytes that are new."""
        connection: Connection = half.connection
        if packet.payload_end == packet.payload:
            return False
        if connection.closed == "idle" or connection.closed == "evicted":
            return True
        return connection.closed == "rst" and half.started and (packet.sequence - half.next) & WORD < HALF_WORD

    def open(self, packet: Packet, frame: cython.longlong, at: cython.longlong) -> Half:
        """Begin a connection with its first packet in the capture; the half that sent the packet."""
        if self.n_open >= OPEN_CONNECTIONS:
            self.evict(frame, at)
        key: bytes = packet.key()
        reverse: bytes = packet.reverse_key()
        connection: Connection
        half: Half
        if packet.flags & SYN and packet.flags & ACK and key != reverse:
            connection = Connection(reverse, key, frame, at)
            half = connection.answerer
        else:
            connection = Connection(key, reverse, frame, at)
            half = connection.opener
        connection.syn = bool(packet.flags & SYN)
        self.recent[place_of(key)] = half
        self.halves[reverse] = half.peer
        self.halves[key] = half  # who talks to himself from one port to the same has one side
        self.n_open += 1
        connection.sink = self.listener.open(connection)
        return half

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

    def linger(self, connection: Connection, reason: str, at: cython.longlong) -> None:
        """End a connection soon: late packets of it may still come."""
        if connection.lingers or connection.closed:
            return
        connection.lingers = reason
        self.lingering.append(connection)
        if reason == "fin":  # all is handed on: what is kept for comparison would only push other connections out of the caches
            self.forget(connection.opener)
            self.forget(connection.answerer)

    def expire(self, frame: cython.longlong, at: cython.longlong) -> None:
        """End the connections that have waited long enough."""
        connection: Connection
        while len(self.lingering) > 0:
            connection = self.lingering[0]
            if connection.lingers and not connection.closed:
                if at - connection.end < LINGER and len(self.lingering) <= LINGER_CONNECTIONS:
                    return
                self.end(connection, connection.lingers, frame, at)
            self.lingering.pop(0)

    def sweep(self, frame: cython.longlong, at: cython.longlong) -> None:
        """Close out what has been idle for long. Runs once in as many packets as there are connections, at the most."""
        self.swept = 0
        half: Half
        idle: list[Connection] = []
        for half in self.halves.values():
            if half.side == 0 and not half.connection.closed and at - half.connection.end > IDLE:
                idle.append(half.connection)  # noqa: PERF401 - a comprehension would not see C types
        connection: Connection
        for connection in idle:
            self.end(connection, "idle", frame, at)

    def evict(self, frame: cython.longlong, at: cython.longlong) -> None:
        """Close the quarter of the open connections that has been silent for longest."""
        candidates: list[Connection] = [half.connection for half in self.halves.values() if half.side == 0]
        candidates = [connection for connection in candidates if not connection.closed]
        candidates.sort(key=attrgetter("last_frame", "first_frame"))
        connection: Connection
        for connection in candidates[: len(candidates) // 4 + 1]:
            self.evicted += 1
            self.end(connection, "evicted", frame, at)

    def end(self, connection: Connection, reason: str, frame: cython.longlong, at: cython.longlong) -> None:
        """End a connection: give up its holes, tell its reader, and remember it for its late packets."""
        if connection.closed:
            return
        sink: Sink = connection.sink
        half: Half
        for half in (connection.opener, connection.answerer):
            while len(half.pending) > 0:
                self.release(half, sink, frame, at, True)
            if half.fin > half.offset and sink.wanted:  # the end was seen, bytes before it were not
                sink.gap(half.side, half.offset, half.fin - half.offset, half.last_frame, at)
            self.forget(half)
        connection.closed = reason
        sink.close(reason, connection.last_frame, connection.end)
        connection.sink = None  # type: ignore[assignment]
        self.n_open -= 1
        self.tombs.append(connection)
        if len(self.tombs) > CLOSED_CONNECTIONS:
            self.bury(self.tombs.popleft())

    def bury(self, connection: Connection) -> None:
        """Forget an ended connection. The ring of references is cut, so that it is freed at once and without the collector."""
        half: Half
        self.recent[place_of(connection.opener.key)] = None
        for half in (connection.opener, connection.answerer):
            if self.halves.get(half.key) is half:
                del self.halves[half.key]
            half.peer = None  # type: ignore[assignment]
            half.connection = None  # type: ignore[assignment]

    def close(self, frame: cython.longlong, at: cython.longlong) -> None:
        """End all connections, in the order in which they began."""
        connections: list[Connection] = [half.connection for half in self.halves.values()]
        connections.sort(key=attrgetter("first_frame"))
        connection: Connection
        for connection in connections:
            self.end(connection, connection.lingers or "end", frame, at)
        while len(self.tombs) > 0:
            self.bury(self.tombs.popleft())
        self.lingering.clear()


def place_of(key: bytes) -> cython.Py_ssize_t:
    """The place among the recent halves, the same in both directions."""
    n: cython.Py_ssize_t = len(key)
    return 0 if n < 4 else ((key[n - 4] ^ key[n - 2]) << 8 | key[n - 3] ^ key[n - 1]) % RECENT
