"""Collects the failures of a run: sessions and connections that failed or were abandoned, in memory that does not grow.

All are counted, by cause and server. The first ones of each kind are kept whole; so the same captures give the same list,
however many processes read them.
"""

from typing import Any

from analyzer.analysis.outcome_facts import ABANDONED, FAILED
from analyzer.analysis.same_server import SameServer
from analyzer.packet.addresses import endpoints

MAX_LISTED = 4096
"""Failed sessions that are kept whole, and failed connections, each with about a kilobyte."""

MAX_GROUPS = 4096
"""Pairs of a cause and a server that are counted separately."""

MAX_SENT = 256
"""Groups that another process is told."""

MAX_CLIENTS = 1024
"""Clients of a group that are distinguished."""


class FailureGroup:
    """The failures with one cause at one server. first: the first of them. clients: their addresses, at most MAX_CLIENTS."""

    __slots__ = ("clients", "count", "first")

    def __init__(self, first: dict[str, Any]) -> None:
        self.first = first
        self.count = 0
        self.clients: set[str] = set()


class Failures:
    """Takes what has ended in a run. count: failures in all. causes: how many have each cause. groups: by cause, the server's
    address and port. ungrouped: failures of further groups. servers: what became of all connections to each server."""

    __slots__ = ("_connections", "_sessions", "causes", "count", "groups", "servers", "ungrouped")

    def __init__(self) -> None:
        self.count = 0
        self.causes: dict[str, int] = {}
        self.groups: dict[tuple[str, str, int], FailureGroup] = {}
        self.ungrouped = 0
        self.servers = SameServer()
        self._sessions: list[dict[str, Any]] = []
        self._connections: list[dict[str, Any]] = []

    def take_record(self, record: dict[str, Any]) -> None:
        """Take the record of a session that has ended."""
        outcome, server = record["outcome"], record["server"]
        self.servers.take((server["address"], server["port"]), outcome["result"])
        if outcome["result"] in (FAILED, ABANDONED):
            failure = {key: record[key] for key in ("client", "server", "server_name", "first_frame", "last_frame")}
            self._take(failure | {"session": record["id"], "outcome": outcome}, self._sessions)

    def take_connection(self, key: bytes, first_frame: int, last_frame: int, outcome: dict[str, Any]) -> None:
        """Take a connection that never became a session. key: of the packets from its client."""
        client, server = ({"address": address, "port": port} for address, port in endpoints(key))
        self.servers.take(endpoints(key)[1], outcome["result"])
        ends = {"client": client, "server": server, "server_name": None}
        frames = {"first_frame": first_frame, "last_frame": last_frame}
        self._take({**ends, **frames, "session": None, "outcome": outcome}, self._connections)

    def listed(self) -> list[dict[str, Any]]:
        """Return the failures that are kept whole, in the order in which they began, each with `same_server`."""
        listed = sorted(self._sessions + self._connections, key=_first_frame)
        return [one | {"same_server": self._same_server(one["server"])} for one in listed]

    def _same_server(self, server: dict[str, Any]) -> dict[str, int] | None:
        counts = self.servers.of((server["address"], server["port"]))
        return None if counts is None else {"established": counts[0], "failed": counts[1]}

    def worst(self) -> list[tuple[tuple[str, str, int], FailureGroup]]:
        """Return the groups, those with the most failures first."""
        return sorted(self.groups.items(), key=lambda entry: (-entry[1].count, entry[1].first["first_frame"], entry[0]))

    def record(self) -> dict[str, Any]:
        """Return the largest groups as JSON values, for `add_record` of another process: 4 MB at most."""
        worst = self.worst()
        groups = [[*key, group.count, sorted(group.clients), group.first] for key, group in worst[:MAX_SENT]]
        ungrouped = self.ungrouped + sum(group.count for _, group in worst[MAX_SENT:])
        return {"count": self.count, "causes": self.causes, "ungrouped": ungrouped, "groups": groups}

    def add_record(self, record: dict[str, Any]) -> None:
        """Add the groups of another process. Frames are its own, so which failure is the first of a group is not known."""
        self.count += record["count"]
        self.ungrouped += record["ungrouped"]
        for cause, count in record["causes"].items():
            self.causes[cause] = self.causes.get(cause, 0) + count
        for cause, address, port, count, clients, first in record["groups"]:
            key = cause, address, port
            group = self.groups.get(key)
            if group is None:
                if len(self.groups) >= MAX_GROUPS:
                    self.ungrouped += count
                    continue
                group = self.groups[key] = FailureGroup(first)
            group.count += count
            group.clients = set(sorted(group.clients.union(clients))[:MAX_CLIENTS])

    def _take(self, failure: dict[str, Any], kept: list[dict[str, Any]]) -> None:
        self.count += 1
        cause, server = failure["outcome"]["cause"], failure["server"]
        self.causes[cause] = self.causes.get(cause, 0) + 1
        if len(kept) < MAX_LISTED:
            kept.append(failure)
        key = cause, server["address"], server["port"]
        group = self.groups.get(key)
        if group is None:
            if len(self.groups) >= MAX_GROUPS:
                self.ungrouped += 1
                return
            group = self.groups[key] = FailureGroup(failure)
        group.count += 1
        if failure["first_frame"] < group.first["first_frame"]:
            group.first = failure
        if len(group.clients) < MAX_CLIENTS:
            group.clients.add(failure["client"]["address"])


def _first_frame(failure: dict[str, Any]) -> tuple[int, int]:
    return failure["first_frame"], failure["last_frame"]
