"""Makes the fast form of a filter, if all that it asks for is in headers: presence, numbers and addresses, joined by logic.

The fast form answers as the filter itself does; a test compares the two. Anything else (slices, functions, text, layers, other
fields) has no fast form, and the filter itself is asked.
"""

from analyzer.filters.field_type import FieldType
from analyzer.filters.header_places import header_fields
from analyzer.filters.typed_tree import (
    CompareTest,
    Constant,
    ExistsTest,
    FieldValues,
    LogicTest,
    MemberTest,
    NotTest,
    TypedEntity,
    TypedTest,
)
from analyzer.packet.header_tests import (
    EQUAL,
    LESS,
    MORE,
    NOT_LESS,
    NOT_MORE,
    UNEQUAL,
    AllOf,
    AnyOf,
    ComparesNumber,
    ComparesOctets,
    HasField,
    HeaderTest,
    NotSo,
)
from analyzer.packet.layer_places import BOOLEAN, NUMBER, OCTETS, Place

_OPERATORS = {"==": EQUAL, "!=": UNEQUAL, "<": LESS, "<=": NOT_MORE, ">": MORE, ">=": NOT_LESS}
_LARGEST = 1 << 62


def header_test(tree: TypedTest | None) -> HeaderTest | None:
    """Return the fast form of a checked tree, None if it has none."""
    if tree is None:
        return HeaderTest()
    if isinstance(tree, LogicTest) and tree.operator in ("and", "or"):
        parts = [header_test(part) for part in tree.parts]
        tests = tuple(part for part in parts if part is not None)
        if len(tests) < len(parts):
            return None
        return AllOf(tests) if tree.operator == "and" else AnyOf(tests)
    if isinstance(tree, NotTest):
        inner = header_test(tree.of)
        return None if inner is None else NotSo(inner)
    if isinstance(tree, ExistsTest):
        places = _places(tree.of)
        return HasField(places) if places else None
    if isinstance(tree, CompareTest):
        return _comparison(tree.left, tree.operator, tree.right, tree.every)
    if isinstance(tree, MemberTest) and not tree.negated and not tree.every:
        return _member(tree)
    return None


def _member(tree: MemberTest) -> HeaderTest | None:
    """Return a test of a set of single values: as many comparisons."""
    tests = []
    for element in tree.elements:
        test = None if isinstance(element, tuple) else _comparison(tree.member, "==", element, False)
        if test is None:
            return None
        tests.append(test)
    return AnyOf(tuple(tests))


def _comparison(left: TypedEntity, operator: str, right: TypedEntity, every: bool) -> HeaderTest | None:
    places = _places(left)
    if not places or not isinstance(right, Constant) or operator not in _OPERATORS:
        return None
    value, form = right.value, places[0].form
    if form in (NUMBER, BOOLEAN) and isinstance(value, int) and -_LARGEST < value < _LARGEST:
        return ComparesNumber(places, _OPERATORS[operator], int(value), every)
    if form == OCTETS and isinstance(value, bytes) and operator in ("==", "!="):
        mask = right.mask if right.mask is not None else b"\xff" * len(value)
        if len(value) == len(mask) == places[0].width:
            return ComparesOctets(places, value, mask, operator == "!=", every)
    return None


def _places(entity: TypedEntity) -> tuple[Place, ...]:
    """Return the places of a field that stands alone; none for anything else, and for a field that is shown as text."""
    if not isinstance(entity, FieldValues) or entity.use.raw or entity.use.layers is not None:
        return ()
    field = entity.use.field
    known = header_fields().get(field.name)
    return () if known is None or field.type is FieldType.STRING else known[1]
