"""Reads the options of DHCP as fields (RFC 2131 section 3, RFC 2132): of all of them the bytes, of some the value."""

from functools import cache

from analyzer.filters.field_type import FieldType
from analyzer.filters.frame_view import Found
from analyzer.filters.packet_values import Occurrence
from analyzer.filters.value_strings import rows, type_of

MAX_OPTIONS = 512
"""Options that are read of one message. Real ones have some ten."""

_COOKIE = bytes((99, 130, 83, 99))
_PAD, _END = 0, 255


def read_options(data: bytes) -> Found:
    """Return the fields of the options in what follows the fixed part of a message; none without the cookie in front."""
    found: Found = {}
    if data[:4] != _COOKIE:
        return found
    _add(found, "dhcp.cookie", data[:4], data[:4])
    at = 4
    for _ in range(MAX_OPTIONS):
        if at >= len(data) or data[at] == _END:
            break
        if data[at] == _PAD:
            at += 1
            continue
        if len(data) - at < 2 or len(data) - at - 2 < data[at + 1]:
            return found
        value = data[at + 2 : at + 2 + data[at + 1]]
        _add(found, "dhcp.option.type", data[at], data[at : at + 1])
        _add(found, "dhcp.option.length", data[at + 1], data[at + 1 : at + 2])
        if value:
            _add(found, "dhcp.option.value", value, value)
        _read_value(found, data[at], value)
        at += 2 + len(value)
    if at < len(data) and data[at] == _END:
        _add(found, "dhcp.option.end", _END, data[at : at + 1])
    return found


def _add(found: Found, name: str, value: object, raw: bytes) -> None:
    found.setdefault(name, []).append(Occurrence(value, raw, 1))  # type: ignore[arg-type]


def _read_value(found: Found, option: int, value: bytes) -> None:
    """Add the value of an option that has a field of its own: several of them, where it is a list."""
    name, kind, width = _named().get(option, ("", FieldType.NONE, 0))
    if not name:
        return
    if kind is FieldType.STRING:
        _add(found, name, value.split(b"\0", 1)[0].decode("utf-8", "replace"), value)
        return
    for at in range(0, len(value) - width + 1, width):
        part = value[at : at + width]
        _add(found, name, part if kind is FieldType.IPV4 else int.from_bytes(part), part)


@cache
def _named() -> dict[int, tuple[str, FieldType, int]]:
    """Return the options whose values have fields: the name, the type, and the bytes of one value."""
    named = {}
    for row in rows("dhcp_options"):
        if row["option"]:
            kind, bits = type_of(row["type"])
            named[int(row["option"])] = row["name"], kind, bits // 8 or 4
    return named
