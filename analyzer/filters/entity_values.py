"""The values of entities: for each a function from a packet to the list of its values, made once when the filter is compiled.

An absent field has no values, and so has everything that is made of it. An operation on two lists is done for each pair.
"""

from collections.abc import Callable, Sequence
from itertools import compress
from typing import Any, TypeAlias

from analyzer.filters.field_type import FieldType
from analyzer.filters.filter_functions import namer_of
from analyzer.filters.packet_values import Occurrence, PacketValues
from analyzer.filters.syntax_tree import FieldUse, Part, Parts
from analyzer.filters.typed_tree import (
    CallOf,
    Constant,
    FieldValues,
    NamesOf,
    NegativeOf,
    OperationOf,
    ReferenceValues,
    SliceOf,
    TypedEntity,
)

Values: TypeAlias = Sequence[Any]
Getter: TypeAlias = Callable[[PacketValues], Values]

MAX_PAIRS = 1 << 16
"""Results of one operation in one packet, at most: a packet with many values of two fields cannot make a filter quadratic."""


class References:
    """The values that fields have in the selected packet; before one is selected, none."""

    def __init__(self) -> None:
        self._values: dict[FieldUse, Values] = {}

    def values(self, use: FieldUse) -> Values:
        """Return the values of a field as the reference asks for them."""
        return self._values.get(use, ())

    def select(self, uses: Sequence[FieldUse], packet: PacketValues) -> None:
        """Take the values from a packet."""
        self._values = {use: list(field_getter(use)(packet)) for use in uses}


def getter(entity: TypedEntity, references: References) -> Getter:
    """Return the function that gives the values of an entity in a packet."""
    if isinstance(entity, Constant):
        constant = (entity.value,)
        return lambda _: constant
    if isinstance(entity, FieldValues):
        return field_getter(entity.use)
    if isinstance(entity, ReferenceValues):
        use = entity.use
        return lambda _: references.values(use)
    if isinstance(entity, NamesOf):
        name, numbers = namer_of(entity.of.use.field), field_getter(entity.of.use)
        return lambda packet: list(map(name, numbers(packet)))
    if isinstance(entity, SliceOf):
        whole, parts = getter(entity.of, references), entity.parts
        return lambda packet: [sliced(value, parts) for value in whole(packet)]
    if isinstance(entity, CallOf):
        return _call(entity, references)
    if isinstance(entity, NegativeOf):
        of = getter(entity.of, references)
        return lambda packet: [-value for value in of(packet)]
    return _operation(entity, references)


def field_getter(use: FieldUse) -> Getter:
    """Return the function that gives the values of a field: its bytes with `@`, those of some layers with `#`."""
    field, layers = use.field, use.layers
    if layers is None:
        if not use.raw:
            return lambda packet: packet.values(field)
        return lambda packet: [one.raw or b"" for one in packet.occurrences(field)]
    if use.raw:
        return lambda packet: [one.raw or b"" for one in in_layers(packet.occurrences(field), layers)]
    return lambda packet: [one.value for one in in_layers(packet.occurrences(field), layers)]


def in_layers(found: Sequence[Occurrence], layers: Parts) -> list[Occurrence]:
    """Return the occurrences in the chosen layers; a negative number counts from the last."""
    return list(compress(found, chosen(found, layers)))


def chosen(found: Sequence[Occurrence], layers: Parts) -> list[bool]:
    """Return which occurrences are in the chosen layers."""
    last = max((one.layer for one in found), default=0)
    return [any(_has_layer(part, one.layer, last) for part in layers) for one in found]


def _has_layer(part: Part, layer: int, last: int) -> bool:
    first = part.first if part.first >= 0 else last + 1 + part.first
    if part.last is not None:
        end = part.last if part.last >= 0 else last + 1 + part.last
        return first <= layer <= end
    return layer >= first if part.length is None else first <= layer < first + part.length


def sliced(value: Any, parts: Parts) -> Any:
    """Return the parts of text or bytes, joined. The first part that is not wholly inside ends it, as in Wireshark."""
    out = value[:0]
    size = len(value)
    for part in parts:
        first = part.first if part.first >= 0 else size + part.first
        if part.last is not None:
            end = (part.last if part.last >= 0 else size + part.last) + 1
        else:
            end = size if part.length is None else first + part.length
        if not 0 <= first <= end <= size:
            break
        out += value[first:end]
    return out


def _call(entity: CallOf, references: References) -> Getter:
    arguments = [getter(one, references) for one in entity.arguments]
    evaluate, first = entity.function.evaluate, entity.arguments[0]
    return lambda packet: evaluate([one(packet) for one in arguments], first)


def _operation(entity: OperationOf, references: References) -> Getter:
    left, right = getter(entity.left, references), getter(entity.right, references)
    operate = _operator(entity)

    def pairs(packet: PacketValues) -> Values:
        results = []
        first, second = left(packet), right(packet)
        if len(first) * len(second) > MAX_PAIRS:
            first, second = first[: MAX_PAIRS >> 8], second[: MAX_PAIRS >> 8]
        for a in first:
            for b in second:
                result = operate(a, b)
                if result is not None:
                    results.append(result)
        return results

    return pairs


def _operator(entity: OperationOf) -> Callable[[Any, Any], Any]:
    kind = entity.type.type
    if entity.operator == "&":
        return _masked if kind.is_bytes or kind.is_address else lambda a, b: a & b
    if kind is FieldType.FLOAT:
        return _FLOATS[entity.operator]
    return _TIMES[entity.operator] if kind.is_time else _INTEGERS[entity.operator]


def _masked(a: bytes, b: bytes) -> bytes:
    return bytes(x & y for x, y in zip(a, b, strict=False))


def _quotient(a: int, b: int) -> int | None:
    """Divide as C does: towards zero. Nothing comes of a division by zero."""
    if b == 0:
        return None
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def _remainder(a: int, b: int) -> int | None:
    return None if b == 0 else abs(a) % abs(b) * (-1 if a < 0 else 1)


def _divided(a: float, b: float) -> float | None:
    return None if b == 0 else a / b


def _scaled(a: int, b: float) -> int | None:
    if isinstance(b, int):
        return a * b
    try:
        return round(a * b)
    except (OverflowError, ValueError):  # not finite: no time
        return None


def _parted(a: int, b: float) -> int | None:
    if b == 0:
        return None
    return _quotient(a, b) if isinstance(b, int) else _scaled(a, 1 / b)


_INTEGERS: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": _quotient,
    "%": _remainder,
}
_FLOATS = {**_INTEGERS, "/": _divided}
_TIMES = {**_INTEGERS, "*": _scaled, "/": _parted}
