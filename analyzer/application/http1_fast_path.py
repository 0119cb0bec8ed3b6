"""Reads the start line and header section of an ordinary HTTP/1.1 message in one pass over its bytes.

Nearly all messages are ordinary: the start line and the field lines are printable ASCII and end with CR and LF
(RFC 9112 sections 2 to 5), and one Content-Length or none announces the body. They need no leniency, so there is nothing to
report. For all others the functions return None, and `header_fields` reads them. It would return the same result for ordinary
ones, in several passes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.application.exchange import Fields
from analyzer.application.header_fields import FIELDS_MAX, LENGTH_DIGITS_MAX

if TYPE_CHECKING:
    import cython

_TOKEN: Final = bytes(
    chr(octet) in "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" for octet in range(256)
)
"""For every byte value whether it may be in a token (RFC 9110 section 5.6.2)."""

_CR, _LF, _BLANK, _SLASH, _ZERO, _COLON, _LAST_PRINTABLE = b"\r\n /0:~"

_VERSION_AND_END: Final = b" HTTP/1.1\r\n"
_MAX_FIELDS: Final = FIELDS_MAX
_MAX_DIGITS: Final = LENGTH_DIGITS_MAX


class FastPathMessage:
    """The content of an ordinary start line and header section.

    method, path: of a request. status: of a response. fields: in wire order. n_bytes: size of the lines of these fields. host:
    value of the first Host field. n_hosts: number of Host fields. length: value of Content-Length, -1 without one. end: where
    the header section ends.
    """

    __slots__ = ("end", "fields", "host", "length", "method", "n_bytes", "n_hosts", "path", "status", "version")

    def __init__(self) -> None:
        self.method = ""
        self.path = ""
        self.status = 0
        self.version = "1.1"
        self.fields: Fields = []
        self.n_bytes = 0
        self.host: str | None = None
        self.n_hosts = 0
        self.length = -1
        self.end = 0


def read_plain_request(data: bytes, end: cython.Py_ssize_t) -> FastPathMessage | None:
    """Read a request at the start of `data`, up to `end`. Return None if its header section is not complete or not ordinary."""
    pos = plain_request_line(data, end)
    if pos == 0:
        return None
    head = FastPathMessage()
    blank: cython.Py_ssize_t = data.find(b" ", 0, pos)
    head.method = data[:blank].decode("ascii")
    if head.method == "CONNECT":
        return None
    head.path = data[blank + 1 : pos - len(_VERSION_AND_END)].decode("ascii")
    return head if _read_fields(head, data, pos, end) else None


def read_plain_response(data: bytes, end: cython.Py_ssize_t) -> FastPathMessage | None:
    """Read a response at the start of `data`, up to `end`. Return None if its header section is not complete or not
    ordinary."""
    pos: cython.Py_ssize_t
    status: cython.int = 0
    if end < 15 or not data.startswith(b"HTTP/1.") or data[8] != _BLANK:
        return None
    for pos in range(9, 12):
        if not _ZERO <= data[pos] <= _ZERO + 9:
            return None
        status = status * 10 + data[pos] - _ZERO
    pos = 12
    if data[pos] == _BLANK:
        while pos < end and _BLANK <= data[pos] <= _LAST_PRINTABLE:
            pos += 1
    if end - pos < 2 or data[pos] != _CR or data[pos + 1] != _LF:
        return None
    head = FastPathMessage()
    head.status = status
    if data[7] == _ZERO:
        head.version = "1.0"
    elif data[7] != _ZERO + 1:
        return None
    return head if _read_fields(head, data, pos + 2, end) else None


def plain_request_line(data: bytes, end: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Return the end of an ordinary request line at the start of `data`, including its CR and LF, up to `end`; 0 if there is
    none."""
    token: bytes = _TOKEN
    pos: cython.Py_ssize_t = 0
    while pos < end and token[data[pos]]:
        pos += 1
    if pos == 0 or end - pos < 2 or data[pos] != _BLANK or data[pos + 1] != _SLASH:
        return 0
    pos += 1
    while pos < end and _BLANK < data[pos] <= _LAST_PRINTABLE:
        pos += 1
    n: cython.Py_ssize_t = len(_VERSION_AND_END)
    return pos + n if n <= end - pos and data.startswith(_VERSION_AND_END, pos) else 0


def _read_fields(head: FastPathMessage, data: bytes, pos: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.bint:
    """Read field lines up to the empty line. Return False if they are not complete or not ordinary."""
    token: bytes = _TOKEN
    fields: Fields = head.fields
    first: cython.Py_ssize_t = pos
    start: cython.Py_ssize_t
    colon: cython.Py_ssize_t
    low: cython.Py_ssize_t
    high: cython.Py_ssize_t
    while end - pos >= 2:
        if data[pos] == _CR:
            if data[pos + 1] != _LF:
                return False
            head.n_bytes = pos - 1 - first if fields else 0
            head.end = pos + 2
            return True
        start = pos
        while pos < end and token[data[pos]]:
            pos += 1
        if pos in (start, end) or data[pos] != _COLON or len(fields) == _MAX_FIELDS:
            return False
        colon = pos
        pos += 1
        while pos < end and _BLANK <= data[pos] <= _LAST_PRINTABLE:
            pos += 1
        if end - pos < 2 or data[pos] != _CR or data[pos + 1] != _LF:
            return False
        low = colon + 1
        high = pos
        while low < high and data[low] == _BLANK:
            low += 1
        while high > low and data[high - 1] == _BLANK:
            high -= 1
        value = data[low:high].decode("ascii")
        fields.append((data[start:colon].decode("ascii"), value))
        if not _read_named_field(head, data, start, colon - start, value):
            return False
        pos += 2
    return False


def _read_named_field(
    head: FastPathMessage, data: bytes, start: cython.Py_ssize_t, n_name: cython.Py_ssize_t, value: str
) -> cython.bint:
    """Read a field that concerns the framing or the coding. Return False for one that an ordinary header section does not
    have."""
    if n_name == 4:
        if _is_named(data, start, b"host"):
            if head.n_hosts == 0:
                head.host = value
            head.n_hosts += 1
    elif n_name == 14:
        if _is_named(data, start, b"content-length"):
            return head.length < 0 and _take_length(head, value)
    elif n_name == 7:
        return not _is_named(data, start, b"upgrade")
    elif n_name == 16:
        return not _is_named(data, start, b"content-encoding")
    elif n_name == 17:
        return not _is_named(data, start, b"transfer-encoding")
    return True


def _is_named(data: bytes, start: cython.Py_ssize_t, name: bytes) -> cython.bint:
    """Return whether the token at `start`, which has the length of `name`, is that lower-case name."""
    i: cython.Py_ssize_t = 0
    n: cython.Py_ssize_t = len(name)
    while i < n and data[start + i] | 0x20 == name[i]:
        i += 1
    return i == n


def _take_length(head: FastPathMessage, text: str) -> cython.bint:
    """Read the value of Content-Length. Return False if it is not one number."""
    if not 0 < len(text) <= _MAX_DIGITS or not text.isdigit():
        return False
    head.length = int(text)
    return True
