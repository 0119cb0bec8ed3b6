"""Compares distinguished names (RFC 5280, section 7.1): the case of letters, the string type and repeated spaces do not matter.

In a path the issuer of a certificate and the subject of the next must be the same name. Most authorities copy the bytes. Some
changed the string type when they renewed a certificate. Their chains work everywhere, because names are compared by meaning.
"""

from functools import lru_cache

from analyzer.codec.errors import Malformed, ParseError
from analyzer.x509.der import OBJECT_IDENTIFIER, SEQUENCE, SET, expect, read_element

REMEMBERED = 4096
"""Maximum number of cached names: a few authorities issue all certificates."""

REMEMBERED_SIZE = 512
"""Longest cached name, in bytes; most need about 100."""

ATTRIBUTES = 4096
"""Maximum number of attributes of one name that are compared."""

_ENCODINGS = {0x0C: "utf-8", 0x13: "ascii", 0x14: "latin-1", 0x16: "ascii", 0x1A: "ascii", 0x1E: "utf-16-be", 0x1C: "utf-32-be"}
_UNICODE = frozenset((0x0C, 0x1C, 0x1E))


def name_key(content: bytes) -> bytes:
    """Return bytes that are equal for two names exactly if the names are equal. `content` is the value of the RDNSequence.

    For a name that cannot be read, return its own bytes.
    """
    return _remembered(content) if len(content) <= REMEMBERED_SIZE else _name_key(content)


def relative_names(content: bytes) -> tuple[bytes, ...]:
    """Return the key of each relative distinguished name, most significant first; empty if the name cannot be read."""
    try:
        return tuple(_relative_names(content))
    except ParseError:
        return ()


def attributes(content: bytes, kind: bytes | None = None) -> list[tuple[int, bytes]]:
    """Return tag and bytes of each value of one attribute type, as far as they can be read.

    kind: bytes of its identifier; None for the values of all types.
    """
    values: list[tuple[int, bytes]] = []
    pos = 0
    try:
        for _ in range(ATTRIBUTES):
            if pos >= len(content):
                break
            _, at, stop, pos = expect(content, pos, len(content), SET, "name")
            while at < stop and len(values) < ATTRIBUTES:
                _, inner, last, at = expect(content, at, stop, SEQUENCE, "name")
                _, first, after, inner = expect(content, inner, last, OBJECT_IDENTIFIER, "name")
                if kind is None or content[first:after] == kind:
                    tag, first, after, _ = read_element(content, inner, last, "name")
                    values.append((tag, content[first:after]))
    except ParseError:
        return values
    return values


def has_undecodable_unicode(content: bytes) -> bool:
    """Return whether a UTF8String, BMPString or UniversalString in a name is no text: no verifier can read such a string."""
    for tag, value in attributes(content):
        try:
            if tag in _UNICODE:
                value.decode(_ENCODINGS[tag])
        except UnicodeDecodeError:
            return True
    return False


def text(tag: int, value: bytes) -> str:
    """Return a string of a name as text, for any bytes."""
    return value.decode(_ENCODINGS.get(tag, "utf-8"), "replace")


def _name_key(content: bytes) -> bytes:
    try:
        return b"".join(_relative_names(content))
    except ParseError:
        return content


_remembered = lru_cache(maxsize=REMEMBERED)(_name_key)


def _relative_names(content: bytes) -> list[bytes]:
    names: list[bytes] = []
    pos, left = 0, ATTRIBUTES
    while pos < len(content):
        if len(names) == ATTRIBUTES:
            raise Malformed("name", pos, f"over {ATTRIBUTES} sets of attributes")
        _, at, stop, pos = expect(content, pos, len(content), SET, "name")
        values: list[bytes] = []
        while at < stop:
            if not left:
                raise Malformed("name", at, f"over {ATTRIBUTES} attributes")
            left -= 1
            _, inner, last, at = expect(content, at, stop, SEQUENCE, "name")
            _, first, after, inner = expect(content, inner, last, OBJECT_IDENTIFIER, "name")
            tag, start, end, _ = read_element(content, inner, last, "name")
            value = _value(tag, content[start:end])
            values.append((after - first).to_bytes(4, "big") + content[first:after] + len(value).to_bytes(4, "big") + value)
        values.sort()
        names.append(len(values).to_bytes(2, "big") + b"".join(values))
    return names


def _value(tag: int, value: bytes) -> bytes:
    encoding = _ENCODINGS.get(tag)
    if encoding is None:
        return bytes((tag,)) + value
    try:
        return b"\0" + " ".join(value.decode(encoding).split()).casefold().encode()
    except UnicodeDecodeError:
        return bytes((tag,)) + value
