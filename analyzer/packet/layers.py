"""Reads one packet completely: every layer with every field, its value and its position in the frame.

This module is slow and complete. `headers` is fast and reads only what a stream needs. The layers that have field tables are
read by these (`header_tables`). Between them there may be a link or tunnel header that only `headers` can skip: it becomes one
layer of plain bytes. The rest after the last of these layers is dissected by scapy (`scapy_dissection`). The payload of TCP is
an exception: it stays plain bytes, because a segment is not a message.
"""

from collections.abc import Generator, Iterator

from analyzer.capture.frame import Frame
from analyzer.capture.processes.process_blocks import app_trailer_at
from analyzer.codec.field_tables import Message, Span, spans
from analyzer.codec.registry import registry
from analyzer.packet import encapsulation_tables, header_tables, scapy_dissection
from analyzer.packet.addresses import address_text
from analyzer.packet.bus_frames import BUSES, bus_layers
from analyzer.packet.encapsulation_tables import Pcapdroid, encapsulation
from analyzer.packet.field_tree import Field, Layer, plain
from analyzer.packet.headers import read
from analyzer.packet.packet import Packet

# Layers of one frame that are read by tables. `headers` reads half as many.
_LAYER_LIMIT = 64

_LINKS: dict[int, type[Message]] = {1: header_tables.Ethernet, 113: header_tables.LinuxCooked, 276: header_tables.LinuxCooked2}
_RAW = {101, 12, 14, 228, 229}
_VLANS = {0x8100, 0x88A8, 0x9100, 0x9200}
_EXTENSIONS: dict[int, type[Message]] = {
    0: header_tables.ExtensionHeader,
    43: header_tables.Routing,
    44: header_tables.Fragment,
    51: header_tables.Authentication,
    60: header_tables.ExtensionHeader,
    135: header_tables.ExtensionHeader,
    139: header_tables.ExtensionHeader,
    140: header_tables.ExtensionHeader,
}
_TCP = 6
_UDP = 17
_NETFILTER_LOG = 239
_ETHERNET = 0x6558

_NAMES = header_tables.NAMES | encapsulation_tables.NAMES
_BITS = header_tables.BITS | encapsulation_tables.BITS
_HEXADECIMAL = header_tables.HEXADECIMAL | encapsulation_tables.HEXADECIMAL
_ADDRESSES = header_tables.ADDRESSES | encapsulation_tables.ADDRESSES

# What is next: the kind of layer that announced it, and the number by which it did.
_Next = tuple[str, int]
_NOTHING: _Next = ("", -1)


def tree(frame: Frame) -> list[Layer]:
    """Return the layers of a frame, outermost first. Offsets count from the frame's first byte.

    A truncated or damaged frame has the fields that are present. Bytes that cannot be dissected become a layer `Data`.
    """
    data = frame.data[frame.start : frame.end]
    if frame.link_type in BUSES:
        return bus_layers(frame.link_type, data)
    packet = Packet()
    read(packet, data, 0, len(data), frame.link_type, frame.wire_length)
    return [layer for layer in _LayerReader(data, packet).layers(frame.link_type) if layer.length]


class _LayerReader:
    """Reads the layers of one frame.

    at: the next byte. end: the end of the packet by the length fields read so far. ports: of UDP.
    """

    def __init__(self, data: bytes, packet: Packet) -> None:
        self.data = data
        self.packet = packet
        self.at = 0
        self.end = len(data)
        self.ports = (0, 0)

    def layers(self, link_type: int) -> Iterator[Layer]:
        following = yield from self._link(link_type)
        for _ in range(_LAYER_LIMIT):
            kind, number = following
            if self.at >= self.end:
                break
            if kind == "link" and number in _VLANS:
                following = yield from self._ether_type(header_tables.Vlan)
            elif kind == "link" and number == 0x0800:
                following = yield from self._ipv4()
            elif kind == "link" and number == 0x86DD:
                following = yield from self._ipv6()
            elif kind in ("ipv4", "ipv6") and number == _TCP:
                following = yield from self._tcp()
            elif kind in ("ipv4", "ipv6") and number == _UDP:
                following = yield from self._udp()
            elif kind == "link" and number == _ETHERNET:
                following = yield from self._ether_type(header_tables.Ethernet)
            elif found := self._encapsulation(kind, number):
                for table, n_bytes in found.headers:
                    yield self._header(table, n_bytes)
                following = found.following
            elif self.at <= self.packet.ip < self.end:
                # A link or tunnel header that only `headers` can skip.
                if self.at < self.packet.ip:
                    yield self._plain("Encapsulation", self.packet.ip)
                following = ("link", self._ip_ether_type())
            else:
                break
        yield from self._rest(*following)
        start = app_trailer_at(self.data, self.end, link_type)
        if start > self.end:
            yield plain("Trailer", self.data, self.end, start)
        if start >= 0:
            self.at, self.end = start, len(self.data)
            yield Layer(_NAMES[Pcapdroid], start, self.end - start, self._fields(Pcapdroid, start, self.end))
        if self.end < len(self.data):
            yield plain("Trailer", self.data, self.end, len(self.data))

    def _link(self, link_type: int) -> Generator[Layer, None, _Next]:
        if link_type in _LINKS and self.data:
            return (yield from self._ether_type(_LINKS[link_type]))
        if link_type == _NETFILTER_LOG and self.packet.ip > 4:
            yield self._header(encapsulation_tables.NetfilterLog, self.packet.ip)
            return "link", self._ip_ether_type()
        return ("link", self._ip_ether_type()) if link_type in _RAW else _NOTHING

    def _encapsulation(self, kind: str, number: int) -> encapsulation_tables.Encapsulation | None:
        """Return the headers of a tunnel, or those around encrypted content, at the next byte."""
        entered = self.packet.ip - self.at if self.packet.ip > self.at else -1
        return encapsulation(kind, number, self.ports, self.data[self.at : self.end], entered)

    def _ether_type(self, table: type[Message]) -> Generator[Layer, None, _Next]:
        header = self._header(table)
        yield header
        return "link", _number(header, "ether_type")

    def _ipv4(self) -> Generator[Layer, None, _Next]:
        start = self.at
        header = self._header(header_tables.Ipv4)
        n_header = (self.data[start] & 15) << 2
        total = _number(header, "total_length")
        if total >= n_header:
            self.end = min(self.end, start + total)
        yield self._with_options(header, start + n_header, {0, 1}, header_tables.Option, 0)
        return _NOTHING if self._is_fragment(start) else ("ipv4", _number(header, "protocol"))

    def _ipv6(self) -> Generator[Layer, None, _Next]:
        start = self.at
        header = self._header(header_tables.Ipv6)
        yield header
        n_bytes = _number(header, "payload_length")
        if n_bytes > 0:
            self.end = min(self.end, start + 40 + n_bytes)
        kind = _number(header, "next_header")
        while kind in _EXTENSIONS and self.end - self.at >= 8:
            at = self.at
            n_bytes = 8 if kind == 44 else (self.data[at + 1] + 2) << 2 if kind == 51 else (self.data[at + 1] + 1) << 3
            header = self._header(_EXTENSIONS[kind], n_bytes)
            if kind in (0, 60):
                header = self._with_options(header, at + n_bytes, {0}, header_tables.Option, 2)
            # The table has only the beginning of Mobility, HIP and Shim6.
            self.at = min(at + n_bytes, self.end)
            yield Layer(header.name, at, self.at - at, header.fields)
            if kind == 44 and self._is_fragment(start):
                return _NOTHING
            kind = self.data[at]
        return _NOTHING if kind in _EXTENSIONS else ("ipv6", kind)

    def _is_fragment(self, ip: int) -> bool:
        return self.packet.fragment and self.packet.ip == ip

    def _tcp(self) -> Generator[Layer, None, _Next]:
        start = self.at
        header = self._header(header_tables.Tcp)
        n_header = (self.data[start + 12] >> 4) << 2 if self.at - start == 20 else 20
        yield self._with_options(header, start + n_header, {0, 1}, header_tables.TcpOption, 0)
        return _NOTHING

    def _udp(self) -> Generator[Layer, None, _Next]:
        start = self.at
        header = self._header(header_tables.Udp)
        length = _number(header, "length")
        if length >= 8:
            self.end = min(self.end, start + length)
        self.ports = _number(header, "source_port"), _number(header, "destination_port")
        yield header
        return ("udp", 0) if self.at - start == 8 else _NOTHING

    def _rest(self, kind: str, number: int) -> Iterator[Layer]:
        """Dissect what follows the last layer that has a table."""
        if self.at >= self.end:
            return
        if kind == "link" and number >= 0x600:
            yield from scapy_dissection.dissect_ethernet(self.data, self.at, self.end, number)
        elif kind in ("ipv4", "ipv6") and number >= 0:
            yield from scapy_dissection.dissect_ip(self.data, self.at, self.end, 4 if kind == "ipv4" else 6, number)
        elif kind == "udp":
            yield from scapy_dissection.dissect_udp(self.data, self.at, self.end, *self.ports)
        else:
            yield self._plain("Data", self.end)

    def _header(self, table: type[Message], n_bytes: int = -1) -> Layer:
        """Read the next header: `n_bytes` long, or as long as its table."""
        start = self.at
        fields = self._fields(table, start, self.end if n_bytes < 0 else min(start + n_bytes, self.end))
        self.at = max([start, *(field.offset + field.length for field in fields)])
        return Layer(_NAMES.get(table, table.__name__), start, self.at - start, fields)

    def _fields(self, table: type[Message], start: int, end: int) -> tuple[Field, ...]:
        """Return the fields that are present. The bytes after the last of them belong to the next layer."""
        found = spans(table, self.data, start, end, 0)
        return tuple(_field(span) for span in found if span.end > span.start)

    def _with_options(self, header: Layer, end: int, singles: set[int], table: type[Message], uncounted: int) -> Layer:
        """Return the header, with the options from the next byte to `end` added.

        singles: the kinds of one byte; uncounted: how many bytes of an option its length field does not count.
        """
        start, end = self.at, min(end, self.end)
        options: list[Field] = []
        while self.at < end:
            at = self.at
            if self.data[at] in singles:
                n_bytes, fields = 1, self._fields(header_tables.OneByteOption, at, at + 1)
            else:
                n_bytes = self.data[at + 1] + uncounted if end - at >= 2 else 0
                if n_bytes < 2 or n_bytes > end - at:
                    n_bytes = end - at
                fields = self._fields(table, at, at + n_bytes)
            value = self.data[at : at + n_bytes]
            names = registry("tcp_options").names if table is header_tables.TcpOption else {}
            options.append(Field("option", value, names.get(value[0], f"option {value[0]}"), at, n_bytes, fields))
            self.at = at + n_bytes
        if not options:
            return header
        value = self.data[start:end]
        added = Field("options", value, value.hex(), start, end - start, tuple(options))
        return Layer(header.name, header.offset, end - header.offset, (*header.fields, added))

    def _plain(self, name: str, end: int) -> Layer:
        start, self.at = self.at, end
        return plain(name, self.data, start, end)

    def _ip_ether_type(self) -> int:
        """Return the EtherType of the IP version in the next four bits, -1 for another version."""
        version = self.data[self.at] >> 4 if self.at < self.end else 0
        return {4: 0x0800, 6: 0x86DD}.get(version, -1)


def _field(span: Span) -> Field:
    name, value, start, end = span.name, span.value, span.start, span.end
    text = value.hex() if isinstance(value, bytes) else str(value)
    children: tuple[Field, ...] = ()
    if span.spec.registry:
        text = f"{registry(span.spec.registry).names[value]} ({value})"
    if name in _HEXADECIMAL:
        text = f"0x{value:0{2 * (end - start)}x}"
    # A truncated address is not an address.
    if name in _ADDRESSES and end - start == span.spec.width:
        text = address_text(value) if end - start in (4, 16) else value.hex(":")
    if name in _BITS:
        children = tuple(_bits(value, _BITS[name], start, end))
    return Field(name, value, text, start, end - start, children)


def _bits(number: int, parts: header_tables.Bits, start: int, end: int) -> Iterator[Field]:
    """Yield the parts of a number, from its most significant bit on. Each has the position of the bytes that contain it."""
    n_read = 0
    for name, n_bits in parts:
        first = n_read
        n_read += n_bits
        value = number >> (8 * (end - start) - n_read) & ((1 << n_bits) - 1)
        at = start + (first >> 3)
        yield Field(name, value, str(value), at, start + ((n_read - 1) >> 3) + 1 - at)


def _number(layer: Layer, name: str) -> int:
    """Return the number in a field, -1 if the header ends before it."""
    return next((field.value for field in layer.fields if field.name == name and isinstance(field.value, int)), -1)
