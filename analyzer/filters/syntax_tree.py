"""The syntax of a filter as a tree, before any type is checked.

Two sorts of nodes: entities, which have values (literals, fields, functions, slices, arithmetic), and tests, which are true or
false. Every node knows its place in the text, so that each later error can point at it.
"""

from typing import TypeAlias

from analyzer.filters.field import Field
from analyzer.filters.tree_node import TreeNode


class Node(TreeNode):
    """A part of the text: characters `at` to `end`, and how deeply nodes are nested below it."""

    at: int
    end: int
    depth: int


class Part(TreeNode):
    """One part of a slice or of a range of layers: `[i:j]` has a length, `[i-j]` a last index, `[i:]` neither."""

    first: int
    length: int | None = None
    last: int | None = None


Parts: TypeAlias = tuple[Part, ...]


class Number(Node):
    """An unsigned number: decimal, octal, hexadecimal or binary, or with a fraction."""

    text: str
    value: int | float


class String(Node):
    """What stands in double quotes, with its escapes resolved; bytes, because escapes can write any byte."""

    value: bytes

    @property
    def text(self) -> str:
        """The same as text; bytes that are no UTF-8 are surrogates."""
        return self.value.decode("utf-8", "surrogateescape")


class Character(Node):
    """A character in single quotes; a number whose value is `code`."""

    text: str
    code: int


class Word(Node):
    """A word without quotes that is no field: an address, bytes, a value string, or a misspelling."""

    text: str


class FieldUse(Node):
    """A field, with `@` (its bytes in the packet) and `#` (only in these layers) where they are written."""

    field: Field
    raw: bool
    layers: Parts | None


class Reference(Node):
    """`${field}`: the values that the field has in the selected packet."""

    use: FieldUse


class Slice(Node):
    """A part of the bytes or of the text of an entity."""

    of: "Entity"
    parts: Parts


class Call(Node):
    """A function and its arguments."""

    name: str
    arguments: tuple["Entity", ...]


class Operation(Node):
    """Arithmetic: `+ - * / %`, or `&` for the bitwise AND."""

    operator: str
    left: "Entity"
    right: "Entity"


class Negative(Node):
    """Arithmetic with one operand: unary minus."""

    of: "Entity"


Entity: TypeAlias = Number | String | Character | Word | FieldUse | Reference | Slice | Call | Operation | Negative
Literal: TypeAlias = Number | String | Character | Word


class Exists(Node):
    """An entity alone: a field is present, a result is not zero."""

    of: Entity


class Comparison(Node):
    """`a < b`, or chained: `a < b < c`. Operators are `==` `!=` `===` `!==` `<` `<=` `>` `>=`, however they were written."""

    quantifier: str | None
    operands: tuple[Entity, ...]
    operators: tuple[str, ...]


class Search(Node):
    """`contains` or `matches`."""

    quantifier: str | None
    operator: str
    left: Entity
    right: Entity


class Membership(Node):
    """`in`, or `not in`; an element is an entity, or a range from one to another."""

    quantifier: str | None
    negated: bool
    member: Entity
    elements: tuple[Entity | tuple[Entity, Entity], ...]


class Negation(Node):
    """`not`."""

    of: "Test"


class Logic(Node):
    """`and`, `or` or `xor` of two tests or more."""

    operator: str
    parts: tuple["Test", ...]


Test: TypeAlias = Exists | Comparison | Search | Membership | Negation | Logic
