"""What every reader of a conversation promises, and the reader of what nobody here can read."""

from typing import Protocol


class Reader(Protocol):
    """Reads both directions of one protocol. Sides are 0 for the client and 1 for the server."""

    @property
    def kind(self) -> str:
        """`http/1.1`, `h2`, `websocket` or `bytes`."""

    def feed(self, side: int, data: bytes, frame: int, at: int) -> None:
        """Take the next bytes of one side, made available by `frame` at that time."""

    def gap(self, side: int, length: int | None) -> None:
        """Hear that bytes of one side are missing here; None: nobody knows how many."""

    def close(self) -> None:
        """Hear that nothing more comes."""


class UnknownProtocol:
    """Counts the bytes of a protocol that is not read: the inside of a CONNECT tunnel, or anything else."""

    def __init__(self, kind: str = "bytes") -> None:
        self.kind = kind
        self.n_bytes = [0, 0]

    def feed(self, side: int, data: bytes, frame: int, at: int) -> None:
        """Count."""
        self.n_bytes[side] += len(data)

    def gap(self, side: int, length: int | None) -> None:
        """Nothing is lost that was looked at."""

    def close(self) -> None:
        """Nothing is open."""
