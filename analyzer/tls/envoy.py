"""Sessions that another process has: here their records are read, and an envoy tells that process of them.

Several processes share the sessions of a capture; which has one does not show in what comes out. For that, a session that
another one may resume has to be in the same process: up to TLS 1.2 they have one master secret, and perhaps only the first is
in the key log. So an envoy looks at the handshake while it is in plaintext, for the session ids and tickets in it (RFC 5246
section 7.4, RFC 5077 section 3.3), and decides with the ServerHello. In TLS 1.3 each session has secrets of its own.

This module is compiled (see setup.cfg) and runs the same uncompiled.
"""

import cython

from analyzer.codec.cut import cut
from analyzer.streams.tcp import Connection
from analyzer.tls import ssl2
from analyzer.tls.content_types import APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE
from analyzer.tls.limits import HOLDING_COST, LONGEST_TOLD, MOST_HELD
from analyzer.tls.links import Links, Origin
from analyzer.tls.records import RecordReader
from analyzer.tls.session_sink import SessionSink
from analyzer.tls.suites import suite
from analyzer.tls.tidings import (
    BEGIN,
    CONFLICT,
    FINISH,
    LACKS,
    LOST,
    RECORD,
    SIDE,
    STOP,
    TURN,
    TYPE,
    VERSION,
    VIOLATION,
    Tidings,
)

CLIENT_HELLO, SERVER_HELLO, NEW_SESSION_TICKET = 1, 2, 4
SESSION_TICKET = 35
SSL2 = 0x0002

HELD_AT_FIRST = 1 << 10
"""Bytes that there is room for at first in what is held: a ClientHello has some 500."""

TOLD_AT_FIRST = 1 << 16
"""The same in a message to a process."""

CHOSEN_13 = b"\x00\x2b\x00\x02"
"""In a ServerHello: supported_versions with one version, and so TLS 1.3."""


class Router:
    """Says which process has a session. outboxes: of each process, what it is to be told. opens: whether anything was given
    that may open records; without it no application data is told. links: processes by what they gave out or were given.
    """

    __slots__ = ("links", "opens", "outboxes")

    def __init__(self, n_processes: cython.int, opens: cython.bint) -> None:
        self.outboxes = [Tidings(TOLD_AT_FIRST) for _ in range(n_processes)]
        self.opens = opens
        self.links = Links()

    def end_turn(self) -> None:
        """Tell all that a turn is over."""
        outbox: Tidings
        for outbox in self.outboxes:
            outbox.put(TURN, 0, 0, 0, 0, 0, b"")

    def take(self) -> list[memoryview]:
        """What the processes are to be told since the last call, to be used before they are to be told more."""
        return [outbox.take() for outbox in self.outboxes]

    def resuming(self, session_id: bytes, ticket: bytes) -> cython.Py_ssize_t:
        """The process of the session that such a ClientHello may resume; -1 for none."""
        origin: Origin | None = None
        if len(ticket) > 0:
            origin = self.links.tickets.find(ticket)
        if origin is None and len(session_id) > 0:
            origin = self.links.ids.find(session_id)
        return -1 if origin is None else origin.number


class Envoy(SessionSink):
    """Stands for a session; the attributes are those of `Session`.

    process: who has it, -1 until that is known; held: what is to be told then. ticket: what the client offers. settled: by
    side, whether no more of the handshake is looked at; parts: by side, a message that goes on; needs: how many bytes of it
    it takes to go on with it.
    """

    __slots__ = (
        "client", "connection", "held", "id", "needs", "opens", "origin", "parts", "process", "router", "settled", "ticket",
    )  # fmt: skip

    def __init__(self, number: cython.longlong, client: cython.int, connection: Connection, router: Router) -> None:
        self.id = number
        self.client = client
        self.connection = connection
        self.router = router
        self.readers = [RecordReader(self, 0), RecordReader(self, 1)]
        self.version = 0
        self.mid_stream = False
        self.kept = 0
        self.process = -1
        self.held = Tidings(HELD_AT_FIRST)
        self.opens = True
        self.origin: Origin = None  # type: ignore[assignment]  # once it may be resumed
        self.settled: list[bool] = [False, False]
        self.parts: list[bytearray] = [bytearray(), bytearray()]
        self.needs: list[int] = [0, 0]
        self.ticket = b""

    def wants(self, side: cython.int, content_type: cython.int) -> cython.bint:
        """As in the class above; what the session does not want it leaves unread."""
        return content_type != APPLICATION_DATA or self.router.opens or (self.opens and not self.mid_stream)

    def record(
        self,
        side: cython.int,
        content_type: cython.int,
        version: cython.int,
        body: bytes,
        length: cython.longlong,
        missing: cython.longlong,
        frame: cython.longlong,
        at: cython.longlong,
    ) -> None:
        """As in the class above."""
        if self.process < 0:
            self.kept += len(body)
        if content_type == HANDSHAKE and not self.settled[side] and version != SSL2:
            self.look(side, body)
            if missing > 0:
                self.settled[side] = True
        elif version == SSL2 and not self.settled[side]:
            self.settled[side] = True
            reader: RecordReader = self.readers[side]
            if len(body) > 0 and body[0] == CLIENT_HELLO:
                reader.ssl2 = ssl2.stays(body)
        elif content_type == CHANGE_CIPHER_SPEC:
            self.settled[side] = True
        self.tell((version << VERSION) | (content_type << TYPE) | (side << SIDE) | RECORD, frame, at, length, missing, body)

    def violation(self, side: cython.int, offset: cython.longlong, why: str, frame: cython.longlong) -> None:
        """As in the class above."""
        self.tell((side << SIDE) | VIOLATION, frame, offset, 0, 0, why.encode())

    def lost(self, side: cython.int, frame: cython.longlong, at: cython.longlong) -> None:
        """As in the class above."""
        self.settled[side] = True
        self.tell((side << SIDE) | LOST, frame, at, 0, 0, b"")

    def lacks(self, side: cython.int, offset: cython.longlong, length: cython.longlong, frame: cython.longlong) -> None:
        """As in the class above."""
        self.tell((side << SIDE) | LACKS, frame, offset, length, 0, b"")

    def conflict(self, side: cython.int, offset: cython.longlong, first: bytes, second: bytes, frame: cython.longlong) -> None:
        """As in the class above."""
        self.tell((side << SIDE) | CONFLICT, frame, offset, len(first), 0, first + second)

    def finish(self, reason: str, frame: cython.longlong, at: cython.longlong) -> None:
        """As in the class above."""
        side: cython.int
        reader: RecordReader
        for side in range(2):
            reader = self.readers[side]
            if reader.remaining > 0:
                reader.finish(frame, at)
                self.tell((side << SIDE) | STOP, frame, at, 0, 0, b"")
        self.readers = []  # they point back here
        if self.process < 0:
            self.assign(-1)
        self.tell(FINISH, frame, at, self.connection.limited, 0, reason.encode())

    def tell(
        self,
        word: cython.longlong,
        frame: cython.longlong,
        at: cython.longlong,
        length: cython.longlong,
        missing: cython.longlong,
        body: bytes,
    ) -> None:
        """Tell the process that has the session, or hold it until that is known."""
        outbox: Tidings
        if self.process < 0 and (self.held.end >= MOST_HELD or self.settled[1 - self.client]):
            self.assign(-1)
        if self.process < 0:
            self.kept += HOLDING_COST
            outbox = self.held
        else:
            outbox = self.router.outboxes[self.process]
        outbox.put(word, self.id, frame, at, length, missing, body)

    def assign(self, process: cython.Py_ssize_t) -> None:
        """Give the session to a process, with -1 to the one whose turn it is, and tell it what was held."""
        connection: Connection = self.connection
        if process < 0:
            process = self.id % len(self.router.outboxes)
        self.process = process
        self.kept = 0
        outbox: Tidings = self.router.outboxes[process]
        word: cython.longlong = (self.client << SIDE) | (self.mid_stream << TYPE) | BEGIN
        outbox.put(word, self.id, connection.first_frame, connection.start, 0, 0, connection.opener.key)
        outbox.join(self.held)
        self.held = None  # type: ignore[assignment]  # nothing is held any more

    # What the handshake says in plaintext.

    def look(self, side: cython.int, body: bytes) -> None:
        """Look at the messages of a record, and keep one that goes on in the next."""
        parts: bytearray = self.parts[side]
        data: bytes = body
        pos: cython.Py_ssize_t = 0
        length: cython.Py_ssize_t
        if len(parts) > 0:
            parts += body
            if len(parts) < self.needs[side]:
                return
            data = bytes(parts)
            parts.clear()
        while 4 <= len(data) - pos:
            length = 4 + (data[pos + 1] << 16 | data[pos + 2] << 8 | data[pos + 3])
            if length > len(data) - pos:
                if length > LONGEST_TOLD:
                    self.settled[side] = True
                    return
                self.needs[side] = length
                break
            self.hear(side, data, pos, pos + length)
            pos += length
        else:
            self.needs[side] = 4
        parts += data[pos:]

    def hear(self, side: cython.int, data: bytes, pos: cython.Py_ssize_t, end: cython.Py_ssize_t) -> None:
        """Hear the message `data[pos:end]`."""
        number: cython.int = data[pos]
        if number == CLIENT_HELLO and side == self.client:
            self.ticket = offered_ticket(data, pos + 4, end)
        elif number == SERVER_HELLO and side != self.client and end - pos > 39:
            after: cython.Py_ssize_t = pos + 39 + data[pos + 38]
            if 2 > end - after:
                return
            session_id: bytes = cut(data, pos + 39, after)
            if self.process < 0:
                self.assign(self.router.resuming(session_id, self.ticket))
            found = suite(data[after] << 8 | data[after + 1])
            self.opens = found is not None and found.mode == "null"
            if len(session_id) > 0 and data.find(CHOSEN_13, after, end) < 0:
                self.router.links.ids.keep(session_id, self.as_origin())
        elif number == NEW_SESSION_TICKET and side != self.client and end - pos > 10:
            length: cython.Py_ssize_t = data[pos + 8] << 8 | data[pos + 9]
            if 0 < length <= end - pos - 10:
                self.router.links.tickets.keep(cut(data, pos + 10, pos + 10 + length), self.as_origin())

    def as_origin(self) -> Origin:
        """What those are led to that resume this session: its process, which has it by now."""
        if self.process < 0:
            self.assign(-1)
        if self.origin is None:
            self.origin = Origin(self.process, b"", None)
        return self.origin


def offered_ticket(data: bytes, pos: cython.Py_ssize_t, end: cython.Py_ssize_t) -> bytes:
    """The ticket that the body of a ClientHello offers; empty where there is none, or no such body."""
    length: cython.Py_ssize_t
    kind: cython.int
    n_bytes: cython.int
    pos += 34  # version and random
    for n_bytes in (1, 2, 1):  # what has a length of so many bytes: session id, cipher suites, compression methods
        if n_bytes > end - pos:
            return b""
        length = data[pos] if n_bytes == 1 else data[pos] << 8 | data[pos + 1]
        pos += n_bytes
        if length > end - pos:
            return b""
        pos += length
    pos += 2  # the length of all extensions
    while 4 <= end - pos:
        kind = data[pos] << 8 | data[pos + 1]
        length = data[pos + 2] << 8 | data[pos + 3]
        pos += 4
        if length > end - pos:
            break
        if kind == SESSION_TICKET:
            return cut(data, pos, pos + length)
        pos += length
    return b""
