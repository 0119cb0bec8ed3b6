"""Finds QUIC connections that have moved to another address where the capture lacks how (RFC 9000 section 9).

A client that moves takes another connection ID, which its server has announced before. If that packet is not in the capture, or
the ID is so short that it proves nothing, the packets on the new path are given to the connections that they may belong to:
those with the same server, the latest first. A packet belongs to the connection whose keys open it. While the secrets of a
connection may still come, it keeps such packets.
"""

from typing import Any

MAX_CANDIDATES = 4
"""Connections to which a packet of unknown origin is given."""

MAX_SERVERS = 4096
"""Servers whose connections are known for this. The oldest are forgotten."""

MAX_REMEMBERED = 64
"""Connections of one server that are known for this."""


class Moves:
    """The connections of a run, by their server. servers: by address and port, the connections in the order of their begin."""

    def __init__(self) -> None:
        self.servers: dict[bytes, dict[Any, None]] = {}

    def add(self, connection: Any) -> None:
        """Note a connection that this process reads."""
        key = connection.flow.server_key()
        known = self.servers.get(key)
        if known is None:
            if len(self.servers) >= MAX_SERVERS:
                del self.servers[next(iter(self.servers))]
            known = self.servers[key] = {}
        elif len(known) >= MAX_REMEMBERED:
            del known[next(iter(known))]
        known[connection] = None

    def remove(self, connection: Any) -> None:
        """Forget a connection that has ended."""
        key = connection.flow.server_key()
        known = self.servers.get(key)
        if known is not None:
            known.pop(connection, None)
            if not known:
                del self.servers[key]

    def candidates(self, flow: Any) -> list[tuple[Any, int]]:
        """Return the connections to which the packets of a flow may belong, with the side of the flow that is their client."""
        found: list[tuple[Any, int]] = []
        for client, side in enumerate((flow.originator, flow.responder)):
            known = self.servers.get(server_of(side.key))
            if known is not None:
                found += [(one, client) for one in reversed(list(known)[-MAX_CANDIDATES:])]
        return found[:MAX_CANDIDATES]


def server_of(key: bytes) -> bytes:
    """Return the destination address and port of a `Packet.key`."""
    n_addresses = len(key) - 4
    return key[n_addresses >> 1 : n_addresses] + key[n_addresses + 2 :]
