"""Defines the interface of every reader of a conversation, and the reader of unknown protocols."""

from typing import Protocol


class Reader(Protocol):
    """Reads both directions of one protocol. Side 0 is the client, side 1 the server."""

    @property
    def kind(self) -> str:
        """Return `http/1.1`, `h2`, `websocket` or `bytes`."""

    def feed(self, side: int, data: bytes, frame: int, at: int) -> None:
        """Take the next bytes of one side, which `frame` made available at the time `at`."""

    def gap(self, side: int, length: int | None) -> None:
        """Handle missing bytes of one side. length: None if it is not known."""

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

    def close(self) -> None:
        """Do nothing: no data is held."""
