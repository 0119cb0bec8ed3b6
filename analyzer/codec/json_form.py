"""Messages as JSON values, by the same field tables that read them. Compiled (see setup.cfg), and runs the same uncompiled."""

from typing import Any

import cython

from analyzer.codec.kinds import EXTENSIONS, FIXED, OPAQUE, SELECT, SIZED, STRUCT, UINT, VARINT
from analyzer.codec.registry import registry
from analyzer.codec.row import Row


def json_value(message: Any) -> dict[str, Any]:
    """A message as JSON values: the RFC's names, numbers by their registry's name, bytes in hex, text where it is text."""
    fields: dict[str, Any] = {}
    row: Row
    for row in message.rows:
        value = getattr(message, row.name)
        fields[row.name] = None if value is None else json_field(row, value, message)
    if message.trailing:
        fields["trailing"] = message.trailing.hex()
    return fields


def json_field(row: Row, value: Any, owner: Any) -> Any:
    """One field as a JSON value."""
    kind: cython.int = row.kind
    if kind in (UINT, VARINT):
        return named(row, value)
    if kind in (FIXED, OPAQUE):
        return value.decode("utf-8", "backslashreplace") if row.text else value.hex()
    if kind == STRUCT:
        return json_value(value)
    if kind == SIZED:
        return json_field(row.element, value, owner)
    if kind == EXTENSIONS:
        names = registry("extensions").names
        listed: list[dict[str, Any]] = []
        for item in value:
            body = item.body.hex() if isinstance(item.body, bytes) else json_value(item.body)
            listed.append({"type": names[item.type], "body": body})
        return listed
    if kind == SELECT:
        case = row.cases.get(getattr(owner, row.on), row.element)
        return value.hex() if case is None else json_field(case, value, owner)
    element: Row = row.element
    if element.kind == UINT:
        if not element.registry:
            return value
        return [named(element, number) for number in value]
    return [None if item is None else json_field(element, item, owner) for item in value]


def named(row: Row, value: Any) -> Any:
    """A number by its registry's name, or as it is where no registry names it."""
    if not row.registry:
        return value
    names = row.names
    if names is None:
        names = row.names = registry(row.registry).names
    return names[value]
