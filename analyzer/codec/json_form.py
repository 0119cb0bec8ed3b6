"""Converts messages to JSON values, by the same field tables that read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.codec.field_kinds import EXTENSIONS, FIXED, OPAQUE, SELECT, SIZED, STRUCT, UINT, VARINT
from analyzer.codec.field_spec import FieldSpec
from analyzer.codec.registry import registry

if TYPE_CHECKING:
    import cython


def json_value(message: Any) -> dict[str, Any]:
    """Return a message as JSON values.

    Keys are the RFC's field names. Numbers become their names in the registry, bytes become hex, text stays text.
    """
    fields: dict[str, Any] = {}
    spec: FieldSpec
    for spec in message.specs:
        value = getattr(message, spec.name)
        fields[spec.name] = None if value is None else json_field(spec, value, message)
    if message.trailing:
        fields["trailing"] = message.trailing.hex()
    return fields


def json_field(spec: FieldSpec, value: Any, owner: Any) -> Any:
    """Return one field as a JSON value. owner: the message that the field belongs to."""
    kind: cython.int = spec.kind
    if kind in (UINT, VARINT):
        return named(spec, value)
    if kind in (FIXED, OPAQUE):
        return value.decode("utf-8", "backslashreplace") if spec.text else value.hex()
    if kind == STRUCT:
        return json_value(value)
    if kind == SIZED:
        return json_field(spec.element, value, owner)
    if kind == EXTENSIONS:
        names = registry("extensions").names
        listed: list[dict[str, Any]] = []
        for item in value:
            body = item.body.hex() if isinstance(item.body, bytes) else json_value(item.body)
            listed.append({"type": names[item.type], "body": body})
        return listed
    if kind == SELECT:
        case = spec.cases.get(getattr(owner, spec.on), spec.element)
        return value.hex() if case is None else json_field(case, value, owner)
    element: FieldSpec = spec.element
    if element.kind == UINT:
        if not element.registry:
            return value
        return [named(element, number) for number in value]
    return [None if item is None else json_field(element, item, owner) for item in value]


def named(spec: FieldSpec, value: Any) -> Any:
    """Return the name of a number in the registry of its field spec, or the number itself if there is no registry."""
    if not spec.registry:
        return value
    names = spec.names
    if names is None:
        names = spec.names = registry(spec.registry).names
    return names[value]
