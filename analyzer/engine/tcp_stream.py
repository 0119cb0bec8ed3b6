"""Reads the two byte streams of a TCP connection: searches them for TLS, and passes its records to a session.

In the first bytes of a stream, TLS is searched at every byte; later only at the start of a segment (`detection`). The TLS of
the other side begins with its next bytes, if they are a record. A capture that starts in the middle of a connection has no
hello; then a chain of records is needed instead. Only here, a side of a connection (0: the originator) becomes a role (0: the
client).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.codec.byte_slices import find_byte, slice_bytes
from analyzer.engine.capture_events import WATCHES_REVOCATION
from analyzer.engine.connection_end import note_end
from analyzer.engine.detection import (
    OF_EITHER,
    hello_at,
    is_closing,
    is_plain_alert,
    late_record_at,
    ssl2_hello_at,
)
from analyzer.engine.dispatch_limits import MAX_EARLY, SCAN_LIMIT, TLS_MEMORY, WATCHES_FAILURES
from analyzer.engine.other_traffic import WATCHES_HTTPS, OtherTraffic, other_traffic
from analyzer.engine.preface import Preface
from analyzer.engine.segment_facts import segment_fact
from analyzer.engine.session_table import SessionTable
from analyzer.flows.connection import Connection
from analyzer.flows.flow import TCP, Flow
from analyzer.flows.sink import Sink
from analyzer.packet.addresses import endpoints
from analyzer.tls.messages.numbers import CLIENT_HELLO, SSL2_SERVER_HELLO
from analyzer.tls.record.content_types import HANDSHAKE, HEADER
from analyzer.tls.record.record import LOST, RecordSink, conflict, fact, gap
from analyzer.tls.record.record_reader import RecordReader, plausible
from analyzer.tls.session import Session
from analyzer.x509.revocation_over_http import RevocationWatch, begins_request, begins_response

if TYPE_CHECKING:
    import cython

_TCP = TCP  # in the compiled build this is a C variable, which other modules cannot see

NOWHERE: tuple[int, int] = (0, -1)
"""The place of a hello that is not known yet."""

NO_HELLO: tuple[bytes, int] = (b"", -1)

_RANDOM, _RANDOM_END = 11, 43
"""Where the random of a ClientHello is in its record: behind two headers and the version (RFC 9846 section 4.2.2)."""

BOTH = 3
"""Both sides, as in `TcpStream.tls_begun`."""


class TcpStream(Sink):
    """The two streams of one TCP connection, and the TLS session in them, if there is one.

    client: the side that is the client, -1 before it is known. session, sink: the session, and the sink of its records.
    readers: record readers, by role. tls_begun: bit 0 is set when TLS of the originator has begun, bit 1 for the responder.
    tails: by side, bytes that may be the beginning of a hello. early: gaps and conflicts before the session. scanned: number
    of bytes that were searched. watch: searches for revocation data, None if not needed. begun: whether any bytes came. kept:
    bytes of memory of session and watch, as added to `Dispatcher.held`. shard: which process reads the session, -1 before one
    is found. other: its first bytes with frame and time, if they would be no TLS on port 443; None if they do not matter.
    preface: what came before TLS, None if nothing did. closing: as `tls_begun`, of sides whose last segment may say that their
    TLS ends; place: frame and time of that segment, and then those of the hello that begins TLS again. hello: the random of the
    ClientHello and the number of its session, as the dispatcher knows them.
    """

    __slots__ = (
        "begun", "client", "closing", "connection", "dispatcher", "early", "hello", "kept", "other", "place",
        "preface", "readers", "scanned", "session", "shard", "sink", "tails", "tls_begun", "watch",
    )  # fmt: skip

    def __init__(self, connection: Connection, dispatcher: SessionTable) -> None:
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
        self.preface: Preface | None = None
        self.closing = 0
        self.place: tuple[int, int] = NOWHERE
        self.hello: tuple[bytes, int] = NO_HELLO

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
        if self.shard >= 0:
            if is_closing(data, start, end):
                self.closing |= 1 << side
                self.place = (frame, at)
            elif self.closing == BOTH and side == self.client and hello_at(data, start, end) == CLIENT_HELLO:
                self.begin_again(frame, at)
            else:
                self.closing &= ~(1 << side)
        if self.shard >= 0 and self.dispatcher.shards > 1:
            self.dispatcher.loads[self.shard] += end - start
            if self.session is None:
                return
        if self.tls_begun & 1 << side:
            reader = self.readers[side ^ self.client]
            if self.preface is None or not self.preface.wraps:
                reader.feed(data, start, end, offset, frame, at)
            else:
                self.preface.feed(reader, side, slice_bytes(data, start, end), offset, frame, at)
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
        if pos != start:
            self.keep_before(side, data, start, end if pos < 0 else pos, frame)
        if pos < 0:
            if self.shard < 0 and self.scanned > SCAN_LIMIT:
                # The next segment may complete a hello. But bytes that only look like a hello must not cost without limit.
                self.wanted = self.scanned <= 2 * SCAN_LIMIT and (len(self.tails[0]) > 0 or len(self.tails[1]) > 0)
                if not self.wanted:
                    if self.preface is not None:
                        self.preface.drop()
                    self.scanned = 2 * SCAN_LIMIT + 1
                    self.tails = [b"", b""]
            return
        if self.session is None:  # another process reads it
            return
        reader = self.readers[side ^ self.client]
        if not (self.connection.syn or reader.ssl2 or hello_at(data, pos, end) >= 0 or is_plain_alert(data, pos, end)):
            reader.report(LOST, offset + pos - start, "", frame, at)  # its hello was before the capture
        if self.preface is None:
            reader.feed(data, pos, end, offset + pos - start, frame, at)
        else:
            self.preface.begin(side)
            self.preface.feed(reader, side, slice_bytes(data, pos, end), offset + pos - start, frame, at)
        self.update_held()

    def keep_before(
        self, side: cython.int, data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t, frame: cython.longlong
    ) -> None:
        """Keep bytes of a side that came before its TLS; those of its tail come again."""
        end -= len(self.tails[side])
        if end <= start or self.scanned > 2 * SCAN_LIMIT or (self.session is None and self.shard >= 0):
            return
        if self.preface is None:
            self.preface = Preface(None, [one[0] for one in self.early if len(one) == 4])
            if self.session is not None:
                self.preface.client = self.client
                self.session.flow.before = self.preface
        if self.session is None or self.tls_begun & 1 << side == self.tls_begun:
            self.preface.add(side, slice_bytes(data, start, end), frame)
        else:
            self.preface.answer(side, slice_bytes(data, start, end), frame)

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
        kept: cython.longlong = 0 if self.sink is None else self.sink.kept + TLS_MEMORY
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
        elif offset == 0 and self.shard < 0 and self.connection.syn and is_plain_alert(data, start, end):
            self.open(0, False)  # nobody has said who is the client: it is who connected
            return self.begin(side, start)
        while True:
            pos = find_byte(data, HANDSHAKE, pos, end)
            if pos < 0:
                break
            found = hello_at(data, pos, end)
            if found > 0:
                if self.shard < 0:
                    self.open(side if found == CLIENT_HELLO else other, False)
                    if found == CLIENT_HELLO and _RANDOM_END <= end - pos:
                        self.enter(slice_bytes(data, pos + _RANDOM, pos + _RANDOM_END))
                return self.begin(side, pos)
            if found == 0:
                self.tails[side] = data[pos:end]
                break
            pos += 1
        found = -1 if self.shard >= 0 or self.connection.syn else late_record_at(data, start, end)
        if found < 0:
            return -1
        (_, source), (_, destination) = endpoints(self.connection.originator.key)
        self.open(side ^ found if found < OF_EITHER else 0 if source >= destination else 1, True)
        if self.session is not None:
            reader = self.readers[other ^ self.client]
            reader.searching = True
        self.tls_begun = 3
        return start

    def open(self, client: cython.int, mid_stream: cython.bint) -> None:
        """Begin the session whose client is that side. Pass it the earlier gaps and conflicts of the streams."""
        connection: Connection = self.connection
        key: bytes = connection.responder.key if client else connection.originator.key
        flow: Flow
        if self.place is NOWHERE:
            flow = Flow(_TCP, key, connection.first_frame, connection.start, mid_stream)
        else:
            flow = Flow(_TCP, key, self.place[0], self.place[1], mid_stream)
        flow.late = not connection.syn
        if self.preface is not None:
            self.preface.client = client
            flow.before = self.preface
            flow.carrier = self.preface.carrier
        self.client = client
        if self.dispatcher.watches & WATCHES_FAILURES:
            self.dispatcher.opened.servers.add(flow)
        self.shard = self.dispatcher.assign()
        early, self.early = self.early, []
        if self.shard != self.dispatcher.shard:
            self.dispatcher.count += 1
            return
        self.session = self.dispatcher.begin(flow)
        self.sink = self.dispatcher.queue(self.session)
        self.readers = (RecordReader(self.sink, 0), RecordReader(self.sink, 1))
        for one in early:
            if len(one) == 4:
                self.sink.take(gap(one[0] ^ client, one[1], one[2], one[3]))
            elif len(one) == 5:
                self.sink.take(conflict(one[0] ^ client, one[1], one[2], one[3], one[4]))
            else:
                self.sink.take(fact(*segment_fact(one[0] ^ client, one[1], one[2], one[3]), one[4]))

    def enter(self, random: bytes) -> None:
        """Note the random of the ClientHello with which the session begins, whoever reads it."""
        number: cython.longlong = self.dispatcher.opened.number(self.dispatcher.count - 1)
        self.hello = (random, number)
        self.dispatcher.opened.enter(random, number)

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
        self.closing = 0
        if self.preface is not None:
            self.preface.lose(side)
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

    def doubt(
        self,
        side: cython.int,
        kind: str,
        offset: cython.longlong,
        data: bytes,
        frame: cython.longlong,
        at: cython.longlong,
    ) -> None:
        """Pass a segment that nobody has to believe on to the session."""
        self.dispatcher.steps += 1
        if self.session is not None:
            code, detail = segment_fact(side ^ self.client, kind, offset, data)
            self.sink.take(fact(code, detail, frame))
        elif self.shard < 0 and len(self.early) < MAX_EARLY:
            self.early.append((side, kind, offset, data, frame, at))

    def close(self, reason: str, frame: cython.longlong, at: cython.longlong) -> None:
        """End the session, and the search for revocation data."""
        self.dispatcher.steps += 1
        if self.watch is not None:
            self.watch.close(at)
            self.watch = None  # type: ignore[assignment]
        if self.other is not None and self.shard < 0 and len(self.early) == 0:
            self.dispatcher.events.append(self.other)
        if self.dispatcher.watches & WATCHES_FAILURES and self.shard < 0 and self.session is None:
            self.dispatcher.end_without_tls(self.connection, self.preface, len(self.early) > 0)
        self.end_session(reason, frame, at)
        self.update_held()

    def begin_again(self, frame: cython.longlong, at: cython.longlong) -> None:
        """End the session, both sides of which have closed: the hello in this frame begins another one on the connection."""
        self.end_session("closed", self.place[0], self.place[1])
        self.client = -1
        self.shard = -1
        self.tls_begun = 0
        self.closing = 0
        self.scanned = 0
        self.preface = None if self.preface is None else self.preface.again()
        self.place = (frame, at)

    def end_session(self, reason: str, frame: cython.longlong, at: cython.longlong) -> None:
        """End the session, if there is one. reason: see `Flow.closed`."""
        twin: cython.longlong = -1
        if self.hello is not NO_HELLO:
            twin = self.dispatcher.opened.leave(self.hello[0], self.hello[1])
            self.hello = NO_HELLO
        session: Session = self.session
        sink: RecordSink = self.sink
        if session is not None:
            session.flow.closed = reason
            note_end(session.flow, self.connection, self.client)
            if twin >= 0:
                detail = (
                    f"the ClientHello of session {twin} has the same random: the capture may have this connection twice, "
                    "such as before and behind an address translation"
                )
                session.log.add_finding("twin_session", "info", detail, session.flow.first_frame)
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
