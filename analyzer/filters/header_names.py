"""The names of the headers of a frame, outermost first, as Wireshark writes them in `frame.protocols`.

A tunnel that has no place of its own among the headers (`layer_places`) is a gap between two of them. The header in front of
the gap names it: by the port of UDP, or by the EtherType. Where nothing names it, the frame has no names: half of them would
be wrong. What nobody reads behind IP or UDP is `data`.
"""

import re
from typing import NamedTuple

from analyzer.packet.layer_places import KINDS, LayerPlaces
from analyzer.packet.packet import Packet

_LINKS = {0: "null", 9: "ppp", 12: "raw", 14: "raw", 101: "raw", 108: "null", 228: "raw", 229: "raw"}
"""Link types whose header is no place of `layer_places`, or that have none."""

_TYPE_AT = {"eth.ii": 12, "vlan.ii": 2, "sll.ii": 14, "sll2.ii": 0}
"""Headers with an EtherType, and where in the header it is."""

_NAMELESS = frozenset({"macsec", "nflog", "capwap", "usb", "hci_h4", "btle"})
"""Headers that end the names: what is before and behind them has places, but not all of it."""

_FRAMES = frozenset({"eth", "vlan", "sll", "sll2"})
_MESSAGES = frozenset({"icmp", "icmpv6"})
_PACKETS = frozenset({"ip", "ipv6"})
_ECHO = frozenset({"icmp.echo", "icmpv6.echo"})
_CELLS = 4

_IN_UDP = {
    4789: "vxlan", 8472: "vxlan", 6081: "geneve", 2152: "gtp", 3544: "teredo", 5072: "ayiya", 4754: "gre",
    6635: "mpls",
}  # fmt: skip
"""Tunnels in UDP with a header of their own, by port (`packet.tunnels.enter_udp`)."""

_READ_INSIDE = frozenset({3544, 4754, 4789, 4790, 6081, 6635, 8472})
"""Ports of tunnels whose name alone is half of the names: Wireshark goes on where `packet.tunnels` finds nothing to read."""

_GENEVE, _TEREDO = 6081, 3544
_ARP, _ERSPAN = b"\x08\x06", b"\x88\xbe"

_IN_ETHERNET = {0x8847: "mpls", 0x8848: "mpls", 0x8864: "pppoes:ppp", 0x88A8: "ieee8021ad"}
"""Headers between Ethernet and IP, by EtherType."""

_IN_GRE = {0x880B: "ppp", 0x8847: "mpls"}
_IN_IP = {
    2: "igmp", 46: "rsvp", 50: "esp", 51: "ah", 88: "eigrp", 89: "ospf", 103: "pim", 112: "vrrp", 132: "sctp", 136: "udplite",
}  # fmt: skip
"""What is behind IP and has no place, by its number (IANA, Assigned Internet Protocol Numbers)."""

_SERVICES = {
    53: "dns", 67: "dhcp", 68: "dhcp", 69: "tftp", 88: "kerberos", 123: "ntp", 137: "nbns", 138: "nbdgm", 161: "snmp",
    162: "snmp", 389: "cldap", 500: "isakmp", 514: "syslog", 520: "rip", 546: "dhcpv6", 547: "dhcpv6", 1645: "radius",
    1646: "radius", 1812: "radius", 1813: "radius", 1900: "ssdp", 1985: "hsrp", 2152: "gtp", 3478: "stun", 3702: "udp.xml",
    4500: "udpencap", 5060: "sip", 5072: "ayiya", 5351: "nat-pmp", 5353: "mdns", 5355: "llmnr",
}  # fmt: skip
"""What UDP carries that is named by its port only."""

_LINES = {
    21: "ftp", 25: "smtp", 110: "pop", 143: "imap", 587: "smtp", 5222: "xmpp", 6667: "irc",
}  # fmt: skip
"""Protocols of text over TCP, by port. Behind STARTTLS a segment may also be a part of a record of TLS."""

_OPENING = re.compile(rb"[\t\r\n -~]{4}")
"""How a segment of text begins."""

_NO_NEXT_HEADER = 59
_SSH, _ESP_PORT = 22, 4500
_TEXT_PORTS = frozenset({_SSH, *_LINES})
_TCP = 6
_SEQUENCES, _HALF = 0xFFFFFFFF, 1 << 31
_MAX_DIRECTIONS = 1 << 14
_SYN = 2
_STUN_COOKIE = b"\x21\x12\xa4\x42"


class Names(NamedTuple):
    """The names of the headers. texts: empty where one has no name. fixed: whether all frames with this shape have the same."""

    texts: list[str]
    fixed: bool


def header_names(layers: LayerPlaces, link_type: int) -> Names:
    """Return the names of the headers of a frame."""
    names = [_LINKS[link_type]] if link_type in _LINKS else []
    end, fixed = -1, True
    for index in range(layers.count):
        kind = KINDS[layers.kind(index)]
        if kind in _NAMELESS:
            return Names([], fixed)
        if kind in _TYPE_AT:
            names.append("ethertype")
        if kind in _ECHO and len(layers.header(index)) > 8 and not (kind == "icmpv6.echo" and _is_to_teredo(layers)):
            names.append("data")
        if "." in kind and not kind.startswith("ipv6."):
            continue
        start = layers.cells[index * _CELLS + 1]
        whole = end < 0 or start == end or layers.cells[index * _CELLS + 3] or names[-1] in _MESSAGES
        between = ""
        if (not names and kind not in _FRAMES) or not whole or (kind in _PACKETS and names[-1:] == ["udp"]):
            fixed = False
            between = _between(layers, index - 1)
            if not between:
                return Names([], False)
            names += between.split(":")
        elif kind in _PACKETS and names[-1:] == ["vxlan"]:
            return Names([], False)
        elif kind == "eth" and names[-1:] == ["gre"]:
            fixed = False
            names += ["erspan"] if layers.header(index - 1)[2:4] == _ERSPAN else []
        if kind == "esp" and names[-1:] == ["udp"]:
            names.append(_SERVICES[_ESP_PORT])
        if not between.endswith("mpls") or kind not in _PACKETS:
            names.append("sll" if kind == "sll2" else kind)
        end = layers.cells[index * _CELLS + 2]
    if not layers.count or KINDS[layers.kind(layers.count - 1)].split(".")[0] in _FRAMES:
        return Names([], fixed)
    if names[-1] in _PACKETS or names[-1] == "mpls" or names[-1].startswith("ipv6."):
        names += _behind_ip(layers.packet, names)
        fixed = False
    return Names(names, fixed)


def in_datagram(packet: Packet) -> str | None:
    """Return the name of what a datagram carries that is read by its port only; `data` where nobody reads it.

    Empty where it carries nothing. None for a tunnel in which nothing was read, whose names are not known.
    """
    if packet.payload >= packet.payload_end:
        return ""
    if packet.data[packet.payload + 4 : packet.payload + 8] == _STUN_COOKIE:
        return "stun"
    for port in sorted((packet.source_port, packet.destination_port)):
        if port == _GENEVE and packet.data[packet.payload + 2 : packet.payload + 4] == _ARP:
            return "geneve:arp"
        if port in _READ_INSIDE:
            return None
        if port in _SERVICES:
            return _SERVICES[port]
    return "data"


def in_segment(packet: Packet) -> str:
    """Return the name of what a segment carries that is read by its port only; empty where that is not known."""
    if packet.payload >= packet.payload_end:
        return ""
    if _SSH in (packet.source_port, packet.destination_port):
        return "ssh"
    low, high = sorted((packet.source_port, packet.destination_port))
    name = _LINES.get(low) or _LINES.get(high) or ""
    return name if _OPENING.match(packet.data, packet.payload, packet.payload_end) else ""


class TextEnds:
    """Where the directions of connections have ended so far whose segments are named by their port.

    Wireshark names nothing in a segment that is sent again.
    """

    def __init__(self) -> None:
        self._ends: dict[bytes, int] = {}

    def is_again(self, packet: Packet) -> bool:
        """Take the next packet. Return whether it is such a segment, all of whose bytes were there before."""
        length = packet.payload_end - packet.payload
        if packet.protocol != _TCP or _TEXT_PORTS.isdisjoint((packet.source_port, packet.destination_port)):
            return False
        if packet.flags & _SYN:
            self._ends.pop(packet.key(), None)  # of an earlier connection with the same ports
        if not length:
            return False
        key, end = packet.key(), packet.sequence + length & _SEQUENCES
        known = self._ends.get(key)
        if known is not None and known - end & _SEQUENCES < _HALF:
            return True
        if known is None and len(self._ends) >= _MAX_DIRECTIONS:
            del self._ends[next(iter(self._ends))]
        self._ends[key] = end
        return False


def _between(layers: LayerPlaces, index: int) -> str:
    """Return the names between the header of that index and the next one; empty where they are not known."""
    if index < 0:
        return ""
    kind, header = KINDS[layers.kind(index)], layers.header(index)
    if kind == "udp":
        source, destination = _ports(layers, index)
        return _IN_UDP.get(destination) or _IN_UDP.get(source) or ""
    if kind == "gre":
        return _IN_GRE.get(int.from_bytes(header[2:4]), "")
    at = _TYPE_AT.get(kind)
    return "" if at is None else _IN_ETHERNET.get(int.from_bytes(header[at : at + 2]), "")


def _ports(layers: LayerPlaces, index: int) -> tuple[int, int]:
    """Return the ports in the header of that index, the source's first."""
    header = layers.header(index)
    return int.from_bytes(header[:2]), int.from_bytes(header[2:4])


def _is_to_teredo(layers: LayerPlaces) -> bool:
    """Return whether the frame is for a server of Teredo: Wireshark reads a nonce in an echo there, and no data."""
    headers = (index for index in range(layers.count) if KINDS[layers.kind(index)] == "udp")
    return any(_ports(layers, index)[1] == _TEREDO for index in headers)


def _behind_ip(packet: Packet, names: list[str]) -> list[str]:
    """Return the name of what is behind an IP header and has no place."""
    if packet.problem or packet.payload >= packet.payload_end or not _MESSAGES.isdisjoint(names):
        return []
    if packet.protocol == _NO_NEXT_HEADER and packet.ip_version == 6 and packet.data[packet.ip + 4 : packet.ip + 6] == b"\0\0":
        return []
    return ["data"] if packet.fragment else [_IN_IP.get(packet.protocol, "data")]
