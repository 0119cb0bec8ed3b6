"""The checked tree of a filter for readers: as JSON, and as the short names of its nodes with their children.

`{"node": "compare", "operator": "==", "every": false, "at": 0, "length": 15, "of": [...]}`: every node has its kind, its place
in the expression, and the nodes that it is made of; an entity has its type too.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from analyzer.filters.field_type import FieldType
from analyzer.filters.filter_functions import value_text
from analyzer.filters.syntax_tree import FieldUse, Parts
from analyzer.filters.typed_tree import (
    CallOf,
    CompareTest,
    Constant,
    ContainsTest,
    ExistsTest,
    FieldValues,
    LogicTest,
    MatchesTest,
    MemberTest,
    NamesOf,
    NegativeOf,
    NotTest,
    OperationOf,
    ReferenceValues,
    SliceOf,
    TypedEntity,
    TypedTest,
)

_SECOND = 1_000_000_000


def tree_record(node: TypedTest | TypedEntity | tuple[TypedEntity, TypedEntity]) -> dict[str, Any]:
    """Return a node, and all below it, as a record for JSON."""
    if isinstance(node, tuple):
        at, end = node[0].node.at, node[1].node.end
        return {"node": "range", "at": at, "length": end - at, "of": [tree_record(one) for one in node]}
    kind, facts, children = _described(node)
    record = {"node": kind, **facts, "at": node.node.at, "length": node.node.end - node.node.at}
    if not isinstance(node, TypedTest):
        record["type"] = str(node.type)
    record["of"] = [tree_record(one) for one in children]
    return record


def constant_text(constant: Constant) -> str:
    """Return a literal as the value that it became: `02` beside bytes is 02, beside a port 2."""
    value, kind = constant.value, constant.type.type
    if isinstance(value, str):
        return f'"{value}"'
    if kind.is_address and isinstance(value, bytes):
        text = value_text(value, kind)
        return text if constant.mask is None else f"{text}/{int.from_bytes(constant.mask, 'big').bit_count()}"
    if kind in (FieldType.ETHER, FieldType.EUI64, FieldType.OID, FieldType.GUID):
        return value_text(value, kind)
    if isinstance(value, bytes):
        return value.hex(":")
    if kind is FieldType.ABSOLUTE_TIME and isinstance(value, int):
        return _moment(value)
    if kind is FieldType.RELATIVE_TIME and isinstance(value, int):
        return f"{'-' if value < 0 else ''}{abs(value) // _SECOND}.{abs(value) % _SECOND:09} s"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _moment(value: int) -> str:
    try:
        moment = datetime.fromtimestamp(value // _SECOND, UTC)
    except (ValueError, OverflowError, OSError):
        return f"{value // _SECOND} s"
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{value % _SECOND:09}Z"


def _described(node: TypedTest | TypedEntity) -> tuple[str, dict[str, Any], list[Any]]:
    """Return the kind of a node, what is said of it, and its children."""
    if isinstance(node, FieldValues | ReferenceValues):
        kind = "field" if isinstance(node, FieldValues) else "reference"
        return kind, _use_facts(node.use), []
    if isinstance(node, Constant):
        return "constant", {"value": constant_text(node)}, []
    if isinstance(node, CompareTest):
        return "compare", {"operator": node.operator, "every": node.every}, [node.left, node.right]
    if isinstance(node, ContainsTest):
        return "contains", {"every": node.every}, [node.left, node.right]
    if isinstance(node, MatchesTest):
        pattern = node.pattern.source.decode("utf-8", "backslashreplace")
        return "matches", {"every": node.every, "pattern": pattern}, [node.left]
    if isinstance(node, MemberTest):
        return "in", {"every": node.every, "negated": node.negated}, [node.member, *node.elements]
    if isinstance(node, LogicTest):
        return node.operator, {}, list(node.parts)
    if isinstance(node, OperationOf):
        return "operation", {"operator": node.operator}, [node.left, node.right]
    if isinstance(node, CallOf):
        return "call", {"function": node.function.name}, list(node.arguments)
    if isinstance(node, SliceOf):
        return "slice", {"parts": parts_text(node.parts)}, [node.of]
    return _SINGLE[type(node)], {}, [node.of]


_SINGLE: dict[type, str] = {ExistsTest: "exists", NotTest: "not", NamesOf: "names", NegativeOf: "negative"}


def _use_facts(use: FieldUse) -> dict[str, Any]:
    layers = None if use.layers is None else parts_text(use.layers)
    return {"name": use.field.name, "label": use.field.label, "raw": use.raw, "layers": layers}


def parts_text(parts: Parts) -> str:
    """Return a slice as it can be written: `0:2,-1:1`."""
    texts = []
    for part in parts:
        if part.last is not None:
            texts.append(f"{part.first}-{part.last}")
        else:
            texts.append(f"{part.first}:{'' if part.length is None else part.length}")
    return ",".join(texts)


def tree_lines(record: dict[str, Any], signs: tuple[str, str, str]) -> Iterator[str]:
    """Yield a record of `tree_record` as an indented tree. signs: of a branch, of the last branch, and beside further ones."""
    yield _line(record)
    branch, last, beside = signs
    children = record["of"]
    for child in children:
        is_last = child is children[-1]
        first, *rest = tree_lines(child, signs)
        yield (last if is_last else branch) + first
        for line in rest:
            yield (" " * len(beside) if is_last else beside) + line


def _line(record: dict[str, Any]) -> str:
    kind = record["node"]
    shown = [record.get("operator") or record.get("function") or record.get("value") or record.get("name") or kind]
    if record.get("every"):
        shown.insert(0, "all")
    if record.get("negated"):
        shown.insert(0, "not")
    if kind == "reference":
        shown[0] = f"${{{shown[0]}}}"
    if kind == "slice":
        shown[0] = f"[{record['parts']}]"
    if record.get("raw"):
        shown[0] = f"@{shown[0]}"
    if record.get("layers"):
        shown[0] += f"#[{record['layers']}]"
    if kind == "matches":
        shown.append(record["pattern"])
    if kind in ("field", "reference", "constant"):
        shown.append(f"  {record['type']}")
    return " ".join(shown)
