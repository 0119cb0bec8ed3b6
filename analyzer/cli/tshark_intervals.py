"""The table `-z io,stat,INTERVAL[,FILTER]…` of tshark: frames, bytes, or a value of a field in each interval.

A column is a filter, or a function of a field with a filter behind it: `AVG(tcp.window_size)tcp.port==443`. The first interval
begins with the first frame of the capture. Frames that come in an interval before that of the last frame of a column are left
out, as tshark does.
"""

import re
from argparse import Namespace
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from analyzer.cli.frame_reading import View
from analyzer.cli.output import CommandError
from analyzer.cli.tshark_taps import Span, Tap, read_filter
from analyzer.text.escape import harmless

if TYPE_CHECKING:
    from analyzer.filters.compiled_filter import CompiledFilter
    from analyzer.filters.field import Field

MOST_ROWS = 1 << 20
"""Rows of the table, at most."""

_FUNCTIONS = ("FRAMES", "BYTES", "COUNT", "SUM", "MIN", "MAX", "AVG")
_CALL = re.compile(r"(FRAMES|BYTES|COUNT|SUM|MIN|MAX|AVG|LOAD)\(([^)]*)\)(.*)", re.DOTALL)
_INTERVAL = re.compile(r"\d+(?:\.\d*)?|\.\d+", re.ASCII)
_WIDEST = 102
_MICROSECOND, _MICROSECONDS, _SECOND = 1_000, 1_000_000, 1_000_000_000
_LARGEST = 10**12


class _Cell:
    """A column in one interval. frames: that passed; value: of the function; n: of values that were added."""

    __slots__ = ("frames", "n", "value")

    def __init__(self) -> None:
        self.frames = 0
        self.value = 0
        self.n = 0


class _Column:
    """One column. text: as it was written, empty without a filter. function: empty for frames and bytes. field: of it.

    most: the highest value that a cell ever had, also before its last frame: tshark makes the column as wide.
    """

    def __init__(self, text: str, options: Namespace) -> None:
        self.text = text
        self.function = ""
        self.field: Field | None = None
        self.filter: CompiledFilter | None = None
        self.cells: dict[int, _Cell] = {}
        self.last = self.most = 0
        found = _CALL.fullmatch(text)
        if found is None:
            self.filter = read_filter(text, options)
            return
        self.function, name, rest = found.groups()
        if self.function not in _FUNCTIONS:
            raise CommandError(f"-z io,stat: {self.function} is none of {', '.join(_FUNCTIONS)}")
        self.filter = read_filter(rest, options)
        if self.function not in ("FRAMES", "BYTES"):
            self.field = _field_of(self.function, name)
        elif name:
            raise CommandError(f"-z io,stat: {self.function} takes no field")

    def take(self, place: int, n_bytes: int, values: Any) -> None:
        """Take a frame that passes, in the interval with that number."""
        if place < self.last:
            return
        self.last = place
        cell = self.cells.get(place)
        if cell is None:
            cell = self.cells[place] = _Cell()
        cell.frames += 1
        found = [] if self.field is None else values.values(self.field)
        if self.field is None:
            cell.value += n_bytes
        elif self.function == "COUNT":
            cell.value += len(found)
        else:
            for place, value in enumerate(found):
                self._add(cell, value, cell.frames == 1 and place == 0)
        self.most = max(self.most, self.whole(cell))

    def _add(self, cell: _Cell, value: Any, first: bool) -> None:
        if self.function in ("SUM", "AVG"):
            cell.value += value
            cell.n += 1
        elif self.function == "MAX":
            cell.value = max(cell.value, value)
        elif first or value < cell.value:
            cell.value = value

    def whole(self, cell: _Cell) -> int:
        """Return the value of a cell: a number, or nanoseconds."""
        return cell.value // cell.n if self.function == "AVG" and cell.n else cell.value

    @property
    def timed(self) -> bool:
        """Whether values are nanoseconds."""
        return self.field is not None and self.field.type.is_time and self.function != "COUNT"

    def widths(self) -> tuple[int, int]:
        """Return the characters of the numbers of frames, 0 where they are not shown, and those of the values, 0 likewise."""
        cells = self.cells.values()
        frames = max(6, len(str(max((cell.frames for cell in cells), default=0)))) if self.function in ("", "FRAMES") else 0
        if self.function == "FRAMES":
            return frames, 0
        if self.timed:
            return 0, len(str((self.most + _SECOND // 2) // _SECOND)) + 7
        least = 5 if self.function in ("", "BYTES", "COUNT") else len(self.function)
        return frames, max(least, len(str(self.most)))

    def heads(self) -> list[str]:
        """Return what stands above the columns."""
        return ["Frames", "Bytes"] if not self.function else [self.function]

    def texts(self, place: int, widths: tuple[int, int]) -> list[str]:
        """Return the cells of an interval as text. widths: as `widths` returns them."""
        cell = self.cells.get(place, _Cell())
        frames, values = widths
        shown = [f" {cell.frames:>{frames}} "] if frames else []
        if self.timed:
            micros = (self.whole(cell) + 500) // 1000
            shown.append(f" {micros // _MICROSECONDS:>{values - 7}}.{micros % _MICROSECONDS:06d} ")
        elif values:
            shown.append(f" {self.whole(cell):>{values}} ")
        return shown


def _field_of(function: str, name: str) -> "Field":
    from analyzer.filters.field_table import field_table

    field = field_table().get(name)
    if field is None:
        raise CommandError(f"-z io,stat: there is no field {name!r}")
    if function != "COUNT" and not (field.type.is_integer or field.type.name == "RELATIVE_TIME"):
        raise CommandError(f"-z io,stat: {name} has no whole numbers, so {function} cannot be computed of it")
    return field


def interval_tap(text: str, options: Namespace) -> "IntervalTap":
    """Return the table for what stands behind `io,stat,`. Raises CommandError for what it cannot be."""
    interval, *columns = text.split(",")
    if not _INTERVAL.fullmatch(interval) or text.endswith(","):
        raise CommandError("-z io,stat,INTERVAL[,FILTER]...: INTERVAL is a number of seconds, such as 1 or 0.5")
    micros = round(float(interval) * _MICROSECONDS)
    if micros > _LARGEST * _MICROSECONDS or (not micros and float(interval)):
        raise CommandError("-z io,stat: the interval is at least 0.000001 seconds, or 0 for the whole capture")
    fraction = interval.partition(".")[2].rstrip("0")[:6]
    return IntervalTap(micros, len(fraction), [_Column(one, options) for one in columns or [""]])


class IntervalTap(Tap):
    """`-z io,stat`."""

    def __init__(self, micros: int, digits: int, columns: "Sequence[_Column]") -> None:
        """micros: length of an interval; 0 for the whole capture. digits: of it behind the point."""
        self.filters = [one.filter for one in columns]
        self.fields = frozenset(one.field for one in columns if one.field is not None)
        self._micros = micros
        self._digits = digits
        self._columns = columns
        self._start = -1

    def take(self, view: View, passed: Sequence[bool]) -> None:
        """See `Tap.take`."""
        frame = view.frame
        if self._start < 0 <= frame.at:
            self._start = frame.at
        if frame.at < self._start or self._start < 0:
            return
        place = (frame.at - self._start + _MICROSECOND // 2) // _MICROSECOND // self._micros if self._micros else 0
        for column, passes in zip(self._columns, passed, strict=True):
            if passes:
                column.take(place, frame.wire_length, view.values)

    def lines(self, span: Span) -> Iterator[str]:
        """See `Tap.lines`."""
        micros = (span.duration + _MICROSECOND // 2) // _MICROSECOND
        return _Layout(self._columns, self._micros, self._digits, micros).lines()


class _Layout:
    """The form of the table. micros: of an interval; duration: of the capture, in microseconds."""

    def __init__(self, columns: "Sequence[_Column]", micros: int, digits: int, duration: int) -> None:
        self._columns = columns
        self._duration = duration
        self._whole = not micros or micros >= duration
        self._interval = duration if self._whole else micros
        seconds = len(str(duration // _MICROSECONDS))
        self._digits = (1 if seconds >= 2 else 3) if self._whole else digits
        self._widths = [one.widths() for one in columns]
        wide = 30 + seconds + self._digits + 1
        if not self._whole:
            wide = 25 + max(seconds, len(str(micros // _MICROSECONDS))) + (digits + 1 if digits else 0)
        unit = 10 ** (6 - self._digits)
        self._rounded = (duration + unit // 2) // unit * unit if self._digits else duration
        self._seconds = len(str(self._rounded // _MICROSECONDS))
        if not self._digits:
            self._seconds = max(2, self._seconds)
        self._first = max(12, 2 * self._seconds + (2 * self._digits + 10 if self._digits else 8))
        self._inside = [sum(width + 3 for width in widths if width) - 1 for widths in self._widths]
        self._table = self._first + sum(width + 1 for width in self._inside)
        self._border = max(wide, self._first, self._table)
        widest = max(len(one.text) + 11 if one.text else 26 for one in columns)
        if widest > self._border and self._border < _WIDEST:
            self._border = min(widest, _WIDEST)
        if self._border - self._table == 1:
            self._border += 1

    def lines(self) -> Iterator[str]:
        """Yield the lines of the table. Raises CommandError if there are too many."""
        rows = min(1, self._duration) if self._whole else -(-self._duration // self._interval)
        if rows > MOST_ROWS:
            raise CommandError(f"-z io,stat: {rows:,} intervals are too many: choose longer ones")
        yield ""
        yield "=" * self._border
        seconds = len(str(self._duration // _MICROSECONDS))
        yield self._boxed(" IO Statistics")
        yield self._boxed("")
        yield self._boxed(f" Duration: {self._time(self._duration if not self._digits else self._rounded, seconds, 6)} secs")
        shown = self._rounded if self._whole else self._interval
        yield self._boxed(f" Interval: {self._time(shown, seconds, 0)} secs")
        yield self._boxed("")
        for number, column in enumerate(self._columns, 1):
            label = f" Col {number:>2}: " if number == 1 else f"     {number:>2}: "
            for text in self._wrapped(harmless(column.text) or "Frames and bytes"):
                yield self._boxed(label + text)
                label = " " * 9
        yield "|" + "-" * (self._border - 2) + "|"
        fill = " " * (self._border - self._table - 1) + "|" if self._border > self._table else ""
        heads = [f"{number:<2}".ljust(width) for number, width in enumerate(self._inside, 1)]
        yield "|".join(("", " " * (self._first - 2), *heads, "")) + fill
        names = [
            _centered(name, width)
            for column, widths in zip(self._columns, self._widths, strict=True)
            for name, width in zip(column.heads(), [width for width in widths if width], strict=True)
        ]
        yield "|".join(("", " Interval".ljust(self._first - 2), *names, "")) + fill
        yield "|" + "-" * (self._table - 2) + "|" + fill
        for row in range(rows):
            cells = [
                text for column, widths in zip(self._columns, self._widths, strict=True) for text in column.texts(row, widths)
            ]
            yield "|".join(("", self._span(row, row == rows - 1), *cells, "")) + fill
        yield "=" * self._border

    def _span(self, row: int, last: bool) -> str:
        begin = row * self._interval
        end = self._rounded if self._whole else begin + self._interval
        if self._digits:
            first = self._time(begin, self._seconds, 0)
            return f" {first} <> {self._time(end, 0, 0):<{self._seconds + self._digits + 1}} "
        wide = self._seconds
        if last and begin + self._interval > self._duration:
            return f" {begin // _MICROSECONDS:>{wide}} <> {'Dur':<{wide + 1}}"
        return f" {begin // _MICROSECONDS:>{wide}} <> {end // _MICROSECONDS:<{wide}} "

    def _time(self, micros: int, room: int, more: int) -> str:
        """Return a time in seconds. more: digits behind the point where there are none else."""
        seconds, rest = divmod(micros, _MICROSECONDS)
        digits = self._digits or more
        return f"{seconds:>{room}}" + (f".{rest:06d}"[: digits + 1] if digits else "")

    def _boxed(self, text: str) -> str:
        return "|" + text.ljust(self._border - 2) + "|"

    def _wrapped(self, text: str) -> Iterator[str]:
        room = self._border - 11
        while len(text) > room:
            at = text.rfind(" ", 0, room)
            yield text[:at] if at > 0 else text[:room]
            text = text[at + 1 :] if at > 0 else text[room:]
        yield text


def _centered(name: str, width: int) -> str:
    spare = width - len(name)
    return " " * (spare // 2 + spare % 2 + 1) + name + " " * (spare // 2 + 1)
