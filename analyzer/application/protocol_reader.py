"""Defines the interface of every reader of a conversation, and the reader of unknown protocols."""

from typing import Protocol


class Reader(Protocol):
    """Reads both directions of one protocol. Side 0 is the client, side 1 the server."""

    @property
    def kind(self) -> str:
        """Return `http/1.1`, `h2`, `h3`, `http/0.9`, `doq`, `websocket` or `bytes`."""

    def feed(self, side: int, data: bytes, frame: int, at: int) -> None:
        """Take the next bytes of one side, which `frame` made available at the time `at`."""

    def gap(self, side: int, length: int | None) -> None:
        """Handle missing bytes of one side. length: None if it is not known."""

    def close(self) -> None:
        """Handle the end of both sides."""


class StreamReader(Protocol):
    """Reads a protocol that has many streams, as QUIC delivers them (RFC 9000 section 2). Role 0 is the client, 1 the server.

    The bytes of one role in a stream come in order. stream: the stream ID, whose two low bits say who opened the stream, and
    whether it has one direction only.
    """

    @property
    def kind(self) -> str:
        """Return the same as that of Reader."""

    def feed_stream(self, stream: int, role: int, data: bytes, end: bool, frame: int, at: int) -> None:
        """Take the next bytes of one role in a stream. end: whether they are the last; then there may be none."""

    def gap_stream(self, stream: int, role: int, length: int | None) -> None:
        """Handle missing bytes. length: None if it is not known."""

    def reset_stream(self, stream: int, role: int, code: int, frame: int, at: int) -> None:
        """Handle RESET_STREAM of the sender `role`: nothing more of it comes. code: the application's error code."""

    def stop_stream(self, stream: int, role: int, code: int, frame: int, at: int) -> None:
        """Handle STOP_SENDING by `role`: it reads no more of the stream."""

    def feed_datagram(self, role: int, data: bytes, frame: int, at: int) -> None:
        """Take a datagram (RFC 9221)."""

    def close(self) -> None:
        """Handle the end of both sides."""


class UnknownProtocol:
    """Counts the bytes of a protocol that is not read: the data in a CONNECT tunnel, or an unknown protocol."""

    def __init__(self, kind: str = "bytes") -> None:
        self.kind = kind
        self.n_bytes = [0, 0]

    def feed(self, side: int, data: bytes, frame: int, at: int) -> None:
        """Count the bytes."""
        self.n_bytes[side] += len(data)

    def gap(self, side: int, length: int | None) -> None:
        """Do nothing: no data was read."""

    def feed_stream(self, stream: int, role: int, data: bytes, end: bool, frame: int, at: int) -> None:
        """Count the bytes."""
        self.n_bytes[role] += len(data)

    def gap_stream(self, stream: int, role: int, length: int | None) -> None:
        """Do nothing: no data was read."""

    def reset_stream(self, stream: int, role: int, code: int, frame: int, at: int) -> None:
        """Do nothing: no data was read."""

    def stop_stream(self, stream: int, role: int, code: int, frame: int, at: int) -> None:
        """Do nothing: no data was read."""

    def feed_datagram(self, role: int, data: bytes, frame: int, at: int) -> None:
        """Count the bytes."""
        self.n_bytes[role] += len(data)

    def close(self) -> None:
        """Do nothing: no data is held."""
