"""Finds which connections of two places are the same one, and how the positions of one place become those of the other.

Devices on the path may change addresses, ports (NAT, RFC 3022) and sequence numbers, so none of them names a connection alone.
What is the same for certain: both initial sequence numbers together, 64 bits that the ends chose at random (RFC 9293 section
3.4.1); or equal addresses and ports, and equal bytes at the same sequence number. TLS sessions with the same random join their
connections too: see `interception`. Equal bytes alone are weaker, because greetings are the same every week, and datagrams have
no numbers. Such connections belong together if their times agree with those that certainly do, or with each other.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from analyzer.analysis.connection_trace import HALF, MASK, NO_MARK, WHOLE, ConnectionTrace, Direction
from analyzer.flows.flow import TCP
from analyzer.packet.addresses import split_key

CLIENT_RANDOM, SEQUENCE, TUPLE, PAYLOAD = "client_random", "sequence_numbers", "addresses_and_payload", "payload"
"""What joins two connections."""

FIRST_SEGMENTS = 8
"""Segments at the beginning of a direction by whose bytes a connection is recognised."""

LEAST_BYTES = 16
"""Bytes that a segment needs to be recognised by them alone."""

LEAST_NUMBER = 1 << 20
"""Smaller initial sequence numbers are not taken for random: programs that make packets choose 0, 1 or 1000. One in 2000 of the
random pairs is left out with them.
"""

AGREEMENT = 2_000_000_000
"""Nanoseconds within which differences of times are the same offset: the longest delay on a path, and the drift of hours."""

MOST_OF_ONE_NAME = 64
"""Connections between the same ends, one after the other, whose bytes are compared."""

MOST_COMPARED = 4096
"""Segments at the beginning of a direction that are looked at for equal ones."""


@dataclass(slots=True)
class JoinedTrace:
    """One connection that both places saw.

    by: what joins both. certain: whether that is enough. shifts: by direction, what is added to a position at A to get the same
    byte's position at B; None if that is not known. same_numbers: whether the sequence numbers are the same at both; None if
    that cannot be compared.
    """

    a: ConnectionTrace
    b: ConnectionTrace
    by: str
    certain: bool = True
    shifts: tuple[int | None, int | None] = (None, None)
    same_numbers: bool | None = None

    def __post_init__(self) -> None:
        """Compare the numbers of both."""
        pairs = tuple(zip(self.a.directions, self.b.directions, strict=True))
        self.shifts = (_shift(*pairs[0]), _shift(*pairs[1]))
        if self.a.protocol == TCP:
            self.same_numbers = _same_numbers(pairs, self.shifts)


def join_traces(a: Sequence[ConnectionTrace], b: Sequence[ConnectionTrace]) -> Iterator[JoinedTrace]:
    """Yield the connections that both places saw, without help of TLS, in the order of A. Each one is joined once at most."""
    found: dict[int, JoinedTrace] = {}
    taken: set[int] = set()
    for by, name in ((SEQUENCE, _numbers), (TUPLE, _own_key), (PAYLOAD, _beginnings)):
        left = [one for one in a if id(one) not in found]
        others = [one for one in b if id(one) not in taken]
        for one, other in _pairs(left, others, name, by == TUPLE):
            if id(one) in found or id(other) in taken:
                continue
            if by == TUPLE and one.key != other.key:
                other.turn()
            found[id(one)] = JoinedTrace(one, other, by, by == SEQUENCE or (by == TUPLE and _has_large_numbers(one)))
            taken.add(id(other))
    for one in a:
        if id(one) in found:
            yield found[id(one)]


def agreeing(weak: Iterable[JoinedTrace], offset: int | None) -> list[JoinedTrace]:
    """Return those of connections that equal bytes alone join whose times agree with an offset of the clocks.

    offset: nanoseconds by which B's clock is ahead; None for the one that most of them agree on.
    """
    timed = []
    for place, one in enumerate(weak):
        times = [pair for a, b in zip(one.a.directions, one.b.directions, strict=True) for pair in both_times(a, b)]
        if not times and min(one.a.first, one.b.first) >= 0:  # all of it came more than once
            times = [(one.a.first, one.b.first)]
        if times:
            timed.append((round(median(b - a for a, b in times)), place, one))
    timed.sort(key=lambda entry: entry[:2])
    if offset is not None:
        return [one for difference, _, one in timed if abs(difference - offset) <= AGREEMENT]
    best, first = (0, 0), 0
    for last, (difference, _, _) in enumerate(timed):
        while difference - timed[first][0] > AGREEMENT:
            first += 1
        if last + 1 - first > best[1] - best[0]:
            best = first, last + 1
    return [one for _, _, one in timed[best[0] : best[1]]]


def both_times(a: Direction, b: Direction, most: int = MOST_COMPARED) -> list[tuple[int, int]]:
    """Return the times at A and at B of segments that came once to each place, in the order of A, and of the SYN."""
    times = [(a.opening.at, b.opening.at)] if a.opening is not None and b.opening is not None else []
    known, others = _once(a, most), _once(b, most)
    times += [(a.times[at], b.times[others[one]]) for one, at in known.items() if one in others]
    return [(one, other) for one, other in times if one >= 0 and other >= 0]


def _once(direction: Direction, most: int) -> dict[tuple[int, int], int]:
    """Return the segments that came once, by mark and length, with their index."""
    counts = Counter(zip(direction.marks[:most], direction.lengths[:most], strict=True))
    marked = enumerate(zip(direction.marks[:most], direction.lengths[:most], strict=True))
    return {one: at for at, one in marked if counts[one] == 1 and one[0] != NO_MARK}


def _pairs(
    a: Sequence[ConnectionTrace],
    b: Sequence[ConnectionTrace],
    names: Callable[[ConnectionTrace], Iterable[Hashable]],
    compares: bool,
) -> Iterator[tuple[ConnectionTrace, ConnectionTrace]]:
    """Yield those of both that have a name in common. compares: several may have one name, and their bytes decide."""
    by_name: dict[Hashable, list[ConnectionTrace]] = {}
    for one in b:
        for name in names(one):
            by_name.setdefault(name, []).append(one)
    uses = Counter(name for one in a for name in names(one))
    for one in a:
        for name in names(one):
            others = by_name.get(name, ())
            if compares and max(uses[name], len(others)) <= MOST_OF_ONE_NAME:
                yield from ((one, other) for other in others if _has_common(one, other))
            elif not compares and uses[name] == 1 and len(others) == 1:
                yield one, others[0]


def _numbers(trace: ConnectionTrace) -> list[Hashable]:
    """The initial sequence numbers of both ends, if they can be random; without an answer, the client's and the server."""
    client, server = trace.directions[0].opening, trace.directions[1].opening
    if client is None or client.number < LEAST_NUMBER:
        return []
    if server is None:
        return [(split_key(trace.key)[1], client.number)] if trace.directions[1].n_packets == 0 else []
    return [(client.number, server.number)] if server.number >= LEAST_NUMBER else []


def _own_key(trace: ConnectionTrace) -> list[Hashable]:
    half = (len(trace.key) - 4) >> 1
    return [
        (
            trace.protocol,
            frozenset((trace.key[:half], trace.key[half : 2 * half])),
            frozenset((trace.key[-4:-2], trace.key[-2:])),
        )
    ]


def _beginnings(trace: ConnectionTrace) -> set[Hashable]:
    """The first segments of both directions, as far as their bytes are enough."""
    return {
        (trace.protocol, side, mark, length)
        for side, direction in enumerate(trace.directions)
        for mark, length in zip(direction.marks[:FIRST_SEGMENTS], direction.lengths[:FIRST_SEGMENTS], strict=True)
        if mark != NO_MARK and length >= LEAST_BYTES
    }


def _has_common(one: ConnectionTrace, other: ConnectionTrace) -> bool:
    """Return whether a segment with the same bytes, and the same numbers of TCP, is in both connections of the same ends.

    Of connections without a byte, the numbers decide.
    """
    theirs = other.directions if one.key == other.key else other.directions[::-1]
    for a, b in zip(one.directions, theirs, strict=True):
        if not _marked(a, one.protocol).isdisjoint(_marked(b, one.protocol)):
            return True
    return one.protocol == TCP and _is_empty(one) and _is_empty(other) and _has_same_numbers(one.directions, theirs)


def _has_large_numbers(trace: ConnectionTrace) -> bool:
    return trace.protocol == TCP and all(one.base < 0 or one.base >= LEAST_NUMBER for one in trace.directions)


def _is_empty(trace: ConnectionTrace) -> bool:
    """Return whether nobody sent a byte."""
    return not any(direction.starts for direction in trace.directions)


def _has_same_numbers(a: Sequence[Direction], b: Sequence[Direction]) -> bool:
    """Return whether both ends sent packets at both places or at none, with the same sequence numbers at last."""
    return all(
        bool(one.n_packets) == bool(other.n_packets) and (not one.n_packets or one.sequence == other.sequence)
        for one, other in zip(a, b, strict=True)
    )


def _marked(direction: Direction, protocol: int) -> set[tuple[int, int, int]]:
    base = direction.base if protocol == TCP else 0
    listed = zip(
        direction.starts[:MOST_COMPARED], direction.lengths[:MOST_COMPARED], direction.marks[:MOST_COMPARED], strict=True
    )
    return {((base + start) & MASK, length, mark) for start, length, mark in listed if mark != NO_MARK}


def _shift(a: Direction, b: Direction) -> int | None:
    """Return what is added to a position at A to get the position at B."""
    known, others = _once(a, MOST_COMPARED), _once(b, MOST_COMPARED)
    found = Counter(b.starts[others[one]] - a.starts[at] for one, at in known.items() if one in others)
    if found:
        return found.most_common(1)[0][0]
    if a.opening is not None and b.opening is not None:
        return 0
    if a.base < 0 or b.base < 0:
        return None
    ahead = (a.base - b.base) & MASK
    return ahead if ahead < HALF else ahead - WHOLE


def _same_numbers(pairs: Iterable[tuple[Direction, Direction]], shifts: tuple[int | None, int | None]) -> bool | None:
    """Return whether the sequence numbers of both places are the same."""
    known = []
    for (a, b), shift in zip(pairs, shifts, strict=True):
        if a.opening is not None and b.opening is not None:
            known.append(a.opening.number == b.opening.number)
        elif shift is not None and _once(a, MOST_COMPARED).keys() & _once(b, MOST_COMPARED).keys():
            known.append((a.base - b.base - shift) & MASK == 0)
    return all(known) if known else None
