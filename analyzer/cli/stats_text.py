"""Prints the statistics of `analyzer stats` as text: tables with bars, and plots that fit the window."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from analyzer.analysis.intervals import shown_length
from analyzer.cli.output import Output
from analyzer.cli.page import dim_line, further_values, headline
from analyzer.cli.stats_arguments import CONVERSATIONS, ENDPOINTS, HTTP, IO, PROTOCOLS, TLS
from analyzer.cli.table import Cell, Column, Table, cut, pad, width
from analyzer.cli.terminal_plots import Blocks, print_plot, round_up
from analyzer.cli.traffic_text import percent
from analyzer.text.escape import harmless
from analyzer.text.formatting import count_text, duration_text, endpoint_text, size_text
from analyzer.text.language import Sentences, noted, retold, say, translated_codes
from analyzer.text.punctuation import beside, clauses

BAR = 16
"""Columns of the longest bar of a table."""

WIDE, MEDIUM = 112, 96
"""Columns of a window from which on conversations have bars too, and those of endpoints have their full length."""

LABEL = 16
"""Columns of the labels of counts."""

MARKS = 6
"""Times below a plot, at most."""

KIND_NAMES = {"eth": "Ethernet", "ipv4": "IPv4", "ipv6": "IPv6", "tcp": "TCP", "udp": "UDP"}

_SECOND = 1_000_000_000

_CONVERSATIONS = (
    Column("source", 0, limit=47),
    Column("destination", 1, limit=47),
    Column("bytes", 0, right=True),
    Column("packets", 2, right=True),
    Column("sent", 3, right=True),
    Column("answered", 4, right=True),
    Column("start", 6, right=True),
    Column("duration", 5, right=True),
    Column("share", 7, style="blue"),
)

_ENDPOINTS = (
    Column("endpoint", 0, limit=47),
    Column("bytes", 0, right=True),
    Column("packets", 1, right=True),
    Column("sent", 2, right=True),
    Column("received", 3, right=True),
    Column("share", 4, style="blue"),
)

TLS_LABELS: Sentences = {
    "protocols": "protocols", "versions": "versions", "cipher_suites": "cipher suites", "groups": "groups", "alpn": "ALPN",
    "server_names": "server names", "ja4": "JA4", "servers": "servers", "clients": "clients", "resumptions": "resumed by",
    "causes": "causes",
}  # fmt: skip

HTTP_LABELS: Sentences = {
    "methods": "methods", "statuses": "status codes", "hosts": "hosts", "versions": "versions", "types": "types",
}  # fmt: skip

DURATIONS: Sentences = {
    "tcp": "TCP handshake", "hello": "to ServerHello", "handshake": "handshake", "total": "connection",
    "response": "response after",
}  # fmt: skip
"""What is measured, by name."""

TALLIES = {TLS: TLS_LABELS, HTTP: HTTP_LABELS}
"""What is counted of sessions and of exchanges, by name, each with its label."""

_SPREADS = (
    Column("what", 0),
    Column("values", 3, right=True),
    Column("least", 4, right=True),
    Column("median", 0, right=True),
    Column("90 %", 1, right=True),
    Column("99 %", 2, right=True),
    Column("most", 1, right=True),
    Column("spread", 6, style="blue"),
)

_NOTHING = noted("none found")


def print_stats(output: Output, record: Mapping[str, Any], n: int) -> None:
    """Print a record, with `n` rows in each table."""
    _PRINTERS[record["what"]](output, record, n)


def _print_protocols(output: Output, record: Mapping[str, Any], n: int) -> None:
    rows = record["protocols"]
    headline(output, say("Protocols"), _totals(record))
    if not rows:
        return
    labels = ["  " * row["depth"] + harmless(retold(row["protocol"])) for row in rows]
    blocks, table = Blocks(output), Table(_protocol_columns(), output, indent=2)
    room = max(8, output.width - max(map(width, labels)) - 48)
    for row, label in zip(rows, labels, strict=True):
        table.add(
            [
                label,
                f"{row['packets']:,}",
                percent(row["packet_share"]),
                size_text(row["bytes"]),
                percent(row["byte_share"]),
                blocks.bar(row["byte_share"], min(2 * BAR, room)),
            ]
        )
    table.close()
    if any("(port " in row["protocol"] for row in rows):
        dim_line(output, say("(port N): told by the port alone; TLS, DTLS and QUIC are recognized by their bytes"))


def _protocol_columns() -> tuple[Column, ...]:
    return (
        Column("protocol", 0),
        Column("packets", 0, right=True),
        Column("of all", 1, right=True),
        Column("bytes", 0, right=True),
        Column("of bytes", 1, right=True),
        Column("share", 2, style="blue"),
    )


def _print_conversations(output: Output, record: Mapping[str, Any], n: int) -> None:
    def cells(row: Mapping[str, Any], bar: str) -> list[Cell]:
        start, duration = row["start_seconds"], row["duration_seconds"]
        return [
            _end(row["source"]),
            _end(row["destination"]),
            size_text(row["bytes"]),
            f"{row['packets']:,}",
            size_text(row["bytes_sent"]),
            size_text(row["bytes_answered"]),
            "" if start is None else f"{start:.3f} s",
            "" if duration is None else duration_text(round(duration * _SECOND)),
            bar,
        ]

    _print_tables(output, record, n, _CONVERSATIONS, cells, noted("{kind} conversations"))


def _print_endpoints(output: Output, record: Mapping[str, Any], n: int) -> None:
    def cells(row: Mapping[str, Any], bar: str) -> list[Cell]:
        sizes = [size_text(row[name]) for name in ("bytes_sent", "bytes_received")]
        return [_end(row), size_text(row["bytes"]), f"{row['packets']:,}", *sizes, bar]

    _print_tables(output, record, n, _ENDPOINTS, cells, noted("{kind} endpoints"))


def _print_tables(
    output: Output,
    record: Mapping[str, Any],
    n: int,
    columns: Sequence[Column],
    cells: Callable[[Mapping[str, Any], str], list[Cell]],
    title: str,
) -> None:
    what, blocks = record["what"], Blocks(output)
    tables = {kind: table for kind, table in record[what].items() if table["count"]}
    if not tables:
        headline(output, say(title, kind="IP"), say(_NOTHING))
    for kind, found in tables.items():
        rows = found[what][:n]
        bar = BAR if output.width >= WIDE else 0 if what == CONVERSATIONS else BAR if output.width >= MEDIUM else BAR // 2
        note = say("the {n} with the most bytes of {all:,}", n=len(rows), all=found["count"]) if found["count"] > n else ""
        headline(output, say(title, kind=KIND_NAMES[kind]), note)
        table, most = Table(columns, output, indent=2), max(row["bytes"] for row in rows) or 1
        for row in rows:
            table.add(cells(row, blocks.bar(row["bytes"] / most, bar) if bar else ""))
        table.close()
        if found["beyond"]:
            packets = count_text(found["beyond"], "packet")
            dim_line(output, say("and {packets} of further conversations, which are not told apart", packets=packets))


def _end(end: Mapping[str, Any]) -> str:
    return harmless(end["address"]) if end["port"] is None else endpoint_text(end["address"], end["port"])


def _totals(record: Mapping[str, Any]) -> str:
    return clauses(count_text(record["packets"], "packet"), size_text(record["bytes"]))


def _print_io(output: Output, record: Mapping[str, Any], n: int) -> None:
    io = record["io"]
    rows, each = io["intervals"], interval_text(io["interval_seconds"])
    headline(output, say("Traffic over time"), clauses(_totals(record), say("in intervals of {each}", each=each)))
    if not rows:
        output.line("  " + say("no packet has a time"))
        return
    marks = time_marks(rows, io["interval_seconds"])
    packets, sizes = ([row[name] for row in rows] for name in ("packets", "bytes"))
    labels = f"{round_up(max(packets)):,}", size_text(round_up(max(sizes)))
    left = max(map(width, labels))
    for title, values, label, style in (
        (say("Packets in each {each}", each=each), packets, labels[0], "green"),
        (say("Bytes in each {each}", each=each), sizes, labels[1], "blue"),
    ):
        output.line()
        output.line("  " + output.paint(title, "bold"))
        print_plot(output, values, marks, pad(label, left, True), style)
    _print_counts(output, io, rows)
    output.line()
    _print_intervals(output, io, rows, n)


def _print_counts(output: Output, io: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> None:
    """Print a line for each filter: the filter, its packets, and how many when."""
    if not io["filters"]:
        return
    blocks = Blocks(output)
    output.line()
    output.line("  " + output.paint(say("Packets that pass a filter"), "bold"))
    label = min(max(map(width, io["filters"])), output.width // 3)
    for place, text in enumerate(io["filters"]):
        values = [row["counts"][place]["packets"] for row in rows]
        room = max(8, output.width - label - 17)
        total, line = f"{sum(values):,}", blocks.sparkline(values, room)
        output.line(f"  {pad(cut(harmless(text), label), label)}  {pad(total, 11, True)}  {output.paint(line, 'green')}")


def _print_intervals(output: Output, io: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], n: int) -> None:
    blocks, most = Blocks(output), max(row["bytes"] for row in rows) or 1
    columns = [
        Column("start", 0),
        Column("packets", 0, right=True),
        Column("bytes", 0, right=True),
        *(Column(cut(harmless(text), 24), 2, right=True) for text in io["filters"]),
        Column("share", 1, style="blue"),
    ]
    bar = BAR // 2 if io["filters"] else 2 * BAR
    table = Table(columns, output, indent=2)
    busiest = sorted(range(len(rows)), key=lambda place: -rows[place]["bytes"])[:n]
    for place in sorted(place for place in busiest if len(rows) <= n or rows[place]["packets"]):
        row = rows[place]
        counts = [f"{one['packets']:,}" for one in row["counts"]]
        table.add(
            [
                row["start"][11:23],
                f"{row['packets']:,}",
                size_text(row["bytes"]),
                *counts,
                blocks.bar(row["bytes"] / most, bar),
            ]
        )
    table.close()
    if len(rows) > n:
        dim_line(output, say("those with the most bytes of {all:,} intervals; --format csv has all", all=len(rows)))


def time_marks(rows: Sequence[Mapping[str, Any]], seconds: float) -> list[tuple[float, str]]:
    """Return the times below a plot of intervals, each with its place from 0 to 1; they are a usual length of time apart."""
    length = round(seconds * _SECOND)
    apart = shown_length(length * len(rows), MARKS, length)
    end = 19 if apart >= _SECOND else 23
    return [(place / len(rows), rows[place]["start"][11:end]) for place in range(0, len(rows), max(1, apart // length))]


def interval_text(seconds: float) -> str:
    """Return the length of an interval: `100 ms`, `10 s`, `1 min`."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    if seconds >= 1:
        return f"{seconds:g} s"
    return f"{seconds * 1e3:g} ms" if seconds >= 0.001 else f"{seconds * 1e6:g} µs"


def _print_tls(output: Output, record: Mapping[str, Any], n: int) -> None:
    tls = record["tls"]
    if not tls["sessions"]:
        headline(output, say("TLS sessions"), say(_NOTHING))
        return
    counts = [count_text(tls["sessions"], "session"), say("{n:,} established", n=tls["established"])]
    if tls["not_established"]:
        counts.append(say("{n:,} not established", n=tls["not_established"]))
    if tls["unknown"]:
        counts.append(say("of {n:,} it is unknown", n=tls["unknown"]))
    headline(output, say("TLS sessions"), clauses(*counts))
    _print_tallies(output, TALLIES[TLS], tls, n)
    _print_spreads(output, {say(DURATIONS[name]): spread for name, spread in tls["durations"].items()}, _time)


def _print_http(output: Output, record: Mapping[str, Any], n: int) -> None:
    http = record["http"]
    if not http["exchanges"]:
        headline(output, say("HTTP"), say(_NOTHING))
        return
    counts = [count_text(http["exchanges"], "HTTP exchange"), say("{n:,} of them in TLS", n=http["encrypted"])]
    counts.append(say("{size} sent in bodies", size=size_text(http["bytes_sent"])))
    counts.append(say("{size} received", size=size_text(http["bytes_received"])))
    headline(output, say("HTTP"), clauses(*counts))
    _print_tallies(output, TALLIES[HTTP], http, n)
    _print_spreads(output, {say(DURATIONS["response"]): http["response_seconds"]}, _time)
    sizes = {say("request bodies"): http["request_sizes"], say("response bodies"): http["response_sizes"]}
    _print_spreads(output, sizes, lambda value: size_text(round(value)))


def _print_tallies(output: Output, labels: Mapping[str, str], found: Mapping[str, Any], n: int) -> None:
    """Print counts of values as bars, the most frequent value of each first."""
    causes, blocks = translated_codes("outcome_causes"), Blocks(output)
    shown = {}
    for name in labels:
        rows = found[name]["top"][:n]
        values = [causes[row["value"]].title if name == "causes" else row["value"] for row in rows]
        if name == "types":
            values = [beside(value, size_text(row["bytes"])) for value, row in zip(values, rows, strict=True)]
        shown[name] = [(harmless(value), row["count"]) for value, row in zip(values, rows, strict=True)]
    widest = max((width(text) for rows in shown.values() for text, _ in rows), default=0)
    room = min(widest, output.width - LABEL - 2 - 11 - 3 - BAR // 2)
    bar = min(2 * BAR, output.width - LABEL - 2 - room - 13)
    for name, rows in shown.items():
        head = pad(say(labels[name]), LABEL)
        for text, count in rows:
            line = f"{pad(cut(text, room), room)} {count:>9,}  {output.paint(blocks.bar(count / rows[0][1], bar), 'blue')}"
            output.line(f"  {output.paint(head, 'dim')}{line}")
            head = " " * LABEL
        for text in further_values(found[name]["count"] - len(rows), found[name]["beyond"]):
            output.line("  " + head + output.paint(text, "dim"))


def _print_spreads(output: Output, spreads: Mapping[str, Mapping[str, Any]], shown: Callable[[float], str]) -> None:
    """Print how quantities are spread, a row for each that has values."""
    if not any(spread["count"] for spread in spreads.values()):
        return
    blocks, table = Blocks(output), Table(_SPREADS, output, indent=2)
    output.line()
    for name, spread in spreads.items():
        if spread["count"]:
            values = [shown(spread[key]) for key in ("least", "p50", "p90", "p99", "most")]
            drawn = spread["count"] > 2 and output.width >= MEDIUM
            line = blocks.sparkline(spread["histogram"], len(spread["histogram"])) if drawn else ""
            table.add([name, f"{spread['count']:,}", *values, line])
    table.close()


def _time(seconds: float) -> str:
    return duration_text(round(seconds * _SECOND))


_PRINTERS: dict[str, Callable[[Output, Mapping[str, Any], int], None]] = {
    PROTOCOLS: _print_protocols,
    CONVERSATIONS: _print_conversations,
    ENDPOINTS: _print_endpoints,
    IO: _print_io,
    TLS: _print_tls,
    HTTP: _print_http,
}
