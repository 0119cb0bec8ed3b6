"""Reads the headers of DTLS records in a datagram (RFC 9147 section 4, RFC 6347 section 4.1, RFC 9146 section 4).

A datagram has one record or more, and no record continues in the next one. A record in plaintext, and every record up to DTLS
1.2, says content type, version, epoch, sequence number and length in 13 bytes; with a connection ID, which stands before the
length, the content type is tls12_cid. Protected records of DTLS 1.3 have a unified header instead. It begins with the bits
001CSLEE: whether a connection ID follows, whether the sequence number has two bytes, whether the length follows, and the last
two bits of the epoch. No header says how long its connection ID is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.codec.byte_slices import slice_bytes
from analyzer.tls.record.content_types import APPLICATION_DATA, HANDSHAKE, MAX_RECORD
from analyzer.tls.record.record import Record

if TYPE_CHECKING:
    import cython

TLS12_CID, ACK = 25, 26
"""Content types that only DTLS has (RFC 9146 section 4, RFC 9147 section 7)."""

PLAIN_HEADER, FRAGMENT_HEADER = 13, 12
"""Lengths in bytes of the headers of a record without a connection ID, and of a fragment of a handshake message."""

UNIFIED = 0xFEFC
"""The version of records with a unified header, which do not name one."""

FIRST_BYTES, END_OF_FIRST_BYTES = 20, 64
"""The range of a datagram's first byte that belongs to DTLS where other protocols share its ports (RFC 7983 section 7)."""

_FORM, _FORM_MASK, _HAS_ID, _LONG_NUMBER, _HAS_LENGTH, _EPOCH = 0x20, 0xE0, 0x10, 0x08, 0x04, 0x03
_UNIFIED, _MAX_PLAIN, _PLAIN, _CID = UNIFIED, MAX_RECORD, PLAIN_HEADER, TLS12_CID


def read_record(
    record: Record,
    data: bytes,
    start: cython.Py_ssize_t,
    end: cython.Py_ssize_t,
    id_length: cython.Py_ssize_t,
    missing: cython.longlong,
) -> cython.Py_ssize_t:
    """Read the record at `start`, and return the position behind it; -1 if no record begins there.

    id_length: of the connection IDs under which the receiver is reached, -1 if it is not known. missing: bytes that the capture
    lacks behind `end`. `record.body` is the whole record with its header of `record.header` bytes; `record.offset` the sequence
    number, of a unified header its encrypted bits. `record.length` does not count the header.
    """
    if start >= end:
        return -1
    first: cython.int = data[start]
    if first & _FORM_MASK == _FORM:
        return read_unified(record, data, start, end, id_length, missing)
    if end - start < _PLAIN or not 20 <= first <= 26 or not is_version(data[start + 1], data[start + 2]):
        return -1
    at: cython.Py_ssize_t = start + 11
    if first == _CID:
        if id_length < 0:  # nothing shows where its length stands: it takes the rest of the datagram
            id_length = 0
            at = end - 2
        at += id_length
        if 2 > end - at:
            return -1
    length: cython.longlong = data[at] << 8 | data[at + 1]
    if first == _CID and at == end - 2:
        length = 0
    rest: cython.longlong = end - at - 2
    if length > _MAX_PLAIN or (length > rest + missing):
        return -1
    record.content_type = first
    record.version = data[start + 1] << 8 | data[start + 2]
    record.epoch = data[start + 3] << 8 | data[start + 4]
    number: cython.longlong = data[start + 5] << 8 | data[start + 6]
    number = number << 16 | data[start + 7] << 8 | data[start + 8]
    record.offset = number << 16 | data[start + 9] << 8 | data[start + 10]
    finish_record(record, data, start, at + 2, length, end)
    return at + 2 + min(length, rest)


def read_unified(
    record: Record,
    data: bytes,
    start: cython.Py_ssize_t,
    end: cython.Py_ssize_t,
    id_length: cython.Py_ssize_t,
    missing: cython.longlong,
) -> cython.Py_ssize_t:
    """Read a record with a unified header: see `read_record`. Without a length it takes the rest of the datagram."""
    first: cython.int = data[start]
    at: cython.Py_ssize_t = start + 1
    if first & _HAS_ID:
        at += max(id_length, 0)
    n_number: cython.Py_ssize_t = 2 if first & _LONG_NUMBER else 1
    if n_number + 2 > end - at:
        return -1
    number: cython.longlong = data[at]
    if n_number == 2:
        number = number << 8 | data[at + 1]
    at += n_number
    length: cython.longlong = end - at + missing
    if first & _HAS_LENGTH:
        length = data[at] << 8 | data[at + 1]
        at += 2
    rest: cython.longlong = end - at
    if length > _MAX_PLAIN or length > rest + missing:
        return -1
    record.content_type = APPLICATION_DATA
    record.version = _UNIFIED
    record.epoch = first & _EPOCH
    record.offset = number
    finish_record(record, data, start, at, length, end)
    return at + min(length, rest)


def finish_record(
    record: Record,
    data: bytes,
    start: cython.Py_ssize_t,
    body: cython.Py_ssize_t,
    length: cython.longlong,
    end: cython.Py_ssize_t,
) -> None:
    """Set body and lengths of a record whose header is read. body: position of its content; length: its bytes."""
    present: cython.longlong = min(length, end - body)
    record.header = body - start
    record.length = length
    record.missing = length - present
    record.body = slice_bytes(data, start, body + present)


def copy_content(plain: Record, record: Record) -> None:
    """Make `plain` a record like the other one, whose body has no header."""
    plain.role = record.role
    plain.content_type = record.content_type
    plain.version = record.version
    plain.epoch = record.epoch
    plain.body = record.body[record.header :]
    plain.length = record.length
    plain.missing = record.missing
    plain.offset = record.offset
    plain.frame = record.frame
    plain.at = record.at


def is_early(record: Record) -> cython.bint:
    """Return whether a record can be early data of DTLS 1.3: from the client, in epoch 1. Epoch 5 looks the same."""
    return record.version == _UNIFIED and record.epoch == 1 and record.role == 0


def is_version(major: cython.int, minor: cython.int) -> cython.bint:
    """Return whether a record can have that version: DTLS 1.0 or 1.2, or 1.0 as OpenSSL wrote it before the RFC."""
    return (major == 0xFE and (minor == 0xFF or minor == 0xFD)) or (major == 1 and minor == 0)


def begins_dtls(data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.bint:
    """Return whether a datagram begins with a hello of DTLS: ClientHello, HelloVerifyRequest or ServerHello in plaintext.

    All that is fixed in the headers of record and message is compared, so other protocols do not pass.
    """
    if end - start < 25 or data[start] != HANDSHAKE or not is_version(data[start + 1], data[start + 2]):
        return False
    if data[start + 3] != 0 or data[start + 4] != 0:
        return False
    length: cython.longlong = data[start + 11] << 8 | data[start + 12]
    at: cython.Py_ssize_t = start + 13
    size: cython.longlong = data[at + 1] << 16 | data[at + 2] << 8 | data[at + 3]
    offset: cython.longlong = data[at + 6] << 16 | data[at + 7] << 8 | data[at + 8]
    here: cython.longlong = data[at + 9] << 16 | data[at + 10] << 8 | data[at + 11]
    if not 1 <= data[at] <= 3 or length < 12 or here > length - 12 or offset > size or here > size - offset:
        return False
    if offset == 0 and here >= 2 and end - at >= 14:
        return data[at + 12] == 0xFE or (data[at + 12] == 1 and data[at + 13] == 0)
    return size > 0
