"""The tables `-z http,tree`, `-z http_req,tree` and `-z http_srv,tree` of tshark: HTTP messages as trees of counts.

A message counts where it is complete, decrypted or not; HTTP/2 is not in these tables. Behind each count stand its rate over
the time of all messages, its part of the count above it, and the highest rate in a tenth of a second with its beginning: a
window moves over buckets of 5 milliseconds.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from math import floor
from typing import TYPE_CHECKING

from analyzer.cli.frame_reading import View
from analyzer.cli.output import complain
from analyzer.cli.tshark_taps import Span, Tap
from analyzer.filters.field_table import field_table
from analyzer.text.escape import harmless

if TYPE_CHECKING:
    from analyzer.filters.compiled_filter import CompiledFilter
    from analyzer.filters.field import Field

MOST_NODES = 1 << 16
"""Rows of a table, at most. What is beyond them counts for the row above it."""

_BUCKET, _WINDOW = 5, 100
"""Milliseconds of a bucket, and of the window that moves over them."""

_COLUMNS = ("Count", "Average", "Min Val", "Max Val", "Rate (ms)", "Percent", "Burst Rate", "Burst Start")
_WIDE, _LAST = 14, 13
_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_GROUPS = {
    1: "1xx: Informational", 2: "2xx: Success", 3: "3xx: Redirection", 4: "4xx: Client Error", 5: "5xx: Server Error",
}  # fmt: skip
_BROKEN = "???: broken"
_MILLISECOND = 1_000_000


class _Node:
    """A row. count: of messages. burst: the most in a window; burst_start: when it began, in milliseconds."""

    __slots__ = ("_buckets", "_inside", "burst", "burst_start", "count", "name", "parts")

    def __init__(self, name: str) -> None:
        self.name = name
        self.count = 0
        self.burst = 0
        self.burst_start = 0.0
        self.parts: dict[str, _Node] = {}
        self._buckets: deque[list[float]] = deque([[0, 0, 0.0]])
        self._inside = 0

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


class _Tree(Tap):
    """A table. Subclasses name it, and count messages."""

    title = ""
    first = ""

    def __init__(self, chosen: "CompiledFilter | None") -> None:
        self.filters = (chosen,)
        names = ("http.request.method", "http.response.code", "http.host", "http.request.uri", "http")
        self._method, self._code, self._host, self._uri, self._any = map(_field, names)
        self.fields = frozenset((self._method, self._code, self._host, self._uri, self._any))
        self._root = _Node("")
        self._n_nodes = 0
        self._origin = self._start = -1
        self._elapsed = 0.0
        self._left_out = 0
        self._at = 0.0
        self._source = self._destination = ""

    def take(self, view: View, passed: Sequence[bool]) -> None:
        """See `Tap.take`."""
        at, values = view.frame.at, view.values
        if self._origin < 0 <= at:
            self._origin = at
        if not passed[0] or values is None or not values.has(self._any):
            return
        if self._start < 0:
            self._start = at
        self._at = max(0, at - self._origin) / _MILLISECOND
        self._elapsed = (at - self._start) / _MILLISECOND
        self._source, self._destination = _addresses(view)
        hosts, uris = values.values(self._host), values.values(self._uri)
        for place, method in enumerate(values.values(self._method)):
            host = str(hosts[place]) if place < len(hosts) else ""
            self.request(str(method), host, str(uris[place]) if place < len(uris) else "")
        for code in values.values(self._code):
            if isinstance(code, int):
                self.response(code)

    def request(self, method: str, host: str, uri: str) -> None:
        """Count a request."""

    def response(self, code: int) -> None:
        """Count a response."""

    def row(self, above: _Node, name: str) -> _Node | None:
        """Return a row below another one; None if there are too many."""
        found = above.parts.get(name)
        if found is None:
            if self._n_nodes >= MOST_NODES:
                self._left_out += 1
                return None
            self._n_nodes += 1
            found = above.parts[name] = _Node(name)
        return found

    def count_along(self, *path: str) -> None:
        """Count a message for every row of a path."""
        node: _Node | None = self._root
        for name in path:
            node = self.row(node, name) if node is not None else None
            if node is None:
                return
            node.tick(self._at)

    def prepare(self, *path: str) -> None:
        """Make the rows of a path, which are shown without messages too."""
        node = self._root
        for name in path:
            node = node.parts.setdefault(name, _Node(name))

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

    def _cells(self, one: _Node, above: _Node | None) -> str:
        rate = f"{one.count / self._elapsed:.4f}" if self._elapsed > 0 else ""
        part = "100%" if above is None else f"{one.count * 100 / above.count:.2f}%" if above.count else ""
        burst = f"{one.burst / _WINDOW:.4f}" if one.burst else "-"
        start = f"{one.burst_start / 1000:.3f}" if one.burst else "-"
        cells = (str(one.count), "", "", "", rate, part, burst)
        return "".join(f"{cell:<{_WIDE}}" for cell in cells) + f"{start:<{_LAST}}"


def _rows(one: _Node, above: _Node | None, depth: int) -> Iterator[tuple[_Node, _Node | None, int]]:
    """Yield a row and those below it: the highest counts first, among equals the names in reverse order, as tshark has them."""
    yield one, above, depth
    for part in sorted(one.parts.values(), key=lambda part: (part.count, part.name), reverse=True):
        yield from _rows(part, one, depth + 1)


class PacketCounter(_Tree):
    """`-z http,tree`: requests by method, responses by status code."""

    title, first = "HTTP / Packet Counter", "Packet Type"
    _ALL, _OTHER, _ANSWERS, _ASKED = (
        "Total HTTP Packets", "Other HTTP Packets", "HTTP Response Packets", "HTTP Request Packets",
    )  # fmt: skip

    def __init__(self, chosen: "CompiledFilter | None") -> None:
        super().__init__(chosen)
        for name in (self._OTHER, self._ANSWERS, self._ASKED):
            self.prepare(self._ALL, name)
        for name in (_BROKEN, *_GROUPS.values()):
            self.prepare(self._ALL, self._ANSWERS, name)

    def request(self, method: str, host: str, uri: str) -> None:
        """See `_Tree.request`."""
        self.count_along(self._ALL, self._ASKED, method)

    def response(self, code: int) -> None:
        """See `_Tree.response`."""
        phrase = _PHRASES.get(code, f"Unknown ({code})")
        self.count_along(self._ALL, self._ANSWERS, _GROUPS.get(code // 100, _BROKEN), f"{code} {phrase}")


class RequestCounter(_Tree):
    """`-z http_req,tree`: requests by host and what was asked."""

    title, first = "HTTP / Requests", "Request Type"
    _ALL = "HTTP Requests by HTTP Host"

    def __init__(self, chosen: "CompiledFilter | None") -> None:
        super().__init__(chosen)
        self.prepare(self._ALL)

    def request(self, method: str, host: str, uri: str) -> None:
        """See `_Tree.request`."""
        self.count_along(*filter(None, (self._ALL, host, uri if host else "")))


class ServerCounter(_Tree):
    """`-z http_srv,tree`: requests and responses by server."""

    title, first = "HTTP / Load Distribution", "Packet Type"
    _ASKED, _BY_ADDRESS, _BY_HOST, _ANSWERS = (
        "HTTP Requests by Server", "HTTP Requests by Server Address", "HTTP Requests by HTTP Host",
        "HTTP Responses by Server Address",
    )  # fmt: skip

    def __init__(self, chosen: "CompiledFilter | None") -> None:
        super().__init__(chosen)
        self.prepare(self._ASKED, self._BY_ADDRESS)
        self.prepare(self._ASKED, self._BY_HOST)
        self.prepare(self._ANSWERS)

    def request(self, method: str, host: str, uri: str) -> None:
        """See `_Tree.request`."""
        server = self._destination
        self.count_along(self._ASKED)
        root = self._root.parts[self._ASKED]
        for path in ((self._BY_ADDRESS, server, host), (self._BY_HOST, host, server if host else "")):
            node: _Node | None = root
            for name in filter(None, path):
                node = self.row(node, name) if node is not None else None
                if node is not None:
                    node.tick(self._at)

    def response(self, code: int) -> None:
        """See `_Tree.response`."""
        self.count_along(self._ANSWERS, self._source, "OK" if code < 400 else "Error")


_TAPS: dict[str, type[_Tree]] = {"http": PacketCounter, "http_req": RequestCounter, "http_srv": ServerCounter}


def http_tap(name: str, chosen: "CompiledFilter | None") -> Tap:
    """Return the table with a name, such as `http_req`."""
    return _TAPS[name](chosen)


def _field(name: str) -> "Field":
    found = field_table().get(name)
    if found is None:
        raise KeyError(name)
    return found


def _addresses(view: View) -> tuple[str, str]:
    """Return source and destination of a frame as text."""
    from analyzer.store.part import addresses_of

    found = addresses_of(view.layers.packet)
    return (found[0], found[1]) if found else ("", "")
