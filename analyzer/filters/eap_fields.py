"""The fields of 802.1X, RADIUS and EAP, as far as they say which conversation goes on, and how (RFC 3748, RFC 2865, RFC 5216).

Frames of 802.1X are known by their EtherType, RADIUS by its ports. An EAP packet that RADIUS has in several attributes is one.
"""

from analyzer.engine.eap_sessions import PORT_CONTROL
from analyzer.filters.frame_view import Found, FrameView
from analyzer.filters.packet_values import Occurrence
from analyzer.flows.eap import IDENTITY, METHODS, REQUEST, RESPONSE, read_eap, read_radius
from analyzer.packet.layer_places import KINDS

PORTS = frozenset({1645, 1646, 1812, 1813, 3799})
"""UDP ports of RADIUS."""

_ETHER_TYPES = frozenset(number.to_bytes(2, "big") for number in PORT_CONTROL)
_UDP = KINDS.index("udp")
_UDP_HEADER = 8
_RADIUS_HEADER = 20
_FLAGS = (("len_included", 0x80), ("more_fragments", 0x40), ("start", 0x20))


class EapFields:
    """The source of these fields."""

    def take(self, view: FrameView) -> None:
        """See `Source.take`."""

    def find(self, view: FrameView) -> Found:
        """See `Source.find`."""
        layers = view.layers
        packet = layers.packet
        start = packet.payload
        if packet.ip_version == 0 and start >= 2 and packet.data[start - 2 : start] in _ETHER_TYPES:
            return port_fields(packet.data[start : packet.payload_end])
        for index in range(layers.count):
            if layers.kind(index) == _UDP:
                datagram = layers.behind(index, 1 << 16)
                ports = {int.from_bytes(datagram[:2], "big"), int.from_bytes(datagram[2:4], "big")}
                return radius_fields(datagram[_UDP_HEADER:]) if ports & PORTS else {}
        return {}


def port_fields(frame: bytes) -> Found:
    """Return the fields of an 802.1X frame, from its version on."""
    if len(frame) < 4:
        return {}
    length = int.from_bytes(frame[2:4], "big")
    found = _numbers("eapol", frame[: 4 + length], (("version", 0, 1), ("type", 1, 2), ("len", 2, 4)))
    return found | eap_fields(frame[4 : 4 + length]) if frame[1] == 0 else found


def radius_fields(data: bytes) -> Found:
    """Return the fields of a RADIUS packet, and of the EAP packet in it."""
    if len(data) < _RADIUS_HEADER or int.from_bytes(data[2:4], "big") < _RADIUS_HEADER:
        return {}
    found = _numbers("radius", data, (("code", 0, 1), ("id", 1, 2), ("length", 2, 4)))
    found["radius.authenticator"] = [Occurrence(data[4:_RADIUS_HEADER], data[4:_RADIUS_HEADER], 1)]
    packet = read_radius(data)
    return found if packet is None else found | eap_fields(packet.eap)


def eap_fields(packet: bytes) -> Found:
    """Return the fields of an EAP packet; none for bytes that are none."""
    read = read_eap(packet)
    if read is None:
        return {}
    packet = packet[: read.n_bytes]
    found = _numbers("eap", packet, (("code", 0, 1), ("id", 1, 2), ("len", 2, 4)))
    if read.code not in (REQUEST, RESPONSE) or len(packet) < 5:
        return found
    found |= _numbers("eap", packet, (("type", 4, 5),))
    if read.type == IDENTITY and read.code == RESPONSE:
        found["eap.identity"] = [Occurrence(packet[5:].decode("utf-8", "replace"), packet[5:], 1)]
    elif read.type in METHODS and len(packet) > 5:
        found["eap.tls.flags"] = [Occurrence(packet[5], packet[5:6], 1)]
        for name, bit in _FLAGS:
            found[f"eap.tls.flags.{name}"] = [Occurrence(bool(packet[5] & bit), packet[5:6], 1)]
        if read.total >= 0:
            found["eap.tls.len"] = [Occurrence(read.total, packet[6:10], 1)]
    return found


def _numbers(protocol: str, data: bytes, places: tuple[tuple[str, int, int], ...]) -> Found:
    """Return a protocol and numbers at fixed places of it."""
    found: Found = {protocol: [Occurrence(data, data, 1)]}
    for name, start, end in places:
        octets = data[start:end]
        found[f"{protocol}.{name}"] = [Occurrence(int.from_bytes(octets, "big"), octets, 1)]
    return found
