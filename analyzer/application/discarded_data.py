"""Discards application data that is not needed."""

from typing import Any


class DiscardedData:
    """Takes the data of a session and discards it. It has the methods of `Conversation`, and they do nothing."""

    findings = ()

    def feed(self, side: int, data: bytes, frame: int, at: int) -> None:
        """Discard the data."""

    def gap(self, side: int, length: int | None, why: str | None = None) -> None:
        """Do nothing."""

    def feed_stream(self, stream: int, role: int, data: bytes, end: bool, frame: int, at: int) -> None:
        """Discard the data."""

    def gap_stream(self, stream: int, role: int, length: int | None, why: str | None = None) -> None:
        """Do nothing."""

    def reset_stream(self, stream: int, role: int, code: int, frame: int, at: int) -> None:
        """Do nothing."""

    def stop_stream(self, stream: int, role: int, code: int, frame: int, at: int) -> None:
        """Do nothing."""

    def feed_datagram(self, role: int, data: bytes, frame: int, at: int) -> None:
        """Discard the data."""

    def close(self, at: int) -> None:
        """Do nothing."""

    def record(self) -> list[dict[str, Any]]:
        """Return no exchanges."""
        return []
