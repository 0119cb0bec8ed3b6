"""A filter that is ready: compiled once from its text, and asked about each packet."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from analyzer.filters.entity_values import References
from analyzer.filters.evaluation import predicate
from analyzer.filters.field import FieldTable
from analyzer.filters.filter_error import FilterError
from analyzer.filters.filter_parser import parse
from analyzer.filters.macros import expanded
from analyzer.filters.packet_values import PacketValues
from analyzer.filters.syntax_tree import FieldUse
from analyzer.filters.tree_node import TreeNode
from analyzer.filters.type_check import check
from analyzer.filters.typed_tree import ExistsTest, FieldValues, MatchesTest, ReferenceValues, TypedTest

_NAME = re.compile(r"\w[\w.-]*")


class CompiledFilter:
    """A filter. `matches` can be called for any number of packets; it never fails, whatever is in them."""

    def __init__(self, text: str, tree: TypedTest | None) -> None:
        self.text = text
        """The expression, with its macros expanded: the places of errors and nodes are places in it."""
        self.tree = tree
        """The checked tree; None for the empty filter, which every packet passes."""
        self._references = References()
        self._reference_uses: list[FieldUse] = []
        uses: list[FieldUse] = []
        for node in _nodes(tree):
            if isinstance(node, FieldValues):
                uses.append(node.use)
            elif isinstance(node, ReferenceValues):
                self._reference_uses.append(node.use)
        present = {node.of.use for node in _nodes(tree) if isinstance(node, ExistsTest) and isinstance(node.of, FieldValues)}
        self.fields = frozenset(use.field for use in uses)
        """All fields that it asks for in each packet."""
        self.valued = frozenset(use.field for use in uses if use not in present)
        """Those of them whose values it asks for, and not only their presence."""
        self.needs_layers = any(use.layers is not None for use in uses)
        """Whether it asks for the layer of a field (`#`)."""
        self.needs_raw = any(use.raw for use in uses)
        """Whether it asks for the bytes of a field (`@`)."""
        self.reference_fields = frozenset(use.field for use in self._reference_uses)
        """The fields that it reads once from the selected packet: `select` has to be called if there are any."""
        self.warnings = tuple(dict.fromkeys(_deprecations(text, [*uses, *self._reference_uses])))
        """What the user should know about the expression, one sentence each."""
        self._matches = predicate(tree, self._references) if tree is not None else _everything
        self._patterns = [node.pattern for node in _nodes(tree) if isinstance(node, MatchesTest)]

    def matches(self, packet: PacketValues) -> bool:
        """Return whether a packet passes."""
        return self._matches(packet)

    def select(self, packet: PacketValues) -> None:
        """Take the values of the references (`${field}`) from the selected packet; without a call they have none."""
        self._references.select(self._reference_uses, packet)

    @property
    def exhausted(self) -> int:
        """How often a search for a pattern was given up, because it took too many steps."""
        return sum(pattern.exhausted for pattern in self._patterns)


def compile_filter(text: str, table: FieldTable, *, macros: Mapping[str, str] | None = None) -> CompiledFilter:
    """Return the filter that a text in Wireshark's language is; its fields are those of the table.

    `macros` are texts by the names of the macros. Raises FilterError where it means nothing, with the expanded text.
    """
    whole = text
    try:
        whole = expanded(text, macros or {}, table)
        test = parse(whole, table)
        return CompiledFilter(whole, check(test, table) if test is not None else None)
    except FilterError as error:
        error.text = whole
        raise


def _everything(_: PacketValues) -> bool:
    return True


def _deprecations(text: str, uses: list[FieldUse]) -> Iterator[str]:
    for use in sorted(uses, key=lambda use: use.at):
        field = use.field
        written = _NAME.search(text, use.at, use.end)
        if field.deprecated:
            yield f"{field.name} is deprecated: write {field.deprecated}"
        elif written is not None and written.group() != field.name:
            yield f"{written.group()} is deprecated: write {field.name}"


def _nodes(tree: Any) -> Iterator[Any]:
    """Yield every node of a checked tree."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, tuple):
            waiting += node
        elif isinstance(node, TreeNode):
            yield node
            waiting += [getattr(node, name) for name in node.node_fields if name not in ("node", "function", "type", "use")]
