"""Two endpoints of aioquic's HTTP/3 without a network, and what they sent, for tests of a passive reader."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from aioquic.h3.connection import H3Connection
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import DatagramFrameReceived, StreamDataReceived

from analyzer.application.conversation import Conversation
from analyzer.codec.varint import write_varint

CLIENT, SERVER = 0, 1


class Piece(NamedTuple):
    """Bytes of one role in a stream. stream: None for a datagram. data: an int is a gap; 0 is a gap of unknown length."""

    stream: int | None
    role: int
    data: bytes | int
    end: bool = False


class _Transport:
    """Stands for a QUIC connection: it keeps what the endpoint sends."""

    def __init__(self, role: int, sent: list[Piece]) -> None:
        self.configuration = QuicConfiguration(is_client=role == CLIENT)
        self._quic_logger = None
        self._remote_max_datagram_frame_size = 65536
        self._role = role
        self._sent = sent
        self._next = {False: role, True: role + 2}

    def get_next_available_stream_id(self, is_unidirectional: bool = False) -> int:
        number = self._next[is_unidirectional]
        if is_unidirectional:
            self._next[True] += 4
        return number

    def send_stream_data(self, stream_id: int, data: bytes, end_stream: bool = False) -> None:
        if stream_id == self._next[False]:
            self._next[False] += 4
        self._sent.append(Piece(stream_id, self._role, bytes(data), end_stream))

    def send_datagram_frame(self, data: bytes) -> None:
        self._sent.append(Piece(None, self._role, bytes(data)))

    def close(self, *_: Any, **what: Any) -> None:
        raise AssertionError(what)


class Peers:
    """A client and a server. Each `exchange` delivers everything that was sent, so encoders learn what has arrived."""

    def __init__(self, webtransport: bool = False) -> None:
        self.sent: list[Piece] = []
        transports = [_Transport(role, self.sent) for role in (CLIENT, SERVER)]
        self._ends: list[Any] = [H3Connection(one, enable_webtransport=webtransport) for one in transports]  # type: ignore[arg-type]
        self.client, self.server = self._ends
        self.transport = transports[CLIENT]
        self._n_delivered = 0
        self.deliver()

    def deliver(self) -> None:
        while self._n_delivered < len(self.sent):
            piece = self.sent[self._n_delivered]
            self._n_delivered += 1
            end = self._ends[1 - piece.role]
            assert isinstance(piece.data, bytes)
            if piece.stream is None:
                end.handle_event(DatagramFrameReceived(data=piece.data))
            else:
                end.handle_event(StreamDataReceived(data=piece.data, end_stream=piece.end, stream_id=piece.stream))

    def ask(self, path: str, *fields: tuple[str, str], method: str = "GET", body: bytes = b"") -> int:
        """Send a request, and return its stream ID."""
        number = self.transport.get_next_available_stream_id()
        pseudo = ((":method", method), (":scheme", "https"), (":authority", "example.test"), (":path", path))
        self.client.send_headers(number, encoded(*pseudo, *fields), end_stream=not body)
        if body:
            self.client.send_data(number, body, end_stream=True)
        self.deliver()
        return number

    def answer(self, number: int, status: int, *fields: tuple[str, str], body: bytes = b"", end: bool = True) -> None:
        self.server.send_headers(number, encoded((":status", str(status)), *fields), end_stream=end and not body)
        if body:
            self.server.send_data(number, body, end_stream=end)
        self.deliver()


def encoded(*fields: tuple[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in fields]


@dataclass
class Position:
    """The frame that the next piece is in."""

    frame: int = 0


def read_streams(pieces: list[Piece], alpn: str | None = "h3", **options: Any) -> Conversation:
    """Read all pieces, each in its own frame; frames and times are counted from 1."""
    conversation = Conversation(alpn, **options)
    for frame, piece in enumerate(pieces, 1):
        if piece.stream is None:
            assert isinstance(piece.data, bytes)
            conversation.feed_datagram(piece.role, piece.data, frame, frame)
        elif isinstance(piece.data, int):
            conversation.gap_stream(piece.stream, piece.role, piece.data or None)
        else:
            conversation.feed_stream(piece.stream, piece.role, piece.data, piece.end, frame, frame)
    conversation.close(len(pieces) + 1)
    return conversation


def by_stream(pieces: list[Piece]) -> dict[tuple[int, int], tuple[bytes, bool]]:
    """Return all bytes of each role in each stream, and whether they have an end."""
    found: dict[tuple[int, int], tuple[bytes, bool]] = {}
    for piece in pieces:
        if piece.stream is not None and isinstance(piece.data, bytes):
            data, end = found.get((piece.stream, piece.role), (b"", False))
            found[piece.stream, piece.role] = data + piece.data, end or piece.end
    return found


def frame(kind: int, payload: bytes) -> bytes:
    """Return a frame of HTTP/3."""
    return write_varint(kind) + write_varint(len(payload)) + payload
