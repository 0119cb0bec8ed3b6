"""Compares one traffic at two places, A and B: joins what both saw, finds the offset of their clocks, and what happened
between.

First sessions are joined by their client random, then connections by numbers and bytes. From these comes the offset of the
clocks. Only then sessions that a proxy may have joined can be paired by name and time, and only then it is known what one place
could see of the other's time. `interception`, `clock_offset` and `lost_between` have the reasoning.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from analyzer.analysis.clock_offset import PACKETS, ClockOffset, clock_offset
from analyzer.analysis.connection_trace import (
    MAXIMUM_SEGMENT_SIZE,
    SACK_PERMITTED,
    TIMESTAMPS,
    WINDOW_SCALE,
    ConnectionTrace,
    Direction,
    PlaceTraces,
)
from analyzer.analysis.interception import (
    Difference,
    PlaceSession,
    SessionPair,
    join_by_connection,
    join_by_name,
    join_by_random,
    offset_by_names,
)
from analyzer.analysis.joined_traces import CLIENT_RANDOM, JoinedTrace, agreeing, join_traces
from analyzer.analysis.lost_between import Passage, passages
from analyzer.flows.flow import TCP
from analyzer.packet.addresses import address_text, reverse_key, split_key

SIDES = ("client", "server")

ADDRESSES = ("client", "server")
"""Names of differences that a router with address translation brings about; they are no fault."""


@dataclass(frozen=True, slots=True)
class Place:
    """What one place saw: its packets, the times of the first and the last one, its sessions, and the connection of each
    session by its id.
    """

    traces: PlaceTraces
    span: tuple[int, int]
    sessions: list[PlaceSession]
    trace_of: dict[int, ConnectionTrace]


@dataclass(slots=True)
class ComparedConnection:
    """A connection at both places. changed: what a device rewrote; the fact names the side it is about. passages: by
    direction, what became of its segments; None without an offset."""

    joined: JoinedTrace
    changed: list[Difference]
    passages: tuple[Passage, Passage] | None

    @property
    def rewritten(self) -> list[Difference]:
        """What was changed, without addresses and ports."""
        return [one for one in self.changed if one.fact not in ADDRESSES]

    @property
    def lost(self) -> int:
        """Segments that were lost between the places."""
        return sum(one.lost.segments for one in self.passages or ())


@dataclass(frozen=True, slots=True)
class AloneConnection:
    """A connection that only one place has. covered: whether the other was captured then; None where that is not known.
    expected: whether another connection between the same addresses came to both places.
    """

    trace: ConnectionTrace
    covered: bool | None
    expected: bool


Alone = list[AloneConnection]


@dataclass(slots=True)
class TwoPlaces:
    """The result. certain: whether a connection is certainly in both. alone, sessions_alone: by place, connections and sessions
    that only this place has.
    """

    clock: ClockOffset | None
    certain: bool
    connections: list[ComparedConnection] = field(default_factory=list)
    pairs: list[SessionPair] = field(default_factory=list)
    alone: tuple[Alone, Alone] = field(default_factory=lambda: ([], []))
    sessions_alone: tuple[list[PlaceSession], list[PlaceSession]] = field(default_factory=lambda: ([], []))

    def is_different(self) -> bool:
        """Return whether something between the places lost, changed, or may have intercepted."""
        return (
            any(pair.verdict in ("proven", "possible") for pair in self.pairs)
            or any(one.lost or one.rewritten for one in self.connections)
            or any(one.covered and one.expected for listed in self.alone for one in listed)
        )


def trace_of_sessions(traces: PlaceTraces, sessions: Iterable[PlaceSession]) -> dict[int, ConnectionTrace]:
    """Return the connection of each session by its id, and let each connection have the session's client."""
    by_key: dict[bytes, list[ConnectionTrace]] = {}
    for trace in traces.traces:
        if trace.protocol == TCP:
            by_key.setdefault(min(trace.key, reverse_key(trace.key)), []).append(trace)
    found: dict[int, ConnectionTrace] = {}
    for one in sessions:
        listed = by_key.get(min(one.key, reverse_key(one.key)), [])  # one after the other
        at = bisect_right(listed, one.frame, key=_first_frame) - 1
        if at >= 0 and one.frame <= listed[at].last_frame:
            if listed[at].key != one.key:
                listed[at].turn()
            found[one.id] = listed[at]
    return found


def _first_frame(trace: ConnectionTrace) -> int:
    return trace.first_frame


def compare_places(a: Place, b: Place) -> TwoPlaces:
    """Compare two places."""
    pairs = join_by_random(a.sessions, b.sessions)
    found = list(_joined(a, b, pairs))
    joined = [one for one in found if one.certain]
    clock, orders = clock_offset(joined)
    weak = agreeing((one for one in found if not one.certain), None if clock is None else clock.offset)
    if weak:
        joined += weak
        clock, orders = clock_offset(joined)
    by_trace = {id(trace): one for one in joined for trace in (one.a, one.b)}
    left = _left(a, b, pairs)
    pairs += join_by_connection(*(_in_joined(place, listed, by_trace) for place, listed in zip((a, b), left, strict=True)))
    left = _left(a, b, pairs)
    clock = clock or offset_by_names(*left)
    if clock is not None:
        pairs += join_by_name(*left, clock)
    result = TwoPlaces(
        clock, len(joined) > len(weak), pairs=sorted(pairs, key=lambda pair: pair.a.id), sessions_alone=_left(a, b, pairs)
    )
    for one in joined:
        seen = None if clock is None or clock.by != PACKETS else passages(one, orders[id(one)], clock, (a.span, b.span))
        result.connections.append(ComparedConnection(one, list(_changed(one)), seen))
    paired = {id(place.trace_of.get(one.id)) for pair in pairs for place, one in ((a, pair.a), (b, pair.b))}
    for here, place in enumerate((a, b)):
        common = {_addresses((one.a, one.b)[here]) for one in joined}
        other = (b, a)[here].span
        for trace in place.traces.traces:
            if id(trace) not in by_trace and id(trace) not in paired:
                covered = _covered(trace, here, clock, other)
                result.alone[here].append(AloneConnection(trace, covered, _addresses(trace) in common))
    return result


def _joined(a: Place, b: Place, pairs: Iterable[SessionPair]) -> Iterator[JoinedTrace]:
    """Yield all connections that both places saw, each once."""
    taken: set[int] = set()
    for pair in pairs:
        one, other = a.trace_of.get(pair.a.id), b.trace_of.get(pair.b.id)
        if one is not None and other is not None and id(one) not in taken and id(other) not in taken:
            taken |= {id(one), id(other)}
            yield JoinedTrace(one, other, CLIENT_RANDOM)
    yield from join_traces(*([one for one in place.traces.traces if id(one) not in taken] for place in (a, b)))


def _left(a: Place, b: Place, pairs: Iterable[SessionPair]) -> tuple[list[PlaceSession], list[PlaceSession]]:
    """Return the sessions of both that are in no pair."""
    pairs = list(pairs)
    first, second = {pair.a.id for pair in pairs}, {pair.b.id for pair in pairs}
    return [one for one in a.sessions if one.id not in first], [one for one in b.sessions if one.id not in second]


def _in_joined(
    place: Place, sessions: Iterable[PlaceSession], by_trace: dict[int, JoinedTrace]
) -> list[tuple[PlaceSession, JoinedTrace]]:
    found = [(one, by_trace.get(id(place.trace_of.get(one.id)))) for one in sessions]
    return [(one, joined) for one, joined in found if joined is not None]


def _addresses(trace: ConnectionTrace) -> bytes:
    """The addresses of both ends, without ports."""
    return trace.key[:-4]


def _covered(trace: ConnectionTrace, here: int, clock: ClockOffset | None, span: tuple[int, int]) -> bool | None:
    """Return whether the other place was captured when this connection had packets."""
    if clock is None or trace.first < 0:
        return None
    first, last = (at if at < 0 else clock.at_b(at) if here == 0 else clock.at_a(at) for at in (trace.first, trace.last))
    if last < span[0] or first > span[1]:
        return False
    return True if span[0] <= first <= span[1] or span[0] <= last <= span[1] else None


def _changed(joined: JoinedTrace) -> Iterator[Difference]:
    """Yield what is not the same at both places, although nobody but a device on the path can have changed it."""
    for side, name in enumerate(SIDES):
        ends = [split_key(trace.key)[side] for trace in (joined.a, joined.b)]
        if ends[0] != ends[1]:
            yield Difference(name, *(_end_text(*one) for one in ends))
    if joined.same_numbers is False:
        numbers = [_numbers(trace) for trace in (joined.a, joined.b)]
        yield Difference("sequence_numbers", *numbers)
    for name, a, b in zip(SIDES, joined.a.directions, joined.b.directions, strict=True):
        yield from _changed_opening(name, a, b)
        if bool(a.n_resets) != bool(b.n_resets) and a.n_packets and b.n_packets:
            yield Difference(f"{name}_reset", *(f"frame {one.reset_frame}" if one.n_resets else None for one in (a, b)))


def _changed_opening(name: str, a: Direction, b: Direction) -> Iterator[Difference]:
    one, other = a.opening, b.opening
    if one is None or other is None:
        return
    facts = (("mss", one.mss, other.mss), ("window_scale", one.scale, other.scale), ("window", one.window, other.window))
    for fact, mine, theirs in facts:
        if mine != theirs:
            yield Difference(f"{name}_{fact}", None if mine is None else str(mine), None if theirs is None else str(theirs))
    for fact, kind in (("sack_permitted", SACK_PERMITTED), ("timestamps", TIMESTAMPS)):
        if (kind in one.options) != (kind in other.options):
            yield Difference(f"{name}_{fact}", *("yes" if kind in listed.options else "no" for listed in (one, other)))
    known = {MAXIMUM_SEGMENT_SIZE, WINDOW_SCALE, SACK_PERMITTED, TIMESTAMPS}
    rests = [sorted(kind for kind in listed.options if kind > 1 and kind not in known) for listed in (one, other)]
    if rests[0] != rests[1]:
        yield Difference(f"{name}_options", *(" ".join(map(str, rest)) for rest in rests))


def _numbers(trace: ConnectionTrace) -> str:
    """The sequence numbers of position 0 of both ends."""
    return " ".join("?" if one.base < 0 else str(one.base) for one in trace.directions)


def _end_text(address: bytes, port: int) -> str:
    text = address_text(address)
    return f"[{text}]:{port}" if ":" in text else f"{text}:{port}"
