"""Tests to functions: a checked tree becomes one function from a packet to true or false, made once when the filter is
compiled.

Where a field is compared with constants, which is nearly always, the function has no loop of its own: it asks whether the
value is in the list, or whether the list and the set have a value in common.
"""

import operator
from collections.abc import Callable, Sequence
from itertools import compress
from typing import Any, TypeAlias

from analyzer.filters.entity_values import MAX_PAIRS, Getter, References, chosen, getter, in_layers
from analyzer.filters.field_type import FieldType
from analyzer.filters.packet_values import PacketValues
from analyzer.filters.typed_tree import (
    CompareTest,
    Constant,
    ContainsTest,
    ExistsTest,
    FieldValues,
    LogicTest,
    MatchesTest,
    MemberTest,
    NotTest,
    SliceOf,
    TypedEntity,
    TypedTest,
)

Predicate: TypeAlias = Callable[[PacketValues], bool]
Relation: TypeAlias = Callable[[Any, Any], bool]

_RELATIONS: dict[str, Relation] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def predicate(test: TypedTest, references: References) -> Predicate:
    """Return the function that tells whether a packet passes."""
    if isinstance(test, LogicTest):
        return _logic(test.operator, [predicate(one, references) for one in test.parts])
    if isinstance(test, NotTest):
        of = predicate(test.of, references)
        return lambda packet: not of(packet)
    if isinstance(test, ExistsTest):
        return _exists(test.of, references)
    if isinstance(test, CompareTest):
        return _comparison(test, references)
    if isinstance(test, MemberTest):
        return _membership(test, references)
    return _search(test, references)


def _logic(name: str, parts: Sequence[Predicate]) -> Predicate:
    if len(parts) == 2:
        first, second = parts
        if name == "and":
            return lambda packet: first(packet) and second(packet)
        if name == "or":
            return lambda packet: first(packet) or second(packet)
        return lambda packet: first(packet) != second(packet)
    if name == "and":
        return lambda packet: all(part(packet) for part in parts)
    if name == "or":
        return lambda packet: any(part(packet) for part in parts)
    return lambda packet: sum(part(packet) for part in parts) % 2 == 1


def _exists(entity: TypedEntity, references: References) -> Predicate:
    if isinstance(entity, FieldValues):
        field, layers = entity.use.field, entity.use.layers
        if layers is None:
            return lambda packet: packet.has(field)
        return lambda packet: bool(in_layers(packet.occurrences(field), layers))
    values = getter(entity, references)
    if isinstance(entity, SliceOf):
        return lambda packet: any(values(packet))
    return lambda packet: any(_is_something(value) for value in values(packet))


def _is_something(value: Any) -> bool:
    """Return whether a value is not zero, not empty, and not bytes that are all zero."""
    return any(value) if isinstance(value, bytes) else bool(value)


def _comparison(test: CompareTest, references: References) -> Predicate:
    left, right = test.left, test.right
    relation = _RELATIONS[test.operator]
    mask = _mask(right) or _mask(left)
    if mask is not None:
        relation = _under(mask, relation)
    elif left.type.type is FieldType.PROTOCOL and right.type.type is FieldType.PROTOCOL:
        relation = _by_length(relation)
    elif isinstance(right, Constant):
        return _with_constant(test.operator, test.every, getter(left, references), right.value)
    return _pairs(getter(left, references), getter(right, references), relation, test.every)


def _with_constant(name: str, every: bool, values: Getter, value: Any) -> Predicate:
    if name == "==" and not every:
        return lambda packet: value in values(packet)
    if name == "!=" and every:

        def differs(packet: PacketValues) -> bool:
            found = values(packet)
            return bool(found) and value not in found

        return differs
    relation = _RELATIONS[name]
    if not every:
        return lambda packet: any(relation(one, value) for one in values(packet))

    def holds(packet: PacketValues) -> bool:
        found = values(packet)
        return bool(found) and all(relation(one, value) for one in found)

    return holds


def _pairs(left: Getter, right: Getter, relation: Relation, every: bool) -> Predicate:
    choose = all if every else any

    def holds(packet: PacketValues) -> bool:
        first = left(packet)
        if not first:
            return False
        second = right(packet)
        if not second:
            return False
        if len(first) * len(second) > MAX_PAIRS:
            first, second = first[: MAX_PAIRS >> 8], second[: MAX_PAIRS >> 8]
        return choose(relation(a, b) for a in first for b in second)

    return holds


def _mask(entity: TypedEntity) -> bytes | None:
    return entity.mask if isinstance(entity, Constant) else None


def _under(mask: bytes, relation: Relation) -> Relation:
    """Return the relation between two addresses of which only the bits of the mask count."""
    bits = int.from_bytes(mask, "big")

    def compare(a: bytes, b: bytes) -> bool:
        return relation(int.from_bytes(a, "big") & bits, int.from_bytes(b, "big") & bits)

    return compare


def _by_length(relation: Relation) -> Relation:
    """Return the relation between two protocols, of which the longer one is the greater, as in Wireshark."""
    return lambda a, b: relation((len(a), a), (len(b), b))


def _membership(test: MemberTest, references: References) -> Predicate:
    values = getter(test.member, references)
    plain = [one.value for one in test.elements if isinstance(one, Constant) and one.mask is None]
    if len(plain) == len(test.elements):
        inside = _in_constants(values, frozenset(plain), test.every)
    else:
        parts = [_element(one, references) for one in test.elements]
        choose = all if test.every else any

        def inside(packet: PacketValues) -> bool:
            found = values(packet)
            return bool(found) and choose(any(part(value, packet) for part in parts) for value in found)

    if not test.negated:
        return inside
    return lambda packet: bool(values(packet)) and not inside(packet)


def _in_constants(values: Getter, wanted: frozenset[Any], every: bool) -> Predicate:
    if not every:
        return lambda packet: not wanted.isdisjoint(values(packet))

    def inside(packet: PacketValues) -> bool:
        found = values(packet)
        return bool(found) and wanted.issuperset(found)

    return inside


def _element(
    element: TypedEntity | tuple[TypedEntity, TypedEntity], references: References
) -> Callable[[Any, PacketValues], bool]:
    if isinstance(element, tuple):
        low, high = element
        above = _beside(low, operator.ge, references)
        below = _beside(high, operator.le, references)
        return lambda value, packet: above(value, packet) and below(value, packet)
    return _beside(element, operator.eq, references)


def _beside(entity: TypedEntity, relation: Relation, references: References) -> Callable[[Any, PacketValues], bool]:
    mask = _mask(entity)
    if mask is not None:
        relation = _under(mask, relation)
    others = getter(entity, references)
    return lambda value, packet: any(relation(value, other) for other in others(packet))


def _search(test: ContainsTest | MatchesTest, references: References) -> Predicate:
    left = _searched(test.left, references)
    if isinstance(test, ContainsTest):
        return _pairs(left, getter(test.right, references), operator.contains, test.every)
    pattern = test.pattern
    choose = all if test.every else any

    def matches(packet: PacketValues) -> bool:
        found = left(packet)
        return bool(found) and choose(pattern.is_in(_octets(value)) for value in found)

    return matches


def _searched(entity: TypedEntity, references: References) -> Getter:
    """Return the function that gives what is searched: of a protocol also all that it carries."""
    if not isinstance(entity, FieldValues) or entity.type.type is not FieldType.PROTOCOL:
        return getter(entity, references)
    field, layers = entity.use.field, entity.use.layers
    if layers is None:
        return lambda packet: packet.carried(field)
    return lambda packet: list(compress(packet.carried(field), chosen(packet.occurrences(field), layers)))


def _octets(value: str | bytes) -> bytes:
    return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
