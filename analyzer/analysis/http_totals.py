"""Adds up the HTTP inside decrypted sessions: hosts, answers, bodies by type, the largest downloads and uploads.

A download is the body of a response, an upload that of a request, both without content coding (RFC 9110 section 8.4). A SHA-256
is there only if all of a body was read. The largest bodies are kept one by one, so memory does not grow with the capture.
"""

import heapq
from collections.abc import Mapping
from typing import Any, NamedTuple

from analyzer.analysis.tally import MOST_VALUES, Tally
from analyzer.application.request_target import content_type, media_type, target_of

KEPT_BODIES = 100
"""The largest bodies of each direction that are kept."""

MOST_TYPES = 4096
"""Media types that are told apart."""

_UNSEEN: dict[str, str | None] = dict.fromkeys(("method", "scheme", "authority", "path"))


class Transfer(NamedTuple):
    """One body. size: bytes that were read. order: minus its place among all, so that of equal ones the first is the largest.

    frame: that completed the header fields. method, url: what was asked; None if the capture lacks the request. type: the media
    type as sent. sha256: None unless all of it was read.
    """

    size: int
    order: int
    session: int
    frame: int
    method: str | None
    url: str | None
    type: str | None
    sha256: str | None


class HttpTotals:
    """Collects the HTTP of session records.

    n_exchanges, n_requests: how many; the capture may lack a request. n_sessions: how many sessions have any. hosts, methods,
    statuses: of requests and responses. types, type_bytes: bodies of responses by media type, and their bytes. received, sent:
    bytes of all downloads and uploads.
    """

    def __init__(self, most: int = MOST_VALUES) -> None:
        """most: hosts that are told apart, at most; and methods, and status codes."""
        self.n_exchanges = self.n_requests = self.n_sessions = 0
        self.hosts, self.methods, self.statuses = Tally(most), Tally(most), Tally(most)
        self.types, self.type_bytes = Tally(MOST_TYPES), Tally(MOST_TYPES)
        self.received = self.sent = 0
        self._downloads: list[Transfer] = []
        self._uploads: list[Transfer] = []

    def take(self, record: Mapping[str, Any]) -> None:
        """Take a session's record."""
        exchanges = record["http"]
        if not exchanges:
            return
        self.n_sessions += 1
        for exchange in exchanges:
            self._take(record["id"], exchange["request"], exchange["response"])

    def downloads(self, n: int) -> list[Transfer]:
        """Return the `n` largest downloads, the largest first."""
        return heapq.nlargest(n, self._downloads)

    def uploads(self, n: int) -> list[Transfer]:
        """Return the `n` largest uploads, the largest first."""
        return heapq.nlargest(n, self._uploads)

    def _take(self, session: int, request: Mapping[str, Any] | None, response: Mapping[str, Any] | None) -> None:
        self.n_exchanges += 1
        if request is not None:
            self.n_requests += 1
            self.hosts.add(request["authority"])
            self.methods.add(request["method"])
            size = request["body_length"]
            if size:
                self.sent += size
                self._keep(self._uploads, session, request, request, size)
        if response is not None:
            status, size = response["status"], response["body_length"]
            self.statuses.add(None if status is None else str(status))
            if size:
                self.received += size
                kind = media_type(content_type(response["headers"]))
                self.types.add(kind)
                self.type_bytes.add(kind, size)
                self._keep(self._downloads, session, request, response, size)

    def _keep(
        self, kept: list[Transfer], session: int, request: Mapping[str, Any] | None, message: Mapping[str, Any], size: int
    ) -> None:
        if len(kept) >= KEPT_BODIES and size <= kept[0].size:
            return
        asked = request or _UNSEEN
        one = Transfer(
            size,
            -self.n_exchanges,
            session,
            message["frame"],
            asked["method"],
            target_of(asked["scheme"], asked["authority"], asked["path"]),
            content_type(message["headers"]),
            message["body_sha256"],
        )
        if len(kept) < KEPT_BODIES:
            heapq.heappush(kept, one)
        else:
            heapq.heapreplace(kept, one)
