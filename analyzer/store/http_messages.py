"""Names the HTTP requests and responses that the frames of decrypted sessions carry.

`HttpMessages` reads the application data of all sessions, and keeps the requests and responses since the last `clear`.
"""

from typing import TYPE_CHECKING, Any

from analyzer.analysis.missing_data import MissingData
from analyzer.engine.data_streams import DataReader, DataStreams

if TYPE_CHECKING:
    from analyzer.application.exchange import Exchange

MAX_WORDS = 4
"""The most requests and responses of one frame that are named."""


class HttpMessages(DataStreams):
    """Collects the requests and responses of all sessions, since the last `clear`.

    exchanges: each with False where its request came, and with True where its response came.
    """

    def __init__(self) -> None:
        super().__init__()
        self.exchanges: list[tuple[Exchange, bool]] = []

    def open(self, session: int, alpn: bytes | None, missing: MissingData) -> "DataReader | None":
        """See `DataStreams.open`. The reader collects the session's requests and responses."""
        return HttpMessageReader(self.exchanges, alpn, missing)

    def clear(self) -> None:
        """Forget the requests and responses."""
        self.exchanges.clear()

    def words(self) -> str:
        """Return requests and responses, such as `HTTP GET /index.html`, `HTTP 200`; empty without any. It is not escaped."""
        words = [_response(one) if answered else _request(one) for one, answered in self.exchanges[:MAX_WORDS]]
        if len(self.exchanges) > MAX_WORDS:
            words.append(f"{len(self.exchanges) - MAX_WORDS} more")
        return ", ".join(words)


class HttpMessageReader(DataReader):
    """Reads one session. Adds each exchange to `found`: with False when it has a request, with True when it has a response."""

    def __init__(self, found: list[tuple["Exchange", bool]], alpn: bytes | None, missing: MissingData) -> None:
        from analyzer.application.conversation import Conversation

        super().__init__(missing)
        self._found = found
        self._conversation = Conversation(None if alpn is None else alpn.decode("utf-8", "replace"), hashing=False)
        self._n_seen = 0
        self._open: list[Exchange] = []

    def feed(self, role: int, data: bytes, frame: int, at: int) -> None:
        """See `DataReader.feed`."""
        self._conversation.feed(role, data, frame, at)
        self._collect()

    def feed_stream(self, stream: int, role: int, data: bytes, end: bool, frame: int, at: int) -> None:
        """See `DataReader.feed_stream`."""
        self._conversation.feed_stream(stream, role, data, end, frame, at)
        self._collect()

    def reset_stream(self, stream: int, role: int, code: int, frame: int, at: int) -> None:
        """See `DataReader.reset_stream`."""
        self._conversation.reset_stream(stream, role, code, frame, at)

    def miss(self, role: int, reason: str | None) -> None:
        """See `DataReader.miss`."""
        self._conversation.gap(role, None, reason)

    def miss_stream(self, stream: int, role: int, length: int | None, reason: str | None) -> None:
        """See `DataReader.miss_stream`."""
        self._conversation.gap_stream(stream, role, length, reason)

    def _collect(self) -> None:
        """Add the requests and responses that have become known."""
        exchanges = self._conversation.exchanges
        for exchange in exchanges[self._n_seen :]:
            if exchange.request is not None:
                self._found.append((exchange, False))
            self._open.append(exchange)
        self._n_seen = len(exchanges)
        still_open = []
        for exchange in self._open:
            if exchange.response is None:
                still_open.append(exchange)
            else:
                self._found.append((exchange, True))
        self._open = still_open


def _request(exchange: "Exchange") -> str:
    request: Any = exchange.request
    return f"{_name(request.version)} {request.method or '?'} {request.path or request.authority or '?'}"


def _response(exchange: "Exchange") -> str:
    response: Any = exchange.response
    return f"{_name(response.version)} {response.status if response.status is not None else '?'}"


def _name(version: str) -> str:
    return f"HTTP/{version}" if version in ("2", "3") else "HTTP"
