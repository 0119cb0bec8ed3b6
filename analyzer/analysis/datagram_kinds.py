"""Recognizes QUIC and DTLS by the first bytes of a UDP datagram, so that what is not looked into can be counted.

A QUIC long header has the two top bits and a version (RFC 9000 section 17.2); a DTLS record a content type and a version that
counts downwards from 0xfeff (RFC 6347 section 4.1). Later packets of either have less to go by, so a conversation is recognized
by its first ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.packet.packet import Packet

if TYPE_CHECKING:
    import cython

NEITHER, QUIC, DTLS = 0, 1, 2
NAMES = ("", "QUIC", "DTLS")
"""The names of the kinds."""

FIRST_PACKETS = 4
"""Packets of a direction that are looked at."""

# In the compiled module these are C variables, which other modules cannot see.
_NEITHER, _QUIC, _DTLS = NEITHER, QUIC, DTLS


def kind_of(packet: Packet) -> cython.int:
    """Return QUIC, DTLS or NEITHER for a packet of UDP."""
    at: cython.Py_ssize_t = packet.payload
    left: cython.Py_ssize_t = packet.payload_end - at
    data: bytes = packet.data
    if left < 13:
        return _NEITHER
    if 20 <= data[at] <= 25 and data[at + 1] == 0xFE and data[at + 2] in (0xFD, 0xFF):
        return _DTLS
    if data[at] & 0xC0 != 0xC0:
        return _NEITHER
    # Version 1, version 2 (RFC 9369), drafts 27 to 34; and connection IDs of at most 20 bytes.
    version: cython.longlong = data[at + 1]
    version = version << 24 | data[at + 2] << 16 | data[at + 3] << 8 | data[at + 4]
    known: cython.bint = version == 1 or version == 0x6B3343CF or 0xFF00001B <= version <= 0xFF000022
    return _QUIC if known and data[at + 5] <= 20 else _NEITHER
