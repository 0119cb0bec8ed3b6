"""Finds TLS inside TLS: the sessions that a decrypted session carries behind CONNECT, SOCKS or a PROXY header.

A client that speaks TLS with a proxy asks it for a target (HTTP CONNECT: RFC 9110 section 9.3.6, RFC 9113 section 8.5; SOCKS:
RFC 1928), and then speaks TLS with the target through the proxy. The decrypted bytes of both sides are two streams, as those of
a TCP connection are, and are searched in the same way (`tcp_stream`). What they carry can carry TLS again, to MAX_DEPTH. In
HTTP/1.1, any request can be CONNECT (`inner_http1`); in HTTP/2, each stream of that method is such a connection
(`inner_http2`).

The session inside has the addresses and the frames of the one around it, which is all that packets show of it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from analyzer.engine.detection import hello_at
from analyzer.engine.inner_http1 import InnerHttp1, begins_request
from analyzer.engine.inner_tunnel import NO_TIME
from analyzer.engine.preface import Preface
from analyzer.engine.tcp_stream import TcpStream
from analyzer.flows.carrier import INNER, Carrier
from analyzer.flows.connection import Connection
from analyzer.flows.flow import Flow
from analyzer.packet.addresses import reverse_key
from analyzer.tls.session_log import SessionLog

if TYPE_CHECKING:
    from analyzer.engine.session_table import SessionTable

MAX_DEPTH: Final = 4
"""Sessions around another one. A chain of proxies has two or three, and each level costs calls within calls."""

_STARTS: Final = (b"PROXY ", b"\r\n\r\n\0\r\nQUIT\n")
_HTTP2_START: Final = b"PRI * HTTP/2.0"
_SOCKS: Final = (4, 5)
_ALPN_HTTP2: Final = b"h2"
_MAX_PIECES: Final = 16  # in which the first bytes of a client come that tell what it speaks

STREAM, HTTP1, HTTP2 = "stream", "http1", "http2"
"""What the data of a session can begin with that carries TLS: a stream with a tunnel, or requests that can ask for tunnels."""


class InnerStreams:
    """Searches decrypted sessions. n_begun: how many streams inside them were followed, whether TLS was in them or not."""

    def __init__(self, dispatcher: SessionTable) -> None:
        self.dispatcher = dispatcher
        self.n_begun = 0

    def open(self, flow: Flow, log: SessionLog) -> InnerData | None:
        """Return what searches the data of a session; None where it is too deep inside others."""
        depth = 0 if flow.carrier is None else flow.carrier.depth
        return InnerData(self, flow, log) if depth < MAX_DEPTH else None

    def begin(self, flow: Flow, log: SessionLog, frame: int, at: int) -> InnerStream:
        """Return the reader of a stream inside a session, which begins in that frame. flow, log: of the session."""
        self.n_begun += 1
        depth = 0 if flow.carrier is None else flow.carrier.depth
        return InnerStream(self.dispatcher, flow, Carrier(INNER, log.session, depth + 1), frame, at)


class InnerData:
    """The data of one decrypted session, until it is known to carry no TLS."""

    __slots__ = ("_first", "_flow", "_inner", "_log", "_reader")

    def __init__(self, inner: InnerStreams, flow: Flow, log: SessionLog) -> None:
        self._inner = inner
        self._flow = flow
        self._log = log
        self._first: list[tuple[int, bytes, int, int]] = []
        self._reader: Any = None

    def feed(self, role: int, data: bytes, alpn: bytes | None, frame: int, at: int) -> bool:
        """Take the next bytes of a role. Return whether more is wanted."""
        if self._reader is not None:
            return self._pass(role, data, frame, at)
        if not data:
            return True
        if role != 0 and not self._first and alpn != _ALPN_HTTP2:
            return False
        self._first.append((role, data, frame, at))
        client = b"".join(piece for sender, piece, _, _ in self._first if sender == 0)
        kind = HTTP2 if alpn == _ALPN_HTTP2 else tunnel_kind(client)
        if kind is None:
            return len(self._first) <= _MAX_PIECES
        if not kind:
            return False
        self._reader = self._reader_of(kind)
        return all(self._pass(*piece) for piece in self._first_pieces())

    def _first_pieces(self) -> list[tuple[int, bytes, int, int]]:
        pieces, self._first = self._first, []
        return pieces

    def _reader_of(self, kind: str) -> Any:
        begin = partial(self._inner.begin, self._flow, self._log)
        if kind == HTTP2:
            from analyzer.engine.inner_http2 import InnerHttp2

            return InnerHttp2(begin)
        return InnerHttp1(begin) if kind == HTTP1 else begin(*self._first[0][2:])

    def _pass(self, role: int, data: bytes, frame: int, at: int) -> bool:
        wanted: bool = self._reader.feed(role, data, frame, at)
        if not wanted:
            self._reader.close(at)
        return wanted

    def miss(self, role: int) -> bool:
        """Note that bytes of a role are missing. Return whether more is wanted."""
        if self._reader is None:
            return False
        wanted: bool = self._reader.miss(role)
        if not wanted:
            self._reader.close(NO_TIME)
        return wanted

    def close(self, at: int) -> None:
        """End what is inside, with the session around it."""
        if self._reader is not None:
            self._reader.close(at)


class InnerStream:
    """One stream inside a session: two directions of bytes, searched for TLS. Role 0 is the client of the session around it."""

    __slots__ = ("_at", "_flow", "_frame", "_offsets", "_stream", "carrier")

    def __init__(self, dispatcher: SessionTable, flow: Flow, carrier: Carrier, frame: int, at: int) -> None:
        connection = Connection(flow.key, reverse_key(flow.key), frame, at)
        connection.syn = True
        for end in (connection.originator, connection.responder):
            end.n_packets = 1
        self.carrier = carrier
        self._flow = flow
        self._frame = frame
        self._at = at
        self._offsets = [0, 0]
        self._stream = TcpStream(connection, dispatcher)
        self._stream.begun = True
        self._stream.preface = Preface(carrier)

    def feed(self, role: int, data: bytes, frame: int, at: int) -> bool:
        """Take the next bytes of a role. Return whether more is wanted."""
        stream, n_bytes = self._stream, len(data)
        if n_bytes > 0:
            self._frame, self._at = frame, at
            stream.feed(role, data, 0, n_bytes, self._offsets[role], frame, at)
            self._offsets[role] += n_bytes
        return stream.wanted

    def miss(self, role: int) -> bool:
        """Note that bytes of a role are missing, nobody knows how many. Without a session there is nothing to go on with."""
        session = self._stream.session
        if session is None:
            return False
        if session.decryption is not None:
            session.decryption.has_gaps = True
        self._stream.readers[role ^ self._stream.client].miss(self._offsets[role], self._frame, self._at)
        return True

    def close(self, at: int) -> None:
        """End the stream, with the session around it. at: NO_TIME where only the capture ends here, behind the last bytes."""
        stream = self._stream
        if stream.session is not None:
            closed = self._flow.closed
            reason = "end" if at == NO_TIME and not closed else "closed" if closed in ("fin", "rst", "") else closed
            stream.close(reason, self._frame, self._at if at == NO_TIME else at)
        for end in (stream.connection.originator, stream.connection.responder):  # nothing else frees objects in a circle
            end.connection = end.peer = None  # type: ignore[assignment]


def tunnel_kind(data: bytes) -> str | None:
    """Return what the first bytes of a client begin: STREAM for a tunnel or TLS, HTTP1, HTTP2; empty for none of these.

    None if more bytes must tell.
    """
    if not data:
        return None
    if data[0] in _SOCKS or data.startswith(_STARTS) or hello_at(data, 0, len(data)) >= 0:
        return STREAM
    if data.startswith(_HTTP2_START):
        return HTTP2
    if any(start.startswith(data) for start in (*_STARTS, _HTTP2_START)):
        return None
    return HTTP1 if begins_request(data) else ""
