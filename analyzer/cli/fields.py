"""`analyzer fields`: prints the fields that can be filtered, or the codes that records contain, and what each means."""

from argparse import Namespace
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from analyzer.cli.output import CommandError, Output
from analyzer.cli.table import wrap
from analyzer.codec.codes import Code
from analyzer.store.session_record import json_line
from analyzer.text.escape import csv_row
from analyzer.text.language import ENGLISH, say, spoken, translated_codes
from analyzer.text.punctuation import listing

if TYPE_CHECKING:
    from analyzer.filters.field import Field

FINDINGS = ("findings",)
CAUSES = ("outcome_causes", "decryption_failures", "chain_problems")

_INDENT = "    "
_VALUES = 8
"""Names of numbers that the text shows of a field."""


def run(options: Namespace, output: Output) -> int:
    """Print the chosen fields or codes, and return the exit status."""
    word = options.word.lower()
    if not options.findings and not options.causes:
        return _run_fields(options, word)
    found = list(_matching(FINDINGS if options.findings else CAUSES, word))
    if not found:
        raise CommandError(f"{options.word}: no list, code, title or meaning has this in it")
    for one in options.outputs:
        _write(one, found)
    return 0


def _run_fields(options: Namespace, word: str) -> int:
    from analyzer.filters.field_table import field_table

    found = [field for field in field_table() if word in f"{field.name} {field.label}".lower()]
    if not found:
        near = " / ".join(field_table().nearest(word))
        if near:
            raise CommandError(f"{options.word}: no field has this in its name or label; did you mean {near}?")
        raise CommandError(f"{options.word}: no field has this in its name or label")
    for one in options.outputs:
        rows = [_field_row(field) for field in found]
        if one.form == "csv":
            one.write(csv_row(list(rows[0])).encode())
        for row in rows:
            if one.form == "json":
                one.write(json_line(row))
            elif one.form == "csv":
                one.write(csv_row([" | ".join(cell) if isinstance(cell, list) else cell for cell in row.values()]).encode())
            else:
                _print_field(one, row)
    return 0


def _field_row(field: "Field") -> dict[str, Any]:
    values = None if field.values is None else [f"{number}={name}" for number, name in field.values.items()]
    nothing = dict.fromkeys(("meaning", "reference", "refuted_by", "advice"))
    head = {"list": "fields", "code": field.name, "title": field.label, "severities": None}
    return {**head, **nothing, "type": field.type_name, "values": values}


def _print_field(output: Output, row: dict[str, Any]) -> None:
    kind = row["type"].removeprefix("FT_")
    output.line(f"{output.paint(row['code'], 'bold')}  {output.paint(kind, 'dim')}  {row['title']}")
    shown = row["values"] or []
    more = [say("and {n:,} more", n=len(shown) - _VALUES)] if len(shown) > _VALUES else []
    if shown:
        for line in wrap(listing(shown[:_VALUES] + more), max(40, output.width - len(_INDENT))):
            output.line(_INDENT + output.paint(line, "dim"))


def _write(output: Output, found: list[tuple[str, Code]]) -> None:
    if output.form == "csv":
        output.write(csv_row(list(_row(*found[0]))).encode())
    for entry in found:
        if output.form == "json":
            output.write(json_line(_row(*entry)))
        elif output.form == "csv":
            cells = [" ".join(cell) if isinstance(cell, tuple) else cell for cell in _row(*entry).values()]
            output.write(csv_row(cells).encode())
        else:
            _print(output, *entry)


def _matching(lists: tuple[str, ...], word: str) -> Iterator[tuple[str, Code]]:
    for name in lists:
        for one in translated_codes(name).values():
            if word in f"{name} {one.code} {one.title} {one.meaning}".lower():
                yield name, one


def _row(name: str, one: Code) -> dict[str, Any]:
    return {"list": name, **{key: value or None for key, value in asdict(one).items()}, "type": None, "values": None}


def _print(output: Output, name: str, one: Code) -> None:
    severity = "  " + say("({text})", text=listing(map(say, one.severities))) if one.severities else ""
    output.line(output.paint(one.code, "bold") + severity + output.paint(f"  {name}", "dim"))
    parts = [one.title if one.advice else say("{title}.", title=one.title), one.meaning, one.advice]
    refuted = say("Not so where: {sentence}", sentence=one.refuted_by) if one.refuted_by else ""
    for part in (*parts, refuted, _references(one.reference)):
        for line in wrap(part, max(40, output.width - len(_INDENT))) if part else ():
            output.line(_INDENT + line)
    output.line()


def _references(text: str) -> str:
    """Return references to RFCs and their sections in the language of the results; as the registry has them in English."""
    if not text or spoken() == ENGLISH:
        return text
    from analyzer.report.fact_texts import references_text
    from analyzer.report.sentences import Sentences

    return references_text(text, Sentences(spoken()))
