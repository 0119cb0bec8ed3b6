"""How records of the JSON output are declared: every key once, with its type and its meaning.

A declaration is a JSON Schema (draft 2020-12) as plain dicts, written with the functions below, which all take a description.
Three things come from it: the schema that `--schema` prints, the empty record in which every key is null, and CSV columns.
A key whose value is not known is null and is never left out, so every key is `required`. Keys may be added later, so a record
may have further keys.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

Schema = dict[str, Any]


def record(description: str, keys: dict[str, Schema], optional: Sequence[str] = ()) -> Schema:
    """An object with these keys. optional: those that stand only where there is something to say."""
    return {
        "type": "object",
        "description": description,
        "properties": keys,
        "required": [name for name in keys if name not in optional],
        "additionalProperties": True,
    }


def document(title: str, content: Schema, definitions: dict[str, Schema]) -> Schema:
    """A whole schema; `reference` names its definitions."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **content, "$defs": definitions}


def free_form(description: str) -> Schema:
    """An object whose keys depend on what was read."""
    return {"type": "object", "description": description}


def anything(description: str) -> Schema:
    """A value of any type."""
    return {"description": description}


def several(description: str, items: Schema) -> Schema:
    """A list."""
    return {"type": "array", "description": description, "items": items}


def counted(description: str, key: str, items: Schema) -> Schema:
    """A count, and a list of the first ones under `key`."""
    return record(description, {"count": number("how many there are"), key: several("the first of them", items)})


def text(description: str, pattern: str = "") -> Schema:
    """A string. pattern: a regular expression that it matches."""
    return {"type": "string", "description": description} | ({"pattern": pattern} if pattern else {})


def one_of(description: str, values: Sequence[str]) -> Schema:
    """A string out of a closed set."""
    return {"type": "string", "description": description, "enum": list(values)}


def number(description: str, minimum: int = 0, maximum: int | None = None) -> Schema:
    """An integer."""
    bounds = {"minimum": minimum} if maximum is None else {"minimum": minimum, "maximum": maximum}
    return {"type": "integer", "description": description, **bounds}


def flag(description: str) -> Schema:
    """True or false."""
    return {"type": "boolean", "description": description}


def reference(description: str, name: str) -> Schema:
    """A value as one of the document's definitions has it."""
    return {"$ref": f"#/$defs/{name}", "description": description}


def item_of(name: str) -> Schema:
    """An item of a list, as one of the document's definitions has it."""
    return {"$ref": f"#/$defs/{name}"}


def or_null(schema: Schema) -> Schema:
    """The same, or null where the value is not known."""
    if "$ref" in schema:
        return {"anyOf": [{"$ref": schema["$ref"]}, {"type": "null"}], "description": schema["description"]}
    null: Schema = schema | {"type": [schema["type"], "null"]}
    if "enum" in schema:
        null["enum"] = [*schema["enum"], None]
    return null


def empty(schema: Schema) -> dict[str, Any]:
    """A record in which nothing is known: every key of the declaration, in its order, with null."""
    return dict.fromkeys(schema["properties"])


class Column(NamedTuple):
    """One CSV column. value: takes a record and gives what stands in the cell, None for an empty one."""

    name: str
    schema: Schema
    value: Callable[[dict[str, Any]], Any]


def columns(schema: Schema, *declared: str | tuple[Any, ...]) -> tuple[Column, ...]:
    """CSV columns of a declared record.

    declared: each is the name of a key, or (column name, path), or (column name, path, function that makes the cell from the
    value at the path). A path is as `chain.verdict` or `certificates.server.0.subject`, where 0 is the first item of a list.
    Raises KeyError for a path that is not declared.
    """
    made = []
    for column in declared:
        name, path, *how = (column, column) if isinstance(column, str) else column
        parts = path.split(".")
        made.append(Column(name, find(schema, parts), _value_at(parts, how[0] if how else None)))
    return tuple(made)


def find(schema: Schema, parts: Sequence[str]) -> Schema:
    """The declaration at a path of keys and item numbers. Raises KeyError where there is none."""
    found = schema
    for part in parts:
        found = _resolved(schema, found)
        found = found["items"] if part.isdigit() else found["properties"][part]
    return found


def _resolved(document: Schema, schema: Schema) -> Schema:
    references = [one["$ref"] for one in (schema, *schema.get("anyOf", ())) if "$ref" in one]
    target: Schema = document["$defs"][references[0].rpartition("/")[2]] if references else schema
    return target


def _value_at(parts: Sequence[str], how: Callable[[Any], Any] | None) -> Callable[[dict[str, Any]], Any]:
    steps = [int(part) if part.isdigit() else part for part in parts]

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
        return record if how is None or record is None else how(record)

    return value
