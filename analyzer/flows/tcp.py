"""The table of TCP connections (RFC 9293): finds the connection of a packet, opens connections, and ends them.

A connection is found by addresses and ports, in both directions. After both FINs or an RST, a connection waits some time for
late packets. A closed connection is kept for a while, so that late packets do not open a new one. `reassembly` puts the bytes
of each endpoint in order.

Whoever knows addresses and ports can insert a SYN, an RST or a FIN. What comes after it tells whether the endpoints took it: an
endpoint that sends on did not end its stream, and a SYN in a connection in use begins another one only if the peer answers it
(RFC 5961). So such a segment is kept as a doubt until then, and nothing after it is lost.
"""

from __future__ import annotations

from collections import deque
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from analyzer.flows.connection import Claim, Connection, Endpoint, Reset, moved
from analyzer.flows.doubts import begin_earlier, confirms, goes_on, is_in_use, is_near, note_begin, note_reset
from analyzer.flows.limits import (
    CLOSED_CONNECTIONS,
    HELD_TOTAL,
    IDLE,
    JUMP,
    LARGEST_CLAIM,
    LINGER,
    LINGER_CONNECTIONS,
    OPEN_CONNECTIONS,
    RECENT,
    RESET_LINGER,
    SWEEP_PACKETS,
)
from analyzer.flows.listener import Listener
from analyzer.flows.reassembly import Reassembler, new_segment
from analyzer.flows.sink import Sink
from analyzer.flows.tcp_numbers import ACK, FIN, HALF_WORD, RST, SYN, WORD
from analyzer.packet.packet import Packet

if TYPE_CHECKING:
    import cython


class Connections:
    """All TCP connections of a capture. `feed` takes packets in the order of the capture; `close` ends them all.

    endpoints: from the key of each direction to the endpoint that sends in it. recent: the endpoints of the last packets, in
    the slots that `slot_of` computes; most packets belong to one of them. lingering, resets: the connections that wait for late
    packets, after their FINs and after an RST. frame: the number of the last packet's frame.
    longest_wait: how long an ended connection waits for late packets, in nanoseconds; LINGER unless somebody is watching live.
    """

    __slots__ = (
        "closed", "endpoints", "evicted", "frame", "lingering", "listener", "longest_wait", "n_open", "n_since_sweep",
        "reassembler", "recent", "resets",
    )  # fmt: skip

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.endpoints: dict[bytes, Endpoint] = {}
        self.recent: list[Endpoint | None] = [None] * RECENT
        self.lingering: list[Connection] = []
        self.resets: list[Connection] = []
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
        elif flags & SYN or endpoint.connection.doubtful:
            endpoint = self.settle(endpoint, packet, frame, at)
            if endpoint is None:
                return
        connection: Connection = endpoint.connection
        sink: Sink = connection.sink
        if packet.copy_of > 0:
            connection.delivered().copies[endpoint.side] += 1
        else:
            endpoint.n_packets += 1
        n: cython.longlong = packet.payload_end - packet.payload
        if connection.closed:
            return
        connection.last_frame = frame
        connection.end = at
        if flags & SYN:
            if endpoint.isn < 0:
                note_begin(endpoint, packet, at)
                endpoint.isn = sequence
                if not endpoint.started:
                    endpoint.start(sequence + 1)
            sequence = (sequence + 1) & WORD
            if connection.lingers == "rst":
                connection.lingers = ""  # the SYN was rejected by an RST, and is tried again
                endpoint.reset = endpoint.peer.reset = None
        if flags & ACK:
            self.reassembler.acknowledge(endpoint, endpoint.peer, packet.acknowledgement, flags)
        if flags & RST:
            note_reset(endpoint, packet, frame, at)
            self.linger(connection, "rst", at)
        elif n > 0 or packet.missing > 0:
            self.reassembler.feed(endpoint, sink, packet, sequence, frame, at)
        if flags & FIN:
            self.note_fin(endpoint, sequence + n + packet.missing, frame, at)
        if (
            connection.originator.fin >= 0 <= connection.responder.fin
            and not connection.lingers
            and self.is_complete(connection)
        ):
            self.linger(connection, "fin", at)
        if len(self.lingering) > 0 or len(self.resets) > 0:
            self.expire(frame, at)
        if self.listener.held > HELD_TOTAL:
            self.evict(frame, at)
        self.n_since_sweep += 1
        if self.n_since_sweep > SWEEP_PACKETS and self.n_since_sweep > 2 * len(self.endpoints):
            self.sweep(frame, at)

    def settle(self, endpoint: Endpoint, packet: Packet, frame: cython.longlong, at: cython.longlong) -> Endpoint:
        """Look closer at a SYN, or at a packet of a connection with a FIN, an RST or a claim.

        Return the endpoint that sent it, which can be one of another connection; None if the packet is not to be read.
        """
        connection: Connection = endpoint.connection
        flags: cython.int = packet.flags
        if connection.lingers and not connection.closed and at - connection.end >= self.wait_of(connection):
            self.end(connection, connection.lingers, frame, at)
        if connection.claim is not None and not connection.closed:
            if confirms(connection.claim, endpoint, packet):
                return self.take_claim(endpoint, frame, at)
            if endpoint.side == connection.claim.side and not flags & (SYN | RST) and is_near(endpoint, packet):
                connection.sink.doubt(endpoint.side, "syn", endpoint.offset, b"", connection.claim.frame, at)
                connection.claim = None
        if flags & SYN:
            if not self.reused(endpoint, packet):
                return endpoint
            if not connection.closed and not connection.lingers and is_in_use(connection):
                self.note_claim(endpoint, packet, frame, at)
                return None  # type: ignore[return-value]
        elif not connection.closed:
            return self.look(endpoint, packet, frame, at)
        elif not self.has_new_bytes(endpoint, packet):
            return endpoint
        self.end(connection, connection.lingers or "reused", frame, at)
        return self.open(packet, frame, at)

    def note_claim(self, endpoint: Endpoint, packet: Packet, frame: cython.longlong, at: cython.longlong) -> None:
        """Keep a SYN in a connection in use, until it is known whether it begins another one."""
        connection: Connection = endpoint.connection
        claim: Claim = connection.claim  # type: ignore[assignment]  # None for the first one
        if claim is not None and claim.side == endpoint.side and claim.isn == packet.sequence:
            return
        n: cython.longlong = packet.payload_end - packet.payload
        data: bytes = packet.data[packet.payload : packet.payload_end] if n <= LARGEST_CLAIM else b""
        connection.claim = Claim(endpoint.side, packet.sequence, bool(packet.flags & ACK), data, frame, at)
        connection.doubtful = True

    def look(self, endpoint: Endpoint, packet: Packet, frame: cython.longlong, at: cython.longlong) -> Endpoint:
        """Compare a packet with the FINs and the RST of its connection; see `settle`."""
        connection: Connection = endpoint.connection
        peer: Endpoint = endpoint.peer
        if packet.flags & ACK and peer.fin >= 0 and peer.started and peer.position(packet.acknowledgement) == peer.fin + 1:
            peer.fin_acknowledged = True
        reset: Reset = endpoint.reset  # type: ignore[assignment]  # None without an RST
        if reset is not None and not packet.flags & RST and goes_on(endpoint, packet):
            connection.sink.doubt(endpoint.side, "rst", reset.position, b"", reset.frame, at)
            connection.forged = reset
            endpoint.reset = None
            if connection.lingers == "rst":
                connection.lingers = ""
        n: cython.longlong = packet.payload_end - packet.payload + packet.missing
        if n == 0 or endpoint.fin < 0 or not endpoint.started:
            return endpoint
        begin: cython.longlong = endpoint.position(packet.sequence)
        if begin - endpoint.fin > JUMP or begin + n < -JUMP:
            self.end(connection, connection.lingers or "fin", frame, at)
            return self.open(packet, frame, at)
        if begin < 0 and begin_earlier(endpoint, packet.sequence, begin):
            begin = 0
        if begin + n <= endpoint.fin:
            return endpoint
        if begin <= endpoint.fin and not endpoint.fin_acknowledged:
            self.withdraw_fin(endpoint, at)
            return endpoint
        if begin > endpoint.fin and not endpoint.fin_acknowledged and connection.lingers != "fin":
            return endpoint  # it waits behind the hole, until bytes at the FIN's place come, or the end
        skip: cython.longlong = max(0, endpoint.fin - begin)
        data: bytes = packet.data[packet.payload + skip : packet.payload_end]
        connection.sink.doubt(endpoint.side, "beyond", begin + skip, data, frame, at)
        return None  # type: ignore[return-value]

    def note_fin(self, endpoint: Endpoint, sequence: cython.longlong, frame: cython.longlong, at: cython.longlong) -> None:
        """Note the end of a stream. A FIN before bytes that have come, or one of two different ones, is not its own."""
        if not endpoint.started:
            endpoint.start(sequence)
        end: cython.longlong = endpoint.position(sequence)
        endpoint.connection.doubtful = True
        if endpoint.fin >= 0 and end != endpoint.fin and end == endpoint.offset:
            self.withdraw_fin(endpoint, at)
        if endpoint.fin >= 0:
            return
        if end < endpoint.offset and endpoint.connection.sink.wanted:
            endpoint.connection.sink.doubt(endpoint.side, "fin", end, b"", frame, at)
            return
        endpoint.fin = max(end, endpoint.offset)
        endpoint.fin_frame = frame
        if endpoint.peer.fin < 0:
            endpoint.connection.fin_at = at

    def withdraw_fin(self, endpoint: Endpoint, at: cython.longlong) -> None:
        """Report a FIN after which its stream went on, and go on too."""
        connection: Connection = endpoint.connection
        connection.sink.doubt(endpoint.side, "fin", endpoint.fin, b"", endpoint.fin_frame, at)
        endpoint.fin = -1
        endpoint.fin_acknowledged = False
        if connection.lingers == "fin":
            connection.lingers = ""

    def take_claim(self, endpoint: Endpoint, frame: cython.longlong, at: cython.longlong) -> Endpoint:
        """Open the connection of a claim that is confirmed by a packet of `endpoint`. Return the new endpoint of its sender."""
        old: Connection = endpoint.connection
        claim: Claim = old.claim  # type: ignore[assignment]
        claimant: Endpoint = endpoint if endpoint.side == claim.side else endpoint.peer
        self.end(old, old.lingers or "reused", frame, at)
        originator: Endpoint = claimant.peer if claim.answers else claimant
        connection: Connection = self.begin(originator.key, originator.peer.key, claim.frame, claim.at)
        claimant = connection.responder if claim.answers else connection.originator
        claimant.isn = claim.isn
        claimant.start(claim.isn + 1)
        claimant.n_packets += 1
        connection.syn = True
        if len(claim.data) > 0:
            self.reassembler.insert(claimant, connection.sink, new_segment(0, claim.data, 0, claim.frame, claim.at))
            self.reassembler.release(claimant, connection.sink, claim.frame, claim.at, False)
        return connection.originator if connection.originator.key == endpoint.key else connection.responder

    def doubt_fragments(self, packet: Packet, other: bytes, frame: cython.longlong, at: cython.longlong) -> None:
        """Report that fragments of this packet, which `feed` has taken, disagree. other: the bytes that were not used."""
        endpoint: Endpoint = self.find(packet)
        if endpoint is not None:
            endpoint.connection.sink.doubt(endpoint.side, "fragments", endpoint.offset, other, frame, at)

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
        # A late SYN of this connection has the number just before the first byte seen so far, or a little before it.
        return endpoint.started and (endpoint.next - endpoint.offset - packet.sequence - 1) & WORD > JUMP

    def has_new_bytes(self, endpoint: Endpoint, packet: Packet) -> cython.bint:
        """Return whether a packet has new bytes for a closed connection: then the connection was closed too early."""
        connection: Connection = endpoint.connection
        if packet.payload_end == packet.payload:
            return False
        if connection.closed == "idle" or connection.closed == "evicted":
            return True
        if connection.closed == "fin" and endpoint.started:  # a FIN ends what its sender sends
            begin: cython.longlong = endpoint.position(packet.sequence)
            return begin - endpoint.offset > JUMP or begin < -JUMP
        return connection.closed == "rst" and endpoint.started and (packet.sequence - endpoint.next) & WORD < HALF_WORD

    def open(self, packet: Packet, frame: cython.longlong, at: cython.longlong) -> Endpoint:
        """Open a connection with its first packet in the capture. Return the endpoint that sent the packet."""
        if self.n_open >= OPEN_CONNECTIONS:
            self.evict(frame, at)
        key: bytes = packet.key()
        reverse: bytes = packet.reverse_key()
        answers: cython.bint = bool(packet.flags & SYN) and bool(packet.flags & ACK) and key != reverse
        connection: Connection = self.begin(reverse, key, frame, at) if answers else self.begin(key, reverse, frame, at)
        connection.syn = bool(packet.flags & SYN)
        return connection.responder if answers else connection.originator

    def begin(self, key: bytes, reverse: bytes, frame: cython.longlong, at: cython.longlong) -> Connection:
        """Begin a connection. key, reverse: of the packets that the originator and the responder send."""
        connection: Connection = Connection(key, reverse, frame, at)
        self.recent[slot_of(key)] = connection.originator
        self.endpoints[reverse] = connection.responder
        self.endpoints[key] = connection.originator  # if source and destination are the same, there is one entry
        self.n_open += 1
        connection.sink = self.listener.open(connection)
        return connection

    def linger(self, connection: Connection, reason: str, at: cython.longlong) -> None:
        """Mark a connection to end soon, with that reason. It still waits for late packets."""
        if connection.lingers or connection.closed:
            return
        connection.lingers = reason
        connection.doubtful = True
        if reason == "rst" and is_in_use(connection):
            self.resets.append(connection)
            return
        self.lingering.append(connection)
        self.reassembler.drop_beyond(connection.originator, connection.sink, at)
        self.reassembler.drop_beyond(connection.responder, connection.sink, at)
        if reason == "fin":  # all bytes are passed on: the history would only fill the processor's cache
            self.reassembler.forget(connection.originator)
            self.reassembler.forget(connection.responder)

    def expire(self, frame: cython.longlong, at: cython.longlong) -> None:
        """End the connections that have waited long enough."""
        self.expire_from(self.lingering, frame, at)
        self.expire_from(self.resets, frame, at)

    def expire_from(self, waiting: list[Any], frame: cython.longlong, at: cython.longlong) -> None:
        """End the connections of a list that have waited long enough."""
        connection: Connection
        while len(waiting) > 0:
            connection = waiting[0]
            if connection.lingers and not connection.closed:
                if at - connection.end < self.wait_of(connection) and len(waiting) <= LINGER_CONNECTIONS:
                    return
                self.end(connection, connection.lingers, frame, at)
            waiting.pop(0)

    def wait_of(self, connection: Connection) -> cython.longlong:
        """Return how long a connection waits for late packets, in nanoseconds."""
        waits: cython.bint = connection.lingers == "rst" and self.longest_wait == LINGER and is_in_use(connection)
        return RESET_LINGER if waits else self.longest_wait

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
        connection.now = at
        connection.doubtful = True
        connection.claim = None
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
        self.resets.clear()


def slot_of(key: bytes) -> cython.Py_ssize_t:
    """Return the slot of a key in `Connections.recent`. It is the same for both directions."""
    n: cython.Py_ssize_t = len(key)
    return 0 if n < 4 else ((key[n - 4] ^ key[n - 2]) << 8 | key[n - 3] ^ key[n - 1]) % RECENT
