"""Writes REFERENCE.md from the lists of codes and the declarations of records: `python tests/reference.py > REFERENCE.md`."""

from collections.abc import Iterator
from typing import Any

from analyzer.codec.codes import codes
from analyzer.crosscheck.reason_codes import reason_codes
from analyzer.store.event_schema import EVENT
from analyzer.store.output_schemas import SCHEMAS

HEAD = """\
# Reference

The codes that records carry, and the keys of all JSON output. This page is made from the lists and declarations that the
program itself uses (`python tests/reference.py > REFERENCE.md`). `analyzer fields --findings` and `analyzer fields --causes`
print the codes, `analyzer COMMAND --schema` prints the keys as a JSON Schema.

- Codes: [Findings](#findings) · [Why something was not decrypted](#why-something-was-not-decrypted) ·
  [What makes a chain invalid](#what-makes-a-chain-invalid) ·
  [Why tshark says something else](#why-tshark-says-something-else)
- Keys: {commands}

A code is never renamed, nor is a key. A key whose value is not known is null and never left out. `analyzer show` has the keys
of `sessions` for one session, and `analyzer live` for each, both with `--format json`. `analyzer packet` has no JSON output.
`protocol` is `tls` for TLS over TCP, `dtls` for DTLS, or `quic`.

In the tables below:

- `[]` stands for the items of a list: `certificates.server[].subject` is the subject of one certificate of the server.
- The type *time* is text by RFC 3339, in UTC, with nine digits of a second, such as `2026-10-03T12:00:00.123456789Z`.
- If several keys of a table have the same type with many keys, these are listed once: "keys as in `chain`" says where.
- The type *code* links to the list of the allowed values.
"""

LISTS = {
    "findings": ("Findings", "`findings` of a session, and of the summary for what is about a capture."),
    "decryption_failures": ("Why something was not decrypted", "`decryption.reason` of a session."),
    "chain_problems": ("What makes a chain invalid", "`code` in `chain.problems` and `client_chain.problems` of a session."),
}

EVENTS = "live --events"

FEW = 3
"""The most keys of a definition that is listed wherever it is used."""


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


def list_of_reasons() -> Iterator[str]:
    """The reasons of `crosscheck` as a section."""
    yield "\n## Why tshark says something else\n\nIn `differences[].reason` of `crosscheck`, for the fields in parentheses.\n"
    for one in reason_codes().values():
        yield f"- **`{one.code}`** ({one.field.replace(' ', ', ')}): {cell(one.meaning)} {one.reference}."


def keys_of(
    schema: dict[str, Any], definitions: dict[str, Any], path: str, seen: dict[str, str]
) -> Iterator[tuple[str, str, str]]:
    """Every key below a schema: its path, type and meaning. seen: where each definition was listed first; is changed."""
    for name, key in schema.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        absent = "" if name in schema.get("required", ()) else "; not in every record"
        as_in = "" if "items" in key else listed_at(key, definitions, seen)
        yield here, type_of(key, definitions), key["description"] + as_in + absent
        yield from below(key, definitions, here, seen)


def below(
    schema: dict[str, Any], definitions: dict[str, Any], path: str, seen: dict[str, str]
) -> Iterator[tuple[str, str, str]]:
    """The keys of what stands at a path: of a definition that was listed before only if they are few, else where they are."""
    if "items" in schema:
        items, here = schema["items"], path + "[]"
        as_in = listed_at(items, definitions, seen)
        if as_in:
            yield here, type_of(items, definitions), as_in.removeprefix("; ")
        yield from below(items, definitions, here, seen)
    name = name_of(schema)
    if name and not listed_at(schema, definitions, seen):
        seen.setdefault(name, path)
        yield from below(definitions[name], definitions, path, seen)
    yield from keys_of(schema, definitions, path, seen)


def listed_at(schema: dict[str, Any], definitions: dict[str, Any], seen: dict[str, str]) -> str:
    """Where the keys of a schema are, if it is a definition with many keys that was listed before; else nothing."""
    name = name_of(schema)
    many = name in seen and len(definitions[name].get("properties", ())) > FEW
    return f"; keys as in `{seen[name]}`" if many else ""


def name_of(schema: dict[str, Any]) -> str:
    """The name of the definition that a schema refers to; empty for none."""
    names = [one["$ref"].rpartition("/")[2] for one in (schema, *schema.get("anyOf", ())) if "$ref" in one]
    return names[0] if names else ""


def type_of(schema: dict[str, Any], definitions: dict[str, Any]) -> str:
    """The type in words, or the allowed values."""
    if "anyOf" in schema:
        return " or ".join(type_of(one, definitions) for one in schema["anyOf"])
    if "$ref" in schema:
        name = name_of(schema)
        return type_of(definitions[name], definitions) if "enum" in definitions[name] else name.replace("_", " ")
    kinds = schema.get("type", "any")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    or_null = " or null" if "null" in kinds[1:] else ""
    if "enum" in schema:
        values = [value for value in schema["enum"] if value is not None]
        for name, (title, _) in LISTS.items():
            if values == list(codes(name)):
                return f"[code](#{title.lower().replace(' ', '-')}){or_null}"
        return ", ".join(f"`{value}`" for value in values) + or_null
    if "array" in kinds:
        return f"list of {type_of(schema['items'], definitions)}{or_null and ',' + or_null}"
    return " or ".join(kinds)


def section(command: str, schema: dict[str, Any]) -> Iterator[str]:
    """The keys of what a command prints."""
    yield f"\n## `analyzer {command}`\n"
    yield f"{schema['description']}\n"
    seen = {"session": "analyzer sessions"} if command == EVENTS else {}
    for one in schema.get("oneOf") or schema.get("items", {}).get("oneOf") or [schema]:
        if one is not schema:
            yield f"{one['description'][0].upper()}{one['description'][1:]}:\n"
        yield "| key | type | meaning |\n| --- | --- | --- |"
        for path, kind, meaning in keys_of(one, schema["$defs"], "", dict(seen)):
            yield f"| `{path}` | {cell(kind)} | {cell(meaning)} |"
        yield ""
    for key, listed in schema.get("properties", {}).items():
        for one in listed.get("items", {}).get("oneOf", ()):
            yield f"An entry of `{key}`, {one['description']}:\n"
            yield "| key | type | meaning |\n| --- | --- | --- |"
            for path, kind, meaning in keys_of(one, schema["$defs"], "", dict(seen)):
                yield f"| `{path}` | {cell(kind)} | {cell(meaning)} |"
            yield ""


def page() -> str:
    """The whole page."""
    shown = {command: schema for command, schema in SCHEMAS.items() if command not in ("show", "live")}
    shown[EVENTS] = EVENT
    links = " · ".join(f"[{command}](#analyzer-{command.replace(' ', '-')})" for command in shown)
    lines = [HEAD.format(commands=links)]
    for name in LISTS:
        lines += list_of_codes(name)
    lines += list_of_reasons()
    for command, schema in shown.items():
        lines += section(command, schema)
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    print(page(), end="")
