"""Finds which connections of two places are the same one, and how the positions of one place become those of the other.

Devices on the path may change addresses, ports (NAT, RFC 3022) and sequence numbers, so none of them names a connection alone.
What is the same for certain: both initial sequence numbers together, 64 bits that the ends chose at random (RFC 9293 section
3.4.1); or equal addresses and ports and a segment with equal bytes; or the first bytes that an end sent, if no other connection
of that place begins with them. TLS sessions with the same random join their connections too: see `interception`.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from analyzer.analysis.connection_trace import HALF, MASK, NO_MARK, WHOLE, ConnectionTrace, Direction
from analyzer.flows.flow import TCP

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

MOST_OF_ONE_NAME = 64
"""Connections between the same ends, one after the other, whose bytes are compared."""

MOST_COMPARED = 4096
"""Segments at the beginning of a direction that are looked at for equal ones."""


@dataclass(slots=True)
class JoinedTrace:
    """One connection that both places saw.

    by: what joins both. shifts: by direction, what is added to a position at A to get the same byte's position at B; None if
    that is not known. same_numbers: whether the sequence numbers are the same at both; None if that cannot be compared.
    """

    a: ConnectionTrace
    b: ConnectionTrace
    by: str
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
            found[id(one)] = JoinedTrace(one, other, by)
            taken.add(id(other))
    for one in a:
        if id(one) in found:
            yield found[id(one)]


def both_times(a: Direction, b: Direction, most: int = MOST_COMPARED) -> list[tuple[int, int]]:
    """Return the times at A and at B of segments that came once to each place, in the order of A."""
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
    """The initial sequence numbers of both ends, if they can be random."""
    numbers = tuple(one.opening.number for one in trace.directions if one.opening is not None)
    return [numbers] if len(numbers) == 2 and min(numbers) >= LEAST_NUMBER else []


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
    """Return whether a segment with the same bytes, and the same numbers of TCP, is in both connections of the same ends."""
    sides = (0, 1) if one.key == other.key else (1, 0)
    for side in (0, 1):
        mine, theirs = one.directions[side], other.directions[sides[side]]
        if not _marked(mine, one.protocol).isdisjoint(_marked(theirs, one.protocol)):
            return True
    return False


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
