"""The state of one TCP connection: its two endpoints, the position of each byte stream, and the pending segments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.flows.sink import Sink
from analyzer.flows.tcp_numbers import HALF_WORD, WORD

if TYPE_CHECKING:
    import cython


class Segment:
    """Bytes that wait behind a hole. The snapshot length removed `missing` more bytes after them."""

    __slots__ = ("at", "data", "frame", "missing", "offset")

    offset: int
    data: bytes
    missing: int
    frame: int
    at: int


class Endpoint:
    """One side of a connection.

    isn: its initial sequence number, -1 without a SYN. next: the next expected sequence number; offset: position of that byte
    in the stream. fin: position of the end of the stream, -1 before a FIN, which came in fin_frame; fin_acknowledged: whether
    the peer acknowledged just that FIN. reset: where the streams stood at its first RST, None before one.
    acknowledged: position up to which the peer has acknowledged behind a hole, -1 if unknown; answered: the number in the
    peer's farthest acknowledgement, -1 before one. last_frame: the frame of the last byte that the reader got.
    identification: of the IPv4 header of its last packet with data; n_counted: how often in a row that has counted up, -1
    before the first packet.
    """

    __slots__ = (
        "acknowledged", "answered", "connection", "fin", "fin_acknowledged", "fin_frame", "history", "identification", "isn",
        "key", "last_frame", "n_counted", "n_packets", "newest", "next", "offset", "peer", "pending", "pending_bytes", "reset",
        "side", "started",
    )  # fmt: skip

    def __init__(self, connection: Connection, side: cython.int, key: bytes) -> None:
        self.connection = connection
        self.side = side
        self.key = key
        self.peer: Endpoint = None  # type: ignore[assignment]  # the other side comes with `Connection`
        self.isn = -1
        self.next = 0
        self.offset = 0
        self.started = False
        self.fin = -1
        self.fin_frame = 0
        self.fin_acknowledged = False
        self.reset: Reset | None = None
        self.acknowledged = -1
        self.last_frame = 0
        self.pending: list[Segment] = []
        self.pending_bytes = 0
        self.history: list[Segment] | None = None
        self.newest = 0
        self.n_packets = 0
        self.answered = -1
        self.identification = 0
        self.n_counted = -1

    def start(self, sequence: cython.longlong) -> None:
        """Start the stream: the byte with this sequence number is its first one."""
        self.next = sequence & WORD
        self.started = True

    def position(self, sequence: cython.longlong) -> cython.longlong:
        """Return the position of a sequence number in the stream; the nearer one of the two that it can be."""
        ahead: cython.longlong = (sequence - self.next) & WORD
        return self.offset + (ahead if ahead < HALF_WORD else ahead - WORD - 1)

    def reached(self) -> cython.longlong:
        """Return the position behind the last byte that has come, with those that wait behind a hole."""
        last: Segment
        if len(self.pending) == 0:
            return self.offset
        last = self.pending[len(self.pending) - 1]
        return last.offset + len(last.data) + last.missing


class Reset:
    """An RST, in `frame`: the position of its number in the sender's stream, and how far the peer's stream had come then.

    at: its time. ahead: how far its number is from where the stream stood, 0 where it is just that. hops: its time to live (hop
    limit), -1 if unknown; identification: of its IPv4 header, -1 without one; jump: how far that is ahead of the last one of
    its sender where those count up, modulo 65,536, else -1. count: how many came of this sender.
    """

    __slots__ = ("ahead", "at", "count", "frame", "hops", "identification", "jump", "peer", "position")

    def __init__(self, position: cython.longlong, peer: cython.longlong, frame: cython.longlong) -> None:
        self.position = position
        self.peer = peer
        self.frame = frame
        self.at = -1
        self.ahead = 0
        self.hops = -1
        self.identification = -1
        self.jump = -1
        self.count = 1


class Claim:
    """A SYN on addresses and ports that a connection in use has: of another connection, or inserted by somebody.

    side: who seems to have sent it. isn: its number. answers: whether it is a SYN-ACK. data: what it carries (RFC 7413).
    """

    __slots__ = ("answers", "at", "data", "frame", "isn", "side")

    def __init__(
        self,
        side: cython.int,
        isn: cython.longlong,
        answers: cython.bint,
        data: bytes,
        frame: cython.longlong,
        at: cython.longlong,
    ) -> None:
        self.side = side
        self.isn = isn
        self.answers = answers
        self.data = data
        self.frame = frame
        self.at = at


class Delivery:
    """How a connection's bytes came: by side, how many segments came again, and how many lost bytes were never acknowledged.

    largest: by side, bytes of the largest segment that came again; resent_frame: by side, the first frame with such a segment.
    copies: by side, packets that the capture had already (`packet_copies`), which count nowhere else. begins_late: whether
    bytes came that are before the place where a stream seemed to begin, and so are not in it.
    path_errors: the ICMP errors about its packets (`path_errors.PathError`).
    """

    __slots__ = ("begins_late", "copies", "largest", "path_errors", "resent", "resent_frame", "unacknowledged")

    def __init__(self) -> None:
        self.resent = [0, 0]
        self.largest = [0, 0]
        self.copies = [0, 0]
        self.resent_frame = [0, 0]
        self.unacknowledged = [0, 0]
        self.begins_late = False
        self.path_errors: list[Any] = []


class Connection:
    """A TCP connection with two endpoints.

    originator: the endpoint that sent the SYN; without a SYN, the first sender in the capture. responder: the other one.
    first_frame, last_frame, start, end: of its packets; times in nanoseconds since 1970-01-01 UTC. closed: why it ended, ""
    while it is open. limited: number of holes that were given up because more waited behind them than the limits allow.
    doubtful: whether its packets need a closer look, because a FIN, an RST or a claim has come. claim: a SYN in the middle of
    the connection, until it is known whether it begins another one. delivery: None while every byte came
    once, and no ICMP error.
    answered_at: time of the first SYN-ACK, fin_at: of the first FIN, now: of the frame that ends it; -1 before. forged: an RST
    after which its sender went on, None without one. originator_hops,
    responder_hops: the time to live (hop limit) of an early packet, -1 if unknown.
    """

    __slots__ = (
        "answered_at", "claim", "closed", "delivery", "doubtful", "end", "fin_at", "first_frame", "forged", "last_frame",
        "limited", "lingers", "now", "originator", "originator_hops", "responder", "responder_hops", "sink", "start", "syn",
    )  # fmt: skip

    def __init__(self, key: bytes, reverse: bytes, frame: cython.longlong, at: cython.longlong) -> None:
        self.originator: Endpoint = Endpoint(self, 0, key)
        self.responder: Endpoint = Endpoint(self, 1, reverse)
        self.originator.peer = self.responder
        self.responder.peer = self.originator
        self.first_frame = frame
        self.last_frame = frame
        self.start = at
        self.end = at
        self.syn = False
        self.closed = ""
        self.lingers = ""
        self.limited = 0
        self.doubtful = False
        self.claim: Claim | None = None
        self.answered_at = -1
        self.fin_at = -1
        self.now = -1
        self.forged: Reset | None = None
        self.originator_hops = -1
        self.responder_hops = -1
        self.delivery: Delivery | None = None
        self.sink: Sink = None  # type: ignore[assignment]  # set by `Connections.open`, None again at the end

    def delivered(self) -> Delivery:
        """Return the numbers about the delivery, which begin here if there are none."""
        if self.delivery is None:
            self.delivery = Delivery()
        return self.delivery

    def packets_of(self, side: cython.int) -> cython.longlong:
        """Return how many packets of a side the capture has."""
        return self.responder.n_packets if side else self.originator.n_packets


def moved(at: cython.longlong, before: cython.longlong, after: cython.longlong) -> cython.longlong:
    """Return a time after the clock was set from `before` to `after`. See `Connections.set_clock`."""
    if after < before:
        return min(at, after)
    return at + after - before if at <= before else at
