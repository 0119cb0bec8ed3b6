"""The packet list with columns of one's own: `packets --columns time,source,info,tcp.stream`.

A column is one of the packet list, a field, or an expression. Text has titles and widths as the packet list has, CSV a line of
names, and JSON an object a line with these names as keys; a field has a list of texts there, for it may have several values.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from orjson import dumps

from analyzer.capture.frame import Frame
from analyzer.cli.output import CommandError, Output, complain
from analyzer.cli.table import Column, Table
from analyzer.filters.packet_values import PacketValues
from analyzer.store.clock import rfc3339
from analyzer.text.escape import csv_row, harmless

LISTED = {
    "number": Column("no.", 0, right=True),
    "time": Column("time", 4, right=True),
    "source": Column("source", 1, least=15),
    "destination": Column("destination", 2, least=15),
    "protocol": Column("protocol", 3),
    "length": Column("length", 6, right=True),
    "info": Column("info", 5, rest=True),
}
"""The columns of the packet list, by their names in JSON."""

_OTHER_NAMES = {"no.": "number", "no": "number", "src": "source", "dst": "destination", "proto": "protocol", "len": "length"}
_PART = re.compile(r"""(?:[^,"'(\[{]|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\([^()]*\)|\[[^\]]*\]|\{[^}]*\})+""")
_NUMBERS = frozenset({"number", "length"})
_LIMIT = 60
_NANOSECOND_DIGITS = 3


def names_of_columns(text: str) -> list[str]:
    """Return the names in a list with commas; commas inside of quotes and brackets belong to an expression."""
    names = [part.strip() for part in _PART.findall(text)]
    if not all(names) or not names:
        raise CommandError("--columns names columns with commas between, such as time,source,destination,info,tcp.stream")
    return [_OTHER_NAMES.get(name.lower(), name.lower() if name.lower() in LISTED else name) for name in names]


def asked_for(names: Sequence[str]) -> list[str]:
    """Return the same as fields: a column of the packet list is `_ws.col.*`."""
    return [f"_ws.col.{name}" if name in LISTED else name for name in names]


class ColumnWriter:
    """Writes rows of chosen columns to one output, in its format."""

    def __init__(self, output: Output, names: Sequence[str]) -> None:
        self._output = output
        self._names = names
        self._table: Table | None = None
        if output.form == "text":
            columns = [replace(LISTED[name], rank=1) if name in LISTED else Column(name, 0, limit=_LIMIT) for name in names]
            self._table = Table(columns, output, one_line=True)
        elif output.form == "csv":
            output.head = csv_row(list(names)).encode()

    def row(self, frame: Frame, texts: Sequence[list[str]], _: PacketValues) -> None:
        """Write the row of a frame. texts: those of each column."""
        if self._table is not None:
            self._table.add([_cell(name, values) for name, values in zip(self._names, texts, strict=True)])
            return
        if self._output.form == "csv":
            cells = [_plain(name, values, frame) for name, values in zip(self._names, texts, strict=True)]
            self._output.write(csv_row(["" if one is None else one for one in cells]).encode())
            return
        found: dict[str, Any] = {}
        for name, values in zip(self._names, texts, strict=True):
            found[name] = _plain(name, values, frame) if name in LISTED else values
        self._output.write(dumps(found) + b"\n")

    def flush(self) -> None:
        """Give the reader of the output what was written."""
        if self._table is not None:
            self._table.fix_widths()
        self._output.flush()

    def close(self) -> None:
        """Write what is still held."""
        if self._table is not None:
            self._table.close()
            if self._table.left_out:
                complain(f"the window is too narrow for {', '.join(self._table.left_out)}")


def _cell(name: str, values: list[str]) -> str:
    text = ",".join(values)
    if name == "time" and not text.endswith("Z"):  # to the microsecond, as in the packet list
        text = text[:-_NANOSECOND_DIGITS]
    return harmless(text)


def _plain(name: str, values: list[str], frame: Frame) -> str | int | None:
    """Return a value as CSV and JSON have it: numbers are numbers, and a time is RFC 3339."""
    if name == "time":
        return rfc3339(frame.at) if frame.at >= 0 else None
    if not values:
        return None
    return int(values[0]) if name in _NUMBERS else ",".join(values)
