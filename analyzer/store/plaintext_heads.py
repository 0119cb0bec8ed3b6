"""What the frames of decrypted sessions carried: the heads of requests and responses.

`PlaintextHeads` reads the application data of all sessions, and keeps what came since it was last cleared.
"""

from typing import Any

from analyzer.analysis.missing_data import MissingData
from analyzer.application.conversation import Conversation
from analyzer.application.exchange import Exchange
from analyzer.engine.data_streams import DataReader, DataStreams

MAX_WORDS = 4
"""Requests and responses of one frame that are named."""


class PlaintextHeads(DataStreams):
    """What came of all sessions since `clear`: heads of requests and responses."""

    def __init__(self) -> None:
        super().__init__()
        self.exchanges: list[tuple[Exchange, bool]] = []

    def open(self, session: int, alpn: bytes | None, missing: MissingData) -> "DataReader | None":
        """Begin to read a session's application data."""
        return HeadReader(self.exchanges, alpn, missing)

    def clear(self) -> None:
        """Forget what came."""
        self.exchanges.clear()

    def words(self) -> str:
        """The heads, such as `HTTP GET /index.html`, `HTTP 200`; text as it came. Empty without any."""
        words = [_response(one) if answered else _request(one) for one, answered in self.exchanges[:MAX_WORDS]]
        if len(self.exchanges) > MAX_WORDS:
            words.append(f"{len(self.exchanges) - MAX_WORDS} more")
        return ", ".join(words)


class HeadReader(DataReader):
    """Reads one session, and adds each exchange to `found`: with False once it has a request, with True once a response."""

    def __init__(self, found: list[tuple[Exchange, bool]], alpn: bytes | None, missing: MissingData) -> None:
        super().__init__(missing)
        self._found = found
        self._conversation = Conversation(None if alpn is None else alpn.decode("utf-8", "replace"), hashing=False)
        self._n_seen = 0
        self._open: list[Exchange] = []

    def feed(self, role: int, data: bytes, frame: int, at: int) -> None:
        """As in `DataReader`."""
        self._conversation.feed(role, data, frame, at)
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

    def miss(self, role: int, reason: str | None) -> None:
        """As in `DataReader`."""
        self._conversation.gap(role, None, reason)


def _request(exchange: Exchange) -> str:
    request: Any = exchange.request
    return f"{_name(request.version)} {request.method or '?'} {request.path or request.authority or '?'}"


def _response(exchange: Exchange) -> str:
    response: Any = exchange.response
    return f"{_name(response.version)} {response.status if response.status is not None else '?'}"


def _name(version: str) -> str:
    return "HTTP/2" if version == "2" else "HTTP"
