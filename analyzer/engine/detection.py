"""Detects TLS by its first bytes.

TLS may begin with the first byte of a connection, or after another protocol has agreed on it: STARTTLS of mail, LDAP, XMPP and
databases, HTTP CONNECT, SOCKS, the PROXY protocol, RDP. In all these cases, the first TLS data on the wire is a hello in its
own record. The functions here recognize such a start. They also work with only some of its bytes.
"""

import cython

from analyzer.tls.record.content_types import APPLICATION_DATA, HANDSHAKE, HEADER
from analyzer.tls.record.record_reader import plausible

MIN_HELLO = 11
"""Bytes that identify a hello: record header, handshake header, version."""

SPLIT = 6
"""Bytes that identify a hello, without the record header: the handshake header and the version."""

MIN_CIPHERTEXT = 17
"""Bytes of the shortest encrypted record of all cipher suites in practice: a type or one byte, and a tag of 16."""


def hello_at(data: bytes, pos: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.int:
    """Return what begins at `pos`: 1 for a ClientHello, 2 for a ServerHello, 0 for too few bytes, -1 for neither."""
    n: cython.Py_ssize_t = min(end - pos, MIN_HELLO)
    if n < 1 or data[pos] != HANDSHAKE:
        return -1 if n > 0 else 0
    if (n > 1 and data[pos + 1] != 3) or (n > 2 and data[pos + 2] > 4) or (n > 3 and data[pos + 3] > 0x48):
        return -1
    if n > 4 and data[pos + 3] == 0 and data[pos + 4] < SPLIT:
        return split_hello_at(data, pos, end)
    if (n > 5 and data[pos + 5] != 1 and data[pos + 5] != 2) or (n > 6 and data[pos + 6] != 0):
        return -1
    if n > 9 and data[pos + 9] != 3 and (data[pos + 9] != 0x7F or data[pos + 5] != 2):
        return -1
    if n < MIN_HELLO:
        return 0
    return data[pos + 5]


def split_hello_at(data: bytes, pos: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.int:
    """Return the same as `hello_at`, for a first record that is too short for the hello.

    A message may be split over several records (RFC 9846 section 5.1).
    """
    found: cython.int = 0
    kind: cython.int = 0
    left: cython.int = 0
    while found < SPLIT:
        if left == 0:
            if (end - pos > 0 and data[pos] != HANDSHAKE) or (end - pos > 1 and data[pos + 1] != 3):
                return -1
            if end - pos < HEADER:
                return 0
            left = data[pos + 3] << 8 | data[pos + 4]
            pos += HEADER
            if left == 0:
                return -1
        if pos == end:
            return 0
        if found == 0:
            kind = data[pos]
            if kind != 1 and kind != 2:
                return -1
        elif (found == 1 and data[pos] != 0) or (found == 4 and data[pos] != 3 and (data[pos] != 0x7F or kind != 2)):
            return -1
        found += 1
        left -= 1
        pos += 1
    return kind


def ssl2_hello_at(data: bytes, pos: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.int:
    """Return whether a CLIENT-HELLO in an SSL 2.0 record begins at `pos`: 1 for yes, 0 for too few bytes, -1 for no.

    draft-hickman-netscape-ssl-00 section 2.5; RFC 5246 appendix E.2 for hellos that offer SSL 3.0 and later.
    """
    n: cython.Py_ssize_t = min(end - pos, MIN_HELLO)
    if (n > 0 and data[pos] & 0x80 == 0) or (n > 2 and data[pos + 2] != 1):
        return -1
    if n > 4 and (data[pos + 3] << 8 | data[pos + 4]) != 2 and (data[pos + 3] != 3 or data[pos + 4] > 4):
        return -1
    if n < MIN_HELLO:
        return 0
    length: cython.int = (data[pos] & 0x7F) << 8 | data[pos + 1]
    specs: cython.int = data[pos + 5] << 8 | data[pos + 6]
    identifier: cython.int = data[pos + 7] << 8 | data[pos + 8]
    challenge: cython.int = data[pos + 9] << 8 | data[pos + 10]
    if specs == 0 or specs % 3 or (identifier != 0 and identifier != 16) or challenge < 16 or challenge > 32:
        return -1
    return 1 if length == 9 + specs + identifier + challenge else -1


def ciphertext_at(data: bytes, pos: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.bint:
    """Return whether `data[pos:end]` begins with a record of application data, and then ends or has another record header."""
    if not plausible(data, pos, end) or data[pos] != APPLICATION_DATA or data[pos + 2] == 0:
        return False
    length: cython.int = data[pos + 3] << 8 | data[pos + 4]
    after: cython.Py_ssize_t = pos + HEADER + length
    return length >= MIN_CIPHERTEXT and (after == end or plausible(data, after, end))
