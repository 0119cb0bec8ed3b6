"""Makes the JSON record of `analyzer stats`, as `stats_schema.STATS` declares it. Text, CSV and SVG are made of it too."""

from collections.abc import Iterable, Sequence
from typing import Any

from analyzer.analysis.conversations import KINDS, Conversation, Conversations, Endpoint, conversations_of, endpoints_of
from analyzer.analysis.duration_spread import PERCENTILES, Spread
from analyzer.analysis.http_statistics import HttpStatistics
from analyzer.analysis.intervals import Intervals, series, shown_length
from analyzer.analysis.tls_statistics import TlsStatistics
from analyzer.analysis.traffic import Share
from analyzer.cli.summary_record import tally_record
from analyzer.store.clock import rfc3339

SHOWN_INTERVALS = 60
"""Intervals whose length is found, at most."""

MOST_SHOWN = 100_000
"""Intervals whose length is given that are listed, at most: long pauses have many without packets."""

HISTOGRAM = 16
"""Parts of a histogram."""

_SECOND = 1_000_000_000


def protocol_records(shares: Iterable[Share], n_packets: int, n_bytes: int) -> list[dict[str, Any]]:
    """Return the hierarchy of protocols. n_packets, n_bytes: of all frames."""
    path: list[str] = []
    found = []
    for share in shares:
        path[share.depth :] = [share.label]
        found.append(
            {
                "depth": share.depth,
                "protocol": share.label,
                "path": "/".join(path),
                "packets": share.n_packets,
                "bytes": share.n_bytes,
                "packet_share": share.n_packets / n_packets if n_packets else 0.0,
                "byte_share": share.n_bytes / n_bytes if n_bytes else 0.0,
            }
        )
    return found


def conversation_tables(counted: Conversations, start: int, most: int | None = None) -> dict[str, Any]:
    """Return the conversations by kind, those with the most bytes first. start: the time of the first frame, -1 without one.

    most: how many of each kind, at most; None for all.
    """
    tables = {}
    for place, kind in enumerate(KINDS):
        ordered = sorted(conversations_of(counted, kind), key=lambda one: -sum(one.n_bytes))
        rows = [_conversation_record(one, start) for one in ordered[:most]]
        tables[kind] = {"count": len(ordered), "beyond": counted.beyond[place], "conversations": rows}
    return tables


def endpoint_tables(counted: Conversations, most: int | None = None) -> dict[str, Any]:
    """Return the endpoints by kind, those with the most bytes first. most: how many of each kind, at most; None for all."""
    tables = {}
    for place, kind in enumerate(KINDS):
        ordered = sorted(endpoints_of(counted, kind), key=lambda one: -one.n_bytes)
        rows = [_endpoint_record(one) for one in ordered[:most]]
        tables[kind] = {"count": len(ordered), "beyond": counted.beyond[place], "endpoints": rows}
    return tables


def io_record(counted: Intervals, columns: Sequence[Intervals], filters: Sequence[str]) -> dict[str, Any]:
    """Return the traffic over time, and the same of each filter. All were counted from one start."""
    length = counted.length
    if counted.finds:
        finest = max(one.length for one in (counted, *columns))
        length = shown_length(max(counted.last - counted.first, 0), SHOWN_INTERVALS, finest)
        for one in (counted, *columns):
            one.lengthen(length)
    first, n, beyond = min(counted.counts, default=0), 0, counted.beyond
    if counted.counts:
        n = max(counted.counts) - first + 1
    if n > MOST_SHOWN:
        beyond += sum(one.n_packets for place, one in counted.counts.items() if place - first >= MOST_SHOWN)
        n = MOST_SHOWN
    others = [list(series(one, first, n)) for one in columns]
    rows = []
    for place, (n_packets, n_bytes) in enumerate(series(counted, first, n)):
        rows.append(
            {
                "start": rfc3339(max(0, counted.start + (first + place) * length)),  # no capture has a time before 1970
                "offset_seconds": place * length / _SECOND,
                "packets": n_packets,
                "bytes": n_bytes,
                "counts": [{"packets": one[place][0], "bytes": one[place][1]} for one in others],
            }
        )
    return {
        "interval_seconds": length / _SECOND,
        "filters": list(filters),
        "untimed": counted.untimed,
        "beyond": beyond,
        "intervals": rows,
    }


def tls_record(counted: TlsStatistics, n: int) -> dict[str, Any]:
    """Return what the TLS sessions had, `n` values of each count."""
    totals = counted.totals
    return {
        "sessions": totals.n_sessions,
        "established": totals.established[True],
        "not_established": totals.established[False],
        "unknown": totals.established[None],
        **{name: tally_record(tally, n) for name, tally in counted.tallies().items()},
        "durations": {name: spread_record(spread) for name, spread in counted.durations.items()},
    }


def http_record(counted: HttpStatistics, n: int) -> dict[str, Any]:
    """Return what the HTTP exchanges had, `n` values of each count."""
    types = tally_record(counted.types, n)
    for one in types["top"]:
        one["bytes"] = counted.type_bytes[one["value"]]
    return {
        "exchanges": counted.exchanges,
        "encrypted": counted.encrypted,
        "requests": counted.requests,
        "responses": counted.responses,
        **{name: tally_record(tally, n) for name, tally in counted.tallies.items()},
        "types": types,
        "bytes_sent": counted.sent,
        "bytes_received": counted.received,
        "request_sizes": spread_record(counted.request_sizes),
        "response_sizes": spread_record(counted.response_sizes),
        "response_seconds": spread_record(counted.seconds),
    }


def spread_record(spread: Spread) -> dict[str, Any]:
    """Return how a quantity is spread."""
    return {
        "count": spread.count,
        "mean": spread.total / spread.count if spread.count else None,
        "least": spread.least,
        **{f"p{part}": spread.percentile(part) for part in PERCENTILES},
        "most": spread.most,
        "exact": spread.exact,
        "histogram": spread.histogram(HISTOGRAM),
    }


def _conversation_record(one: Conversation, start: int) -> dict[str, Any]:
    sent, answered = one.packets
    sent_bytes, answered_bytes = one.n_bytes
    timed = one.first >= 0
    return {
        "source": {"address": one.source[0], "port": one.source[1]},
        "destination": {"address": one.destination[0], "port": one.destination[1]},
        "stream": one.stream,
        "packets": sent + answered,
        "bytes": sent_bytes + answered_bytes,
        "packets_sent": sent,
        "bytes_sent": sent_bytes,
        "packets_answered": answered,
        "bytes_answered": answered_bytes,
        "first_frame": one.first_frame,
        "first_time": rfc3339(one.first) if timed else None,
        "start_seconds": (one.first - start) / _SECOND if timed and start >= 0 else None,
        "duration_seconds": (one.last - one.first) / _SECOND if timed else None,
    }


def _endpoint_record(one: Endpoint) -> dict[str, Any]:
    return {
        "address": one.address,
        "port": one.port,
        "packets": one.packets,
        "bytes": one.n_bytes,
        "packets_sent": one.sent_packets,
        "bytes_sent": one.sent_bytes,
        "packets_received": one.received_packets,
        "bytes_received": one.received_bytes,
    }
