"""The text of a value, as tshark 4.6 prints it with `-T fields`, `-T json -e` and `-T ek -e`.

| type | text |
| --- | --- |
| `UINT`, `INT`, `CHAR`, `FRAMENUM` | decimal; `0x` with all digits of the width where the base of the field is hex |
| `BOOLEAN` | `True` or `False` |
| `BYTES` | hex, without colons for a field and with colons for what an expression computes; `<MISSING>` without a byte |
| `ETHER` | hex with colons |
| `OID` | numbers with dots (X.690 section 8.19) |
| `ABSOLUTE_TIME` | ISO 8601 in UTC with nine digits and `+0000`; `Z`, or seconds since 1970, as the name of the field says |
| `RELATIVE_TIME` | seconds with nine digits |
| `STRING` | itself; bytes that are no characters are U+FFFD |
| `NONE` | `1` |

A protocol is a line of its own (`protocol_lines`).
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from analyzer.filters.field import Field
from analyzer.filters.field_type import FieldType
from analyzer.packet.addresses import address_text

MISSING = "<MISSING>"
"""What tshark prints for a field of bytes that has none."""

TRUE = "\N{CHECK MARK}"
"""What tshark prints for a test that is true."""

_SECOND = 1_000_000_000
_HEX_BASES = frozenset({"hex", "hex_dec"})
_VENDOR = ".oui"
"""How the names of fields end whose numbers are those of vendors: tshark prints them in decimal."""
_MAC = 6
"""Bytes of a hardware address of Ethernet, which has colons where other link-layer addresses have none."""
_MAX_ARCS = 128
"""Numbers of an object identifier that are printed: real ones have some ten."""

Writer = Callable[[Any], str]
"""Returns the text of one value."""


def writer_of(field: Field) -> Writer:
    """Return the function that writes a value of a field as tshark prints it."""
    kind = field.type
    if is_hexadecimal(field):
        return _hex_writer(field.bits)
    if kind is FieldType.ABSOLUTE_TIME:
        return _of_time(field.name)
    if kind is FieldType.PROTOCOL:
        return bytes.hex
    if kind is FieldType.BYTES and field.base == "colon":
        return lambda value: _colons(value) if len(value) == _MAC else value.hex()
    return _WRITERS[kind]


def is_hexadecimal(field: Field) -> bool:
    """Return whether the numbers of a field are written in hex, with all digits of their width."""
    return field.type.is_integer and field.base in _HEX_BASES and field.bits > 0 and not field.name.endswith(_VENDOR)


def writer_of_type(kind: FieldType) -> Writer:
    """Return the function that writes what an expression computes, of that type."""
    return _colons if kind in (FieldType.BYTES, FieldType.PROTOCOL) else _WRITERS[kind]


def layer_writer_of(field: Field) -> Writer:
    """Return the function that writes a value as `-T json` has it where no field is named: in a tree of layers."""
    kind = field.type
    if kind is FieldType.BOOLEAN:
        return lambda value: "1" if value else "0"
    if kind is FieldType.ABSOLUTE_TIME:
        return _time_utc
    if kind is FieldType.NONE:
        return lambda _: ""
    if kind in (FieldType.BYTES, FieldType.PROTOCOL):
        return _colons
    return writer_of(field)


def bulk_value(field: Field, value: Any) -> str | bool | None:
    """Return a value as `-T ek` has it where no field is named: Booleans are no text, and numbers are decimal."""
    if field.type is FieldType.BOOLEAN:
        return bool(value)
    if field.type is FieldType.NONE:
        return None
    return str(value) if field.type.is_integer else layer_writer_of(field)(value)


def _hex_writer(bits: int) -> Writer:
    form = f"0x{{:0{bits // 4}x}}".format
    return lambda value: form(value)


def _of_time(name: str) -> Writer:
    if name.startswith("ntp."):
        return lambda value: _time_utc(value) if value else "NULL"
    if name.endswith("_epoch"):
        return seconds_text
    return _time_utc if name.endswith(("_utc", ".sct_timestamp")) else _time


def seconds_text(nanoseconds: int) -> str:
    """Return nanoseconds as seconds with nine digits."""
    sign = "-" if nanoseconds < 0 else ""
    whole, part = divmod(abs(nanoseconds), _SECOND)
    return f"{sign}{whole}.{part:09d}"


def _time_utc(nanoseconds: int) -> str:
    return _date(nanoseconds, "Z")


def _time(nanoseconds: int) -> str:
    return _date(nanoseconds, "+0000")


def _date(nanoseconds: int, zone: str) -> str:
    whole, part = divmod(nanoseconds, _SECOND)
    try:
        date = datetime.fromtimestamp(whole, UTC)
    except (OverflowError, OSError, ValueError):  # beyond the year 9999
        return seconds_text(nanoseconds)
    return f"{date:%Y-%m-%dT%H:%M:%S}.{part:09d}{zone}"


def _boolean(value: object) -> str:
    return "True" if value else "False"


def _octets(value: bytes) -> str:
    return value.hex() or MISSING


def _colons(value: bytes) -> str:
    return value.hex(":")


def _oid(value: bytes) -> str:
    """Return an encoded object identifier with dots; hex where it ends inside of a number."""
    if not value or value[-1] & 0x80:
        return value.hex() or MISSING
    arcs: list[int] = []
    number = 0
    for octet in value:
        number = number << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(number)
            number = 0
        if len(arcs) >= _MAX_ARCS:
            break
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def _string(value: str) -> str:
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace") if not value.isascii() else value


def _address(value: bytes) -> str:
    return address_text(value) if len(value) in (4, 16) else _colons(value)


def _float(value: float) -> str:
    return f"{value:.15g}"


def _guid(value: bytes) -> str:
    text = value.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


_WRITERS: dict[FieldType, Writer] = {
    FieldType.NONE: lambda _: "1",
    FieldType.PROTOCOL: _octets,
    FieldType.BOOLEAN: _boolean,
    FieldType.CHAR: str,
    FieldType.UINT: str,
    FieldType.INT: str,
    FieldType.FRAMENUM: str,
    FieldType.FLOAT: _float,
    FieldType.STRING: _string,
    FieldType.BYTES: _octets,
    FieldType.ETHER: _colons,
    FieldType.EUI64: _colons,
    FieldType.IPV4: _address,
    FieldType.IPV6: _address,
    FieldType.ABSOLUTE_TIME: _time,
    FieldType.RELATIVE_TIME: seconds_text,
    FieldType.OID: _oid,
    FieldType.GUID: _guid,
}
