"""The fields of ICMP and ICMPv6 that are no fixed place in a header: options, data, checksums, and echo replies' requests.

RFC 792 and RFC 4443 have the messages, RFC 4861 section 4.6 the options of neighbor discovery, RFC 3810 the multicast reports.
Fixed places are in `header_places.csv`.
"""

from collections.abc import Iterator

from analyzer.filters.frame_view import Found, FrameView
from analyzer.filters.packet_values import Occurrence
from analyzer.packet.layer_places import KINDS, LayerPlaces

MAX_REQUESTS = 1 << 16
"""Echo requests that are remembered for their replies; of more, the oldest are forgotten."""

MAX_OPTIONS = 256
"""Options, and multicast records, that are read of one message. A message has room for some hundreds."""

_ICMP, _ICMPV6, _IP, _IPV6 = (KINDS.index(name) for name in ("icmp", "icmpv6", "ip", "ipv6"))
_REQUESTS = {(_ICMP, 8): 0, (_ICMPV6, 128): 0}
_REPLIES = {(_ICMP, 0): 8, (_ICMPV6, 129): 128}
_OPTIONS_AT = {133: 8, 134: 16, 135: 24, 136: 24, 137: 40}
"""Where the options begin in a message of neighbor discovery."""

_QUOTING = {3, 4, 5, 11, 12}
_REPORT2 = 143
_MILLISECONDS = 1e6
_LINK_ADDRESSES = {1: "src", 2: "target"}
_PREFIX, _MTU, _NONCE, _SERVERS = 3, 5, 14, 25
_PREFIX_FLAGS = {"l": 0x80, "a": 0x40, "r": 0x20, "p": 0x10}

_Pair = tuple[str, object, bytes]


class IcmpFields:
    """The source of these fields."""

    def __init__(self) -> None:
        self._requests: dict[bytes, tuple[int, int]] = {}

    def take(self, view: FrameView) -> None:
        """See `Source.take`. An echo request is remembered for its reply."""
        layers = view.layers
        for index in range(layers.count):
            kind = layers.kind(index)
            if kind in (_ICMP, _ICMPV6):
                message = layers.header(index)
                if len(message) >= 8 and (kind, message[0]) in _REQUESTS:
                    if len(self._requests) >= MAX_REQUESTS:
                        del self._requests[next(iter(self._requests))]
                    self._requests[_echo_key(layers, index, message)] = view.frame.number, view.frame.at
                return

    def find(self, view: FrameView) -> Found:
        """See `Source.find`."""
        found: Found = {}
        layers = view.layers
        for index in range(layers.count):
            kind = layers.kind(index)
            if kind not in (_ICMP, _ICMPV6):
                continue
            message = layers.header(index)
            if len(message) >= 8:
                pairs = _icmp(message) if kind == _ICMP else _icmpv6(message)
                for name, value, raw in (*pairs, *self._reply(view, index, message), *_checksum(layers, index, message)):
                    found.setdefault(name, []).append(Occurrence(value, raw, 1))  # type: ignore[arg-type]
        return found

    def _reply(self, view: FrameView, index: int, message: bytes) -> Iterator[_Pair]:
        """Yield which request an echo reply answers, and the milliseconds since then."""
        kind = view.layers.kind(index)
        if (kind, message[0]) not in _REPLIES:
            return
        request = self._requests.get(_echo_key(view.layers, index, message))
        if request is not None:
            name = KINDS[kind]
            yield f"{name}.resp_to", request[0], b""
            yield f"{name}.resptime", (view.frame.at - request[1]) / _MILLISECONDS, b""


def _echo_key(layers: LayerPlaces, index: int, message: bytes) -> bytes:
    """Return the two addresses in one order, with identifier and sequence number."""
    return b"".join(sorted(_addresses(layers, index))) + message[4:8]


def _addresses(layers: LayerPlaces, index: int) -> tuple[bytes, bytes]:
    """Return the addresses of the IP header before a message; empty without one."""
    while index > 0:
        index -= 1
        header = layers.header(index)
        if layers.kind(index) == _IP:
            return header[12:16], header[16:20]
        if layers.kind(index) == _IPV6:
            return header[8:24], header[24:40]
    return b"", b""


def _checksum(layers: LayerPlaces, index: int, message: bytes) -> Iterator[_Pair]:
    """Yield whether the checksum is right (1) or wrong (0), of a message that the frame has whole and does not only quote."""
    if layers.packet.missing or any(layers.kind(before) in (_ICMP, _ICMPV6) for before in range(index)):
        return
    summed = message
    kind = layers.kind(index)
    if kind == _ICMPV6:
        source, destination = _addresses(layers, index)
        summed = source + destination + len(message).to_bytes(4) + b"\0\0\0\x3a" + message
    yield f"{KINDS[kind]}.checksum.status", int(_sum(summed) == 0xFFFF), message[2:4]


def _sum(octets: bytes) -> int:
    """Return the ones' complement sum of 16-bit words (RFC 1071)."""
    padded = octets + b"\0" * (len(octets) & 1)
    total = sum(int.from_bytes(padded[at : at + 2]) for at in range(0, len(padded), 2))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def _icmp(message: bytes) -> Iterator[_Pair]:
    kind = message[0]
    if kind in (0, 8, 13, 14, 15, 16, 17, 18):
        yield "icmp.ident_le", int.from_bytes(message[4:6], "little"), message[4:6]
        yield "icmp.seq_le", int.from_bytes(message[6:8], "little"), message[6:8]
    if kind in (0, 8) and len(message) > 8:
        yield "icmp.data", message[8:], message[8:]
    if kind in _QUOTING:
        yield "icmp.type.error", None, message[:1]


def _icmpv6(message: bytes) -> Iterator[_Pair]:
    kind = message[0]
    if kind == _REPORT2:
        yield from _multicast_records(message)
    at = _OPTIONS_AT.get(kind, len(message))
    for _ in range(MAX_OPTIONS):
        if len(message) - at < 8 or not message[at + 1]:
            return
        end = at + 8 * message[at + 1]
        yield from _option(message[at:end])
        at = end


def _option(option: bytes) -> Iterator[_Pair]:
    kind = option[0]
    yield "icmpv6.opt", None, option
    yield "icmpv6.opt.type", kind, option[:1]
    yield "icmpv6.opt.length", option[1], option[1:2]
    if kind in _LINK_ADDRESSES:
        yield "icmpv6.opt.linkaddr", option[2:], option[2:]
        yield f"icmpv6.opt.{_LINK_ADDRESSES[kind]}_linkaddr", option[2:], option[2:]
    elif kind == _PREFIX and len(option) >= 32:
        yield "icmpv6.opt.prefix.length", option[2], option[2:3]
        yield "icmpv6.opt.prefix.flag", option[3], option[3:4]
        yield from (
            (f"icmpv6.opt.prefix.flag.{name}", bool(option[3] & bit), option[3:4]) for name, bit in _PREFIX_FLAGS.items()
        )
        yield "icmpv6.opt.prefix.valid_lifetime", int.from_bytes(option[4:8]), option[4:8]
        yield "icmpv6.opt.prefix.preferred_lifetime", int.from_bytes(option[8:12]), option[8:12]
        yield "icmpv6.opt.prefix", option[16:32], option[16:32]
    elif kind == _MTU:
        yield "icmpv6.opt.mtu", int.from_bytes(option[4:8]), option[4:8]
    elif kind == _NONCE:
        yield "icmpv6.opt.nonce", option[2:], option[2:]
    elif kind == _SERVERS:
        yield "icmpv6.opt.rdnss.lifetime", int.from_bytes(option[4:8]), option[4:8]
        for at in range(8, len(option) - 15, 16):
            yield "icmpv6.opt.rdnss", option[at : at + 16], option[at : at + 16]


def _multicast_records(message: bytes) -> Iterator[_Pair]:
    """Yield the records of a Multicast Listener Report of version 2 (RFC 3810 section 5.2)."""
    yield "icmpv6.mldr.nb_mcast_records", int.from_bytes(message[6:8]), message[6:8]
    at = 8
    for _ in range(min(int.from_bytes(message[6:8]), MAX_OPTIONS)):
        record = message[at : at + 20]
        if len(record) < 20:
            return
        n_sources = int.from_bytes(record[2:4])
        at += 20 + 16 * n_sources + 4 * record[1]
        yield "icmpv6.mldr.mar", None, record
        yield "icmpv6.mldr.mar.record_type", record[0], record[:1]
        yield "icmpv6.mldr.mar.nb_sources", n_sources, record[2:4]
        yield "icmpv6.mldr.mar.multicast_address", record[4:20], record[4:20]
