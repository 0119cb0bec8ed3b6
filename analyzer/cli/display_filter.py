"""The option `-Y`, a display filter: which commands have it, and what its expression is."""

import argparse
from argparse import Namespace
from typing import TYPE_CHECKING

from analyzer.cli.filter_options import add_macros
from analyzer.cli.filter_options import filter_of as read_filter
from analyzer.cli.output import CommandError, complain

if TYPE_CHECKING:
    from analyzer.filters.compiled_filter import CompiledFilter

FILTERED = frozenset(
    {
        "summary", "sessions", "show", "http", "certificates", "inventory", "stats", "follow", "export", "packets", "packet",
        "keys", "report", "crosscheck", "live",
    }
)  # fmt: skip
"""The commands that have the option."""


_NONE_SELECTED = "live has no selected packet: a reference such as ${ip.src} cannot be used in its filters"


def add_filter(command: argparse.ArgumentParser) -> None:
    """Add the option to a command."""
    chosen = command.add_argument_group("a display filter")
    chosen.add_argument(
        "-Y",
        "--filter",
        metavar="EXPR",
        help="only the packets that pass this filter, in Wireshark's language, or the sessions with such a packet: see "
        "`analyzer fields WORD` and `analyzer filter EXPR`",
    )
    add_macros(chosen)
    chosen.add_argument(
        "--selected-frame", type=_frame, metavar="N", help="the packet from which a reference such as ${ip.src} takes its value"
    )


def filter_of(options: Namespace) -> "CompiledFilter | None":
    """Return the filter that the options choose, None without one. Raises CommandError, with the place of the mistake."""
    text: str | None = getattr(options, "filter", None)
    if text is None:
        return None
    if not hasattr(options, "compiled_filter"):
        options.compiled_filter = read_filter(text, options)
        if options.compiled_filter.reference_fields and options.command == "live":
            raise CommandError(_NONE_SELECTED)
        if options.compiled_filter.reference_fields and options.selected_frame is None:
            raise CommandError("a reference such as ${ip.src} is to a packet: name it with --selected-frame")
        for warning in options.compiled_filter.warnings:
            complain(warning)
    found: CompiledFilter = options.compiled_filter
    return found


def trigger_of(options: Namespace) -> "CompiledFilter | None":
    """Return the filter that makes incidents in `live`, None without one. Raises CommandError with the place of a mistake."""
    if options.trigger_filter is None:
        return None
    if not hasattr(options, "compiled_trigger"):
        options.compiled_trigger = read_filter(options.trigger_filter, options)
        if options.compiled_trigger.reference_fields:
            raise CommandError(_NONE_SELECTED)
        for warning in options.compiled_trigger.warnings:
            complain(warning)
    found: CompiledFilter = options.compiled_trigger
    return found


def say_searches_given_up(options: Namespace) -> None:
    """Say on standard error if searches for a pattern took too many steps: whether these packets pass is not known."""
    filters = (getattr(options, name, None) for name in ("compiled_filter", "compiled_trigger"))
    for compiled in (one for one in filters if one is not None and one.exhausted):
        complain(
            f"the pattern took too many steps in {compiled.exhausted} values, which count as not matching: make it simpler"
        )


def say_what_was_given_up(compiled: "CompiledFilter") -> None:
    """Say on standard error how many searches for a pattern were given up, because they took too many steps."""
    if compiled.exhausted:
        complain(f"{compiled.exhausted} searches for a pattern took too many steps, and count as not found")


def _frame(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < len(text) <= 18:
        raise argparse.ArgumentTypeError(f"{text!r} is no number")
    return int(text)
