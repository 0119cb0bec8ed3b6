"""One QUIC connection on one UDP flow. A connection can be on several, and a flow can have several."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.flows.udp_flow import UdpFlow
from analyzer.secrets.quic_versions import HANDSHAKE, INITIAL
from analyzer.tls.quic.known_ids import SHORTEST_PROOF
from analyzer.tls.quic.packet_headers import LongHeader
from analyzer.tls.quic.quic_connection import QuicConnection
from analyzer.tls.quic.transport_facts import TransportFacts

if TYPE_CHECKING:
    import cython

LIVES = 30_000_000_000
"""Nanoseconds without a packet behind which a connection may be over (RFC 9000 section 10.1), as many endpoints have it."""


class Link:
    """A connection on one flow. client: the side of the flow that is its client. path: `Packet.key` from client to server.

    latest: by role, the last connection ID under which it was reached here, None before. order: in which they came on the flow.
    """

    __slots__ = ("client", "connection", "latest", "order", "path")

    def __init__(self, connection: QuicConnection, client: int, flow: UdpFlow, order: int) -> None:
        self.connection = connection
        self.client = client
        self.path = path_of(flow, client)
        self.latest: list[bytes | None] = [None, None]
        self.order = order


def path_of(flow: UdpFlow, client: int) -> bytes:
    """Return `Packet.key` of the packets from client to server. client: the side of the flow that is the client."""
    return flow.responder.key if client else flow.originator.key


def named_link(links: list[Any], side: cython.int, header: LongHeader) -> Link | None:
    """Return the link of a packet with a long header by the ID of its sender, else by that of its receiver; None for none."""
    link: Link
    role: cython.int
    for link in links:
        role = side ^ link.client
        proves: cython.bint = (role == 0 and header.type == INITIAL) or len(header.source) >= SHORTEST_PROOF
        if proves and link.connection.known.has(role, header.source):
            return link
    for link in links:
        role = side ^ link.client
        if link.connection.known.has(1 - role, header.destination) or (
            role == 1 and len(link.connection.known.lengths[0]) == 0
        ):
            return link
    for link in links:  # without an ID of its own, a client can go on with another ID of the server at once
        known_client: cython.bint = link.client == side and link.connection.known.has(0, header.source)
        if known_client and header.type == HANDSHAKE and header.version == link.connection.facts.current:
            return link
    return None


def is_taken(links: list[Any], client: cython.int, source: bytes, at: cython.longlong) -> cython.bint:
    """Return whether a connection lives on a flow whose client already has the ID of another one that begins there.

    Anybody can begin one in its name. So its packets stay those of the first, until the client goes on with the other.
    """
    link: Link
    for link in links:
        if link.client == client and at - link.connection.last_at < LIVES and link.connection.known.has(0, source):
            return True
    return False


def take_spare(links: list[Any], at: cython.longlong) -> Link:
    """Remove a link of a flow that has too many, and return it: the oldest one that is not known to live at this time.

    A connection lives if its client has gone on with the answer of its server, which nobody off the path can do in its name.
    The first link is that to which packets of the flow go: it stays. If all others live, it is the oldest of them.
    """
    link: Link
    spare: Link | None = None
    spare_lives: cython.bint = True
    for link in links[1:]:
        followed: cython.bint = link.connection.proved or link.connection.answers.is_followed()
        lives: cython.bint = followed and at - link.connection.last_at < LIVES
        if spare is None or (spare_lives and not lives) or (spare_lives == lives and link.order < spare.order):
            spare, spare_lives = link, lives
    assert spare is not None
    links.remove(spare)
    return spare


def closed_as(facts: TransportFacts, reason: str) -> str:
    """Return why a connection ended: `fin` with a CONNECTION_CLOSE, `rst` with a stateless reset, else why its flow did."""
    if facts.close is not None:
        return "fin"
    return reason if facts.reset is None else "rst"
