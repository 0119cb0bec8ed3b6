"""Declares the records of the JSON output: every key once, with its type and its meaning.

A declaration is a JSON Schema (draft 2020-12) as plain dicts, written with the functions below, which all take a description.
Three things come from it: the schema that `--schema` prints, the empty record in which every key is null, and CSV columns.
A key whose value is not known is null and is never left out, so every key is `required`. Keys may be added later, so a record
may have further keys.
"""

from collections.abc import Callable, Sequence
from operator import methodcaller
from typing import Any, NamedTuple

Schema = dict[str, Any]


def record(description: str, keys: dict[str, Schema], optional: Sequence[str] = ()) -> Schema:
    """Return an object with these keys. optional: the keys that may be left out."""
    return {
        "type": "object",
        "description": description,
        "properties": keys,
        "required": [name for name in keys if name not in optional],
        "additionalProperties": True,
    }


def document(title: str, content: Schema, definitions: dict[str, Schema]) -> Schema:
    """Return a whole schema. Its definitions are what `reference` and `item_of` name."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **content, "$defs": definitions}


def free_form(description: str) -> Schema:
    """Return an object whose keys depend on what was read."""
    return {"type": "object", "description": description}


def anything(description: str) -> Schema:
    """Return a value of any type."""
    return {"description": description}


def several(description: str, items: Schema) -> Schema:
    """Return a list."""
    return {"type": "array", "description": description, "items": items}


def counted(description: str, key: str, items: Schema) -> Schema:
    """Return an object with a count, and a list of the first items under `key`."""
    return record(description, {"count": number("how many there are"), key: several("the first of them", items)})


def text(description: str, pattern: str = "") -> Schema:
    """Return a string. pattern: a regular expression that it matches."""
    return {"type": "string", "description": description} | ({"pattern": pattern} if pattern else {})


def one_of(description: str, values: Sequence[str]) -> Schema:
    """Return a string out of a closed set."""
    return {"type": "string", "description": description, "enum": list(values)}


def number(description: str, minimum: int = 0, maximum: int | None = None) -> Schema:
    """Return an integer. minimum, maximum: its bounds, both included."""
    bounds = {"minimum": minimum} if maximum is None else {"minimum": minimum, "maximum": maximum}
    return {"type": "integer", "description": description, **bounds}


def decimal(description: str) -> Schema:
    """Return a number that need not be whole."""
    return {"type": "number", "description": description}


def flag(description: str) -> Schema:
    """Return a value that is true or false."""
    return {"type": "boolean", "description": description}


def reference(description: str, name: str) -> Schema:
    """Return a value of the type that the document defines under `name`."""
    return {"$ref": f"#/$defs/{name}", "description": description}


def item_of(name: str) -> Schema:
    """Return an item of a list, of the type that the document defines under `name`."""
    return {"$ref": f"#/$defs/{name}"}


def or_null(schema: Schema) -> Schema:
    """Return the same schema with null allowed, for a value that may be unknown."""
    if "$ref" in schema:
        return {"anyOf": [{"$ref": schema["$ref"]}, {"type": "null"}], "description": schema["description"]}
    null: Schema = schema | {"type": [schema["type"], "null"]}
    if "enum" in schema:
        null["enum"] = [*schema["enum"], None]
    return null


def empty(schema: Schema) -> dict[str, Any]:
    """Return a record in which nothing is known: every key of the declaration, in its order, with null."""
    return dict.fromkeys(schema["properties"])


def path_text(path: str) -> str:
    """A path as text for JSON: bytes that are no UTF-8 become escapes such as \\xff."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


class Column(NamedTuple):
    """One CSV column. value: takes a record, and returns the content of the cell, None for an empty cell."""

    name: str
    schema: Schema
    value: Callable[[dict[str, Any]], Any]


def columns(schema: Schema, *declared: str | tuple[Any, ...]) -> tuple[Column, ...]:
    """Return CSV columns of a declared record.

    declared: each is the name of a key, or (column name, path), or (column name, path, function that makes the cell from the
    value at the path). A path is for example `chain.verdict` or `certificates.server.0.subject`, where 0 is the first item of a
    list. Raises KeyError for a path that is not declared.
    """
    made = []
    for column in declared:
        name, path, *convert = (column, column) if isinstance(column, str) else column
        parts = path.split(".")
        made.append(Column(name, find(schema, parts), _value_at(parts, convert[0] if convert else None)))
    return tuple(made)


def find(schema: Schema, parts: Sequence[str]) -> Schema:
    """Return the declaration at a path of keys and item numbers. Raises KeyError if there is none."""
    found = schema
    for part in parts:
        found = _resolved(schema, found)
        found = found["items"] if part.isdigit() else found["properties"][part]
    return found


def _resolved(document: Schema, schema: Schema) -> Schema:
    references = [one["$ref"] for one in (schema, *schema.get("anyOf", ())) if "$ref" in one]
    target: Schema = document["$defs"][references[0].rpartition("/")[2]] if references else schema
    return target


def _value_at(parts: Sequence[str], convert: Callable[[Any], Any] | None) -> Callable[[dict[str, Any]], Any]:
    steps = [int(part) if part.isdigit() else part for part in parts]
    if len(parts) == 1 and convert is None and not parts[0].isdigit():
        return methodcaller("get", parts[0])

    def value(record: Any) -> Any:
        for step in steps:
            if record is None:
                return None
            if isinstance(step, str):
                record = record.get(step)
            elif step < len(record):
                record = record[step]
            else:
                return None
        return record if convert is None or record is None else convert(record)

    return value


TIME = text("a time by RFC 3339, in UTC, with nine digits of a second", r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$")

CERTIFICATE_TIME = text(
    "a time by RFC 3339, in UTC, as certificates have it: in whole seconds; a fraction, which RFC 5280 forbids, is kept",
    r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{9})?Z$",
)
