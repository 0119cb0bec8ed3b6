"""Distinguished names compared (RFC 5280, section 7.1), whatever the case of letters, the kind of string and repeated spaces.

Issuer and subject of two certificates of one path have to be the same name. Most authorities copy the octets; some have changed
the type of a string when they renewed a certificate, and their chains work everywhere, because names are compared by meaning.
"""

from functools import lru_cache

from analyzer.codec.errors import Malformed, ParseError
from analyzer.x509.der import OBJECT_IDENTIFIER, SEQUENCE, SET, expect, read_element

REMEMBERED = 4096
"""Names remembered: a few authorities issue all certificates."""

REMEMBERED_SIZE = 512
"""Longest name remembered, in bytes; most take about 100."""

ATTRIBUTES = 4096
"""Attributes compared of one name."""

_ENCODINGS = {0x0C: "utf-8", 0x13: "ascii", 0x14: "latin-1", 0x16: "ascii", 0x1A: "ascii", 0x1E: "utf-16-be", 0x1C: "utf-32-be"}


def name_key(content: bytes) -> bytes:
    """Give octets that are equal for two names exactly when the names are; `content` is the value of the RDNSequence.

    A name that cannot be read is its own octets.
    """
    return _remembered(content) if len(content) <= REMEMBERED_SIZE else _name_key(content)


def relative_names(content: bytes) -> tuple[bytes, ...]:
    """Give the key of each relative distinguished name, most significant first; empty when the name cannot be read."""
    try:
        return tuple(_relative_names(content))
    except ParseError:
        return ()


def attributes(content: bytes, kind: bytes) -> list[tuple[int, bytes]]:
    """Give tag and octets of each value of one attribute type (octets of its identifier), as far as can be read."""
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
                if content[first:after] == kind:
                    tag, first, after, _ = read_element(content, inner, last, "name")
                    values.append((tag, content[first:after]))
    except ParseError:
        return values
    return values


def text(tag: int, value: bytes) -> str:
    """Give a string of a name as text, whatever its octets are."""
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
