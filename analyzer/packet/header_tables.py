"""The headers of the layers as field tables, for the field tree of one packet. `headers` reads the same bytes for every packet.

Several parts within one byte or word are one field spec. `BITS` lists its bits, from the most significant bit on.
"""

from analyzer.codec.field_tables import Message, fixed, opaque, u8, u16, u32

Bits = tuple[tuple[str, int], ...]


BITS: dict[str, Bits] = {
    "tag_control_information": (("priority", 3), ("drop_eligible", 1), ("vlan_id", 12)),
    "version_and_header_length": (("version", 4), ("header_length", 4)),
    "traffic_class": (("dscp", 6), ("ecn", 2)),
    "flags_and_fragment_offset": (("reserved", 1), ("dont_fragment", 1), ("more_fragments", 1), ("fragment_offset", 13)),
    "version_traffic_class_flow_label": (("version", 4), ("dscp", 6), ("ecn", 2), ("flow_label", 20)),
    "offset_and_flag": (("fragment_offset", 13), ("reserved", 2), ("more_fragments", 1)),
    "data_offset_and_flags": (
        *(("data_offset", 4), ("reserved", 3), ("ae", 1), ("cwr", 1), ("ece", 1), ("urg", 1), ("ack", 1), ("psh", 1)),
        *(("rst", 1), ("syn", 1), ("fin", 1)),
    ),
}

HEXADECIMAL = {"checksum", "header_checksum", "identification", "security_parameters_index", *BITS}

ADDRESSES = {"address", "source_address", "destination_address"}


class Ethernet(Message):
    """IEEE 802.3 clause 3.2.6."""

    destination_address: bytes = fixed(6)
    source_address: bytes = fixed(6)
    ether_type: int = u16("ether_types")


class Vlan(Message):
    """IEEE 802.1Q clause 9.6."""

    tag_control_information: int = u16()
    ether_type: int = u16("ether_types")


class LinuxCooked(Message):
    """LINKTYPE_LINUX_SLL."""

    packet_type: int = u16()
    arphrd_type: int = u16()
    address_length: int = u16()
    address: bytes = fixed(8)
    ether_type: int = u16("ether_types")


class LinuxCooked2(Message):
    """LINKTYPE_LINUX_SLL2."""

    ether_type: int = u16("ether_types")
    reserved: int = u16()
    interface_index: int = u32()
    arphrd_type: int = u16()
    packet_type: int = u8()
    address_length: int = u8()
    address: bytes = fixed(8)


class Ipv4(Message):
    """RFC 791 section 3.1, without the options; the second byte as in RFC 2474 and RFC 3168."""

    version_and_header_length: int = u8()
    traffic_class: int = u8()
    total_length: int = u16()
    identification: int = u16()
    flags_and_fragment_offset: int = u16()
    time_to_live: int = u8()
    protocol: int = u8("ip_protocols")
    header_checksum: int = u16()
    source_address: bytes = fixed(4)
    destination_address: bytes = fixed(4)


class Ipv6(Message):
    """RFC 8200 section 3."""

    version_traffic_class_flow_label: int = u32()
    payload_length: int = u16()
    next_header: int = u8("ip_protocols")
    hop_limit: int = u8()
    source_address: bytes = fixed(16)
    destination_address: bytes = fixed(16)


class ExtensionHeader(Message):
    """RFC 8200 section 4: Hop-by-Hop Options and Destination Options, whose options follow; Mobility, HIP, Shim6."""

    next_header: int = u8("ip_protocols")
    header_extension_length: int = u8()


class Routing(ExtensionHeader):
    """RFC 8200 section 4.4."""

    routing_type: int = u8()
    segments_left: int = u8()
    type_specific_data: bytes = opaque(0)


class Fragment(Message):
    """RFC 8200 section 4.5."""

    next_header: int = u8("ip_protocols")
    reserved: int = u8()
    offset_and_flag: int = u16()
    identification: int = u32()


class Authentication(Message):
    """RFC 4302 section 2."""

    next_header: int = u8("ip_protocols")
    payload_length: int = u8()
    reserved: int = u16()
    security_parameters_index: int = u32()
    sequence_number: int = u32()
    integrity_check_value: bytes = opaque(0)


class Tcp(Message):
    """RFC 9293 section 3.1, without the options."""

    source_port: int = u16()
    destination_port: int = u16()
    sequence_number: int = u32()
    acknowledgment_number: int = u32()
    data_offset_and_flags: int = u16()
    window: int = u16()
    checksum: int = u16()
    urgent_pointer: int = u16()


class Option(Message):
    """An option of IPv4 (RFC 791 section 3.1), IPv6 (RFC 8200 section 4.2) or TCP (RFC 9293 section 3.1)."""

    kind: int = u8()
    length: int = u8()
    value: bytes = opaque(0)


class TcpOption(Message):
    """An option of TCP: an `Option` whose `kind` has names from the registry `tcp_options`."""

    kind: int = u8("tcp_options")
    length: int = u8()
    value: bytes = opaque(0)


class OneByteOption(Message):
    """An option that is only a kind: No-Operation, End of Option List, Pad1."""

    kind: int = u8()


class Udp(Message):
    """RFC 768."""

    source_port: int = u16()
    destination_port: int = u16()
    length: int = u16()
    checksum: int = u16()


NAMES: dict[type[Message], str] = {
    Vlan: "802.1Q",
    LinuxCooked: "Linux cooked",
    LinuxCooked2: "Linux cooked v2",
    Ipv4: "IPv4",
    Ipv6: "IPv6",
    ExtensionHeader: "IPv6 extension",
    Routing: "IPv6 Routing",
    Fragment: "IPv6 Fragment",
    Authentication: "IP Authentication",
    Tcp: "TCP",
    Udp: "UDP",
}
"""The names of layers for display. The other layers have the names of their tables."""
