"""Makes the rows of the table of HTTP exchanges: one a request with its response."""

from collections.abc import Mapping
from typing import Any

from analyzer.application.request_target import content_type

REQUESTS = ("session", "frame", "method", "scheme", "authority", "path", "status", "content_type", "body_length", "body_sha256")
"""The columns of the table of HTTP exchanges."""

Cell = str | int | float | bool | None


MOST_EXCHANGES = 10_000
"""HTTP exchanges that are listed in the table of all exchanges."""


class ExchangeRows:
    """Collects the rows of all exchanges, at most MOST_EXCHANGES. count: how many exchanges there were."""

    def __init__(self) -> None:
        self.rows: list[list[Cell]] = []
        self.count = 0

    def take(self, record: Mapping[str, Any]) -> None:
        """Take a session's record."""
        self.count += len(record["http"])
        for exchange in record["http"][: MOST_EXCHANGES - len(self.rows)]:
            self.rows.append(exchange_row(record["id"], exchange))


def exchange_row(session: int, exchange: Mapping[str, Any]) -> list[Cell]:
    """Return the row of an HTTP exchange, in the order of REQUESTS."""
    request, response = exchange["request"] or {}, exchange["response"] or {}
    frame = request.get("frame") or response.get("frame") or 0
    return [
        session,
        frame,
        *(request.get(key) for key in ("method", "scheme", "authority", "path")),
        response.get("status"),
        content_type(response.get("headers")),
        response.get("body_length"),
        response.get("body_sha256"),
    ]
