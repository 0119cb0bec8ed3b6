"""The tree of a filter whose types are checked: every literal has become a value of the type that it is compared with.

This is what is evaluated (`evaluation`), explained (`explanation`), and what a faster form of a simple filter can be made of.
"""

from typing import TYPE_CHECKING, TypeAlias

from analyzer.filters.field_type import FieldType, Value
from analyzer.filters.syntax_tree import FieldUse, Node, Parts
from analyzer.filters.tree_node import TreeNode

if TYPE_CHECKING:
    from analyzer.filters.byte_pattern import BytePattern
    from analyzer.filters.filter_functions import FilterFunction


class ValueType(TreeNode):
    """The type of an entity: that of a field, with the width of its numbers in bits (0 where it has none)."""

    type: FieldType
    bits: int = 0

    def __str__(self) -> str:
        if self.bits and self.type in (FieldType.UINT, FieldType.INT, FieldType.FLOAT):
            return f"{self.type.value} ({self.bits} bits)"
        return self.type.value


class Typed(TreeNode):
    """An entity whose type is known; `node` is where it stands in the text."""

    node: Node
    type: ValueType


class Constant(Typed):
    """A literal. `mask` is that of a prefix (`10.0.0.0/8`), of the length of the address: only its bits are compared."""

    value: Value
    mask: bytes | None = None


class FieldValues(Typed):
    """All values of a field in the packet; with `@` its bytes."""

    use: FieldUse


class ReferenceValues(Typed):
    """All values that the field has in the selected packet."""

    use: FieldUse


class NamesOf(Typed):
    """The value strings of the values of a field; a value without a name gives its digits."""

    of: FieldValues


class SliceOf(Typed):
    """A part of each value."""

    of: "TypedEntity"
    parts: Parts


class CallOf(Typed):
    """A function of its arguments."""

    function: "FilterFunction"
    arguments: tuple["TypedEntity", ...]


class OperationOf(Typed):
    """The results of an operation for each pair of values."""

    operator: str
    left: "TypedEntity"
    right: "TypedEntity"


class NegativeOf(Typed):
    """Each value with the other sign."""

    of: "TypedEntity"


TypedEntity: TypeAlias = Constant | FieldValues | ReferenceValues | NamesOf | SliceOf | CallOf | OperationOf | NegativeOf


class ExistsTest(TreeNode):
    """A field is present, a slice is not empty, a result is not zero."""

    node: Node
    of: TypedEntity


class CompareTest(TreeNode):
    """One of `== != < <= > >=` holds for a pair of values, or for every pair (and there is one) where `every` is true."""

    node: Node
    operator: str
    every: bool
    left: TypedEntity
    right: TypedEntity


class ContainsTest(TreeNode):
    """A value on the right is a part of one on the left, or of every one."""

    node: Node
    every: bool
    left: TypedEntity
    right: TypedEntity


class MatchesTest(TreeNode):
    """A value on the left, or every one, has a place that matches the pattern."""

    node: Node
    every: bool
    left: TypedEntity
    pattern: "BytePattern"


class MemberTest(TreeNode):
    """A value of the field, or every one, is in the set; `negated`: the field is present, and that is not so."""

    node: Node
    negated: bool
    every: bool
    member: TypedEntity
    elements: tuple[TypedEntity | tuple[TypedEntity, TypedEntity], ...]


class NotTest(TreeNode):
    """The test is false."""

    node: Node
    of: "TypedTest"


class LogicTest(TreeNode):
    """`and`, `or` or `xor` of the parts."""

    node: Node
    operator: str
    parts: tuple["TypedTest", ...]


TypedTest: TypeAlias = ExistsTest | CompareTest | ContainsTest | MatchesTest | MemberTest | NotTest | LogicTest
