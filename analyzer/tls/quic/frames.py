"""Reads the frames of a QUIC packet (RFC 9000 section 19, RFC 9221, draft-ietf-quic-ack-frequency).

A packet's payload is a sequence of frames; each has a type and fields of variable length, and no length of its own. So behind a
frame of an unknown type nothing can be read. A `FrameTaker` gets those that matter to a passive reader.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.codec.byte_slices import slice_bytes
from analyzer.tls.quic.packet_headers import NO_LENGTH, read_varint, varint_length

if TYPE_CHECKING:
    import cython

MAX_RANGES = 256
"""Ranges of one ACK frame that are read. Endpoints send a few."""

_PADDING, _PING, _ACK, _ACK_ECN, _RESET_STREAM, _STOP_SENDING, _CRYPTO, _NEW_TOKEN = 0, 1, 2, 3, 4, 5, 6, 7
_STREAM, _LAST_STREAM, _FIN, _HAS_LENGTH, _HAS_OFFSET = 8, 15, 1, 2, 4
_MAX_DATA, _STREAMS_BLOCKED_UNI, _NEW_ID, _RETIRE_ID, _CHALLENGE, _RESPONSE = 0x10, 0x17, 0x18, 0x19, 0x1A, 0x1B
_CLOSE, _CLOSE_APPLICATION, _HANDSHAKE_DONE, _IMMEDIATE_ACK, _RESET_STREAM_AT = 0x1C, 0x1D, 0x1E, 0x1F, 0x24
_DATAGRAM, _DATAGRAM_LENGTH, _ACK_FREQUENCY = 0x30, 0x31, 0xAF
_MAX_STREAM_DATA, _LAST_BIT = 0x11, 62
_NO_LENGTH, _MAX_RANGES = NO_LENGTH, MAX_RANGES
_N_NUMBERS = {0x10: 1, 0x12: 1, 0x13: 1, 0x14: 1, 0x15: 2, 0x16: 1, 0x17: 1, 0x19: 1, 0x1E: 0, 0x1F: 0, 0xAF: 4}


class FrameTaker:
    """Gets the frames of a packet; subclasses override what they need. It is told nothing about PADDING and BLOCKED frames.

    kinds: the types of the frames of the packet that was read last, as bits; of those above 62, none.
    """

    __slots__ = ("kinds",)

    def __init__(self) -> None:
        self.kinds = 0

    def take_ack(self, ranges: list[Any], ecn: Any) -> None:
        """Take an ACK: the packet numbers that the peer got, as ranges of first and last; the counts of ECT(0), ECT(1), CE."""

    def take_crypto(self, offset: cython.longlong, data: bytes) -> None:
        """Take handshake bytes."""

    def take_stream(self, stream: cython.longlong, offset: cython.longlong, data: bytes, end: cython.bint) -> None:
        """Take bytes of a stream; end: the last ones."""

    def take_reset(self, stream: cython.longlong, code: cython.longlong) -> None:
        """Take a RESET_STREAM: its sender gives up the stream."""

    def take_stop(self, stream: cython.longlong, code: cython.longlong) -> None:
        """Take a STOP_SENDING: its sender reads no more of the stream."""

    def take_limit(self, stream: cython.longlong, maximum: cython.longlong) -> None:
        """Take a MAX_STREAM_DATA: the peer may send so many bytes of a stream."""

    def take_connection_id(self, number: cython.longlong, connection_id: bytes, token: bytes) -> None:
        """Take a NEW_CONNECTION_ID: an ID under which the sender can be reached, and the token of its stateless reset."""

    def take_path(self, answers: cython.bint) -> None:
        """Take a PATH_CHALLENGE, or the PATH_RESPONSE that answers it."""

    def take_close(self, code: cython.longlong, application: cython.bint, reason: bytes) -> None:
        """Take a CONNECTION_CLOSE; application: the code is not one of the transport."""

    def take_done(self) -> None:
        """Take a HANDSHAKE_DONE."""

    def take_datagram(self, data: bytes) -> None:
        """Take a DATAGRAM."""

    def take_token(self, token: bytes) -> None:
        """Take a NEW_TOKEN."""


def read_frames(payload: bytes, taker: FrameTaker) -> str:
    """Give the frames of a packet to `taker`. Return what is wrong with the payload, "" if it was read to its end."""
    pos: cython.Py_ssize_t = 0
    end: cython.Py_ssize_t = len(payload)
    length: cython.longlong
    offset: cython.longlong
    stream: cython.longlong
    one: cython.longlong = 1
    taker.kinds = 0
    while pos < end:
        kind: cython.longlong = payload[pos]
        begins: cython.Py_ssize_t = pos
        if kind == _PADDING:
            rest: bytes = payload[pos:].lstrip(b"\0")
            pos = end - len(rest)
            continue
        if kind >= 0x40:
            kind = read_varint(payload, pos, end)
            if kind == _NO_LENGTH:
                return f"the type at {begins} does not end inside its packet"
        pos += varint_length(payload, pos, end)
        if kind <= _LAST_BIT:
            taker.kinds |= one << kind
        if kind == _PING:
            continue
        if _STREAM <= kind <= _LAST_STREAM:
            stream = read_varint(payload, pos, end)
            pos += varint_length(payload, pos, end)
            offset = 0
            if kind & _HAS_OFFSET:
                offset = read_varint(payload, pos, end)
                pos += varint_length(payload, pos, end)
            length = end - pos
            if kind & _HAS_LENGTH:
                length = read_varint(payload, pos, end)
                pos += varint_length(payload, pos, end)
            if stream == _NO_LENGTH or offset == _NO_LENGTH or length > end - pos:
                return f"the STREAM frame at {begins} does not end inside its packet"
            taker.take_stream(stream, offset, slice_bytes(payload, pos, pos + length), kind & _FIN != 0)
            pos += length
        elif kind in (_ACK, _ACK_ECN):
            pos = read_ack(payload, pos, end, kind == _ACK_ECN, taker)
        elif kind == _CRYPTO:
            offset = read_varint(payload, pos, end)
            pos += varint_length(payload, pos, end)
            length = read_varint(payload, pos, end)
            pos += varint_length(payload, pos, end)
            if offset == _NO_LENGTH or length > end - pos:
                return f"the CRYPTO frame at {begins} does not end inside its packet"
            taker.take_crypto(offset, slice_bytes(payload, pos, pos + length))
            pos += length
        elif kind in (_DATAGRAM, _DATAGRAM_LENGTH):
            length = end - pos
            if kind == _DATAGRAM_LENGTH:
                length = read_varint(payload, pos, end)
                pos += varint_length(payload, pos, end)
            if length > end - pos:
                return f"the DATAGRAM frame at {begins} does not end inside its packet"
            taker.take_datagram(slice_bytes(payload, pos, pos + length))
            pos += length
        elif kind in (_CHALLENGE, _RESPONSE):
            pos = pos + 8 if end - pos >= 8 else -1
            if pos >= 0:
                taker.take_path(kind == _RESPONSE)
        else:
            pos = read_other(payload, pos, end, kind, taker)
        if pos == -1:
            return f"the frame of type 0x{kind:02x} at {begins} does not end inside its packet"
        if pos < 0:
            return f"the frame at {begins} has the unknown type 0x{kind:02x}"
    return ""


def read_ack(
    payload: bytes, pos: cython.Py_ssize_t, end: cython.Py_ssize_t, with_ecn: cython.bint, taker: FrameTaker
) -> cython.Py_ssize_t:
    """Read an ACK frame behind its type (RFC 9000 section 19.3). Return the position behind it, -1 if it is cut short."""
    i: cython.longlong
    largest: cython.longlong = read_varint(payload, pos, end)
    pos += varint_length(payload, pos, end)
    pos += varint_length(payload, pos, end)  # the delay
    n_ranges: cython.longlong = read_varint(payload, pos, end)
    pos += varint_length(payload, pos, end)
    length: cython.longlong = read_varint(payload, pos, end)
    pos += varint_length(payload, pos, end)
    if length > largest or n_ranges > end - pos:
        return -1
    ranges = [(largest - length, largest)]
    smallest: cython.longlong = largest - length
    for i in range(n_ranges):
        skipped: cython.longlong = read_varint(payload, pos, end)
        pos += varint_length(payload, pos, end)
        length = read_varint(payload, pos, end)
        pos += varint_length(payload, pos, end)
        if length == _NO_LENGTH or smallest - 2 < skipped or smallest - 2 - skipped < length:
            return -1
        largest = smallest - skipped - 2
        smallest = largest - length
        if i < _MAX_RANGES:
            ranges.append((smallest, largest))
    ecn: tuple[int, int, int] | None = None
    if with_ecn:
        counts: list[int] = []
        for _ in range(3):
            counts.append(read_varint(payload, pos, end))
            pos += varint_length(payload, pos, end)
        if counts[2] == _NO_LENGTH:
            return -1
        ecn = (counts[0], counts[1], counts[2])
    taker.take_ack(ranges, ecn)
    return pos


def read_other(
    payload: bytes, pos: cython.Py_ssize_t, end: cython.Py_ssize_t, kind: cython.longlong, taker: FrameTaker
) -> cython.Py_ssize_t:
    """Read a frame that is not frequent, behind its type.

    Return the position behind it, -1 if it is cut short, -2 if its type is unknown.
    """
    first: cython.longlong
    second: cython.longlong
    n_bytes: cython.longlong
    if kind == _MAX_STREAM_DATA:
        first = read_varint(payload, pos, end)
        pos += varint_length(payload, pos, end)
        second = read_varint(payload, pos, end)
        pos += varint_length(payload, pos, end)
        if first == _NO_LENGTH or second == _NO_LENGTH:
            return -1
        taker.take_limit(first, second)
        return pos
    if kind in _N_NUMBERS:
        for _ in range(_N_NUMBERS[kind]):
            if read_varint(payload, pos, end) == _NO_LENGTH:
                return -1
            pos += varint_length(payload, pos, end)
        if kind == _HANDSHAKE_DONE:
            taker.take_done()
        return pos
    if kind not in (_RESET_STREAM, _RESET_STREAM_AT, _STOP_SENDING, _NEW_TOKEN, _NEW_ID, _CLOSE, _CLOSE_APPLICATION):
        return -2
    first = read_varint(payload, pos, end)
    pos += varint_length(payload, pos, end)
    if first == _NO_LENGTH:
        return -1
    if kind == _NEW_TOKEN:
        if first > end - pos:
            return -1
        taker.take_token(payload[pos : pos + first])
        return pos + first
    if kind == _CLOSE_APPLICATION:
        n_bytes = read_varint(payload, pos, end)
        pos += varint_length(payload, pos, end)
        if n_bytes > end - pos:
            return -1
        taker.take_close(first, True, payload[pos : pos + n_bytes])
        return pos + n_bytes
    second = read_varint(payload, pos, end)
    pos += varint_length(payload, pos, end)
    if second == _NO_LENGTH:
        return -1
    if kind == _STOP_SENDING:
        taker.take_stop(first, second)
        return pos
    if kind == _NEW_ID:
        if pos >= end or payload[pos] > end - pos - 17:
            return -1
        n_bytes = payload[pos]
        pos += 1
        taker.take_connection_id(first, payload[pos : pos + n_bytes], payload[pos + n_bytes : pos + n_bytes + 16])
        return pos + n_bytes + 16
    n_bytes = read_varint(payload, pos, end)
    pos += varint_length(payload, pos, end)
    if n_bytes == _NO_LENGTH:
        return -1
    if kind == _CLOSE:
        if n_bytes > end - pos:
            return -1
        taker.take_close(first, False, payload[pos : pos + n_bytes])
        return pos + n_bytes
    if kind == _RESET_STREAM_AT:
        if read_varint(payload, pos, end) == _NO_LENGTH:
            return -1
        pos += varint_length(payload, pos, end)
    taker.take_reset(first, second)
    return pos
