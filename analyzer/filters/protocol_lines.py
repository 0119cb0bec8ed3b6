"""The line that tshark prints for a protocol with `-T fields -e ip`: the head of its part of the field tree.

It has values of other fields, in the order of the headers: `ip.src` of the first header is in the first line. Where Wireshark
makes the line only for a tree that is shown, tshark prints the short name of the protocol, and so does this.
"""

from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import Any

from analyzer.filters.field import Field, FieldTable
from analyzer.filters.field_text import writer_of
from analyzer.filters.field_type import FieldType
from analyzer.filters.packet_values import PacketValues
from analyzer.filters.value_strings import value_strings

Line = Callable[[Sequence[Any]], str]
"""Returns the line of one header, from the values of its fields, each None where the header has none."""

_NTP_MODES = "0=reserved;1=symmetric active;2=symmetric passive;3=client;4=server;5=broadcast;6=control;7=private"
_ROUTING = (
    "0=Source Route;1=Nimrod;2=Type 2 Routing;3=RPL Source Route;4=Segment Routing;5=Compact Routing Header 16;"
    "6=Compact Routing Header 32;253=Experiment 1;254=Experiment 2"
)
_CARRIED = (
    "0x0800=IP;0x0806=ARP;0x22eb=ERSPAN III;0x6558=Transparent Ethernet bridging;0x6559=Frame Relay;0x86dd=IPv6;0x880b=PPP;"
    "0x883e=WCCP;0x8847=MPLS label switched packet;0x88be=ERSPAN;0x894f=Network Service Header;0x9000=ARUBA WLAN"
)
"""What GRE carries, by the number of its protocol."""

_ARP = {1: "request", 2: "reply", 3: "reverse request", 4: "reverse reply", 8: "inverse request", 9: "inverse reply"}
_ANYBODY = bytes(6), b"\xff" * 6


def line_of(field: Field, table: FieldTable) -> tuple[tuple[Field, ...], Callable[[PacketValues], list[str]]] | None:
    """Return the further fields that the lines of a protocol need, and the function from a packet to its lines.

    None for a field that is no protocol, and for a protocol that is printed as its bytes (options of TCP).
    """
    if field.type is not FieldType.PROTOCOL or field.name.startswith("tcp.options."):
        return None
    names, line = _LINES.get(field.name, ((), None))
    others = tuple(one for one in map(table.get, names) if one is not None)
    if line is None:
        name = field.name
        return (), lambda packet: [name] * len(packet.values(field))
    write: Line = line

    def lines(packet: PacketValues) -> list[str]:
        count = len(packet.values(field))
        if not count:
            return []
        columns = [packet.values(one) for one in others]
        if count == 1:
            return [write([column[0] if column else None for column in columns])]
        rows = list(zip_longest(*columns))[:count]
        return [write(row) for row in rows] + [field.name] * (count - len(rows))

    return others, lines


def _of(form: str, name: str, *fields: str) -> tuple[tuple[str, ...], Line]:
    """Return the fields of a line, and what fills them into a form; the name stands alone where one is missing."""
    return fields, lambda values: name if None in values else form.format(*map(_plain, values))


def _plain(value: Any) -> str:
    return _ADDRESS(value) if isinstance(value, bytes) else str(int(value))


_ADDRESS = writer_of(Field("", FieldType.IPV4, ""))


def _frame(values: Sequence[Any]) -> str:
    number, wire, captured, name, index = values
    line = (
        f"Frame {number}: Packet, {wire} byte{_s(wire)} on wire ({8 * wire} bits), "
        f"{captured} byte{_s(captured)} captured ({8 * captured} bits)"
    )
    return line if index is None else f"{line} on interface {name}, id {index}"


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _tcp(values: Sequence[Any]) -> str:
    source, destination, sequence, acknowledgment, n_bytes, acknowledges = values
    parts = ["Transmission Control Protocol"]
    if None not in (source, destination):
        parts += [f"Src Port: {source}", f"Dst Port: {destination}"]
    if sequence is not None:
        parts.append(f"Seq: {sequence}")
    if acknowledges and acknowledgment is not None:
        parts.append(f"Ack: {acknowledgment}")
    if n_bytes is not None:
        parts.append(f"Len: {n_bytes}")
    return ", ".join(parts)


def _arp(values: Sequence[Any]) -> str:
    opcode, source, destination, hardware = values
    name = _ARP.get(opcode)
    if name is None:
        return "Address Resolution Protocol"
    if source is not None and source == destination:
        if opcode == 2:
            name = "reply/gratuitous ARP"
        elif opcode == 1:
            name = "ARP Announcement" if hardware in _ANYBODY else "request/gratuitous ARP"
    elif opcode == 1 and source == bytes(4):
        name = "ARP Probe"
    return f"Address Resolution Protocol ({name})"


def _messages(name: str) -> tuple[tuple[str, ...], Line]:
    return ("dns.flags.response",), lambda values: f"{name} ({'response' if values[0] else 'query'})"


def _ntp(values: Sequence[Any]) -> str:
    version, mode = values
    modes = value_strings(_NTP_MODES) or {}
    words = f"NTP Version {version}" if version in (1, 2, 3, 4) else "reserved"
    return f"Network Time Protocol ({words}, {modes.get(mode, 'reserved')})"


def _routing(values: Sequence[Any]) -> str:
    name = (value_strings(_ROUTING) or {}).get(values[0], f"Unknown type {values[0]}")
    return f"Routing Header for IPv6 ({name})"


def _gre(values: Sequence[Any]) -> str:
    name = (value_strings(_CARRIED) or {}).get(values[0])
    return "gre" if values[0] is None else f"Generic Routing Encapsulation ({name or f'{values[0]:#06x} - unknown'})"


def _erspan(values: Sequence[Any]) -> str:
    kinds = {1: "II", 2: "III"}
    return f"Encapsulated Remote Switch Packet ANalysis Type {kinds[values[0]]}" if values[0] in kinds else "erspan"


def _eth(values: Sequence[Any]) -> str:
    return "eth" if values[0] is None else "IEEE 802.3 Ethernet "


def _sll(values: Sequence[Any]) -> str:
    return f"Linux cooked capture v{1 if values[0] is None else 2}"


_LINES: dict[str, tuple[tuple[str, ...], Line | None]] = {
    "frame": (("frame.number", "frame.len", "frame.cap_len", "frame.interface_name", "frame.interface_id"), _frame),
    "vlan": _of("802.1Q Virtual LAN, PRI: {}, DEI: {}, ID: {}", "vlan", "vlan.priority", "vlan.dei", "vlan.id"),
    "arp": (("arp.opcode", "arp.src.proto_ipv4", "arp.dst.proto_ipv4", "arp.dst.hw_mac"), _arp),
    "eth": (("eth.len",), _eth),
    "gre": (("gre.proto",), _gre),
    "erspan": (("erspan.version",), _erspan),
    "ip": _of("Internet Protocol Version 4, Src: {}, Dst: {}", "ip", "ip.src", "ip.dst"),
    "ipv6": _of("Internet Protocol Version 6, Src: {}, Dst: {}", "ipv6", "ipv6.src", "ipv6.dst"),
    "ipv6.routing": (("ipv6.routing.type",), _routing),
    "sll": (("sll.ifindex",), _sll),
    "tcp": (("tcp.srcport", "tcp.dstport", "tcp.seq", "tcp.ack", "tcp.len", "tcp.flags.ack"), _tcp),
    "udp": _of("User Datagram Protocol, Src Port: {}, Dst Port: {}", "udp", "udp.srcport", "udp.dstport"),
    "dns": _messages("Domain Name System"),
    "mdns": _messages("Multicast Domain Name System"),
    "llmnr": _messages("Link-local Multicast Name Resolution"),
    "ntp": (("ntp.flags.vn", "ntp.flags.mode"), _ntp),
}
