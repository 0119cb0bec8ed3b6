"""Discards application data that is not needed."""

from typing import Any


class DiscardedData:
    """Takes the data of a session and discards it. It has the methods of `Conversation`, and they do nothing."""

    findings = ()

    def feed(self, side: int, data: bytes, frame: int, at: int) -> None:
        """Discard the data."""

    def gap(self, side: int, length: int | None, why: str | None = None) -> None:
        """Do nothing."""

    def close(self, at: int) -> None:
        """Do nothing."""

    def record(self) -> list[dict[str, Any]]:
        """Return no exchanges."""
        return []
