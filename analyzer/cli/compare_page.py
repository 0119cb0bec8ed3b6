"""What the pages of two captures compared have in common: how many rows a table has, and how values are shortened."""

from analyzer.cli.output import Output
from analyzer.cli.page import headline
from analyzer.text.language import say

MOST_ROWS = 20
"""Rows of each table. JSON and CSV have all."""

SHORT_HASH = 16
"""Characters of a hash that are shown."""


def list_headline(output: Output, title: str, count: int) -> None:
    """Print the heading of a table with the number of its rows, and that there are more than are shown."""
    more = say("{n:,}; the first {most} are shown, --format json has more", n=count, most=MOST_ROWS)
    headline(output, title, more if count > MOST_ROWS else f"{count:,}")


def short(text: str) -> str:
    """Return a value; of a hash, the beginning."""
    is_hash = len(text) == 64 and all(one in "0123456789abcdef" for one in text)
    return text[:SHORT_HASH] + "…" if is_hash else text
