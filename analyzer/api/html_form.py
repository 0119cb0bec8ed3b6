"""Tables of HTML for notebooks.

The sender of packets chooses names and paths in them. So every text is escaped (`html.escape`), and characters that cannot be
seen, such as bidirectional controls, stand as Python's escapes.
"""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

MAX_ITEMS = 200
"""Rows of a list that are shown."""

MAX_TEXT = 120
"""Characters of a text that are shown."""

_SMALL = 4
"""Rows of a nested table that is shown open, if nothing is nested in it. A larger one shows one line, and can be opened."""


def html_table(title: str, rows: Iterable[tuple[str, Any]]) -> str:
    """Return a table with a title, and a row for each name and value. A record is shown by its attributes."""
    return f"<table><caption style='text-align:left'><b>{text_html(title)}</b></caption>{_lines(rows)}</table>"


def value_html(value: Any) -> str:
    """Return a value: a record or a mapping as a table, a list as its items, anything else as text."""
    names = getattr(value, "attributes", None)
    if names is not None:
        return _nested(repr(value), [(name, getattr(value, name)) for name in names])
    if isinstance(value, Mapping):
        return _nested(", ".join(map(str, value)), [(str(name), part) for name, part in value.items()])
    if isinstance(value, list | tuple):
        items = [value_html(part) for part in value[:MAX_ITEMS]]
        if len(value) > MAX_ITEMS:
            items.append(f"and {len(value) - MAX_ITEMS} more")
        return "<br>".join(items) if items else "[]"
    return text_html(value[: MAX_TEXT // 2 + 1].hex() if isinstance(value, bytes) else str(value))


def text_html(text: str) -> str:
    """Return text as it is, but not more than `MAX_TEXT` of it: what is markup in it, or cannot be seen, is escaped."""
    more = "…" if len(text) > MAX_TEXT else ""
    text = text[:MAX_TEXT]
    if not text.isprintable():
        text = "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)
    return escape(text) + more


def _nested(title: str, rows: list[tuple[str, Any]]) -> str:
    """A table inside another one. title: what a large one shows before it is opened."""
    if not rows:
        return "{}"
    table = f"<table>{_lines(rows)}</table>"
    if len(rows) <= _SMALL and not any(_has_parts(value) for _, value in rows):
        return table
    return f"<details><summary>{text_html(title)}</summary>{table}</details>"


def _has_parts(value: Any) -> bool:
    return hasattr(value, "attributes") or isinstance(value, Mapping | list | tuple)


def _lines(rows: Iterable[tuple[str, Any]]) -> str:
    return "".join(
        f"<tr><th style='text-align:left;vertical-align:top'>{text_html(name)}</th>"
        f"<td style='text-align:left'>{value_html(value)}</td></tr>"
        for name, value in rows
    )
