"""Remembers which servers have spoken TLS in a run: a connection to one of them that has none is worth a look."""

from analyzer.analysis.service_traits import is_tls_port
from analyzer.flows.flow import Flow

MAX_SERVERS = 4096
"""Servers that are remembered, by address and port."""


class TlsServers:
    """Remembers which servers have spoken TLS in a run."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: set[bytes] = set()

    def add(self, flow: Flow) -> None:
        """Take the flow of a session."""
        if len(self._known) < MAX_SERVERS:
            self._known.add(flow.server_key())

    def expect_tls(self, flow: Flow) -> bool:
        """Return whether TLS belongs on the port of a flow's server."""
        return is_tls_port(int.from_bytes(flow.key[-2:], "big")) or flow.server_key() in self._known
