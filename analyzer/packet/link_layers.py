# cython: annotation_typing=False
"""Reads link-layer headers: from the first byte of a frame to the EtherType of its content.

Link types are those of https://www.tcpdump.org/linktypes.html. There are two steps. `read_link` reads the header of the link
type. Then `read_shim` reads tags and shims one by one, so they may have any order: 802.1Q and 802.1ad, 802.2 LLC with SNAP,
MPLS of RFC 3032, PPPoE of RFC 2516, PPP, 802.1ah, NSH of RFC 8300, Ethernet in Ethernet. Both functions move the packet's
window forward and return the next EtherType, or -1 if it is not known what follows. Then `problem` gives the reason, if the
frame is wrong.
Headers of capturing systems before those of another link type are read first, by `capture_headers`.

To support another link type or shim, add a branch here; and a link type to `READABLE_LINK_TYPES`.
"""

from analyzer.packet.bus_frames import BUSES
from analyzer.packet.capture_headers import WRAPPERS, unwrap
from analyzer.packet.packet import Packet

_BUS_TYPES = frozenset(BUSES)

READABLE_LINK_TYPES = WRAPPERS | {0, 1, 9, 10, 12, 14, 50, 101, 104, 105, 108, 113, 127, 228, 229, 239, 242, 276} | _BUS_TYPES
"""Link types whose header can be read. Those of `bus_frames` carry no packets of a network: their frames are only named."""

READABLE_INNER = READABLE_LINK_TYPES - WRAPPERS
"""Those that can be read behind the header of another link type that names them."""

_IPV4 = 0x0800
_IPV6 = 0x86DD
_MPLS = 0x8847
# "Transparent Ethernet bridging": an Ethernet frame follows. Several headers announce it.
_ETHERNET = 0x6558

# A frame of 65,535 bytes can contain 16,000 labels. Real networks use fewer than ten.
_LABEL_LIMIT = 16
# The kernel has twenty attributes, and writes each of them once.
_ATTRIBUTE_LIMIT = 64


def read_link(packet: Packet, data: bytes, link_type: int) -> int:
    """Read the header of `link_type` at the window's start. Return the EtherType of what follows, or -1."""
    if link_type == 1:
        return _read_ethernet(packet, data)
    if link_type in WRAPPERS:
        link_type = unwrap(packet, data, link_type)
        if link_type < 0:
            return -1
        if link_type == 1:
            return _read_ethernet(packet, data)
        if link_type not in READABLE_INNER:
            # No error of this frame, so without `problem_at`: `capture.channel` counts these frames, and a finding names them
            packet.problem = f"link type {link_type} is not known"
            return -1
    at = packet.payload
    if link_type == 113:
        if packet.is_too_short(16, "Linux cooked header"):
            return -1
        packet.payload = at + 16
        return _read_cooked(packet, data, data[at + 14] << 8 | data[at + 15])
    if link_type == 276:
        if packet.is_too_short(20, "Linux cooked header v2"):
            return -1
        packet.payload = at + 20
        return _read_cooked(packet, data, data[at] << 8 | data[at + 1])
    if link_type in (101, 12, 14):
        return read_version(packet, data)
    if link_type == 228:
        return _IPV4
    if link_type == 229:
        return _IPV6
    if link_type in (0, 108):
        return _read_family(packet, data)
    if link_type == 9:
        return _read_ppp(packet, data)
    if link_type in (50, 104):
        return _read_hdlc(packet, data)
    if link_type == 10:
        return _read_fddi(packet, data)
    if link_type == 105:
        return _read_wireless(packet, data)
    if link_type == 127:
        return _read_radiotap(packet, data)
    if link_type == 239:
        return _read_netfilter_log(packet, data)
    if link_type == 242:
        # IP over InfiniBand: a Global Routing Header of 40 bytes, the EtherType, two reserved bytes (RFC 4391 section 6).
        if packet.is_too_short(44, "IP over InfiniBand header"):
            return -1
        packet.payload = at + 44
        return data[at + 40] << 8 | data[at + 41]
    if link_type not in _BUS_TYPES:
        packet.fail(f"link type {link_type} is not known")
    return -1


def read_shim(packet: Packet, data: bytes, ether_type: int) -> int:
    """Read the tag or shim that `ether_type` announces. Return the next EtherType, or -1 if it is not a known shim."""
    at = packet.payload
    if ether_type in (0x8100, 0x88A8, 0x9100, 0x9200):
        if packet.is_too_short(4, "VLAN tag"):
            return -1
        packet.vlan = (data[at] & 15) << 8 | data[at + 1]
        packet.payload = at + 4
        return data[at + 2] << 8 | data[at + 3]
    if ether_type in (_MPLS, 0x8848):
        return _read_mpls(packet, data)
    if ether_type == 0x8864:
        return _read_pppoe(packet, data)
    if ether_type == 0x880B:
        return _read_ppp(packet, data)
    if 0 <= ether_type <= 1500:
        # 802.3: this is the length of what follows. It excludes the padding to 60 bytes.
        if not packet.limit_window(ether_type):
            packet.fail(f"802.3 length {ether_type} is more than the frame has")
        return _read_llc(packet, data)
    if ether_type == _ETHERNET:
        return _read_ethernet(packet, data)
    if ether_type in (0x8909, 0x8988):
        # Cisco metadata: version, length, option, security group tag. Timestamp tag: six bytes. Then the EtherType.
        if packet.is_too_short(8, "Cisco metadata"):
            return -1
        packet.payload = at + 8
        return data[at + 6] << 8 | data[at + 7]
    if ether_type == 0x88E5:
        return _read_macsec(packet, data)
    if ether_type == 0x894F:
        return _read_service_header(packet, data)
    if ether_type == 0x88E7:
        return _skip(packet, 4, "802.1ah I-TAG")
    if ether_type == 0x8903:
        return _skip(packet, 2, "FabricPath tag")
    if ether_type == 0x8926:
        if packet.is_too_short(6, "VN-Tag"):
            return -1
        packet.payload = at + 6
        return data[at + 4] << 8 | data[at + 5]
    return -1


def read_version(packet: Packet, data: bytes) -> int:
    """Return the EtherType of IPv4 or IPv6, by the version in the window's first four bits; -1 for others. Skip no bytes."""
    if packet.is_too_short(1, "IP header"):
        return -1
    version = data[packet.payload] >> 4
    if version == 4:
        return _IPV4
    if version == 6:
        return _IPV6
    packet.fail(f"IP version {version}")
    return -1


def _read_ethernet(packet: Packet, data: bytes) -> int:
    if packet.is_too_short(14, "Ethernet header"):
        return -1
    at = packet.payload
    packet.payload = at + 14
    return data[at + 12] << 8 | data[at + 13]


def _read_macsec(packet: Packet, data: bytes) -> int:
    """Read the SecTAG of MACsec (IEEE 802.1AE clause 9.3), if what follows is neither encrypted nor changed (E and C are 0).

    The integrity check value behind the content is a trailer: the content's own length field excludes it.
    """
    at = packet.payload
    if packet.is_too_short(6, "MACsec SecTAG"):
        return -1
    if data[at] & 0x80:
        packet.fail("MACsec version 1")
        return -1
    if data[at] & 0x0C:
        return -1
    n_bytes = 14 if data[at] & 0x20 else 6
    if packet.is_too_short(n_bytes + 2, "MACsec SecTAG"):
        return -1
    packet.payload = at + n_bytes + 2
    return data[at + n_bytes] << 8 | data[at + n_bytes + 1]


def _read_service_header(packet: Packet, data: bytes) -> int:
    """Read a Network Service Header (RFC 8300 section 2): its length in words, and the protocol that follows."""
    at = packet.payload
    if packet.is_too_short(8, "NSH header"):
        return -1
    n_bytes = (data[at + 1] & 0x3F) << 2
    if data[at] >> 6 or n_bytes < 8:
        packet.fail(f"NSH version {data[at] >> 6}, length {n_bytes}")
        return -1
    if packet.is_too_short(n_bytes, "NSH header"):
        return -1
    following = data[at + 3] + 0
    packet.payload = at + n_bytes
    if following == 1:
        return _IPV4
    if following == 2:
        return _IPV6
    if following == 3:
        return _ETHERNET
    return _MPLS if following == 5 else -1


def _skip(packet: Packet, n_bytes: int, header: str) -> int:
    """Skip a tag that is followed by an Ethernet frame. Return the EtherType of that frame, or -1."""
    if packet.is_too_short(n_bytes, header):
        return -1
    packet.payload += n_bytes
    return _ETHERNET


def _read_cooked(packet: Packet, data: bytes, protocol: int) -> int:
    """Return the EtherType for the protocol of a Linux cooked header. Below 0x600 are Linux's own numbers; 4 is 802.2."""
    if protocol == 4:
        return _read_llc(packet, data)
    return protocol if protocol >= 0x600 else -1


def _read_llc(packet: Packet, data: bytes) -> int:
    """Read 802.2: SNAP with an EtherType (RFC 1042), or IP directly (DSAP 6)."""
    at = packet.payload
    if packet.is_too_short(3, "LLC header"):
        return -1
    if data[at] == 0x06 and data[at + 1] == 0x06 and data[at + 2] == 3:
        packet.payload = at + 3
        return _IPV4
    if data[at] != 0xAA or data[at + 1] != 0xAA or data[at + 2] != 3:
        return -1
    if packet.is_too_short(8, "SNAP header"):
        return -1
    # 00-00-00 is from RFC 1042, 00-00-f8 is the bridge tunnel of 802.1H. After both, an EtherType follows.
    if data[at + 3] or data[at + 4] or (data[at + 5] and data[at + 5] != 0xF8):
        return -1
    packet.payload = at + 8
    return data[at + 6] << 8 | data[at + 7]


def _read_family(packet: Packet, data: bytes) -> int:
    """Read a BSD loopback header: the address family in four bytes.

    They have the byte order of the capturing machine. The number of AF_INET6 is different on each system.
    """
    at = packet.payload
    if packet.is_too_short(4, "loopback header"):
        return -1
    family = data[at] or data[at + 3]
    if data[at + 1] or data[at + 2] or (data[at] and data[at + 3]):
        family = 0
    packet.payload = at + 4
    if family == 2:
        return _IPV4
    return _IPV6 if family in (10, 23, 24, 28, 30) else -1


def _read_ppp(packet: Packet, data: bytes) -> int:
    """Read PPP (RFC 1661), with or without the address and control bytes of RFC 1662. The protocol has one or two bytes."""
    at = packet.payload
    if packet.is_too_short(2, "PPP header"):
        return -1
    if data[at] == 0xFF and data[at + 1] == 3:
        at += 2
        packet.payload = at
        if packet.is_too_short(1, "PPP protocol"):
            return -1
    # The last byte of the protocol is odd, all others are even. So an odd first byte is the whole protocol.
    if data[at] & 1:
        protocol = data[at] + 0
        packet.payload = at + 1
    else:
        if packet.is_too_short(2, "PPP protocol"):
            return -1
        protocol = data[at] << 8 | data[at + 1]
        packet.payload = at + 2
    if protocol == 0x0021:
        return _IPV4
    if protocol == 0x0057:
        return _IPV6
    return _MPLS if protocol in (0x0281, 0x0283) else -1


def _read_hdlc(packet: Packet, data: bytes) -> int:
    """Read PPP in HDLC-like framing, or Cisco HDLC (address 0x0f or 0x8f), whose protocol is an EtherType."""
    at = packet.payload
    if packet.is_too_short(4, "HDLC header"):
        return -1
    if data[at] not in (0x0F, 0x8F):
        return _read_ppp(packet, data)
    packet.payload = at + 4
    return data[at + 2] << 8 | data[at + 3]


def _read_pppoe(packet: Packet, data: bytes) -> int:
    at = packet.payload
    if packet.is_too_short(6, "PPPoE header"):
        return -1
    if data[at] != 0x11 or data[at + 1]:
        packet.fail(f"PPPoE version and type {data[at]:#04x}, code {data[at + 1]}")
        return -1
    n_bytes = data[at + 4] << 8 | data[at + 5]
    packet.payload = at + 6
    if not packet.limit_window(n_bytes):
        packet.fail(f"PPPoE length {n_bytes} is more than the frame has")
    return _read_ppp(packet, data)


def _read_mpls(packet: Packet, data: bytes) -> int:
    """Read an MPLS label stack. It does not announce its content.

    The first four bits after it do: 4 and 6 are IP, 0 is the control word of a pseudowire (RFC 4385).
    """
    for _ in range(_LABEL_LIMIT):
        if packet.is_too_short(4, "MPLS label"):
            return -1
        at = packet.payload
        packet.payload = at + 4
        if data[at + 2] & 1:
            break
    else:
        packet.fail(f"more than {_LABEL_LIMIT} MPLS labels")
        return -1
    if packet.is_too_short(1, "MPLS payload"):
        return -1
    if data[packet.payload] >> 4 == 0:
        return _skip(packet, 4, "pseudowire control word")
    return read_version(packet, data)


def _read_fddi(packet: Packet, data: bytes) -> int:
    if packet.is_too_short(13, "FDDI header"):
        return -1
    packet.payload += 13
    return _read_llc(packet, data)


def _read_radiotap(packet: Packet, data: bytes) -> int:
    """Skip a radiotap header, which has data from the capturing radio. Only its length is used. Then read 802.11."""
    at = packet.payload
    if packet.is_too_short(4, "radiotap header"):
        return -1
    n_bytes = data[at + 3] << 8 | data[at + 2]
    if data[at] or n_bytes < 8:
        packet.fail(f"radiotap version {data[at]}, length {n_bytes}")
        return -1
    if packet.is_too_short(n_bytes, "radiotap header"):
        return -1
    packet.payload = at + n_bytes
    return _read_wireless(packet, data)


def _read_wireless(packet: Packet, data: bytes) -> int:
    """Read an 802.11 data frame that is not encrypted and contains one packet.

    The length of its header depends on the flags.
    """
    at = packet.payload
    if packet.is_too_short(24, "802.11 header"):
        return -1
    flags = data[at + 1] + 0
    # Version 0, type data. Subtypes with bit 6 carry no data. Flag 0x40 means encryption.
    if data[at] & 0x4F != 0x08 or flags & 0x40:
        return -1
    n_header = 30 if flags & 3 == 3 else 24
    if data[at] & 0x80:
        if packet.is_too_short(n_header + 2, "802.11 header"):
            return -1
        # Several packets in one frame (A-MSDU).
        if data[at + n_header] & 0x80:
            return -1
        n_header += 6 if flags & 0x80 else 2
    if packet.is_too_short(n_header, "802.11 header"):
        return -1
    packet.payload = at + n_header
    return _read_llc(packet, data)


def _read_netfilter_log(packet: Packet, data: bytes) -> int:
    """Read an NFLOG header: an address family, then attributes, of which number 9 is the packet.

    An attribute has length, type and value, in the byte order of the capturing machine.
    """
    at = packet.payload
    if packet.is_too_short(4, "NFLOG header"):
        return -1
    family = data[at] + 0
    packet.payload = at + 4
    for _ in range(_ATTRIBUTE_LIMIT):
        at = packet.payload
        if packet.is_too_short(4, "NFLOG attribute"):
            return -1
        # The type is small, so one of its bytes is zero. The position of that byte gives the byte order.
        little = data[at + 3] == 0
        kind = data[at + 2] if little else data[at + 3]
        n_bytes = data[at + 1] << 8 | data[at] if little else data[at] << 8 | data[at + 1]
        if n_bytes < 4:
            packet.fail(f"NFLOG attribute of {n_bytes} bytes")
            return -1
        if kind == 9:
            packet.limit_window(n_bytes)
            packet.payload = at + 4
            if family == 2:
                return _IPV4
            return _IPV6 if family == 10 else -1
        n_bytes = (n_bytes + 3) & ~3
        if packet.is_too_short(n_bytes, "NFLOG attribute"):
            return -1
        packet.payload = at + n_bytes
    packet.fail(f"more than {_ATTRIBUTE_LIMIT} NFLOG attributes")
    return -1
