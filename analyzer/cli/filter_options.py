"""Display filters on the command line: the options that every command with `-Y` has, and mistakes with their place."""

import argparse
from argparse import Namespace
from typing import TYPE_CHECKING

from analyzer.cli.output import CommandError
from analyzer.cli.table import cut, width
from analyzer.text.escape import harmless

if TYPE_CHECKING:
    from analyzer.filters.compiled_filter import CompiledFilter
    from analyzer.filters.filter_error import FilterError

_OR = " / "
_LONGEST = 400
"""Columns of a message, which may have a word of the expression in it."""
_SHOWN = 60
"""Characters of a long expression that are shown around a mistake, in columns of a terminal."""


def add_macros(command: argparse._ActionsContainer) -> None:
    """Add --macros."""
    command.add_argument(
        "--macros",
        metavar="FILE",
        help='macros for the filter, as in the file dmacros of Wireshark: "name" and its text, one a line',
    )


def filter_of(text: str, options: Namespace) -> "CompiledFilter":
    """Return the filter that an expression is, with the macros of the options. Raises CommandError for a mistake in them."""
    from analyzer.filters.compiled_filter import compile_filter
    from analyzer.filters.field_table import field_table
    from analyzer.filters.filter_error import FilterError

    try:
        return compile_filter(text, field_table(), macros=read_macros(options.macros) if options.macros else None)
    except FilterError as error:
        raise mistake(error) from None


def read_macros(path: str) -> dict[str, str]:
    """Return the macros of a file by their names. Raises CommandError where it cannot be read, or is no file of macros."""
    from analyzer.filters.macros import MAX_MACROS_FILE, macros_of

    try:
        with open(path, "rb") as file:
            content = file.read(MAX_MACROS_FILE + 1)
    except (OSError, ValueError) as error:
        raise CommandError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    if len(content) > MAX_MACROS_FILE:
        raise CommandError(f"{path}: over {MAX_MACROS_FILE} bytes, which is no file of macros")
    try:
        return macros_of(content.decode())
    except UnicodeDecodeError:
        raise CommandError(f"{path}: not in UTF-8") from None
    except ValueError as error:
        raise CommandError(f"{path}: {error}") from None


def mistake(error: "FilterError", of_field: bool = False) -> CommandError:
    """Return the error of the command line for a mistake in a filter: the reason, and below it the expression with a mark.

    of_field: it is not in a filter, but in what `-e` or `--columns` names.
    """
    place, meant, message = error.at + 1, _OR.join(error.suggestions), cut(error.message, _LONGEST)
    if of_field and meant:
        found = CommandError(f"field, character {place}: {message}; did you mean {meant}?")
    elif of_field:
        found = CommandError(f"field, character {place}: {message}")
    elif meant:
        found = CommandError(f"filter, character {place}: {message}; did you mean {meant}?")
    else:
        found = CommandError(f"filter, character {place}: {message}")
    if error.text:
        found.lines = _marked(error.text, error.at, error.length)
    return found


def _marked(text: str, at: int, length: int) -> tuple[str, str]:
    """Return the line of the expression that has the place, cut to what is beside it, and a line that marks it."""
    start = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at)
    line = text[start : end if end >= 0 else len(text)]
    at -= start
    length = max(1, min(length, len(line) - at))
    first = max(0, at - _SHOWN // 2)
    last = min(len(line), max(at + min(length, _SHOWN // 2), first + _SHOWN))
    before = ("…" if first else "") + harmless(line[first:at])
    marked = harmless(line[at : min(at + length, last)])
    after = harmless(line[min(at + length, last) : last]) + ("…" if last < len(line) else "")
    return f"    {before}{marked}{after}", "    " + " " * width(before) + "^" + "~" * (width(marked) - 1)
