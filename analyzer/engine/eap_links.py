"""Finds the hardware addresses of the link-layer frame that an 802.1X frame is in: the innermost, where tunnels are around it.

An Ethernet frame has both (IEEE 802.3 clause 3.2). In a data frame of 802.11, bits say which of its addresses are those of the
ends (IEEE 802.11 clause 9.3.2.1). A cooked header of Linux has only that of the sender; the receiver is then named by the group
address of 802.1X, as on a wire where nobody knows the other's.
"""

from typing import Final

from analyzer.packet.layer_places import KINDS, LayerPlaces
from analyzer.packet.packet import Packet

GROUP: Final = bytes.fromhex("0180c2000003")
"""The group address to which 802.1X is sent (IEEE 802.1X clause 11.1.1)."""

_ETHERNET, _WIRELESS, _COOKED, _PRISM, _RADIOTAP, _AVS, _PPI, _PKTAP, _COOKED_2 = 1, 105, 113, 119, 127, 163, 192, 258, 276
_PRISM_HEADER, _WIRELESS_HEADER = 144, 24
_ETH: Final = KINDS.index("eth")
_ADDRESS = 6
_LINKS = 4


def hardware_addresses(packet: Packet, link_type: int) -> tuple[bytes, bytes] | None:
    """Return source and destination of the frame that a packet is in; None where its link has none that are read here.

    link_type: of the frame: Ethernet (1), 802.11 (105), also behind other headers, or cooked (113, 276).
    """
    data, at = packet.data, packet.link
    if packet.tunnels or at < 0:
        return _innermost(packet, link_type)
    for _ in range(_LINKS):
        if link_type == _ETHERNET:
            return _both(data, at + _ADDRESS, at, packet.payload)
        if link_type == _WIRELESS:
            return _wireless(data, at, packet.payload)
        if link_type in (_COOKED, _COOKED_2):
            source = at + (6 if link_type == _COOKED else 12)
            known = packet.payload - source >= _ADDRESS and data[source - 1] == _ADDRESS  # the length of the address
            return (data[source : source + _ADDRESS], GROUP) if known else None
        if packet.payload - at < 12:
            return None
        number = int.from_bytes(data[at + 2 : at + 4], "little")
        if link_type == _RADIOTAP:
            at, link_type = at + number, _WIRELESS
        elif link_type == _PPI:
            at, link_type = at + number, int.from_bytes(data[at + 4 : at + 8], "little")
        elif link_type == _PRISM:
            at, link_type = at + _PRISM_HEADER, _WIRELESS
        elif link_type == _AVS:
            at, link_type = at + int.from_bytes(data[at + 4 : at + 8], "big"), _WIRELESS
        elif link_type == _PKTAP:
            at, link_type = at + int.from_bytes(data[at : at + 4], "little"), int.from_bytes(data[at + 8 : at + 12], "little")
        else:
            return None
    return None


def _both(data: bytes, source: int, target: int, end: int) -> tuple[bytes, bytes] | None:
    if max(source, target) + _ADDRESS > end:
        return None
    return data[source : source + _ADDRESS], data[target : target + _ADDRESS]


def _wireless(data: bytes, at: int, end: int) -> tuple[bytes, bytes] | None:
    if end - at < _WIRELESS_HEADER:
        return None
    first, second, third = (data[at + n : at + n + _ADDRESS] for n in (4, 10, 16))
    to_system, from_system = data[at + 1] & 1, data[at + 1] & 2
    if to_system and from_system:
        fourth = data[at + _WIRELESS_HEADER : at + _WIRELESS_HEADER + _ADDRESS]
        return (fourth, third) if len(fourth) == _ADDRESS else None
    if to_system:
        return second, third
    return (third, first) if from_system else (second, first)


def _innermost(packet: Packet, link_type: int) -> tuple[bytes, bytes] | None:
    """Return the addresses of the last Ethernet header of a packet in a tunnel."""
    layers = LayerPlaces()
    if packet.link >= 0:
        layers.find(packet.data, packet.link, packet.payload_end, link_type, packet.payload_end - packet.link)
    else:
        layers.find_rest(packet.data)
    for index in reversed(range(layers.count)):
        if layers.kind(index) == _ETH:
            header = layers.header(index)
            return _both(header, _ADDRESS, 0, len(header))
    return None
