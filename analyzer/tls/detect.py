"""TLS found by its content: which connections speak it, and from which byte on.

TLS may begin with the first byte of a connection, or after another protocol has agreed on it: STARTTLS of mail, LDAP, XMPP and
databases, HTTP CONNECT, SOCKS, the PROXY protocol, RDP. Whatever comes before, the first thing of TLS on the wire is a
ClientHello in a record of its own, so that is what is looked for: at every byte of the first stretch of a stream, later only
where a segment begins. The other side's TLS begins with its next bytes, if they are a record. A capture that starts in the
middle shows no hello; there a chain of records must stand in for it. This module is compiled (see setup.cfg) and runs the
same uncompiled.
"""

from typing import Any

import cython

from analyzer.codec.cut import find_byte
from analyzer.flows.connection import Connection
from analyzer.flows.listener import Listener
from analyzer.flows.sink import Sink
from analyzer.tls.content_types import HANDSHAKE, HEADER
from analyzer.tls.links import Links
from analyzer.tls.records import RecordReader, plausible
from analyzer.tls.session import Session
from analyzer.tls.session_sink import SessionSink

SCAN_LIMIT = 16384
"""Bytes of a connection that are searched at every position; upgrades come after a greeting and some commands."""

MIN_HELLO = 11
"""Bytes that tell a hello: record header, handshake header, version."""

SPLIT = 6
"""Bytes of a hello that tell it, without the record header: the handshake header and the version."""

MIN_CIPHERTEXT = 17
"""Bytes of the shortest record that any cipher suite encrypts in practice: a type or a byte, and a tag of 16."""

MAX_EARLY = 64
"""Gaps and conflicts before the first hello that are kept: they may lie in the hello itself."""


def hello_at(data: bytes, pos: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.int:
    """What begins at `pos`: 1 a ClientHello, 2 a ServerHello, 0 too few bytes to say, -1 neither."""
    n: cython.Py_ssize_t = min(end - pos, MIN_HELLO)
    if n < 1 or data[pos] != 22:
        return -1 if n > 0 else 0
    if (n > 1 and data[pos + 1] != 3) or (n > 2 and data[pos + 2] > 4) or (n > 3 and data[pos + 3] > 0x48):
        return -1
    if n > 4 and data[pos + 3] == 0 and data[pos + 4] < SPLIT:
        return split_hello_at(data, pos, end)
    if (n > 5 and data[pos + 5] != 1 and data[pos + 5] != 2) or (n > 6 and data[pos + 6] != 0):
        return -1
    if n > 9 and data[pos + 9] != 3 and (data[pos + 9] != 0x7F or data[pos + 5] != 2):
        return -1
    if n < MIN_HELLO:
        return 0
    return data[pos + 5]


def split_hello_at(data: bytes, pos: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.int:
    """As `hello_at`, where the first record is too short for it: records may split a message (RFC 9846 section 5.1)."""
    found: cython.int = 0
    kind: cython.int = 0
    left: cython.int = 0
    while found < SPLIT:
        if left == 0:
            if (end - pos > 0 and data[pos] != 22) or (end - pos > 1 and data[pos + 1] != 3):
                return -1
            if end - pos < HEADER:
                return 0
            left = data[pos + 3] << 8 | data[pos + 4]
            pos += HEADER
            if left == 0:
                return -1
        if pos == end:
            return 0
        if found == 0:
            kind = data[pos]
            if kind != 1 and kind != 2:
                return -1
        elif (found == 1 and data[pos] != 0) or (found == 4 and data[pos] != 3 and (data[pos] != 0x7F or kind != 2)):
            return -1
        found += 1
        left -= 1
        pos += 1
    return kind


def ssl2_hello_at(data: bytes, pos: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.int:
    """Whether a CLIENT-HELLO in a record of SSL 2.0 begins at `pos`: 1 yes, 0 too few bytes to say, -1 no.

    draft-hickman-netscape-ssl-00 section 2.5; RFC 5246 appendix E.2 for hellos that offer SSL 3.0 and later.
    """
    n: cython.Py_ssize_t = min(end - pos, MIN_HELLO)
    if (n > 0 and data[pos] & 0x80 == 0) or (n > 2 and data[pos + 2] != 1):
        return -1
    if n > 4 and (data[pos + 3] << 8 | data[pos + 4]) != 2 and (data[pos + 3] != 3 or data[pos + 4] > 4):
        return -1
    if n < MIN_HELLO:
        return 0
    length: cython.int = (data[pos] & 0x7F) << 8 | data[pos + 1]
    specs: cython.int = data[pos + 5] << 8 | data[pos + 6]
    identifier: cython.int = data[pos + 7] << 8 | data[pos + 8]
    challenge: cython.int = data[pos + 9] << 8 | data[pos + 10]
    if specs == 0 or specs % 3 or (identifier != 0 and identifier != 16) or challenge < 16 or challenge > 32:
        return -1
    return 1 if length == 9 + specs + identifier + challenge else -1


def ciphertext_at(data: bytes, pos: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.bint:
    """Whether `data[pos:end]` begins with a record of application data and goes on, or ends, as records do."""
    if not plausible(data, pos, end) or data[pos] != 23 or data[pos + 2] == 0:
        return False
    length: cython.int = data[pos + 3] << 8 | data[pos + 4]
    after: cython.Py_ssize_t = pos + HEADER + length
    return length >= MIN_CIPHERTEXT and (after == end or plausible(data, after, end))


class TlsStream(Sink):
    """The two streams of one TCP connection, and the TLS session in them once there is one.

    speaking: bit 0 when the opener's TLS has begun, bit 1 for the other side. early: gaps and conflicts before the session.
    held: the bytes of memory that the session keeps, as told to `Sessions`.
    """

    __slots__ = ("connection", "early", "held", "scanned", "session", "sessions", "speaking", "tails")

    def __init__(self, connection: Connection, sessions: "Sessions") -> None:
        self.watch_for(connection, sessions)

    def watch_for(self, connection: Connection, sessions: "Sessions") -> None:
        """Begin; compiled subclasses call this, and spare themselves the constructor above."""
        self.wanted = True
        self.connection = connection
        self.sessions = sessions
        self.session: SessionSink = None  # type: ignore[assignment]  # until TLS has begun
        self.speaking = 0
        self.tails: list[bytes] = [b"", b""]
        self.early: list[tuple[Any, ...]] = []
        self.scanned = 0
        self.held = 0

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
        """Take the next bytes of a side: to its records, or to the search for them."""
        reader: RecordReader
        if self.speaking & 1 << side:
            reader = self.session.readers[side]
            reader.feed(data, start, end, offset, frame, at)
            self.weigh(self.session.kept)
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
            if self.session is None and self.scanned > SCAN_LIMIT:
                # A hello that has begun may be whole with the next segment; what only looks like one must not cost for ever.
                self.wanted = self.scanned <= 2 * SCAN_LIMIT and (len(self.tails[0]) > 0 or len(self.tails[1]) > 0)
                if not self.wanted:
                    self.tails = [b"", b""]
            return
        reader = self.session.readers[side]
        reader.feed(data, pos, end, offset + pos - start, frame, at)
        self.weigh(self.session.kept)

    def weigh(self, kept: cython.longlong) -> None:
        """Tell how much memory the session takes by now."""
        if kept != self.held:
            self.sessions.held += kept - self.held
            self.held = kept

    def search(
        self, side: cython.int, data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t, offset: cython.longlong
    ) -> cython.Py_ssize_t:
        """Where TLS begins in these bytes of a side that does not speak it yet; -1 if not here."""
        pos: cython.Py_ssize_t = start
        found: cython.int
        other: cython.int = 1 - side
        self.scanned += end - start
        if self.speaking & 1 << other:
            if plausible(data, start, end):
                return self.begin(side, start)
            if self.session.version == 0 and self.session.readers[other].ssl2 and end - start > 2 and data[start + 2] == 4:
                self.session.readers[side].ssl2 = True
                return self.begin(side, start)
            if HEADER > end - start and 20 <= data[start] <= 24:
                self.tails[side] = data[start:end]
                return -1
        elif offset == 0 and data[start] & 0x80:
            found = ssl2_hello_at(data, start, end)
            if found == 1:
                self.open(side)
                self.session.readers[side].ssl2 = True
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
                if self.session is None:
                    self.open(side if found == 1 else other)
                return self.begin(side, pos)
            if found == 0:
                self.tails[side] = data[pos:end]
                break
            pos += 1
        if self.session is None and not self.connection.syn and ciphertext_at(data, start, end):
            client = 0 if port(self.connection.opener.key, 0) >= port(self.connection.opener.key, 2) else 1
            self.open(client)
            self.session.mid_stream = True
            self.session.readers[other].searching = True
            self.speaking = 3
            return start
        return -1

    def open(self, client: cython.int) -> None:
        """Begin the session, and tell it what happened to the streams before."""
        session: SessionSink = self.sessions.begin(client, self.connection)
        self.session = session
        for fact in self.early:
            if len(fact) == 4:
                session.lacks(fact[0], fact[1], fact[2], fact[3])
            else:
                session.conflict(fact[0], fact[1], fact[2], fact[3], fact[4])
        self.early = []

    def begin(self, side: cython.int, pos: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Read records of this side from `pos` on."""
        self.speaking |= 1 << side
        return pos

    def glance(self, side: cython.int, data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.bint:
        """Whether a hello begins with this segment of a stream that was given up."""
        if data[start] != 22 or hello_at(data, start, end) <= 0:
            return False
        self.wanted = True
        return True

    def gap(
        self, side: cython.int, offset: cython.longlong, length: cython.longlong, frame: cython.longlong, at: cython.longlong
    ) -> None:
        """Pass a gap on to the session; once the other side speaks TLS, records of this side may begin behind it."""
        self.tails[side] = b""
        if self.session is not None:
            self.speaking |= 1 << side
            self.session.gap(side, offset, length, frame, at)
        elif len(self.early) < MAX_EARLY:
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
            self.session.conflict(side, offset, first, second, frame)
        elif len(self.early) < MAX_EARLY:
            self.early.append((side, offset, first, second, frame))

    def close(self, reason: str, frame: cython.longlong, at: cython.longlong) -> None:
        """End the session."""
        if self.session is not None:
            sink: Any = self.session.readers[0].sink
            if sink is self.session:
                self.session.finish(reason, frame, at)
                self.sessions.ended.append(self.session)
            elif sink.finish(reason, frame, at):  # see `patience`
                self.sessions.ended.append(self.session)
            self.weigh(0)
            self.session = None  # type: ignore[assignment]
            self.speaking = 0


class Sessions(Listener):
    """All TLS sessions of a capture; `ended` collects those whose connection is over; the rest as in `Session`.

    waiting: those that wait for secrets, None as long as none has.
    """

    __slots__ = ("count", "ended", "fields", "links", "secrets", "trace", "waiting")

    def __init__(self, trace: Any, fields: cython.bint, secrets: Any = None) -> None:
        self.secrets = secrets
        self.fields = fields
        self.links = Links()
        self.held = 0
        self.count = 0
        self.ended: list[Any] = []
        self.trace = trace
        self.waiting: Any = None

    def open(self, connection: Connection) -> Sink:
        """Watch a new connection for TLS."""
        return TlsStream(connection, self)

    def begin(self, client: cython.int, connection: Connection) -> SessionSink:
        """Number a new session."""
        number: cython.longlong = self.count
        self.count += 1
        session: Session = self.new(number, client, connection)
        if self.secrets is not None and self.secrets.coming is not None and self.secrets.coming():
            if self.waiting is None:
                from analyzer.tls.patience import Waiting

                self.waiting = Waiting(self.secrets)
            self.waiting.begin(session)
        return session

    def new(self, number: cython.longlong, client: cython.int, connection: Connection) -> Session:
        """A session with what it shares with all others."""
        session: Session = Session(number, client, connection, self.trace, self.fields)
        session.secrets = self.secrets
        session.links = self.links
        return session

    def look(self, at: cython.longlong) -> None:
        """End the sessions that need wait for secrets no longer, at that time of the capture."""
        if self.waiting is not None:
            self.ended += self.waiting.look(at)

    def close(self) -> None:
        """End those that still wait."""
        if self.waiting is not None:
            self.ended += self.waiting.close()


def port(key: bytes, index: cython.Py_ssize_t) -> cython.int:
    """The port that begins at byte `index` of the last four of a connection's key."""
    pos: cython.Py_ssize_t = len(key) - 4 + index
    return key[pos] << 8 | key[pos + 1]
