"""Packets by hand: Ethernet, 802.1Q, IPv4, IPv6, UDP and TCP around bytes that real endpoints produced.

RFC 9293 (TCP), RFC 791, RFC 8200, RFC 768, IEEE 802.1Q. A `Conversation` is one TCP connection with its own clock: it opens
with a handshake, cuts what each side says into segments, acknowledges, and closes. Every packet is kept as a `Packet`, so
that a scene can delay, repeat, change or lose one before the capture is written; all times are ns since the epoch.
"""

from __future__ import annotations

import ipaddress
import random
import struct
from dataclasses import dataclass, field
from typing import Literal

Side = Literal["client", "server"]
SIDES: tuple[Side, Side] = ("client", "server")

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
_MICROSECOND = 1_000
_MILLISECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Host:
    """One end: its address (IPv4 or IPv6), its link address, and the TTL with which its packets arrive."""

    address: str
    mac: str
    hop_limit: int = 64


@dataclass(slots=True, eq=False)
class Packet:
    """One packet as captured: `at` in ns since the epoch, and its bytes from the Ethernet header on."""

    at: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Segment:
    """A TCP segment with data: its packet, the number of its first byte in what its side says (from 0), and the data."""

    packet: Packet
    offset: int
    data: bytes


@dataclass(slots=True)
class Wire:
    """Where everything is recorded; `seed` makes the timing repeatable."""

    seed: str
    packets: list[Packet] = field(default_factory=list)
    random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)  # noqa: S311 - timing, not a secret

    def put(self, at: int, data: bytes) -> Packet:
        """Record `data` at `at`."""
        packet = Packet(at, data)
        self.packets.append(packet)
        return packet

    def in_order(self) -> list[Packet]:
        """The packets by time; frame numbers are positions in this list, from 1."""
        return sorted(self.packets, key=lambda packet: packet.at)


def opposite(side: Side) -> Side:
    """The other side."""
    return "server" if side == "client" else "client"


def ethernet(source: Host, destination: Host, ethertype: int, payload: bytes, vlan: int | None = None) -> bytes:
    """An Ethernet frame, with an 802.1Q tag where `vlan` is given."""
    tag = b"" if vlan is None else struct.pack("!HH", 0x8100, vlan)
    return _mac(destination.mac) + _mac(source.mac) + tag + struct.pack("!H", ethertype) + payload


def ip(source: Host, destination: Host, protocol: int, payload: bytes, identification: int, vlan: int | None = None) -> bytes:
    """An Ethernet frame with an IPv4 or IPv6 packet, by the form of the addresses."""
    a, b = ipaddress.ip_address(source.address), ipaddress.ip_address(destination.address)
    if a.version == 6:
        header = struct.pack("!IHBB", 0x60000000, len(payload), protocol, source.hop_limit) + a.packed + b.packed
        return ethernet(source, destination, 0x86DD, header + payload, vlan)
    header = struct.pack(
        "!BBHHHBBH", 0x45, 0, 20 + len(payload), identification & 0xFFFF, 0x4000, source.hop_limit, protocol, 0
    )
    header += a.packed + b.packed
    header = header[:10] + struct.pack("!H", internet_checksum(header)) + header[12:]
    return ethernet(source, destination, 0x0800, header + payload, vlan)


def udp(source: Host, destination: Host, ports: tuple[int, int], payload: bytes, identification: int) -> bytes:
    """An Ethernet frame with a UDP datagram."""
    header = struct.pack("!HHHH", *ports, 8 + len(payload), 0)
    checksum = _transport_checksum(source, destination, 17, header + payload) or 0xFFFF
    return ip(source, destination, 17, header[:6] + struct.pack("!H", checksum) + payload, identification)


def internet_checksum(data: bytes) -> int:
    """The ones' complement sum of RFC 1071 over `data`, in the form that goes into a header."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Conversation:
    """One TCP connection recorded on a wire; opens at once at `start`."""

    def __init__(
        self,
        wire: Wire,
        start: int,
        client: tuple[Host, int],
        server: tuple[Host, int],
        *,
        round_trip: int = 24 * _MILLISECOND,
        vlan: int | None = None,
    ) -> None:
        self.wire = wire
        self.at = start
        self.hosts: dict[Side, Host] = {"client": client[0], "server": server[0]}
        self.ports: dict[Side, int] = {"client": client[1], "server": server[1]}
        self.round_trip = round_trip
        self.vlan = vlan
        self.maximum_segment = 1440 if ":" in client[0].address else 1460
        self.initial: dict[Side, int] = {side: wire.random.randrange(1 << 32) for side in SIDES}
        self.said: dict[Side, int] = {"client": 0, "server": 0}
        self.segments: dict[Side, list[Segment]] = {"client": [], "server": []}
        self._identification: dict[Side, int] = {side: wire.random.randrange(1 << 16) for side in SIDES}
        self._finished: dict[Side, int] = {"client": 0, "server": 0}
        self._open()

    def send(self, side: Side, data: bytes) -> None:
        """Let `side` say `data`: one packet for each segment, which `segments` keeps, then the other's acknowledgement."""
        self.at += self.round_trip // 2 + self.wire.random.randrange(80 * _MICROSECOND, 900 * _MICROSECOND)
        for start in range(0, len(data), self.maximum_segment):
            piece = data[start : start + self.maximum_segment]
            self.at += self.wire.random.randrange(4 * _MICROSECOND, 60 * _MICROSECOND)
            flags = ACK | PSH if start + len(piece) == len(data) else ACK
            self.segments[side].append(self.segment(side, self.said[side], piece, flags))
            self.said[side] += len(piece)
        self.acknowledge(opposite(side))

    def segment(self, side: Side, offset: int, piece: bytes, flags: int = ACK, at: int | None = None) -> Segment:
        """Record one segment whose first byte is number `offset` of what `side` says, from 0."""
        return Segment(self._put(side, 1 + offset, piece, flags, at=at), offset, piece)

    def acknowledge(self, side: Side) -> Packet:
        """Record a bare acknowledgement by `side` of everything that the other has said."""
        self.at += self.wire.random.randrange(20 * _MICROSECOND, 200 * _MICROSECOND)
        return self._put(side, 1 + self.said[side] + self._finished[side], b"", ACK)

    def wait(self, milliseconds: float) -> None:
        """Let time pass."""
        self.at += int(milliseconds * _MILLISECOND)

    def close(self, first: Side = "client") -> None:
        """Close both directions, `first` first."""
        for side in (first, opposite(first)):
            self.at += self.round_trip // 2
            self._put(side, 1 + self.said[side], b"", FIN | ACK)
            self._finished[side] = 1
        self.acknowledge(first)

    def reset(self, side: Side) -> None:
        """Let `side` reset the connection."""
        self.at += self.round_trip // 2
        self._put(side, 1 + self.said[side], b"", RST | ACK)

    def _open(self) -> None:
        options = struct.pack("!BBH", 2, 4, self.maximum_segment) + b"\x01\x03\x03\x07" + b"\x04\x02\x01\x01"
        self._put("client", 0, b"", SYN, options)
        self.at += self.round_trip // 2
        self._put("server", 0, b"", SYN | ACK, options)
        self.at += self.round_trip // 2
        self._put("client", 1, b"", ACK)

    def _put(self, side: Side, number: int, payload: bytes, flags: int, options: bytes = b"", at: int | None = None) -> Packet:
        other = opposite(side)
        source, destination = self.hosts[side], self.hosts[other]
        acknowledged = (self.initial[other] + 1 + self.said[other] + self._finished[other]) & 0xFFFFFFFF if flags & ACK else 0
        header = struct.pack(
            "!HHIIBBHHH",
            self.ports[side],
            self.ports[other],
            (self.initial[side] + number) & 0xFFFFFFFF,
            acknowledged,
            (20 + len(options)) // 4 << 4,
            flags,
            64240 if flags & SYN else 502,
            0,
            0,
        )
        header += options
        checksum = _transport_checksum(source, destination, 6, header + payload)
        header = header[:16] + struct.pack("!H", checksum) + header[18:]
        self._identification[side] += 1
        packet = ip(source, destination, 6, header + payload, self._identification[side], self.vlan)
        return self.wire.put(self.at if at is None else at, packet)


def _mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def _transport_checksum(source: Host, destination: Host, protocol: int, segment: bytes) -> int:
    a, b = ipaddress.ip_address(source.address), ipaddress.ip_address(destination.address)
    return internet_checksum(a.packed + b.packed + struct.pack("!II", len(segment), protocol) + segment)
