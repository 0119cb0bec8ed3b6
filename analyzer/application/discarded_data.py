"""The taker of application data that nobody asked for."""

from typing import Any


class DiscardedData:
    """Takes the data of a session and lets it go."""

    findings = ()

    def feed(self, side: int, data: bytes, frame: int, at: int) -> None:
        """Let it go."""

    def gap(self, side: int, length: int | None, why: str | None = None) -> None:
        """Nothing is lost that was looked at."""

    def close(self, at: int) -> None:
        """Nothing is open."""

    def record(self) -> list[dict[str, Any]]:
        """Nothing is known."""
        return []
