"""Reads HTTP in TCP connections that have no TLS (RFC 9112; RFC 9113 with prior knowledge), for a command that asks for it.

The reader of a connection (`TcpStream`) searches it for TLS. Here another reader stands before it, which passes everything on,
and reads the same bytes as HTTP if the first ones look like a request or a response. It ends where TLS begins, such as behind
CONNECT. A connection that is not HTTP gets its own reader back, so that it costs no more than without this. In several
processes, each connection is read by one of them, by a hash of its addresses.
"""

import re
from collections.abc import Callable
from typing import Protocol
from zlib import crc32

from analyzer.application.conversation import UNDECIDED_MAX, Conversation
from analyzer.application.exchange import CLIENT, SERVER, Exchange
from analyzer.engine.capture_events import PlainHttp
from analyzer.engine.dispatcher import Dispatcher
from analyzer.engine.tcp_stream import TcpStream
from analyzer.flows.connection import Connection
from analyzer.flows.sink import Sink

_REQUEST = re.compile(rb"[\r\n]{0,4}[A-Z][A-Z-]{0,23}(?: [\x21-\xff]| ?\Z)")
"""How a request begins; of one in small segments, the method alone is enough."""

_RESPONSE = re.compile(rb"HTTP/1\.[01] [1-5]")

_HEAD = 32
"""First bytes of a segment that tell whether HTTP begins with it."""

EXCHANGE_COST = 2048
"""Bytes of memory that an exchange is counted with: some fields of two messages. With too many, the oldest connections end."""

_MOST_BYTES = 2 * UNDECIDED_MAX
"""Bytes after which a conversation that is still unknown is not HTTP."""


class HttpDispatcher(Dispatcher):
    """A dispatcher that also reads plain HTTP."""

    def open(self, connection: Connection) -> Sink:
        """See `Dispatcher.open`."""
        return PlainHttpStream(connection, self)


TakeBody = Callable[[Exchange, int, bytes, int, int], None]
"""Called with each piece of a decoded body: exchange, side, bytes, frame, time."""


def dispatcher_with(take_body: TakeBody) -> type[Dispatcher]:
    """Return a dispatcher that reads plain HTTP, and passes the bodies to `take_body`."""

    class BodyDispatcher(HttpDispatcher):
        """A dispatcher that passes on the bodies of plain HTTP."""

        def open(self, connection: Connection) -> Sink:
            """See `Dispatcher.open`."""
            return PlainHttpStream(connection, self, take_body)

    return BodyDispatcher


class HttpWatcher(Protocol):
    """Takes the bytes of connections with plain HTTP. `stream` is the same object for all bytes of a connection."""

    def take_body(self, exchange: Exchange, side: int, data: bytes, frame: int, at: int) -> None:
        """Take a piece of a decoded body; see `TakeBody`."""

    def take_data(self, stream: object, role: int, data: bytes, frame: int) -> None:
        """Take the next bytes of a role as they were sent."""

    def take_gap(self, stream: object, role: int) -> None:
        """Bytes of a role are missing here."""

    def end(self, stream: object, finished: bool) -> None:
        """The connection has ended, or its HTTP. finished: whether the server has ended its side in order, with a FIN."""


def dispatcher_for(watcher: HttpWatcher) -> type[Dispatcher]:
    """Return a dispatcher that reads plain HTTP, and passes its bytes and bodies to `watcher`."""

    class WatchedDispatcher(HttpDispatcher):
        """A dispatcher that passes on all of plain HTTP."""

        def open(self, connection: Connection) -> Sink:
            """See `Dispatcher.open`."""
            return PlainHttpStream(connection, self, watcher.take_body, watcher)

    return WatchedDispatcher


class PlainHttpStream(Sink):
    """Reads the HTTP of one connection, and passes all bytes on to the reader that searches for TLS."""

    def __init__(
        self,
        connection: Connection,
        dispatcher: HttpDispatcher,
        take_body: TakeBody | None = None,
        watcher: HttpWatcher | None = None,
    ) -> None:
        Sink.__init__(self)
        self._take_body = take_body
        self._watcher = watcher
        self._now = (0, -1)
        self._connection = connection
        self._dispatcher = dispatcher
        self._inner = TcpStream(connection, dispatcher)
        self._client = 0
        self._conversation: Conversation | None = None
        self._n_fed = 0
        self._n_held = 0

    def feed(self, side: int, data: bytes, start: int, end: int, offset: int, frame: int, at: int) -> None:
        """See `Sink.feed`."""
        if self._conversation is None:
            self._begin(side, data[start : min(end, start + _HEAD)])
        if self._conversation is not None:
            self._n_fed += end - start
            self._now = frame, at
            role = CLIENT if side == self._client else SERVER
            if self._watcher is not None:
                self._watcher.take_data(self, role, data[start:end], frame)
            self._conversation.feed(role, data[start:end], frame, at)
            self._hold(len(self._conversation.exchanges))
        inner = self._inner
        if inner.wanted or inner.peek(side, data, start, end):
            inner.feed(side, data, start, end, offset, frame, at)
        if inner.shard >= 0 or (self._n_fed > _MOST_BYTES and self._is_unknown()):
            self._end(frame, at)
        self.wanted = inner.wanted or self._conversation is not None

    def _begin(self, side: int, head: bytes) -> None:
        """Begin to read HTTP if the segment of a side begins like it. Only what begins in the middle gets a second chance."""
        asks = _REQUEST.match(head) is not None
        if not asks and _RESPONSE.match(head) is None:
            if self._connection.syn or not self._inner.wanted:
                self._leave()
            return
        dispatcher = self._dispatcher
        if crc32(self._connection.originator.key) % dispatcher.shards != dispatcher.shard:
            self._leave()
            return
        self._client = side if asks else 1 - side
        self._conversation = Conversation(scheme="http", on_body=None if self._take_body is None else self._pass_body)

    def _pass_body(self, exchange: Exchange, side: int, data: bytes) -> None:
        if self._take_body is not None:
            self._take_body(exchange, side, data, *self._now)

    def _hold(self, n_exchanges: int) -> None:
        """Count the memory of so many exchanges."""
        self._dispatcher.held += (n_exchanges - self._n_held) * EXCHANGE_COST
        self._n_held = n_exchanges

    def _is_unknown(self) -> bool:
        return self._conversation is not None and self._conversation.kind == "bytes"

    def gap(self, side: int, offset: int, length: int, frame: int, at: int) -> None:
        """See `Sink.gap`."""
        if self._conversation is not None:
            role = CLIENT if side == self._client else SERVER
            if self._watcher is not None:
                self._watcher.take_gap(self, role)
            self._conversation.gap(role, length)
        if self._inner.wanted:
            self._inner.gap(side, offset, length, frame, at)

    def conflict(self, side: int, offset: int, first: bytes, second: bytes, frame: int, at: int) -> None:
        """See `Sink.conflict`."""
        self._inner.conflict(side, offset, first, second, frame, at)

    def doubt(self, side: int, kind: str, offset: int, data: bytes, frame: int, at: int) -> None:
        """See `Sink.doubt`."""
        self._inner.doubt(side, kind, offset, data, frame, at)

    def close(self, reason: str, frame: int, at: int) -> None:
        """See `Sink.close`."""
        self._inner.close(reason, frame, at)
        self._end(frame, at)

    def _end(self, frame: int, at: int) -> None:
        """End the conversation, and emit its exchanges if there are any."""
        conversation, self._conversation = self._conversation, None
        self._leave()
        if conversation is None:
            return
        conversation.close(at)
        if self._watcher is not None:
            server = self._connection.originator if self._client else self._connection.responder
            self._watcher.end(self, server.fin >= 0)
        self._hold(0)
        if conversation.exchanges:
            connection, dispatcher = self._connection, self._dispatcher
            key = connection.responder.key if self._client else connection.originator.key
            dispatcher.events.append(PlainHttp(key, conversation.exchanges, dispatcher.steps, frame, at))

    def _leave(self) -> None:
        """Give the connection its own reader, if it is still open."""
        if self._connection.sink is self:
            self._connection.sink = self._inner
