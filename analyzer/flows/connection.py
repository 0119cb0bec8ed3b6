"""The state of one TCP connection: its two endpoints, the position of each byte stream, and the pending segments."""

import cython

from analyzer.flows.sink import Sink
from analyzer.flows.tcp_numbers import WORD


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
    in the stream. fin: position of the end of the stream, -1 before a FIN. acknowledged: position up to which the peer has
    acknowledged, -1 if unknown. last_frame: the frame of the last byte that the reader got.
    """

    __slots__ = (
        "acknowledged", "connection", "fin", "history", "isn", "key", "last_frame", "n_bytes", "n_packets", "newest", "next",
        "offset", "peer", "pending", "pending_bytes", "side", "started",
    )  # fmt: skip

    def __init__(self, connection: "Connection", side: cython.int, key: bytes) -> None:
        self.connection = connection
        self.side = side
        self.key = key
        self.peer: Endpoint = None  # type: ignore[assignment]  # the other side comes with `Connection`
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
        """Start the stream: the byte with this sequence number is its first one."""
        self.next = sequence & WORD
        self.started = True


class Connection:
    """A TCP connection with two endpoints.

    originator: the endpoint that sent the SYN; without a SYN, the first sender in the capture. responder: the other one.
    first_frame, last_frame, start, end: of its packets; times in nanoseconds since 1970-01-01 UTC. closed: why it ended, ""
    while it is open. limited: number of holes that were given up because more waited behind them than the limits allow.
    """

    __slots__ = (
        "closed", "end", "first_frame", "last_frame", "limited", "lingers", "originator", "responder", "sink", "start", "syn",
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
        self.sink: Sink = None  # type: ignore[assignment]  # set by `Connections.open`, None again at the end


def moved(at: cython.longlong, before: cython.longlong, after: cython.longlong) -> cython.longlong:
    """Return a time after the clock was set from `before` to `after`. See `Connections.set_clock`."""
    if after < before:
        return min(at, after)
    return at + after - before if at <= before else at
