"""The fields of QUIC headers that need no keys (RFC 8999, RFC 9000 section 17): of long headers, and of short ones the form.

A datagram is QUIC if it begins with a long header of a known version, or with a short header, and one of its ends has sent such
a datagram before. The length of the connection ID is not in a short header: it is that of the ID that the receiver named in its
own long headers. Where the receiver has moved, so that its length is not known, the ID is left out.
"""

from collections import OrderedDict
from typing import Final

from analyzer.filters.frame_view import Found, FrameView
from analyzer.filters.packet_values import Occurrence
from analyzer.packet.addresses import split_key
from analyzer.packet.layer_places import KINDS
from analyzer.secrets.quic_versions import INITIAL, RETRY, VERSION_2
from analyzer.tls.quic.packet_headers import FIXED_BIT, NEGOTIATION, OTHER, LongHeader, negotiated_versions, read_long

ENDS_MAX: Final = 1 << 16
"""Addresses with ports that are remembered; beyond it the oldest is forgotten."""

_UDP: Final = KINDS.index("udp")
_HEADER: Final = 8
_TAG: Final = 16
_LONG: Final = 0x80
_UNKNOWN: Final = -1


class QuicFields:
    """The source of `quic.*`."""

    def __init__(self) -> None:
        # By address and port: the length of the connection ID that this end named.
        self._ends: OrderedDict[tuple[bytes, int], int] = OrderedDict()
        self._found: Found = {}

    def take(self, view: FrameView) -> None:
        """See `Source.take`."""
        self._found = {}
        layers = view.layers
        for index in range(layers.count):
            if layers.kind(index) == _UDP:
                datagram = layers.behind(index, 1 << 16)
                length = int.from_bytes(datagram[4:6])
                if len(datagram) > _HEADER:
                    self._read(datagram[_HEADER : max(length, _HEADER) if length else None], layers.key(index))
                return

    def find(self, view: FrameView) -> Found:
        """See `Source.find`."""
        return self._found

    def _read(self, data: bytes, key: bytes) -> None:
        if not key:
            return
        source, destination = split_key(key)
        known = source in self._ends or destination in self._ends
        pos = 0
        while pos < len(data):
            header = read_long(data, pos, len(data)) if data[pos] & _LONG else None
            if header is None or (header.type == OTHER and (pos or not (known or _is_reserved(header.version)))):
                break
            self._remember(source, len(header.source))
            known = True
            self._add_long(data, pos, header)
            pos = header.end
        if known and pos < len(data) and data[pos] & (_LONG | FIXED_BIT) == FIXED_BIT:
            self._add_short(data, pos, self._ends.get(destination, _UNKNOWN))

    def _remember(self, end: tuple[bytes, int], length: int) -> None:
        self._ends[end] = length
        self._ends.move_to_end(end)
        if len(self._ends) > ENDS_MAX:
            self._ends.popitem(last=False)

    def _add_long(self, data: bytes, pos: int, header: LongHeader) -> None:
        self._add("quic.packet_length", min(header.end, len(data)) - pos)
        self._add("quic.header_form", 1)
        self._add("quic.version", header.version)
        self._add("quic.dcil", len(header.destination))
        self._add("quic.scil", len(header.source))
        for name, value in (("quic.dcid", header.destination), ("quic.scid", header.source)):
            if value:
                self._add(name, value)
        if header.type == NEGOTIATION:
            for version in negotiated_versions(data, header):
                self._add("quic.supported_version", version)
            return
        if header.type == OTHER:
            return
        later = header.version == VERSION_2
        self._add("quic.long.packet_type_v2" if later else "quic.long.packet_type", data[pos] >> 4 & 3)
        if header.type != RETRY:
            self._add("quic.fixed_bit", bool(data[pos] & FIXED_BIT))
        else:
            self._add("quic.retry_token", data[header.number_at : max(header.end - _TAG, header.number_at)])
            self._add("quic.retry_integrity_tag", data[max(header.end - _TAG, header.number_at) : header.end])
            return
        if header.type == INITIAL:
            self._add("quic.token_length", len(header.token))
            if header.token:
                self._add("quic.token", header.token)
        self._add("quic.length", header.end - header.number_at)

    def _add_short(self, data: bytes, pos: int, length: int) -> None:
        self._add("quic.packet_length", len(data) - pos)
        self._add("quic.short", None)
        self._add("quic.header_form", 0)
        self._add("quic.fixed_bit", True)
        if 0 < length < len(data) - pos:
            self._add("quic.dcid", data[pos + 1 : pos + 1 + length])

    def _add(self, name: str, value: object) -> None:
        self._found.setdefault("quic", [Occurrence(b"", b"", 1)])
        self._found.setdefault(name, []).append(Occurrence(value, None, 1))  # type: ignore[arg-type]


def _is_reserved(version: int) -> bool:
    """Return whether a version exists only to make servers negotiate (RFC 9000 section 15)."""
    return version & 0x0F0F0F0F == 0x0A0A0A0A
