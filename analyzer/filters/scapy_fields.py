"""Fields of protocols over UDP that scapy reads, on demand: `scapy_fields.csv` maps a field to a layer of scapy and its field.

Only datagrams on the ports of these protocols are given to scapy, which takes its time for each. What scapy shows in another
form than Wireshark is read from the bytes: the columns `at` and `width` have its place. The options of DHCP are those of
`dhcp_options`.
"""

from functools import cache
from typing import Any

from analyzer.filters.dhcp_options import read_options
from analyzer.filters.field_type import FieldType
from analyzer.filters.frame_view import Found, FrameView
from analyzer.filters.packet_values import Occurrence
from analyzer.filters.value_strings import rows, type_of
from analyzer.packet.layer_places import KINDS

PORTS = {67: "BOOTP", 68: "BOOTP", 123: "NTPHeader"}
"""UDP ports, and the layer of scapy for their datagrams."""

_UDP = KINDS.index("udp")
_HEADER = 8
_NTP_MODES = range(1, 6)
_NTP_SIZE = 48
_BOOTP_SIZE = 236
_SECOND = 1_000_000_000

_ERA = 2_208_988_800
"""Seconds from 1900, where NTP's first era begins, to 1970; smaller numbers are of the second era (RFC 5905 section 6)."""


class ScapyFields:
    """The source of `dhcp.*` and `ntp.*`."""

    def take(self, view: FrameView) -> None:
        """See `Source.take`."""

    def find(self, view: FrameView) -> Found:
        """See `Source.find`."""
        layers = view.layers
        for index in range(layers.count):
            if layers.kind(index) == _UDP:
                datagram = layers.behind(index, 1 << 16)
                ports = int.from_bytes(datagram[:2]), int.from_bytes(datagram[2:4])
                name = next((PORTS[port] for port in ports if port in PORTS), "")
                if name:
                    return _read(name, datagram[_HEADER:])
        return {}


def _read(layer: str, data: bytes) -> Found:
    """Read the fixed part of a message, if it is whole; what is behind it is not given to scapy."""
    if len(data) < (_BOOTP_SIZE if layer == "BOOTP" else _NTP_SIZE):
        return {}
    if layer == "NTPHeader" and data[0] & 7 not in _NTP_MODES:
        return {}
    from scapy.layers.dhcp import BOOTP
    from scapy.layers.ntp import NTPHeader

    packet = BOOTP(data[:_BOOTP_SIZE]) if layer == "BOOTP" else NTPHeader(data[:_NTP_SIZE])
    found: Found = {}
    for name, field, kind, place in _fields_of(layer):
        if place is not None:
            octets = data[place]
            value: Any = _value(octets, kind)
            if value is not None:
                found[name] = [Occurrence(value, octets, 1)]
            continue
        value = data if not field else packet.getfieldval(field)
        if kind is FieldType.IPV4:
            value = bytes(map(int, str(value).split(".")))
        found[name] = [Occurrence(value, data if not field else None, 1)]
    if layer == "BOOTP":
        found["dhcp.flags.bc"] = [Occurrence(bool(data[10] & 0x80), data[10:12], 1)]
        found |= read_options(data[_BOOTP_SIZE:])
        if data[1:3] != b"\x01\x06":
            found.pop("dhcp.hw.mac_addr")
    return found


def _value(octets: bytes, kind: FieldType) -> object:
    """Return the value of a field from its bytes; None for a text that is not set. A time that is not set is that of 1970."""
    if kind is FieldType.ABSOLUTE_TIME:
        seconds, fraction = int.from_bytes(octets[:4]), int.from_bytes(octets[4:])
        if not seconds:
            return 0
        since = seconds - _ERA if seconds >= _ERA else seconds + (1 << 32) - _ERA
        return since * _SECOND + (fraction * _SECOND >> 32)
    if kind is FieldType.STRING:
        return octets.split(b"\0", 1)[0].decode("utf-8", "replace") or None
    return int.from_bytes(octets) if kind is FieldType.UINT else octets


@cache
def _fields_of(layer: str) -> tuple[tuple[str, str, FieldType, slice | None], ...]:
    """Return the fields that a layer of scapy has: Wireshark's name, scapy's, the type, and its place if it is read here."""
    found = []
    for row in rows("scapy_fields"):
        if row["layer"] == layer:
            at = int(row["at"] or 0)
            place = slice(at, at + int(row["width"])) if row["width"] else None
            found.append((row["name"], row["field"], type_of(row["type"])[0], place))
    return tuple(found)
