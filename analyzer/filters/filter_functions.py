"""The functions of the filter language: what each takes, and what it gives (wireshark-filter, "Functions").

A function of one argument gives a value for each value of the argument; `count`, `max` and `min` give one for all. Where the
argument is absent a function gives nothing, with one exception: `count` gives 0.
"""

import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, TypeAlias

from analyzer.filters.field import Field
from analyzer.filters.field_text import writer_of
from analyzer.filters.field_type import FieldType, Value
from analyzer.filters.special_addresses import is_link_local, is_multicast, is_private, is_unique_local, special_block
from analyzer.filters.typed_tree import FieldValues, TypedEntity, ValueType

Values: TypeAlias = Sequence[Any]

_NANOSECONDS = 1_000_000_000
_MAX_ARGUMENTS = 64
"""Arguments of `max` and `min`, at most."""


@dataclass(frozen=True, slots=True)
class FilterFunction:
    """A function of the language."""

    name: str
    arguments: str
    """What it takes, in words: the error says so."""
    takes: Callable[[TypedEntity], bool]
    """Whether it takes this argument."""
    gives: Callable[[ValueType], ValueType]
    """The type of its result, from that of its first argument."""
    evaluate: Callable[[Sequence[Values], TypedEntity], list[Value]]
    """Its results, from the values of each argument and the first argument itself, which has a width and value strings."""
    most: int = 1
    """How many arguments it takes at most."""


def each(convert: Callable[[Any], Value]) -> Callable[[Sequence[Values], TypedEntity], list[Value]]:
    """Return the evaluation that converts each value, and leaves out those that give None."""

    def evaluate(arguments: Sequence[Values], _: TypedEntity) -> list[Value]:
        return [result for value in arguments[0] if (result := convert(value)) is not None]

    return evaluate


def _type(result: FieldType, bits: int = 0) -> Callable[[ValueType], ValueType]:
    return lambda _: ValueType(result, bits)


def _same(argument: ValueType) -> ValueType:
    return argument


def _of(*types: FieldType) -> Callable[[TypedEntity], bool]:
    return lambda argument: argument.type.type in types


def _field_of(*types: FieldType) -> Callable[[TypedEntity], bool]:
    return lambda argument: isinstance(argument, FieldValues) and not argument.use.raw and argument.type.type in types


def _length(value: str | bytes) -> int:
    return len(value.encode("utf-8", "surrogateescape")) if isinstance(value, str) else len(value)


def _count(arguments: Sequence[Values], _: TypedEntity) -> list[Value]:
    return [len(arguments[0])]


def value_text(value: Any, kind: FieldType) -> str:
    """Return a number, an address or an object identifier as the text that `string` gives."""
    if kind in (FieldType.IPV4, FieldType.IPV6):
        return str(ip_address(value))
    if kind in (FieldType.ETHER, FieldType.EUI64):
        return ":".join(f"{byte:02x}" for byte in value)
    if kind is FieldType.OID:
        return _dotted(value)
    if kind is FieldType.GUID:
        text = value.hex()
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
    return str(int(value)) if kind.is_integer else str(value)


def _dotted(content: bytes) -> str:
    arcs: list[int] = []
    number = 0
    for byte in content:
        number = number << 7 | byte & 0x7F
        if not byte & 0x80:
            arcs.append(number)
            number = 0
    if not arcs:
        return ""
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def _string(arguments: Sequence[Values], argument: TypedEntity) -> list[Value]:
    return [value_text(value, argument.type.type) for value in arguments[0]]


def _hexadecimal(arguments: Sequence[Values], argument: TypedEntity) -> list[Value]:
    digits = (argument.type.bits or 32) // 4
    return [f"0x{value:0{digits}x}" for value in arguments[0]]


def namer_of(field: Field) -> Callable[[Any], str]:
    """Return the function that gives what a number of a field is called; of one without a name, its digits, as in Wireshark."""
    names, write = field.values or {}, writer_of(field)
    return lambda number: names[number] if number in names else write(number)


def _names(arguments: Sequence[Values], argument: TypedEntity) -> list[Value]:
    return list(map(namer_of(argument.use.field), arguments[0])) if isinstance(argument, FieldValues) else []


def _double(arguments: Sequence[Values], argument: TypedEntity) -> list[Value]:
    if argument.type.type.is_time:
        return [_real(value) / _NANOSECONDS for value in arguments[0]]
    return [_real(value) for value in arguments[0]]


def _real(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _single(arguments: Sequence[Values], argument: TypedEntity) -> list[Value]:
    return [single_precision(value) for value in _double(arguments, argument)]


def single_precision(value: Any) -> float:
    """Return the float of 32 bits that is nearest to a number."""
    try:
        return float(struct.unpack("f", struct.pack("f", value))[0])
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _largest(arguments: Sequence[Values], _: TypedEntity) -> list[Value]:
    return [max(value for values in arguments for value in values)] if any(arguments) else []


def _smallest(arguments: Sequence[Values], _: TypedEntity) -> list[Value]:
    return [min(value for values in arguments for value in values)] if any(arguments) else []


def _special_name(address: bytes) -> str | None:
    block = special_block(address)
    return block.name if block is not None else None


def _special_mask(address: bytes) -> int | None:
    block = special_block(address)
    return block.mask if block is not None else None


_NUMBERS = (FieldType.UINT, FieldType.INT, FieldType.CHAR, FieldType.FRAMENUM)
_TIMES = (FieldType.ABSOLUTE_TIME, FieldType.RELATIVE_TIME)
_ADDRESSES = (FieldType.IPV4, FieldType.IPV6)
_OCTETS = (FieldType.PROTOCOL, FieldType.BYTES, FieldType.ETHER, FieldType.EUI64, FieldType.OID, FieldType.GUID)
_BOOLEAN = _type(FieldType.BOOLEAN)
_TEXT = _type(FieldType.STRING)
_COUNT = _type(FieldType.UINT, 32)


def _has_names(argument: TypedEntity) -> bool:
    return isinstance(argument, FieldValues) and not argument.use.raw and bool(argument.use.field.values)


def _is_field(argument: TypedEntity) -> bool:
    return isinstance(argument, FieldValues)


def _is_ordered(argument: TypedEntity) -> bool:
    return argument.type.type is not FieldType.NONE


FUNCTIONS = {
    one.name: one
    for one in (
        FilterFunction("upper", "a string", _of(FieldType.STRING), _same, each(str.upper)),
        FilterFunction("lower", "a string", _of(FieldType.STRING), _same, each(str.lower)),
        FilterFunction(
            "len", "a string, bytes or an address", _of(FieldType.STRING, *_OCTETS, *_ADDRESSES), _COUNT, each(_length)
        ),
        FilterFunction("count", "a field", _is_field, _COUNT, _count),
        FilterFunction(
            "string",
            "a field that is a number, an address, an object identifier or a GUID",
            _field_of(*_NUMBERS, *_ADDRESSES, FieldType.ETHER, FieldType.EUI64, FieldType.OID, FieldType.GUID, FieldType.FLOAT),
            _TEXT,
            _string,
        ),
        FilterFunction("vals", "a field that has value strings", _has_names, _TEXT, _names),
        FilterFunction("dec", "a field that is a whole number", _field_of(*_NUMBERS), _TEXT, _string),
        FilterFunction("hex", "a field that is a whole number", _field_of(*_NUMBERS), _TEXT, _hexadecimal),
        FilterFunction(
            "float",
            "a number or a time",
            _of(*_NUMBERS, *_TIMES, FieldType.FLOAT, FieldType.BOOLEAN),
            _type(FieldType.FLOAT, 32),
            _single,
        ),
        FilterFunction(
            "double",
            "a number or a time",
            _of(*_NUMBERS, *_TIMES, FieldType.FLOAT, FieldType.BOOLEAN),
            _type(FieldType.FLOAT, 64),
            _double,
        ),
        FilterFunction("max", "values of one type", _is_ordered, _same, _largest, _MAX_ARGUMENTS),
        FilterFunction("min", "values of one type", _is_ordered, _same, _smallest, _MAX_ARGUMENTS),
        FilterFunction("abs", "a number or a time", _of(*_NUMBERS, *_TIMES, FieldType.FLOAT), _same, each(abs)),
        FilterFunction(
            "ip_special_name",
            "an IP address",
            _of(*_ADDRESSES),
            _TEXT,
            each(_special_name),
        ),
        FilterFunction(
            "ip_special_mask",
            "an IP address",
            _of(*_ADDRESSES),
            _COUNT,
            each(_special_mask),
        ),
        FilterFunction("ip_linklocal", "an IP address", _of(*_ADDRESSES), _BOOLEAN, each(is_link_local)),
        FilterFunction("ip_multicast", "an IP address", _of(*_ADDRESSES), _BOOLEAN, each(is_multicast)),
        FilterFunction("ip_rfc1918", "an IPv4 address", _of(FieldType.IPV4), _BOOLEAN, each(is_private)),
        FilterFunction("ip_ula", "an IPv6 address", _of(FieldType.IPV6), _BOOLEAN, each(is_unique_local)),
    )
}
"""Every function by its name."""
