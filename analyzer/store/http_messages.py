"""Names the HTTP requests and responses that the frames of decrypted sessions carry, and the messages of DNS over QUIC.

`HttpMessages` reads the application data of all sessions, and keeps the requests and responses since the last `clear`.
"""

from typing import TYPE_CHECKING, Any

from analyzer.analysis.missing_data import MissingData
from analyzer.engine.data_streams import DataReader, DataStreams

if TYPE_CHECKING:
    from analyzer.application.dns_message import DnsMessage
    from analyzer.application.exchange import Exchange

MAX_WORDS = 4
"""The most requests and responses of one frame that are named."""


class HttpMessages(DataStreams):
    """Collects the requests and responses of all sessions, since the last `clear`.

    exchanges: each with False where its request came, and with True where its response came. dns: messages of DNS over QUIC.
    """

    def __init__(self) -> None:
        super().__init__()
        self.exchanges: list[tuple[Exchange, bool]] = []
        self.dns: list[DnsMessage] = []

    def open(self, session: int, alpn: bytes | None, missing: MissingData) -> "DataReader | None":
        """See `DataStreams.open`. The reader collects the session's requests and responses."""
        return HttpMessageReader(self.exchanges, self.dns, alpn, missing)

    def clear(self) -> None:
        """Forget the requests and responses."""
        self.exchanges.clear()
        self.dns.clear()

    def words(self) -> str:
        """Return requests and responses, such as `HTTP GET /index.html`, `HTTP 200`; empty without any. It is not escaped."""
        words = [_response(one) if answered else _request(one) for one, answered in self.exchanges[:MAX_WORDS]]
        if len(self.exchanges) > MAX_WORDS:
            words.append(f"{len(self.exchanges) - MAX_WORDS} more")
        words += [_dns(one) for one in self.dns[:MAX_WORDS]]
        return ", ".join(words)


class HttpMessageReader(DataReader):
    """Reads one session. Adds each exchange to `found`: with False when it has a request, with True when it has a response.

    dns: gets the messages of DNS over QUIC.
    """

    def __init__(
        self, found: list[tuple["Exchange", bool]], dns: list["DnsMessage"], alpn: bytes | None, missing: MissingData
    ) -> None:
        from analyzer.application.conversation import Conversation

        super().__init__(missing)
        self._found = found
        self._dns = dns
        self._n_dns = 0
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
        """Add the requests, responses and messages of DNS that have become known."""
        messages = self._conversation.dns or ()
        self._dns += messages[self._n_dns :]
        self._n_dns = len(messages)
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


def _dns(message: "DnsMessage") -> str:
    """Return a message of DNS in the words of Wireshark, without its number, which is 0 (RFC 9250 section 4.2.1)."""
    asked = "".join(f" {question.kind} {question.name.removesuffix('.') or '<Root>'}" for question in message.questions[:1])
    return f"Standard query{' response' if message.is_response else ''}{asked}"
