"""Finds how far the clock of one place is ahead of the other's, from packets that both have.

A packet that passes A first comes to B later, so the difference of its times, B's less A's, is the offset and a delay; one that
passes B first shows the offset less a delay. Delays are not below 0. So the least difference of the first kind and the greatest
of the second one are bounds: the offset is between them, whatever the delays are (the same reasoning as in NTP, RFC 5905
section 8). Which kind a direction is, the time to live says, which routers make smaller, or else the times themselves: what
goes from A to B has the greater difference. With one kind only there is one bound, and the offset is known up to the delay.

Two clocks also run at different rates. The drift is the slope of the differences over time, by least squares without outliers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite, sqrt
from statistics import median

from analyzer.analysis.joined_traces import JoinedTrace, both_times
from analyzer.flows.flow import TCP

MAX_SAMPLES = 200_000
"""Pairs of times that are kept."""

MOST_OF_ONE = 512
"""Segments at the beginning of each direction that are looked at."""

LEAST_SPAN, LEAST_SAMPLES = 10.0, 10
"""Seconds, and pairs of times, from which the drift is computed."""

MAX_ERRORS = 3.0
"""Standard errors from which a drift is believed, and taken out of the differences."""

LEAST_OF_ORDER = 3
"""Pairs of times of each direction from which they show the order of the places."""

PACKETS, NAMES = "packets", "names"
"""What an offset was found from: packets that are at both places, or sessions with the same server name."""


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """The clock of B against that of A, in nanoseconds.

    offset: what B's clock is ahead at the time `reference` of A. uncertainty: the offset is that far away at most; None if
    there is only one bound. middle, spread: median of all differences, and the median distance from it, per kind.
    round_trip: the least time from A to B and back, None if it is not known. drift, drift_error: how much faster B's clock
    runs, in millionths; None where it cannot be told. n_samples: pairs of times; n_connections: that gave them. by: PACKETS
    or NAMES.
    """

    offset: int
    uncertainty: int | None
    middle: int
    spread: int
    round_trip: int | None
    drift: float | None
    drift_error: float | None
    reference: int
    n_samples: int
    n_connections: int
    by: str = PACKETS

    def ahead(self, at: int) -> int:
        """Return the offset at a time of A."""
        if self.drift is None or self.drift_error is None or abs(self.drift) <= MAX_ERRORS * self.drift_error:
            return self.offset
        return self.offset + round((at - self.reference) * self.drift / 1e6)

    def at_a(self, at: int) -> int:
        """Return a time of B on the clock of A."""
        return at - self.ahead(at - self.offset)

    def at_b(self, at: int) -> int:
        """Return a time of A on the clock of B."""
        return at + self.ahead(at)


def order_of(joined: JoinedTrace) -> tuple[int, int]:
    """Return for both directions where their packets come first: 1 at A, -1 at B, 0 unknown.

    The times to live decide, if sequence numbers show that the packets are the same ones: they get smaller on the way.
    """
    if joined.same_numbers is False:
        return 0, 0
    found = []
    for a, b in zip(joined.a.directions, joined.b.directions, strict=True):
        steady = a.other_hops < 0 <= a.hops and b.other_hops < 0 <= b.hops
        found.append((a.hops > b.hops) - (a.hops < b.hops) if steady else 0)
    if found[0] and found[1] and found[0] == found[1]:  # somebody sets them anew
        return 0, 0
    first = found[0] or -found[1]
    return first, -first


def clock_offset(connections: Iterable[JoinedTrace]) -> tuple[ClockOffset | None, dict[int, tuple[int, int]]]:
    """Return the offset, None without a packet that both have; and for each connection, by `id`, `order_of` it with the times.

    Connections whose order only the times show get it here.
    """
    kinds: dict[int, list[tuple[int, int]]] = {1: [], -1: [], 0: []}
    orders: dict[int, tuple[int, int]] = {}
    n_connections = n_samples = 0
    both_ways = False
    for one in connections:
        times = [both_times(a, b, MOST_OF_ONE) for a, b in zip(one.a.directions, one.b.directions, strict=True)]
        order = order_of(one)
        if order == (0, 0) and (one.same_numbers is not False or one.a.protocol != TCP):
            order = _order_by_times(*times)
        orders[id(one)] = order
        n_connections += bool(times[0] or times[1])
        both_ways = both_ways or bool(times[0] and times[1])
        for kind, samples in zip(order, times, strict=True):
            room = MAX_SAMPLES - n_samples
            kinds[kind] += samples[:room]
            n_samples += len(samples[:room])
    return (_fit(kinds, n_connections, both_ways) if n_samples else None), orders


def _order_by_times(from_client: Sequence[tuple[int, int]], from_server: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Return what `order_of` does, from the times of a connection at A and B, if they differ by more than they scatter."""
    if min(len(from_client), len(from_server)) < LEAST_OF_ORDER:
        return 0, 0
    middles, scatter = [], 0.0
    for times in (from_client, from_server):
        differences = [b - a for a, b in times]
        middles.append(median(differences))
        scatter += median(abs(one - middles[-1]) for one in differences)
    ahead = middles[0] - middles[1]
    first = 0 if abs(ahead) <= MAX_ERRORS * scatter else 1 if ahead > 0 else -1
    return first, -first


def _fit(kinds: dict[int, list[tuple[int, int]]], n_connections: int, both_ways: bool) -> ClockOffset:
    """Return the offset from pairs of times, by kind. both_ways: whether some are from clients and some from servers."""
    reference = min(a for samples in kinds.values() for a, _ in samples)
    drift, error = _drift(kinds)
    slope = drift if drift is not None and error is not None and abs(drift) > MAX_ERRORS * error else 0.0
    level = {
        kind: [b - a - round((a - reference) * slope / 1e6) for a, b in samples] for kind, samples in kinds.items() if samples
    }
    middles = {kind: round(median(values)) for kind, values in level.items()}
    spread = round(median(abs(value - middles[kind]) for kind, values in level.items() for value in values))
    n_samples = sum(map(len, level.values()))
    uncertainty = round_trip = None
    if 1 in level and -1 in level:
        middle = (middles[1] + middles[-1]) // 2
        high, low = min(level[1]), max(level[-1])
        if high < low:  # the times are not that exact
            high, low = max(middles[1], middles[-1]) + spread, min(middles[1], middles[-1]) - spread
        offset, uncertainty, round_trip = (high + low) // 2, (high - low + 1) // 2, max(0, high - low)
    else:
        middle = round(median(value for values in level.values() for value in values))
        offset = min(level[1]) if 1 in level else max(level[-1]) if -1 in level else middle
        if 0 in level and both_ways:  # no delay can be seen: it is less than what the times differ
            uncertainty = (max(level[0]) - min(level[0]) + 1) // 2
    return ClockOffset(
        offset, uncertainty, middle, spread, round_trip, drift, error, reference, n_samples, n_connections
    )  # fmt: skip


def _drift(kinds: dict[int, list[tuple[int, int]]]) -> tuple[float | None, float | None]:
    """Return the slope of the differences in millionths, and its standard error; None for both if there is too little."""
    points: list[tuple[float, float]] = []
    for samples in kinds.values():
        if samples:
            at, middle = median(a for a, _ in samples), median(b - a for a, b in samples)
            points += [((a - at) / 1e9, b - a - middle) for a, b in samples]
    span = max(x for x, _ in points) - min(x for x, _ in points)
    if span < LEAST_SPAN or len(points) < LEAST_SAMPLES:
        return None, None
    slope = error = 0.0
    for _ in range(2):  # the second time without what is far from the first line
        slope, base, error = _line(points)
        rests = [abs(y - base - slope * x) for x, y in points]
        limit = 5 * median(rests) + 1
        points = [point for point, rest in zip(points, rests, strict=True) if rest <= limit]
    return (slope / 1000, error / 1000) if isfinite(error) else (None, None)


def _line(points: Sequence[tuple[float, float]]) -> tuple[float, float, float]:
    """Return slope, intercept, and the standard error of the slope, by least squares."""
    n = len(points)
    middle_x, middle_y = sum(x for x, _ in points) / n, sum(y for _, y in points) / n
    width = sum((x - middle_x) ** 2 for x, _ in points)
    if width == 0 or n < 3:
        return 0.0, middle_y, float("inf")
    slope = sum((x - middle_x) * (y - middle_y) for x, y in points) / width
    base = middle_y - slope * middle_x
    rest = sum((y - base - slope * x) ** 2 for x, y in points)
    return slope, base, sqrt(rest / (n - 2) / width)
