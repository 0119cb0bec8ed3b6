"""Writes the statistics of `analyzer stats` as CSV: one table, whose columns depend on what was counted."""

from collections.abc import Iterator, Mapping
from typing import Any

from analyzer.cli.output import Output
from analyzer.cli.stats_arguments import CONVERSATIONS, ENDPOINTS, IO, PROTOCOLS
from analyzer.text.escape import csv_row

_CONVERSATION = (
    "packets", "bytes", "packets_sent", "bytes_sent", "packets_answered", "bytes_answered", "first_frame", "first_time",
    "start_seconds", "duration_seconds",
)  # fmt: skip
_ENDPOINT = (
    "address", "port", "packets", "bytes", "packets_sent", "bytes_sent", "packets_received", "bytes_received",
)  # fmt: skip
_PROTOCOL = ("depth", "protocol", "path", "packets", "bytes", "packet_share", "byte_share")

Row = list[Any]


def write_csv(output: Output, record: Mapping[str, Any]) -> None:
    """Write a record."""
    what = record["what"]
    rows = _ROWS[what](record[what]) if what in _ROWS else _values(record[what])
    output.head = csv_row(next(rows)).encode()
    for row in rows:
        output.write(csv_row(row).encode())


def _protocols(found: Any) -> Iterator[Row]:
    yield list(_PROTOCOL)
    for one in found:
        yield [one[name] for name in _PROTOCOL]


def _conversations(found: Any) -> Iterator[Row]:
    yield ["kind", "stream", "source_address", "source_port", "destination_address", "destination_port", *_CONVERSATION]
    for kind, table in found.items():
        for one in table["conversations"]:
            ends = [one[end][part] for end in ("source", "destination") for part in ("address", "port")]
            yield [kind, one["stream"], *ends, *(one[name] for name in _CONVERSATION)]


def _endpoints(found: Any) -> Iterator[Row]:
    yield ["kind", *_ENDPOINT]
    for kind, table in found.items():
        for one in table["endpoints"]:
            yield [kind, *(one[name] for name in _ENDPOINT)]


def _io(found: Any) -> Iterator[Row]:
    heads = [f"{name} {text}" for text in found["filters"] for name in ("packets", "bytes")]
    yield ["start", "offset_seconds", "packets", "bytes", *heads]
    for one in found["intervals"]:
        counts = [count[name] for count in one["counts"] for name in ("packets", "bytes")]
        yield [one["start"], one["offset_seconds"], one["packets"], one["bytes"], *counts]


def _values(found: Any) -> Iterator[Row]:
    """Yield a row for each number: what was counted, the value or percentile, and the number."""
    yield ["what", "value", "count"]
    for name, part in found.items():
        if not isinstance(part, dict):
            yield [name, None, part]
        elif "top" in part:
            for one in part["top"]:
                yield [name, one["value"], one["count"]]
                if "bytes" in one:
                    yield [f"{name}_bytes", one["value"], one["bytes"]]
            if part["beyond"]:
                yield [name, None, part["beyond"]]
        elif "histogram" in part:
            yield from _spread(name, part)
        else:
            for inner, spread in part.items():
                yield from _spread(f"{name}_{inner}", spread)


def _spread(name: str, spread: Mapping[str, Any]) -> Iterator[Row]:
    for key, value in spread.items():
        if key not in ("exact", "histogram"):
            yield [name, key, value]


_ROWS = {PROTOCOLS: _protocols, CONVERSATIONS: _conversations, ENDPOINTS: _endpoints, IO: _io}
