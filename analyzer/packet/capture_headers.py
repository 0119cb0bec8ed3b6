# cython: annotation_typing=False
"""Reads headers that a capturing system puts before the frame of another link type: radio data, processes, directions.

Such a header says, in itself or by its own link type, what the link type of the rest is. `unwrap` moves the packet's window
past one of them. Link types are those of https://www.tcpdump.org/linktypes.html; most of these headers have no standard, and
their forms are those of libpcap and of the systems that write them:

- PFLOG (117) of OpenBSD's packet filter, and ENC (109) of its IPsec interface: then IP.
- Prism (119) and AVS (163) of old wireless drivers: then 802.11. PPI (192) names the link type.
- PPP with a byte for the direction (204), and pppd's (166): then PPP; Cisco HDLC with one (205).
- Juniper (178), of routers that capture themselves: Ethernet, or IP behind four bytes.
- PKTAP (258, and 149, by which macOS wrote it first): names the link type.

To support another one, add a branch here and its number to `WRAPPERS`.
"""

from analyzer.packet.packet import Packet

WRAPPERS = frozenset({109, 117, 119, 149, 163, 166, 178, 192, 204, 205, 258})
"""Link types that are such a header."""

_ETHERNET = 1
_PPP = 9
_RAW_IP = 101
_CISCO_HDLC = 104
_WIRELESS = 105

# Of PKTAP's record types, this one is a packet.
_PKTAP_PACKET = 1


def unwrap(packet: Packet, data: bytes, link_type: int) -> int:
    """Read the header of a link type of WRAPPERS at the window's start. Return the link type of what follows, or -1."""
    at = packet.payload
    if link_type in (204, 166):
        return _PPP if _skip(packet, 1, "direction of PPP") else -1
    if link_type == 205:
        return _CISCO_HDLC if _skip(packet, 1, "direction of HDLC") else -1
    if link_type == 109:
        return _RAW_IP if _skip(packet, 12, "ENC header") else -1
    if link_type == 117:
        # Its length is in the first byte, without the padding to four bytes.
        if packet.is_too_short(1, "PFLOG header"):
            return -1
        return _RAW_IP if _skip(packet, data[at] + 3 & ~3, "PFLOG header") else -1
    if link_type == 119:
        return _WIRELESS if _skip(packet, 144, "Prism header") else -1
    if link_type == 163:
        if packet.is_too_short(8, "AVS header"):
            return -1
        return _WIRELESS if _skip(packet, _big(data, at + 4), "AVS header") else -1
    if link_type == 192:
        if packet.is_too_short(8, "PPI header"):
            return -1
        following = _little(data, at + 4)
        return following if _skip(packet, data[at + 3] << 8 | data[at + 2], "PPI header") else -1
    if link_type == 178:
        return _unwrap_juniper(packet, data)
    return _unwrap_pktap(packet, data)


def _skip(packet: Packet, n_bytes: int, header: str) -> bool:
    """Move the window past a header of `n_bytes`. Return False if it is not complete, or has no byte."""
    if n_bytes <= 0:
        packet.fail(f"{header} of {n_bytes} bytes")
        return False
    if packet.is_too_short(n_bytes, header):
        return False
    packet.payload += n_bytes
    return True


def _unwrap_juniper(packet: Packet, data: bytes) -> int:
    """Read `MGC`, flags, and extensions where flag 0x80 announces them. Flag 0x02: there is no Ethernet header."""
    at = packet.payload
    if packet.is_too_short(4, "Juniper header"):
        return -1
    if data[at] != 0x4D or data[at + 1] != 0x47 or data[at + 2] != 0x43:
        packet.fail("Juniper header without its magic number")
        return -1
    flags = data[at + 3] + 0
    packet.payload = at + 4
    if flags & 0x80:
        if packet.is_too_short(2, "Juniper extensions"):
            return -1
        if not _skip(packet, 2 + (data[at + 4] << 8 | data[at + 5]), "Juniper extensions"):
            return -1
    if not flags & 0x02:
        return _ETHERNET
    return _RAW_IP if _skip(packet, 4, "Juniper protocol") else -1


def _unwrap_pktap(packet: Packet, data: bytes) -> int:
    """Read the lengths and the type of PKTAP, whose numbers are little-endian."""
    at = packet.payload
    if packet.is_too_short(12, "PKTAP header"):
        return -1
    following = _little(data, at + 8)
    if _little(data, at + 4) != _PKTAP_PACKET:
        packet.fail("PKTAP header that announces no packet")
        return -1
    return following if _skip(packet, _little(data, at), "PKTAP header") else -1


def _little(data: bytes, at: int) -> int:
    """Return the four bytes at `at` as a little-endian number, at most 2**31 - 1."""
    return (data[at + 3] & 0x7F) << 24 | data[at + 2] << 16 | data[at + 1] << 8 | data[at]


def _big(data: bytes, at: int) -> int:
    return (data[at] & 0x7F) << 24 | data[at + 1] << 16 | data[at + 2] << 8 | data[at + 3]
