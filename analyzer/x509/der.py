"""Reads the distinguished encoding rules tolerantly (DER, ITU-T X.690).

A certificate consists of elements: tag, length, value. A reader takes the bytes, and the bounds of the enclosing element. It
returns an element as `(tag, start, end, after)`: the first byte of its tag, its value `data[start:end]`, and where the next
element begins. Offsets are absolute, so a parse error gives the position in the certificate.

DER allows one encoding of each value, BER many. Certificates on the wire break DER in harmless ways. Therefore lengths that are
longer than necessary, and indefinite lengths, are accepted. What no reader could accept, such as a length beyond the enclosing
element, is `Malformed`.
"""

from functools import lru_cache
from typing import TypeAlias

from analyzer.codec.errors import Malformed

Element: TypeAlias = tuple[int, int, int, int]
"""The first byte of the tag, start and end of the value, offset after the element."""

BOOLEAN = 0x01
INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
OBJECT_IDENTIFIER = 0x06
UTC_TIME = 0x17
GENERALIZED_TIME = 0x18
SEQUENCE = 0x30
SET = 0x31

INDEFINITE = -1

TAG_LENGTH = 8
"""Maximum bytes of a tag and the first byte of its length; certificates use tags of one byte."""

DEPTH = 32
"""Maximum depth of nested indefinite lengths: certificates nest about ten levels, and each level costs a pass over its
content."""

INDEFINITE_ELEMENTS = 4096
"""Maximum number of elements that are skipped to find the end of an indefinite length; a few megabytes of empty ones take
seconds."""

OBJECT_IDENTIFIER_LENGTH = 64
"""Maximum bytes of an object identifier. Those in use have at most 20; the decimal form takes time with the square of the
length."""


def read_element(data: bytes, pos: int, end: int, field: str) -> Element:
    """Read the element at `pos`, which must end by `end`. Raises `Malformed`."""
    if end - pos < 2:
        raise Malformed(field, pos, f"{end - pos} bytes are no element")
    tag = data[pos]
    length = data[pos + 1]
    if length < 0x80 and tag & 0x1F != 0x1F:
        start = pos + 2
        if length > end - start:
            raise Malformed(field, pos, f"length {length}, but {end - start} bytes left")
        return tag, start, start + length, start + length
    # The usual long form. Rare forms, and lengths beyond the end, are left to the general reader.
    start = pos + 2 + (length & 0x7F)
    if length > 0x80 and tag & 0x1F != 0x1F and start <= end:
        after = start + int.from_bytes(data[pos + 2 : start], "big")
        if after <= end:
            return tag, start, after, after
    return _read_long(data, pos, end, field)


def read_header(data: bytes, pos: int, end: int, field: str) -> tuple[int, int, int]:
    """Read tag and length at `pos`: the first byte of the tag, the start of the value, and its length in bytes or `INDEFINITE`.

    It does not check whether the value ends within the bounds. Raises `Malformed` if tag and length themselves do not.
    """
    at = pos
    if end - pos < 2:
        raise Malformed(field, at, f"{end - pos} bytes are no element")
    tag = data[pos]
    pos += 1
    if tag & 0x1F == 0x1F:
        stop = min(end, pos + TAG_LENGTH)
        while pos < stop and data[pos] & 0x80:
            pos += 1
        pos += 1
        if pos >= stop:
            raise Malformed(field, at, "the tag has no end in reach")
    length = data[pos]
    pos += 1
    if length < 0x80:
        return tag, pos, length
    if length == 0x80:
        if not tag & 0x20:
            raise Malformed(field, at, "indefinite length of a primitive element")
        return tag, pos, INDEFINITE
    n_octets = length & 0x7F
    if n_octets > end - pos:
        raise Malformed(field, at, f"length of {n_octets} octets, but {end - pos} bytes left")
    return tag, pos + n_octets, int.from_bytes(data[pos : pos + n_octets], "big")


def expect(data: bytes, pos: int, end: int, tag: int, field: str) -> Element:
    """Read the element at `pos` and require its tag. Raises `Malformed`."""
    # Most elements are short, and reading one here is faster than a function call.
    if end - pos > 1 and data[pos] == tag and tag & 0x1F != 0x1F:
        start = pos + 2
        after = start + data[pos + 1]
        if after - start < 0x80 and after <= end:
            return tag, start, after, after
    element = read_element(data, pos, end, field)
    if element[0] != tag:
        raise Malformed(field, pos, f"tag 0x{element[0]:02x}, not 0x{tag:02x}")
    return element


def object_identifier(content: bytes) -> str:
    """Return an OBJECT IDENTIFIER's value in dotted form. Raises `ValueError` if the bytes are not valid or over the limit."""
    if not content or content[-1] & 0x80 or len(content) > OBJECT_IDENTIFIER_LENGTH:
        raise ValueError(f"{len(content)} bytes are no object identifier")
    return _dotted(content)


def encode_object_identifier(dotted: str) -> bytes:
    """Return the value bytes of a dotted object identifier, without tag and length."""
    first, second, *rest = map(int, dotted.split("."))
    encoded = bytearray()
    for arc in (40 * first + second, *rest):
        octets = [arc & 0x7F]
        while arc := arc >> 7:
            octets.append(arc & 0x7F | 0x80)
        encoded += bytes(reversed(octets))
    return bytes(encoded)


@lru_cache(maxsize=1024)
def _dotted(content: bytes) -> str:
    arcs: list[int] = []
    arc = 0
    for octet in content:
        arc = arc << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def _read_long(data: bytes, pos: int, end: int, field: str) -> Element:
    """Read an element whose tag or length needs more than one byte."""
    tag, start, length = read_header(data, pos, end, field)
    if length == INDEFINITE:
        stop = _end_of_contents(data, start, end, field)
        return tag, start, stop, stop + 2
    if length > end - start:
        raise Malformed(field, pos, f"length {length}, but {end - start} bytes left")
    return tag, start, start + length, start + length


def _end_of_contents(data: bytes, pos: int, end: int, field: str) -> int:
    """Find the end-of-contents octets of the indefinite length that begins just before `pos`."""
    opened = pos
    depth = 1
    for _ in range(INDEFINITE_ELEMENTS):
        if data[pos : min(pos + 2, end)] == b"\0\0":
            depth -= 1
            if not depth:
                return pos
            pos += 2
            continue
        _, start, length = read_header(data, pos, end, field)
        if length == INDEFINITE:
            depth += 1
            length = 0
        if depth > DEPTH or length > end - start:
            break
        pos = start + length
    raise Malformed(field, opened, "indefinite length without an end in reach")
