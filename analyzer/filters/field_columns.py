"""Columns of text: for each frame the values of the fields, or the results of the expressions, that `-e` names.

An expression is what a display filter may be, as tshark 4.6 takes it: arithmetic and functions give their values, and a test
gives a check mark in the packets that pass it. `_ws.col.*` are the columns of the packet list, which a caller hands in.
"""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from analyzer.filters.compiled_filter import CompiledFilter, compile_filter
from analyzer.filters.entity_values import References, getter
from analyzer.filters.field import Field, FieldTable
from analyzer.filters.field_text import TRUE, writer_of, writer_of_type
from analyzer.filters.field_type import FieldType
from analyzer.filters.filter_error import FilterError
from analyzer.filters.filter_lexer import field_named
from analyzer.filters.packet_values import PacketValues
from analyzer.filters.protocol_lines import line_of
from analyzer.filters.typed_tree import ExistsTest

LIST_COLUMNS = {
    "number": "number",
    "no.": "number",
    "cls_time": "time",
    "time": "time",
    "def_src": "source",
    "source": "source",
    "def_dst": "destination",
    "destination": "destination",
    "protocol": "protocol",
    "packet_length": "length",
    "length": "length",
    "info": "info",
}
"""The columns of the packet list, by what stands behind `_ws.col.` in Wireshark 4.6 and in versions before it."""

_TODAY = {name: wireshark for wireshark, name in reversed(LIST_COLUMNS.items())}
"""What each column of the packet list is called in Wireshark 4.6: the first of its names in `LIST_COLUMNS`."""

_LIST = "_ws.col."

Texts = Callable[[PacketValues], list[str]]
"""Returns the texts of one column for a packet, one for each occurrence."""


class FieldColumns:
    """The columns of one command. They are asked after `FrameValues.take`, for the frames that are shown.

    names: as they were given; columns of the packet list, and fields with a deprecated name, have the name of Wireshark 4.6.
    fields: all that have to be found for them. list_columns: the columns of the packet list among them, by their index.
    plain_fields: those of `names` that are the name of a field. needs_layers: whether a column asks for a layer (`#`).
    """

    def __init__(self, names: Sequence[str], table: FieldTable) -> None:
        """Raises FilterError for a name that is no field, with the name in its text, and for an expression that is none."""
        self.names: list[str] = []
        self.fields: set[Field] = set()
        self.list_columns: dict[int, str] = {}
        self.plain_fields: list[Field] = []
        self.needs_layers = False
        self._texts: list[Texts] = []
        for index, name in enumerate(names):
            column = list_column(name)
            if column is None:
                field = field_named(name.strip(), table)
                if field is None:
                    compiled = compile_filter(name, table)
                    needed, texts = _expression(compiled)
                    self.needs_layers |= compiled.needs_layers
                else:
                    needed, texts = _column(field, table)
                    self.plain_fields.append(field)
                self.fields |= needed
                self._texts.append(texts)
                self.names.append(name if field is None else field.name)
            else:
                self.names.append(_LIST + _TODAY[column])
                self.list_columns[index] = column
                self._texts.append(_nothing)

    def texts(self, packet: PacketValues, words: Mapping[str, str] | None = None) -> list[list[str]]:
        """Return the texts of every column. words: the columns of the packet list."""
        found = [texts(packet) for texts in self._texts]
        for index, column in self.list_columns.items():
            text = words.get(column, "") if words is not None else ""
            found[index] = [text] if text else []
        return found


def list_column(name: str) -> str | None:
    """Return which column of the packet list a name such as `_ws.col.Info` is; None for anything else."""
    text = name.strip()
    return LIST_COLUMNS.get(text[len(_LIST) :].lower()) if text.startswith(_LIST) else None


def _nothing(_: PacketValues) -> list[str]:
    return []


def _column(field: Field, table: FieldTable) -> tuple[AbstractSet[Field], Texts]:
    lines = line_of(field, table)
    if lines is not None:
        return {field, *lines[0]}, lines[1]
    return {field}, _of_field(field)


def _of_field(field: Field) -> Texts:
    write = writer_of(field)
    return lambda packet: [write(value) for value in packet.values(field)]


def _expression(compiled: CompiledFilter) -> tuple[AbstractSet[Field], Texts]:
    """Return the column of an expression. Raises FilterError for one that says nothing, or asks for a selected packet."""
    tree = compiled.tree
    if tree is None:
        raise FilterError("there is no field in this, so it is the same for every packet", 0, 1)
    if compiled.reference_fields:
        raise FilterError("a reference such as ${ip.src} is to a selected packet, and a column has none", 0, len(compiled.text))
    if not isinstance(tree, ExistsTest):
        return compiled.fields, lambda packet: [TRUE] if compiled.matches(packet) else []
    values, write = getter(tree.of, References()), writer_of_type(tree.of.type.type)
    if tree.of.type.type in (FieldType.NONE, FieldType.PROTOCOL):  # `ip#2`: Wireshark writes nothing
        return compiled.fields, lambda packet: []
    return compiled.fields, lambda packet: [write(value) for value in values(packet)]
