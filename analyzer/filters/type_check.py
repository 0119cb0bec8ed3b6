"""The types of a filter: which entities can be compared, added or searched, and what each literal is.

A literal has no type of its own: that of the other side gives it one. The rules are those of Wireshark 4.6, found by asking
it: an expression that it refuses is refused here, for the same cause and at the same place.
"""

import math
from typing import NoReturn

from analyzer.filters.byte_pattern import BytePattern
from analyzer.filters.entity_check import EntityCheck, comparable, is_untyped, place
from analyzer.filters.field import Field, FieldTable
from analyzer.filters.field_type import FieldType
from analyzer.filters.filter_error import FilterError
from analyzer.filters.syntax_tree import (
    Character,
    Comparison,
    Entity,
    Exists,
    FieldUse,
    Logic,
    Membership,
    Negation,
    Node,
    Search,
    String,
    Test,
    Word,
)
from analyzer.filters.typed_tree import (
    CompareTest,
    Constant,
    ContainsTest,
    ExistsTest,
    FieldValues,
    LogicTest,
    MatchesTest,
    MemberTest,
    NamesOf,
    NotTest,
    TypedEntity,
    TypedTest,
    ValueType,
)

_OPERATORS = {"===": ("==", True), "!==": ("!=", False), "!=": ("!=", True)}
"""What an operator asks, and whether of every value; the others ask it of any."""
_ORDERED = ("<", "<=", ">", ">=")
_SEARCHED = {
    "contains": (
        FieldType.STRING,
        FieldType.PROTOCOL,
        FieldType.BYTES,
        FieldType.ETHER,
        FieldType.EUI64,
        FieldType.OID,
        FieldType.GUID,
    ),
    "matches": (FieldType.STRING, FieldType.PROTOCOL, FieldType.BYTES, FieldType.ETHER, FieldType.EUI64),
}
_TEXT = ValueType(FieldType.STRING)


def check(test: Test, table: FieldTable) -> TypedTest:
    """Return the tree with its types; raise FilterError at the first place that has no meaning."""
    return _Check(table).test(test)


class _Check(EntityCheck):
    """Checks tests; entities are checked by the class that it extends."""

    def test(self, test: Test) -> TypedTest:
        """Check any test."""
        if isinstance(test, Logic):
            return LogicTest(test, test.operator, tuple(self.test(one) for one in test.parts))
        if isinstance(test, Negation):
            return NotTest(test, self.test(test.of))
        if isinstance(test, Exists):
            return self._exists(test)
        if isinstance(test, Comparison):
            return self._comparison(test)
        if isinstance(test, Search):
            return self._search(test)
        return self._membership(test)

    def _exists(self, test: Exists) -> TypedTest:
        if is_untyped(test.of):
            self.refuse_unknown(test.of)
            self._refuse_constant(test)
        of = self.entity(test.of)
        if not self.has_field(of):
            self._refuse_constant(test)
        return ExistsTest(test, of)

    def _comparison(self, test: Comparison) -> TypedTest:
        pairs = zip(test.operands, test.operators, test.operands[1:], strict=False)
        parts = tuple(self._pair(test, left, operator, right) for left, operator, right in pairs)
        return parts[0] if len(parts) == 1 else LogicTest(test, "and", parts)

    def _pair(self, test: Comparison, left: Entity, operator: str, right: Entity) -> TypedTest:
        base, every = _OPERATORS.get(operator, (operator, False))
        if test.quantifier is not None:
            every = test.quantifier == "all"
        if is_untyped(left):
            self.refuse_unknown(left)
            if is_untyped(right):
                self.refuse_misspelt(right)
                self._refuse_constant(test)
            second = self.entity(right)
            first, second = self._beside(left, second, base)
        else:
            first = self.entity(left)
            if is_untyped(right):
                second, first = self._beside(right, first, base)
            else:
                second = self.entity(right)
                self._compare(first, second)
        if not (self.has_field(first) or self.has_field(second)):
            self._refuse_constant(test)
        if base in _ORDERED and (_is_nan(first) or _is_nan(second)):
            raise FilterError.of(test, "nan is no number, and has no order")
        return CompareTest(test, base, every, first, second)

    def _beside(self, literal: Entity, other: TypedEntity, operator: str) -> tuple[TypedEntity, TypedEntity]:
        """Return a literal as a value of the type of the other side, and that side: its names where the literal is a name."""
        field = _field_of(other)
        value = self.entity(literal, other.type, field)
        if value.type == _TEXT and other.type != _TEXT and isinstance(value, Constant) and isinstance(other, FieldValues):
            if operator in _ORDERED:
                raise FilterError.of(literal, f"{value.value!s} is the name of several values, which have no order")
            return value, NamesOf(other.node, _TEXT, other)
        return value, other

    def _compare(self, left: TypedEntity, right: TypedEntity) -> None:
        if left.type.type is FieldType.NONE or right.type.type is FieldType.NONE:
            named = left if left.type.type is FieldType.NONE else right
            raise FilterError.of(named.node, "this field has no value that could be compared")
        if not comparable(left, right):
            raise FilterError.of(
                right.node, f"a value of the type {left.type} cannot be compared with one of the type {right.type}"
            )

    def _search(self, test: Search) -> TypedTest:
        if is_untyped(test.left):
            self.refuse_unknown(test.left)
            raise FilterError.of(test.left, f"only a field or a function can stand before {test.operator}")
        left = self.entity(test.left)
        field = _field_of(left)
        if field is not None and field.values and isinstance(left, FieldValues) and not left.use.raw:
            left = NamesOf(left.node, _TEXT, left)
        if left.type.type not in _SEARCHED[test.operator]:
            raise FilterError.of(test.left, f"{test.operator} searches text and bytes, and this is of the type {left.type}")
        every = test.quantifier == "all"
        if test.operator == "matches":
            if not isinstance(test.right, String):
                raise FilterError.of(test.right, "after matches comes a regular expression in double quotes")
            if not self.has_field(left):
                self._refuse_constant(test)
            return MatchesTest(test, every, left, BytePattern(test.right.value, *place(test.right)))
        if is_untyped(test.right):
            right = self.entity(test.right, left.type, None, partial=True)
        else:
            right = self.entity(test.right)
            self._compare(left, right)
        if not (self.has_field(left) or self.has_field(right)):
            self._refuse_constant(test)
        return ContainsTest(test, every, left, right)

    def _membership(self, test: Membership) -> TypedTest:
        if not isinstance(test.member, FieldUse):
            self.refuse_unknown(test.member)
            raise FilterError.of(test.member, "only a field can be in a set")
        member = self.entity(test.member)
        named = False
        elements: list[TypedEntity | tuple[TypedEntity, TypedEntity]] = []
        for element in test.elements:
            if named and not isinstance(element, String | Word | Character):
                raise FilterError("after a name that several values have, a set has names only", *_span(element))
            if isinstance(element, tuple):
                low, high = (self._element(one, member, "<") for one in element)
                elements.append((low, high))
            else:
                found = self._element(element, member, "==")
                named = named or (found.type == _TEXT and member.type != _TEXT)
                elements.append(found)
        if named:
            return self._named_membership(test, member, elements)
        return MemberTest(test, test.negated, test.quantifier == "all", member, tuple(elements))

    def _element(self, element: Entity, member: TypedEntity, operator: str) -> TypedEntity:
        if is_untyped(element):
            return self._beside(element, member, operator)[0]
        found = self.entity(element)
        self._compare(member, found)
        return found

    def _named_membership(
        self, test: Membership, member: TypedEntity, elements: list[TypedEntity | tuple[TypedEntity, TypedEntity]]
    ) -> TypedTest:
        """A set in which a name stands for several values: each name becomes all its values."""
        field = _field_of(member)
        values = (field.values if field is not None else None) or {}
        spread: list[TypedEntity | tuple[TypedEntity, TypedEntity]] = []
        for one in elements:
            if isinstance(one, Constant) and one.type == _TEXT:
                name = str(one.value).casefold()
                spread += [
                    Constant(one.node, member.type, number) for number, known in values.items() if known.casefold() == name
                ]
            else:
                spread.append(one)
        return MemberTest(test, test.negated, test.quantifier == "all", member, tuple(spread))

    def _refuse_constant(self, node: Node) -> NoReturn:
        raise FilterError.of(node, "there is no field in this, so it is the same for every packet")


def _is_nan(entity: TypedEntity) -> bool:
    return isinstance(entity, Constant) and isinstance(entity.value, float) and math.isnan(entity.value)


def _span(element: Entity | tuple[Entity, Entity]) -> tuple[int, int]:
    """Return where an element of a set stands: offset and length."""
    first, last = element if isinstance(element, tuple) else (element, element)
    return first.at, last.end - first.at


def _field_of(entity: TypedEntity) -> Field | None:
    return entity.use.field if isinstance(entity, FieldValues) and not entity.use.raw else None
