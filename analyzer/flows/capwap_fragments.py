"""Joins frames that an access point sends in fragments of CAPWAP (RFC 5415 section 3.4).

A data message that is too long for the path is cut into fragments, each with its offset, in multiples of eight bytes, and the
number that all have in common. Nothing else but an IP datagram is cut in this way. So each one is made a fragment of IPv4, with
the headers of UDP and CAPWAP before the first, and is joined by the rules for those; what comes out is a message that was
never cut.
"""

import struct
from typing import Any

from analyzer.flows.fragments import Defragmenter
from analyzer.packet.headers import read_ip
from analyzer.packet.packet import Packet

_UDP = 17
_FRAGMENT, _LAST, _KEEP_ALIVE = 0x80, 0x40, 0x08
_BEFORE = 16
"""Bytes that are put before the content of the first fragment: the headers of UDP and CAPWAP."""

_LONGEST = 0xFFFF - 20 - _BEFORE


class CapwapFragments:
    """Joins the fragments of a capture. What is not completed is dropped, as by a receiver."""

    __slots__ = ("_defragmenter", "_part")

    def __init__(self) -> None:
        self._defragmenter = Defragmenter()
        self._part = Packet()

    def feed(self, packet: Packet, at: int, frame: int) -> bytes | None:
        """Take a datagram of CAPWAP data. Return the whole message as an IP packet where a fragment completes one, else None.

        at: the frame's time in nanoseconds since the epoch, or -1; frame: its number.
        """
        data = ip_fragment(packet)
        if data is None:
            return None
        part: Any = self._part
        read_ip(part, data, 0, len(data))
        joined = self._defragmenter.feed(part, at, frame) if part.fragment else None
        self._defragmenter.take_reports()
        return joined


def ip_fragment(packet: Packet) -> bytes | None:
    """Return a datagram with a fragment of CAPWAP as a fragment of IPv4; None for another datagram, or one that is cut."""
    data, at = packet.data, packet.transport + 8
    if packet.missing or packet.payload_end - at < 8 or data[at] or data[at + 3] & (_FRAGMENT | _KEEP_ALIVE) != _FRAGMENT:
        return None
    n_header = data[at + 1] >> 3 << 2
    number, offset = int.from_bytes(data[at + 4 : at + 6], "big"), int.from_bytes(data[at + 6 : at + 8], "big") & ~7
    content = data[at + n_header : packet.payload_end]
    last = data[at + 3] & _LAST != 0
    if n_header < 8 or not content or offset + len(content) > _LONGEST:
        return None
    if offset == 0:  # a header without options: version, length, radio, binding and form, and no flags
        ports = data[packet.transport : packet.transport + 4]
        content = ports + bytes(4) + bytes((0, 0x10 | data[at + 1] & 7, data[at + 2], 0)) + bytes(4) + content
    else:
        offset += _BEFORE
    where = offset >> 3 | (0 if last else 0x2000)
    length = 20 + len(content)
    return struct.pack(">BBHHHBBH", 0x45, 0, length, number, where, 64, _UDP, 0) + _ends(packet) + content


def _ends(packet: Packet) -> bytes:
    """Return eight bytes for the two addresses."""
    if packet.ip_version == 4:
        return bytes(packet.data[packet.ip + 12 : packet.ip + 20])
    addresses = packet.data[packet.ip + 8 : packet.ip + 40]
    words = struct.unpack(">8I", addresses)
    mixed = [
        (words[place] * 3 + words[place + 1] * 5 + words[place + 2] * 7 + words[place + 3]) % (1 << 32) for place in (0, 4)
    ]
    return struct.pack(">2I", *mixed)
