"""The headers between two IP packets, or around what is encrypted, as field tables: for the field tree of one packet.

`link_layers` and `tunnels` read the same bytes for every packet, and decide what is entered. A header has its fields here if it
has a form of its own: NFLOG, MACsec, ESP, GRE with ERSPAN, VXLAN, NSH, CAPWAP with 802.11, and the trailer of PCAPdroid.
"""

from typing import Final, NamedTuple

from analyzer.codec.field_tables import Message, fixed, opaque, u8, u16, u32
from analyzer.packet.header_tables import Authentication

BITS: Final = {
    "tci_and_association": (("version", 1), ("end_station", 1), ("sci", 1), ("single_copy_broadcast", 1), ("encrypted", 1),
                            ("changed", 1), ("association_number", 2)),
    "version_and_vlan": (("version", 4), ("vlan", 12)),
    "span": (("class_of_service", 3), ("encapsulation", 2), ("truncated", 1), ("span_id", 10)),
    "frame_type_and_hardware": (("protocol_data_unit", 1), ("frame_type", 5), ("hardware_id", 6), ("direction", 1),
                                ("granularity", 2), ("subheader", 1)),
    "vni_and_reserved": (("vni", 24), ("reserved", 8)),
    "version_and_length": (("version", 2), ("oam", 1), ("unassigned", 1), ("time_to_live", 6), ("length", 6)),
    "path_and_index": (("service_path", 24), ("service_index", 8)),
    "preamble_and_header": (("version", 4), ("type", 4), ("header_length", 5), ("radio_id", 5), ("binding", 5), ("native", 1),
                            ("fragment", 1), ("last_fragment", 1), ("wireless", 1), ("radio_mac", 1), ("keep_alive", 1),
                            ("reserved", 3)),
}  # fmt: skip
"""As `header_tables.BITS`."""

HEXADECIMAL: Final = {"spi", "flags_and_version", "frame_control", "magic", "frame_check_sequence", *BITS}

ADDRESSES: Final = {"address_1", "address_2", "address_3"}


class NetfilterLog(Message):
    """LINKTYPE_NFLOG: a fixed header, then attributes, of which the last is the packet."""

    address_family: int = u8()
    version: int = u8()
    resource_id: int = u16()
    attributes: bytes = opaque(0)


class Macsec(Message):
    """IEEE 802.1AE clause 9.3."""

    tci_and_association: int = u8()
    short_length: int = u8()
    packet_number: int = u32()


class MacsecWithSci(Macsec):
    """The same with who sends."""

    secure_channel_identifier: bytes = fixed(8)


class EtherType(Message):
    """What a header without one of its own is followed by."""

    ether_type: int = u16("ether_types")


class Sealed(Message):
    """Bytes that are encrypted, with an integrity check value at their end."""

    encrypted_data: bytes = opaque(0)


class Esp(Message):
    """RFC 4303 section 2."""

    spi: int = u32()
    sequence_number: int = u32()
    encrypted_data: bytes = opaque(0)


class Gre(Message):
    """RFC 2784 section 2, RFC 2890, RFC 2637 section 4.1: checksum, key, sequence and acknowledgement numbers are optional."""

    flags_and_version: int = u16()
    ether_type: int = u16("ether_types")
    optional_fields: bytes = opaque(0)


class Erspan2(Message):
    """draft-foschiano-erspan, type II."""

    version_and_vlan: int = u16()
    span: int = u16()
    index: int = u32()


class Erspan3(Message):
    """draft-foschiano-erspan, type III."""

    version_and_vlan: int = u16()
    span: int = u16()
    timestamp: int = u32()
    security_group_tag: int = u16()
    frame_type_and_hardware: int = u16()
    platform_subheader: bytes = opaque(0)


class Vxlan(Message):
    """RFC 7348 section 5; with flag P, draft-ietf-nvo3-vxlan-gpe: the last byte before the VNI is the next protocol."""

    flags: int = u8()
    reserved: bytes = fixed(2)
    next_protocol: int = u8()
    vni_and_reserved: int = u32()


class Nsh(Message):
    """RFC 8300 section 2."""

    version_and_length: int = u16()
    metadata_type: int = u8()
    next_protocol: int = u8()
    path_and_index: int = u32()
    context: bytes = opaque(0)


class Capwap(Message):
    """RFC 5415 section 4.3, with the preamble of section 4.1."""

    preamble_and_header: int = u32()
    fragment_id: int = u16()
    fragment_offset: int = u16()
    optional_fields: bytes = opaque(0)


class CapwapDtls(Message):
    """RFC 5415 section 4.2."""

    preamble: int = u8()
    reserved: bytes = fixed(3)


class Wireless(Message):
    """IEEE 802.11 clause 9.2.3, and the LLC and SNAP header of a data frame."""

    frame_control: int = u16()
    duration: int = u16()
    address_1: bytes = fixed(6)
    address_2: bytes = fixed(6)
    address_3: bytes = fixed(6)
    sequence_control: int = u16()
    more_and_snap: bytes = opaque(0)


class Pcapdroid(Message):
    """The trailer that PCAPdroid writes behind each packet: which app sent or received it."""

    magic: int = u32()
    uid: int = u32()
    app_name: bytes = fixed(20, text=True)
    frame_check_sequence: int = u32()


NAMES: Final[dict[type[Message], str]] = {
    NetfilterLog: "NFLOG",
    Macsec: "MACsec",
    MacsecWithSci: "MACsec",
    EtherType: "EtherType",
    Sealed: "Encrypted",
    Esp: "ESP",
    Gre: "GRE",
    Erspan2: "ERSPAN II",
    Erspan3: "ERSPAN III",
    Vxlan: "VXLAN",
    Nsh: "NSH",
    Capwap: "CAPWAP",
    CapwapDtls: "CAPWAP",
    Wireless: "IEEE 802.11",
    Pcapdroid: "PCAPdroid",
}
"""The names of layers, as `header_tables.NAMES`."""


class Encapsulation(NamedTuple):
    """Headers with their tables and numbers of bytes, in order, and what follows them, as in `layers`."""

    headers: tuple[tuple[type[Message], int], ...]
    following: tuple[str, int]


_NOTHING = ("", -1)
_IP = ("encapsulated", -1)
_ETHERNET, _MPLS, _NSH = 0x6558, 0x8847, 0x894F
_VXLAN_PORTS = (4789, 4790, 8472)
_CAPWAP_PORTS = (5246, 5247)
_GPE = {1: 0x0800, 2: 0x86DD, 3: _ETHERNET, 4: _NSH, 5: _MPLS}
_SERVICE = {1: 0x0800, 2: 0x86DD, 3: _ETHERNET, 5: _MPLS}


def encapsulation(kind: str, number: int, ports: tuple[int, int], data: bytes, entered: int) -> Encapsulation | None:
    """Return the headers at the start of `data`, which end where the packet does; None if there are none of these.

    kind, number: by what they are announced, as in `layers`; ports: of UDP. entered: where the innermost IP packet begins,
    counted from there too; -1 where nothing was entered, so that a tunnel stays what the outer packet carries.
    """
    if kind == "link" and number == 0x88E5:
        return _macsec(data)
    if kind == "link" and number == _NSH and len(data) >= 8:
        n_bytes = (data[1] & 0x3F) << 2
        return Encapsulation(((Nsh, n_bytes),), ("link", _SERVICE.get(data[3], -1))) if 8 <= n_bytes <= len(data) else None
    if kind in ("ipv4", "ipv6"):
        if number == 50:
            return Encapsulation(((Esp, len(data)),), _NOTHING)
        if number == 51 and len(data) >= 12:
            n_bytes = (data[1] + 2) << 2
            return Encapsulation(((Authentication, n_bytes),), (kind, data[0])) if n_bytes <= len(data) else None
        return _gre(data) if number == 47 and entered >= 0 else None
    if kind != "udp":
        return None
    if 4500 in ports and len(data) >= 20 and int.from_bytes(data[:4], "big") >= 256:
        return Encapsulation(((Esp, len(data)),), _NOTHING)
    if any(port in _CAPWAP_PORTS for port in ports) and len(data) >= 8:
        return _capwap(data, entered)
    if ports[1] in _VXLAN_PORTS and entered >= 0:
        return Encapsulation(((Vxlan, 8),), ("link", _GPE.get(data[3], -1) if data[0] & 4 else _ETHERNET))
    return None


def _macsec(data: bytes) -> Encapsulation | None:
    n_header = 14 if data and data[0] & 0x20 else 6
    if len(data) < n_header + 2:
        return None
    table = MacsecWithSci if n_header == 14 else Macsec
    if data[0] & 0x0C:
        return Encapsulation(((table, n_header), (Sealed, len(data) - n_header)), _NOTHING)
    ether_type = int.from_bytes(data[n_header : n_header + 2], "big")
    return Encapsulation(((table, n_header), (EtherType, 2)), ("link", ether_type))


def _gre(data: bytes) -> Encapsulation | None:
    """Return GRE that was entered, so its flags are those that `tunnels` reads."""
    if len(data) < 4:
        return None
    n_bytes = 4 + sum(4 for bit in (0x80, 0x20, 0x10) if data[0] & bit) + (4 if data[1] & 0x80 else 0)
    ether_type = int.from_bytes(data[2:4], "big")
    if ether_type == 0x88BE:
        headers = ((Gre, n_bytes), (Erspan2, 8)) if data[0] & 0x10 else ((Gre, n_bytes),)
        return Encapsulation(headers, ("link", _ETHERNET))
    if ether_type == 0x22EB and len(data) >= n_bytes + 12:
        kind, subheader = data[n_bytes + 10] >> 2 & 31, data[n_bytes + 11] & 1
        return Encapsulation(((Gre, n_bytes), (Erspan3, 20 if subheader else 12)), _IP if kind else ("link", _ETHERNET))
    return Encapsulation(((Gre, n_bytes),), ("link", ether_type))


def _capwap(data: bytes, entered: int) -> Encapsulation | None:
    if data[:4] == b"\1\0\0\0":
        return Encapsulation(((CapwapDtls, 4),), _NOTHING)
    n_header = data[1] >> 3 << 2
    if data[0] or not 8 <= n_header <= len(data):
        return None
    if entered < 0:
        return Encapsulation(((Capwap, n_header),), _NOTHING)
    if not data[2] & 1:
        return Encapsulation(((Capwap, n_header),), ("link", _ETHERNET))
    return Encapsulation(((Capwap, n_header), (Wireless, entered - n_header)), _IP)
