"""Reads the headers of QUIC packets, of which a datagram can have several (RFC 8999, RFC 9000 sections 12.2 and 17).

A long header begins with a set bit, a version and both connection IDs; this is the same in all versions. Version 1 and its like
then have a token in Initial packets, and a length behind which the next packet of the datagram begins. A short header has only
the receiver's connection ID, and the receiver knows its length. What follows is hidden by header protection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.secrets.quic_versions import INITIAL, RETRY, VERSIONS, QuicVersion

if TYPE_CHECKING:
    import cython

NEGOTIATION, OTHER = 4, 5
"""Types of long headers beside those of version 1: Version Negotiation, and packets of a version that is not read here."""

MAX_ID = 20
"""The most bytes of a connection ID in version 1 and 2 (RFC 9000 section 17.2)."""

FIXED_BIT = 0x40

NO_LENGTH = 1 << 62
"""What `read_varint` returns where the bytes end too early: more than any number on the wire."""

_LONG, _MAX_ID, _NEGOTIATION, _OTHER, _INITIAL, _RETRY, _NO_LENGTH = 0x80, MAX_ID, NEGOTIATION, OTHER, INITIAL, RETRY, NO_LENGTH


class LongHeader:
    """The long header of a packet.

    version: its number. quic: what that version prescribes, None if it is not read here. type: INITIAL, ZERO_RTT, HANDSHAKE,
    RETRY, NEGOTIATION or OTHER. destination, source: the connection IDs. token: of an Initial. number_at: where the packet
    number is in the datagram, or what follows the IDs if there is none. end: behind the packet, as its length says, or behind
    the datagram if it has none; it can be behind the bytes that the capture has.
    """

    __slots__ = ("destination", "end", "number_at", "quic", "source", "token", "type", "version")

    def __init__(self, version: cython.longlong, destination: bytes, source: bytes) -> None:
        self.version = version
        self.destination = destination
        self.source = source
        self.quic: QuicVersion | None = VERSIONS.get(version)
        self.type = OTHER
        self.token = b""
        self.number_at = 0
        self.end = 0


def read_long(data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> LongHeader | None:
    """Return the long header at `start`; None if there is none. end: behind the datagram."""
    if end - start < 7 or not data[start] & _LONG:
        return None
    version: cython.longlong = data[start + 1]
    version = version << 24 | data[start + 2] << 16 | data[start + 3] << 8 | data[start + 4]
    pos: cython.Py_ssize_t = start + 5
    n_destination: cython.Py_ssize_t = data[pos]
    if n_destination > end - pos - 2:
        return None
    n_source: cython.Py_ssize_t = data[pos + 1 + n_destination]
    if n_source > end - pos - 2 - n_destination:
        return None
    destination: bytes = data[pos + 1 : pos + 1 + n_destination]
    pos += 2 + n_destination
    header: LongHeader = LongHeader(version, destination, data[pos : pos + n_source])
    pos += n_source
    header.number_at = pos
    header.end = end
    if version == 0:
        header.type = _NEGOTIATION
        return header
    if header.quic is None:
        return header
    if n_destination > _MAX_ID or n_source > _MAX_ID:
        return None
    header.type = header.quic.types[data[start] >> 4 & 3]
    if header.type == _RETRY:
        return header
    if header.type == _INITIAL:
        n_token: cython.longlong = read_varint(data, pos, end)
        pos += varint_length(data, pos, end)
        if n_token > end - pos:
            return None
        header.token = data[pos : pos + n_token]
        pos += n_token
    length: cython.longlong = read_varint(data, pos, end)
    if length == _NO_LENGTH:
        return None
    pos += varint_length(data, pos, end)
    header.number_at = pos
    header.end = pos + length
    return header


def read_varint(data: bytes, pos: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.longlong:
    """Return the number of variable length at `pos` (RFC 9000 section 16); NO_LENGTH if the bytes end before it does."""
    if pos >= end:
        return _NO_LENGTH
    first: cython.int = data[pos]
    value: cython.longlong = first & 0x3F
    if first < 0x40:
        return value
    n_bytes: cython.Py_ssize_t = 1 << (first >> 6)
    if n_bytes > end - pos:
        return _NO_LENGTH
    i: cython.Py_ssize_t
    for i in range(pos + 1, pos + n_bytes):
        value = value << 8 | data[i]
    return value


def varint_length(data: bytes, pos: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Return how many bytes the number of variable length at `pos` has; 0 at the end of the bytes."""
    return 0 if pos >= end else 1 << (data[pos] >> 6)


def negotiated_versions(data: bytes, header: LongHeader) -> list[int]:
    """Return the versions that a Version Negotiation packet lists (RFC 9000 section 17.2.1)."""
    pos: cython.Py_ssize_t = header.number_at
    return [int.from_bytes(data[at : at + 4], "big") for at in range(pos, header.end - 3, 4)]
