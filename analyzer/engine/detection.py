"""Detects TLS by its first bytes.

TLS may begin with the first byte of a connection, or after another protocol has agreed on it: STARTTLS of mail, LDAP, XMPP and
databases, HTTP CONNECT, SOCKS, the PROXY protocol, RDP. In all these cases, the first TLS data on the wire is a hello in its
own record. The functions here recognize such a start. They also work with only some of its bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.codec.registry import registry
from analyzer.tls.messages.numbers import (
    CERTIFICATE,
    CERTIFICATE_REQUEST,
    CERTIFICATE_STATUS,
    CERTIFICATE_VERIFY,
    CLIENT_KEY_EXCHANGE,
    NEW_SESSION_TICKET,
    SERVER_HELLO_DONE,
    SERVER_KEY_EXCHANGE,
)
from analyzer.tls.record.content_types import (
    ALERT,
    APPLICATION_DATA,
    CHANGE_CIPHER_SPEC,
    ENCRYPTED_ALERT_13,
    HANDSHAKE,
    HEADER,
    LENGTH_OF_ALERT,
)
from analyzer.tls.record.record_reader import plausible

if TYPE_CHECKING:
    import cython

MIN_HELLO = 11
"""Bytes that identify a hello: record header, handshake header, version."""

SPLIT = 6
"""Bytes that identify a hello, without the record header: the handshake header and the version."""

MIN_CIPHERTEXT = 17
"""Bytes of the shortest encrypted record of all cipher suites in practice: a type or one byte, and a tag of 16."""

ALERTS = frozenset(registry("alert_descriptions"))
"""The descriptions of alerts that are assigned."""

MESSAGE_HEADER = 4
"""Bytes of a handshake message before its body: its type and its length."""

OF_EITHER = 256
"""What `late_record_at` returns for a record that either side may send."""

_OF_CLIENTS = frozenset({CLIENT_KEY_EXCHANGE})
_OF_SERVERS = frozenset({NEW_SESSION_TICKET, SERVER_KEY_EXCHANGE, CERTIFICATE_REQUEST, SERVER_HELLO_DONE, CERTIFICATE_STATUS})
_LATE = frozenset({CERTIFICATE, CERTIFICATE_VERIFY}) | _OF_CLIENTS | _OF_SERVERS
"""The messages that are sent in plaintext after the hellos, up to TLS 1.2."""


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


def late_record_at(data: bytes, pos: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.int:
    """Return who sends `data[pos:end]` if it begins with a record of TLS whose hellos are not in the capture.

    0 for the client, 1 for the server, OF_EITHER for one of them, -1 if it is no such record. That is a record of application
    data, a ChangeCipherSpec, or a message in plaintext up to TLS 1.2 whose length fits into its record (RFC 5246 sections 7.1
    and 7.4). Behind it comes the end or another record header.
    """
    if ciphertext_at(data, pos, end):
        return OF_EITHER
    if not plausible(data, pos, end):
        return -1
    length: cython.int = data[pos + 3] << 8 | data[pos + 4]
    body: cython.Py_ssize_t = pos + HEADER
    after: cython.Py_ssize_t = body + length
    if after < end and not plausible(data, after, end):
        return -1
    if data[pos] == CHANGE_CIPHER_SPEC:
        return OF_EITHER if length == 1 and body < end and data[body] == 1 else -1
    if data[pos] != HANDSHAKE or length < MESSAGE_HEADER or end - body < MESSAGE_HEADER:
        return -1
    kind: cython.int = data[body]
    following: cython.Py_ssize_t = body + MESSAGE_HEADER + (data[body + 1] << 16 | data[body + 2] << 8 | data[body + 3])
    if kind not in _LATE or following > after or (following < after and following < end and data[following] not in _LATE):
        return -1
    if kind in _OF_CLIENTS:
        return 0
    return 1 if kind in _OF_SERVERS else OF_EITHER


def is_plain_alert(data: bytes, pos: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.bint:
    """Return whether `data[pos:end]` begins with an alert in plaintext (RFC 5246 section 7.2), and then ends or has a record.

    A server that receives no ClientHello, or plain HTTP, answers with nothing else.
    """
    if data[pos] != ALERT or HEADER + LENGTH_OF_ALERT > end - pos or not plausible(data, pos, end):
        return False
    if data[pos + 3] != 0 or data[pos + 4] != LENGTH_OF_ALERT or (data[pos + 5] != 1 and data[pos + 5] != 2):
        return False
    after: cython.Py_ssize_t = pos + HEADER + LENGTH_OF_ALERT
    return data[pos + 6] in ALERTS and (after == end or plausible(data, after, end))


def is_closing(data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.bint:
    """Return whether a segment ends with a record that can be an alert: of that type, or as long as one of TLS 1.3.

    Whether it is a close_notify is not visible. Alerts of the usual cipher suites are recognized.
    """
    return (
        _ends_with(data, start, end, ENCRYPTED_ALERT_13, APPLICATION_DATA)
        or _ends_with(data, start, end, LENGTH_OF_ALERT, ALERT)
        or _ends_with(data, start, end, 26, ALERT)  # GCM and CCM: a nonce of 8 bytes, a tag of 16
        or _ends_with(data, start, end, 18, ALERT)  # ChaCha20-Poly1305, CCM_8
        or _ends_with(data, start, end, 32, ALERT)  # CBC with SHA-1, up to TLS 1.0
        or _ends_with(data, start, end, 48, ALERT)  # the same since TLS 1.1
        or _ends_with(data, start, end, 64, ALERT)  # CBC with SHA-256
        or _ends_with(data, start, end, 80, ALERT)  # CBC with SHA-384
    )


def _ends_with(
    data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t, length: cython.int, content_type: cython.int
) -> cython.bint:
    at: cython.Py_ssize_t = end - length - HEADER
    if at < start or data[at] != content_type or data[at + 1] != 3:
        return False
    return data[at + 2] <= 4 and data[at + 3] == 0 and data[at + 4] == length
