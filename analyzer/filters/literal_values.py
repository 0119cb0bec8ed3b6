"""Literals: what a number, a string, a character or a word means where a value of a certain type is expected.

As in Wireshark the type of the other side decides: `02` is a number beside a port, a byte beside `eth.src[0]`, and no Ethernet
address. Addresses are never looked up: a host name is refused.
"""

import math
import re
from collections.abc import Callable, Mapping
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from analyzer.filters.field import MAX_NEAREST, Field
from analyzer.filters.field_type import FieldType, Value
from analyzer.filters.filter_error import FilterError
from analyzer.filters.filter_lexer import MAX_NUMBER
from analyzer.filters.syntax_tree import Character, Literal, Number, String, Word
from analyzer.filters.typed_tree import Constant, ValueType

MAX_NAME = 100
"""Characters of a name that are compared with those of a field; the longest has some 90."""

_HEX_BYTES = re.compile(r"[0-9A-Fa-f]{1,2}|(?:[0-9A-Fa-f]{2})+")
_ONE_BYTE = re.compile(r"0[xX][0-9A-Fa-f]{1,2}")
_GUID = re.compile(r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}")
_OID = re.compile(r"[0-2](?:\.\d{1,39}){1,128}")
_PREFIX = re.compile(r"[0-9]{1,99}")
_NO_NUMBERS = {"inf", "infinity", "nan"}
_TRUTH = {1: "True", 0: "False"}
_ADDRESS_SIZES = {FieldType.ETHER: 6, FieldType.EUI64: 8}


def constant(node: Literal, wanted: ValueType, field: Field | None, partial: bool = False) -> Constant:
    """Return the literal as a value of a type.

    `field` is the field whose value strings the literal may be; with `partial` bytes may be fewer than an address has. A value
    string that two numbers have gives a constant of type STRING: the caller compares the names then. Raises FilterError.
    """
    named = _named(node, wanted, field)
    if named is not None:
        return named
    mask = None
    if wanted.type is FieldType.IPV4 or wanted.type is FieldType.IPV6:
        value, mask = _address(node, wanted)
        return Constant(node, wanted, value, mask)
    return Constant(node, wanted, _READERS[wanted.type](node, wanted, partial))


def bytes_of(text: str) -> bytes | None:
    """Return the bytes that pairs of hex digits are, separated by colons, hyphens or dots, or not at all; None otherwise."""
    if _ONE_BYTE.fullmatch(text):
        return bytes((int(text, 16),))
    out = bytearray()
    for piece in re.split(r"[:.-]", text.rstrip(":.-") if len(text) > 1 and text[-2:-1].isalnum() else text):
        if not _HEX_BYTES.fullmatch(piece):
            return None
        out += bytes.fromhex(piece.zfill(2))
    return bytes(out)


def oid_bytes(text: str) -> bytes | None:
    """Return the content octets of an object identifier in dotted form (X.690 section 8.19), or None where it is none."""
    if not _OID.fullmatch(text):
        return None
    first, second, *rest = map(int, text.split("."))
    if first < 2 and second > 39:
        return None
    out = bytearray()
    for arc in (first * 40 + second, *rest):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(arc & 0x7F | 0x80)
        out += bytes(reversed(groups))
    return bytes(out)


def refused(node: Literal, wanted: ValueType) -> FilterError:
    """Return the error for a literal that cannot be of a type."""
    return FilterError.of(node, f"{shown(node)} is no value of the type {wanted}")


def shown(node: Literal) -> str:
    """Return the literal as it is written."""
    return f'"{node.text}"' if isinstance(node, String) else node.text


def _named(node: Literal, wanted: ValueType, field: Field | None) -> Constant | None:
    """Return the number whose value string the literal is; None where no value string is asked for."""
    is_boolean = wanted.type is FieldType.BOOLEAN
    values = field.values if field is not None else None
    if field is not None and values is None and is_boolean:
        values = _TRUTH
    if field is None or not values or not isinstance(node, String | Word):
        return None
    text = node.text.removeprefix(":") if isinstance(node, Word) else node.text
    if is_boolean and isinstance(node, Word) and text.lower() in ("true", "false"):
        return None
    folded = text.casefold()
    numbers = [number for number, name in values.items() if name.casefold() == folded]
    if not numbers:
        raise FilterError.of(node, f"{shown(node)} is no value of {field.name}", _nearest(folded[:MAX_NAME], values))
    if len(numbers) > 1:
        return Constant(node, ValueType(FieldType.STRING), values[numbers[0]])
    return Constant(node, wanted, bool(numbers[0]) if is_boolean else numbers[0])


def _nearest(folded: str, values: Mapping[int, str]) -> tuple[str, ...]:
    """Return the names that a text may be a misspelling of, the likeliest first, then those that begin as it does."""
    from difflib import get_close_matches  # nothing but a mistake needs it

    names = {name.casefold(): name for name in values.values()}
    close = get_close_matches(folded, names, MAX_NEAREST, 0.75)
    begun = [name for name in names if name[:3] == folded[:3]]
    return tuple(names[name] for name in dict.fromkeys(close + begun))[:MAX_NEAREST]


def _integer(node: Literal, wanted: ValueType, _: bool) -> Value:
    if isinstance(node, Character):
        return node.code
    if not isinstance(node, Number) or isinstance(node.value, float):
        raise refused(node, wanted)
    bits = wanted.bits or (8 if wanted.type is FieldType.CHAR else 32)
    largest = (1 << bits - (wanted.type is FieldType.INT)) - 1
    if node.value > largest:
        raise FilterError(
            f"{node.text} is too large: the field has {bits} bits, and its largest value is {largest}", node.at, len(node.text)
        )
    return node.value


def _boolean(node: Literal, wanted: ValueType, _: bool) -> Value:
    if isinstance(node, Character):
        return bool(node.code)
    if isinstance(node, Number) and isinstance(node.value, int):
        return bool(node.value)
    if isinstance(node, Word) and node.text.lower() in ("true", "false"):
        return node.text.lower() == "true"
    raise refused(node, wanted)


def _float(node: Literal, wanted: ValueType, _: bool) -> Value:
    if isinstance(node, Word) and node.text.lower() in _NO_NUMBERS:
        return float(node.text)
    if not isinstance(node, Number):
        raise refused(node, wanted)
    value = float(node.value)
    if math.isinf(value) or (not value and _has_digits(node.text)):
        raise FilterError.of(node, f"{node.text} is out of the range of floating-point numbers")
    return value


def _has_digits(text: str) -> bool:
    """Return whether a number is written with a digit other than zero before its exponent."""
    lower = text.lower()
    mantissa = lower[2:].partition("p")[0] if lower.startswith("0x") else lower.partition("e")[0]
    return bool(re.search("[1-9a-f]", mantissa))


def _string(node: Literal, wanted: ValueType, _: bool) -> Value:
    if isinstance(node, String):
        return node.text
    if isinstance(node, Character):
        return chr(node.code)
    if isinstance(node, Word):
        return node.text.removeprefix(":")
    raise refused(node, wanted)


def _bytes(node: Literal, wanted: ValueType, partial: bool) -> Value:
    size = _ADDRESS_SIZES.get(wanted.type)
    if isinstance(node, Word):
        value = bytes_of(node.text.removeprefix(":"))
        if value is None:
            raise FilterError.of(node, f"{node.text} is no sequence of bytes")
        if size is not None and (len(value) > size or (len(value) < size and not partial)):
            raise FilterError.of(node, f"{node.text} has {len(value)} bytes, and the address {size}")
        return value
    if size is not None:
        raise refused(node, wanted)
    if isinstance(node, String):
        return node.value
    if isinstance(node, Character):
        return bytes((node.code,)) if node.code <= 0xFF else chr(node.code).encode()
    if wanted.type is not FieldType.BYTES or isinstance(node.value, float):
        raise refused(node, wanted)
    if node.value > 0xFF:
        raise FilterError.of(node, f"{node.text} is too large for a byte; bytes are written as 01:bb")
    return bytes((node.value,))


def _oid(node: Literal, wanted: ValueType, _: bool) -> Value:
    value = oid_bytes(node.text) if isinstance(node, Word) else None
    if value is None:
        raise refused(node, wanted)
    return value


def _guid(node: Literal, wanted: ValueType, _: bool) -> Value:
    if not isinstance(node, Word) or not _GUID.fullmatch(node.text):
        raise refused(node, wanted)
    return bytes.fromhex(node.text.replace("-", ""))


def _absolute(node: Literal, wanted: ValueType, _: bool) -> Value:
    if isinstance(node, Character):
        raise refused(node, wanted)
    from analyzer.filters.literal_times import absolute_time

    return absolute_time(node.text, node.at + isinstance(node, String), len(node.text))


def _relative(node: Literal, wanted: ValueType, _: bool) -> Value:
    if not isinstance(node, Number):
        raise refused(node, wanted)
    return _nanoseconds(node)


def _nanoseconds(node: Number) -> int:
    if isinstance(node.value, int):
        return node.value * 1_000_000_000
    if node.value > MAX_NUMBER:
        raise FilterError.of(node, f"{node.text} seconds are too many")
    from analyzer.filters.literal_times import relative_time

    return relative_time(node.text)


def _nothing(node: Literal, wanted: ValueType, _: bool) -> Value:
    raise refused(node, wanted)


def _address(node: Literal, wanted: ValueType) -> tuple[bytes, bytes | None]:
    if not isinstance(node, Word):
        raise refused(node, wanted)
    text, slash, prefix = node.text.partition("/")
    try:
        address = IPv4Address(text) if wanted.type is FieldType.IPV4 else IPv6Address(text)
    except AddressValueError:
        raise FilterError(f"{text} is no {wanted}; names are not looked up", node.at, len(text)) from None
    if not slash:
        return address.packed, None
    bits = address.max_prefixlen
    if not _PREFIX.fullmatch(prefix) or int(prefix) > bits:
        at = node.at + len(text) + 1
        raise FilterError(f"{prefix or '/'} is no length of a prefix: 0 to {bits}", at, max(1, len(prefix)))
    mask = (1 << bits) - (1 << bits - int(prefix))
    return address.packed, mask.to_bytes(bits // 8, "big")


_READERS: dict[FieldType, Callable[[Literal, ValueType, bool], Value]] = {
    FieldType.NONE: _nothing,
    FieldType.PROTOCOL: _bytes,
    FieldType.BOOLEAN: _boolean,
    FieldType.CHAR: _integer,
    FieldType.UINT: _integer,
    FieldType.INT: _integer,
    FieldType.FLOAT: _float,
    FieldType.STRING: _string,
    FieldType.BYTES: _bytes,
    FieldType.ETHER: _bytes,
    FieldType.EUI64: _bytes,
    FieldType.ABSOLUTE_TIME: _absolute,
    FieldType.RELATIVE_TIME: _relative,
    FieldType.OID: _oid,
    FieldType.GUID: _guid,
    FieldType.FRAMENUM: _integer,
}
