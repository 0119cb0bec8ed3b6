"""`analyzer fields`: prints the codes that records contain, and the meaning of each code."""

from argparse import Namespace
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from analyzer.cli.output import CommandError, Output
from analyzer.cli.table import wrap
from analyzer.codec.codes import Code
from analyzer.store.session_record import json_line
from analyzer.text.escape import csv_row
from analyzer.text.language import ENGLISH, say, spoken, translated_codes
from analyzer.text.punctuation import listing

FINDINGS = ("findings",)
CAUSES = ("outcome_causes", "decryption_failures", "chain_problems")

_INDENT = "    "


def run(options: Namespace, output: Output) -> int:
    """Print the chosen codes, and return the exit status."""
    found = list(_matching(FINDINGS if options.findings else CAUSES, options.word.lower()))
    if not found:
        raise CommandError(f"{options.word}: no list, code, title or meaning has this in it")
    for one in options.outputs:
        _write(one, found)
    return 0


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
    return {"list": name, **{key: value or None for key, value in asdict(one).items()}}


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
