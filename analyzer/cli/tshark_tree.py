"""Tables of counts in a tree, as `-z http,tree` and `-z dns,tree` of tshark write them.

Behind each count stand, for numbers, their average and bounds, then its rate over the time of all that is counted, its part
of the count above it, and the highest rate in a tenth of a second with its beginning: a window moves over buckets of 5
milliseconds.
"""

from collections import deque
from collections.abc import Iterator
from math import floor
from typing import TYPE_CHECKING

from analyzer.cli.frame_reading import View
from analyzer.cli.output import complain
from analyzer.cli.tshark_taps import Span, Tap
from analyzer.text.escape import harmless

if TYPE_CHECKING:
    from analyzer.filters.compiled_filter import CompiledFilter

MOST_NODES = 1 << 16
"""Rows of a table, at most. What is beyond them counts for the row above it."""

_BUCKET, _WINDOW = 5, 100
"""Milliseconds of a bucket, and of the window that moves over them."""

_COLUMNS = ("Count", "Average", "Min Val", "Max Val", "Rate (ms)", "Percent", "Burst Rate", "Burst Start")
_WIDE, _LAST = 14, 13
_MILLISECOND = 1_000_000


class TreeNode:
    """A row. count: of messages. total, least, greatest: of the numbers that were measured, None and 0 without one.

    burst: the most in a window; burst_start: when it began, in milliseconds.
    """

    __slots__ = ("_buckets", "_inside", "burst", "burst_start", "count", "greatest", "least", "name", "parts", "total")

    def __init__(self, name: str) -> None:
        self.name = name
        self.count = 0
        self.burst = 0
        self.burst_start = 0.0
        self.parts: dict[str, TreeNode] = {}
        self.total: float | None = None
        self.least = self.greatest = 0.0
        self._buckets: deque[list[float]] = deque([[0, 0, 0.0]])
        self._inside = 0

    def measure(self, value: float) -> None:
        """Add a number to the average and the bounds."""
        if self.total is None:
            self.total, self.least, self.greatest = 0, value, value
        self.total += value
        self.least, self.greatest = min(self.least, value), max(self.greatest, value)

    def tick(self, at: float) -> None:
        """Count a message. at: milliseconds from the first frame."""
        self.count += 1
        buckets, number = self._buckets, floor(at / _BUCKET)
        if number > buckets[-1][0]:
            buckets.append([number, 1, at])
            self._inside += 1
            while number >= buckets[0][0] + _WINDOW / _BUCKET:
                self._inside -= int(buckets.popleft()[1])
        else:  # the same bucket, or an earlier one where time went back
            place = next((one for one in reversed(buckets) if one[0] <= number), None)
            if place is None or place[0] != number:
                return
            place[1] += 1
            place[2] = min(place[2], at)
            self._inside += 1
        if self._inside > self.burst:
            self.burst, self.burst_start = self._inside, buckets[0][2]


class TreeTap(Tap):
    """A table. Subclasses name it, and count messages."""

    title = ""
    first = ""

    def __init__(self, chosen: "CompiledFilter | None") -> None:
        self.filters = (chosen,)
        self._root = TreeNode("")
        self._n_nodes = 0
        self._origin = self._start = -1
        self._elapsed = 0.0
        self._left_out = 0
        self._at = 0.0

    def begin(self, view: View, counts: bool) -> bool:
        """Set the time to that of a frame. counts: whether it has what is counted, which is returned."""
        at = view.frame.at
        if self._origin < 0 <= at:
            self._origin = at
        if not counts:
            return False
        if self._start < 0:
            self._start = at
        self._at = max(0, at - self._origin) / _MILLISECOND
        self._elapsed = (at - self._start) / _MILLISECOND
        return True

    def row(self, above: TreeNode, name: str) -> TreeNode | None:
        """Return a row below another one; None if there are too many."""
        found = above.parts.get(name)
        if found is None:
            if self._n_nodes >= MOST_NODES:
                self._left_out += 1
                return None
            self._n_nodes += 1
            found = above.parts[name] = TreeNode(name)
        return found

    def count_along(self, *path: str) -> None:
        """Count a message for every row of a path."""
        node: TreeNode | None = self._root
        for name in path:
            node = self.row(node, name) if node is not None else None
            if node is None:
                return
            node.tick(self._at)

    def count_below(self, root: str, *path: str) -> None:
        """Count a message for every row of a path below a row at the top, and not for that one."""
        node: TreeNode | None = self._root.parts[root]
        for name in path:
            node = self.row(node, name) if node is not None else None
            if node is not None:
                node.tick(self._at)

    def count_last(self, *path: str) -> TreeNode | None:
        """Count for the last row of a path, which is returned; None where there are too many."""
        node: TreeNode | None = self._root
        for name in path:
            node = self.row(node, name) if node is not None else None
        if node is not None:
            node.tick(self._at)
        return node

    def measure(self, value: float, *path: str) -> None:
        """Count a number for the last row of a path."""
        node = self.count_last(*path)
        if node is not None:
            node.measure(value)

    def prepare(self, *path: str) -> None:
        """Make the rows of a path, which are shown without messages too."""
        node = self._root
        for name in path:
            node = node.parts.setdefault(name, TreeNode(name))

    def lines(self, span: Span) -> Iterator[str]:
        """See `Tap.lines`."""
        if self._left_out:
            complain(f"-z: {self._left_out:,} messages are in rows beyond the limit, which are not in the table")
        rows = [row for one in self._root.parts.values() for row in _rows(one, None, 0)]
        room = max(len(" " * depth + harmless(one.name)) for one, _, depth in rows)
        room = max(room, len(self.first)) + 2
        total = room + _WIDE * (len(_COLUMNS) - 1) + _LAST
        yield ""
        yield "=" * total
        yield f"{self.title}:"
        heads = "".join(f"{name:<{_WIDE}}" for name in _COLUMNS[:-1])
        yield f"{self.first:<{room}}{heads}{_COLUMNS[-1]:<{_LAST}}"
        yield "-" * total
        for one, above, depth in rows:
            yield f"{' ' * depth + harmless(one.name):<{room}}{self._cells(one, above)}"
        yield ""
        yield "-" * total

    def _cells(self, one: TreeNode, above: TreeNode | None) -> str:
        rate = f"{one.count / self._elapsed:.4f}" if self._elapsed > 0 else ""
        part = "100%" if above is None else f"{one.count * 100 / above.count:.2f}%" if above.count else ""
        burst = f"{one.burst / _WINDOW:.4f}" if one.burst else "-"
        start = f"{one.burst_start / 1000:.3f}" if one.burst else "-"
        measured = ("", "", "")
        if one.total is not None:
            measured = (f"{one.total / one.count:.2f}", _number(one.least), _number(one.greatest))
        cells = (str(one.count), *measured, rate, part, burst)
        return "".join(f"{cell:<{_WIDE}}" for cell in cells) + f"{start:<{_LAST}}"


def _number(value: float) -> str:
    return f"{value:f}" if isinstance(value, float) else str(value)


def _rows(one: TreeNode, above: TreeNode | None, depth: int) -> Iterator[tuple[TreeNode, TreeNode | None, int]]:
    """Yield a row and those below it: the highest counts first, among equals the names in reverse order, as tshark has them."""
    yield one, above, depth
    for part in sorted(one.parts.values(), key=lambda part: (part.count, part.name), reverse=True):
        yield from _rows(part, one, depth + 1)
