"""The types of entities: fields, slices, functions and arithmetic; what can be compared with what."""

import re

from analyzer.filters.field import Field, FieldTable
from analyzer.filters.field_type import FieldType
from analyzer.filters.filter_error import FilterError
from analyzer.filters.filter_functions import FUNCTIONS, FilterFunction
from analyzer.filters.filter_lexer import unknown_field
from analyzer.filters.literal_values import constant
from analyzer.filters.syntax_tree import (
    Call,
    Character,
    Entity,
    FieldUse,
    Negative,
    Node,
    Number,
    Operation,
    Reference,
    Slice,
    String,
    Word,
)
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
    ValueType,
)

_BYTES = ValueType(FieldType.BYTES)
_MASKED = (FieldType.BYTES, FieldType.ETHER, FieldType.EUI64, FieldType.IPV4, FieldType.IPV6, FieldType.OID, FieldType.GUID)
"""The types beside numbers that `&` takes."""
_ADDRESS = re.compile(r"\d+(?:\.\d*){3}|[0-9A-Fa-f]{2}(?:-[0-9A-Fa-f]{2}){5}")
"""An IPv4 address, or an Ethernet address with hyphens."""


def place(node: Node) -> tuple[int, int]:
    """Return where a node stands: offset and length."""
    return node.at, node.end - node.at


def is_untyped(entity: Entity) -> bool:
    """Return whether an entity is made of literals only, so that the other side has to give it a type."""
    if isinstance(entity, Operation):
        return is_untyped(entity.left) and is_untyped(entity.right)
    if isinstance(entity, Negative):
        return is_untyped(entity.of)
    if isinstance(entity, Call):
        return entity.name in ("max", "min", "abs") and all(map(is_untyped, entity.arguments))
    return isinstance(entity, Number | String | Character | Word)


def comparable(left: TypedEntity, right: TypedEntity) -> bool:
    """Return whether the values of two entities can be compared: of one type, whole numbers, or bytes."""
    first, second = left.type.type, right.type.type
    if isinstance(left, SliceOf) and first is FieldType.BYTES:
        return second.is_bytes or second.is_address
    return same_kind(first, second)


def same_kind(first: FieldType, second: FieldType) -> bool:
    """Return whether values of the two types are compared as they are; a number can stand before a Boolean, not after."""
    if first is second:
        return True
    if first.is_integer:
        return second.is_integer or second is FieldType.BOOLEAN
    return first.is_bytes and second.is_bytes and FieldType.PROTOCOL not in (first, second)


class EntityCheck:
    """Gives entities their types."""

    def __init__(self, table: FieldTable) -> None:
        self._table = table

    def entity(
        self, node: Entity, wanted: ValueType | None = None, field: Field | None = None, partial: bool = False
    ) -> TypedEntity:
        """Return an entity with its type; `wanted` is the type of a literal, and `field` has the names that it may be."""
        if isinstance(node, FieldUse):
            kind = _BYTES if node.raw else ValueType(node.field.type, node.field.bits)
            return FieldValues(node, kind, node)
        if isinstance(node, Reference):
            kind = _BYTES if node.use.raw else ValueType(node.use.field.type, node.use.field.bits)
            return ReferenceValues(node, kind, node.use)
        if isinstance(node, Slice):
            return self._slice(node)
        if isinstance(node, Call):
            return self._call(node, wanted)
        if isinstance(node, Operation):
            return self._operation(node, wanted)
        if isinstance(node, Negative):
            return self._negative(node, wanted)
        if wanted is None:
            self.refuse_unknown(node)
            raise FilterError.of(node, "there is no field in this, so it is the same for every packet")
        return constant(node, wanted, field, partial)

    def has_field(self, entity: TypedEntity) -> bool:
        """Return whether an entity depends on the packet."""
        if isinstance(entity, FieldValues | NamesOf):
            return True
        if isinstance(entity, SliceOf | NegativeOf):
            return self.has_field(entity.of)
        if isinstance(entity, OperationOf):
            return self.has_field(entity.left) or self.has_field(entity.right)
        return isinstance(entity, CallOf) and any(map(self.has_field, entity.arguments))

    def refuse_unknown(self, entity: Entity) -> None:
        """Raise FilterError if the entity has a word in it that only a field could be."""
        if isinstance(entity, Operation):
            self.refuse_unknown(entity.left)
            self.refuse_unknown(entity.right)
        elif isinstance(entity, Negative):
            self.refuse_unknown(entity.of)
        elif isinstance(entity, Call):
            for argument in entity.arguments:
                self.refuse_unknown(argument)
        elif isinstance(entity, Word) and not _is_literal(entity.text):
            raise unknown_field(entity.text, entity.at, self._table)

    def refuse_misspelt(self, entity: Entity) -> None:
        """Raise FilterError if an entity beside a literal is a word that looks like the name of a field."""
        if isinstance(entity, Word) and "." in entity.text and not _is_literal(entity.text):
            self.refuse_unknown(entity)

    def _slice(self, node: Slice) -> TypedEntity:
        if is_untyped(node.of):
            self.refuse_unknown(node.of)
            raise FilterError.of(node, "a literal has no slices")
        of = self.entity(node.of)
        if of.type.type is FieldType.STRING:
            return SliceOf(node, of.type, of, node.parts)
        if of.type.type.is_bytes or of.type.type.is_address:
            return SliceOf(node, _BYTES, of, node.parts)
        raise FilterError.of(node.of, f"only text and bytes have slices, and this is of the type {of.type}")

    def _call(self, node: Call, wanted: ValueType | None) -> TypedEntity:
        function = FUNCTIONS.get(node.name)
        if function is None:
            near = tuple(name for name in FUNCTIONS if name == node.name.lower() or name.startswith(node.name[:4].lower()))
            raise FilterError(f"there is no function {node.name}", node.at, len(node.name), near[:3])
        given = len(node.arguments)
        if not 1 <= given <= function.most:
            expected = "one argument" if function.most == 1 else f"one to {function.most} arguments"
            raise FilterError.of(node, f"{node.name} takes {expected}, and not {given}")
        typed = [one for one in node.arguments if not is_untyped(one)]
        if not typed:
            for one in node.arguments:
                self.refuse_unknown(one)
            if wanted is None or not is_untyped(node):
                raise FilterError.of(node, "there is no field in this, so it is the same for every packet")
            kind = wanted
        else:
            kind = self.entity(typed[0]).type
        arguments = tuple(self._argument(function, one, kind) for one in node.arguments)
        return CallOf(node, function.gives(kind), function, arguments)

    def _argument(self, function: FilterFunction, node: Entity, kind: ValueType) -> TypedEntity:
        untyped = is_untyped(node)
        found = self.entity(node, kind if untyped else None)
        if not function.takes(found):
            raise FilterError.of(node, f"{function.name} takes {function.arguments}")
        if function.most > 1 and not same_kind(found.type.type, kind.type):
            raise FilterError.of(node, f"the arguments of {function.name} are of different types: {kind} and {found.type}")
        return found

    def _negative(self, node: Negative, wanted: ValueType | None) -> TypedEntity:
        if is_untyped(node.of) and (wanted is None or wanted.type is not FieldType.FLOAT):
            self.refuse_unknown(node.of)
        of = self.entity(node.of, wanted)
        kind = of.type.type
        if not (kind.is_integer or kind.is_time or kind is FieldType.FLOAT):
            raise FilterError.of(node, f"a value of the type {of.type} has no sign")
        if isinstance(of, Constant) and isinstance(of.value, int | float):
            return Constant(node, of.type, -of.value)
        return NegativeOf(node, of.type, of)

    def _operation(self, node: Operation, wanted: ValueType | None) -> TypedEntity:
        for side in (node.left, node.right):
            if is_untyped(side):
                self.refuse_unknown(side)
        if not is_untyped(node.left):
            left = self.entity(node.left)
        elif not is_untyped(node.right):
            left = self.entity(node.left, self.entity(node.right).type)
        elif wanted is not None:
            left = self.entity(node.left, wanted)
        else:
            raise FilterError.of(node, "there is no field in this, so it is the same for every packet")
        kind = left.type.type
        if kind.is_time:
            right = self._time_operand(node, left)
        else:
            self._refuse_operator(node, left.type)
            right = self.entity(node.right, left.type) if is_untyped(node.right) else self.entity(node.right)
            self._refuse_operator(node, right.type)
            if not same_kind(kind, right.type.type):
                raise FilterError.of(
                    node, f"values of the types {left.type} and {right.type} cannot be combined by {node.operator}"
                )
        if node.operator in "/%" and isinstance(right, Constant) and right.value == 0 and isinstance(left, Constant):
            raise FilterError.of(node, "this divides by zero")
        return OperationOf(node, left.type, node.operator, left, right)

    def _refuse_operator(self, node: Operation, kind: ValueType) -> None:
        """Raise FilterError if the type does not know the operator."""
        known = "+-*/%&" if kind.type.is_integer else "+-*/" if kind.type is FieldType.FLOAT else ""
        if kind.type in _MASKED:
            known = "&"
        if node.operator not in known:
            raise FilterError.of(node, f"{node.operator} is no operator for the type {kind}")

    def _time_operand(self, node: Operation, left: TypedEntity) -> TypedEntity:
        """Return the right side beside a time on the left: a time for + and -, a number for * and /."""
        if node.operator in "%&":
            raise FilterError.of(node, f"{node.operator} is no operator for the type {left.type}")
        if node.operator in "*/":
            fraction = isinstance(node.right, Number) and isinstance(node.right.value, float)
            number = ValueType(FieldType.FLOAT, 64) if fraction else ValueType(FieldType.INT, 64)
            right = self.entity(node.right, number) if is_untyped(node.right) else self.entity(node.right)
            if not (isinstance(right, Constant) or right.type.type is FieldType.FLOAT or right.type.type is FieldType.INT):
                raise FilterError.of(node.right, "a time can only be multiplied or divided by a number on its right side")
            return right
        right = self.entity(node.right, left.type) if is_untyped(node.right) else self.entity(node.right)
        if not right.type.type.is_time:
            raise FilterError.of(node.right, f"only a time can be added to a time, and this is of the type {right.type}")
        return right


def _is_literal(text: str) -> bool:
    """Return whether a word can only be a literal: an address, a prefix, or bytes with colons."""
    return ":" in text or "/" in text or bool(_ADDRESS.fullmatch(text))
