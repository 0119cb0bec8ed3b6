"""What the frames of decrypted sessions carried: the plaintext of each record, and the heads of requests and responses.

`Carried` stands between the session and the reader of its application data, and keeps what came since it was last cleared.
"""

from dataclasses import dataclass
from typing import Any

from analyzer.application.conversation import Conversation
from analyzer.application.exchange import Exchange
from analyzer.tls.session import Session

MAX_WORDS = 4
"""Requests and responses of one frame that are named."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The application data of one record; side 0 is the client's."""

    session: Session
    side: int
    data: bytes


class Carried:
    """What came of all sessions since `clear`: pieces of plaintext, and heads of requests and responses."""

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self.exchanges: list[tuple[Exchange, bool]] = []

    def open(self, session: Session) -> "Listening":
        """Begin to read a session's application data; it is what `Engine` takes as `application`."""
        return Listening(self, session)

    def clear(self) -> None:
        """Forget what came."""
        self.pieces.clear()
        self.exchanges.clear()

    def words(self) -> str:
        """The heads, such as `HTTP GET /index.html`, `HTTP 200`; text as it came. Empty without any."""
        words = [_response(one) if answered else _request(one) for one, answered in self.exchanges[:MAX_WORDS]]
        if len(self.exchanges) > MAX_WORDS:
            words.append(f"{len(self.exchanges) - MAX_WORDS} more")
        return ", ".join(words)


class Listening(Conversation):
    """A conversation that tells what comes."""

    __slots__ = ("_carried", "_n_seen", "_open", "_session")

    def __init__(self, carried: Carried, session: Session) -> None:
        super().__init__(None if session.alpn is None else session.alpn.decode("utf-8", "replace"), hashing=False)
        self._carried = carried
        self._session = session
        self._n_seen = 0
        self._open: list[Exchange] = []

    def feed(self, side: int, data: bytes, frame: int, at: int) -> None:
        """As in the class above."""
        self._carried.pieces.append(Piece(self._session, side, data))
        super().feed(side, data, frame, at)
        exchanges = self.exchanges
        for exchange in exchanges[self._n_seen :]:
            if exchange.request is not None:
                self._carried.exchanges.append((exchange, False))
            self._open.append(exchange)
        self._n_seen = len(exchanges)
        still_open = []
        for exchange in self._open:
            if exchange.response is None:
                still_open.append(exchange)
            else:
                self._carried.exchanges.append((exchange, True))
        self._open = still_open


def _request(exchange: Exchange) -> str:
    request: Any = exchange.request
    return f"{_name(request.version)} {request.method or '?'} {request.path or request.authority or '?'}"


def _response(exchange: Exchange) -> str:
    response: Any = exchange.response
    return f"{_name(response.version)} {response.status if response.status is not None else '?'}"


def _name(version: str) -> str:
    return "HTTP/2" if version == "2" else "HTTP"
