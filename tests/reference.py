"""Writes REFERENCE.md from the lists of codes and the declarations of records: `python tests/reference.py > REFERENCE.md`."""

from collections.abc import Iterator
from typing import Any

from analyzer.codec.codes import codes
from analyzer.store.output_schemas import SCHEMAS

HEAD = """\
# Reference

The codes that records carry, and the keys of all JSON output. This page is made from the lists and declarations that the
program itself uses (`python tests/reference.py > REFERENCE.md`). `analyzer fields --findings` and `analyzer fields --causes`
print the codes, `analyzer COMMAND --schema` prints the keys as a JSON Schema.

- Codes: [Findings](#findings) · [Why something was not decrypted](#why-something-was-not-decrypted) ·
  [What makes a chain invalid](#what-makes-a-chain-invalid)
- Keys: {commands}

A code is never renamed, nor is a key. A key whose value is not known is null and never left out. In the tables below, `[]`
stands for the items of a list.
"""

LISTS = {
    "findings": ("Findings", "`findings` of a session, and of the summary for what is about a capture."),
    "decryption_failures": ("Why something was not decrypted", "`decryption.reason` of a session."),
    "chain_problems": ("What makes a chain invalid", "`code` in `chain.problems` and `client_chain.problems` of a session."),
}


def cell(text: str) -> str:
    """Text for a cell of a Markdown table."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def list_of_codes(name: str) -> Iterator[str]:
    """One list as a section."""
    title, where = LISTS[name]
    yield f"\n## {title}\n\nIn {where}\n"
    for one in codes(name).values():
        severity = f" ({', '.join(one.severities)})" if one.severities else ""
        refuted = f" Not so where: {one.refuted_by}" if one.refuted_by else ""
        reference = f" {one.reference}." if one.reference else ""
        title = one.title.rstrip(".")
        parts = " ".join(part for part in (f"{title}.", one.meaning, one.advice) if part)
        yield f"- **`{one.code}`**{severity}: {cell(parts)}{cell(refuted)}{reference}"


def keys_of(schema: dict[str, Any], definitions: dict[str, Any], path: str) -> Iterator[tuple[str, str, str]]:
    """Every key below a schema: its path, type and meaning; a definition is followed where it is used first."""
    for name, key in schema.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        absent = "" if name in schema.get("required", ()) else "; not in every record"
        yield here, type_of(key, definitions), key["description"] + absent
        yield from below(key, definitions, here)


def below(schema: dict[str, Any], definitions: dict[str, Any], path: str) -> Iterator[tuple[str, str, str]]:
    """The keys of what stands at a path."""
    if "items" in schema:
        yield from below(schema["items"], definitions, path + "[]")
    for one in (schema, *schema.get("anyOf", ())):
        if "$ref" in one:
            name = one["$ref"].rpartition("/")[2]
            if name in definitions:
                yield from below(definitions.pop(name), definitions, path)
    yield from keys_of(schema, definitions, path)


def type_of(schema: dict[str, Any], definitions: dict[str, Any]) -> str:
    """The type in words."""
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2].replace("_", " ")
    if "anyOf" in schema:
        return " or ".join(type_of(one, definitions) for one in schema["anyOf"])
    kind = schema.get("type", "any")
    kinds = " or ".join(kind) if isinstance(kind, list) else kind
    if "enum" in schema and len(schema["enum"]) <= 6:
        return ", ".join(f"`{value}`" if value else "null" for value in schema["enum"])
    if kind == "array":
        return f"list of {type_of(schema['items'], definitions)}"
    return kinds


def section(command: str, schema: dict[str, Any]) -> Iterator[str]:
    """The keys of what a command prints."""
    yield f"\n## `analyzer {command}`\n"
    yield f"{schema['description']}\n"
    for one in schema.get("oneOf") or schema.get("items", {}).get("oneOf") or [schema]:
        if one is not schema:
            yield f"{one['description'][0].upper()}{one['description'][1:]}:\n"
        yield "| key | type | meaning |\n| --- | --- | --- |"
        for path, kind, meaning in keys_of(one, dict(schema["$defs"]), ""):
            yield f"| `{path}` | {cell(kind)} | {cell(meaning)} |"
        yield ""


def page() -> str:
    """The whole page."""
    shown = {command: schema for command, schema in SCHEMAS.items() if command != "show"}
    links = " · ".join(f"[{command}](#analyzer-{command})" for command in shown)
    lines = [HEAD.format(commands=links)]
    for name in LISTS:
        lines += list_of_codes(name)
    for command, schema in shown.items():
        lines += section(command, schema)
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    print(page(), end="")
