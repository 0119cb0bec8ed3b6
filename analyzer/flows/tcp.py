"""The table of TCP connections (RFC 9293): finds the connection of a packet, opens connections, and ends them.

A connection is found by addresses and ports, in both directions. A new SYN on addresses and ports that are in use begins
another connection. After both FINs or an RST, a connection waits some time for late packets. A closed connection is kept for
a while, so that late packets do not open a new one. `reassembly` puts the bytes of each endpoint in order.
"""

from collections import deque
from operator import attrgetter

import cython

from analyzer.flows.connection import Connection, Endpoint, moved
from analyzer.flows.limits import (
    CLOSED_CONNECTIONS,
    HELD_TOTAL,
    IDLE,
    LINGER,
    LINGER_CONNECTIONS,
    OPEN_CONNECTIONS,
    RECENT,
    SWEEP_PACKETS,
)
from analyzer.flows.listener import Listener
from analyzer.flows.reassembly import Reassembler
from analyzer.flows.sink import Sink
from analyzer.flows.tcp_numbers import ACK, FIN, HALF_WORD, RST, SYN, WORD
from analyzer.packet.packet import Packet


class Connections:
    """All TCP connections of a capture. `feed` takes packets in the order of the capture; `close` ends them all.

    endpoints: from the key of each direction to the endpoint that sends in it. recent: the endpoints of the last packets, in
    the slots that `slot_of` computes; most packets belong to one of them. frame: the number of the last packet's frame.
    longest_wait: how long an ended connection waits for late packets, in nanoseconds; LINGER unless somebody is watching live.
    """

    __slots__ = (
        "closed",
        "endpoints",
        "evicted",
        "frame",
        "lingering",
        "listener",
        "longest_wait",
        "n_open",
        "n_since_sweep",
        "reassembler",
        "recent",
    )  # fmt: skip

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.endpoints: dict[bytes, Endpoint] = {}
        self.recent: list[Endpoint | None] = [None] * RECENT
        self.lingering: list[Connection] = []
        self.closed: deque[Connection] = deque()
        self.reassembler = Reassembler()
        self.frame = 0
        self.n_open = 0
        self.n_since_sweep = 0
        self.evicted = 0
        self.longest_wait = LINGER

    def feed(self, packet: Packet, frame: cython.longlong, at: cython.longlong) -> None:
        """Take one TCP packet whose header was read into `packet`."""
        flags: cython.int = packet.flags
        sequence: cython.longlong = packet.sequence
        self.frame = frame
        endpoint: Endpoint = self.find(packet)
        if endpoint is None:
            endpoint = self.open(packet, frame, at)
        elif (flags & SYN and self.reused(endpoint, packet)) or (
            endpoint.connection.closed and self.has_new_bytes(endpoint, packet)
        ):
            self.end(endpoint.connection, "reused", frame, at)
            endpoint = self.open(packet, frame, at)
        connection: Connection = endpoint.connection
        sink: Sink = connection.sink
        endpoint.n_packets += 1
        n: cython.longlong = packet.payload_end - packet.payload
        endpoint.n_bytes += n + packet.missing
        if connection.closed:
            return
        connection.last_frame = frame
        connection.end = at
        if flags & SYN:
            if endpoint.isn < 0:
                endpoint.isn = sequence
                if not endpoint.started:
                    endpoint.start(sequence + 1)
            sequence = (sequence + 1) & WORD
            if connection.lingers == "rst":
                connection.lingers = ""  # the SYN was rejected by an RST, and is tried again
        if flags & ACK:
            self.reassembler.acknowledge(endpoint, endpoint.peer, packet.acknowledgement, flags)
        if flags & RST:
            self.linger(connection, "rst", at)
        elif n > 0 or packet.missing > 0:
            self.reassembler.feed(endpoint, sink, packet, sequence, frame, at)
        if flags & FIN and endpoint.fin < 0:
            endpoint.fin = endpoint.offset
            if endpoint.started:
                beyond: cython.longlong = (sequence + n + packet.missing - endpoint.next) & WORD
                endpoint.fin += beyond if beyond < HALF_WORD else 0
        if (
            connection.originator.fin >= 0 <= connection.responder.fin
            and not connection.lingers
            and self.is_complete(connection)
        ):
            self.linger(connection, "fin", at)
        if len(self.lingering) > 0:
            self.expire(frame, at)
        if self.listener.held > HELD_TOTAL:
            self.evict(frame, at)
        self.n_since_sweep += 1
        if self.n_since_sweep > SWEEP_PACKETS and self.n_since_sweep > 2 * len(self.endpoints):
            self.sweep(frame, at)

    def find(self, packet: Packet) -> Endpoint:
        """Return the endpoint that sent a packet; None if no connection is known for it."""
        place: cython.Py_ssize_t = (packet.source_port ^ packet.destination_port) % RECENT
        endpoint: Endpoint = self.recent[place]  # type: ignore[assignment]
        if endpoint is not None:
            if packet.has_key(endpoint.key):
                return endpoint
            endpoint = endpoint.peer
            if packet.has_key(endpoint.key):
                return endpoint
        endpoint = self.endpoints.get(packet.key())  # type: ignore[assignment]
        self.recent[place] = endpoint
        return endpoint

    def is_complete(self, connection: Connection) -> cython.bint:
        """Return whether all bytes up to both FINs were passed on, or the reader does not want them."""
        originator: Endpoint = connection.originator
        responder: Endpoint = connection.responder
        return not connection.sink.wanted or (originator.offset >= originator.fin and responder.offset >= responder.fin)

    def reused(self, endpoint: Endpoint, packet: Packet) -> cython.bint:
        """Return whether a packet with SYN begins another connection on addresses and ports that are already in use."""
        connection: Connection = endpoint.connection
        if endpoint.isn >= 0:
            if endpoint.isn == packet.sequence:  # sent again; after an RST, this may now open the connection
                return connection.closed == "rst" and endpoint.offset == 0 and endpoint.peer.offset == 0
            # A SYN-ACK for the SYN of this connection belongs to it, even if it is late.
            return not (packet.flags & ACK) or (endpoint.peer.isn + 1) & WORD != packet.acknowledgement
        if connection.closed or (endpoint.side == 1 and not packet.flags & ACK):
            return True
        # A late SYN of this connection has the number just before the first byte seen so far.
        return endpoint.started and (endpoint.next - endpoint.offset) & WORD != (packet.sequence + 1) & WORD

    def has_new_bytes(self, endpoint: Endpoint, packet: Packet) -> cython.bint:
        """Return whether a packet has new bytes for a closed connection: then the connection was closed too early."""
        connection: Connection = endpoint.connection
        if packet.payload_end == packet.payload:
            return False
        if connection.closed == "idle" or connection.closed == "evicted":
            return True
        return connection.closed == "rst" and endpoint.started and (packet.sequence - endpoint.next) & WORD < HALF_WORD

    def open(self, packet: Packet, frame: cython.longlong, at: cython.longlong) -> Endpoint:
        """Open a connection with its first packet in the capture. Return the endpoint that sent the packet."""
        if self.n_open >= OPEN_CONNECTIONS:
            self.evict(frame, at)
        key: bytes = packet.key()
        reverse: bytes = packet.reverse_key()
        connection: Connection
        endpoint: Endpoint
        if packet.flags & SYN and packet.flags & ACK and key != reverse:
            connection = Connection(reverse, key, frame, at)
            endpoint = connection.responder
        else:
            connection = Connection(key, reverse, frame, at)
            endpoint = connection.originator
        connection.syn = bool(packet.flags & SYN)
        self.recent[slot_of(key)] = endpoint
        self.endpoints[reverse] = endpoint.peer
        self.endpoints[key] = endpoint  # if source and destination are the same, there is one entry
        self.n_open += 1
        connection.sink = self.listener.open(connection)
        return endpoint

    def linger(self, connection: Connection, reason: str, at: cython.longlong) -> None:
        """Mark a connection to end soon, with that reason. It still waits for late packets."""
        if connection.lingers or connection.closed:
            return
        connection.lingers = reason
        self.lingering.append(connection)
        if reason == "fin":  # all bytes are passed on: the history would only fill the processor's cache
            self.reassembler.forget(connection.originator)
            self.reassembler.forget(connection.responder)

    def expire(self, frame: cython.longlong, at: cython.longlong) -> None:
        """End the connections that have waited long enough."""
        connection: Connection
        while len(self.lingering) > 0:
            connection = self.lingering[0]
            if connection.lingers and not connection.closed:
                if at - connection.end < self.longest_wait and len(self.lingering) <= LINGER_CONNECTIONS:
                    return
                self.end(connection, connection.lingers, frame, at)
            self.lingering.pop(0)

    def tick(self, at: cython.longlong) -> None:
        """Advance the time to `at`, in nanoseconds since 1970-01-01 UTC, when no packet comes, as on a quiet interface.

        Connections that waited `longest_wait` for late packets end with their reason, `fin` or `rst`. Those that had no
        packet for longer than IDLE end as `idle`. An `at` before the last packet's time ends nothing. This visits all
        connections, so do not call it more than a few times per second.
        """
        self.expire(self.frame, at)
        self.close_idle(self.frame, at)

    def set_clock(self, before: cython.longlong, after: cython.longlong) -> None:
        """Move the times of all connections: the clock that gives packets their times was set from `before` to `after`.

        If it was set forward, what had happened before is as long ago as it was. If it was set back, no time stays in the
        future, because a connection with such a time would never end.
        """
        endpoint: Endpoint
        connection: Connection
        for endpoint in self.endpoints.values():
            connection = endpoint.connection
            if endpoint.side == 0:
                connection.start = moved(connection.start, before, after)
                connection.end = moved(connection.end, before, after)

    def sweep(self, frame: cython.longlong, at: cython.longlong) -> None:
        """End idle connections. This runs at most once in as many packets as there are connections."""
        self.n_since_sweep = 0
        self.close_idle(frame, at)

    def close_idle(self, frame: cython.longlong, at: cython.longlong) -> None:
        """End the connections whose last packet is older than IDLE."""
        endpoint: Endpoint
        idle: list[Connection] = []
        for endpoint in self.endpoints.values():
            if endpoint.side == 0 and not endpoint.connection.closed and at - endpoint.connection.end > IDLE:
                idle.append(endpoint.connection)  # noqa: PERF401 - a comprehension would not see C types
        connection: Connection
        for connection in idle:
            self.end(connection, "idle", frame, at)

    def evict(self, frame: cython.longlong, at: cython.longlong) -> None:
        """End the quarter of the open connections that was silent for the longest time."""
        candidates: list[Connection] = [endpoint.connection for endpoint in self.endpoints.values() if endpoint.side == 0]
        candidates = [connection for connection in candidates if not connection.closed]
        candidates.sort(key=attrgetter("last_frame", "first_frame"))
        connection: Connection
        for connection in candidates[: len(candidates) // 4 + 1]:
            self.evicted += 1
            self.end(connection, "evicted", frame, at)

    def end(self, connection: Connection, reason: str, frame: cython.longlong, at: cython.longlong) -> None:
        """End a connection: give up its holes, close its reader, and keep the entry for late packets."""
        if connection.closed:
            return
        sink: Sink = connection.sink
        endpoint: Endpoint
        for endpoint in (connection.originator, connection.responder):
            self.reassembler.finish(endpoint, sink, frame, at)
        connection.closed = reason
        sink.close(reason, connection.last_frame, connection.end)
        connection.sink = None  # type: ignore[assignment]
        self.n_open -= 1
        self.closed.append(connection)
        if len(self.closed) > CLOSED_CONNECTIONS:
            self.drop(self.closed.popleft())

    def drop(self, connection: Connection) -> None:
        """Remove a closed connection. Break its reference cycle, so that it is freed at once, without the garbage collector."""
        endpoint: Endpoint
        self.recent[slot_of(connection.originator.key)] = None
        for endpoint in (connection.originator, connection.responder):
            if self.endpoints.get(endpoint.key) is endpoint:
                del self.endpoints[endpoint.key]
            endpoint.peer = None  # type: ignore[assignment]
            endpoint.connection = None  # type: ignore[assignment]

    def close(self, frame: cython.longlong, at: cython.longlong) -> None:
        """End all connections, in the order in which they began. Call it at the end of the capture."""
        connections: list[Connection] = [endpoint.connection for endpoint in self.endpoints.values()]
        connections.sort(key=attrgetter("first_frame"))
        connection: Connection
        for connection in connections:
            self.end(connection, connection.lingers or "end", frame, at)
        while len(self.closed) > 0:
            self.drop(self.closed.popleft())
        self.lingering.clear()


def slot_of(key: bytes) -> cython.Py_ssize_t:
    """Return the slot of a key in `Connections.recent`. It is the same for both directions."""
    n: cython.Py_ssize_t = len(key)
    return 0 if n < 4 else ((key[n - 4] ^ key[n - 2]) << 8 | key[n - 3] ^ key[n - 1]) % RECENT
