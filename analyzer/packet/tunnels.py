# cython: annotation_typing=False
"""Reads tunnel headers: an IP packet or a UDP datagram whose content is another packet or frame.

IP in IP (RFC 2003, RFC 2473), MPLS in IP (RFC 4023), GRE (RFC 2784, 2890, PPTP's of RFC 2637, ERSPAN I to III), EtherIP (RFC
3378), and over UDP: VXLAN (RFC 7348), VXLAN-GPE (draft-ietf-nvo3-vxlan-gpe), Geneve (RFC 8926), GTP-U (3GPP TS 29.281), Teredo
(RFC 4380), AYIYA, GRE (RFC 8086), L2TP (RFC 2661), MPLS (RFC 7510), CAPWAP (RFC 5415), by which access points send what they
receive to their controller, and TZSP, by which wireless sensors and routers send what they hear.
Each function moves the packet's window past the tunnel header and returns the EtherType of the content. If this is not a tunnel
that can be read, it returns -1 and does not move the window; then the outer packet is the innermost one. UDP ports are only a
hint, so the fixed bits of each header must match too. To support another tunnel, add a branch.
"""

from analyzer.packet.packet import Packet

_IPV4 = 0x0800
_IPV6 = 0x86DD
_MPLS = 0x8847
_ETHERNET = 0x6558
_PPP = 0x880B
_ERSPAN_II = 0x88BE
_ERSPAN_III = 0x22EB
_NSH = 0x894F
CAPWAP_DATA = 5247
"""The port of access controllers for data messages of CAPWAP (RFC 5415 section 14.6)."""

_CAPWAP_CONTROL, _CAPWAP_DATA = 5246, CAPWAP_DATA

# TS 29.281 defines fewer than ten extension header types, and none of them may occur twice.
_GTP_EXTENSION_LIMIT = 16
# TZSP has seventeen kinds of tags.
_TAG_LIMIT = 32
_LABEL_LIMIT = 16


def enter(packet: Packet, data: bytes, protocol: int) -> int:
    """Return the EtherType of the content of an IP packet with that `protocol`, and move the window there; -1 for no tunnel."""
    if protocol == 4:
        return _IPV4
    if protocol == 41:
        return _IPV6
    if protocol == 47:
        return _enter_gre(packet, data)
    if protocol == 137:
        return _MPLS
    if protocol == 97:
        at = packet.payload
        if packet.payload_end - at < 2 or data[at] != 0x30 or data[at + 1]:
            return -1
        packet.payload = at + 2
        return _ETHERNET
    return -1


def enter_udp(packet: Packet, data: bytes) -> int:
    """Return the EtherType of the content of the UDP datagram just read, and move the window there; -1 for no tunnel."""
    port = packet.destination_port
    if packet.payload_end - packet.payload < 8:
        return -1
    if port == 4789 or port == 4790 or port == 8472:
        return _enter_vxlan(packet, data)
    if port == 6081:
        return _enter_geneve(packet, data)
    if port == 4754:
        return _enter_gre(packet, data)
    if port == 2152 or packet.source_port == 2152:
        return _enter_gtp(packet, data)
    if port == 3544 or packet.source_port == 3544:
        return _enter_teredo(packet, data)
    if port == 5072 or packet.source_port == 5072:
        return _enter_ayiya(packet, data)
    if port == 1701 or packet.source_port == 1701:
        return _enter_l2tp(packet, data)
    if port == 6635:
        return _enter_mpls(packet, data)
    if port == 37008:
        return _enter_tzsp(packet, data)
    if port == _CAPWAP_DATA or packet.source_port == _CAPWAP_DATA:
        return _enter_capwap(packet, data)
    if port == _CAPWAP_CONTROL or packet.source_port == _CAPWAP_CONTROL:
        _skip_preamble(packet, data)
    return -1


def _is_payload(ether_type: int) -> bool:
    """Return whether the content of such an EtherType can be read."""
    return ether_type in (_IPV4, _IPV6, _ETHERNET, _MPLS, 0x8848, _PPP, _NSH, 0x8100, 0x88A8)


def _enter_gre(packet: Packet, data: bytes) -> int:
    at = packet.payload
    left = packet.payload_end - at
    # RFC 2784 removed the source routes of RFC 1701.
    if left < 4 or data[at] & 0x40:
        return -1
    version = data[at + 1] & 7
    ether_type = data[at + 2] << 8 | data[at + 3]
    n_header = 4 + (4 if data[at] & 0x80 else 0) + (4 if data[at] & 0x20 else 0) + (4 if data[at] & 0x10 else 0)
    if version == 1:
        # PPTP: the acknowledgement is optional. Without a sequence number there is no payload.
        if data[at + 1] & 0x80:
            n_header += 4
        if ether_type != _PPP or not data[at] & 0x10:
            return -1
    elif version:
        return -1
    elif ether_type == _ERSPAN_II:
        # Type I has no header of its own, and no sequence number.
        n_header += 8 if data[at] & 0x10 else 0
        ether_type = _ETHERNET
    elif ether_type == _ERSPAN_III:
        n_header += 12
        if n_header > left:
            return -1
        # The frame type: 0 is Ethernet, 2 an IP packet without it. The last bit announces a subheader of the platform.
        kind = data[at + n_header - 2] >> 2 & 31
        n_header += 8 if data[at + n_header - 1] & 1 else 0
        ether_type = _ETHERNET
        if kind == 2 and n_header < left:
            ether_type = _IPV4 if data[at + n_header] >> 4 == 4 else _IPV6
        elif kind:
            return -1
    if n_header > left or not _is_payload(ether_type):
        return -1
    packet.payload = at + n_header
    return ether_type


def _enter_vxlan(packet: Packet, data: bytes) -> int:
    """Enter VXLAN, whose I flag must be set.

    With the P flag (VXLAN-GPE), byte 3 says what follows. Without it, Ethernet follows.
    """
    at = packet.payload
    flags = data[at] + 0
    following = data[at + 3] + 0
    if not flags & 0x08 or data[at + 7]:
        return -1
    if not flags & 0x04 or following == 3:
        ether_type = _ETHERNET
    elif following == 1:
        ether_type = _IPV4
    elif following == 2:
        ether_type = _IPV6
    elif following == 4:
        ether_type = _NSH
    elif following == 5:
        ether_type = _MPLS
    else:
        return -1
    # The group policy extension sets the first bit and uses the bytes after it. Otherwise all of this is reserved and zero.
    if not flags & 0x84 and (flags != 0x08 or data[at + 1] or data[at + 2] or following):
        return -1
    packet.payload = at + 8
    return ether_type


def _enter_geneve(packet: Packet, data: bytes) -> int:
    at = packet.payload
    n_header = 8 + ((data[at] & 0x3F) << 2)
    ether_type = data[at + 2] << 8 | data[at + 3]
    if data[at] >> 6 or data[at + 7] or n_header > packet.payload_end - at or not _is_payload(ether_type):
        return -1
    packet.payload = at + n_header
    return ether_type


def _enter_gtp(packet: Packet, data: bytes) -> int:
    """Enter GTP-U. Only G-PDUs, message type 255, contain packets. The packet itself has the IP version."""
    at = packet.payload
    left = packet.payload_end - at
    if data[at] & 0xF0 != 0x30 or data[at + 1] != 255:
        return -1
    n_bytes = 8 + (data[at + 2] << 8 | data[at + 3])
    if n_bytes > left + packet.missing:
        return -1
    n_header = 8
    if data[at] & 7:
        n_header = 12
        if n_header > left:
            return -1
        following = data[at + 11] if data[at] & 4 else 0
        for _ in range(_GTP_EXTENSION_LIMIT):
            if following == 0:
                break
            if n_header >= left or data[at + n_header] == 0:
                return -1
            n_header += data[at + n_header] << 2
            if n_header > left:
                return -1
            following = data[at + n_header - 1] + 0
        else:
            return -1
    if n_header >= left or n_header >= n_bytes:
        return -1
    version = data[at + n_header] >> 4
    if version != 4 and version != 6:
        return -1
    packet.limit_window(n_bytes)
    packet.payload = at + n_header
    return _IPV4 if version == 4 else _IPV6


def _enter_teredo(packet: Packet, data: bytes) -> int:
    """Enter Teredo: an IPv6 packet, optionally after the authentication and the origin indication, in that order."""
    at = packet.payload
    end = packet.payload_end
    if data[at] == 0 and data[at + 1] == 1:
        at += 13 + data[at + 2] + data[at + 3]
    if end - at >= 8 and data[at] == 0 and data[at + 1] == 0:
        at += 8
    if end - at < 40 or data[at] >> 4 != 6:
        return -1
    if 40 + (data[at + 4] << 8 | data[at + 5]) > end - at + packet.missing:
        return -1
    packet.payload = at
    return _IPV6


def _enter_ayiya(packet: Packet, data: bytes) -> int:
    """Enter AYIYA (draft-massar-v6ops-ayiya).

    The header gives the lengths of identity and signature. Byte 3 gives the protocol of the content.
    """
    at = packet.payload
    n_header = 8 + (1 << (data[at] >> 4)) + ((data[at + 1] >> 4) << 2)
    if data[at + 2] & 15 != 1 or n_header > packet.payload_end - at:
        return -1
    if data[at + 3] == 41:
        ether_type = _IPV6
    elif data[at + 3] == 4:
        ether_type = _IPV4
    else:
        return -1
    packet.payload = at + n_header
    return ether_type


def _enter_l2tp(packet: Packet, data: bytes) -> int:
    """Enter a data message of L2TP version 2 (RFC 2661 section 3.1) that carries PPP with IP. Control messages are not entered.

    The flags announce a length, sequence numbers, and an offset with padding.
    """
    at = packet.payload
    flags = data[at] << 8 | data[at + 1]
    if flags & 0x8000 or flags & 0x000F != 2:
        return -1
    left = packet.payload_end - at
    n_bytes = data[at + 2] << 8 | data[at + 3] if flags & 0x4000 else left + packet.missing
    n_header = 6 + (2 if flags & 0x4000 else 0) + (4 if flags & 0x0800 else 0)
    if flags & 0x0200:
        if n_header + 2 > left:
            return -1
        n_header += 2 + (data[at + n_header] << 8 | data[at + n_header + 1])
    if n_header + 5 > left or n_header >= n_bytes or n_bytes > left + packet.missing:
        return -1
    # PPP, with or without address and control. Other protocols than IP stay in the outer packet.
    start = at + n_header + (2 if data[at + n_header] == 0xFF and data[at + n_header + 1] == 3 else 0)
    first = data[start] + 0
    protocol = first if first & 1 else first << 8 | data[start + 1]
    if protocol != 0x0021 and protocol != 0x0057:
        return -1
    packet.limit_window(n_bytes)
    packet.payload = at + n_header
    return _PPP


def _enter_mpls(packet: Packet, data: bytes) -> int:
    """Enter MPLS in UDP (RFC 7510): labels, then a packet that begins as IP or as the control word of a pseudowire does."""
    at = packet.payload
    for _ in range(_LABEL_LIMIT):
        if packet.payload_end - at < 5:
            return -1
        at += 4
        if data[at - 2] & 1:
            return _MPLS if data[at] >> 4 in (0, 4, 6) else -1
    return -1


def _enter_tzsp(packet: Packet, data: bytes) -> int:
    """Enter TZSP (TaZmen Sniffer Protocol) with an Ethernet frame: version 1, type, encapsulated protocol, tags to an end tag.

    Types 0 and 1 are frames that were received or will be sent. Frames of 802.11 are not entered. Tag 0 is padding and has no
    length, tag 1 is the end.
    """
    at = packet.payload
    end = packet.payload_end
    if data[at] != 1 or data[at + 1] > 1 or data[at + 2] or data[at + 3] != 1:
        return -1
    at += 4
    for _ in range(_TAG_LIMIT):
        if at >= end:
            return -1
        if data[at] == 1:
            packet.payload = at + 1
            return _ETHERNET
        if data[at] == 0:
            at += 1
        elif end - at < 2:
            return -1
        else:
            at += 2 + data[at + 1]
    return -1


def _skip_preamble(packet: Packet, data: bytes) -> bool:
    """Skip the preamble of CAPWAP that announces DTLS (RFC 5415 section 4.2), so that the payload is a DTLS record.

    Return whether there is one.
    """
    at = packet.payload
    if data[at] != 1 or data[at + 1] or data[at + 2] or data[at + 3]:
        return False
    packet.payload = at + 4
    return True


def _enter_capwap(packet: Packet, data: bytes) -> int:
    """Enter a data message of CAPWAP (RFC 5415 section 4.3) with a whole 802.3 frame, or an 802.11 frame that is not encrypted.

    The flags T (the frame has its native format), F (a fragment) and K (keep-alive) are the last bit of byte 2, and the first
    and fifth of byte 3. Binding 1 is 802.11.
    """
    at = packet.payload
    if _skip_preamble(packet, data):
        return -1
    n_header = data[at + 1] >> 3 << 2
    if data[at] or data[at + 3] & 0x88 or n_header < 8 or n_header > packet.payload_end - at:
        return -1
    if not data[at + 2] & 1:
        packet.payload = at + n_header
        return _ETHERNET
    if data[at + 2] >> 1 & 31 != 1:
        return -1
    return _enter_wireless(packet, data, at + n_header)


def _enter_wireless(packet: Packet, data: bytes, at: int) -> int:
    """Enter an 802.11 data frame at `at` with one packet in SNAP (RFC 1042).

    Some access points swap the two bytes of the frame control. They are told apart by the direction, which is in the lowest
    bits of the flags, where the version is in the other byte: that is always 0.
    """
    left = packet.payload_end - at
    if left < 32:
        return -1
    control = data[at] + 0
    flags = data[at + 1] + 0
    if control & 0x0F != 0x08 and flags & 0x0F == 0x08:
        flags = control
        control = data[at + 1] + 0
    # Version 0, type data. Subtypes with bit 6 carry no data. Flag 0x40 means encryption.
    if control & 0x4F != 0x08 or flags & 0x40:
        return -1
    n_header = 30 if flags & 3 == 3 else 24
    if control & 0x80:
        if n_header + 2 > left or data[at + n_header] & 0x80:
            return -1
        n_header += 6 if flags & 0x80 else 2
    if n_header + 8 > left:
        return -1
    at += n_header
    if data[at] != 0xAA or data[at + 1] != 0xAA or data[at + 2] != 3 or data[at + 3] or data[at + 4] or data[at + 5]:
        return -1
    ether_type = data[at + 6] << 8 | data[at + 7]
    if not _is_payload(ether_type):
        return -1
    packet.payload = at + 8
    return ether_type
