"""`analyzer filter`: what a display filter means, in words and as a tree; or where its mistake is."""

from argparse import Namespace
from typing import Any

from analyzer.cli.filter_options import filter_of
from analyzer.cli.filter_words import FilterWords
from analyzer.cli.output import Output
from analyzer.cli.table import cut, wrap
from analyzer.filters.filter_tree import tree_lines, tree_record
from analyzer.text.escape import harmless
from analyzer.text.language import retold_error, say
from analyzer.text.punctuation import beside, labelled

_SIGNS = ("├─ ", "└─ ", "│  ")
_PLAIN_SIGNS = ("|- ", "`- ", "|  ")
_INDENT = "  "


def run(options: Namespace, output: Output) -> int:
    """Explain the expression, and return the exit status. Raises CommandError for one that is no filter."""
    found = filter_of(" ".join(options.expression), options)
    words = [(0, say("every packet passes"))] if found.tree is None else list(FilterWords(found.text).lines(found.tree))
    tree = tree_record(found.tree) if found.tree is not None else None
    fields = [
        {"name": field.name, "type": field.type.value, "label": field.label}
        for field in sorted(found.fields | found.reference_fields, key=lambda field: field.name)
    ]
    for one in options.outputs:
        if one.form == "json":
            from analyzer.store.session_record import json_line  # which loads nearly everything

            lines = [_INDENT * depth + sentence for depth, sentence in words]
            record = {"filter": found.text, "words": lines, "tree": tree, "fields": fields, "warnings": list(found.warnings)}
            one.write(json_line(record))
        else:
            _print(one, words, tree, fields, list(found.warnings))
    return 0


def _print(
    output: Output, words: list[tuple[int, str]], tree: dict[str, Any] | None, fields: list[dict[str, str]], warnings: list[str]
) -> None:
    if tree is not None:
        output.line(output.paint(say("A packet passes if:"), "bold"))
    for depth, sentence in words:
        indent = _INDENT * (depth + 1)
        for number, line in enumerate(wrap(harmless(sentence), max(30, output.width - len(indent) - 2))):
            output.line(indent + (_INDENT if number else "") + line)
    if tree is not None:
        output.line()
        output.line(output.paint(say("Tree"), "bold"))
        for line in tree_lines(tree, _signs(output)):
            output.line(_INDENT + (cut(harmless(line), output.width - 2) if output.fitted else harmless(line)))
        output.line()
        output.line(output.paint(say("Fields"), "bold"))
        longest = max((len(field["name"]) for field in fields), default=0)
        for field in fields:
            row = f"{_INDENT}{field['name']:{longest}}  {beside(field['label'], field['type'])}"
            output.line(cut(row, output.width) if output.fitted else row)
    for warning in warnings:
        output.line(output.paint(labelled(say("Warning"), retold_error(warning)), "yellow"))


def _signs(output: Output) -> tuple[str, str, str]:
    try:
        "".join(_SIGNS).encode(output.encoding)
    except UnicodeEncodeError:
        return _PLAIN_SIGNS
    return _SIGNS
