"""Passes the bytes of one TCP connection on as they were sent, for a command that follows one by its number.

Connections are numbered from 0 in the order of their first packets, as `tcp.stream` of Wireshark numbers them. All of them are
searched for TLS too, so that sessions have their numbers. Side 0 is who opened the connection; without a SYN, who sent first.
"""

from typing import Protocol

from analyzer.engine.dispatcher import Dispatcher
from analyzer.engine.tcp_stream import TcpStream
from analyzer.flows.connection import Connection
from analyzer.flows.sink import Sink


class TcpDataReader(Protocol):
    """Takes the bytes of the connection."""

    def begin(self, keys: tuple[bytes, bytes], frame: int) -> None:
        """Begin with the first packet of the connection. keys: addresses and ports, as in packets of side 0 and of side 1."""

    def feed(self, side: int, data: bytes, frame: int, at: int) -> None:
        """Take the next bytes of a side."""

    def lose(self, side: int, n_bytes: int) -> None:
        """Note that bytes of a side are not in the capture."""

    def finish(self, reason: str) -> None:
        """End the connection; reason: as `Flow.closed`."""


class FollowedConnection:
    """Passes the bytes of the connection with a number to a reader. n_connections: how many connections there were so far."""

    def __init__(self, number: int, reader: TcpDataReader, until_tls: bool = False) -> None:
        """until_tls: whether bytes are passed on only until TLS was found in the connection."""
        self.n_connections = 0
        self._until_tls = until_tls
        self._number = number
        self._reader = reader

    def dispatcher(self) -> type[Dispatcher]:
        """Return the dispatcher that does so, for `Engine`."""
        followed = self

        class TcpDataDispatcher(Dispatcher):
            """A dispatcher that passes on one connection."""

            def open(self, connection: Connection) -> Sink:
                """See `Dispatcher.open`."""
                return followed.sink(connection, TcpStream(connection, self))

        return TcpDataDispatcher

    def sink(self, connection: Connection, inner: TcpStream) -> Sink:
        """Return what reads a new connection. inner: what searches it for TLS."""
        number, self.n_connections = self.n_connections, self.n_connections + 1
        if number != self._number:
            return inner
        self._reader.begin((connection.originator.key, connection.responder.key), connection.first_frame)
        return _TcpData(inner, self._reader, self._until_tls)


class _TcpData(Sink):
    """Passes the bytes of the connection to its reader, and on to the reader that searches for TLS."""

    def __init__(self, inner: TcpStream, reader: TcpDataReader, until_tls: bool) -> None:
        Sink.__init__(self)
        self._until_tls = until_tls
        self._inner = inner
        self._reader = reader

    def feed(self, side: int, data: bytes, start: int, end: int, offset: int, frame: int, at: int) -> None:
        if self._inner.wanted or self._inner.peek(side, data, start, end):
            self._inner.feed(side, data, start, end, offset, frame, at)
        if self._is_passed():
            self._reader.feed(side, data[start:end], frame, at)

    def gap(self, side: int, offset: int, length: int, frame: int, at: int) -> None:
        if self._is_passed():
            self._reader.lose(side, length)
        if self._inner.wanted:
            self._inner.gap(side, offset, length, frame, at)

    def _is_passed(self) -> bool:
        return not self._until_tls or self._inner.session is None

    def conflict(self, side: int, offset: int, first: bytes, second: bytes, frame: int, at: int) -> None:
        self._inner.conflict(side, offset, first, second, frame, at)

    def doubt(self, side: int, kind: str, offset: int, data: bytes, frame: int, at: int) -> None:
        self._inner.doubt(side, kind, offset, data, frame, at)

    def close(self, reason: str, frame: int, at: int) -> None:
        self._inner.close(reason, frame, at)
        self._reader.finish(reason)
