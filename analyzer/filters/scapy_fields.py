"""Fields of protocols over UDP that scapy reads, on demand: `scapy_fields.csv` maps a field to a layer of scapy and its field.

Only datagrams on the ports of these protocols are given to scapy, which takes its time for each.
"""

from functools import cache
from typing import Any

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
    for name, field, kind in _fields_of(layer):
        value: Any = data if not field else packet.getfieldval(field)
        if kind is FieldType.IPV4:
            value = bytes(map(int, str(value).split(".")))
        found[name] = [Occurrence(value, data if not field else None, 1)]
    return found


@cache
def _fields_of(layer: str) -> tuple[tuple[str, str, FieldType], ...]:
    """Return the fields that a layer of scapy has: Wireshark's name, scapy's, and the type."""
    return tuple((row["name"], row["field"], type_of(row["type"])[0]) for row in rows("scapy_fields") if row["layer"] == layer)
