"""Finds what passed one place and did not come to the other, and tells it from what a capture lost.

A segment that passed the first place and is not in the capture of the second one was lost on the way, or came there and the
capture missed it. The receiver knows: it acknowledges only what it has (RFC 9293 section 3.10.7.4). So bytes that it
acknowledged and that are in no packet of the second capture were missed by that capture. Bytes that it never acknowledged,
and copies of which the sender had to send another one that did arrive, were lost between the places. In the other order, a
packet of the second place that the first one does not have must have passed it: its capture missed it, if the other packets
there show that the sender sent these bytes. Everything else stays
unknown.

Network cards cut and join segments, so a range of bytes that is covered by other segments is not missing. What one capture
could not see, because it began later or ended earlier, is left out.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from analyzer.analysis.clock_offset import ClockOffset
from analyzer.analysis.connection_trace import NO_MARK, Direction
from analyzer.analysis.joined_traces import JoinedTrace
from analyzer.flows.flow import TCP

MOST_MARGIN = 1_000_000_000
"""Nanoseconds at both ends of a capture in which nothing is called missing, because packets are on the way: as many as the way
takes, and these at most.
"""

LEAST_WAIT = 1_000_000
"""Nanoseconds before that at the end of a capture in which a segment has no acknowledgement yet without being lost."""

MAX_FRAMES = 8
"""Frames that are named as examples."""

MAX_COPIES = 64
"""Copies of one segment that are told apart by their times."""

MAX_HOLES = 1024
"""Holes of a stream that are known while the segments that came again are counted."""

Span = tuple[int, int]
"""A range of positions or of times: first, and behind the last."""


@dataclass(slots=True)
class Missing:
    """Segments that are missing, their bytes, and the first of their frames where they are."""

    segments: int = 0
    n_bytes: int = 0
    frames: list[int] = field(default_factory=list)

    def add(self, n_bytes: int, frame: int) -> None:
        """Add a segment."""
        self.segments += 1
        self.n_bytes += n_bytes
        if len(self.frames) < MAX_FRAMES:
            self.frames.append(frame)


@dataclass(slots=True)
class Passage:
    """One direction of a connection at both places.

    first: the place where its packets come first, `a` or `b`; None if it is not known. segments, n_bytes: with payload at A and
    at B, and the different bytes in them. resent: segments of which each byte had come before, None for datagrams. lost:
    between the places; frames are those of the first place. missed: by the capture of A, and of B; frames: of the other.
    unknown: at A and not at B, and at B and not at A, without a sign what became of them. compared: whether positions of both
    could be compared.
    """

    first: str | None
    segments: tuple[int, int]
    n_bytes: tuple[int, int]
    resent: tuple[int, int] | None
    lost: Missing = field(default_factory=Missing)
    missed: tuple[Missing, Missing] = field(default_factory=lambda: (Missing(), Missing()))
    unknown: tuple[Missing, Missing] = field(default_factory=lambda: (Missing(), Missing()))
    compared: bool = True


@dataclass(frozen=True, slots=True)
class _Segment:
    """A segment with payload; start, end: positions as A counts them; at: its time on the clock of A."""

    start: int
    end: int
    at: int
    frame: int
    mark: int


class _Side:
    """The segments of one place. span: times of A between which this place can have seen a segment."""

    def __init__(self, segments: list[_Segment], span: Span) -> None:
        self.segments = segments
        self.span = span
        self.cover = Cover((one.start, one.end) for one in segments)
        self._by_start = sorted(segments, key=lambda one: (one.start, one.at))
        self._starts = [one.start for one in self._by_start]
        self._longest = max((one.end - one.start for one in segments), default=0)

    def sees(self, one: _Segment) -> bool:
        """Return whether this place was captured when a segment of the other came by."""
        return self.span[0] <= one.at < self.span[1]

    def has_later_copy(self, one: _Segment) -> bool:
        """Return whether the first byte of a segment of the other place came here after it, and not at once."""
        return any(other.at > one.at for other in self._covering(one.start))

    def n_copies(self, position: int) -> int:
        """Return how often the byte at a position came here."""
        return len(self._covering(position))

    def _covering(self, position: int) -> list[_Segment]:
        first = bisect_left(self._starts, position - self._longest)
        last = bisect_right(self._starts, position)
        return [one for one in self._by_start[max(first, last - MAX_COPIES) : last] if one.end > position]


def passages(joined: JoinedTrace, order: Span, clock: ClockOffset, spans: tuple[Span, Span]) -> tuple[Passage, Passage]:
    """Compare both directions of a connection.

    order: as `clock_offset` returns it. spans: times of the first and the last packet of both captures, each by its own clock.
    """
    listed = [
        _passage(joined, side, order[side], clock, (spans[0], (clock.at_a(spans[1][0]), clock.at_a(spans[1][1]))))
        for side in (0, 1)
    ]
    return listed[0], listed[1]


class Cover:
    """The union of ranges. n_bytes: in it; end: behind the last one, None if it is empty."""

    def __init__(self, ranges: Iterable[Span]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted(ranges):
            if self._ends and start <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], end)
            else:
                self._starts.append(start)
                self._ends.append(end)
        self._sums = [0, *accumulate(end - start for start, end in zip(self._starts, self._ends, strict=True))]
        self.n_bytes = self._sums[-1]

    def absent(self, start: int, end: int) -> int:
        """Return how many bytes of a range are not in it."""
        return end - start - (self._below(end) - self._below(start))

    def _below(self, position: int) -> int:
        """Return how many bytes of it are before a position."""
        at = bisect_right(self._starts, position)
        return self._sums[at] - max(0, self._ends[at - 1] - position) if at else 0


def _passage(joined: JoinedTrace, side: int, order: int, clock: ClockOffset, spans: tuple[Span, Span]) -> Passage:
    a, b = joined.a.directions[side], joined.b.directions[side]
    shift = joined.shifts[side]
    is_tcp = joined.a.protocol == TCP
    segments = _segments(a, 0, None), _segments(b, shift or 0, clock)
    covers = [Cover((one.start, one.end) for one in listed) for listed in segments]
    found = Passage(
        first={1: "a", -1: "b"}.get(order),
        segments=(len(segments[0]), len(segments[1])),
        n_bytes=(_n_bytes(covers[0], segments[0], is_tcp), _n_bytes(covers[1], segments[1], is_tcp)),
        resent=(_resent(segments[0]), _resent(segments[1])) if is_tcp else None,
    )
    if is_tcp and shift is None and segments[0] and segments[1]:
        found.compared = False
        return found
    margin = _margin(clock)
    places = (
        _Side(segments[0], _seen(a, spans[0], None, margin)),
        _Side(segments[1], _seen(b, spans[1], clock, margin)),
    )
    alone = _unmatched(*places, is_tcp)
    others = [_Side(listed, (0, 0)) for listed in alone]
    acknowledged = max(a.acknowledged, -1 if b.acknowledged < 0 else b.acknowledged - (shift or 0))
    furthest = max(a.position, a.acknowledged), max(b.position, b.acknowledged) - (shift or 0)
    for here in (0, 1):
        there = places[1 - here]
        left = Counter((one.start, one.end) for one in alone[here])
        for one in alone[here]:
            left[one.start, one.end] -= 1
            if not there.sees(one) or (is_tcp and _is_joined(one, others[1 - here], left[one.start, one.end])):
                continue
            absent = there.cover.absent(one.start, one.end) if is_tcp else 0
            n_bytes = absent or others[1 - here].cover.absent(one.start, one.end) or one.end - one.start
            known: Missing | None = found.unknown[here]
            if is_tcp and order and (order > 0) == (here == 0):
                acked = absent > 0 and one.end <= acknowledged
                repeats = joined.same_numbers is not False
                known = found.missed[1 - here] if acked else _fate(one, there, absent, repeats, found, found.unknown[here])
            elif is_tcp and order and absent and one.end <= furthest[1 - here]:
                known = found.missed[1 - here]
            if known is not None:
                known.add(n_bytes if is_tcp else one.end - one.start, one.frame)
    return found


def _is_joined(one: _Segment, others: _Side, n_left: int) -> bool:
    """Return whether a segment came to the other place as part of others, or as several. n_left: copies of it that come later,
    which are taken for those that came.
    """
    return others.cover.absent(one.start, one.end) == 0 and others.n_copies(one.start) > n_left


def _fate(one: _Segment, there: _Side, absent: int, repeats: bool, found: Passage, unknown: Missing) -> Missing | None:
    """Return where a segment counts that passed the first place, was not acknowledged, and is not at the second one; None if it
    may still come. absent: its bytes that never came there. repeats: whether copies of the sender come there as copies.
    """
    if repeats and there.has_later_copy(one):
        return found.lost
    if not absent:
        return unknown
    return found.lost if one.at < there.span[1] - LEAST_WAIT else None


def _segments(direction: Direction, shift: int, clock: ClockOffset | None) -> list[_Segment]:
    """Return the segments with the positions and times of A. clock: None for those of A."""
    listed = zip(
        direction.starts, direction.lengths, direction.times, direction.frames, direction.marks, strict=True
    )  # fmt: skip
    return [
        _Segment(start - shift, start - shift + length, at if clock is None else clock.at_a(at), frame, mark)
        for start, length, at, frame, mark in listed
    ]


def _margin(clock: ClockOffset) -> int:
    return min(MOST_MARGIN, (clock.round_trip or 0) + 10 * clock.spread)


def _seen(direction: Direction, span: Span, clock: ClockOffset | None, margin: int) -> Span:
    """Return between which times of A a place saw all of a direction. clock: None for the place A itself."""
    last = span[1] - margin
    if direction.cut_at >= 0:
        last = min(last, direction.cut_at if clock is None else clock.at_a(direction.cut_at))
    return span[0] + margin, last


def _n_bytes(cover: Cover, segments: Sequence[_Segment], is_tcp: bool) -> int:
    return cover.n_bytes if is_tcp else sum(one.end - one.start for one in segments)


def _resent(segments: Sequence[_Segment]) -> int:
    """Return how many segments bring no new byte."""
    known: list[Span] = []
    n_resent = 0
    for one in segments:
        at = bisect_right(known, (one.start, 1 << 62))
        before = at - 1
        if before >= 0 and known[before][1] >= one.end:
            n_resent += 1
            continue
        first = before if before >= 0 and known[before][1] >= one.start else at
        last = first
        start, end = one.start, one.end
        while last < len(known) and known[last][0] <= end:
            start, end = min(start, known[last][0]), max(end, known[last][1])
            last += 1
        known[first:last] = [(start, end)]
        if len(known) > MAX_HOLES:  # the oldest hole is taken for filled
            known[:2] = [(known[0][0], known[1][1])]
    return n_resent


def _unmatched(a: _Side, b: _Side, is_tcp: bool) -> tuple[list[_Segment], list[_Segment]]:
    """Return the segments of each place that have no partner at the other: the same range, or the same datagram."""
    groups: dict[Span, tuple[list[_Segment], list[_Segment]]] = {}
    for here, side in enumerate((a, b)):
        for one in side.segments:
            name = (one.start, one.end) if is_tcp else (one.mark, one.end)
            if is_tcp or one.mark != NO_MARK:
                groups.setdefault(name, ([], []))[here].append(one)
    alone: tuple[list[_Segment], list[_Segment]] = ([], [])
    for mine, theirs in groups.values():
        few, many = (mine, theirs) if len(mine) <= len(theirs) else (theirs, mine)
        if len(few) < len(many):
            left = _left_over(few, many)
            alone[int(many is theirs)].extend(left)
    return _in_time(alone[0]), _in_time(alone[1])


def _left_over(few: Sequence[_Segment], many: Sequence[_Segment]) -> list[_Segment]:
    """Return those of `many` that have no partner, where copies of one segment are paired in order, with the least distances.

    cost[j]: of the best pairs of the copies so far with the first j of `many`.
    """
    if not few:
        return list(many)
    if len(many) > MAX_COPIES:
        return list(many[len(few) :])
    costs: list[list[float]] = [[0.0] * (len(many) + 1)]
    for i, one in enumerate(few, 1):
        row = [float("inf")] * (len(many) + 1)
        for j in range(i, len(many) + 1):
            row[j] = min(row[j - 1], costs[i - 1][j - 1] + abs(many[j - 1].at - one.at))
        costs.append(row)
    left: list[_Segment] = []
    i, j = len(few), len(many)
    while j:
        if i and costs[i][j] != costs[i][j - 1]:
            i -= 1
        else:
            left.append(many[j - 1])
        j -= 1
    return left[::-1]


def _in_time(segments: Sequence[_Segment]) -> list[_Segment]:
    return sorted(segments, key=lambda one: (one.at, one.frame))
