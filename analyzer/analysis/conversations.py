# cython: annotation_typing=False
"""Counts packets and bytes by pair of addresses: of Ethernet, IPv4, IPv6, TCP and UDP, in both directions.

Every header of a frame counts, as in Wireshark: a packet in a tunnel is part of the outer and of the inner conversation. What
an ICMP error only quotes does not count. A fragment counts for its addresses, and for its ports when it completes the
datagram. A SYN with another initial number begins a new conversation between the same ports (RFC 9293 section 3.10.7.4).

What others control is limited: MAX_CONVERSATIONS of each kind are told apart, and packets of further ones are counted in
`beyond`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from analyzer.capture.frame import Frame
from analyzer.capture.frame_reader import FrameReader
from analyzer.packet.addresses import address_text
from analyzer.packet.header_tests import HeaderTest, next_passing
from analyzer.packet.layer_places import LayerPlaces

KINDS = ("eth", "ipv4", "ipv6", "tcp", "udp")
"""The kinds of conversations, in the order of the headers."""

MAX_CONVERSATIONS = 1 << 17
"""Conversations of each kind that are told apart, at most: some 80 MB. A port scan makes one for every port of every host."""

# In the compiled module these are C variables, which other modules cannot see.
_MOST = MAX_CONVERSATIONS
_ETHERNET, _IPV4, _IPV6, _TCP, _UDP = 0, 1, 2, 3, 4
_ETH_HEADER, _IP_HEADER, _IPV6_HEADER, _TCP_HEADER, _UDP_HEADER, _ICMP_HEADER, _ICMPV6_HEADER = 1, 15, 16, 22, 23, 24, 28
_CELLS = 4
_SYN, _ACK = 0x02, 0x10


class OneWay:
    """One direction of a conversation, by its key: addresses and ports as the headers have them, the source first.

    Ethernet has the destination first. peer: the other direction; None if both ends are the same. stream: the number of the
    conversation among those of its kind, from 0. opened: whether it had the first packet. initial: the number of its SYN, or
    the one before its first segment, -1 if it is not known. first, last: times of its packets in nanoseconds since 1970, -1 if
    it has none. first_frame: of the first one, 0 if it has none.
    """

    __slots__ = ("first", "first_frame", "initial", "key", "last", "n_bytes", "n_packets", "opened", "peer", "stream")

    def __init__(self, key: bytes, stream: int) -> None:
        self.key = key
        self.stream = stream
        self.peer: OneWay | None = None
        self.opened = False
        self.initial = -1
        self.n_packets = self.n_bytes = self.first_frame = 0
        self.first = self.last = -1


class Conversations:
    """Counts frames. wanted: the sum of `1 << place` of each kind that is counted. fragments: whether an IPv6 fragment counts
    for its addresses if it does not complete its datagram.

    opened: of each kind, the direction with the first packet of every conversation, in their order. beyond: of each kind, the
    packets of conversations that are not told apart. n_packets, n_bytes: of all frames.
    """

    __slots__ = ("beyond", "fragments", "n_bytes", "n_packets", "opened", "tables", "wanted")

    def __init__(self, wanted: int = 31, fragments: bool = True) -> None:
        self.wanted = wanted
        self.fragments = fragments
        self.tables: list[dict[bytes, OneWay]] = [{} for _ in KINDS]
        self.opened: list[list[OneWay]] = [[] for _ in KINDS]
        self.beyond = [0 for _ in KINDS]
        self.n_packets = self.n_bytes = 0

    def count_passing(self, reader: FrameReader, layers: LayerPlaces, test: HeaderTest, defragmenter: Any) -> None:
        """Count all frames for which the reader has the bytes, and which pass a test. defragmenter: as for `next_passing`."""
        frame = reader.frame
        while next_passing(reader, layers, test, defragmenter):
            self.count(layers, frame)

    def count(self, layers: LayerPlaces, frame: Frame) -> None:
        """Count one frame. layers: its headers."""
        self.n_packets += 1
        self.n_bytes += frame.wire_length
        for index in range(layers.count):
            cell = index * _CELLS
            header = layers.cells[cell]
            start = layers.cells[cell + 1]
            n_bytes = layers.cells[cell + 2] - start
            data = layers.datagram if layers.cells[cell + 3] else layers.data
            if header == _ETH_HEADER:
                if self.wanted & 1 << _ETHERNET and n_bytes >= 12:
                    self.add(_ETHERNET, data[start : start + 12], frame)
            elif header == _IP_HEADER:
                if self.wanted & 1 << _IPV4 and n_bytes >= 20:
                    self.add(_IPV4, data[start + 12 : start + 20], frame)
            elif header == _IPV6_HEADER:
                waits = not self.fragments and layers.packet.fragment and layers.packet.ip == start
                if self.wanted & 1 << _IPV6 and n_bytes >= 40 and not waits:
                    self.add(_IPV6, data[start + 8 : start + 40], frame)
            elif header == _TCP_HEADER:
                if self.wanted & 1 << _TCP:
                    self.add_segment(layers, frame)
            elif header == _UDP_HEADER:
                if self.wanted & 1 << _UDP and n_bytes >= 4:
                    innermost = layers.packet.transport == start
                    self.add(_UDP, layers.packet.key() if innermost else layers.key(index), frame)
            elif header in (_ICMP_HEADER, _ICMPV6_HEADER):
                return

    def add(self, place: int, key: bytes, frame: Frame) -> None:
        """Count a frame for the direction with a key, which is empty if it cannot be read. place: of the kind."""
        if len(key) == 0:
            return
        table = self.tables[place]
        way = table.get(key)
        if way is None:
            way = self.open(place, key)
            if way is None:
                return
        self.take(way, frame)

    def add_segment(self, layers: LayerPlaces, frame: Frame) -> None:
        """Count a TCP segment."""
        packet = layers.packet
        key = packet.key()
        if len(key) == 0:
            return
        table = self.tables[_TCP]
        way = table.get(key)
        begins = packet.flags & (_SYN | _ACK) == _SYN
        if way is None or (begins and way.initial >= 0 and way.initial != packet.sequence):
            way = self.open(_TCP, key)
            if way is None:
                return
        if way.initial < 0:
            way.initial = packet.sequence if packet.flags & _SYN else (packet.sequence - 1) & 0xFFFFFFFF
        peer = way.peer
        if peer is not None and peer.initial < 0 and packet.flags & _ACK:
            peer.initial = (packet.acknowledgement - 1) & 0xFFFFFFFF
        self.take(way, frame)

    def take(self, way: OneWay, frame: Frame) -> None:
        """Count a frame for a direction."""
        if way.n_packets == 0:
            way.first = frame.at
            way.first_frame = frame.number
        way.n_packets += 1
        way.n_bytes += frame.wire_length
        if frame.at > way.last:
            way.last = frame.at

    def open(self, place: int, key: bytes) -> OneWay | None:
        """Begin a conversation, and return its first direction; None if there are too many."""
        opened = self.opened[place]
        if len(opened) >= _MOST:
            self.beyond[place] += 1
            return None
        table = self.tables[place]
        way = OneWay(key, len(opened))
        way.opened = True
        opened.append(way)
        table[key] = way
        back = reversed_key(key, place)
        if back != key:
            peer = OneWay(back, way.stream)
            peer.peer = way
            way.peer = peer
            table[back] = peer
        return way


def reversed_key(key: bytes, place: int) -> bytes:
    """Return the key of the other direction. place: of the kind."""
    ports = 4 if place >= _TCP else 0
    end = len(key) - ports
    half = end >> 1
    back = key[half:end] + key[:half]
    return back + key[end + 2 :] + key[end : end + 2] if ports else back


@dataclass(slots=True)
class Conversation:
    """A conversation of one kind. Its first packet went from `source` to `destination`, each an address and a port (None where
    the kind has no ports).

    packets, n_bytes: from the source, and to it. first, last: nanoseconds since 1970, -1 if not known. stream: its number.
    """

    source: tuple[str, int | None]
    destination: tuple[str, int | None]
    packets: tuple[int, int]
    n_bytes: tuple[int, int]
    first: int
    last: int
    first_frame: int
    stream: int


@dataclass(slots=True)
class Endpoint:
    """What one end of one kind has sent and received. port: None where the kind has no ports."""

    address: str
    port: int | None
    sent_packets: int = 0
    sent_bytes: int = 0
    received_packets: int = 0
    received_bytes: int = 0

    @property
    def packets(self) -> int:
        """Packets in both directions."""
        return self.sent_packets + self.received_packets

    @property
    def n_bytes(self) -> int:
        """Bytes in both directions."""
        return self.sent_bytes + self.received_bytes


def conversations_of(counted: Conversations, kind: str) -> Iterator[Conversation]:
    """Yield the conversations of a kind, in the order of their first packets."""
    place = KINDS.index(kind)
    for way in counted.opened[place]:
        source, destination = ends(way.key, place)
        peer = way.peer
        yield Conversation(
            source,
            destination,
            (way.n_packets, 0 if peer is None else peer.n_packets),
            (way.n_bytes, 0 if peer is None else peer.n_bytes),
            way.first,
            way.last if peer is None else max(way.last, peer.last),
            way.first_frame,
            way.stream,
        )


def endpoints_of(counted: Conversations, kind: str) -> list[Endpoint]:
    """Return the endpoints of a kind, in the order in which they appear.

    Who sends to its own address has sent and received each packet.
    """
    found: dict[tuple[str, int | None], Endpoint] = {}
    for one in conversations_of(counted, kind):
        sent, answered = one.packets
        sent_bytes, answered_bytes = one.n_bytes
        source = found.setdefault(one.source, Endpoint(*one.source))
        source.sent_packets += sent
        source.sent_bytes += sent_bytes
        source.received_packets += answered
        source.received_bytes += answered_bytes
        destination = found.setdefault(one.destination, Endpoint(*one.destination))
        destination.sent_packets += answered
        destination.sent_bytes += answered_bytes
        destination.received_packets += sent
        destination.received_bytes += sent_bytes
    return list(found.values())


def ends(key: bytes, place: int) -> tuple[tuple[str, int | None], tuple[str, int | None]]:
    """Return source and destination of a key as text, with their ports. place: of the kind."""
    if place == 0:
        return (key[6:].hex(":"), None), (key[:6].hex(":"), None)
    ports = len(key) - 4 if place >= 3 else len(key)
    half = ports >> 1
    numbers = (int.from_bytes(key[ports : ports + 2], "big"), int.from_bytes(key[ports + 2 :], "big"))
    source, destination = numbers if place >= 3 else (None, None)
    return (address_text(key[:half]), source), (address_text(key[half:ports]), destination)


COMPILED: bool = not __file__.endswith(".py")
