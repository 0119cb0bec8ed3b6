"""Counts HTTP exchanges: methods, status codes, hosts, media types, sizes of bodies, and how long answers took."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from analyzer.analysis.duration_spread import Spread
from analyzer.analysis.http_totals import MOST_TYPES
from analyzer.analysis.tally import Tally
from analyzer.application.request_target import media_type

_NAMES = ("versions", "methods", "statuses", "hosts")


class HttpStatistics:
    """Collects exchanges, as `analyzer http` has their records.

    exchanges: how many; encrypted: those inside TLS. requests, responses: those that were seen. sent, received: bytes of
    bodies. tallies: versions, methods, statuses and hosts. types, type_bytes: media types of responses with a body, and its
    bytes. request_sizes, response_sizes: bytes of bodies that are not empty. seconds: from a request to its response.
    """

    def __init__(self) -> None:
        self.exchanges = self.encrypted = self.requests = self.responses = 0
        self.sent = self.received = 0
        self.tallies = {name: Tally() for name in _NAMES}
        self.types, self.type_bytes = Tally(MOST_TYPES), Tally(MOST_TYPES)
        self.request_sizes, self.response_sizes, self.seconds = Spread(), Spread(), Spread()

    def take(self, record: Mapping[str, Any]) -> None:
        """Take an exchange."""
        tallies = self.tallies
        self.exchanges += 1
        self.encrypted += record["session"] is not None
        tallies["versions"].add(record["version"])
        if record["request_size"] is not None:
            self.requests += 1
            tallies["methods"].add(record["method"])
            tallies["hosts"].add(_host(record["url"]))
            if record["request_size"]:
                self.sent += record["request_size"]
                self.request_sizes.add(record["request_size"])
        if record["response_frame"] is not None:
            self.responses += 1
            tallies["statuses"].add(None if record["status"] is None else str(record["status"]))
            if record["size"]:
                self.received += record["size"]
                self.response_sizes.add(record["size"])
                kind = media_type(record["type"])
                self.types.add(kind)
                self.type_bytes.add(kind, record["size"])
        if record["response_seconds"] is not None:
            self.seconds.add(record["response_seconds"])


def _host(url: str | None) -> str | None:
    try:
        return None if url is None or "//" not in url else urlsplit(url).netloc or None
    except ValueError:  # brackets that are no address
        return None
