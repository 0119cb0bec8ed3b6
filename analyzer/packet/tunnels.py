# cython: annotation_typing=False
"""Tunnels: what an IP packet or a UDP datagram carries when that is itself a packet or a frame.

IP in IP is RFC 2003 and RFC 2473. Each reader moves the packet's window over the tunnel's own header and returns the EtherType
of what is inside, or -1, with the window as it was, when this is no tunnel. A tunnel that is still to come is one more branch.
"""

from analyzer.packet.packet import Packet

_IPV4 = 0x0800
_IPV6 = 0x86DD


def enter(packet: Packet, data: bytes, protocol: int) -> int:
    """The EtherType of what lies in an IP packet of the given `protocol`, with the window moved there; -1 for no tunnel."""
    if protocol == 4:
        return _IPV4
    if protocol == 41:
        return _IPV6
    return -1


def enter_udp(packet: Packet, data: bytes) -> int:
    """The EtherType of what lies in a UDP datagram that was just read, with the window moved there; -1 for no tunnel."""
    return -1
