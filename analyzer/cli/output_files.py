"""Opens the outputs of a command: standard output, or the files of `-o`, each with its format.

`-o` may be repeated, and the ending of a file gives its format: `.json`, `.csv` or `.txt`. The captures are read once, whatever
the number of outputs. `--format` is for a file whose ending says nothing, and for standard output; with a single output it is
stronger than the ending, because it was written for this output.
"""

from argparse import Namespace
from collections.abc import Sequence
from os.path import abspath, splitext

from analyzer.cli.output import STANDARD_STREAM, CommandError, Output

TEXT = "text"

ENDINGS = {".json": "json", ".jsonl": "json", ".csv": "csv", ".txt": TEXT, ".svg": "svg"}
"""The formats by the endings of files."""


def open_outputs(options: Namespace, inputs: Sequence[str]) -> list[Output]:
    """Return the outputs that the options ask for. inputs: files that no output may be.

    Raises CommandError for an output that is one of them or is named twice, and for a format that the command does not have.
    """
    paths: list[str] = options.output or [STANDARD_STREAM]
    if len(paths) > 1 and not getattr(options, "forms", ()):
        raise CommandError(f"{options.command} has one output: give -o once")
    places = [STANDARD_STREAM if path == STANDARD_STREAM else abspath(path) for path in paths]
    for number, place in enumerate(places):
        if place in places[:number]:
            raise CommandError(f"{paths[number]}: named twice as output")
    forms = [_form(path, options, alone=len(paths) == 1) for path in paths]
    return [_opened(path, inputs, options, form) for path, form in zip(paths, forms, strict=True)]


def _opened(path: str, inputs: Sequence[str], options: Namespace, form: str) -> Output:
    output = Output(path, inputs, options.color)
    output.form = form
    return output


def _form(path: str, options: Namespace, alone: bool) -> str:
    """Return the format of an output. Commands without several formats, and those that choose by other means, have text."""
    known: Sequence[str] = getattr(options, "forms", ())
    if not known:
        return TEXT
    told: str | None = options.format
    meant = ENDINGS.get(splitext(path)[1].lower())
    form = told if told is not None and (alone or meant is None) else meant or TEXT
    if form not in known:
        raise CommandError(f"{path}: {options.command} has no {form}, only {', '.join(known)}")
    return form
