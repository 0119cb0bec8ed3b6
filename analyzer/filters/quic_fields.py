"""The fields of QUIC headers that need no keys (RFC 8999, RFC 9000 section 17): of long headers, and of short ones the form.

Which datagrams are QUIC, and where their packets begin, is known from `datagram_packets`.
"""

from typing import Final

from analyzer.filters.frame_view import Found, FrameView
from analyzer.filters.packet_values import Occurrence
from analyzer.packet.layer_places import KINDS
from analyzer.secrets.quic_versions import INITIAL, RETRY
from analyzer.tls.quic.datagram_packets import DatagramPacket, DatagramPackets, is_reserved
from analyzer.tls.quic.packet_headers import FIXED_BIT, NEGOTIATION, OTHER, LongHeader, negotiated_versions

_UDP: Final = KINDS.index("udp")
_HEADER: Final = 8
_TAG: Final = 16
_SPIN_BIT: Final = 0x20


class QuicFields:
    """The source of `quic.*` of headers."""

    def __init__(self) -> None:
        self._packets = DatagramPackets()
        self._found: Found = {}

    def take(self, view: FrameView) -> None:
        """See `Source.take`."""
        self._found = {}
        layers = view.layers
        index = layers.first(_UDP)
        if index < 0:
            return
        datagram = layers.behind(index, 1 << 16)
        length = int.from_bytes(datagram[4:6])
        if len(datagram) > _HEADER:
            self._read(datagram[_HEADER : max(length, _HEADER) if length else None], layers.key(index))

    def find(self, view: FrameView) -> Found:
        """See `Source.find`."""
        return self._found

    def _read(self, data: bytes, key: bytes) -> None:
        packets = self._packets.split(data, key)
        for packet in packets:
            self._add_protocol()
            if packet.header is None:
                self._add_short(data, packet)
            else:
                self._add_long(data, packet, packet.header)
        if packets and packets[-1].end < len(data) and not _is_unknown(packets[-1].header):
            self._add_protocol()  # what is behind the last packet

    def _add_long(self, data: bytes, packet: DatagramPacket, header: LongHeader) -> None:
        self._add("quic.packet_length", packet.end - packet.start)
        self._add("quic.header_form", 1)
        self._add("quic.version", header.version)
        self._add("quic.dcil", len(header.destination))
        self._add("quic.scil", len(header.source))
        for name, value in (("quic.dcid", header.destination), ("quic.scid", header.source)):
            if value:
                self._add(name, value)
        if header.type == NEGOTIATION:
            self._add("quic.vn.unused", data[packet.start] & 0x7F)
            for version in negotiated_versions(data, header):
                self._add("quic.supported_version", version)
            return
        if header.type == OTHER:
            if is_reserved(header.version):
                self._add("quic.vn.unused", data[packet.start] & 0x7F)
            return
        name = "quic.long.packet_type_v2" if packet.is_version_2 else "quic.long.packet_type"
        self._add(name, data[packet.start] >> 4 & 3)
        if header.type != RETRY:
            self._add("quic.fixed_bit", bool(data[packet.start] & FIXED_BIT))
        else:
            self._add("quic.retry_token", data[header.number_at : max(header.end - _TAG, header.number_at)])
            self._add("quic.retry_integrity_tag", data[max(header.end - _TAG, header.number_at) : header.end])
            return
        if header.type == INITIAL:
            self._add("quic.token_length", len(header.token))
            if header.token:
                self._add("quic.token", header.token)
        self._add("quic.length", header.end - header.number_at)

    def _add_short(self, data: bytes, packet: DatagramPacket) -> None:
        self._add("quic.packet_length", packet.end - packet.start)
        self._add("quic.short", None)
        self._add("quic.header_form", 0)
        self._add("quic.fixed_bit", True)
        self._add("quic.spin_bit", bool(data[packet.start] & _SPIN_BIT))
        if packet.destination:
            self._add("quic.dcid", packet.destination)

    def _add_protocol(self) -> None:
        self._found.setdefault("quic", []).append(Occurrence(b"", b"", 1))

    def _add(self, name: str, value: object) -> None:
        self._found.setdefault(name, []).append(Occurrence(value, None, 1))  # type: ignore[arg-type]


def _is_unknown(header: LongHeader | None) -> bool:
    return header is not None and header.type == OTHER
