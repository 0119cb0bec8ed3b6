"""Makes TCP conversations, datagrams and other packets as Ethernet frames with correct checksums, and pcap files of them.

Frames are packed field by field with `struct`: a million take a few seconds. Checksums (RFC 1071) are sums modulo 65535.
Therefore a whole payload is one division of a large integer, and a 32-bit field can be added unchanged, because 65536 is 1
modulo 65535.
"""

import random
import struct
from collections.abc import Iterable, Iterator
from typing import BinaryIO

MSS = 1460
FIN, SYN, PSH, ACK = 0x01, 0x02, 0x08, 0x10
WINDOW = 502
# Microseconds between two segments of one flight: full frames on a link of 1 Gbit/s.
SEGMENT_TIME = 12
# Microseconds between two flights of the same side.
FLIGHT_TIME = 400

IP4_TCP = struct.Struct("!12sHBBHHHBBH4s4sHHIIBBHHH")
IP6_TCP = struct.Struct("!12sHIHBB16s16sHHIIBBHHH")
IP4_UDP = struct.Struct("!12sHBBHHHBBH4s4sHHHH")
IP6_UDP = struct.Struct("!12sHIHBB16s16sHHHH")
RECORD = struct.Struct("<IIII")
SYN_OPTIONS = struct.pack("!BBHBBBBBBBB", 2, 4, MSS, 1, 3, 3, 7, 4, 2, 1, 1)

Stamped = tuple[int, bytes]
"""A frame and its time before it: microseconds since the epoch."""


def word_sum(data: bytes) -> int:
    """The sum of the big-endian 16-bit words of `data`, an odd end padded with zero, modulo 65535."""
    if len(data) & 1:
        data += b"\0"
    return int.from_bytes(data, "big") % 65535


class Path:
    """One direction between two transport addresses; it makes the frames of that direction.

    `source` and `destination` are (address bytes, port), 4 bytes for IPv4 and 16 for IPv6.
    """

    __slots__ = ("base_sum", "destination", "ip_id", "macs", "source")

    def __init__(self, source: tuple[bytes, int], destination: tuple[bytes, int], ip_id: int = 1) -> None:
        self.source = source
        self.destination = destination
        self.macs = mac(destination[0]) + mac(source[0])
        self.base_sum = word_sum(source[0] + destination[0])
        self.ip_id = ip_id

    def segment(self, seq: int, ack: int, flags: int, payload: bytes = b"", options: bytes = b"") -> bytes:
        """A TCP segment; `options` has whole words of 32 bits."""
        source, sport = self.source
        destination, dport = self.destination
        header = 20 + len(options)
        length = header + len(payload)
        offset = header << 2
        total = self.base_sum + 6 + length + sport + dport + seq + ack + (offset << 8 | flags) + WINDOW
        if options:
            total += word_sum(options)
        if payload:
            total += word_sum(payload)
        checksum = 65535 - total % 65535
        if len(source) == 4:
            ip_id = self.ip_id = self.ip_id + 1 & 0xFFFF
            ip_sum = 65535 - (0x4500 + 20 + length + ip_id + 0x4000 + 0x4006 + self.base_sum) % 65535
            start = IP4_TCP.pack(
                self.macs, 0x0800, 0x45, 0, 20 + length, ip_id, 0x4000, 64, 6, ip_sum, source, destination,
                sport, dport, seq, ack, offset, flags, WINDOW, checksum, 0,
            )  # fmt: skip
        else:
            start = IP6_TCP.pack(
                self.macs, 0x86DD, 0x60000000, length, 6, 64, source, destination,
                sport, dport, seq, ack, offset, flags, WINDOW, checksum, 0,
            )  # fmt: skip
        return start + options + payload

    def datagram(self, payload: bytes) -> bytes:
        """A UDP datagram."""
        source, sport = self.source
        destination, dport = self.destination
        length = 8 + len(payload)
        checksum = 65535 - (self.base_sum + 17 + 2 * length + sport + dport + word_sum(payload)) % 65535
        if len(source) == 4:
            ip_id = self.ip_id = self.ip_id + 1 & 0xFFFF
            ip_sum = 65535 - (0x4500 + 20 + length + ip_id + 0x4000 + 0x4011 + self.base_sum) % 65535
            start = IP4_UDP.pack(
                self.macs, 0x0800, 0x45, 0, 20 + length, ip_id, 0x4000, 64, 17, ip_sum, source, destination,
                sport, dport, length, checksum,
            )  # fmt: skip
        else:
            start = IP6_UDP.pack(
                self.macs, 0x86DD, 0x60000000, length, 17, 64, source, destination, sport, dport, length, checksum
            )
        return start + payload

    def echo(self, kind: int, sequence: int) -> bytes:
        """An ICMP echo request (`kind` 8) or reply (0) over IPv4."""
        body = struct.pack("!HH", 77, sequence) + bytes(56)
        icmp = struct.pack("!BBH", kind, 0, 65535 - (kind * 256 + word_sum(body)) % 65535) + body
        ip_sum = 65535 - (0x4500 + 20 + len(icmp) + 0x4001 + self.base_sum) % 65535
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(icmp), 0, 0, 64, 1, ip_sum, self.source[0], self.destination[0])
        return self.macs + b"\x08\x00" + ip + icmp

    def arp(self, operation: int) -> bytes:
        """An ARP request (1) or reply (2) for IPv4."""
        own, other = self.source[0], self.destination[0]
        target = bytes(6) if operation == 1 else mac(other)
        outer = b"\xff" * 6 if operation == 1 else mac(other)
        body = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, operation, mac(own), own, target, other)
        return outer + mac(own) + b"\x08\x06" + body + bytes(18)


def mac(address: bytes) -> bytes:
    """A locally administered MAC address that belongs to `address`."""
    return b"\x02\x00" + address[-4:]


def conversation(
    rng: random.Random,
    client: tuple[bytes, int],
    server: tuple[bytes, int],
    start: int,
    flights: Iterable[tuple[bool, bytes]],
) -> Iterator[Stamped]:
    """The segments of one TCP connection from SYN to the last ACK, as seen near the client.

    `flights` are (from server, bytes), in order. Every second full segment is acknowledged at once. Other acknowledgements are
    in the response, as with delayed ACKs. There is no loss and no reordering.
    """
    rtt = int(rng.uniform(2_000, 40_000))
    paths = (Path(client, server, rng.randrange(65536)), Path(server, client, rng.randrange(65536)))
    seqs = [rng.randrange(1 << 32), rng.randrange(1 << 32)]
    at = start
    yield at, paths[0].segment(seqs[0], 0, SYN, b"", SYN_OPTIONS)
    seqs[0] = seqs[0] + 1 & 0xFFFFFFFF
    at += rtt
    yield at, paths[1].segment(seqs[1], seqs[0], SYN | ACK, b"", SYN_OPTIONS)
    seqs[1] = seqs[1] + 1 & 0xFFFFFFFF
    at += 30
    yield at, paths[0].segment(seqs[0], seqs[1], ACK)
    last = 0
    for from_server, data in flights:
        side = 1 if from_server else 0
        if side == last:
            at += FLIGHT_TIME
        else:
            at += rtt if from_server else 150
        last = side
        path, back = paths[side], paths[1 - side]
        seq, ack = seqs[side], seqs[1 - side]
        unacknowledged = 0
        for begin in range(0, len(data), MSS):
            piece = data[begin : begin + MSS]
            at += SEGMENT_TIME
            yield at, path.segment(seq, ack, PSH | ACK if begin + MSS >= len(data) else ACK, piece)
            seq = seq + len(piece) & 0xFFFFFFFF
            unacknowledged += 1
            if unacknowledged == 2 and len(piece) == MSS:
                at += 3
                yield at, back.segment(ack, seq, ACK)
                unacknowledged = 0
        seqs[side] = seq
    at += 200
    yield at, paths[0].segment(seqs[0], seqs[1], FIN | ACK)
    seqs[0] = seqs[0] + 1 & 0xFFFFFFFF
    at += rtt
    yield at, paths[1].segment(seqs[1], seqs[0], FIN | ACK)
    at += 20
    yield at, paths[0].segment(seqs[0], seqs[1] + 1 & 0xFFFFFFFF, ACK)


def conversation_length(sizes: Iterable[int]) -> int:
    """The number of segments of a conversation with flights of these `sizes`."""
    return 6 + sum(-(-size // MSS) + size // MSS // 2 for size in sizes)


class PcapFile:
    """A pcap file of Ethernet frames with microsecond stamps, little-endian."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.n_packets = 0
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))

    def write(self, at: int, frame: bytes) -> None:
        """Append `frame`; `at` is in microseconds since the epoch."""
        size = len(frame)
        self.file.write(RECORD.pack(at // 1_000_000, at % 1_000_000, size, size))
        self.file.write(frame)
        self.n_packets += 1
