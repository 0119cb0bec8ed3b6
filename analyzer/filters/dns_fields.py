"""The fields of DNS, multicast DNS and LLMNR: of the messages in a frame (`dns_reader`), and which request a response answers.

Over TCP (RFC 7766 section 8), a message has its fields in the frame that completes it. Segments are put together as long as
they come in their order; a direction begins again with the next segment that begins with a message.
"""

from analyzer.filters.dns_reader import DnsMessage
from analyzer.filters.frame_view import Found, FrameView
from analyzer.filters.packet_values import Occurrence
from analyzer.packet.layer_places import KINDS

PORTS = {53: "dns", 5353: "mdns", 5355: "llmnr"}
"""UDP ports whose datagrams are read as DNS, and the name of the protocol."""

MAX_QUERIES = 1 << 16
"""Queries that are remembered for their responses; of more, the oldest are forgotten."""

MAX_DIRECTIONS = 1024
"""Directions of TCP connections with a message that is not whole, of at most 64 KiB each; of more, the oldest are forgotten."""

_UDP, _TCP = KINDS.index("udp"), KINDS.index("tcp.own")
_DNS_PORT = 53
_SYN = 0x02


class DnsFields:
    """The source of `dns.*`."""

    def __init__(self) -> None:
        self._queries: dict[bytes, tuple[int, int]] = {}
        self._parts: dict[bytes, tuple[int, bytes]] = {}
        self._found: Found = {}
        self._whole = True

    def want(self, names: frozenset[str]) -> None:
        """See `Selective.want`: a datagram is not read for the names of the protocols alone."""
        self._whole = any(name not in PORTS.values() for name in names)

    def take(self, view: FrameView) -> None:
        """See `Source.take`."""
        self._found = {}
        layers = view.layers
        if not layers.has(_UDP) and _DNS_PORT not in (layers.packet.source_port, layers.packet.destination_port):
            return
        for index in range(layers.count):
            if layers.kind(index) == _UDP:
                datagram = layers.behind(index, 1 << 16)
                protocol = _protocol(datagram)
                length = int.from_bytes(datagram[4:6])
                message = datagram[8:length] if length >= 8 else datagram[8:]
                if protocol and message and not self._whole:
                    self._found = {protocol: [Occurrence(message, message, 1)]}
                    return
                if protocol and message:
                    self._found = DnsMessage(message, protocol).found
                    self._match(view, layers.key(index), self._found)
                    return
            elif layers.kind(index) == _TCP:
                segment = layers.behind(index, 1 << 16)
                if _DNS_PORT in (int.from_bytes(segment[:2]), int.from_bytes(segment[2:4])):
                    self._take_segment(view, layers.key(index), segment, len(layers.header(index)))
                    return

    def find(self, view: FrameView) -> Found:
        """See `Source.find`."""
        return self._found

    def _match(self, view: FrameView, key: bytes, found: Found) -> None:
        """Remember a query; or add to a response which query it answers. key: addresses and ports."""
        numbers = [one.value for one in found.get("dns.id", ())]
        if "dns" not in found or not numbers or not isinstance(numbers[0], int):
            return
        half, ports = (len(key) - 4) // 2, len(key) - 4
        ends = sorted((key[:half] + key[ports : ports + 2], key[half:ports] + key[ports + 2 :]))
        asked = b"".join(ends) + numbers[0].to_bytes(2)
        if not found["dns.flags.response"][0].value:
            if len(self._queries) >= MAX_QUERIES:
                del self._queries[next(iter(self._queries))]
            self._queries.setdefault(asked, (view.frame.number, view.frame.at))
            return
        query = self._queries.pop(asked, None)
        if query is not None:
            found["dns.response_to"] = [Occurrence(query[0], None, 1)]
            found["dns.time"] = [Occurrence(view.frame.at - query[1], None, 1)]

    def _take_segment(self, view: FrameView, key: bytes, segment: bytes, n_header: int) -> None:
        """Read the messages that a segment completes, each behind its length."""
        sequence = int.from_bytes(segment[4:8])
        expected, held = self._parts.pop(key, (sequence, b""))
        data = segment[n_header:]
        if not data or (len(segment) > 13 and segment[13] & _SYN):
            if held:
                self._keep(key, expected, held)
            return
        behind = (sequence - expected) & 0xFFFFFFFF
        if behind >= 0x80000000:  # sent again
            self._keep(key, expected, held)
            return
        rest = _read_whole(held + data if not behind else data, self._found)
        self._keep(key, (sequence + len(data)) & 0xFFFFFFFF, rest)
        self._match(view, key, self._found)

    def _keep(self, key: bytes, expected: int, held: bytes) -> None:
        if len(self._parts) >= MAX_DIRECTIONS:
            del self._parts[next(iter(self._parts))]
        self._parts[key] = expected, held


def _protocol(datagram: bytes) -> str:
    """Return what a datagram carries, by its ports; empty if it is not DNS."""
    ports = int.from_bytes(datagram[:2]), int.from_bytes(datagram[2:4])
    return next((PORTS[port] for port in ports if port in PORTS), "") if len(datagram) > 8 else ""


def _read_whole(data: bytes, found: Found) -> bytes:
    """Add the fields of the messages that are whole. Return what is behind them; nothing if it begins no message."""
    at = 0
    while len(data) - at >= 2:
        length = int.from_bytes(data[at : at + 2])
        if length < 12:
            return b""
        message = data[at + 2 : at + 2 + length]
        if len(message) < length:
            break
        found.setdefault("dns.length", []).append(Occurrence(length, data[at : at + 2], 1))
        for name, some in DnsMessage(message, PORTS[_DNS_PORT]).found.items():
            found.setdefault(name, []).extend(some)
        at += 2 + length
    return data[at:]
