"""The fields of what stands behind the packet in a frame of Ethernet: padding, trailer, frame check sequence.

A frame has at least 60 bytes without its frame check sequence (IEEE Std 802.3 clause 3.2.8), and VLAN tags come on top of them
(IEEE Std 802.1Q annex G.2.3). As in Wireshark, bytes up to there that are zero are padding. Four bytes at the end of a frame of
at least 64 bytes without tags, where they are behind the packet, are taken for the frame check sequence.
"""

from analyzer.filters.frame_view import Found, FrameView
from analyzer.filters.packet_values import Occurrence
from analyzer.packet.layer_places import KINDS, LayerPlaces

MIN_FRAME = 60
"""Bytes of the shortest frame, without its frame check sequence."""

_ETH, _ETH_LENGTH, _VLAN, _ARP, _IP, _IPV6, _SLL = (
    KINDS.index(name) for name in ("eth", "eth.802_3", "vlan", "arp", "ip", "ipv6", "sll")
)
_TAG, _CHECK, _COOKED = 4, 4, 2
_WITH_CHECK = 64
_UNVERIFIED = 2


class TrailerFields:
    """The source of these fields."""

    def take(self, view: FrameView) -> None:
        """See `Source.take`."""

    def find(self, view: FrameView) -> Found:
        """See `Source.find`."""
        frame, layers = view.frame, view.layers
        start = frame.start
        end = _packet_end(layers, start)
        n_behind = frame.wire_length - (end - start)
        if end < 0 or n_behind <= 0:
            return {}
        n_tags = sum(layers.kind(index) == _VLAN for index in range(layers.count))
        rest = frame.data[end : frame.end]
        found: Found = {}
        n_whole = frame.wire_length - _TAG * n_tags - (_COOKED if layers.kind(0) == _SLL else 0)
        n_short = MIN_FRAME - (n_whole - n_behind) if n_whole >= MIN_FRAME else 0
        n_padding = len(rest[:n_short]) - len(rest[:n_short].lstrip(b"\0")) if n_short > 0 else 0
        if n_padding:
            _add(found, "eth.padding", rest[:n_padding])
            rest = rest[n_padding:]
            n_behind -= n_padding
        if layers.kind(0) != _ETH:
            return found
        checked = not n_tags and frame.wire_length >= _WITH_CHECK and n_behind >= _CHECK
        n_trailer = n_behind - _CHECK if checked else n_behind
        if rest[:n_trailer]:
            _add(found, "vlan.trailer" if n_tags else "eth.trailer", rest[:n_trailer])
        if checked and len(rest) == n_behind:
            found["eth.fcs"] = [Occurrence(int.from_bytes(rest[n_trailer:]), rest[n_trailer:], 1)]
            found["eth.fcs.status"] = [Occurrence(_UNVERIFIED, None, 1)]
        return found


def _packet_end(layers: LayerPlaces, start: int) -> int:
    """Return where the outermost packet ends, by its own length; -1 if it does not say. start: of the frame."""
    if layers.kind(0) not in (_ETH, _SLL):
        return -1
    for index in range(layers.count):
        kind, header = layers.kind(index), layers.header(index)
        at = layers.cells[4 * index + 1]
        n_bytes = 0
        if kind == _ETH_LENGTH and at == start:
            n_bytes = 14 + int.from_bytes(header[12:14])
        elif kind == _ARP:
            n_bytes = 8 + 2 * (header[4] + header[5]) if len(header) >= 8 else 0
        elif kind == _IP:
            n_bytes = int.from_bytes(header[2:4])
        elif kind == _IPV6:
            n_bytes = 40 + int.from_bytes(header[4:6])
            n_bytes = 0 if n_bytes == 40 else n_bytes  # a jumbogram
        else:
            continue
        return at + n_bytes if n_bytes >= len(header) else -1
    return -1


def _add(found: Found, name: str, octets: bytes) -> None:
    found[name] = [Occurrence(octets, octets, 1)]
