"""Finds QUIC in UDP flows, on any port, and gives each packet to its connection.

Only the Initial of a client that authenticates begins a connection: its keys follow from its own header, so bytes that are not
QUIC fail, whatever they look like. After that, packets belong to a connection by their connection ID, also on another flow,
where the client has moved or its address was translated anew (RFC 9000 section 9); and on its own flow also without one. Where
it has moved with an unknown ID, its keys show it (`quic_moves`). Only here, a side of a flow (0: who sent first) becomes a role
(0: the client).
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

from analyzer.engine.dispatch_limits import QUIC_MEMORY
from analyzer.engine.quic_link import Link, closed_as, is_taken, named_link, path_of, take_spare
from analyzer.engine.quic_moves import Moves
from analyzer.engine.session_table import SessionTable
from analyzer.flows.flow import UDP, Flow
from analyzer.flows.sink import DatagramSink
from analyzer.flows.udp_flow import UdpFlow
from analyzer.secrets.quic_versions import HANDSHAKE, INITIAL, RETRY, VERSIONS, ZERO_RTT
from analyzer.tls.quic.initial_frames import opens_connection
from analyzer.tls.quic.known_ids import SHORTEST_PROOF
from analyzer.tls.quic.packet_headers import MAX_ID, NEGOTIATION, LongHeader, read_long
from analyzer.tls.quic.quic_connection import QuicConnection
from analyzer.tls.quic.quic_events import GUESSED, UNANNOUNCED
from analyzer.tls.quic.quic_session import QuicSession
from analyzer.tls.record.record import RecordSink

if TYPE_CHECKING:
    import cython

MAX_CONNECTIONS = 80
"""Connections on one flow at a time: a client can begin another one from the same port. They have to outlast what
somebody off the path sends in its name before the server has answered, which any Initial can be: see `take_spare`."""

MAX_EARLY_PACKETS = 16
"""Packets before the Initial of their connection that a flow keeps: on the path, early data can overtake it."""

MAX_OPENING_ATTEMPTS = 1024
"""Initial packets of a flow that are tried although none opened: keys are derived for each of them."""

LATER_ATTEMPT = 8
"""Of further ones, one of so many is tried: a client sends its own several times."""

DRAINING = 500_000_000
"""Nanoseconds that a connection is followed behind its CONNECTION_CLOSE; endpoints wait for three probe timeouts (RFC 9000
section 10.2)."""

FIRST_DATAGRAMS = 8
"""Datagrams of a flow that are looked up by their connection ID, if none belonged to a connection."""

MAX_GUESSES = 64
"""Datagrams of a flow that connections keep whose secrets may still come, if they may be theirs."""

_LONG, _FIXED, _UDP = 0x80, 0x40, UDP


class QuicFlows:
    """The connections of a run.

    by_id: connection and role that is reached, by connection ID. closing: connections that were closed, with `clock`
    behind that. clock: the latest time of a datagram; a clock that steps back does not turn it back. n_open: connections that
    have not ended. moves: those that may have moved.
    """

    __slots__ = ("by_id", "clock", "closing", "dispatcher", "moves", "n_open")

    def __init__(self, dispatcher: SessionTable) -> None:
        self.dispatcher = dispatcher
        self.by_id: dict[bytes, tuple[QuicConnection, int]] = {}
        self.closing: dict[QuicConnection, int] = {}
        self.clock = 0
        self.n_open = 0
        self.moves = Moves()

    def __call__(self, flow: UdpFlow) -> DatagramSink:
        """See `open`: this is a `DatagramProtocol`."""
        return self.open(flow)

    def open(self, flow: UdpFlow) -> DatagramSink:
        """Return the reader of a new UDP flow."""
        return QuicFlow(flow, self)

    def begin(
        self, flow: UdpFlow, side: cython.int, header: LongHeader, frame: cython.longlong, at: cython.longlong
    ) -> QuicConnection:
        """Begin a connection with the Initial of a client, which is that side of the flow."""
        dispatcher = self.dispatcher
        assert header.quic is not None
        session_flow = Flow(_UDP, flow.responder.key if side else flow.originator.key, frame, at)
        connection = QuicConnection(session_flow, header.quic, header.destination, self.by_id)
        connection.shard = dispatcher.assign()
        connection.add_keys(header.quic, header.destination)
        connection.add_id(1, header.destination, listed=False)
        self.n_open += 1
        dispatcher.held += QUIC_MEMORY
        if connection.shard != dispatcher.shard:
            dispatcher.count += 1
            return connection
        session = dispatcher.begin_over(QuicSession, session_flow)
        session.begin_transport(connection.facts, connection)
        connection.session = session
        if dispatcher.orders is None:  # events are wanted in the turn of their frames
            connection.unanswered = None
        connection.sink = dispatcher.wait(session)
        self.moves.add(connection)
        return connection

    def end(self, connection: QuicConnection, reason: str) -> None:
        """End a connection, whose last flow has ended. reason: see `Flow.closed`. Nothing else frees objects in a circle."""
        connection.known.leave()
        connection.frames.connection = None
        self.closing.pop(connection, None)
        self.n_open -= 1
        self.dispatcher.held -= QUIC_MEMORY
        self.end_session(connection, reason)

    def end_session(self, connection: QuicConnection, reason: str) -> None:
        """End the session of a connection. Its late packets are still known as its own, also where another process reads it."""
        session, sink = connection.session, connection.sink
        if session is None or sink is None:
            return
        self.moves.remove(connection)
        frame, at = connection.last_frame, connection.last_at
        connection.finish(frame, at)
        session.flow.closed = closed_as(connection.facts, reason)
        for one in connection.flows:
            session.flow.copies += one.flow.copies
        for role in range(2):
            sink.end_role(role, frame, at)
        if sink.finish(frame, at):
            self.dispatcher.end(session)
        connection.session = None
        connection.sink = None  # type: ignore[assignment]  # it takes no more
        connection.closing = False
        connection.facts = connection.facts.again()

    def end_closed(self, at: cython.longlong) -> None:
        """End the connections that were closed some time before `at`: both sides may send the same again until then.

        Those that end at once end in the order of their numbers, as `Shards` puts them.
        """
        self.clock = max(self.clock, at)
        ending: list[Any] = []
        while self.closing:
            connection = next(iter(self.closing))
            if self.clock - self.closing[connection] <= DRAINING:
                break  # the others were closed later
            del self.closing[connection]
            if connection.closing and connection.session is not None:  # else its handshake went on
                ending.append(connection)
        ending.sort(key=attrgetter("session.id"))
        for connection in ending:
            self.end_session(connection, "closed")


class QuicFlow(DatagramSink):
    """The datagrams of one UDP flow. links: the connections on it, first the one to which its packets go.

    early: packets before their connection. attempts: Initials that were tried in vain; looked: datagrams that were looked up
    in vain. guesses: datagrams that were given to connections whose secrets may still come. joined: connections that were on
    it. shard: the process that reads the last connection that began here, -1 before.
    """

    __slots__ = ("attempts", "early", "flow", "flows", "guesses", "joined", "kept", "links", "looked", "n_bytes", "shard")

    def __init__(self, flow: UdpFlow, flows: QuicFlows) -> None:
        self.wanted = True
        self.flow = flow
        self.flows = flows
        self.links: list[Link] = []
        self.early: list[tuple[int, bytes, int, int]] = []
        self.attempts = self.n_bytes = self.guesses = self.joined = self.looked = self.kept = 0
        self.shard = -1

    def feed(
        self,
        side: cython.int,
        data: bytes,
        start: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
        missing: cython.longlong,
        frame: cython.longlong,
        at: cython.longlong,
    ) -> None:
        """See `DatagramSink.feed`. A datagram can have several packets (RFC 9000 section 12.2)."""
        self.flows.dispatcher.steps += 1  # the same in all processes that share a capture
        if len(self.flows.closing) > 0:
            self.flows.end_closed(at)
        elif at > self.flows.clock:
            self.flows.clock = at
        if end - start < 2:
            return
        first: cython.int = data[start]
        if len(self.links) > 0:
            if self.shard >= 0 and self.flows.dispatcher.shards > 1:
                self.flows.dispatcher.loads[self.shard] += end - start
            if first & (_LONG | _FIXED) == _FIXED:  # nearly always
                self.take_short(side, data, start, end, missing, frame, at)
                self.update_held()
                return
        else:
            if first & _LONG:
                version: cython.longlong = int.from_bytes(data[start + 1 : start + 5], "big")
                if version not in VERSIONS:
                    return
            elif not first & _FIXED or self.flows.n_open == 0 or self.looked >= FIRST_DATAGRAMS:
                return
        destination: bytes | None = None
        self.n_bytes = end - start + missing
        pos: cython.Py_ssize_t = start
        while pos < end:
            if not data[pos] & _LONG:
                if data[pos] & _FIXED or pos == start:  # the bit can be 0 where that was agreed (RFC 9287)
                    self.take_short(side, data, pos, end, missing, frame, at)
                break
            header: LongHeader = read_long(data, pos, end)  # type: ignore[assignment]
            if header is None or (destination is not None and header.destination != destination):
                break
            destination = header.destination
            self.take_long(side, header, data, pos, end, frame, at)
            pos = header.end
        self.update_held()

    def take_long(
        self,
        side: cython.int,
        header: LongHeader,
        data: bytes,
        start: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
        frame: cython.longlong,
        at: cython.longlong,
    ) -> None:
        """Take a packet with a long header."""
        link: Link = self.link_of(side, header)  # type: ignore[assignment]
        known: cython.bint = header.destination in self.flows.by_id  # then it is a copy, or comes from the wrong side
        if link is None and not known and header.type == INITIAL and self.begins(header, data, start, end):
            link = self.begin(side, header, frame, at)
        if link is None:
            if header.type in (INITIAL, ZERO_RTT, HANDSHAKE) and header.end <= end and len(self.early) < MAX_EARLY_PACKETS:
                self.early.append((side, data[start : header.end], frame, at))
            return
        connection: QuicConnection = link.connection
        connection.path = link.path
        role: cython.int = side ^ link.client
        if header.type == INITIAL:
            connection.frames.size = self.n_bytes
            if not connection.take_initial(role, header, data, start, end, frame, at):
                if role == 1:
                    self.take_answer(link, header, data, start, end, frame, at)
                elif role == 0 and not connection.known.has(1, header.destination) and self.begins(header, data, start, end):
                    link = self.begin(side, header, frame, at)
                    link.connection.take_initial(0, header, data, start, end, frame, at)
            elif self.early:
                self.take_early(link)
        elif header.type == RETRY:
            if role == 1:
                connection.take_retry(header, data[start:end], frame, at)
        elif header.type == NEGOTIATION:
            if role == 1:
                connection.take_negotiation(header, data, frame, at)
        elif header.quic is not None:
            connection.take_protected(role, header, data, start, end, frame, at)
            if role == 0 and header.type == HANDSHAKE and self.links[0] is not link and connection.answers.is_followed():
                self.links.remove(link)
                self.links.insert(0, link)

    def take_answer(
        self, other: Link, header: LongHeader, data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t,
        frame: cython.longlong, at: cython.longlong,
    ) -> None:  # fmt: skip
        """Take an Initial of a server that is not of the connection `other`: several clients can have no connection ID."""
        link: Link
        for link in self.links:
            if link is not other and link.client == other.client and link.connection.known.has(0, header.destination):
                link.connection.path = link.path
                if link.connection.take_initial(1, header, data, start, end, frame, at):
                    return

    def link_of(self, side: cython.int, header: LongHeader) -> Link | None:
        """Return the connection of a packet with a long header; None if it is not known."""
        link: Link
        found = self.flows.by_id.get(header.destination) if header.destination else None
        if found is not None:
            connection, receiver = found
            for link in self.links:
                if link.connection is connection:
                    return link if side ^ link.client == 1 - receiver else None
            for link in self.links:  # several clients can choose the same ID
                if link.connection.known.has(1 - (side ^ link.client), header.destination):
                    return link
            if len(header.destination) >= SHORTEST_PROOF:
                return self.join(connection, side if receiver else 1 - side)
        return named_link(self.links, side, header)

    def begins(self, header: LongHeader, data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.bint:
        """Return whether an Initial begins a connection."""
        if header.end > end:
            return False
        if self.attempts >= MAX_OPENING_ATTEMPTS and self.attempts % LATER_ATTEMPT:
            self.attempts += 1
            return False
        if opens_connection(header, data, start):
            return True
        self.attempts += 1
        return False

    def begin(self, side: cython.int, header: LongHeader, frame: cython.longlong, at: cython.longlong) -> Link:
        """Begin a connection whose client is that side."""
        connection = self.flows.begin(self.flow, side, header, frame, at)
        self.shard = connection.shard
        taken = is_taken(self.links, side, header.source, at)
        return self.join(connection, side, len(self.links) if taken else 0)

    def join(self, connection: QuicConnection, client: cython.int, place: cython.Py_ssize_t = 0) -> Link:
        """Note that a connection is on this flow now. place: among `links`."""
        link = Link(connection, client, self.flow, self.joined)
        self.joined += 1
        if len(self.links) >= MAX_CONNECTIONS:
            self.leave(take_spare(self.links, self.flows.clock), "closed")
        self.links.insert(min(place, len(self.links)), link)
        connection.flows.append(self)
        return link

    def leave(self, link: Link, reason: str) -> None:
        """Note that a connection is not on this flow any more."""
        link.connection.flows.remove(self)
        if link.connection.session is not None:
            link.connection.session.flow.copies += self.flow.copies
        if not link.connection.flows:
            self.flows.end(link.connection, reason)

    def take_early(self, link: Link) -> None:
        """Take the packets that came before the Initial of their connection."""
        early, self.early = self.early, []
        for side, packet, frame, at in early:
            header = read_long(packet, 0, len(packet))
            if header is not None and self.link_of(side, header) is link:
                role: cython.int = side ^ link.client
                link.connection.path = link.path
                if header.type == INITIAL:
                    link.connection.take_initial(role, header, packet, 0, len(packet), frame, at)
                else:
                    link.connection.take_protected(role, header, packet, 0, len(packet), frame, at)
            else:
                self.early.append((side, packet, frame, at))

    def take_short(
        self,
        side: cython.int,
        data: bytes,
        start: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
        missing: cython.longlong,
        frame: cython.longlong,
        at: cython.longlong,
    ) -> None:
        """Take a packet with a short header, whose connection ID has the length that its receiver chose."""
        link: Link
        length: cython.Py_ssize_t
        connection: QuicConnection
        role: cython.int
        latest: bytes | None
        for link in self.links:
            connection = link.connection
            role = side ^ link.client
            latest = link.latest[1 - role]
            if latest is not None and data.startswith(latest, start + 1):
                connection.path = link.path
                connection.take_short(role, data, start, start + 1 + len(latest), end, missing, "", frame, at)
                return
            for length in connection.known.lengths[1 - role]:
                if connection.known.has(1 - role, data[start + 1 : start + 1 + length]):
                    link.latest[1 - role] = data[start + 1 : start + 1 + length]
                    connection.path = link.path
                    connection.take_short(role, data, start, start + 1 + length, end, missing, "", frame, at)
                    return
        # On its own flow, its ID may have been announced where the capture lacks packets.
        problem: str = UNANNOUNCED
        last: Link = self.links[0] if self.links else None  # type: ignore[assignment]
        if last is None:
            last = self.moved(side, data, start, end)
            problem = ""
        if last is None:
            self.looked += 1
            self.guess(side, data, start, end, missing, frame, at)
            return
        connection = last.connection
        connection.path = last.path
        role = side ^ last.client
        length = next(iter(connection.known.lengths[1 - role]), 0)
        connection.take_short(role, data, start, start + 1 + length, end, missing, problem, frame, at)

    def moved(self, side: cython.int, data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> Link | None:
        """Return the connection that has moved to this flow, known by the connection ID of a packet; None for none."""
        by_id = self.flows.by_id
        for length in range(MAX_ID, SHORTEST_PROOF - 1, -1):
            found = by_id.get(data[start + 1 : min(end, start + 1 + length)])
            if found is not None and length in found[0].known.lengths[found[1]]:
                return self.join(found[0], side if found[1] else 1 - side)
        return None

    def guess(
        self, side: cython.int, data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t, missing: cython.longlong,
        frame: cython.longlong, at: cython.longlong,
    ) -> None:  # fmt: skip
        """Give a packet to the connections that it may belong to, and note the one that has opened one of this flow."""
        connection: QuicConnection
        waits: cython.bint = False
        for connection, client in self.flows.moves.candidates(self.flow):
            role: cython.int = side ^ client
            connection.path = path_of(self.flow, client)
            length: cython.Py_ssize_t = next(iter(connection.known.lengths[1 - role]), 0)
            if not connection.facts.has_path(connection.path):
                connection.take_short(role, data, start, start + 1 + length, end, missing, GUESSED, frame, at)
            if connection.facts.has_path(connection.path):
                self.join(connection, client)
                return
            waits = waits or connection.sink is not connection.session
        if waits and self.guesses < MAX_GUESSES:
            self.guesses += 1
            self.looked -= 1

    def update_held(self) -> None:
        """Update the memory that the sessions of this flow take, here and in the dispatcher."""
        kept: cython.longlong = 0
        link: Link
        sink: RecordSink
        for link in self.links:
            sink = link.connection.sink
            if sink is not None:
                kept += sink.kept
            if link.connection.closing and link.connection not in self.flows.closing:
                self.flows.closing[link.connection] = self.flows.clock
        if kept != self.kept:
            self.flows.dispatcher.held += kept - self.kept
            self.kept = kept

    def close(self, reason: str, frame: cython.longlong, at: cython.longlong) -> None:
        """See `DatagramSink.close`."""
        self.flows.dispatcher.steps += 1
        link: Link
        links, self.links = self.links, []
        self.update_held()
        for link in sorted(links, key=attrgetter("order")):
            self.leave(link, reason)
