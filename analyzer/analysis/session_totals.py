"""Counts what the TLS sessions of a run agreed on, and who had them: versions, suites, groups, ALPN, JA4, servers, clients."""

from collections.abc import Mapping
from typing import Any

from analyzer.analysis.tally import MOST_VALUES, Tally
from analyzer.packet.addresses import end_text

MOST_NAMES = 4
"""Names of one server address that are kept. An address of a large provider may have thousands."""

MOST_ADDRESSES = 1 << 14
"""Server addresses whose names are kept."""


class SessionTotals:
    """Collects the totals of session records.

    n_sessions: how many. established: how many were, were not, and cannot be told. tallies: by what is counted. names: of
    server addresses, those that were asked for.
    """

    def __init__(self, most: int = MOST_VALUES) -> None:
        """most: values of each kind that are told apart, at most."""
        self.n_sessions = 0
        self.established: dict[bool | None, int] = {True: 0, False: 0, None: 0}
        self.tallies: dict[str, Tally] = {name: Tally(most) for name in TOTALS}
        self.names: dict[str, dict[str, None]] = {}

    def take(self, record: Mapping[str, Any]) -> None:
        """Take a session's record."""
        self.n_sessions += 1
        self.established[record["established"]] += 1
        tallies = self.tallies
        for name, key in _PLAIN.items():
            tallies[name].add(record[key])
        server, client = record["server"], record["client"]
        address = server["address"]
        tallies["servers"].add(end_text(address, server["port"]))
        tallies["clients"].add(client["address"])
        if record["resumed"]:
            tallies["resumptions"].add(record["resumption"])
        name = record["server_name"]
        if name is not None:
            known = self.names.get(address)
            if known is None and len(self.names) < MOST_ADDRESSES:
                known = self.names[address] = {}
            if known is not None and len(known) < MOST_NAMES:
                known[name] = None


_PLAIN = {
    "protocols": "protocol", "versions": "version", "cipher_suites": "cipher_suite", "groups": "group", "alpn": "alpn",
    "server_names": "server_name", "ja4": "ja4",
}  # fmt: skip

TOTALS = (*_PLAIN, "servers", "clients", "resumptions")
"""What is counted, in the order in which it is shown."""
