"""Keeps the bodies of HTTP/1 messages until they end, without their transfer and content codings (RFC 9110 section 8.4)."""

from analyzer.application.conversation import Conversation
from analyzer.application.exchange import CLIENT, SERVER, Exchange
from analyzer.filters.decrypted_streams import StreamReader
from analyzer.filters.frame_view import Found
from analyzer.filters.packet_values import Occurrence

MAX_HELD = 1 << 26
"""Bytes of bodies of all connections that have not ended; the connection that exceeds it has no bodies any longer."""


class HeldBodies:
    """How many bytes the readers of a run hold together. n_bytes: of bodies that have not ended."""

    __slots__ = ("n_bytes",)

    def __init__(self) -> None:
        self.n_bytes = 0


class FileDataReader(StreamReader):
    """Reads one connection. A body is there with the bytes that end its message."""

    def __init__(self, held: HeldBodies, scheme: str = "https") -> None:
        """held: by all connections. scheme: of the requests of this one."""
        self._conversation: Conversation | None = Conversation("http/1.1", scheme=scheme, hashing=False, on_body=self._keep)
        self._bodies: dict[tuple[int, int], tuple[Exchange, bytearray]] = {}
        self._held = held
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
                self._held.n_bytes -= len(body)
                _add(bytes(body), found)
        if self._held.n_bytes > MAX_HELD:
            self.drop()

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
            for key in [key for key in self._bodies if key[1] == role]:
                self._held.n_bytes -= len(self._bodies.pop(key)[1])

    def drop(self) -> None:
        """See `StreamReader.drop`."""
        self._conversation = None
        self._held.n_bytes -= sum(len(body) for _, body in self._bodies.values())
        self._bodies = {}

    def _keep(self, exchange: Exchange, side: int, data: bytes) -> None:
        if side in (CLIENT, SERVER):
            self._bodies.setdefault((id(exchange), side), (exchange, bytearray()))[1].extend(data)
            self._held.n_bytes += len(data)


def _add(body: bytes, found: Found) -> None:
    found.setdefault("http.file_data", []).append(Occurrence(body, body, 1))
