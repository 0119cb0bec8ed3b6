"""The fields of what stands behind the packet in a frame of Ethernet: padding, trailer, frame check sequence.

A frame has at least 60 bytes without its frame check sequence (IEEE Std 802.3 clause 3.2.8), and VLAN tags come on top of them
(IEEE Std 802.1Q annex G.2.3). As in Wireshark, bytes up to there that are zero are padding. Four bytes at the end of a frame of
at least 64 bytes without tags, where they are behind the packet, are taken for the frame check sequence; a frame inside another
has none.
"""

from itertools import pairwise

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
_HOP_BY_HOP, _IPV6_HEADER = b"\0", 40
_UNVERIFIED = 2


class TrailerFields:
    """The source of these fields."""

    def take(self, view: FrameView) -> None:
        """See `Source.take`."""

    def find(self, view: FrameView) -> Found:
        """See `Source.find`."""
        frame, layers = view.frame, view.layers
        found: Found = {}
        first = [index for index in range(layers.count) if layers.kind(index) == _ETH or (not index and layers.kind(0) == _SLL)]
        for index, following in pairwise([*first, layers.count]):
            start = layers.cells[4 * index + 1]
            data, end, missing = frame.data, frame.end, frame.wire_length - (frame.end - frame.start)
            tunnel = next((one for one in range(index - 1, -1, -1) if layers.kind(one) in (_IP, _IPV6)), -1)
            if tunnel >= 0:
                data = layers.datagram if layers.cells[4 * index + 3] else frame.data
                end = min(layers.cells[4 * tunnel + 1] + _ip_length(layers.kind(tunnel), layers.header(tunnel)), len(data))
                missing = 0
            octets = data[start:end]
            wire_length = len(octets) + missing
            _find_behind(layers, range(index, following), octets, wire_length, found)
        return found


def _find_behind(layers: LayerPlaces, inside: range, octets: bytes, wire_length: int, found: Found) -> None:
    """Add what is behind the packet of one frame. inside: its headers. octets, wire_length: the frame from its header on."""
    end = _packet_end(layers, inside)
    n_behind = wire_length - end
    if end < 0 or n_behind <= 0:
        return
    kind = layers.kind(inside.start)
    n_tags = sum(layers.kind(index) == _VLAN for index in inside)
    rest = octets[end:]
    n_whole = wire_length - _TAG * n_tags - (_COOKED if kind == _SLL else 0)
    n_short = MIN_FRAME - (n_whole - n_behind) if n_whole >= MIN_FRAME else 0
    n_padding = len(rest[:n_short]) - len(rest[:n_short].lstrip(b"\0")) if n_short > 0 else 0
    if n_padding:
        _add(found, "eth.padding", rest[:n_padding])
        rest = rest[n_padding:]
        n_behind -= n_padding
    if kind != _ETH:
        return
    checked = not inside.start and not n_tags and wire_length >= _WITH_CHECK and n_behind >= _CHECK
    n_trailer = n_behind - _CHECK if checked else n_behind
    if rest[:n_trailer]:
        _add(found, "vlan.trailer" if n_tags else "eth.trailer", rest[:n_trailer])
    if checked and len(rest) == n_behind:
        found["eth.fcs"] = [Occurrence(int.from_bytes(rest[n_trailer:]), rest[n_trailer:], 1)]
        found["eth.fcs.status"] = [Occurrence(_UNVERIFIED, None, 1)]


def _packet_end(layers: LayerPlaces, inside: range) -> int:
    """Return where the packet of a frame ends, by its own length, from the frame's header on; -1 if it does not say."""
    start = layers.cells[4 * inside.start + 1]
    for index in inside:
        kind, header = layers.kind(index), layers.header(index)
        at = layers.cells[4 * index + 1] - start
        n_bytes = 0
        if kind == _ETH_LENGTH and at == 0:
            n_bytes = 14 + int.from_bytes(header[12:14])
        elif kind == _ARP:
            n_bytes = 8 + 2 * (header[4] + header[5]) if len(header) >= 8 else 0
        elif kind in (_IP, _IPV6):
            n_bytes = _ip_length(kind, header)
        else:
            continue
        return at + n_bytes if n_bytes >= len(header) else -1
    return -1


def _ip_length(kind: int, header: bytes) -> int:
    """Return the length of an IP packet as its header says it, 0 for a jumbogram."""
    if kind == _IP:
        return int.from_bytes(header[2:4])
    n_bytes = _IPV6_HEADER + int.from_bytes(header[4:6])
    return 0 if n_bytes == _IPV6_HEADER and header[6:7] == _HOP_BY_HOP else n_bytes


def _add(found: Found, name: str, octets: bytes) -> None:
    found.setdefault(name, []).append(Occurrence(octets, octets, 1))
