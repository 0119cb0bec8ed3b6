# cython: annotation_typing=False
"""Reads IP, TCP and UDP headers: the addresses, ports and payload of a frame. This runs for every packet.

IPv4 is RFC 791, IPv6 and its extension headers RFC 8200, the Authentication Header RFC 4302, jumbograms RFC 2675, TCP RFC
9293, UDP RFC 768. A frame is a chain of headers. Each header announces the next one by an EtherType or an IP protocol number.
The loop in `_read_chain` follows that chain through link shims (`link_layers`), IP and tunnels (`tunnels`) to the innermost
transport header. No content of a frame raises an error: a header that cannot be read ends the chain and is named in the
packet's `problem`. Checksums are not verified, because network cards fill them in after the capture.
"""

from analyzer.packet.link_layers import read_link, read_shim, read_version
from analyzer.packet.packet import Packet
from analyzer.packet.tunnels import enter, enter_udp

_IPV4 = 0x0800
_IPV6 = 0x86DD
_LLC = 4
_TCP = 6
_UDP = 17
_AUTHENTICATION = 51

# Headers of one frame, with shims and IP headers. Real frames have less than ten. The limit stops a crafted frame from causing
# thousands of steps.
_LAYER_LIMIT = 32
# RFC 8200 allows each extension header at most once, destination options twice. A sender of more is probing.
_EXTENSION_LIMIT = 16


def read(packet: Packet, data: bytes, start: int, end: int, link_type: int, wire_length: int) -> bool:
    """Fill `packet` from the frame `data[start:end]`, of which `wire_length` bytes were on the wire.

    Return True if a TCP or UDP header was read; `packet.protocol` says which. Raise ValueError for a frame outside `data`, but
    not for any content of the frame.
    """
    if start < 0 or start > end or end > len(data):
        raise ValueError(f"no frame at {start} to {end} in {len(data)} bytes")
    packet.clear()
    packet.data = data
    packet.link = start
    packet.payload = start
    packet.payload_end = end
    if wire_length > end - start:
        packet.missing = wire_length - (end - start)
    return _read_chain(packet, data, read_link(packet, data, link_type))


def read_ip(packet: Packet, data: bytes, start: int, end: int) -> bool:
    """Fill `packet` from the IP packet `data[start:end]`, for example one that a defragmenter returned.

    Return True if a TCP or UDP header was read. Raise ValueError for a packet outside `data`.
    """
    if start < 0 or start > end or end > len(data):
        raise ValueError(f"no packet at {start} to {end} in {len(data)} bytes")
    packet.clear()
    packet.data = data
    packet.payload = start
    packet.payload_end = end
    return _read_chain(packet, data, read_version(packet, data))


def _read_chain(packet: Packet, data: bytes, ether_type: int) -> bool:
    """Follow the chain of headers. `ether_type` announces the header at the window's first byte."""
    for _ in range(_LAYER_LIMIT):
        if ether_type < 0:
            return False
        # Below 0x600 it is the length field of 802.3, and what follows is 802.2.
        packet.ether_type = ether_type if ether_type >= 0x600 else _LLC
        if ether_type == _IPV4:
            protocol = read_ipv4(packet, data)
        elif ether_type == _IPV6:
            protocol = read_ipv6(packet, data)
        else:
            ether_type = read_shim(packet, data, ether_type)
            continue
        if protocol == _TCP:
            return read_tcp(packet, data)
        if protocol == _UDP:
            if not read_udp(packet, data):
                return False
            ether_type = enter_udp(packet, data)
            if ether_type < 0:
                return True
        else:
            if protocol < 0:
                return False
            ether_type = enter(packet, data, protocol)
            if ether_type < 0:
                return False
        packet.clear_ip()
        packet.problem = ""
        packet.problem_at = -1
        packet.tunnels += 1
    packet.fail(f"more than {_LAYER_LIMIT} headers")
    return False


def read_ipv4(packet: Packet, data: bytes) -> int:
    """Read an IPv4 header. Return the protocol of what follows it, -1 if that cannot be read."""
    at = packet.payload
    if packet.payload_end - at < 20 and packet.is_too_short(20, "IPv4 header"):
        return -1
    if data[at] >> 4 != 4:
        packet.fail(f"IP version {data[at] >> 4} where IPv4 was announced")
        return -1
    n_header = (data[at] & 15) << 2
    total = data[at + 2] << 8 | data[at + 3]
    packet.ip = at
    packet.ip_version = 4
    packet.protocol = data[at + 9]
    if n_header < 20:
        packet.fail(f"IPv4 header length {n_header} is less than 20")
        return -1
    # A total length of 0 is a segment of more than 65,535 bytes. The network card will split it after the capture.
    if total and total < n_header:
        packet.fail(f"IPv4 total length {total} is less than the header's {n_header}")
        return -1
    if total and not packet.limit_window(total):
        packet.fail(f"IPv4 total length {total} is more than the frame has")
    if packet.payload_end - at < n_header and packet.is_too_short(n_header, "IPv4 header with options"):
        return -1
    packet.payload = at + n_header
    fragment = (data[at + 6] & 0x3F) << 8 | data[at + 7]
    if fragment:
        packet.fragment = True
        packet.more_fragments = fragment >= 0x2000
        packet.fragment_offset = (fragment & 0x1FFF) << 3
        packet.fragment_id = data[at + 4] << 8 | data[at + 5]
        return -1
    if packet.protocol == _AUTHENTICATION:
        return _read_authentication(packet, data)
    return packet.protocol


def read_ipv6(packet: Packet, data: bytes) -> int:
    """Read an IPv6 header and its extension headers. Return the protocol of what follows, -1 if that cannot be read."""
    at = packet.payload
    if packet.is_too_short(40, "IPv6 header"):
        return -1
    if data[at] >> 4 != 6:
        packet.fail(f"IP version {data[at] >> 4} where IPv6 was announced")
        return -1
    packet.ip = at
    packet.ip_version = 6
    packet.protocol = data[at + 6]
    packet.payload = at + 40
    n_bytes = data[at + 4] << 8 | data[at + 5]
    if n_bytes == 0 and packet.protocol == 0:
        n_bytes = _read_jumbo_length(packet, data)
    # A payload length of 0 without the jumbo option has the same cause as a total length of 0 in IPv4.
    if n_bytes and not packet.limit_window(n_bytes):
        packet.fail(f"IPv6 payload length {n_bytes} is more than the frame has")
    if packet.protocol == _TCP or packet.protocol == _UDP:
        return packet.protocol
    return _read_extensions(packet, data, at + 6)


def _read_extensions(packet: Packet, data: bytes, announced_at: int) -> int:
    """Read the IPv6 extension headers. Return the protocol of what follows, -1 if that cannot be read.

    announced_at: offset of the byte that announces the first extension header.
    """
    for _ in range(_EXTENSION_LIMIT):
        at = packet.payload
        kind = packet.protocol
        if kind == 44:
            if packet.is_too_short(8, "IPv6 Fragment header"):
                return -1
            packet.protocol = data[at]
            packet.payload = at + 8
            # Offset 0 without more fragments is an atomic fragment (RFC 6946): a complete packet.
            if data[at + 2] or data[at + 3] & 0xF9:
                packet.fragment = True
                packet.more_fragments = (data[at + 3] & 1) == 1
                packet.fragment_offset = data[at + 2] << 8 | (data[at + 3] & 0xF8)
                packet.fragment_id = _read_uint32(data, at + 4)
                packet.fragment_header = at
                packet.announced_at = announced_at
                return -1
        elif kind in (0, 43, 51, 60, 135, 139, 140):
            if packet.is_too_short(2, "IPv6 extension header"):
                return -1
            # The Authentication Header counts units of four bytes, minus 2. All others count units of eight bytes, minus 1.
            n_bytes = (data[at + 1] + 2) << 2 if kind == 51 else (data[at + 1] + 1) << 3
            if packet.is_too_short(n_bytes, "IPv6 extension header"):
                return -1
            packet.protocol = data[at]
            packet.payload = at + n_bytes
        else:
            return kind
        announced_at = at
    packet.fail(f"more than {_EXTENSION_LIMIT} IPv6 extension headers")
    return -1


def _read_authentication(packet: Packet, data: bytes) -> int:
    """Read the Authentication Headers behind an IPv4 header. Return the protocol of what follows, -1 if that cannot be read."""
    for _ in range(_EXTENSION_LIMIT):
        at = packet.payload
        if packet.is_too_short(12, "Authentication Header"):
            return -1
        n_bytes = (data[at + 1] + 2) << 2
        if packet.is_too_short(n_bytes, "Authentication Header"):
            return -1
        packet.protocol = data[at]
        packet.payload = at + n_bytes
        if packet.protocol != _AUTHENTICATION:
            return packet.protocol
    packet.fail(f"more than {_EXTENSION_LIMIT} Authentication Headers")
    return -1


def _read_jumbo_length(packet: Packet, data: bytes) -> int:
    """Return the length in the Jumbo Payload option of the Hop-by-Hop Options header at the window's start; 0 without one."""
    at = packet.payload
    end = packet.payload_end
    if end - at < 8:
        return 0
    n_header = (data[at + 1] + 1) << 3
    if n_header < end - at:
        end = at + n_header
    at += 2
    while end - at >= 2:
        kind = data[at] + 0
        if kind == 0:
            at += 1
            continue
        n_bytes = data[at + 1] + 0
        if kind == 0xC2 and n_bytes == 4 and end - at >= 6:
            return _read_uint32(data, at + 2)
        at += 2 + n_bytes
    return 0


def read_tcp(packet: Packet, data: bytes) -> bool:
    """Read a TCP header. Return whether it is whole; the ports are read where they are there."""
    at = packet.payload
    if packet.payload_end - at < 20 and packet.is_too_short(20, "TCP header"):
        _read_ports(packet, data)
        return False
    _read_ports(packet, data)
    packet.sequence = _read_uint32(data, at + 4)
    packet.acknowledgement = _read_uint32(data, at + 8)
    n_header = (data[at + 12] >> 4) << 2
    packet.flags = (data[at + 12] & 15) << 8 | data[at + 13]
    packet.window = data[at + 14] << 8 | data[at + 15]
    if n_header < 20:
        packet.fail(f"TCP data offset of {n_header} bytes is less than 20")
        return False
    left = packet.payload_end - at
    if n_header <= left:
        packet.payload = at + n_header
        return True
    if packet.is_too_short(n_header, "TCP header with options") and not packet.truncated:
        return False
    # The snapshot length ends inside the options: the whole payload is missing, but its length and position are known.
    packet.missing -= n_header - left
    packet.payload = packet.payload_end
    return True


def read_udp(packet: Packet, data: bytes) -> bool:
    """Read a UDP header. Return whether it is whole; the ports are read where they are there."""
    at = packet.payload
    if packet.payload_end - at < 8 and packet.is_too_short(8, "UDP header"):
        _read_ports(packet, data)
        return False
    _read_ports(packet, data)
    n_bytes = data[at + 4] << 8 | data[at + 5]
    # 0 means that the length does not fit in the field (RFC 2675).
    if 0 < n_bytes < 8:
        packet.fail(f"UDP length {n_bytes} is less than 8")
        return False
    if n_bytes and not packet.limit_window(n_bytes):
        packet.fail(f"UDP length {n_bytes} is more than the packet has")
    packet.payload = at + 8
    return True


def _read_ports(packet: Packet, data: bytes) -> None:
    """Read the ports: the first four bytes of a TCP or UDP header. The rest of the header may be missing."""
    at = packet.payload
    if packet.payload_end - at >= 4:
        packet.transport = at
        packet.source_port = data[at] << 8 | data[at + 1]
        packet.destination_port = data[at + 2] << 8 | data[at + 3]


def _read_uint32(data: bytes, at: int) -> int:
    high = data[at] << 8 | data[at + 1]
    return high << 16 | data[at + 2] << 8 | data[at + 3]
