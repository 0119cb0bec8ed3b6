"""Keeps the ICMP errors that the packets of a flow caused: what a router, a firewall or the peer said of them.

An error quotes the packet that caused it from its IP header on, with at least 8 bytes of the TCP or UDP header (RFC 792, RFC
1812 section 4.3.2.3; as much as fits in RFC 4443 section 2.4). So it belongs to the flow of the quoted addresses and ports.
Anybody can send one, and many packets arrive although one was complained about. An error counts only if it goes to the sender
of the quoted packet, and that has sent one: over TCP with the quoted number (RFC 5927 section 4.1); UDP has none. What it means
for the flow is decided elsewhere.
"""

from typing import Any

from analyzer.flows.connection import Endpoint
from analyzer.flows.flow import TCP, UDP
from analyzer.flows.tcp import Connections
from analyzer.flows.udp import UdpFlows
from analyzer.packet.addresses import address_text
from analyzer.packet.packet import Packet

ICMP, ICMPV6 = 1, 58
"""Numbers of the protocols."""

REFUSED, UNREACHABLE, TOO_BIG = "refused", "unreachable", "too_big"
"""What an error says: nobody takes the packet or a rule forbids it; no way leads there; it is too large for the path."""

MAX_PATH_ERRORS = 8
"""Different errors of a flow that are kept. A path has a few routers, and each says one thing."""

_MEANINGS = {
    (4, 3, 0): (UNREACHABLE, "network unreachable"),
    (4, 3, 1): (UNREACHABLE, "host unreachable"),
    (4, 3, 2): (REFUSED, "protocol unreachable"),
    (4, 3, 3): (REFUSED, "port unreachable"),
    (4, 3, 4): (TOO_BIG, "fragmentation needed"),
    (4, 3, 6): (UNREACHABLE, "destination network unknown"),
    (4, 3, 7): (UNREACHABLE, "destination host unknown"),
    (4, 3, 9): (REFUSED, "network administratively prohibited"),
    (4, 3, 10): (REFUSED, "host administratively prohibited"),
    (4, 3, 13): (REFUSED, "communication administratively prohibited"),
    (4, 11, 0): (UNREACHABLE, "time to live exceeded in transit"),
    (6, 1, 0): (UNREACHABLE, "no route to destination"),
    (6, 1, 1): (REFUSED, "communication administratively prohibited"),
    (6, 1, 3): (UNREACHABLE, "address unreachable"),
    (6, 1, 4): (REFUSED, "port unreachable"),
    (6, 1, 5): (REFUSED, "source address failed ingress/egress policy"),
    (6, 1, 6): (REFUSED, "reject route to destination"),
    (6, 2, 0): (TOO_BIG, "packet too big"),
    (6, 3, 0): (UNREACHABLE, "hop limit exceeded in transit"),
}
"""By IP version, type and code (RFC 792, RFC 1812 section 5.2.7.1, RFC 4443 section 3): the kind, and its name there."""


class PathError:
    """An ICMP error. side: whose packet it quotes. kind: REFUSED, UNREACHABLE or TOO_BIG. name: as the RFC has it.

    sender: who sent it, as text. mtu: the largest packet that goes through, 0 if it does not say. frame: of the first one.
    """

    __slots__ = ("frame", "kind", "mtu", "name", "sender", "side")

    def __init__(self, side: int, kind: str, name: str, sender: str, mtu: int, frame: int) -> None:
        self.side = side
        self.kind = kind
        self.name = name
        self.sender = sender
        self.mtu = mtu
        self.frame = frame


def note_path_error(connections: Connections, datagrams: UdpFlows, packet: Packet, frame: int) -> None:
    """Give the ICMP error in a packet to the flow that it quotes. Other ICMP messages are ignored."""
    data, at, end = packet.data, packet.payload, packet.payload_end
    if packet.ip < 0 or end - at < 8:
        return
    meaning = _MEANINGS.get((packet.ip_version, data[at], data[at + 1]))
    quoted = _quoted(bytes(data[at + 8 : end])) if meaning is not None else None
    if meaning is None or quoted is None:
        return
    protocol, key, sequence = quoted
    n = 4 if packet.ip_version == 4 else 16
    first = packet.ip + (12 if n == 4 else 8)
    sender, receiver = bytes(data[first : first + n]), bytes(data[first + n : first + 2 * n])
    if receiver != key[:n] or len(key) != 2 * n + 4:
        return
    endpoint = connections.endpoints.get(key) if protocol == TCP else None
    sender_side = datagrams.sides.get(key) if protocol == UDP else None
    kind, name = meaning
    n_mtu = 2 if n == 4 else 4
    mtu = int.from_bytes(data[at + 8 - n_mtu : at + 8], "big") if kind == TOO_BIG else 0
    if sender_side is not None and sender_side.n_packets:
        sender_side.flow.sink.take_error(PathError(sender_side.side, kind, name, address_text(sender), mtu, frame))
    if endpoint is not None and not endpoint.connection.closed and _has_sent(endpoint, sequence):
        error = PathError(endpoint.side, kind, name, address_text(sender), mtu, frame)
        keep_error(endpoint.connection.delivered().path_errors, error)


def keep_error(kept: list[Any], error: PathError) -> None:
    """Keep an error with those of its flow, if it says something new."""
    same = any((one.side, one.name, one.sender, one.mtu) == (error.side, error.name, error.sender, error.mtu) for one in kept)
    if not same and len(kept) < MAX_PATH_ERRORS:
        kept.append(error)


def _has_sent(endpoint: Endpoint, sequence: int) -> bool:
    """Return whether a sequence number is one of those that an endpoint has used, its SYN included."""
    return endpoint.started and -1 <= endpoint.position(sequence) <= endpoint.reached()


def _quoted(data: bytes) -> tuple[int, bytes, int] | None:
    """Return protocol, key and sequence number of the TCP or UDP packet that begins here.

    None if it is none, or its ports are not there. UDP has no number: it is that of another field.
    """
    if not data:
        return None
    if data[0] >> 4 == 4 and len(data) >= 20:
        n_header, addresses, protocol = (data[0] & 15) << 2, data[12:20], data[9]
        if n_header < 20 or (data[6] & 0x1F) << 8 | data[7]:  # not the first fragment
            return None
    elif data[0] >> 4 == 6 and len(data) >= 40:
        n_header, addresses, protocol = 40, data[8:40], data[6]
    else:
        return None
    if protocol not in (TCP, UDP) or len(data) < n_header + 8:
        return None
    return protocol, addresses + data[n_header : n_header + 4], int.from_bytes(data[n_header + 4 : n_header + 8], "big")
