"""Counts the packets and bytes of a capture by protocol and by conversation.

Every frame is counted once in the protocols: under its link type, its innermost network protocol, and the transport protocol in
that, all by number. A frame with ports is also counted in its conversation, which is a pair of addresses and ports, in both
directions. The application protocol of a conversation is decided at the end: TLS if a session was found in it, of which the
packets with payload are counted; QUIC or DTLS if its first datagrams have their form; else the protocol that is registered for
its port, with the port. A port alone does not make TLS or QUIC. A run of days does not hold all
conversations until then: `fold` decides about those that are silent and small, and keeps only their sums.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from analyzer.analysis.datagram_kinds import FIRST_PACKETS, NAMES, kind_of
from analyzer.capture.frame import Frame
from analyzer.codec.registry import registry
from analyzer.packet.addresses import endpoints, reverse_key
from analyzer.packet.bus_frames import BUSES
from analyzer.packet.packet import Packet
from analyzer.packet.sealed_packets import is_encapsulated

if TYPE_CHECKING:
    import cython

TCP = 6
UDP = 17

# In the compiled module these are C variables, which other modules cannot see.
_TCP = TCP
_UDP = UDP
_FIRST_PACKETS = FIRST_PACKETS

ESP_PORT = 4500
"""The UDP port of ESP behind an address translation (RFC 3948)."""

_ESP_PORT = ESP_PORT

MAX_CONVERSATIONS = 65536
"""Maximum number of conversations that are distinguished. Each needs 512 bytes; a port scan has one for every port of every
host.
"""

MAX_LAYERS = 4096
"""Maximum number of combinations of link type, network and transport protocol that are distinguished. Captures have a few
dozen.
"""

TLS = "TLS"
"""The application of conversations in which a TLS session was found."""

_LINKS = {0: "BSD loopback", 1: "Ethernet", 101: "Raw IP", 105: "IEEE 802.11", 113: "Linux cooked", 276: "Linux cooked v2"}


class Layers:
    """Counter of the frames with one link type, network protocol and transport protocol: their number, and their bytes on the
    wire.
    """

    __slots__ = ("link", "n_bytes", "n_packets", "network", "transport")

    def __init__(self, link: cython.int, network: cython.int, transport: cython.int) -> None:
        self.link = link
        self.network = network
        self.transport = transport
        self.n_packets = 0
        self.n_bytes = 0


class Flow:
    """One direction of a conversation. `peer` is the other direction; None if both endpoints are the same. `layers`: its
    protocols. first, last: times of its packets; first_frame: of the first one. n_filled, filled_bytes: packets with payload,
    from the first one on that begins as a record of TLS or SSL 2.0 does (begun). kind: of UDP, by its first datagrams, see
    `datagram_kinds`.
    """

    __slots__ = (
        "begun", "filled_bytes", "first", "first_frame", "key", "kind", "last", "layers", "n_bytes", "n_filled", "n_packets",
        "opened", "peer",
    )  # fmt: skip

    def __init__(self, key: bytes, layers: Layers) -> None:
        self.key = key
        self.layers = layers
        self.peer: Flow | None = None
        self.opened = self.begun = False
        self.kind = 0
        self.n_packets = self.n_filled = 0
        self.n_bytes = self.filled_bytes = 0
        self.first = -1
        self.first_frame = 0
        self.last = -1


@dataclass(frozen=True, slots=True)
class Conversation:
    """The packets between two endpoints. `source` sent the first packet. Times are nanoseconds since the epoch, -1 if unknown.

    protocol: 6 TCP, 17 UDP. packets, n_bytes: from the source, and to it. application: `TLS`, `DNS (port 53)`, or empty.
    """

    protocol: int
    source: tuple[str, int]
    destination: tuple[str, int]
    packets: tuple[int, int]
    n_bytes: tuple[int, int]
    first: int
    last: int
    application: str


@dataclass(frozen=True, slots=True)
class Share:
    """A protocol's part of all frames; `depth` is 0 for link layers."""

    depth: int
    label: str
    n_packets: int
    n_bytes: int


class Traffic:
    """Counts frames.

    packets, n_bytes: of all frames. tunnelled: frames inside a tunnel. malformed: frames with an unreadable header. uncounted:
    packets of conversations beyond MAX_CONVERSATIONS; they are in the shares, and in no conversation. unnamed: whole frames
    that do not say what they carry, or carry it encrypted or compressed. sealed: packets of ESP in UDP. copies: packets that
    the capture had already. conversations: how many there were; one that was
    folded and goes on counts again. held: how many of them are held one by one. folded: sums of the others, as [packets, bytes]
    by protocols and application. followed: keys of UDP conversations whose sessions were followed.
    """

    __slots__ = (
        "conversations", "copies", "folded", "followed", "held", "last_layers", "layers", "link", "malformed", "n_bytes",
        "network", "packets", "sealed", "tcp", "transport", "tunnelled", "udp", "uncounted", "unnamed",
    )  # fmt: skip

    def __init__(self) -> None:
        self.packets = 0
        self.n_bytes = 0
        self.tunnelled = 0
        self.malformed = 0
        self.uncounted = 0
        self.unnamed = 0
        self.sealed = 0
        self.copies = 0
        self.conversations = 0
        self.held = 0
        self.folded: dict[tuple[Layers, str], list[int]] = {}
        self.layers: dict[tuple[int, int, int], Layers] = {}
        self.tcp: dict[bytes, Flow] = {}
        self.udp: dict[bytes, Flow] = {}
        self.followed: set[bytes] = set()
        self.link = -1
        self.network = -1
        self.transport = -1
        self.last_layers: Layers | None = None

    def count(self, packet: Packet, frame: Frame) -> None:
        """Count one frame, which was read into `packet`."""
        wire: cython.longlong = frame.wire_length
        layers: Layers | None = self.last_layers
        if (
            layers is None
            or frame.link_type != self.link
            or packet.ether_type != self.network
            or packet.protocol != self.transport
        ):
            layers = self.find_layers(frame.link_type, packet.ether_type, packet.protocol)
        self.packets += 1
        self.n_bytes += wire
        layers.n_packets += 1
        layers.n_bytes += wire
        if packet.tunnels > 0:
            self.tunnelled += 1
        if packet.problem_at >= 0:
            self.malformed += 1
        elif packet.ether_type < 0:
            self.unnamed += 1
        if packet.transport < 0:
            return
        if packet.copy_of > 0:
            self.copies += 1
        key: bytes = packet.key()
        flow: Flow | None
        if packet.protocol == _TCP:
            flow = self.tcp.get(key)
        elif packet.protocol == _UDP:
            flow = self.udp.get(key)
        else:
            return
        if flow is None:
            if len(key) == 0:
                return
            if self.held >= MAX_CONVERSATIONS:
                self.uncounted += 1
                return
            flow = self.open(packet, key, layers)
        flow.n_packets += 1
        flow.n_bytes += wire
        if not flow.begun and packet.protocol == _TCP:
            flow.begun = begins_record(packet)
        if flow.begun and (packet.payload < packet.payload_end or packet.missing > 0):
            flow.n_filled += 1
            flow.filled_bytes += wire
        if packet.protocol == _UDP and flow.kind == 0 and flow.n_packets <= _FIRST_PACKETS:
            flow.kind = kind_of(packet)
        if flow.kind == 0 and (packet.source_port == _ESP_PORT or packet.destination_port == _ESP_PORT):
            self.sealed += is_encapsulated(packet)
        if flow.n_packets == 1:
            flow.first = frame.at
            flow.first_frame = frame.number
        flow.last = frame.at

    def find_layers(self, link: cython.int, network: cython.int, transport: cython.int) -> Layers:
        """Return the counter of these numbers, and try it first for the next frame."""
        known = self.layers.get((link, network, transport))
        if known is None:
            if len(self.layers) >= MAX_LAYERS:
                network = transport = -1
            known = self.layers.setdefault((link, network, transport), Layers(link, network, transport))
        self.last_layers = known
        self.link = known.link
        self.network = known.network
        self.transport = known.transport
        return known

    def open(self, packet: Packet, key: bytes, layers: Layers) -> Flow:
        """Begin a conversation with its first packet."""
        flows: dict[bytes, Flow] = self.tcp if packet.protocol == _TCP else self.udp
        flow: Flow = Flow(key, layers)
        flow.opened = True
        flows[key] = flow
        back: bytes = packet.reverse_key()
        if back != key:
            peer: Flow = Flow(back, layers)
            flow.peer = peer
            peer.peer = flow
            flows[back] = peer
        self.conversations += 1
        self.held += 1
        return flow

    def fold(self, most: int, tls: Iterable[bytes] = ()) -> None:
        """Hold at most `most` conversations one by one: the quarter with the most bytes, and those that were active last.

        tls: as for `top`. The time depends on the number of conversations, so call it rarely.
        """
        if self.held <= most:
            return
        tls_keys = set(tls)
        flows = [flow for table in (self.tcp, self.udp) for flow in table.values() if flow.opened]
        flows.sort(key=_n_bytes, reverse=True)
        rest = flows[most // 4 :]
        rest.sort(key=_last, reverse=True)
        for flow in rest[most - most // 4 :]:
            protocol = TCP if self.tcp.get(flow.key) is flow else UDP
            table = self.tcp if protocol == TCP else self.udp
            label = application(protocol, flow, tls_keys)
            for one in (flow, flow.peer):
                if one is not None:
                    del table[one.key]
                    sums = self.folded.setdefault((one.layers, label), [0, 0])
                    n_packets, n_bytes = _carried(one, label)
                    sums[0] += n_packets
                    sums[1] += n_bytes
                    one.peer = None  # a cycle, which would wait for the garbage collector
            self.held -= 1

    def top(self, n: int, tls: Iterable[bytes] = ()) -> list[Conversation]:
        """Return the `n` conversations with the most bytes, the largest first. tls: keys of TCP conversations that contained
        TLS.
        """
        tls_keys = set(tls)
        flows = [(TCP, flow) for flow in self.tcp.values() if flow.opened]
        flows += [(UDP, flow) for flow in self.udp.values() if flow.opened]
        return [conversation(protocol, flow, tls_keys) for protocol, flow in heapq.nlargest(n, flows, key=_weight)]

    def shares(self, tls: Iterable[bytes] = ()) -> list[Share]:
        """Return the protocols as a tree, the largest first on every level: link, network, transport, application."""
        tls_keys = set(tls)
        tree: dict[str, _Node] = {}
        places: dict[Layers, _Node] = {}
        networks, transports = registry("ether_types").names, registry("ip_protocols").names
        for layers in self.layers.values():
            n_packets, n_bytes = layers.n_packets, layers.n_bytes
            node = _add_to_node(tree, link_name(layers.link), n_packets, n_bytes)
            network = networks[layers.network] if layers.network >= 0 else BUSES.get(layers.link, "unreadable")
            node = _add_to_node(node.parts, network, n_packets, n_bytes)
            if layers.transport >= 0:
                node = _add_to_node(node.parts, transports[layers.transport], n_packets, n_bytes)
            places[layers] = node
        for protocol, flows in ((TCP, self.tcp), (UDP, self.udp)):
            for flow in flows.values():
                label = application(protocol, flow, tls_keys)
                n_packets, n_bytes = _carried(flow, label)
                if label and n_packets:
                    _add_to_node(places[flow.layers].parts, label, n_packets, n_bytes)
        for (layers, label), (n_packets, n_bytes) in self.folded.items():
            if label and n_packets:
                _add_to_node(places[layers].parts, label, n_packets, n_bytes)
        return list(_flatten(tree, 0))


def unread_datagrams(traffic: Traffic) -> dict[str, int]:
    """Return how many packets of QUIC and of DTLS nobody read, by their names: no session was followed there."""
    found = dict.fromkeys(NAMES[1:], 0)
    for flow in traffic.udp.values():
        label = application(UDP, flow, set())
        if label in found and flow.key not in traffic.followed and reverse_key(flow.key) not in traffic.followed:
            found[label] += flow.n_packets
    for (_, label), (n_packets, _) in traffic.folded.items():
        if label in found:
            found[label] += n_packets
    return found


def begins_record(packet: Packet) -> cython.bint:
    """Return whether the payload begins with the header of a TLS record, or with a hello in the form of SSL 2.0."""
    at: cython.Py_ssize_t = packet.payload
    data: bytes = packet.data
    if packet.payload_end - at < 3:
        return False
    if 20 <= data[at] <= 24 and data[at + 1] == 3:
        return True
    return data[at] & 0x80 != 0 and data[at + 2] in (1, 4)


def link_name(number: int) -> str:
    """Return the common name of a link type."""
    return _LINKS.get(number) or registry("link_types").name(number)


def application(protocol: int, flow: Flow, tls: set[bytes]) -> str:
    """Return what the conversation of a direction contains, as far as it is known; empty if it is not."""
    kind = flow.kind or (0 if flow.peer is None else flow.peer.kind)
    if kind:
        return NAMES[kind]
    key = flow.key
    if protocol == TCP and tls and (key in tls or reverse_key(key) in tls):
        return TLS
    source, destination = int.from_bytes(key[-4:-2], "big"), int.from_bytes(key[-2:], "big")
    return _registered(protocol, min(source, destination)) or _registered(protocol, max(source, destination))


@lru_cache(MAX_LAYERS)
def _registered(protocol: int, port: int) -> str:
    """Return what is registered for a port; empty if nothing is."""
    services = registry("services")
    name = services.name(port) if services.known(port) else ""
    return f"{name} (port {port})" if name and name != TLS else ""


def conversation(protocol: int, flow: Flow, tls: set[bytes]) -> Conversation:
    """Return a conversation, given its first direction."""
    source, destination = endpoints(flow.key)
    peer = flow.peer
    spoken = [at for at in (flow.last, -1 if peer is None else peer.last) if at >= 0]
    return Conversation(
        protocol=protocol,
        source=source,
        destination=destination,
        packets=(flow.n_packets, 0 if peer is None else peer.n_packets),
        n_bytes=(flow.n_bytes, 0 if peer is None else peer.n_bytes),
        first=flow.first,
        last=max(spoken, default=-1),
        application=application(protocol, flow, tls),
    )


def _carried(flow: Flow, label: str) -> tuple[int, int]:
    """Return how many packets and bytes of a direction count for its application: those of TLS have payload."""
    return (flow.n_filled, flow.filled_bytes) if label == TLS else (flow.n_packets, flow.n_bytes)


class _Node:
    def __init__(self) -> None:
        self.n_packets = 0
        self.n_bytes = 0
        self.parts: dict[str, _Node] = {}


def _weight(entry: tuple[int, Flow]) -> tuple[int, bytes]:
    return _n_bytes(entry[1]), entry[1].key


def _n_bytes(flow: Flow) -> int:
    return flow.n_bytes if flow.peer is None else flow.n_bytes + flow.peer.n_bytes


def _last(flow: Flow) -> int:
    return flow.last if flow.peer is None else max(flow.last, flow.peer.last)


def _add_to_node(parts: dict[str, _Node], label: str, n_packets: int, n_bytes: int) -> _Node:
    node = parts.setdefault(label, _Node())
    node.n_packets += n_packets
    node.n_bytes += n_bytes
    return node


def _flatten(parts: dict[str, _Node], depth: int) -> Iterable[Share]:
    for label, node in sorted(parts.items(), key=lambda part: (-part[1].n_bytes, part[0])):
        yield Share(depth, label, node.n_packets, node.n_bytes)
        yield from _flatten(node.parts, depth + 1)


COMPILED: bool = not __file__.endswith(".py")
