"""Prints tables that fit the reader's window.

A column has a natural width, that of its widest cell up to a limit, and a rank. If there is no room for all columns side by
side, the columns with the highest ranks move to a second line under each row, as `title value`. So nothing is lost in a narrow
window. Only a cell wider than its column is truncated, with an ellipsis. The first rows decide the widths, so that a long table
can be written before it is complete. Text must already be `harmless`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from unicodedata import combining, east_asian_width

from analyzer.cli.output import Output
from analyzer.text.language import say

SAMPLE = 2000
"""The most rows that are held to decide the widths, before the first row is written."""

LEAST_REST = 24
"""The least width of a column that gets the rest of the room."""

NARROW_REST = 10
"""The same in a window in which not all columns have room."""

GAP = "  "
"""The space between columns."""

NARROW_GAP = " "
"""The space between columns in such a window, if the table has columns that may become narrower."""

_WIDE = r"\u3000-\u303f\u3400-\u9fff\uff01-\uff0f\uff1a-\uff1f\uff3b\uff3d"
"""Han characters, and the wide punctuation of Chinese, as a class of a regular expression."""

_HAN = f"[{_WIDE}]"
_PIECES = f"[{_WIDE}]|[^{_WIDE} ]+| +"

_NOT_FIRST = frozenset("，。；：？！、）】》」』”’…］")  # noqa: RUF001 - Chinese punctuation
_NOT_LAST = frozenset("（【《「『“‘［")  # noqa: RUF001
"""Punctuation that does not begin a line, and that does not end one (GB/T 15834-2011, section 5.1)."""

_UNUSUAL = re.compile("[^\\x20-\\x7e\\xa0-\\u02ff\\u2190-\\u21ff]")
"""Characters that may take another number of columns than one."""

Cell = str | tuple[str, str]
"""A text, or a text and its style."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    title: in the header line. rank: columns with lower ranks get room first. limit: its largest width, in columns of the
    terminal; 0 for none. right: its cells are aligned right, as for numbers. style: of its cells that have no own style. rest:
    it gets the room that the others leave. A table with such a column has no second lines; columns without room are left out.
    least: how narrow it becomes before that happens; 0 for not at all. Its cells lose their middle then.
    """

    title: str
    rank: int
    limit: int = 0
    right: bool = False
    style: str = ""
    rest: bool = False
    least: int = 0


def share_of_width(columns: Sequence[Column], title: str, output: Output) -> list[Column]:
    """Return the columns, the one with this title limited to half of the width: it has long texts, and should stay in sight."""
    limit = max(LEAST_REST, output.width // 2)
    return [replace(column, limit=limit) if column.title == title else column for column in columns]


class Table:
    """Takes rows, and writes lines. Call `add` for each row, then `close`.

    layout: index, width and alignment (whether right) of the cells of a row, if the widths are known and every row is one line
    without truncation and colours; else empty. Who has many rows may then write them as lines without the table. left_out: the
    titles of columns without room.
    """

    def __init__(self, columns: Sequence[Column], output: Output, indent: int = 0, one_line: bool = False) -> None:
        """one_line: every row takes one line, of any width, unless the output has to fit a window."""
        self._columns = columns
        self._output = output
        self._indent = indent
        self._limited = output.fitted or not one_line
        self._sample: list[tuple[Sequence[Cell], str]] = []
        self._widths: list[int] = []
        self._first: list[int] = []
        self._second: list[int] = []
        self.gap = GAP
        self.layout: list[tuple[int, int, bool]] = []
        self.left_out: list[str] = []

    def add(self, row: Sequence[Cell], style: str = "") -> None:
        """Take a row of as many cells as there are columns. style: of the whole line, in the place of those of cells."""
        if self._widths:
            self._write(row, style)
            return
        self._sample.append((row, style))
        if len(self._sample) >= SAMPLE:
            self.fix_widths()

    def close(self) -> None:
        """Write the rows that are still held."""
        self.fix_widths()

    def fix_widths(self) -> None:
        """Decide the widths from the rows so far, if there are any, and write these rows. Later rows are written at once."""
        if self._widths or not self._sample:
            return
        columns = self._columns
        for index, column in enumerate(columns):
            widest = max(width(text_of(row[index])) for row, _ in self._sample)
            natural = max(widest, width(say(column.title)))
            self._widths.append(min(natural, column.limit) if column.limit and self._limited else natural)
        empty = {index for index in range(len(columns)) if not any(text_of(row[index]) for row, _ in self._sample)}
        left = self._output.width - self._indent
        least_rest = LEAST_REST
        if any(column.rest for column in columns):
            if self._limited and self._make_narrow(left, empty):
                least_rest = NARROW_REST
            left -= least_rest
        for index in sorted(range(len(columns)), key=lambda index: columns[index].rank):
            if index in empty and len(self._sample) < SAMPLE:
                continue
            if columns[index].rest:
                self._first.append(index)
                continue
            need = self._widths[index] + len(self.gap)
            if need <= left + len(self.gap) or not self._limited or not self._first:
                left -= need
                self._first.append(index)
            else:
                self._second.append(index)
        for index, column in enumerate(columns):
            if column.rest:
                self.left_out = [columns[left_out].title for left_out in sorted(self._second)]
                self._second.clear()
                self._widths[index] = least_rest + max(0, left)
        self._first.sort()
        self._second.sort()
        if not (self._limited or self._second or self._indent or self._output.colored):
            self.layout = [(at, self._widths[at], columns[at].right) for at in self._first]
        head = self.gap.join(pad(say(columns[index].title), self._widths[index], columns[index].right) for index in self._first)
        self._output.line(" " * self._indent + self._output.paint(head.rstrip(), "bold"))
        for row, style in self._sample:
            self._write(row, style)
        self._sample.clear()

    def _make_narrow(self, room: int, empty: set[int]) -> bool:
        """Make the columns that may be narrower so, if the window has no room for all. Return whether it is so."""
        columns = self._columns
        needed = sum(self._widths[index] + len(GAP) for index in range(len(columns)) if index not in empty | self._rest())
        if needed + LEAST_REST <= room or not any(column.least for column in columns):
            return False
        self.gap = NARROW_GAP
        for index, column in enumerate(columns):
            if column.least:
                self._widths[index] = min(self._widths[index], column.least)
        return True

    def _rest(self) -> set[int]:
        return {index for index, column in enumerate(self._columns) if column.rest}

    def _write(self, row: Sequence[Cell], line_style: str) -> None:
        output, columns = self._output, self._columns
        cells = []
        for index in self._first:
            cell, column, room = row[index], columns[index], self._widths[index]
            text, style = cell if isinstance(cell, tuple) else (cell, column.style)
            # A column without a limit is as wide as the sample needs. A wider cell moves the next ones to the right.
            shown = text
            if self._limited and (column.limit or column.rest or column.least):
                shown = cut_middle(text, room) if column.least else cut(text, room)
            cells.append(output.paint(pad(shown, room, column.right), "" if line_style else style))
        output.line(" " * self._indent + output.paint(self.gap.join(cells), line_style))
        details = [
            (f"{say(columns[index].title)} {text_of(row[index])}", style_of(row[index]) or columns[index].style)
            for index in self._second
            if text_of(row[index])
        ]
        indent = self._indent + 4
        for line in flow(details, output.width - indent):
            output.line(" " * indent + " · ".join(output.paint(text, style or "dim") for text, style in line))


def flow(items: Sequence[tuple[str, str]], room: int) -> list[list[tuple[str, str]]]:
    """Join items with ` · ` on as few lines of `room` columns as possible. An item longer than a line is truncated."""
    lines: list[list[tuple[str, str]]] = []
    left = 0
    for text, style in items:
        shown = cut(text, room)
        need = width(shown) + 3
        if not lines or need > left:
            lines.append([])
            left = room
        lines[-1].append((shown, style))
        left -= need
    return lines


def text_of(cell: Cell) -> str:
    """Return the text of a cell."""
    return cell[0] if isinstance(cell, tuple) else cell


def style_of(cell: Cell) -> str:
    """Return the style of a cell, empty if it has none."""
    return cell[1] if isinstance(cell, tuple) else ""


def width(text: str) -> int:
    """Return the columns that a text takes on a terminal: two for a wide East Asian character, none for a combining mark."""
    if text.isascii() or not _UNUSUAL.search(text):
        return len(text)
    return sum(0 if combining(one) else 2 if east_asian_width(one) in "WF" else 1 for one in text)


def cut(text: str, room: int) -> str:
    """Return the text. If it is wider than `room` columns, it is truncated and ends with an ellipsis."""
    if width(text) <= room:
        return text
    if text.isascii():
        return text[: max(0, room - 1)] + "…"
    kept, taken = [], 0
    for one in text:
        taken += width(one)
        if taken > room - 1:
            break
        kept.append(one)
    return "".join(kept) + "…"


def cut_middle(text: str, room: int) -> str:
    """Return the text. If it is wider than `room` columns, it has an ellipsis in its middle: both ends of an address matter."""
    if width(text) <= room:
        return text
    if not text.isascii():
        return cut(text, room)
    head = room // 2
    return f"{text[:head]}…{text[len(text) - (room - 1 - head) :]}"


def pad(text: str, room: int, right: bool = False) -> str:
    """Return the text, filled up with spaces to `room` columns. right: the spaces come first."""
    blanks = " " * (room - width(text))
    return blanks + text if right else text + blanks


def wrap(text: str, room: int) -> list[str]:
    """Return the text in lines of at most `room` columns, broken at spaces where there are some, and beside Han characters."""
    if not text.isascii() and re.search(_HAN, text):
        return _wrap_han(text, room)
    lines, line = [], ""
    for word in text.split(" "):
        rest = word
        if line and width(line) + 1 + width(rest) > room:
            lines.append(line)
            line = ""
        while width(rest) > room:
            head = cut(rest, room + 1)[:-1]
            lines.append(head)
            rest = rest[len(head) :]
        line = f"{line} {rest}" if line else rest
    lines.append(line)
    return lines


def _wrap_han(text: str, room: int) -> list[str]:
    lines, line = [], ""
    for piece in _joined(re.findall(_PIECES, text)):
        if line and width(line) + width(piece) > room:
            lines.append(line.rstrip())
            line = ""
        rest = piece if line else piece.lstrip()
        while width(rest) > room:
            head = cut(rest, room + 1)[:-1]
            lines.append(head)
            rest = rest[len(head) :]
        line += rest
    lines.append(line.rstrip())
    return lines


def _joined(pieces: list[str]) -> list[str]:
    """Join punctuation with the piece that it must not be separated from."""
    joined: list[str] = []
    for piece in pieces:
        if joined and (piece[0] in _NOT_FIRST or joined[-1][-1] in _NOT_LAST):
            joined[-1] += piece
        else:
            joined.append(piece)
    return joined
