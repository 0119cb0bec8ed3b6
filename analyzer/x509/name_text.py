"""Converts names in certificates to text: distinguished names (RFC 4514), and general names (RFC 5280, section 4.2.1.6).

A distinguished name is a sequence of sets of attributes, most significant first; its text has the reverse order. Attribute
types without a short name in RFC 4514 are written as dotted numbers. Strings have a dozen ASN.1 types, and many certificates
contain UTF-8 or Latin-1 where the type does not allow it. Therefore the bytes are decoded in the way that is possible.
"""

import re
from socket import AF_INET, AF_INET6, inet_ntop

from analyzer.codec.errors import Malformed
from analyzer.x509.der import (
    OBJECT_IDENTIFIER,
    SEQUENCE,
    SET,
    Element,
    expect,
    object_identifier,
    read_element,
)
from analyzer.x509.object_identifiers import names

ATTRIBUTES = 4096
"""Maximum number of attributes of one distinguished name; real ones have up to about twenty, those in parser tests two
thousand."""

_ATTRIBUTE_TYPES = names("attribute")
_UNIVERSAL_STRING = 0x1C
_BMP_STRING = 0x1E
# UTF8, Numeric, Printable, Teletex, Videotex, IA5, Graphic, Visible, General
_OCTET_STRINGS = frozenset((0x0C, 0x12, 0x13, 0x14, 0x15, 0x16, 0x19, 0x1A, 0x1B))
_ESCAPED = re.compile(r'[\\"+,;<>\0]|\A[# ]| \Z')
_ESCAPES = str.maketrans({"\0": "\\00"} | {character: f"\\{character}" for character in '\\"+,;<>'})
_NOT_A_HOST = re.compile(r"[0-9.]+\Z|.*:", re.DOTALL)


def distinguished_name(data: bytes, start: int, end: int, field: str) -> str:
    """Return the text of the RDNSequence whose value is `data[start:end]`, empty for the empty name. Raises `Malformed`."""
    relative: list[str] = []
    left = ATTRIBUTES
    pos = start
    while pos < end:
        if len(relative) == ATTRIBUTES:
            raise Malformed(field, pos, f"over {ATTRIBUTES} sets of attributes")
        _, at, stop, pos = expect(data, pos, end, SET, field)
        attributes = _attributes(data, at, stop, field, left)
        left -= len(attributes)
        relative.append("+".join(attributes))
    relative.reverse()
    return ",".join(relative)


def relative_distinguished_name(data: bytes, start: int, end: int, field: str) -> str:
    """Return the text of one set of attributes, whose value is `data[start:end]`. Raises `Malformed`."""
    return "+".join(_attributes(data, start, end, field, ATTRIBUTES))


def general_name(data: bytes, element: Element, field: str) -> str:
    """Return one GeneralName as text. Raises `Malformed`.

    DNS names and IP addresses have no prefix. The other kinds have the prefixes of OpenSSL: `email:`, `URI:`, `dirName:`,
    `RID:`, `otherName:` (with its type), and `0x…:` for the rest, with hex contents. A DNS name that is not valid as one (an
    address, or with a colon) has the prefix `DNS:`, so it cannot be mistaken for a name of another kind.
    """
    tag, start, end, _ = element
    content = data[start:end]
    if tag == 0x82:
        name = decode_octets(content)
        return f"DNS:{name}" if _NOT_A_HOST.match(name) else name
    if tag == 0x87:
        if len(content) == 4:
            return inet_ntop(AF_INET, content)
        if len(content) == 16:
            return inet_ntop(AF_INET6, content)
        raise Malformed(field, start, f"{len(content)} bytes are no IP address")
    if tag == 0x81:
        return f"email:{decode_octets(content)}"
    if tag == 0x86:
        return f"URI:{decode_octets(content)}"
    if tag == 0xA4:
        _, inner, stop, _ = expect(data, start, end, SEQUENCE, field)
        return f"dirName:{distinguished_name(data, inner, stop, field)}"
    if tag == 0x88:
        return f"RID:{dotted(content, start, field)}"
    if tag == 0xA0:
        _, inner, stop, _ = expect(data, start, end, OBJECT_IDENTIFIER, field)
        return f"otherName:{dotted(data[inner:stop], inner, field)}"
    return f"0x{tag:02x}:{content.hex()}"


def decode_octets(content: bytes) -> str:
    """Return a string's text: UTF-8 if it is valid, which includes ASCII, else Latin-1, which is always valid."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def dotted(content: bytes, offset: int, field: str) -> str:
    """Return an object identifier in dotted form; `offset` is its position. Raises `Malformed`."""
    try:
        return object_identifier(content)
    except ValueError as error:
        raise Malformed(field, offset, str(error)) from error


def string(data: bytes, element: Element) -> str | None:
    """Return the text of a string of any ASN.1 type, of which certificates use ten; None if it is not a string."""
    tag, start, end, _ = element
    if tag in _OCTET_STRINGS:
        return decode_octets(data[start:end])
    if tag == _BMP_STRING:
        return data[start:end].decode("utf-16-be", "replace")
    if tag == _UNIVERSAL_STRING:
        return data[start:end].decode("utf-32-be", "replace")
    return None


def _attributes(data: bytes, at: int, stop: int, field: str, left: int) -> list[str]:
    attributes: list[str] = []
    while at < stop:
        if len(attributes) >= left:
            raise Malformed(field, at, f"over {ATTRIBUTES} attributes")
        _, inner, last, at = expect(data, at, stop, SEQUENCE, field)
        _, first, inner_end, inner = expect(data, inner, last, OBJECT_IDENTIFIER, field)
        kind = data[first:inner_end]
        value = _attribute_value(data, inner, last, field)
        attributes.append(f"{_ATTRIBUTE_TYPES.get(kind) or dotted(kind, first, field)}={value}")
    return attributes


def _attribute_value(data: bytes, pos: int, end: int, field: str) -> str:
    element = read_element(data, pos, end, field)
    text = string(data, element)
    if text is None:
        return "#" + data[pos : element[3]].hex()
    return _escape(text) if _ESCAPED.search(text) else text


def _escape(text: str) -> str:
    escaped = text.translate(_ESCAPES)
    if text[0] in "# ":
        escaped = f"\\{escaped}"
    if text[-1] == " " and len(text) > 1:
        escaped = f"{escaped[:-1]}\\ "
    return escaped
