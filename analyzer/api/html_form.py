"""Tables of HTML for notebooks.

Whoever sends packets chooses names and paths in them. So every text is escaped (`html.escape`), and characters that cannot be
seen, such as bidirectional controls, stand as Python's escapes.
"""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

MAX_ITEMS = 200
"""Rows of a list that are shown."""

_OPEN = 1
"""Levels that are open at first; what is below can be opened."""


def html_table(title: str, rows: Iterable[tuple[str, Any]], depth: int = 0) -> str:
    """Return a table with a title, and a row for each name and value. A record is shown by its attributes."""
    lines = "".join(
        f"<tr><th style='text-align:left;vertical-align:top'>{text_html(name)}</th>"
        f"<td style='text-align:left'>{value_html(value, depth + 1)}</td></tr>"
        for name, value in rows
    )
    if depth < _OPEN:
        return f"<table><caption style='text-align:left'><b>{text_html(title)}</b></caption>{lines}</table>"
    return f"<details><summary>{text_html(title)}</summary><table>{lines}</table></details>"


def value_html(value: Any, depth: int) -> str:
    """Return a value: a record or a mapping as a table, a list as its items, anything else as text."""
    names = getattr(value, "attributes", None)
    if names is not None:
        return html_table(type(value).__name__, [(name, getattr(value, name)) for name in names], depth)
    if isinstance(value, Mapping):
        return html_table(f"{len(value)} keys", [(str(name), part) for name, part in value.items()], depth)
    if isinstance(value, list | tuple):
        items = [value_html(part, depth) for part in value[:MAX_ITEMS]]
        if len(value) > MAX_ITEMS:
            items.append(f"and {len(value) - MAX_ITEMS} more")
        return "<br>".join(items)
    if isinstance(value, bytes):
        return text_html(value.hex())
    return "" if value is None else text_html(str(value))


def text_html(text: str) -> str:
    """Return text that is shown as it is: what is markup in it, or cannot be seen, is escaped."""
    if not text.isprintable():
        text = "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)
    return escape(text)
