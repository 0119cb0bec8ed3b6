"""Lays out the parts of a page of text: headings, lists of values with their counts, and how to see more."""

from collections.abc import Iterable

from analyzer.analysis.tally import Tally
from analyzer.cli.files import LABEL
from analyzer.cli.output import Output
from analyzer.cli.table import flow, pad, width, wrap
from analyzer.text.escape import harmless
from analyzer.text.formatting import count_text
from analyzer.text.language import say

TIMES = "\u00d7"
"""Stands before the count of a value."""


def headline(output: Output, title: str, note: str = "") -> None:
    """Print the heading of a part of the page."""
    output.line()
    head = output.paint(title, "bold")
    for line in wrap(note, output.width - width(title) - 2):
        output.line(head + output.paint("  " + line, "dim"))
        head = " " * width(title)


def dim_line(output: Output, text: str) -> None:
    """Print a line that only says where there is more."""
    for line in wrap(text, output.width - 2):
        output.line(output.paint("  " + line, "dim"))


def print_tally(output: Output, label: str, tally: Tally, n: int) -> None:
    """Print the `n` values that occur most, with their counts, and how many further ones there are; nothing without any."""
    shown = tally.first(n)
    if not shown:
        return
    texts = [f"{harmless(value)} {TIMES}{count:,}" for value, count in shown]
    print_items(output, label, [*texts, *further_values(len(tally) - len(shown), tally.beyond)])


def print_items(output: Output, label: str, items: Iterable[str]) -> None:
    """Print a label and the items beside it, on as few lines as possible; no item is broken. They must be harmless."""
    label = say(label)
    for line in flow([(item, "") for item in items], output.width - LABEL - 2):
        output.line("  " + output.paint(pad(label, LABEL), "dim") + " · ".join(text for text, _ in line))
        label = ""


def further_values(n: int, beyond: int) -> Iterable[str]:
    """Yield what is said of values that are not shown: `n` of them, and `beyond` occurrences that are not told apart."""
    if beyond:
        yield say("and more than {further}", further=count_text(n, "further value"))
    elif n:
        yield say("and {further}", further=count_text(n, "further value"))
