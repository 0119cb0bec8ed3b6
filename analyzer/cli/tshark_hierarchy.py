"""The table `-z io,phs` of tshark: the hierarchy of protocols, with frames and bytes.

A frame counts for each of its protocols from the outermost one on. What Wireshark shows inside the tree of another protocol,
such as the parts of a certificate, is no protocol of the frame here.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from analyzer.cli.frame_reading import View
from analyzer.cli.tshark_taps import Span, Tap
from analyzer.filters.field_table import known_field
from analyzer.packet.layer_places import KINDS, LayerPlaces
from analyzer.packet.packet import Packet
from analyzer.tls.events import RecordRead

if TYPE_CHECKING:
    from analyzer.filters.compiled_filter import CompiledFilter

MOST_PROTOCOLS = 4096
"""Places in the hierarchy, at most. Frames beyond it count for what carries them."""

MOST_PATHS = 1 << 14
"""Ways through the hierarchy whose frames are counted together, at most. Beyond it, all are added up, and forgotten."""

MOST_DIRECTIONS = 1 << 17
"""Directions of connections whose records are followed, at most. Beyond it, all are forgotten."""

MOST_AHEAD = 64
"""Segments behind a hole that are remembered of a direction."""

_TCP = 6
_CELLS = 4
_LABEL, _MOST_LABELS = 4, 32
_PACKETS = frozenset({"ip", "ipv6"})
_INSIDE = frozenset({
    "ethertype", "x509sat", "x509ce", "pkixalgs", "x509af", "pkix1explicit", "pkix1implicit", "pkixproxy", "ns_cert_exts",
    "logotypecertextn",
})  # fmt: skip
_READ_TWICE = {"tls": frozenset({"tls", "dtls", "ocsp"})}
"""What is read again, or inside of these."""

_MESSAGES = frozenset({"icmp", "icmpv6"})
_BORDER = "=" * 67


class _Node:
    """A protocol, what it carries by name, and the frames with it."""

    __slots__ = ("frames", "n_bytes", "parts")

    def __init__(self) -> None:
        self.frames = 0
        self.n_bytes = 0
        self.parts: dict[str, _Node] = {}


class _Path:
    """A way through the hierarchy, and the frames that have exactly these protocols."""

    __slots__ = ("frames", "n_bytes", "nodes")

    def __init__(self, nodes: list[_Node]) -> None:
        self.nodes = nodes
        self.frames = 0
        self.n_bytes = 0


class HierarchyTap(Tap):
    """`-z io,phs`."""

    def __init__(self, chosen: "CompiledFilter | None", text: str) -> None:
        self.filters = (chosen,)
        self._protocols, self._quic = map(known_field, ("frame.protocols", "quic.packet_length"))
        self._http2 = [known_field(name) for name in ("http2.type", "http2.magic")]
        self._http3 = [known_field(name) for name in ("http3.stream", "http3.stream.uni", "http3.datagram")]
        self.fields = frozenset((self._protocols, self._quic, *self._http2, *self._http3))
        self._pieces = _TlsPieces()
        self._text = text
        self._tree: dict[str, _Node] = {}
        self._paths: dict[tuple[str | bytes, int, int], _Path] = {}
        self._n_nodes = 0

    def take(self, view: View, passed: Sequence[bool]) -> None:
        """See `Tap.take`."""
        times_tls = self._pieces.take(view)
        if not passed[0]:
            return
        values = view.values
        found = [] if values is None else values.values(self._protocols)
        key: tuple[str | bytes, int, int]
        if values is None or not found:
            key = view.layers.shape(), 0, 0
        else:
            text = str(found[0])
            if view.layers.packet.problem and view.layers.packet.missing and text.rsplit(":", 1)[-1] in _PACKETS:
                text += ":_ws.short"
            if "mpls" in text:
                text = _with_labels(text, view.layers)
            repeated = self._http2 if "http2" in text else self._http3 if "http3" in text else ()
            n_parts = sum(len(values.values(field)) for field in repeated)
            key = text, self._n_packets(view) if "quic" in text else times_tls, n_parts
        path = self._paths.get(key)
        if path is None:
            if len(self._paths) >= MOST_PATHS:
                self._add_up()
            names = _headers(view) if isinstance(key[0], bytes) else _named(*key)
            path = self._paths[key] = _Path(self._nodes(names))
        path.frames += 1
        path.n_bytes += view.frame.wire_length

    def _n_packets(self, view: View) -> int:
        """Return how many packets of QUIC a datagram has, what is behind the last one as one more."""
        lengths = [] if view.values is None else view.values.values(self._quic)
        n_bytes = view.layers.packet.payload_end - view.layers.packet.payload
        return len(lengths) + (sum(one for one in lengths if isinstance(one, int)) < n_bytes)

    def _nodes(self, names: Iterator[str]) -> list[_Node]:
        """Return the places of these protocols in the hierarchy, below the frame itself."""
        nodes, parts = [], self._tree
        for name in chain(("frame",), names):
            node = parts.get(name)
            if node is None:
                if self._n_nodes >= MOST_PROTOCOLS:
                    break
                self._n_nodes += 1
                node = parts[name] = _Node()
            nodes.append(node)
            parts = node.parts
        return nodes

    def _add_up(self) -> None:
        """Count the frames of all ways for the protocols on them."""
        for path in self._paths.values():
            for node in path.nodes:
                node.frames += path.frames
                node.n_bytes += path.n_bytes
        self._paths.clear()

    def lines(self, span: Span) -> Iterator[str]:
        """See `Tap.lines`."""
        self._add_up()
        yield ""
        yield _BORDER
        yield "Protocol Hierarchy Statistics"
        yield f"Filter: {self._text}"
        yield ""
        yield from _lines(self._tree, 0)
        yield _BORDER


def _lines(parts: dict[str, _Node], depth: int) -> Iterator[str]:
    for name, node in parts.items():
        indented = "  " * depth + name
        yield f"{indented:<40} frames:{node.frames} bytes:{node.n_bytes}"
        yield from _lines(node.parts, depth + 1)


def _named(text: str, times: int, n_parts: int) -> Iterator[str]:
    """Yield the protocols that `frame.protocols` names.

    times: how often TLS is read; of QUIC, whose messages of TLS are not told, the packets. n_parts: frames of HTTP/2, streams
    of HTTP/3.
    """
    before, seen = "", set[str]()
    for name in text.split(":"):
        if name in _READ_TWICE and not seen.isdisjoint(_READ_TWICE[name]):
            continue
        if name == "quic":
            yield from ["quic"] * max(1, times)
            yield from ["http3"] * (n_parts if text.endswith(":http3") else 0)
            return
        if name == "tls":
            yield from ["tls"] * max(1, times)
        elif name == "http2":
            yield from ["http2"] * max(1, n_parts)
            return
        elif name == "ocsp" and before != "http":
            continue
        elif name not in _INSIDE and not name.startswith("ipv6.") and not (before in _MESSAGES and name == "data"):
            yield name
        before = name
        seen.add(name)
    if before == "tcp":
        yield from ["tls"] * times


def _with_labels(text: str, layers: LayerPlaces) -> str:
    """Return the protocols of a frame with MPLS, each label as one, and the IP header behind them.

    `frame.protocols` names all labels once, and not that header.
    """
    end = -1
    for index in range(layers.count):
        kind, start = KINDS[layers.kind(index)], layers.cells[index * _CELLS + 1]
        if "." in kind:
            continue
        n_labels = (start - end) // _LABEL
        if kind in _PACKETS and end >= 0 and n_labels > 0:
            return text.replace("mpls", "mpls:" * min(n_labels, _MOST_LABELS) + kind, 1)
        end = layers.cells[index * _CELLS + 2]
    return text


def _headers(view: View) -> Iterator[str]:
    """Yield the names of the headers of a frame whose protocols have no value."""
    layers, seen = view.layers, ""
    for index in range(layers.count):
        name = KINDS[layers.kind(index)]
        if "." not in name:
            yield name
            seen = name
        if seen in _MESSAGES:
            return


class _TlsPieces:
    """Follows how records lie in segments: TLS is read once for a record that ends in a segment after it began in another one,
    and once for what stands behind it. It is not read in a segment that is only the middle of a record.
    """

    def __init__(self) -> None:
        self._directions: dict[bytes, _Direction] = {}

    def take(self, view: View) -> int:
        """Take the next frame, and return how often TLS is read in it."""
        packet = view.layers.packet
        n_bytes = packet.payload_end - packet.payload + packet.missing
        if packet.protocol != _TCP or packet.transport < 0 or n_bytes <= 0:
            return 0
        records = [event.header + event.length for event in view.events if isinstance(event, RecordRead)]
        key = packet.key()
        known = self._directions.get(key)
        if known is None:
            if not records and not _begins(packet):
                return 0
            if len(self._directions) >= MOST_DIRECTIONS:
                self._directions.clear()
            known = self._directions[key] = _Direction(packet.sequence, max(0, sum(records) - n_bytes))
        return known.take(packet.sequence, n_bytes, records)


class _Direction:
    """One direction. following: its next sequence number. before: bytes of a record that has not ended, in front of it.

    ahead: lengths of segments behind a hole, by their sequence numbers.
    """

    __slots__ = ("ahead", "before", "following")

    def __init__(self, following: int, before: int) -> None:
        self.following = following
        self.before = before
        self.ahead: dict[int, int] = {}

    def take(self, sequence: int, n_bytes: int, records: Sequence[int]) -> int:
        """Take a segment, and the sizes of the records that end in it. Return how often TLS is read."""
        distance = (sequence - self.following) & 0xFFFFFFFF
        if distance and not records:
            if distance < 0x80000000 and len(self.ahead) < MOST_AHEAD:
                self.ahead[sequence] = n_bytes
            return 0
        self.following = (sequence + n_bytes) & 0xFFFFFFFF
        n_whole = n_bytes
        while self.following in self.ahead:
            n_next = self.ahead.pop(self.following)
            n_whole += n_next
            self.following = (self.following + n_next) & 0xFFFFFFFF
        before, self.before = self.before, max(0, self.before + n_whole - sum(records))
        if not before:
            return 1
        return (1 if before + n_whole == records[0] else 2) if records else 0


def _begins(packet: Packet) -> bool:
    """Return whether a payload begins as a record of the handshake does."""
    return packet.data[packet.payload : packet.payload + 2] == b"\x16\x03"
