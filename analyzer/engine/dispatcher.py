"""Gives each flow to its decoder: TCP connections to TLS and the search for revocation data, UDP flows to their protocols.

In the first bytes of a stream, TLS is searched at every byte; later only at the start of a segment (`detection`). The TLS of
the other side begins with its next bytes, if they are a record. A capture that starts in the middle of a connection has no
hello; then a chain of records is needed instead. Only here, a side of a connection (0: the originator) becomes a role (0: the
client).
"""

from collections.abc import Callable, Sequence
from typing import Any

import cython

from analyzer.analysis.repetitions import Repetitions
from analyzer.codec.byte_slices import find_byte, slice_bytes
from analyzer.engine.capture_events import WATCHES_REVOCATION, RevocationSeen
from analyzer.engine.captured_process import process_of
from analyzer.engine.detection import ciphertext_at, hello_at, ssl2_hello_at
from analyzer.engine.dispatch_limits import MAX_EARLY, MERGE_COST, MERGE_COST_DECRYPTED, SCAN_LIMIT, SESSION_COST
from analyzer.engine.other_traffic import WATCHES_HTTPS, OtherTraffic, other_traffic
from analyzer.flows.connection import Connection
from analyzer.flows.flow import TCP, Flow
from analyzer.flows.listener import Listener
from analyzer.flows.sink import DatagramSink, Sink
from analyzer.flows.udp_flow import UdpFlow
from analyzer.packet.addresses import endpoints
from analyzer.tls.decryption.key_material import KeyMaterial
from analyzer.tls.events import Event, SessionBegan, SessionEnded
from analyzer.tls.handshake.resumption import Resumptions
from analyzer.tls.messages.numbers import CLIENT_HELLO, SSL2_SERVER_HELLO
from analyzer.tls.pending import PendingSessions
from analyzer.tls.record.content_types import HANDSHAKE, HEADER
from analyzer.tls.record.record import RecordSink, conflict, gap
from analyzer.tls.record.record_reader import RecordReader, plausible
from analyzer.tls.record_order import RecordOrders
from analyzer.tls.session import Session
from analyzer.x509.revocation_over_http import RevocationWatch, begins_request, begins_response

DatagramProtocol = Callable[[UdpFlow], DatagramSink | None]
"""A protocol over UDP: takes a new flow, and returns its reader, or None if the flow is not of this protocol."""

_TCP = TCP  # in the compiled build this is a C variable, which other modules cannot see


class TcpStream(Sink):
    """The two streams of one TCP connection, and the TLS session in them, if there is one.

    client: the side that is the client, -1 before it is known. session, sink: the session, and the sink of its records.
    readers: record readers, by role. tls_begun: bit 0 is set when TLS of the originator has begun, bit 1 for the responder.
    tails: by side, bytes that may be the beginning of a hello. early: gaps and conflicts before the session. scanned: number
    of bytes that were searched. watch: searches for revocation data, None if not needed. begun: whether any bytes came. kept:
    bytes of memory of session and watch, as added to `Dispatcher.held`. shard: which process reads the session, -1 before one
    is found. other: its first bytes with frame and time, if they would be no TLS on port 443; None if they do not matter.
    """

    __slots__ = (
        "begun", "client", "connection", "dispatcher", "early", "kept", "other", "readers", "scanned", "session", "shard",
        "sink", "tails", "tls_begun", "watch",
    )  # fmt: skip

    def __init__(self, connection: Connection, dispatcher: "Dispatcher") -> None:
        self.wanted = True
        self.connection = connection
        self.dispatcher = dispatcher
        self.client = -1
        self.session: Session = None  # type: ignore[assignment]  # until TLS has begun
        self.sink: RecordSink = None  # type: ignore[assignment]
        self.readers: tuple[RecordReader, RecordReader] = None  # type: ignore[assignment]
        self.tls_begun = 0
        self.tails: list[bytes] = [b"", b""]
        self.early: list[tuple[Any, ...]] = []
        self.scanned = 0
        self.kept = 0
        self.watch: RevocationWatch = None  # type: ignore[assignment]  # unless plain HTTP is searched for revocation data
        self.begun = False
        self.other: OtherTraffic | None = None
        self.shard = -1

    def feed(
        self,
        side: cython.int,
        data: bytes,
        start: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
        offset: cython.longlong,
        frame: cython.longlong,
        at: cython.longlong,
    ) -> None:
        """Take the next bytes of a side: read records from them, or search for the start of TLS."""
        self.dispatcher.steps += 1
        if not self.begun:
            self.begun = True
            if self.dispatcher.watches & WATCHES_REVOCATION:
                if begins_request(data, start, end):
                    self.watch = RevocationWatch(self.dispatcher.take_revocation, 1 - side)
                elif begins_response(data, start, end):
                    self.watch = RevocationWatch(self.dispatcher.take_revocation, side)
            if self.dispatcher.watches & WATCHES_HTTPS and offset == 0 and self.connection.syn:
                self.other = other_traffic(self.connection.originator.key, slice_bytes(data, start, end), frame, at)
        if self.watch is not None:
            self.feed_watch(side, data, start, end, frame, at)
        self.feed_tls(side, data, start, end, offset, frame, at)
        if self.watch is not None and self.watch.needed():
            self.wanted = True

    def feed_tls(
        self,
        side: cython.int,
        data: bytes,
        start: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
        offset: cython.longlong,
        frame: cython.longlong,
        at: cython.longlong,
    ) -> None:
        """Read records from the next bytes of a side. If its TLS has not begun, search for it first."""
        reader: RecordReader
        if self.shard >= 0 and self.dispatcher.shards > 1:
            self.dispatcher.loads[self.shard] += end - start
            if self.session is None:
                return
        if self.tls_begun & 1 << side:
            reader = self.readers[side ^ self.client]
            reader.feed(data, start, end, offset, frame, at)
            self.update_held()
            return
        only_watched: cython.bint = self.watch is not None and self.scanned > 2 * SCAN_LIMIT
        if only_watched and (data[start] != HANDSHAKE or hello_at(data, start, end) <= 0):
            return
        tail: bytes = self.tails[side]
        if len(tail) > 0:
            self.tails[side] = b""
            data = tail + data[start:end]
            offset -= len(tail)
            start = 0
            end = len(data)
        pos: cython.Py_ssize_t = self.search(side, data, start, end, offset)
        if pos < 0:
            if self.shard < 0 and self.scanned > SCAN_LIMIT:
                # The next segment may complete a hello. But bytes that only look like a hello must not cost without limit.
                self.wanted = self.scanned <= 2 * SCAN_LIMIT and (len(self.tails[0]) > 0 or len(self.tails[1]) > 0)
                if not self.wanted:
                    self.scanned = 2 * SCAN_LIMIT + 1
                    self.tails = [b"", b""]
            return
        if self.session is None:  # another process reads it
            return
        reader = self.readers[side ^ self.client]
        reader.feed(data, pos, end, offset + pos - start, frame, at)
        self.update_held()

    def feed_watch(
        self,
        side: cython.int,
        data: bytes,
        start: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
        frame: cython.longlong,
        at: cython.longlong,
    ) -> None:
        """Search for revocation data in the next bytes of a side, as long as the connection has no TLS."""
        if self.shard >= 0:
            self.watch.close(at)
        if self.shard >= 0 or not self.watch.feed(side, data, start, end, frame, at):
            self.watch = None  # type: ignore[assignment]
        self.update_held()

    def update_held(self) -> None:
        """Update the memory that session and watch take, here and in the dispatcher."""
        kept: cython.longlong = 0 if self.sink is None else self.sink.kept
        if self.watch is not None:
            kept += self.watch.kept
        if kept != self.kept:
            self.dispatcher.held += kept - self.kept
            self.kept = kept

    def search(
        self, side: cython.int, data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t, offset: cython.longlong
    ) -> cython.Py_ssize_t:
        """Return where TLS begins in these bytes of a side whose TLS has not begun; -1 if it does not begin here."""
        pos: cython.Py_ssize_t = start
        found: cython.int
        other: cython.int = 1 - side
        reader: RecordReader
        self.scanned += end - start
        if self.tls_begun & 1 << other:
            if plausible(data, start, end):
                return self.begin(side, start)
            reader = self.readers[other ^ self.client]
            if reader.ssl2 and end - start > 2 and data[start + 2] == SSL2_SERVER_HELLO:
                reader = self.readers[side ^ self.client]
                reader.ssl2 = True
                return self.begin(side, start)
            if HEADER > end - start and 20 <= data[start] <= 24:
                self.tails[side] = data[start:end]
                return -1
        elif offset == 0 and data[start] & 0x80:
            found = ssl2_hello_at(data, start, end)
            if found == 1:
                self.open(side, False)
                if self.session is not None:
                    reader = self.readers[0]
                    reader.ssl2 = True
                return self.begin(side, start)
            if found == 0:
                self.tails[side] = data[start:end]
                return -1
        while True:
            pos = find_byte(data, HANDSHAKE, pos, end)
            if pos < 0:
                break
            found = hello_at(data, pos, end)
            if found > 0:
                if self.shard < 0:
                    self.open(side if found == CLIENT_HELLO else other, False)
                return self.begin(side, pos)
            if found == 0:
                self.tails[side] = data[pos:end]
                break
            pos += 1
        if self.shard < 0 and not self.connection.syn and ciphertext_at(data, start, end):
            (_, source), (_, destination) = endpoints(self.connection.originator.key)
            self.open(0 if source >= destination else 1, True)
            if self.session is not None:
                reader = self.readers[other ^ self.client]
                reader.searching = True
            self.tls_begun = 3
            return start
        return -1

    def open(self, client: cython.int, mid_stream: cython.bint) -> None:
        """Begin the session whose client is that side. Pass it the earlier gaps and conflicts of the streams."""
        connection: Connection = self.connection
        key: bytes = connection.responder.key if client else connection.originator.key
        flow: Flow = Flow(_TCP, key, connection.first_frame, connection.start, mid_stream)
        self.client = client
        self.shard = self.dispatcher.assign()
        early, self.early = self.early, []
        if self.shard != self.dispatcher.shard:
            self.dispatcher.count += 1
            return
        self.session = self.dispatcher.begin(flow)
        self.sink = self.dispatcher.queue(self.session)
        self.readers = (RecordReader(self.sink, 0), RecordReader(self.sink, 1))
        for fact in early:
            if len(fact) == 4:
                self.sink.take(gap(fact[0] ^ client, fact[1], fact[2], fact[3]))
            else:
                self.sink.take(conflict(fact[0] ^ client, fact[1], fact[2], fact[3], fact[4]))

    def begin(self, side: cython.int, pos: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Note that records of this side begin at `pos`. Return `pos`."""
        self.tls_begun |= 1 << side
        return pos

    def peek(self, side: cython.int, data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.bint:
        """Return whether this segment of an unwanted stream begins with a hello, or a response with revocation data."""
        if self.watch is not None and self.watch.peek(side, data, start, end):
            self.wanted = True
        if data[start] == HANDSHAKE and hello_at(data, start, end) > 0:
            self.wanted = True
        return self.wanted

    def gap(
        self, side: cython.int, offset: cython.longlong, length: cython.longlong, frame: cython.longlong, at: cython.longlong
    ) -> None:
        """Pass a gap on to the session. If there is one, records of this side may begin after the gap."""
        self.dispatcher.steps += 1
        if self.watch is not None:
            self.watch.gap(side, length)
        self.tails[side] = b""
        if self.session is not None:
            self.tls_begun |= 1 << side
            reader: RecordReader = self.readers[side ^ self.client]
            reader.gap(offset, length, frame, at)
        elif self.shard < 0 and len(self.early) < MAX_EARLY:
            self.early.append((side, offset, length, frame))

    def conflict(
        self,
        side: cython.int,
        offset: cython.longlong,
        first: bytes,
        second: bytes,
        frame: cython.longlong,
        at: cython.longlong,
    ) -> None:
        """Pass a conflict on to the session."""
        if self.session is not None:
            self.sink.take(conflict(side ^ self.client, offset, first, second, frame))
        elif self.shard < 0 and len(self.early) < MAX_EARLY:
            self.early.append((side, offset, first, second, frame))

    def close(self, reason: str, frame: cython.longlong, at: cython.longlong) -> None:
        """End the session, and the search for revocation data."""
        self.dispatcher.steps += 1
        if self.watch is not None:
            self.watch.close(at)
            self.watch = None  # type: ignore[assignment]
        if self.other is not None and self.shard < 0 and len(self.early) == 0:
            self.dispatcher.events.append(self.other)
        session: Session = self.session
        sink: RecordSink = self.sink
        if session is not None:
            session.flow.closed = reason
            session.flow.limited = self.connection.limited
            for side in range(2):
                role: cython.int = side ^ self.client
                reader: RecordReader = self.readers[role]
                reader.finish(frame, at)
                sink.end_role(role, frame, at)
            if sink.finish(frame, at):
                self.dispatcher.end(session)
            self.readers = None  # type: ignore[assignment]
            self.session = None  # type: ignore[assignment]
            self.sink = None  # type: ignore[assignment]
            self.tls_begun = 0
        self.update_held()


class Dispatcher(Listener):
    """Gives each flow its decoder, and collects the events of the decoders.

    events: those that were not taken yet. material: the secrets that may decrypt records. resumptions: the resumable sessions.
    detailed: whether sessions emit all events as they happen, and not only that they ended. places: as in `SessionLog`.
    keeps_fields: as in `SessionHandshake`. watches: what else is watched, WATCHES_REVOCATION for OCSP responses and revocation
    lists in plain HTTP, plus WATCHES_HTTPS for connections to port 443 without TLS. datagram_protocols: the protocols for UDP
    flows, tried in this order. pending: the pending sessions, which wait for secrets; None before the first one. count: how
    many sessions there were. steps: how often the readers of connections ran.
    Several processes can read one capture: shards, of which this is number `shard`. Each of them follows all connections and
    finds all sessions, so `count`, `steps` and the rest are the same in all of them; but it reads only the sessions that are
    its own. loads: by process, what it had to do, in bytes of sessions.
    announces: whether `SessionBegan` is emitted although nothing else is `detailed`. processes: what the captures say about
    the processes of frames (`FrameProcesses`), the last captures last. numbers: that of the first session, and the step.
    repetitions: finds what sessions have in common, None if somebody else does. orders: puts records in order, or None.
    """

    __slots__ = (
        "announces", "count", "datagram_protocols", "detailed", "events", "keeps_fields", "loads", "material", "numbers",
        "orders", "pending", "places", "processes", "repetitions", "resumptions", "shard", "shards", "steps", "watches",
    )  # fmt: skip

    def __init__(
        self,
        material: KeyMaterial,
        detailed: cython.bint = False,
        places: cython.bint = True,
        keeps_fields: cython.bint = True,
        watches_revocation: cython.bint = False,
        datagram_protocols: Sequence[DatagramProtocol] = (),
    ) -> None:
        self.held = 0
        self.events: list[Event] = []
        self.material = material
        self.resumptions = Resumptions()
        self.repetitions: Repetitions | None = Repetitions()
        self.detailed = detailed
        self.places = places
        self.keeps_fields = keeps_fields
        self.watches = WATCHES_REVOCATION if watches_revocation else 0
        self.announces = False
        self.datagram_protocols = tuple(datagram_protocols)
        self.pending: PendingSessions = None  # type: ignore[assignment]  # until a session has to wait
        self.count = 0
        self.numbers = (0, 1)
        self.steps = 0
        self.shard = 0
        self.shards = 1
        self.loads: list[int] = [0]
        self.processes: list[Any] = []
        self.orders: RecordOrders | None = RecordOrders()

    def share(self, shard: cython.int, shards: cython.int) -> None:
        """Read only a part of the sessions: this is process `shard` of `shards`, which all read the same capture."""
        self.shard = shard
        self.shards = shards
        self.loads = [0] * shards

    def assign(self) -> cython.int:
        """Return which process reads a new session: the one that had the least to do so far."""
        if self.shards == 1:
            return 0
        loads: list[int] = self.loads
        shard: cython.int = loads.index(min(loads))
        loads[shard] += SESSION_COST
        loads[0] += MERGE_COST_DECRYPTED if self.material.given else MERGE_COST
        return shard

    def open(self, connection: Connection) -> Sink:
        """Return the reader of a new connection, which searches it for TLS."""
        return TcpStream(connection, self)

    def open_datagrams(self, flow: UdpFlow) -> DatagramSink:
        """Return the reader of a new UDP flow, from the first protocol that wants it. If none does, datagrams are ignored."""
        for protocol in self.datagram_protocols:
            sink = protocol(flow)
            if sink is not None:
                return sink
        return Listener.open_datagrams(self, flow)

    def begin(self, flow: Flow) -> Session:
        """Begin a new session, with the next number."""
        number: cython.longlong = self.numbers[0] + self.numbers[1] * self.count
        self.count += 1
        events: list[Event] | None = self.events if self.detailed else None
        session: Session = Session(number, flow, self.material, self.resumptions, events, self.keeps_fields, self.places)
        if events is not None:
            session.log.emit(SessionBegan(flow))
        elif self.announces:
            began = SessionBegan(flow)
            began.session, began.version = number, 0
            self.events.append(began)
        return session

    def queue(self, session: Session) -> RecordSink:
        """Return the sink for the records of a new session, which may wait for their secrets, or for earlier records."""
        sink: RecordSink = session
        if self.material.may_grow is not None and self.material.may_grow():
            self.pending = self.pending or PendingSessions(self.material)
            sink = self.pending.begin(session)
        return sink if self.orders is None else self.orders.begin(sink, session.flow.mid_stream)

    def end(self, session: Session) -> None:
        """Emit that a session has ended."""
        if session.flow.process is None and len(self.processes) > 0:
            session.flow.process = process_of(session, self.processes)
        if self.repetitions is not None:
            session.log.repeats = self.repetitions.take_session(session)
        ended: SessionEnded = SessionEnded(session, self.steps)
        ended.frame = session.flow.last_frame
        ended.at = session.flow.end
        ended.version = session.log.version
        self.events.append(ended)

    def take_revocation(self, content_type: str, body: bytes) -> None:
        """Emit an OCSP response or a revocation list that was in plain HTTP."""
        self.events.append(RevocationSeen(content_type, body))

    def tick(self, at: cython.longlong) -> None:
        """End the pending sessions that need not wait any longer, at time `at` of the capture."""
        if self.pending is not None:
            for session in self.pending.tick(at):
                self.end(session)

    def close(self) -> None:
        """End the sessions that are still pending."""
        if self.pending is not None:
            for session in self.pending.close():
                self.end(session)
