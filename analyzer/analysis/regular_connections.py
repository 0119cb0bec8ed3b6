"""Finds clients that connect to one server at regular intervals.

Such connections are called beacons when malicious software makes them to ask for commands; programs that look for updates, mail
or the state of a service make them too. They are found by time alone, so the content does not matter. An interval counts if it
is near the median of all intervals. One that is missing, because a connection failed, must not hide the others, so a few may
differ. People and most programs connect in bursts, whose intervals differ by orders of magnitude.
"""

from collections.abc import Iterable
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from analyzer.analysis.capture_finding import MAX_OCCURRENCES, CaptureFinding, Occurrence

LEAST_CONNECTIONS = 6
"""Connections of one client to one server from which their intervals are compared."""

SHORTEST_INTERVAL = 1_000_000_000
"""Nanoseconds of the shortest interval. Faster ones are load tests, and programs that try again."""

MAX_DEVIATION = 0.15
"""How much an interval may differ from the median, as a part of it."""

LEAST_REGULAR = 0.8
"""The part of all intervals that must be near the median. With random times, six connections reach it once in a thousand."""

MAX_REPORTED = 16
"""Clients with regular connections that are reported, those with the most connections first."""


class Opened(NamedTuple):
    """A connection that was opened: time in nanoseconds since the epoch, first frame, number of its TLS session or None."""

    at: int
    frame: int
    session: int | None


def regular_connections(groups: Iterable[tuple[str, str, int, list[Opened]]]) -> list[CaptureFinding]:
    """Return the findings about regular connections. groups: client, address and port of the server, connections."""
    found = []
    for client, server, port, opened in groups:
        if len(opened) >= LEAST_CONNECTIONS:
            finding = _finding(client, server, port, sorted(opened))
            if finding is not None:
                found.append((-len(opened), client, server, port, finding))
    return [entry[-1] for entry in sorted(found, key=lambda entry: entry[:-1])[:MAX_REPORTED]]


def _finding(client: str, server: str, port: int, opened: list[Opened]) -> CaptureFinding | None:
    intervals = [after.at - before.at for before, after in pairwise(opened)]
    middle = median(intervals)
    if opened[0].at < 0 or middle < SHORTEST_INTERVAL:
        return None
    deviations = sorted(abs(interval - middle) / middle for interval in intervals)
    near = [deviation for deviation in deviations if deviation <= MAX_DEVIATION]
    if len(near) < LEAST_REGULAR * len(intervals):
        return None
    detail = (
        f"{client} connected {len(opened)} times to port {port} of {server}, every {middle / 1e9:.1f} seconds; half of the "
        f"intervals differ from that by less than {max(0.1, 100 * median(deviations)):.1f} %"
    )
    places = tuple(Occurrence(one.session, (one.frame,)) for one in opened[:MAX_OCCURRENCES])
    return CaptureFinding("repeated_connections", "info", detail, len(opened), places)
