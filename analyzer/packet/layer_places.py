# cython: annotation_typing=False
"""Finds every header of a frame, outermost first, for filters: where each of them begins and ends, and nothing else.

`headers` keeps only the innermost IP packet, because that is what a stream needs. A filter asks for all of them: `ip.src` is
also the address in front of a tunnel, and that of the packet which an ICMP error quotes (RFC 792, RFC 4443 section 3). The
readers of single headers are the same. A field of a header is a `Place` in it: its value is read only when it is asked for.
"""

from array import array

from analyzer.packet.bus_frames import PLACES
from analyzer.packet.headers import read_ipv4, read_ipv6, read_tcp, read_udp
from analyzer.packet.link_layers import read_link, read_shim, read_version
from analyzer.packet.packet import Packet
from analyzer.packet.sealed_packets import is_encapsulated
from analyzer.packet.tunnels import enter, enter_udp

KINDS = (
    "", "eth", "eth.ii", "eth.802_3", "vlan", "vlan.ii", "vlan.802_3", "sll", "sll.eth", "sll.ii", "sll2", "sll2.eth",
    "sll2.ii", "arp", "arp.ipv4", "ip", "ipv6", "ipv6.hopopts", "ipv6.routing", "ipv6.fraghdr", "ipv6.dstopts", "tcp",
    "tcp.own", "udp", "icmp", "icmp.echo", "icmp.mtu", "icmp.redirect", "icmpv6", "icmpv6.echo", "icmpv6.mtu", "icmpv6.ns",
    "icmpv6.na", "icmpv6.ra", "ah", "esp", "macsec", "nflog", "gre", "erspan", "vxlan", "capwap", "capwap.control",
    "capwap.data", "usb", "hci_h4", "btle",
)  # fmt: skip
"""The kinds of places, by number. A dot begins the form of a header at the same place; `tcp.own` is not only quoted."""

NUMBER, BOOLEAN, OCTETS, HEADER = 0, 1, 2, 3
"""What a place holds: a number, a bit, bytes, or the header itself."""

EVERY_KIND = -1
"""All bits: no kind of header is left out."""

MAX_PLACES = 96
"""The most headers and forms of them that are kept of one frame. A real frame has less than twenty."""

_CELLS, _LAYER_LIMIT = 4, 32

_ETH, _VLAN, _SLL, _SLL2, _ARP, _IP, _IPV6 = 1, 4, 7, 10, 13, 15, 16
_HOPOPTS, _ROUTING, _FRAGHDR, _DSTOPTS, _TCP, _UDP, _ICMP, _ICMPV6 = 17, 18, 19, 20, 21, 23, 24, 28
_AH, _ESP, _MACSEC, _NFLOG, _GRE, _ERSPAN, _VXLAN, _CAPWAP, _BUS = 34, 35, 36, 37, 38, 39, 40, 41, 44


class Place:
    """Where a field is in a header.

    kind: of the header, as in KINDS; form: what it holds. at, width: in bytes from the header's start; mask, shift: its bits,
    for a number; factor: by what the number is multiplied.
    """

    __slots__ = ("at", "factor", "form", "kind", "mask", "shift", "width")

    def __init__(self, kind: int, form: int, at: int, width: int, mask: int, shift: int, factor: int) -> None:
        self.kind = kind
        self.form = form
        self.at = at
        self.width = width
        self.mask = mask
        self.shift = shift
        self.factor = factor


class LayerPlaces:
    """The headers of one frame. One object is filled again for every frame.

    count: of the headers. data: the buffer of the frame. datagram: the IP packet that this frame completed, where the headers
    after that of the last fragment are; empty without one. packet: the innermost packet. kinds: the kinds of headers that are
    kept, each as the bit of its number; all, if nobody sets it.
    """

    __slots__ = ("cells", "count", "data", "datagram", "kinds", "packet", "reassembled")

    def __init__(self) -> None:
        self.cells = array("q", bytes(8 * _CELLS * MAX_PLACES))
        self.kinds = EVERY_KIND
        self.count = 0
        self.data = b""
        self.datagram = b""
        self.packet = Packet()
        self.reassembled = False

    def find(self, data: bytes, start: int, end: int, link_type: int, wire_length: int) -> bool:
        """Find the headers in the frame `data[start:end]`, of which `wire_length` bytes were on the wire.

        Return whether the frame ends in a fragment, which `packet` describes. Raise ValueError for a frame outside `data`, but
        not for any content of the frame.
        """
        if start < 0 or start > end or end > len(data):
            raise ValueError(f"no frame at {start} to {end} in {len(data)} bytes")
        packet = self.packet
        self.count = 0
        self.data = data
        self.datagram = b""
        self.reassembled = False
        packet.clear()
        packet.data = data
        packet.link = start
        packet.payload = start
        packet.payload_end = end
        if wire_length > end - start:
            packet.missing = wire_length - (end - start)
        following = read_link(packet, data, link_type)
        n_bytes = end - start
        if link_type == 1 and n_bytes >= 14:
            self._add_with_type(_ETH, start, start + 14, data[start + 12] << 8 | data[start + 13])
        elif link_type == 113 and n_bytes >= 16:
            self._add_cooked(_SLL, start, start + 16, start + 2, data[start + 14] << 8 | data[start + 15])
        elif link_type == 276 and n_bytes >= 20:
            self._add_cooked(_SLL2, start, start + 20, start + 8, data[start] << 8 | data[start + 1])
        elif link_type == 239:
            self._add(_NFLOG, start, packet.payload)
        elif link_type in PLACES and end - start >= PLACES[link_type][1]:
            self._add(_BUS + PLACES[link_type][0], start + PLACES[link_type][1], end)
        self._follow(data, following)
        return packet.fragment

    def find_rest(self, datagram: bytes) -> None:
        """Find the headers after the IP header of the datagram that the frame completed, and add them to those of the frame."""
        packet = self.packet
        packet.clear()
        packet.data = datagram
        packet.payload = 0
        packet.payload_end = len(datagram)
        self.datagram = datagram
        self.reassembled = True
        self._follow(datagram, read_version(packet, datagram))

    def has(self, kind: int) -> bool:
        """Return whether the frame has a header of that kind."""
        return self.first(kind) >= 0

    def first(self, kind: int) -> int:
        """Return the index of the first header of that kind, -1 where there is none."""
        for index in range(self.count):
            if self.cells[index * _CELLS] == kind:
                return index
        return -1

    def kind(self, index: int) -> int:
        """Return the kind of the header of that index; 0 where there is none."""
        return self.cells[index * _CELLS] + 0 if 0 <= index < self.count else 0

    def number(self, index: int, place: Place) -> int:
        """Return the number at a place in the header of that index; -1 if the header has another kind, or ends before it."""
        cell = index * _CELLS
        if self.cells[cell] != place.kind:
            return -1
        at = self.cells[cell + 1] + place.at
        if place.width > self.cells[cell + 2] - at:
            return -1
        data = self.datagram if self.cells[cell + 3] else self.data
        value = data[at] + 0
        if place.width == 2:
            value = value << 8 | data[at + 1]
        else:
            for i in range(at + 1, at + place.width):
                value = value << 8 | data[i]
        return ((value & place.mask) >> place.shift) * place.factor

    def is_at(self, index: int, place: Place) -> bool:
        """Return whether the header of that index has the place."""
        cell = index * _CELLS
        if self.cells[cell] != place.kind:
            return False
        return self.cells[cell + 2] - self.cells[cell + 1] - place.at >= place.width

    def equals(self, index: int, place: Place, octets: bytes, mask: bytes) -> bool:
        """Return whether the bytes at a place that the header has are the same as others, in the bits of a mask.

        octets, mask: as many bytes as the place has; other lengths are never the same.
        """
        cell = index * _CELLS
        n_bytes = place.width
        if len(octets) != n_bytes or len(mask) != n_bytes:
            return False
        at = self.cells[cell + 1] + place.at
        data = self.datagram if self.cells[cell + 3] else self.data
        for i in range(n_bytes):  # noqa: SIM110 - C has no generator
            if (data[at + i] ^ octets[i]) & mask[i]:
                return False
        return True

    def values(self, places: tuple[Place, ...]) -> list[object]:
        """Return the values at these places, in the order of the headers: numbers, Booleans or bytes, as the places say."""
        found: list[object] = []
        for index in range(self.count):
            cell = index * _CELLS
            for place in places:
                if self.cells[cell] != place.kind:
                    continue
                if place.form <= BOOLEAN:
                    value = self.number(index, place)
                    if value >= 0:
                        found.append(value if place.form == NUMBER else value != 0)
                    continue
                octets = self.octets(index, place)
                if octets is not None:
                    found.append(octets)
        return found

    def octets(self, index: int, place: Place) -> bytes | None:
        """Return the bytes at a place in the header of that index; None if the header ends before its end."""
        cell = index * _CELLS
        start = self.cells[cell + 1]
        end = self.cells[cell + 2]
        data = self.datagram if self.cells[cell + 3] else self.data
        if place.form == HEADER:
            return data[start:end]
        if place.width > end - start - place.at:
            return None
        return data[start + place.at : start + place.at + place.width]

    def header(self, index: int) -> bytes:
        """Return the bytes of the header of that index, as far as they are there."""
        cell = index * _CELLS
        data = self.datagram if self.cells[cell + 3] else self.data
        return data[self.cells[cell + 1] : self.cells[cell + 2]]

    def key(self, index: int) -> bytes:
        """Return addresses and ports of the TCP or UDP header of that index, as `Packet.key`; empty if they are not there."""
        ports = self.header(index)[:4]
        while index > 0:
            index -= 1
            kind = self.kind(index)
            if kind in (_IP, _IPV6):
                addresses = self.header(index)[12:20] if kind == _IP else self.header(index)[8:40]
                return addresses + ports if len(addresses) == (8 if kind == _IP else 32) and len(ports) == 4 else b""
        return b""

    def behind(self, index: int, n_bytes: int) -> bytes:
        """Return at most that many bytes from the start of the header of that index on, through the headers behind it."""
        cell = index * _CELLS
        start = self.cells[cell + 1]
        end = self.packet.payload_end
        if n_bytes < end - start:
            end = start + n_bytes
        data = self.datagram if self.cells[cell + 3] else self.data
        return data[start:end]

    def shape(self) -> bytes:
        """Return two bytes for each header: its kind, and bits.

        The bits say that it begins where the one before it ends (1), that it is in a datagram that was put together (2), and
        that it has more than eight bytes (4).
        """
        octets = bytearray(2 * self.count)
        end = -1
        for index in range(self.count):
            cell = index * _CELLS
            bits = 1 if self.cells[cell + 1] == end else 0
            if self.cells[cell + 3]:
                bits += 2
            end = self.cells[cell + 2]
            if end - self.cells[cell + 1] > 8:
                bits += 4
            octets[2 * index] = self.cells[cell]
            octets[2 * index + 1] = bits
        return bytes(octets)

    def layer_number(self, index: int) -> int:
        """Return which header of its protocol this is, from 1. `eth.ii` counts as `eth`."""
        wanted = self.cells[index * _CELLS]
        number = 0
        for i in range(index + 1):
            if self.cells[i * _CELLS] == wanted:
                number += 1
        return number

    def _add(self, kind: int, start: int, end: int) -> None:
        if self.kinds >> kind & 1 and self.count < MAX_PLACES:
            cell = self.count * _CELLS
            self.cells[cell] = kind
            self.cells[cell + 1] = start
            self.cells[cell + 2] = end
            self.cells[cell + 3] = 1 if self.reassembled else 0
            self.count += 1

    def _add_with_type(self, kind: int, start: int, end: int, number: int) -> None:
        """Add a header that ends with an EtherType, or with a length up to 1500."""
        self._add(kind, start, end)
        if number >= 0x600:
            self._add(kind + 1, start, end)
        elif number <= 1500:
            self._add(kind + 2, start, end)

    def _add_cooked(self, kind: int, start: int, end: int, hardware: int, number: int) -> None:
        """Add a Linux cooked header. hardware: where its ARPHRD type is, and after it the length of the address."""
        data = self.data
        self._add(kind, start, end)
        length = data[start + 4] << 8 | data[start + 5] if kind == _SLL else data[start + 11] + 0
        if length == 6:
            self._add(kind + 1, start, end)
        if number >= 0x600 and not (data[hardware] == 3 and data[hardware + 1] == 0x0A):  # 778: GRE has its own numbers
            self._add(kind + 2, start, end)

    def _follow(self, data: bytes, ether_type: int) -> None:
        """Follow the chain of headers from the window's start on, as `headers` does, and through what ICMP quotes."""
        packet = self.packet
        inside = self.reassembled  # the IP header of a datagram that was put together is not one of the frame
        quoted = False
        for _ in range(_LAYER_LIMIT):
            at = packet.payload
            if ether_type == 0x0800 or ether_type == 0x86DD:
                protocol = read_ipv4(packet, data) if ether_type == 0x0800 else read_ipv6(packet, data)
                if not inside and packet.ip == at:
                    self._add_ip(data, at)
                elif not inside and at < packet.payload_end and data[at] >> 4 == (4 if ether_type == 0x0800 else 6):
                    self._add(_IP if ether_type == 0x0800 else _IPV6, at, packet.payload_end)
                inside = False
                if protocol < 0 or packet.fragment:
                    if quoted:
                        packet.fragment = False
                    return
            elif ether_type == 0x0806:
                self._add_arp(data, at)
                return
            elif ether_type >= 0:
                following = read_shim(packet, data, ether_type)
                if ether_type in (0x8100, 0x88A8, 0x9100, 0x9200):
                    if packet.payload == at + 4:
                        self._add_with_type(_VLAN, at, at + 4, following)
                elif ether_type == 0x88E5:
                    self._add(_MACSEC, at, packet.payload if packet.payload > at else packet.payload_end)
                elif ether_type == 0x6558 and packet.payload == at + 14:
                    self._add_with_type(_ETH, at, at + 14, data[at + 12] << 8 | data[at + 13])
                ether_type = following
                continue
            else:
                return
            at = packet.payload
            if protocol == 6:
                whole = read_tcp(packet, data)
                if packet.transport == at:
                    end = packet.payload if whole else packet.payload_end
                    self._add(_TCP, at, end)
                    if not quoted:
                        self._add(_TCP + 1, at, end)
                return
            if protocol == 17:
                whole = read_udp(packet, data)
                if packet.transport == at:
                    self._add(_UDP, at, at + 8 if whole else packet.payload_end)
                at = packet.payload
                ether_type = enter_udp(packet, data) if whole and not quoted else -1
                if whole and not quoted:
                    self._add_in_udp(data, at)
            elif protocol == 1 or protocol == 58:
                ether_type = self._add_icmp(data, at, protocol)
                quoted = ether_type >= 0
            else:
                ether_type = enter(packet, data, protocol)
                if protocol == 50:
                    self._add(_ESP, at, packet.payload_end)
                elif protocol == 47 and ether_type >= 0:
                    self._add_gre(data, at)
            if ether_type < 0:
                return
            packet.clear_ip()
            packet.problem = ""
            packet.problem_at = -1
            packet.tunnels += 1

    def _add_ip(self, data: bytes, at: int) -> None:
        """Add the IP header at this offset, and the extension headers up to the window's start."""
        packet = self.packet
        if data[at] >> 4 == 4:
            end = at + ((data[at] & 15) << 2)
            self._add(_IP, at, max(at + 20, min(end, packet.payload_end)))
            if data[at + 9] == 51 and packet.payload > end:
                self._add(_AH, end, packet.payload)
            return
        self._add(_IPV6, at, at + 40)
        kind = data[at + 6] + 0
        at += 40
        for _ in range(_LAYER_LIMIT):
            if packet.payload - at < 8:
                return
            n_bytes = 8 if kind == 44 else (data[at + 1] + 2) << 2 if kind == 51 else (data[at + 1] + 1) << 3
            if kind == 0 or kind == 60:
                self._add(_HOPOPTS if kind == 0 else _DSTOPTS, at, at + n_bytes)
            elif kind == 43 or kind == 44:
                self._add(_ROUTING if kind == 43 else _FRAGHDR, at, at + n_bytes)
            elif kind == 51:
                self._add(_AH, at, at + n_bytes)
            kind = data[at] + 0
            at += n_bytes

    def _add_arp(self, data: bytes, at: int) -> None:
        end = self.packet.payload_end
        if end - at < 8:
            return
        n_bytes = 8 + 2 * (data[at + 4] + data[at + 5])
        if n_bytes < end - at:
            end = at + n_bytes
        self._add(_ARP, at, end)
        if n_bytes == 28 and data[at : at + 6] == b"\x00\x01\x08\x00\x06\x04":
            self._add(_ARP + 1, at, end)

    def _add_icmp(self, data: bytes, at: int, protocol: int) -> int:
        """Add an ICMP message. Return the EtherType of the packet that it quotes, which is then the window, or -1."""
        end = self.packet.payload_end
        if end - at < 4:
            return -1
        first = _ICMP if protocol == 1 else _ICMPV6
        kind = data[at] + 0
        self._add(first, at, end)
        if protocol == 1:
            if kind in (0, 8, 13, 14, 15, 16, 17, 18):
                self._add(first + 1, at, end)
            elif kind == 3 and data[at + 1] == 4:
                self._add(first + 2, at, end)
            elif kind == 5:
                self._add(first + 3, at, end)
            quotes = kind in (3, 4, 5, 11, 12)
        else:
            if kind in (128, 129):
                self._add(first + 1, at, end)
            elif kind == 2:
                self._add(first + 2, at, end)
            elif kind == 135 or kind == 136:
                self._add(first + 3 if kind == 135 else first + 4, at, end)
            elif kind == 134:
                self._add(first + 5, at, end)
            quotes = 1 <= kind <= 4
        if not quotes or end - at < 28:
            return -1
        self.packet.payload = at + 8
        return 0x0800 if protocol == 1 else 0x86DD

    def _add_in_udp(self, data: bytes, at: int) -> None:
        """Add what UDP carries and has no header of its own kind behind it: VXLAN, GRE, CAPWAP, ESP. at: where it begins."""
        packet = self.packet
        source, port, entered = packet.source_port, packet.destination_port, packet.payload > at
        if entered and (port == 4789 or port == 4790 or port == 8472):
            self._add(_VXLAN, at, packet.payload)
        elif entered and port == 4754:
            self._add_gre(data, at)
        elif port == 5246 or port == 5247 or source == 5246 or source == 5247:
            end = packet.payload if entered else packet.payload_end
            self._add(_CAPWAP, at, end)
            self._add(_CAPWAP + 1 if port == 5246 or source == 5246 else _CAPWAP + 2, at, end)
        elif (port == 4500 or source == 4500) and is_encapsulated(packet):
            self._add(_ESP, at, packet.payload_end)

    def _add_gre(self, data: bytes, at: int) -> None:
        """Add GRE that was entered, and ERSPAN behind it."""
        packet, flags = self.packet, data[at]
        n_bytes = 4 + (flags >> 5 & 4) + (flags >> 3 & 4) + (flags >> 2 & 4)  # checksum, key and sequence number
        self._add(_GRE, at, at + n_bytes)
        if (data[at + 2] << 8 | data[at + 3]) in (0x88BE, 0x22EB) and n_bytes < packet.payload - at:
            self._add(_ERSPAN, at + n_bytes, packet.payload)
