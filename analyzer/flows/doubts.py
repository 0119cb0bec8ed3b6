"""Tells whether the endpoints of a connection took a segment that ends it, or begins another one on the same ports.

A receiver takes an RST only at the number that it expects next, and answers a SYN in a connection in use with an ACK alone (RFC
5961 sections 3 and 4). An endpoint that has sent an RST sends nothing else. So what comes afterwards shows who sent them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.flows.connection import Claim, Connection, Endpoint, Reset
from analyzer.flows.limits import FARTHEST_RESET, JUMP, LARGEST_STEP, LEAST_COUNTED
from analyzer.flows.tcp_numbers import ACK, SYN, WORD
from analyzer.packet.packet import Packet

if TYPE_CHECKING:
    import cython


def note_begin(endpoint: Endpoint, packet: Packet, at: cython.longlong) -> None:
    """Note time and time to live of the packet with which an endpoint opens its side."""
    connection: Connection = endpoint.connection
    if endpoint.side == 0:
        connection.originator_hops = hops_of(packet)
        return
    connection.responder_hops = hops_of(packet)
    connection.answered_at = at


def note_reset(endpoint: Endpoint, packet: Packet, frame: cython.longlong, at: cython.longlong) -> None:
    """Note where the stream of an endpoint stood at its first RST, and how that differs from its other packets."""
    if endpoint.reset is not None:
        if packet.copy_of == 0:
            endpoint.reset.count += 1
        return
    reached: cython.longlong = endpoint.reached()
    place: cython.longlong = endpoint.position(packet.sequence) if endpoint.started else reached
    position: cython.longlong = place if reached <= place <= reached + FARTHEST_RESET else reached
    reset: Reset = Reset(position, endpoint.peer.reached(), frame)
    reset.at = at
    reset.ahead = place - reached
    reset.hops = hops_of(packet)
    if packet.ip_version == 4 and packet.ip >= 0:
        reset.identification = packet.data[packet.ip + 4] << 8 | packet.data[packet.ip + 5]
        if endpoint.n_counted >= LEAST_COUNTED and reset.identification > 0:  # systems that no longer know a connection send 0
            reset.jump = (reset.identification - endpoint.identification) & 0xFFFF
    endpoint.reset = reset
    endpoint.connection.doubtful = True


def count_identification(endpoint: Endpoint, packet: Packet) -> None:
    """Note whether the identifications in the IPv4 headers of an endpoint count up, as those of many systems do (RFC 6864)."""
    if packet.ip_version != 4 or packet.ip < 0:
        return
    number: cython.int = packet.data[packet.ip + 4] << 8 | packet.data[packet.ip + 5]
    step: cython.int = (number - endpoint.identification) & 0xFFFF
    endpoint.n_counted = endpoint.n_counted + 1 if 0 < step <= LARGEST_STEP else 0
    endpoint.identification = number


def hops_of(packet: Packet) -> cython.int:
    """Return the time to live of a packet (its hop limit in IPv6), -1 if it is not known."""
    if packet.ip < 0:
        return -1
    return packet.data[packet.ip + (8 if packet.ip_version == 4 else 7)]


def goes_on(endpoint: Endpoint, packet: Packet) -> cython.bint:
    """Return whether an endpoint that seems to have sent an RST sends or acknowledges new bytes: the RST was not its own."""
    peer: Endpoint = endpoint.peer
    reset: Reset = endpoint.reset  # type: ignore[assignment]  # the caller has looked
    n: cython.longlong = packet.payload_end - packet.payload + packet.missing
    if n > 0 and endpoint.started and 0 < endpoint.position(packet.sequence) + n - reset.position <= FARTHEST_RESET:
        return True
    if not packet.flags & ACK or not peer.started or not endpoint.started:
        return False
    if endpoint.position(packet.sequence) < reset.position:  # it is late
        return False
    return reset.peer < peer.position(packet.acknowledgement) <= peer.reached()


def begin_earlier(endpoint: Endpoint, sequence: cython.longlong, begin: cython.longlong) -> cython.bint:
    """Return whether a stream begins with that sequence number, at position `begin` so far; then it does from now on.

    It is so where the capture has no SYN of it, its FIN came before all its data, and so nothing has shown where it begins.
    """
    if endpoint.isn >= 0 or endpoint.offset > 0 or endpoint.last_frame > 0 or len(endpoint.pending) > 0:
        return False
    endpoint.start(sequence)
    endpoint.fin -= begin
    return True


def is_in_use(connection: Connection) -> cython.bint:
    """Return whether data of a connection has come, and it has not ended."""
    return connection.originator.offset > 0 or connection.responder.offset > 0


def is_near(endpoint: Endpoint, packet: Packet) -> cython.bint:
    """Return whether a packet belongs to the stream of its connection as far as that has come, and not to a new one."""
    return endpoint.started and -JUMP < endpoint.position(packet.sequence) - endpoint.offset < JUMP


def confirms(claim: Claim, endpoint: Endpoint, packet: Packet) -> cython.bint:
    """Return whether a packet belongs to the connection of a claim: it acknowledges its SYN, or follows it."""
    if endpoint.side == claim.side:
        behind: cython.longlong = (packet.sequence - claim.isn - 1) & WORD
        return not packet.flags & SYN and behind <= JUMP and not is_near(endpoint, packet)
    beyond: cython.longlong = (packet.acknowledgement - claim.isn - 1) & WORD
    return bool(packet.flags & ACK) and beyond <= len(claim.data)
