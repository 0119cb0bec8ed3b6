"""One QUIC connection on one UDP flow. A connection can be on several, and a flow can have several."""

from __future__ import annotations

from analyzer.flows.udp_flow import UdpFlow
from analyzer.tls.quic.quic_connection import QuicConnection


class Link:
    """A connection on one flow. client: the side of the flow that is its client. path: `Packet.key` from client to server.

    latest: by role, the last connection ID under which it was reached here, None before.
    """

    __slots__ = ("client", "connection", "latest", "path")

    def __init__(self, connection: QuicConnection, client: int, flow: UdpFlow) -> None:
        self.connection = connection
        self.client = client
        self.path = path_of(flow, client)
        self.latest: list[bytes | None] = [None, None]


def path_of(flow: UdpFlow, client: int) -> bytes:
    """Return `Packet.key` of the packets from client to server. client: the side of the flow that is the client."""
    return flow.responder.key if client else flow.originator.key
