"""Splits UDP datagrams into QUIC packets by what needs no keys, for views (RFC 8999, RFC 9000 sections 12.2 and 17).

A datagram is QUIC if it begins with a long header of a known version, or with a short header, and one of its ends has sent such
a datagram before. The length of the connection ID is not in a short header: it is that of the ID that the receiver named in its
own long headers. Where the receiver has moved, its length is not known.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from analyzer.packet.addresses import split_key
from analyzer.secrets.quic_versions import HANDSHAKE, INITIAL, RETRY, VERSION_2, ZERO_RTT
from analyzer.tls.quic.packet_headers import FIXED_BIT, NEGOTIATION, OTHER, LongHeader, read_long

ENDS_MAX: Final = 1 << 16
"""Addresses with ports that are remembered; beyond it the oldest is forgotten."""

TITLES: Final = {
    INITIAL: "Initial",
    ZERO_RTT: "0-RTT",
    HANDSHAKE: "Handshake",
    RETRY: "Retry",
    NEGOTIATION: "Version Negotiation",
}
"""What packets with long headers are called, by type."""

FORCING: Final = "Forcing Version Negotiation"
"""What a packet of a version is called that exists only to make servers negotiate."""

SHORT: Final = "Protected Payload"
"""What a packet with a short header is called."""

_LONG: Final = 0x80
_UNKNOWN: Final = -1


@dataclass(frozen=True, slots=True)
class DatagramPacket:
    """A packet of a datagram, which is `data[start:end]`.

    header: its long header; None for a short one. destination: its connection ID; None if its length is not known. end: where
    the bytes end, if that is before the end of the packet.
    """

    start: int
    end: int
    header: LongHeader | None
    destination: bytes | None

    @property
    def title(self) -> str:
        """What it is called."""
        if self.header is None:
            return SHORT
        if self.header.type == OTHER:
            return FORCING if is_reserved(self.header.version) else f"Version 0x{self.header.version:08x}"
        return TITLES[self.header.type]

    @property
    def is_version_2(self) -> bool:
        """Whether its types are numbered as in version 2 (RFC 9369 section 3.2)."""
        return self.header is not None and self.header.version == VERSION_2


class DatagramPackets:
    """Splits the datagrams of a capture, which it has to see in their order."""

    def __init__(self) -> None:
        # By address and port: the length of the connection ID that this end named.
        self._ends: OrderedDict[tuple[bytes, int], int] = OrderedDict()

    def may_begin(self, first: int) -> bool:
        """Return whether the first byte of a datagram is that of a QUIC packet that can be known, for a quick no."""
        return first & _LONG != 0 or (first & FIXED_BIT != 0 and len(self._ends) > 0)

    def split(self, data: bytes, key: bytes) -> list[DatagramPacket]:
        """Return the packets of a datagram; empty if it is not QUIC. key: its addresses and ports (`Packet.key`)."""
        if not key or not data or not self.may_begin(data[0]):
            return []
        source, destination = split_key(key)
        known = source in self._ends or destination in self._ends
        found: list[DatagramPacket] = []
        pos, end = 0, len(data)
        while pos < end:
            header = read_long(data, pos, end) if data[pos] & _LONG else None
            if header is None or (header.type == OTHER and (pos or not (known or is_reserved(header.version)))):
                break
            self._remember(source, len(header.source))
            known = True
            stop = min(header.end, end)
            found.append(DatagramPacket(pos, stop, header, header.destination))
            pos = header.end
        if known and pos < end and data[pos] & (_LONG | FIXED_BIT) == FIXED_BIT:
            length = self._ends.get(destination, _UNKNOWN)
            named = data[pos + 1 : pos + 1 + length] if 0 <= length < end - pos else None
            found.append(DatagramPacket(pos, end, None, named))
        return found

    def _remember(self, end: tuple[bytes, int], length: int) -> None:
        self._ends[end] = length
        self._ends.move_to_end(end)
        if len(self._ends) > ENDS_MAX:
            self._ends.popitem(last=False)


def is_reserved(version: int) -> bool:
    """Return whether a version exists only to make servers negotiate (RFC 9000 section 15)."""
    return version & 0x0F0F0F0F == 0x0A0A0A0A
