"""Finds the packets in the bytes of a capture file, and makes damaged copies of it, without the analyzer's own reader.

pcap (draft-ietf-opsawg-pcap): a header of 24 bytes, then packets with a header of 16 each. pcapng (draft-ietf-opsawg-pcapng):
blocks with type and length. A trial of damage needs to know what is whole in the damaged file, and must not ask the method that
it tries. So this is a second reader, for the uncompressed files of the material only.
"""

import struct
from dataclasses import dataclass

_LITTLE_PCAP = (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1")
_BIG_PCAP = (b"\xa1\xb2\xc3\xd4", b"\xa1\xb2\x3c\x4d")
_SECTION = b"\x0a\x0d\x0d\x0a"
_ENHANCED = 6
_TCP = 6


@dataclass(frozen=True, slots=True)
class PacketPlace:
    """Where a packet is in a file. start, end: of its record or block. data: where its first byte is. size: of the packet."""

    start: int
    end: int
    data: int
    size: int
    length_at: int
    """Where the length of the packet stands (pcap), or that of the block (pcapng)."""


def packets_in(content: bytes) -> list[PacketPlace]:
    """Return the places of all packets of a pcap or pcapng file. Raises ValueError for other files."""
    if content[:4] in _LITTLE_PCAP + _BIG_PCAP:
        return _pcap(content, "<" if content[:4] in _LITTLE_PCAP else ">")
    if content[:4] == _SECTION:
        return _pcapng(content)
    raise ValueError("neither pcap nor pcapng")


def cut_inside(content: bytes, place: PacketPlace) -> bytes:
    """Return the file as far as the middle of a packet's record."""
    return content[: (place.start + place.end) // 2]


def without(content: bytes, place: PacketPlace) -> bytes:
    """Return the file without a packet, as if it had never been captured."""
    return content[: place.start] + content[place.end :]


def with_length_of(content: bytes, place: PacketPlace, length: bytes) -> bytes:
    """Return the file with other bytes in the place of a packet's length. length: four bytes."""
    return content[: place.length_at] + length + content[place.length_at + 4 :]


def flipped(content: bytes, at: int) -> bytes:
    """Return the file with the lowest bit of one byte changed."""
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def tcp_payload(content: bytes, place: PacketPlace) -> bytes:
    """Return the TCP payload of a packet of IPv4 over Ethernet; empty for any other packet."""
    packet = content[place.data : place.data + place.size]
    if len(packet) < 54 or packet[12:14] != b"\x08\x00" or packet[23] != _TCP:
        return b""
    header = 14 + 4 * (packet[14] & 15)
    total = 14 + int.from_bytes(packet[16:18], "big")
    return packet[header + 4 * (packet[header + 12] >> 4) : total]


def _pcap(content: bytes, order: str) -> list[PacketPlace]:
    found, at = [], 24
    while at + 16 <= len(content):
        (size,) = struct.unpack_from(order + "I", content, at + 8)
        found.append(PacketPlace(at, at + 16 + size, at + 16, size, at + 8))
        at += 16 + size
    return found


def _pcapng(content: bytes) -> list[PacketPlace]:
    order = "<" if content[8:12] == b"\x4d\x3c\x2b\x1a" else ">"
    found, at = [], 0
    while at + 12 <= len(content):
        kind, length = struct.unpack_from(order + "II", content, at)
        if kind == _ENHANCED:
            (size,) = struct.unpack_from(order + "I", content, at + 20)
            found.append(PacketPlace(at, at + length, at + 28, size, at + 4))
        at += max(12, length)
    return found
