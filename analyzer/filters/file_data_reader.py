"""Keeps the bodies of HTTP/1 messages until they end, without their transfer and content codings (RFC 9110 section 8.4)."""

from analyzer.application.conversation import Conversation
from analyzer.application.exchange import CLIENT, SERVER, Exchange
from analyzer.filters.decrypted_streams import StreamReader
from analyzer.filters.frame_view import Found
from analyzer.filters.packet_values import Occurrence

MAX_HELD = 1 << 26
"""Bytes of bodies of one connection that have not ended; of more, the connection has no bodies any longer."""


class FileDataReader(StreamReader):
    """Reads one connection. A body is there with the bytes that end its message."""

    def __init__(self, scheme: str = "https") -> None:
        """scheme: of the requests of the connection."""
        self._conversation: Conversation | None = Conversation("http/1.1", scheme=scheme, hashing=False, on_body=self._keep)
        self._bodies: dict[tuple[int, int], tuple[Exchange, bytearray]] = {}
        self._n_held = 0
        self._n_fed = 0

    def feed(self, role: int, data: bytes, found: Found) -> None:
        """See `StreamReader.feed`."""
        if self._conversation is None:
            return
        self._n_fed += 1
        self._conversation.feed(role, data, self._n_fed, 0)
        for key, (exchange, body) in list(self._bodies.items()):
            message = exchange.request if key[1] == CLIENT else exchange.response
            if message is None or message.body.end_frame == self._n_fed:
                del self._bodies[key]
                self._n_held -= len(body)
                _add(bytes(body), found)
        if self._n_held > MAX_HELD:
            self._conversation, self._bodies = None, {}

    def end(self, found: Found) -> None:
        """Add the body that went on until the connection ended."""
        if self._conversation is not None:
            self._conversation.close(0)
            for (_, side), (exchange, body) in self._bodies.items():
                message = exchange.request if side == CLIENT else exchange.response
                if message is not None and message.body.complete:
                    _add(bytes(body), found)

    def gap(self, role: int) -> None:
        """See `StreamReader.gap`."""
        if self._conversation is not None:
            self._conversation.gap(role, None)
            self._bodies = {key: kept for key, kept in self._bodies.items() if key[1] != role}
            self._n_held = sum(len(body) for _, body in self._bodies.values())

    def _keep(self, exchange: Exchange, side: int, data: bytes) -> None:
        if side in (CLIENT, SERVER):
            self._bodies.setdefault((id(exchange), side), (exchange, bytearray()))[1].extend(data)
            self._n_held += len(data)


def _add(body: bytes, found: Found) -> None:
    found.setdefault("http.file_data", []).append(Occurrence(body, body, 1))
