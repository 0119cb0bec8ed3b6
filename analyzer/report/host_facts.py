"""Sums up the traffic of each host for a report: bytes, packets, names, and in how many sessions it took which role."""

from collections import Counter
from typing import Any

from analyzer.analysis.traffic import Traffic
from analyzer.packet.addresses import endpoints

MOST_HOSTS = 500
"""Hosts that a report lists. In a scan there are thousands; those with the most bytes are of interest."""

MOST_NAMES = 10
"""Names that are given for one host."""

MOST_NAMED = 65_536
"""Hosts whose names and sessions are kept."""


class HostCollector:
    """Counts sessions by host, and keeps the server names that clients asked for."""

    def __init__(self) -> None:
        self._names: dict[str, dict[str, None]] = {}
        self._as_client: Counter[str] = Counter()
        self._as_server: Counter[str] = Counter()

    def take(self, record: dict[str, Any]) -> None:
        """Take a session's record."""
        client, server = record["client"]["address"], record["server"]["address"]
        if len(self._as_client) < MOST_NAMED or client in self._as_client:
            self._as_client[client] += 1
        if len(self._as_server) < MOST_NAMED or server in self._as_server:
            self._as_server[server] += 1
            names = self._names.setdefault(server, {})
            if record["server_name"] and len(names) < MOST_NAMES:
                names[record["server_name"]] = None

    def records(self, traffic: Traffic) -> tuple[list[dict[str, Any]], int]:
        """Return the hosts as JSON values, those with the most bytes first, and how many hosts there are in all."""
        sent: Counter[str] = Counter()
        received: Counter[str] = Counter()
        packets: Counter[str] = Counter()
        for flows in (traffic.tcp, traffic.udp):
            for flow in flows.values():
                source, destination = (end[0] for end in endpoints(flow.key))
                sent[source] += flow.n_bytes
                received[destination] += flow.n_bytes
                for address in {source, destination}:
                    packets[address] += flow.n_packets
        hosts = sorted(packets, key=lambda address: (-sent[address] - received[address], address))
        return [
            {
                "address": address,
                "names": list(self._names.get(address, ())),
                "client_sessions": self._as_client[address],
                "server_sessions": self._as_server[address],
                "bytes_sent": sent[address],
                "bytes_received": received[address],
                "packets": packets[address],
            }
            for address in hosts[:MOST_HOSTS]
        ], len(hosts)
