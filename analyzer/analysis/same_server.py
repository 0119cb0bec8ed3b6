"""Counts what became of all connections to each server, because a failure beside others that went well has another reason.

A server is an address and a port. One that refuses everybody has a fault; where only one client fails, look at that client, or
at the path to it.
"""

from analyzer.analysis.outcome_facts import ABANDONED, ESTABLISHED, FAILED

MAX_SERVERS = 1 << 16
"""Servers that are counted, each with about 250 bytes. Of further ones nothing is known."""

Server = tuple[str, int]
"""Address and port."""


class SameServer:
    """Counts by server."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts: dict[Server, list[int]] = {}

    def take(self, server: Server, result: str) -> None:
        """Take a connection that has ended. result: as in its outcome; what is not known is not counted."""
        counts = self._counts.get(server)
        if counts is None:
            if len(self._counts) >= MAX_SERVERS:
                return
            counts = self._counts[server] = [0, 0]
        if result == ESTABLISHED:
            counts[0] += 1
        elif result in (FAILED, ABANDONED):
            counts[1] += 1

    def of(self, server: Server) -> tuple[int, int] | None:
        """Return how many connections to a server went well, and how many did not; None if it is not counted."""
        counts = self._counts.get(server)
        return None if counts is None else (counts[0], counts[1])
