"""Writes messages as bytes by their field tables: the inverse of `runner.read`.

Length fields are computed from what is written. The lengths that were read are not used.
"""

from typing import Any

from analyzer.codec.field_kinds import EXTENSIONS, FIXED, OPAQUE, SELECT, SIZED, STRUCT, UINT, VARINT
from analyzer.codec.field_spec import FieldSpec, WideVarint


def write(message: Any) -> bytes:
    """Return the wire form of a message: the inverse of `read` for every message that was read without a problem."""
    out = bytearray()
    write_structure(out, message)
    return bytes(out)


def write_structure(out: bytearray, message: Any) -> None:
    """Append a message's fields."""
    spec: FieldSpec
    for spec in message.specs:
        value = getattr(message, spec.name)
        if value is not None:
            write_value(out, spec, value, message)
    out += message.trailing


def write_value(out: bytearray, spec: FieldSpec, value: Any, owner: Any) -> None:
    """Append one field. Raises ValueError when a length does not fit its prefix."""
    kind: int = spec.kind
    if kind == UINT:
        out += value.to_bytes(spec.width, "big")
    elif kind == STRUCT:
        write_structure(out, value)
    elif kind == VARINT:
        write_varint(out, value)
    elif kind == SELECT:
        case = spec.cases.get(getattr(owner, spec.on), spec.element)
        if case is None:
            out += value
        else:
            write_value(out, case, value, owner)
    elif kind == FIXED:
        if len(value) != spec.width:
            raise ValueError(f"{spec.name}: {len(value)} bytes where {spec.width} belong")
        out += value
    else:
        start: int = len(out)
        out += bytes(spec.width)
        if kind == OPAQUE:
            out += value
        elif kind == SIZED:
            write_value(out, spec.element, value, owner)
        elif kind == EXTENSIONS:
            for extension in value:
                body = extension.body if isinstance(extension.body, bytes) else write(extension.body)
                out += extension.type.to_bytes(2, "big") + len(body).to_bytes(2, "big") + body
        else:
            for item in value:
                write_value(out, spec.element, item, owner)
        if spec.width:
            length = len(out) - start - spec.width
            if length >= 1 << 8 * spec.width:
                raise ValueError(f"{spec.name}: {length} bytes do not fit a length of {8 * spec.width} bits")
            out[start : start + spec.width] = length.to_bytes(spec.width, "big")


def write_varint(out: bytearray, value: Any) -> None:
    """Append a variable-length number, in as few bytes as it needs. A `WideVarint` keeps the size in which it was read."""
    size = value.size if isinstance(value, WideVarint) else 1
    while size < 8 and value >> (8 * size - 2):
        size *= 2
    if value >> 62:
        raise ValueError(f"{value} does not fit a variable-length number")
    out += (value | (size.bit_length() - 1) << (8 * size - 2)).to_bytes(size, "big")
